"""who runs which lane"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    instant = sqlmodel.sql.sqltypes.UTCDateTime
    words = sqlmodel.sql.sqltypes.AutoString
    op.create_table('engine_workers',
    sa.Column('holder', words(), nullable=False),
    sa.Column('engine', words(), nullable=False),
    sa.Column('mode', words(), nullable=False),
    sa.Column('host', words(), nullable=False),
    sa.Column('pid', sa.Integer(), nullable=False),
    sa.Column('queue_worker', big, nullable=True),
    sa.Column('started_at', instant(), nullable=False),
    sa.Column('beat_at', instant(), nullable=False),
    sa.Column('lanes', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('holder', name=op.f('pk_engine_workers'))
    )
    op.create_table('engine_lanes',
    sa.Column('name', words(), nullable=False),
    sa.Column('every_s', sa.Float(), nullable=False),
    sa.Column('stuck_after_s', sa.Float(), nullable=False),
    sa.Column('next_run_at', instant(), nullable=True),
    sa.Column('holder', words(), nullable=False),
    sa.Column('host', words(), nullable=False),
    sa.Column('pid', sa.Integer(), nullable=True),
    sa.Column('job_id', big, nullable=True),
    sa.Column('started_at', instant(), nullable=True),
    sa.Column('ended_at', instant(), nullable=True),
    sa.Column('well_at', instant(), nullable=True),
    sa.Column('failing_since', instant(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('outcome', words(), nullable=False),
    sa.Column('error', words(), nullable=False),
    sa.Column('worked', big, nullable=False),
    sa.Column('worked_in_all', big, nullable=False),
    sa.Column('is_kicked', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_engine_lanes'))
    )
    # The job queue's own tables are the library's: `tracker db upgrade` applies its files where `engine: procrastinate` asks
    # for them, since whoever has no use for it need not have it installed.
    op.create_table('engine_queue',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', words(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_engine_queue'))
    )

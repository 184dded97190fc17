"""what carriers push, and tokens that are asked for with the last one"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    instant = sqlmodel.sql.sqltypes.UTCDateTime
    words = sqlmodel.sql.sqltypes.AutoString
    op.add_column('carrier_tokens', sa.Column('refresh', sa.Text(), nullable=True))
    op.add_column('carrier_tokens', sa.Column('origin', words(), nullable=False, server_default=sa.text("''")))
    op.add_column('shipment_polls', sa.Column('pushed_at', instant(), nullable=True))
    op.create_table('hook_deliveries',
    sa.Column('lease_token', words(), nullable=True),
    sa.Column('lease_until', instant(), nullable=True),
    sa.Column('id', big, nullable=False),
    sa.Column('carrier', words(), nullable=False),
    sa.Column('digest', words(), nullable=False),
    sa.Column('received_at', instant(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('state', words(), nullable=False),
    sa.Column('next_read_at', instant(), nullable=True),
    sa.Column('unmatched', sa.JSON(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hook_deliveries')),
    sa.UniqueConstraint('carrier', 'digest', name=op.f('uq_hook_deliveries_carrier_digest'))
    )
    op.create_index('ix_hook_deliveries_due', 'hook_deliveries', ['next_read_at'], unique=False, sqlite_where=sa.text('next_read_at IS NOT NULL'), postgresql_where=sa.text('next_read_at IS NOT NULL'))
    op.create_index('ix_hook_deliveries_received', 'hook_deliveries', ['carrier', 'received_at'], unique=False)

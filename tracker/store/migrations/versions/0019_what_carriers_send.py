"""what carriers send by themselves"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    instant = sqlmodel.sql.sqltypes.UTCDateTime
    words = sqlmodel.sql.sqltypes.AutoString
    op.create_table('carrier_feeds',
    sa.Column('carrier', words(), nullable=False),
    sa.Column('began_at', instant(), nullable=False),
    sa.Column('heard_at', instant(), nullable=True),
    sa.Column('silent_since', instant(), nullable=True),
    sa.Column('pulled_at', instant(), nullable=True),
    sa.Column('today_at', instant(), nullable=True),
    sa.Column('whole_until', sa.Date(), nullable=True),
    sa.Column('tidied_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('carrier', name=op.f('pk_carrier_feeds'))
    )
    op.create_table('feed_files',
    sa.Column('id', big, nullable=False),
    sa.Column('carrier', words(), nullable=False),
    sa.Column('content_hash', words(), nullable=False),
    sa.Column('name', words(), nullable=False),
    sa.Column('received_at', instant(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('state', words(), nullable=False),
    sa.Column('answers', sa.Integer(), nullable=False),
    sa.Column('matched', sa.Integer(), nullable=False),
    sa.Column('faults', sa.Integer(), nullable=False),
    sa.Column('report', sa.JSON(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feed_files')),
    sa.UniqueConstraint('carrier', 'content_hash', name=op.f('uq_feed_files_carrier_content_hash'))
    )
    op.create_index('ix_feed_files_received', 'feed_files', ['carrier', 'received_at'])
    op.create_table('feed_waiting',
    sa.Column('id', big, nullable=False),
    sa.Column('carrier', words(), nullable=False),
    sa.Column('kind', words(), nullable=False),
    sa.Column('value', words(), nullable=False),
    sa.Column('file_id', big, nullable=False),
    sa.Column('of_kind', words(), nullable=False),
    sa.Column('of_value', words(), nullable=False),
    sa.Column('seen_at', instant(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['feed_files.id'], name=op.f('fk_feed_waiting_file_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feed_waiting')),
    sa.UniqueConstraint('carrier', 'kind', 'value', 'file_id', name=op.f('uq_feed_waiting_carrier_kind_value_file_id'))
    )
    op.create_index(op.f('ix_feed_waiting_file_id'), 'feed_waiting', ['file_id'])
    op.create_table('feed_seen',
    sa.Column('carrier', words(), nullable=False),
    sa.Column('source', words(), nullable=False),
    sa.Column('name', words(), nullable=False),
    sa.Column('mark', words(), nullable=False),
    sa.Column('seen_at', instant(), nullable=False),
    sa.PrimaryKeyConstraint('carrier', 'source', 'name', name=op.f('pk_feed_seen'))
    )

"""what is dropped for its age, and the way from a row to those that point to it"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
STR = sqlmodel.sql.sqltypes.AutoString
AT = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table('archived_names',
    sa.Column('shop', STR(), nullable=False),
    sa.Column('kind', STR(), nullable=False),
    sa.Column('name', STR(), nullable=False),
    sa.Column('closed_at', AT(), nullable=False),
    sa.PrimaryKeyConstraint('shop', 'kind', 'name', name=op.f('pk_archived_names'))
    )
    op.create_table('retention_marks',
    sa.Column('pile', STR(), nullable=False),
    sa.Column('last_id', BIG, nullable=False),
    sa.Column('next_walk_at', AT(), nullable=True),
    sa.Column('pending', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('pile', name=op.f('pk_retention_marks'))
    )
    # A row that goes is looked for in every table that may point to it: without these each would be read whole.
    op.create_index('ix_problems_order', 'problems', ['order_id'], unique=False)
    op.create_index('ix_claims_ref', 'claims', ['tracking_ref_id'], unique=False)
    op.create_index('ix_notices_order', 'notices', ['order_id'], unique=False)
    op.create_index('ix_notice_members_shipment', 'notice_members', ['shipment_id'], unique=False)
    op.create_index('ix_notice_members_problem', 'notice_members', ['problem_id'], unique=False, sqlite_where=sa.text('problem_id IS NOT NULL'), postgresql_where=sa.text('problem_id IS NOT NULL'))
    op.create_index('ix_letters_shipment', 'letters', ['shipment_id'], unique=False)
    op.create_index('ix_suppressions_delivery', 'suppressions', ['delivery_id'], unique=False, sqlite_where=sa.text('delivery_id IS NOT NULL'), postgresql_where=sa.text('delivery_id IS NOT NULL'))

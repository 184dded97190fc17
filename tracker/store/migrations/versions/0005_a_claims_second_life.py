"""a claim's second life"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('claim_desks',
    sa.Column('carrier', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('settled_by_contract_since', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('digest', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('carrier', name=op.f('pk_claim_desks'))
    )
    with op.batch_alter_table('claims', schema=None) as batch_op:
        batch_op.add_column(sa.Column('adopted', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('reopened_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('carrier_state', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
        batch_op.add_column(sa.Column('escalated_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
        batch_op.drop_index('ix_claims_unfiled')
        batch_op.create_index('ix_claims_unfiled', ['carrier', 'alert_on'], unique=False, sqlite_where=sa.text('opened_at IS NULL AND closed_at IS NULL AND alerted_at IS NULL'), postgresql_where=sa.text('opened_at IS NULL AND closed_at IS NULL AND alerted_at IS NULL'))
        batch_op.create_index('ix_claims_overdue', ['carrier', 'deadline_on'], unique=False, sqlite_where=sa.text('opened_at IS NULL AND closed_at IS NULL AND escalated_at IS NULL'), postgresql_where=sa.text('opened_at IS NULL AND closed_at IS NULL AND escalated_at IS NULL'))


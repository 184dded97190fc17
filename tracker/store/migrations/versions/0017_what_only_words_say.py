"""what only words say"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.add_column(sa.Column('own', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
        batch_op.add_column(sa.Column('by_words', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('told_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    with op.batch_alter_table('shipment_histories', schema=None) as batch_op:
        batch_op.add_column(sa.Column('by_words', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    with op.batch_alter_table('problems', schema=None) as batch_op:
        batch_op.add_column(sa.Column('by_words', sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table('claims', schema=None) as batch_op:
        batch_op.add_column(sa.Column('urge_on', sa.Date(), nullable=True))
    op.execute('UPDATE claims SET urge_on = deadline_on')
    overdue = sa.text('opened_at IS NULL AND closed_at IS NULL AND escalated_at IS NULL')
    op.drop_index('ix_claims_overdue', table_name='claims')
    op.create_index('ix_claims_overdue', 'claims', ['carrier', 'urge_on'], unique=False, sqlite_where=overdue, postgresql_where=overdue)
    with op.batch_alter_table('letters', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), server_default=sa.text("''"), nullable=False))
    # An inquiry and a refund about one parcel and motive are two letters.
    op.execute('UPDATE letters SET kind = (SELECT s.kind FROM claim_steps s WHERE s.id = letters.step_id)')
    left = sa.text('sending_at IS NOT NULL')
    op.drop_index('uq_letters_left', table_name='letters')
    op.create_index('uq_letters_left', 'letters', ['shipment_id', 'motive', 'kind', 'part'], unique=True, sqlite_where=left, postgresql_where=left)
    op.create_table('code_mappings',
    sa.Column('carrier', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('digest', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('read_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('carrier', name=op.f('pk_code_mappings'))
    )

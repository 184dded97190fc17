"""operators' hands: what an act says, and what settling a problem or correcting a number leaves behind"""

import sqlalchemy as sa
from alembic import op


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('operator_acts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('facts', sa.JSON(), nullable=True))
        batch_op.create_index('ix_operator_acts_subject', ['subject_kind', 'subject_id'], unique=False)
    with op.batch_alter_table('problems', schema=None) as batch_op:
        batch_op.add_column(sa.Column('claims_wish', sa.String(), nullable=True))
    with op.batch_alter_table('due_dates', schema=None) as batch_op:
        batch_op.add_column(sa.Column('void', sa.Boolean(), server_default=sa.false(), nullable=False))

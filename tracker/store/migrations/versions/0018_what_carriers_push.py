"""tokens that are asked for with the last one"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0018'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = sqlmodel.sql.sqltypes.AutoString
    op.add_column('carrier_tokens', sa.Column('refresh', sa.Text(), nullable=True))
    op.add_column('carrier_tokens', sa.Column('origin', words(), nullable=False, server_default=sa.text("''")))

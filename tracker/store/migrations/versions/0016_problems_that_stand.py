"""problems that stand"""

from alembic import op
import sqlalchemy as sa


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Years of problems have ended; what counts those that stand shall read no others.
    stands = sa.text('resolved_at IS NULL')
    op.create_index('ix_problems_open', 'problems', ['shop', 'kind'], sqlite_where=stands, postgresql_where=stands)
    op.create_index('ix_problems_ended', 'problems', ['shop', 'resolved_at'])

"""mail accounts, quotas, suppressions and returned mail"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
STR = sqlmodel.sql.sqltypes.AutoString
AT = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('urgent', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('account', STR(), nullable=True))
        batch_op.add_column(sa.Column('sent_to', STR(), nullable=True))
        batch_op.drop_index('ix_deliveries_due')
        batch_op.create_index('ix_deliveries_due', ['channel', 'urgent', 'next_step_at'], unique=False, sqlite_where=sa.text('next_step_at IS NOT NULL'), postgresql_where=sa.text('next_step_at IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_deliveries_sent_to'), ['sent_to'], unique=False)
    # What left before can be returned after: its address is the recipient's as far as it needs no encoding.
    op.execute(sa.text("UPDATE deliveries SET sent_to = lower(recipient) WHERE sending_at IS NOT NULL AND recipient IS NOT NULL"))
    op.execute(sa.text("UPDATE deliveries SET urgent = true WHERE notice_id IN (SELECT id FROM notices WHERE \"trigger\" IN ('loss_confirmed', 'damage', 'pickup_waiting', 'delivery_attempt_failed', 'address_problem'))"))
    op.create_table('mail_circuits',
    sa.Column('account', STR(), nullable=False),
    sa.Column('shop', STR(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('until', AT(), nullable=True),
    sa.Column('down_since', AT(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('digest', STR(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'shop', name=op.f('pk_mail_circuits'))
    )
    op.create_table('mail_uses',
    sa.Column('account', STR(), nullable=False),
    sa.Column('minute', AT(), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'minute', name=op.f('pk_mail_uses'))
    )
    op.create_table('return_mailboxes',
    sa.Column('mailbox', STR(), nullable=False),
    sa.Column('uid_validity', BIG, nullable=False),
    sa.Column('last_uid', BIG, nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('until', AT(), nullable=True),
    sa.Column('down_since', AT(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('mailbox', name=op.f('pk_return_mailboxes'))
    )
    op.create_table('returned_mails',
    sa.Column('id', BIG, nullable=False),
    sa.Column('mail_key', STR(), nullable=False),
    sa.Column('recipient', STR(), nullable=False),
    sa.Column('kind', STR(), nullable=False),
    sa.Column('status', STR(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('delivery_id', BIG, nullable=True),
    sa.Column('matched_by', STR(), nullable=True),
    sa.Column('seen_at', AT(), nullable=False),
    sa.Column('applied_at', AT(), nullable=True),
    sa.ForeignKeyConstraint(['delivery_id'], ['deliveries.id'], name=op.f('fk_returned_mails_delivery_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_returned_mails')),
    sa.UniqueConstraint('mail_key', 'recipient', name=op.f('uq_returned_mails_mail_key_recipient'))
    )
    with op.batch_alter_table('returned_mails', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_returned_mails_delivery_id'), ['delivery_id'], unique=False)
        batch_op.create_index('ix_returned_mails_waiting', ['id'], unique=False, sqlite_where=sa.text('applied_at IS NULL'), postgresql_where=sa.text('applied_at IS NULL'))
    op.create_table('suppressions',
    sa.Column('id', BIG, nullable=False),
    sa.Column('shop', STR(), nullable=False),
    sa.Column('channel', STR(), nullable=False),
    sa.Column('address', STR(), nullable=False),
    sa.Column('reason', STR(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('source', STR(), nullable=False),
    sa.Column('delivery_id', BIG, nullable=True),
    sa.Column('at', AT(), nullable=False),
    sa.Column('lifted_at', AT(), nullable=True),
    sa.ForeignKeyConstraint(['delivery_id'], ['deliveries.id'], name=op.f('fk_suppressions_delivery_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suppressions'))
    )
    with op.batch_alter_table('suppressions', schema=None) as batch_op:
        batch_op.create_index('uq_suppressions_standing', ['channel', 'address', 'shop'], unique=True, sqlite_where=sa.text('lifted_at IS NULL'), postgresql_where=sa.text('lifted_at IS NULL'))

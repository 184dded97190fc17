"""grouped alerts and the merchant's digest"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant, word = sqlmodel.sql.sqltypes.UTCDateTime, sqlmodel.sql.sqltypes.AutoString
    big_id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('alert_notifications',
    sa.Column('lease_token', word(), nullable=True),
    sa.Column('lease_until', instant(), nullable=True),
    sa.Column('id', big_id, nullable=False),
    sa.Column('sink', word(), nullable=False),
    sa.Column('kind', word(), nullable=False),
    sa.Column('tone', word(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('state', word(), nullable=False),
    sa.Column('made_at', instant(), nullable=False),
    sa.Column('next_step_at', instant(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('sending_at', instant(), nullable=True),
    sa.Column('repeated', sa.Boolean(), nullable=False),
    sa.Column('sent_at', instant(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_notifications'))
    )
    with op.batch_alter_table('alert_notifications', schema=None) as batch_op:
        batch_op.create_index('ix_alert_notifications_due', ['sink', 'next_step_at'], unique=False, sqlite_where=sa.text('next_step_at IS NOT NULL'), postgresql_where=sa.text('next_step_at IS NOT NULL'))
        batch_op.create_index('ix_alert_notifications_made', ['sink', 'made_at'], unique=False)
    op.create_table('alert_sinks',
    sa.Column('name', word(), nullable=False),
    sa.Column('digest', word(), nullable=False),
    sa.Column('disabled_at', instant(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_alert_sinks'))
    )
    op.create_table('pulses',
    sa.Column('name', word(), nullable=False),
    sa.Column('at', instant(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_pulses'))
    )
    op.create_table('digests',
    sa.Column('lease_token', word(), nullable=True),
    sa.Column('lease_until', instant(), nullable=True),
    sa.Column('id', big_id, nullable=False),
    sa.Column('shop', word(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('recipient', word(), nullable=False),
    sa.Column('since', instant(), nullable=False),
    sa.Column('until', instant(), nullable=False),
    sa.Column('state', word(), nullable=False),
    sa.Column('message_id', word(), nullable=False),
    sa.Column('next_step_at', instant(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('sending_at', instant(), nullable=True),
    sa.Column('sent_at', instant(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digests')),
    sa.UniqueConstraint('shop', 'day', 'recipient', name=op.f('uq_digests_shop_day_recipient'))
    )
    with op.batch_alter_table('digests', schema=None) as batch_op:
        batch_op.create_index('ix_digests_due', ['next_step_at'], unique=False, sqlite_where=sa.text('next_step_at IS NOT NULL'), postgresql_where=sa.text('next_step_at IS NOT NULL'))
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('times', sa.Integer(), server_default=sa.text('1'), nullable=False))
        batch_op.add_column(sa.Column('next_look_at', instant(), nullable=True))
        batch_op.add_column(sa.Column('acked_at', instant(), nullable=True))
        batch_op.add_column(sa.Column('acked_by', word(), nullable=True))
        batch_op.add_column(sa.Column('acked_until', instant(), nullable=True))
        batch_op.add_column(sa.Column('acked_severity', word(), nullable=True))
        batch_op.add_column(sa.Column('ack_reason', sa.Text(), nullable=True))
        batch_op.create_index('ix_alerts_due', ['next_look_at'], unique=False, sqlite_where=sa.text('next_look_at IS NOT NULL'), postgresql_where=sa.text('next_look_at IS NOT NULL'))
        batch_op.create_index('ix_alerts_resolved', ['resolved_at'], unique=False)
    # What is queued leaves in a notification from now on; attempts and leases are the notification's.
    with op.batch_alter_table('alert_deliveries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('severity', word(), nullable=True))
        batch_op.add_column(sa.Column('made_at', instant(), nullable=True))
        batch_op.add_column(sa.Column('held_for', word(), nullable=True))
        batch_op.add_column(sa.Column('notification_id', big_id, nullable=True))
    op.execute("UPDATE alert_deliveries SET severity = (SELECT severity FROM alerts WHERE alerts.id = alert_deliveries.alert_id)")
    op.execute("UPDATE alert_deliveries SET made_at = COALESCE(sent_at, (SELECT raised_at FROM alerts WHERE alerts.id = alert_deliveries.alert_id))")
    with op.batch_alter_table('alert_deliveries', schema=None) as batch_op:
        batch_op.alter_column('severity', existing_type=word(), nullable=False)
        batch_op.alter_column('made_at', existing_type=instant(), nullable=False)
        batch_op.drop_column('attempts')
        batch_op.drop_column('lease_token')
        batch_op.drop_column('lease_until')
        batch_op.create_foreign_key(op.f('fk_alert_deliveries_notification_id'), 'alert_notifications', ['notification_id'], ['id'])
        batch_op.create_index('ix_alert_deliveries_notification', ['notification_id'], unique=False)

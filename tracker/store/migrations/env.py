"""Alembic's entry: runs on the connection that `tracker.store.migrate` hands over, or offers one for `alembic revision`."""

from alembic import context
from sqlmodel import SQLModel

from tracker.store import tables as tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

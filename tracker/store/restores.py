"""When the database was put back to an earlier copy."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from tracker.store.tables import Restore, table

_RESTORES = table(Restore)


def last_restore(connection: Connection) -> datetime | None:
    """The instant of the newest restore; None where there was none."""
    newest = select(_RESTORES.c.restored_at).order_by(_RESTORES.c.id.desc()).limit(1)
    found: datetime | None = connection.execute(newest).scalar_one_or_none()
    return found


def add_restore(connection: Connection, *, at: datetime, source: str, who: str) -> None:
    """Keep that the database was put back, as a fact."""
    connection.execute(insert(_RESTORES), {"restored_at": at, "source": source, "who": who})

"""Marks beside the schema: this database was copied to another, or is a copy that is not whole yet.

Neither is a row of the shop's: they say something of one database, never travel with its rows, and outlive a death at any
line. A database that bears one is worked on by nobody, so that no parcel is ever followed and claimed from two places.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, insert, inspect, select, update

_MARKS: Final = MetaData()
_AWAY: Final = Table(
    "copied_away",
    _MARKS,
    Column("copy_key", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("copied_at", Text),
)
_UNFINISHED: Final = Table(
    "copy_unfinished",
    _MARKS,
    Column("copy_key", Text, primary_key=True),
    Column("source", Text, nullable=False),
)
NAMES: Final = (_AWAY.name, _UNFINISHED.name, "copy_progress")
"""Tables that are the program's and of no revision of the schema."""


@dataclass(frozen=True, slots=True)
class Away:
    """Where this database's rows went. `copied_at`: None while the copy is not whole. Addresses are without passwords."""

    copy_key: str
    target: str
    who: str
    started_at: datetime
    copied_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Whose copy this database is going to be."""

    copy_key: str
    source: str


def why_closed(connection: Connection) -> str | None:
    """Why nobody may work on this database and what to do, in one sentence; None where everybody may."""
    away, unfinished = away_of(connection), unfinished_of(connection)
    if unfinished is not None:
        return (
            f"is a half-done copy of {unfinished.source}: go on with tracker db copy --to on the configuration of that "
            "one, or name another database"
        )
    if away is None:
        return None
    if away.copied_at is None:
        return (
            f"is being copied to {away.target} since {_shown(away.started_at)}: go on with tracker db copy --to, or give "
            "that up with: tracker db reopen"
        )
    return (
        f"was copied to {away.target} at {_shown(away.copied_at)}, and the shop lives there: name that one as database.url, "
        "or come back to this one with: tracker db reopen"
    )


def away_of(connection: Connection) -> Away | None:
    """The mark of a database that was copied, or is being copied."""
    if not inspect(connection).has_table(_AWAY.name):
        return None
    row = connection.execute(select(_AWAY)).one_or_none()
    if row is None:
        return None
    copied_at = datetime.fromisoformat(row.copied_at) if row.copied_at else None
    return Away(row.copy_key, row.target, row.who, datetime.fromisoformat(row.started_at), copied_at)


def mark_away(connection: Connection, away: Away) -> None:
    """Close a database to everybody but the one who copies it."""
    _MARKS.create_all(connection, [_AWAY])
    connection.execute(delete(_AWAY))
    row = {"copy_key": away.copy_key, "target": away.target, "who": away.who}
    connection.execute(insert(_AWAY), {**row, "started_at": away.started_at.astimezone(UTC).isoformat()})


def mark_copied(connection: Connection, at: datetime) -> None:
    """Say that the copy is whole: from now on the shop lives there."""
    connection.execute(update(_AWAY).values(copied_at=at.astimezone(UTC).isoformat()))


def unmark_away(connection: Connection) -> None:
    """Let this database be worked on again."""
    _AWAY.drop(connection, checkfirst=True)


def unfinished_of(connection: Connection) -> Unfinished | None:
    """The mark of a copy that is not whole."""
    if not inspect(connection).has_table(_UNFINISHED.name):
        return None
    row = connection.execute(select(_UNFINISHED)).one_or_none()
    return Unfinished(row.copy_key, row.source) if row is not None else None


def mark_unfinished(connection: Connection, unfinished: Unfinished) -> None:
    """Close a database to everybody until it is a whole copy."""
    _MARKS.create_all(connection, [_UNFINISHED])
    connection.execute(delete(_UNFINISHED))
    connection.execute(insert(_UNFINISHED), {"copy_key": unfinished.copy_key, "source": unfinished.source})


def unmark_unfinished(connection: Connection) -> None:
    """The copy is whole."""
    _UNFINISHED.drop(connection, checkfirst=True)


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%MZ}"

"""Gives the room of dropped rows back to the disk. SQLite re-uses it by itself; a server's autovacuum does likewise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

MIN_FREE_MIB: Final = 16
MIN_FREE_SHARE: Final = 0.25
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Room:
    """A SQLite file: its size, and what of it holds nothing. In bytes."""

    size: int
    free: int

    @property
    def mib(self) -> float:
        return round(self.size / _MIB, 1)


def room_of(connection: Connection) -> Room | None:
    """How full the file is; None on a server."""
    if connection.dialect.name != "sqlite":
        return None
    size, pages, free = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_size", "page_count", "freelist_count")
    )
    return Room(size * pages, size * free)


def may_compact(room: Room, at_most_mib: int) -> bool:
    """Whether rewriting the file is worth it, and short enough for the others to wait: nothing is written meanwhile."""
    is_worth_it = room.free >= MIN_FREE_MIB * _MIB and room.free >= MIN_FREE_SHARE * room.size
    return is_worth_it and room.size <= at_most_mib * _MIB

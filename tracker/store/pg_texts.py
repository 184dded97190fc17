"""Texts from outside, as PostgreSQL takes them: without the character that ends a text in C.

A carrier's or a mail server's words may hold one (`\\u0000` is valid JSON). PostgreSQL refuses the whole statement for it, and
with it all that came in the same batch; SQLite keeps it.
"""

from __future__ import annotations

from typing import Any

from psycopg.types.string import StrDumperUnknown

_END = "\x00"


class _TextDumper(StrDumperUnknown):
    """What psycopg sends texts by, unless it is asked for a type of its own."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace(_END, "") if _END in obj else obj)


def take_any_text(connection: Any, _record: object) -> None:
    """Have a new connection take texts as they come."""
    connection.adapters.register_dumper(str, _TextDumper)

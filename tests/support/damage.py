"""Damage to a SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def blank_table(file: Path, name: str) -> None:
    """Put zeros over the first page of a table; what does not look at that table does not notice."""
    with closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name]).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as data:
        data.seek((root - 1) * size)
        data.write(bytes(size))


def mix_up_indexes(file: Path, table: str) -> None:
    """Let one index of a table point to another table's pages, so that it misses every row."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_schema SET rootpage = (SELECT max(rootpage) FROM sqlite_schema WHERE type = 'index' "
            "AND tbl_name <> ?) WHERE rowid = (SELECT min(rowid) FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?)",
            [table, table],
        )

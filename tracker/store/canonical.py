"""Rows as values that are the same whichever database holds them, and a checksum of a whole table of such rows.

JSON is carried as the text it was written as: read and written anew, a null among the rows would become none, and the other
way round. Instants are aware and in UTC, whatever the session's time zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from hashlib import blake2b
from typing import Any, Final

import orjson
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    cast,
    literal,
    select,
    tuple_,
)
from sqlmodel import SQLModel

from tracker.store.tables import OWNERS, table

BATCH_ROWS: Final = 2_000
HEAVY_BATCH_ROWS: Final = 200
"""Of tables that hold mails and raw answers, some of them large: what is in memory at once."""
_MODULUS: Final = 1 << 128

Row = tuple[Any, ...]
"""A row's values in the order of the table's columns."""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows a table has, and a checksum that is the same in whatever order they are read."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Plain:
    """A table as plain values: `table` has JSON as text."""

    table: Table
    batch: int

    @property
    def keys(self) -> list[Column[Any]]:
        return list(self.table.primary_key.columns)

    def key_of(self, row: Row) -> Row:
        """The primary key's values in a row."""
        names = self.table.columns.keys()
        return tuple(row[names.index(column.name)] for column in self.keys)

    def shown_key(self, row: Row) -> str:
        """A row's key for a person: `id=5`."""
        return ", ".join(f"{column.name}={value}" for column, value in zip(self.keys, self.key_of(row), strict=True))

    def all_rows(self) -> Select[Any]:
        """Every row, in no order."""
        return select(*(cast(c, Text) if c.name in self.table.info["json"] else c for c in self.table.columns))

    def after(self, key: Row | None) -> Select[Any]:
        """The next batch of rows after this key, by key."""
        query = self.all_rows().order_by(*self.keys).limit(self.batch)
        if key is None:
            return query
        if len(self.keys) == 1:
            return query.where(self.keys[0] > key[0])
        given = tuple_(*(literal(value, column.type) for column, value in zip(self.keys, key, strict=True)))
        return query.where(tuple_(*self.keys) > given)

    def packed(self, key: Row) -> str:
        """A key as text; `unpacked` reads it."""
        return orjson.dumps(key).decode()

    def unpacked(self, text: str) -> Row:
        """The key that `packed` wrote."""
        return tuple(_revived(column, value) for column, value in zip(self.keys, orjson.loads(text), strict=True))


def shop_tables() -> list[Table]:
    """Every table of the schema whose rows travel, each after those it points to.

    Who works on a database, and what its job queue is, is that database's own.
    """
    stay = {table(model).name for model in OWNERS["engine"]}
    return [rows for rows in SQLModel.metadata.sorted_tables if rows.name not in stay]


@cache
def plain_tables() -> tuple[Plain, ...]:
    """The same as plain values."""
    return tuple(_plain(rows) for rows in shop_tables())


def _plain(rows: Table) -> Plain:
    texts = {column.name for column in rows.columns if isinstance(column.type, JSON)}
    columns = [
        Column(column.name, Text if column.name in texts else column.type, primary_key=column.primary_key)
        for column in rows.columns
    ]
    is_heavy = any(isinstance(column.type, LargeBinary) for column in columns)
    return Plain(
        Table(rows.name, MetaData(), *columns, info={"json": texts}), HEAVY_BATCH_ROWS if is_heavy else BATCH_ROWS
    )


def _revived(column: Column[Any], value: Any) -> Any:
    kind = column.type.python_type
    if kind is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    return date.fromisoformat(value) if kind is date else value


def table_sum(
    connection: Connection, plain: Plain, *, drops_nul: bool = False, watch: Callable[[int], None] = lambda rows: None
) -> Sum:
    """The sum of a whole table. `watch` is called with each batch's number of rows."""
    total = rows = 0
    result = connection.execute(plain.all_rows(), execution_options={"yield_per": plain.batch})
    for batch in result.partitions():
        total = (total + sum(map(_row_sum, cleaned(batch, drops_nul)))) % _MODULUS
        rows += len(batch)
        watch(len(batch))
    return Sum(rows, f"{total:032x}")


def _row_sum(row: Row) -> int:
    return int.from_bytes(blake2b(orjson.dumps(row, default=_bytes), digest_size=16).digest())


def _bytes(value: Any) -> list[str]:
    # In a list of its own: the same letters as a text are another value.
    if isinstance(value, bytes | memoryview):
        return [bytes(value).hex()]
    raise TypeError(f"a value of a kind that no table has: {type(value).__name__}")


def cleaned(batch: Iterable[Sequence[Any]], drops_nul: bool) -> Iterator[Row]:
    """The rows, without the NUL characters in their texts where those are to be dropped."""
    for row in batch:
        values = tuple(row)
        if drops_nul and any(isinstance(value, str) and "\x00" in value for value in values):
            values = tuple(value.replace("\x00", "") if isinstance(value, str) else value for value in values)
        yield values

"""Many rows read in one piece.

On SQLite they come as one JSON text: row by row, each passes through the driver and several layers of SQLAlchemy, and each
instant through three functions. To lease and read a batch took a third more so. The driver for PostgreSQL brings its own types.
A list of keys to read by is given by `tracker.store.kept.among`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Select, Text, TypeDecorator, func, literal_column, select, type_coerce
from sqlalchemy.types import TypeEngine

from tracker.store.kept import prepared

Reviver = Callable[[Any], Any]


class AtOnce:
    """A query whose rows are read so: columns of text, whole numbers, truth, dates and aware instants.

    Built once and kept: what is made of the query costs as much as to run it. *is_kept*: False where it is built for one use, so
    that nothing stays of it.
    """

    def __init__(self, query: Select[Any], *, is_kept: bool = True) -> None:
        self._query, self._is_kept = query, is_kept

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Every row in the query's order, each as the values of its columns.

        Raises TypeError for columns of another kind.
        """
        if connection.dialect.name != "sqlite":
            return connection.execute(self._query, values).all()
        if self._is_kept:
            return self.revived(_one_row(connection, self.as_one_text, values)[0])
        return self.revived(connection.execute(self.as_one_text, values).scalar_one())

    def revived(self, text: str) -> Sequence[Sequence[Any]]:
        """The rows that `as_one_text` tells."""
        found: list[list[Any]] = orjson.loads(text)
        for place, revive in self._revivers:
            for row in found:
                if row[place] is not None:
                    row[place] = revive(row[place])
        return found

    @cached_property
    def as_one_text(self) -> Select[Any]:
        """All rows as one value, for SQLite."""
        # SQLite keeps the order of an inner query for this function: https://www.sqlite.org/lang_select.html, "ORDER BY".
        rows = self._query.subquery("found")
        return select(func.json_group_array(func.json_array(*map(_told, rows.c))))

    @cached_property
    def _revivers(self) -> list[tuple[int, Reviver]]:
        found = ((place, _reviver(column)) for place, column in enumerate(self._query.selected_columns))
        return [(place, revive) for place, revive in found if revive is not None]


class Together:
    """Several queries with the same values, answered in one go on SQLite: whatever is asked of it by itself costs a way to its
    driver and back, while another thread wants the interpreter."""

    def __init__(self, *queries: AtOnce) -> None:
        self._queries = queries

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Sequence[Sequence[Any]]]:
        """The rows of each query. Raises TypeError as `AtOnce.rows`."""
        if connection.dialect.name != "sqlite":
            return [query.rows(connection, values) for query in self._queries]
        texts = _one_row(connection, self._as_texts, values)
        return [query.revived(text) for query, text in zip(self._queries, texts, strict=True)]

    @cached_property
    def _as_texts(self) -> Select[*tuple[Any, ...]]:
        return select(*(query.as_one_text.scalar_subquery() for query in self._queries))


def _one_row(connection: Connection, query: Select[*tuple[Any, ...]], values: Mapping[str, Any]) -> Sequence[Any]:
    ready = prepared(query, tuple(values))
    if ready is None:
        return connection.execute(query, values).one()
    return connection.exec_driver_sql(ready.sql, ready.values(values)).one()


def _told(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column's value in JSON. An instant is kept in UTC without saying so, and says so here."""
    return type_coerce(column, Text()) + literal_column("'+00:00'") if _kept_as(column) is datetime else column


def _reviver(column: ColumnElement[Any]) -> Reviver | None:
    """How a value of this column comes back from JSON; None for what comes back as it is."""
    if _kept_as(column) not in _REVIVERS:
        raise TypeError(f"a column of a kind that is not read so: {column}")
    return _REVIVERS[_kept_as(column)]


def _kept_as(column: ColumnElement[Any]) -> type:
    kind: TypeEngine[Any] = column.type
    return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type


_REVIVERS: Final[Mapping[type, Reviver | None]] = {
    str: None,
    int: None,
    bool: bool,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
}

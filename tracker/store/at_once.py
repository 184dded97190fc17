"""Many rows read in one piece.

On SQLite they come as one JSON text: row by row, each passes through the driver and several layers of SQLAlchemy, and each
instant through three functions. To lease and read a batch took a third more so. The driver for PostgreSQL brings its own types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Select, TypeDecorator, func, select
from sqlalchemy.types import TypeEngine

Reviver = Callable[[Any], Any]


class AtOnce:
    """A query whose rows are read so: columns of text, whole numbers, truth, dates and aware instants.

    Built once and kept: what is made of the query costs as much as to run it.
    """

    def __init__(self, query: Select[Any]) -> None:
        self._query = query

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Every row in the query's order, each as the values of its columns.

        Raises TypeError for columns of another kind.
        """
        if connection.dialect.name != "sqlite":
            return connection.execute(self._query, values).all()
        found: list[list[Any]] = orjson.loads(connection.execute(self._as_one_text, values).scalar_one())
        for place, revive in self._revivers:
            for row in found:
                if row[place] is not None:
                    row[place] = revive(row[place])
        return found

    @cached_property
    def _as_one_text(self) -> Select[Any]:
        # SQLite keeps the order of an inner query for this function: https://www.sqlite.org/lang_select.html, "ORDER BY".
        rows = self._query.subquery("found")
        return select(func.json_group_array(func.json_array(*rows.c)))

    @cached_property
    def _revivers(self) -> list[tuple[int, Reviver]]:
        found = ((place, _reviver(column)) for place, column in enumerate(self._query.selected_columns))
        return [(place, revive) for place, revive in found if revive is not None]


def _reviver(column: ColumnElement[Any]) -> Reviver | None:
    """How a value of this column comes back from JSON; None for what comes back as it is."""
    kept_as: TypeEngine[Any] = column.type
    if isinstance(kept_as, TypeDecorator):
        kept_as = kept_as.impl_instance
    if kept_as.python_type not in _REVIVERS:
        raise TypeError(f"a column of a kind that is not read so: {column}")
    return _REVIVERS[kept_as.python_type]


def _instant(text: str) -> datetime:
    # Kept in UTC and without saying so.
    return datetime.fromisoformat(f"{text}+00:00")


_REVIVERS: Final[Mapping[type, Reviver | None]] = {
    str: None,
    int: None,
    bool: bool,
    date: date.fromisoformat,
    datetime: _instant,
}

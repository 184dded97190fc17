"""Many rows written by one statement; on SQLite past the layers of `kept.py`, which took two thirds of the time of a row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from tracker.store.kept import Numbers, Prepared, Row, is_kept_so, json_text, listing, prepared, python_type_of


def execute_many(connection: Connection, statement: Any, rows: Sequence[Row]) -> None:
    """Run an insert or update that is built once and kept for each of *rows*, which all name the same parameters."""
    ready = prepared(statement, tuple(rows[0])) if connection.dialect.name == "sqlite" else None
    if ready is None:
        connection.execute(statement, list(rows))
    else:
        values: list[Any] = [ready.values(row) for row in rows]
        connection.exec_driver_sql(ready.sql, values)


def upsert_each(connection: Connection, into: Table, keys: Sequence[int], name: str, value: Any) -> None:
    """Give the rows of these keys the same value, in one piece; insert those that do not stand yet."""
    if not keys:
        return
    given, dialect = {"keys": keys, "value": value}, connection.dialect.name
    statement = _upserting_each(dialect, into, name)
    ready = prepared(statement) if dialect == "sqlite" else None
    if ready is None:
        connection.execute(statement, given)
    else:
        connection.exec_driver_sql(ready.sql, ready.values(given))


@cache
def _upserting_each(dialect: str, into: Table, name: str) -> Any:
    key, keys = next(iter(into.primary_key.columns)), bindparam("keys", type_=Numbers())
    if dialect == "sqlite":
        each: Any = select(literal_column("given.value"), _value_of(into, name))
        each = each.select_from(func.json_each(keys).table_valued("value", name="given"))
        statement: Any = sqlite.insert(into)
    else:
        each, statement = select(func.unnest(keys), _value_of(into, name)), postgresql.insert(into)
    # With a condition, though it says nothing: else SQLite takes ON CONFLICT for one of a join.
    statement = statement.from_select([key.name, name], each.where(true()), include_defaults=False)
    return statement.on_conflict_do_update(index_elements=[key.name], set_={name: statement.excluded[name]})


def _value_of(into: Table, name: str) -> BindParameter[Any]:
    return bindparam("value", type_=into.c[name].type)


def insert_listed(
    connection: Connection, into: Table, rows: Sequence[Row], returning: tuple[Any, ...]
) -> list[Any] | None:
    """Insert into SQLite, in one piece, the rows whose natural key does not stand yet; returns what is asked of those.

    None, and nothing is done, where a text has the character zero: SQLite would end it there.

    The driver returns nothing of a statement that it runs for each of many rows; and a text that grows with them is taken
    apart anew each time. For tables without bytes, which are no JSON.
    """
    ready = _listing(into, tuple(rows[0]), returning)
    listed = json_text([ready.values(row) for row in rows])
    if "\\u0000" in listed:
        return None
    return list(connection.exec_driver_sql(ready.sql, (listed,)).all())


def can_be_listed(into: Table, names: Collection[str], returning: Collection[Any]) -> bool:
    """Whether rows of these columns can be one JSON text, need nothing that stands in none of them, and tell but numbers and
    texts of themselves."""
    if any(python_type_of(column.type) not in (int, str) for column in returning):
        return False
    kinds = [into.c[name].type for name in names]
    if any(isinstance(kind, LargeBinary) or not is_kept_so(kind) for kind in kinds):
        return False
    return all(column.name in names for column in into.c if column.default is not None)


@cache
def _listing(into: Table, names: tuple[str, ...], returning: tuple[Any, ...]) -> Prepared:
    rows = func.json_each(bindparam("rows", type_=Text())).table_valued("value", name="given")
    values = [f"json_extract(given.value, '$[{place}]')" for place in range(len(names))]
    source: Select[*tuple[Any, ...]] = select(*map(literal_column, values)).select_from(rows).where(true())
    statement = sqlite.insert(into).from_select(names, source, include_defaults=False).on_conflict_do_nothing()
    return listing(statement.returning(*returning), names, [into.c[name].type for name in names])

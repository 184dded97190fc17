"""Values as SQLite keeps them, for statements that go past the layers which each value would pass through.

To take a statement apart costs more than to run it, so each is prepared once: its text, and what its values become. The driver
for PostgreSQL brings its own types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, cast

import orjson
from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Dialect,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeEngine


def json_text(value: Any) -> str:
    """JSON as columns hold it."""
    return orjson.dumps(value).decode()


Row = Mapping[str, Any]
Writer = Callable[[Any], Any]
MOST_KEPT: Final = 500
"""Statements: the program has fewer than half of that, and one that is built anew each time fills no memory."""
_SQLITE: Final = sqlite.dialect()


class Numbers(TypeDecorator[Sequence[int]]):
    """A parameter that is a list of whole numbers: JSON to SQLite, an array to PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """See `TypeDecorator`."""
        return dialect.type_descriptor(ARRAY(BigInteger()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        """See `TypeDecorator`."""
        return list(value or ()) if dialect.name == "postgresql" else json_text(value)


class _Among(FunctionElement[Any]):
    """Compiled below, for each database in its own way."""

    name = "among"
    type = NullType()
    """As what it is, SQLite's texts would compare it with 1, and no index would serve."""
    inherit_cache = True


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether the column's number is one of the list in the parameter *name*; of none where that is empty.

    Its text is the same however long the list is, as that of `in_` is not: both databases keep what they made of it.
    """
    numbers: BindParameter[Any] = bindparam(name, type_=Numbers())
    found: ColumnElement[Any] = _Among(column, numbers)
    return found


@compiles(_Among)
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, numbers = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, numbers = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({numbers})"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement's text for SQLite's driver, and how its values are put into it."""

    sql: str
    _placed: Callable[[Row], tuple[Any, ...]]
    _writers: tuple[tuple[int, Writer], ...]
    """By place, for the values that SQLite keeps in another form."""
    _own: Row
    """The values that the statement was built with."""

    def values(self, row: Row) -> tuple[Any, ...]:
        """One row's values. Raises ValueError for an instant without its zone, KeyError where the row lacks a value."""
        values = list(self._placed({**row, **self._own} if self._own else row))
        for place, write in self._writers:
            if values[place] is not None:
                values[place] = write(values[place])
        return tuple(values)


@lru_cache(MOST_KEPT)
def prepared(statement: Any, names: tuple[str, ...] = ()) -> Prepared | None:
    """A statement that is built once and kept, for rows of these names.

    None for one that cannot be: its text depends on its values (`in_`; `among` has none of that), a column's default is the
    program's, or a value is of a kind that is not kept so.
    """
    compiled = cast(SQLCompiler, statement.compile(dialect=_SQLITE, column_keys=list(names) or None))
    if compiled.insert_prefetch or compiled.update_prefetch or compiled.post_compile_params:
        return None
    placed = compiled.positiontup or []
    if not all(is_kept_so(compiled.binds[name].type) for name in placed):
        return None
    own = {name: compiled.params[name] for name in placed if name not in names and not compiled.binds[name].required}
    return _prepared(compiled, placed, [compiled.binds[name].type for name in placed], own)


def listing(statement: Any, names: Sequence[str], kinds: Sequence[TypeEngine[Any]]) -> Prepared:
    """The same for a statement whose one parameter is a list of such rows, with values of these kinds."""
    return _prepared(cast(SQLCompiler, statement.compile(dialect=_SQLITE)), names, kinds, {})


def _prepared(compiled: SQLCompiler, names: Sequence[str], kinds: Sequence[TypeEngine[Any]], own: Row) -> Prepared:
    found = [(place, _writer_of(kind)) for place, kind in enumerate(kinds)]
    writers = tuple((place, write) for place, write in found if write is not None)
    return Prepared(str(compiled), _by_name(names), writers, own)


def _by_name(names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    if len(names) < 2:  # of one name alone it would be the bare value
        return lambda row: tuple(row[name] for name in names)
    return itemgetter(*names)


def is_kept_so(kind: TypeEngine[Any]) -> bool:
    """Whether values of this kind can be given to the driver past SQLAlchemy. JSON cannot: its null is not the database's."""
    return isinstance(kind, Numbers) or python_type_of(kind) in _WRITERS


def _writer_of(kind: TypeEngine[Any]) -> Writer | None:
    """How a value of this kind, which is not None, is given to SQLite's driver; None for what is given as it is."""
    return json_text if isinstance(kind, Numbers) else _WRITERS[python_type_of(kind)]


def python_type_of(kind: TypeEngine[Any]) -> type:
    """What values of this kind are; `object` where it does not say."""
    try:
        return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type
    except NotImplementedError:
        return object


def as_sqlite_keeps(at: datetime) -> str:
    """An aware instant as SQLite's columns hold it: in UTC and without saying so. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("an instant without its zone")
    return at.astimezone(UTC).isoformat(" ", "microseconds")[:26]


_WRITERS: Final[Mapping[type, Writer | None]] = {
    str: None,
    int: None,
    float: None,
    bool: None,
    bytes: None,
    date: date.isoformat,
    datetime: as_sqlite_keeps,
}

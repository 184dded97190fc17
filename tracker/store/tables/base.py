"""What every table shares: keys, due columns, leases, names of constraints."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Index, Integer, MetaData, Table, inspect, text
from sqlmodel import SQLModel

BigId: Any = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key on both databases: int4 sequences run out within months, since ON CONFLICT burns their values."""

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


def table(model: type[SQLModel]) -> Table:
    """The Core table behind a model, for statements on hot paths."""
    return cast(Table, inspect(model).local_table)


def due_index(name: str, *columns: str) -> Index:
    """A partial index over what is due; finished rows are not in it, so it stays as small as the work."""
    where = text(f"{columns[-1]} IS NOT NULL")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


def open_index(name: str, *columns: str, closed: str) -> Index:
    """A partial index over what has not ended."""
    where = text(f"{closed} IS NULL")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


def one_open(name: str, column: str, closed: str) -> Index:
    """At most one row a value while it is open."""
    where = text(f"{closed} IS NULL")
    return Index(name, column, unique=True, sqlite_where=where, postgresql_where=where)


class Leased(SQLModel):
    """A due row is claimed under a random token with an expiry; a save checks the token."""

    lease_token: str | None = None
    lease_until: datetime | None = None

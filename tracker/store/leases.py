"""Due rows are claimed in batches under a random lease token with an expiry; whoever saves shows the token.

A worker that died keeps its rows until the lease runs out; the engine frees them at once when it takes the exclusive lock, and
of several workers the living free those of the dead: tokens begin with their holder's name.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Table,
    Update,
    and_,
    bindparam,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from tracker.store.at_once import AtOnce
from tracker.store.kept import among
from tracker.store.many import execute_many
from tracker.store.tables import (
    AlertNotification,
    CarrierToken,
    Claim,
    ClaimCheck,
    Delivery,
    Digest,
    HookDelivery,
    Letter,
    NoticeCheck,
    NoticeOrderCheck,
    OrderCheck,
    ShipmentCheck,
    ShipmentDeadline,
    ShipmentPoll,
    table,
)

LEASE: Final = timedelta(minutes=10)
"""Longer than any batch takes: time-outs and retries of one call together stay below five minutes."""
LEASED: Final[tuple[Table, ...]] = tuple(
    table(model)
    for model in (
        ShipmentPoll,
        ShipmentDeadline,
        ShipmentCheck,
        OrderCheck,
        ClaimCheck,
        Claim,
        NoticeCheck,
        NoticeOrderCheck,
        Delivery,
        Letter,
        AlertNotification,
        Digest,
        CarrierToken,
        HookDelivery,
    )
)


_holder = ""
"""Of the process, like its log: who its leases belong to."""


def hold_as(holder: str) -> None:
    """From now on this process's lease tokens begin with this name, so that others can free them when it has died."""
    global _holder
    _holder = holder


def new_token() -> str:
    """A lease token nobody else draws."""
    return f"{_holder}-{secrets.token_hex(8)}" if _holder else secrets.token_hex(8)


@dataclass(frozen=True, eq=False)
class Claiming:
    """The statements behind `claim`: what is due, and how it is leased."""

    chosen: AtOnce
    """The keys, the longest due first."""
    in_one: ReturningUpdate[Any]
    """Chooses and leases, among others who do so too."""
    by_key: Update
    """Leases what was chosen, where nobody else can write meanwhile."""
    is_kept: bool = True
    """Built once, so that what is made of it may be kept as well."""


def claiming(rows: Table, due: str, where: Sequence[ColumnElement[bool]] = (), *, is_kept: bool = True) -> Claiming:
    """For callers who build it once; *where* may have parameters of its own. *is_kept*: False for who does not keep it."""
    key = next(iter(rows.primary_key.columns))
    now: BindParameter[datetime] = bindparam("claimed_at", type_=rows.c.lease_until.type)
    free = or_(rows.c.lease_until.is_(None), rows.c.lease_until <= now)
    chosen = (
        select(key)
        .where(rows.c[due] <= now, free, *where)
        .order_by(rows.c[due], key)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True)
    )
    # As a table expression it runs once: as a plain subquery a plan of PostgreSQL's may run it again for each row, and
    # lease more than the limit.
    listed = chosen.cte("chosen")
    leased: dict[str, Any] = {"lease_token": bindparam("leased_to"), "lease_until": bindparam("leased_until")}
    in_one = update(rows).where(key.in_(select(listed.c[key.name]))).values(**leased).returning(key, rows.c[due])
    by_key = update(rows).where(among(key, "keys")).values(**leased)
    return Claiming(AtOnce(chosen, is_kept=is_kept), in_one, by_key, is_kept)


def claim(
    connection: Connection, statements: Claiming, *, now: datetime, limit: int, token: str, **values: Any
) -> list[int]:
    """Lease up to `limit` rows whose instant has come, the longest due first; returns their keys."""
    asked = {"claimed_at": now, "at_most": limit, **values}
    lease = {"leased_to": token, "leased_until": now + LEASE}
    if connection.dialect.name != "sqlite":
        found = connection.execute(statements.in_one, asked | lease).all()
        return [key for key, _ in sorted(found, key=lambda row: (row[1], row[0]))]
    # One writer at a time: between the two statements nobody takes a row.
    keys = [key for (key,) in statements.chosen.rows(connection, asked)]
    if keys and statements.is_kept:
        execute_many(connection, statements.by_key, [{"keys": keys, **lease}])
    elif keys:
        connection.execute(statements.by_key, {"keys": keys, **lease})
    return keys


def claim_due(
    connection: Connection,
    rows: Table,
    due: str,
    *,
    now: datetime,
    limit: int,
    token: str,
    where: Sequence[ColumnElement[bool]] = (),
) -> list[int]:
    """Lease up to `limit` rows whose `due` instant has come, the longest due first; returns their keys."""
    statements = claiming(rows, due, where, is_kept=False) if where else _claiming_all(rows, due)
    return claim(connection, statements, now=now, limit=limit, token=token)


# To build such a statement costs more than to run it, and most lanes find nothing most of the time.
@cache
def _claiming_all(rows: Table, due: str) -> Claiming:
    return claiming(rows, due)


def held(rows: Table, token: str) -> ColumnElement[bool]:
    """The condition of every save: the lease is still ours."""
    return and_(rows.c.lease_token == token)


def release(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a save, with the lease put down."""
    return {**values, "lease_token": None, "lease_until": None}


def finish(
    connection: Connection, rows: Table, due: str, nexts: Iterable[tuple[int, datetime | None]], *, token: str
) -> None:
    """Set the next instant (or None) of rows that are still ours, by their keys, and put their leases down."""
    found = [{"b_key": key, "b_due": at, "b_token": token} for key, at in nexts]
    if found:
        execute_many(connection, _finishing(rows, due), found)


@cache
def _finishing(rows: Table, due: str) -> Update:
    key = next(iter(rows.primary_key.columns))
    ours = (key == bindparam("b_key"), rows.c.lease_token == bindparam("b_token"))
    return update(rows).where(*ours).values(**release({due: bindparam("b_due")}))


def put_down(connection: Connection, rows: Table, keys: Iterable[int], token: str) -> None:
    """Give rows back untouched."""
    key = next(iter(rows.primary_key.columns))
    connection.execute(
        update(rows).where(key.in_(list(keys)), held(rows, token)).values(lease_token=None, lease_until=None)
    )


def free_all(connection: Connection) -> int:
    """Free every lease: only for whoever holds the engine's exclusive lock, when all other holders are dead."""
    freed = 0
    for rows in LEASED:
        statement = update(rows).where(rows.c.lease_token.is_not(None)).values(lease_token=None, lease_until=None)
        freed += connection.execute(statement).rowcount
    return freed


def free_held_by(connection: Connection, holders: Collection[str]) -> int:
    """Free the leases of workers that are known to be dead; those of the living, and of whoever has no name, stay."""
    freed = 0
    for rows in LEASED if holders else ():
        dead = or_(*(rows.c.lease_token.startswith(f"{holder}-", autoescape=True) for holder in sorted(holders)))
        freed += connection.execute(update(rows).where(dead).values(lease_token=None, lease_until=None)).rowcount
    return freed

"""Due rows are claimed in batches under a random lease token with an expiry; whoever saves shows the token.

A worker that died keeps its rows until the lease runs out; the engine frees them at once when it takes the exclusive lock.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select, update

from tracker.store.tables import (
    AlertDelivery,
    CarrierToken,
    Claim,
    ClaimCheck,
    Delivery,
    NoticeCheck,
    ShipmentCheck,
    ShipmentPoll,
    table,
)

LEASE: Final = timedelta(minutes=10)
"""Longer than any batch takes: time-outs and retries of one call together stay below five minutes."""
LEASED: Final[tuple[Table, ...]] = tuple(
    table(model)
    for model in (
        ShipmentPoll,
        ShipmentCheck,
        ClaimCheck,
        Claim,
        NoticeCheck,
        Delivery,
        AlertDelivery,
        CarrierToken,
    )
)


def new_token() -> str:
    """A lease token nobody else draws."""
    return secrets.token_hex(8)


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
    key = next(iter(rows.primary_key.columns))
    free = or_(rows.c.lease_until.is_(None), rows.c.lease_until <= now)
    query = select(key).where(rows.c[due] <= now, free, *where).order_by(rows.c[due], key).limit(limit)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    keys = list(connection.execute(query).scalars())
    if keys:
        connection.execute(update(rows).where(key.in_(keys)).values(lease_token=token, lease_until=now + LEASE))
    return keys


def held(rows: Table, token: str) -> ColumnElement[bool]:
    """The condition of every save: the lease is still ours."""
    return and_(rows.c.lease_token == token)


def release(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a save, with the lease put down."""
    return {**values, "lease_token": None, "lease_until": None}


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

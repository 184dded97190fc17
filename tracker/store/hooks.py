"""Deliveries of carriers' hooks: kept before they are answered, read later, and what they told written to the looks."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, select, update

from carriers.base import RefKind, TrackingRef
from tracker.store.database import insert_new
from tracker.store.leases import claim_due, held, release
from tracker.store.tables import HookDelivery, ShipmentPoll, ShipmentRef, table

UNREADABLE: Final = "unreadable"
_HOOKS, _POLLS, _REFS = table(HookDelivery), table(ShipmentPoll), table(ShipmentRef)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A body that came to an account's hook, compressed (`packed`)."""

    carrier: str
    digest: str
    body: bytes = field(repr=False)
    at: datetime

    @property
    def key(self) -> tuple[str, str]:
        """What tells a repetition."""
        return self.carrier, self.digest


def keep_deliveries(connection: Connection, arrivals: Iterable[Arrival]) -> set[tuple[str, str]]:
    """Keep what came, each different body once; returns the keys of those that were new."""
    rows = [
        {
            "carrier": one.carrier,
            "digest": one.digest,
            "received_at": one.at,
            "body": one.body,
            "state": "waiting",
            "next_read_at": one.at,
        }
        for one in arrivals
    ]
    return {
        (carrier, digest) for carrier, digest in insert_new(connection, _HOOKS, rows, _HOOKS.c.carrier, _HOOKS.c.digest)
    }


def packed(body: bytes) -> bytes:
    """As a body is kept."""
    return zlib.compress(body, 6)


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """One delivery to be read. `unmatched`: None the first time, else the numbers that nobody knew before."""

    id: int
    carrier: str
    received_at: datetime
    state: str
    body: bytes = field(repr=False)
    unmatched: frozenset[TrackingRef] | None


def take_deliveries(
    connection: Connection, carriers: Collection[str], *, now: datetime, limit: int, token: str
) -> list[DueDelivery]:
    """Lease the next deliveries of these accounts, in the order in which they came."""
    # Concatenated, so that no index by carrier offers itself: it holds all that ever came, the one of what is due a few.
    mine = [_HOOKS.c.carrier.concat("").in_(sorted(carriers))]
    keys = claim_due(connection, _HOOKS, "next_read_at", now=now, limit=limit, token=token, where=mine)
    columns = (_HOOKS.c[name] for name in ("id", "carrier", "received_at", "state", "body", "unmatched"))
    query = select(*columns).where(_HOOKS.c.id.in_(keys)).order_by(_HOOKS.c.id)
    return [
        DueDelivery(key, carrier, received_at, state, zlib.decompress(body), _refs(unmatched))
        for key, carrier, received_at, state, body, unmatched in connection.execute(query)
    ]


def _refs(unmatched: Iterable[Sequence[str]] | None) -> frozenset[TrackingRef] | None:
    return None if unmatched is None else frozenset(TrackingRef(RefKind(kind), value) for kind, value in unmatched)


def settle_delivery(
    connection: Connection,
    delivery_id: int,
    token: str,
    *,
    state: str,
    next_read_at: datetime | None = None,
    unmatched: Collection[TrackingRef] = (),
    reason: str | None = None,
) -> bool:
    """Write what came of reading one; False where it is no longer ours."""
    refs = [[ref.kind.value, ref.value] for ref in sorted(unmatched)] or None
    values = release({"state": state, "next_read_at": next_read_at, "unmatched": refs, "reason": reason})
    statement = update(_HOOKS).where(_HOOKS.c.id == delivery_id, held(_HOOKS, token)).values(**values)
    return connection.execute(statement).rowcount == 1


def followed(
    connection: Connection, carrier: str, adapter: str, refs: Collection[TrackingRef]
) -> dict[TrackingRef, list[int]]:
    """The shipments of this account that have these numbers now."""
    wanted = set(refs)
    query = (
        select(_REFS.c.kind, _REFS.c.value, _REFS.c.shipment_id)
        .join(_POLLS, _POLLS.c.shipment_id == _REFS.c.shipment_id)
        .where(_REFS.c.value.in_(sorted({ref.value for ref in wanted})), _REFS.c.adapter == adapter, _REFS.c.active)
        .where(_POLLS.c.carrier == carrier)
        .order_by(_REFS.c.id)
    )
    found: dict[TrackingRef, list[int]] = {}
    for kind, value, shipment_id in connection.execute(query):
        ref = TrackingRef(RefKind(kind), value)
        if ref in wanted:
            found.setdefault(ref, []).append(shipment_id)
    return found


def lock_looks(connection: Connection, shipment_ids: Collection[int]) -> None:
    """Let nobody else write these shipments' histories until the transaction ends: looks lock the same rows."""
    mine = select(_POLLS.c.shipment_id).where(_POLLS.c.shipment_id.in_(sorted(shipment_ids)))
    connection.execute(mine.order_by(_POLLS.c.shipment_id).with_for_update()).all()


@dataclass(frozen=True, slots=True)
class Told:
    """What a push leaves behind for one shipment."""

    shipment_id: int
    pushed_at: datetime
    known_at: datetime | None
    """As of when the carrier told it; None where it named no event."""
    next_poll_at: datetime | None
    urgent: bool
    closed_reason: str | None


_TOLD: Final = (
    update(_POLLS)
    .where(_POLLS.c.shipment_id == bindparam("b_id"))
    .values(
        **{name: bindparam(name) for name in ("pushed_at", "next_poll_at", "urgent", "closed_reason")},
        last_answered_at=bindparam("answered_at"),
    )
)


def save_told(connection: Connection, told: Sequence[Told], answered: Mapping[int, datetime | None]) -> None:
    """Write what was pushed to the looks. *answered*: as of when each was known before; a push never makes that older."""
    rows = []
    for one in told:
        known = [at for at in (answered.get(one.shipment_id), one.known_at) if at is not None]
        row = {"b_id": one.shipment_id, "pushed_at": one.pushed_at, "answered_at": max(known, default=None)}
        row |= {"next_poll_at": one.next_poll_at, "urgent": one.urgent, "closed_reason": one.closed_reason}
        rows.append(row)
    if rows:
        connection.execute(_TOLD, rows)


def lately_pushed(connection: Connection, shipment_ids: Collection[int], since: datetime) -> set[int]:
    """Of these shipments, those that a push told of after this instant."""
    mine = (_POLLS.c.shipment_id.in_(list(shipment_ids)), _POLLS.c.pushed_at > since)
    return set(connection.execute(select(_POLLS.c.shipment_id).where(*mine)).scalars())


def last_delivery(connection: Connection, carrier: str) -> datetime | None:
    """When this account's hook brought something last: one look into the index."""
    query = select(func.max(_HOOKS.c.received_at)).where(_HOOKS.c.carrier == carrier)
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def has_unreadable(connection: Connection, carrier: str) -> bool:
    """Whether a delivery of this account waits for an adapter that can read it."""
    mine = (_HOOKS.c.carrier == carrier, _HOOKS.c.state == UNREADABLE, _HOOKS.c.next_read_at.is_not(None))
    return connection.execute(select(_HOOKS.c.id).where(*mine).limit(1)).first() is not None

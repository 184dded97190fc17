"""What carriers send by themselves: how each feed comes in, its files, and the numbers in them that no parcel has yet."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, select, update

from carriers.base import RefKind, TrackingRef
from tracker.store.database import insert_new, upsert
from tracker.store.tables import (
    CarrierFeed,
    FeedFile,
    FeedSeen,
    FeedWaiting,
    Shipment,
    ShipmentPoll,
    ShipmentRef,
    table,
)

_FEEDS, _FILES, _WAITING, _SEEN = table(CarrierFeed), table(FeedFile), table(FeedWaiting), table(FeedSeen)
_REFS, _SHIPMENTS, _POLLS = table(ShipmentRef), table(Shipment), table(ShipmentPoll)
_AT_ONCE = 500
"""So many values stand in one statement."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """How one account's feed comes in; see `CarrierFeed`."""

    began_at: datetime
    heard_at: datetime | None = None
    silent_since: datetime | None = None
    pulled_at: datetime | None = None
    today_at: datetime | None = None
    whole_until: date | None = None
    tidied_on: date | None = None


def feed_state(connection: Connection, carrier: str) -> FeedState | None:
    """None where nobody has waited for it yet."""
    columns = [_FEEDS.c[name] for name in FeedState.__dataclass_fields__]
    row = connection.execute(select(*columns).where(_FEEDS.c.carrier == carrier)).one_or_none()
    return FeedState(*row) if row is not None else None


def begin_feed(connection: Connection, carrier: str, now: datetime) -> FeedState:
    """The feed's state; from now on it is waited for, where it was not yet."""
    insert_new(connection, _FEEDS, [{"carrier": carrier, "began_at": now}])
    found = feed_state(connection, carrier)
    assert found is not None
    return found


def change_feed(connection: Connection, carrier: str, **values: Any) -> None:
    """Write fields of the feed's state."""
    connection.execute(update(_FEEDS).where(_FEEDS.c.carrier == carrier).values(**values))


def has_open_parcels(connection: Connection, carrier: str) -> bool:
    """Whether anybody waits for news from this account."""
    is_open = exists().where(_POLLS.c.carrier == carrier, _POLLS.c.next_poll_at.is_not(None))
    return bool(connection.execute(select(is_open)).scalar_one())


# --- files ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FeedFileRow:
    """A file without its content."""

    id: int
    name: str
    state: str
    received_at: datetime


def store_file(
    connection: Connection, carrier: str, content_hash: str, name: str, payload: bytes, now: datetime
) -> tuple[FeedFileRow, bool]:
    """Keep a file; returns its row, and whether it is new."""
    row = {
        "carrier": carrier,
        "content_hash": content_hash,
        "name": name,
        "received_at": now,
        "size": len(payload),
        "state": "stored",
        "answers": 0,
        "matched": 0,
        "faults": 0,
        "report": [],
        "body": zlib.compress(payload, 6),
    }
    new = insert_new(connection, _FILES, [row], _FILES.c.id)
    found = _file_rows(connection, _FILES.c.carrier == carrier, _FILES.c.content_hash == content_hash)
    return found[0], bool(new)


def unread_files(connection: Connection, carrier: str) -> list[FeedFileRow]:
    """Files that were kept and not read to their end, the oldest first."""
    return _file_rows(connection, _FILES.c.carrier == carrier, _FILES.c.state == "stored")


def former_file(connection: Connection, carrier: str, name: str, before_id: int) -> FeedFileRow | None:
    """The newest file of this name that was read before that one, and whose content is still kept."""
    found = _file_rows(
        connection,
        _FILES.c.carrier == carrier,
        _FILES.c.name == name,
        _FILES.c.state == "read",
        _FILES.c.body.is_not(None),
        _FILES.c.id < before_id,
    )
    return found[-1] if found else None


def _file_rows(connection: Connection, *where: Any) -> list[FeedFileRow]:
    columns = [_FILES.c[name] for name in FeedFileRow.__dataclass_fields__]
    return [FeedFileRow(*row) for row in connection.execute(select(*columns).where(*where).order_by(_FILES.c.id))]


def file_body(connection: Connection, file_id: int) -> bytes | None:
    """The file as it came; None where it is no longer kept."""
    body = connection.execute(select(_FILES.c.body).where(_FILES.c.id == file_id)).scalar_one_or_none()
    return zlib.decompress(body) if body is not None else None


def finish_file(connection: Connection, file_id: int, state: str, **values: Any) -> None:
    """It was read to its end, or refused."""
    connection.execute(update(_FILES).where(_FILES.c.id == file_id).values(state=state, **values))


def count_in_file(connection: Connection, file_id: int, answers: int, matched: int) -> None:
    """A batch of it was recorded."""
    added = {"answers": _FILES.c.answers + answers, "matched": _FILES.c.matched + matched}
    connection.execute(update(_FILES).where(_FILES.c.id == file_id).values(**added))


def restart_file(connection: Connection, file_id: int) -> None:
    """It is read from its beginning."""
    connection.execute(update(_FILES).where(_FILES.c.id == file_id).values(answers=0, matched=0))


def newest_faulty(connection: Connection, carrier: str, limit: int) -> list[tuple[str, list[dict[str, Any]]]]:
    """The names of the newest files, of the last *limit*, that were refused or read with faults, each with its report."""
    columns = (_FILES.c.name, _FILES.c.report, _FILES.c.faults, _FILES.c.state)
    query = select(*columns).where(_FILES.c.carrier == carrier).order_by(_FILES.c.id.desc()).limit(limit)
    rows = connection.execute(query)
    return [(name, report) for name, report, faults, state in rows if faults or state == "refused"]


def is_newest_faulty(connection: Connection, carrier: str, but: int) -> bool:
    """Whether the newest file, that one left out, was refused or read with faults."""
    columns = (_FILES.c.faults, _FILES.c.state)
    others = (_FILES.c.carrier == carrier, _FILES.c.id != but, _FILES.c.state != "stored")
    row = connection.execute(select(*columns).where(*others).order_by(_FILES.c.id.desc()).limit(1)).one_or_none()
    return row is not None and (row.faults > 0 or row.state == "refused")


def drop_old_bodies(connection: Connection, carrier: str, before: datetime) -> int:
    """Files from before that instant that nobody waits for lose their content, which names people; returns how many."""
    waited = exists().where(_WAITING.c.file_id == _FILES.c.id)
    old = (_FILES.c.carrier == carrier, _FILES.c.received_at < before, _FILES.c.state != "stored")
    statement = update(_FILES).where(*old, _FILES.c.body.is_not(None), ~waited).values(body=None)
    return connection.execute(statement).rowcount


def drop_old_files(connection: Connection, carrier: str, before: datetime) -> int:
    """Forget files from before that instant; one that came again would be read again, which doubles nothing."""
    waited = exists().where(_WAITING.c.file_id == _FILES.c.id)
    old = (_FILES.c.carrier == carrier, _FILES.c.received_at < before, _FILES.c.state != "stored", ~waited)
    return connection.execute(delete(_FILES).where(*old)).rowcount


def replace_file(connection: Connection, former_id: int, file_id: int) -> None:
    """A newer file says all that this said: its content goes, and what waits for it waits for the newer one."""
    newer = _WAITING.alias("newer")
    waits_already = exists().where(
        newer.c.file_id == file_id, newer.c.kind == _WAITING.c.kind, newer.c.value == _WAITING.c.value
    )
    connection.execute(delete(_WAITING).where(_WAITING.c.file_id == former_id, waits_already))
    connection.execute(update(_WAITING).where(_WAITING.c.file_id == former_id).values(file_id=file_id))
    connection.execute(update(_FILES).where(_FILES.c.id == former_id).values(body=None))


# --- numbers ----------------------------------------------------------------------------------------


def shipments_of(connection: Connection, carrier: str, refs: Iterable[TrackingRef]) -> dict[TrackingRef, int]:
    """The parcels of this account that these numbers are now."""
    wanted = list(dict.fromkeys(refs))
    found: dict[TrackingRef, int] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        values = [ref.value for ref in wanted[start : start + _AT_ONCE]]
        query = (
            select(_REFS.c.kind, _REFS.c.value, _REFS.c.shipment_id)
            .join(_SHIPMENTS, _SHIPMENTS.c.id == _REFS.c.shipment_id)
            .where(_REFS.c.value.in_(values), _REFS.c.active, _SHIPMENTS.c.carrier == carrier)
            .order_by(_REFS.c.id)
        )
        found |= {TrackingRef(RefKind(kind), value): key for kind, value, key in connection.execute(query)}
    return {ref: found[ref] for ref in wanted if ref in found}


def wait_for(
    connection: Connection,
    carrier: str,
    file_id: int,
    numbers: Mapping[TrackingRef, Sequence[TrackingRef]],
    now: datetime,
) -> None:
    """Remember numbers that no parcel has yet: those under which the file speaks, each with all that it goes by."""
    rows = [
        {
            "carrier": carrier,
            "kind": ref.kind.value,
            "value": ref.value,
            "file_id": file_id,
            "of_kind": of.kind.value,
            "of_value": of.value,
            "seen_at": now,
        }
        for of, refs in numbers.items()
        for ref in refs
    ]
    insert_new(connection, _WAITING, rows)


@dataclass(frozen=True, slots=True)
class Come:
    """A number that was waited for and is a parcel now."""

    file_id: int
    of: TrackingRef
    shipment_id: int


def newest_number(connection: Connection) -> int:
    """Grows whenever a parcel gets a number."""
    return int(connection.execute(select(func.coalesce(func.max(_REFS.c.id), 0))).scalar_one())


def come(connection: Connection, carrier: str) -> list[Come]:
    """Numbers waited for that are parcels of this account now, by file."""
    query = (
        select(_WAITING.c.file_id, _WAITING.c.of_kind, _WAITING.c.of_value, _REFS.c.shipment_id)
        .join(_REFS, (_REFS.c.value == _WAITING.c.value) & (_REFS.c.kind == _WAITING.c.kind) & _REFS.c.active)
        .join(_SHIPMENTS, _SHIPMENTS.c.id == _REFS.c.shipment_id)
        .where(_WAITING.c.carrier == carrier, _SHIPMENTS.c.carrier == carrier)
        .order_by(_WAITING.c.file_id, _WAITING.c.id)
    )
    return [
        Come(file_id, TrackingRef(RefKind(kind), value), shipment_id)
        for file_id, kind, value, shipment_id in connection.execute(query)
    ]


def wait_no_more(connection: Connection, file_id: int, of: Collection[TrackingRef]) -> None:
    """What a file says under these numbers has found its parcels."""
    for ref in of:
        mine = (_WAITING.c.file_id == file_id, _WAITING.c.of_kind == ref.kind.value, _WAITING.c.of_value == ref.value)
        connection.execute(delete(_WAITING).where(*mine))


def stop_waiting(connection: Connection, carrier: str, before: datetime) -> int:
    """Numbers first named before that instant are somebody else's; returns how many there were."""
    old = (_WAITING.c.carrier == carrier, _WAITING.c.seen_at < before)
    return connection.execute(delete(_WAITING).where(*old)).rowcount


def waiting_count(connection: Connection, carrier: str) -> int:
    """How many numbers are waited for."""
    query = select(func.count()).select_from(_WAITING).where(_WAITING.c.carrier == carrier)
    return int(connection.execute(query).scalar_one())


# --- what was looked at -----------------------------------------------------------------------------


def seen(connection: Connection, carrier: str, source: str) -> dict[str, str]:
    """The mark of everything that was looked at in this place, by name."""
    query = select(_SEEN.c.name, _SEEN.c.mark).where(_SEEN.c.carrier == carrier, _SEEN.c.source == source)
    return {row.name: row.mark for row in connection.execute(query)}


def save_seen(connection: Connection, carrier: str, source: str, name: str, mark: str, now: datetime) -> None:
    """It was looked at."""
    row = {"carrier": carrier, "source": source, "name": name, "mark": mark, "seen_at": now}
    upsert(connection, _SEEN, [row], ["carrier", "source", "name"], ["mark", "seen_at"])


def forget_seen(connection: Connection, carrier: str, source: str, names: Iterable[str]) -> None:
    """They are no longer there."""
    gone = [{"c": carrier, "s": source, "n": name} for name in names]
    for one in gone:
        mine = (_SEEN.c.carrier == one["c"], _SEEN.c.source == one["s"], _SEEN.c.name == one["n"])
        connection.execute(delete(_SEEN).where(*mine))

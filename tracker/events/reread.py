"""Reads the stored history again when the merchant's mapping of codes has changed; the carrier is not asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.domain.codes import UNREAD, CodeMap, OwnReading
from tracker.events.record import code_read, code_unread, refold
from tracker.store.codes import UnreadEvent, last_event_id, mapping_read, mark_read, misread, overruled
from tracker.store.database import Database
from tracker.store.histories import map_events, unmap_events
from tracker.store.logs import signal

log = structlog.get_logger(__name__)
BATCH: Final = 500
PAGE: Final = 20_000
"""Row numbers looked through in one transaction for codes that an adapter reads itself: no index has those."""


@dataclass(frozen=True)
class CodeSweep:
    """The lane `codes`: a mapping changes with the configuration alone, so each carrier is looked at once a start."""

    database: Database
    codes: Mapping[str, CodeMap]
    """By carrier account; one without a mapping has an empty one, for it may have had one before."""
    _settled: set[str] = field(default_factory=set)

    async def run(self, now: datetime) -> int:
        """Read again whatever stands otherwise than the mappings say; returns how many events."""
        total = 0
        for carrier in self.codes.keys() - self._settled:
            while count := await self.database.write(partial(self._batch, carrier=carrier, now=now)):
                total += count
            total += await self._overrule(carrier, now)
            self._settled.add(carrier)
        return total

    async def _overrule(self, carrier: str, now: datetime) -> int:
        """Read by a mapping that is new here what the adapter reads itself; every event is looked at once for that."""
        digest = _digest(self.codes[carrier])
        known, newest = await self.database.read(lambda c: (mapping_read(c, carrier), last_event_id(c)))
        if digest == known or (known is None and not self.codes[carrier]):
            return 0
        total = 0
        for after in range(0, newest if self.codes[carrier] else 0, PAGE):
            total += await self.database.write(partial(self._page, carrier=carrier, after=after, now=now))
        await self.database.write(lambda connection: mark_read(connection, carrier, digest, now))
        return total

    def _batch(self, connection: Connection, *, carrier: str, now: datetime) -> int:
        return self._reread(connection, carrier, misread(connection, carrier, self.codes[carrier], BATCH), now)

    def _page(self, connection: Connection, *, carrier: str, after: int, now: datetime) -> int:
        return self._reread(connection, carrier, overruled(connection, carrier, self.codes[carrier], after, PAGE), now)

    def _reread(self, connection: Connection, carrier: str, found: Sequence[UnreadEvent], now: datetime) -> int:
        if not found:
            return 0
        alike: dict[tuple[str, OwnReading | None], list[UnreadEvent]] = {}
        for event in found:
            alike.setdefault((event.carrier_code, event.own), []).append(event)
        for (code, own), events in alike.items():
            ids, reading = [event.id for event in events], self.codes[carrier].get(code)
            if reading is None:
                unmap_events(connection, ids, own or OwnReading.of_mapping(UNREAD))
            else:
                map_events(connection, ids, OwnReading.of_mapping(reading), own)
        refold(connection, sorted({event.shipment_id for event in found}), now)
        self._signal(connection, carrier, found, now)
        log.info("codes.reread", carrier=carrier, carrier_codes=sorted({code for code, _ in alike}), events=len(found))
        return len(found)

    def _signal(self, connection: Connection, carrier: str, found: Sequence[UnreadEvent], now: datetime) -> None:
        """About codes that only the mapping reads: they are read now, or nobody reads them any more."""
        mapped = self.codes[carrier]
        by_code = {event.carrier_code: event for event in found if event.own is None}
        notes = [
            code_read(carrier, code)
            if code in mapped
            else code_unread(carrier, code, event.description, event.shipment_id)
            for code, event in sorted(by_code.items())
        ]
        signal(connection, notes, now)


def _digest(codes: CodeMap) -> str:
    lines = [
        [code, reading.status.value, reading.cause.value if reading.cause else ""] for code, reading in codes.items()
    ]
    return hashlib.blake2b(json.dumps(sorted(lines)).encode(), digest_size=12).hexdigest()

"""Reads the stored history again when the merchant's mapping of unknown codes has changed; the carrier is not asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.domain.codes import UNREAD, CodeMap
from tracker.events.record import code_read, code_unread, refold
from tracker.store.codes import UnreadEvent, misread
from tracker.store.database import Database
from tracker.store.histories import map_events
from tracker.store.logs import signal

log = structlog.get_logger(__name__)
BATCH: Final = 500


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
            self._settled.add(carrier)
        return total

    def _batch(self, connection: Connection, *, carrier: str, now: datetime) -> int:
        codes = self.codes[carrier]
        found = misread(connection, carrier, codes, BATCH)
        if not found:
            return 0
        by_code: dict[str, list[UnreadEvent]] = {}
        for event in found:
            by_code.setdefault(event.carrier_code, []).append(event)
        for code, events in by_code.items():
            map_events(connection, [event.id for event in events], codes.get(code, UNREAD))
        refold(connection, sorted({event.shipment_id for event in found}), now)
        self._signal(connection, carrier, by_code, now)
        log.info("codes.reread", carrier=carrier, carrier_codes=sorted(by_code), events=len(found))
        return len(found)

    def _signal(
        self, connection: Connection, carrier: str, by_code: Mapping[str, Sequence[UnreadEvent]], now: datetime
    ) -> None:
        mapped = self.codes[carrier]
        notes = [
            code_read(carrier, code)
            if code in mapped
            else code_unread(carrier, code, events[-1].description, events[-1].shipment_id)
            for code, events in sorted(by_code.items())
        ]
        signal(connection, notes, now)

"""The lane `incidents`: sees that many parcels go wrong for one cause, gathers them, and says so once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.domain.incidents import JOINED, RULE_VERSIONS, IncidentPolicy, Scope, Where, decide
from tracker.store import incidents as store
from tracker.store.database import Database
from tracker.store.logs import DecisionNote, SignalNote, log_decisions, signal
from tracker.store.wake import wake

log = structlog.get_logger(__name__)
BATCH: Final = 1000
LEAST_KNOWN: Final = timedelta(days=7)
"""What is usual after two days of use is not known; it is then taken over so long."""


@dataclass(frozen=True)
class IncidentSweep:
    """Counts, opens, gathers, ends."""

    database: Database
    policy: IncidentPolicy

    async def run(self, now: datetime) -> int:
        """Returns how many incidents were opened or ended, and problems gathered."""
        changed = await self.database.write(lambda c: self._decide(c, now))
        while True:
            gathered = await self.database.write(lambda c: self._gather(c, now))
            changed += gathered
            if gathered == 0:
                return changed

    def _decide(self, connection: Connection, now: datetime) -> int:
        known_since = store.known_since(connection)
        if known_since is None:
            return 0
        recent_since = now - self.policy.window
        usual_over = min(self.policy.usual_over, max(now - known_since - self.policy.window, LEAST_KNOWN))
        counts = store.tallies(connection, recent_since=recent_since, before_since=recent_since - usual_over)
        standing = store.standing(connection)
        changes = decide(counts, standing, replace(self.policy, usual_over=usual_over), now)
        for incident, reason in changes.ended:
            store.end_incident(connection, incident.id, reason, now)
            if any(where.scope is Scope.CARRIER for where in changes.opened):
                store.leave(connection, incident.id)
            signal(connection, [_note(incident.id, incident.where, reason, raised=False)], now)
            log.info("incident.ended", incident_id=incident.id, carrier=incident.where.carrier, reason=reason)
        for where in changes.opened:
            self._open(connection, where, recent_since, now)
        return len(changes.opened) + len(changes.ended)

    def _open(self, connection: Connection, where: Where, started_at: datetime, now: datetime) -> None:
        incident_id = store.open_incident(connection, where, started_at=started_at, now=now)
        if incident_id is None:
            return
        gathered = self._gather_one(connection, incident_id, where, now)
        summary = (
            f"{gathered} parcels went wrong {told(where)} within {self.policy.window.days} days: one cause is likely"
        )
        signal(connection, [_note(incident_id, where, summary)], now)
        log.warning(
            "incident.opened",
            incident_id=incident_id,
            carrier=where.carrier,
            scope=where.scope.value,
            place=where.name,
            problems=gathered,
        )

    def _gather(self, connection: Connection, now: datetime) -> int:
        return sum(self._gather_one(connection, one.id, one.where, now) for one in store.standing(connection))

    @staticmethod
    def _gather_one(connection: Connection, incident_id: int, where: Where, now: datetime) -> int:
        joined = store.join(connection, incident_id, BATCH, now)
        reason = f"one of many parcels that went wrong {told(where)}"
        facts = {"incident_id": incident_id, "carrier": where.carrier, "scope": where.scope.value, "name": where.name}
        notes = [
            DecisionNote(one.shop, "problem", one.problem_id, JOINED, RULE_VERSIONS[JOINED], "joined", reason, facts)
            for one in joined
        ]
        log_decisions(connection, notes, now)
        wake(connection, "claims", [one.shipment_id for one in joined], now)
        return len(joined)


def told(where: Where) -> str:
    """Where an incident is, within a sentence."""
    if where.scope is Scope.HUB:
        return f"with {where.carrier} at {where.name}"
    return f"with {where.carrier} on the way to {where.name}" if where.scope is Scope.STATE else f"with {where.carrier}"


def _note(incident_id: int, where: Where, summary: str, *, raised: bool = True) -> SignalNote:
    return SignalNote(
        key=f"incident:{incident_id}",
        kind="incident",
        severity="warning" if raised else "info",
        summary=summary,
        raised=raised,
        details={"incident_id": incident_id, "carrier": where.carrier, "scope": where.scope.value, "name": where.name},
    )

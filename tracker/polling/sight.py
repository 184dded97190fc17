"""Notices when a carrier begins to show less of many parcels than it did: a right that was lost, an API that was changed.

Nothing that was recorded is lost by it; but what comes next may not be shown, so a person must hear of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.domain.history import is_loss_of_sight
from tracker.store.logs import SignalNote, signal
from tracker.store.polls import FamilyState, family_state, save_family_state

log = structlog.get_logger(__name__)
HISTORY: Final = "history"
"""The family under which it is remembered that a carrier shows less than before."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one account shows of histories."""

    carrier: str

    def look(self, connection: Connection, shrunk: Sequence[bool | None], now: datetime) -> None:
        """After one batch; each entry: whether that answer shows less than we know, None where it cannot tell."""
        told = [one for one in shrunk if one is not None]
        if not told:
            return
        lost = is_loss_of_sight(told)
        # Whole answers about parcels with a past prove that the past is shown again.
        if not lost and any(told):
            return
        was_lost = family_state(connection, self.carrier, HISTORY).down_since is not None
        if lost == was_lost:
            return
        save_family_state(connection, self.carrier, HISTORY, FamilyState(down_since=now) if lost else FamilyState())
        if lost:
            log.error("carrier.history_shrunk", carrier=self.carrier, shipments=sum(told))
        signal(connection, [self._note(lost, sum(told))], now)

    def _note(self, lost: bool, count: int) -> SignalNote:
        summary = (
            f"{self.carrier} shows less of {count} shipments at once than it did: their history is kept, but look whether "
            "the account still has its rights (contract, posting card, API)"
            if lost
            else f"{self.carrier} shows whole histories again"
        )
        key, severity = f"carrier:{self.carrier}:{HISTORY}", "critical" if lost else "info"
        return SignalNote(key, "history_shrunk", severity, summary, lost, details={"carrier": self.carrier})

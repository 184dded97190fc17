"""Shipments of a carrier that the configuration no longer names: nobody asks about them, so somebody must hear of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.store.logs import SignalNote, signal
from tracker.store.polls import FamilyState, carriers_down, carriers_with_work, save_family_state

log = structlog.get_logger(__name__)
UNCONFIGURED: Final = "unconfigured"
"""The family under which it is remembered which carriers were missed already."""


def watch(connection: Connection, configured: Collection[str], now: datetime) -> None:
    """Raise an alert a carrier that has open shipments and no entry (a renamed id, say), and end it once it has one."""
    missing = {carrier: count for carrier, count in carriers_with_work(connection).items() if carrier not in configured}
    missed = carriers_down(connection, UNCONFIGURED)
    notes = []
    for carrier, count in missing.items():
        log.error("carrier.unconfigured", carrier=carrier, shipments=count)
        if carrier not in missed:
            save_family_state(connection, carrier, UNCONFIGURED, FamilyState(down_since=now))
            notes.append(_note(carrier, count))
    for carrier in sorted(missed - set(missing)):
        save_family_state(connection, carrier, UNCONFIGURED, FamilyState())
        notes.append(_note(carrier, 0, raised=False))
    signal(connection, notes, now)


def _note(carrier: str, count: int, *, raised: bool = True) -> SignalNote:
    summary = (
        f"{count} open shipments belong to the carrier {carrier}, which the configuration does not name: nobody asks about "
        f"them, and their claims rest. Give its entry under carriers the id {carrier} again"
        if raised
        else f"no open shipment belongs to a carrier {carrier} outside the configuration any more"
    )
    severity = "critical" if raised else "info"
    key, details = f"carrier:{carrier}:{UNCONFIGURED}", {"carrier": carrier, "shipments": count}
    return SignalNote(key, "carrier_unconfigured", severity, summary, raised, details=details)

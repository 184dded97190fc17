"""A delivery that the carrier takes back: the shop, and a customer who was told of it, must learn that it is on its way again.

The problems that the delivery had ended come back by themselves, as new episodes (a reversal is carrier reference 3.3, EST).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import TrackingStatus
from tracker.domain.detection import RULE_VERSIONS
from tracker.domain.history import FINAL, StoredEvent, void_ids
from tracker.store.contexts import ShipmentContext, contexts_of
from tracker.store.histories import HistoryRow
from tracker.store.logs import DecisionNote, SignalNote, log_decisions, signal

log = structlog.get_logger(__name__)
RULE: Final = "delivery.reversed"


def note_reversals(
    connection: Connection,
    before: Mapping[int, HistoryRow],
    after: Mapping[int, HistoryRow],
    events: Mapping[int, Sequence[StoredEvent]],
    now: datetime,
) -> None:
    """Alert once where a delivery is gone, and end the alert when the parcel has come to its end after all."""
    undone = {key: before[key] for key, row in after.items() if key in before and _is_undone(before[key], row)}
    over = [key for key, row in after.items() if key in before and _is_over(before[key], row, events[key])]
    if not undone and not over:
        return
    contexts = contexts_of(connection, [*undone, *over])
    notes = [_alert(contexts[key], f"{_name(contexts[key])} has come to its end again", raised=False) for key in over]
    decisions = []
    for key, row in undone.items():
        context, delivered_at = contexts[key], row.history.delivered_at
        status = after[key].history.status.value
        reason = f"the delivery of {delivered_at:%Y-%m-%d} is gone from the carrier's answers: now {status}"
        facts = {"delivered_at": delivered_at.isoformat() if delivered_at else None, "status": status}
        decisions.append(
            DecisionNote(context.order.shop, "shipment", key, RULE, RULE_VERSIONS[RULE], "undone", reason, facts)
        )
        who = "a customer who was told of it needs a word"
        notes.append(_alert(context, f"{_name(context)} was not delivered after all ({status}); {who}"))
        log.warning("delivery.reversed", carrier=context.carrier, shipment_id=key, status=status)
    log_decisions(connection, decisions, now)
    signal(connection, notes, now)


def _is_undone(before: HistoryRow, after: HistoryRow) -> bool:
    return before.history.delivered_at is not None and after.history.delivered_at is None


def _is_over(before: HistoryRow, after: HistoryRow, events: Sequence[StoredEvent]) -> bool:
    """At an end now, after a delivery that was none."""
    if after.history.status not in FINAL or before.history.status in FINAL:
        return False
    void = void_ids(events)
    gone = (event for event in events if event.id in void or event.vanished_at is not None)
    return any(event.status is TrackingStatus.DELIVERED for event in gone)


def _name(context: ShipmentContext) -> str:
    return f"{context.carrier} {context.tracking_code or f'S{context.shipment_id}'}"


def _alert(context: ShipmentContext, summary: str, *, raised: bool = True) -> SignalNote:
    return SignalNote(
        key=f"delivery_reversed:{context.shipment_id}",
        kind="delivery_reversed",
        severity="warning" if raised else "info",
        shop=context.order.shop,
        summary=summary,
        raised=raised,
        details={"shipment_id": context.shipment_id, "order_number": context.order.number},
    )

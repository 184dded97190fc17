"""A small shop in the database: orders, parcels with events, problems, claims and messages, written by the store's functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, update

from carriers.base import Cause, ProblemKind, RefKind, TrackingEvent, TrackingRef, TrackingStatus
from tracker.domain.detection import Finding
from tracker.domain.history import fold
from tracker.domain.order import Address, Item, Order, OrderStatus, Package, Person
from tracker.domain.words import Trigger
from tracker.store.claims import add_claim, attach
from tracker.store.contexts import contexts_of
from tracker.store.deliveries import add_delivery
from tracker.store.histories import HistoryRow, add_due_dates, add_events, events_of, save_histories
from tracker.store.logs import DecisionNote, log_decisions
from tracker.store.notices import add_member, add_notice
from tracker.store.order_rows import Parcel
from tracker.store.orders import save_order
from tracker.store.problems import open_problem
from tracker.store.tables import ShipmentPoll, table
from tracker.store.wake import wake_polling

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
CODE = "AA123456785BR"
OTHER_CODE = "AA987654325BR"
EMAIL, CPF, PHONE = "Marina.Souza@example.com", "52998224725", "+5541999990000"
KEY = "35261112345678000195550010000012341000012346"
STATUS = TrackingStatus


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """An instant of November 2026, UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def order(number: str = "10482", **changes: Any) -> Order:
    values: dict[str, Any] = {
        "number": number,
        "ordered_at": at(10),
        "promised_on": date(2026, 11, 20),
        "customer": Person("Marina Souza", EMAIL, PHONE, CPF),
        "recipient": Person("Marina Souza"),
        "address": Address("80010000", "Rua das Flores", "12", None, "Centro", "Curitiba", "PR"),
        "total_cents": 18990,
        "items": (Item("Fone sem fio"), Item("Capa")),
        "status": OrderStatus.SHIPPED,
    }
    return Order(**{**values, **changes})


def add_order(
    connection: Connection, wanted: Order, *codes: str, shop: str = "exemplo", carrier: str = "correios", **package: Any
) -> list[int]:
    """An order with a parcel a code; returns the shipments."""
    parcels = [
        Parcel(Package(tracking_code=code, **package), carrier, carrier, TrackingRef(RefKind.CODE, code))
        for code in codes
    ]
    saved = save_order(connection, shop, wanted, parcels, at(10))
    wake_polling(connection, saved.new_shipments, at(10))
    return [shipment_id for shipment_id, _ in saved.new_shipments]


def event(code: str, occurred_at: datetime, status: TrackingStatus, text: str, **more: Any) -> TrackingEvent:
    location = more.pop("location", "CURITIBA/PR")
    return TrackingEvent(f"{code}@{occurred_at:%d%H%M}", occurred_at, code, status, text, location=location, **more)


POSTED = event("PO-01", at(11, 13), STATUS.POSTED, "Objeto postado", location="SAO PAULO/SP")
MOVING = event("RO-01", at(13, 2), STATUS.IN_TRANSIT, "Objeto em transferência")
DELIVERED = event("BDE-01", at(23, 14), STATUS.DELIVERED, "Objeto entregue ao destinatário", final=True, attempt=True)
LOST = event("BDE-09", at(22, 14), STATUS.LOST, "Objeto extraviado", cause=Cause.LOSS)


def track(
    connection: Connection,
    shipment_id: int,
    events: Sequence[TrackingEvent] = (POSTED, MOVING),
    due: Sequence[date] = (date(2026, 11, 18),),
    next_poll_at: datetime = NOW + timedelta(hours=2),
) -> None:
    """What the carrier told of a parcel, and the history it adds up to; last answered an hour ago."""
    add_events(connection, [(shipment_id, one) for one in events], at(23))
    add_due_dates(connection, [(shipment_id, "tracking", n, day) for n, day in enumerate(due, start=1)], at(11))
    history = fold(events_of(connection, [shipment_id])[shipment_id], due)
    save_histories(connection, [HistoryRow(shipment_id, 1, history, "SEDEX", None, None, at(11))])
    polls = table(ShipmentPoll)
    asked = NOW - timedelta(hours=1)
    values = {"last_polled_at": asked, "last_answered_at": asked, "next_poll_at": next_poll_at}
    connection.execute(update(polls).where(polls.c.shipment_id == shipment_id).values(**values))


def add_problem(
    connection: Connection,
    shipment_id: int,
    kind: ProblemKind = ProblemKind.DELAY,
    since: datetime | None = None,
    **more: Any,
) -> int:
    """A problem with its decision."""
    since = since or at(21, 3)
    of = contexts_of(connection, [shipment_id])[shipment_id].order
    rules = {ProblemKind.DELAY: "delay.past_promise", ProblemKind.LATE_DELIVERY: "late_delivery.past_promise"}
    rule = rules.get(kind, "loss.presumed" if more.get("presumed") else "loss.coded")
    if kind is ProblemKind.DELAY:
        more = {"customer_since": since, "carrier_since": since, **more}
    finding = Finding(kind, rule, since, facts={"promised_on": "2026-11-20"}, **more)
    problem_id = open_problem(
        connection,
        shop=of.shop,
        shipment_id=shipment_id,
        order_id=of.id,
        finding=finding,
        episode=1,
        rule_version=1,
        now=at(21, 4),
    )
    assert problem_id is not None
    note = DecisionNote(
        of.shop, "problem", problem_id, rule, 1, "opened", f"true since {since.isoformat()}", dict(finding.facts)
    )
    log_decisions(connection, [note], at(21, 4))
    return problem_id


def add_a_claim(connection: Connection, shipment_id: int, problems: Sequence[int], **changes: Any) -> int:
    """A planned claim, or one as `changes` say, with its decision."""
    context = contexts_of(connection, [shipment_id])[shipment_id]
    values: dict[str, Any] = {
        "shop": context.order.shop,
        "shipment_id": shipment_id,
        "tracking_ref_id": context.ref_id,
        "carrier": context.carrier,
        "kind": "information_request",
        "motive": "132",
        "state": "planned",
        "planned_at": at(21, 5),
        "claimable_from": date(2026, 11, 23),
        "alert_on": date(2026, 12, 13),
        "deadline_on": date(2026, 12, 18),
        "last_on": date(2027, 2, 16),
        "version": 1,
    }
    claim_id = add_claim(connection, {**values, **changes})
    assert claim_id is not None
    attach(connection, claim_id, problems)
    state, hold = changes.get("state", "planned"), changes.get("hold_reason")
    rule = f"claim.hold.{hold}" if hold else "claim.plan"
    note = DecisionNote(context.order.shop, "claim", claim_id, rule, 1, "held" if hold else state, "as the test says")
    log_decisions(connection, [note], at(21, 6))
    return claim_id


def waiting(connection: Connection, shipment_id: int, problems: Sequence[int], hold: str = "propose") -> int:
    """A claim that waits for a person."""
    return add_a_claim(connection, shipment_id, problems, state="waiting_approval", hold_reason=hold)


def add_message(
    connection: Connection,
    shipment_id: int,
    trigger: Trigger = Trigger.DELAY_DETECTED,
    problem_id: int | None = None,
    **changes: Any,
) -> int:
    """A queued message, or one as `changes` say, with its decision."""
    of = contexts_of(connection, [shipment_id])[shipment_id].order
    notice = {
        "shop": of.shop,
        "order_id": of.id,
        "trigger": trigger.value,
        "occurrence": f"{shipment_id}:1",
        "since": at(21, 3),
        "created_at": at(21, 6),
        "expires_at": at(28),
    }
    notice_id = add_notice(connection, notice)
    assert notice_id is not None
    add_member(connection, notice_id, shipment_id, trigger, 1, problem_id)
    values = {
        "notice_id": notice_id,
        "channel": "email",
        "recipient": EMAIL,
        "state": "queued",
        "queued_at": at(21, 6),
        "message_id": f"<{notice_id}.abc@lojaexemplo.com.br>",
        **changes,
    }
    delivery_id = add_delivery(connection, values)
    assert delivery_id is not None
    hold = changes.get("hold_reason")
    outcome = "held" if hold else str(values["state"])
    note = DecisionNote(of.shop, "message", delivery_id, f"notice.{trigger.value}", 1, outcome, "as the test says")
    log_decisions(connection, [note], at(21, 6))
    return delivery_id

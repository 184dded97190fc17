"""An order's story as facts: what the screen's suggestion rests on, and the JSON document of `tracker show`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from carriers.base import ClaimTerms, ProblemKind, TrackingStatus
from tracker.domain import freshness
from tracker.domain.calendar import Calendars
from tracker.domain.hand import mute_of, released_at
from tracker.domain.history import History, StoredEvent
from tracker.domain.notices import PROBLEM_TRIGGERS
from tracker.domain.order import OrderStatus
from tracker.domain.promise import Promise, customer_promise
from tracker.domain.words import ClaimState, DeliveryState
from tracker.reports.advice import ClaimFacts, ParcelFacts, Told, what_to_say
from tracker.reports.exports import Promises, json_value
from tracker.reports.identity import optional_id, public_id
from tracker.store.acts import ActRow
from tracker.store.claims import ClaimRow
from tracker.store.problems import ProblemRow
from tracker.store.views_show import MessageRow, OrderStory, Parcel

CODES_SHOWN, CODE_CHARS = 3, 40
"""So many of a parcel's unread codes stand on a line, each cut to so many characters: it may be a whole sentence."""
LEFT = frozenset({DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.UNCONFIRMED})


@dataclass(frozen=True)
class Desk:
    """What the store does not hold: carriers' names and terms for claims, calendars, the present instant."""

    titles: Mapping[str, str]
    terms: Mapping[str, ClaimTerms | None]
    promises: Promises
    now: datetime
    silent: frozenset[str] = frozenset()
    """Carriers that tell of parcels by themselves (files, a feed) and can be asked about none."""

    def days(self, story: OrderStory) -> Calendars:
        """The calendars of this order."""
        return self.promises.days(story.order.shop, story.order.state, story.order.city)

    def title(self, carrier: str) -> str:
        """The carrier's name as customers know it."""
        return self.titles.get(carrier, carrier)


def history_of(parcel: Parcel) -> History:
    """The parcel's history; an empty one before its first event."""
    return parcel.history.history if parcel.history else History()


def promise_of(parcel: Parcel, story: OrderStory, desk: Desk) -> Promise:
    """What the customer was promised of this parcel."""
    order = parcel.context.order
    slack = desk.promises.slack_business_days
    due = history_of(parcel).due_first_on
    return customer_promise(order.promised_on, order.promised_first_on, due, slack, desk.days(story))


def answer_by(claim: ClaimRow, story: OrderStory, desk: Desk) -> date | None:
    """The day on which the carrier's own term for an answer ends; None where that is not known."""
    terms = desk.terms.get(claim.carrier)
    if claim.opened_at is None or terms is None:
        return None
    days = desk.days(story)
    return days.since.add(days.local_date(claim.reopened_at or claim.opened_at), terms.answer_business_days)


def word_given(claim: ClaimRow, story: OrderStory) -> str | None:
    """`approved` or `released` where a person has let a waiting claim go and the daemon has not looked at it since."""
    if claim.state is not ClaimState.WAITING_APPROVAL:
        return None
    if claim.approved_at is not None:
        return "approved"
    acts = [row.act for row in story.acts if (row.subject_kind, row.subject_id) == ("claim", claim.id)]
    at = released_at(acts)
    # A release sets the next look to its own instant; the look that it brings about sets another, or none.
    return "released" if at is not None and at == claim.next_step_at else None


def standing_events(parcel: Parcel) -> list[StoredEvent]:
    """Events that count: neither taken back nor vanished, nor themselves a taking back; oldest first."""
    return [e for e in parcel.events if e.vanished_at is None and not e.void and not e.reversal]


def unread_events(parcel: Parcel) -> list[StoredEvent]:
    """Standing events whose code nobody reads: they tell that something happened, and not what; oldest first."""
    return [event for event in standing_events(parcel) if event.status is TrackingStatus.UNKNOWN]


def unread_codes(parcel: Parcel) -> list[str]:
    """Their codes, each once, the newest first; the carrier's own text where it sends no code."""
    return list(dict.fromkeys(event.carrier_code for event in reversed(unread_events(parcel))))


def shown_codes(codes: Sequence[str]) -> str:
    """The first few of them on a line."""
    cut = [code if len(code) <= CODE_CHARS else f"{code[: CODE_CHARS - 1]}…" for code in codes[:CODES_SHOWN]]
    return ", ".join([*cut, "…"] if len(codes) > CODES_SHOWN else cut)


def sentences(parcel: Parcel, story: OrderStory, desk: Desk) -> tuple[str, ...]:
    """What to tell the customer of this parcel."""
    return what_to_say(parcel_facts(parcel, story, desk), desk.days(story), desk.now)


def parcel_facts(parcel: Parcel, story: OrderStory, desk: Desk) -> ParcelFacts:
    """The facts behind the suggestion."""
    history, events = history_of(parcel), standing_events(parcel)
    standing = [problem for problem in parcel.problems if problem.resolved_at is None]
    kinds = frozenset(problem.kind for problem in standing)
    newest = parcel.claims[-1] if parcel.claims else None
    return ParcelFacts(
        status=history.status,
        promise=promise_of(parcel, story, desk),
        status_at=history.status_at,
        last_event_at=history.last_event_at,
        last_event_cause=events[-1].cause if events else None,
        location=events[-1].location if events else None,
        pickup_until=history.pickup_until,
        returning_cause=history.returning_cause,
        carrier_due_on=history.due_on,
        open_problems=kinds,
        by_words=history.by_words,
        presumed_loss=any(problem.presumed for problem in standing),
        customer_late=any(p.kind is ProblemKind.DELAY and p.customer_since is not None for p in standing),
        claim=_claim_facts(newest, story, desk) if newest else None,
        told=_told(parcel, story.messages, bool(standing)),
        order_cancelled=story.order.status == OrderStatus.CANCELLED.value,
        delivery_undone_at=_delivery_undone_at(parcel),
        has_code=parcel.context.ref_id is not None,
        closed_reason=parcel.looks.closed_reason,
        is_stale=is_stale(parcel, desk),
        last_answered_at=parcel.looks.last_answered_at,
        unread=len(unread_events(parcel)),
    )


def _delivery_undone_at(parcel: Parcel) -> datetime | None:
    """When the newest delivery was that no longer counts."""
    gone = [e for e in parcel.events if e.status is TrackingStatus.DELIVERED and (e.void or e.vanished_at is not None)]
    return gone[-1].occurred_at if gone else None


def is_stale(parcel: Parcel, desk: Desk) -> bool:
    """Whether the parcel's next look is long overdue."""
    return freshness.is_stale(parcel.looks.next_poll_at, desk.now)


def _claim_facts(claim: ClaimRow, story: OrderStory, desk: Desk) -> ClaimFacts:
    return ClaimFacts(claim.told_state, claim.protocol, claim.opened_at, answer_by(claim, story, desk))


def _told(parcel: Parcel, messages: Sequence[MessageRow], has_problem: bool) -> Told | None:
    """The newest message of this parcel that left to the customer; of one with a problem, the newest about a problem."""
    left = [message for message in messages if message.state in LEFT and message.diverted_to is None]
    mine = [message for message in left if parcel.context.shipment_id in message.shipment_ids]
    if has_problem:
        mine = [message for message in mine if message.trigger in PROBLEM_TRIGGERS]
    confirmed = [message for message in mine if message.state is not DeliveryState.UNCONFIRMED]
    best = (confirmed or mine)[-1:]
    return Told(best[0].trigger.value, left_at(best[0]), bool(confirmed)) if best else None


def left_at(message: MessageRow) -> datetime:
    """When a message left, as far as is known."""
    return message.sent_at or message.sending_at or message.queued_at


# --- the JSON document ------------------------------------------------------------------------------


def document(story: OrderStory, desk: Desk) -> dict[str, Any]:
    """The whole screen as data; keys as in the exports where they say the same."""
    order = story.order
    names = [name for name in type(order).__dataclass_fields__ if name != "id"]
    return {
        "order": {
            "id": public_id("order", order.id),
            **{name: json_value(getattr(order, name)) for name in names},
            "items": list(story.items),
        },
        "problems": [_problem_values(problem, None) for problem in story.problems],
        "shipments": [_parcel(parcel, story, desk) for parcel in story.parcels],
        "messages": [_message(message) for message in story.messages],
        "mute": _mute(story, desk),
        "acts": [_act(row) for row in story.acts],
    }


def _mute(story: OrderStory, desk: Desk) -> dict[str, Any] | None:
    mute = mute_of(story.order_acts, desk.now)
    if mute is None:
        return None
    return {name: json_value(getattr(mute, name)) for name in ("since", "until", "who", "reason")}


def _act(row: ActRow) -> dict[str, Any]:
    act = row.act
    values = {"about": public_id(row.subject_kind, row.subject_id), "act": act.act, "at": act.at, "who": act.who}
    return {**{key: json_value(value) for key, value in values.items()}, "reason": act.reason, "facts": dict(act.facts)}


def _parcel(parcel: Parcel, story: OrderStory, desk: Desk) -> dict[str, Any]:
    history, promise, context = history_of(parcel), promise_of(parcel, story, desk), parcel.context
    values = {
        "id": public_id("shipment", context.shipment_id),
        "carrier": context.carrier,
        "carrier_title": desk.title(context.carrier),
        "service": (parcel.history.service if parcel.history else None) or context.service,
        "tracking_code": context.tracking_code,
        "old_codes": list(parcel.old_codes),
        "invoice_number": parcel.invoice_number,
        "status": history.status.value,
        "status_at": history.status_at,
        "posted_at": history.posted_at,
        "delivered_at": history.delivered_at,
        "pickup_until": history.pickup_until,
        "promised_on": promise.on,
        "promise_basis": promise.basis.value,
        "carrier_due_on": history.due_on,
        "carrier_due_first_on": history.due_first_on,
        "last_event_at": history.last_event_at,
        "last_polled_at": parcel.looks.last_polled_at,
        "last_answered_at": parcel.looks.last_answered_at,
        "pushed_at": parcel.looks.pushed_at,
        "next_poll_at": parcel.looks.next_poll_at,
        "closed_reason": parcel.looks.closed_reason,
        "is_stale": is_stale(parcel, desk),
    }
    return {
        **{key: json_value(value) for key, value in values.items()},
        "unread_codes": unread_codes(parcel),
        "events": [_event(event) for event in parcel.events],
        "problems": [_problem(parcel, place) for place in range(len(parcel.problems))],
        "claims": [_claim(claim, parcel, story, desk) for claim in parcel.claims],
        "held_back": [
            {
                "subject": public_id(entry.subject_kind, entry.subject_id),
                "rule": entry.rule,
                "outcome": entry.outcome,
                "reason": entry.reason,
                "at": json_value(entry.at),
            }
            for entry in parcel.held_back
        ],
        "incidents": [
            {"id": public_id("incident", key), "scope": where.scope.value, "name": where.name or None, "over": is_over}
            for key, where, is_over in parcel.incidents
        ],
        "say": list(sentences(parcel, story, desk)),
    }


def _event(event: StoredEvent) -> dict[str, Any]:
    values = {
        "occurred_at": event.occurred_at,
        "seen_at": event.seen_at,
        "status": event.status.value,
        "carrier_code": event.carrier_code,
        "description": event.description,
        "location": event.location,
        "void": event.void,
        "reversal": event.reversal,
        "vanished_at": event.vanished_at,
        "by_words": event.by_words,
        "told_by": event.told_by,
    }
    return {key: json_value(value) for key, value in values.items()}


def _problem(parcel: Parcel, place: int) -> dict[str, Any]:
    problem = parcel.problems[place]
    claims = [claim_id for claim_id, problems in parcel.claim_problems.items() if problem.id in problems]
    return _problem_values(problem, claims[-1] if claims else None)


def _problem_values(problem: ProblemRow, claim_id: int | None) -> dict[str, Any]:
    values = {
        "id": public_id("problem", problem.id),
        "kind": problem.kind.value,
        "cause": problem.cause.value if problem.cause else None,
        "presumed": problem.presumed,
        "by_words": problem.by_words,
        "since": problem.since,
        "customer_since": problem.customer_since,
        "carrier_since": problem.carrier_since,
        "resolved_at": problem.resolved_at,
        "resolution": problem.resolution,
        "claim_id": optional_id("claim", claim_id),
    }
    return {key: json_value(value) for key, value in values.items()}


def _claim(claim: ClaimRow, parcel: Parcel, story: OrderStory, desk: Desk) -> dict[str, Any]:
    values = {
        "id": public_id("claim", claim.id),
        "kind": claim.kind,
        "motive": claim.motive,
        "state": claim.state.value,
        "hold_reason": claim.hold_reason,
        "protocol": claim.protocol,
        "claimable_from": claim.claimable_from,
        "deadline_on": claim.deadline_on,
        "opened_at": claim.opened_at,
        "answer_by": answer_by(claim, story, desk),
        "answered_at": claim.answered_at,
        "outcome": claim.outcome,
        "refusal_code": claim.refusal_code,
        "refusal_text": claim.refusal_text,
        "expected_cents": claim.expected_cents,
        "granted_cents": claim.granted_cents,
        "received_cents": claim.received_cents,
        "problem_ids": [public_id("problem", one) for one in parcel.claim_problems.get(claim.id, [])],
    }
    return {key: json_value(value) for key, value in values.items()}


def _message(message: MessageRow) -> dict[str, Any]:
    values = {
        "id": public_id("message", message.id),
        "trigger": message.trigger.value,
        "channel": message.channel,
        "recipient": message.recipient,
        "state": message.state.value,
        "hold_reason": message.hold_reason,
        "reason": message.reason,
        "queued_at": message.queued_at,
        "sent_at": message.sent_at,
        "expires_at": message.expires_at,
        "subject": message.subject,
        "shipment_ids": [public_id("shipment", one) for one in message.shipment_ids],
        "diverted_to": message.diverted_to,
    }
    return {key: json_value(value) for key, value in values.items()}

"""Rows as the lines of an export: the keys of each kind in their stable order, as JSON values or CSV cells. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final

from carriers.base import TrackingStatus
from tracker.domain.calendar import CalendarsBetween
from tracker.domain.claim_letter import FOLLOW_UP
from tracker.domain.mail_address import diverted_to
from tracker.domain.promise import customer_promise
from tracker.domain.words import DeliveryState
from tracker.reports.identity import optional_id, public_id
from tracker.store.letters import LetterRow

Row = Mapping[str, Any]
Line = dict[str, Any]

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    # Nothing of the customer's: name, addresses, telephone and document stay with `tracker show`.
    "orders": tuple(
        "id shop source order_number aliases status ordered_at promised_on promised_first_on ship_by city state "
        "total_cents freight_cents created_at updated_at shipment_ids".split()
    ),
    "shipments": tuple(
        "id shop order_number carrier tracking_code service status posted_at promised_on promised_first_on promise_basis "
        "carrier_due_on carrier_due_first_on first_attempt_at delivered_at last_event_at last_polled_at last_answered_at "
        "next_poll_at closed_reason".split()
    ),
    "events": tuple(
        "shop shipment_id tracking_code occurred_at seen_at status carrier_code description location void "
        "vanished_at by_words told_by".split()
    ),
    "problems": tuple(
        "id shop shipment_id order_number tracking_code kind cause presumed since customer_since carrier_since "
        "detected_at resolved_at resolution rule by_words".split()
    ),
    "claims": tuple(
        "id shop problem_id shipment_id tracking_code carrier kind motive state protocol planned_at opened_at "
        "claimable_from deadline_on answered_at outcome expected_cents granted_cents received_cents refusal_code "
        "hold_reason problem_ids closed_at letter_to letter_state letter_sent_at letter_message_id reminder_sent_at "
        "evidence".split()
    ),
    "messages": tuple(
        "id notice_id shop order_number shipment_ids trigger channel recipient state queued_at sent_at message_id "
        "provider_id hold_reason reason expires_at diverted_to".split()
    ),
    "alerts": tuple(
        "id shop kind severity key summary raised_at resolved_at times acked_at acked_by acked_until ack_reason".split()
    ),
    "decisions": tuple("id at shop subject rule rule_version outcome reason facts".split()),
}
"""The keys of every line. Scripts rest on them: new ones go to the end, none is renamed."""
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


@dataclass(frozen=True, slots=True)
class Promises:
    """What the customer's promise is reckoned with: the calendars of (shop, state) and the slack in business days."""

    days: CalendarsBetween
    slack_business_days: int


def line(kind: str, row: Row, promises: Promises) -> Line:
    """One row as the line of its kind, ready for JSON: instants end in `Z`, money is integer centavos."""
    return {key: json_value(value) for key, value in values(kind, row, promises).items()}


def values(kind: str, row: Row, promises: Promises) -> Line:
    """The same with instants and days as such, ready for `csv_cells`."""
    shaped = {**row, **_SHAPES[kind](row, promises)}
    return {key: shaped[key] for key in KEYS[kind]}


def json_value(value: Any) -> Any:
    """A stored value as JSON shows it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value


def csv_cells(exported: Line, zone: tzinfo) -> list[str]:
    """The values as cells of a spreadsheet: instants by the clock of *zone*, whole seconds; money as it is, in centavos.

    What a spreadsheet would run as a formula gets an apostrophe in front.
    """
    return [_cell(value, zone) for value in exported.values()]


def _cell(value: Any, zone: tzinfo) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


# --- one shape a kind -------------------------------------------------------------------------------


def _order(row: Row, _promises: Promises) -> Line:
    return {
        "id": public_id("order", row["id"]),
        "aliases": [f"{kind}:{alias}" for kind, alias in row["aliases"]],
        "shipment_ids": [public_id("shipment", shipment_id) for shipment_id in row["shipment_ids"]],
    }


def _shipment(row: Row, promises: Promises) -> Line:
    promise = customer_promise(
        row["promised_on"],
        row["promised_first_on"],
        row["carrier_due_first_on"],
        promises.slack_business_days,
        promises.days(row["shop"], row["destination_state"], row["destination_city"]),
    )
    return {
        "id": public_id("shipment", row["id"]),
        "status": row["status"] or TrackingStatus.UNKNOWN.value,
        "promised_on": promise.on,
        "promised_first_on": promise.first_on,
        "promise_basis": promise.basis.value,
    }


def _event(row: Row, _promises: Promises) -> Line:
    return {"shipment_id": public_id("shipment", row["shipment_id"])}


def _problem(row: Row, _promises: Promises) -> Line:
    of_shipment = row["subject_kind"] == "shipment"
    return {
        "id": public_id("problem", row["id"]),
        "shipment_id": public_id("shipment", row["subject_id"]) if of_shipment else None,
    }


def _claim(row: Row, _promises: Promises) -> Line:
    problems: Sequence[int] = row["problem_ids"]
    letters: Sequence[LetterRow] = row["letters"]
    first = letters[0] if letters else None
    return {
        "id": public_id("claim", row["id"]),
        "letter_to": first.recipient if first else None,
        "letter_state": first.state.value if first else None,
        "letter_sent_at": first.sent_at if first else None,
        "letter_message_id": first.message_id if first and first.sending_at else None,
        "reminder_sent_at": next((one.sent_at for one in letters if one.part == FOLLOW_UP), None),
        "evidence": list(first.evidence) if first else [],
        "shipment_id": public_id("shipment", row["shipment_id"]),
        "problem_id": optional_id("problem", problems[0] if problems else None),
        "problem_ids": [public_id("problem", problem_id) for problem_id in problems],
    }


def _message(row: Row, _promises: Promises) -> Line:
    return {
        "id": public_id("message", row["id"]),
        "notice_id": public_id("notice", row["notice_id"]),
        "diverted_to": diverted_to(DeliveryState(row["state"]), row["recipient"], row["sent_to"]),
        "shipment_ids": [public_id("shipment", shipment_id) for shipment_id in row["shipment_ids"]],
    }


def _alert(row: Row, _promises: Promises) -> Line:
    return {"id": public_id("alert", row["id"]), "shop": row["shop"] or None}


def _decision(row: Row, _promises: Promises) -> Line:
    subject = public_id(row["subject_kind"], row["subject_id"])
    return {"id": public_id("decision", row["id"]), "subject": subject, "shop": row["shop"] or None}


_SHAPES: Final[Mapping[str, Callable[[Row, Promises], Line]]] = {
    "orders": _order,
    "shipments": _shipment,
    "events": _event,
    "problems": _problem,
    "claims": _claim,
    "messages": _message,
    "alerts": _alert,
    "decisions": _decision,
}

"""How a play ended, told without row numbers, so that two plays can be compared; and what must hold of any one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.chaos.play import Play
from tests.end_to_end.support import Trial
from tracker.domain.notices import TOLERATES_DUPLICATE
from tracker.sandbox.judgement import REGISTERED
from tracker.store.tables import (
    Alert,
    Claim,
    ClaimProblem,
    Delivery,
    Event,
    Notice,
    NoticeMember,
    Order,
    Problem,
    Shipment,
    ShipmentHistory,
    ShipmentRef,
)

Facts = Mapping[str, Any]
SETTLED = {"sent", "unconfirmed", "queued", "suppressed", "expired"}
_CLAIM_FILED = 4
"""Of a claim's facts those that come first: parcel, protocol, problems."""
TOLERANT = {trigger.value for trigger in TOLERATES_DUPLICATE}


def ending(trial: Trial) -> dict[str, Any]:
    """All that two plays of the same days must have in common, by natural keys."""
    codes = codes_of(trial)
    return {
        "shipments": _shipments(trial, codes),
        "events": _events(trial, codes),
        "problems": _problems(trial, codes),
        "claims": _claims(trial, codes),
        "messages": _messages(trial, codes),
        "alerts": Counter(
            (row["kind"], row["severity"], row["resolved_at"] is None)
            for row in trial.rows(Alert)
            if row["kind"] != "message_unconfirmed"
        ),
        "filings": Counter(
            (attempt["code"], attempt["motive"], attempt["kind"], attempt["result"]) for attempt in trial.attempts()
        ),
    }


def timeless(facts: Facts) -> dict[str, Any]:
    """The same without what rests on the day a claim was filed: a program that is killed all day files it days later.

    The carrier may then take it under another motive, the inquiry is told only where the parcel is still awaited, and
    alerts come of waiting. That each parcel's claim was filed, once, and with which problems, remains.
    """
    claims = Counter(row[:_CLAIM_FILED] for row in facts["claims"].elements())
    filings = Counter(code for code, _motive, _kind, result in facts["filings"].elements() if result == REGISTERED)
    messages = {key: state for key, state in facts["messages"].items() if key[1] != "inquiry_opened"}
    return {**facts, "claims": claims, "filings": filings, "messages": messages, "alerts": None}


def codes_of(trial: Trial) -> dict[int, str]:
    """The tracking code of every shipment."""
    return {row["shipment_id"]: row["value"] for row in trial.rows(ShipmentRef)}


def _shipments(trial: Trial, codes: Mapping[int, str]) -> dict[str, Any]:
    orders = {row["id"]: row["number"] for row in trial.rows(Order)}
    histories = {row["shipment_id"]: row for row in trial.rows(ShipmentHistory)}
    rows = trial.rows(Shipment)
    found = {
        codes[row["id"]]: (orders[row["order_id"]], row["carrier"], row["service"], _facts(histories[row["id"]]))
        for row in rows
    }
    assert len(found) == len(rows), "one parcel twice"
    return found


def _facts(history: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in history.items() if name not in {"shipment_id", "version"}}


def _events(trial: Trial, codes: Mapping[int, str]) -> Counter[Any]:
    told = ("event_key", "occurred_at", "seen_at", "carrier_code", "status", "void", "vanished_at")
    return Counter((codes[row["shipment_id"]], *(row[name] for name in told)) for row in trial.rows(Event))


def _problems(trial: Trial, codes: Mapping[int, str]) -> Counter[Any]:
    told = "kind episode cause presumed since customer_since carrier_since detected_at resolved_at resolution".split()
    return Counter(
        (row["subject_kind"], codes[row["subject_id"]], *(row[name] for name in told)) for row in trial.rows(Problem)
    )


def _claims(trial: Trial, codes: Mapping[int, str]) -> Counter[Any]:
    """The protocol's number depends on the order of filing: it counts as right where the desk gave it to this parcel."""
    desk = trial.world.registrations()
    problems = {row["id"]: row["kind"] for row in trial.rows(Problem)}
    behind: dict[int, list[str]] = {}
    for link in trial.rows(ClaimProblem):
        behind.setdefault(link["claim_id"], []).append(problems[link["problem_id"]])
    told = ("shop", "kind", "motive", "state", "outcome", "refusal_code", "claimable_from", "deadline_on")
    return Counter(
        (
            code := codes[row["shipment_id"]],
            row["protocol"] is None or desk.get(code) == [row["protocol"]],
            row["protocol"] is None,
            tuple(sorted(behind.get(row["id"], ()))),
            *(row[name] for name in told),
        )
        for row in trial.rows(Claim)
    )


def _messages(trial: Trial, codes: Mapping[int, str]) -> dict[Any, str]:
    """Every delivery by what it tells; one that left and was not confirmed stands for one that left."""
    orders = {row["id"]: row["number"] for row in trial.rows(Order)}
    notices = {row["id"]: row for row in trial.rows(Notice)}
    members: dict[int, list[tuple[str, int]]] = {}
    for row in trial.rows(NoticeMember):
        members.setdefault(row["notice_id"], []).append((codes[row["shipment_id"]], row["episode"]))
    found: dict[Any, str] = {}
    for row in trial.rows(Delivery):
        notice = notices[row["notice_id"]]
        about = tuple(sorted(members[row["notice_id"]]))
        key = (orders[notice["order_id"]], notice["trigger"], about, row["channel"], row["recipient"])
        assert key not in found, f"told twice: {key}"
        found[key] = "sent" if row["state"] == "unconfirmed" else row["state"]
    return found


# --- what must hold of any play ---------------------------------------------------------------------


def check_claims(trial: Trial) -> None:
    """The carrier registered each object once at most, and we know of every registration by its number."""
    desk = trial.world.registrations()
    assert all(len(numbers) == 1 for numbers in desk.values()), desk
    codes = codes_of(trial)
    ours = {codes[row["shipment_id"]]: [row["protocol"]] for row in trial.rows(Claim) if row["protocol"] is not None}
    assert ours == desk


def check_messages(play: Play) -> None:
    """Every message is sent, unconfirmed, queued or known not to be worth sending; the mail server had none that is
    not ours, and none twice save the one kind that may be."""
    trial = play.trial
    triggers = {row["id"]: row["trigger"] for row in trial.rows(Notice)}
    rows = {row["message_id"]: row for row in trial.rows(Delivery)}
    assert {row["state"] for row in rows.values()} <= SETTLED
    taken = Counter(message_id for _recipient, message_id in trial.told())
    for message_id, times in taken.items():
        row = rows[message_id]
        tolerates = triggers[row["notice_id"]] in TOLERANT and row["repeated"]
        assert times <= (2 if tolerates else 1), f"{times} times: {triggers[row['notice_id']]}"
        assert row["state"] in {"sent", "unconfirmed"}, row["state"]
    assert {key for key, row in rows.items() if row["state"] == "sent"} <= set(taken)
    _check_unconfirmed(play, triggers)


def _check_unconfirmed(play: Play, triggers: Mapping[int, str]) -> None:
    """Unconfirmed are those that a kill caught between `sending` and the save, and an alert tells of each."""
    rows = play.trial.rows(Delivery)
    caught = {delivery_id for one in play.struck for delivery_id in one.sending}
    unconfirmed = {row["id"] for row in rows if row["state"] == "unconfirmed"}
    repeatable = {row["id"] for row in rows if triggers[row["notice_id"]] in TOLERANT}
    assert unconfirmed <= caught
    assert caught - unconfirmed <= repeatable
    alerts = play.trial.rows(Alert, kind="message_unconfirmed", resolved_at=None)
    assert {alert["key"] for alert in alerts} == {f"unconfirmed:{delivery_id}" for delivery_id in unconfirmed}

"""What follows from each outcome of an attempt; above all, that nothing is sent a third time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domain.support import at
from tracker.domain.notices import TOLERATES_DUPLICATE
from tracker.domain.outcome import Outcome, Result, Scope
from tracker.domain.words import DeliveryState, Hold, Trigger
from tracker.messages.outcomes import ACCOUNT_PROBE, RECONCILE, Settlement, after_outcome, after_unknown
from tracker.store.deliveries import DueDelivery

State = DeliveryState
NOW, EXPIRES = at("2026-11-25 10:00"), at("2026-11-27 10:00")
LADDER, WISH = timedelta(minutes=2), timedelta(minutes=40)


def delivery(
    state: DeliveryState = State.QUEUED, trigger: Trigger = Trigger.DELAY_DETECTED, **more: Any
) -> DueDelivery:
    values: dict[str, Any] = {
        "id": 1,
        "notice_id": 1,
        "shop": "exemplo",
        "order_id": 1,
        "trigger": trigger,
        "channel": "email",
        "state": state,
        "recipient": "quem@recebe.example",
        "attempts": 0,
        "message_id": "<1@loja.example>",
        "expires_at": EXPIRES,
        "queued_at": NOW,
        "repeated": False,
        "hold_reason": None,
    }
    return DueDelivery(**(values | more))


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(Outcome(Result.ACCEPTED), Settlement(State.SENT, None), id="accepted"),
        pytest.param(
            Outcome(Result.RETRY, "greylisted"),
            Settlement(State.QUEUED, NOW + LADDER, "greylisted"),
            id="again by the ladder",
        ),
        pytest.param(
            Outcome(Result.RETRY, "full", after=WISH),
            Settlement(State.QUEUED, NOW + WISH, "full"),
            id="again as it wishes",
        ),
        pytest.param(
            Outcome(Result.THROTTLED, "quota", after=WISH),
            Settlement(State.QUEUED, NOW + WISH, "quota"),
            id="quota used up",
        ),
        pytest.param(
            Outcome(Result.ACCOUNT_DOWN, "auth"),
            Settlement(State.QUEUED, NOW + ACCOUNT_PROBE, "auth"),
            id="the account is down",
        ),
        pytest.param(
            Outcome(Result.ACCOUNT_DOWN, "auth", after=WISH),
            Settlement(State.QUEUED, NOW + WISH, "auth"),
            id="the account is down for so long",
        ),
        pytest.param(
            Outcome(Result.RETRY, "unreachable", scope=Scope.ACCOUNT),
            Settlement(State.QUEUED, NOW, "unreachable"),
            id="the server is not there: the message keeps its place",
        ),
        pytest.param(
            Outcome(Result.BAD_ADDRESS, "no_such_mailbox"),
            Settlement(State.BOUNCED, None, "no_such_mailbox"),
            id="no such mailbox",
        ),
        pytest.param(
            Outcome(Result.BLOCKED, "opted_out"), Settlement(State.FAILED, None, "opted_out"), id="not wanted"
        ),
        pytest.param(
            Outcome(Result.POLICY_CAP, "cap"), Settlement(State.FAILED, None, "cap"), id="the provider will not"
        ),
        pytest.param(
            Outcome(Result.BAD_CONTENT, "too_big"),
            Settlement(State.AWAITING_PERSON, EXPIRES, "too_big", Hold.TEMPLATE),
            id="the text is refused: a person, and once more when it is past its age",
        ),
        pytest.param(
            Outcome(Result.UNKNOWN),
            Settlement(State.UNCONFIRMED, None, "no_answer"),
            id="no answer: never again blindly",
        ),
    ],
)
def test_after_the_first_attempt(outcome: Outcome, expected: Settlement) -> None:
    assert after_outcome(outcome, delivery(), LADDER, NOW) == expected


@pytest.mark.parametrize("state", [State.QUEUED, State.UNCONFIRMED])
@pytest.mark.parametrize("scope", [Scope.ACCOUNT, Scope.SENDER])
@pytest.mark.parametrize("result", [Result.RETRY, Result.THROTTLED, Result.ACCOUNT_DOWN])
def test_what_waits_out_an_outage_keeps_its_place(result: Result, scope: Scope, state: DeliveryState) -> None:
    """The failures were the account's, not the message's: the account's circuit spares the server, no ladder need."""
    subject = delivery(state, attempts=3, next_step_at=NOW - LADDER)
    settlement = after_outcome(
        Outcome(result, "unreachable", after=WISH, scope=scope), subject, timedelta(hours=6), NOW
    )
    assert settlement == Settlement(state, NOW - LADDER, "unreachable")


@pytest.mark.parametrize(
    "trigger", [Trigger.POSTED, *sorted(TOLERATES_DUPLICATE), Trigger.DELIVERED], ids=lambda t: t.value
)
@pytest.mark.parametrize(
    ("state", "repeated", "again"),
    [
        pytest.param(State.QUEUED, False, True, id="its first sending"),
        pytest.param(State.UNCONFIRMED, False, False, id="its second sending"),
        pytest.param(State.UNCONFIRMED, True, False, id="marked as repeated"),
    ],
)
def test_a_message_without_an_answer_is_sent_at_most_twice(
    trigger: Trigger, state: DeliveryState, repeated: bool, again: bool
) -> None:
    subject = delivery(state, trigger, repeated=repeated)
    settlement = after_outcome(Outcome(Result.UNKNOWN), subject, LADDER, NOW)
    tolerated = again and trigger in TOLERATES_DUPLICATE
    assert settlement == Settlement(State.UNCONFIRMED, NOW + RECONCILE if tolerated else None, "no_answer")


@pytest.mark.parametrize(
    ("trigger", "repeated", "expected"),
    [
        pytest.param(Trigger.LOSS_CONFIRMED, False, NOW + RECONCILE, id="silence costs more than a second copy"),
        pytest.param(Trigger.LOSS_CONFIRMED, True, None, id="a third copy does not"),
        pytest.param(Trigger.DELAY_DETECTED, False, None, id="a second copy costs more than silence"),
    ],
)
def test_a_death_while_sending(trigger: Trigger, repeated: bool, expected: Any) -> None:
    assert after_unknown(trigger, repeated, NOW) == Settlement(State.UNCONFIRMED, expected, "no_answer")


@pytest.mark.parametrize(
    ("result", "state", "next_step_at"),
    [
        pytest.param(Result.ACCEPTED, State.SENT, None, id="accepted: sent, whatever became of the first"),
        pytest.param(Result.RETRY, State.UNCONFIRMED, NOW + LADDER, id="not now: tried again, still unconfirmed"),
        pytest.param(Result.THROTTLED, State.UNCONFIRMED, NOW + LADDER, id="no quota: tried again"),
        pytest.param(
            Result.ACCOUNT_DOWN, State.UNCONFIRMED, NOW + ACCOUNT_PROBE, id="the account is down: tried again"
        ),
        pytest.param(Result.BAD_ADDRESS, State.UNCONFIRMED, None, id="no such mailbox: the first may have arrived"),
        pytest.param(Result.BLOCKED, State.UNCONFIRMED, None, id="not wanted: the first may have arrived"),
        pytest.param(Result.BAD_CONTENT, State.UNCONFIRMED, None, id="refused text: the first may have arrived"),
        pytest.param(Result.POLICY_CAP, State.UNCONFIRMED, None, id="capped: the first may have arrived"),
    ],
)
def test_after_the_second_attempt_of_an_unconfirmed_message(
    result: Result, state: DeliveryState, next_step_at: Any
) -> None:
    subject = delivery(State.UNCONFIRMED, Trigger.LOSS_CONFIRMED)
    settlement = after_outcome(Outcome(result, "why"), subject, LADDER, NOW)
    assert (settlement.state, settlement.next_step_at) == (state, next_step_at)

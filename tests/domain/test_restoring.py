"""What of each state goes on after a restore, and what waits for a person: one table a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from carriers.base import ClaimProgress
from tests.domain.claim_support import FREE, TERMS, claim, filed, shown, status, step
from tests.domain.support import DAYS, at, on
from tracker.domain import claim_filing, claim_following
from tracker.domain.claim_moves import Gates
from tracker.domain.restoring import (
    ClaimAfter,
    claim_after,
    knows_the_carriers_word,
    may_have_been_filed,
    message_after,
    rests_on_the_lost,
)
from tracker.domain.words import ClaimState, DeliveryState, Hold

State = ClaimState
NOW = at("2026-11-26 10:00")
EARLIER, RESTORED_AT, LATER = at("2026-11-25 10:00"), at("2026-11-26 09:00"), at("2026-11-26 09:30")
HELD = Gates(Hold.RESTORED, "restored", why="restored")
LOOK = replace(HELD, look_first=True)


@pytest.mark.parametrize(
    ("state", "hold", "is_held"),
    [
        pytest.param(DeliveryState.QUEUED, None, True, id="queued: may have left since"),
        pytest.param(DeliveryState.SENDING, None, True, id="on its way: may have arrived"),
        pytest.param(DeliveryState.UNCONFIRMED, None, False, id="unconfirmed: never again by itself"),
        pytest.param(
            DeliveryState.AWAITING_PERSON, Hold.OBSERVE, True, id="observed: the shop may have gone live since"
        ),
        pytest.param(
            DeliveryState.AWAITING_PERSON, Hold.BEFORE_LIVE, True, id="from before: may have been released since"
        ),
        pytest.param(DeliveryState.AWAITING_PERSON, Hold.TEMPLATE, True, id="its text may have been mended since"),
        pytest.param(DeliveryState.AWAITING_PERSON, Hold.MUTED, True, id="silenced: the silence may be over since"),
        pytest.param(DeliveryState.AWAITING_PERSON, Hold.CONFIGURATION, None, id="its shop is gone: a person anyway"),
        pytest.param(DeliveryState.AWAITING_PERSON, Hold.RESTORED, None, id="held by an earlier restore"),
        pytest.param(DeliveryState.SENT, None, None, id="sent"),
        pytest.param(DeliveryState.DELIVERED, None, None, id="delivered"),
        pytest.param(DeliveryState.BOUNCED, None, None, id="bounced"),
        pytest.param(DeliveryState.FAILED, None, None, id="failed"),
        pytest.param(DeliveryState.SUPPRESSED, None, None, id="suppressed"),
        pytest.param(DeliveryState.EXPIRED, None, None, id="expired"),
    ],
)
def test_messages(state: DeliveryState, hold: Hold | None, is_held: bool | None) -> None:
    after = message_after(state, hold)
    assert (after.is_held if after else None) is is_held
    assert after is None or after.reason


GOES_ON, WAITS = ClaimAfter(), ClaimAfter(is_held=True, looks=True)


@pytest.mark.parametrize(
    ("state", "hold", "approved", "call", "after"),
    [
        pytest.param(State.PLANNED, None, False, None, GOES_ON, id="planned: its gates know of it on its day"),
        pytest.param(State.SUBMITTING, None, False, "open", replace(WAITS, withdraws=True), id="was being filed"),
        pytest.param(
            State.SUBMITTING, None, False, "letter", replace(WAITS, withdraws=True), id="its letter was leaving"
        ),
        pytest.param(State.WAITING_APPROVAL, Hold.LETTER, False, None, GOES_ON, id="waits with what its letter met"),
        pytest.param(State.SUBMITTING, None, False, "look_up", replace(WAITS, withdraws=True), id="answer was lost"),
        pytest.param(State.WAITING_APPROVAL, Hold.PROPOSE, True, None, WAITS, id="approved and not yet filed"),
        pytest.param(State.WAITING_APPROVAL, Hold.CARRIER_ANSWER, True, None, WAITS, id="approved after an answer"),
        pytest.param(
            State.WAITING_APPROVAL, Hold.PROPOSE, False, None, ClaimAfter(looks=True), id="approved since, perhaps"
        ),
        pytest.param(State.WAITING_APPROVAL, Hold.OBSERVE, False, None, ClaimAfter(looks=True), id="observed"),
        pytest.param(State.WAITING_APPROVAL, Hold.CARRIER_ANSWER, False, None, GOES_ON, id="waits with a refusal"),
        pytest.param(
            State.WAITING_APPROVAL, Hold.CONFIGURATION, False, None, GOES_ON, id="waits for the configuration"
        ),
    ],
)
def test_claims_that_the_carrier_had_not(
    state: ClaimState, hold: Hold | None, approved: bool, call: str | None, after: ClaimAfter
) -> None:
    assert claim_after(state, filed=False, hold=hold, approved=approved, call=call) == after


@pytest.mark.parametrize("state", [State.OPEN, State.ANSWERED, State.ACCEPTED, State.REJECTED, State.REOPENED])
def test_claims_that_the_carrier_had_are_followed_on(state: ClaimState) -> None:
    for call in (None, "look_up"):
        assert claim_after(state, filed=True, hold=None, approved=False, call=call) == GOES_ON
    reopening = claim_after(state, filed=True, hold=None, approved=False, call="reopen")
    assert reopening == ClaimAfter(looks=True, withdraws=True)


def test_a_reminder_that_was_leaving_waits_and_a_letter_whose_end_is_known_is_heard_of() -> None:
    reminder = claim_after(State.OPEN, filed=True, hold=None, approved=False, call="follow_up")
    assert reminder == replace(WAITS, withdraws=True)
    for state, call in ((State.SUBMITTING, "letter"), (State.OPEN, "follow_up")):
        after = claim_after(state, filed=call == "follow_up", hold=None, approved=True, call=call, is_known=True)
        assert after == ClaimAfter(looks=True)


@pytest.mark.parametrize(
    ("began", "released", "rests"),
    [
        pytest.param(EARLIER, None, True, id="began before and nobody let it go"),
        pytest.param(EARLIER, EARLIER, True, id="let go before: that was for another reason"),
        pytest.param(EARLIER, LATER, False, id="let go since"),
        pytest.param(LATER, None, False, id="began since"),
    ],
)
def test_what_rests_on_the_lost_time(began: datetime, released: datetime | None, rests: bool) -> None:
    assert rests_on_the_lost(began, released, RESTORED_AT) is rests
    assert rests_on_the_lost(began, released, None) is False


def test_a_claim_whose_day_had_not_come_cannot_have_been_filed() -> None:
    assert may_have_been_filed(EARLIER, RESTORED_AT) and not may_have_been_filed(LATER, RESTORED_AT)
    assert not may_have_been_filed(EARLIER, None)
    assert knows_the_carriers_word(LATER, RESTORED_AT) and not knows_the_carriers_word(EARLIER, RESTORED_AT)
    assert not knows_the_carriers_word(None, RESTORED_AT)


# --- the claim's own moves --------------------------------------------------------------------------


@pytest.mark.parametrize("approved_at", [None, LATER], ids=["waiting", "approved"])
@pytest.mark.parametrize("now", [NOW, at("2027-03-01 10:00")], ids=["on its day", "after its last day"])
def test_the_carrier_is_asked_before_anything_else(approved_at: datetime | None, now: datetime) -> None:
    move = claim_filing.start(claim(approved_at=approved_at), LOOK, TERMS, DAYS, now)
    wanted = {"state": State.WAITING_APPROVAL, "call": "look_up", "hold": Hold.RESTORED, "rule": "claim.restored_look"}
    assert shown(move, *wanted) == wanted


def test_a_carrier_that_cannot_be_asked_leaves_it_to_the_person() -> None:
    move = claim_filing.start(claim(by_letter=True), LOOK, TERMS, DAYS, NOW)
    assert shown(move, "call", "hold") == {"call": None, "hold": Hold.RESTORED}


def test_what_the_carrier_has_is_adopted_and_what_it_has_not_waits() -> None:
    waiting = claim(state=State.WAITING_APPROVAL, hold=Hold.RESTORED, steps=(step(1, "look_up", "none"),))
    found = claim_following.after_look_up(waiting, status(ClaimProgress.OPEN, protocol="1"), TERMS, DAYS, NOW)
    assert shown(found, "state", "opened", "protocol") == {"state": State.OPEN, "opened": True, "protocol": "1"}
    missing = claim_following.after_look_up(waiting, status(ClaimProgress.NONE), TERMS, DAYS, NOW)
    assert shown(missing, "state", "hold", "call") == {
        "state": State.WAITING_APPROVAL,
        "hold": Hold.RESTORED,
        "call": None,
    }
    approved = replace(waiting, approved_at=LATER)
    move = claim_following.after_look_up(approved, status(ClaimProgress.NONE), TERMS, DAYS, NOW)
    assert shown(move, "state", "call") == {"state": State.SUBMITTING, "call": "open"}


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_look_that_finds_no_carrier_never_ends_in_a_filing(times: int) -> None:
    lost = tuple(step(n, "look_up", "lost") for n in range(1, times + 1))
    waiting = claim(state=State.WAITING_APPROVAL, hold=Hold.RESTORED, steps=lost)
    for move in (
        claim_filing.after_lost_answer(waiting, NOW),
        claim_filing.after_not_sent(waiting, "the carrier is away", NOW),
    ):
        wanted = {"state": State.WAITING_APPROVAL, "hold": Hold.RESTORED, "call": "look_up"}
        assert shown(move, *wanted) == wanted


def test_a_reopening_waits_for_the_carriers_word_and_then_for_the_person() -> None:
    accepted = filed(
        state=State.ACCEPTED,
        outcome="accepted",
        protocol="1",
        answered_at=EARLIER,
        steps=(step(1, "look_up", "accepted"),),
    )
    terms = replace(TERMS, refund_motives=("211",))
    assert claim_following.pursue(accepted, LOOK, terms, DAYS, NOW).call == "look_up"
    assert claim_following.pursue(accepted, HELD, terms, DAYS, NOW).hold is Hold.RESTORED
    assert claim_following.pursue(accepted, FREE, terms, DAYS, NOW).call == "reopen"


def test_a_released_claim_is_filed() -> None:
    waiting = claim(
        state=State.WAITING_APPROVAL, hold=Hold.RESTORED, last_answered_at=NOW, claimable_from=on("2026-11-25")
    )
    assert claim_filing.start(waiting, FREE, TERMS, DAYS, NOW).call == "open"
    assert claim_filing.start(replace(waiting, approved_at=LATER), HELD, TERMS, DAYS, NOW).call == "open"

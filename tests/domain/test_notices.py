"""What the customer is told, what is held back, and when it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.support import DAYS, at, event, fold_of
from tracker.domain.history import History
from tracker.domain.notices import (
    RETRY,
    SPACING,
    HeldBack,
    NoticeFacts,
    NoticePolicy,
    ToldClaim,
    ToldDelay,
    ToldProblem,
    Wanted,
    WhyNotTold,
    after_delay,
    decide,
    leaves_at,
    live_hold,
    within_hours,
)
from tracker.domain.words import ClaimState, DeliveryState, Hold, Trigger

Status = TrackingStatus
Kind = ProblemKind
HOUR = timedelta(hours=1)
MAX_AGE = {
    Trigger.POSTED: 24 * HOUR,
    Trigger.DELAY_DETECTED: 48 * HOUR,
    Trigger.INQUIRY_OPENED: 72 * HOUR,
    Trigger.LOSS_CONFIRMED: 168 * HOUR,
    Trigger.DAMAGE: 72 * HOUR,
    Trigger.RETURNED_TO_SENDER: 168 * HOUR,
    Trigger.DELIVERED: 72 * HOUR,
}
EVERYTHING = NoticePolicy(channels=dict.fromkeys(MAX_AGE, ("email",)), max_age=MAX_AGE)
PROBLEMS = replace(EVERYTHING, channels={t: ("email",) for t in MAX_AGE if t is not Trigger.POSTED})
"""The preset `problems`."""

POSTED = event(1, "2026-11-16 10:00", Status.POSTED)
MOVED = event(2, "2026-11-17 10:00", Status.IN_TRANSIT)
ON_ITS_WAY = fold_of(POSTED, MOVED)
DAMAGED = replace(ON_ITS_WAY, damaged_at=at("2026-11-27 10:00"))
DELIVERED = fold_of(POSTED, MOVED, event(9, "2026-11-27 11:00", Status.DELIVERED))
LOST = fold_of(POSTED, MOVED, event(9, "2026-11-27 10:00", Status.LOST, cause=Cause.LOSS))
RETURNING = fold_of(POSTED, MOVED, event(9, "2026-11-27 10:00", Status.RETURNING, cause=Cause.REFUSED))
RETURNED = fold_of(POSTED, MOVED, event(9, "2026-11-27 10:00", Status.RETURNED, cause=Cause.RETURN))


def problem(kind: Kind, since: str = "2026-11-27 10:00", **more: Any) -> ToldProblem:
    values: dict[str, Any] = {
        "id": 7,
        "episode": 1,
        "presumed": False,
        "customer_since": at(since) if kind is Kind.DELAY else None,
        "detected_at": at(since),
        "resolved_at": None,
    }
    return ToldProblem(kind=kind, since=at(since), **(values | more))


LATE = problem(Kind.DELAY, "2026-11-27 00:00")
CLAIM = ToldClaim(ClaimState.OPEN, "P1", at("2026-11-27 10:00"))


def facts(history: History = ON_ITS_WAY, *problems: ToldProblem, **more: Any) -> NoticeFacts:
    """A parcel known since the day it was posted."""
    values: dict[str, Any] = {"first_seen_at": at("2026-11-16 11:00"), "problems": problems} | more
    return NoticeFacts(history, **values)


def told(shown: NoticeFacts, now: str = "2026-11-27 12:00", policy: NoticePolicy = PROBLEMS) -> list[Wanted]:
    return decide(shown, policy, DAYS, at(now))[0]


def triggers(wanted: list[Wanted]) -> list[Trigger]:
    return [notice.trigger for notice in wanted]


# --- which trigger ----------------------------------------------------------------------------------


def test_a_loss_that_only_a_text_tells_of_is_not_called_confirmed() -> None:
    assert told(facts(LOST, problem(Kind.LOSS, by_words=True))) == []


@pytest.mark.parametrize(
    ("shown", "trigger", "since"),
    [
        pytest.param(facts(ON_ITS_WAY, LATE), Trigger.DELAY_DETECTED, "2026-11-27 00:00", id="late for the customer"),
        pytest.param(
            facts(ON_ITS_WAY, replace(LATE, since=at("2026-11-25 00:00"))),
            Trigger.DELAY_DETECTED,
            "2026-11-27 00:00",
            id="late for the carrier first: told since the customer's day",
        ),
        pytest.param(facts(LOST, problem(Kind.LOSS)), Trigger.LOSS_CONFIRMED, "2026-11-27 10:00", id="lost"),
        pytest.param(
            facts(LOST, problem(Kind.LOSS, "2026-11-20 00:00")),
            Trigger.LOSS_CONFIRMED,
            "2026-11-27 10:00",
            id="presumed at first: told since the carrier says so",
        ),
        pytest.param(facts(ON_ITS_WAY, problem(Kind.THEFT)), Trigger.LOSS_CONFIRMED, "2026-11-27 10:00", id="stolen"),
        pytest.param(facts(DAMAGED, problem(Kind.DAMAGE)), Trigger.DAMAGE, "2026-11-27 10:00", id="damaged"),
        pytest.param(
            facts(RETURNING, problem(Kind.RETURNING)),
            Trigger.RETURNED_TO_SENDER,
            "2026-11-27 10:00",
            id="on its way back",
        ),
        pytest.param(
            facts(RETURNED, problem(Kind.RETURNED)),
            Trigger.RETURNED_TO_SENDER,
            "2026-11-27 10:00",
            id="back, and never seen turning",
        ),
        pytest.param(
            facts(DELIVERED, problem_told=True),
            Trigger.DELIVERED,
            "2026-11-27 11:00",
            id="delivered after a told problem",
        ),
    ],
)
def test_what_is_told(shown: NoticeFacts, trigger: Trigger, since: str) -> None:
    wanted = told(shown)
    assert triggers(wanted) == [trigger]
    assert wanted[0].since == at(since)
    assert wanted[0].expires_at == at(since) + MAX_AGE[trigger]
    assert wanted[0].episode == 1


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(facts(), id="all is well"),
        pytest.param(facts(ON_ITS_WAY, replace(LATE, customer_since=None)), id="late for the carrier only"),
        pytest.param(facts(ON_ITS_WAY, problem(Kind.LOSS, presumed=True)), id="a loss presumed from silence"),
        pytest.param(facts(DELIVERED), id="delivered, and no problem was told"),
        pytest.param(
            facts(DELIVERED, problem(Kind.LATE_DELIVERY, resolved_at=at("2026-11-27 11:00"))),
            id="delivered late, untold",
        ),
        pytest.param(facts(DELIVERED, replace(LATE, resolved_at=at("2026-11-27 11:00"))), id="late until it came"),
        pytest.param(
            facts(RETURNED, problem(Kind.RETURNED), problem(Kind.RETURNING, resolved_at=at("2026-11-27 10:00"))),
            id="back after it was seen turning",
        ),
        pytest.param(facts(ON_ITS_WAY, claim=CLAIM), id="a claim for a parcel that is not late for the customer"),
        pytest.param(
            facts(ON_ITS_WAY, replace(LATE, customer_since=None), claim=CLAIM), id="a claim, late for the carrier only"
        ),
        *(
            pytest.param(facts(ON_ITS_WAY, problem(kind)), id=f"nothing is told of {kind.value}")
            for kind in (Kind.STALLED, Kind.DELIVERY_FAILED, Kind.ADDRESS_PROBLEM, Kind.SEIZED, Kind.UNTRACKABLE)
        ),
    ],
)
def test_what_is_not_told(shown: NoticeFacts) -> None:
    assert decide(shown, PROBLEMS, DAYS, at("2026-11-27 12:00")) == ([], [], None)


@pytest.mark.parametrize(
    ("shown", "triggers"),
    [
        pytest.param(
            facts(ON_ITS_WAY, LATE, order_silent=True, claim=CLAIM, problem_told=True),
            [Trigger.DELAY_DETECTED, Trigger.INQUIRY_OPENED],
            id="late",
        ),
        pytest.param(facts(DELIVERED, order_silent=True, problem_told=True), [Trigger.DELIVERED], id="delivered"),
        pytest.param(facts(LOST, problem(Kind.LOSS), order_silent=True), [Trigger.LOSS_CONFIRMED], id="lost"),
    ],
)
def test_a_cancelled_order_is_silent_and_the_log_says_why(shown: NoticeFacts, triggers: list[Trigger]) -> None:
    wanted, held, wake = decide(shown, PROBLEMS, DAYS, at("2026-11-27 12:00"))
    assert (wanted, wake) == ([], None)
    assert [(entry.trigger, entry.why) for entry in held] == [(one, WhyNotTold.ORDER_SILENT) for one in triggers]


def test_what_the_customer_reported_himself_is_not_told_to_him() -> None:
    wanted, held, _ = decide(
        facts(ON_ITS_WAY, problem(Kind.DAMAGE, by_hand=True)), PROBLEMS, DAYS, at("2026-11-27 12:00")
    )
    assert (wanted, held) == ([], [])


def test_a_damaged_parcel_is_not_told_to_be_late_nor_its_claim_to_be_an_inquiry() -> None:
    shown = facts(DAMAGED, LATE, problem(Kind.DAMAGE), claim=CLAIM)
    wanted, held, _ = decide(shown, PROBLEMS, DAYS, at("2026-11-27 12:00"))
    assert triggers(wanted) == [Trigger.DAMAGE]
    late = [Trigger.DELAY_DETECTED, Trigger.INQUIRY_OPENED]
    assert [(entry.trigger, entry.why) for entry in held] == [(one, WhyNotTold.DAMAGED) for one in late]
    over = problem(Kind.DAMAGE, resolved_at=at("2026-11-27 11:00"))
    assert triggers(told(facts(ON_ITS_WAY, LATE, over, claim=CLAIM))) == late


@pytest.mark.parametrize(
    ("state", "opened_at", "expected"),
    [
        pytest.param(ClaimState.OPEN, "2026-11-27 10:00", True, id="registered"),
        pytest.param(ClaimState.ANSWERED, "2026-11-27 10:00", True, id="answered already"),
        pytest.param(ClaimState.ACCEPTED, "2026-11-27 10:00", True, id="accepted already"),
        pytest.param(ClaimState.REOPENED, "2026-11-27 10:00", True, id="reopened"),
        pytest.param(ClaimState.PLANNED, None, False, id="only planned"),
        pytest.param(ClaimState.WAITING_APPROVAL, None, False, id="waits for a person"),
        pytest.param(ClaimState.SUBMITTING, None, False, id="sent, nobody knows whether it arrived"),
        pytest.param(ClaimState.REFUSED, None, False, id="refused by the carrier"),
        pytest.param(ClaimState.REJECTED, "2026-11-27 10:00", False, id="rejected: no comfort in it"),
        pytest.param(ClaimState.PAID, "2026-11-27 10:00", False, id="paid to the shop"),
    ],
)
def test_the_inquiry_is_told_where_the_carrier_has_it(state: ClaimState, opened_at: str | None, expected: bool) -> None:
    claim = ToldClaim(state, "P1", at(opened_at) if opened_at else None)
    known = frozenset({(Trigger.DELAY_DETECTED, 1)})
    wanted = told(facts(ON_ITS_WAY, LATE, claim=claim, known=known))
    assert triggers(wanted) == ([Trigger.INQUIRY_OPENED] if expected else [])
    assert not expected or (wanted[0].since, wanted[0].not_before) == (at("2026-11-27 10:00"), at("2026-11-27 10:00"))


def test_the_inquiry_keeps_its_distance_from_a_delay_told_in_the_same_breath() -> None:
    wanted = told(facts(ON_ITS_WAY, LATE, claim=CLAIM))
    assert triggers(wanted) == [Trigger.DELAY_DETECTED, Trigger.INQUIRY_OPENED]
    assert wanted[1].not_before == at("2026-11-27 12:00") + SPACING


NOON = at("2026-11-27 12:00")
AN_HOUR_AGO, LONG_AGO = NOON - HOUR, NOON - SPACING


@pytest.mark.parametrize(
    ("delays", "until"),
    [
        pytest.param([], None, id="no delay was to be told"),
        pytest.param([ToldDelay(DeliveryState.QUEUED)], NOON + RETRY, id="queued: it goes first"),
        pytest.param([ToldDelay(DeliveryState.SENDING, NOON)], NOON + RETRY, id="leaving right now"),
        pytest.param([ToldDelay(DeliveryState.SENT, AN_HOUR_AGO)], NOON + 2 * HOUR, id="sent an hour ago"),
        pytest.param([ToldDelay(DeliveryState.DELIVERED, AN_HOUR_AGO)], NOON + 2 * HOUR, id="delivered since"),
        pytest.param([ToldDelay(DeliveryState.UNCONFIRMED, AN_HOUR_AGO)], NOON + 2 * HOUR, id="it may have arrived"),
        pytest.param([ToldDelay(DeliveryState.SENT, LONG_AGO)], None, id="sent three hours ago"),
        pytest.param(
            [ToldDelay(DeliveryState.SENT, LONG_AGO), ToldDelay(DeliveryState.QUEUED)],
            NOON + RETRY,
            id="a second delay is queued",
        ),
        *(
            pytest.param([ToldDelay(state)], None, id=f"{state.value}: it will not be told by itself")
            for state in (
                DeliveryState.EXPIRED,
                DeliveryState.SUPPRESSED,
                DeliveryState.BOUNCED,
                DeliveryState.FAILED,
                DeliveryState.AWAITING_PERSON,
            )
        ),
    ],
)
def test_the_inquiry_leaves_after_the_delay(delays: list[ToldDelay], until: datetime | None) -> None:
    assert after_delay(delays, NOON) == until


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param(fold_of(POSTED), [Trigger.POSTED], id="posted"),
        pytest.param(fold_of(event(1, "2026-11-16 10:00", Status.PRE_TRANSIT)), [], id="only a label"),
        pytest.param(fold_of(POSTED, event(2, "2026-11-16 10:30", Status.DELIVERED)), [], id="here already"),
    ],
)
def test_posted_is_told_where_the_merchant_asks_for_it(history: History, expected: list[Trigger]) -> None:
    shown = facts(history)
    assert triggers(told(shown, "2026-11-16 11:00", EVERYTHING)) == expected
    assert told(shown, "2026-11-16 11:00", PROBLEMS) == []


_OF_EACH = {
    Trigger.POSTED: facts(fold_of(POSTED._replace(occurred_at=at("2026-11-27 10:00")))),
    Trigger.DELAY_DETECTED: facts(ON_ITS_WAY, LATE),
    Trigger.INQUIRY_OPENED: facts(ON_ITS_WAY, LATE, claim=CLAIM),
    Trigger.LOSS_CONFIRMED: facts(LOST, problem(Kind.LOSS)),
    Trigger.DAMAGE: facts(DAMAGED, problem(Kind.DAMAGE)),
    Trigger.RETURNED_TO_SENDER: facts(RETURNING, problem(Kind.RETURNING)),
    Trigger.DELIVERED: facts(DELIVERED, problem_told=True),
}


@pytest.mark.parametrize("trigger", list(_OF_EACH), ids=lambda trigger: trigger.value)
@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        pytest.param({}, False, id="not named"),
        pytest.param(None, False, id="an empty list switches it off"),
        pytest.param(("email",), True, id="on"),
    ],
)
def test_every_trigger_can_be_switched(trigger: Trigger, channels: Any, expected: bool) -> None:
    named = {trigger: () if channels is None else channels} if channels != {} else {}
    policy = replace(EVERYTHING, channels=named)
    wanted, held, _ = decide(_OF_EACH[trigger], policy, DAYS, at("2026-11-27 12:00"))
    assert (triggers(wanted), held) == ([trigger] if expected else [], [])


@pytest.mark.parametrize("trigger", list(_OF_EACH), ids=lambda trigger: trigger.value)
def test_every_trigger_is_told_once_an_episode(trigger: Trigger) -> None:
    policy = replace(EVERYTHING, channels={trigger: ("email",)})
    shown = _OF_EACH[trigger]
    assert triggers(told(shown, policy=policy)) == [trigger]
    assert told(replace(shown, known=frozenset({(trigger, 1)})), policy=policy) == []


def test_a_second_episode_is_told_again() -> None:
    again = replace(LATE, episode=2)
    shown = facts(ON_ITS_WAY, again, known=frozenset({(Trigger.DELAY_DETECTED, 1)}))
    assert [(notice.trigger, notice.episode, notice.problem_id) for notice in told(shown)] == [
        (Trigger.DELAY_DETECTED, 2, 7)
    ]


# --- the past ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("trigger", list(_OF_EACH), ids=lambda trigger: trigger.value)
def test_what_is_older_than_its_age_is_held_back(trigger: Trigger) -> None:
    policy = replace(EVERYTHING, channels={trigger: ("email",)})
    shown = _OF_EACH[trigger]
    expires_at = told(shown, policy=policy)[0].expires_at
    just_before, _, _ = decide(shown, policy, DAYS, expires_at - timedelta(seconds=1))
    assert triggers(just_before) == [trigger]
    wanted, held, _ = decide(shown, policy, DAYS, expires_at)
    assert wanted == []
    assert [(entry.trigger, entry.episode) for entry in held] == [(trigger, 1)]
    assert "older than what is worth telling" in held[0].reason


@pytest.mark.parametrize(
    ("history", "more", "reason"),
    [
        pytest.param(DELIVERED, {"problem_told": True}, "before it was first seen", id="a delivered parcel"),
        pytest.param(
            RETURNED, {"problems": (problem(Kind.RETURNED),)}, "before it was first seen", id="a returned parcel"
        ),
        pytest.param(
            ON_ITS_WAY,
            {"problems": (problem(Kind.DELAY, "2026-11-25 11:00"),)},
            "older than what is worth telling",
            id="a parcel long late",
        ),
    ],
)
def test_at_first_sight_the_past_is_not_told(history: History, more: dict[str, Any], reason: str) -> None:
    shown = facts(history, first_seen_at=at("2026-11-27 12:00"), **more)
    wanted, held, wake = decide(shown, EVERYTHING, DAYS, at("2026-11-27 12:00"))
    assert (wanted, wake) == ([], None)
    assert all(isinstance(entry, HeldBack) for entry in held)
    assert [entry.reason for entry in held if reason in entry.reason] != []


def test_a_delivery_of_the_very_instant_of_first_sight_is_told() -> None:
    shown = facts(DELIVERED, first_seen_at=at("2026-11-27 11:00"), problem_told=True)
    assert triggers(told(shown)) == [Trigger.DELIVERED]


def test_at_first_sight_a_fresh_delay_is_told() -> None:
    shown = facts(ON_ITS_WAY, LATE, first_seen_at=at("2026-11-27 12:00"))
    assert triggers(told(shown)) == [Trigger.DELAY_DETECTED]


LEARNED = at("2026-12-01 09:00")
LONG_BEFORE, LONG_AFTER = at("2026-11-16 11:00"), at("2026-11-30 11:00")
"""First seen while all was well; first seen when it had gone wrong already."""


def learned_late(kind: Kind, since: str = "2026-11-27 00:00", **more: Any) -> ToldProblem:
    return problem(kind, since, detected_at=LEARNED, **more)


@pytest.mark.parametrize(
    ("shown", "counted_from"),
    [
        pytest.param(facts(ON_ITS_WAY, learned_late(Kind.DELAY)), LEARNED, id="late while tracking was down"),
        pytest.param(facts(LOST, learned_late(Kind.LOSS)), LEARNED, id="lost while tracking was down"),
        pytest.param(facts(RETURNING, learned_late(Kind.RETURNING)), LEARNED, id="turned while tracking was down"),
        pytest.param(facts(RETURNED, learned_late(Kind.RETURNED)), LEARNED, id="back while tracking was down"),
        pytest.param(
            facts(ON_ITS_WAY, learned_late(Kind.DELAY, episode=2), known=frozenset({(Trigger.DELAY_DETECTED, 1)})),
            LEARNED,
            id="late again: a delivery was taken back days later",
        ),
        pytest.param(
            facts(ON_ITS_WAY, learned_late(Kind.DELAY), first_seen_at=at("2026-11-27 00:00")),
            LEARNED,
            id="first seen at the very instant",
        ),
        pytest.param(
            facts(ON_ITS_WAY, problem(Kind.DELAY, "2026-11-30 00:00", detected_at=at("2026-11-28 00:00"))),
            at("2026-11-30 00:00"),
            id="known before, as late for the carrier only",
        ),
        pytest.param(
            facts(ON_ITS_WAY, learned_late(Kind.DELAY), first_seen_at=at("2026-11-27 00:01")),
            at("2026-11-27 00:00"),
            id="first sight came after it",
        ),
        pytest.param(
            facts(ON_ITS_WAY, learned_late(Kind.DELAY, "2026-11-10 00:00"), first_seen_at=LEARNED),
            at("2026-11-10 00:00"),
            id="an old order is imported",
        ),
        pytest.param(
            facts(ON_ITS_WAY, learned_late(Kind.DELAY, episode=2), first_seen_at=LONG_AFTER),
            at("2026-11-27 00:00"),
            id="late at first sight, and again later",
        ),
    ],
)
def test_what_went_wrong_in_our_sight_is_as_old_as_our_knowledge(shown: NoticeFacts, counted_from: datetime) -> None:
    """What we followed is news when we learn of it; first sight tells nothing about the past."""
    trigger = {Kind.DELAY: Trigger.DELAY_DETECTED, Kind.LOSS: Trigger.LOSS_CONFIRMED}.get(
        shown.problems[0].kind, Trigger.RETURNED_TO_SENDER
    )
    expires_at = counted_from + MAX_AGE[trigger]
    wanted, _, _ = decide(shown, PROBLEMS, DAYS, expires_at - timedelta(seconds=1))
    assert [(notice.trigger, notice.expires_at) for notice in wanted] == [(trigger, expires_at)]
    assert wanted[0].since <= counted_from
    wanted, held, _ = decide(shown, PROBLEMS, DAYS, expires_at)
    assert (wanted, [entry.why for entry in held]) == ([], [WhyNotTold.TOO_OLD])


def test_a_delivery_learned_late_stays_as_old_as_it_is() -> None:
    shown = facts(DELIVERED, problem(Kind.DELAY, resolved_at=at("2026-11-27 11:00"), detected_at=LEARNED))
    wanted, held, _ = decide(replace(shown, problem_told=True), PROBLEMS, DAYS, at("2026-11-30 11:00"))
    assert (wanted, [entry.why for entry in held]) == ([], [WhyNotTold.TOO_OLD])


# --- a shop that is not live, or was not ------------------------------------------------------------

FIRST_DAY = at("2026-11-25 00:00")


@pytest.mark.parametrize(
    ("began", "live_at", "now", "expected"),
    [
        pytest.param("2026-11-26 00:00", None, "2026-11-27 12:00", Hold.OBSERVE, id="no first day"),
        pytest.param("2026-11-24 00:00", FIRST_DAY, "2026-11-24 23:59", Hold.OBSERVE, id="the eve"),
        pytest.param("2026-11-24 23:59", FIRST_DAY, "2026-11-25 00:00", Hold.BEFORE_LIVE, id="began the eve"),
        pytest.param("2026-11-25 00:00", FIRST_DAY, "2026-11-25 00:00", None, id="began on the first day"),
        pytest.param(None, FIRST_DAY, "2026-11-25 00:00", None, id="released"),
        pytest.param(None, None, "2026-11-25 00:00", Hold.OBSERVE, id="released, and the shop observes again"),
    ],
)
def test_what_a_shop_holds_back(began: str | None, live_at: datetime | None, now: str, expected: Hold | None) -> None:
    assert live_hold(at(began) if began else None, live_at, at(now)) is expected


@pytest.mark.parametrize(
    ("trigger", "since", "now", "leaves"),
    [
        pytest.param(Trigger.DELAY_DETECTED, "2026-11-27 00:00", "2026-11-28 00:00", "2026-11-28 00:00", id="late"),
        pytest.param(Trigger.DELIVERED, "2026-11-27 11:00", "2026-11-27 12:00", "2026-11-27 13:00", id="just here"),
        pytest.param(Trigger.DELIVERED, "2026-11-27 11:00", "2026-11-27 15:00", "2026-11-27 15:00", id="here"),
        pytest.param(Trigger.DELIVERED, "2026-11-27 11:00", "2026-11-28 00:00", "2026-11-28 09:00", id="at night"),
    ],
)
def test_what_is_let_go_keeps_to_its_hours(trigger: Trigger, since: str, now: str, leaves: str) -> None:
    assert leaves_at(trigger, at(since), PROBLEMS, DAYS, at(now)) == at(leaves)


# --- how many a day ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "expected", "wake"),
    [
        pytest.param(1, [Trigger.LOSS_CONFIRMED, Trigger.RETURNED_TO_SENDER], None, id="three fit a day"),
        pytest.param(2, [Trigger.LOSS_CONFIRMED], "2026-11-28 00:00", id="two were made today"),
        pytest.param(3, [], "2026-11-28 00:00", id="the day is full: tomorrow"),
    ],
)
def test_at_most_three_notices_a_parcel_a_day(today: int, expected: list[Trigger], wake: str | None) -> None:
    shown = facts(ON_ITS_WAY, problem(Kind.THEFT), problem(Kind.RETURNING, id=8), today=today)
    wanted, held, again = decide(shown, PROBLEMS, DAYS, at("2026-11-27 12:00"))
    assert (triggers(wanted), again) == (expected, at(wake) if wake else None)
    assert [entry.why for entry in held] == [WhyNotTold.DAILY_LIMIT] * (2 - len(expected))


def test_a_parcel_that_does_not_come_leaves_nothing_else_to_say() -> None:
    shown = facts(ON_ITS_WAY, problem(Kind.THEFT), LATE, claim=CLAIM)
    wanted, held, again = decide(shown, PROBLEMS, DAYS, at("2026-11-27 12:00"))
    assert (triggers(wanted), again) == ([Trigger.LOSS_CONFIRMED], None)
    assert [(entry.trigger, entry.why) for entry in held] == [
        (Trigger.DELAY_DETECTED, WhyNotTold.SAID_ALREADY),
        (Trigger.INQUIRY_OPENED, WhyNotTold.SAID_ALREADY),
    ]


def test_a_return_that_was_told_and_stands_goes_on_leaving_nothing_else_to_say() -> None:
    known = frozenset({(Trigger.RETURNED_TO_SENDER, 1)})
    shown = facts(
        replace(RETURNING, damaged_at=DAMAGED.damaged_at),
        problem(Kind.RETURNING),
        problem(Kind.DAMAGE, id=8),
        known=known,
    )
    wanted, held, _ = decide(shown, PROBLEMS, DAYS, at("2026-11-27 12:00"))
    assert (wanted, [entry.why for entry in held]) == ([], [WhyNotTold.SAID_ALREADY])
    too_old = replace(shown, known=frozenset(), first_seen_at=at("2026-12-03 00:00"))
    assert triggers(told(too_old, "2026-12-05 00:00")) == []
    back_on_its_way = facts(DAMAGED, problem(Kind.DAMAGE, id=8), known=known)
    assert triggers(told(back_on_its_way)) == [Trigger.DAMAGE]


def test_the_local_day_counts() -> None:
    shown = facts(ON_ITS_WAY, LATE, today=3)
    # 23:30 in Sao Paulo is 02:30 UTC of the next day; the day that is full ends at local midnight.
    assert decide(shown, PROBLEMS, DAYS, at("2026-11-27 23:30"))[2] == at("2026-11-28 00:00")


# --- delivered --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered", "leaves"),
    [
        pytest.param("2026-11-27 11:00", "2026-11-27 13:00", id="two hours later"),
        pytest.param("2026-11-27 06:59", "2026-11-27 09:00", id="too early: at nine"),
        pytest.param("2026-11-27 07:00", "2026-11-27 09:00", id="nine sharp"),
        pytest.param("2026-11-27 17:59", "2026-11-27 19:59", id="a minute before eight in the evening"),
        pytest.param("2026-11-27 18:00", "2026-11-28 09:00", id="eight sharp is too late: the next morning"),
        pytest.param("2026-11-27 22:30", "2026-11-28 09:00", id="after midnight: that morning"),
        pytest.param("2026-12-31 21:00", "2027-01-01 09:00", id="over the year's end, holiday or not"),
    ],
)
def test_delivered_leaves_two_hours_later_between_nine_and_eight(delivered: str, leaves: str) -> None:
    history = fold_of(POSTED, event(9, delivered, Status.DELIVERED))
    wanted = told(facts(history, problem_told=True), delivered)
    assert [notice.not_before for notice in wanted] == [at(leaves)]
    assert wanted[0].expires_at == at(delivered) + MAX_AGE[Trigger.DELIVERED]


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        pytest.param("2026-11-27 23:30", "2026-11-28 09:00", id="learned of at night: in the morning"),
        pytest.param("2026-11-28 00:00", "2026-11-28 09:00", id="put off to the next day: in its morning"),
        pytest.param("2026-11-28 10:00", "2026-11-28 10:00", id="learned of by day: at once"),
    ],
)
def test_delivered_keeps_to_its_hours_whenever_it_is_made(now: str, leaves: str) -> None:
    wanted = told(facts(DELIVERED, problem_told=True), now)
    assert [(notice.not_before, notice.expires_at) for notice in wanted] == [(at(leaves), at("2026-11-30 11:00"))]


def test_delivered_has_a_day_to_leave_however_short_its_age() -> None:
    policy = replace(PROBLEMS, max_age={**MAX_AGE, Trigger.DELIVERED: HOUR})
    wanted = told(facts(DELIVERED, problem_told=True), policy=policy)
    assert wanted[0].expires_at == at("2026-11-28 13:00")


def test_every_delivery_is_told_where_the_merchant_wants_it() -> None:
    policy = replace(PROBLEMS, delivered_only_after_problem=False)
    assert triggers(told(facts(DELIVERED), policy=policy)) == [Trigger.DELIVERED]


@given(st.integers(0, 700 * 24 * 60).map(lambda minutes: at("2026-01-01 00:00") + timedelta(minutes=minutes)))
def test_inside_the_hours_and_never_earlier(moment: datetime) -> None:
    leaves = within_hours(moment, (time(9), time(20)), DAYS)
    assert moment <= leaves < moment + timedelta(hours=13, minutes=1)
    assert time(9) <= leaves.astimezone(DAYS.zone).time() < time(20)
    assert within_hours(leaves, (time(9), time(20)), DAYS) == leaves


SHOWN_ONLY = [
    Kind.NOT_POSTED,
    Kind.STALLED,
    Kind.DELIVERY_FAILED,
    Kind.ADDRESS_PROBLEM,
    Kind.REFUSED,
    Kind.PICKUP_EXPIRING,
    Kind.CUSTOMS_HOLD,
    Kind.SEIZED,
    Kind.UNTRACKABLE,
    Kind.VIOLATION,
    Kind.MISDELIVERY,
]


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.value) for kind in SHOWN_ONLY])
def test_a_kind_that_is_only_shown_tells_the_customer_nothing(kind: Kind) -> None:
    assert told(facts(ON_ITS_WAY, problem(kind))) == []
    assert triggers(told(facts(ON_ITS_WAY, problem(kind), LATE))) == [Trigger.DELAY_DETECTED]

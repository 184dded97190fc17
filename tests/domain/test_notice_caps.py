"""How much one customer is told: caps, what collapses into one message, and what waits for the next day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from carriers.base import ProblemKind, TrackingStatus
from tests.domain.support import DAYS, at, event, failed, fold_of
from tests.domain.test_notice_steps import ALL, LATE, POSTED, facts, problem, waiting
from tracker.domain.notice_facts import NoticeFacts, NoticePolicy, OrderTold, ToldClaim
from tracker.domain.notice_kinds import JOURNEY, PROBLEM_TRIGGERS
from tracker.domain.notices import WhyNotTold, decide
from tracker.domain.words import ClaimState, Trigger

Status = TrackingStatus
JUST_POSTED = fold_of(POSTED._replace(occurred_at=at("2026-11-16 10:00")))
OUT = fold_of(POSTED, event(2, "2026-11-16 18:00", Status.OUT_FOR_DELIVERY))


def outcome(
    shown: NoticeFacts, now: str, policy: NoticePolicy = ALL
) -> tuple[list[Trigger], list[tuple[Trigger, WhyNotTold]], datetime | None]:
    wanted, held, wake = decide(shown, policy, DAYS, at(now))
    return [notice.trigger for notice in wanted], [(entry.trigger, entry.why) for entry in held], wake


def told(*triggers: Trigger, waiting: bool = False) -> OrderTold:
    """The order was told these today."""
    names = frozenset(triggers)
    return OrderTold(ever=names, today=names, waiting=names if waiting else frozenset())


def plain(history: Any, **more: Any) -> NoticeFacts:
    return facts(history, promised_on=None, **more)


def test_steps_that_arrive_together_are_one_message_of_the_last() -> None:
    assert outcome(plain(OUT), "2026-11-16 18:30") == (
        [Trigger.OUT_FOR_DELIVERY],
        [(Trigger.POSTED, WhyNotTold.SAID_ALREADY)],
        None,
    )


@pytest.mark.parametrize(
    "later",
    [
        Trigger.IN_TRANSIT,
        Trigger.OUT_FOR_DELIVERY,
        Trigger.DELIVERY_ATTEMPT_FAILED,
        Trigger.PICKUP_WAITING,
        Trigger.DELIVERED,
    ],
)
def test_a_posting_is_not_told_after_a_later_step(later: Trigger) -> None:
    shown = plain(JUST_POSTED, known=frozenset({(later, 1)}))
    assert outcome(shown, "2026-11-16 12:00") == ([], [(Trigger.POSTED, WhyNotTold.SAID_ALREADY)], None)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param(OrderTold(), ([Trigger.POSTED], [], None), id="nothing was told today"),
        pytest.param(
            told(Trigger.ORDER_THANKED),
            ([], [(Trigger.POSTED, WhyNotTold.DAY_TAKEN)], at("2026-11-17 08:00")),
            id="the order was thanked today: tomorrow",
        ),
        pytest.param(
            told(Trigger.POSTED, waiting=True), ([Trigger.POSTED], [], None), id="its twin's message has not left"
        ),
        pytest.param(
            told(Trigger.POSTED),
            ([], [(Trigger.POSTED, WhyNotTold.DAY_TAKEN)], at("2026-11-17 08:00")),
            id="its twin's has",
        ),
        pytest.param(
            OrderTold(ever=frozenset({Trigger.ORDER_THANKED})),
            ([Trigger.POSTED], [], None),
            id="thanked the day before",
        ),
    ],
)
def test_one_clear_message_a_day_and_order(order: OrderTold, expected: Any) -> None:
    assert outcome(plain(JUST_POSTED, order=order), "2026-11-16 12:00") == expected


def test_what_waited_a_day_is_told_if_it_is_still_news() -> None:
    """Posted at ten: at eight of the next morning that is 22 hours old."""
    yesterday = OrderTold(ever=frozenset({Trigger.ORDER_THANKED}))
    assert outcome(plain(JUST_POSTED, order=yesterday), "2026-11-17 08:00")[0] == [Trigger.POSTED]
    early = fold_of(POSTED._replace(occurred_at=at("2026-11-16 07:00")))
    assert outcome(plain(early, order=yesterday), "2026-11-17 08:00") == (
        [],
        [(Trigger.POSTED, WhyNotTold.TOO_OLD)],
        None,
    )


@pytest.mark.parametrize(
    ("shown", "now", "trigger"),
    [
        pytest.param(plain(OUT), "2026-11-16 18:30", Trigger.OUT_FOR_DELIVERY, id="out for delivery"),
        pytest.param(
            plain(fold_of(POSTED, event(2, "2026-11-16 18:00", Status.DELIVERED))),
            "2026-11-16 18:30",
            Trigger.DELIVERED,
            id="here",
        ),
        pytest.param(plain(waiting("2026-11-26")), "2026-11-19 11:00", Trigger.PICKUP_WAITING, id="to be collected"),
        pytest.param(
            facts(
                fold_of(POSTED, failed(2, "2026-11-26 15:00")), problem(ProblemKind.DELIVERY_FAILED, "2026-11-26 15:00")
            ),
            "2026-11-26 16:00",
            Trigger.DELIVERY_ATTEMPT_FAILED,
            id="tried",
        ),
        pytest.param(facts(fold_of(POSTED), LATE), "2026-11-28 09:00", Trigger.DELAY_DETECTED, id="late"),
    ],
)
def test_what_cannot_wait_does_not(shown: NoticeFacts, now: str, trigger: Trigger) -> None:
    crowded = replace(shown, order=told(Trigger.POSTED), known=shown.known | {(Trigger.POSTED, 1)})
    assert outcome(crowded, now)[0] == [trigger]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({"journey_today": 1}, ([Trigger.OUT_FOR_DELIVERY], None), id="the second of the day"),
        pytest.param({"journey_today": 2}, (WhyNotTold.DAILY_LIMIT, at("2026-11-17 00:00")), id="the third waits"),
        pytest.param({"journey": 5}, ([Trigger.OUT_FOR_DELIVERY], None), id="the sixth of the parcel"),
        pytest.param({"journey": 6}, (WhyNotTold.PARCEL_LIMIT, None), id="the seventh is never told"),
    ],
)
def test_two_messages_a_day_and_six_a_parcel(more: dict[str, int], expected: Any) -> None:
    shown = plain(OUT, known=frozenset({(Trigger.POSTED, 1)}), **more)
    wanted, held, wake = outcome(shown, "2026-11-16 18:30")
    assert (wanted or held[0][1], wake) == expected


def test_problems_and_pickup_are_told_however_much_was_told() -> None:
    full = {"journey": 6, "journey_today": 2, "known": frozenset({(Trigger.POSTED, 1)})}
    assert outcome(facts(fold_of(POSTED), LATE, **full), "2026-11-28 09:00")[0] == [Trigger.DELAY_DETECTED]
    assert outcome(plain(waiting("2026-11-26"), **full), "2026-11-25 08:00")[0] == [Trigger.PICKUP_WAITING]
    here = plain(fold_of(POSTED, event(2, "2026-11-16 18:00", Status.DELIVERED)), **full)
    assert outcome(here, "2026-11-16 18:30")[0] == []
    assert outcome(replace(here, problem_told=True), "2026-11-16 18:30")[0] == [Trigger.DELIVERED]


CLAIM = ToldClaim(ClaimState.OPEN, "P1", at("2026-11-28 08:00"))


@pytest.mark.parametrize(
    ("is_shared", "today", "expected", "wake"),
    [
        pytest.param(
            False, told(Trigger.DELAY_DETECTED), [Trigger.INQUIRY_OPENED], None, id="a parcel of its own: hours later"
        ),
        pytest.param(True, told(Trigger.DELAY_DETECTED), [], at("2026-11-29 08:00"), id="one of many: the next day"),
        pytest.param(True, OrderTold(), [Trigger.INQUIRY_OPENED], None, id="one of many, the delay was told before"),
    ],
)
def test_of_many_parcels_with_one_cause_each_customer_hears_once_a_day(
    is_shared: bool, today: OrderTold, expected: list[Trigger], wake: datetime | None
) -> None:
    known = frozenset({(Trigger.DELAY_DETECTED, 1), (Trigger.POSTED, 1)})
    policy = replace(ALL, channels={**ALL.channels, Trigger.DELAY_FOLLOWUP: ()})
    shown = facts(fold_of(POSTED), LATE, claim=CLAIM, known=known, is_shared=is_shared, order=today)
    wanted, held, again = outcome(shown, "2026-11-28 12:00", policy)
    assert (wanted, again) == (expected, wake)
    assert [why for _, why in held] == ([] if expected else [WhyNotTold.CROWDED_DAY])


def test_a_cancelled_order_is_not_looked_at_again_for_what_time_would_bring() -> None:
    shown = plain(waiting("2026-11-26"), order_silent=True)
    assert outcome(shown, "2026-11-19 11:00")[2] is None


def test_the_kinds_do_not_overlap() -> None:
    assert not set(JOURNEY) & PROBLEM_TRIGGERS
    assert timedelta(0) < min(ALL.max_age.values())

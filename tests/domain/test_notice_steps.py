"""The steps of a parcel's way: when each is told, what it is numbered by, and until when it is worth telling."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.support import DAYS, at, event, failed, fold_of, on
from tracker.domain.detection import RECHECK
from tracker.domain.history import History
from tracker.domain.notice_facts import NoticeFacts, NoticePolicy, OrderTold, Place, ToldProblem, Wanted
from tracker.domain.notice_journey import has_arrived, last_pickup_day
from tracker.domain.notice_kinds import MAX_AGE_HOURS
from tracker.domain.notice_order import OrderFacts, thanks
from tracker.domain.notices import decide, still_true
from tracker.domain.order import OrderStatus
from tracker.domain.words import Trigger

Status = TrackingStatus
Kind = ProblemKind
HOUR = timedelta(hours=1)
ALL = NoticePolicy(
    channels=dict.fromkeys(MAX_AGE_HOURS, ("email",)),
    max_age={trigger: hours * HOUR for trigger, hours in MAX_AGE_HOURS.items()},
    delivered_only_after_problem=False,
)
POSTED = event(1, "2026-11-16 10:00", Status.POSTED, location="CURITIBA/PR")
PROMISED = on("2026-11-27")
HOME = Place("Curitiba", "PR")
RECIFE = Place("Recife", "PE")


def only(*triggers: Trigger) -> NoticePolicy:
    """These alone are switched on."""
    return replace(ALL, channels=dict.fromkeys(triggers, ("email",)))


def problem(kind: Kind, since: str, **more: Any) -> ToldProblem:
    values: dict[str, Any] = {"id": 7, "episode": 1, "presumed": False, "resolved_at": None}
    customer_since = at(since) if kind is Kind.DELAY else None
    values |= {"customer_since": customer_since, "detected_at": at(since)}
    return ToldProblem(kind=kind, since=at(since), **(values | more))


def facts(history: History, *problems: ToldProblem, **more: Any) -> NoticeFacts:
    values: dict[str, Any] = {
        "first_seen_at": at("2026-11-16 11:00"),
        "problems": problems,
        "promised_on": PROMISED,
        "destination": RECIFE,
        "home": HOME,
    }
    return NoticeFacts(history, **(values | more))


def look(shown: NoticeFacts, now: str, trigger: Trigger) -> tuple[list[Wanted], datetime | None]:
    """What is told of this trigger at a local time, and when to look again."""
    wanted, _, wake = decide(shown, only(trigger), DAYS, at(now))
    return wanted, wake


def numbers(wanted: list[Wanted]) -> list[tuple[int, datetime, datetime]]:
    return [(notice.episode, notice.since, notice.expires_at) for notice in wanted]


# --- a milestone of its way -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "destination", "home", "expected"),
    [
        pytest.param("RECIFE/PE", RECIFE, HOME, True, id="its city"),
        pytest.param("recife/pe", Place("RECIFE", "PE"), HOME, True, id="capitals do not matter"),
        pytest.param("SAO PAULO/SP", Place("São Paulo", "SP"), HOME, True, id="nor do accents"),
        pytest.param("CARUARU/PE", RECIFE, HOME, True, id="another city of its state"),
        pytest.param("CARUARU/PE", RECIFE, Place(None, None), False, id="its state, and nobody knows where it left"),
        pytest.param("RECIFE/PE", RECIFE, Place(None, None), True, id="its city, wherever it left"),
        pytest.param("CARUARU/PE", RECIFE, Place("Olinda", "PE"), False, id="it never left the state"),
        pytest.param("RECIFE/PE", RECIFE, Place("Olinda", "PE"), True, id="its city, from next door"),
        pytest.param("RECIFE/PE", RECIFE, RECIFE, False, id="it left from this very city"),
        pytest.param("RECIFE/PR", RECIFE, HOME, False, id="a namesake elsewhere"),
        pytest.param("RECIFE", RECIFE, HOME, False, id="a place without a state"),
        pytest.param(None, RECIFE, HOME, False, id="no place"),
        pytest.param("RECIFE/PE", Place(None, "PE"), HOME, False, id="the order names no city"),
    ],
)
def test_has_arrived(location: str | None, destination: Place, home: Place, expected: bool) -> None:
    assert has_arrived(location, destination, home) is expected


def moved(when: str, location: str) -> History:
    return fold_of(POSTED, event(2, when, Status.IN_TRANSIT, location=location))


THERE = moved("2026-11-19 06:00", "RECIFE/PE")


@pytest.mark.parametrize(
    ("shown", "now", "since"),
    [
        pytest.param(facts(THERE), "2026-11-19 08:00", "2026-11-19 06:00", id="it came to the city"),
        pytest.param(
            facts(THERE, promised_on=None), "2026-11-19 08:00", "2026-11-19 06:00", id="nobody promised a day"
        ),
        pytest.param(facts(THERE), "2026-11-20 06:00", None, id="a day later it is no news"),
        pytest.param(
            facts(THERE, promised_on=on("2026-11-18")), "2026-11-19 08:00", None, id="the promised day is over"
        ),
        pytest.param(
            facts(THERE, problem(Kind.STALLED, "2026-11-18 10:00")), "2026-11-19 08:00", None, id="a problem stands"
        ),
        pytest.param(
            facts(THERE, problem(Kind.STALLED, "2026-11-18 10:00", resolved_at=at("2026-11-19 06:00"))),
            "2026-11-19 08:00",
            "2026-11-19 06:00",
            id="a problem is over",
        ),
        pytest.param(
            facts(moved("2026-11-21 10:00", "CAJAMAR/SP"), last_answered_at=at("2026-11-22 00:00")),
            "2026-11-22 09:00",
            "2026-11-22 08:00",
            id="half its time is over",
        ),
        pytest.param(
            facts(moved("2026-11-21 10:00", "CAJAMAR/SP"), last_answered_at=at("2026-11-21 23:59")),
            "2026-11-22 09:00",
            None,
            id="half-time, and no answer on this day",
        ),
        pytest.param(
            facts(moved("2026-11-17 10:00", "CAJAMAR/SP")),
            "2026-11-22 09:00",
            None,
            id="half-time, and days of silence",
        ),
        pytest.param(
            facts(moved("2026-11-17 10:00", "CAJAMAR/SP"), promised_on=on("2026-11-19")),
            "2026-11-18 09:00",
            None,
            id="a short way has no half-time",
        ),
    ],
)
def test_a_milestone(shown: NoticeFacts, now: str, since: str | None) -> None:
    wanted, _ = look(shown, now, Trigger.IN_TRANSIT)
    assert numbers(wanted) == ([(1, at(since), at(since) + 24 * HOUR)] if since else [])


def test_half_time_is_looked_for_in_its_morning() -> None:
    shown = facts(moved("2026-11-17 10:00", "CAJAMAR/SP"))
    # Posted on the 16th for the 27th: six days later, at eight.
    assert look(shown, "2026-11-18 09:00", Trigger.IN_TRANSIT) == ([], at("2026-11-22 08:00"))


def test_half_time_waits_for_the_days_first_answer() -> None:
    shown = facts(moved("2026-11-21 10:00", "CAJAMAR/SP"))
    assert look(shown, "2026-11-22 08:00", Trigger.IN_TRANSIT) == ([], at("2026-11-22 08:00") + RECHECK)


def test_an_order_has_one_milestone_whatever_its_parcels_do() -> None:
    told = facts(THERE, order=OrderTold(ever=frozenset({Trigger.IN_TRANSIT})))
    assert look(told, "2026-11-19 08:00", Trigger.IN_TRANSIT)[0] == []
    waiting = OrderTold(
        frozenset({Trigger.IN_TRANSIT}), frozenset({Trigger.IN_TRANSIT}), frozenset({Trigger.IN_TRANSIT})
    )
    assert len(look(facts(THERE, order=waiting), "2026-11-19 08:00", Trigger.IN_TRANSIT)[0]) == 1


# --- at the door ------------------------------------------------------------------------------------


def test_out_for_delivery_is_worth_six_hours_and_told_once_a_day() -> None:
    out = fold_of(POSTED, event(2, "2026-11-26 08:30", Status.OUT_FOR_DELIVERY))
    wanted, _ = look(facts(out), "2026-11-26 09:00", Trigger.OUT_FOR_DELIVERY)
    assert numbers(wanted) == [(20261126, at("2026-11-26 08:30"), at("2026-11-26 14:30"))]
    assert look(facts(out), "2026-11-26 14:30", Trigger.OUT_FOR_DELIVERY)[0] == []
    known = frozenset({(Trigger.OUT_FOR_DELIVERY, 20261126)})
    again = fold_of(
        POSTED,
        event(2, "2026-11-26 08:30", Status.OUT_FOR_DELIVERY),
        event(3, "2026-11-26 11:00", Status.OUT_FOR_DELIVERY),
    )
    assert look(facts(again, known=known), "2026-11-26 12:00", Trigger.OUT_FOR_DELIVERY)[0] == []
    tomorrow = fold_of(POSTED, failed(2, "2026-11-26 15:00"), event(3, "2026-11-27 08:00", Status.OUT_FOR_DELIVERY))
    wanted, _ = look(facts(tomorrow, known=known), "2026-11-27 09:00", Trigger.OUT_FOR_DELIVERY)
    assert [notice.episode for notice in wanted] == [20261127]


def test_out_for_delivery_says_today_and_is_not_sent_tomorrow() -> None:
    late = fold_of(POSTED, event(2, "2026-11-26 20:00", Status.OUT_FOR_DELIVERY))
    wanted, _ = look(facts(late), "2026-11-26 20:30", Trigger.OUT_FOR_DELIVERY)
    assert [notice.expires_at for notice in wanted] == [at("2026-11-27 00:00")]


STANDING = problem(Kind.DELIVERY_FAILED, "2026-11-26 15:00")
TRIED = fold_of(POSTED, failed(2, "2026-11-26 15:00"))


@pytest.mark.parametrize(
    ("shown", "episode"),
    [
        pytest.param(facts(TRIED, STANDING), 20261126, id="nobody was there"),
        pytest.param(facts(TRIED), None, id="detection has not seen it yet"),
        pytest.param(
            facts(
                fold_of(POSTED, failed(2, "2026-11-26 15:00"), event(3, "2026-11-26 18:00", Status.IN_TRANSIT)),
                STANDING,
            ),
            20261126,
            id="scanned since: still the attempt of that day",
        ),
        pytest.param(
            facts(fold_of(POSTED, failed(2, "2026-11-25 15:00"), failed(3, "2026-11-26 15:00")), STANDING),
            20261126,
            id="the second attempt",
        ),
        pytest.param(
            facts(
                fold_of(POSTED, failed(2, "2026-11-26 15:00"), event(3, "2026-11-27 08:00", Status.OUT_FOR_DELIVERY)),
                STANDING,
            ),
            None,
            id="out again",
        ),
        pytest.param(
            facts(
                fold_of(POSTED, failed(2, "2026-11-26 15:00", Cause.REFUSED)), problem(Kind.REFUSED, "2026-11-26 15:00")
            ),
            None,
            id="refused: the customer's own word",
        ),
    ],
)
def test_a_failed_attempt(shown: NoticeFacts, episode: int | None) -> None:
    wanted, _ = look(shown, "2026-11-26 19:00", Trigger.DELIVERY_ATTEMPT_FAILED)
    assert [(notice.episode, notice.problem_id) for notice in wanted] == ([(episode, 7)] if episode else [])


def test_a_wrong_address_is_told_as_such() -> None:
    wrong = fold_of(POSTED, failed(2, "2026-11-26 15:00", Cause.WRONG_ADDRESS))
    shown = facts(wrong, problem(Kind.ADDRESS_PROBLEM, "2026-11-26 15:00"))
    wanted, _, _ = decide(shown, ALL, DAYS, at("2026-11-26 16:00"))
    assert [notice.trigger for notice in wanted] == [Trigger.ADDRESS_PROBLEM]
    assert wanted[0].expires_at == at("2026-11-26 15:00") + 48 * HOUR


# --- at the counter ---------------------------------------------------------------------------------


def waiting(until: str | None, since: str = "2026-11-19 10:00") -> History:
    more = {"pickup_until": on(until)} if until else {}
    return fold_of(POSTED, event(2, since, Status.AVAILABLE_FOR_PICKUP, **more))


@pytest.mark.parametrize(
    ("now", "episode", "since", "expires", "wake"),
    [
        pytest.param(
            "2026-11-19 11:00", 202611190, "2026-11-19 10:00", "2026-11-22 10:00", "2026-11-23 08:00", id="arrival"
        ),
        pytest.param("2026-11-22 10:00", None, None, None, "2026-11-23 08:00", id="days later that is old"),
        pytest.param(
            "2026-11-23 08:00",
            202611263,
            "2026-11-23 08:00",
            "2026-11-26 08:00",
            "2026-11-25 08:00",
            id="three days before",
        ),
        pytest.param("2026-11-25 08:00", 202611261, "2026-11-25 08:00", "2026-11-27 00:00", None, id="the eve"),
        pytest.param("2026-11-26 23:59", 202611261, "2026-11-25 08:00", "2026-11-27 00:00", None, id="the last minute"),
        pytest.param("2026-11-27 00:00", None, None, None, None, id="the day is over"),
    ],
)
def test_pickup_and_its_reminders(now: str, episode: int | None, since: str, expires: str, wake: str | None) -> None:
    wanted, again = look(facts(waiting("2026-11-26")), now, Trigger.PICKUP_WAITING)
    assert numbers(wanted) == ([(episode, at(since), at(expires))] if episode else [])
    assert again == (at(wake) if wake else None)


def test_a_short_time_at_the_counter_has_one_reminder_or_none() -> None:
    two_days = facts(waiting("2026-11-21"))
    assert look(two_days, "2026-11-19 11:00", Trigger.PICKUP_WAITING)[1] == at("2026-11-20 08:00")
    one_day = facts(waiting("2026-11-20"))
    wanted, wake = look(one_day, "2026-11-19 11:00", Trigger.PICKUP_WAITING)
    assert (numbers(wanted), wake) == ([(202611190, at("2026-11-19 10:00"), at("2026-11-21 00:00"))], None)


def test_a_new_last_day_is_reminded_of_anew() -> None:
    known = frozenset({(Trigger.PICKUP_WAITING, 202611261)})
    wanted, _ = look(facts(waiting("2026-11-30"), known=known), "2026-11-29 09:00", Trigger.PICKUP_WAITING)
    assert [notice.episode for notice in wanted] == [202611301]


def test_without_a_last_day_there_is_no_reminder() -> None:
    assert look(facts(waiting(None)), "2026-11-19 11:00", Trigger.PICKUP_WAITING)[1] is None


@pytest.mark.parametrize(
    ("until", "days", "expected"),
    [
        pytest.param("2026-11-26", 30, on("2026-11-26"), id="the carrier's own date"),
        pytest.param(None, 7, on("2026-11-26"), id="the term it always gives"),
        pytest.param(None, None, None, id="nobody knows"),
    ],
)
def test_the_last_day_at_the_counter(until: str | None, days: int | None, expected: date | None) -> None:
    assert last_pickup_day(waiting(until), days, DAYS) == expected


# --- promised news ----------------------------------------------------------------------------------

ON_ITS_WAY = moved("2026-11-26 10:00", "CAJAMAR/SP")
LATE = problem(Kind.DELAY, "2026-11-28 00:00")
DELAY_KNOWN = frozenset({(Trigger.DELAY_DETECTED, 1)})


def followups(*numbers: int) -> frozenset[tuple[Trigger, int]]:
    return DELAY_KNOWN | {(Trigger.DELAY_FOLLOWUP, number) for number in numbers}


@pytest.mark.parametrize(
    ("more", "now", "episode", "wake"),
    [
        # Told on Saturday the 28th: Mon 30, Tue 1, Wed 2 December.
        pytest.param({}, "2026-12-02 08:59", None, "2026-12-02 09:00", id="not before nine of the promised day"),
        pytest.param({}, "2026-12-02 09:00", 101, None, id="on the promised day"),
        pytest.param({}, "2026-12-04 09:00", None, None, id="two days late it is no promised news any more"),
        pytest.param({"promises_from": None}, "2026-12-02 09:00", None, None, id="the delay has not left"),
        pytest.param({"news_on": None}, "2026-12-02 09:00", None, None, id="what left promised nothing"),
        pytest.param({"news_on": date(2026, 12, 1)}, "2026-12-01 09:00", 101, None, id="the day that the text named"),
        pytest.param(
            {"known": followups(101), "promises_from": at("2026-12-02 09:00")},
            "2026-12-07 09:00",
            102,
            None,
            id="the second, though the first did not leave",
        ),
        pytest.param({"known": frozenset()}, "2026-12-02 09:00", None, None, id="the delay was never told"),
        pytest.param(
            {"known": followups(101), "promises_from": at("2026-12-02 09:00"), "news_on": date(2026, 12, 7)},
            "2026-12-03 09:00",
            None,
            "2026-12-07 09:00",
            id="the second is promised by the first",
        ),
        pytest.param(
            {"known": followups(101), "promises_from": at("2026-12-02 09:00"), "news_on": date(2026, 12, 7)},
            "2026-12-07 09:00",
            102,
            None,
            id="the second",
        ),
        pytest.param(
            {"known": followups(101, 102, 103), "promises_from": at("2026-12-10 09:00")},
            "2026-12-20 09:00",
            None,
            None,
            id="three are enough",
        ),
        pytest.param(
            {"known": followups(201, 202, 203), "promises_from": at("2026-11-28 09:00")},
            "2026-12-02 09:00",
            101,
            None,
            id="those of another delay do not count",
        ),
    ],
)
def test_promised_news_keep_their_day(more: dict[str, Any], now: str, episode: int | None, wake: str | None) -> None:
    told = {"known": DELAY_KNOWN, "promises_from": at("2026-11-28 08:00"), "news_on": date(2026, 12, 2)}
    shown = facts(ON_ITS_WAY, LATE, **(told | more))
    wanted, again = look(shown, now, Trigger.DELAY_FOLLOWUP)
    assert [notice.episode for notice in wanted] == ([episode] if episode else [])
    assert again == (at(wake) if wake else None)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(facts(ON_ITS_WAY, replace(LATE, resolved_at=at("2026-12-01 10:00"))), id="the delay is over"),
        pytest.param(facts(fold_of(POSTED, failed(3, "2026-12-01 10:00")), LATE), id="the carrier came"),
        pytest.param(facts(fold_of(POSTED, event(3, "2026-12-01 10:00", Status.DELIVERED)), LATE), id="it is here"),
    ],
)
def test_promised_news_end_with_the_delay(shown: NoticeFacts) -> None:
    left_at, news_on = at("2026-11-28 08:00"), date(2026, 12, 2)
    promised = replace(shown, known=DELAY_KNOWN, promises_from=left_at, news_on=news_on)
    assert look(promised, "2026-12-02 09:00", Trigger.DELAY_FOLLOWUP) == ([], None)


# --- thanks -----------------------------------------------------------------------------------------

PAID = OrderFacts(OrderStatus.PAID, at("2026-11-20 10:00"), at("2026-11-20 11:00"), at("2026-11-20 11:00"))


@pytest.mark.parametrize(
    ("order", "since"),
    [
        pytest.param(PAID, "2026-11-20 11:00", id="paid at once"),
        pytest.param(
            replace(PAID, updated_at=at("2026-11-24 09:00")), "2026-11-24 09:00", id="paid days after it was seen"
        ),
        pytest.param(
            replace(PAID, created_at=at("2026-11-26 09:00"), updated_at=at("2026-11-26 09:00")),
            "2026-11-20 10:00",
            id="an old order is imported: as old as its date",
        ),
        pytest.param(replace(PAID, ordered_at=None), None, id="nobody knows how old it is"),
        *(
            pytest.param(replace(PAID, status=status), None, id=f"{status.value}: not paid by the shop's word")
            for status in OrderStatus
            if status is not OrderStatus.PAID
        ),
        pytest.param(
            replace(PAID, told=OrderTold(ever=frozenset({Trigger.POSTED}))), None, id="its parcel was told of already"
        ),
        pytest.param(
            replace(PAID, told=OrderTold(ever=frozenset({Trigger.ORDER_THANKED}))), None, id="thanked already"
        ),
    ],
)
def test_thanks(order: OrderFacts, since: str | None) -> None:
    wanted = thanks(order, ALL)
    assert (wanted.since if wanted else None) == (at(since) if since else None)
    assert wanted is None or wanted.expires_at == at(since or "") + 48 * HOUR


def test_nobody_is_thanked_where_the_merchant_does_not_want_it() -> None:
    assert thanks(PAID, only(Trigger.POSTED)) is None


# --- still true when it leaves ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "history", "row", "expected"),
    [
        pytest.param(Trigger.IN_TRANSIT, THERE, None, True, id="still under way"),
        pytest.param(
            Trigger.IN_TRANSIT,
            fold_of(POSTED, event(2, "2026-11-20 08:00", Status.OUT_FOR_DELIVERY)),
            None,
            False,
            id="already out",
        ),
        pytest.param(
            Trigger.OUT_FOR_DELIVERY,
            fold_of(POSTED, event(2, "2026-11-20 08:00", Status.DELIVERED)),
            None,
            False,
            id="already here",
        ),
        pytest.param(Trigger.PICKUP_WAITING, waiting("2026-11-26"), None, True, id="waits"),
        pytest.param(
            Trigger.PICKUP_WAITING,
            fold_of(POSTED, event(2, "2026-11-20 08:00", Status.DELIVERED)),
            None,
            False,
            id="collected",
        ),
        pytest.param(Trigger.DELIVERY_ATTEMPT_FAILED, TRIED, STANDING, True, id="the attempt stands"),
        pytest.param(
            Trigger.DELIVERY_ATTEMPT_FAILED,
            TRIED,
            replace(STANDING, resolved_at=at("2026-11-27 08:00")),
            False,
            id="it is over",
        ),
        pytest.param(
            Trigger.ADDRESS_PROBLEM, TRIED, problem(Kind.ADDRESS_PROBLEM, "2026-11-26 15:00"), True, id="wrong"
        ),
        pytest.param(
            Trigger.ADDRESS_PROBLEM,
            TRIED,
            problem(Kind.ADDRESS_PROBLEM, "2026-11-26 15:00", resolved_at=at("2026-11-27 08:00")),
            False,
            id="mended",
        ),
        pytest.param(Trigger.DELAY_FOLLOWUP, ON_ITS_WAY, LATE, True, id="still late"),
        pytest.param(Trigger.DELAY_FOLLOWUP, TRIED, LATE, False, id="the carrier came"),
        pytest.param(Trigger.ORDER_THANKED, History(), None, True, id="thanks stay true"),
    ],
)
def test_still_true(trigger: Trigger, history: History, row: ToldProblem | None, expected: bool) -> None:
    assert still_true(trigger, history, row) is expected

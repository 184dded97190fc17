"""When a parcel is asked about again: every status, second looks, what is stuck, long late, unknown or unreadable."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.base import AnswerOutcome, TrackingStatus
from tests.domain.support import DAYS, at, on
from tracker.polling.schedule import JITTER, Next, PollingPolicy, Standing, next_after_push, next_look

Status = TrackingStatus
FOUND = AnswerOutcome.FOUND
POLICY = PollingPolicy()
NOW = at("2026-11-25 10:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
URGENT = timedelta(minutes=45)


def standing(status: Status | None = None, **more: Any) -> Standing:
    """A parcel known for eight days that had its last event yesterday and is due on Friday."""
    values: dict[str, Any] = {
        "shipment_id": 1,
        "created_at": at("2026-11-17 10:00"),
        "status": status,
        "status_at": at("2026-11-24 10:00") if status else None,
        "last_event_at": at("2026-11-24 10:00") if status else None,
        "due_on": on("2026-11-27"),
    }
    return Standing(**(values | more))


def look(subject: Standing, outcome: AnswerOutcome = FOUND, now: datetime = NOW) -> Next:
    return next_look(outcome, subject, POLICY, DAYS, now)


def wait(subject: Standing, outcome: AnswerOutcome = FOUND, now: datetime = NOW) -> timedelta:
    found = look(subject, outcome, now)
    assert found.at is not None
    assert found.closed_reason is None
    return found.at - now


def assert_about(waited: timedelta, interval: timedelta) -> None:
    """Within the jitter below the interval, and never later than it."""
    assert interval * (1 - JITTER) <= waited <= interval


@pytest.mark.parametrize(
    ("subject", "interval"),
    [
        pytest.param(standing(Status.PRE_TRANSIT), 6 * HOUR, id="a label"),
        pytest.param(standing(Status.UNKNOWN), 6 * HOUR, id="only unknown codes"),
        pytest.param(standing(Status.POSTED), 3 * HOUR, id="posted"),
        pytest.param(standing(Status.IN_TRANSIT), 3 * HOUR, id="in transit"),
        pytest.param(standing(Status.CUSTOMS), 3 * HOUR, id="in customs"),
        pytest.param(standing(Status.EXCEPTION), 3 * HOUR, id="an exception"),
        pytest.param(standing(Status.DELIVERY_FAILED), 3 * HOUR, id="nobody at home"),
        pytest.param(standing(Status.OUT_FOR_DELIVERY), URGENT, id="out for delivery"),
        pytest.param(standing(Status.AVAILABLE_FOR_PICKUP), 4 * HOUR, id="waiting at a counter"),
        pytest.param(standing(Status.RETURNING), 6 * HOUR, id="on its way back"),
        pytest.param(standing(Status.LOST), DAY, id="lost"),
        pytest.param(standing(Status.STOLEN), DAY, id="stolen"),
        pytest.param(standing(Status.DAMAGED), DAY, id="damaged"),
        pytest.param(standing(Status.IN_TRANSIT, due_on=on("2026-11-26")), 3 * HOUR, id="due tomorrow"),
        pytest.param(standing(Status.IN_TRANSIT, due_on=on("2026-11-25")), URGENT, id="due today"),
        pytest.param(standing(Status.IN_TRANSIT, due_on=on("2026-11-24")), URGENT, id="late since today"),
        pytest.param(standing(Status.IN_TRANSIT, due_on=on("2026-10-26")), URGENT, id="thirty days late"),
        pytest.param(
            standing(Status.IN_TRANSIT, due_on=on("2026-10-25"), last_event_at=at("2026-11-15 09:59")),
            DAY,
            id="thirty-one days late and stuck: daily",
        ),
        pytest.param(standing(Status.IN_TRANSIT, due_on=on("2026-10-25")), 3 * HOUR, id="long late, and moving again"),
        pytest.param(standing(Status.IN_TRANSIT, due_on=None), 3 * HOUR, id="nobody named a day"),
        pytest.param(
            standing(Status.IN_TRANSIT, last_event_at=at("2026-11-15 10:00")), 3 * HOUR, id="ten days without an event"
        ),
        pytest.param(
            standing(Status.IN_TRANSIT, last_event_at=at("2026-11-15 09:59")),
            6 * HOUR,
            id="stuck for more than ten days",
        ),
        pytest.param(
            standing(Status.IN_TRANSIT, last_event_at=at("2026-11-01 10:00"), due_on=on("2026-11-24")),
            URGENT,
            id="stuck, but late",
        ),
        pytest.param(
            standing(Status.AVAILABLE_FOR_PICKUP, due_on=on("2026-11-01")), 4 * HOUR, id="at a counter, however late"
        ),
        pytest.param(standing(Status.RETURNING, due_on=on("2026-11-01")), 6 * HOUR, id="on its way back, however late"),
    ],
)
def test_how_often(subject: Standing, interval: timedelta) -> None:
    assert_about(wait(subject), interval)


def test_due_today_begins_at_local_midnight() -> None:
    subject = standing(Status.IN_TRANSIT, due_on=on("2026-11-26"))
    assert_about(wait(subject, now=at("2026-11-25 23:59")), 3 * HOUR)
    assert_about(wait(subject, now=at("2026-11-26 00:00")), URGENT)


def test_every_status_has_a_rhythm_or_an_end() -> None:
    for status in Status:
        found = look(standing(status))
        assert (found.at is None) == (found.closed_reason is not None)


FINAL = (Status.DELIVERED, Status.RETURNED, Status.SEIZED, Status.CANCELLED, Status.EXPIRED)


@pytest.mark.parametrize("status", FINAL, ids=lambda status: status.value)
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # The end was on Tuesday 24 November at 10:00.
        pytest.param("2026-11-24 10:01", "2026-11-25 10:00", id="after a minute: day 1"),
        pytest.param("2026-11-25 10:00", "2026-11-27 10:00", id="on day 1: day 3"),
        pytest.param("2026-11-26 23:00", "2026-11-27 10:00", id="day 1 was missed: day 3"),
        pytest.param("2026-11-27 10:00", "2026-12-01 10:00", id="on day 3: day 7"),
        pytest.param("2026-12-01 09:59", "2026-12-01 10:00", id="right before day 7"),
        pytest.param("2026-12-01 10:00", None, id="on day 7: never again"),
        pytest.param("2027-03-01 10:00", None, id="first seen long after its end"),
    ],
)
def test_second_looks(status: Status, now: str, expected: str | None) -> None:
    found = look(standing(status), now=at(now))
    assert found == (Next(at(expected)) if expected else Next(None, "final"))


@pytest.mark.parametrize("status", [Status.LOST, Status.STOLEN, Status.DAMAGED], ids=lambda status: status.value)
def test_what_is_lost_is_looked_for_daily_for_ninety_days(status: Status) -> None:
    # 24 November + 90 days = 22 February
    assert_about(wait(standing(status), now=at("2027-02-22 10:00")), DAY)
    assert look(standing(status), now=at("2027-02-22 10:01")) == Next(None, "long_final")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        pytest.param(standing(Status.OUT_FOR_DELIVERY), True, id="out for delivery"),
        pytest.param(standing(Status.IN_TRANSIT), False, id="due the day after tomorrow"),
        pytest.param(standing(Status.IN_TRANSIT, due_on=on("2026-11-25")), True, id="due today"),
        pytest.param(standing(Status.IN_TRANSIT, due_on=on("2026-10-01")), False, id="late for long"),
        pytest.param(standing(Status.AVAILABLE_FOR_PICKUP, due_on=on("2026-11-20")), False, id="at a counter"),
        pytest.param(standing(Status.RETURNING, due_on=on("2026-11-20")), False, id="on its way back"),
        pytest.param(standing(Status.PRE_TRANSIT, due_on=on("2026-11-20")), False, id="a label"),
    ],
)
def test_what_goes_first_where_not_everything_can_be_asked(subject: Standing, expected: bool) -> None:
    assert look(subject).urgent is expected


def test_due_by_the_next_look_goes_first_then() -> None:
    tomorrow = standing(Status.IN_TRANSIT, due_on=on("2026-11-26"))
    assert not look(tomorrow, now=at("2026-11-25 10:00")).urgent
    assert look(tomorrow, now=at("2026-11-25 23:30")).urgent


@pytest.mark.parametrize(
    ("outcome", "subject", "now", "reason"),
    [
        # Known since 17 November at 10:00; thirty days later it is 17 December.
        pytest.param(AnswerOutcome.NOT_FOUND, standing(), "2026-11-25 10:00", None, id="not known yet"),
        pytest.param(AnswerOutcome.NOT_FOUND, standing(), "2026-12-17 10:00", None, id="not known for thirty days"),
        pytest.param(AnswerOutcome.NOT_FOUND, standing(), "2026-12-17 10:01", "not_found", id="not known for longer"),
        pytest.param(FOUND, standing(), "2026-12-17 10:01", "not_found", id="found, and nothing is known of it"),
        pytest.param(
            FOUND,
            standing(Status.UNKNOWN, status_at=None, last_event_at=None),
            "2026-12-17 10:01",
            "not_found",
            id="found without a single event",
        ),
        pytest.param(FOUND, standing(Status.UNKNOWN), "2026-12-17 10:01", None, id="found with events nobody can name"),
        pytest.param(
            AnswerOutcome.NOT_FOUND,
            standing(Status.IN_TRANSIT),
            "2026-12-17 10:01",
            None,
            id="a parcel with a history that is not found for once",
        ),
        pytest.param(
            AnswerOutcome.INVALID_NUMBER, standing(), "2026-11-25 10:00", "invalid_number", id="no such number"
        ),
        pytest.param(
            AnswerOutcome.INVALID_NUMBER,
            standing(Status.IN_TRANSIT),
            "2026-11-25 10:00",
            "invalid_number",
            id="by now invalid",
        ),
        pytest.param(
            AnswerOutcome.OTHER_ACCOUNT, standing(), "2026-11-25 10:00", "other_account", id="another's parcel"
        ),
    ],
)
def test_what_is_not_asked_again(outcome: AnswerOutcome, subject: Standing, now: str, reason: str | None) -> None:
    found = look(subject, outcome, at(now))
    assert (found.closed_reason, found.at is None) == (reason, reason is not None)


def test_a_number_that_is_not_known_yet_is_asked_as_often_as_a_label() -> None:
    assert_about(wait(standing(), AnswerOutcome.NOT_FOUND), 6 * HOUR)


@pytest.mark.parametrize(
    ("failures", "interval"),
    [
        pytest.param(0, 1 * HOUR, id="the first"),
        pytest.param(1, 2 * HOUR, id="the second"),
        pytest.param(2, 4 * HOUR, id="the third"),
        pytest.param(3, 8 * HOUR, id="the fourth"),
        pytest.param(4, 24 * HOUR, id="the fifth"),
        pytest.param(50, 24 * HOUR, id="the fifty-first"),
    ],
)
@pytest.mark.parametrize("status", [None, Status.OUT_FOR_DELIVERY, Status.DELIVERED], ids=str)
def test_answers_that_cannot_be_read_are_asked_for_ever_more_slowly(
    failures: int, interval: timedelta, status: Status | None
) -> None:
    assert_about(wait(standing(status, failures=failures), AnswerOutcome.ERROR), interval)


def test_the_merchants_intervals_are_used() -> None:
    policy = PollingPolicy(in_transit=timedelta(hours=5), second_looks_days=(2,), not_found_for=DAY)
    found = next_look(FOUND, standing(Status.IN_TRANSIT), policy, DAYS, NOW).at
    assert found is not None
    assert_about(found - NOW, 5 * HOUR)
    assert next_look(FOUND, standing(Status.DELIVERED), policy, DAYS, NOW) == Next(at("2026-11-26 10:00"))
    assert next_look(AnswerOutcome.NOT_FOUND, standing(), policy, DAYS, NOW) == Next(None, "not_found")


def test_what_was_imported_together_does_not_stay_together() -> None:
    waits = {wait(standing(Status.IN_TRANSIT, shipment_id=number)) for number in range(200)}
    assert len(waits) == 200
    # All over the tenth that may be cut off, not at one end of it.
    assert min(waits) < 3 * HOUR * 0.92
    assert max(waits) > 3 * HOUR * 0.98


_STANDINGS = st.builds(
    lambda number, age, failures, status, changed, moved, due: Standing(
        shipment_id=number,
        created_at=NOW - age * HOUR,
        failures=failures,
        status=status,
        status_at=NOW - changed * HOUR if status else None,
        last_event_at=NOW - moved * HOUR if status else None,
        due_on=due,
    ),
    st.integers(1, 10**9),
    st.integers(0, 2000),
    st.integers(0, 9),
    st.one_of(st.none(), st.sampled_from(list(Status))),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.one_of(st.none(), st.dates(date(2026, 9, 1), date(2027, 2, 1))),
)


@given(_STANDINGS, st.sampled_from(list(AnswerOutcome)))
def test_the_next_look_is_ahead_or_closed_and_always_the_same(subject: Standing, outcome: AnswerOutcome) -> None:
    found = look(subject, outcome)
    assert (found.at is None) == (found.closed_reason is not None)
    assert found.at is None or NOW < found.at <= NOW + timedelta(days=7)
    assert look(subject, outcome) == found


def told(status: Status = Status.IN_TRANSIT, **more: Any) -> Standing:
    """A parcel that the carrier told of by itself an hour ago, as it tells of others."""
    hour_ago = NOW - HOUR
    return standing(status, **({"pushed_at": hour_ago, "hook_at": hour_ago, "due_on": None} | more))


@pytest.mark.parametrize(
    ("subject", "interval"),
    [
        pytest.param(told(), 12 * HOUR, id="four times as rarely"),
        pytest.param(told(Status.PRE_TRANSIT), DAY, id="a day at most"),
        pytest.param(told(Status.AVAILABLE_FOR_PICKUP), 16 * HOUR, id="at the counter"),
        pytest.param(told(last_event_at=NOW - 11 * DAY), DAY, id="one that is stuck, too"),
        pytest.param(told(hook_at=NOW - 24 * HOUR), 12 * HOUR, id="the hook brought something a day ago"),
        pytest.param(told(hook_at=NOW - 24 * HOUR - timedelta(seconds=1)), 3 * HOUR, id="the hook has gone quiet"),
        pytest.param(told(pushed_at=None), 3 * HOUR, id="a hook that never told of this one"),
        pytest.param(told(pushed_at=NOW - 9 * DAY), 12 * HOUR, id="told of long ago: nothing has happened since"),
        pytest.param(told(Status.OUT_FOR_DELIVERY), URGENT, id="out for delivery: as ever"),
        pytest.param(told(due_on=on("2026-11-25")), URGENT, id="due today: as ever"),
        pytest.param(told(due_on=on("2026-11-20")), URGENT, id="late: as ever"),
        pytest.param(told(Status.LOST), DAY, id="lost: as ever"),
        pytest.param(told(due_on=on("2026-11-26")), 12 * HOUR, id="due tomorrow: before the day is an hour old"),
    ],
)
def test_what_the_carrier_tells_of_by_itself_is_asked_about_more_rarely(subject: Standing, interval: timedelta) -> None:
    assert_about(wait(subject), interval)


def test_the_slow_rhythm_ends_with_the_first_minute_of_the_due_day() -> None:
    evening = at("2026-11-25 20:00")
    waited = wait(told(due_on=on("2026-11-26"), pushed_at=evening, hook_at=evening), now=evening)
    assert_about(waited, 4 * HOUR)


@pytest.mark.parametrize(
    ("subject", "looked_at", "expected"),
    [
        pytest.param(told(), NOW - HOUR, (10.8 * HOUR, 12 * HOUR), id="as after an answer"),
        pytest.param(told(), NOW - 20 * HOUR, (4 * HOUR, 4 * HOUR), id="but a day after the last look at the latest"),
        pytest.param(told(), NOW - 2 * DAY, (0 * HOUR, 0 * HOUR), id="pushes alone never put a look off for ever"),
        pytest.param(told(), None, (0 * HOUR, 0 * HOUR), id="what was never looked at is looked at now"),
        pytest.param(told(Status.OUT_FOR_DELIVERY), NOW - HOUR, (0.9 * URGENT, URGENT), id="what matters by the hour"),
    ],
)
def test_when_to_look_after_a_push(
    subject: Standing, looked_at: datetime | None, expected: tuple[timedelta, timedelta]
) -> None:
    following = next_after_push(subject, looked_at, POLICY, DAYS, NOW)
    assert following.at is not None
    assert expected[0] <= following.at - NOW <= expected[1]


def test_a_push_that_ends_the_journey_leaves_the_second_looks() -> None:
    ended = told(Status.DELIVERED, status_at=NOW)
    assert next_after_push(ended, NOW - HOUR, POLICY, DAYS, NOW).at == NOW + DAY
    long_over = told(Status.DELIVERED, status_at=NOW - 30 * DAY)
    assert next_after_push(long_over, NOW - HOUR, POLICY, DAYS, NOW) == Next(None, "final")

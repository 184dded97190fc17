"""What events add up to: late, repeated, out of order, taken back, vanished and unknown ones."""

from __future__ import annotations

from typing import Any

import pytest

from carriers.base import Cause, TrackingStatus
from tests.domain.support import at, event, failed, on, reversal
from tracker.domain.history import StoredEvent, fold, void_ids

Status = TrackingStatus
POSTED = event(1, "2026-11-16 10:00", Status.POSTED)
MOVED = event(2, "2026-11-17 10:00", Status.IN_TRANSIT)
OUT = event(3, "2026-11-18 08:00", Status.OUT_FOR_DELIVERY)
DELIVERED = event(4, "2026-11-18 15:00", Status.DELIVERED, final=True)
ON_ITS_WAY = [POSTED, MOVED, OUT]


def _gone(known: StoredEvent, when: str) -> StoredEvent:
    values = {name: getattr(known, name) for name in StoredEvent._fields}
    return StoredEvent(**{**values, "vanished_at": at(when)})


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([], {"status": Status.UNKNOWN, "last_event_at": None, "posted_at": None}, id="no event at all"),
        pytest.param(
            [event(1, "2026-11-16 10:00", Status.PRE_TRANSIT)],
            {"status": Status.PRE_TRANSIT, "posted_at": None, "last_event_at": at("2026-11-16 10:00")},
            id="a label is not posted",
        ),
        pytest.param(
            [event(1, "2026-11-16 10:00", Status.PRE_TRANSIT), MOVED],
            {"status": Status.IN_TRANSIT, "posted_at": at("2026-11-17 10:00")},
            id="the first movement posts it where the carrier forgot to say so",
        ),
        pytest.param(
            [event(1, "2026-11-16 10:00", Status.CANCELLED)],
            {"status": Status.CANCELLED, "posted_at": None},
            id="a cancelled label was never posted",
        ),
        pytest.param(
            [*ON_ITS_WAY, DELIVERED],
            {
                "status": Status.DELIVERED,
                "status_at": at("2026-11-18 15:00"),
                "posted_at": at("2026-11-16 10:00"),
                "first_attempt_at": at("2026-11-18 15:00"),
                "delivered_at": at("2026-11-18 15:00"),
            },
            id="delivered",
        ),
        pytest.param(
            [DELIVERED, OUT, POSTED, MOVED],
            {"status": Status.DELIVERED, "posted_at": at("2026-11-16 10:00")},
            id="newest first, as some carriers list them",
        ),
        pytest.param(
            [POSTED, OUT, DELIVERED, event(9, "2026-11-17 20:00", Status.IN_TRANSIT)],
            {"status": Status.DELIVERED, "last_event_at": at("2026-11-18 15:00")},
            id="an event inserted in the past moves nothing today",
        ),
        pytest.param(
            [POSTED, OUT, event(9, "2026-11-15 20:00", Status.POSTED)],
            {"posted_at": at("2026-11-15 20:00")},
            id="an older posting that we learn of later is the posting",
        ),
        pytest.param(
            [*ON_ITS_WAY, event(4, "2026-11-18 08:00", Status.DELIVERY_FAILED)],
            {"status": Status.DELIVERY_FAILED},
            id="within one second the one we learned of later is the newer",
        ),
        pytest.param(
            [*ON_ITS_WAY, DELIVERED, event(5, "2026-11-19 09:00", Status.IN_TRANSIT)],
            {
                "status": Status.IN_TRANSIT,
                "delivered_at": None,
                "first_attempt_at": at("2026-11-18 15:00"),
            },
            id="delivered, then moving: not delivered, but the carrier did come",
        ),
        pytest.param(
            [*ON_ITS_WAY, DELIVERED, event(5, "2026-11-19 09:00", Status.UNKNOWN)],
            {
                "status": Status.DELIVERED,
                "status_at": at("2026-11-18 15:00"),
                "last_event_at": at("2026-11-19 09:00"),
            },
            id="an unknown code after the delivery moves nothing",
        ),
        pytest.param(
            [event(1, "2026-11-16 10:00", Status.UNKNOWN)],
            {"status": Status.UNKNOWN, "posted_at": None, "last_event_at": at("2026-11-16 10:00")},
            id="an unknown code alone does not post",
        ),
    ],
)
def test_the_story(events: list[StoredEvent], expected: dict[str, Any]) -> None:
    history = fold(events)
    assert {name: getattr(history, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("events", "void", "expected"),
    [
        pytest.param(
            [*ON_ITS_WAY, DELIVERED, reversal(5, "2026-11-18 16:00")],
            {4},
            {"status": Status.OUT_FOR_DELIVERY, "delivered_at": None, "first_attempt_at": None},
            id="a delivery taken back",
        ),
        pytest.param(
            [*ON_ITS_WAY, DELIVERED, reversal(5, "2026-11-18 16:00"), event(6, "2026-11-19 11:00", Status.DELIVERED)],
            {4},
            {"status": Status.DELIVERED, "delivered_at": at("2026-11-19 11:00")},
            id="taken back, and delivered the next day",
        ),
        pytest.param(
            [*ON_ITS_WAY, DELIVERED, reversal(5, "2026-11-18 16:00"), reversal(6, "2026-11-18 16:01")],
            {3, 4},
            {"status": Status.IN_TRANSIT, "last_event_at": at("2026-11-17 10:00")},
            id="two in a row take back the two newest",
        ),
        pytest.param(
            [POSTED, OUT, reversal(5, "2026-11-18 09:00"), DELIVERED, reversal(6, "2026-11-18 16:00")],
            {3, 4},
            {"status": Status.POSTED},
            id="each takes back the newest that stands before it",
        ),
        pytest.param(
            [reversal(1, "2026-11-15 09:00"), *ON_ITS_WAY],
            set(),
            {"status": Status.OUT_FOR_DELIVERY},
            id="with nothing before it, it takes back nothing",
        ),
        pytest.param(
            [POSTED, reversal(5, "2026-11-16 11:00"), reversal(6, "2026-11-16 12:00"), MOVED],
            {1},
            {"status": Status.IN_TRANSIT, "posted_at": at("2026-11-17 10:00")},
            id="more of them than events before them",
        ),
        pytest.param(
            [*ON_ITS_WAY, DELIVERED, reversal(5, "2026-11-18 15:00")],
            {4},
            {"status": Status.OUT_FOR_DELIVERY},
            id="in the same second, learned of later",
        ),
        pytest.param(
            [*ON_ITS_WAY, _gone(DELIVERED, "2026-11-19 09:00"), reversal(5, "2026-11-18 16:00")],
            {3},
            {"status": Status.IN_TRANSIT},
            id="what has vanished is not there to be taken back",
        ),
        pytest.param(
            [*ON_ITS_WAY, DELIVERED, _gone(reversal(5, "2026-11-18 16:00"), "2026-11-19 09:00")],
            set(),
            {"status": Status.DELIVERED},
            id="a reversal that vanished gives the delivery back",
        ),
        pytest.param(
            [*ON_ITS_WAY, _gone(DELIVERED, "2026-11-19 09:00")],
            set(),
            {"status": Status.OUT_FOR_DELIVERY, "delivered_at": None, "last_event_at": at("2026-11-18 08:00")},
            id="a delivery that vanished never was",
        ),
        pytest.param(
            [POSTED, event(2, "2026-11-17 10:00", Status.LOST, cause=Cause.LOSS), reversal(3, "2026-11-17 12:00")],
            {2},
            {"status": Status.POSTED, "lost_at": None},
            id="a loss taken back",
        ),
    ],
)
def test_reversals_and_vanished_events(events: list[StoredEvent], void: set[int], expected: dict[str, Any]) -> None:
    history = fold(events)
    assert void_ids(events) == void
    assert {name: getattr(history, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([*ON_ITS_WAY], None, id="out for delivery is no attempt"),
        pytest.param([*ON_ITS_WAY, failed(5, "2026-11-18 15:00")], "2026-11-18 15:00", id="nobody at home"),
        pytest.param(
            [*ON_ITS_WAY, event(5, "2026-11-18 15:00", Status.DELIVERY_FAILED, cause=Cause.DELAY, attempt=False)],
            None,
            id="the carrier did not come",
        ),
        pytest.param(
            [*ON_ITS_WAY, failed(5, "2026-11-18 15:00"), event(6, "2026-11-19 15:00", Status.DELIVERED)],
            "2026-11-18 15:00",
            id="the first of several",
        ),
        pytest.param(
            [*ON_ITS_WAY, event(5, "2026-11-18 15:00", Status.AVAILABLE_FOR_PICKUP)],
            "2026-11-18 15:00",
            id="laid out for pickup",
        ),
        pytest.param(
            [*ON_ITS_WAY, failed(5, "2026-11-19 15:00"), failed(6, "2026-11-18 11:00")],
            "2026-11-18 11:00",
            id="an older attempt that we learn of later",
        ),
        pytest.param(
            [*ON_ITS_WAY, event(5, "2026-11-18 15:00", Status.RETURNING, cause=Cause.ABSENT, attempt=True)],
            "2026-11-18 15:00",
            id="came, found nobody and turned back in one event",
        ),
        pytest.param(
            [
                *ON_ITS_WAY,
                event(5, "2026-11-18 15:00", Status.RETURNING, cause=Cause.WRONG_ADDRESS),
                event(6, "2026-11-24 15:00", Status.AVAILABLE_FOR_PICKUP),
            ],
            None,
            id="waiting for the sender at a counter is none",
        ),
    ],
)
def test_the_first_attempt(events: list[StoredEvent], expected: str | None) -> None:
    assert fold(events).first_attempt_at == (at(expected) if expected else None)


REFUSED = event(5, "2026-11-18 15:00", Status.RETURNING, cause=Cause.REFUSED)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [*ON_ITS_WAY, REFUSED],
            {
                "status": Status.RETURNING,
                "returning_at": at("2026-11-18 15:00"),
                "returning_cause": Cause.REFUSED,
                "returned_at": None,
            },
            id="turned back",
        ),
        pytest.param(
            [*ON_ITS_WAY, REFUSED, event(6, "2026-11-20 10:00", Status.IN_TRANSIT)],
            {
                "status": Status.RETURNING,
                "status_at": at("2026-11-18 15:00"),
                "returning_cause": Cause.REFUSED,
                "last_event_at": at("2026-11-20 10:00"),
            },
            id="moving on its way back is still returning",
        ),
        pytest.param(
            [*ON_ITS_WAY, REFUSED, event(6, "2026-11-20 10:00", Status.DAMAGED, cause=Cause.DAMAGE)],
            {"status": Status.RETURNING, "returning_cause": Cause.REFUSED, "damaged_at": at("2026-11-20 10:00")},
            id="damaged on its way back is still returning",
        ),
        pytest.param(
            [*ON_ITS_WAY, REFUSED, failed(6, "2026-11-23 10:00")],
            {"status": Status.RETURNING, "first_attempt_at": None},
            id="a sender who is not at home",
        ),
        pytest.param(
            [*ON_ITS_WAY, REFUSED, event(6, "2026-11-19 08:00", Status.OUT_FOR_DELIVERY)],
            {"status": Status.OUT_FOR_DELIVERY, "returning_at": None, "returning_cause": None},
            id="out for delivery to the customer again ends the return",
        ),
        pytest.param(
            [*ON_ITS_WAY, REFUSED, event(6, "2026-11-19 16:00", Status.DELIVERED)],
            {"status": Status.DELIVERED, "returning_at": None, "delivered_at": at("2026-11-19 16:00")},
            id="delivered to the customer after all",
        ),
        pytest.param(
            [*ON_ITS_WAY, REFUSED, event(6, "2026-11-24 10:00", Status.RETURNING, cause=Cause.RETURN)],
            {"returning_cause": Cause.REFUSED, "returning_at": at("2026-11-18 15:00")},
            id="a plain going back keeps the reason that came first",
        ),
        pytest.param(
            [
                *ON_ITS_WAY,
                event(5, "2026-11-18 15:00", Status.RETURNING, cause=Cause.RETURN),
                event(6, "2026-11-18 16:00", Status.RETURNING, cause=Cause.UNCLAIMED),
            ],
            {"returning_cause": Cause.UNCLAIMED, "returning_at": at("2026-11-18 15:00")},
            id="a reason that comes after a plain going back is the reason",
        ),
        pytest.param(
            [
                *ON_ITS_WAY,
                REFUSED,
                event(6, "2026-11-25 10:00", Status.RETURNED, cause=Cause.RETURN, final=True),
            ],
            {
                "status": Status.RETURNED,
                "returned_at": at("2026-11-25 10:00"),
                "returning_at": at("2026-11-18 15:00"),
                "returning_cause": Cause.REFUSED,
            },
            id="back with the reason it turned for",
        ),
        pytest.param(
            [*ON_ITS_WAY, event(6, "2026-11-25 10:00", Status.RETURNED, cause=Cause.RETURN, final=True)],
            {"returned_at": at("2026-11-25 10:00"), "returning_at": at("2026-11-25 10:00")},
            id="back without ever having turned",
        ),
        pytest.param(
            [*ON_ITS_WAY, REFUSED, reversal(6, "2026-11-18 18:00")],
            {"status": Status.OUT_FOR_DELIVERY, "returning_at": None},
            id="a return taken back",
        ),
    ],
)
def test_returns(events: list[StoredEvent], expected: dict[str, Any]) -> None:
    history = fold(events)
    assert {name: getattr(history, name) for name in expected} == expected


LOST = event(5, "2026-11-23 10:00", Status.LOST, cause=Cause.LOSS)
STOLEN = event(5, "2026-11-23 10:00", Status.STOLEN, cause=Cause.THEFT)
DAMAGED = event(5, "2026-11-18 10:00", Status.DAMAGED, cause=Cause.DAMAGE)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [*ON_ITS_WAY, LOST], {"status": Status.LOST, "lost_at": at("2026-11-23 10:00")}, id="the carrier lost it"
        ),
        pytest.param(
            [*ON_ITS_WAY, event(5, "2026-11-23 10:00", Status.EXCEPTION, cause=Cause.LOSS)],
            {"status": Status.EXCEPTION, "lost_at": at("2026-11-23 10:00")},
            id="lost by its cause",
        ),
        pytest.param(
            [*ON_ITS_WAY, LOST, event(6, "2026-11-24 10:00", Status.LOST, cause=Cause.LOSS)],
            {"lost_at": at("2026-11-23 10:00"), "status_at": at("2026-11-24 10:00")},
            id="said twice, lost since the first",
        ),
        pytest.param(
            [*ON_ITS_WAY, LOST, event(6, "2026-11-26 10:00", Status.IN_TRANSIT)],
            {"status": Status.IN_TRANSIT, "lost_at": None},
            id="lost and found again",
        ),
        pytest.param(
            [*ON_ITS_WAY, STOLEN], {"status": Status.STOLEN, "stolen_at": at("2026-11-23 10:00")}, id="stolen"
        ),
        pytest.param(
            [*ON_ITS_WAY, STOLEN, event(6, "2026-11-26 10:00", Status.IN_TRANSIT)],
            {"status": Status.IN_TRANSIT, "stolen_at": None},
            id="stolen and recovered",
        ),
        pytest.param(
            [POSTED, MOVED, DAMAGED, event(6, "2026-11-19 10:00", Status.DELIVERED)],
            {"status": Status.DELIVERED, "damaged_at": at("2026-11-18 10:00")},
            id="damaged, then delivered: the damage stays",
        ),
        pytest.param(
            [POSTED, MOVED, DAMAGED, event(6, "2026-11-19 10:00", Status.EXCEPTION, cause=Cause.DAMAGE)],
            {"damaged_at": at("2026-11-18 10:00")},
            id="damaged since the first word of it",
        ),
        pytest.param(
            [POSTED, event(5, "2026-11-18 10:00", Status.DAMAGED)],
            {"damaged_at": at("2026-11-18 10:00")},
            id="damaged by its status, where a carrier gives no cause",
        ),
        pytest.param(
            [POSTED, event(5, "2026-11-18 10:00", Status.EXCEPTION, cause=Cause.THEFT)],
            {"stolen_at": at("2026-11-18 10:00")},
            id="stolen by its cause",
        ),
        pytest.param(
            [*ON_ITS_WAY, LOST, event(6, "2027-01-11 10:00", Status.UNKNOWN, indemnified=True)],
            {"status": Status.LOST, "indemnified_at": at("2027-01-11 10:00")},
            id="paid for, which is no movement",
        ),
        pytest.param(
            [
                *ON_ITS_WAY,
                LOST,
                event(6, "2027-01-11 10:00", Status.UNKNOWN, indemnified=True),
                event(7, "2027-01-12 10:00", Status.UNKNOWN, indemnified=True),
            ],
            {"indemnified_at": at("2027-01-11 10:00")},
            id="paid for since the first word of it",
        ),
    ],
)
def test_lost_stolen_damaged(events: list[StoredEvent], expected: dict[str, Any]) -> None:
    history = fold(events)
    assert {name: getattr(history, name) for name in expected} == expected


def test_the_last_pickup_day_lasts_as_long_as_the_waiting() -> None:
    waiting = event(5, "2026-11-18 15:00", Status.AVAILABLE_FOR_PICKUP, pickup_until=on("2026-11-25"))
    assert fold([*ON_ITS_WAY, waiting]).pickup_until == on("2026-11-25")
    assert fold([*ON_ITS_WAY, waiting, event(6, "2026-11-20 15:00", Status.DELIVERED)]).pickup_until is None


@pytest.mark.parametrize(
    ("named", "first", "latest", "farthest"),
    [
        pytest.param([], None, None, None, id="none named"),
        pytest.param(["2026-11-24"], "2026-11-24", "2026-11-24", "2026-11-24", id="one"),
        pytest.param(["2026-11-24", "2026-11-27"], "2026-11-24", "2026-11-27", "2026-11-27", id="put off"),
        pytest.param(["2026-11-24", "2026-11-20"], "2026-11-24", "2026-11-20", "2026-11-24", id="brought forward"),
        pytest.param(
            ["2026-11-24", "2026-12-04", "2026-11-26"],
            "2026-11-24",
            "2026-11-26",
            "2026-12-04",
            id="put off, then brought forward",
        ),
    ],
)
def test_due_dates_in_the_order_of_naming(
    named: list[str], first: str | None, latest: str | None, farthest: str | None
) -> None:
    history = fold([POSTED], [on(day) for day in named])
    found = (history.due_first_on, history.due_on, history.due_max_on)
    assert found == tuple(on(day) if day else None for day in (first, latest, farthest))

"""The date matrix against the simulated carrier: every claim is taken at its first try, none too early (544) or on time (530)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from tests.end_to_end.support import DEMO, Start, at
from tracker.sandbox.judgement import REGISTERED
from tracker.sandbox.plan import Event, Fate, Forecast, Shipment
from tracker.sandbox.workdays import local_date
from tracker.store.tables import Claim

NOVEMBER, CARNIVAL = date(2026, 11, 16), date(2027, 2, 1)
"""The first week has the holiday of Friday 20 November; Carnival 2027 is 8 and 9 February."""
TEMPLATES = [s for s in DEMO.shipments if s.fate is Fate.LATE_OPEN] + [
    s for s in DEMO.shipments if s.fate is Fate.ON_TIME
]
DELIVERED = next(e for e in DEMO.of_fate(Fate.ON_TIME)[0].events if (e.code, e.kind) == ("BDE", "01"))
# (name, week, dates named: day of the week it is named on -> due in so many days, delivered after so many days, at an hour)
CASES: list[tuple[str, date, list[tuple[int, int]], tuple[int, int, int] | None]] = [
    ("due Tuesday, never came", NOVEMBER, [(0, 1)], None),
    ("due Thursday before the holiday", NOVEMBER, [(0, 3)], None),
    ("due Friday, the holiday itself", NOVEMBER, [(0, 4)], None),
    ("due Saturday", NOVEMBER, [(0, 5)], None),
    ("put off by two days", NOVEMBER, [(0, 2), (1, 4)], None),
    ("put off on its last evening", NOVEMBER, [(0, 2), (2, 8)], None),
    ("brought forward", NOVEMBER, [(0, 8), (1, 3)], None),
    ("put off and brought back", NOVEMBER, [(0, 2), (1, 9), (3, 7)], None),
    ("delivered at 23:30 a day late", NOVEMBER, [(0, 1)], (2, 23, 30)),
    ("delivered late between two dates", NOVEMBER, [(0, 2), (1, 4)], (7, 10, 0)),
    ("delivered on a Saturday", NOVEMBER, [(0, 3)], (5, 9, 0)),
    ("delivered in time at 23:30", NOVEMBER, [(0, 3)], (3, 23, 30)),
    ("due before Carnival", CARNIVAL, [(0, 4)], None),
    ("due on Carnival Monday", CARNIVAL, [(0, 7)], None),
    ("put off over Carnival", CARNIVAL, [(0, 3), (3, 8)], None),
    ("delivered on Ash Wednesday", CARNIVAL, [(0, 4)], (9, 14, 0)),
]


def parcel(index: int) -> Shipment:
    """The case's parcel, posted on the Monday of its week."""
    _, monday, named, delivered = CASES[index]
    template, dues = TEMPLATES[index], [monday + timedelta(days=days) for _, days in named]
    forecasts = tuple(
        Forecast(at(monday + timedelta(days=on), 8 if on == 0 else 20), due)
        for (on, _), due in zip(named, dues, strict=True)
    )
    scans = [replace(event, at=at(monday, 9 + n)) for n, event in enumerate(TEMPLATES[0].events[:3])]
    events: list[Event] = [*scans]
    if delivered is not None:
        events.append(replace(DELIVERED, at=at(monday + timedelta(days=delivered[0]), *delivered[1:])))
    return replace(
        template,
        order=replace(template.order, shipped_on=monday),
        promised_on=dues[0],
        due_on=max(dues),
        forecasts=forecasts,
        events=tuple(events),
        fate=Fate.LATE_OPEN,
        answer_days=5,
    )


def instants(monday: date, weeks: int) -> Iterator[datetime]:
    """Passes at the ends of the day, where a local date and one in UTC differ."""
    for day in range(weeks * 7):
        for hour, minute in ((0, 10), (21, 30), (23, 50)):
            yield at(monday + timedelta(days=day), hour, minute)


@pytest.mark.parametrize(
    ("monday", "unowed"),
    [
        pytest.param(NOVEMBER, {"delivered in time at 23:30"}, id="around a national holiday"),
        pytest.param(CARNIVAL, set(), id="around Carnival"),
    ],
)
def test_no_order_of_dates_leads_to_a_claim_that_is_too_early_or_not_owed(
    start: Start, monday: date, unowed: set[str]
) -> None:
    parcels = {CASES[index][0]: parcel(index) for index in range(len(CASES)) if CASES[index][1] == monday}
    trial = start(*parcels.values())
    trial.drop_orders()
    trial.pass_through(instants(monday, 3))
    tried: dict[str, list[int]] = {}
    for attempt in trial.attempts():
        tried.setdefault(attempt["code"], []).append(attempt["result"])
    assert {name: tried.get(one.code, []) for name, one in parcels.items()} == {
        name: [] if name in unowed else [REGISTERED] for name in parcels
    }
    for row in trial.rows(Claim):
        if row["opened_at"] is not None:
            assert local_date(row["opened_at"]) == row["claimable_from"], "on its very first allowed day"

"""A carrier that fails harms itself alone: ten at once, two of them failing in different ways, and the same time once more
with all of them well."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Final

import pytest

from tests.end_to_end.ten_carriers import HOUR, NAMES, PARCELS, TURNS, Month, month
from tracker.store.tables import (
    Alert,
    CarrierOutage,
    Event,
    Problem,
    Shipment,
    ShipmentHistory,
    ShipmentPoll,
    ShipmentRef,
)

FIRST: Final = datetime(2026, 11, 2, 3, tzinfo=UTC)
"""Midnight in Brasília, a Monday."""
TOLERANCE: Final = 0.05
CAUGHT_UP: Final = timedelta(hours=3)
"""The longest a parcel of a carrier that is back may have to wait: an account's longest pause, and a parcel's own."""


@dataclass(frozen=True)
class Span:
    """So many days in steps of *every*, two carriers away from day to day; one of them changes its manner each *turn*."""

    days: int
    every: timedelta
    away: tuple[float, float]
    turn: timedelta


DAYS = Span(4, 2 * HOUR, (0.75, 2.75), 8 * HOUR)
MONTH = Span(30, HOUR, (3, 20), 12 * HOUR)


async def play(folder: Path, span: Span, stack: AsyncExitStack, *, hanging: str = "", wrong: str = "") -> Month:
    """The whole span; the carriers named fail in the middle of it."""
    run = await stack.enter_async_context(month(folder, FIRST, span.days, span.every))
    await run.until(span.away[0])
    if hanging:
        run.carriers[hanging].fall_silent()
        run.carriers[wrong].misbehave(span.turn)
    await run.until(span.away[1])
    for carrier in run.carriers.values():
        carrier.recover()
    caught_up = span.away[1] + (CAUGHT_UP + span.every) / timedelta(days=1)
    await run.until(caught_up)
    if hanging:
        assert_caught_up(run, FIRST + timedelta(days=span.away[1]), (hanging, wrong))
    await run.until(span.days)
    return run


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("span", "hanging", "wrong"),
    [
        pytest.param(DAYS, "ups", "jt_express", id="days"),
        pytest.param(DAYS, "aftership", "ssw", id="days, others", marks=pytest.mark.soak),
        pytest.param(MONTH, "fedex", "loggi", id="a month", marks=pytest.mark.soak),
    ],
)
async def test_two_that_fail_take_nothing_from_the_other_eight(
    tmp_path: Path, span: Span, hanging: str, wrong: str
) -> None:
    async with AsyncExitStack() as stack:
        well = await play(tmp_path / "well", span, stack)
        ill = await play(tmp_path / "ill", span, stack, hanging=hanging, wrong=wrong)
        assert len(well.rows(Shipment)) == len(NAMES) * PARCELS
        assert_every_turn_was_seen(ill, wrong)
        for name in NAMES:
            if name in (hanging, wrong):
                assert_harmed_for_a_while(well, ill, name)
                assert_no_silence_is_news(well, ill, name, span)
            else:
                assert_as_fresh(well, ill, name)
                assert_untouched(well, ill, name)
        assert_alerts(well, ill, hanging, wrong)


@pytest.mark.slow
@pytest.mark.anyio
async def test_what_each_answers_wrongly_ends_with_it(tmp_path: Path) -> None:
    """All ten in every manner: no lane of theirs breaks, nothing wrong is believed, and afterwards all is there."""
    async with month(tmp_path / "shop", FIRST, 2, 2 * HOUR) as run:
        await run.until(0.5)
        for carrier in run.carriers.values():
            carrier.misbehave(4 * HOUR)
        await run.until(1.5)
        for carrier in run.carriers.values():
            carrier.recover()
        await run.until(2)
        assert {row["failures"] for row in run.rows(ShipmentPoll)} == {0}
        assert {row["carrier"] for row in run.rows(Problem) if is_within(row["detected_at"], 0.5, 1.5)} == set()
        for name in NAMES:
            assert_every_turn_was_seen(run, name)
            assert_all_was_told(run, name)
        told = sorted((row["kind"], row["key"]) for row in run.rows(Alert) if row["kind"] != "delivery_reversed")
        each = (("carrier_down", "down"), ("credentials_refused", "refused"))
        assert told == sorted((kind, f"carrier:conta-{name}:tracking:{end}") for name in NAMES for kind, end in each)


def is_within(instant: datetime, day: float, other: float) -> bool:
    return FIRST + timedelta(days=day) < instant <= FIRST + timedelta(days=other)


def assert_all_was_told(run: Month, name: str) -> None:
    """Every event of every parcel is kept, at its time, and none that the carrier did not tell."""
    carrier = run.carriers[name]
    known = {row["value"]: row["shipment_id"] for row in run.rows(ShipmentRef, adapter=name)}
    assert len(known) == PARCELS
    for journey in carrier.journeys:
        kept = {row["occurred_at"].replace(second=0) for row in run.rows(Event, shipment_id=known[journey.number])}
        told = {one.at.replace(second=0) for one in journey.told if one.at <= run.now}
        # What has dated stages dates its own making too, long ago.
        assert {at for at in kept if at > FIRST} == told, f"{name} {journey.number}"


def assert_as_fresh(well: Month, ill: Month, name: str) -> None:
    """Within 5 % at every hour, half and nineteen of twenty of the parcels, by status."""
    assert len(ill.samples[name]) == len(well.samples[name])
    for before, after in zip(well.samples[name], ill.samples[name], strict=True):
        for usual, now in ((before.p50, after.p50), (before.p95, after.p95)):
            assert abs(now - usual) <= TOLERANCE * usual, f"{name}: {now} s old instead of {usual} s"


def assert_untouched(well: Month, ill: Month, name: str) -> None:
    """Looks, events, histories and problems are those of the run in which nobody failed, to the second."""
    for model in (ShipmentPoll, Event, ShipmentHistory, Problem):
        assert ill.accounts_rows(model, name) == well.accounts_rows(model, name), f"{model.__name__} of {name}"


def assert_harmed_for_a_while(well: Month, ill: Month, name: str) -> None:
    """The measure sees an outage; and after it nothing is missing."""
    assert mean(sample.p50 for sample in ill.samples[name]) > 2 * mean(sample.p50 for sample in well.samples[name])
    for run in (well, ill):
        assert {row["failures"] for row in run.rows(ShipmentPoll, carrier=f"conta-{name}")} == {0}
    keys = [{(row["shipment_id"], row["event_key"]) for row in run.accounts_rows(Event, name)} for run in (well, ill)]
    assert keys[0] == keys[1]
    statuses = [
        {row["shipment_id"]: (row["status"], row["delivered_at"]) for row in run.accounts_rows(ShipmentHistory, name)}
        for run in (well, ill)
    ]
    assert statuses[0] == statuses[1]


def assert_no_silence_is_news(well: Month, ill: Month, name: str, span: Span) -> None:
    """Nothing was found while the carrier was away, and nothing afterwards that is not so when it is well."""
    gone, back = (FIRST + timedelta(days=day) for day in span.away)
    found = ill.accounts_rows(Problem, name)
    assert [row for row in found if gone < row["detected_at"] <= back] == []
    true = {(row["subject_id"], row["kind"]) for row in well.accounts_rows(Problem, name)}
    assert {(row["subject_id"], row["kind"]) for row in found} <= true


def assert_caught_up(run: Month, back: datetime, names: tuple[str, str]) -> None:
    """The outages are over, and every parcel that is followed was answered about since then."""
    for name in names:
        polls = run.rows(ShipmentPoll, carrier=f"conta-{name}")
        late = [row for row in polls if row["next_poll_at"] and (row["last_answered_at"] or FIRST) <= back]
        assert late == [], name
    assert all(row["ended_at"] is not None for row in run.rows(CarrierOutage))


def assert_every_turn_was_seen(run: Month, wrong: str) -> None:
    assert run.carriers[wrong].turns_taken == set(range(len(TURNS))), wrong


def assert_alerts(well: Month, ill: Month, hanging: str, wrong: str) -> None:
    """One outage each, one refusal of the credentials; raised once, over with the first answer, and else what there was."""
    usual = {row["key"] for row in well.rows(Alert)}
    more = [row for row in ill.rows(Alert) if row["key"] not in usual]
    assert sorted((row["kind"], row["key"]) for row in more) == sorted(
        [
            ("carrier_down", f"carrier:conta-{hanging}:tracking:down"),
            ("carrier_down", f"carrier:conta-{wrong}:tracking:down"),
            ("credentials_refused", f"carrier:conta-{wrong}:tracking:refused"),
        ]
    )
    assert all(row["resolved_at"] is not None for row in more)
    assert sorted(row["carrier"] for row in ill.rows(CarrierOutage)) == sorted([f"conta-{hanging}", f"conta-{wrong}"])
    assert well.rows(CarrierOutage) == []

"""The comparison itself: each kind of fault is found, and only then."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.quarter.compare import Verdict, compare_claims, compare_problems
from tests.quarter.look import lines
from tests.quarter.play import Outcome
from tests.quarter.report import report
from tests.quarter.seeds import of_seed
from tests.quarter.setting import short
from tracker.sandbox.attention import Attention, passes
from tracker.sandbox.fates import random_plan
from tracker.sandbox.plan import Fate, Shipment
from tracker.sandbox.truth import problems
from tracker.sandbox.truth_claims import claim_truth
from tracker.sandbox.workdays import local

FIRST_DAY = date(2027, 1, 18)
ATTENTION = Attention.of(passes(FIRST_DAY, 60))
PLAN = random_plan(300, 15, 9, first_day=FIRST_DAY, realistic=True)


def of_fate(fate: Fate) -> Shipment:
    return PLAN.of_fate(fate)[0]


STOLEN, LATE, IN_TIME = of_fate(Fate.STOLEN), of_fate(Fate.LATE_OPEN), of_fate(Fate.ON_TIME)
(THEFT,) = [each for each in problems(STOLEN, ATTENTION).expected if each.kind == "theft"]
OWED = claim_truth(LATE, ATTENTION).owed
assert OWED is not None
FIRST_HOUR = local(OWED.earliest, 8, 30)


def row(parcel: Shipment, kind: str, day: date, *, until: date | None = None, **changes: Any) -> dict[str, Any]:
    resolved = None if until is None else local(until, 9).isoformat()
    made = {"id": "P1", "tracking_code": parcel.code, "kind": kind, "cause": None, "presumed": False}
    return made | {"detected_at": local(day, 9).isoformat(), "resolved_at": resolved} | changes


def attempt(parcel: Shipment, at: datetime, result: int = 0, motive: int = 211) -> dict[str, Any]:
    return {"code": parcel.code, "at": at.isoformat(), "result": result, "motive": motive, "kind": "R", "number": "1"}


def of_problems(rows: list[dict[str, Any]], parcel: Shipment = STOLEN) -> list[str]:
    verdict = Verdict()
    compare_problems({parcel.code: problems(parcel, ATTENTION)}, rows, verdict)
    return [fault.what for fault in verdict.faults if fault.kind in {"theft", "loss"}]


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        pytest.param([row(STOLEN, "theft", THEFT.earliest)], [], id="seen on its first day"),
        pytest.param([row(STOLEN, "theft", THEFT.latest)], [], id="seen on its last day"),
        pytest.param([], ["not seen"], id="never seen"),
        pytest.param([row(STOLEN, "theft", THEFT.latest + timedelta(days=1))], ["not seen"], id="seen a day late"),
        pytest.param(
            [row(STOLEN, "theft", THEFT.earliest - timedelta(days=2))],
            ["false problem"],
            id="seen before it was so, and still standing then",
        ),
        pytest.param(
            [row(STOLEN, "theft", THEFT.earliest), row(STOLEN, "theft", THEFT.latest)], ["doubled"], id="open twice"
        ),
        pytest.param(
            [row(STOLEN, "theft", THEFT.earliest), row(STOLEN, "loss", THEFT.latest)],
            ["false problem"],
            id="called lost as well",
        ),
    ],
)
def test_problems(rows: list[dict[str, Any]], faults: list[str]) -> None:
    assert of_problems(rows) == faults


def test_a_wrong_cause_is_a_fault() -> None:
    refused = of_fate(Fate.RETURNED_REFUSED)
    truth = problems(refused, ATTENTION)
    turned = next(each for each in truth.expected if each.kind == "returning")
    for cause, faults in (("refused", 0), ("absent", 1)):
        verdict = Verdict()
        compare_problems({refused.code: truth}, [row(refused, "returning", turned.earliest, cause=cause)], verdict)
        assert len([fault for fault in verdict.faults if fault.what == "wrong cause"]) == faults


def of_claims(made: list[dict[str, Any]], parcel: Shipment = LATE, fault: str | None = None) -> list[str]:
    verdict = Verdict()
    calls = [{"path": "/x/cadastra", "fault": fault, "answered": True, "items": [{"codigoObjeto": parcel.code}]}]
    ledger = {"attempts": made, "claims": [], "reopenings": []}
    compare_claims({parcel.code: claim_truth(parcel, ATTENTION)}, ledger, calls, [], verdict)
    return [each.what for each in verdict.faults]


@pytest.mark.parametrize(
    ("made", "fault", "faults"),
    [
        pytest.param([attempt(LATE, FIRST_HOUR)], None, [], id="filed on the first day"),
        pytest.param([], None, ["missed"], id="never filed"),
        pytest.param([attempt(LATE, FIRST_HOUR + timedelta(days=4))], None, ["late"], id="filed late"),
        pytest.param(
            [attempt(LATE, local(LATE.due_on, 9), 544), attempt(LATE, FIRST_HOUR)], None, ["early"], id="tried early"
        ),
        pytest.param(
            [attempt(LATE, FIRST_HOUR), attempt(LATE, FIRST_HOUR, 900)], None, ["doubled"], id="filed again unasked"
        ),
        pytest.param(
            [attempt(LATE, FIRST_HOUR), attempt(LATE, FIRST_HOUR, 900)],
            "lost_answer",
            [],
            id="filed again because the answer was lost",
        ),
        pytest.param(
            [attempt(LATE, FIRST_HOUR, motive=134)], None, ["false claim"], id="filed as damaged, which it is not"
        ),
    ],
)
def test_claims(made: list[dict[str, Any]], fault: str | None, faults: list[str]) -> None:
    assert of_claims(made, fault=fault) == faults


def test_a_claim_for_what_came_in_time_is_false() -> None:
    filed = attempt(IN_TIME, local(IN_TIME.due_on + timedelta(days=3), 9), motive=135)
    assert of_claims([filed], IN_TIME) == ["false claim"]


def struck(seed: int, code: str) -> Shipment:
    """One parcel of a seed, held up by its strikes."""
    parcel = next(each for each in of_seed(seed).plan.shipments if each.code == code)
    for strike in of_seed(seed).strikes:
        parcel = strike.hold(parcel)
    return parcel


def test_what_is_undone_and_done_anew_between_two_second_looks_is_known_at_the_second() -> None:
    parcel = struck(10, "QN124553956BR")
    attention = Attention.of(of_seed(10).passes, of_seed(10).fault_plan.outages)
    found = [each for each in problems(parcel, attention).expected if each.kind == "late_delivery"]
    # Delivered on 27 November; taken back and delivered on 1 December, between the looks of day 3 and day 7.
    assert [each.earliest for each in found] == [date(2026, 11, 27), date(2026, 12, 1)]
    assert found[1].latest >= date(2026, 12, 4)


@pytest.mark.parametrize(("hours", "faults"), [(1, []), (20, []), (30, ["early"])])
def test_a_delivery_taken_back_counts_as_known_until_the_next_look_at_it(hours: int, faults: list[str]) -> None:
    # A strike held it until after its due date, so that it came late, and was then taken back.
    parcel = struck(8, "AD143119257BR")
    (reversal,) = [event.at for event in parcel.events if event.code == "EST"]
    refused = attempt(parcel, reversal + timedelta(hours=hours), 531, 135)
    assert [what for what in of_claims([refused], parcel) if what == "early"] == faults


def test_the_report_lists_each_fault_with_the_command_that_explains_it() -> None:
    verdict = Verdict()
    compare_problems({STOLEN.code: problems(STOLEN, ATTENTION)}, [], verdict)
    text = "\n".join(report(short(3), Outcome(verdict, 150, 90, 10, 5, 0, 1.0)))
    assert f"tracker show {STOLEN.code}" in text and "not seen" in text and "seed 3" in text


def test_a_parcel_of_the_trial_can_be_looked_at() -> None:
    setting = short(1)
    stolen = setting.plan.of_fate(Fate.STOLEN)[0]
    text = "\n".join(lines(setting, stolen.code))
    assert "BDE 50 Objeto roubado" in text and "theft" in text and "claim owed" in text
    with pytest.raises(ValueError, match="no parcel"):
        lines(setting, "AD100000017BR")

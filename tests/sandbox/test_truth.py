"""The judge judged: what the truth expects of each fate, and that the claim desk takes every claim the truth calls owed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from tests.sandbox.conftest import item
from tracker.sandbox.answers import Claim
from tracker.sandbox.attention import Attention, passes
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.desk import ClaimDesk
from tracker.sandbox.facts import facts
from tracker.sandbox.fates import random_plan
from tracker.sandbox.faults import Family, Outage
from tracker.sandbox.judgement import REGISTERED, judge
from tracker.sandbox.meanings import meaning
from tracker.sandbox.plan import Fate, Shipment, Verdict
from tracker.sandbox.strikes import Strike
from tracker.sandbox.truth import ProblemTruth, kinds, problems
from tracker.sandbox.truth_claims import CLASSES, LATE, claim_truth, owed_reopening
from tracker.sandbox.workdays import add_business_days, local, local_date

FIRST_DAY = date(2027, 1, 18)
PLAN = random_plan(300, 25, 9, first_day=FIRST_DAY, realistic=True)
LOOKS = passes(FIRST_DAY, 75)
ATTENTION = Attention.of(LOOKS)
MOTIVES = {"lateness": 211, "loss": 211, "theft": 211, "damage": 134, "undue_return": 136}


def of_fate(fate: Fate) -> list[Shipment]:
    return [shipment for shipment in PLAN.shipments if shipment.fate is fate]


def truth(shipment: Shipment) -> ProblemTruth:
    return of_code(shipment.code)


@cache
def of_code(code: str) -> ProblemTruth:
    return problems(next(shipment for shipment in PLAN.shipments if shipment.code == code), ATTENTION)


def expected_kinds(shipment: Shipment) -> set[str]:
    return {each.kind for each in truth(shipment).expected}


@pytest.mark.parametrize(
    ("fate", "always", "never"),
    [
        pytest.param(Fate.ON_TIME, set(), kinds() - {"delay", "delivery_failed"}, id="on time: nothing to claim"),
        pytest.param(Fate.LATE_DELIVERED, {"late_delivery"}, {"loss", "returning"}, id="delivered late"),
        pytest.param(Fate.LOST_CODED, {"loss"}, {"theft", "returned"}, id="lost by code"),
        pytest.param(Fate.LOST_SILENT, {"delay", "loss"}, {"returned"}, id="lost in silence"),
        pytest.param(Fate.SILENT_FOUND, {"loss", "late_delivery"}, {"returned"}, id="silent, then found"),
        pytest.param(Fate.STOLEN, {"theft"}, {"loss"}, id="stolen"),
        pytest.param(Fate.DAMAGED, {"damage"}, {"loss"}, id="damaged"),
        pytest.param(Fate.RETURNED_REFUSED, {"returning", "returned"}, {"loss"}, id="refused"),
        pytest.param(Fate.RETURNED_UNDULY, {"returning", "returned"}, {"delay", "loss"}, id="returned for no reason"),
        pytest.param(Fate.SEIZED, {"customs_hold", "seized"}, {"loss"}, id="seized"),
        pytest.param(Fate.CUSTOMS_HOLD, {"customs_hold"}, {"loss", "seized"}, id="held"),
        pytest.param(Fate.NEVER_POSTED, {"not_posted"}, {"delay", "loss", "stalled"}, id="never posted"),
        pytest.param(Fate.POSTED_LATE, {"not_posted"}, {"loss"}, id="posted late"),
        pytest.param(Fate.OTHER_CONTRACT, {"untrackable"}, kinds() - {"untrackable"}, id="of another contract"),
        pytest.param(Fate.SECOND_CONTRACT, {"untrackable"}, kinds() - {"untrackable"}, id="of the second contract"),
        pytest.param(Fate.BAD_CODE, set(), kinds(), id="a code that cannot be"),
        pytest.param(Fate.PICKUP_LAST_DAY, {"pickup_expiring"}, {"returning"}, id="fetched on the last day"),
        pytest.param(Fate.RETURNED_UNCLAIMED, {"pickup_expiring", "returning"}, {"loss"}, id="never fetched"),
        pytest.param(Fate.ADDRESS_CORRECTED, {"address_problem"}, {"returning"}, id="address corrected"),
    ],
)
def test_what_each_fate_must_show(fate: Fate, always: set[str], never: set[str]) -> None:
    parcels = of_fate(fate)
    assert parcels
    for parcel in parcels:
        found = expected_kinds(parcel)
        assert always <= found, parcel
        assert not never & found, parcel


def test_a_stall_is_owed_a_word_only_before_the_parcel_is_late() -> None:
    found = {stalled: [] for stalled in (True, False)}  # type: dict[bool, list[Shipment]]
    for parcel in of_fate(Fate.STALLED):
        found["stalled" in expected_kinds(parcel)].append(parcel)
    for parcel in found[True]:
        (stall,) = [each for each in truth(parcel).expected if each.kind == "stalled"]
        assert stall.latest <= min(parcel.due_on, parcel.promised_on)


def test_a_window_opens_with_the_fact_and_closes_a_day_of_looks_later() -> None:
    parcel = of_fate(Fate.STOLEN)[0]
    stolen = next(event for event in parcel.events if event.kind == "50")
    (theft,) = [each for each in truth(parcel).expected if each.kind == "theft"]
    assert theft.earliest == local_date(stolen.at)
    assert theft.latest == theft.earliest + timedelta(days=1)


def test_an_outage_puts_the_window_off_and_its_days_are_no_silence() -> None:
    parcel = of_fate(Fate.LOST_SILENT)[0]
    (plain,) = [each for each in truth(parcel).expected if each.kind == "loss"]
    day = add_business_days(plain.earliest, -3)
    outage = Outage(local(day, 0), local(day + timedelta(days=1), 0), Family.TRACKING)
    blind = Attention.of(LOOKS, [outage])
    (later,) = [each for each in problems(parcel, blind).expected if each.kind == "loss"]
    assert blind.blind_days == {day}
    evening = Outage(local(day, 18), local(day, 20), Family.TRACKING)
    assert Attention.of(LOOKS, [evening]).blind_days == {day}
    assert later.latest > plain.latest


def test_what_changes_after_the_last_second_look_is_owed_no_word() -> None:
    parcel = next(each for each in of_fate(Fate.REVERSED_LATE) if "late_delivery" in expected_kinds(each))
    reversed_at = next(event.at for event in parcel.events if event.code == "EST")
    week = timedelta(days=8)
    late = tuple(replace(each, at=each.at + week) if each.at >= reversed_at else each for each in parcel.events)
    unseen = replace(parcel, events=late)
    assert not {"delay", "late_delivery"} & {each.kind for each in problems(unseen, ATTENTION).expected}
    assert claim_truth(unseen, ATTENTION).owed is None


def test_causes_go_with_what_turns_back() -> None:
    causes = {
        Fate.RETURNED_REFUSED: "refused",
        Fate.RETURNED_ABSENT: "absent",
        Fate.WRONG_ADDRESS: "wrong_address",
        Fate.RETURNED_UNCLAIMED: "unclaimed",
        Fate.RETURNED_UNDULY: "return",
    }
    for fate, cause in causes.items():
        for parcel in of_fate(fate):
            told = {each.cause for each in truth(parcel).expected if each.kind in {"returning", "returned"}}
            assert told == {cause}


def test_every_expected_problem_lies_inside_what_is_allowed() -> None:
    for parcel in PLAN.shipments:
        found = truth(parcel)
        for each in found.expected:
            windows = [window for window in found.allowed if window.kind == each.kind]
            assert any(window.first <= each.earliest <= each.latest <= window.last for window in windows), each


def test_the_desk_takes_every_claim_that_is_owed_on_every_day_of_its_window() -> None:
    strikes = (Strike(date(2027, 1, 27), date(2027, 1, 29)), Strike(date(2027, 2, 8), date(2027, 2, 12), "SP"))
    seen = set()
    for plain in PLAN.shipments:
        parcel = strikes[1].hold(strikes[0].hold(plain))
        found = claim_truth(parcel, ATTENTION)
        if found.owed is None:
            continue
        seen.add(found.owed.claim_class)
        for day in (found.owed.earliest, found.owed.latest):
            now = datetime.combine(day, LOOKS[2].timetz()) if day == found.owed.earliest else local(day, 8, 30)
            known = facts(parcel.events_until(now))
            motive = MOTIVES[found.owed.claim_class]
            if found.owed.claim_class == "lateness" and known.delivered_on is not None:
                motive = LATE
            assert judge(motive, "I", parcel.claim_due_on(now), known, day) == REGISTERED, (parcel, found.owed)
            assert found.allows(motive, now)
    assert seen == CLASSES


@pytest.mark.parametrize(
    "fate",
    [Fate.ON_TIME, Fate.NEVER_POSTED, Fate.OTHER_CONTRACT, Fate.SECOND_CARD, Fate.BAD_CODE, Fate.SEIZED],
    ids=str,
)
def test_these_are_owed_no_claim(fate: Fate) -> None:
    late = {parcel for parcel in of_fate(fate) if (facts(parcel.events).first_try_on or date.min) > parcel.due_on}
    assert all(claim_truth(parcel, ATTENTION).owed is None for parcel in of_fate(fate) if parcel not in late)


def test_an_accepted_complaint_about_a_missing_object_is_owed_its_reopening() -> None:
    parcel = replace(of_fate(Fate.LOST_SILENT)[0], verdict=Verdict.PAID_AS_REFUND)
    clock = SandboxClock(local(parcel.due_on + timedelta(days=5), 9))
    desk = ClaimDesk(clock)
    code, number = desk.register(item(parcel.code), parcel, parcel.events_until(clock.now()))
    claim = desk.find(number)
    assert code == REGISTERED and isinstance(claim, Claim)
    assert owed_reopening(claim, parcel, local(parcel.due_on + timedelta(days=20), 9)) is None
    owed = owed_reopening(claim, parcel, LOOKS[-1])
    assert owed is not None and (owed.latest - owed.earliest).days == 30


def test_every_event_of_the_world_has_a_published_meaning_or_is_meant_to_have_none() -> None:
    silent = {event.code for each in PLAN.shipments for event in each.events if meaning(event) is None}
    assert silent == {"EST", "OFF"}

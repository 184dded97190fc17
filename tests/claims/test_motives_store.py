"""Which claim of several problems is filed, what a refusal leaves open, and contracts that settle lateness themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.claims.test_filing_store import FIRST_DAY, LATE, file_by_hand, late_parcel, later, results
from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.sandbox.judgement import ALREADY_OPEN, REGISTERED, SERVICE_LEVEL
from tracker.sandbox.plan import Event, Fate, Forecast, Shipment
from tracker.sandbox.workdays import add_business_days
from tracker.store.claims import claims_by_id, put_off
from tracker.store.tables import Alert, Claim, ClaimStep, Decision, Problem, SettledDesk

LOST = replace(
    of_fate(Fate.LOST_CODED),
    due_on=day(12),
    promised_on=day(12),
    forecasts=(Forecast(at(day(1)), day(12)),),
)
"""The carrier says so on the plan's day 4, before its due date."""
DAMAGED = of_fate(Fate.DAMAGED)


def asked(trial: Trial) -> list[tuple[int, str, int]]:
    """(motive, kind, code answered) of every try at the carrier's desk."""
    return [(attempt["motive"], attempt["kind"], attempt["result"]) for attempt in trial.attempts()]


def lost_on(trial: Trial, lost: Shipment) -> None:
    trial.drop_orders()
    trial.pass_through([at(day(2)), at(day(3)), at(day(4)), at(day(5))])


def test_a_kind_that_is_not_taken_falls_back_once_and_stays_through_a_replanning(start: Start) -> None:
    """Section 6.4, 545: "switch once". The switch came back as the refund at the next due date that the carrier named."""
    again = replace(LOST.events[-1], at=at(day(6), 8))
    lost = replace(LOST, events=(*LOST.events, again))
    trial = start(lost)
    trial.world.correios.desk.scripted[LOST.code] = [545, 534]
    lost_on(trial, lost)
    assert asked(trial) == [(211, "I", 545), (211, "R", 534)]
    claim = trial.one(Claim)
    assert (claim["state"], claim["kind"]) == ("planned", "information_request")
    assert claim["expected_cents"] is None, "an inquiry brings nothing by itself"
    trial.pass_at(at(day(6)))
    # The event it waited for has come: asked again at once, as what it had become.
    assert asked(trial)[2:] == [(211, "R", REGISTERED)]


def test_without_another_motive_545_waits_for_the_next_event(start: Start) -> None:
    trial = late_parcel(start(LATE))
    trial.world.correios.desk.scripted[LATE.code] = [545]
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    # Five business days, or the next event (LATE is delivered later: then it is another claim).
    assert (claim["state"], claim["refusal_code"]) == ("planned", "545")
    assert claim["claimable_from"] == add_business_days(FIRST_DAY, 5)


def test_550_is_final_and_leaves_the_parcels_other_problem_its_claim(start: Start) -> None:
    """The damage is refused for good; that it came late is still owed, and is filed under its own motive."""
    late = replace(DAMAGED, due_on=day(2), promised_on=day(2))
    trial = start(late)
    trial.world.correios.desk.scripted[late.code] = [550]
    trial.drop_orders()
    trial.pass_through(at(day(n), 21) for n in range(2, 16))
    tried = asked(trial)
    assert tried[0] == (134, "I", 550)
    assert trial.rows(Claim)[0]["state"] == "refused"
    assert {motive for motive, _, _ in tried[1:]} <= {135, 211}
    assert tried[1:], "the second problem was asked for"
    assert all(motive != 134 for motive, _, _ in tried[1:]), "and the first never again"


def test_564_gives_a_person_the_words_to_file_it_by_hand(start: Start) -> None:
    """Section 7.2: the API counts 30 days where the law gives 90."""
    trial = late_parcel(start(LATE))
    trial.world.correios.desk.scripted[LATE.code] = [564]
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"]) == ("waiting_approval", "carrier_answer")
    alert = trial.one(Alert)
    assert (alert["kind"], alert["severity"]) == ("claim_deadline", "critical")
    for words in (LATE.code, "564", "motivo 211 (reclamação)", "https://cws.correios.com.br", "Decreto 12.464"):
        assert words in alert["details"]["text"]


def test_510_is_final(start: Start) -> None:
    trial = late_parcel(start(LATE))
    trial.world.correios.desk.scripted[LATE.code] = [510]
    trial.pass_through([later(0), later(24 * 60)])
    claim = trial.one(Claim)
    assert (claim["state"], claim["refusal_code"], results(trial), trial.rows(Alert)) == ("refused", "510", [510], [])


def test_a_claim_opened_through_another_channel_is_marked(start: Start) -> None:
    trial = late_parcel(start(LATE))
    trial.clock_at(later(-30))
    number = file_by_hand(trial, LATE)
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert (claim["protocol"], claim["adopted"], results(trial)) == (number, True, [REGISTERED, ALREADY_OPEN])
    (row,) = trial.rows(Decision, subject_kind="claim", rule="claim.adopted")
    assert row["facts"]["other_channel"] is True and "another channel" in row["reason"]


def test_our_own_claim_whose_answer_was_lost_is_not_taken_for_anothers(start: Start) -> None:
    """Looked up twice without being shown, it is filed again and found to stand."""
    trial = late_parcel(start(LATE))
    trial.world.faults.next("lost_answer", path="cadastra")
    trial.pass_at(later(0))
    trial.world.faults.next("500", count=1, path="acompanha")
    trial.pass_through([later(2), later(20)])
    claim = trial.one(Claim)
    assert (claim["state"], claim["adopted"]) == ("open", False)


def test_a_second_problem_takes_an_answered_claim_up_again(start: Start) -> None:
    """A late parcel's inquiry is rejected, contested in vain and closed; then the carrier says that it lost the parcel."""
    lost = next(event for event in LOST.events if event.code == "BDE")
    known_at = at(FIRST_DAY + timedelta(days=10), 8)
    parcel = replace(LATE, events=(*LATE.events[:3], replace(lost, at=known_at)), answer_days=2)
    verdict = of_fate(Fate.LOST_SILENT, 1).verdict
    rejected = replace(parcel, verdict=verdict, second_verdict=verdict)
    trial = late_parcel(start(rejected))
    trial.pass_through(at(FIRST_DAY + timedelta(days=n), 11) for n in range(10))
    assert trial.one(Claim)["closed_at"] is not None
    trial.pass_at(at(FIRST_DAY + timedelta(days=10), 11))
    claim = trial.one(Claim)
    assert (claim["state"], claim["kind"], claim["closed_at"]) == ("reopened", "refund", None)
    desk = trial.world.correios.desk.ledger()["claims"]
    assert [(c["reopenings"][-1]["kind"], len(c["reopenings"])) for c in desk] == [("I", 2)]
    assert "claim.second_problem" in {row["rule"] for row in trial.rows(Decision, subject_kind="claim")}


# --- contracts by service level ---------------------------------------------------------------------


def settled_trial(start: Start) -> Trial:
    """Two late parcels; the carrier answers the first filing by service level."""
    other = replace(of_fate(Fate.LATE_OPEN, 1), due_on=day(8), promised_on=day(8))
    trial = start(LATE, other)
    trial.drop_orders()
    trial.world.correios.desk.service_level = True
    trial.pass_through([at(day(2)), at(day(4)), later(0)])
    return trial


def test_the_first_service_level_refusal_lets_delay_claims_rest(start: Start, database_url: str) -> None:
    """Section 8.4: switched to `contract` automatically after the first such refusal, lateness kept as statistics."""
    trial = settled_trial(start)
    assert trial.one(SettledDesk)["carrier"] == "correios"
    trial.pass_through(at(day(n)) for n in range(8, 16))
    assert results(trial) == [SERVICE_LEVEL]
    assert trial.one(Alert, kind="claims_by_contract")["resolved_at"] is None
    late = {row["id"] for row in trial.rows(Problem, kind="delay")}
    rested = trial.rows(Decision, subject_kind="problem", outcome="not_claimed", rule="claim.plan")
    kept = {row["subject_id"] for row in rested if "kept as statistics" in row["reason"]}
    assert kept & late


def test_a_delay_claim_that_waits_already_falls_away(start: Start) -> None:
    other = replace(of_fate(Fate.LATE_OPEN, 1), due_on=LATE.due_on, promised_on=LATE.due_on)
    second = replace(other, forecasts=LATE.forecasts, events=LATE.events[:3])
    trial = start(LATE, second)
    trial.carrier["claims"]["mode"] = "propose"
    trial.drop_orders()
    trial.world.correios.desk.service_level = True
    trial.pass_through([at(day(2)), later(0)])
    assert [claim["state"] for claim in trial.rows(Claim)] == ["waiting_approval"] * 2
    name = f"C{trial.rows(Claim)[0]['id']}"
    assert trial.command("approve", name).returncode == 0
    trial.pass_through([later(60), later(120)])
    assert {(claim["state"], claim["outcome"]) for claim in trial.rows(Claim)} == {
        ("refused", "refused"),
        ("cancelled", "by_contract"),
    }
    assert results(trial) == [SERVICE_LEVEL]


def test_a_new_configuration_of_the_account_has_them_tried_again(start: Start) -> None:
    trial = settled_trial(start)
    trial.pass_at(at(day(9)))
    assert len(results(trial)) == 1
    trial.world.correios.desk.service_level = False
    trial.carrier["claims"]["packaging"] = "envelope"
    trial.pass_through([at(day(10)), at(day(10), 11)])
    assert trial.rows(SettledDesk) == []
    assert results(trial) == [SERVICE_LEVEL, REGISTERED]
    assert trial.one(Alert, kind="claims_by_contract")["resolved_at"] is not None


# --- storms -----------------------------------------------------------------------------------------


def test_a_storm_of_processing_errors_is_one_alert_and_passes_by_itself(start: Start) -> None:
    """999: 5, 15, 60 minutes, six-hourly for three days, then a person hears of it and it is tried daily."""
    never = replace(LATE, events=LATE.events[:3])
    second = replace(of_fate(Fate.LATE_OPEN, 1), due_on=LATE.due_on, promised_on=LATE.due_on)
    trial = start(never, replace(second, events=second.events[:3]))
    trial.drop_orders()
    trial.pass_at(at(day(2)))
    trial.world.faults.next("999", count=1000, path="cadastra")
    trial.pass_through(later(60 * hours) for hours in (0, 0.1, 0.5, 2, *range(8, 24 * 5, 6)))
    assert [alert["kind"] for alert in trial.rows(Alert)] == ["claims_failing"]
    assert results(trial) == []
    assert {claim["state"] for claim in trial.rows(Claim)} == {"submitting"}
    trial.world.faults.clear()
    trial.pass_through([later(60 * 24 * 6), later(60 * 24 * 7)])
    assert results(trial) == [REGISTERED] * 2
    assert trial.one(Alert)["resolved_at"] is not None


def test_a_filing_waits_where_its_day_moves_away_in_a_storm(start: Start) -> None:
    """Decided on its first day, not through, and re-planned meanwhile: it does not leave before the new day."""
    replanned = replace(LATE, due_on=day(9), events=(*LATE.events[:3], moved(LATE)))
    trial = late_parcel(start(replanned))
    trial.world.faults.next("999", count=2, path="cadastra")
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert claim["state"] == "submitting"
    with trial.database.begin_write() as connection:
        put_off(connection, claims_by_id(connection, [claim["id"]])[claim["id"]], FIRST_DAY + timedelta(days=3))
    trial.pass_at(later(10))
    assert results(trial) == []
    assert (trial.one(Claim)["state"], trial.rows(ClaimStep)[-1]["outcome"]) == ("planned", "withdrawn")


def moved(shipment: Shipment) -> Event:
    """One more scan, so that the carrier still moves it."""
    return replace(shipment.events[2], at=at(FIRST_DAY, 8))

"""Claims against the simulated carrier: every filing is registered once, in time, whatever becomes of the answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from tests.end_to_end.support import DEMO, MONDAY, Start, Trial, at, day, of_fate
from tracker.sandbox.fates import random_plan
from tracker.sandbox.judgement import ALREADY_OPEN, REGISTERED, SERVICE_LEVEL
from tracker.sandbox.plan import Fate, Forecast, Shipment, Verdict
from tracker.sandbox.workdays import add_business_days, local_date
from tracker.store.claims import approve, claims_by_id
from tracker.store.tables import Alert, Claim, ClaimStep, Decision, Problem, ShipmentPoll, Signal

LATE = of_fate(Fate.LATE_OPEN)
"""Due on the plan's day 4, a Thursday; delivered ten days later."""
FIRST_DAY = add_business_days(LATE.due_on, 1)
"""The first day on which the carrier takes its claim."""
IN_TERM = 544
DELIVERED = 546
ON_TIME = 530


def later(minutes: float) -> datetime:
    """So long after the first pass of the first allowed day."""
    return at(FIRST_DAY, 9) + timedelta(minutes=minutes)


def late_parcel(trial: Trial, **carrier_claims: Any) -> Trial:
    """Up to the eve of its first allowed day."""
    trial.carrier["claims"].update(carrier_claims)
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    return trial


def results(trial: Trial) -> list[int]:
    return [attempt["result"] for attempt in trial.attempts()]


def test_a_late_parcel_is_claimed_on_its_first_allowed_day(start: Start, database_url: str) -> None:
    trial = late_parcel(start(LATE, url=database_url))
    trial.pass_at(at(LATE.due_on, 20))
    assert trial.rows(Claim) == []
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert (claim["state"], claim["motive"], claim["kind"]) == ("open", "211", "information_request")
    assert claim["claimable_from"] == FIRST_DAY
    assert claim["opened_at"] == later(0)
    assert trial.world.registrations() == {LATE.code: [claim["protocol"]]}
    # No alert stood: none is called off.
    assert [row for row in trial.rows(Signal, raised=False) if row["kind"].startswith("claim")] == []


def test_a_filing_that_was_refused_at_the_door_was_not_sent_and_is_filed_later(start: Start, database_url: str) -> None:
    """Credentials that are refused say nothing of the claim: it is not looked up as one whose answer was lost."""
    trial = late_parcel(start(LATE, url=database_url))
    trial.world.faults.next("403", count=2, path="cadastra")
    trial.pass_at(later(0))
    step = trial.one(ClaimStep)
    assert (step["action"], step["state"], step["called_at"]) == ("open", "intended", None)
    assert trial.one(Claim)["lease_token"] is None
    assert trial.one(Alert, resolved_at=None)["kind"] == "credentials_refused"
    trial.pass_at(later(61))
    assert [row["action"] for row in trial.rows(ClaimStep)][:1] == ["open"]
    assert trial.one(ClaimStep, id=step["id"])["state"] == "done"
    claim = trial.one(Claim)
    assert (claim["state"], claim["opened_at"]) == ("open", later(61))
    assert results(trial) == [REGISTERED] and trial.world.registrations() == {LATE.code: [claim["protocol"]]}


def test_an_answer_that_was_lost_is_looked_up_and_never_sent_again(start: Start, database_url: str) -> None:
    trial = late_parcel(start(LATE, url=database_url))
    trial.world.faults.next("lost_answer", path="cadastra")
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert (claim["state"], claim["opened_at"]) == ("submitting", None)
    assert [(step["action"], step["state"]) for step in trial.rows(ClaimStep)] == [
        ("open", "lost"),
        ("look_up", "intended"),
    ]
    trial.pass_at(later(2))
    claim = trial.one(Claim)
    assert (claim["state"], [claim["protocol"]]) == ("open", trial.world.registrations()[LATE.code])
    assert results(trial) == [REGISTERED]


def test_what_the_claims_office_knows_first_is_looked_up_in_tracking_before_another_motive(start: Start) -> None:
    """It was delivered while tracking was away: the refusal sends us to look, and what tracking shows is then claimed."""
    trial = late_parcel(start(LATE), mode="propose")
    trial.pass_at(later(0))
    delivered_on = local_date(LATE.events[-1].at)
    trial.carrier["claims"]["mode"] = "auto"
    with trial.database.begin_write() as connection:
        waiting = trial.one(Claim)["id"]
        assert approve(connection, claims_by_id(connection, [waiting])[waiting], at(delivered_on, 20))
    trial.world.faults.next("500", count=1000, path="objetos")
    trial.pass_at(at(delivered_on, 21))
    claim = trial.one(Claim)
    assert results(trial) == [DELIVERED]
    assert (claim["state"], claim["motive"], claim["refusal_code"]) == ("planned", "211", str(DELIVERED))
    assert trial.one(ShipmentPoll)["next_poll_at"] == at(delivered_on, 21)
    trial.world.faults.clear()
    trial.pass_at(at(delivered_on, 23))
    claim = trial.one(Claim)
    assert results(trial) == [DELIVERED, REGISTERED]
    assert (claim["state"], claim["motive"], claim["kind"]) == ("open", "135", "refund")


def test_no_claim_leaves_while_tracking_is_away(start: Start) -> None:
    """Late since Friday, planned for Monday, and by then tracking does not answer: it waits, however long that takes."""
    friday, monday = day(5), day(8)
    trial = late_parcel(
        start(replace(LATE, due_on=friday, promised_on=friday, forecasts=(Forecast(at(day(1)), friday),)))
    )
    trial.pass_at(at(day(6), 9))
    assert trial.one(Claim)["claimable_from"] == monday
    trial.world.faults.next("500", count=1000, path="objetos")
    trial.pass_through(at(monday + timedelta(days=n), hour) for n in range(3) for hour in (9, 18))
    assert results(trial) == []
    assert "claim.needs_news" in {row["rule"] for row in trial.rows(Decision, subject_kind="claim")}
    trial.world.faults.clear()
    trial.pass_at(at(monday + timedelta(days=3), 9))
    assert results(trial) == [REGISTERED]


def test_a_filing_that_could_not_leave_is_planned_anew_by_what_tracking_shows(start: Start) -> None:
    """The claims calls fail for days, and the parcel arrives: the inquiry is dropped unsent, the refund is asked for."""
    trial = late_parcel(start(LATE))
    trial.world.faults.next("500", count=1000, path="cadastra")
    delivered_on = local_date(LATE.events[-1].at)
    trial.pass_through([later(0), at(delivered_on - timedelta(days=1), 9)])
    assert trial.one(Claim)["state"] == "submitting"
    trial.pass_at(at(delivered_on, 21))
    trial.world.faults.clear()
    trial.pass_through(at(delivered_on + timedelta(days=1), hour) for hour in (9, 11, 13))
    claim = trial.one(Claim)
    assert (results(trial), claim["motive"], claim["state"]) == ([REGISTERED], "135", "open")
    assert [a["motive"] for a in trial.attempts()] == [135]


def test_a_filing_that_never_arrived_is_sent_again_after_two_looks(start: Start) -> None:
    trial = late_parcel(start(LATE))
    trial.world.faults.next("close", path="cadastra")
    trial.pass_at(later(0))
    assert results(trial) == []
    trial.pass_at(later(2))
    assert results(trial) == []  # "none found" may mean "not shown yet"
    trial.pass_at(later(70))
    assert results(trial) == [REGISTERED]
    assert trial.one(Claim)["state"] == "open"


def test_a_number_that_is_missing_is_asked_for(start: Start) -> None:
    trial = late_parcel(start(LATE))
    trial.world.faults.next("f", path="cadastra")
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert (claim["state"], claim["protocol"]) == ("open", None)
    trial.pass_at(later(61))
    assert [trial.one(Claim)["protocol"]] == trial.world.registrations()[LATE.code]
    assert results(trial) == [REGISTERED]


def test_a_claim_that_stands_already_is_adopted_and_its_number_fetched(start: Start) -> None:
    trial = late_parcel(start(LATE))
    trial.clock_at(later(-30))
    number = file_by_hand(trial, LATE)
    trial.world.faults.next("f", path="cadastra")
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert (claim["state"], claim["protocol"], claim["refusal_code"]) == ("open", number, None)
    assert results(trial) == [REGISTERED, ALREADY_OPEN]
    assert "claim.adopted" in {row["rule"] for row in trial.rows(Decision, subject_kind="claim")}


def file_by_hand(trial: Trial, shipment: Shipment) -> str:
    """The merchant was quicker, on the carrier's own site."""
    item = {
        "codigoObjeto": shipment.code,
        "emailResposta": "pi@aurora.example",
        "nomeDestinatario": "Fulana de Teste",
        "codigoMotivoReclamacao": 211,
        "tipoEmbalagem": "C",
        "tipoManifestacao": "R",
    }
    _, number = trial.world.correios.desk.register(item, *trial.world.correios.look_up(shipment.code))
    assert number
    return number


def test_a_term_that_the_carrier_counts_longer_only_moves_the_day(start: Start) -> None:
    longer = replace(LATE, due_on=add_business_days(LATE.due_on, 3))
    trial = late_parcel(start(longer))
    trial.pass_through(at(FIRST_DAY + timedelta(days=n), 9) for n in range(7))
    assert results(trial) == [IN_TERM, IN_TERM, IN_TERM, REGISTERED]
    tried_on = [local_date(datetime.fromisoformat(attempt["at"])) for attempt in trial.attempts()]
    assert tried_on == [add_business_days(LATE.due_on, n) for n in (1, 2, 3, 4)]
    claim = trial.one(Claim)
    assert (claim["state"], claim["claimable_from"]) == ("open", tried_on[-1])


def test_a_refusal_by_service_level_ends_the_claim_and_tells_the_operator(start: Start) -> None:
    trial = late_parcel(start(LATE))
    trial.world.correios.desk.service_level = True
    trial.pass_through([later(0), later(24 * 60), later(3 * 24 * 60)])
    claim = trial.one(Claim)
    assert (claim["state"], claim["outcome"], claim["refusal_code"]) == ("refused", "refused", str(SERVICE_LEVEL))
    assert claim["closed_at"] == later(0)
    assert results(trial) == [SERVICE_LEVEL]
    assert [alert["kind"] for alert in trial.rows(Alert)] == ["claims_by_contract"]


def test_a_processing_error_is_tried_again_more_slowly_each_time(start: Start) -> None:
    trial = late_parcel(start(LATE))
    trial.world.faults.next("999", count=2, path="cadastra")
    trial.pass_through([later(0), later(2), later(6), later(10), later(22)])
    assert trial.one(Claim)["state"] == "open"
    steps = [(step["outcome"], step["called_at"]) for step in trial.rows(ClaimStep)]
    assert steps == [("not_yet", later(0)), ("not_yet", later(6)), ("registered", later(22))]


def test_a_proposed_claim_waits_until_a_person_approves_it(start: Start, database_url: str) -> None:
    trial = late_parcel(start(LATE, url=database_url), mode="propose")
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"]) == ("waiting_approval", "propose")
    trial.pass_at(later(60))
    assert results(trial) == []
    with trial.database.begin_write() as connection:
        assert approve(connection, claims_by_id(connection, [claim["id"]])[claim["id"]], later(90))
    trial.pass_at(later(91))
    assert trial.one(Claim)["state"] == "open"
    assert results(trial) == [REGISTERED]


def test_a_proposed_claim_alerts_when_its_deadline_is_near(start: Start) -> None:
    never_came = replace(of_fate(Fate.LOST_SILENT), events=LATE.events[:3])
    trial = late_parcel(start(never_came), mode="propose")
    trial.pass_at(at(add_business_days(never_came.due_on, 1), 9))
    alert_on = trial.one(Claim)["alert_on"]
    assert alert_on == never_came.due_on + timedelta(days=25)
    trial.pass_at(at(alert_on - timedelta(days=1), 9))
    assert trial.rows(Alert, kind="claim_deadline_near") == []
    trial.pass_through([at(alert_on, 9), at(alert_on + timedelta(days=2), 9)])
    assert trial.one(Alert, kind="claim_deadline_near")["severity"] == "warning"
    assert trial.rows(Alert, kind="claim_deadline") == []
    trial.pass_through([at(alert_on + timedelta(days=5), 9), at(alert_on + timedelta(days=6), 9)])
    alert = trial.one(Alert, kind="claim_deadline")
    assert alert["severity"] == "critical"
    assert alert["summary"].startswith(
        f"claim C{trial.one(Claim)['id']} (correios) about {never_came.code} is not filed"
    )
    # Who, what, where, and the law (domain notes, section 7.2).
    for word in (
        never_came.code,
        "motivo 211",
        f"C{trial.one(Claim)['id']}",
        "cws.correios.com.br",
        "12.464",
        "90 dias",
    ):
        assert word in alert["details"]["text"]


def test_an_alert_about_a_claim_ends_when_the_claim_falls_away(start: Start) -> None:
    """Held past its alert day, then the parcel comes back: there is nothing left to file."""
    turned_back = next(e for e in of_fate(Fate.RETURNED_REFUSED).events if (e.code, e.kind) == ("BDE", "04"))
    back_at = at(LATE.due_on + timedelta(days=27), 8)
    comes_back = replace(LATE, events=(*LATE.events[:3], replace(turned_back, at=back_at)))
    trial = late_parcel(start(comes_back), mode="propose")
    trial.pass_through([later(0), at(LATE.due_on + timedelta(days=25))])
    assert trial.one(Alert, kind="claim_deadline_near")["resolved_at"] is None
    trial.pass_at(at(LATE.due_on + timedelta(days=27)))
    assert trial.one(Claim)["state"] == "cancelled"
    assert trial.one(Alert, kind="claim_deadline_near")["resolved_at"] == at(LATE.due_on + timedelta(days=27))


def test_an_alert_about_a_silent_carrier_ends_with_its_answer(start: Start) -> None:
    slow = replace(LATE, answer_days=12)
    trial = late_parcel(start(slow))
    trial.pass_through(at(FIRST_DAY + timedelta(days=n), 11) for n in (0, 5, 10, 14))
    assert trial.one(Alert, kind="claim_unanswered")["resolved_at"] is None
    trial.pass_at(at(FIRST_DAY + timedelta(days=21), 11))
    claim = trial.one(Claim)
    assert (claim["state"], claim["answered_at"] is not None) == ("reopened", True)
    assert trial.one(Alert, kind="claim_unanswered")["resolved_at"] is not None


def test_a_last_rejection_is_told_in_the_carriers_words_until_the_parcel_arrives(start: Start) -> None:
    """The first one is contested; that is no news for anybody."""
    trial = late_parcel(start(replace(LATE, verdict=Verdict.REJECTED, second_verdict=Verdict.REJECTED, answer_days=2)))
    trial.pass_through(at(FIRST_DAY + timedelta(days=n), 11) for n in range(5))
    assert trial.one(Claim)["state"] == "reopened" and trial.rows(Alert, kind="claim_rejected") == []
    trial.pass_through(at(FIRST_DAY + timedelta(days=n), 11) for n in range(5, 8))
    claim = trial.one(Claim)
    assert (claim["state"], claim["closed_at"] is None) == ("rejected", False)
    alert = trial.one(Alert, kind="claim_rejected")
    assert (alert["severity"], alert["shop"], alert["resolved_at"]) == ("warning", "aurora", None)
    assert alert["summary"].startswith(f"claim C{claim['id']} (correios): rejected by the carrier: ")
    assert "improcedente" in alert["summary"]
    trial.pass_through(at(day(n), 11) for n in range(13, 17))
    assert trial.one(Problem, kind="delay")["resolved_at"] is not None
    assert trial.one(Alert, kind="claim_rejected")["resolved_at"] is not None


def test_a_rejection_after_the_parcel_came_is_told_for_a_month_and_ends_what_was_asked_before(start: Start) -> None:
    trial = late_parcel(start(replace(LATE, verdict=Verdict.REJECTED, second_verdict=Verdict.REJECTED, answer_days=12)))
    trial.pass_through(at(FIRST_DAY + timedelta(days=n), 11) for n in (0, 5, 10, 14))
    assert trial.one(Alert, kind="claim_unanswered")["resolved_at"] is None
    trial.pass_at(at(FIRST_DAY + timedelta(days=21), 11))
    assert trial.one(Claim)["state"] == "reopened"
    assert trial.one(Alert, kind="claim_unanswered")["resolved_at"] is not None
    trial.pass_through(at(FIRST_DAY + timedelta(days=n), 11) for n in (24, 30, 42, 50, 64))
    claim = trial.one(Claim)
    assert claim["state"] == "rejected"
    assert trial.one(Problem, kind="delay")["resolved_at"] < claim["closed_at"]
    assert trial.one(Alert, kind="claim_rejected")["resolved_at"] is None
    trial.pass_at(claim["closed_at"] + timedelta(days=29))
    assert trial.one(Alert, kind="claim_rejected")["resolved_at"] is None
    trial.pass_at(claim["closed_at"] + timedelta(days=30))
    assert trial.one(Alert, kind="claim_rejected")["resolved_at"] == claim["closed_at"] + timedelta(days=30)


def test_claims_that_are_switched_off_leave_the_reason(start: Start) -> None:
    trial = late_parcel(start(LATE), mode="off")
    trial.pass_through([later(0), later(24 * 60)])
    assert trial.rows(Claim) == []
    problem = trial.one(Problem)
    notes = trial.rows(Decision, subject_kind="problem", subject_id=problem["id"], rule="claim.plan")
    assert [note["outcome"] for note in notes] == ["not_claimed"]
    assert "claims.mode: off" in notes[0]["reason"]


def test_a_value_above_the_ceiling_waits_for_a_person(start: Start) -> None:
    trial = late_parcel(start(LATE), max_value="1.00")
    trial.pass_at(later(0))
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"]) == ("waiting_approval", "value_ceiling")
    assert results(trial) == []


def test_a_planned_claim_falls_away_when_the_parcel_arrives_first(start: Start) -> None:
    """The promise of the shop is a day before the carrier's own term: told, not claimed."""
    eager = replace(of_fate(Fate.REPLANNED), promised_on=of_fate(Fate.REPLANNED).due_on - timedelta(days=1))
    trial = late_parcel(start(eager))
    trial.pass_through(at(eager.due_on + timedelta(days=n), 9) for n in range(8))
    assert [claim["state"] for claim in trial.rows(Claim) if claim["state"] != "cancelled"] == []
    assert results(trial) == []


def test_an_accepted_claim_is_followed_to_the_money(start: Start) -> None:
    lost = of_fate(Fate.LOST_CODED)
    assert lost.verdict.value == "paid"
    trial = late_parcel(start(lost))
    trial.pass_through(at(day(n), 11) for n in range(3, 21))
    claim = trial.one(Claim)
    assert (claim["state"], claim["outcome"]) == ("paid", "paid")
    assert claim["closed_at"] is not None
    outcomes = [row["outcome"] for row in trial.rows(Decision, subject_kind="claim")]
    assert [state for state in outcomes if state in {"planned", "open", "accepted", "paid"}][-2:] == [
        "accepted",
        "paid",
    ]
    assert results(trial) == [REGISTERED]


ELSEWHERE = {Fate.SECOND_CARD, Fate.BUYER_CLAIMED}
"""Refused whatever the day: of another card, or claimed by the buyer already."""
TROUBLED = [fate for fate in Fate if fate not in {Fate.ON_TIME, Fate.BAD_CODE} | ELSEWHERE]
REPLANNED = {Fate.REPLANNED, Fate.REPLANNED_EARLIER, Fate.REPLANNED_OFTEN}


def timelines(seed: int, count: int) -> list[Shipment]:
    """Generated parcels, nearly all with a trouble of their own."""
    drawn = random_plan(900, 6, seed, first_day=MONDAY).shipments
    troubled = [shipment for shipment in drawn if shipment.fate in TROUBLED]
    return Random(seed).sample(troubled, count)


def test_no_claim_is_ever_early_late_or_doubled(start: Start) -> None:
    shipments = timelines(20261124, 80)
    trial = start(*shipments)
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in range(3, 22))
    refused = {attempt["code"]: attempt["result"] for attempt in trial.attempts() if attempt["result"] != REGISTERED}
    # A parcel that keeps its re-planned date may be on time by the carrier's reckoning: asked once, never again.
    replanned = {shipment.code for shipment in shipments if shipment.fate in REPLANNED}
    assert set(refused.values()) <= {ON_TIME} and set(refused) <= replanned
    assert len(trial.attempts()) == len({attempt["code"] for attempt in trial.attempts()})
    assert all(len(numbers) == 1 for numbers in trial.world.registrations().values())
    opened = opened_on(trial)
    overdue = [s for s in shipments if s.fate in {Fate.LATE_OPEN, Fate.LOST_SILENT} and s.due_on < day(15)]
    assert len(overdue) > 5
    for shipment in overdue:
        first = add_business_days(shipment.due_on, 1)
        # A holiday of the destination's state is one for us, "in doubt": never more than a weekend's wait.
        assert first <= opened[shipment.code] <= first + timedelta(days=3), shipment.code


def opened_on(trial: Trial) -> dict[str, date]:
    return {
        attempt["code"]: local_date(datetime.fromisoformat(attempt["at"]))
        for attempt in trial.attempts()
        if attempt["result"] == REGISTERED
    }


def test_claims_of_one_day_leave_in_one_call(start: Start) -> None:
    several = [s for s in DEMO.shipments if s.fate in {Fate.LATE_OPEN, Fate.LOST_SILENT, Fate.LOST_CODED, Fate.STOLEN}]
    trial = start(*several)
    trial.drop_orders()
    trial.carrier["claims"]["mode"] = "propose"
    trial.pass_through([at(day(3)), at(day(8))])
    assert results(trial) == []
    trial.carrier["claims"]["mode"] = "auto"  # what waited for a person is judged anew
    trial.pass_at(at(day(8), 10))
    calls = [call for call in trial.world.correios.calls if call["path"].endswith("cadastra")]
    assert results(trial) == [REGISTERED] * len(several)
    assert len(calls) == 1

"""A carrier that the program has never heard of, beside the first one: no line of the daemon knows either of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.end_to_end.flecha import DUE_ON, GOOD, LATE, UNKNOWN, Flecha, beside, install
from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import Alert, Claim, Event, Notice, Order, Problem, Shipment, ShipmentPoll


def test_another_carrier_needs_no_line_of_the_daemon(start: Start, flecha: Flecha, database_url: str) -> None:
    late = of_fate(Fate.LATE_OPEN)
    trial = beside(start(late, url=database_url), flecha)
    result = trial.pass_at(at(day(2), 12))
    assert (result.worked["poll:flecha"], result.worked["poll:correios"]) == (3, 1)
    assert sorted(flecha.asked) == [LATE, GOOD, UNKNOWN]  # one number a call
    assert {row["carrier"] for row in trial.rows(Shipment)} == {"flecha", "correios"}
    assert {row["outcome"] for row in trial.rows(ShipmentPoll, carrier="flecha")} == {"found", "not_found"}
    assert len(trial.rows(Event)) > 4
    trial.pass_through(at(day(n), 12) for n in (4, 5, 6))
    claims = {row["carrier"]: row for row in trial.rows(Claim)}
    assert claims["correios"]["state"] == "open"
    letter = claims["flecha"]
    assert (letter["state"], letter["hold_reason"], letter["motive"]) == ("waiting_approval", "by_letter", "atraso")
    assert letter["claimable_from"] == DUE_ON + timedelta(days=1)
    assert {row["carrier"] for row in trial.rows(Claim)} == {"flecha", "correios"}
    assert "bia@example.com" in {recipient for recipient, _ in trial.told()}


def test_a_letter_that_a_person_sent_opens_the_claim(start: Start, flecha: Flecha) -> None:
    trial = beside(start(), flecha)
    trial.pass_through(at(day(n), 12) for n in (2, 5))
    claim = trial.one(Claim)
    trial.clock_at(at(day(6), 12))
    approve(trial, claim["id"])
    trial.pass_at(at(day(6), 12))
    claim = trial.one(Claim)
    assert (claim["state"], claim["opened_at"], claim["hold_reason"]) == ("open", at(day(6), 12), None)
    assert "inquiry_opened" in {row["trigger"] for row in trial.rows(Notice)}
    asked = len(flecha.asked)
    trial.pass_at(at(day(8), 12))  # nobody can be asked for its answer
    assert trial.one(Claim)["state"] == "open"
    assert len(flecha.asked) > asked


def test_a_letter_is_not_taken_for_sent_before_it_was_asked_for(start: Start, flecha: Flecha, tmp_path: Path) -> None:
    """Released and not judged anew yet: nobody has told the person to send it, so an approval does not say that they did."""
    trial = beside(start(), flecha)
    trial.plugins = (install(tmp_path / "plugins"),)
    trial.shop["live_from"] = day(6)
    trial.pass_through(at(day(n), 12) for n in (2, 5, 6))
    claim = f"C{trial.one(Claim)['id']}"
    assert trial.one(Claim)["hold_reason"] == "before_live"
    assert trial.command("release", claim).returncode == 0
    said = trial.command("approve", claim)
    assert (said.returncode, said.stderr) == (
        1,
        f"{claim} is released and not judged anew yet: approve it again after the next pass\n",
    )
    trial.pass_at(at(day(6), 13))
    assert (trial.one(Claim)["state"], trial.one(Claim)["hold_reason"]) == ("waiting_approval", "by_letter")
    assert trial.command("approve", claim).stdout == f"{claim} is approved: it counts as sent by a person\n"


def approve(trial: Trial, claim_id: int) -> None:
    from tracker.store.claims import approve as approve_claim
    from tracker.store.claims import claims_by_id

    with trial.database.begin_write() as connection:
        claim = claims_by_id(connection, [claim_id])[claim_id]
        assert approve_claim(connection, claim, at(day(6), 12))


def test_one_carrier_down_takes_nothing_from_the_other(start: Start, flecha: Flecha) -> None:
    trial = beside(start(of_fate(Fate.ON_TIME)), flecha)
    trial.world.faults.next("500", count=100)
    trial.pass_at(at(day(2), 12))
    polls = {row["carrier"]: row for row in trial.rows(ShipmentPoll)}
    assert polls["correios"]["last_answered_at"] is None
    assert {row["last_answered_at"] for row in trial.rows(ShipmentPoll, carrier="flecha")} == {at(day(2), 12)}


def test_a_code_alone_finds_its_carrier(start: Start, flecha: Flecha) -> None:
    trial = beside(start(), flecha)
    trial.pass_at(at(day(2), 12))
    order = trial.one(Order, number="F2")
    assert trial.one(Shipment, order_id=order["id"])["carrier"] == "flecha"


def test_a_carrier_that_left_the_configuration_keeps_its_history(start: Start, flecha: Flecha) -> None:
    trial = beside(start(), flecha)
    trial.pass_at(at(day(2), 12))
    del trial.settings["carriers"][1]
    events = trial.rows(Event)
    trial.pass_through(at(day(n), 12) for n in (5, 6))
    assert trial.rows(Event) == events
    # Nobody can look any more, so nobody knows whether it is late: the alert about the account says what to do.
    assert trial.rows(Problem, kind="delay") == []
    assert trial.one(Alert, kind="carrier_unconfigured")["resolved_at"] is None
    assert trial.rows(Claim) == []

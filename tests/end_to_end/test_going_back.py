"""`live_from` taken back or moved to a later day: what was about to leave waits again, and goes once the shop is live again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.claims.letters import LEAVES, by_letter, letters
from tests.end_to_end.flecha import Flecha
from tests.end_to_end.support import MONDAY, Start, Trial, at, day, of_fate
from tests.hands.support import hand
from tracker.sandbox.plan import Fate
from tracker.store.tables import Claim, Decision, Delivery, Letter

LATE = of_fate(Fate.LATE_OPEN)
OBSERVED = ("awaiting_person", "observe")


def taken_back(trial: Trial, until: date | None) -> None:
    """The shop's first live day is struck out of the configuration, or moved."""
    trial.shop.pop("live_from", None)
    if until is not None:
        trial.shop["live_from"] = until


def queued(trial: Trial) -> Trial:
    """The message about a delay could not be handed over on day 5, and is tried again later."""
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    trial.world.mail.order_fault("greylist")
    trial.pass_at(at(day(5), 9))
    assert standing(trial) == ("queued", None)
    trial.world.mail.clear_faults()
    return trial


def standing(trial: Trial) -> tuple[str, str | None]:
    row = trial.one(Delivery)
    return row["state"], row["hold_reason"]


@pytest.mark.parametrize("until", [pytest.param(None, id="taken away"), pytest.param(day(30), id="a later day")])
def test_a_queued_message_waits_again(start: Start, until: date | None, database_url: str) -> None:
    trial = queued(start(LATE, url=database_url))
    taken_back(trial, until)
    trial.pass_through([at(day(5), 12), at(day(5), 15)])
    assert standing(trial) == OBSERVED and trial.told() == []
    (why,) = trial.rows(Decision, subject_kind="message", outcome="awaiting_person")
    assert why["facts"]["why"] == "observe"
    assert "só observa" in hand(trial, "explain", f"M{trial.one(Delivery)['id']}")
    taken_back(trial, MONDAY)
    trial.pass_at(at(day(5), 16))
    assert standing(trial) == ("sent", None) and len(trial.told()) == 1


def test_a_later_day_makes_of_it_what_began_before(start: Start) -> None:
    trial = queued(start(LATE))
    taken_back(trial, day(6))
    trial.pass_at(at(day(5), 12))
    assert standing(trial) == OBSERVED
    trial.pass_at(at(day(6), 0, 1))
    assert standing(trial) == ("awaiting_person", "before_live") and trial.told() == []
    hand(trial, "release", f"M{trial.one(Delivery)['id']}")
    trial.pass_at(at(day(6), 0, 5))
    assert len(trial.told()) == 1


def test_a_filing_that_did_not_get_through_waits_again(start: Start, database_url: str) -> None:
    trial = start(LATE, url=database_url)
    trial.drop_orders()
    trial.world.faults.next("500", count=1000, path="cadastra")
    trial.pass_through(at(day(n), 9) for n in (2, 5))
    assert trial.one(Claim)["state"] == "submitting" and trial.attempts() == []
    trial.world.faults.clear()
    taken_back(trial, None)
    trial.pass_through([at(day(5), 15), at(day(6), 9)])
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"], trial.attempts()) == ("waiting_approval", "observe", [])
    taken_back(trial, MONDAY)
    trial.pass_at(at(day(6), 10))
    assert (trial.one(Claim)["state"], len(trial.attempts())) == ("open", 1)


def test_an_approval_is_given_again(start: Start) -> None:
    trial = start(LATE)
    trial.carrier["claims"]["mode"] = "propose"
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in (2, 5))
    name = f"C{trial.one(Claim)['id']}"
    hand(trial, "approve", name)
    taken_back(trial, None)
    trial.pass_at(at(day(5), 10))
    claim = trial.one(Claim)
    assert (claim["hold_reason"], claim["approved_at"], trial.attempts()) == ("observe", None, [])
    taken_back(trial, MONDAY)
    trial.pass_at(at(day(5), 11))
    assert (trial.one(Claim)["hold_reason"], trial.attempts()) == ("propose", [])
    hand(trial, "approve", name)
    trial.pass_at(at(day(5), 12))
    assert len(trial.attempts()) == 1


def test_a_letter_on_its_way_waits_again(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha)
    trial.settings["messages"]["preset"] = "none"
    trial.world.mail.order_fault("greylist")
    trial.pass_through([at(day(2), 12), LEAVES])
    assert trial.one(Letter)["state"] == "queued" and letters(trial) == []
    taken_back(trial, None)
    trial.pass_through([LEAVES + timedelta(hours=n) for n in (1, 6, 30)])
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"], letters(trial)) == ("waiting_approval", "observe", [])
    taken_back(trial, MONDAY)
    trial.pass_through([LEAVES + timedelta(days=3), LEAVES + timedelta(days=3, hours=1)])
    assert trial.one(Claim)["state"] == "open" and len(letters(trial)) == 1

"""A database put back to yesterday: the carrier still has one claim a parcel, and no customer hears anything twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from email.parser import BytesHeaderParser
from email.policy import default as modern
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.end_to_end.flecha import Flecha, beside, install
from tests.end_to_end.support import MONDAY, Start, Trial, at, day, of_fate
from tracker.cli.main import app
from tracker.sandbox.faults import Fault
from tracker.sandbox.mail import MailFault
from tracker.sandbox.plan import Fate
from tracker.store.tables import Claim, Decision, Delivery, Restore

PARCELS = (
    of_fate(Fate.LATE_OPEN),
    of_fate(Fate.LATE_DELIVERED),
    of_fate(Fate.LATE_DELIVERED, 3),
    of_fate(Fate.LOST_CODED),
    of_fate(Fate.DAMAGED),
    of_fate(Fate.ON_TIME),
)
COPIED_ON = (2, 5, 7)
LAST_DAY = 10
DESK, OWNER = "indenizacoes@flecha.example", "dono@aurora.example"
"""Where the other carrier takes letters, and whom the digest is for."""


def mails(trial: Trial) -> Counter[tuple[str, str]]:
    """(recipient, subject) of all that the mail server took."""
    found: Counter[tuple[str, str]] = Counter()
    for delivery in trial.world.mail.deliveries():
        data = (trial.world.mail.folder / delivery.file).read_bytes()
        found[delivery.recipient, str(BytesHeaderParser(policy=modern).parsebytes(data)["Subject"])] += 1
    return found


def sent_to(trial: Trial, recipient: str) -> int:
    """How many mails of any subject the mail server took for this address."""
    return sum(times for (to, _), times in mails(trial).items() if to == recipient)


def copy_name(trial: Trial, number: int) -> Path:
    return trial.folder / f"day{number}.copy"


def done(trial: Trial, *words: str) -> str:
    """A command's words where it did its work. No look of the test's own keeps the database open meanwhile."""
    trial.close()
    trial._opened.clear()
    result = CliRunner().invoke(app, [*words, "-c", str(trial.config)], env=trial.environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def restore(trial: Trial, number: int) -> str:
    return done(trial, "db", "restore", str(copy_name(trial, number)))


def back_up(trial: Trial, number: int) -> None:
    done(trial, "db", "backup", str(copy_name(trial, number)))


@pytest.fixture(params=["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.soak)])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind, with its server's own tools."""
    if request.param == "postgres_url":
        request.getfixturevalue("postgres_tools")
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def trial(start: Start, url: str, flecha: Flecha, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """Ten days of a live shop with two carriers and a daily digest, with a copy of some of them."""
    trial = beside(start(*PARCELS, url=url), flecha)
    # Commands run in this process, which is to find the other carrier's package as an installation would.
    monkeypatch.syspath_prepend(install(trial.folder / "plugins"))
    trial.settings["carriers"][-1]["claims"] = {"mode": "auto", "letter_to": DESK}
    trial.shop["digest"] = {"to": [OWNER], "at": "08:30"}
    trial.write_config()
    # On the day of a copy the carrier's server asks for patience: the letter leaves a day later.
    trial.world.mail.order_fault(MailFault.GREYLIST, 2, DESK)
    for number in range(2, LAST_DAY + 1):
        trial.pass_at(at(day(number), 9))
        if number in COPIED_ON:
            back_up(trial, number)
    return trial


def test_nothing_leaves_twice_whatever_day_it_is_put_back_to(trial: Trial) -> None:
    registered, told = trial.world.registrations(), mails(trial)
    assert len(registered) >= 4 and set(told.values()) == {1} and len(told) >= 10
    assert sent_to(trial, DESK) == 1 and sent_to(trial, OWNER) == LAST_DAY - 1
    held_messages = held_claims = 0
    for turn, number in enumerate(reversed(COPIED_ON)):
        today = MONDAY + timedelta(days=LAST_DAY + turn)
        trial.clock_at(at(today, 8))
        said = restore(trial, number)
        assert "what stood there is kept as" in said
        trial.pass_through([at(today, 9), at(today, 15)])
        assert trial.world.registrations() == registered
        for key, times in mails(trial).items():
            assert times == 1, f"told twice after day {number}: {key}"
        held_messages += len(trial.rows(Delivery, state="awaiting_person", hold_reason="restored"))
        held_claims += len(trial.rows(Decision, rule="claim.restored_look"))
        codes = {row["protocol"] for row in trial.rows(Claim) if row["opened_at"] is not None}
        assert codes <= {protocols[0] for protocols in registered.values()} | {None}
    assert held_messages and held_claims
    # The letter waits for a person, and the digest of each later day left.
    assert sent_to(trial, DESK) == 1 and sent_to(trial, OWNER) == LAST_DAY - 1 + len(COPIED_ON)
    (by_letter,) = trial.rows(Claim, carrier="flecha")
    assert (by_letter["state"], by_letter["hold_reason"]) == ("waiting_approval", "restored")
    # Each claim that the carrier had was found by looking, without a person.
    assert len([row for row in trial.rows(Claim) if row["opened_at"]]) == len(registered)
    assert "released: " in done(trial, "release", "--all")
    assert ": whole (" in done(trial, "db", "check")
    for more in range(1, 4):
        trial.pass_at(at(MONDAY + timedelta(days=LAST_DAY + len(COPIED_ON) + more), 9))
    assert trial.world.registrations() == registered
    assert sent_to(trial, DESK) == 2  # once more, as the person wanted


def test_what_had_not_left_leaves_once_a_person_lets_it_go(start: Start) -> None:
    late = of_fate(Fate.LATE_OPEN)
    trial = start(late)
    trial.settings["messages"]["triggers"] = {"posted": []}
    trial.write_config()
    trial.drop_orders()
    trial.pass_through(at(day(number), 9) for number in range(2, 5))
    back_up(trial, 4)
    trial.clock_at(at(day(10), 8))
    restore(trial, 4)
    trial.pass_through([at(day(10), 9), at(day(10), 15)])
    assert trial.attempts() == [] and trial.told() == []
    claim = trial.one(Claim)
    assert (claim["state"], claim["hold_reason"]) == ("waiting_approval", "restored")
    for words, found in (
        (
            ("explain", f"C{claim['id']}", "--lang", "en"),
            "the carrier is asked first whether it has this claim already",
        ),
        (("explain", f"C{claim['id']}", "--lang", "pt-BR"), "o banco de dados voltou a uma cópia anterior"),
        (("show", late.code), "o banco voltou a uma cópia anterior"),
        (("messages", "--open"), "restored"),
    ):
        assert found in " ".join(done(trial, *words).split())
    assert "released: 1 claim" in done(trial, "release", f"C{claim['id']}")
    trial.pass_at(at(day(10), 16))
    assert [len(protocols) for protocols in trial.world.registrations().values()] == [1]
    assert {row["hold_reason"] for row in trial.rows(Delivery) if row["state"] == "awaiting_person"} == {"restored"}
    assert "released: 1 problem" in done(trial, "release", "--all")
    trial.pass_through([at(day(10), 17), at(day(11), 9)])
    assert [len(protocols) for protocols in trial.world.registrations().values()] == [1]
    assert {row["state"] for row in trial.rows(Delivery)} == {"sent"}
    assert set(mails(trial).values()) == {1}


def test_a_copy_put_in_its_place_by_hand_is_noticed(start: Start) -> None:
    trial = start(of_fate(Fate.LATE_OPEN))
    trial.write_config()
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    back_up(trial, 2)
    trial.pass_through(at(day(number), 9) for number in range(3, 9))
    registered, told = trial.world.registrations(), mails(trial)
    assert registered and told
    database = trial.folder / "data" / "tracker.db"
    done(trial, "db", "check")
    for rest in database.parent.glob("tracker.db-*"):
        rest.unlink()
    database.write_bytes(copy_name(trial, 2).read_bytes())
    trial.clock_at(at(day(9), 9))
    run = trial.command("run", "--once")
    assert run.returncode == 0 and '"event":"database.restored"' in run.stderr
    trial.pass_at(at(day(9), 15))
    assert (trial.world.registrations(), mails(trial)) == (registered, told)
    assert trial.one(Restore)["source"] == "(put back by hand)"


def test_a_look_that_fails_leaves_the_claim_with_the_person(start: Start) -> None:
    trial = start(of_fate(Fate.LATE_OPEN))
    trial.write_config()
    trial.drop_orders()
    trial.pass_through(at(day(number), 9) for number in range(2, 5))
    back_up(trial, 4)
    trial.clock_at(at(day(10), 8))
    restore(trial, 4)
    trial.world.faults.next(Fault.SERVER_ERROR, 40, path="/pedido-informacao")
    trial.pass_through(at(day(10), hour) for hour in range(9, 20))
    assert trial.attempts() == []
    assert trial.one(Claim)["state"] == "waiting_approval"

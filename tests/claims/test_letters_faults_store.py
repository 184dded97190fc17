"""What can go wrong with a claim's letter: each time it leaves once, or a person knows that it did not, or may have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.claims.letters import LEAVES, TO, by_letter, letters, states, text_of
from tests.end_to_end.flecha import LATE, Flecha
from tests.end_to_end.support import Start, Trial, at, day
from tracker.sandbox.mail import MailFault
from tracker.store.tables import Alert, Claim, ClaimStep, Letter

POSTED = at(day(2), 12)


def standing(trial: Trial) -> tuple[str, str | None]:
    claim = trial.one(Claim)
    return claim["state"], claim["hold_reason"]


def person_is_told(trial: Trial) -> str:
    alert = trial.one(Alert, kind="claim_needs_person")
    assert alert["resolved_at"] is None
    return str(alert["summary"])


def test_a_server_that_asks_for_patience_gets_the_same_letter_later(
    start: Start, flecha: Flecha, database_url: str
) -> None:
    trial = by_letter(start(url=database_url), flecha)
    trial.world.mail.order_fault(MailFault.GREYLIST, 2, TO)
    trial.pass_through([POSTED, LEAVES])
    drawn = trial.one(Letter)["message_id"]
    assert (standing(trial), states(trial)) == (("submitting", None), [("letter", "queued")])
    trial.pass_through([LEAVES + timedelta(hours=1), LEAVES + timedelta(hours=6), at(day(6), 12)])
    assert (standing(trial), states(trial)) == (("open", None), [("letter", "sent")])
    assert [letter["Message-ID"] for letter in letters(trial)] == [drawn]


def test_an_address_that_does_not_exist_waits_for_a_person(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha)
    trial.world.mail.order_fault(MailFault.UNKNOWN_USER, 1, TO)
    trial.pass_through([POSTED, LEAVES, at(day(6), 12)])
    assert (standing(trial), states(trial)) == (("waiting_approval", "letter"), [("letter", "bounced")])
    assert "did not leave" in person_is_told(trial)
    approved = trial.command("approve", "C1")
    assert "sends its letter again" in approved.stdout, approved.stderr
    trial.pass_at(at(day(7), 12))
    assert standing(trial) == ("open", None)
    assert len(letters(trial)) == 1
    assert trial.one(Alert, kind="claim_needs_person")["resolved_at"] is not None


def test_a_letter_that_was_never_confirmed_is_not_sent_again_by_itself(
    start: Start, flecha: Flecha, database_url: str
) -> None:
    trial = by_letter(start(url=database_url), flecha)
    trial.world.mail.order_fault(MailFault.DROP_AFTER_DOT, 1, TO)
    trial.pass_through([POSTED, LEAVES, at(day(6), 12), at(day(14), 12)])
    assert (standing(trial), states(trial)) == (("waiting_approval", "letter"), [("letter", "unconfirmed")])
    assert "may have left" in person_is_told(trial)
    assert len(letters(trial)) == 1
    explained = trial.command("explain", "C1").stdout
    assert "tracker claims sent C1" in explained and TO in explained


@pytest.mark.parametrize("word", ["approve", "sent"])
def test_a_person_decides_about_a_letter_that_was_never_confirmed(start: Start, flecha: Flecha, word: str) -> None:
    trial = by_letter(start(), flecha)
    trial.world.mail.order_fault(MailFault.DROP_AFTER_DOT, 1, TO)
    trial.pass_through([POSTED, LEAVES])
    trial.clock_at(at(day(6), 9))
    words = ("approve", "C1") if word == "approve" else ("claims", "sent", "C1", "--reason", "está no log do servidor")
    result = trial.command(*words)
    assert result.returncode == 0, result.stderr
    trial.pass_through([at(day(6), 12), at(day(7), 12)])
    assert standing(trial) == ("open", None)
    sent = [letter["Message-ID"] for letter in letters(trial)]
    assert sent == [trial.one(Letter)["message_id"]] * (2 if word == "approve" else 1)
    again = trial.command("claims", "sent", "C1", "--reason", "x")
    assert again.returncode == 1 and "is with the carrier already (open)" in again.stderr


def test_a_parcel_that_arrives_while_the_mail_is_down_calls_its_letter_off(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha, value="100,00")
    trial.world.mail.order_fault(MailFault.AUTH_REFUSED, None)
    trial.settings["messages"]["email"]["port"] = 9  # nobody listens there
    trial.pass_through([POSTED, LEAVES, at(day(6), 12)])
    assert (standing(trial), states(trial)) == (("submitting", None), [("letter", "queued")])
    assert trial.one(Alert, kind="mail_down")["resolved_at"] is None
    collected = at(day(1), 14)
    flecha.show(LATE, (1, collected, "B1"), (2, collected + timedelta(hours=9), "C1"), (3, at(day(7), 10), "E9"))
    trial.pass_at(at(day(7), 12))
    trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
    trial.pass_through([at(day(7), 14), at(day(8), 12)])
    assert letters(trial) == []
    assert standing(trial)[0] == "cancelled"
    assert [row["outcome"] for row in trial.rows(ClaimStep)] == ["withdrawn"]
    assert states(trial) == [("letter", "suppressed")]


def test_two_passes_of_a_program_that_was_restarted_send_one_letter(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha)
    for instant in (POSTED, LEAVES, LEAVES, LEAVES + timedelta(minutes=1)):
        trial.pass_at(instant)
    assert len(letters(trial)) == 1


def test_a_letter_about_the_same_parcel_and_motive_is_not_written_twice(start: Start, flecha: Flecha) -> None:
    """A claim that was cancelled after its letter may have left, and planned anew."""
    trial = by_letter(start(), flecha)
    trial.world.mail.order_fault(MailFault.DROP_AFTER_DOT, 1, TO)
    trial.pass_through([POSTED, LEAVES])
    trial.clock_at(at(day(6), 9))
    assert trial.command("reject", "C1").returncode == 0
    with trial.database.begin_write() as connection:
        from sqlalchemy import delete, update

        from tracker.store.tables import ClaimProblem, table
        from tracker.store.wake import wake

        # As if the delay had begun anew: its problem is free again, and its claim is planned a second time.
        connection.execute(delete(table(ClaimProblem)))
        connection.execute(update(table(Claim)).values(outcome="expired", motive="x"))
        wake(connection, "claims", [1], at(day(6), 9))
    trial.pass_through([at(day(6), 12), at(day(7), 12)])
    second = trial.rows(Claim)[1]
    assert (second["state"], second["hold_reason"]) == ("waiting_approval", "letter")
    assert len(letters(trial)) == 1
    assert trial.rows(Letter)[1]["reason"] == "a letter about this parcel and motive left already, for C1"


def test_a_broken_text_holds_letters_until_it_is_mended(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha)
    text = trial.folder / "templates" / "pt-BR" / "claim_letter.email.txt"
    text.parent.mkdir(parents=True)
    text.write_text("Prezados, {{ segredo }}\n", encoding="utf-8")
    trial.settings["messages"]["templates"] = "templates"
    trial.pass_through([POSTED, LEAVES])
    assert states(trial) == [("letter", "awaiting_person")]
    broken = trial.one(Alert, kind="letter_text_broken")
    assert broken["resolved_at"] is None and "segredo" in broken["summary"]
    text.write_text("Prezados da {{ transportadora }}: {{ objeto }}\n", encoding="utf-8")
    trial.pass_at(LEAVES + timedelta(minutes=20))
    (letter,) = letters(trial)
    assert text_of(letter).strip() == f"Prezados da Flecha Expressa: {LATE}"
    assert trial.one(Alert, kind="letter_text_broken")["resolved_at"] is not None


def test_trials_send_letters_elsewhere(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha, letter_cc=["financeiro@aurora.example"])
    trial.settings["messages"]["redirect_to"] = "ensaio@aurora.example"
    trial.pass_through([POSTED, LEAVES])
    assert {recipient for recipient, _ in trial.told()} == {"ensaio@aurora.example"}
    assert standing(trial) == ("open", None)


def test_a_copy_that_is_refused_does_not_hold_the_letter(start: Start, flecha: Flecha) -> None:
    copies = ["sem.caixa@aurora.example", "financeiro@aurora.example"]
    trial = by_letter(start(), flecha, letter_cc=copies)
    trial.world.mail.order_fault(MailFault.UNKNOWN_USER, None, copies[0])
    trial.pass_through([POSTED, LEAVES])
    took = [delivery.recipient for delivery in trial.world.mail.deliveries()]
    assert (took.count(TO), took.count(copies[1]), copies[0] in took) == (1, 1, False)
    assert standing(trial) == ("open", None)


def test_an_outage_that_a_letter_met_ends_with_any_mail(start: Start, flecha: Flecha) -> None:
    trial = by_letter(start(), flecha)
    trial.pass_at(POSTED)
    trial.settings["messages"]["email"]["port"] = 9
    trial.pass_at(LEAVES)
    assert trial.one(Alert, kind="mail_down")["resolved_at"] is None
    trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
    trial.pass_at(LEAVES + timedelta(hours=1))
    assert trial.one(Alert, kind="mail_down")["resolved_at"] is not None

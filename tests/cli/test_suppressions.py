"""The list of addresses that get no mail, as a person keeps it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.cli.conftest import Tracker
from tests.reports.support import NOW
from tracker.store.database import Database
from tracker.store.suppressions import suppress
from tracker.store.tables import OperatorAct, table

JOANA = "joana@cliente.example"


def test_an_empty_list_says_so(tracker: Tracker) -> None:
    assert tracker("suppressions").stdout == "no address is suppressed\n"
    assert tracker.json("suppressions") == []


def test_an_address_is_suppressed_and_lifted_by_hand(tracker: Tracker, database: Database) -> None:
    done = tracker("suppress", "Joana@Cliente.example", "--reason", "pediu por telefone")
    assert (done.exit_code, done.stdout) == (0, f"{JOANA} gets no more messages\n")
    (line,) = tracker.json("suppressions")
    assert (line["address"], line["shop"], line["reason"], line["source"]) == (JOANA, None, "by_hand", "hand")
    assert line["evidence"] == "pediu por telefone (fulana)" and line["lifted_at"] is None
    assert "pediu por telefone" in tracker("suppressions").stdout
    again = tracker("suppress", JOANA, "--reason", "de novo")
    assert (again.exit_code, again.stdout) == (0, f"{JOANA} is suppressed already\n")

    lifted = tracker("unsuppress", JOANA)
    assert (lifted.exit_code, lifted.stdout) == (0, f"{JOANA} is told again from now on\n")
    assert tracker.json("suppressions") == []
    (kept,) = tracker.json("suppressions", "--all")
    assert kept["lifted_at"] is not None
    again = tracker("unsuppress", JOANA)
    assert (again.exit_code, again.stdout) == (0, f"{JOANA} is not on the list: nothing to lift\n")
    acts = table(OperatorAct)
    with database.begin_read() as connection:
        found = connection.execute(select(acts.c.act, acts.c.who, acts.c.reason).order_by(acts.c.id)).all()
    assert [tuple(row) for row in found] == [
        ("suppress", "fulana", "pediu por telefone"),
        ("unsuppress", "fulana", None),
    ]


def test_a_shop_of_its_own(tracker: Tracker) -> None:
    assert tracker("suppress", JOANA, "--reason", "pediu", "--shop", "exemplo").exit_code == 0
    assert [line["shop"] for line in tracker.json("suppressions", "--shop", "exemplo")] == ["exemplo"]
    assert tracker.json("suppressions", "--shop", "outra") == []
    other = tracker("unsuppress", JOANA, "--shop", "outra")
    assert (other.exit_code, other.stdout) == (0, f"{JOANA} is not on the list for shop outra: nothing to lift\n")
    assert len(tracker.json("suppressions")) == 1
    assert tracker("unsuppress", JOANA).exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["suppress", "joana", "--reason", "x"], "joana: is not an e-mail address", id="no address"),
        pytest.param(["unsuppress", "a@b@c"], "a@b@c: is not an e-mail address", id="two @"),
        pytest.param(["suppress", JOANA, "--reason", " "], "--reason: needs a word of why", id="no reason"),
        pytest.param(["suppress", JOANA, "--reason", "x", "--shop", "nenhuma"], "no such shop", id="no such shop"),
        pytest.param(["suppressions", "--shop", "nenhuma"], "no such shop", id="list of no such shop"),
    ],
)
def test_what_is_wrong_is_said(tracker: Tracker, words: list[str], sentence: str) -> None:
    done = tracker(*words)
    assert (done.exit_code, sentence in done.stderr) == (2, True), done.output


def test_many_are_cut_to_a_screen(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        for number in range(105):
            suppress(
                connection,
                channel="email",
                address=f"c{number}@cliente.example",
                reason="no_such_mailbox",
                evidence="550 5.1.1 <...> unknown",
                source="smtp",
                at=NOW,
            )
    listed = tracker("suppressions")
    assert len(listed.stdout.splitlines()) == 101 and "name --limit for more" in listed.stderr
    assert listed.stdout.splitlines()[1].split()[2] == "c104@cliente.example"
    assert len(tracker("suppressions", "--limit", "3").stdout.splitlines()) == 4

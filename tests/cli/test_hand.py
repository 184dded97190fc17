"""`tracker approve`, `reject`, `release`: what a person may let go or stop, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from carriers.base import ProblemKind
from tests.cli.conftest import Tracker
from tests.reports.support import CODE, NOW, add_a_claim, add_message, add_order, add_problem, at, order, track, waiting
from tracker.domain.words import Trigger
from tracker.store.database import Database
from tracker.store.logs import SignalNote, signal
from tracker.store.tables import Claim, Decision, Delivery, OperatorAct, Order, Problem, Signal, table


def row_of(database: Database, model: Any, row_id: int) -> dict[str, Any]:
    rows = table(model)
    with database.begin_read() as connection:
        return dict(connection.execute(select(rows).where(rows.c.id == row_id)).mappings().one())


def acts(database: Database) -> list[tuple[str, str, str, int, str | None]]:
    rows = table(OperatorAct)
    columns = (rows.c.who, rows.c.act, rows.c.subject_kind, rows.c.subject_id, rows.c.reason)
    with database.begin_read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(rows.c.id))]


def last_decision(database: Database, kind: str, row_id: int) -> tuple[str, str, str]:
    rows = table(Decision)
    query = select(rows.c.rule, rows.c.outcome, rows.c.reason).where(
        rows.c.subject_kind == kind, rows.c.subject_id == row_id
    )
    with database.begin_read() as connection:
        return tuple(connection.execute(query.order_by(rows.c.id.desc())).first())  # type: ignore[arg-type,return-value]


@pytest.fixture
def late(database: Database) -> tuple[int, int]:
    """A late parcel: (shipment, problem)."""
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment)
        return shipment, add_problem(connection, shipment)


# --- approve ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hold", "sentence"),
    [
        pytest.param("propose", "the daemon files it", id="claims wait for a person here"),
        pytest.param("value_ceiling", "the daemon files it", id="its value is above the ceiling"),
        pytest.param("carrier_answer", "the daemon files it", id="the carrier's answer needed a person"),
        pytest.param("by_letter", "counts as sent by a person", id="a person sent the letter"),
    ],
)
def test_approving_a_claim(
    tracker: Tracker, database: Database, late: tuple[int, int], hold: str, sentence: str
) -> None:
    shipment, problem = late
    with database.begin_write() as connection:
        claim = waiting(connection, shipment, [problem], hold)
    result = tracker("approve", f"c{claim}")
    assert result.exit_code == 0, result.output
    assert sentence in result.stdout
    row = row_of(database, Claim, claim)
    assert (row["approved_at"], row["next_step_at"], row["state"]) == (NOW, NOW, "waiting_approval")
    assert acts(database) == [("fulana", "approve", "claim", claim, None)]
    assert last_decision(database, "claim", claim) == ("hand.approve", "approved", "approved by fulana")


def test_approving_twice_changes_nothing(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    with database.begin_write() as connection:
        claim = waiting(connection, late[0], [late[1]])
    tracker("approve", f"C{claim}")
    again = tracker("approve", f"C{claim}")
    assert again.exit_code == 0
    assert again.stdout == f"C{claim} is approved already: the daemon takes it at its next look\n"
    assert len(acts(database)) == 1


def test_a_claim_that_does_not_wait(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    with database.begin_write() as connection:
        claim = add_a_claim(connection, late[0], [late[1]])
    result = tracker("approve", f"C{claim}")
    assert result.exit_code == 1
    assert result.stderr == f"C{claim} does not wait for anyone yet: it is planned for 2026-11-23\n"
    assert acts(database) == []


def test_what_began_before_the_first_day_is_released_not_approved(
    tracker: Tracker, database: Database, late: tuple[int, int]
) -> None:
    with database.begin_write() as connection:
        claim = waiting(connection, late[0], [late[1]], "before_live")
    result = tracker("approve", f"C{claim}")
    assert result.exit_code == 1
    assert f"tracker release C{claim}" in result.stderr
    assert row_of(database, Claim, claim)["approved_at"] is None


@pytest.mark.parametrize(
    ("hold", "why"),
    [
        pytest.param("before_live", "tracker release {name} lets it go", id="judged when the shop went live"),
        pytest.param("observe", "the daemon judges it anew at its next look", id="not judged yet"),
    ],
)
def test_a_message_from_before_the_first_day_is_released_not_approved(
    tracker: Tracker, database: Database, late: tuple[int, int], hold: str, why: str
) -> None:
    with database.begin_write() as connection:
        message = add_message(connection, late[0], problem_id=late[1], state="awaiting_person", hold_reason=hold)
    result = tracker("approve", f"M{message}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert why.format(name=f"M{message}") in result.stderr
    row = row_of(database, Delivery, message)
    assert (row["state"], row["hold_reason"]) == ("awaiting_person", hold)
    assert acts(database) == []


def test_nothing_is_approved_for_a_shop_that_only_observes(
    database: Database, database_url: str, configured: Callable[[str, str | None], Tracker], late: tuple[int, int]
) -> None:
    with database.begin_write() as connection:
        claim = waiting(connection, late[0], [late[1]])
        message = add_message(connection, late[0], problem_id=late[1], state="awaiting_person", hold_reason="observe")
    for live_from, why in ((None, "only observes"), ("2026-12-01", "goes live on 2026-12-01")):
        tracker = configured(database_url, live_from)
        result = tracker("approve", f"C{claim}", f"M{message}")
        assert result.exit_code == 1
        assert result.stderr.count(why) == 2
    assert row_of(database, Claim, claim)["approved_at"] is None
    assert row_of(database, Delivery, message)["state"] == "awaiting_person"
    assert acts(database) == []


def test_a_claim_without_the_recipients_name(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    with database.begin_write() as connection:
        connection.execute(update(table(Order)).values(recipient_name=None, customer_name=None))
        claim = waiting(connection, late[0], [late[1]], "missing_data")
    result = tracker("approve", f"C{claim}")
    assert result.exit_code == 1
    assert "import order 10482 with it" in result.stderr


def test_approving_a_message(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    with database.begin_write() as connection:
        message = add_message(connection, late[0], problem_id=late[1], state="awaiting_person", hold_reason="template")
    assert tracker("approve", f"M{message}").exit_code == 0
    row = row_of(database, Delivery, message)
    assert (row["state"], row["hold_reason"], row["next_step_at"]) == ("queued", None, NOW)
    again = tracker("approve", f"M{message}")
    assert (again.exit_code, again.stdout) == (0, f"M{message} needs no approval: it is queued\n")


def test_a_message_past_its_age_is_not_let_go(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    with database.begin_write() as connection:
        message = add_message(connection, late[0], state="awaiting_person", hold_reason="template")
    (tracker.config.parent / "clock").write_text(at(29).isoformat(), encoding="utf-8")
    assert tracker("approve", f"M{message}").exit_code == 1
    assert row_of(database, Delivery, message)["state"] == "awaiting_person"


# --- reject -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["planned", "waiting_approval"])
def test_rejecting_a_claim_cancels_it_for_good(
    tracker: Tracker, database: Database, late: tuple[int, int], state: str
) -> None:
    with database.begin_write() as connection:
        claim = add_a_claim(connection, late[0], [late[1]], state=state)
        signal(connection, [SignalNote(f"claim_deadline:{claim}", "claim_deadline", "critical", "near")], at(23))
    result = tracker("reject", f"C{claim}", "--reason", "cliente já recebeu")
    assert result.exit_code == 0, result.output
    row = row_of(database, Claim, claim)
    assert (row["state"], row["outcome"], row["closed_at"], row["next_step_at"]) == (
        "cancelled",
        "cancelled",
        NOW,
        None,
    )
    assert acts(database) == [("fulana", "reject", "claim", claim, "cliente já recebeu")]
    assert last_decision(database, "claim", claim) == (
        "hand.reject",
        "cancelled",
        "rejected by fulana: cliente já recebeu",
    )
    signals = table(Signal)
    with database.begin_read() as connection:
        raised = connection.execute(select(signals.c.raised).where(signals.c.key == f"claim_deadline:{claim}"))
        assert list(raised.scalars()) == [True, False]
    again = tracker("reject", f"C{claim}")
    sentence = f"C{claim} was rejected already, on 2026-11-24 by fulana: it will not be filed\n"
    assert (again.exit_code, again.stdout) == (0, sentence)
    approved = tracker("approve", f"C{claim}")
    sentence = f"C{claim} was rejected on 2026-11-24 by fulana: it will not be filed\n"
    assert (approved.exit_code, approved.stderr) == (1, sentence)


@pytest.mark.parametrize("state", ["submitting", "open", "answered"])
def test_what_the_carrier_may_have_is_not_taken_back(
    tracker: Tracker, database: Database, late: tuple[int, int], state: str
) -> None:
    with database.begin_write() as connection:
        claim = add_a_claim(connection, late[0], [late[1]], state=state)
    result = tracker("reject", f"C{claim}")
    assert result.exit_code == 1
    assert "cannot be taken back" in result.stderr
    assert row_of(database, Claim, claim)["state"] == state


@pytest.mark.parametrize(
    ("state", "after"),
    [
        pytest.param("awaiting_person", "suppressed", id="a held message is stopped"),
        pytest.param("queued", "suppressed", id="a queued message is stopped"),
        pytest.param("sent", "sent", id="a sent message stays sent"),
    ],
)
def test_rejecting_a_message(
    tracker: Tracker, database: Database, late: tuple[int, int], state: str, after: str
) -> None:
    with database.begin_write() as connection:
        message = add_message(connection, late[0], state=state)
    result = tracker("reject", f"M{message}", "--reason", "engano")
    assert result.exit_code == (0 if after == "suppressed" else 1)
    row = row_of(database, Delivery, message)
    assert row["state"] == after
    if after == "suppressed":
        assert row["reason"] == "rejected by fulana: engano"
        assert acts(database) == [("fulana", "reject", "message", message, "engano")]
    else:
        assert acts(database) == []


@pytest.mark.parametrize(
    ("command", "state", "exit_code", "sentence"),
    [
        pytest.param("approve", "submitting", 0, "needs no approval: it is submitting", id="on its way"),
        pytest.param(
            "approve", "cancelled", 1, "is closed, nothing to approve: it is cancelled", id="no claim any more"
        ),
        pytest.param("approve", "paid", 1, "is closed, nothing to approve: it is paid", id="over"),
        pytest.param("reject", "cancelled", 0, "is cancelled already: it will not be filed", id="cancelled by itself"),
        pytest.param("reject", "paid", 1, "is closed, nothing to reject: it is paid", id="paid already"),
        pytest.param("release", "paid", 1, "is closed, nothing to release: it is paid", id="nothing to let go"),
        pytest.param("release", "open", 0, "nothing of C{id} is held for a release", id="free already"),
    ],
)
def test_a_claim_for_which_nothing_is_left_to_do(
    tracker: Tracker,
    database: Database,
    late: tuple[int, int],
    command: str,
    state: str,
    exit_code: int,
    sentence: str,
) -> None:
    closed_at = NOW if state in {"cancelled", "paid"} else None
    with database.begin_write() as connection:
        claim = add_a_claim(connection, late[0], [late[1]], state=state, closed_at=closed_at)
    result = tracker(command, f"C{claim}")
    assert result.exit_code == exit_code
    assert sentence.format(id=claim) in (result.stderr if exit_code else result.stdout)
    assert acts(database) == []


@pytest.mark.parametrize(
    ("command", "state", "exit_code", "sentence"),
    [
        pytest.param("approve", "expired", 1, "expired on 2026-11-2", id="approving what expired"),
        pytest.param("reject", "expired", 0, "expired on 2026-11-2", id="rejecting what expired"),
        pytest.param("release", "expired", 1, "nothing to release: it will not be sent", id="releasing what expired"),
        pytest.param("approve", "sent", 0, "needs no approval: it is sent", id="approving what left"),
        pytest.param("reject", "sent", 1, "has left already (sent) and cannot be taken back", id="rejecting what left"),
        pytest.param("release", "sent", 0, "is held for a release", id="releasing what left"),
        pytest.param("approve", "suppressed", 1, "is suppressed, nothing to approve", id="approving what was stopped"),
        pytest.param("release", "failed", 1, "is failed, nothing to release", id="releasing what failed"),
    ],
)
def test_a_message_for_which_nothing_is_left_to_do(
    tracker: Tracker,
    database: Database,
    late: tuple[int, int],
    command: str,
    state: str,
    exit_code: int,
    sentence: str,
) -> None:
    with database.begin_write() as connection:
        message = add_message(connection, late[0], problem_id=late[1], state=state)
    result = tracker(command, f"M{message}")
    assert result.exit_code == exit_code
    assert sentence in (result.stderr if exit_code else result.stdout)
    assert acts(database) == []


def test_a_message_that_was_rejected(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    with database.begin_write() as connection:
        message = add_message(connection, late[0], state="queued")
    tracker("reject", f"M{message}")
    sentence = f"M{message} was rejected on 2026-11-24 by fulana: it will not be sent\n"
    again, approved = tracker("reject", f"M{message}"), tracker("approve", f"M{message}")
    assert (again.exit_code, again.stdout) == (0, sentence)
    assert (approved.exit_code, approved.stderr) == (1, sentence)


def test_a_held_message_past_its_age_is_not_released(
    just_live: Tracker, database: Database, held: dict[str, int]
) -> None:
    (just_live.config.parent / "clock").write_text(at(30).isoformat(), encoding="utf-8")
    result = just_live("release", f"M{held['c_posted']}")
    assert result.exit_code == 1
    assert "expired on 2026-11-2" in result.stderr
    assert row_of(database, Delivery, held["c_posted"])["state"] == "awaiting_person"


# --- release ----------------------------------------------------------------------------------------


@pytest.fixture
def held(database: Database, database_url: str, configured: Callable[[str, str | None], Tracker]) -> dict[str, int]:
    """Three late parcels from before the shop's first day; only the second has one claim for two problems."""
    found = {}
    with database.begin_write() as connection:
        for name, code in (("a", CODE), ("b", "AA111111119BR"), ("c", "AA222222225BR")):
            (found[name],) = add_order(connection, order(name), code)
            track(connection, found[name])
            found[f"{name}_problem"] = add_problem(connection, found[name])
            found[f"{name}_message"] = add_message(
                connection,
                found[name],
                problem_id=found[f"{name}_problem"],
                state="awaiting_person",
                hold_reason="observe" if name == "a" else "before_live",
            )
        found["b_loss"] = add_problem(connection, found["b"], ProblemKind.LOSS, at(22), presumed=True)
        found["b_claim"] = waiting(connection, found["b"], [found["b_problem"], found["b_loss"]], "before_live")
        found["c_posted"] = add_message(
            connection, found["c"], Trigger.POSTED, state="awaiting_person", hold_reason="before_live"
        )
    return found


@pytest.fixture
def just_live(database_url: str, configured: Callable[[str, str | None], Tracker]) -> Tracker:
    """The shop went live today."""
    return configured(database_url, "2026-11-24")


def test_releasing_a_problem_lets_go_what_rests_on_it(
    just_live: Tracker, database: Database, held: dict[str, int]
) -> None:
    result = just_live("release", f"P{held['b_problem']}")
    assert result.exit_code == 0, result.output
    assert result.stdout == "released: 2 problems, 1 message, 1 claim\n"
    # The claim leaves for both of its problems or for none.
    assert row_of(database, Problem, held["b_problem"])["released_at"] == NOW
    assert row_of(database, Problem, held["b_loss"])["released_at"] == NOW
    assert row_of(database, Delivery, held["b_message"])["state"] == "queued"
    claim = row_of(database, Claim, held["b_claim"])
    assert (claim["next_step_at"], claim["approved_at"]) == (NOW, None)
    assert row_of(database, Delivery, held["a_message"])["state"] == "awaiting_person"
    assert {act[:3] for act in acts(database)} == {
        ("fulana", "release", kind) for kind in ("problem", "message", "claim")
    }
    assert last_decision(database, "message", held["b_message"])[:2] == ("hand.release", "released")
    kept = acts(database)
    again = just_live("release", f"P{held['b_problem']}")
    assert again.exit_code == 0
    assert again.stdout == f"P{held['b_problem']} was released already: nothing of it is held for a release\n"
    assert acts(database) == kept


def test_releasing_a_message_releases_nothing_else(
    just_live: Tracker, database: Database, held: dict[str, int]
) -> None:
    assert just_live("release", f"M{held['b_message']}").stdout == "released: 1 message\n"
    assert row_of(database, Problem, held["b_problem"])["released_at"] is None
    again = just_live("release", f"M{held['b_message']}")
    assert (again.exit_code, again.stdout) == (0, f"nothing of M{held['b_message']} is held for a release\n")


def test_releasing_a_claim_releases_nothing_else(just_live: Tracker, database: Database, held: dict[str, int]) -> None:
    name = f"C{held['b_claim']}"
    assert just_live("release", name).stdout == "released: 1 claim\n"
    assert row_of(database, Claim, held["b_claim"])["next_step_at"] == NOW
    assert row_of(database, Problem, held["b_problem"])["released_at"] is None
    assert row_of(database, Problem, held["b_loss"])["released_at"] is None
    assert row_of(database, Delivery, held["b_message"])["state"] == "awaiting_person"
    assert acts(database) == [("fulana", "release", "claim", held["b_claim"], None)]
    again = just_live("release", name)
    assert (again.exit_code, again.stdout) == (
        0,
        f"{name} is released already: the daemon judges it at its next look\n",
    )
    assert len(acts(database)) == 1
    assert just_live("release", f"P{held['b_problem']}").stdout == "released: 2 problems, 1 message\n"


def test_what_was_released_a_moment_ago_is_approved(
    just_live: Tracker, database: Database, held: dict[str, int]
) -> None:
    name = f"C{held['b_claim']}"
    just_live("release", name)
    result = just_live("approve", name)
    assert (result.exit_code, result.stdout) == (0, f"{name} is approved: the daemon files it at its next look\n")
    assert row_of(database, Claim, held["b_claim"])["approved_at"] == NOW
    assert [act[1] for act in acts(database)] == ["release", "approve"]
    again = just_live("approve", name)
    assert (again.exit_code, again.stdout) == (0, f"{name} is approved already: the daemon takes it at its next look\n")


def test_releasing_all(just_live: Tracker, database: Database, held: dict[str, int]) -> None:
    result = just_live("release", "--all")
    assert result.stdout == "released: 4 problems, 4 messages, 1 claim\n"
    assert row_of(database, Delivery, held["c_posted"])["state"] == "queued"
    with database.begin_write() as connection:
        connection.execute(update(table(Claim)).values(state="submitting", hold_reason=None))
    assert just_live("release", "--all").stdout == "nothing is held for a release\n"


def test_nothing_is_released_before_the_shop_is_live(
    database: Database, database_url: str, configured: Callable[[str, str | None], Tracker], held: dict[str, int]
) -> None:
    tracker = configured(database_url, None)
    for words in (["--all"], [f"P{held['a_problem']}"], [f"M{held['a_message']}"]):
        result = tracker("release", *words)
        assert result.exit_code == 1
        assert "shop exemplo only observes" in result.stderr
    assert row_of(database, Problem, held["a_problem"])["released_at"] is None
    assert acts(database) == []


def test_a_problem_since_the_first_day_is_not_held_for_a_release(
    tracker: Tracker, database: Database, late: tuple[int, int]
) -> None:
    result = tracker("release", f"P{late[1]}")
    assert (result.exit_code, result.stdout) == (0, f"nothing of P{late[1]} is held for a release\n")
    assert row_of(database, Problem, late[1])["released_at"] is None


# --- ids --------------------------------------------------------------------------------------------


def test_a_bare_number_must_belong_to_one_kind(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    with database.begin_write() as connection:
        claim = waiting(connection, late[0], [late[1]])
    assert tracker("approve", str(claim)).exit_code == 0
    with database.begin_write() as connection:
        message = add_message(connection, late[0])
    assert message == claim
    result = tracker("reject", str(claim))
    assert result.exit_code == 2
    assert f"C{claim} or M{claim}" in result.stderr


@pytest.mark.parametrize(
    ("words", "exit_code", "sentence"),
    [
        pytest.param(["approve", "C99"], 1, "there is no claim C99", id="no such claim"),
        pytest.param(["approve", "P1"], 2, "needs the id of a claim", id="a problem cannot be approved"),
        pytest.param(["reject", "x?"], 2, "needs the id of", id="no id at all"),
        pytest.param(["release"], 2, "name one problem", id="a release of nothing"),
        pytest.param(["release", "P1", "--all"], 2, "name one problem", id="a release of both"),
    ],
)
def test_wrong_ids(tracker: Tracker, words: list[str], exit_code: int, sentence: str) -> None:
    result = tracker(*words)
    assert result.exit_code == exit_code
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("wrong", "exit_code", "sentence"),
    [
        pytest.param("C99", 1, "there is no claim C99", id="an id that does not exist"),
        pytest.param("P{problem}", 2, "P{problem}: needs the id of a claim (C12)", id="an id of another kind"),
        pytest.param("sete", 2, "sete: needs the id of a claim (C12)", id="no id at all"),
        pytest.param("{both}", 2, "{both} could be C{both} or M{both}", id="a number that two kinds have"),
    ],
)
@pytest.mark.parametrize("command", ["approve", "reject"])
def test_every_id_of_a_list_gets_its_sentence(
    tracker: Tracker,
    database: Database,
    late: tuple[int, int],
    command: str,
    wrong: str,
    exit_code: int,
    sentence: str,
) -> None:
    with database.begin_write() as connection:
        claim = waiting(connection, late[0], [late[1]])
        message = add_message(connection, late[0], problem_id=late[1], state="awaiting_person", hold_reason="template")
    assert claim == message
    names = {"problem": late[1], "both": claim}
    result = tracker(command, f"C{claim}", wrong.format(**names), f"M{message}")
    assert result.exit_code == exit_code
    first, second, third = (line for line in result.output.splitlines() if not line.startswith("{"))
    assert first.startswith(f"C{claim} is ")
    assert second.startswith(sentence.format(**names))
    assert third.startswith(f"M{message} is ")
    assert [act[2] for act in acts(database)] == ["claim", "message"]


def test_the_exit_code_is_that_of_the_worst(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    result = tracker("approve", "C98", "sete", "C99")
    assert result.exit_code == 2
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "there is no claim C98",
        "sete",
        "there is no claim C99",
    ]


def test_dates_of_a_claim_survive_an_approval(tracker: Tracker, database: Database, late: tuple[int, int]) -> None:
    with database.begin_write() as connection:
        claim = waiting(connection, late[0], [late[1]])
    tracker("approve", f"C{claim}")
    assert row_of(database, Claim, claim)["deadline_on"] == date(2026, 12, 18)

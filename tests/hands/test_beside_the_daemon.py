"""A hand works while the daemon has the same rows in its hands: what was begun on the old word is not saved."""

from __future__ import annotations

from datetime import timedelta

from carriers.base import RefKind, TrackingRef
from tests.reports.support import CODE, EMAIL, NOW, OTHER_CODE, add_message, add_order, add_problem, at, order, track
from tracker.detection.writing import acts_of_open, newest
from tracker.store import deliveries, polls
from tracker.store.database import Database
from tracker.store.histories import due_dates, events_of, histories_of, set_aside
from tracker.store.logs import log_act
from tracker.store.orders import correct_order, owner_of_number, renumber
from tracker.store.polls import PollSave, restart, save_polls
from tracker.store.problems import end_problem, problem_by_id, problems_of

LATER = NOW + timedelta(minutes=1)


def test_an_answer_to_the_old_number_that_is_under_way_is_not_saved(database: Database) -> None:
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment, next_poll_at=NOW)
        (due,) = polls.take_due(connection, "correios", now=NOW, limit=10, token="daemon")
        assert due.ref.value == CODE
    with database.begin_write() as connection:
        renumber(connection, shipment, ("correios", TrackingRef(RefKind.CODE, OTHER_CODE)), "correios", LATER)
        set_aside(connection, shipment, LATER)
        restart(connection, shipment, "correios", LATER)
    with database.begin_write() as connection:
        saved = save_polls(connection, [PollSave(shipment, None, digest="old")], polled_at=LATER, token="daemon")
        assert saved == set()
        (due,) = polls.take_due(connection, "correios", now=LATER, limit=10, token="again")
        assert (due.ref.value, due.digest, due.last_answered_at) == (OTHER_CODE, None, None)
        assert owner_of_number(connection, "correios", TrackingRef(RefKind.CODE, CODE)) is None
        # What the old number showed is kept, and counts no more.
        assert {event.vanished_at for event in events_of(connection, [shipment])[shipment]} == {LATER}
        assert (histories_of(connection, [shipment]), due_dates(connection, [shipment])[shipment]) == ({}, {})


def test_going_back_to_the_first_number_brings_its_row_back(database: Database) -> None:
    there = ("correios", TrackingRef(RefKind.CODE, OTHER_CODE))
    back = ("correios", TrackingRef(RefKind.CODE, CODE))
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        (other,) = add_order(connection, order("2"), OTHER_CODE)
        renumber(connection, other, None, "correios", NOW)
        renumber(connection, shipment, there, "correios", NOW)
        renumber(connection, other, back, "correios", NOW)
        assert owner_of_number(connection, *there) == (shipment, "10482")
        assert owner_of_number(connection, *back) == (other, "2")
        renumber(connection, other, None, "correios", NOW)
        renumber(connection, shipment, back, "correios", NOW)
        assert owner_of_number(connection, *back) == (shipment, "10482")
        assert owner_of_number(connection, *there) is None


def test_a_message_on_its_way_to_the_old_address_stops_before_its_text(database: Database) -> None:
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment)
        delivery = add_message(connection, shipment, next_step_at=NOW)
        (due,) = deliveries.take_due(connection, "email", now=NOW, limit=10, token="daemon")
        assert due.recipient == EMAIL
        correct_order(connection, 1, {"customer_email": "certo@example.com"}, LATER)
        (late,) = deliveries.misaddressed(connection, [due.notice_id], LATER)
        assert deliveries.readdress(connection, late, "certo@example.com", None)
    with database.begin_write() as connection:
        values = {"state": "sending"}
        assert not deliveries.save_delivery(connection, delivery, values, token="daemon", keep_lease=True)
        (due,) = deliveries.take_due(connection, "email", now=LATER, limit=10, token="again")
        assert (due.recipient, due.message_id) == ("certo@example.com", f"<{due.notice_id}.abc@lojaexemplo.com.br>")


def test_a_problem_that_ended_meanwhile_is_not_ended_again(database: Database) -> None:
    """The act stands; whoever read the row before it changed writes nothing."""
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        problem = add_problem(connection, shipment)
        facts = {"how": "hand_found", "claims": "cancel"}
        about = {"subject_kind": "problem", "subject_id": problem}
        log_act(connection, who="ana", act="resolve", reason=None, at=NOW, facts=facts, **about)  # type: ignore[arg-type]
        rows = problems_of(connection, [shipment])
        (known,) = newest(rows[shipment], acts_of_open(connection, rows.values()))
        assert known.settlement is not None
        assert end_problem(connection, known, at(23), "delivered")
        assert not end_problem(connection, known, known.settlement.at, known.settlement.how.value)
        row = problem_by_id(connection, problem)
    assert row is not None and (row.resolution, row.claims_wish) == ("delivered", None)

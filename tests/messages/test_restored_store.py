"""A database that was put back: what its customers may have been told since waits for a person, whatever makes it look new."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.end_to_end.test_restore import back_up, restore
from tests.hands.support import hand
from tests.messages.imap_server import ImapServer
from tests.messages.returns import report
from tests.messages.test_bounces_store import FIRST, JOANA, POSTED, arrived, message_id, with_mailbox
from tests.messages.test_bounces_store import imap as imap
from tests.messages.test_thanks_store import file_of, paid
from tracker.messages.bounce_sweep import RULE
from tracker.sandbox.plan import Fate
from tracker.store.restoring import hold_back
from tracker.store.suppressions import suppress
from tracker.store.tables import Decision, Delivery, MailCircuit, Notice, ReturnedMail, Suppression

LATE = of_fate(Fate.LATE_OPEN)
RIGHT = "certo@example.com"
HOUR = timedelta(hours=1)


def put_back(trial: Trial, number: int) -> None:
    """The database as it stands is taken for a copy that was put in its place on this day at eight."""
    with trial.database.begin_write() as connection:
        hold_back(connection, now=at(day(number), 8), source="a.copy", who="fulana")


def standing(trial: Trial) -> dict[str, tuple[str, str | None]]:
    """By trigger, the state and the hold of its only message."""
    triggers = {row["id"]: row["trigger"] for row in trial.rows(Notice)}
    return {triggers[row["notice_id"]]: (row["state"], row["hold_reason"]) for row in trial.rows(Delivery)}


def test_thanks_for_an_order_whose_file_is_read_once_more_wait(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.pass_at(at(day(1), 7))
    put_back(trial, 2)
    trial.drop("pedidos.csv", file_of("pago"))
    trial.pass_at(at(day(2), 9))
    assert trial.told() == []
    assert standing(trial) == {"order_thanked": ("awaiting_person", "restored")}
    assert "released: 1 message" in hand(trial, "release", "M1")
    trial.pass_at(at(day(2), 10))
    assert len(trial.told()) == 1


def test_thanks_for_an_order_placed_after_the_restore_leave(start: Start) -> None:
    trial = start()
    trial.pass_at(at(day(1), 7))
    put_back(trial, 1)
    trial = paid(trial, ordered="03/08/2026 09:00")
    assert standing(trial) == {"order_thanked": ("sent", None)}


def test_news_of_a_parcel_posted_before_the_restore_waits_whenever_it_comes(start: Start) -> None:
    trial = start(of_fate(Fate.PICKUP))
    trial.drop_orders()
    trial.pass_through([at(day(2), 9), at(day(3), 9)])
    put_back(trial, 4)
    trial.pass_through(at(day(number), hour) for number in range(4, 9) for hour in (9, 15))
    # One milestone an order: another one may have been told in the lost time. A counter opens once.
    held = {"in_transit": ("awaiting_person", "restored"), "pickup_waiting": ("sent", None)}
    assert standing(trial) == {"posted": ("sent", None), **held}


@pytest.mark.parametrize("restored", [False, True])
def test_what_came_back_goes_to_the_address_of_a_newer_file(start: Start, restored: bool) -> None:
    trial = start(LATE)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.drop_orders()
    trial.world.mail.order_fault("unknown_user")
    trial.pass_through([at(day(2), 9), at(day(5), 9)])
    assert standing(trial) == {"delay_detected": ("bounced", None)}
    if restored:
        put_back(trial, 6)
    hand(trial, "edit", LATE.order.number, "--email", RIGHT)
    trial.pass_at(at(day(6), 9))
    assert trial.one(Delivery)["recipient"] == RIGHT
    if restored:
        assert standing(trial) == {"delay_detected": ("awaiting_person", "restored")}
        hand(trial, "approve", "M1")
        trial.pass_at(at(day(6), 10))
    assert standing(trial) == {"delay_detected": ("sent", None)}
    assert [recipient for recipient, _ in trial.told()] == [RIGHT]


def test_returned_mail_is_read_again_and_counts_once(start: Start, imap: ImapServer) -> None:
    trial = with_mailbox(start(POSTED), imap)
    back_up(trial, 2)
    arrived(imap, report(JOANA, message_id=message_id(trial)))
    trial.pass_at(FIRST + HOUR)
    assert (trial.one(Delivery)["state"], trial.one(Suppression)["address"]) == ("bounced", JOANA)
    trial.clock_at(FIRST + 3 * HOUR)
    restore(trial, 2)
    assert (trial.one(Delivery)["state"], trial.rows(Suppression)) == ("sent", [])
    trial.pass_through([FIRST + 4 * HOUR, FIRST + 5 * HOUR])
    assert (trial.one(Delivery)["state"], trial.one(Suppression)["address"]) == ("bounced", JOANA)
    assert len(trial.rows(ReturnedMail)) == len(trial.rows(Decision, rule=RULE)) == 1


def test_an_account_that_was_left_alone_in_the_copy_is_tried(start: Start) -> None:
    trial = start(LATE)
    trial.drop_orders()
    trial.world.mail.order_fault("throttled")
    trial.pass_at(at(day(2), 9))
    (stale,) = trial.rows(MailCircuit)
    assert stale["until"] is not None
    back_up(trial, 2)
    trial.clock_at(at(day(2), 12))
    restore(trial, 2)
    hand(trial, "release", "--all")
    trial.pass_at(at(day(2), 13))
    assert standing(trial) == {"posted": ("sent", None)}
    assert trial.rows(MailCircuit) == []


def listed(trial: Trial) -> None:
    with trial.database.begin_write() as connection:
        address = LATE.order.customer.email or ""
        suppress(
            connection,
            channel="email",
            address=address,
            reason="no_such_mailbox",
            evidence="550",
            source="smtp",
            at=at(day(3)),
        )


@pytest.mark.parametrize("muted", [False, True])
def test_a_suppressed_address_that_is_corrected_is_told(start: Start, muted: bool) -> None:
    trial = start(LATE)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    listed(trial)
    if muted:
        hand(trial, "mute", LATE.order.number)
    trial.pass_at(at(day(5), 9))
    held = ("awaiting_person", "muted") if muted else ("suppressed", None)
    assert standing(trial) == {"delay_detected": held}
    hand(trial, "edit", LATE.order.number, "--email", RIGHT)
    trial.pass_at(at(day(5), 10))
    if muted:
        assert standing(trial) == {"delay_detected": held}
        hand(trial, "mute", LATE.order.number, "--off")
        trial.pass_at(at(day(5), 11))
    assert standing(trial) == {"delay_detected": ("sent", None)}
    assert [recipient for recipient, _ in trial.told()] == [RIGHT]


def test_a_muted_message_to_a_suppressed_address_ends_when_the_silence_does(start: Start) -> None:
    trial = start(LATE)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    listed(trial)
    hand(trial, "mute", LATE.order.number)
    trial.pass_at(at(day(5), 9))
    hand(trial, "mute", LATE.order.number, "--off")
    trial.pass_at(at(day(5), 10))
    assert standing(trial) == {"delay_detected": ("suppressed", None)}
    assert trial.told() == [] and len(trial.rows(Suppression)) == 1

"""Addresses that cannot work, or do not want our mail, are left alone; every other reason is not held against them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate, Shipment
from tracker.store.tables import Decision, Delivery, Suppression

POSTED = of_fate(Fate.ON_TIME)
FIRST = at(day(2), 9)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def of_one_customer(count: int) -> list[Shipment]:
    """Parcels of different orders that go to one address."""
    customer = POSTED.order.customer
    others = [of_fate(Fate.ON_TIME, index) for index in range(1, count)]
    return [POSTED, *(replace(o, order=replace(o.order, customer=customer)) for o in others)]


def listed(trial: Trial) -> list[dict[str, Any]]:
    return trial.rows(Suppression)


def test_a_dead_mailbox_is_mailed_once_and_never_again(start: Start, database_url: str) -> None:
    late = of_fate(Fate.LATE_OPEN)
    trial = start(late, url=database_url)
    trial.settings["messages"]["triggers"] = {"inquiry_opened": []}
    trial.drop_orders()
    trial.world.mail.order_fault("unknown_user")
    trial.pass_at(FIRST)
    row = trial.one(Suppression)
    address = late.order.customer.email
    assert (row["address"], row["shop"], row["reason"], row["source"]) == (address, "", "no_such_mailbox", "smtp")
    assert row["evidence"].startswith("550 5.1.1 <...>") and row["at"] == FIRST
    first = trial.one(Delivery)
    assert (first["state"], row["delivery_id"]) == ("bounced", first["id"])

    trial.pass_at(at(day(5), 9))
    second = trial.rows(Delivery)[1]
    assert (second["state"], second["reason"]) == ("suppressed", "the address is suppressed: no_such_mailbox")
    assert trial.told() == []
    told = trial.command("explain", f"M{second['id']}")
    assert "este endereço está na lista dos que não recebem e-mail (o endereço não existe)" in " ".join(
        told.stdout.split()
    )
    shown = " ".join(trial.command("show", late.order.number).stdout.split())
    assert "não enviada (o endereço não existe)" in shown and "endereço recusado (o endereço não existe)" in shown
    assert "the address is suppressed" in trial.command("messages").stdout


def test_a_lifted_address_is_told_what_comes_next(start: Start) -> None:
    trial = start(of_fate(Fate.LATE_OPEN))
    trial.settings["messages"]["triggers"] = {"inquiry_opened": []}
    trial.drop_orders()
    trial.world.mail.order_fault("unknown_user")
    trial.pass_at(FIRST)
    address = trial.one(Suppression)["address"]
    done = trial.command("unsuppress", address)
    assert done.returncode == 0, done.stderr
    trial.pass_at(at(day(5), 9))
    assert [row["state"] for row in trial.rows(Delivery)] == ["bounced", "sent"]


@pytest.mark.parametrize(("shop", "state"), [("outra", "sent"), ("aurora", "suppressed")])
def test_only_the_suppressing_shops_messages_stop(start: Start, shop: str, state: str) -> None:
    trial = start(POSTED)
    trial.settings["shops"].append({**trial.shop, "id": "outra"})
    trial.pass_at(at(day(1), 9))
    done = trial.command("suppress", POSTED.order.customer.email, "--reason", "pediu", "--shop", shop)
    assert done.returncode == 0, done.stderr
    trial.drop_orders()
    trial.pass_at(FIRST)
    assert trial.one(Delivery)["state"] == state


@pytest.mark.parametrize("fault", ["greylist", "throttled", "drop_before_data", "drop_after_dot"])
def test_nothing_else_speaks_against_an_address(start: Start, fault: str) -> None:
    trial = start(POSTED)
    trial.world.mail.order_fault(fault)
    trial.drop_orders()
    trial.pass_through([FIRST, FIRST + MINUTE])
    assert listed(trial) == []


def test_a_trials_own_address_is_never_put_on_the_list(start: Start) -> None:
    trial = start(POSTED)
    trial.settings["messages"]["redirect_to"] = "teste@aurora.example"
    trial.world.mail.order_fault("unknown_user")
    trial.drop_orders()
    trial.pass_at(FIRST)
    assert (trial.one(Delivery)["state"], listed(trial)) == ("bounced", [])


@pytest.mark.parametrize(("count", "expected"), [(2, 0), (3, 1)])
def test_a_full_mailbox_is_given_up_after_three_messages(start: Start, count: int, expected: int) -> None:
    trial = start(*of_one_customer(count))
    trial.world.mail.order_fault("mailbox_full", count=None)
    trial.drop_orders()
    # Four tries each, eight hours apart, for messages that are worth telling for a day and more.
    trial.settings["rules"] = {"max_age_hours": {"posted": 100}}
    trial.settings["messages"]["triggers"] = {"in_transit": [], "out_for_delivery": []}
    trial.pass_through(FIRST + n * HOUR for n in range(0, 30, 3))
    rows = trial.rows(Delivery)
    assert [(row["state"], row["reason"], row["attempts"]) for row in rows] == [("failed", "mailbox_full", 4)] * count
    assert len(listed(trial)) == expected
    decisions = trial.rows(Decision, subject_kind="message", subject_id=rows[0]["id"], outcome="queued")
    assert decisions[-1]["facts"]["why"] == "mailbox_full"

"""Several contracts of one carrier: a parcel goes round them once, and its claims go with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from tests.end_to_end.support import MONDAY, Start, Trial, at, day
from tests.polling.gateway import OTHER_USER, USER, Gateway, at_gateway, event, orders_file
from tracker.store.claims import take_due
from tracker.store.contexts import contexts_of
from tracker.store.leases import put_down
from tracker.store.polls import PollSave, save_polls
from tracker.store.tables import Alert, Claim, Shipment, ShipmentHistory, ShipmentPoll, table

CODE = "AD100000017BR"
FIRST = at(day(2), 9)
POSTED = event("PO-01", at(MONDAY, 10), "Objeto postado")
DUE = {"dtPrevista": "2026-08-07T23:59:59"}


def add_account(trial: Trial, account: str = "segundo", user: str = OTHER_USER, **more: Any) -> None:
    """A second contract of the same shop."""
    other = {**trial.carrier, "id": account, "adapter": "correios", "user": user, "aliases": [], **more}
    trial.settings["carriers"].append({**other, "posting_card": "0070000002", "contract": "9912000002"})


def two_accounts(trial: Trial) -> Trial:
    at_gateway(trial, CODE)
    add_account(trial)
    return trial


def test_a_parcel_of_another_contract_is_followed_by_the_account_it_belongs_to(start: Start, database_url: str) -> None:
    trial = two_accounts(start(url=database_url))
    gateway = Gateway()
    gateway.show(CODE, POSTED, user=OTHER_USER, **DUE)
    with gateway.open():
        trial.pass_at(FIRST)
        assert [user for user, _ in gateway.calls("objetos")] == [USER, OTHER_USER]
        trial.pass_at(at(day(2), 13))
    assert [user for user, _ in gateway.calls("objetos")] == [USER, OTHER_USER, OTHER_USER]  # the way is found once
    assert trial.one(ShipmentHistory)["status"] == "posted"
    poll = trial.one(ShipmentPoll)
    assert (poll["carrier"], poll["accounts_tried"], poll["closed_reason"]) == ("segundo", None, None)
    with trial.database.begin_read() as connection:
        context = contexts_of(connection, [poll["shipment_id"]])[poll["shipment_id"]]
    assert (context.carrier, trial.one(Shipment)["carrier"]) == ("segundo", "correios")
    assert trial.rows(Alert) == []


def test_a_code_alone_needs_no_contract_named(start: Start) -> None:
    trial = two_accounts(start())
    trial.drop("pedidos.csv", orders_file(CODE).replace(b"Correios;", b";"))
    gateway = Gateway()
    gateway.show(CODE, POSTED, user=OTHER_USER, **DUE)
    with gateway.open():
        trial.pass_at(FIRST)
    assert (trial.one(Shipment)["carrier"], trial.one(ShipmentPoll)["carrier"]) == ("correios", "segundo")


def test_where_every_account_refuses_it_rests_until_the_configuration_changes(start: Start, database_url: str) -> None:
    trial = two_accounts(start(url=database_url))
    gateway = Gateway()
    gateway.show(CODE, POSTED, user="a third contract", **DUE)
    with gateway.open():
        trial.pass_through([FIRST, FIRST + timedelta(hours=4)])
        assert [user for user, _ in gateway.calls("objetos")] == [USER, OTHER_USER]  # once around, and no more
        poll = trial.one(ShipmentPoll)
        assert (poll["carrier"], poll["next_poll_at"], poll["closed_reason"]) == ("correios", None, "other_account")
        assert trial.one(Alert)["kind"] == "untrackable"
        third = "11222333000181"
        gateway.apis[third] = gateway.apis[USER]
        gateway.objects[CODE] = (third, gateway.objects[CODE][1])
        add_account(trial, "terceiro", third, posting_card="0070000003")
        trial.pass_at(FIRST + timedelta(hours=5))
    assert trial.one(ShipmentPoll)["carrier"] == "terceiro"


def test_an_account_that_does_not_serve_the_shop_is_not_asked(start: Start) -> None:
    trial = at_gateway(start(), CODE)
    other = {**trial.shop, "id": "outra"}
    trial.settings["shops"].append(other)
    add_account(trial, shops=["outra"])
    gateway = Gateway()
    gateway.show(CODE, POSTED, user=OTHER_USER)
    with gateway.open():
        trial.pass_at(FIRST)
    assert [user for user, _ in gateway.calls("objetos")] == [USER]
    assert trial.one(ShipmentPoll)["closed_reason"] == "other_account"


def test_a_claim_planned_for_the_old_account_is_filed_by_the_new_one(start: Start, database_url: str) -> None:
    trial = two_accounts(start(url=database_url))
    gateway = Gateway()
    gateway.show(CODE, POSTED, **DUE)
    with gateway.open():
        trial.pass_through([FIRST, at(day(8), 9)])
        claim = trial.one(Claim)
        assert (claim["carrier"], claim["state"]) == ("correios", "waiting_approval")
        gateway.show(CODE, POSTED, user=OTHER_USER, **DUE)
        trial.carrier["claims"]["mode"] = "auto"
        trial.settings["carriers"][1]["claims"] = {**trial.carrier["claims"], "mode": "auto"}
        # The new account looks before it files: the old one's answers say nothing of today.
        trial.pass_through([at(day(9), 9), at(day(9), 10)])
    assert trial.one(Claim)["carrier"] == "segundo"
    assert {user for user, _ in gateway.calls("cadastra")} == {OTHER_USER}


def test_the_old_account_takes_no_claim_of_a_parcel_that_has_left_it(start: Start) -> None:
    """Even where its own lane is quicker than whoever plans claims."""
    trial = two_accounts(start())
    gateway = Gateway()
    gateway.show(CODE, POSTED, **DUE)
    with gateway.open():
        trial.pass_through([FIRST, at(day(8), 9)])
    now = at(day(9), 9)
    with trial.database.begin_write() as connection:
        connection.execute(update(table(Claim)).values(next_step_at=now))
        (taken,) = take_due(connection, "correios", calls=False, now=now, limit=9, token="t")
        put_down(connection, table(Claim), [taken.id], "t")
        shipment = trial.one(ShipmentPoll)["shipment_id"]
        moved = PollSave(shipment, now, answered_at=now, carrier="segundo")
        save_polls(connection, [moved], polled_at=now, token="", ours=[shipment])
        assert take_due(connection, "correios", calls=False, now=now, limit=9, token="t") == []

"""`tracker cancel`: an order is silent, what the carrier has stays, and no file undoes it."""

from __future__ import annotations

from sqlalchemy import update

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.hands.support import acts, hand, message, one_line, rules, shown, standing
from tracker.sandbox.plan import Fate
from tracker.sandbox.world import orders_csv
from tracker.store.tables import Claim, Delivery, OperatorAct, Order, Problem, ShipmentPoll, table

LATE = of_fate(Fate.LATE_OPEN)
"""Due on day 4, late from day 5 on, delivered on day 15."""
NUMBER = LATE.order.number
POSTED_AT = at(day(2), 9)


def followed(start: Start, url: str | None = None) -> Trial:
    trial = start(LATE, url=url)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.drop_orders()
    trial.pass_at(POSTED_AT)
    return trial


def test_a_cancelled_order_is_silent_and_still_watched(start: Start, database_url: str) -> None:
    trial = followed(start, database_url)
    said = hand(trial, "cancel", NUMBER, "--reason", "desistiu")
    assert said == (
        f"order {NUMBER} is cancelled: its customer is told nothing more, claims that are not filed fall away; "
        "its parcels are still watched\n"
    )
    trial.pass_through([at(day(5), 9), at(day(6), 9)])
    assert (trial.told(), trial.rows(Claim), trial.rows(Problem)) == ([], [], [])
    assert trial.one(ShipmentPoll)["next_poll_at"] is not None
    assert acts(trial) == [("fulana", "cancel", "order", "desistiu")]
    # The same file with a line more: its "sent" does not undo the hand.
    csv = orders_csv(trial.world.plan, LATE.order.shipped_on)
    trial.drop("de-novo.csv", csv + b"\n")
    trial.pass_at(at(day(6), 10))
    assert trial.one(Order)["status"] == "cancelled"
    out = one_line(hand(trial, "show", NUMBER))
    assert "CANCELADO desde 04/08/2026 09:00 por fulana (desistiu)" in out
    assert f"tracker cancel {NUMBER} --off" in out and "O pedido consta como cancelado." in out
    told = one_line(hand(trial, "explain", NUMBER, "--lang", "pt-BR"))
    assert "Pedido cancelado por fulana (desistiu): o cliente não recebe mais mensagens" in told
    again = hand(trial, "cancel", NUMBER)
    assert again == f"order {NUMBER} is cancelled already, by fulana: its customer is told nothing\n"
    assert len(trial.rows(OperatorAct)) == 1


def test_a_cancellation_is_taken_back(start: Start, database_url: str) -> None:
    trial = followed(start, database_url)
    before = trial.one(Order)["status"]
    hand(trial, "cancel", NUMBER)
    said = hand(trial, "cancel", NUMBER, "--off", who="beltrano")
    # The file names no state: none is made up.
    assert said == f"order {NUMBER} is not cancelled any more: it is looked after from now on\n"
    assert trial.one(Order)["status"] == before
    trial.pass_at(at(day(5), 9))
    assert standing(trial, "delay_detected") == ("sent", None)
    assert hand(trial, "cancel", NUMBER, "--off") == f"order {NUMBER} is not cancelled: nothing to take back\n"


def test_the_state_that_the_shop_told_comes_back(start: Start) -> None:
    trial = followed(start)
    with trial.database.begin_write() as connection:
        connection.execute(update(table(Order)).values(status="paid"))
    hand(trial, "cancel", NUMBER)
    said = hand(trial, "cancel", NUMBER, "--off")
    assert said == f"order {NUMBER} is not cancelled any more: it is paid again, and looked after from now on\n"
    assert trial.one(Order)["status"] == "paid"


def test_what_was_about_to_leave_stays_and_what_the_carrier_has_stays_there(start: Start) -> None:
    trial = followed(start)
    trial.world.mail.order_fault("greylist")
    trial.pass_through([at(day(5), 9), at(day(6), 9)])
    (claim,) = trial.rows(Claim)
    assert (claim["state"], standing(trial, "delay_detected")[0]) == ("open", "sent")
    said = hand(trial, "cancel", NUMBER)
    assert f"C{claim['id']} stays with the carrier and is followed" in said
    trial.pass_at(at(day(6), 10))
    assert trial.one(Claim)["state"] == "open"
    assert trial.one(Problem)["resolution"] == "order_cancelled"


def test_a_queued_message_of_a_cancelled_order_never_leaves(start: Start) -> None:
    trial = followed(start)
    trial.world.mail.order_fault("greylist")
    trial.pass_at(at(day(5), 9))
    assert standing(trial, "delay_detected") == ("queued", None)
    hand(trial, "cancel", NUMBER)
    trial.pass_at(at(day(5), 9, 1))
    assert standing(trial, "delay_detected") == ("suppressed", None)
    assert trial.told() == []


def test_a_claim_and_a_message_are_cancelled_for_good(start: Start, database_url: str) -> None:
    trial = followed(start, database_url)
    trial.carrier["claims"]["mode"] = "propose"
    trial.world.mail.order_fault("greylist")
    trial.pass_through([at(day(5), 9), at(day(6), 9, 0)])
    (claim,) = trial.rows(Claim)
    assert claim["state"] == "waiting_approval"
    name, letter = f"C{claim['id']}", f"M{message(trial, 'delay_detected')['id']}"
    assert hand(trial, "cancel", name, "--reason", "achado") == f"{name} is cancelled: it will not be filed\n"
    assert hand(trial, "cancel", name) == (
        f"{name} was cancelled already, on {day(6):%Y-%m-%d} by fulana: it will not be filed\n"
    )
    sentence = f"{name} was cancelled on {day(6):%Y-%m-%d} by fulana: it will not be filed\n"
    assert hand(trial, "approve", name, exit_code=1) == sentence
    gone = hand(trial, "cancel", letter, exit_code=1)
    assert gone == f"{letter} has left already (sent) and cannot be taken back\n"
    trial.pass_at(at(day(7), 9))
    assert [row["state"] for row in trial.rows(Claim)] == ["cancelled"]
    assert ("hand.cancel", "cancelled") in rules(trial, "claim", claim["id"])
    assert "Cancelada por fulana (achado): não sai mais." in one_line(hand(trial, "explain", name, "--lang", "pt-BR"))


def test_what_cannot_be_cancelled(start: Start) -> None:
    trial = followed(start)
    trial.pass_through([at(day(5), 9), at(day(6), 9)])
    (claim,) = trial.rows(Claim)
    assert claim["state"] == "open"
    said = hand(trial, "cancel", f"C{claim['id']}", exit_code=1)
    assert said == (
        f"C{claim['id']} is with the carrier already (open) and cannot be taken back here: its answer is followed to the "
        f"end; to withdraw it, tell correios {claim['protocol']} by their own service\n"
    )
    assert "tracker resolve P1 --as HOW" in hand(trial, "cancel", "P1", exit_code=2)
    assert "there is no order, tracking code or customer nada" in hand(trial, "cancel", "nada", exit_code=1)
    assert "there is no message M99" in hand(trial, "cancel", "M99", exit_code=1)
    assert "stays stopped" in hand(trial, "cancel", "M1", "--off", exit_code=2)
    refused = hand(trial, "cancel", NUMBER, f"C{claim['id']}", exit_code=2)
    assert refused == "that is 2 orders, claims or messages; add --yes if you mean all of them\n"
    assert trial.rows(OperatorAct) == []
    assert len(trial.rows(Delivery)) == 1
    assert shown(trial, "show", NUMBER)["acts"] == []

"""`tracker edit`: what the files say is kept, what a person says counts, and what rests on it is looked at again."""

from __future__ import annotations

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.hands.support import acts, hand, message, one_line, rules, shown, standing
from tracker.sandbox.plan import Fate
from tracker.sandbox.world import orders_csv
from tracker.store.tables import Claim, Decision, Delivery, OperatorAct, Order, Problem, ShipmentRef

LATE = of_fate(Fate.LATE_OPEN)
"""Due on day 4, late from day 5 on, delivered on day 15."""
NUMBER = LATE.order.number
RIGHT = "certo@example.com"


def csv_of(trial: Trial, **changes: str) -> bytes:
    """The world's file of this order, with other values in the cells that hold these."""
    text = orders_csv(trial.world.plan, LATE.order.shipped_on)
    for was, now in changes.items():
        text = text.replace(was.encode(), now.encode())
    return text


def posted(start: Start, url: str | None = None, **triggers: list[str]) -> Trial:
    trial = start(LATE, url=url)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": [], **triggers}
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    return trial


def test_a_corrected_address_gets_what_bounced(start: Start, database_url: str) -> None:
    trial = posted(start, database_url)
    trial.world.mail.order_fault("unknown_user", count=1)
    trial.pass_at(at(day(5), 9))
    assert standing(trial, "delay_detected") == ("bounced", None)
    said = hand(trial, "edit", NUMBER, "--email", f" {RIGHT} ", "--reason", "ligou")
    assert said == (
        f"order {NUMBER}: e-mail corrected; messages that wait or did not get through go to the new address while they are "
        "worth telling\n"
    )
    trial.pass_at(at(day(5), 10))
    row = message(trial, "delay_detected")
    assert (row["state"], row["recipient"]) == ("sent", RIGHT)
    assert trial.told() == [(RIGHT, row["message_id"])]
    assert acts(trial) == [("fulana", "edit", "order", "ligou")]
    assert rules(trial, "message", row["id"])[-2:] == [("message.readdressed", "queued"), ("deliver.email", "sent")]
    # The log shows nobody's address; the screen, which is for the person on the phone, does.
    (note,) = [one for one in trial.rows(Decision) if one["rule"] == "hand.edit"]
    assert note["facts"] == {"who": "fulana", "note": "ligou", "field": "customer_email"}
    out = one_line(hand(trial, "show", NUMBER))
    assert f"fulana corrigiu e-mail: {LATE.order.customer.email} → {RIGHT} (ligou)" in out
    assert hand(trial, "edit", NUMBER, "--email", RIGHT) == f"order {NUMBER} has it so already: nothing to correct\n"
    told = one_line(hand(trial, "explain", NUMBER, "--lang", "en"))
    assert "Corrected by hand by fulana: e-mail (ligou)." in told


def test_what_waits_goes_to_the_new_address_and_what_a_person_stopped_does_not(start: Start) -> None:
    trial = posted(start, posted=["email"])
    trial.world.mail.order_fault("greylist")
    trial.pass_at(at(day(5), 9))
    assert standing(trial, "delay_detected") == ("queued", None)
    hand(trial, "edit", NUMBER, "--email", RIGHT)
    trial.pass_at(at(day(5), 9, 40))
    assert {recipient for recipient, _ in trial.told()[-1:]} == {RIGHT}
    assert message(trial, "delay_detected")["state"] == "sent"
    hand(trial, "edit", NUMBER, "--email", "outro@example.com")
    trial.pass_at(at(day(5), 9, 50))
    assert [row["state"] for row in trial.rows(Delivery)].count("sent") == len(trial.told())


def test_a_file_does_not_undo_a_hand_unless_it_says_something_new(start: Start, database_url: str) -> None:
    trial = posted(start, database_url)
    wrong = LATE.order.customer.email
    assert wrong is not None
    hand(trial, "edit", NUMBER, "--email", "quase@example.com", "--name", "Maria da Silva")
    hand(trial, "edit", NUMBER, "--email", RIGHT)
    trial.drop("de-novo.csv", csv_of(trial) + b"\n")
    trial.pass_at(at(day(2), 10))
    row = trial.one(Order)
    assert (row["customer_email"], row["customer_name"]) == (RIGHT, "Maria da Silva")
    trial.drop("novo.csv", csv_of(trial, **{wrong: "mais.novo@example.com"}))
    trial.pass_at(at(day(2), 11))
    row = trial.one(Order)
    assert (row["customer_email"], row["customer_name"]) == ("mais.novo@example.com", "Maria da Silva")
    (note,) = [one for one in trial.rows(Decision) if one["rule"] == "hand.overtaken"]
    assert (note["outcome"], note["facts"]) == ("overtaken", {"field": "customer_email"})
    told = one_line(hand(trial, "explain", NUMBER, "--lang", "pt-BR"))
    assert "Um arquivo mais novo trouxe outro valor (e-mail)" in told


def test_a_corrected_promise_makes_detection_look_again(start: Start, database_url: str) -> None:
    trial = posted(start, database_url)
    trial.pass_at(at(day(5), 9))
    before = trial.one(Problem)
    assert before["customer_since"] is not None
    hand(trial, "edit", NUMBER, "--promise", f"{day(12):%d/%m/%Y}")
    trial.pass_at(at(day(5), 9, 5))
    after = trial.one(Problem)
    assert after["customer_since"] is None
    order = trial.one(Order)
    assert order["promised_on"] == day(12) and order["promised_first_on"] < day(5)
    assert shown(trial, "show", NUMBER)["shipments"][0]["promised_on"] == day(12).isoformat()
    (note,) = [one for one in trial.rows(Decision) if one["rule"] == "hand.edit"]
    assert note["facts"]["now"] == day(12).isoformat()


# --- codes ------------------------------------------------------------------------------------------

LOST = of_fate(Fate.LOST_CODED)
OTHER = of_fate(Fate.ON_TIME)


def miscoded(start: Start, url: str | None = None) -> Trial:
    """The shop's file gives the late parcel's order a code that is a lost one's."""
    trial = start(LATE, LOST, url=url)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": [], "loss_confirmed": [], "delivered": []}
    trial.carrier["claims"]["mode"] = "propose"
    file = csv_of(trial, **{LATE.code: LOST.code})
    only = b"\n".join(line for line in file.split(b"\n") if LOST.order.number.encode() not in line)
    trial.drop("pedidos.csv", only)
    trial.pass_through([at(day(2), 9), at(day(6), 9)])
    return trial


def test_a_corrected_code_begins_anew(start: Start, database_url: str) -> None:
    trial = miscoded(start, database_url)
    (loss,) = [row for row in trial.rows(Problem) if row["kind"] == "loss"]
    (wrong,) = trial.rows(Claim)
    assert wrong["state"] == "waiting_approval"
    said = hand(trial, "edit", LOST.code, "--code", LATE.code.lower(), "--reason", "trocaram a etiqueta")
    assert f"code {LOST.code} -> {LATE.code}; what {LOST.code} showed is set aside, correios is asked now" in said
    trial.pass_through([at(day(6), 9, 1), at(day(6), 9, 20)])
    refs = {row["value"]: row["active"] for row in trial.rows(ShipmentRef)}
    assert refs == {LOST.code: False, LATE.code: True}
    assert trial.one(Problem, id=loss["id"])["resolved_at"] is not None
    assert trial.one(Claim, id=wrong["id"])["state"] == "cancelled"
    (delay,) = [row for row in trial.rows(Problem) if row["kind"] == "delay" and row["resolved_at"] is None]
    assert ("claim.plan", "not_claimed") in rules(trial, "problem", delay["id"])
    document = shown(trial, "show", LATE.code)["shipments"][0]
    assert (document["status"], document["old_codes"]) == ("in_transit", [LOST.code])
    out = one_line(hand(trial, "show", LOST.code))
    assert f"fulana corrigiu S{delay['subject_id']} código de rastreio: {LOST.code} → {LATE.code}" in out
    told = one_line(hand(trial, "explain", LATE.code, "--lang", "en"))
    assert "Claim cancelled: the tracking code was corrected" in told
    # The shop's file still has the wrong one: it brings no second parcel.
    file = csv_of(trial, **{LATE.code: LOST.code})
    trial.drop(
        "de-novo.csv", b"\n".join(line for line in file.split(b"\n") if LOST.order.number.encode() not in line) + b"\n"
    )
    trial.pass_at(at(day(6), 10))
    assert len(trial.rows(ShipmentRef)) == 2
    again = hand(trial, "edit", LATE.code, "--code", LATE.code)
    assert "has this code already: nothing to correct" in again
    assert len(trial.rows(OperatorAct)) == 1


def test_two_orders_with_each_others_codes(start: Start) -> None:
    trial = start(LATE, OTHER)
    file = orders_csv(trial.world.plan, LATE.order.shipped_on)
    swapped = file.replace(LATE.code.encode(), b"#").replace(OTHER.code.encode(), LATE.code.encode())
    trial.drop("pedidos.csv", swapped.replace(b"#", OTHER.code.encode()))
    trial.pass_at(at(day(2), 9))
    refused = hand(trial, "edit", NUMBER, "--code", LATE.code, exit_code=1)
    assert f"{LATE.code} is the code of S" in refused and f"(order {OTHER.order.number})" in refused
    hand(trial, "edit", OTHER.order.number, "--no-code")
    hand(trial, "edit", NUMBER, "--code", LATE.code)
    hand(trial, "edit", OTHER.order.number, "--code", OTHER.code)
    trial.pass_at(at(day(2), 9, 5))
    for parcel in (LATE, OTHER):
        found = shown(trial, "show", parcel.order.number)["shipments"][0]
        assert (found["tracking_code"], found["status"] != "unknown") == (parcel.code, True)


def test_a_new_label_keeps_what_is_known(start: Start) -> None:
    trial = posted(start)
    spare = of_fate(Fate.ON_TIME, 1).code
    said = hand(trial, "edit", NUMBER, "--code", spare, "--same-parcel")
    assert "what is known of it stays" in said
    document = shown(trial, "show", NUMBER)["shipments"][0]
    assert (document["tracking_code"], document["status"]) == (spare, "in_transit")
    assert all(event["vanished_at"] is None for event in document["events"])


def test_an_order_without_a_parcel_gets_its_first(start: Start, database_url: str) -> None:
    trial = start(LATE, LOST, url=database_url)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    digit = LATE.code[10]
    # The file's check digit is wrong: the order is taken, its parcel is not.
    wrong = f"{LATE.code[:10]}{(int(digit) + 1) % 10}{LATE.code[11:]}"
    file = csv_of(trial, **{LATE.code: wrong})
    trial.drop("pedidos.csv", file)
    trial.pass_at(at(day(2), 9))
    (other,) = trial.rows(ShipmentRef)
    refused = hand(trial, "edit", NUMBER, "--code", LOST.code, exit_code=1)
    assert refused.startswith(f"{LOST.code} is the code of S{other['shipment_id']} (order {LOST.order.number})")
    assert "check it letter by letter" in hand(trial, "edit", NUMBER, "--code", wrong, exit_code=2)
    said = hand(trial, "edit", NUMBER, "--code", LATE.code.lower(), "--reason", "conferi na etiqueta")
    ref = trial.one(ShipmentRef, value=LATE.code)
    name = f"S{ref['shipment_id']}"
    assert said == (f"order {NUMBER} had no parcel: {name} with code {LATE.code} is its first, correios is asked now\n")
    assert acts(trial) == [("fulana", "edit", "shipment", "conferi na etiqueta")]
    trial.pass_through([at(day(2), 9, 5), at(day(5), 9)])
    assert {row["kind"] for row in trial.rows(Problem, subject_id=ref["shipment_id"])} == {"delay"}
    out = one_line(hand(trial, "show", NUMBER))
    assert f"fulana corrigiu {name} código de rastreio: {wrong} → {LATE.code} (conferi na etiqueta)" in out
    told = one_line(hand(trial, "explain", LATE.code, "--lang", "en"))
    assert "Corrected by hand by fulana: tracking code" in told
    # The same again, by a person and by the shop's file with its wrong code, brings nothing new.
    assert "has this code already: nothing to correct" in hand(trial, "edit", NUMBER, "--code", LATE.code)
    trial.drop("de-novo.csv", file + b"\n")
    trial.pass_at(at(day(5), 10))
    assert len(trial.rows(ShipmentRef)) == 2 and len(trial.rows(OperatorAct)) == 1


def test_what_cannot_be_corrected(start: Start) -> None:
    trial = posted(start)
    for words, exit_code, sentence in (
        ([NUMBER], 2, "name what to correct"),
        ([NUMBER, "--email", "sem arroba"], 2, "--email sem arroba: needs an e-mail address"),
        ([NUMBER, "--email", "x@ct.vtex.com.br"], 2, "a marketplace's alias"),
        ([NUMBER, "--phone", "123"], 2, "--phone 123: needs a phone number with its area code"),
        ([NUMBER, "--document", "111.111.111-11"], 2, "needs a CPF or CNPJ whose check digits agree"),
        ([NUMBER, "--postal-code", "abc"], 2, "--postal-code abc: needs a CEP"),
        ([NUMBER, "--promise", "31/02/2026"], 2, "--promise 31/02/2026: needs a day"),
        ([NUMBER, "--promise", "2096-12-10"], 2, "no promise is years away"),
        ([NUMBER, "--name", " "], 2, "--name: needs a name"),
        ([NUMBER, "--code", "AA123456784BR"], 2, "AA123456784BR is no code of correios: check it letter by letter"),
        ([NUMBER, "--code", LATE.code, "--carrier", "nada"], 2, "--carrier nada: there is no such carrier"),
        ([NUMBER, "--code", LATE.code, "--no-code"], 2, "exclude each other"),
        ([NUMBER, "--code", LATE.code, "--email", RIGHT], 2, "name what to correct"),
        (["nada", "--email", RIGHT], 1, "there is no order, tracking code or customer nada"),
    ):
        assert sentence in hand(trial, "edit", *words, exit_code=exit_code), words
    assert trial.rows(OperatorAct) == []

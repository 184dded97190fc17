"""`tracker mute`: the customer hears nothing, the claims go on, and everything says why."""

from __future__ import annotations

from datetime import timedelta

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.hands.support import acts, hand, message, one_line, rules, run, shown, standing
from tracker.sandbox.plan import Fate
from tracker.store.tables import Claim, OperatorAct, Order

LATE = of_fate(Fate.LATE_OPEN)
"""Due on day 4, late from day 5 on, delivered on day 15."""
NUMBER = LATE.order.number
MUTED_AT = at(day(4), 9)
MINUTE = timedelta(minutes=1)


def followed(start: Start, url: str | None = None) -> Trial:
    """Posted, not late yet; only delays are told."""
    trial = start(LATE, url=url)
    trial.settings["messages"]["triggers"] = {t: [] for t in ("posted", "inquiry_opened", "delivered")}
    trial.drop_orders()
    trial.pass_through([at(day(2), 9), MUTED_AT])
    return trial


def test_a_muted_order_is_not_told_and_claimed_all_the_same(start: Start, database_url: str) -> None:
    trial = followed(start, database_url)
    said = hand(trial, "mute", NUMBER, "--reason", "cliente pediu")
    assert said == f"order {NUMBER} is muted: its customer gets no message, its claims go on\n"
    trial.pass_through([at(day(5), 9), at(day(6), 9)])
    assert trial.told() == []
    assert standing(trial, "delay_detected") == ("awaiting_person", "muted")
    assert [claim["state"] for claim in trial.rows(Claim)] == ["open"]
    assert acts(trial) == [("fulana", "mute", "order", "cliente pediu")]
    row = message(trial, "delay_detected")
    assert rules(trial, "message", row["id"]) == [("notice.delay_detected", "held")]
    why = one_line(hand(trial, "explain", f"M{row['id']}", "--lang", "pt-BR", "--no-details"))
    assert "retida: o pedido está silenciado" in why and "tracker mute PEDIDO --off" in why
    english = one_line(hand(trial, "explain", NUMBER, "--lang", "en"))
    assert "Order muted by fulana (cliente pediu): the customer gets no message" in english


def test_taking_it_back_tells_what_is_still_true(start: Start, database_url: str) -> None:
    trial = followed(start, database_url)
    hand(trial, "mute", NUMBER)
    trial.pass_at(at(day(5), 9))
    said = hand(trial, "mute", NUMBER, "--off", who="beltrano")
    assert said == f"order {NUMBER} is not muted any more: the message that was held is looked at again\n"
    trial.pass_at(at(day(5), 9, 1))
    assert standing(trial, "delay_detected") == ("sent", None)
    assert len(trial.told()) == 1
    assert [act[:2] for act in acts(trial)] == [("fulana", "mute"), ("beltrano", "unmute")]
    again = hand(trial, "mute", NUMBER, "--off")
    assert again == f"order {NUMBER} is not muted: nothing to take back\n"


def test_a_customer_is_silenced_in_all_orders(start: Start) -> None:
    trial = start()
    rows = "".join(
        f"{number};{name};{email};{document}\r\n"
        for number, name, email, document in (
            ("1001", "Ana de Teste", "ana@example.com", "529.982.247-25"),
            ("1002", "Ana de Teste", "ANA@example.com", ""),
            ("1003", "Bia de Teste", "bia@example.com", "529.982.247-25"),
            ("1004", "Caio de Teste", "caio@example.com", ""),
        )
    )
    trial.drop("pedidos.csv", f"Pedido;Cliente;E-mail;CPF\r\n{rows}".encode())
    trial.pass_at(at(day(2), 9))
    asked = hand(trial, "mute", "--customer", "ana@example.com", exit_code=2)
    assert asked == "that is 2 orders; add --yes if you mean all of them\n" and acts(trial) == []
    said = hand(trial, "mute", "--customer", "Ana@Example.com", "--yes", "--reason", "pediu")
    assert sorted(line.split()[1] for line in said.splitlines()) == ["1001", "1002"]
    said = hand(trial, "mute", "--customer", "52998224725", "--yes")
    assert sorted(line.split()[1] for line in said.splitlines()) == ["1001", "1003"]
    assert "order 1004" not in said
    off = hand(trial, "mute", "--customer", "ana@example.com", "--off", "--yes")
    assert off.count("is not muted any more") == 2
    for words, code, sentence in (
        (["--customer", "caio@example.com", "1001"], 2, "name orders, or --customer with an e-mail or a CPF/CNPJ"),
        ([], 2, "name orders, or --customer"),
        (["--customer", "529.982.247-26"], 2, "needs an e-mail address, or a CPF or CNPJ whose check digits agree"),
        (["--customer", "@"], 2, "needs an e-mail address"),
        (["--customer", "dora@example.com"], 1, "--customer dora@example.com: no order has that"),
    ):
        assert sentence in hand(trial, "mute", *words, exit_code=code), words


def test_a_message_on_its_way_out_is_stopped_too(start: Start) -> None:
    trial = followed(start)
    trial.world.mail.order_fault("greylist")
    trial.pass_at(at(day(5), 9))
    assert standing(trial, "delay_detected") == ("queued", None)
    hand(trial, "mute", NUMBER)
    trial.pass_at(at(day(5), 9, 5))
    assert standing(trial, "delay_detected") == ("awaiting_person", "muted")
    assert trial.told() == []
    row = message(trial, "delay_detected")
    refused = hand(trial, "approve", f"M{row['id']}", exit_code=1)
    order_id = trial.one(Order)["id"]
    assert refused == f"M{row['id']} is held because its order is muted: tracker mute O{order_id} --off lets it go\n"


def test_a_silence_ends_by_itself_in_the_morning_after_its_last_day(start: Start, database_url: str) -> None:
    trial = followed(start, database_url)
    until = day(5)
    said = hand(trial, "mute", NUMBER, "--until", f"{until:%d/%m/%Y}")
    assert f"is muted until {day(6):%Y-%m-%d} 09:00" in said
    trial.pass_through([at(day(5), 9), at(day(6), 8, 59)])
    assert standing(trial, "delay_detected") == ("awaiting_person", "muted")
    trial.pass_at(at(day(6), 9))
    assert standing(trial, "delay_detected") == ("sent", None)


def test_what_grew_too_old_in_silence_is_never_told(start: Start) -> None:
    trial = followed(start)
    hand(trial, "mute", NUMBER)
    trial.pass_through([at(day(5), 9), at(day(14), 9)])
    assert standing(trial, "delay_detected") == ("expired", None)
    hand(trial, "mute", NUMBER, "--off")
    trial.pass_at(at(day(14), 9, 5))
    assert trial.told() == []


def test_muting_twice_says_so_and_keeps_one_act(start: Start) -> None:
    trial = followed(start)
    hand(trial, "mute", NUMBER)
    assert hand(trial, "mute", NUMBER, who="beltrano") == f"order {NUMBER} is muted already, by fulana\n"
    assert len(trial.rows(OperatorAct)) == 1
    # Another end is another act.
    assert "is muted until" in hand(trial, "mute", NUMBER, "--until", day(8).isoformat())
    assert len(trial.rows(OperatorAct)) == 2


def test_what_cannot_be_meant(start: Start) -> None:
    trial = followed(start)
    for words, exit_code, sentence in (
        (["nada"], 1, "there is no order, tracking code or customer nada\n"),
        ([NUMBER, "--until", "amanhã"], 2, "--until amanhã: needs a day, as 2026-12-10"),
        ([NUMBER, "--until", "2026-08-01"], 2, "--until 2026-08-01: that day is over"),
        ([NUMBER, "--off", "--until", "2026-12-01"], 2, "--off and --until exclude each other"),
    ):
        assert sentence in hand(trial, "mute", *words, exit_code=exit_code)
    assert trial.rows(OperatorAct) == []


def test_several_orders_need_a_yes(start: Start) -> None:
    other = of_fate(Fate.ON_TIME)
    trial = start(LATE, other)
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    refused = run(trial, "mute", NUMBER, other.order.number)
    assert (refused.exit_code, refused.stderr) == (2, "that is 2 orders; add --yes if you mean all of them\n")
    assert trial.rows(OperatorAct) == []
    said = hand(trial, "mute", NUMBER, other.order.number, LATE.code, "--yes", "--by", "Ana do SAC")
    assert [line.split(" is ")[0] for line in said.splitlines()] == [f"order {NUMBER}", f"order {other.order.number}"]
    assert {act[0] for act in acts(trial)} == {"Ana do SAC"}


def test_it_shows_on_the_screen_and_in_the_document(start: Start) -> None:
    trial = followed(start)
    hand(trial, "mute", NUMBER, "--reason", "ligou o Procon")
    out = one_line(hand(trial, "show", NUMBER))
    assert "SILENCIADO desde 06/08/2026" in out and "por fulana" in out and "ligou o Procon" in out
    assert f"tracker mute {NUMBER} --off" in out
    document = shown(trial, "show", NUMBER)
    assert document["mute"] == {
        "since": "2026-08-06T12:00:00Z",
        "until": None,
        "who": "fulana",
        "reason": "ligou o Procon",
    }
    assert [act["act"] for act in document["acts"]] == ["mute"]

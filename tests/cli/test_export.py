"""`tracker export` and the lists: keys, order, filters, and what spreadsheets must not run."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from carriers.base import ProblemKind
from tests.cli.conftest import Tracker
from tests.reports.support import (
    CODE,
    CPF,
    EMAIL,
    NOW,
    OTHER_CODE,
    PHONE,
    add_a_claim,
    add_message,
    add_order,
    add_problem,
    at,
    order,
    track,
)
from tracker.cli import export as export_module
from tracker.domain.words import Trigger
from tracker.store.alerts import SignalRow, raise_alert, resolve_alert
from tracker.store.database import Database


@pytest.fixture
def ids(database: Database) -> dict[str, int]:
    """One late order with everything about it, and one of another shop that is only known."""
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment)
        delay = add_problem(connection, shipment)
        loss = add_problem(connection, shipment, ProblemKind.LOSS, at(22), presumed=True)
        claim = add_a_claim(
            connection, shipment, [loss, delay], state="open", protocol="123456", opened_at=at(23), expected_cents=18990
        )
        message = add_message(connection, shipment, problem_id=delay, state="sent", sent_at=at(21, 7), subject="Atraso")
        (other,) = add_order(connection, order("=1+1", promised_on=None), OTHER_CODE, shop="outra")
        signal = SignalRow(
            1, at(22), "", "carrier_down:correios", "carrier_down", "critical", True, "correios is down", {}
        )
        alert = raise_alert(connection, signal)
    assert alert is not None
    return {
        "shipment": shipment,
        "delay": delay,
        "loss": loss,
        "claim": claim,
        "message": message,
        "other": other,
        "alert": alert,
    }


def lines(tracker: Tracker, *words: str) -> list[dict[str, Any]]:
    result = tracker("export", *words)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_shipments(tracker: Tracker, ids: dict[str, int]) -> None:
    first, second = lines(tracker, "shipments")
    assert first == {
        "id": f"S{ids['shipment']}",
        "shop": "exemplo",
        "order_number": "10482",
        "carrier": "correios",
        "tracking_code": CODE,
        "service": "SEDEX",
        "status": "in_transit",
        "posted_at": "2026-11-11T13:00:00Z",
        "promised_on": "2026-11-20",
        "promised_first_on": "2026-11-20",
        "promise_basis": "given",
        "carrier_due_on": "2026-11-18",
        "carrier_due_first_on": "2026-11-18",
        "first_attempt_at": None,
        "delivered_at": None,
        "last_event_at": "2026-11-13T02:00:00Z",
        "last_polled_at": "2026-11-24T14:00:00Z",
        "last_answered_at": "2026-11-24T14:00:00Z",
        "next_poll_at": "2026-11-24T17:00:00Z",
        "closed_reason": None,
    }
    assert (second["status"], second["promise_basis"], second["promised_on"]) == ("unknown", "none", None)


def test_orders_without_their_customers(tracker: Tracker, ids: dict[str, int]) -> None:
    first, second = lines(tracker, "orders")
    assert first == {
        "id": "O1",
        "shop": "exemplo",
        "source": "file",
        "order_number": "10482",
        "aliases": [],
        "status": "shipped",
        "ordered_at": "2026-11-10T12:00:00Z",
        "promised_on": "2026-11-20",
        "promised_first_on": "2026-11-20",
        "ship_by": None,
        "city": "Curitiba",
        "state": "PR",
        "total_cents": 18990,
        "freight_cents": None,
        "created_at": first["created_at"],
        "updated_at": first["updated_at"],
        "shipment_ids": [f"S{ids['shipment']}"],
    }
    assert (second["shop"], second["shipment_ids"]) == ("outra", [f"S{ids['other']}"])
    text = tracker("export", "orders").stdout
    for personal in ("Marina", "example.com", CPF, PHONE, "80010000", "Flores"):
        assert personal not in text
    assert [row["order_number"] for row in sheet(tracker, "orders")] == ["10482", "'=1+1"]


def test_the_other_names_of_an_order(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        add_order(connection, order(aliases=(("shop_number", "L-7"), ("invoice_number", "1234"))), CODE)
    assert lines(tracker, "orders")[0]["aliases"] == ["invoice_number:1234", "shop_number:L-7"]


def test_a_promise_that_rests_on_the_carriers_date(tracker: Tracker, database: Database) -> None:
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(promised_on=None), CODE)
        track(connection, shipment)
    (line,) = lines(tracker, "shipments")
    # One business day after Wednesday 18 November is Thursday: the 20th, a holiday, is not reached.
    assert (line["promised_on"], line["promise_basis"]) == ("2026-11-19", "carrier")


KEYS = {
    "events": "shop shipment_id tracking_code occurred_at seen_at status carrier_code description location void vanished_at",
    "problems": (
        "id shop shipment_id order_number tracking_code kind cause presumed since customer_since carrier_since "
        "detected_at resolved_at resolution rule"
    ),
    "claims": (
        "id shop problem_id shipment_id tracking_code carrier kind motive state protocol planned_at opened_at "
        "claimable_from deadline_on answered_at outcome expected_cents granted_cents received_cents refusal_code"
    ),
    "messages": (
        "id notice_id shop order_number shipment_ids trigger channel recipient state queued_at sent_at message_id provider_id "
        "hold_reason reason expires_at diverted_to"
    ),
    "alerts": "id shop kind severity key summary raised_at resolved_at",
    "decisions": "id at shop subject rule rule_version outcome reason facts",
}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_and_their_order(tracker: Tracker, ids: dict[str, int], kind: str) -> None:
    expected = KEYS[kind].split()
    for line in lines(tracker, kind):
        assert list(line)[: len(expected)] == expected


def test_references_are_public_ids(tracker: Tracker, ids: dict[str, int]) -> None:
    (claim,) = lines(tracker, "claims")
    assert claim["id"] == f"C{ids['claim']}"
    # The presumed loss only joins the claim that the delay is filed for.
    assert claim["problem_id"] == f"P{ids['delay']}"
    assert claim["problem_ids"] == [f"P{ids['delay']}", f"P{ids['loss']}"]
    assert (claim["claimable_from"], claim["expected_cents"], claim["tracking_code"]) == ("2026-11-23", 18990, CODE)
    (message,) = lines(tracker, "messages")
    assert (message["id"], message["shipment_ids"]) == (f"M{ids['message']}", [f"S{ids['shipment']}"])
    assert message["notice_id"].startswith("N")
    (alert,) = lines(tracker, "alerts")
    assert (alert["id"], alert["shop"], alert["resolved_at"]) == (f"A{ids['alert']}", None, None)
    subjects = {line["subject"] for line in lines(tracker, "decisions")}
    assert subjects == {f"P{ids['delay']}", f"P{ids['loss']}", f"C{ids['claim']}", f"M{ids['message']}"}
    assert {line["shipment_id"] for line in lines(tracker, "events")} == {f"S{ids['shipment']}"}


@pytest.mark.parametrize(
    ("words", "count"),
    [
        pytest.param(["shipments", "--shop", "outra"], 1, id="one shop"),
        pytest.param(["problems", "--since", "2026-11-21"], 2, id="local midnight of a date"),
        pytest.param(["problems", "--since", "2026-11-21T04:00:00+00:00"], 2, id="an instant, itself included"),
        pytest.param(["problems", "--since", "2026-11-21T04:00:01+00:00"], 0, id="an instant later"),
        pytest.param(["claims", "--since", "1d"], 0, id="nothing of the last day"),
        pytest.param(["claims", "--since", "30d"], 1, id="the last thirty days"),
        pytest.param(["decisions", "--since", "2026-11-21T06:00:00Z"], 2, id="decisions from six o'clock"),
    ],
)
def test_filters(tracker: Tracker, ids: dict[str, int], words: list[str], count: int) -> None:
    assert len(lines(tracker, *words)) == count


def test_a_since_that_is_no_time(tracker: Tracker, ids: dict[str, int]) -> None:
    result = tracker("export", "problems", "--since", "yesterday")
    assert result.exit_code == 2
    assert "--since yesterday: needs" in result.stderr


def sheet(tracker: Tracker, kind: str) -> list[dict[str, str]]:
    """The rows as a Brazilian spreadsheet reads them."""
    data = tracker("export", kind, "--format", "csv").stdout_bytes
    assert data.startswith(b"\xef\xbb\xbf")
    text = data.decode("utf-8-sig")
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def test_csv_opens_in_a_brazilian_spreadsheet(tracker: Tracker, ids: dict[str, int]) -> None:
    for kind in KEYS:
        assert list(sheet(tracker, kind)[0]) == list(lines(tracker, kind)[0])
    first, second = sheet(tracker, "shipments")
    assert (first["promised_on"], second["promised_on"]) == ("2026-11-20", "")
    # By the shop's clock, three hours behind UTC: 13:00 and, on the day before, 02:00.
    assert (first["posted_at"], first["last_event_at"]) == ("2026-11-11 10:00:00", "2026-11-12 23:00:00")
    assert sheet(tracker, "events")[-1]["description"] == "Objeto em transferência"
    (claim,) = sheet(tracker, "claims")
    assert (claim["expected_cents"], claim["granted_cents"]) == ("18990", "")
    assert claim["problem_ids"] == f"P{ids['delay']} P{ids['loss']}"
    assert json.loads(sheet(tracker, "decisions")[0]["facts"]) == {"promised_on": "2026-11-20"}


def test_csv_defuses_formulas(tracker: Tracker, ids: dict[str, int]) -> None:
    assert [row["order_number"] for row in sheet(tracker, "shipments")] == ["10482", "'=1+1"]


def test_pages_join_without_gap_or_repeat(
    tracker: Tracker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "PAGE", 3)
    with database.begin_write() as connection:
        for number in range(7):
            add_order(connection, order(f"n{number}"), f"AA00000000{number}BR")
    assert [line["order_number"] for line in lines(tracker, "shipments")] == [f"n{number}" for number in range(7)]


# --- lists ------------------------------------------------------------------------------------------


@pytest.fixture
def several(database: Database, ids: dict[str, int]) -> dict[str, int]:
    """A second parcel: its problem has ended, its claim and message wait."""
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order("10483"), "AA111111119BR", carrier="veloz")
        problem = add_problem(connection, shipment, ProblemKind.LATE_DELIVERY, at(22), ended=(at(22), "delivered"))
        add_a_claim(connection, shipment, [problem], kind="refund")
        add_message(
            connection, shipment, Trigger.DELIVERED, state="awaiting_person", hold_reason="observe", queued_at=NOW
        )
    return ids


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        pytest.param(["problems"], ["10483", "10482", "10482"], id="all problems, the newest first"),
        pytest.param(["problems", "--open"], ["10482", "10482"], id="open problems"),
        pytest.param(["problems", "--kind", "loss"], ["10482"], id="one kind of problem"),
        pytest.param(["problems", "--carrier", "veloz"], ["10483"], id="one carrier's problems"),
        pytest.param(["problems", "--limit", "1"], ["10483"], id="the newest problem"),
        pytest.param(["messages"], ["10483", "10482"], id="all messages"),
        pytest.param(["messages", "--open"], ["10483"], id="unsettled messages"),
        pytest.param(["messages", "--state", "sent"], ["10482"], id="sent messages"),
        pytest.param(["messages", "--trigger", "delivered"], ["10483"], id="messages of one trigger"),
        pytest.param(["messages", "--carrier", "veloz"], ["10483"], id="messages about one carrier"),
        pytest.param(["messages", "--since", "1d"], ["10483"], id="messages of the last day"),
        pytest.param(["messages", "--shop", "outra"], [], id="messages of a shop without any"),
    ],
)
def test_list_filters(tracker: Tracker, several: dict[str, int], words: list[str], numbers: list[str]) -> None:
    assert [one["order_number"] for one in tracker.json(*words)] == numbers


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["problems", "--shop", "exmplo"], "--shop exmplo: there is no such shop (known: exemplo, outra)"),
        pytest.param(["claims", "--carrier", "x"], "--carrier x: there is no such carrier (known: correios)"),
        pytest.param(["messages", "--shop", "x", "--json"], "--shop x: there is no such shop"),
        pytest.param(["alerts", "--shop", "x"], "--shop x: there is no such shop"),
        pytest.param(["export", "shipments", "--shop", "x"], "--shop x: there is no such shop"),
        pytest.param(["show", "10482", "--shop", "x"], "--shop x: there is no such shop"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_shop_or_carrier_that_there_is_not(
    tracker: Tracker, several: dict[str, int], words: list[str], sentence: str
) -> None:
    result = tracker(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(sentence)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        pytest.param(["--state", "open"], 1, id="one state"),
        pytest.param(["--kind", "refund"], 1, id="one kind"),
        pytest.param(["--open"], 2, id="open ones"),
        pytest.param(["--carrier", "correios", "--kind", "refund"], 0, id="both must hold"),
    ],
)
def test_claim_filters(tracker: Tracker, several: dict[str, int], words: list[str], count: int) -> None:
    assert len(tracker.json("claims", *words)) == count


def test_lists_show_the_lines_of_the_exports(tracker: Tracker, several: dict[str, int]) -> None:
    for kind in ("problems", "claims", "messages", "alerts"):
        assert tracker.json(kind) == list(reversed(lines(tracker, kind)))


def test_tables_fit_a_terminal(tracker: Tracker, several: dict[str, int]) -> None:
    for kind in ("problems", "claims", "messages"):
        out = tracker(kind).stdout.splitlines()
        assert out[0].startswith("ID")
        assert max(map(len, out)) <= 120
    assert "loss (presumed)" in tracker("problems").stdout
    assert "2026-11-21 03:00" in tracker("messages", "--state", "sent").stdout  # 06:00 UTC in the shop's zone
    assert tracker("messages", "--shop", "outra").stdout == "no messages of this kind\n"


@pytest.fixture
def alerted(database: Database, ids: dict[str, int]) -> None:
    """Beside the open alert about a carrier: one about a shop, raised a day later and over the day after."""
    about = ("exemplo", "mail_down", "mail_down")
    with database.begin_write() as connection:
        raised = SignalRow(2, at(23), *about, "warning", True, "the mail server takes no mail: " + "x" * 60, {})
        assert raise_alert(connection, raised)
        resolve_alert(connection, SignalRow(3, at(24, 1), *about, "info", False, "mail leaves again", {}))


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        pytest.param([], ["mail_down", "carrier_down"], id="all alerts, the newest first"),
        pytest.param(["--open"], ["carrier_down"], id="open alerts"),
        pytest.param(["--since", "2026-11-23"], ["mail_down"], id="raised or resolved since a day"),
        pytest.param(["--shop", "exemplo"], ["mail_down"], id="one shop's alerts"),
        pytest.param(["--limit", "1"], ["mail_down"], id="the newest alert"),
    ],
)
def test_alert_filters(tracker: Tracker, alerted: None, words: list[str], kinds: list[str]) -> None:
    assert [one["kind"] for one in tracker.json("alerts", *words)] == kinds


def test_the_list_of_alerts_says_the_whole_sentence_in_local_time(tracker: Tracker, alerted: None) -> None:
    heading, over, standing, counted = tracker("alerts").stdout.splitlines()
    assert heading.split() == [
        "ID",
        "SEVERITY",
        "KIND",
        "SHOP",
        "RAISED",
        "RESOLVED",
        "TIMES",
        "ACK",
        "UNTIL",
        "SUMMARY",
    ]
    assert re.fullmatch(
        r"A2 +warning +mail_down +exemplo +2026-11-23 09:00 +2026-11-23 22:00 +1 +the mail .*: x{60}", over
    ), over
    assert re.fullmatch(r"A1 +critical +carrier_down +2026-11-22 09:00 +1 +correios is down", standing), standing
    assert counted == "2 alerts, 1 open (1 critical)"
    assert tracker("alerts", "--shop", "outra").stdout == "no alerts of this kind\n"


def test_a_diverted_message_is_told_from_one_that_the_customer_got(
    tracker: Tracker, database: Database, ids: dict[str, int]
) -> None:
    with database.begin_write() as connection:
        went = {"state": "sent", "sent_at": at(22), "sent_to": "teste@exemplo.com.br"}
        diverted = add_message(connection, ids["shipment"], Trigger.DAMAGE, **went)
        add_message(connection, ids["shipment"], Trigger.LOSS_CONFIRMED, **{**went, "sent_to": EMAIL.lower()})
    found = {line["trigger"]: line for line in lines(tracker, "messages")}
    assert (found["damage"]["state"], found["damage"]["diverted_to"]) == ("sent", "teste@exemplo.com.br")
    assert found["loss_confirmed"]["diverted_to"] is None
    row = f"M{diverted} "
    (portuguese,) = [one for one in tracker("messages", "--lang", "pt-BR").stdout.splitlines() if one.startswith(row)]
    (english,) = [one for one in tracker("messages", "--lang", "en").stdout.splitlines() if one.startswith(row)]
    assert "enviada (desviada)" in portuguese and "sent (diverted)" in english
    assert tracker("messages", "--lang", "en").stdout.count("diverted") == 1


def test_lists_in_the_merchants_language(tracker: Tracker, several: dict[str, int], alerted: None) -> None:
    heading, *body = tracker("problems", "--lang", "pt-BR").stdout.splitlines()
    assert heading.split() == ["ID", "DESDE", "TIPO", "CAUSA", "PEDIDO", "CÓDIGO", "TERMINOU"]
    assert any("extravio (presumido)" in row and "22/11/2026 09:00" in row for row in body)
    claims = tracker("claims", "--lang", "pt-BR").stdout
    assert "RETIDA POR" in claims and "registrada, sem resposta" in claims and "23/11/2026" in claims
    messages = tracker("messages", "--lang", "pt-BR", "--state", "enviada").stdout.splitlines()
    assert "MENSAGEM" in messages[0] and messages[1:] and all("enviada" in row for row in messages[1:])
    alerts = tracker("alerts", "--lang", "pt-BR").stdout.splitlines()
    assert "GRAVIDADE" in alerts[0] and "A transportadora não responde às consultas. correios is down" in alerts[2]
    assert alerts[-1] == "2 avisos, 1 sem resolver (1 crítico)"
    assert tracker("messages", "--shop", "outra", "--lang", "pt-BR").stdout == "nenhuma mensagem assim\n"
    assert tracker("incidents", "--lang", "pt-BR").stdout == "nenhuma ocorrência assim\n"
    # JSON and what scripts read in a pipe keep the program's own words.
    assert tracker("problems").stdout == tracker("problems", "--lang", "en").stdout
    assert tracker("problems", "--lang", "pt-BR", "--json").stdout == tracker("problems", "--json").stdout


def test_a_terminal_speaks_the_shops_language(
    tracker: Tracker, several: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.cli.lists.on_a_terminal", lambda: True)
    assert tracker("problems").stdout.startswith("ID  DESDE")
    assert tracker("problems", "--lang", "en").stdout.startswith("ID  SINCE")
    tracker.config.write_text(
        tracker.config.read_text(encoding="utf-8").replace(
            "    name: Loja Exemplo", "    name: Loja Exemplo\n    language: en"
        ),
        encoding="utf-8",
    )
    assert tracker("problems").stdout.startswith("ID  SINCE")
    assert tracker("claims", "--shop", "outra").stdout == "nenhuma reclamação assim\n"


def test_a_word_that_does_not_exist(tracker: Tracker, several: dict[str, int]) -> None:
    result = tracker("claims", "--state", "opened")
    assert result.exit_code == 2
    assert "there is no such word" in result.stderr
    assert "waiting_approval" in result.stderr


def test_since_counts_from_the_trials_clock(tracker: Tracker, several: dict[str, int]) -> None:
    (tracker.config.parent / "clock").write_text((NOW + timedelta(days=60)).isoformat(), encoding="utf-8")
    assert tracker.json("messages", "--since", "30d") == []

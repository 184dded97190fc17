"""Ids as people type them, searches as people speak them, cells that spreadsheets do not run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.reports.support import CPF, KEY
from tracker.reports.exports import csv_cells, json_value
from tracker.reports.identity import PREFIXES, PublicId, parse_id, public_id
from tracker.reports.search import read_search


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("P12", PublicId("problem", 12), id="as shown"),
        pytest.param("c7", PublicId("claim", 7), id="small letter"),
        pytest.param(" M 3 ", PublicId("message", 3), id="blanks"),
        pytest.param("S005", PublicId("shipment", 5), id="leading zeros"),
        pytest.param("12", PublicId(None, 12), id="a bare number"),
        pytest.param("X12", None, id="no such letter"),
        pytest.param("P", None, id="no number"),
        pytest.param("PP1", None, id="two letters"),
        pytest.param("P-1", None, id="a sign"),
        pytest.param("P" + "9" * 30, None, id="a number beyond any key"),
        pytest.param("P１２", None, id="digits of another script"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_ids(text: str, expected: PublicId | None) -> None:
    assert parse_id(text) == expected


def test_every_id_reads_back() -> None:
    for kind in PREFIXES:
        assert parse_id(public_id(kind, 41)) == PublicId(kind, 41)
    assert len(set(PREFIXES.values())) == len(PREFIXES)


def test_an_address_is_only_an_address() -> None:
    search = read_search("Marina@Example.com")
    assert search.email == "Marina@example.com"
    assert (search.codes, search.numbers, search.phone, search.document) == ((), (), None, None)


def test_a_key_is_only_a_key() -> None:
    search = read_search(KEY)
    assert (search.invoice_key, search.codes, search.numbers) == (KEY, (KEY,), ())


def test_digits_may_be_several_things() -> None:
    search = read_search(CPF)
    assert search.document == CPF
    assert CPF in search.numbers
    assert read_search("41999990000").phone == "+5541999990000"


def test_what_carriers_make_of_it_is_searched_too() -> None:
    assert read_search("123", ["0000123"]).codes == ("123", "0000123")


def test_words_in_front_are_taken_off() -> None:
    assert "10482" in read_search("Pedido nº #10482").numbers
    assert "1234" in read_search("nota fiscal 000.001.234").numbers
    assert read_search("nada").numbers == ("nada", "NADA")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        pytest.param("=HYPERLINK(1)", "'=HYPERLINK(1)", id="a formula"),
        pytest.param("+5541999990000", "'+5541999990000", id="a plus"),
        pytest.param("-1+1", "'-1+1", id="a minus"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="an at sign"),
        pytest.param("\t=1", "'\t=1", id="a tab in front"),
        pytest.param(-5, "-5", id="a negative number of ours"),
        pytest.param(None, "", id="nothing"),
        pytest.param(True, "true", id="yes"),
        pytest.param(False, "false", id="no"),
        pytest.param(["S1", "S2"], "S1 S2", id="several ids"),
        pytest.param({"a": "ç"}, '{"a": "ç"}', id="facts"),
        pytest.param("a=b", "a=b", id="an equals sign inside"),
        pytest.param(["=1+1"], "'=1+1", id="a list that begins like a formula"),
        pytest.param(date(2026, 11, 24), "2026-11-24", id="a day"),
        pytest.param(datetime(2026, 11, 24, 2, 59, 59, 999999, tzinfo=UTC), "2026-11-23 23:59:59", id="an instant"),
    ],
)
def test_cells(value: Any, cell: str) -> None:
    assert csv_cells({"key": value}, ZoneInfo("America/Sao_Paulo")) == [cell]


def test_instants_end_in_z() -> None:
    local = timezone(timedelta(hours=-3))
    assert json_value(datetime(2026, 11, 24, 9, 15, tzinfo=local)) == "2026-11-24T12:15:00Z"
    assert json_value(datetime(2026, 11, 24, 12, 15, 0, 5, tzinfo=UTC)) == "2026-11-24T12:15:00.000005Z"
    assert json_value(date(2026, 11, 24)) == "2026-11-24"
    assert json_value(7) == 7

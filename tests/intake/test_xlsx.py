"""Workbooks become what the same table saved as CSV becomes, and the damage spreadsheets do is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.intake.support import expected, outcomes, read, read_sample
from tests.intake.workbooks import HEADINGS, rewritten, workbook
from tracker.domain.order import FileReading

CODE = "AB123456785BR"
ROW = ["1001", "Ana de Teste", "01310-100", 189.9, date(2026, 11, 10), CODE]


def read_book(rows: list[list[Any]], **keywords: Any) -> FileReading:
    return read(workbook(rows, **keywords), "pedidos.xlsx")


def test_the_recorded_workbook() -> None:
    reading = read_sample("dropfolder", "orders.xlsx")
    table = expected("dropfolder")["orders.xlsx"]
    assert (len(reading.orders), sum(len(order.packages) for order in reading.orders)) == (
        table["orders"],
        table["packages"],
    )
    orders = {order.number: order for order in reading.orders}
    assert orders["10245"].customer.document == "01234567890"
    assert orders["10234"].address.postal_code == "01310100"
    assert orders["10234"].ordered_at == datetime(2026, 11, 10, 3, tzinfo=UTC)
    assert orders["10235"].packages[1].tracking_code == "10088800012345"
    assert reading.lines == ()


@pytest.mark.parametrize(
    ("stored", "cents"),
    [
        pytest.param(189.9, 18990, id="a number"),
        pytest.param(1580, 158000, id="a whole number"),
        pytest.param(1.575, 158, id="three decimals are no thousands"),
        pytest.param(189.89999999999998, 18990, id="a double's last digit"),
        pytest.param(0.1 + 0.2, 30, id="a sum of doubles"),
        pytest.param("1.580,00", 158000, id="text as Brazilians write it"),
        pytest.param("R$ 1.580", 158000, id="thousands in text beside numbers with decimals"),
        pytest.param(0, 0, id="nothing to pay"),
    ],
)
def test_money(stored: object, cents: int) -> None:
    rows = [HEADINGS, [*ROW[:3], stored, *ROW[4:]], ["1002", "Bia", "01310100", 12.34, date(2026, 11, 10), ""]]
    assert read_book(rows).orders[0].total_cents == cents


@pytest.mark.parametrize(
    ("stored", "day"),
    [
        pytest.param(date(2026, 11, 10), 10, id="a date"),
        pytest.param(datetime(2026, 11, 10, 14, 2, 11), 10, id="a date with its time"),
        pytest.param(46336, 10, id="a serial without a date's form"),
        pytest.param("10/11/2026", 10, id="text"),
    ],
)
def test_dates(stored: object, day: int) -> None:
    ordered_at = read_book([HEADINGS, [*ROW[:4], stored, CODE]]).orders[0].ordered_at
    assert ordered_at is not None and (ordered_at.year, ordered_at.month, ordered_at.day) == (2026, 11, day)


def test_the_calendar_of_old_macs() -> None:
    def change(book: Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904

    reading = read_book([HEADINGS, ROW], change=change)
    assert reading.orders[0].ordered_at == datetime(2026, 11, 10, 3, tzinfo=UTC)


class TestDamageBySpreadsheets:
    def test_zeros_that_numbers_lost(self) -> None:
        rows = [["Pedido", "CPF", "CEP"], ["1", 1234567890, 1310100]]
        order = read_book(rows).orders[0]
        assert (order.customer.document, order.address.postal_code) == ("01234567890", "01310100")
        assert dict(order.originals) == {"document": "1234567890", "postal_code": "1310100"}

    @pytest.mark.parametrize("number", [35261111222333000181, 1008880001234567, 3.5e43])
    def test_a_code_as_a_number_of_more_than_fifteen_digits(self, number: float) -> None:
        reading = read_book([HEADINGS, [*ROW[:5], number]])
        assert reading.orders[0].packages == ()
        assert "notação científica" in reading.lines[0].reason

    def test_an_order_number_of_more_than_fifteen_digits(self) -> None:
        reading = read_book([HEADINGS, [2**60, *ROW[1:]]])
        assert reading.orders == ()
        assert outcomes(reading) == [(2, None, "refused")]

    def test_a_formula_gives_its_stored_result(self) -> None:
        data = workbook([HEADINGS, [*ROW[:3], "=10*2", *ROW[4:]]])
        data = rewritten(data, sheet1=lambda xml: xml.replace(b"<f>10*2</f><v />", b"<f>10*2</f><v>20</v>"))
        reading = read(data, "p.xlsx")
        assert reading.orders[0].total_cents == 2000
        assert reading.lines == ()

    def test_a_formula_without_a_stored_result_is_told(self) -> None:
        reading = read_book([HEADINGS, [*ROW[:3], "=10*2", *ROW[4:]], ["1002", "Bia", "", "=A1", None, None]])
        assert [order.total_cents for order in reading.orders] == [None, None]
        assert outcomes(reading) == [(0, None, "warning")]
        assert "2 fórmulas cujo resultado não está gravado" in reading.lines[0].reason

    def test_an_error_of_a_formula_is_no_name(self) -> None:
        data = workbook([HEADINGS, ["1001", "=VLOOKUP(1,A1,1)", *ROW[2:]]])
        data = rewritten(
            data,
            sheet1=lambda xml: xml.replace(
                b'<c r="B2"><f>VLOOKUP(1,A1,1)</f><v /></c>', b'<c r="B2" t="e"><f>VLOOKUP(1,A1,1)</f><v>#REF!</v></c>'
            ),
        )
        reading = read(data, "p.xlsx")
        assert reading.orders[0].customer.name is None
        assert "#REF!" in reading.lines[0].reason

    def test_a_merged_order_number_counts_for_all_its_lines(self) -> None:
        rows = [
            ["Pedido", "Produto", "Quantidade"],
            ["1001", "Camiseta", 2],
            [None, "Boné", 1],
            [None, None, None],
            ["1002", "Meia", 3],
        ]
        reading = read_book(rows, change=lambda book: book.active.merge_cells("A2:A4"))
        assert [(order.number, len(order.items)) for order in reading.orders] == [("1001", 2), ("1002", 1)]
        assert reading.lines == ()


class TestSheets:
    def test_the_one_with_headings_is_read_and_the_others_named(self) -> None:
        def change(book: Workbook) -> None:
            book.active.title = "Resumo"
            for title in ("Pedidos", "Antigos"):
                sheet = book.create_sheet(title)
                sheet.append(HEADINGS)
                sheet.append([title, *ROW[1:]])

        reading = read_book([["Relatório de vendas"], ["Total", 3]], change=change)
        assert [order.number for order in reading.orders] == ["Pedidos"]
        assert outcomes(reading) == [(0, None, "ignored")]
        assert 'lida a aba "Pedidos"' in reading.lines[0].reason
        assert '"Resumo", "Antigos"' in reading.lines[0].reason

    def test_a_hidden_one_is_passed_over(self) -> None:
        def change(book: Workbook) -> None:
            book.active.sheet_state = "hidden"
            sheet = book.create_sheet("Visível")
            sheet.append(HEADINGS)
            sheet.append(ROW)

        reading = read_book([HEADINGS, ["9", *ROW[1:]]], change=change)
        assert [order.number for order in reading.orders] == ["1001"]

    def test_headings_below_a_title_and_lines_by_their_rows(self) -> None:
        rows = [["Relatório de vendas"], [], ["Emitido em 10/11/2026"], HEADINGS, ROW, [], ["", "Bia", "01310100"]]
        reading = read_book(rows)
        assert [(order.number, order.line) for order in reading.orders] == [("1001", 5)]
        assert outcomes(reading) == [(7, None, "refused")]

    def test_a_list_of_codes(self) -> None:
        reading = read_book([[CODE], ["AC876543216BR"]])
        assert [order.number for order in reading.orders] == [f"code:{CODE}", "code:AC876543216BR"]

    def test_notes_to_the_right_of_the_table_do_no_harm(self) -> None:
        assert read_book([HEADINGS, [*ROW, None, "ligar antes"]]).lines == ()

    def test_totals_and_repeated_headings_are_no_orders(self) -> None:
        reading = read_book([HEADINGS, ROW, ["Total", None, None, 189.9], HEADINGS])
        assert outcomes(reading) == [(3, None, "ignored"), (4, None, "ignored")]

    @pytest.mark.parametrize(
        "rows",
        [
            pytest.param([], id="nothing at all"),
            pytest.param([["Relatório"], ["nada aqui"]], id="no headings"),
        ],
    )
    def test_without_orders(self, rows: list[list[Any]]) -> None:
        assert "cabeçalho" in str(read_book(rows).refused)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        pytest.param({"sheet1": lambda _: b""}, "corrompida", id="an empty sheet"),
        pytest.param({"sheet1": lambda xml: xml[: len(xml) // 2]}, "corrompida", id="half a sheet"),
        pytest.param({"workbook": lambda _: b"<workbook/>"}, "", id="a workbook without sheets"),
        pytest.param({"styles": lambda xml: xml[:50]}, "corrompida", id="half of the styles"),
        pytest.param(
            {"sheet1": lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml}, "DOCTYPE ou ENTITY", id="an entity"
        ),
        pytest.param(
            {"sheet1": lambda xml: b"<!--" + b" " * 5000 + b'--><!DOCTYPE x [<!ENTITY a "b">]>' + xml},
            "corrompida",
            id="an entity behind a long comment",
        ),
        pytest.param(
            {
                "sheet1": lambda xml: xml.replace(b't="inlineStr"', b't="s"').replace(
                    b"<is><t>", b"<v>9999999</v><is><t>"
                )
            },
            "",
            id="texts that are in no table",
        ),
    ],
)
def test_damage_is_one_sentence(parts: dict[str, Callable[[bytes], bytes]], reason: str) -> None:
    reading = read(rewritten(workbook([HEADINGS, ROW]), **parts), "pedidos.xlsx")
    assert reading.orders == () and reason in str(reading.refused)
    assert str(reading.refused).endswith(".")


def test_rows_that_claim_to_be_far_away_cost_nothing() -> None:
    def far(xml: bytes) -> bytes:
        return xml.replace(b'<row r="3"', b'<row r="999999999"').replace(b'r="A3"', b'r="A999999999"')

    reading = read(rewritten(workbook([HEADINGS, ROW, ["1002", *ROW[1:]]]), sheet1=far), "pedidos.xlsx")
    assert [order.number for order in reading.orders] == ["1001"]

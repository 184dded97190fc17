"""Rules of spreadsheets that the recorded files do not show."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.intake.support import outcomes, read
from tracker.domain.order import FileReading, Item, Order, OrderStatus
from tracker.intake.reader import ReadOptions

KEY = "35261111222333000181550010000102341100102345"


def one(text: str, **options: Any) -> Order:
    reading = read(text, **options)
    assert reading.refused is None
    assert len(reading.orders) == 1, reading
    return reading.orders[0]


def reasons(reading: FileReading) -> str:
    return " ".join(line.reason for line in reading.lines)


class TestHeader:
    def test_two_columns_suffice_when_all_are_known(self) -> None:
        assert one("pedido;rastreio\n1001;AB123456785BR\n").packages[0].tracking_code == "AB123456785BR"

    def test_the_header_may_stand_in_line_fifteen(self) -> None:
        text = "título\n" * 14 + "pedido;cliente;cep\n1001;Ana Prado;01310-100\n"
        assert one(text).number == "1001"
        assert read("título\n" + text).refused is not None

    def test_no_header_and_several_columns(self) -> None:
        reading = read("1001;Ana;AB123456785BR\n1002;Bia;AC876543216BR\n")
        assert reading.orders == ()
        assert "cabeçalho" in str(reading.refused)

    def test_no_column_names_the_parcel(self) -> None:
        assert "número do pedido" in str(read("cliente;email;cep\nAna;a@example.com;01310-100\n").refused)

    def test_a_merchants_own_mapping_wins(self) -> None:
        order = one(
            "ref interna;pedido;envio por\nX-9;1001;Rápida\n",
            columns={"Ref. Interna": "number", "Pedido": "shop_number", "Envio por": "carrier"},
        )
        assert (order.number, order.aliases) == ("X-9", (("shop_number", "1001"),))

    def test_a_mapping_may_silence_a_column(self) -> None:
        order = one("pedido;cliente;valor\n1;Ana;caro\n", columns={"valor": "ignore"})
        assert order.total_cents is None

    def test_a_mapping_to_an_unknown_field_is_a_fault_of_the_configuration(self) -> None:
        with pytest.raises(ValueError, match="unknown column field 'numero'"):
            ReadOptions(columns={"x": "numero"})

    @pytest.mark.parametrize(
        ("header", "number", "house"),
        [
            pytest.param("pedido;endereço;numero;cep", "7", "12", id="after the street it is the house"),
            pytest.param("numero;endereço;numero endereço;cep", "7", "12", id="before the street it is the order"),
            pytest.param("nº;endereço;nº;cep", "7", "12", id="twice: first the order, then the house"),
        ],
    )
    def test_number_of_the_order_or_of_the_house(self, header: str, number: str, house: str) -> None:
        order = one(f"{header}\n7;Rua A;12;01310-100\n")
        assert (order.number, order.address.street, order.address.number) == (number, "Rua A", house)

    @pytest.mark.parametrize(
        ("cells", "freight", "carrier"),
        [
            pytest.param(("19,90", "0,00"), 1990, None, id="money"),
            pytest.param(("Rápida Cargas", "Retirada"), None, "Rápida Cargas", id="a carrier's name"),
        ],
    )
    def test_freight_is_what_stands_in_its_column(
        self, cells: tuple[str, str], freight: int | None, carrier: str | None
    ) -> None:
        reading = read(f"pedido;frete;rastreio\n1;{cells[0]};AB123456785BR\n2;{cells[1]};AC876543216BR\n")
        order = reading.orders[0]
        assert (order.freight_cents, order.packages[0].carrier_raw) == (freight, carrier)

    def test_units_in_parentheses_and_odd_marks(self) -> None:
        order = one("Nº do Pedido;Valor Total (R$);Prazo de Entrega;Situação\n1;10,00;17/11/2026;Cancelado\n")
        assert (order.total_cents, order.promised_on, order.status) == (
            1000,
            date(2026, 11, 17),
            OrderStatus.CANCELLED,
        )

    def test_the_better_of_two_columns_of_one_field(self) -> None:
        text = "pedido;telefone;celular;valor;valor total\n1;1132104455;11987650123;5,00;25,00\n"
        order = one(text)
        assert (order.customer.phone, order.total_cents) == ("+5511987650123", 2500)

    def test_recipient_beside_customer(self) -> None:
        order = one("pedido;cliente;destinatário\n1;ANA PRADO;BIA SOUZA\n")
        assert (order.customer.name, order.recipient.name) == ("Ana Prado", "Bia Souza")

    def test_recipient_alone_is_the_customer(self) -> None:
        order = one("pedido;destinatário;cep\n1;BIA SOUZA;01310100\n")
        assert (order.customer.name, order.recipient.name) == ("Bia Souza", None)


class TestRowsOfOneOrder:
    def test_equal_codes_make_items_and_different_ones_packages(self) -> None:
        order = one(
            "pedido;rastreio;sku;produto;quantidade;valor unitario;valor declarado;data de postagem\n"
            "1;AB123456785BR;A;Caneca;2;19,90;50,00;12/11/2026\n"
            "1;AB123456785BR;B;Prato;1;1.019,90;50,00;12/11/2026\n"
            "1;AC876543216BR;B;Prato;1;1.019,90;;13/11/2026\n"
        )
        assert order.items == (Item("Caneca", "A", Decimal(2), 1990), Item("Prato", "B", Decimal(1), 101990))
        assert [(p.tracking_code, p.declared_value_cents, p.shipped_on) for p in order.packages] == [
            ("AB123456785BR", 5000, date(2026, 11, 12)),
            ("AC876543216BR", None, date(2026, 11, 13)),
        ]

    def test_two_customers_under_one_number(self) -> None:
        reading = read(
            "pedido;cliente;cpf;rastreio\n1;Ana;529.982.247-25;AB123456785BR\n1;Bia;111.444.777-35;AC876543216BR\n"
        )
        assert outcomes(reading) == [(3, "1", "refused")]
        assert "linha 2 com outro cliente" in reading.lines[0].reason
        assert len(reading.orders[0].packages) == 1

    def test_one_customer_written_in_two_ways(self) -> None:
        reading = read("pedido;cliente;email;rastreio\n1;ANA;a@example.com;AB123456785BR\n1;Ana;;AC876543216BR\n")
        assert reading.lines == ()
        assert len(reading.orders[0].packages) == 2

    def test_values_missing_in_the_first_row_come_from_the_next(self) -> None:
        order = one("pedido;cliente;email;previsao\n1;Ana;;\n1;Ana;a@example.com;17/11/2026\n")
        assert (order.customer.email, order.promised_on) == ("a@example.com", date(2026, 11, 17))

    def test_contradictions_keep_the_first_and_say_so(self) -> None:
        reading = read("pedido;cliente;valor\n1;Ana;10,00\n1;Ana;20,00\n")
        assert outcomes(reading) == [(3, "1", "warning")]
        assert reading.orders[0].total_cents == 1000

    def test_a_code_takes_the_place_of_the_invoice_that_stood_for_the_parcel(self) -> None:
        order = one(f"pedido;chave;transportadora;rastreio\n1;{KEY};Rápida;\n1;{KEY};Rápida;AB123456785BR\n")
        assert [package.tracking_code for package in order.packages] == ["AB123456785BR"]


class TestCodes:
    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            pytest.param("AB123456785BR AC876543216BR", ["AB123456785BR", "AC876543216BR"], id="blank between"),
            pytest.param("AB123456785BR, 10088800012345", ["AB123456785BR", "10088800012345"], id="comma between"),
            pytest.param('"AB123456785BR\nAC876543216BR"', ["AB123456785BR", "AC876543216BR"], id="line break"),
            pytest.param("AB 123.456.785-BR", ["AB123456785BR"], id="one code in groups"),
            pytest.param('"=""10088800012345"""', ["10088800012345"], id="text forced by a formula"),
            pytest.param("'10088800012345", ["10088800012345"], id="text forced by an apostrophe"),
            pytest.param("10088800012345.0", ["10088800012345"], id="an integer column written as decimals"),
            pytest.param("https://example.invalid/?o=AB123456785BR", ["AB123456785BR"], id="a page's address"),
            pytest.param("ab123456785br/ab123456785br", ["AB123456785BR"], id="the same twice"),
            pytest.param("-", [], id="a dash"),
        ],
    )
    def test_cells(self, cell: str, expected: list[str]) -> None:
        reading = read(f"pedido;cliente;rastreio\n1;Ana;{cell}\n")
        assert [package.tracking_code for package in reading.orders[0].packages] == expected
        assert reading.lines == ()

    @pytest.mark.parametrize(
        ("cell", "reason"),
        [
            ("AB123456789BR", "dígito verificador errado"),
            ("3,52611E+43", "notação científica"),
            ("12345678901234500000", "15º algarismo"),
            ("aguardando", "não tem forma de código"),
            ("AB123456785BR / AB123456789BR", "AB123456789BR tem o dígito"),
        ],
    )
    def test_codes_that_are_left_out(self, cell: str, reason: str) -> None:
        reading = read(f"pedido;cliente;rastreio\n1;Ana;{cell}\n")
        assert outcomes(reading) == [(2, "1", "warning")]
        assert reason in reading.lines[0].reason

    def test_long_codes_are_believed_where_the_column_kept_its_digits(self) -> None:
        reading = read("pedido;cliente;rastreio\n1;Ana;1234567890123450\n2;Bia;1234567890123457\n")
        assert [order.packages[0].tracking_code for order in reading.orders] == ["1234567890123450", "1234567890123457"]

    def test_a_declared_value_for_two_codes_is_nobodys(self) -> None:
        reading = read("pedido;rastreio;valor declarado\n1;AB123456785BR/AC876543216BR;50,00\n")
        assert [package.declared_value_cents for package in reading.orders[0].packages] == [None, None]
        assert "uma linha por código" in reasons(reading)

    def test_orders_without_number_are_named_by_their_invoice_or_code(self) -> None:
        reading = read(f"rastreio;chave;nf\nAB123456785BR;;000123\n;{KEY};\n;;\n;;9\n")
        assert [order.number for order in reading.orders] == ["code:AB123456785BR", "nfe:1-10234"]
        assert reading.orders[0].aliases == (("invoice_number", "123"),)
        assert reading.orders[1].aliases == (("invoice_key", KEY), ("invoice_number", "10234"))
        assert outcomes(reading) == [(5, None, "refused")]

    def test_a_list_of_codes_reports_what_is_none(self) -> None:
        reading = read("AB123456785BR\nAB123456789BR\nobrigado\n")
        assert [order.number for order in reading.orders] == ["code:AB123456785BR"]
        assert outcomes(reading) == [(2, None, "refused"), (3, None, "refused")]

    def test_prose_is_no_list_of_codes(self) -> None:
        assert read("bom dia\nsegue a lista\n").refused is not None


class TestDamage:
    def test_an_open_quote_costs_its_own_line(self) -> None:
        text = 'pedido;cliente;cep\n1;"Ana;01310100\n2;"Bia; a boa";01310100\n3;Caio;01310100\n'
        reading = read(text)
        assert [order.number for order in reading.orders] == ["2", "3"]
        assert outcomes(reading) == [(2, "1", "refused")]

    def test_a_quote_inside_a_cell_is_a_mark_of_inches(self) -> None:
        assert one('pedido;produto;cep\n1;TV 42" LED;01310100\n').items[0].name == 'TV 42" LED'

    def test_a_cell_may_hold_a_line_break(self) -> None:
        reading = read('pedido;endereço;cep\n1;"Rua A\nfundos";01310100\n2;Rua B;01310100\n')
        assert [order.address.street for order in reading.orders] == ["Rua A fundos", "Rua B"]

    @pytest.mark.parametrize("row", ["1;Ana", "1;Ana;x@example.com;01310100;sobra", "Rua quebrada;Ana"])
    def test_a_row_of_wrong_length_is_reported(self, row: str) -> None:
        reading = read(f"pedido;cliente;email;cep\n{row}\n2;Bia;b@example.com;01310100\n")
        assert [order.number for order in reading.orders] == ["2"]
        assert outcomes(reading) == [(2, None, "refused")]

    def test_a_row_without_its_empty_last_cells_is_good(self) -> None:
        reading = read("pedido;cliente;email;rastreio\n1;Ana;a@example.com\n2;Bia;b@example.com;;;\n")
        assert [order.number for order in reading.orders] == ["1", "2"]
        assert reading.lines == ()

    def test_repeated_headers_and_totals_are_passed_over(self) -> None:
        reading = read("pedido;cliente;valor\n1;Ana;10,00\npedido;cliente;valor\n\n;;\n;Total geral:;10,00\n")
        assert outcomes(reading) == [(3, None, "ignored"), (6, None, "ignored")]

    def test_a_damaged_order_number_refuses_the_row(self) -> None:
        reading = read("pedido;cliente;cep\n1,00012E+15;Ana;01310100\n")
        assert outcomes(reading) == [(2, None, "refused")]
        assert "perdeu algarismos" in reading.lines[0].reason

    @pytest.mark.parametrize("number", ["000123", "#1001", "ML-2000/5", "=1+1"])
    def test_order_numbers_stay_as_they_are(self, number: str) -> None:
        assert one(f"pedido;cliente;cep\n{number};Ana;01310100\n").number == number

    def test_no_reason_repeats_personal_data(self) -> None:
        reading = read("pedido;email;cpf;telefone;cep\n1;ana@example;52998224726;123456;12\n")
        assert outcomes(reading) == [(2, "1", "warning")]
        for secret in ("ana@", "52998224726", "123456"):
            assert secret not in reasons(reading)
        for name in ("E-mail:", "CPF/CNPJ:", "Telefone:", "CEP:"):
            assert name in reasons(reading)


class TestColumnsAsAWhole:
    def test_dates_are_month_first_only_if_the_whole_column_says_so(self) -> None:
        american = read("order;order date;zip\n1;11/23/2026;01310100\n2;11/10/2026;01310100\n")
        assert [order.ordered_at for order in american.orders] == [
            datetime(2026, 11, 23, 3, tzinfo=UTC),
            datetime(2026, 11, 10, 3, tzinfo=UTC),
        ]
        mixed = read("pedido;data;cep\n1;11/23/2026;01310100\n2;23/11/2026;01310100\n")
        assert [order.ordered_at for order in mixed.orders] == [None, datetime(2026, 11, 23, 3, tzinfo=UTC)]

    def test_the_files_majority_settles_three_digits(self) -> None:
        brazilian = read("pedido;cliente;valor\n1;Ana;1.580\n2;Bia;99,90\n")
        english = read("order,customer,total\n1,Ana,1.580\n2,Bia,99.90\n")
        assert [reading.orders[0].total_cents for reading in (brazilian, english)] == [158000, 158]

    def test_an_unknown_status_is_said_once(self) -> None:
        reading = read("pedido;cliente;status\n1;Ana;Conferido\n2;Bia;conferido\n3;Caio;Enviado\n")
        assert outcomes(reading) == [(2, "1", "warning")]
        assert [order.status for order in reading.orders] == [OrderStatus.UNKNOWN] * 2 + [OrderStatus.SHIPPED]


@pytest.mark.parametrize("delimiter", [";", "\t", ",", "|"])
def test_delimiters(delimiter: str) -> None:
    text = delimiter.join(["pedido", "cliente", "cep"]) + "\n" + delimiter.join(["1", "Ana", "01310100"])
    assert one(text).customer.name == "Ana"


def test_an_instruction_to_the_spreadsheet_wins_over_counting() -> None:
    assert one('"sep=|"\npedido|cliente|cep\n1|Silva, Ana, a boa|01310100\n').customer.name == "Silva, Ana, a boa"


def test_headings_that_nobody_reads_are_told_where_the_codes_are_missing() -> None:
    text = "Pedido;Cliente;E-mail;Cód. do Pacote;Obs\n1;Ana;ana@example.com;AA123456785BR;x\n"
    reading = read(text)
    (told,) = reading.lines
    assert (told.line, told.outcome, len(reading.orders)) == (0, "ignored", 1)
    assert told.reason.startswith(
        "Nenhuma coluna é conhecida como a do código de rastreio. Títulos que não são lidos: "
    )
    assert '"Cód. do Pacote", "Obs"' in told.reason and "intake: columns" in told.reason
    (order,) = read(text, columns={"Cód. do Pacote": "code"}).orders
    assert order.packages[0].tracking_code == "AA123456785BR"
    # A list of orders before they are sent has none, and says so by itself.
    assert read("Pedido;Cliente;E-mail\n1;Ana;ana@example.com\n").lines == ()


def test_old_mac_line_ends() -> None:
    assert len(read("pedido;cliente;cep\r1;Ana;01310100\r2;Bia;01310100\r").orders) == 2


def test_time_grows_with_length_and_not_faster() -> None:
    def seconds(rows: int, row: str) -> float:
        text = "pedido;cliente;cep;rastreio\n" + "".join(row.format(n=n) for n in range(rows))
        start = time.process_time()
        read(text)
        return time.process_time() - start

    for row in ('{n};"Ana;01310100;\n', "1;Ana;01310100;10088{n:08d}\n", "{n};Ana;01310100;10088{n:08d}\n"):
        short = max(seconds(1_000, row), 0.01)
        assert seconds(8_000, row) < short * 40, row


@pytest.mark.soak
def test_a_hundred_thousand_rows() -> None:
    row = "{n};10/11/2026;Ana Prado;a{n}@example.com;(11) 98765-0123;52998224725;01310-100;189,90;10088{n:08d}\n"
    text = "pedido;data;cliente;email;telefone;cpf;cep;valor;rastreio\n" + "".join(
        row.format(n=n) for n in range(100_000)
    )
    start = time.process_time()
    reading = read(text)
    assert time.process_time() - start < 20  # about 4 s on one slow core; the rest is for busy machines
    assert len(reading.orders) == 100_000
    assert reading.lines == ()

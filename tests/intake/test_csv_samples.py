"""The recorded spreadsheets against the table of what they become, row by row."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.intake.support import expected, outcomes, read_sample
from tracker.domain.order import Order
from tracker.domain.text import greeting_name

EXPECTED = expected("csv")
FIRST = "01-utf8-bom-semicolon.csv"
DIRTY = "03-dirty.csv"


def by_number(name: str, **options: object) -> dict[str, Order]:
    return {order.number: order for order in read_sample("csv", name, **options).orders}


def codes(order: Order) -> list[str | None]:
    return [package.tracking_code for package in order.packages]


def test_the_clean_file() -> None:
    orders = by_number(FIRST)
    table = EXPECTED[FIRST]
    assert len(orders) == table["orders"]
    assert sum(len(order.packages) for order in orders.values()) == table["packages"]
    assert [number for number, order in orders.items() if not order.packages] == table["without_tracking"]
    assert [number for number, order in orders.items() if len(order.packages) == 2] == table["two_packages"]
    assert read_sample("csv", FIRST).lines == ()


def test_every_field_of_a_row() -> None:
    order = by_number(FIRST)["10237"]
    assert order.customer.name == "Papelaria Horizonte Fictícia Ltda"
    assert order.customer.phone == "+555132105678"
    assert order.customer.document == "12ABC34501DE35"
    assert order.address.postal_code == "90619900"
    assert (order.address.street, order.address.number) == ("Avenida Ipiranga", "6681")
    assert (order.address.city, order.address.state) == ("Porto Alegre", "RS")
    assert order.total_cents == 158000
    assert order.ordered_at == datetime(2026, 11, 13, 3, tzinfo=UTC)
    assert order.promised_on == date(2026, 11, 23)
    assert (order.packages[0].carrier_raw, order.packages[0].service_raw) == ("Jadlog", ".Com")


@pytest.mark.parametrize("name", [name for name, table in EXPECTED.items() if "same_as" in table])
def test_other_forms_of_the_same_file(name: str) -> None:
    assert by_number(name) == by_number(EXPECTED[name]["same_as"])


def test_double_encoded() -> None:
    orders = by_number("06-double-encoded.csv")
    assert len(orders) == EXPECTED["06-double-encoded.csv"]["orders"]
    assert sum(len(order.packages) for order in orders.values()) == EXPECTED["06-double-encoded.csv"]["packages"]
    assert orders["10234"].address.city == "São Paulo"
    assert orders["10235"].customer.name == "João Batista de Souza e Silva"


def test_codes_only() -> None:
    reading = read_sample("csv", "07-codes-only.csv")
    table = EXPECTED["07-codes-only.csv"]
    assert [order.number for order in reading.orders] == [
        "code:AB123456785BR",
        "code:AC876543216BR",
        "code:10088800012345",
    ]
    assert len(reading.orders) == table["packages"]
    assert all(order.customer.email is None for order in reading.orders)
    assert outcomes(reading) == [(4, "code:AB123456785BR", "ignored")] * table["duplicates"]


class TestDirty:
    def test_what_is_reported(self) -> None:
        assert outcomes(read_sample("csv", DIRTY)) == [
            (4, "10234", "ignored"),
            (8, "10246", "warning"),
            (10, "10248", "warning"),
            (11, "10249", "warning"),
            (12, "10250", "warning"),
            (13, "10251", "refused"),
            (14, None, "ignored"),
        ]

    def test_the_other_rows_are_imported(self) -> None:
        numbers = ["10234", "10235", *map(str, range(10245, 10251))]
        assert list(by_number(DIRTY)) == numbers
        assert len(numbers) + len(EXPECTED[DIRTY]["duplicates"]) == EXPECTED[DIRTY]["rows_read"]

    def test_two_codes_in_one_cell_and_their_two_carriers(self) -> None:
        packages = by_number(DIRTY)["10235"].packages
        assert [package.tracking_code for package in packages] == EXPECTED[DIRTY]["two_codes_in_one_cell"]["10235"]
        assert [package.carrier_raw for package in packages] == ["Correios", "Jadlog"]

    def test_restored_zeros_and_a_code_with_blanks(self) -> None:
        order = by_number(DIRTY)["10245"]
        assert order.customer.document == EXPECTED[DIRTY]["cpf_zero_restored"]["10245"]
        assert order.address.postal_code == EXPECTED[DIRTY]["zip_zero_restored"]["10245"]
        assert codes(order) == [EXPECTED[DIRTY]["code_normalised"]["10245"]]

    def test_a_code_in_scientific_notation(self) -> None:
        reading = read_sample("csv", DIRTY)
        reason = next(line.reason for line in reading.lines if line.order_number == "10246")
        assert "notação científica" in reason
        assert "coluna como texto" in reason
        assert codes(by_number(DIRTY)["10246"]) == []

    def test_an_impossible_date_and_a_serial(self) -> None:
        order = by_number(DIRTY)["10248"]
        assert (order.ordered_at, order.promised_on) == (None, date(2026, 11, 17))

    def test_a_bad_address_and_a_formula(self) -> None:
        customer = by_number(DIRTY)["10249"].customer
        assert customer.email is None
        assert customer.name == '=HYPERLINK("http://example.invalid";"Marina")'
        assert greeting_name(customer.name, customer.document) is None

    def test_a_wrong_check_digit_and_a_serial_order_date(self) -> None:
        order = by_number(DIRTY)["10250"]
        assert order.ordered_at == datetime(2026, 11, 10, 3, tzinfo=UTC)
        assert codes(order) == []

    def test_a_wrong_check_digit_where_the_merchant_insists(self) -> None:
        assert codes(by_number(DIRTY, accept_bad_check_digits=True)["10250"]) == ["AB123456789BR"]

    def test_quotes_keep_a_delimiter_inside_a_cell(self) -> None:
        assert by_number(DIRTY)["10247"].address.street == "Rua das Flores; fundos"

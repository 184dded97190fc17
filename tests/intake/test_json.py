"""JSON files: every form an order may come in, and each fault with its record and its path."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from tests.intake.support import expected, outcomes, read, read_sample
from tracker.domain.order import Direction, FileReading, Item, OrderStatus
from tracker.intake import json_file
from tracker.intake.reader import TruncatedFile

CODE = "AB123456785BR"


def read_json(value: Any, name: str = "pedidos.json", **options: Any) -> FileReading:
    return read(value if isinstance(value, str) else json.dumps(value), name, **options)


def reason(value: Any) -> str:
    """The one sentence on the only record of a file."""
    reading = read_json([value])
    assert len(reading.lines) == 1
    return reading.lines[0].reason


@pytest.mark.parametrize("name", ["orders.json", "orders.ndjson", "post-orders-batch.json"])
def test_the_recorded_files_are_the_same_orders(name: str) -> None:
    reading = read_sample("dropfolder", name)
    assert reading.lines == ()
    assert [order.number for order in reading.orders] == ["10234", "10235", "10236"]
    assert [len(order.packages) for order in reading.orders] == [1, 2, 0]
    assert reading.orders == read_sample("dropfolder", "orders.json").orders


def test_every_field_of_a_record() -> None:
    order = read_sample("dropfolder", "orders.json").orders[1]
    assert order.ordered_at == datetime(2026, 11, 10, 17, 2, 11, tzinfo=UTC)
    assert (order.ship_by, order.promised_on) == (date(2026, 11, 12), date(2026, 11, 17))
    assert order.customer.name == "João Batista de Souza e Silva"
    assert dict(order.originals) == {"name": "JOÃO BATISTA DE SOUZA E SILVA"}
    assert (order.customer.phone, order.customer.document) == ("+5531998761234", "11144477735")
    assert (order.address.postal_code, order.address.city, order.address.state) == ("30140120", "Belo Horizonte", "MG")
    assert order.total_cents == 18990
    assert order.items == (Item("Camiseta algodão lisa", "CAM-001", Decimal(1), 17000),)
    assert [package.carrier_raw for package in order.packages] == ["correios", "jadlog"]
    assert order.packages[0].shipped_on == date(2026, 11, 11)
    assert order.aliases == (("source_id", "ERP-10235"),)


def test_a_broken_line_costs_itself() -> None:
    table = expected("dropfolder")["orders-broken-line.ndjson"]
    reading = read_sample("dropfolder", "orders-broken-line.ndjson")
    assert [dict(order.aliases)["source_id"] for order in reading.orders] == table["imported"]
    assert [line.line for line in reading.lines] == [table["refused_line"]]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('[{"order_number": "1"}, {"order_number": "2"}]', id="an array"),
        pytest.param('{"orders": [{"order_number": "1"}, {"order_number": "2"}]}', id="an object of orders"),
        pytest.param(
            '{"pagina": 1, "pedidos": [{"order_number": "1"}, {"order_number": "2"}], "n": [3]}', id="pedidos"
        ),
        pytest.param('{"order_number": "1"}\n{"order_number": "2"}\n', id="JSON lines"),
        pytest.param('{"order_number": "1"}\n\n{"order_number": "2"}', id="JSON lines with a blank one, no last end"),
        pytest.param('{\n"order_number": "1"\n}\n{\n"order_number": "2"\n}', id="objects over several lines"),
        pytest.param('[{"order_number": "1"}]\n[{"order_number": "2"}]', id="two arrays"),
        pytest.param('\ufeff[{"order_number": "1"},\r\n{"order_number": "2"},]', id="a mark, and a comma too many"),
    ],
)
def test_forms(text: str) -> None:
    reading = read_json(text)
    assert [order.number for order in reading.orders] == ["1", "2"]
    assert reading.lines == ()


class TestKeys:
    def test_a_flat_record(self) -> None:
        record = {"order_number": "J-1", "email": "j1@example.com", "code": CODE, "carrier": "Correios"}
        reading = read_json([record])
        assert reading.lines == ()
        (order,) = reading.orders
        assert (order.number, order.customer.email) == ("J-1", "j1@example.com")
        assert [(one.tracking_code, one.carrier_raw) for one in order.packages] == [(CODE, "Correios")]

    def test_the_headings_of_a_spreadsheet(self) -> None:
        record = {
            "Pedido": 77,
            "código de rastreio": CODE,
            "Transportadora": "Correios",
            "e-mail": "ana@example.com",
            "Cliente": "Ana de Teste",
            "CPF": "529.982.247-25",
            "Rua": "Rua A",
            "número": "12",
            "CEP": "01310-100",
            "Previsão de entrega": "27/11/2026",
            "Valor total": "189,90",
            "frete": 12.5,
            "produto": "Camiseta",
            "quantidade": 2,
            "nº pedido loja": "L-1",
            "pedido da loja": "L-2",
        }
        reading = read_json([record])
        (order,) = reading.orders
        assert (order.number, order.customer.name, order.customer.document) == ("77", "Ana de Teste", "52998224725")
        assert (order.address.street, order.address.number, order.address.postal_code) == ("Rua A", "12", "01310100")
        assert (order.promised_on, order.total_cents, order.freight_cents) == (date(2026, 11, 27), 18990, 1250)
        assert [item.name for item in order.items] == ["Camiseta"]
        assert order.packages[0].tracking_code == CODE
        assert order.aliases == (("shop_number", "L-2"),)
        assert [line.reason[:30] for line in reading.lines] == ['A chave "nº pedido loja" não f']

    def test_an_invoice_without_a_parcel_names_the_order(self) -> None:
        (order,) = read_json([{"pedido": "1", "nota fiscal": "4711"}]).orders
        assert (order.packages, order.aliases) == ((), (("invoice_number", "4711"),))

    @pytest.mark.parametrize("key", ["number", "pedido", "orderNumber", "numero", "Order ID"])
    def test_names_of_the_number(self, key: str) -> None:
        assert [order.number for order in read_json([{key: "9"}]).orders] == ["9"]

    @pytest.mark.parametrize("key", ["shipments", "envios", "packages", "pacotes"])
    @pytest.mark.parametrize("name", ["tracking_code", "trackingCode", "rastreio", "code"])
    def test_names_of_packages(self, key: str, name: str) -> None:
        reading = read_json([{"order_number": "1", key: [{name: CODE, "transportadora": "Correios"}]}])
        assert reading.lines == ()
        assert [(one.tracking_code, one.carrier_raw) for one in reading.orders[0].packages] == [(CODE, "Correios")]

    def test_names_within_parts(self) -> None:
        record = {
            "numero": "1",
            "cliente": {"nome": "Ana", "e-mail": "ana@example.com", "celular": "11987650123"},
            "endereço": {"rua": "Rua A", "numero": "5", "cidade": "Recife", "uf": "PE"},
            "itens": [{"descricao": "Bola", "qtd": 3}],
        }
        (order,) = read_json([record]).orders
        assert (order.customer.name, order.customer.email) == ("Ana", "ana@example.com")
        assert (order.address.number, order.address.city, order.address.state) == ("5", "Recife", "PE")
        assert order.items == (Item("Bola", None, Decimal(3), None),)

    def test_what_stands_beside_its_part_completes_it(self) -> None:
        record = {
            "order_number": "1",
            "carrier": "Correios",
            "shipments": [{"code": CODE}],
            "customer": {"name": "Ana"},
        }
        (order,) = read_json([{**record, "email": "ana@example.com", "rastreio": CODE}]).orders
        assert [(one.tracking_code, one.carrier_raw) for one in order.packages] == [(CODE, "Correios")]
        assert (order.customer.name, order.customer.email) == ("Ana", "ana@example.com")
        other = "AD332611625BR"
        (order,) = read_json([{**record, "code": other}], accept_bad_check_digits=True).orders
        assert [(one.tracking_code, one.carrier_raw) for one in order.packages] == [
            (CODE, "Correios"),
            (other, "Correios"),
        ]

    def test_the_own_name_wins_and_the_other_is_told(self) -> None:
        reading = read_json([{"order_id": "99", "order_number": "1"}, {"order_id": "2", "order_number": "2"}])
        assert [order.number for order in reading.orders] == ["1", "2"]
        assert [line.reason for line in reading.lines if '"order_id"' in line.reason and "1 registro" in line.reason]

    def test_a_key_that_nobody_reads_is_told_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_file, "RECORDS_AT_ONCE", 2)
        records: list[dict[str, Any]] = [
            {
                "order_number": str(n),
                "vendedor": "Zé",
                "cupom": None,
                "packages": [{"tracking_code": CODE, "cor": "x"}] * 2,
            }
            for n in range(1, 4)
        ]
        reading = read_json([*records, {"order_number": "4", "shipping": {"method": "x"}}])
        assert len(reading.orders) == 4
        assert [line.outcome for line in reading.lines] == ["warning"] * 3
        told = "\n".join(line.reason for line in reading.lines)
        assert 'A chave "vendedor" não foi lida (em 3 registros)' in told
        assert 'A chave "packages[].cor" não foi lida (em 3 registros)' in told
        assert 'A chave "shipping" não foi lida (em 1 registro)' in told

    def test_the_merchants_own_headings(self) -> None:
        columns = {"Objeto X": "code", "vendedor": "ignore"}
        reading = read_json([{"order_number": "1", "objeto x": CODE, "Vendedor": "Zé"}], columns=columns)
        assert reading.lines == ()
        assert reading.orders[0].packages[0].tracking_code == CODE

    def test_thousands_of_keys_are_not_all_named(self) -> None:
        reading = read_json([{"order_number": "1", **{f"k{n}": 1 for n in range(2_000)}}])
        assert len(reading.lines) == 101
        assert sum("Outras chaves não foram lidas (em 1 registro)" in line.reason for line in reading.lines) == 1


def test_the_example_that_merchants_are_given() -> None:
    text = (files("tracker") / "templates" / "inbox.LEIA-ME.txt").read_text(encoding="utf-8")
    reading = read_json(text[text.index("[{") : text.index("}]}]") + 4])
    assert reading.lines == () and reading.refused is None
    (order,) = reading.orders
    assert (order.number, order.customer.phone, order.address.postal_code) == ("10234", "+5511987650123", "01310100")
    assert [(one.tracking_code, one.carrier_raw) for one in order.packages] == [("AA123456785BR", "Correios")]


def test_one_order_alone() -> None:
    reading = read_json({"order_number": "1", "packages": [{"tracking_code": CODE}], "items": []})
    assert [order.number for order in reading.orders] == ["1"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(encoding: str) -> None:
    data = '[{"order_number": "1", "customer": {"name": "João D\'Ávila"}}]'.encode(encoding)
    assert read(data, "pedidos.json").orders[0].customer.name == "João D'Ávila"


def test_strings_may_hold_what_looks_like_structure() -> None:
    tricky = 'Rua "A" {x} [y], \\ fim \\\\'
    reading = read_json([{"order_number": "1", "address": {"street": tricky}}, {"order_number": "2"}])
    assert [order.address.street for order in reading.orders] == [tricky, None]


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_pages_may_end_anywhere(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"x": "\\"", "orders" : [{"order_number": "1\\\\", "a": [1, {"b": "]}"}]}, 5, {"order_number": "2"}]}'
    from tracker.intake.json_split import Splitter

    pages = [text[start : start + size] for start in range(0, len(text), size)]
    raws = list(Splitter().records(pages))
    assert [json.loads(raw.text) for raw in raws] == json.loads(text)["orders"]


class TestValues:
    @pytest.mark.parametrize(
        ("value", "cents"),
        [
            ("189.90", 18990),
            (189.9, 18990),
            (1.575, 158),
            ("1.575", 158),
            ("0.00", 0),
            (0, 0),
            (1580, 158000),
            ("1.580,00", 158000),
        ],
    )
    def test_money_has_a_dot(self, value: Any, cents: int) -> None:
        assert read_json([{"order_number": "1", "total": value}]).orders[0].total_cents == cents

    def test_numbers_stay_what_they_are(self) -> None:
        order = read_json([{"order_number": 9007199254740993, "customer": {"document": 1234567890}}]).orders[0]
        assert order.number == "9007199254740993"
        assert order.customer.document == "01234567890"

    def test_a_long_code_is_no_damaged_number(self) -> None:
        package = {"tracking_code": "1008880001234500000", "carrier": "Jadlog"}
        order = read_json([{"order_number": "1", "packages": [package]}]).orders[0]
        assert order.packages[0].tracking_code == "1008880001234500000"

    def test_a_return_is_marked(self) -> None:
        packages = [{"tracking_code": CODE, "direction": "return"}]
        assert (
            read_json([{"order_number": "1", "packages": packages}]).orders[0].packages[0].direction is Direction.RETURN
        )

    def test_status_and_recipient(self) -> None:
        record = {
            "order_number": "1",
            "status": "shipped",
            "recipient": {"name": "BIA SOUSA"},
            "customer": {"name": "Ana"},
        }
        order = read_json([record]).orders[0]
        assert order.status is OrderStatus.SHIPPED
        assert (order.customer.name, order.recipient.name) == ("Ana", "Bia Sousa")
        assert dict(order.originals) == {"recipient": "BIA SOUSA"}

    def test_what_only_says_that_nothing_is_there(self) -> None:
        record = {
            "order_number": "1",
            "customer": {"name": "null", "email": "naotem@naotem.com", "phone": "", "document": None},
            "address": [],
            "promised_date": "0000-00-00",
        }
        reading = read_json([record])
        assert reading.lines == ()
        assert reading.orders[0].customer.email is None

    def test_halves_of_characters_and_nuls_reach_no_store(self) -> None:
        text = '[{"order_number": "1", "customer": {"name": "Ana \\ud800\\u0000Silva"}}, {"order_number": "2\\ud83d"}]'
        reading = read_json(text)
        assert reading.orders[0].customer.name == "Ana ?Silva"
        assert [order.number for order in reading.orders] == ["1", "2?"]

    def test_an_order_without_a_number_is_known_by_its_code(self) -> None:
        assert read_json([{"packages": [{"tracking_code": CODE}]}]).orders[0].number == f"code:{CODE}"


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        pytest.param({}, "Registro 1: order_number: falta o número do pedido", id="nothing in it"),
        pytest.param([], "Registro 1: não é um objeto", id="an array"),
        pytest.param("1", "Registro 1: não é um objeto", id="a text"),
        pytest.param(None, "Registro 1: não é um objeto", id="null"),
        pytest.param({"order_number": ["1"]}, "Registro 1: order_number: é uma lista e devia ser um texto", id="list"),
        pytest.param({"order_number": "9" * 81}, "Registro 1: order_number: é longo demais", id="a long number"),
        pytest.param(
            {"order_number": "1", "customer": ["Ana"]},
            "Registro 1: customer: é uma lista e devia ser um objeto",
            id="customer",
        ),
        pytest.param(
            {"order_number": "1", "packages": {"tracking_code": CODE}},
            "Registro 1: packages: é um objeto e devia ser uma lista",
            id="packages",
        ),
        pytest.param(
            {"order_number": "1", "packages": [{}, CODE]},
            "Registro 1: packages[1]: é um texto e devia ser um objeto",
            id="a package",
        ),
        pytest.param(
            {"order_number": "1", "items": [{"name": {"pt": "x"}}]},
            "Registro 1: items[0].name: é um objeto e devia ser um texto",
            id="a name",
        ),
        pytest.param(
            {"order_number": "1", "aliases": "2"}, "Registro 1: aliases: é um texto e devia ser", id="aliases"
        ),
        pytest.param(
            {"order_number": "1", "packages": [{}] * 201}, "Registro 1: packages: tem 201 entradas", id="many packages"
        ),
    ],
)
def test_a_record_that_cannot_be_used(record: Any, sentence: str) -> None:
    assert read_json([record]).orders == ()
    assert reason(record).startswith(sentence)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (
            {"packages": [{"tracking_code": "AB123456789BR"}]},
            "packages[0].tracking_code: o código de rastreio AB123456789BR",
        ),
        ({"customer": {"document": "11111111112"}}, "customer.document: não é um CPF ou CNPJ válido"),
        ({"customer": {"email": "ana@"}}, "customer.email: não tem forma de endereço"),
        ({"customer": {"phone": "12345"}}, "customer.phone: não é um telefone com DDD"),
        ({"address": {"zip": "1310-10"}}, "address.zip: não é um CEP"),
        ({"address": {"state": "São Paulo"}}, 'address.state: "SÃO PAULO" não é uma sigla'),
        ({"promised_date": "31/02/2026"}, 'promised_date: "31/02/2026" não existe no calendário'),
        ({"total": "caro"}, 'total: "caro" não é um número'),
        ({"total": -1}, "total: -1 não é um valor de pedido"),
        ({"total": 10**30}, "total: 1000000000000000000000000000000 não é um valor de pedido"),
        ({"status": "sumiu"}, 'status: "sumiu" não é conhecido'),
        (
            {"packages": [{"invoice_key": "123", "carrier": "x"}]},
            "packages[0].invoice_key: não é uma chave de 44 posições",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_left_out_with_its_path(record: dict[str, Any], sentence: str) -> None:
    reading = read_json([{"order_number": "1", **record}])
    assert [order.number for order in reading.orders] == ["1"]
    assert outcomes(reading) == [(1, "1", "warning")]
    assert f"Registro 1: {sentence}" in reading.lines[0].reason


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param('{"order_number": "1", "total": NaN}', "traz NaN", id="not a number"),
        pytest.param('{"order_number": "1", "total": -Infinity}', "traz -Infinity", id="infinity"),
        pytest.param(
            '{"order_number": "1", "order_number": "2"}', '"order_number" aparece duas vezes', id="a key twice"
        ),
        pytest.param(
            '{"order_number": "1" "total": 1}', "não é JSON válido (linha 2, caractere 22)", id="a comma missing"
        ),
        pytest.param("{'order_number': '1'}", "não é JSON válido", id="wrong quotes"),
        pytest.param(
            '{"order_number": ' + "9" * 5000 + "}", "não é JSON que se possa ler", id="a number of 5000 digits"
        ),
        pytest.param('{"a":' * 60 + "1" + "}" * 60, "uns dentro dos outros", id="too deep"),
        pytest.param('{"order_number": "' + "9" * 300_000 + '"}', "longo demais", id="300 KB in one record"),
    ],
)
def test_a_record_that_is_no_json_costs_itself(text: str, sentence: str) -> None:
    reading = read_json(f'[{{"order_number": "a"}},\n{text},\n{{"order_number": "b"}}]')
    assert [order.number for order in reading.orders] == ["a", "b"]
    assert len(reading.lines) == 1 and reading.lines[0].line == 2
    assert sentence in reading.lines[0].reason and reading.lines[0].reason.startswith("Registro 2: ")


@pytest.mark.parametrize("text", ["[]", "{}", '{"orders": []}', "[ , ]"])
def test_no_order_at_all(text: str) -> None:
    reading = read_json(text)
    assert reading.orders == ()
    assert "nenhum pedido" in str(reading.refused) or "falta o número" in reading.lines[0].reason


@pytest.mark.parametrize(
    "text", ['[{"order_number": "1"},', '{"orders": [{"order_number": "1"}]', '[{"order_number": "1']
)
def test_one_that_ends_in_the_middle_may_still_be_being_written(text: str) -> None:
    with pytest.raises(TruncatedFile):
        read_json(text)


def test_one_that_is_nothing_but_depth_is_refused_at_once() -> None:
    assert "uns dentro dos outros" in str(read_json('[{"a":' + "[" * 200_000).refused)


def test_a_bracket_too_many() -> None:
    assert "linha 2" in str(read_json('[{"order_number": "1"}]\n]').refused)


def test_a_file_in_pieces_is_the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "RECORDS_AT_ONCE", 2)
    records = [{"order_number": str(number)} for number in range(1, 6)]
    assert [order.number for order in read_json(records).orders] == ["1", "2", "3", "4", "5"]

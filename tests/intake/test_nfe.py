"""NF-e and cancellation events: the recorded files row by row, then rule by rule on a changed note."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.intake.support import DATA, expected, outcomes, read, read_sample
from tracker.domain.order import Cancellation, FileReading, Item, Order, OrderStatus, Person
from tracker.intake.nfe_text import codes_in, order_number_in, promise_in
from tracker.intake.reader import ReadOptions, TruncatedFile

EXPECTED = expected("nfe")
IMPORTED = [name for name, table in EXPECTED.items() if table["import"]]
NORMAL = (DATA / "nfe" / "01-normal.xml").read_text(encoding="utf-8")
TWO_VOLUMES = (DATA / "nfe" / "02-two-volumes-entrega.xml").read_text(encoding="utf-8")
EVENT = (DATA / "nfe" / "08-event-cancellation.xml").read_text(encoding="utf-8")


def sample(name: str) -> Order:
    reading = read_sample("nfe", name)
    assert reading.refused is None
    return reading.orders[0]


def changed(old: str, new: str, text: str = NORMAL, **keywords: Any) -> FileReading:
    assert old in text
    return read(text.replace(old, new), "nota.xml", **keywords)


@pytest.mark.parametrize("name", IMPORTED)
def test_recorded_notes(name: str) -> None:
    order, table = sample(name), EXPECTED[name]
    assert ("invoice_key", table["key"]) in order.aliases
    assert [p.tracking_code for p in order.packages if p.tracking_code] == table.get(
        "tracking_codes", ["AC876543216BR"]
    )
    if "order_number" in table:
        assert order.number == (table["order_number"] or "nfe:1-10236")
    if "promised_date" in table:
        assert order.promised_on == date.fromisoformat(table["promised_date"])
    for field, value in table.get("customer", {}).items():
        assert getattr(order.customer, field) == value
    for field, value in table.get("recipient", {}).items():
        assert (order.address.postal_code if field == "zip" else getattr(order.recipient, field)) == value
    if "total" in table:
        assert order.total_cents == int(Decimal(table["total"]) * 100)


def test_the_normal_note_in_full() -> None:
    order, table = sample("01-normal.xml"), EXPECTED["01-normal.xml"]
    assert order.ordered_at == datetime.fromisoformat(table["issued_at"])
    assert order.freight_cents == int(Decimal(table["freight"]) * 100)
    assert order.address.postal_code == table["zip"]
    assert order.aliases[1] == ("invoice_number", "10234")
    assert order.items == (Item("Camiseta algodão lisa", "CAM-001", Decimal(1), 17000),)
    assert order.status is OrderStatus.READY
    assert order.recipient == Person()
    [package] = order.packages
    assert package.carrier_cnpj == table["carrier_document"]
    assert (package.invoice_key, package.invoice_number) == (table["key"], "10234")
    assert package.shipped_on is None


def test_two_volumes_with_two_codes_are_two_packages() -> None:
    assert len(sample("02-two-volumes-entrega.xml").packages) == EXPECTED["02-two-volumes-entrega.xml"]["packages"]


def test_four_volumes_under_one_key_are_one_package_and_said_so() -> None:
    reading = read_sample("nfe", "05-alphanumeric-cnpj.xml")
    assert [package.tracking_code for package in reading.orders[0].packages] == [None]
    assert outcomes(reading) == [(0, "OC-2026/881", "imported")]
    assert f"{EXPECTED['05-alphanumeric-cnpj.xml']['packages']} volumes" in reading.lines[0].reason


def test_several_volumes_with_one_code_are_one_package() -> None:
    reading = changed("<qVol>1</qVol>", "<qVol>3</qVol>")
    assert len(reading.orders[0].packages) == 1
    assert reading.lines == ()


def test_neither_code_nor_carrier_means_nothing_to_follow_yet() -> None:
    assert sample("03-no-email-no-tracking.xml").packages == ()


def test_a_cancellation() -> None:
    reading = read_sample("nfe", "08-event-cancellation.xml")
    key = EXPECTED["08-event-cancellation.xml"]["cancels"]
    assert reading.cancellations == (Cancellation(key, datetime(2026, 11, 14, 19, 0, tzinfo=UTC)),)
    assert reading.orders == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("04-not-authorised-no-protocol.xml", "protocolo de autorização"),
        ("06-return-finNFe4.xml", "de devolução"),
        ("90-hostile-doctype.xml", "DOCTYPE"),
    ],
)
def test_recorded_refusals(name: str, reason: str) -> None:
    reading = read_sample("nfe", name)
    assert not EXPECTED[name]["import"]
    assert reading.orders == ()
    assert reason in str(reading.refused)


def test_a_truncated_note_asks_for_patience() -> None:
    with pytest.raises(TruncatedFile) as caught:
        read_sample("nfe", "91-truncated.xml")
    assert "termina no meio" in caught.value.reason


@pytest.mark.parametrize("size", [1, 20, 100, 1500, 3000])
def test_any_beginning_of_a_note_is_truncated(size: int) -> None:
    with pytest.raises(TruncatedFile):
        read(NORMAL.encode()[:size], "nota.xml")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param("<mod>55</mod>", "<mod>65</mod>", "NFC-e", id="counter sale"),
        pytest.param("<mod>55</mod>", "<mod>57</mod>", "modelo 57", id="another model"),
        pytest.param("<tpNF>1</tpNF>", "<tpNF>0</tpNF>", "de entrada", id="goods coming in"),
        pytest.param("<finNFe>1</finNFe>", "<finNFe>2</finNFe>", "complementar", id="complementary"),
        pytest.param("<finNFe>1</finNFe>", "", "finNFe ausente", id="no purpose"),
        pytest.param("<tpAmb>1</tpAmb>", "<tpAmb>2</tpAmb>", "ambiente de testes", id="test environment"),
        pytest.param("<cStat>100</cStat>", "<cStat>110</cStat>", "cStat 110", id="denied"),
        pytest.param("<cStat>100</cStat>", "<cStat>101</cStat>", "cStat 101", id="already cancelled"),
        pytest.param('Id="NFe3526', 'Id="NFe3527', "chave", id="a key that does not add up"),
        pytest.param("<chNFe>35261111222333000181550010000102341100102345", "<chNFe>x", "diferentes", id="two keys"),
        pytest.param("<CFOP>5102</CFOP>", "<CFOP>5949</CFOP>", "remessa", id="a remittance"),
        pytest.param("nfeProc", "cteProc", "CT-e", id="a carrier's document"),
        pytest.param("nfeProc", "resNFe", "resumo", id="a summary"),
        pytest.param("nfeProc", "pedido", "não é uma NF-e", id="another root"),
        pytest.param("</infNFe>", "</infNFE>", "corrompido", id="not well formed"),
    ],
)
def test_what_is_no_sale_of_ours_is_refused_in_one_sentence(old: str, new: str, reason: str) -> None:
    reading = changed(old, new)
    assert reading.orders == ()
    assert reason in str(reading.refused)
    assert str(reading.refused).endswith(".")


def test_authorised_late_is_authorised() -> None:
    assert changed("<cStat>100</cStat>", "<cStat>150</cStat>").refused is None


@pytest.mark.parametrize(
    ("old", "new", "options"),
    [
        ("<tpAmb>1</tpAmb>", "<tpAmb>2</tpAmb>", {"accept_test_environment": True}),
        ("<CFOP>5102</CFOP>", "<CFOP>5949</CFOP>", {"excluded_cfops": ()}),
    ],
)
def test_what_a_merchant_may_allow(old: str, new: str, options: dict[str, Any]) -> None:
    assert changed(old, new).refused is not None
    assert changed(old, new, **options).refused is None


def test_a_note_without_protocol_where_allowed() -> None:
    reading = read_sample("nfe", "04-not-authorised-no-protocol.xml", accept_unauthorised=True)
    assert reading.orders[0].number == "10240"


@pytest.mark.parametrize(
    ("merchant", "taken"),
    [("11.222.333/0001-81", True), ("11222333000262", True), ("99888777000100", False), (None, True)],
    ids=["the same", "another branch", "another company", "not asked"],
)
def test_the_issuer_must_be_the_merchant(merchant: str | None, taken: bool) -> None:
    for name in ("01-normal.xml", "08-event-cancellation.xml"):
        assert (read_sample("nfe", name, merchant_cnpj=merchant).refused is None) is taken


def test_alphanumeric_roots_are_compared_as_text() -> None:
    assert read_sample("nfe", "05-alphanumeric-cnpj.xml", merchant_cnpj="45auro9r000120").refused is None


class TestEvents:
    def test_a_correction_letter_changes_nothing(self) -> None:
        reading = changed("110111", "110110", EVENT)
        assert (reading.cancellations, reading.refused) == ((), None)
        assert outcomes(reading) == [(0, None, "ignored")]

    def test_a_cancellation_that_was_not_registered(self) -> None:
        assert "não foi registrado" in str(changed("<cStat>135<", "<cStat>573<", EVENT).refused)

    def test_registered_late(self) -> None:
        assert len(changed("<cStat>135<", "<cStat>155<", EVENT).cancellations) == 1

    def test_a_wrong_key(self) -> None:
        assert "chNFe" in str(changed("<chNFe>3526", "<chNFe>3527", EVENT).refused)


class TestHostile:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
    def test_no_encoding_hides_a_doctype(self, encoding: str) -> None:
        text = '<!doctype x [<!entity a "b">]><nfeProc>&a;</nfeProc>'
        assert "DOCTYPE" in str(read(f"\n{text}".encode(encoding), "nota.xml").refused)

    def test_too_large(self) -> None:
        assert "2 MB" in str(changed("</infNFe>", f"<x>{'a' * 2_000_000}</x></infNFe>").refused)

    def test_numbers_out_of_any_bound(self) -> None:
        reading = changed("<qVol>1</qVol>", f"<qVol>{'9' * 5000}</qVol>")
        assert reading.refused is None
        huge = changed("<vNF>189.90</vNF>", "<vNF>1E+400</vNF>")
        assert huge.orders[0].total_cents is None
        ancient = changed("<dhEmi>2026-11-10T15:32:10-03:00", "<dhEmi>0001-01-01T00:00:00+14:00")
        assert ancient.orders[0].ordered_at is None

    def test_elements_of_other_namespaces_do_not_count(self) -> None:
        reading = changed("<email>marina.prado@example.com</email>", '<email xmlns="urn:x">evil@example.com</email>')
        assert reading.orders[0].customer.email is None


class TestEncodings:
    def test_declared_utf8_and_written_in_the_windows_code_page(self) -> None:
        assert read(NORMAL.encode("cp1252"), "nota.xml").orders[0].address.city == "São Paulo"

    def test_declared_latin_and_written_in_utf8(self) -> None:
        text = NORMAL.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"')
        assert read(text, "nota.xml").orders[0].address.city == "São Paulo"

    def test_utf16(self) -> None:
        assert read(NORMAL.encode("utf-16"), "nota.xml").orders[0].number == "10234"


class TestNote:
    def test_several_addresses_in_the_mail_field(self) -> None:
        reading = changed("marina.prado@example.com", "um@example.com;dois@example.com")
        assert reading.orders[0].customer.email == "um@example.com"

    def test_an_order_number_of_the_items(self) -> None:
        reading = changed("<compra><xPed>10234</xPed></compra>", "")
        assert reading.orders[0].number == "10234"

    def test_a_wrong_check_digit_is_said(self) -> None:
        reading = changed("AB123456785BR", "AB123456789BR")
        assert outcomes(reading) == [(0, "10234", "warning")]
        assert [package.tracking_code for package in reading.orders[0].packages] == [None]
        assert "dígito verificador errado" in reading.lines[0].reason

    def test_text_without_offset_is_the_merchants_clock(self) -> None:
        reading = changed("<dhEmi>2026-11-10T15:32:10-03:00", "<dhEmi>2026-11-10T15:32:10")
        assert reading.orders[0].ordered_at == datetime(2026, 11, 10, 18, 32, 10, tzinfo=UTC)

    def test_delivery_place_overrides_address_and_recipient(self) -> None:
        order = read(TWO_VOLUMES, "nota.xml").orders[0]
        assert order.customer.document == "11144477735"
        assert (order.recipient.name, order.address.street) == ("Maria das Dores Souza", "Rua dos Carijós")


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        pytest.param([("RASTREIO", "ab 123 456 785 br")], ["AB123456785BR"], id="a field named for it"),
        pytest.param([("OBJETO", "10088800012345")], ["10088800012345"], id="digits in a field named for it"),
        pytest.param([("CODIGO CLIENTE", "10088800012345")], [], id="a field of some other code"),
        pytest.param([("", "Obj AB123456785BR e AC876543216BR.")], ["AB123456785BR", "AC876543216BR"], id="by form"),
        pytest.param([("", "Rastreio: 10088800012345 obrigado")], ["10088800012345"], id="digits behind a label"),
        pytest.param(
            [("", "Cód. rastreamento: AB123456785BR / 10088800012345")],
            ["AB123456785BR", "10088800012345"],
            id="several behind a label",
        ),
        pytest.param([("", "NF 10088800012345 CNPJ 11222333000181")], [], id="bare digits without label"),
        pytest.param([("", f"Rastreio: {EXPECTED['01-normal.xml']['key']}")], [], id="the access key is no code"),
        pytest.param([("", "Rastreio disponivel no site")], [], id="a label and prose"),
        pytest.param([("", "XAB123456785BR")], [], id="inside a longer word"),
    ],
)
def test_codes_in_free_text(notes: list[tuple[str, str]], expected: list[str]) -> None:
    assert list(codes_in(notes, ReadOptions()).good) == expected


def test_a_merchants_own_patterns() -> None:
    notes = [("", "Volume despachado [V-20261110-77], ref. interna Z99-1")]
    options = ReadOptions(tracking_pattern=r"\[(V-[\d-]+)\]", order_pattern=r"interna (\S+)")
    assert codes_in(notes, options).good == ("V-20261110-77",)
    assert order_number_in(notes, options) == "Z99-1"


@pytest.mark.parametrize("pattern", ["sem grupo", "(aberto"])
def test_a_pattern_that_cannot_work_is_a_fault_of_the_configuration(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        ReadOptions(tracking_pattern=pattern)


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ([("PEDIDO", "10235")], "10235"),
        ([("", "Pedido da loja virtual: 10234. Cod. rastreio")], "10234"),
        ([("", "Nº do pedido: ML-2000/5.")], "ML-2000/5"),
        ([("", "PEDIDO #10242 ENTREGA")], "10242"),
        ([("", "Ordem de compra OC-2026/881.")], "OC-2026/881"),
        ([("", "ped. 998877")], "998877"),
        ([("", "Order: A1001")], "A1001"),
        ([("", "Pedido efetuado em 10/11/2026")], None),
        ([("", "Pedido de 10/11/2026 numero 5512")], None),
        ([("", "Produto expedido 123456")], None),
        ([("", "Documento emitido por ME ou EPP")], None),
    ],
)
def test_order_numbers_in_free_text(notes: list[tuple[str, str]], expected: str | None) -> None:
    assert order_number_in(notes, ReadOptions()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENTREGA ATÉ 21/11/2026", date(2026, 11, 21)),
        ("Previsão de entrega: 2026-11-21", date(2026, 11, 21)),
        ("entrega prevista para 21/11/26", date(2026, 11, 21)),
        ("Entrega até 31/02/2026", None),
        ("Emitida em 21/11/2026", None),
    ],
)
def test_promises_in_free_text(text: str, expected: date | None) -> None:
    assert promise_in([("", text)]) == expected

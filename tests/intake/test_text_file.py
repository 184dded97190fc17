"""A file read line by line says what the same bytes say when they are decoded at once."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.intake.support import read
from tracker.intake import text_file
from tracker.intake.decode import decode
from tracker.intake.text_file import LONGEST_LINE, TextFile, open_text


def opened(data: bytes) -> TextFile:
    text = open_text(io.BytesIO(data))
    assert text is not None
    return text


def whole(data: bytes) -> list[str]:
    lines = decode(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False], ids=["a last end", "no last end"])
def test_encodings_and_line_ends(encoding: str, end: str, last: bool) -> None:
    lines = ["Pedido;Endereço;Observação", "1;Rua São João;à vista", "", "2;Avenida 9 de Julho;R$ 1,00"]
    data = (end.join(lines) + end * last).encode(encoding)
    text = opened(data)
    assert list(text.lines()) == lines == whole(data)
    assert "".join(text.pages()).split("\n")[: len(lines)] == lines
    assert list(text.lines()) == lines  # as often as wanted


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufeff"), max_size=200))
def test_any_text(text: str) -> None:
    data = text.encode()
    assert "\x00" in decode(data) or list(opened(data).lines()) == whole(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("SÃ£o Paulo\nJoÃ£o", ["São Paulo", "João"], id="all of it twice"),
        pytest.param("SÃ£o Paulo\nJoão", ["São Paulo", "João"], id="a line twice"),
        pytest.param("PÃO\nAÇÚCAR Â", ["PÃO", "AÇÚCAR Â"], id="capitals that only look like it"),
    ],
)
def test_text_encoded_twice(text: str, expected: list[str]) -> None:
    assert list(opened(text.encode()).lines()) == expected == whole(text.encode())


def test_bytes_without_meaning_in_the_code_page() -> None:
    assert list(opened(b"S\xe3o\x81\x9d \x96 fim").lines()) == ["São\x81\x9d – fim"]


def test_a_character_over_the_end_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_file, "_PAGE", 3)
    data = ("é" * 50 + "\n" + "ã" * 50).encode()
    assert list(opened(data).lines()) == ["é" * 50, "ã" * 50]


def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() -> None:
    lines = list(opened(b"a" * (3 * LONGEST_LINE) + b"\nb\n" + b"c" * LONGEST_LINE + b"\n").lines())
    assert [len(line) for line in lines] == [LONGEST_LINE + 1, 1, LONGEST_LINE]


def test_nuls_are_no_text() -> None:
    assert open_text(io.BytesIO(b"a;b\n1;\x00\n")) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sep=;\nPedido;Cliente;CEP\n1;Ana;01310100", id="an instruction and no last end"),
        pytest.param('Pedido;Cliente;CEP\r\n1;"Ana";01310100\r\n', id="quotes around a name"),
        pytest.param('"Pedido"\t"Cliente"\t"CEP"\n"1"\t"Ana"\t"01310100"\n', id="tabs and quotes"),
        pytest.param('Pedido,Cliente,CEP\n1,Ana,"01310-100"\n', id="commas"),
        pytest.param('Pedido;Cliente;CEP\n\n1;"Ana";"01310100"\n;;\n', id="blank lines"),
        pytest.param("Pedido;Cliente;CEP\n1;Ana;01310100\nPedido;Cliente;CEP\n", id="the heading twice"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_one_order_however_it_was_saved(text: str, encoding: str) -> None:
    (order,) = read(text.encode(encoding)).orders
    assert (order.number, order.customer.name, order.address.postal_code) == ("1", "Ana", "01310100")

"""Bytes to text."""

from __future__ import annotations

import pytest

from tracker.intake.decode import decode, repair_double_encoding

TEXT = "Endereço;Número\nSão João – “Ávila” €"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="UTF-8 with mark"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16 with mark"),
        pytest.param(b"\xfe\xff" + TEXT.encode("utf-16-be"), id="UTF-16 big endian with mark"),
        pytest.param(TEXT.encode("utf-16-le"), id="UTF-16 without mark"),
        pytest.param(TEXT.encode("cp1252"), id="Windows-1252"),
    ],
)
def test_encodings(data: bytes) -> None:
    assert decode(data) == TEXT


def test_undefined_bytes_of_the_code_page_do_not_stop_the_file() -> None:
    assert decode(b"S\xe3o\x81\x9d") == "São\x81\x9d"


@pytest.mark.parametrize("wrong", ["latin-1", "cp1252"])
def test_text_encoded_twice_is_repaired(wrong: str) -> None:
    text = "Endereço São João é à vista"
    assert repair_double_encoding(text.encode().decode(wrong)) == text


@pytest.mark.parametrize("text", ["São João", "Ângela Â", "PÃO DE AÇÚCAR", "à § ã"])
def test_good_text_is_left_alone(text: str) -> None:
    assert repair_double_encoding(text) == text


def test_one_line_that_cannot_be_undone_does_not_keep_the_others() -> None:
    assert repair_double_encoding("SÃ£o Paulo\nð 🎁 SÃ£o") == "São Paulo\nð 🎁 SÃ£o"

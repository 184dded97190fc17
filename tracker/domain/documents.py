"""Brazilian identifiers: CPF, CNPJ, NF-e access key, S10 postal item code and CEP, read from whatever form people write.

Every function takes free text and returns the bare identifier, or None where it is not one; none of them raises.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import mul
from typing import Literal

from carriers.invoice import access_key, invoice_of

DocumentKind = Literal["cpf", "cnpj"]

_SEPARATORS = re.compile(r"[\s./\-]+")
_CNPJ_FORM = re.compile(r"[A-Z0-9]{12}[0-9]{2}", re.ASCII)
_S10_FORM = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)

_CPF_WEIGHTS = (tuple(range(10, 1, -1)), tuple(range(11, 1, -1)))
_CNPJ_WEIGHTS = ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_MIN_PADDED_DIGITS = 8  # a spreadsheet eats the leading zeros only; shorter values are some other number


def _check_digit(characters: str, weights: Sequence[int]) -> str:
    """Modulo 11 as CPF, CNPJ and the NF-e key use it; a letter counts as its code point minus 48 (IN RFB 2229/2024)."""
    remainder = (sum(map(mul, characters.encode("ascii"), weights)) - 48 * sum(weights)) % 11
    return "0" if remainder < 2 else str(11 - remainder)


def _digits_agree(value: str, weights: tuple[Sequence[int], Sequence[int]]) -> bool:
    body = value[:-2]
    first = _check_digit(body, weights[0])
    return value[-2:] == first + _check_digit(body + first, weights[1])


def bare(text: str) -> str:
    """The text in upper case without blanks, dots, slashes and hyphens."""
    return _SEPARATORS.sub("", text).upper()


def cpf(text: str) -> str | None:
    """The eleven digits of a valid CPF; equal digits are refused although their check digits agree."""
    value = bare(text)
    if len(value) != 11 or not _DIGITS.fullmatch(value) or len(set(value)) == 1:
        return None
    return value if _digits_agree(value, _CPF_WEIGHTS) else None


def cnpj(text: str) -> str | None:
    """The fourteen characters of a valid CNPJ; since July 2026 the first twelve may be letters."""
    value = bare(text)
    if not _CNPJ_FORM.fullmatch(value) or len(set(value)) == 1:
        return None
    return value if _digits_agree(value, _CNPJ_WEIGHTS) else None


def document(text: str, kind: DocumentKind | None = None) -> str | None:
    """A CPF or CNPJ, with the leading zeros a spreadsheet ate put back where the check digits then agree.

    `kind` is what the column says. A short number is read as a CNPJ only when the column says CNPJ, or when it is too
    long for a CPF.
    """
    value = bare(text)
    if not _DIGITS.fullmatch(value):
        return cnpj(value)
    if len(value) < _MIN_PADDED_DIGITS:
        return None
    if kind != "cnpj" and len(value) <= 11:
        return cpf(value.zfill(11))
    return cnpj(value.zfill(14)) if kind != "cpf" else None


def cnpj_root(value: str) -> str:
    """The first eight characters of a CNPJ: the same for every branch of one company."""
    return bare(value)[:8]


def nfe_key(text: str) -> str | None:
    """The 44 characters of an access key whose check digit agrees; any model (NF-e 55, NFC-e 65, CT-e 57)."""
    return access_key(text)


def invoice_of_key(key: str) -> tuple[str, str]:
    """Series and number, without leading zeros, that a valid access key carries."""
    invoice = invoice_of(key)
    return invoice.series, str(invoice.number)


def is_s10_form(code: str) -> bool:
    """Whether a bare code has the form of UPU standard S10: two letters, nine digits, two letters."""
    return _S10_FORM.fullmatch(code) is not None


def s10(text: str) -> str | None:
    """The bare S10 item code whose check digit agrees."""
    code = bare(text)
    return code if is_s10_form(code) and _s10_check_digit(code[2:10]) == code[10] else None


def _s10_check_digit(digits: str) -> str:
    """UPU S10: 11 minus the weighted sum modulo 11, where 10 becomes 0 and 11 becomes 5."""
    result = 11 - (sum(map(mul, digits.encode("ascii"), _S10_WEIGHTS)) - 48 * sum(_S10_WEIGHTS)) % 11
    return {10: "0", 11: "5"}.get(result, str(result))


def cep(text: str) -> str | None:
    """Eight digits of a postal code; a seven-digit number gets back its leading zero (the capital of São Paulo)."""
    value = bare(text)
    if not _DIGITS.fullmatch(value) or len(value) not in (7, 8):
        return None
    return value.zfill(8) if value.strip("0") else None

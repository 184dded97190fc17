"""Tracking codes as they stand in cells and in free text: one, several, damaged, or something that is no code."""

from __future__ import annotations

import re
from dataclasses import dataclass

from phonenumbers import SUPPORTED_REGIONS

from tracker.domain.documents import bare, is_s10_form, s10
from tracker.domain.order import MADE_UP
from tracker.domain.text import clean, is_placeholder
from tracker.domain.wrong_codes import mended_by
from tracker.intake.values import is_scientific, loses_digits, without_zero_cents

_CODE_FORM = re.compile(r"[A-Z0-9][A-Z0-9._/-]{5,49}", re.ASCII)
_MIN_DIGITS = 4  # words and service names have fewer
_SEVERAL = re.compile(r"\s*[/;,|\n]\s*|\s+")
_S10_IN_TEXT = re.compile(
    r"(?<![A-Z0-9])[A-Z]{2}[ .-]?\d{3}[ .-]?\d{3}[ .-]?\d{3}[ .-]?[A-Z]{2}(?![A-Z0-9])", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Codes:
    """The usable codes of a field in their order, and a sentence on each that is not usable."""

    good: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    """Those that are not usable, as the file has them; one for each sentence."""


NO_CODES = Codes()


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """Why no carrier can be asked about a package, in the merchant's language; `wrong` its code where that cannot be one."""

    reason: str
    wrong: str | None = None
    hint: str = ""
    """Whose code it may be: a sentence with a blank before it, or nothing."""


def doubtful_country(code: str | None, postal_code: str | None) -> str | None:
    """Why a number for an address in Brazil may be mistyped although its check digit is right; else None.

    A number of the Universal Postal Union's standard S10 ends in the ISO 3166-1 code of the country that issued it, which
    the check digit does not cover. Brazilian parcels may come with foreign numbers, so it is a doubt and no fault.
    """
    if not (code and postal_code) or not is_s10_form(code) or code[-2:] in SUPPORTED_REGIONS:
        return None
    return (
        f"O código {code} termina em {code[-2:]}, que não é a sigla de nenhum país (os do Brasil terminam em BR); foi aceito, "
        "mas confira-o na etiqueta."
    )


def looks_like_code(code: str) -> bool:
    """Whether an upper-case text without blanks may be a tracking code: six or more characters, four of them digits."""
    return _CODE_FORM.fullmatch(code) is not None and sum(map(str.isdigit, code)) >= _MIN_DIGITS


def s10_in_text(text: str) -> list[str]:
    """Everything in a text that has the S10 form, bare and in upper case, right check digit or not."""
    return list(dict.fromkeys(bare(match[0]) for match in _S10_IN_TEXT.finditer(text)))


def codes_of(cell: str, *, accept_bad_check_digits: bool = False, column_keeps_digits: bool = False) -> Codes:
    """The codes of one field. `column_keeps_digits`: its column is known to hold long numbers undamaged."""
    text = clean(cell) if "\n" not in cell else cell.strip()
    if is_placeholder(text):
        return NO_CODES
    good: list[str] = []
    refused: dict[str, str] = {}
    for code in _split(text):
        if not any(char.isdigit() for char in code):
            code = text  # words, which are told as they stand
        problem = _problem(code, accept_bad=accept_bad_check_digits, keeps_digits=column_keeps_digits)
        if problem:
            refused[code] = problem
        elif code not in good:
            good.append(code)
    return Codes(tuple(good), tuple(refused.values()), tuple(refused))


def entered_without(reason: str, number: str, code: str) -> str:
    """A sentence on a code that was left out, with the command that puts the right one in its place."""
    return f"{reason}; o pedido entrou sem ele, e o certo entra com {_mended(number, code)}"


def wrong_at_carrier(reason: str, number: str, code: str) -> str:
    """The same of a code that its carrier does not know the form of; *reason* is a whole sentence."""
    return f"{reason.rstrip('.')}, ou digite {_mended(number, code)}."


def _mended(number: str, code: str) -> str:
    return mended_by(code if number.startswith(MADE_UP) else number)


def _split(text: str) -> list[str]:
    upper = text.upper()
    # "AB 123 456 785 BR" is one code, "AB123456785BR AC876543216BR" are two, a page's address holds one.
    if is_s10_form(bare(upper)):
        return [bare(upper)]
    if is_scientific(text):
        return [text]
    parts = [part for part in _SEVERAL.split(upper) if part]
    if len(parts) > 1 and all(is_s10_form(bare(part)) or looks_like_code(part) for part in parts):
        return [bare(part) if is_s10_form(bare(part)) else part for part in parts]
    if inside := s10_in_text(upper):
        return inside
    return [without_zero_cents(re.sub(r"\s+", "", upper))]


def _problem(code: str, *, accept_bad: bool, keeps_digits: bool) -> str | None:
    if is_scientific(code):
        return (
            f"o código de rastreio {code} perdeu algarismos na planilha (notação científica); "
            "formate a coluna como texto e exporte o arquivo de novo"
        )
    if is_s10_form(code):
        if accept_bad or s10(code):
            return None
        return f"o código de rastreio {code} tem o dígito verificador errado; confira-o na etiqueta"
    if loses_digits(code) and not keeps_digits:
        return (
            f"o código de rastreio {code} tem zeros depois do 15º algarismo, sinal de que a planilha apagou o final; "
            "formate a coluna como texto e exporte o arquivo de novo"
        )
    if not looks_like_code(code):
        return f'"{code[:40]}" não tem forma de código de rastreio; corrija-o ou deixe a coluna vazia'
    return None

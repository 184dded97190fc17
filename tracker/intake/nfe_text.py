"""What merchants write into the free text of an NF-e, for which the layout has no field: codes, order number, promise.

The access key, CNPJs and invoice numbers stand in the same text, so bare digits count only behind a label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from tracker.domain.documents import bare, is_s10_form, nfe_key, s10
from tracker.domain.text import clean, fold, without_accents
from tracker.intake import values
from tracker.intake.codes import Codes, codes_of, looks_like_code, s10_in_text
from tracker.intake.options import MAX_NUMBER_LENGTH, ReadOptions

_CODE_FIELD = re.compile(r"rastre|tracking|objeto|codigo")
_OTHER_CODES = re.compile(r"cliente|produto|vendedor|pedido|barras|operador")
_ORDER_FIELD = re.compile(r"pedido|order|ordem de compra")
_LABELLED_CODES = re.compile(
    r"\b(?:rastreio|rastreamento|tracking|objeto|etiqueta)\s*(?:n[ro.]*\s*)?[:#=-]?\s*"
    r"([A-Z0-9][A-Z0-9-]{7,39}\b(?:\s*[/;,|]\s*[A-Z0-9][A-Z0-9-]{7,39}\b)*)(?![A-Z0-9-])",
    re.IGNORECASE | re.ASCII,
)
_ORDER_LABEL = re.compile(
    r"\b(?:ordem\s+de\s+compra|pedido|ped\.?|order|oc)(?:\s+(?:da|do|de|na|no|loja|virtual|web|site|cliente|compra|"
    r"venda|numero|n[o.]?|num\.?|nro\.?|id))*\s*(?:[:#=]\s*)*\s*#?([A-Z0-9][A-Z0-9./-]{2,59})",
    re.IGNORECASE | re.ASCII,
)
_PROMISE = re.compile(
    r"\b(?:entregar?|previsao(?:\s+de\s+entrega)?|prazo(?:\s+de\s+entrega)?|prometid[oa])"
    r"(?:\s+(?:ate|para|prevista|em|dia|o))*\s*[:=-]?\s*(\d{1,2}/\d{1,2}/\d{2,4}|\d{4}-\d{2}-\d{2})\b",
    re.IGNORECASE | re.ASCII,
)
_DATE_FORM = re.compile(r"\d{1,4}[/.-]\d{1,2}([/.-]\d{2,4})?")

Notes = Sequence[tuple[str, str]]
"""The note's free texts as (name of the field, text); `infCpl` comes with an empty name."""


def codes_in(notes: Notes, options: ReadOptions) -> Codes:
    """The tracking codes of a note: from a field named for them, else by postal form or behind a label."""
    named = [text for name, text in notes if _names_codes(name)]
    if named:
        found = codes_of(" / ".join(named), accept_bad_check_digits=options.accept_bad_check_digits)
        if found.good:
            return found
    good: dict[str, None] = {}
    refused: dict[str, str] = {}
    for _, text in notes:
        for candidate in (*s10_in_text(without_accents(text)), *_labelled(text, options)):
            _sort(candidate, good, refused, options)
    return Codes(tuple(good), tuple(refused.values()), tuple(refused))


def _names_codes(name: str) -> bool:
    folded = fold(name)
    return _CODE_FIELD.search(folded) is not None and _OTHER_CODES.search(folded) is None


def _labelled(text: str, options: ReadOptions) -> list[str]:
    plain = without_accents(clean(text))
    found = [part for match in _LABELLED_CODES.finditer(plain) for part in re.split(r"[/;,|]", match[1])]
    if options.tracking_pattern:
        found += [match[1] for match in re.finditer(options.tracking_pattern, text) if match[1]]
    return [part.strip().upper().rstrip("-") for part in found]


def _sort(candidate: str, good: dict[str, None], refused: dict[str, str], options: ReadOptions) -> None:
    code = bare(candidate) if is_s10_form(bare(candidate)) else candidate
    if is_s10_form(code) and not s10(code) and not options.accept_bad_check_digits:
        refused[code] = f"o código de rastreio {code} tem o dígito verificador errado; confira-o na etiqueta"
    elif looks_like_code(code) and nfe_key(code) is None:
        good[code] = None


def order_number_in(notes: Notes, options: ReadOptions) -> str | None:
    """The order number from a field named for it, from the merchant's own pattern, or behind a label in the text."""
    for name, text in notes:
        if name and _ORDER_FIELD.search(fold(name)) and (number := clean(text)) and len(number) <= MAX_NUMBER_LENGTH:
            return number
    for _, text in notes:
        if options.order_pattern and (match := re.search(options.order_pattern, text)) and match[1]:
            return clean(match[1])
        for label in _ORDER_LABEL.finditer(without_accents(clean(text))):
            number = label[1].rstrip("./-")
            if _may_be_number(number):
                return number
    return None


def _may_be_number(text: str) -> bool:
    has_digit = any(char.isdigit() for char in text)
    return has_digit and not _DATE_FORM.fullmatch(text) and not is_s10_form(bare(text))


def promise_in(notes: Notes) -> date | None:
    """The promised day, where the text says "entrega até 21/11/2026" or the like; an impossible date is no promise."""
    for _, text in notes:
        for match in _PROMISE.finditer(without_accents(clean(text))):
            try:
                return values.day(match[1])
            except values.BadValue:
                continue
    return None

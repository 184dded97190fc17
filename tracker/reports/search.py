"""What a person may mean by what they typed: a code, an order, an invoice, an address, a document, a telephone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tracker.domain.documents import bare, document, nfe_key
from tracker.domain.phones import e164
from tracker.domain.text import clean, email
from tracker.reports.identity import parse_id
from tracker.store.views_show import Near, Search

SHORTEST: Final = 3
"""A text shorter than this is like everything."""
_LEAD: Final = re.compile(r"^(?:#|pedido|nota fiscal|nota|nf-?e?|n[º°o]\.?)[\s:#]*", re.IGNORECASE)
"""What people write in front of a number."""


def read_search(what: str, codes: Iterable[str] = ()) -> Search:
    """Every reading of `what`; `codes` are how the configured carriers write it as a number of theirs."""
    text = clean(what)
    if "@" in text:
        return Search(email=email(text))
    key = nfe_key(text)
    if key is not None:
        return Search(codes=(key,), invoice_key=key)
    typed = parse_id(text) if text[:1].isalpha() else None
    return Search(
        codes=_unique(["".join(text.split()).upper(), bare(text), *codes]),
        numbers=_numbers(text),
        document=document(text),
        phone=e164(text),
        order_id=typed.row_id if typed is not None and typed.kind == "order" else None,
        shipment_id=typed.row_id if typed is not None and typed.kind == "shipment" else None,
    )


def searched_as(search: Search) -> list[str]:
    """What a search looked for, in the words of the person on the phone."""
    looked = (
        ("e-mail", search.email),
        ("chave da nota", search.invoice_key),
        ("código de rastreio", search.codes and not search.invoice_key),
        ("número do pedido ou da nota", search.numbers),
        ("CPF/CNPJ", search.document),
        ("telefone", search.phone),
    )
    return [name for name, reading in looked if reading]


def read_near(what: str) -> Near:
    """What may have been meant where nothing was found: the nearest spellings that a database can be asked for."""
    text = clean(what)
    digits = "".join(char for char in text if char.isdigit())
    if "@" in text:
        return Near(mailbox=text.partition("@")[0].lower() or None)
    letters = not digits and len(text) >= SHORTEST
    return Near(
        # A code that was misread in its last digit or its letters keeps the first eight digits.
        code=digits[:8] if len(digits) >= 8 and text[:1].isalpha() else None,
        number=_plain(text) if len(_plain(text)) >= SHORTEST and not letters else None,
        phone=digits[-8:] if len(digits) in {8, 9, 10, 11, 12, 13} and not text[:1].isalpha() else None,
        name=text.lower() if letters else None,
    )


def _numbers(text: str) -> tuple[str, ...]:
    """The number as written, without what stands in front of it, and as an invoice number (no dots, no leading zeros)."""
    plain = _plain(text)
    digits = bare(plain)
    invoice = [digits.lstrip("0")] if digits.isascii() and digits.isdigit() else []
    return _unique([text, plain, plain.upper(), *invoice])


def _plain(text: str) -> str:
    """A number without what people write in front of it."""
    while (shorter := _LEAD.sub("", text).strip()) != text:
        text = shorter
    return text


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))

"""What a person may mean by what they typed: a code, an order, an invoice, an address, a document, a telephone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tracker.domain.documents import bare, document, nfe_key
from tracker.domain.phones import e164
from tracker.domain.text import clean, email
from tracker.reports.identity import parse_id
from tracker.store.views_show import Search

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


def _numbers(text: str) -> tuple[str, ...]:
    """The number as written, without what stands in front of it, and as an invoice number (no dots, no leading zeros)."""
    plain = text
    while (shorter := _LEAD.sub("", plain).strip()) != plain:
        plain = shorter
    digits = bare(plain)
    invoice = [digits.lstrip("0")] if digits.isascii() and digits.isdigit() else []
    return _unique([text, plain, plain.upper(), *invoice])


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))

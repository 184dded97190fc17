"""The access key of an NF-e (chave de acesso), and the issuer, series and number that it holds.

Layout and check digit: Manual de Orientação do Contribuinte of the NF-e; letters in the CNPJ part since July 2026: Nota Técnica
Conjunta 2025.001. A character counts for the check digit by its ASCII code minus 48.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from carriers.base import RefKind, TrackingRef

_KEY = re.compile(r"[0-9]{6}[0-9A-Z]{12}[0-9]{26}")
_ISSUER = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
_INVOICE_MODELS = ("55", "65")
"""NF-e and NFC-e: what stands behind these places of the key otherwise is no invoice of a seller's."""
_PUNCTUATION = re.compile(r"[\s./\-]")
_SELLERS = ("55", "65")
"""The models NF-e and NFC-e; other keys of this form name freight documents (CT-e, MDF-e)."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """What names an invoice between companies: the issuer's CNPJ (14 characters, may hold letters), series and number."""

    issuer: str
    series: str
    number: int


def access_key(value: str) -> str | None:
    """The 44 characters of an access key in upper case, or None where form or check digit are wrong.

    Only blanks and punctuation are taken out: a key may hold letters.
    """
    key = _PUNCTUATION.sub("", value).upper()
    if not key.isascii() or not _KEY.fullmatch(key) or int(key[43]) != _check_digit(key[:43]):
        return None
    return key


def with_check_digit(first: str) -> str:
    """The access key of its first 43 characters."""
    return f"{first}{_check_digit(first)}"


def key_ref(value: str) -> TrackingRef | None:
    """An access key as what a carrier is asked by."""
    key = access_key(value)
    return TrackingRef(RefKind.INVOICE_KEY, key) if key else None


def key_or_invoice(value: str) -> TrackingRef | None:
    """The access key of an NF-e, or an invoice written `CNPJ/series/number`; None for anything else.

    For carriers that have no numbers of their own, or are asked for invoices beside them.
    """
    found = key_ref(value)
    if found is not None:
        return found if is_sellers(found.value) else None
    parts = value.rsplit("/", 2)
    return invoice_ref(*parts) if len(parts) == 3 else None


def is_sellers(key: str) -> bool:
    """Whether a valid access key names an invoice (NF-e, NFC-e) and no freight document."""
    return key[20:22] in _SELLERS


def invoice_of(key: str) -> Invoice:
    """Issuer, series and number of a valid access key."""
    return Invoice(key[6:20], key[22:25].lstrip("0") or "0", int(key[25:34]))


def cnpj_of(value: str) -> str | None:
    """The fourteen characters of a CNPJ, which may hold letters, without punctuation; None for another form."""
    found = _PUNCTUATION.sub("", value).upper()
    return found if _ISSUER.fullmatch(found) else None


def invoice_ref(issuer: str, series: str, number: str | int) -> TrackingRef | None:
    """Issuer, series and number as one reference, `12345678000195/1/4711`; None where one of them cannot be one.

    Leading zeros and blanks do not count: files write a series as `1`, `001` or ` 1`, and the number with 8 or 9 digits. An
    empty series is series 0.
    """
    cnpj = cnpj_of(issuer)
    digits = str(number).strip()
    if cnpj is None or not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        return None
    if int(digits) == 0:
        return None
    return TrackingRef(RefKind.INVOICE, f"{cnpj}/{series.strip().upper().lstrip('0') or '0'}/{int(digits)}")


def ref_of_key(key: str) -> TrackingRef | None:
    """The invoice that a valid access key names; None where it is the key of a freight document (CT-e, MDF-e)."""
    if key[20:22] not in _INVOICE_MODELS:
        return None
    found = invoice_of(key)
    return invoice_ref(found.issuer, found.series, found.number)


def _check_digit(first: str) -> int:
    total = sum((ord(character) - 48) * (2 + at % 8) for at, character in enumerate(reversed(first)))
    rest = total % 11
    return 0 if rest < 2 else 11 - rest

"""What Jadlog is asked by, and how its answers name what they are about: the two are joined by name, never by place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from carriers.base import RefKind, TrackingRef
from carriers.invoice import access_key, invoice_of, is_sellers, key_or_invoice
from carriers.payload import as_dict, text

CODE_FIELDS = ("codigo", "shipmentId")
_CODE = re.compile(r"[0-9]{14}")
_SHIPMENT_ID = "11"

Name = tuple[str, ...]
"""A field that names a parcel, and its value."""


def normalise(value: str) -> TrackingRef | None:
    """Fourteen digits (shape only: no check digit is known), a CT-e's key, an NF-e's key, or `CNPJ/series/number`."""
    code = re.sub(r"[\s.\-]+", "", value)
    if _CODE.fullmatch(code):
        return TrackingRef(RefKind.CODE, code)
    key = access_key(value)
    if key is not None and not is_sellers(key):
        return TrackingRef(RefKind.CODE, key)
    return key_or_invoice(value)


def question(ref: TrackingRef) -> dict[str, Any]:
    """How one parcel is asked for. Fourteen digits that begin with 11 are a shipment's, as several clients have seen."""
    if ref.kind is RefKind.INVOICE:
        issuer, series, number = ref.value.split("/")
        return {"df": {"nf": number, "serie": series, "tpDocumento": 1, "cnpjRemetente": issuer}}
    if ref.kind is RefKind.INVOICE_KEY:
        return {"df": {"danfe": ref.value, "cnpjRemetente": invoice_of(ref.value).issuer, "tpDocumento": 2}}
    if not _CODE.fullmatch(ref.value):
        return {"cte": ref.value}
    return {CODE_FIELDS[ref.value.startswith(_SHIPMENT_ID)]: ref.value}


def other_question(asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """The less likely way to ask for a code; None for what is not ambiguous."""
    for field, other in (CODE_FIELDS, CODE_FIELDS[::-1]):
        if field in asked:
            return {other: asked[field]}
    return None


def names(item: Mapping[str, Any]) -> Iterator[Name]:
    """What names the parcel in a question, or in the echo of it that an answer begins with."""
    for field in (*CODE_FIELDS, "cte"):
        if value := text(item.get(field)):
            yield field, value
    invoice = as_dict(item.get("df"))
    if danfe := text(invoice.get("danfe")):
        yield "danfe", danfe
    if number := text(invoice.get("nf")):
        yield "nf", text(invoice.get("cnpjRemetente")), text(invoice.get("serie")).lstrip("0"), number.lstrip("0")


def names_of_answer(item: Mapping[str, Any]) -> Iterator[Name]:
    """The echo of the question; where there is none, what the parcel itself is called."""
    echo = list(names(item))
    yield from echo or names(as_dict(item.get("tracking")))

"""Reads what the claims API answers, in every spelling it has been seen or described in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from carriers.base import (
    CarrierConfigError,
    ClaimAnswer,
    ClaimKind,
    ClaimOutcome,
    ClaimProgress,
    ClaimStatus,
    PermanentCarrierError,
    ReopenAnswer,
    ReopenOutcome,
    TransientCarrierError,
)
from carriers.correios import returns
from carriers.correios.auth import ZONE
from carriers.dates import parse_day
from carriers.payload import canonical, plain
from carriers.redact import redact

API = "Pedido de Informação"
KINDS = {ClaimKind.INFORMATION_REQUEST: "R", ClaimKind.REFUND: "I"}

_SERVICE_LEVEL = "nivel de servico"
_PAYMENT = re.compile(
    r"(?<!nao )\b(foi|foram) (devidamente )?(pag|creditad|depositad|ressarcid|indenizad)[ao]s?\b"
    r"|\bpagamento (ja )?(efetuado|realizado|concluido)\b|\bhouve (a )?indenizacao\b"
)
"""Words that say a payment has been made; "será creditada" only promises it."""
_ABOUT_PAYING = re.compile(r"indeniza|ressarci|credit")
_PAYMENT_LOOKS = (timedelta(days=30),) * 2
"""Where the payment's term names no readable day: resellers tell their customers 30 to 60 days after acceptance."""


def keyed(value: Any) -> dict[str, Any]:
    """*value* by normalised keys, so that every spelling of the manual and of the older service is one.

    Split into words at blanks and at camelCase humps, accents and the words do, da, de dropped, joined in lower case:
    `numero do pi` and `numeroPi` are `numeropi`, `Data de Abertura PI` is `dataaberturapi`. What is no object is {}.
    """
    if not isinstance(value, dict):
        return {}
    result: dict[str, Any] = {}
    for key, item in value.items():
        words = plain(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", key)).split()
        result.setdefault("".join(word for word in words if word not in ("do", "da", "de")), item)
    return result


def read_item(item: Mapping[str, Any], raw: bytes) -> ClaimAnswer:
    """The answer to one claim, judged by its own code. *item* has normalised keys."""
    code = code_of(item.get("codigoretorno"))
    text = redact(str(item.get("descricaoretorno") or ""))
    protocol = read_protocol(first(item, "numeropi", "numerodopi"))
    row = returns.UNLISTED if code is None else returns.RETURNS.get(code, returns.UNLISTED)
    outcome = row.outcome
    service_level = outcome not in (ClaimOutcome.REGISTERED, ClaimOutcome.ALREADY_OPEN) and _SERVICE_LEVEL in plain(
        text
    )
    if service_level:
        outcome = ClaimOutcome.REFUSED
    elif code == returns.DELIVERED_INSTEAD and protocol:
        # One reseller saw claims opened in spite of this refusal: a number that exists must not be lost.
        outcome = ClaimOutcome.REGISTERED
    return ClaimAnswer(
        outcome,
        code=str(item.get("codigoretorno") if code is None else code),
        text=text,
        raw=raw,
        protocol=protocol,
        after_due=row.after_due,
        after_event=row.after_event,
        look_first=row.look_first and not service_level,
        waits=() if service_level else row.waits,
        service_level=service_level,
        otherwise=row.otherwise,
        window_passed=row.window_passed,
        carrier_fault=row.carrier_fault,
    )


def read_reopening(item: Mapping[str, Any], raw: bytes) -> ReopenAnswer:
    """The answer to one reopening, judged by its own code. *item* has normalised keys."""
    code = code_of(item.get("codigoretorno"))
    text = redact(str(item.get("descricaoretorno") or ""))
    row = returns.UNLISTED_AGAIN if code is None else returns.REACTIVATIONS.get(code, returns.UNLISTED_AGAIN)
    service_level = row.outcome is not ReopenOutcome.REOPENED and _SERVICE_LEVEL in plain(text)
    outcome = ReopenOutcome.REFUSED if service_level else row.outcome
    waits, not_before = row.waits, None
    if row.payment_term:
        not_before = _date_in(text)
        waits = () if not_before else _PAYMENT_LOOKS
    return ReopenAnswer(
        outcome,
        code=str(item.get("codigoretorno") if code is None else code),
        text=text,
        raw=raw,
        protocol=read_protocol(first(item, "numeropi", "numerodopi")),
        not_before=not_before,
        after_answer=row.after_answer,
        after_event=row.after_event and not service_level,
        look_first=row.look_first and not service_level,
        waits=() if service_level else waits,
        otherwise=row.otherwise,
        service_level=service_level,
        carrier_fault=row.carrier_fault,
    )


def _date_in(text: str) -> date | None:
    """The one date that a text names; None where it names none, or several."""
    found = set(re.findall(r"\b[0-9]{2}/[0-9]{2}/[0-9]{4}\b", text))
    try:
        return parse_day(found.pop(), ZONE) if len(found) == 1 else None
    except ValueError:
        return None


def granted_cents(text: str) -> int | None:
    """The indemnity that an answer names: one amount written out in full, in a text about paying; else None."""
    if not _ABOUT_PAYING.search(plain(text)):
        return None
    found = re.findall(r"R\$\s*([0-9]{1,3}(?:\.[0-9]{3})*,[0-9]{2})(?![0-9])", text)
    if len(found) != 1 or len(re.findall(r"R\$", text)) != 1:
        return None
    return int(re.sub(r"[.,]", "", found[0]))


def read_status(carrier: str, payload: Any) -> ClaimStatus:
    """What `acompanha` says. Raises CarrierConfigError (122), TransientCarrierError (999) or PermanentCarrierError."""
    data = keyed(payload)
    try:
        raw = canonical(payload)
    except TypeError as exc:
        raise PermanentCarrierError(carrier, f"{API}: answer cannot be kept ({exc})") from exc
    code = code_of(data.get("codigoretorno", 0))
    text = redact(str(data.get("descricaoretorno") or ""))
    match code:
        case 0:
            try:
                return _read_claim(data, raw)
            except (AttributeError, TypeError, ValueError) as exc:
                raise PermanentCarrierError(carrier, f"{API}: claim cannot be read: {redact(str(exc))}") from exc
        case 4 | 990:
            return ClaimStatus(ClaimProgress.NONE, raw, text=text, code=str(code))
        case 631:
            return ClaimStatus(ClaimProgress.NOT_FOLLOWED, raw, text=text, code=str(code))
        case 122:
            hint = "the object is not of this contract and posting_card; compare both with the portal"
            raise CarrierConfigError(carrier, f"{API}: {hint} (122: {text})")
        case 999:
            raise TransientCarrierError(carrier, f"{API}: processing error (999: {text})")
        case _:
            raise PermanentCarrierError(carrier, f"{API}: look-up refused ({code}: {text})")


def _read_claim(data: Mapping[str, Any], raw: bytes) -> ClaimStatus:
    kinds = {letter: kind for kind, letter in KINDS.items()}
    text = redact(word(data.get("mensagemultimaresposta")))
    first_motive = word(data.get("motivoreclamacaoinicial")) or None
    return ClaimStatus(
        progress=_progress(data),
        raw=raw,
        protocol=read_protocol(first(data, "numeropi", "numerodopi")),
        motive=word(data.get("motivoreclamacaofinal")) or first_motive,
        first_motive=first_motive,
        kind=kinds.get(word(data.get("tipomanifestacao")).upper()),
        opened_on=_day(data, "dataaberturapi"),
        answered_on=_day(data, "dataultimaresposta"),
        due_on=_day(data, "datamaximaentrega"),
        reopened_on=_day(data, "dataultimarecorrencia") if _flag(data.get("houverecorrencia")) else None,
        last_event=_last_event(data),
        last_event_on=_day(data, "dataultimoevento"),
        posted_on=_day(data, "datapostagemobjeto"),
        posted_after_cutoff=_flag(data.get("postagemdepoishora")),
        service_level=_flag(data.get("indicaseamanifestacaofoiregistradapelonivelservico")) is True,
        granted_cents=granted_cents(word(data.get("mensagemultimaresposta"))),
        reopening_text=redact(word(data.get("mensagemultimarecorrencia"))),
        text=text,
        carrier_state=word(data.get("situacaomanifestacao")) or None,
        code="0",
    )


def _last_event(data: Mapping[str, Any]) -> str | None:
    """As tracking writes it. Here the pair is swapped: `tipo` holds the letters and `codigo` the number."""
    letters, number = word(data.get("tipoultimoevento")).upper(), word(data.get("codigoultimoevento"))
    return f"{letters}-{number.zfill(2)}" if letters and number else None


def _flag(value: Any) -> bool | None:
    return {"S": True, "N": False}.get(word(value).upper())


def _progress(data: Mapping[str, Any]) -> ClaimProgress:
    """How far the claim is. The carrier's own state word is not documented, so dates and flags decide."""
    # Here the pair is swapped against tracking: `tipo` holds the letters and `codigo` the number.
    if word(data.get("tipoultimoevento")).upper() == "IDC":
        return ClaimProgress.PAID
    answered_on, reopened_on = _day(data, "dataultimaresposta"), _day(data, "dataultimarecorrencia")
    if answered_on is None:
        return ClaimProgress.OPEN
    reopened = word(data.get("houverecorrencia")).upper() == "S"
    if reopened and reopened_on is not None and reopened_on >= answered_on:
        return ClaimProgress.REOPENED
    if _PAYMENT.search(plain(word(data.get("mensagemultimaresposta")))):
        return ClaimProgress.PAID
    verdicts = {"S": ClaimProgress.ACCEPTED, "N": ClaimProgress.REJECTED}
    return verdicts.get(word(data.get("indicativoprocedencia")).upper(), ClaimProgress.ANSWERED)


def read_protocol(value: Any) -> str | None:
    """The claim's number; None for anything not numeric (the API has been seen to send the letter `f`) and for zero."""
    text = word(value)
    return text if re.fullmatch(r"0*[1-9][0-9]*", text) else None


def code_of(value: Any) -> int | None:
    """A return code from `0`, `"0"` or `"00"`; None where there is none."""
    text = word(value)
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _day(data: Mapping[str, Any], key: str) -> date | None:
    text = word(data.get(key))
    return parse_day(text, ZONE) if text else None


def first(data: Mapping[str, Any], *keys: str) -> Any:
    return next((data[key] for key in keys if data.get(key) not in (None, "")), None)


def word(value: Any) -> str:
    return "" if value is None or isinstance(value, bool | dict | list) else str(value).strip()

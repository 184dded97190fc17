"""Correios tracking (SRO Rastro): `GET /srorastro/v1/objetos`, up to 50 objects a call, all events of each.

Description 3.5.38 of the API and notes of public integrations, read November 2026. Limits seen: 50 calls a second a
contract; we ask for five. Known gaps: only objects of the credential's own contract are shown, and how long Correios
keeps events is not written anywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import Any

import orjson

from carriers.base import (
    AnswerOutcome,
    Cause,
    Heard,
    PermanentCarrierError,
    RefKind,
    TrackingAnswer,
    TrackingEvent,
    TrackingRef,
    TrackingStatus,
    TrackingTerms,
    UnreadAnswer,
)
from carriers.correios import codes
from carriers.correios.auth import ZONE, Access
from carriers.correios.wire import explain
from carriers.dates import parse_day, parse_instant
from carriers.http import CarrierHttp
from carriers.payload import Names, canonical, without
from carriers.redact import redact

PATH = "/srorastro/v1/objetos"
API = "SRO Rastro (API 87)"
# Exactly so: a missing header, `*` or a weighted list is answered by 400 SRO-018 on every call.
LANGUAGE = {"Accept-Language": "pt-BR", "Accept": "application/json"}

BATCH_SIZE = 50
CALLS_PER_BATCH = 24
"""Two poisonous codes among fifty are isolated by 23 calls; beyond that the fault is not in a code."""

MAX_DECLARED_VALUE = Decimal(10_000_000)
"""In reais. The highest limit of any service is ten thousand: what is far beyond it is no amount of money."""

READING = "1"
"""Counts up whenever this file reads the same bytes differently."""

TERMS = TrackingTerms(
    ref_kinds=(RefKind.CODE,),
    batch_size=BATCH_SIZE,
    requests_per_second=5.0,
    timezone=ZONE.key,
    reading_version=f"{READING}-{codes.TABLE_VERSION}",
    presumed_loss_business_days={"SEDEX": 7, "": 10},
    terms_source="silence of 7 (SEDEX) or 10 business days, as resellers of Correios contracts count it; not published",
)

PERSONAL = frozenset(
    {
        "recebedor",
        "destinatario",
        "remetente",
        "entregadorexterno",
        "usuario",
        "carteiro",
        "latitude",
        "longitude",
        "comentario",  # free text, where a name or a document may stand
    }
)
"""Keys (lower case) that are dropped before an answer is kept as evidence: a claim needs none of them."""

_PERSONAL = Names(PERSONAL)

_OUTCOMES = {
    "SRO-020": AnswerOutcome.NOT_FOUND,
    "SRO-009": AnswerOutcome.OTHER_ACCOUNT,
    "SRO-019": AnswerOutcome.INVALID_NUMBER,
}
_WRONG_LANGUAGE = "SRO-018"

_S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)

LONGEST_KNOWN = 120
"""Letters of texts that are remembered with their reading: more is no usual event, and fills no memory."""

_AT_THE_DOOR = (Cause.ABSENT, Cause.REFUSED, Cause.WRONG_ADDRESS)


class CorreiosTracking:
    """Asks about objects and reads the answers; holds no state."""

    def __init__(self, carrier: str, http: CarrierHttp, access: Access) -> None:
        self.tracking_terms = TERMS
        self._carrier = carrier
        self._http = http
        self._access = access

    def normalise(self, value: str) -> TrackingRef | None:
        """The object code in its S10 form (Universal Postal Union), or None where form or check digit are wrong."""
        return normalise(value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
        """All events of up to 50 objects, each object's answer to be read where it says something new.

        A code that spoils its batch (HTTP 400 for all) is found by halving the batch and answered as ERROR, alone.
        Raises ValueError for a batch too big or of another kind of number, otherwise as `TrackingAdapter.track`.
        """
        asked = tuple(dict.fromkeys(refs))
        if len(asked) > BATCH_SIZE:
            raise ValueError(f"at most {BATCH_SIZE} numbers a call, not {len(asked)}")
        if any(ref.kind is not RefKind.CODE for ref in asked):
            raise ValueError("Correios is asked by object code only")
        return await self._halving(asked) if asked else {}

    async def _halving(self, asked: tuple[TrackingRef, ...]) -> dict[TrackingRef, Heard]:
        answers: dict[TrackingRef, Heard] = {}
        parts, refused, first_refusal = [asked], 0, None
        for _ in range(CALLS_PER_BATCH):
            if not parts:
                break
            part = parts.pop()
            try:
                answers |= await self._ask(part)
                continue
            except PermanentCarrierError as exc:
                if exc.http_status != 400 or _WRONG_LANGUAGE in exc.message:
                    raise
                refusal, first_refusal = exc, first_refusal or exc
            if len(part) == 1:
                refused += 1
                answers[part[0]] = _error(part[0], refusal.message)
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
        # Nothing but refusals: then it is not a code that is wrong, and fifty errors would hide that.
        if first_refusal is not None and len(asked) > 1 and refused == len(answers):
            raise first_refusal
        for ref in asked if len(answers) < len(asked) else ():
            answers.setdefault(ref, _error(ref, "its batch was refused and the code to blame was not found"))
        return answers

    async def _ask(self, part: tuple[TrackingRef, ...]) -> dict[TrackingRef, Heard]:
        params = [("codigosObjetos", ref.value) for ref in part] + [("resultado", "T")]

        async def send(headers: dict[str, str]) -> Any:
            answer = await self._http.request_json(
                "GET",
                PATH,
                idempotent=True,
                params=params,
                headers=LANGUAGE | headers,
                explain=explain,
                family="tracking",
            )
            return answer.data

        return hear(self._carrier, part, await self._access.call(API, send))


def normalise(value: str) -> TrackingRef | None:
    """See `CorreiosTracking.normalise`. `rr 473.124.829-gb` is RR473124829GB; RR473124820GB is nothing."""
    code = re.sub(r"[\s.\-]", "", value).upper()
    if not _S10.fullmatch(code) or int(code[10]) != check_digit(code[2:10]):
        return None
    return TrackingRef(RefKind.CODE, code)


def check_digit(serial: str) -> int:
    """The ninth digit of an object code (UPU S10), from the eight before it."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)


def hear(carrier: str, refs: Sequence[TrackingRef], payload: Any) -> dict[TrackingRef, Heard]:
    """One answer for each of *refs* from the JSON of a call; objects are matched by their code, never by position.

    An object that cannot be read is an ERROR of its own. Raises PermanentCarrierError where there is no list of objects.
    """
    objects = payload.get("objetos") if isinstance(payload, dict) else None
    if not isinstance(objects, list):
        raise PermanentCarrierError(carrier, "tracking answer has no list of objects (objetos)")
    by_code: dict[str, dict[str, Any]] = {}
    for item in objects:
        if isinstance(item, dict) and isinstance(code := item.get("codObjeto"), str):
            by_code.setdefault(code.strip().upper(), item)
    return {
        ref: _unread(ref, by_code[ref.value])
        if ref.value in by_code
        else _error(ref, "the answer does not mention this object")
        for ref in refs
    }


def _unread(ref: TrackingRef, item: dict[str, Any]) -> Heard:
    try:
        said = canonical(item)
    except TypeError:  # nested beyond what can be written again: reading says so
        return read_object(ref, item)
    # Of the bytes, not of *item*: most are never read, and decoded an object takes many times the room.
    return UnreadAnswer(said, partial(_read_again, ref, said))


def _read_again(ref: TrackingRef, said: bytes) -> TrackingAnswer:
    return read_object(ref, orjson.loads(said), said)


def read_object(ref: TrackingRef, item: dict[str, Any], said: bytes | None = None) -> TrackingAnswer:
    """What Correios says of one object; never raises for what the carrier wrote. *said*: its canonical bytes, if known."""
    raw = b""
    try:
        # A message is a sentence of the carrier's and may quote anybody; it is kept as we would show it.
        message = redact(said_text) if (said_text := _text(item.get("mensagem"))) else ""
        if message:
            item = {**item, "mensagem": message}
        elif said is not None and not _PERSONAL.may_be_in(item):
            raw = said
        raw = raw or canonical(without(item, PERSONAL))
        events = item.get("eventos") or []
        if not isinstance(events, list):
            raise ValueError("eventos is not a list")
        if message and not events:
            outcome = _OUTCOMES.get(message[:7].upper(), AnswerOutcome.ERROR)
            return TrackingAnswer(ref, outcome, raw, message=message)
        return _found(ref, raw, item, _in_order(events))
    except (AttributeError, TypeError):
        return _error(ref, "object cannot be read: a field is of another kind than it should be", raw)
    except KeyError as exc:
        return _error(ref, redact(f"object cannot be read: the field {exc} is missing"), raw)
    except ValueError as exc:
        return _error(ref, redact(f"object cannot be read: {exc}"), raw)


def _error(ref: TrackingRef, message: str, raw: bytes = b"") -> TrackingAnswer:
    return TrackingAnswer(ref, AnswerOutcome.ERROR, raw, message=message)


@dataclass(slots=True)
class _Notes:
    """Fields beside the history that could not be read: said in the answer, but the history stands."""

    unreadable: list[str] = field(default_factory=list)

    def day(self, item: dict[str, Any], key: str) -> date | None:
        text = item.get(key)
        if text in (None, ""):
            return None
        try:
            return parse_day(text, ZONE)
        except (AttributeError, TypeError, ValueError):
            self.unreadable.append(key)
            return None

    def cents(self, item: dict[str, Any], key: str) -> int | None:
        value = item.get(key)
        if value is None:
            return None
        try:
            amount = Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        except InvalidOperation:
            amount = Decimal("NaN")
        if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount <= MAX_DECLARED_VALUE:
            self.unreadable.append(key)
            return None
        return int(amount * 100)


def _found(ref: TrackingRef, raw: bytes, item: dict[str, Any], events: tuple[TrackingEvent, ...]) -> TrackingAnswer:
    notes = _Notes()
    return TrackingAnswer(
        ref,
        AnswerOutcome.FOUND,
        raw,
        events,
        due_on=notes.day(item, "dtPrevista"),
        service=_service(item.get("tipoPostal")),
        contract=_text(item.get("contrato")) or None,
        declared_value_cents=notes.cents(item, "valorDeclarado"),
        message=f"unreadable: {', '.join(notes.unreadable)}" if notes.unreadable else None,
    )


def _in_order(items: list[Any]) -> tuple[TrackingEvent, ...]:
    """Events oldest first, each once. The carrier lists newest first: that decides between events of one second."""
    events: dict[str, TrackingEvent] = {}
    for item in reversed(items):
        event = read_event(item)
        events.setdefault(event.key, event)
    return tuple(sorted(events.values(), key=lambda event: event.occurred_at))


def read_event(item: dict[str, Any]) -> TrackingEvent:
    """One event. Raises KeyError, TypeError, ValueError or AttributeError where it cannot be read."""
    codigo, tipo, text, reading, is_attempt = _word(item["codigo"], item["tipo"], item.get("descricao", ""))
    occurred_at = parse_instant(item["dtHrCriado"], ZONE)
    unit = _dict(item.get("unidade"))
    address = _dict(unit.get("endereco"))
    city, state, country = address.get("cidade", ""), address.get("uf", ""), address.get("pais", "")
    place, location = _where(unit.get("codSro", ""), city, state, country)
    # The local second, with whatever fraction or offset it came: a change of spelling must not make an old event new.
    local = occurred_at.astimezone(ZONE).isoformat()[:19]
    return TrackingEvent(
        key=_key(codigo, tipo, local, place),
        occurred_at=occurred_at,
        carrier_code=f"{codigo}-{tipo}",
        status=reading.status,
        description=text or reading.text,
        cause=reading.cause,
        location=location,
        final=reading.final,
        attempt=is_attempt,
        reversal=codigo == "EST",
        indemnified=codigo == "IDC",
        pickup_until=_pickup_until(item),
    )


Word = tuple[str, str, str, codes.Reading, bool]
"""What an event says beside when and where: `codigo`, `tipo` in two digits, its text, and what is read in them."""


def _word(codigo: Any, tipo: Any, descricao: Any) -> Word:
    is_usual = type(codigo) is str and type(tipo) is str and type(descricao) is str
    if is_usual and len(codigo) + len(tipo) + len(descricao) <= LONGEST_KNOWN:
        return _known_word(codigo, tipo, descricao)
    return _read_word(codigo, tipo, descricao)


def _read_word(codigo: Any, tipo: Any, descricao: Any) -> Word:
    code = codigo.strip().upper()
    number, tipo_text = _tipo(tipo)
    if not code:
        raise ValueError("event without a code")
    text = _text(descricao)
    reading = codes.read(code, number, text)
    return code, tipo_text, text, reading, _is_attempt(code, reading)


def _where(unit: Any, city: Any, state: Any, country: Any) -> tuple[str, str | None]:
    """The place by which an event is told from others of its second, and the one that is shown."""
    is_usual = type(unit) is str and type(city) is str and type(state) is str and type(country) is str
    if is_usual and len(unit) + len(city) + len(state) + len(country) <= LONGEST_KNOWN:
        return _known_where(unit, city, state, country)
    return _read_where(unit, city, state, country)


def _read_where(unit: Any, city: Any, state: Any, country: Any) -> tuple[str, str | None]:
    city, state = _text(city), _text(state)
    shown = "/".join(part for part in (city, state) if part) or _text(country) or None
    return _text(unit) or f"{city}/{state}", shown


# Read by nothing but these texts, by the one table there is: the same words mean the same in every answer.
_known_word = lru_cache(2_000)(_read_word)
"""There are some four hundred pairs, most of them with one text; nearly all events are of a dozen."""
_known_where = lru_cache(4_000)(_read_where)
"""Of some ten thousand units those that see most of the traffic."""


def _tipo(value: Any) -> tuple[int | None, str]:
    """`tipo` as number and in two digits; tracking sends a padded string, and now and then a bare number."""
    text = str(value).strip().upper() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text:
        raise ValueError("event without a tipo")
    if text.isascii() and text.isdigit():
        return int(text[:9]), f"{int(text[:9]):02d}"
    return None, text


def _key(*fields: str) -> str:
    return hashlib.blake2b("\x1f".join(fields).encode(), digest_size=16).hexdigest()


def _is_attempt(codigo: str, reading: codes.Reading) -> bool:
    """Whether the delivery term ends here: with delivery, first attempt or pickup, whichever comes first."""
    match reading.status:
        case TrackingStatus.DELIVERED | TrackingStatus.AVAILABLE_FOR_PICKUP:
            return True
        case TrackingStatus.DELIVERY_FAILED:
            return reading.cause is not Cause.DELAY  # BDE 46: the carrier did not come
        case TrackingStatus.RETURNING:
            return codigo in codes.DELIVERY and reading.cause in _AT_THE_DOOR
        case _:
            return False


def _pickup_until(item: dict[str, Any]) -> date | None:
    text = item.get("dtLimiteRetirada")
    return parse_day(text, ZONE) if text else None


def _service(postal_type: Any) -> str | None:
    """SEDEX for its whole family (SEDEX 10, SEDEX HOJE...), PAC, otherwise the carrier's own word."""
    category = _text(_dict(postal_type).get("categoria"))
    words = category.upper().split()
    if "SEDEX" in words:
        return "SEDEX"
    if words in (["ENCOMENDA", "PAC"], ["PAC"]):
        return "PAC"
    return category or None


def _text(value: Any) -> str:
    """*value* on one line; numbers are taken for the text they would have been, anything else for none."""
    if isinstance(value, str):
        return " ".join(value.split())
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

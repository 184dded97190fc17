"""The parcels of the measurements: their numbers, and what the simulated carrier says of each (about 3 KB)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson

EVENTS: Final = 9
"""So many events of a parcel under way make about three kilobytes."""
SHARE: Final = 10
"""In each round of news one parcel in so many has a new event."""
START: Final = datetime(2026, 11, 16, 12, tzinfo=UTC)
"""A Monday: when the first parcel was posted, as the carrier tells it (three hours earlier by local time)."""
_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)
_PLACES: Final = (("CURITIBA", "PR"), ("CAMPINAS", "SP"), ("SALVADOR", "BA"), ("RECIFE", "PE"), ("MANAUS", "AM"))


def code_of(number: int) -> str:
    """The S10 code of the parcel with this number (Universal Postal Union, weights 8 6 4 2 3 5 9 7)."""
    serial = f"{number:08d}"
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(serial, _WEIGHTS, strict=True)) % 11
    return f"AB{serial}{ {10: 0, 11: 5}.get(rest, rest) }BR"


def number_of(code: str) -> int:
    """The parcel behind a code of `code_of`."""
    return int(code[2:10])


def due_on(number: int) -> date:
    """The carrier's due date: one parcel in five is late already, the others have a week."""
    return (START + timedelta(days=4 if number % 5 == 0 else 20)).date()


def news(number: int, round_: int) -> int:
    """How many events this parcel has had, beyond the first ones, up to this round."""
    return sum(number % SHARE == past % SHARE for past in range(1, round_ + 1))


@lru_cache(maxsize=100_000)
def _object(number: int, extra: int) -> bytes:
    events = [_event(number, place) for place in range(EVENTS + extra)]
    fields = {
        "codObjeto": code_of(number),
        "tipoPostal": {"sigla": "AB", "descricao": "ETIQUETA LOGICA PAC", "categoria": "ENCOMENDA PAC"},
        "dtPrevista": f"{due_on(number)}T23:59:59",
        "contrato": "9912000001",
        "largura": 16,
        "comprimento": 24,
        "altura": 12,
        "diametro": 0,
        "peso": 0.65,
        "formato": "Pacote",
        "modalidade": "F",
        "valorDeclarado": 189.9,
        "eventos": events[::-1],
    }
    return orjson.dumps(fields)


def _event(number: int, place: int) -> dict[str, Any]:
    at = START - timedelta(hours=3) + timedelta(hours=11 * place, seconds=number % 3000)
    city, state = _PLACES[(number + place) % len(_PLACES)]
    to_city, to_state = _PLACES[(number + place + 1) % len(_PLACES)]
    if place == 0:
        code, text, kind = "PO", "Objeto postado", "Agência dos Correios"
    else:
        code, text, kind = "RO", "Objeto em transferência - por favor aguarde", "Unidade de Tratamento"
    return {
        "codigo": code,
        "tipo": "01",
        "dtHrCriado": at.strftime("%Y-%m-%dT%H:%M:%S"),
        "descricao": text,
        "unidade": {"codSro": f"{80010970 + place}", "tipo": kind, "endereco": {"cidade": city, "uf": state}},
        "unidadeDestino": {"tipo": "Unidade de Tratamento", "endereco": {"cidade": to_city, "uf": to_state}},
    }


def body_of(codes: list[str], round_: int) -> bytes:
    """The carrier's answer about these codes in this round."""
    objects = [_object(number_of(code), news(number_of(code), round_)) for code in codes]
    return b'{"versao":"3.5.38","quantidade":%d,"objetos":[%s]}' % (len(codes), b",".join(objects))

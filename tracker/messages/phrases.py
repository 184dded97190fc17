"""The ready-made phrases that go into variables, in each language of the texts. Every date is spoken with its weekday."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from carriers.base import Cause
from tracker.domain.incidents import Scope, Where
from tracker.domain.money import in_reais

_DIAS: Final = (
    "segunda-feira",
    "terça-feira",
    "quarta-feira",
    "quinta-feira",
    "sexta-feira",
    "sábado",
    "domingo",
)
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language. `{names}` are filled in."""

    date: Callable[[date], str]
    money: Callable[[int], str]
    reasons: Mapping[Cause, str]
    """Why a parcel could not be handed over, as the end of a sentence."""
    more: str
    hub: str
    to_state: str
    carrier: str
    asked: str
    asked_as: str
    """With the carrier's number."""
    today: str
    tomorrow: str
    not_seen: str
    last_seen: str
    last_seen_at: str
    waits: str
    waits_until: str
    photo_id: str
    in_place_of: str
    """A subject that somebody else reads in a trial, and whom it is for."""


def _data(day: date) -> str:
    return f"{_DIAS[day.weekday()]}, {day:%d/%m}"


def _date(day: date) -> str:
    # The month by its name: 04/12 is another day to half of those who read English.
    return f"{_WEEKDAYS[day.weekday()]}, {_MONTHS[day.month - 1]} {day.day}"


def _reais_in_english(cents: int) -> str:
    return f"R${cents // 100:,}.{cents % 100:02}"


PORTUGUESE: Final = Phrases(
    date=_data,
    money=in_reais,
    reasons={
        Cause.ABSENT: "não havia ninguém para receber",
        Cause.WRONG_ADDRESS: "o endereço não foi localizado",
        Cause.REFUSED: "a entrega foi recusada no endereço",
        Cause.UNCLAIMED: "não foi retirada dentro do prazo",
    },
    more="{first} e mais {count}",
    hub="muitas encomendas que passam por {name}",
    to_state="muitas encomendas a caminho de {name}",
    carrier="muitas encomendas da transportadora ({name})",
    asked="abrimos um pedido de informação na transportadora",
    asked_as="abrimos um pedido de informação na transportadora, número {number}",
    today="hoje",
    tomorrow="amanhã",
    not_seen="Ainda não há registro da entrega.",
    last_seen="Ainda não há registro da entrega; o último movimento registrado é de {day}.",
    last_seen_at="Ainda não há registro da entrega; o último movimento registrado é de {day}, em {place}.",
    waits="O pedido de informação que abrimos na transportadora segue em análise.",
    waits_until="O pedido de informação que abrimos na transportadora segue em análise, com prazo de resposta até {day}.",
    photo_id="um documento com foto",
    in_place_of="[para {address}] {subject}",
)
ENGLISH: Final = Phrases(
    date=_date,
    money=_reais_in_english,
    reasons={
        Cause.ABSENT: "nobody was there to receive it",
        Cause.WRONG_ADDRESS: "the address could not be found",
        Cause.REFUSED: "the delivery was refused at the address",
        Cause.UNCLAIMED: "it was not collected in time",
    },
    more="{first} and {count} more",
    hub="many parcels that pass through {name}",
    to_state="many parcels on their way to {name}",
    carrier="many of the carrier's parcels ({name})",
    asked="we opened an inquiry with the carrier",
    asked_as="we opened an inquiry with the carrier, number {number}",
    today="today",
    tomorrow="tomorrow",
    not_seen="There is no record of the delivery yet.",
    last_seen="There is no record of the delivery yet; the last movement was on {day}.",
    last_seen_at="There is no record of the delivery yet; the last movement was on {day}, in {place}.",
    waits="The inquiry we opened with the carrier is still being looked into.",
    waits_until="The inquiry we opened with the carrier is still being looked into; its answer is due by {day}.",
    photo_id="a photo ID",
    in_place_of="[for {address}] {subject}",
)
_BY_LANGUAGE: Final[Mapping[str, Phrases]] = {"pt-BR": PORTUGUESE, "en": ENGLISH}


def phrases(language: str) -> Phrases:
    """Those of this language; Portuguese where there are none."""
    return _BY_LANGUAGE.get(language, PORTUGUESE)


def shared(words: Phrases, incident: Where | None, carrier_title: str) -> str | None:
    """Which parcels suffer with this one: only what was counted, no cause that nobody knows."""
    if incident is None:
        return None
    if incident.scope is Scope.HUB:
        return words.hub.format(name=incident.name)
    if incident.scope is Scope.STATE:
        return words.to_state.format(name=incident.name)
    return words.carrier.format(name=carrier_title)

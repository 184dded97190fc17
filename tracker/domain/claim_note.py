"""The few words that go with a reopening (`observacao`): dates and codes alone, in the carrier's language.

No name, address or document: the carrier knows the parcel, and what it answers is kept as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

LENGTH: Final = 250
"""The carrier's limit is not published; short is read."""


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """Local dates; `last_event` is the carrier's own code."""

    today: date
    way: str
    answered_on: date | None = None
    due_on: date | None = None
    attempted_on: date | None = None
    delivered_on: date | None = None
    last_event: str | None = None
    last_event_on: date | None = None


def note(facts: NoteFacts) -> str:
    """One line of at most `LENGTH` characters; what is not known is left out."""
    parts = [_opening(facts), *_dates(facts), _request(facts)]
    return " ".join(part for part in parts if part)[:LENGTH]


def _opening(facts: NoteFacts) -> str:
    on = f" de {_day(facts.answered_on)}" if facts.answered_on else ""
    return {
        "refund": f"Resposta procedente{on}.",
        "contest": f"Contestamos a resposta{on}.",
        "problem": f"Fato novo após o registro; resposta{on}." if on else "Fato novo após o registro.",
    }.get(facts.way, "")


def _dates(facts: NoteFacts) -> list[str]:
    parts = []
    if facts.due_on is not None:
        parts.append(f"Prazo máximo em {_day(facts.due_on)}.")
    if facts.attempted_on is not None and facts.attempted_on != facts.delivered_on:
        parts.append(f"Primeira tentativa de entrega em {_day(facts.attempted_on)}.")
    if facts.delivered_on is not None:
        parts.append(f"Entrega em {_day(facts.delivered_on)}.")
    elif facts.last_event is not None and facts.last_event_on is not None:
        parts.append(
            f"Último evento {facts.last_event} em {_day(facts.last_event_on)}; sem entrega até {_day(facts.today)}."
        )
    return parts


def _request(facts: NoteFacts) -> str:
    return "Solicitamos nova apuração." if facts.way == "contest" else "Solicitamos o ressarcimento."


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"

"""What Brazilian law says of carriage by road, as dated data: for the terms of claims and the words of letters.

Information, not advice: the merchant's own text of a letter may say more or less. Sources are the statutes themselves, as
they stood on the day named with each; a contract may set shorter terms of its own, which no rule here knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from carriers.base import ClaimWindow, WindowStart


@dataclass(frozen=True, slots=True)
class Statute:
    """One rule of law: where it stands, since when, and how a letter cites it."""

    source: str
    in_force_since: date
    cited: str
    """In Portuguese, without a full stop."""


CODE_IN_FORCE: Final = date(2003, 1, 11)
ON_TIME: Final = Statute(
    "Lei 10.406/2002 (Código Civil), art. 749",
    CODE_IN_FORCE,
    "art. 749 do Código Civil (o transportador entrega em bom estado e no prazo ajustado ou previsto)",
)
ANSWERS_FOR_IT: Final = Statute(
    "Lei 10.406/2002 (Código Civil), arts. 749 e 750",
    CODE_IN_FORCE,
    "arts. 749 e 750 do Código Civil (o transportador responde pela coisa desde o recebimento até a entrega, limitado ao "
    "valor constante do conhecimento)",
)
PROTEST: Final = Statute(
    "Lei 10.406/2002 (Código Civil), art. 754, parágrafo único",
    CODE_IN_FORCE,
    "art. 754, parágrafo único, do Código Civil (perda parcial ou avaria não perceptível à primeira vista, comunicada em até "
    "dez dias da entrega)",
)
ONE_YEAR: Final = Statute(
    "Lei 11.442/2007, art. 18",
    date(2007, 1, 8),
    "art. 18 da Lei 11.442/2007 (pretensão em um ano do conhecimento do dano)",
)
CONSUMER: Final = Statute(
    "Lei 8.078/1990 (Código de Defesa do Consumidor)",
    date(1991, 3, 11),
    "Código de Defesa do Consumidor (a loja responde ao consumidor, faça a transportadora o que fizer)",
)
STATUTES: Final = (ON_TIME, ANSWERS_FOR_IT, PROTEST, ONE_YEAR, CONSUMER)

LOSS_WINDOW: Final = ClaimWindow(WindowStart.EVENT, days=365, alert_days=(20, 30), last_day=365, source=ONE_YEAR.source)
"""A year from the day the loss is known. Both alerts come within a month, for contracts often set a term of their own that
nobody publishes (30, 60 or 90 days are heard of)."""
DAMAGE_WINDOW: Final = ClaimWindow(
    WindowStart.DELIVERY, days=10, alert_days=(5, 8), last_day=365, source=f"{PROTEST.source}; {ONE_YEAR.source}"
)
"""Ten days from delivery for what could not be seen at the door. What was noted on the receipt has the year, so that the claim
is still tried after the tenth day: as such a one, without the name of a protest."""

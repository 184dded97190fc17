"""Claims by letter with carriers by road, express carriers and brokers: motives, the clerks' own words, and the law's terms.

No Brazilian carrier beside Correios has a documented API for a shipper's claims: the formal way is a letter (an e-mail) to the
carrier's claims desk, whose address the merchant knows and nobody guesses. The words are those by which the clerks of these
carriers sort what they get: *carta-protesto* for damage in its ten days, *acareação* for confronting whoever signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from carriers.base import (
    ClaimKind,
    ClaimOffer,
    ClaimsByLetter,
    ClaimStart,
    ClaimTerms,
    ClaimWindow,
    CounterpartyKind,
    ProblemKind,
    WindowStart,
)
from carriers.law import ANSWERS_FOR_IT, DAMAGE_WINDOW, LOSS_WINDOW, ON_TIME, ONE_YEAR, PROTEST

Kind = ProblemKind
LOSS: Final = "extravio"
THEFT: Final = "roubo"
DAMAGE: Final = "avaria"
VIOLATION: Final = "violacao"
CONFRONTATION: Final = "acareacao"
STANDSTILL: Final = "sem-movimentacao"
DELAY: Final = "atraso"

PRESUMED_LOSS_BUSINESS_DAYS: Final = 15
"""Without an event after the later of promised date and last event: a setting and no law, for `TrackingTerms`."""
AFTER_PROMISE_BUSINESS_DAYS: Final = 3
"""Past the promised date before a carrier by road is asked where a parcel is: a setting and no law."""
ANSWER_BUSINESS_DAYS: Final = 5
"""What a letter asks to be answered within; a reminder follows, so that a standstill is asked about after 5 days and 10."""

CONFRONTATION_WINDOW: Final = ClaimWindow(
    WindowStart.EVENT,
    days=10,
    alert_days=(2, 5),
    last_day=90,
    source="a setting and no law: carriers keep images of a signature for a short time only",
)
_REFUND: Final = ClaimKind.REFUND
_INQUIRY: Final = ClaimKind.INFORMATION_REQUEST
OFFERS: Final = (
    ClaimOffer(Kind.THEFT, THEFT, _REFUND, ClaimStart.EVENT, priority=10, window=LOSS_WINDOW),
    ClaimOffer(Kind.LOSS, LOSS, _REFUND, ClaimStart.EVENT, priority=20, window=LOSS_WINDOW),
    ClaimOffer(Kind.LOSS, LOSS, _REFUND, ClaimStart.EVENT, priority=25, presumed=True, window=LOSS_WINDOW),
    ClaimOffer(Kind.DAMAGE, DAMAGE, _REFUND, ClaimStart.EVENT, priority=30, window=DAMAGE_WINDOW),
    ClaimOffer(Kind.VIOLATION, VIOLATION, _REFUND, ClaimStart.EVENT, priority=31, window=DAMAGE_WINDOW),
    ClaimOffer(Kind.MISDELIVERY, CONFRONTATION, _INQUIRY, ClaimStart.EVENT, priority=40, window=CONFRONTATION_WINDOW),
    ClaimOffer(Kind.DELAY, DELAY, _INQUIRY, ClaimStart.DUE_DATE, priority=50),
    ClaimOffer(Kind.STALLED, STANDSTILL, _INQUIRY, ClaimStart.EVENT, priority=60),
)
"""What may be asked of any of these carriers, the best first. A late delivery is none of them: what it costs nobody but the
contract says. An inquiry about lateness begins so many business days after the date (`margin_business_days`)."""

WORDS: Final[Mapping[str, str]] = {
    LOSS: "Pedido de indenização por extravio",
    THEFT: "Pedido de indenização por roubo de carga",
    CONFRONTATION: "Pedido de acareação e comprovante de entrega",
    DELAY: "Pedido de posição: entrega em atraso",
    STANDSTILL: "Pedido de posição: carga sem movimentação",
}
"""By motive. Damage has none here: in its ten days the letter calls itself *carta-protesto*, and after them it may not."""

LAW: Final[Mapping[str, str]] = {
    LOSS: f"{ANSWERS_FOR_IT.cited}; {ONE_YEAR.cited}",
    THEFT: f"{ANSWERS_FOR_IT.cited}; {ONE_YEAR.cited}",
    CONFRONTATION: ANSWERS_FOR_IT.cited,
    DELAY: ON_TIME.cited,
    STANDSTILL: ON_TIME.cited,
}
"""By motive. Damage has none here: what it may rest on depends on the day, which the letter looks at."""

_INVOICE: Final = "cópia da nota fiscal e do conhecimento de transporte (CT-e)"
ASKS_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    LOSS: (_INVOICE, "declaração de não recebimento assinada pelo destinatário"),
    THEFT: (_INVOICE, "boletim de ocorrência (feito pela transportadora)"),
    DAMAGE: (_INVOICE, "fotos da embalagem e do produto", "ressalva no comprovante de entrega, se houve"),
    VIOLATION: (_INVOICE, "fotos da embalagem", "relação do que falta", "ressalva no comprovante de entrega, se houve"),
    CONFRONTATION: ("declaração de não recebimento assinada pelo destinatário",),
}
"""By motive, what claims desks usually ask for beside the letter: a recommendation, for no standard exists."""


def road_claims(
    *,
    source: str,
    valid_since: date,
    letter_to: str | None = None,
    counterparty: CounterpartyKind = CounterpartyKind.CARRIER,
    words: Mapping[str, str] | None = None,
    asks_for: Iterable[str] = (),
    without: Iterable[ProblemKind] = (),
    by_road: bool = True,
) -> ClaimsByLetter:
    """Claims by letter as they are made of a carrier by road, an express carrier or a broker.

    Args:
        source: where it is said that this carrier takes no claims by API, and what it says of claims at all.
        valid_since: the day on which that was read.
        letter_to: only what the carrier itself publishes for every shipper's claims.
        words: its own clerks' words for a motive, over `WORDS`.
        asks_for: documents it asks for beside every letter.
        without: problems it takes nothing for.
        by_road: whether Lei 11.442 (carriage by road) is cited; by air or across borders only the Código Civil is.
    """
    excluded = frozenset(without)
    statutes = (ANSWERS_FOR_IT, PROTEST, ONE_YEAR) if by_road else (ANSWERS_FOR_IT, PROTEST)
    terms = ClaimTerms(
        offers=tuple(offer for offer in OFFERS if offer.problem not in excluded),
        source="; ".join([source, *(statute.source for statute in statutes)]),
        valid_since=valid_since,
        margin_business_days=AFTER_PROMISE_BUSINESS_DAYS,
        answer_business_days=ANSWER_BUSINESS_DAYS,
        inquiry_gives_way=True,
        by_hand=(
            "Envie a reclamação ao setor de indenizações da transportadora (o texto: tracker claims letter) e guarde o "
            "comprovante de envio."
        ),
    )
    return ClaimsByLetter(
        terms,
        letter_to=letter_to,
        words={**WORDS, **(words or {})},
        asks_for=tuple(asks_for),
        asks_for_motive=ASKS_FOR,
        law=LAW if by_road else {**LAW, LOSS: ANSWERS_FOR_IT.cited, THEFT: ANSWERS_FOR_IT.cited},
        counterparty=counterparty,
    )

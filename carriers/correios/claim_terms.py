"""What Correios takes claims for, in which order, until when, and under which terms they are reopened; data with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from carriers.base import Cause, ClaimKind, ClaimOffer, ClaimStart, ClaimTerms, ProblemKind
from carriers.correios import returns

BATCH_SIZE = 10
"""Claims a call. The API's own limit is not documented."""

_BUYERS_OR_NOBODYS = (
    Cause.ABSENT,
    Cause.WRONG_ADDRESS,
    Cause.REFUSED,
    Cause.UNCLAIMED,
    Cause.SEIZED,
    Cause.CUSTOMS_HOLD,
    Cause.OTHER,
)
"""Returns that are no fault of Correios: the buyer's, an authority's, nobody's."""
_SENDERS_WISH = ("BDE-14", "BDI-14", "BDR-14", "BDE-48", "BDI-48", "BDR-48", "BDR-64", "FC-01", "FC-47")
"""Events that say the sender gave up, did not allow the pickup, did not answer, or asked for the return (section 10)."""


def _offers() -> tuple[ClaimOffer, ...]:
    """Best first: 133/134 > 132 > 211 > 136 > 135. A refund where tracking itself proves the fault, an inquiry where
    Correios has to look (not documented; `claims.kinds` changes it)."""
    refund, inquiry = ClaimKind.REFUND, ClaimKind.INFORMATION_REQUEST
    on_event, on_due = ClaimStart.EVENT, ClaimStart.DUE_DATE
    lost = returns.NOT_DELIVERED
    return (
        ClaimOffer(ProblemKind.VIOLATION, returns.VIOLATED, refund, on_event, 10),
        ClaimOffer(ProblemKind.DAMAGE, returns.DAMAGED, refund, on_event, 11),
        ClaimOffer(ProblemKind.MISDELIVERY, returns.WRONG_PLACE, inquiry, on_event, 20),
        ClaimOffer(ProblemKind.LOSS, lost, refund, on_event, 30),
        ClaimOffer(ProblemKind.THEFT, lost, refund, on_event, 31, days_after_event=1),
        ClaimOffer(ProblemKind.LOSS, lost, inquiry, on_due, 32, presumed=True),
        ClaimOffer(ProblemKind.DELAY, lost, inquiry, on_due, 40),
        ClaimOffer(
            ProblemKind.RETURNED,
            returns.RETURNED_UNDULY,
            inquiry,
            on_event,
            45,
            not_causes=_BUYERS_OR_NOBODYS,
            not_codes=_SENDERS_WISH,
        ),
        ClaimOffer(ProblemKind.LATE_DELIVERY, returns.DELIVERED_LATE, refund, on_due, 50),
    )


def _with_kind(offer: ClaimOffer, kinds: Mapping[str, str]) -> ClaimOffer:
    """The offer with the kind that the shop wants first, and the other one to fall back on for what is lost."""
    kind = ClaimKind(kinds.get(offer.problem.value, offer.kind.value))
    lost = offer.problem in (ProblemKind.LOSS, ProblemKind.THEFT) and not offer.presumed
    other = (offer.motive, ClaimKind.INFORMATION_REQUEST) if lost and kind is ClaimKind.REFUND else None
    return replace(offer, kind=offer.kind if offer.presumed else kind, fallback=other)


def claim_terms(delay_claims: str, kinds: Mapping[str, str] | None = None) -> ClaimTerms:
    """What Correios takes claims for, and until when.

    *delay_claims* other than `pi` leaves delays out: settled by the contract's service level, or not wanted. *kinds*: the
    kind to file first, by problem, where it is not ours.
    """
    offers = tuple(_with_kind(offer, kinds or {}) for offer in _offers())
    if delay_claims != "pi":
        offers = tuple(o for o in offers if o.problem not in (ProblemKind.DELAY, ProblemKind.LATE_DELIVERY))
    return ClaimTerms(
        offers=offers,
        source=(
            "Correios, Manual de Integração v2.2 (08/09/2023), cap. 16, códigos 510, 544 e 564; "
            "Decreto 12.464/2025, art. 8 (90 dias)"
        ),
        valid_since=date(2025, 5, 21),
        window_days=30,
        alert_day=25,
        last_day=90,
        margin_business_days=1,
        replanning_cap_business_days=10,
        answer_business_days=5,
        escalate_business_days=10,
        batch_size=BATCH_SIZE,
        one_claim_a_parcel=True,  # a second cadastra answers 900 whatever became of the first
        # Not 211: it is the motive of losses too, which no service level settles.
        service_level_motives=(returns.DELIVERED_LATE,),
        refund_motives=(returns.NOT_DELIVERED, returns.WRONG_PLACE, returns.RETURNED_UNDULY),
        contest_days=5,
        reopen_source="Manual v2.2, cap. 16, códigos 587 a 590; o prazo da reativação não é publicado, 5 dias é nossa cautela",
        by_hand=(
            "Registre pelo portal https://cws.correios.com.br ou pelo Fale Conosco em https://www.correios.com.br. "
            "Se o prazo de 30 dias for alegado, cite o Decreto 12.464, de 21/05/2025, art. 8: a reclamação de objeto "
            "nacional é aceita em até 90 dias."
        ),
    )

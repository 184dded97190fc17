"""What becomes of a registered claim: its answers after some business days, and the money."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tracker.sandbox.facts import Facts, facts
from tracker.sandbox.plan import Shipment, Verdict
from tracker.sandbox.reopening import Answered
from tracker.sandbox.workdays import add_business_days, local, local_date

PAID_AFTER = 3
"""Business days from an accepting answer to the money; real contracts wait for the next invoice, weeks away."""
_NOT_DELIVERED = 211
_PAYMENT_TERM = timedelta(days=30)


@dataclass(slots=True)
class Claim:
    """One registration. Instants are ISO texts in UTC, so that it saves as it is.

    `reopenings`: each {at, kind, motive, note}. `by`: shop, or buyer where the buyer came first on the site.
    """

    number: str
    code: str
    motive: int
    kind: str
    opened_at: str
    addressee: str
    reply_email: str
    by: str = "shop"
    reopenings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def opened_on(self) -> date:
        return local_date(datetime.fromisoformat(self.opened_at))

    @property
    def reopened_on(self) -> date | None:
        return local_date(datetime.fromisoformat(self.reopenings[-1]["at"])) if self.reopenings else None

    @property
    def kind_now(self) -> str:
        return str(self.reopenings[-1]["kind"]) if self.reopenings else self.kind

    @property
    def motive_now(self) -> int:
        return int(self.reopenings[-1]["motive"]) if self.reopenings else self.motive


@dataclass(frozen=True, slots=True)
class Answer:
    """What the desk says: `accepted` or not, on a claim of which `kind`, when, and whether the money has gone out."""

    on: date
    kind: str
    accepted: bool
    paid: bool
    text: str


def opened_by_buyer(shipment: Shipment, number: str) -> Claim:
    """Return the complaint that the buyer of *shipment* opened on the carrier's site."""
    assert shipment.buyer_claims_at is not None
    customer = shipment.order.customer
    opened_at = shipment.buyer_claims_at.isoformat()
    return Claim(number, shipment.code, _NOT_DELIVERED, "R", opened_at, customer.name, customer.email, by="buyer")


def answers(claim: Claim, shipment: Shipment, now: datetime) -> list[Answer]:
    """Return the answers given by *now*, oldest first.

    Each comes `answer_days` business days after the registration or reopening, at ten in the morning. A complaint that was
    accepted is accepted as a refund request too, unless the object has turned up meanwhile.
    """
    given: list[Answer] = []
    stages = [(claim.opened_at, claim.kind), *((each["at"], str(each["kind"])) for each in claim.reopenings)]
    for since, kind in stages:
        day = add_business_days(local_date(datetime.fromisoformat(since)), shipment.answer_days)
        if now < local(day, 10):
            break
        accepted = _is_accepted(claim, shipment, given, day)
        paid = accepted and _pay_day(claim, shipment, kind, day) is not None
        paid = paid and now >= local(add_business_days(day, PAID_AFTER), 9)
        given.append(Answer(day, kind, accepted, paid, _text(claim, kind, accepted, paid)))
    return given


def standing(claim: Claim, shipment: Shipment, now: datetime) -> Answered | None:
    """Return the claim as its newest answer leaves it, or None while an answer is awaited."""
    given = answers(claim, shipment, now)
    if len(given) <= len(claim.reopenings):
        return None
    last = given[-1]
    return Answered(last.kind, last.on, last.accepted, last.paid, last.on + _PAYMENT_TERM)


def paid_on(claim: Claim, shipment: Shipment, now: datetime) -> date | None:
    """Return the day on which tracking told of the indemnity, or None."""
    given = answers(claim, shipment, now)
    if not given or not given[-1].paid:
        return None
    return _pay_day(claim, shipment, given[-1].kind, given[-1].on)


def _is_accepted(claim: Claim, shipment: Shipment, before: list[Answer], day: date) -> bool:
    if not before:
        return shipment.verdict is not Verdict.REJECTED
    if _facts_on(shipment, day).delivered_on is not None and claim.motive_now == _NOT_DELIVERED:
        return False
    return before[-1].accepted or shipment.second_verdict is not Verdict.REJECTED


def _pay_day(claim: Claim, shipment: Shipment, kind: str, answered: date) -> date | None:
    """The day of the indemnity that tracking shows; other credits appear on the invoice alone."""
    reopened = bool(claim.reopenings) and claim.motive_now == _NOT_DELIVERED
    asked = kind == "I" and (reopened or shipment.verdict is Verdict.PAID_AS_REFUND)
    if not asked and shipment.verdict is not Verdict.PAID:
        return None
    day = add_business_days(answered, PAID_AFTER)
    known = _facts_on(shipment, day)
    # What has come, waits at the counter or is on its way back is no lost object: its credit stands on the invoice alone.
    here = known.delivered_on is not None or known.at_counter
    return None if here or known.turned_back or known.returned else day


def _facts_on(shipment: Shipment, day: date) -> Facts:
    return facts(shipment.events_until(local(day, 9)))


def _text(claim: Claim, kind: str, accepted: bool, paid: bool) -> str:
    if paid:
        return "Olá, a indenização foi paga."
    if not accepted:
        return "Olá, a apuração não confirmou falha na prestação do serviço. Manifestação improcedente."
    if claim.motive == 135:
        return "Olá, confirmamos o atraso na entrega. O valor devido será creditado em fatura."
    if kind == "R":
        return "Olá, sua manifestação é procedente. Para o ressarcimento, reative a manifestação como indenização."
    return "Olá, sua manifestação é procedente. A indenização será creditada em fatura."

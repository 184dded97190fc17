"""Whether an answered claim is taken up again: the item codes of "reativa", judged from the claim and the object.

Codes follow the integration manual v2.2, chapter 16. The terms are not published and assumed here: five calendar days after
a rejection, thirty after an accepted complaint, which must come back as a refund request before any money moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tracker.sandbox.facts import Facts
from tracker.sandbox.judgement import MOTIVES, REGISTERED, judge

REACTIVATED_ITEM, REACTIVATED = 0, 512
NOT_ANSWERED, UNKNOWN_PROTOCOL = 56, 575
REJECTED_TERM, ACCEPTED_TERM = timedelta(days=5), timedelta(days=30)
NO_REFUND_FOR = frozenset({1414})
"""Motives whose complaints cannot become refund requests."""
TEXTS: Mapping[int, str] = {
    REACTIVATED_ITEM: "Olá, sua manifestação foi reativada com sucesso.",
    50: "Olá, o protocolo não foi informado.",
    NOT_ANSWERED: "Olá, protocolo informado não está respondido",
    55: "Olá, o objeto não pertence ao contrato/cartão de postagem informado.",
    513: "Olá, a observação e o motivo da reativação são obrigatórios.",
    531: "Olá, o objeto não foi entregue, conforme dados disponíveis no sistema de rastreamento.",
    545: "Olá, o objeto em questão não se encontra com situação que possibilite o registro por esse motivo.",
    UNKNOWN_PROTOCOL: "Olá, informamos que o protocolo não foi encontrado.",
    582: "Olá, não é permitida a alteração do tipo da manifestação.",
    583: "Olá, o motivo informado não é permitido para o tipo de manifestação.",
    586: "Olá, o tipo de reativação é inválido.",
    587: "Olá, o prazo para reativação desta manifestação encerrou em {date}.",
    589: "Olá, a indenização encontra-se dentro do prazo de pagamento, até {date}.",
    590: "Olá, já existe solicitação de ressarcimento para este objeto.",
    595: "Olá, o objeto não atende aos critérios para este motivo.",
    596: "Olá, o objeto foi entregue dentro do prazo previsto.",
    597: "Olá, o objeto foi entregue, conforme o sistema de rastreamento de objetos.",
    598: "Olá, o objeto está aguardando retirada na agência, conforme o sistema de rastreamento.",
}
_OF_OBJECT = {546: 597, 530: 596, 534: 598, 548: 598, 531: 531, 545: 545, 547: 531, 549: 545, 550: 595, 638: 595}
"""What "cadastra" would say of the object -> what "reativa" says of it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A claim as it stands at its newest answer; `pays_until` the day by which an accepted refund is paid."""

    kind: str
    answered_on: date
    accepted: bool
    paid: bool
    pays_until: date


def form_fault(item: Mapping[str, object]) -> int | None:
    """Return the code for an item that is wrong by itself, or None."""
    if not item.get("protocolo"):
        return 50
    if not str(item.get("observacao") or "").strip() or not item.get("motivoReativacao"):
        return 513
    if item.get("tipoManifestacao") not in ("R", "I"):
        return 586
    motive = str(item["motivoReativacao"])
    return None if motive.isdigit() and int(motive) in MOTIVES else 583


def judge_reopening(
    kind: str, motive: int, claim: Answered, known: Facts, due_on: date, today: date
) -> tuple[int, date | None]:
    """Return the item code for a well-formed call about an answered claim, and the day its text names."""
    if claim.kind == "I" and claim.accepted:
        return (590, None) if claim.paid else (589, claim.pays_until)
    if kind == "R" and claim.kind == "I":
        return 582, None
    if kind == "I" and claim.kind == "R" and motive in NO_REFUND_FOR:
        return 582, None
    if kind == claim.kind and claim.accepted:
        return 595, None
    last = claim.answered_on + (ACCEPTED_TERM if claim.accepted else REJECTED_TERM)
    if today > last:
        return 587, last
    # The object's due date has passed, or it was lost: the term and the windows of a first registration are no matter.
    found = judge(motive, "I", min(due_on, today - timedelta(days=1)), known, today)
    return (REACTIVATED_ITEM if found in (REGISTERED, 510, 564) else _OF_OBJECT.get(found, 595)), None

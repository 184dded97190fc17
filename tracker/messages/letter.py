"""Puts a claim's letter into words and bytes: the shop's text, the parcel's events attached, the thread it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from carriers.base import ClaimKind, ProblemKind
from tracker.claims.letter import Evidence, LetterDesk, LetterFacts, evidence_of, letter_facts
from tracker.domain.calendar import CalendarsBetween
from tracker.domain.claim_letter import LETTER
from tracker.domain.mail_address import BadAddress
from tracker.domain.money import in_reais
from tracker.messages.email_message import build_message, parse_mailbox
from tracker.messages.letter_variables import CLAIM_LETTER, FOLLOW_UP_LETTER
from tracker.messages.phrases import PORTUGUESE
from tracker.messages.sandbox import TemplateFault
from tracker.messages.templates import MissingVariable, Templates
from tracker.messages.variables import Value
from tracker.store.letters import letters_of_claims

Kind = ProblemKind
TEXTS: Final[Mapping[str, str]] = {"letter": CLAIM_LETTER, "follow_up": FOLLOW_UP_LETTER}
PROBLEMS: Final[Mapping[ProblemKind, str]] = {
    Kind.LOSS: "extravio",
    Kind.THEFT: "roubo",
    Kind.DAMAGE: "avaria",
    Kind.VIOLATION: "violação",
    Kind.DELAY: "atraso na entrega",
    Kind.LATE_DELIVERY: "entrega fora do prazo",
    Kind.MISDELIVERY: "entrega a outra pessoa",
    Kind.RETURNED: "devolução",
    Kind.RETURNING: "devolução",
    Kind.STALLED: "falta de movimentação",
    Kind.DELIVERY_FAILED: "entrega não realizada",
}
"""What happened, as a letter says it; for any other kind the carrier's own motive stands there."""
NOTICED_WITHIN: Final = timedelta(days=10)
"""Damage is to be reported within ten days of delivery (Código Civil, art. 754, parágrafo único)."""
DAMAGED: Final = frozenset({Kind.DAMAGE, Kind.VIOLATION})
LATE: Final = frozenset({Kind.DELAY, Kind.LATE_DELIVERY})


@dataclass(frozen=True, slots=True)
class Writer:
    """A shop as its letters show it."""

    name: str
    sender: str
    reply_to: str | None
    contact: str
    cnpj: str | None = None
    origin: str | None = None
    """City and state of its stock."""


@dataclass(frozen=True, slots=True)
class WrittenLetter:
    """A letter ready to leave."""

    envelope_from: str
    recipient: str
    copies: tuple[str, ...]
    reply_to: str | None
    subject: str
    text: str
    evidence: tuple[Evidence, ...]
    data: bytes


class Unwritable(Exception):
    """Why a letter cannot be written; `waits`: it can once the text is mended, nobody need decide about the claim."""

    def __init__(self, reason: str, *, waits: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.waits = waits


@dataclass(frozen=True)
class LetterBook:
    """Writes letters: shops by their id, carriers by their account."""

    templates: Templates
    writers: Mapping[str, Writer]
    desks: Mapping[str, LetterDesk]
    days: CalendarsBetween

    def facts(self, connection: Connection, claim_id: int, part: str, now: datetime) -> LetterFacts | None:
        """What the letter states; None where the claim's carrier takes no letters here."""
        return letter_facts(connection, {claim_id: part}, self.desks, self.days, now).get(claim_id)

    def write(self, connection: Connection, facts: LetterFacts, message_id: str, now: datetime) -> WrittenLetter:
        """The letter as it would leave now. Raises Unwritable."""
        writer, desk = self.writers.get(facts.claim.shop), facts.desk
        if writer is None:
            raise Unwritable(f"shop {facts.claim.shop} is no longer in the configuration")
        if desk.to is None:
            raise Unwritable("no address for letters to this carrier is configured (claims.letter_to)")
        evidence = evidence_of(facts)
        reply_to = desk.reply_to or writer.reply_to
        text = TEXTS[facts.part]
        try:
            values = values_of(facts, writer, evidence, now)
            rendered = self.templates.render_letter(text, values, shop=facts.claim.shop)
        except (TemplateFault, MissingVariable) as fault:
            raise Unwritable(f"the text of {text} cannot be used: {fault}", waits=True) from fault
        try:
            data = build_message(
                rendered,
                sender=writer.sender,
                reply_to=reply_to,
                recipient=desk.to,
                recipient_name=desk.title,
                message_id=message_id,
                date=now.astimezone(facts.days.zone),
                trigger=text,
                shop=facts.claim.shop,
                entity_ref=message_id.strip("<>").partition("@")[0],
                references=_thread(connection, facts),
                copies=desk.copies,
                attachments=evidence,
                for_people=True,
            )
        except BadAddress as fault:
            raise Unwritable(f"the carrier's address for letters is none: {fault}") from fault
        sender = parse_mailbox(writer.sender).address
        return WrittenLetter(sender, desk.to, desk.copies, reply_to, rendered.subject, rendered.text, evidence, data)


def values_of(facts: LetterFacts, writer: Writer, evidence: Sequence[Evidence], now: datetime) -> dict[str, Value]:
    """The values of a letter's text; what nobody knows is None, and the text has a form without it."""
    claim, desk, history, days = facts.claim, facts.desk, facts.history, facts.days
    refund = claim.kind == ClaimKind.REFUND.value
    problem = PROBLEMS.get(facts.problem, claim.motive) if facts.problem else claim.motive
    due, latest = history.due_first_on, history.due_max_on
    delivered = days.local_date(history.delivered_at) if history.delivered_at else None
    declared = in_reais(facts.declared_cents) if facts.declared_cents else None
    return {
        "loja": writer.name,
        "transportadora": desk.title,
        "destinataria_cnpj": _cnpj(desk.cnpj),
        "transportada_por": desk.carried_by,
        "referencia": f"C{claim.id}",
        "objeto": facts.tracking_code,
        "titulo": _title(facts, problem, now),
        "problema": problem,
        "data_resposta": _long(facts.answer_by),
        "cnpj": _cnpj(writer.cnpj),
        "contrato": facts.contract,
        "servico": facts.service,
        "pedido": facts.order_number,
        "nota": facts.invoice.number,
        "chave_nfe": facts.invoice.key,
        "postado": _long(days.local_date(history.posted_at)) if history.posted_at else None,
        "origem": writer.origin,
        "destino": "/".join(part for part in (facts.city, facts.state) if part) or None,
        "prazo": _long(due) if due else None,
        "prazo_novo": _long(latest) if latest and latest != due else None,
        "fatos": _happened(facts),
        "indenizacao": "sim" if refund else None,
        "informacao": None if refund else "sim",
        "valor": declared,
        "valor_pedido": _asked(facts, declared, refund),
        "entregue": _long(delivered) if delivered else None,
        "base_legal": _law(facts, now),
        "dias_uteis": str(desk.terms.answer_business_days),
        "documentos": desk.documents(claim.motive),
        "anexos": [one.name for one in evidence],
        "contato": writer.contact or None,
        "carta_de": _long(facts.reminds_of) if facts.reminds_of else None,
    }


# --- pieces -----------------------------------------------------------------------------------------


def _title(facts: LetterFacts, problem: str, now: datetime) -> str:
    """What the carrier's clerks call it, else what it is; a report of damage in its time has a name of its own."""
    own = facts.desk.words.get(facts.claim.motive)
    if own and _is_offered_so(facts):
        return own
    if facts.problem in DAMAGED and _is_noticed_in_time(facts, now):
        return f"Carta-protesto por {problem}"
    what = "indenização" if facts.claim.kind == ClaimKind.REFUND.value else "informação"
    return f"Pedido de {what} por {problem}"


def _is_offered_so(facts: LetterFacts) -> bool:
    """Whether the words for a motive fit: not where a refund's motive is only asked about."""
    kinds = {offer.kind.value for offer in facts.desk.terms.offers if offer.motive == facts.claim.motive}
    return not kinds or facts.claim.kind in kinds


def _law(facts: LetterFacts, now: datetime) -> str | None:
    """What the law says with certainty of such a case; the merchant's own text may say more."""
    own = facts.desk.law.get(facts.claim.motive)
    if own:
        return own
    if facts.problem in LATE:
        return "art. 749 do Código Civil (o transportador entrega no prazo ajustado ou previsto)"
    if facts.problem not in {Kind.LOSS, Kind.THEFT, *DAMAGED}:
        return None
    law = (
        "arts. 749 e 750 do Código Civil (o transportador responde pela coisa desde o recebimento até a entrega, "
        "limitado ao valor constante do conhecimento)"
    )
    if facts.problem in DAMAGED and facts.history.delivered_at is not None and _is_noticed_in_time(facts, now):
        return f"{law}; art. 754, parágrafo único (comunicação em até dez dias da entrega)"
    return law


def _is_noticed_in_time(facts: LetterFacts, now: datetime) -> bool:
    delivered = facts.history.delivered_at
    if delivered is None:
        return True
    return facts.days.local_date(now) <= facts.days.local_date(delivered) + NOTICED_WITHIN


def _asked(facts: LetterFacts, declared: str | None, refund: bool) -> str | None:
    """The declared value where it is owed: what is expected of a refund; all of it where nothing was delivered."""
    if refund:
        return in_reais(facts.claim.expected_cents) if facts.claim.expected_cents else None
    return declared if facts.history.delivered_at is None else None


def _happened(facts: LetterFacts) -> list[str]:
    """What happened, in its order, a line a fact."""
    history, days = facts.history, facts.days
    dated = [
        (history.posted_at, "postado"),
        (history.first_attempt_at, "primeira tentativa de entrega ou disponível para retirada"),
        (history.delivered_at, "entregue"),
        (history.stolen_at, "roubo registrado pela transportadora"),
        (history.lost_at, "extravio registrado pela transportadora"),
        (history.damaged_at, "avaria registrada pela transportadora"),
        (history.violated_at, "violação registrada pela transportadora"),
        (history.misdelivered_at, "entrega a outra pessoa apontada pela transportadora"),
        (history.returned_at, "devolvido ao remetente"),
    ]
    known = [(at, what) for at, what in dated if at is not None]
    if history.delivered_at is not None and history.first_attempt_at == history.delivered_at:
        known = [(at, what) for at, what in known if not what.startswith("primeira")]
    lines = [f"{days.local_date(at):%d/%m/%Y}: {what}" for at, what in sorted(known)]
    last = facts.last_event
    if last is not None:
        where = f", em {last.location}" if last.location else ""
        words = last.description or last.carrier_code
        lines.append(f'último evento: {days.local_date(last.occurred_at):%d/%m/%Y}, "{words}"{where}')
    if history.delivered_at is None:
        lines.append("até hoje sem registro de entrega")
    return lines


def _thread(connection: Connection, facts: LetterFacts) -> list[str]:
    """The Message-ID of the letter that a reminder reminds of, where it left by mail."""
    if facts.part == LETTER:
        return []
    letters = letters_of_claims(connection, [facts.claim.id])[facts.claim.id]
    return [letter.message_id for letter in letters if letter.part == LETTER and letter.sending_at is not None]


def _long(day: date) -> str:
    return f"{PORTUGUESE.date(day)}/{day.year}"


def _cnpj(cnpj: str | None) -> str | None:
    if cnpj is None or len(cnpj) != 14:
        return cnpj
    return f"{cnpj[:2]}.{cnpj[2:5]}.{cnpj[5:8]}/{cnpj[8:12]}-{cnpj[12:]}"

"""What the person on the phone may truthfully tell the customer of one parcel. Pure.

Every sentence rests on a fact of the store: no date that nobody named, no claim that was not filed, no message that did not
leave. Dates that have passed are told as passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from carriers.base import Cause, ProblemKind, TrackingStatus
from tracker.domain.calendar import Calendars
from tracker.domain.history import FINAL, MOVING
from tracker.domain.promise import Promise, PromiseBasis
from tracker.domain.words import ClaimState
from tracker.reports.words_pt import RETURN_CAUSE, TRIGGER, say

Status = TrackingStatus
_ON_THE_WAY: Final = frozenset({Status.POSTED, Status.IN_TRANSIT, Status.CUSTOMS, Status.EXCEPTION})
_UNFILED: Final = frozenset({ClaimState.PLANNED, ClaimState.WAITING_APPROVAL, ClaimState.SUBMITTING})
_WITH_CARRIER: Final = frozenset({ClaimState.OPEN, ClaimState.REOPENED})
_TOLD_PROBLEMS: Final = frozenset({ProblemKind.DELAY, ProblemKind.LOSS, ProblemKind.THEFT, ProblemKind.DAMAGE})


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """The newest claim; `answer_by` is when the carrier's own term for an answer ends, where it is known."""

    state: ClaimState
    protocol: str | None
    opened_at: datetime | None
    answer_by: date | None


@dataclass(frozen=True, slots=True)
class Told:
    """A message that left; `confirmed` is False where no server ever confirmed it."""

    trigger: str
    at: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """What the suggestion rests on. `open_problems` are kinds that stand; `customer_late`: one of them is a broken promise."""

    status: Status
    promise: Promise
    status_at: datetime | None = None
    last_event_at: datetime | None = None
    last_event_cause: Cause | None = None
    location: str | None = None
    pickup_until: date | None = None
    returning_cause: Cause | None = None
    carrier_due_on: date | None = None
    open_problems: frozenset[ProblemKind] = frozenset()
    by_words: frozenset[str] = frozenset()
    """The marks of the history that rest on the carrier's free text alone."""
    presumed_loss: bool = False
    customer_late: bool = False
    claim: ClaimFacts | None = None
    told: Told | None = None
    order_cancelled: bool = False
    delivery_undone_at: datetime | None = None
    """When a delivery that the carrier took back was said to have been."""
    has_code: bool = True
    """Whether there is any number by which the carrier can be asked."""
    closed_reason: str | None = None
    """Why the carrier is no longer asked."""
    is_stale: bool = False
    """The carrier should have been heard by now and was not: all of this may have changed."""
    last_answered_at: datetime | None = None
    unread: int = 0
    """How many of its events have a code that nobody reads."""


def what_to_say(facts: ParcelFacts, days: Calendars, now: datetime) -> tuple[str, ...]:
    """The sentences, in the order in which they are best said."""
    sentences = ["O pedido consta como cancelado."] if facts.order_cancelled else []
    sentences += _stale(facts, days, now)
    sentences += _undone(facts, days)
    sentences.append(_where(facts, days, now))
    sentences += _came_late(facts, days)
    sentences += _troubles(facts)
    if facts.status not in {Status.DELIVERED, Status.RETURNED, Status.CANCELLED} and not facts.order_cancelled:
        sentences += _when(facts, days, days.local_date(now))
    sentences += _claimed(facts, days, now)
    sentences += _told(facts, days)
    return tuple(sentence for sentence in sentences if sentence)


def _stale(facts: ParcelFacts, days: Calendars, now: datetime) -> list[str]:
    if not facts.is_stale:
        return []
    if facts.last_answered_at is None:
        return ["Atenção: a transportadora ainda não respondeu nenhuma consulta sobre este envio."]
    return [
        f"Atenção: a última resposta da transportadora foi {_at(facts.last_answered_at, days, now)}; o que segue é daquele "
        "momento e pode ter mudado."
    ]


def _undone(facts: ParcelFacts, days: Calendars) -> list[str]:
    if facts.delivery_undone_at is None or facts.status in FINAL:
        return []
    return [
        f"Atenção: a entrega registrada {_day(facts.delivery_undone_at, days)} foi desfeita pela transportadora; o cliente "
        "pode ter sido avisado de que chegou."
    ]


# --- where it is ------------------------------------------------------------------------------------


def _where(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    teller = _WHERE.get(facts.status)
    return teller(facts, days, now) if teller else _nothing_known(facts, days, now)


def _nothing_known(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    if not facts.has_code:
        return (
            "Este envio ainda não tem código de rastreio, e a transportadora não pode ser consultada; quando tiver: "
            "tracker edit PEDIDO --code CÓDIGO."
        )
    if facts.unread:
        shows = "uma movimentação" if facts.unread == 1 else f"{facts.unread} movimentações"
        return (
            f"A transportadora mostra {shows} deste envio ({'' if facts.unread == 1 else 'a última '}"
            f"{_at(facts.last_event_at, days, now)}{_place(facts)}), mas com código que o programa não conhece: não diga que "
            "está parado, nem onde está."
        )
    return "A transportadora ainda não mostra nenhuma movimentação deste envio."


def _pre_transit(_facts: ParcelFacts, _days: Calendars, _now: datetime) -> str:
    return "O envio está registrado, mas a transportadora ainda não confirmou que o recebeu."


def _on_the_way(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    if facts.presumed_loss:
        return (
            f"Não há movimentação desde {_since(facts.last_event_at, days)}{_place(facts)}; tratamos como possível "
            "extravio, que a transportadora ainda não confirmou."
        )
    return (
        f"A encomenda está a caminho; a última movimentação foi {_at(facts.last_event_at, days, now)}{_place(facts)}."
    )


def _out_for_delivery(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    return f"A encomenda saiu para entrega {_at(facts.status_at, days, now)}{_place(facts)}."


def _failed(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    cause = say(RETURN_CAUSE, facts.last_event_cause) if facts.last_event_cause in RETURN_CAUSE else ""
    why = f": {cause}" if cause else ""
    return f"A transportadora tentou entregar {_at(facts.status_at, days, now)} e não conseguiu{why}."


def _pickup(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    until = facts.pickup_until
    if until is None:
        term = ""
    elif until >= days.local_date(now):
        term = f", até {until:%d/%m}"
    else:
        term = f"; o prazo de retirada terminou em {until:%d/%m}"
    return f"A encomenda aguarda retirada{_place(facts)}{term}."


def _delivered(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    return (
        f"A transportadora registrou a entrega {_at(facts.status_at, days, now)}{_place(facts)}. Se o cliente diz que não "
        "recebeu, confirme o endereço e pergunte por vizinhos ou portaria antes de qualquer outra coisa."
    )


def _returning(facts: ParcelFacts, _days: Calendars, _now: datetime) -> str:
    cause = say(RETURN_CAUSE, facts.returning_cause) if facts.returning_cause in RETURN_CAUSE else ""
    why = f" porque {cause}" if cause else ""
    return f"A encomenda está voltando para a loja{why}; neste envio ela não será mais entregue."


def _returned(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    return f"A encomenda voltou para a loja {_at(facts.status_at, days, now)}."


def _lost(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    if "lost_at" in facts.by_words:
        return _only_words(f"A transportadora escreveu sobre extravio da encomenda {_at(facts.status_at, days, now)}")
    return f"A transportadora registrou o extravio da encomenda {_at(facts.status_at, days, now)}."


def _stolen(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    if "stolen_at" in facts.by_words:
        return _only_words(f"A transportadora escreveu sobre roubo da encomenda {_at(facts.status_at, days, now)}")
    return f"A transportadora registrou o roubo da encomenda {_at(facts.status_at, days, now)}."


def _damaged(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    if "damaged_at" in facts.by_words:
        return _only_words(f"A transportadora escreveu sobre avaria na encomenda {_at(facts.status_at, days, now)}")
    return f"A transportadora registrou uma avaria na encomenda {_at(facts.status_at, days, now)}."


def _only_words(sentence: str) -> str:
    """With the reservation that a customer must hear where no confirmed code says so."""
    return f"{sentence}, sem um código que o confirme: ainda está sendo apurado."


def _seized(facts: ParcelFacts, days: Calendars, now: datetime) -> str:
    return f"A encomenda foi apreendida na fiscalização {_at(facts.status_at, days, now)}."


def _cancelled(_facts: ParcelFacts, _days: Calendars, _now: datetime) -> str:
    return "A postagem deste envio foi cancelada."


def _expired(_facts: ParcelFacts, _days: Calendars, _now: datetime) -> str:
    return "O registro deste envio venceu sem que a transportadora recebesse a encomenda."


_WHERE: Final[Mapping[Status, Callable[[ParcelFacts, Calendars, datetime], str]]] = {
    Status.PRE_TRANSIT: _pre_transit,
    **dict.fromkeys(_ON_THE_WAY, _on_the_way),
    Status.OUT_FOR_DELIVERY: _out_for_delivery,
    Status.DELIVERY_FAILED: _failed,
    Status.AVAILABLE_FOR_PICKUP: _pickup,
    Status.DELIVERED: _delivered,
    Status.RETURNING: _returning,
    Status.RETURNED: _returned,
    Status.LOST: _lost,
    Status.STOLEN: _stolen,
    Status.DAMAGED: _damaged,
    Status.SEIZED: _seized,
    Status.CANCELLED: _cancelled,
    Status.EXPIRED: _expired,
}


def _came_late(facts: ParcelFacts, days: Calendars) -> list[str]:
    on = facts.promise.on
    if facts.status is not Status.DELIVERED or facts.status_at is None or on is None:
        return []
    word = "prometida" if facts.promise.basis is PromiseBasis.GIVEN else "prevista"
    return [f"Chegou com atraso: a data {word} era {on:%d/%m}."] if days.local_date(facts.status_at) > on else []


# --- what is wrong ---------------------------------------------------------------------------------

_TROUBLE: Final[Mapping[ProblemKind, str]] = {
    ProblemKind.NOT_POSTED: (
        "A loja já devia ter postado esta encomenda e a transportadora não a recebeu: verifique com a expedição antes de "
        "falar em atraso da transportadora."
    ),
    ProblemKind.STALLED: (
        "Está parada há mais dias úteis do que o normal, sem que a transportadora diga por quê; não invente um motivo."
    ),
    ProblemKind.DELIVERY_FAILED: (
        "Confirme com o cliente o endereço e quem pode receber; uma nova tentativa, a retirada no balcão ou a devolução vêm "
        "a seguir."
    ),
    ProblemKind.ADDRESS_PROBLEM: (
        "A transportadora aponta problema no endereço: confirme rua, número, complemento e CEP com o cliente agora, pois a "
        "encomenda pode ser devolvida."
    ),
    ProblemKind.REFUSED: "A entrega foi recusada: pergunte ao cliente o motivo e se ele ainda quer a encomenda.",
    ProblemKind.PICKUP_EXPIRING: (
        "O prazo de retirada está no fim: peça que o cliente retire logo, com o código de rastreio e um documento; depois "
        "disso a encomenda volta para a loja."
    ),
    ProblemKind.CUSTOMS_HOLD: (
        "Está retida na fiscalização; pode faltar pagamento ou informação do destinatário no portal da transportadora."
    ),
    ProblemKind.SEIZED: "Apreensão não dá direito a indenização da transportadora; o assunto é com o órgão que apreendeu.",
    ProblemKind.VIOLATION: "Há sinal de violação: peça fotos da embalagem e do conteúdo antes de qualquer outra coisa.",
    ProblemKind.MISDELIVERY: (
        "Consta como entregue e não está com o cliente: confirme o endereço, pergunte por vizinhos ou portaria e por quem "
        "assinou o recebimento."
    ),
}
"""What each open problem adds to where the parcel is; delay, loss and return have sentences of their own."""
_UNTRACKABLE: Final[Mapping[str, str]] = {
    "invalid_number": "A transportadora não reconhece este código; confira se foi digitado certo.",
    "other_account": "Este código é de outro contrato e não pode ser acompanhado por aqui; confira de quem é a etiqueta.",
    "not_found": "A transportadora nunca mostrou este código; confira se a etiqueta foi usada ou trocada por outra.",
}


def _troubles(facts: ParcelFacts) -> list[str]:
    sentences = [said for kind, said in _TROUBLE.items() if kind in facts.open_problems]
    if ProblemKind.UNTRACKABLE in facts.open_problems:
        sentences.append(_UNTRACKABLE.get(facts.closed_reason or "", ""))
    return sentences


# --- when it comes ----------------------------------------------------------------------------------


def _when(facts: ParcelFacts, days: Calendars, today: date) -> list[str]:
    if facts.status not in MOVING | {Status.PRE_TRANSIT, Status.UNKNOWN}:
        return []
    promise, due = facts.promise, facts.carrier_due_on
    if facts.customer_late:
        was = f": a data prometida era {promise.on:%d/%m}" if promise.on else ""
        if due is not None and due >= today and not facts.presumed_loss:
            return [f"Está atrasada{was}. A transportadora agora informa {due:%d/%m}."]
        return [f"Está atrasada{was}. Não há uma nova data; não prometa uma."]
    if promise.on is not None and promise.on >= today and promise.basis is PromiseBasis.GIVEN:
        return [f"A entrega foi prometida para {promise.on:%d/%m} e ainda está dentro do prazo."]
    passed = _passed(facts, days, today)
    if due is not None and due >= today:
        return [*passed, f"A previsão da transportadora é {due:%d/%m}."]
    return passed or ["Não há uma data de entrega conhecida; não prometa uma."]


def _passed(facts: ParcelFacts, days: Calendars, today: date) -> list[str]:
    """A date that is over although nobody knows of a delay: in an outage, or within the days that are allowed for."""
    is_given = facts.promise.basis is PromiseBasis.GIVEN
    named = facts.promise.on if is_given else facts.carrier_due_on
    if named is None or named >= today:
        return []
    word = "prometida" if is_given else "prevista"
    sentence = f"A data {word} era {named:%d/%m} e já passou"
    if not facts.is_stale:
        return [f"{sentence}; não prometa outra."]
    if facts.last_answered_at is None:
        return [f"{sentence}, mas a transportadora ainda não deu notícia; não prometa outra."]
    return [f"{sentence}, mas não há notícia desde {_since(facts.last_answered_at, days)}; não prometa outra."]


# --- what was done ----------------------------------------------------------------------------------


def _claimed(facts: ParcelFacts, days: Calendars, now: datetime) -> list[str]:
    claim = facts.claim
    if claim is None:
        return []
    number = f", protocolo {claim.protocol}" if claim.protocol else ""
    if claim.state in _WITH_CARRIER and claim.opened_at is not None:
        opened = f"Abrimos uma reclamação na transportadora {_day(claim.opened_at, days)}{number}"
        if claim.answer_by is None:
            return [f"{opened}; ainda não há resposta."]
        if claim.answer_by >= days.local_date(now):
            return [f"{opened}; a resposta é esperada até {claim.answer_by:%d/%m}."]
        return [f"{opened}; a resposta era esperada até {claim.answer_by:%d/%m} e ainda não veio."]
    if claim.state in _UNFILED and facts.open_problems:
        return ["Ainda não há reclamação registrada na transportadora; não diga que há."]
    return {
        ClaimState.ANSWERED: [
            f"A transportadora respondeu à nossa reclamação{number}; leia a resposta antes de falar."
        ],
        ClaimState.ACCEPTED: [f"A transportadora aceitou a nossa reclamação{number}."],
        ClaimState.REJECTED: [f"A transportadora rejeitou a nossa reclamação{number}."],
    }.get(claim.state, [])


def _told(facts: ParcelFacts, days: Calendars) -> list[str]:
    if facts.told is not None:
        what = say(TRIGGER, facts.told.trigger)
        if facts.told.confirmed:
            return [f"Já avisamos o cliente {_day(facts.told.at, days)} ({what})."]
        return [f"Uma mensagem ({what}) saiu {_day(facts.told.at, days)} sem confirmação: pode não ter chegado."]
    if facts.open_problems & _TOLD_PROBLEMS:
        return ["O cliente ainda não recebeu nenhum aviso nosso sobre este problema."]
    return []


# --- small words ------------------------------------------------------------------------------------


def _place(facts: ParcelFacts) -> str:
    return f", em {facts.location}" if facts.location else ""


def _at(instant: datetime | None, days: Calendars, now: datetime) -> str:
    if instant is None:
        return "em data não informada"
    local = instant.astimezone(days.zone)
    if local.date() == days.local_date(now):
        return f"hoje, às {local:%H:%M}"
    return f"em {local:%d/%m}, às {local:%H:%M}"


def _since(instant: datetime | None, days: Calendars) -> str:
    return f"{days.local_date(instant):%d/%m}" if instant else "uma data não informada"


def _day(instant: datetime, days: Calendars) -> str:
    return f"em {days.local_date(instant):%d/%m}"

"""What may be said to a customer: only what a fact carries."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from carriers.base import Cause, ProblemKind, TrackingStatus
from tracker.domain.calendar import calendars
from tracker.domain.promise import Promise, PromiseBasis
from tracker.domain.words import ClaimState
from tracker.reports.advice import ClaimFacts, ParcelFacts, Told, what_to_say

DAYS = calendars(ZoneInfo("America/Sao_Paulo"), frozenset({"PR"}), frozenset())
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
YESTERDAY = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
GIVEN = Promise(date(2026, 11, 27), date(2026, 11, 27), PromiseBasis.GIVEN)
BROKEN = Promise(date(2026, 11, 20), date(2026, 11, 20), PromiseBasis.GIVEN)
NONE = Promise(None, None, PromiseBasis.NONE)
Status, State = TrackingStatus, ClaimState


def said(status: TrackingStatus = Status.IN_TRANSIT, promise: Promise = NONE, **facts: Any) -> str:
    values = {"status_at": YESTERDAY, "last_event_at": YESTERDAY, **facts}
    return " ".join(what_to_say(ParcelFacts(status, promise, **values), DAYS, NOW))


@pytest.mark.parametrize(
    ("answered_at", "sentence"),
    [
        pytest.param(YESTERDAY, "última resposta da transportadora foi em 23/11, às 09:30", id="answered yesterday"),
        pytest.param(None, "ainda não respondeu nenhuma consulta", id="never answered"),
    ],
)
def test_old_news_is_said_to_be_old_before_anything_else(answered_at: datetime | None, sentence: str) -> None:
    first = what_to_say(
        ParcelFacts(Status.IN_TRANSIT, GIVEN, YESTERDAY, YESTERDAY, is_stale=True, last_answered_at=answered_at),
        DAYS,
        NOW,
    )[0]
    assert first.startswith("Atenção: ") and sentence in first
    assert "Atenção" not in said(last_answered_at=answered_at)


@pytest.mark.parametrize(
    ("status", "facts", "sentence"),
    [
        pytest.param(Status.UNKNOWN, {}, "ainda não mostra nenhuma movimentação", id="nothing known"),
        pytest.param(Status.PRE_TRANSIT, {}, "ainda não confirmou que o recebeu", id="registered only"),
        pytest.param(
            Status.IN_TRANSIT, {"location": "CURITIBA/PR"}, "em 23/11, às 09:30, em CURITIBA/PR.", id="moving"
        ),
        pytest.param(Status.OUT_FOR_DELIVERY, {"status_at": NOW}, "saiu para entrega hoje, às 12:00.", id="today"),
        pytest.param(Status.OUT_FOR_DELIVERY, {}, "saiu para entrega em 23/11, às 09:30.", id="out since yesterday"),
        pytest.param(
            Status.DELIVERY_FAILED,
            {"last_event_cause": Cause.ABSENT},
            "não conseguiu: não havia ninguém para receber.",
            id="nobody at home",
        ),
        pytest.param(Status.DELIVERY_FAILED, {"last_event_cause": Cause.OTHER}, "não conseguiu.", id="no reason given"),
        pytest.param(
            Status.AVAILABLE_FOR_PICKUP,
            {"pickup_until": date(2026, 11, 24), "location": "AC CENTRO"},
            "aguarda retirada, em AC CENTRO, até 24/11.",
            id="pickup, last day",
        ),
        pytest.param(
            Status.AVAILABLE_FOR_PICKUP,
            {"pickup_until": date(2026, 11, 23)},
            "o prazo de retirada terminou em 23/11.",
            id="pickup, a day late",
        ),
        pytest.param(Status.AVAILABLE_FOR_PICKUP, {}, "aguarda retirada.", id="pickup without a term"),
        pytest.param(Status.DELIVERED, {}, "registrou a entrega em 23/11, às 09:30.", id="delivered"),
        pytest.param(
            Status.RETURNING, {"returning_cause": Cause.REFUSED}, "porque a entrega foi recusada", id="coming back"
        ),
        pytest.param(
            Status.RETURNING, {"returning_cause": Cause.RETURN}, "voltando para a loja;", id="back, no reason"
        ),
        pytest.param(Status.RETURNED, {}, "voltou para a loja em 23/11", id="back"),
        pytest.param(Status.LOST, {}, "registrou o extravio da encomenda em 23/11", id="lost"),
        pytest.param(Status.STOLEN, {}, "registrou o roubo", id="stolen"),
        pytest.param(Status.DAMAGED, {}, "registrou uma avaria", id="damaged"),
        pytest.param(Status.SEIZED, {}, "foi apreendida", id="seized"),
        pytest.param(Status.CANCELLED, {}, "postagem deste envio foi cancelada", id="cancelled"),
        pytest.param(Status.EXPIRED, {}, "venceu sem que a transportadora recebesse", id="never posted"),
    ],
)
def test_where_it_is(status: TrackingStatus, facts: dict[str, Any], sentence: str) -> None:
    assert sentence in said(status, **facts)


@pytest.mark.parametrize(
    ("kind", "facts", "sentence"),
    [
        pytest.param(
            ProblemKind.NOT_POSTED, {"status": Status.PRE_TRANSIT}, "verifique com a expedição", id="not posted"
        ),
        pytest.param(ProblemKind.STALLED, {}, "Está parada há mais dias úteis", id="stalled"),
        pytest.param(
            ProblemKind.DELIVERY_FAILED,
            {"status": Status.DELIVERY_FAILED},
            "Confirme com o cliente o endereço e quem pode receber",
            id="nobody at home",
        ),
        pytest.param(
            ProblemKind.ADDRESS_PROBLEM,
            {"status": Status.DELIVERY_FAILED},
            "confirme rua, número, complemento e CEP",
            id="wrong address",
        ),
        pytest.param(ProblemKind.REFUSED, {"status": Status.EXCEPTION}, "pergunte ao cliente o motivo", id="refused"),
        pytest.param(
            ProblemKind.PICKUP_EXPIRING,
            {"status": Status.AVAILABLE_FOR_PICKUP},
            "peça que o cliente retire logo",
            id="last days at the counter",
        ),
        pytest.param(ProblemKind.CUSTOMS_HOLD, {"status": Status.CUSTOMS}, "retida na fiscalização", id="customs"),
        pytest.param(ProblemKind.SEIZED, {"status": Status.SEIZED}, "não dá direito a indenização", id="seized"),
        pytest.param(
            ProblemKind.UNTRACKABLE,
            {"status": Status.UNKNOWN, "closed_reason": "other_account"},
            "é de outro contrato",
            id="another contract's number",
        ),
        pytest.param(
            ProblemKind.UNTRACKABLE,
            {"status": Status.UNKNOWN, "closed_reason": "not_found"},
            "nunca mostrou este código",
            id="a number never shown",
        ),
    ],
)
def test_what_a_problem_adds(kind: ProblemKind, facts: dict[str, Any], sentence: str) -> None:
    assert sentence in said(open_problems=frozenset({kind}), **facts)
    assert sentence not in said(**facts)


def test_a_delivery_taken_back_is_said_until_the_parcel_arrives() -> None:
    words = said(Status.IN_TRANSIT, delivery_undone_at=YESTERDAY)
    assert words.startswith("Atenção: a entrega registrada em 23/11 foi desfeita pela transportadora")
    assert "desfeita" not in said(Status.DELIVERED, delivery_undone_at=YESTERDAY)


@pytest.mark.parametrize(
    ("promise", "late"),
    [
        pytest.param(BROKEN, True, id="after its day"),
        pytest.param(GIVEN, False, id="in time"),
        pytest.param(NONE, False, id="no day was promised"),
    ],
)
def test_a_parcel_that_came_late_is_said_to_have(promise: Promise, late: bool) -> None:
    assert ("Chegou com atraso: a data prometida era 20/11." in said(Status.DELIVERED, promise)) == late


def test_without_a_code_the_carrier_shows_nothing_for_another_reason() -> None:
    told = said(Status.UNKNOWN, has_code=False)
    assert "ainda não tem código de rastreio" in told and "tracker edit PEDIDO --code" in told
    assert "não mostra nenhuma movimentação" not in told


def test_every_status_has_its_words() -> None:
    for status in TrackingStatus:
        words = said(status)
        assert words
        assert "None" not in words


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        pytest.param({"promise": GIVEN}, "prometida para 27/11 e ainda está dentro do prazo", id="inside the promise"),
        pytest.param({"carrier_due_on": date(2026, 11, 25)}, "previsão da transportadora é 25/11", id="carrier's date"),
        pytest.param({}, "não prometa uma", id="no date at all"),
        pytest.param(
            {"carrier_due_on": date(2026, 11, 23)},
            "A data prevista era 23/11 e já passou; não prometa outra.",
            id="the carrier's date has passed",
        ),
        pytest.param(
            {"promise": BROKEN, "is_stale": True, "last_answered_at": YESTERDAY},
            "A data prometida era 20/11 e já passou, mas não há notícia desde 23/11; não prometa outra.",
            id="passed in an outage",
        ),
        pytest.param(
            {"promise": BROKEN, "is_stale": True},
            "A data prometida era 20/11 e já passou, mas a transportadora ainda não deu notícia",
            id="passed and the carrier was never heard",
        ),
        pytest.param(
            {"promise": BROKEN, "carrier_due_on": date(2026, 11, 26)},
            "A data prometida era 20/11 e já passou; não prometa outra. A previsão da transportadora é 26/11.",
            id="passed within the days that are allowed for",
        ),
        pytest.param(
            {"promise": Promise(date(2026, 11, 20), None, PromiseBasis.CARRIER)},
            "Não há uma data de entrega conhecida",
            id="a date that we reckoned is told to nobody",
        ),
        pytest.param(
            {"promise": BROKEN, "customer_late": True, "carrier_due_on": date(2026, 11, 26)},
            "a data prometida era 20/11. A transportadora agora informa 26/11.",
            id="late with a new date",
        ),
        pytest.param(
            {"promise": BROKEN, "customer_late": True, "carrier_due_on": date(2026, 11, 20)},
            "era 20/11. Não há uma nova data; não prometa uma.",
            id="late without one",
        ),
        pytest.param(
            {"promise": BROKEN, "customer_late": True, "carrier_due_on": date(2026, 11, 26), "presumed_loss": True},
            "Não há movimentação desde 23/11; tratamos como possível extravio, que a transportadora ainda não confirmou. "
            "Está atrasada: a data prometida era 20/11. Não há uma nova data",
            id="a date of a parcel that is presumed lost is not told",
        ),
    ],
)
def test_when_it_comes(facts: dict[str, Any], sentence: str) -> None:
    assert sentence in said(**facts)


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.RETURNED, Status.RETURNING, Status.LOST, Status.CANCELLED])
def test_no_date_is_told_of_what_will_not_come(status: TrackingStatus) -> None:
    words = said(status, GIVEN, carrier_due_on=date(2026, 11, 27))
    assert "27/11" not in words
    assert "prometa" not in words


def claim(state: ClaimState, answer_by: date | None = date(2026, 11, 30)) -> ClaimFacts:
    return ClaimFacts(state, "123456", YESTERDAY, answer_by)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        pytest.param(claim(State.OPEN), "em 23/11, protocolo 123456; a resposta é esperada até 30/11", id="in time"),
        pytest.param(claim(State.OPEN, date(2026, 11, 23)), "era esperada até 23/11 e ainda não veio", id="overdue"),
        pytest.param(claim(State.OPEN, None), "ainda não há resposta", id="no term known"),
        pytest.param(claim(State.WAITING_APPROVAL), "Ainda não há reclamação registrada", id="waits for a person"),
        pytest.param(claim(State.SUBMITTING), "Ainda não há reclamação registrada", id="on its way"),
        pytest.param(claim(State.ACCEPTED), "aceitou a nossa reclamação, protocolo 123456", id="accepted"),
        pytest.param(claim(State.REJECTED), "rejeitou", id="rejected"),
        pytest.param(claim(State.ANSWERED), "leia a resposta antes de falar", id="answered"),
    ],
)
def test_the_claim(facts: ClaimFacts, sentence: str) -> None:
    assert sentence in said(claim=facts, open_problems=frozenset({ProblemKind.DELAY}))


@pytest.mark.parametrize("state", [State.CANCELLED, State.REFUSED, State.EXPIRED, State.PAID])
def test_what_is_between_shop_and_carrier_is_not_told(state: ClaimState) -> None:
    assert "reclamação" not in said(claim=claim(state), open_problems=frozenset({ProblemKind.DELAY}))


def test_what_the_customer_knows() -> None:
    late = frozenset({ProblemKind.DELAY})
    assert "nenhum aviso nosso" in said(open_problems=late)
    assert "nenhum aviso" not in said()
    assert "Já avisamos o cliente em 23/11 (aviso de atraso)." in said(told=Told("delay_detected", YESTERDAY, True))
    unconfirmed = said(told=Told("loss_confirmed", YESTERDAY, False), open_problems=late)
    assert "pode não ter chegado" in unconfirmed
    assert "Já avisamos" not in unconfirmed


def test_a_cancelled_order_is_promised_nothing() -> None:
    words = said(promise=GIVEN, order_cancelled=True)
    assert words.startswith("O pedido consta como cancelado.")
    assert "27/11" not in words

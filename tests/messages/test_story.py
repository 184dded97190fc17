"""The values of each trigger's text: what is known is said, what is not is left out, and no past date is promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from carriers.base import Cause, ClaimTerms, TrackingStatus
from tests.domain.support import DAYS, at, on
from tracker.domain.history import History
from tracker.domain.incidents import Scope, Where
from tracker.domain.notice_facts import Place
from tracker.domain.words import ClaimState, Trigger
from tracker.messages.phrases import ENGLISH, PORTUGUESE, Phrases
from tracker.messages.story import Part, ShopVoice, Telling, values_of
from tracker.messages.templates import Templates
from tracker.messages.variables import TRIGGERS, Value
from tracker.store.claims import ClaimRow
from tracker.store.contexts import OrderRow, ShipmentContext
from tracker.store.histories import HistoryRow

SHOP = ShopVoice("Loja Exemplo", "sac@loja.example")
TERMS = ClaimTerms(offers=(), source="a test", valid_since=date(2026, 1, 1))
ORDER = OrderRow(
    id=1,
    shop="exemplo",
    number="10482",
    status="shipped",
    promised_on=on("2026-11-27"),
    promised_first_on=on("2026-11-27"),
    customer_name="Paulo Exemplo",
    customer_email=None,
    customer_document=None,
    recipient_name="Marina Exemplo",
    recipient_email=None,
    state="PR",
    total_cents=18_990,
)
CONTEXT = ShipmentContext(
    shipment_id=1,
    carrier="entrega",
    service=None,
    declared_value_cents=None,
    created_at=at("2026-11-16 10:00"),
    ref_id=1,
    ref_kind="code",
    tracking_code="AA123456785BR",
    last_answered_at=None,
    next_poll_at=None,
    order=ORDER,
)
CLAIM = ClaimRow(
    id=1,
    shop="exemplo",
    shipment_id=1,
    tracking_ref_id=1,
    carrier="entrega",
    kind="information_request",
    motive="211",
    state=ClaimState.OPEN,
    hold_reason=None,
    protocol="P1",
    planned_at=at("2026-11-25 00:00"),
    claimable_from=on("2026-11-25"),
    urge_on=None,
    alert_on=on("2026-12-19"),
    deadline_on=on("2026-12-24"),
    last_on=on("2027-02-22"),
    approved_at=None,
    opened_at=at("2026-11-25 10:00"),
    answered_at=None,
    reopened_at=None,
    adopted=False,
    outcome="registered",
    refusal_code=None,
    refusal_text=None,
    expected_cents=None,
    next_step_at=None,
    closed_at=None,
    version=1,
)


def part(
    history: History | None = None, *, claim: ClaimRow | None = None, code: str | None = "AA123456785BR", **order: Any
) -> Part:
    row = HistoryRow(1, 1, history or History(), None, None, None, at("2026-11-16 10:00"))
    return Part.of(replace(CONTEXT, tracking_code=code, order=replace(ORDER, **order)), row, claim)


def values(
    trigger: Trigger,
    *parts: Part,
    items: tuple[str, ...] = (),
    terms: ClaimTerms | None = TERMS,
    now: str = "2026-11-25 10:00",
    words: Phrases = PORTUGUESE,
    **more: Any,
) -> dict[str, Value]:
    return values_of(trigger, parts, Telling(SHOP, "Entrega Exemplo", items, terms, DAYS, at(now), words, **more))


@pytest.mark.parametrize(
    ("day", "spoken"),
    [
        pytest.param("2026-11-23", "segunda-feira, 23/11", id="Monday"),
        pytest.param("2026-12-01", "terça-feira, 01/12", id="Tuesday, with two digits"),
        pytest.param("2026-11-28", "sábado, 28/11", id="Saturday"),
        pytest.param("2026-11-29", "domingo, 29/11", id="Sunday"),
    ],
)
def test_dates_are_spoken(day: str, spoken: str) -> None:
    assert PORTUGUESE.date(on(day)) == spoken


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param({}, "Marina", id="who receives"),
        pytest.param({"recipient_name": None}, "Paulo", id="who paid, where nobody else is known"),
        pytest.param({"recipient_name": None, "customer_name": None}, None, id="nobody"),
        pytest.param(
            {"recipient_name": "Papelaria Horizonte Ltda", "customer_document": "11222333000181"},
            "Papelaria Horizonte Ltda",
            id="a company by its whole name",
        ),
        pytest.param({"customer_document": "52998224725"}, "Marina", id="a person by the first one"),
    ],
)
def test_who_is_greeted(order: dict[str, Any], expected: str | None) -> None:
    assert values(Trigger.POSTED, part(**order))["nome"] == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param((), None, id="nothing is known"),
        pytest.param(("Fone sem fio",), "Fone sem fio", id="one"),
        pytest.param(("Fone sem fio", "Capa"), "Fone sem fio e mais 1", id="two"),
        pytest.param(("Fone sem fio", "Capa", "Cabo"), "Fone sem fio e mais 2", id="three"),
    ],
)
def test_what_was_bought(items: tuple[str, ...], expected: str | None) -> None:
    assert values(Trigger.POSTED, part(), items=items)["produto"] == expected


@pytest.mark.parametrize(
    ("codes", "one", "several"),
    [
        pytest.param(["AA1"], "AA1", None, id="one parcel"),
        pytest.param(["AA1", "AA2"], None, ["AA1", "AA2"], id="two parcels"),
        pytest.param([None], None, None, id="a parcel without a code"),
        pytest.param(["AA1", None], "AA1", None, id="two parcels, one of them with a code"),
    ],
)
def test_tracking_codes(codes: list[str | None], one: str | None, several: list[str] | None) -> None:
    found = values(Trigger.POSTED, *(part(code=code) for code in codes))
    assert (found["rastreio"], found["rastreios"]) == (one, several)


def test_who_speaks_and_of_what() -> None:
    found = values(Trigger.POSTED, part())
    assert {name: found[name] for name in ("loja", "sac", "pedido", "transportadora")} == {
        "loja": "Loja Exemplo",
        "sac": "sac@loja.example",
        "pedido": "10482",
        "transportadora": "Entrega Exemplo",
    }


def test_an_order_known_only_by_its_code_is_called_by_the_code() -> None:
    assert values(Trigger.POSTED, part(number="code:AA123456785BR"))["pedido"] == "AA123456785BR"


@pytest.mark.parametrize(
    ("promised", "due", "now", "expected"),
    [
        pytest.param("2026-11-27", "2026-11-26", "2026-11-25 10:00", "sexta-feira, 27/11", id="what the shop promised"),
        pytest.param(None, "2026-11-26", "2026-11-25 10:00", "quinta-feira, 26/11", id="what the carrier named"),
        pytest.param(None, None, "2026-11-25 10:00", None, id="nobody named a day"),
        pytest.param("2026-11-25", None, "2026-11-25 10:00", None, id="today is no day to promise"),
        pytest.param("2026-11-26", None, "2026-11-25 23:59", "quinta-feira, 26/11", id="tomorrow by the local day"),
        pytest.param("2026-11-20", "2026-11-19", "2026-11-25 10:00", None, id="past days promise nothing"),
    ],
)
def test_posted(promised: str | None, due: str | None, now: str, expected: str | None) -> None:
    history = History(due_on=on(due) if due else None)
    assert (
        values(Trigger.POSTED, part(history, promised_on=on(promised) if promised else None), now=now)["data"]
        == expected
    )


@pytest.mark.parametrize(
    ("promised", "due", "expected"),
    [
        pytest.param("2026-11-24", "2026-11-27", ("terça-feira, 24/11", "sexta-feira, 27/11"), id="a new day is known"),
        pytest.param("2026-11-24", "2026-11-24", ("terça-feira, 24/11", None), id="no new day is known"),
        pytest.param("2026-11-24", None, ("terça-feira, 24/11", None), id="the carrier named none"),
        pytest.param(None, "2026-11-27", (None, "sexta-feira, 27/11"), id="the shop promised none"),
    ],
)
def test_delay(promised: str | None, due: str | None, expected: tuple[str | None, str | None]) -> None:
    history = History(due_on=on(due) if due else None)
    found = values(Trigger.DELAY_DETECTED, part(history, promised_on=on(promised) if promised else None))
    assert (found["data_original"], found["data"]) == expected


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        pytest.param(None, None, id="nothing was done"),
        pytest.param(replace(CLAIM, state=ClaimState.PLANNED), None, id="planned is not done"),
        pytest.param(replace(CLAIM, state=ClaimState.SUBMITTING), None, id="sent is not taken"),
        pytest.param(replace(CLAIM, state=ClaimState.REFUSED), None, id="refused is not taken"),
        pytest.param(
            CLAIM, "abrimos um pedido de informação na transportadora, número P1", id="taken, with its number"
        ),
        pytest.param(
            replace(CLAIM, protocol=None), "abrimos um pedido de informação na transportadora", id="taken, without one"
        ),
    ],
)
def test_a_delay_tells_what_was_really_done(claim: ClaimRow | None, expected: str | None) -> None:
    assert values(Trigger.DELAY_DETECTED, part(claim=claim))["acao"] == expected


@pytest.mark.parametrize(
    ("claim", "terms", "now", "expected"),
    [
        # Filed Wed 25: Thu 26 (1), Fri 27 (2), Mon 30 (3), Tue 1 (4), Wed 2 December (5)
        pytest.param(
            CLAIM, TERMS, "2026-11-25 10:00", ("P1", "quarta-feira, 02/12"), id="the end of the carrier's term"
        ),
        # Filed Mon 21: 22, 23 (2), (24 doubtful, 25, weekend), 28, 29, 30 (5)
        pytest.param(
            replace(CLAIM, opened_at=at("2026-12-21 10:00")),
            TERMS,
            "2026-12-21 11:00",
            ("P1", "quarta-feira, 30/12"),
            id="doubtful days give the carrier time",
        ),
        pytest.param(
            replace(CLAIM, protocol=None), TERMS, "2026-11-25 10:00", (None, "quarta-feira, 02/12"), id="no number yet"
        ),
        pytest.param(CLAIM, None, "2026-11-25 10:00", ("P1", None), id="nobody knows the carrier's terms"),
        pytest.param(replace(CLAIM, opened_at=None), TERMS, "2026-11-25 10:00", ("P1", None), id="not filed"),
        pytest.param(None, TERMS, "2026-11-25 10:00", (None, None), id="no claim"),
        pytest.param(CLAIM, TERMS, "2026-12-02 10:00", ("P1", None), id="released so late that the term is over"),
    ],
)
def test_inquiry(
    claim: ClaimRow | None, terms: ClaimTerms | None, now: str, expected: tuple[str | None, str | None]
) -> None:
    found = values(Trigger.INQUIRY_OPENED, part(claim=claim), terms=terms, now=now)
    assert (found["protocolo_transp"], found["data"]) == expected


@pytest.mark.parametrize(
    ("cents", "expected"),
    [
        pytest.param(18_990, "R$ 189,90", id="the order's value"),
        pytest.param(None, None, id="unknown"),
        pytest.param(0, None, id="an order of nothing"),
    ],
)
def test_loss(cents: int | None, expected: str | None) -> None:
    assert values(Trigger.LOSS_CONFIRMED, part(total_cents=cents))["valor"] == expected


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        pytest.param(Cause.ABSENT, "não havia ninguém para receber", id="nobody at home"),
        pytest.param(Cause.WRONG_ADDRESS, "o endereço não foi localizado", id="wrong address"),
        pytest.param(Cause.REFUSED, "a entrega foi recusada no endereço", id="refused"),
        pytest.param(Cause.UNCLAIMED, "não foi retirada dentro do prazo", id="not collected"),
        pytest.param(Cause.RETURN, None, id="a plain return says no reason"),
        pytest.param(None, None, id="nobody says why"),
    ],
)
def test_return(cause: Cause | None, expected: str | None) -> None:
    history = History(status=TrackingStatus.RETURNING, returning_cause=cause)
    assert values(Trigger.RETURNED_TO_SENDER, part(history))["motivo"] == expected


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        pytest.param("2026-11-25 09:00", "quarta-feira, 02/12", id="seven days"),
        pytest.param("2026-11-25 23:59", "quarta-feira, 02/12", id="seven days from its local day"),
        pytest.param("2026-12-28 12:00", "segunda-feira, 04/01", id="over the year's end"),
        pytest.param(None, None, id="not delivered"),
    ],
)
def test_delivered_names_the_last_day_to_withdraw(delivered: str | None, expected: str | None) -> None:
    history = History(status=TrackingStatus.DELIVERED, delivered_at=at(delivered) if delivered else None)
    assert values(Trigger.DELIVERED, part(history))["data_arrependimento"] == expected


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_only_declared_variables_are_given(trigger: str) -> None:
    found = values(Trigger(trigger), part(claim=CLAIM))
    assert set(found) <= set(TRIGGERS[trigger].by_name)
    assert all(found[name] for name in TRIGGERS[trigger].required_names)


@pytest.mark.parametrize(
    ("incident", "expected"),
    [
        pytest.param(None, None, id="this parcel alone"),
        pytest.param(
            Where("entrega", Scope.HUB, "CAJAMAR/SP"), "muitas encomendas que passam por CAJAMAR/SP", id="one hub"
        ),
        pytest.param(Where("entrega", Scope.STATE, "RN"), "muitas encomendas a caminho de RN", id="one state"),
        pytest.param(
            Where("entrega", Scope.CARRIER),
            "muitas encomendas da transportadora (Entrega Exemplo)",
            id="the whole carrier",
        ),
    ],
)
def test_a_delay_that_many_share_is_said_to_be_shared(incident: Where | None, expected: str | None) -> None:
    shared = values(Trigger.DELAY_DETECTED, replace(part(), incident=incident))["ocorrencia"]
    assert shared == expected
    rendered = Templates(None).render(
        "delay_detected", values(Trigger.DELAY_DETECTED, replace(part(), incident=incident)), shop="exemplo"
    )
    assert ("e não só a sua" in rendered.text) is (expected is not None)
    assert ("e não só a sua" in rendered.html) is (expected is not None)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param(
            {"state": ClaimState.WAITING_APPROVAL, "outcome": "accepted"}, ClaimState.ACCEPTED, id="reopening waits"
        ),
        pytest.param(
            {"state": ClaimState.WAITING_APPROVAL, "outcome": None, "opened_at": None},
            ClaimState.WAITING_APPROVAL,
            id="filing waits",
        ),
        pytest.param({"state": ClaimState.REOPENED}, ClaimState.REOPENED, id="reopened"),
    ],
)
def test_a_claim_whose_reopening_waits_is_told_as_it_was_answered(changes: dict[str, Any], told: ClaimState) -> None:
    assert replace(CLAIM, **changes).told_state is told


# --- the steps of its way -------------------------------------------------------------------------------


def test_an_order_without_a_parcel_is_thanked_for_with_its_date() -> None:
    order = replace(ORDER, status="paid")
    found = values_of(
        Trigger.ORDER_THANKED, [Part(order)], Telling(SHOP, "", ("Fone",), None, DAYS, at("2026-11-20 10:00"))
    )
    assert (found["data"], found["produto"], found["transportadora"], found["rastreio"]) == (
        "sexta-feira, 27/11",
        "Fone",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("location", "home", "expected"),
    [
        pytest.param("CAMPO LARGO/PR", Place("São Paulo", "SP"), "Campo Largo/PR", id="its state"),
        pytest.param("CURITIBA/PR", Place("São Paulo", "SP"), "Curitiba/PR", id="its city"),
        pytest.param("CAMPO LARGO/PR", Place("Curitiba", "PR"), None, id="it never left the state"),
        pytest.param("MARINGA/PR", Place("São Paulo", "SP"), "Maringa/PR", id="an accent that the carrier leaves out"),
        pytest.param("CAJAMAR/SP", Place("Curitiba", "PR"), None, id="elsewhere"),
        pytest.param(None, Place(), None, id="nowhere known"),
    ],
)
def test_a_milestone_names_a_place_of_the_destination_alone(
    location: str | None, home: Place, expected: str | None
) -> None:
    shown = part(History(status=TrackingStatus.IN_TRANSIT, location=location), city="Curitiba")
    telling = Telling(replace(SHOP, home=home), "", (), None, DAYS, at("2026-11-25 10:00"))
    found = values_of(Trigger.IN_TRANSIT, [shown], telling)
    assert (found["cidade"], found["data"]) == (expected, "sexta-feira, 27/11")


@pytest.mark.parametrize(
    ("status", "cause", "expected"),
    [
        pytest.param(
            TrackingStatus.DELIVERY_FAILED,
            Cause.ABSENT,
            ("não havia ninguém para receber", "quarta-feira, 25/11"),
            id="the newest attempt",
        ),
        pytest.param(
            TrackingStatus.IN_TRANSIT,
            Cause.ABSENT,
            ("não havia ninguém para receber", "terça-feira, 24/11"),
            id="moved since: the attempt it is about",
        ),
        pytest.param(TrackingStatus.DELIVERY_FAILED, None, (None, "quarta-feira, 25/11"), id="no reason is given"),
    ],
)
def test_a_failed_attempt(status: TrackingStatus, cause: Cause | None, expected: tuple[str | None, str]) -> None:
    history = History(
        status=status, status_at=at("2026-11-25 09:00"), trouble_at=at("2026-11-24 15:00"), trouble_cause=cause
    )
    found = values(Trigger.DELIVERY_ATTEMPT_FAILED, part(history))
    assert (found["motivo"], found["data_tentativa"]) == expected
    assert "data" not in found  # nobody knows the day of the next attempt


@pytest.mark.parametrize(
    ("until", "pickup_days", "now", "expected"),
    [
        pytest.param("2026-11-30", None, "2026-11-25 10:00", ("segunda-feira, 30/11", None), id="days away"),
        pytest.param("2026-11-26", None, "2026-11-25 10:00", ("quinta-feira, 26/11", "amanhã"), id="the eve"),
        pytest.param("2026-11-25", None, "2026-11-25 10:00", ("quarta-feira, 25/11", "hoje"), id="the last day"),
        pytest.param("2026-11-24", None, "2026-11-25 10:00", (None, None), id="a day that is over is not named"),
        pytest.param(None, 7, "2026-11-25 10:00", ("sexta-feira, 27/11", None), id="the carrier's usual term"),
        pytest.param(None, None, "2026-11-25 10:00", (None, None), id="nobody knows"),
    ],
)
def test_pickup(until: str | None, pickup_days: int | None, now: str, expected: tuple[str | None, str | None]) -> None:
    history = History(
        status=TrackingStatus.AVAILABLE_FOR_PICKUP,
        pickup_since=at("2026-11-20 10:00"),
        pickup_until=on(until) if until else None,
        location="CURITIBA/PR",
    )
    found = values(Trigger.PICKUP_WAITING, part(history), now=now, pickup_days=pickup_days)
    assert (found["data"], found["ultimo_dia"]) == expected
    assert (found["cidade"], found["documento"]) == ("Curitiba/PR", "um documento com foto")


def test_the_customers_own_city_is_written_as_the_order_spells_it() -> None:
    shown = part(History(status=TrackingStatus.IN_TRANSIT, location="MARINGA/PR"), city="MARINGÁ")
    found = values_of(Trigger.IN_TRANSIT, [shown], Telling(SHOP, "", (), None, DAYS, at("2026-11-25 10:00")))
    assert found["cidade"] == "Maringá/PR"


MOVED = History(status=TrackingStatus.IN_TRANSIT, last_event_at=at("2026-11-24 10:00"), location="CAJAMAR/SP")


@pytest.mark.parametrize(
    ("history", "claim", "words", "expected"),
    [
        pytest.param(
            MOVED,
            None,
            PORTUGUESE,
            "Ainda não há registro da entrega; o último movimento registrado é de terça-feira, 24/11, em Cajamar/SP.",
            id="where it was last",
        ),
        pytest.param(
            replace(MOVED, location=None),
            CLAIM,
            PORTUGUESE,
            "Ainda não há registro da entrega; o último movimento registrado é de terça-feira, 24/11. O pedido de "
            "informação que abrimos na transportadora segue em análise, com prazo de resposta até quarta-feira, 02/12.",
            id="and what is asked",
        ),
        pytest.param(History(), None, PORTUGUESE, "Ainda não há registro da entrega.", id="nothing was ever seen"),
        pytest.param(
            MOVED,
            replace(CLAIM, state=ClaimState.PLANNED),
            ENGLISH,
            "There is no record of the delivery yet; the last movement was on Tuesday, Nov 24, in Cajamar/SP.",
            id="English; a planned claim is none",
        ),
    ],
)
def test_promised_news_say_what_is_known(
    history: History, claim: ClaimRow | None, words: Phrases, expected: str
) -> None:
    found = values(Trigger.DELAY_FOLLOWUP, part(history, claim=claim), words=words)
    assert found["novidade"] == expected


@pytest.mark.parametrize("trigger", [Trigger.DELAY_DETECTED, Trigger.DELAY_FOLLOWUP])
def test_the_day_of_the_next_news_is_told_where_it_is_promised(trigger: Trigger) -> None:
    asked: list[tuple[Trigger, int, date]] = []

    def promise(of: Trigger, episode: int, left_on: date) -> date | None:
        asked.append((of, episode, left_on))
        return on("2026-11-30")

    assert values(trigger, part(), next_news=promise)["prox_contato"] == "segunda-feira, 30/11"
    assert values(trigger, part())["prox_contato"] is None
    assert asked == [(trigger, 1, on("2026-11-25"))]


@pytest.mark.parametrize(
    ("day", "spoken"),
    [
        pytest.param("2026-11-23", "Monday, Nov 23", id="Monday"),
        pytest.param("2026-12-04", "Friday, Dec 4", id="the month by its name"),
    ],
)
def test_dates_in_english(day: str, spoken: str) -> None:
    assert ENGLISH.date(on(day)) == spoken


def test_money_and_products_in_english() -> None:
    found = values(Trigger.LOSS_CONFIRMED, part(total_cents=123_450), items=("Lamp", "Bulb"), words=ENGLISH)
    assert (found["valor"], found["produto"]) == ("R$1,234.50", "Lamp and 1 more")


@pytest.mark.parametrize("scope", Scope)
def test_what_many_suffer_in_english(scope: Scope) -> None:
    found = values(Trigger.DELAY_DETECTED, replace(part(), incident=Where("entrega", scope, "SP")), words=ENGLISH)
    assert str(found["ocorrencia"]).startswith("many ")

"""Frenet: recorded answers, which service is asked, errors within HTTP 200, dates of two forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
import respx
from pydantic import ValidationError

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    Cause,
    CodeWord,
    PermanentCarrierError,
    TrackingRef,
    TrackingStatus,
)
from carriers.frenet import TABLE, Frenet, read_event
from tests.carriers.accounts import BASE, account, answer_of, code, recorded, reply, tracking_of

OUT, Status = AnswerOutcome, TrackingStatus
URL = f"{BASE}/tracking/trackinginfo"
SERVICES = [{"code": "03220", "numbers": "[A-Z]{2}[0-9]{9}BR"}, {"code": "JTE_INT", "numbers": "888[0-9]{12}"}]
S10, JT = code("AB123456785BR"), code("888030000000002")


def frenet(services: Any = SERVICES) -> Frenet:
    return account(Frenet, {"token": "ficha-inventada", "services": services})


@pytest.mark.anyio
async def test_a_delivery_is_read_oldest_first(respx_mock: respx.Router) -> None:
    respx_mock.post(URL).mock(return_value=reply("frenet", "delivered.json"))

    answer = await answer_of(frenet(), S10)

    assert (answer.outcome, answer.service, answer.due_on) == (OUT.FOUND, "Sedex", None)
    assert [
        (event.occurred_at, event.carrier_code, event.status, event.description, event.location, event.final)
        for event in answer.events
    ] == [
        (datetime(2026, 11, 16, 19, 10, tzinfo=UTC), "0", Status.POSTED, "Objeto postado", "SAO PAULO/SP", False),
        (
            datetime(2026, 11, 19, 17, 32, tzinfo=UTC),
            "9",
            Status.DELIVERED,
            "Objeto entregue ao destinatário",
            "CURITIBA/PR",
            True,
        ),
    ]
    assert answer.events[-1].attempt
    assert all(event.by_words for event in answer.events), "what the types mean is one client's word"


@pytest.mark.anyio
async def test_the_question_is_exactly_as_frenet_wants_it(respx_mock: respx.Router) -> None:
    route = respx_mock.post(URL).mock(return_value=reply("frenet", "delivered.json"))

    await answer_of(frenet(), S10)

    request = route.calls.last.request
    assert orjson.loads(request.content) == recorded("frenet", "request.json")
    assert request.headers["token"] == "ficha-inventada"
    assert route.call_count == 1, "the other service does not write such numbers"


@pytest.mark.anyio
async def test_a_loss_with_dates_of_the_other_form(respx_mock: respx.Router) -> None:
    route = respx_mock.post(URL).mock(return_value=reply("frenet", "lost-iso-dates.json"))

    answer = await answer_of(frenet(), JT)

    (lost,) = answer.events
    assert orjson.loads(route.calls.last.request.content)["ShippingServiceCode"] == "JTE_INT"
    assert (lost.status, lost.cause, lost.final, lost.by_words) == (Status.LOST, Cause.LOSS, True, True)
    assert (lost.occurred_at, lost.location) == (datetime(2026, 11, 20, 12, tzinfo=UTC), "Cajamar/SP")


@pytest.mark.anyio
async def test_no_history_is_not_found(respx_mock: respx.Router) -> None:
    respx_mock.post(URL).mock(return_value=reply("frenet", "no-history.json"))

    answer = await answer_of(frenet([{"code": "F_3"}]), code("10000000000001"))

    assert (answer.outcome, answer.message) == (OUT.NOT_FOUND, "no history is shown")


@pytest.mark.anyio
async def test_a_wrong_service_code_is_said_and_not_taken_for_a_missing_parcel(respx_mock: respx.Router) -> None:
    respx_mock.post(URL).mock(return_value=reply("frenet", "error-with-http-200.json"))

    answer = await answer_of(frenet(), S10)

    assert answer.outcome is OUT.ERROR
    assert answer.message == "Serviço de entrega não encontrado (check the codes in `services`)"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("messages", "wanted"),
    [
        pytest.param(["Objeto não encontrado", "Objeto inválido"], OUT.NOT_FOUND, id="the right service first"),
        pytest.param(["Objeto inválido", "Objeto não encontrado"], OUT.NOT_FOUND, id="the right service last"),
        pytest.param(["Objeto inválido", ""], OUT.NOT_FOUND, id="no history at the last"),
        pytest.param(["Objeto inválido", "Falha interna"], OUT.ERROR, id="refused by both"),
    ],
)
async def test_of_several_services_the_one_that_shows_most_counts(
    respx_mock: respx.Router, messages: list[str], wanted: AnswerOutcome
) -> None:
    told = [httpx.Response(200, json={"ErrorMessage": one, "TrackingEvents": []}) for one in messages]
    route = respx_mock.post(URL).mock(side_effect=told)

    answer = await answer_of(frenet([{"code": "03220"}, {"code": "JTE_INT"}]), JT)

    assert answer.outcome is wanted
    assert [orjson.loads(call.request.content)["ShippingServiceCode"] for call in route.calls] == ["03220", "JTE_INT"]


@pytest.mark.anyio
async def test_the_second_service_is_asked_where_the_first_shows_nothing(respx_mock: respx.Router) -> None:
    refused = reply("frenet", "error-with-http-200.json")
    respx_mock.post(URL).mock(side_effect=[refused, reply("frenet", "lost-iso-dates.json")])

    answer = await answer_of(frenet([{"code": "03220"}, {"code": "JTE_INT"}]), JT)

    assert (answer.outcome, len(answer.events)) == (OUT.FOUND, 1)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        pytest.param(httpx.Response(401), CarrierConfigError, "401", id="token refused"),
        pytest.param(
            httpx.Response(200, json={"ErrorMessage": "Token inválido"}),
            CarrierConfigError,
            "Token inválido",
            id="token refused within 200",
        ),
        pytest.param(
            httpx.Response(200, json={"Message": "x"}), PermanentCarrierError, "TrackingEvents", id="another shape"
        ),
        pytest.param(httpx.Response(404), PermanentCarrierError, "404", id="an address that is not there"),
    ],
)
async def test_a_refused_call_is_no_history(
    respx_mock: respx.Router, answer: httpx.Response, error: type[Exception], says: str
) -> None:
    respx_mock.post(URL).mock(return_value=answer)

    with pytest.raises(error, match=says):
        await answer_of(frenet(), S10)


@pytest.mark.parametrize(
    ("event_type", "wanted", "cause", "final"),
    [
        pytest.param("18", Status.PRE_TRANSIT, None, False, id="pre-posted"),
        pytest.param("0", Status.POSTED, None, False, id="posted"),
        pytest.param(1, Status.IN_TRANSIT, None, False, id="on its way, as a number"),
        pytest.param("2", Status.IN_TRANSIT, Cause.DELAY, False, id="late"),
        pytest.param("3", Status.RETURNING, Cause.RETURN, False, id="on its way back"),
        pytest.param("4", Status.LOST, Cause.LOSS, True, id="lost"),
        pytest.param("5", Status.OUT_FOR_DELIVERY, None, False, id="out for delivery"),
        pytest.param("9", Status.DELIVERED, None, True, id="delivered"),
        pytest.param("7", Status.UNKNOWN, None, False, id="a type that nobody has named, whatever its words"),
        pytest.param("", Status.DELIVERED, None, True, id="no type: by its words"),
    ],
)
def test_event_types(event_type: Any, wanted: TrackingStatus, cause: Cause | None, final: bool) -> None:
    line = {"EventDateTime": "19/11/2026 14:32", "EventType": event_type, "EventDescription": "Objeto entregue"}

    event = read_event(line)

    assert (event.status, event.cause, event.final) == (wanted, cause, final)
    assert event.by_words or wanted is Status.UNKNOWN
    assert event.carrier_code == (str(event_type) or "OBJETO ENTREGUE")


@pytest.mark.anyio
async def test_an_address_that_changes_makes_no_new_answer(respx_mock: respx.Router) -> None:
    one, two = recorded("frenet", "delivered.json"), recorded("frenet", "delivered.json")
    two["TrackingUrl"] = "https://rastreio.example/?chave=2"
    respx_mock.post(URL).mock(side_effect=[httpx.Response(200, json=one), httpx.Response(200, json=two)])
    tracking = tracking_of(frenet())

    first, second = [(await tracking.track([S10]))[S10] for _ in range(2)]

    assert first.said == second.said and b"rastreio.example" not in second.read().raw


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param(" ab 123456785 br", S10, id="blanks and lower case"),
        pytest.param("888-0300-0000-0002", JT, id="hyphens"),
        pytest.param("ABC0000001tx", None, id="no service writes it"),
        pytest.param("ABCDEFGHIJ", None, id="no digit"),
    ],
)
def test_numbers(value: str, wanted: TrackingRef | None) -> None:
    assert tracking_of(frenet()).normalise(value) == wanted


def test_a_number_whose_case_counts_keeps_it() -> None:
    tracking = tracking_of(frenet([{"code": "TOT"}]))

    assert tracking.normalise("12abC0000001tx") == code("12abC0000001tx")
    assert tracking.normalise("12abc0000001xx") == code("12ABC0000001XX")


@pytest.mark.parametrize(
    ("services", "says"),
    [
        pytest.param([], "at least 1", id="none"),
        pytest.param([{"code": "03220", "numbers": "["}], "regular expression", id="no pattern"),
        pytest.param([{"code": ""}], "pattern", id="no code"),
    ],
)
def test_services_that_cannot_be_meant(services: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        frenet(services)


@pytest.mark.anyio
async def test_a_log_in_tries_every_service_code(respx_mock: respx.Router) -> None:
    fine = httpx.Response(200, json={"ErrorMessage": "Objeto não encontrado", "TrackingEvents": []})
    wrong = reply("frenet", "error-with-http-200.json")
    respx_mock.post(URL).mock(side_effect=[fine, fine, fine, wrong])

    assert "every service code" in await frenet().log_in()
    with pytest.raises(CarrierConfigError, match="JTE_INT"):
        await frenet().log_in()


def test_which_types_are_read() -> None:
    assert len(TABLE.codes) == 8
    assert (Frenet.code_status("4"), Frenet.code_status("7")) == (Status.LOST, None)
    assert (Frenet.code_word("4"), Frenet.code_word("7")) == (CodeWord.KNOWN, CodeWord.UNKNOWN)

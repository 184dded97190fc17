"""Braspress: recorded answers, which of several freights is the invoice's, two forms of dates, and delivery by its date alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
import respx
from pydantic import ValidationError

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    Cause,
    CodeWord,
    PermanentCarrierError,
    RefKind,
    TrackingAnswer,
    TrackingRef,
    TrackingStatus,
)
from carriers.braspress import Braspress, read_freight
from tests.carriers.accounts import BASE, account, answer_of, recorded, reply, tracking_of

OUT, Status = AnswerOutcome, TrackingStatus
PAYER = "11222333000181"
URL = f"{BASE}/v3/tracking/byNf/{PAYER}/1001/json"
KEY = TrackingRef(RefKind.INVOICE_KEY, "35261111222333000181550010000010011102030405")
INVOICE = TrackingRef(RefKind.INVOICE, "11222333000181/1/1001")


def braspress(**settings: Any) -> Braspress:
    return account(Braspress, {"cnpj": "11.222.333/0001-81", "user": "loja", "password": "senha"} | settings)


async def told(respx_mock: respx.Router, data: Any, ref: TrackingRef = KEY) -> TrackingAnswer:
    respx_mock.get(URL).mock(return_value=httpx.Response(200, json=data))
    return await answer_of(braspress(), ref)


@pytest.mark.anyio
async def test_a_delivery_is_read_to_its_end(respx_mock: respx.Router) -> None:
    answer = await told(respx_mock, recorded("braspress", "delivered.json"))

    assert (answer.outcome, answer.due_on, answer.declared_value_cents) == (OUT.FOUND, date(2026, 11, 20), None)
    assert [
        (event.occurred_at, event.carrier_code, event.status, event.final, event.attempt) for event in answer.events
    ] == [
        (datetime(2026, 11, 16, 3, tzinfo=UTC), "COLETADO", Status.POSTED, False, False),
        (datetime(2026, 11, 17, 3, tzinfo=UTC), "EM TRANSFERENCIA", Status.IN_TRANSIT, False, False),
        (datetime(2026, 11, 19, 3, tzinfo=UTC), "ENTREGUE", Status.DELIVERED, True, True),
    ]
    assert all(event.by_words for event in answer.events)


@pytest.mark.anyio
async def test_the_payer_is_asked_for_and_known_by_user_and_password(respx_mock: respx.Router) -> None:
    route = respx_mock.get(URL).mock(return_value=reply("braspress", "in-transit.json"))

    answers = [await answer_of(braspress(), ref) for ref in (KEY, INVOICE)]

    assert [len(answer.events) for answer in answers] == [2, 2]
    request = route.calls.last.request
    assert request.headers["Authorization"] == "Basic bG9qYTpzZW5oYQ=="
    assert (request.url.query, request.content) == (b"", b"")


@pytest.mark.anyio
async def test_damage_that_stands_in_both_lists_happened_once(respx_mock: respx.Router) -> None:
    answer = await told(respx_mock, recorded("braspress", "problem.assumed.json"))

    assert [event.status for event in answer.events] == [Status.POSTED, Status.IN_TRANSIT, Status.DAMAGED]
    assert (answer.events[-1].cause, answer.events[-1].by_words) == (Cause.DAMAGE, True)


@pytest.mark.anyio
async def test_an_unknown_invoice_is_a_state(respx_mock: respx.Router) -> None:
    assert (await told(respx_mock, recorded("braspress", "not-found.assumed.json"))).outcome is OUT.NOT_FOUND


@pytest.mark.anyio
async def test_an_unknown_invoice_may_be_told_by_404(respx_mock: respx.Router) -> None:
    body = {"statusCode": 404, "message": "Nota fiscal não encontrada", "errorList": []}
    respx_mock.get(URL).mock(return_value=httpx.Response(404, json=body))

    answer = await answer_of(braspress(), KEY)

    assert (answer.outcome, answer.message) == (OUT.NOT_FOUND, "Nota fiscal não encontrada")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "ref", "wanted"),
    [
        pytest.param({"serie": "2"}, INVOICE, OUT.NOT_FOUND, id="another series"),
        pytest.param({"serie": "001"}, INVOICE, OUT.FOUND, id="zeros before the series"),
        pytest.param({"numero": 1001}, KEY, OUT.FOUND, id="the number as a number"),
        pytest.param({"emissao": "16/11/2026"}, KEY, OUT.FOUND, id="the same month, written the Brazilian way"),
        pytest.param({"emissao": "2025-11-16"}, KEY, OUT.NOT_FOUND, id="another issuer's of last year"),
        pytest.param({"emissao": "2025-11-16"}, INVOICE, OUT.FOUND, id="no month is known without the key"),
        pytest.param({"emissao": None}, KEY, OUT.FOUND, id="no date told"),
    ],
)
async def test_only_the_freight_of_this_invoice_counts(
    respx_mock: respx.Router, change: dict[str, Any], ref: TrackingRef, wanted: AnswerOutcome
) -> None:
    data = recorded("braspress", "in-transit.json")
    data["conhecimentos"][0]["notasFiscais"][0] |= change

    assert (await told(respx_mock, data, ref)).outcome is wanted


@pytest.mark.anyio
async def test_two_freights_of_one_invoice_are_one_history(respx_mock: respx.Router) -> None:
    first, second = recorded("braspress", "in-transit.json"), recorded("braspress", "in-transit.json")
    second["conhecimentos"][0] |= {"numero": 700009, "emissao": "2026-11-18", "previsaoEntrega": "25/11/2026"}
    second["conhecimentos"][0]["timeLine"] = [{"descricao": "COLETADO", "data": "18/11/2026"}]

    answer = await told(respx_mock, {"conhecimentos": [*second["conhecimentos"], *first["conhecimentos"]]})

    assert [event.carrier_code for event in answer.events] == ["COLETADO", "EM TRANSFERENCIA", "COLETADO"]
    assert answer.due_on == date(2026, 11, 25), "the newest freight's"


@pytest.mark.parametrize(
    ("written", "at"),
    [
        pytest.param("2026-11-17", datetime(2026, 11, 17, 3, tzinfo=UTC), id="ISO day"),
        pytest.param("17/11/2026", datetime(2026, 11, 17, 3, tzinfo=UTC), id="Brazilian day"),
        pytest.param("17/11/2026 22:15", datetime(2026, 11, 18, 1, 15, tzinfo=UTC), id="Brazilian, with its hour"),
        pytest.param("2018-12-17", datetime(2018, 12, 17, 2, tzinfo=UTC), id="daylight saving"),
    ],
)
def test_dates_of_both_forms(written: str, at: datetime) -> None:
    (event,) = read_freight({"numero": 1, "timeline": [{"descricao": "Coletado", "data": written}]})

    assert (event.occurred_at, event.status) == (at, Status.POSTED)


def test_the_form_of_a_date_makes_no_new_event() -> None:
    keys = {
        read_freight({"numero": 1, "timeLine": [{"descricao": "COLETADO", "data": written}]})[0].key
        for written in ("2026-11-17", "17/11/2026")
    }

    assert len(keys) == 1


@pytest.mark.anyio
async def test_a_date_of_another_form_is_said_and_not_guessed(respx_mock: respx.Router) -> None:
    data = recorded("braspress", "in-transit.json")
    data["conhecimentos"][0]["timeLine"][0]["data"] = "11/17/2026"

    answer = await told(respx_mock, data)

    assert answer.outcome is OUT.ERROR and "11/17/2026" in (answer.message or "")


def test_a_delivery_that_only_its_date_tells() -> None:
    line = [{"descricao": "FINALIZADO", "data": "2026-11-19"}]

    events = read_freight({"numero": 1, "timeLine": line, "dataEntrega": "2026-11-19"})

    assert [(event.status, event.carrier_code) for event in events] == [
        (Status.UNKNOWN, "FINALIZADO"),
        (Status.DELIVERED, "DATAENTREGA"),
    ]
    assert events[-1].final and events[-1].attempt and events[-1].by_words


@pytest.mark.anyio
async def test_of_one_day_without_hours_the_delivery_comes_last(respx_mock: respx.Router) -> None:
    data = recorded("braspress", "delivered.json")
    data["conhecimentos"][0]["ocorrencias"] = [{"descricao": "DESTINATARIO AUSENTE", "data": "2026-11-19"}]

    answer = await told(respx_mock, data)

    assert [event.status for event in answer.events[-2:]] == [Status.DELIVERY_FAILED, Status.DELIVERED]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        pytest.param(
            401, recorded("braspress", "error.json"), CarrierConfigError, "Usuário ou senha inválidos", id="refused"
        ),
        pytest.param(
            200,
            recorded("braspress", "error.json"),
            CarrierConfigError,
            "Usuário ou senha inválidos",
            id="refused within 200",
        ),
        pytest.param(
            200,
            {"statusCode": 422, "message": "CNPJ inválido"},
            PermanentCarrierError,
            "CNPJ inválido",
            id="refused otherwise",
        ),
        pytest.param(
            404, {"message": "no Route matched"}, PermanentCarrierError, "no Route", id="an address that is not there"
        ),
        pytest.param(200, {"totalNf": 0}, PermanentCarrierError, "conhecimentos", id="another shape"),
    ],
)
async def test_a_refusal_is_no_history(
    respx_mock: respx.Router, status: int, body: Any, error: type[Exception], says: str
) -> None:
    respx_mock.get(URL).mock(return_value=httpx.Response(status, json=body))

    with pytest.raises(error, match=says):
        await answer_of(braspress(), KEY)


@pytest.mark.anyio
async def test_persons_and_the_hour_of_asking_are_not_kept(respx_mock: respx.Router) -> None:
    data = recorded("braspress", "delivered.json")
    later = data | {"datetime": "2026-11-22 11:00:00"}

    first, second = await told(respx_mock, data), await told(respx_mock, later)

    assert first.raw == second.raw
    assert b"FICTICIA" not in first.raw and b"LOJA" not in first.raw


def test_numbers_and_texts() -> None:
    normalise = tracking_of(braspress()).normalise

    assert normalise("35261112abc34501de35550010000010041102030432") == TrackingRef(
        RefKind.INVOICE_KEY, "35261112ABC34501DE35550010000010041102030432"
    )
    assert normalise("11.222.333/0001-81/001/1001") == INVOICE
    assert normalise("35261144555666000161570010000070011556677887") is None, "a freight document's key"
    assert normalise("10000000000001") is None
    assert Braspress.code_word("Entrega realizada") is CodeWord.KNOWN
    assert Braspress.code_status("Entrega realizada") is Status.DELIVERED
    assert Braspress.code_word("Ocorrência inédita") is CodeWord.UNKNOWN


def test_a_payer_that_is_no_cnpj_is_refused() -> None:
    with pytest.raises(ValidationError, match="not a CNPJ"):
        braspress(cnpj="1122233300018")


@pytest.mark.anyio
async def test_a_log_in_asks_for_an_invoice_that_is_not_there(respx_mock: respx.Router) -> None:
    url = URL.replace("/1001/", "/999999999/")
    within = httpx.Response(200, json=recorded("braspress", "error.json"))
    unknown = reply("braspress", "not-found.assumed.json")
    respx_mock.get(url).mock(side_effect=[unknown, httpx.Response(401), within])

    assert await braspress().log_in() == "user and password open tracking"
    for _ in range(2):
        with pytest.raises(CarrierConfigError):
            await braspress().log_in()

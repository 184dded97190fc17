"""Jamef: recorded answers, the envelope that fails within HTTP 200, a token a minute."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import orjson
import pytest
import respx

from carriers.base import (
    AdapterContext,
    AnswerOutcome,
    CarrierConfigError,
    CodeWord,
    PermanentCarrierError,
    RefKind,
    TrackingRef,
    TrackingStatus,
    TransientCarrierError,
)
from carriers.http import CarrierHttp
from carriers.jamef import Jamef, read_events
from carriers.testing.stage import NOW, Tokens
from tests.carriers.accounts import BASE, account, answer_of, recorded, reply, tracking_of
from tests.carriers.support import Clock

OUT, Status = AnswerOutcome, TrackingStatus
LOGIN_URL, URL = f"{BASE}/auth/v1/login", f"{BASE}/consulta/v1/rastreamento"
KEY = TrackingRef(RefKind.INVOICE_KEY, "35261111222333000181550010000010011102030405")
INVOICE = TrackingRef(RefKind.INVOICE, "11222333000181/1/1001")


def jamef() -> Jamef:
    return account(Jamef, {"user": "loja@exemplo.example", "password": "senha"})


def envelope(situation: int, message: str = "Sucesso", *data: Any) -> dict[str, Any]:
    return {"situacao": situation, "mensagem": message, "dado": list(data)}


@pytest.fixture
def login(respx_mock: respx.Router) -> respx.Route:
    return respx_mock.post(LOGIN_URL).mock(return_value=reply("jamef", "login.response.json"))


@pytest.mark.anyio
async def test_a_delivery_is_read_oldest_first(respx_mock: respx.Router, login: respx.Route) -> None:
    respx_mock.get(URL).mock(return_value=reply("jamef", "delivered.json"))

    answer = await answer_of(jamef(), KEY)

    assert (answer.outcome, answer.due_on) == (OUT.FOUND, date(2026, 11, 20))
    assert [
        (event.occurred_at, event.carrier_code, event.status, event.location, event.final, event.by_words)
        for event in answer.events
    ] == [
        (datetime(2026, 11, 16, 21, tzinfo=UTC), "COLETADO", Status.POSTED, "SAO PAULO/SP", False, True),
        (datetime(2026, 11, 19, 17, 32, tzinfo=UTC), "ENTREGUE", Status.DELIVERED, "BELO HORIZONTE/MG", True, True),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("ref", [pytest.param(KEY, id="by key"), pytest.param(INVOICE, id="by issuer and number")])
async def test_the_questions_are_exactly_as_jamef_wants_them(
    respx_mock: respx.Router, login: respx.Route, ref: TrackingRef
) -> None:
    route = respx_mock.get(URL).mock(return_value=reply("jamef", "delivered.json"))

    await answer_of(jamef(), ref)

    request = route.calls.last.request
    assert orjson.loads(login.calls.last.request.content) == recorded("jamef", "login.request.json")
    assert request.headers["Authorization"] == "Bearer eyJexemplo"
    assert request.url.params.multi_items() == [("documentoRemetente", "11222333000181"), ("numeroNotaFiscal", "1001")]


@pytest.mark.anyio
async def test_the_token_may_have_the_names_of_oauth(respx_mock: respx.Router) -> None:
    granted = envelope(200, "Sucesso", {"access_token": "outra", "expires_in": 3600})
    respx_mock.post(LOGIN_URL).mock(return_value=httpx.Response(200, json=granted))
    route = respx_mock.get(URL).mock(return_value=reply("jamef", "delivered.json"))

    await answer_of(jamef(), KEY)

    assert route.calls.last.request.headers["Authorization"] == "Bearer outra"


@pytest.mark.anyio
async def test_two_tokens_are_asked_for_a_minute_apart(respx_mock: respx.Router, login: respx.Route) -> None:
    respx_mock.get(URL).mock(side_effect=[httpx.Response(401), reply("jamef", "delivered.json")])
    clock = Clock()
    http = CarrierHttp("jamef", BASE, requests_per_second=1000, sleep=clock.sleep, monotonic=clock.monotonic)
    settings = Jamef.Settings.model_validate({"user": "loja", "password": "senha"})
    adapter = Jamef(settings, AdapterContext("jamef", http, Tokens(), lambda: NOW))

    assert (await answer_of(adapter, KEY)).outcome is OUT.FOUND

    assert login.call_count == 2
    assert max(clock.slept) == pytest.approx(60, abs=1)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply("jamef", "not-found.assumed.json"), id="no freight"),
        pytest.param(httpx.Response(200, json=envelope(200)), id="no data at all"),
        pytest.param(httpx.Response(200, json=envelope(404, "Nota fiscal não encontrada")), id="within 200"),
        pytest.param(httpx.Response(404, json=envelope(404, "Nota fiscal não encontrada")), id="by 404"),
    ],
)
async def test_not_found_is_a_state(respx_mock: respx.Router, login: respx.Route, answer: httpx.Response) -> None:
    respx_mock.get(URL).mock(return_value=answer)

    assert (await answer_of(jamef(), KEY)).outcome is OUT.NOT_FOUND


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        pytest.param(
            httpx.Response(200, json=envelope(401, "Token expirado")),
            CarrierConfigError,
            "fresh token.*Token expirado",
            id="refused within 200",
        ),
        pytest.param(
            httpx.Response(200, json=envelope(500, "Erro interno")),
            PermanentCarrierError,
            "Erro interno",
            id="a fault within 200",
        ),
        pytest.param(
            httpx.Response(404, json={"message": "não encontrado"}),
            PermanentCarrierError,
            "situacao",
            id="an address that is not there",
        ),
        pytest.param(httpx.Response(200, json={"dado": []}), PermanentCarrierError, "situacao", id="another shape"),
    ],
)
async def test_a_refused_call_is_no_history(
    respx_mock: respx.Router, login: respx.Route, answer: httpx.Response, error: type[Exception], says: str
) -> None:
    respx_mock.get(URL).mock(return_value=answer)

    with pytest.raises(error, match=says):
        await answer_of(jamef(), KEY)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        pytest.param(httpx.Response(401), CarrierConfigError, "user or password refused", id="by 401"),
        pytest.param(
            httpx.Response(200, json=envelope(401, "Usuário inválido")),
            CarrierConfigError,
            "Usuário inválido",
            id="within 200",
        ),
        pytest.param(httpx.Response(200, json=envelope(200)), PermanentCarrierError, "token answer", id="no token"),
    ],
)
async def test_a_refused_login_is_said(
    respx_mock: respx.Router, answer: httpx.Response, error: type[Exception], says: str
) -> None:
    respx_mock.post(LOGIN_URL).mock(return_value=answer)

    with pytest.raises(error, match=says):
        await jamef().log_in()


@pytest.mark.anyio
@pytest.mark.parametrize("status", [429, 503])
async def test_a_login_that_fails_is_left_to_the_daemon(respx_mock: respx.Router, status: int) -> None:
    route = respx_mock.post(LOGIN_URL).mock(return_value=httpx.Response(status))

    with pytest.raises(TransientCarrierError):
        await answer_of(jamef(), KEY)
    assert route.call_count == 1, "a token a minute: no second try within the call"


@pytest.mark.anyio
async def test_what_changes_by_itself_and_persons_are_not_kept(respx_mock: respx.Router, login: respx.Route) -> None:
    one, two = recorded("jamef", "delivered.json"), recorded("jamef", "delivered.json")
    two |= {"idCorrelacao": "11111111-0000-11ef-9cb7-000000000000", "dataHora": "2026-11-21T11:00:00.000-03:00"}
    for told in (one, two):
        told["dado"][0]["rastreamento"][0]["destinatario"]["nome"] = "MARIA FICTICIA"
    respx_mock.get(URL).mock(side_effect=[httpx.Response(200, json=one), httpx.Response(200, json=two)])
    tracking = tracking_of(jamef())

    first, second = [(await tracking.track([KEY]))[KEY] for _ in range(2)]

    assert first.said == second.said
    assert b"FICTICIA" not in first.read().raw and b"BELO HORIZONTE" in first.read().raw


def test_of_one_minute_the_order_of_the_answer_counts() -> None:
    lines = [
        {"data": "19/11/2026 14:32", "status": "ENTREGUE"},
        {"data": "19/11/2026 08:00", "status": "DESTINATARIO AUSENTE"},
        {"data": "19/11/2026 08:00", "status": "SAIDA PARA ENTREGA"},
    ]

    assert [event.status for event in read_events({"eventosRastreio": lines})] == [
        Status.OUT_FOR_DELIVERY,
        Status.DELIVERY_FAILED,
        Status.DELIVERED,
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("Não entregue", Status.DELIVERY_FAILED, id="a negative is no delivery"),
        pytest.param("Mercadoria extraviada", Status.LOST, id="lost"),
        pytest.param("Roubo de carga", Status.STOLEN, id="stolen"),
        pytest.param("Avaria parcial", Status.DAMAGED, id="damaged"),
        pytest.param("Devolução autorizada", Status.RETURNING, id="on its way back"),
        pytest.param("Ocorrência inédita", Status.UNKNOWN, id="unknown"),
    ],
)
def test_what_a_text_means(text: str, wanted: TrackingStatus) -> None:
    (event,) = read_events({"eventosRastreio": [{"data": "19/11/2026 14:32", "status": text}]})

    assert (event.status, event.description) == (wanted, text)
    assert event.by_words or wanted is Status.UNKNOWN


def test_numbers_and_texts() -> None:
    normalise = tracking_of(jamef()).normalise

    assert (normalise(KEY.value), normalise("11222333000181/001/1001")) == (KEY, INVOICE)
    assert normalise("1001") is None
    assert Jamef.code_word("Coletado") is CodeWord.KNOWN
    assert Jamef.code_status("Coletado") is Status.POSTED
    assert Jamef.code_word("?") is CodeWord.UNKNOWN


@pytest.mark.anyio
async def test_a_log_in_asks_for_a_token(login: respx.Route) -> None:
    assert await jamef().log_in() == "user and password give a token"

"""Azul Cargo: recorded answers, the token in the body, failures within HTTP 200, delivery and failed attempts by their signs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import orjson
import pytest
import respx

from carriers.azul_cargo import AzulCargo, read_waybill
from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    Cause,
    CodeWord,
    PermanentCarrierError,
    RefKind,
    TrackingRef,
    TrackingStatus,
)
from tests.carriers.accounts import BASE, account, answer_of, code, recorded, reply, tracking_of

OUT, Status = AnswerOutcome, TrackingStatus
LOGIN_URL, URL = f"{BASE}/api/Autenticacao/AutenticarUsuario", f"{BASE}/api/Rastreio/Consultar"
KEY = TrackingRef(RefKind.INVOICE_KEY, "35261111222333000181550010000010011102030405")
AWB = code("57700000001")


def azul() -> AzulCargo:
    return account(AzulCargo, {"user": "loja@exemplo.example", "password": "senha"})


def line(text: str, at: str = "2026-11-19T14:10:00", **more: Any) -> dict[str, Any]:
    return {"DataHora": at, "Codigo": "07", "Descricao": text} | more


def refusal(words: str) -> httpx.Response:
    return httpx.Response(200, json={"HasErrors": True, "ErrorText": words, "Value": None})


@pytest.fixture
def login(respx_mock: respx.Router) -> respx.Route:
    return respx_mock.post(LOGIN_URL).mock(return_value=reply("azul_cargo", "auth.response.json"))


@pytest.mark.anyio
async def test_a_delivery_is_read_to_its_end(respx_mock: respx.Router, login: respx.Route) -> None:
    respx_mock.post(URL).mock(return_value=reply("azul_cargo", "delivered.json"))

    answer = await answer_of(azul(), KEY)

    assert (answer.outcome, answer.due_on) == (OUT.FOUND, date(2026, 11, 19))
    assert [
        (event.occurred_at, event.carrier_code, event.status, event.description, event.location, event.final)
        for event in answer.events
    ] == [
        (datetime(2026, 11, 18, 14, tzinfo=UTC), "00", Status.IN_TRANSIT, "DESEMBARCADO", "RECIFE/PE", False),
        (datetime(2026, 11, 19, 17, 10, tzinfo=UTC), "01", Status.DELIVERED, "ENTREGUE", "RECIFE/PE", True),
    ]
    assert all(event.by_words for event in answer.events)


@pytest.mark.anyio
async def test_one_on_its_way(respx_mock: respx.Router, login: respx.Route) -> None:
    respx_mock.post(URL).mock(return_value=reply("azul_cargo", "in-transit.json"))

    assert [event.status for event in (await answer_of(azul(), AWB)).events] == [Status.IN_TRANSIT]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("ref", "asked"),
    [
        pytest.param(KEY, recorded("azul_cargo", "tracking.request.json"), id="by key"),
        pytest.param(AWB, {"Token": "token-exemplo", "Awb": "57700000001"}, id="by waybill"),
    ],
)
async def test_the_questions_are_exactly_as_azul_wants_them(
    respx_mock: respx.Router, login: respx.Route, ref: TrackingRef, asked: dict[str, str]
) -> None:
    route = respx_mock.post(URL).mock(return_value=reply("azul_cargo", "in-transit.json"))

    await answer_of(azul(), ref)

    request = route.calls.last.request
    assert orjson.loads(login.calls.last.request.content) == recorded("azul_cargo", "auth.request.json")
    assert (orjson.loads(request.content), request.url.query) == (asked, b"")
    assert "Authorization" not in request.headers


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply("azul_cargo", "not-found.assumed.json"), id="no waybill"),
        pytest.param(refusal("AWB não encontrado"), id="in words"),
    ],
)
async def test_not_found_is_a_state(respx_mock: respx.Router, login: respx.Route, answer: httpx.Response) -> None:
    respx_mock.post(URL).mock(return_value=answer)

    assert (await answer_of(azul(), KEY)).outcome is OUT.NOT_FOUND


@pytest.mark.anyio
async def test_a_refused_parcel_is_its_own_error(respx_mock: respx.Router, login: respx.Route) -> None:
    respx_mock.post(URL).mock(return_value=refusal("Documento de outro cliente 11222333000181"))

    answer = await answer_of(azul(), KEY)

    assert (answer.outcome, answer.message) == (OUT.ERROR, "Documento de outro cliente [digits]")


@pytest.mark.anyio
async def test_an_ended_token_is_renewed_once_and_then_said(respx_mock: respx.Router, login: respx.Route) -> None:
    ended, good = refusal("Token inválido ou expirado"), reply("azul_cargo", "in-transit.json")
    respx_mock.post(URL).mock(side_effect=[ended, good, ended, ended])
    adapter = azul()

    assert (await answer_of(adapter, KEY)).outcome is OUT.FOUND
    assert login.call_count == 2
    with pytest.raises(CarrierConfigError, match=r"fresh token.*Token inválido"):
        await answer_of(adapter, KEY)
    assert login.call_count == 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        pytest.param(
            reply("azul_cargo", "auth-error.json"),
            CarrierConfigError,
            "Usuário ou senha inválidos",
            id="refused within 200",
        ),
        pytest.param(httpx.Response(401), CarrierConfigError, "e-mail or password refused", id="by 401"),
        pytest.param(
            httpx.Response(200, json={"HasErrors": False, "Value": None}),
            PermanentCarrierError,
            "token answer",
            id="no token",
        ),
    ],
)
async def test_a_refused_login_is_said(
    respx_mock: respx.Router, answer: httpx.Response, error: type[Exception], says: str
) -> None:
    respx_mock.post(LOGIN_URL).mock(return_value=answer)

    with pytest.raises(error, match=says):
        await azul().log_in()


@pytest.mark.anyio
@pytest.mark.parametrize("body", [{"Value": []}, {"HasErrors": "false", "Value": []}, []])
async def test_another_shape_is_no_history(respx_mock: respx.Router, login: respx.Route, body: Any) -> None:
    respx_mock.post(URL).mock(return_value=httpx.Response(200, json=body))

    with pytest.raises(PermanentCarrierError, match="HasErrors"):
        await answer_of(azul(), KEY)


@pytest.mark.anyio
async def test_no_list_of_waybills_is_no_missing_parcel(respx_mock: respx.Router, login: respx.Route) -> None:
    respx_mock.post(URL).mock(return_value=httpx.Response(200, json={"HasErrors": False, "Value": None}))

    assert (await answer_of(azul(), KEY)).outcome is OUT.ERROR


def test_a_delivery_that_only_its_date_tells() -> None:
    told = {"Awb": "57700000001", "DataHoraEntrega": "2026-11-19T14:10:00", "Ocorrencias": [line("BAIXA NO SISTEMA")]}

    events = read_waybill(told)

    assert [(event.status, event.carrier_code) for event in events] == [
        (Status.UNKNOWN, "07"),
        (Status.DELIVERED, "DATAHORAENTREGA"),
    ]
    assert events[-1].occurred_at == datetime(2026, 11, 19, 17, 10, tzinfo=UTC)
    assert events[-1].final and events[-1].attempt and events[-1].by_words


@pytest.mark.parametrize(
    ("told", "wanted", "cause"),
    [
        pytest.param(
            line("OCORRENCIA INEDITA", UrlInsucesso="https://pod.example/2"),
            Status.DELIVERY_FAILED,
            Cause.OTHER,
            id="a picture of a failed attempt",
        ),
        pytest.param(
            line("Cliente ausente", UrlInsucesso="https://pod.example/2"),
            Status.DELIVERY_FAILED,
            Cause.ABSENT,
            id="words that say why",
        ),
        pytest.param(
            line("Em rota", UrlInsucesso="https://pod.example/2"),
            Status.DELIVERY_FAILED,
            Cause.OTHER,
            id="a picture against words of the way",
        ),
        pytest.param(
            line("Avaria", UrlInsucesso="https://pod.example/2"),
            Status.DAMAGED,
            Cause.DAMAGE,
            id="words of something worse",
        ),
        pytest.param(line("Não entregue"), Status.DELIVERY_FAILED, Cause.OTHER, id="a negative is no delivery"),
        pytest.param(line("Carga extraviada"), Status.LOST, Cause.LOSS, id="lost"),
        pytest.param(line("Avaria"), Status.DAMAGED, Cause.DAMAGE, id="damaged"),
        pytest.param(line("Ocorrência inédita"), Status.UNKNOWN, None, id="unknown"),
    ],
)
def test_what_an_event_means(told: dict[str, Any], wanted: TrackingStatus, cause: Cause | None) -> None:
    (event,) = read_waybill({"Awb": "57700000001", "Ocorrencias": [told]})

    assert (event.status, event.cause, event.carrier_code) == (wanted, cause, "07")
    assert event.by_words or wanted is Status.UNKNOWN
    assert event.attempt is (wanted is Status.DELIVERY_FAILED)


@pytest.mark.anyio
async def test_comments_places_and_addresses_of_pictures_are_not_kept(
    respx_mock: respx.Router, login: respx.Route
) -> None:
    one, two = recorded("azul_cargo", "delivered.json"), recorded("azul_cargo", "delivered.json")
    for told, key in ((one, "1"), (two, "2")):
        told["Value"][0]["Ocorrencias"][1] |= {
            "Comentario": "RECEBIDO POR MARIA FICTICIA",
            "Latitude": -8.05,
            "UrlPOD": f"https://pod.example/?chave={key}",
        }
    respx_mock.post(URL).mock(side_effect=[httpx.Response(200, json=one), httpx.Response(200, json=two)])
    tracking = tracking_of(azul())

    first, second = [(await tracking.track([KEY]))[KEY] for _ in range(2)]

    assert first.said == second.said, "an address that changes makes no new answer"
    answer = first.read()
    assert not any(part in answer.raw for part in (b"FICTICIA", b"-8.05", b"pod.example"))
    assert answer.events[-1].description == "ENTREGUE"


@pytest.mark.anyio
async def test_two_waybills_of_one_invoice_are_one_history(respx_mock: respx.Router, login: respx.Route) -> None:
    told = recorded("azul_cargo", "in-transit.json")
    other = recorded("azul_cargo", "in-transit.json")["Value"][0]
    told["Value"].append(other | {"Awb": "57700000012", "DataEntregaPrevisao": "2026-11-21T00:00:00"})
    respx_mock.post(URL).mock(return_value=httpx.Response(200, json=told))

    answer = await answer_of(azul(), KEY)

    assert (len(answer.events), answer.due_on) == (2, date(2026, 11, 21))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param("577-0000 0001", AWB, id="a waybill with its hyphen"),
        pytest.param(
            "35261112abc34501de35550010000010041102030432",
            TrackingRef(RefKind.INVOICE_KEY, "35261112ABC34501DE35550010000010041102030432"),
            id="letters are kept",
        ),
        pytest.param("12345678909", None, id="eleven digits of another kind"),
        pytest.param("35261144555666000161570010000070011556677887", None, id="a freight document's key"),
    ],
)
def test_numbers(value: str, wanted: TrackingRef | None) -> None:
    assert tracking_of(azul()).normalise(value) == wanted


@pytest.mark.anyio
async def test_a_log_in_asks_for_a_token(login: respx.Route) -> None:
    assert await azul().log_in() == "e-mail and password give a token"
    assert AzulCargo.code_word("Entregue") is CodeWord.KNOWN
    assert AzulCargo.code_status("Entregue") is Status.DELIVERED
    assert AzulCargo.code_word("01") is CodeWord.UNKNOWN

"""Rodonaves: recorded answers, the token, "not found" without a body, 400 for wrong credentials."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    CodeWord,
    PermanentCarrierError,
    RefKind,
    TrackingRef,
    TrackingStatus,
    TransientCarrierError,
)
from carriers.rodonaves import Rodonaves, read_event
from tests.carriers.accounts import BASE, account, answer_of, recorded, reply, tracking_of
from tests.carriers.support import DATA

OUT, Status = AnswerOutcome, TrackingStatus
TOKEN_URL, URL = f"{BASE}/token", f"{BASE}/api/v1/tracking"
KEY = TrackingRef(RefKind.INVOICE_KEY, "35261111222333000181550010000010011102030405")
INVOICE = TrackingRef(RefKind.INVOICE, "11222333000181/1/1001")


def rodonaves() -> Rodonaves:
    return account(Rodonaves, {"user": "loja", "password": "senha"})


@pytest.fixture
def token(respx_mock: respx.Router) -> respx.Route:
    return respx_mock.post(TOKEN_URL).mock(return_value=reply("rodonaves", "token.response.json"))


@pytest.mark.anyio
async def test_a_delivery_is_read_to_its_end(respx_mock: respx.Router, token: respx.Route) -> None:
    respx_mock.get(URL).mock(return_value=reply("rodonaves", "delivered.json"))

    answer = await answer_of(rodonaves(), KEY)

    assert (answer.outcome, answer.due_on) == (OUT.FOUND, None), "which days count is not said: no due date is made up"
    assert [
        (event.occurred_at, event.carrier_code, event.status, event.description, event.final) for event in answer.events
    ] == [
        (
            datetime(2026, 11, 16, 21, tzinfo=UTC),
            "MERCADORIA COLETADA",
            Status.POSTED,
            "MERCADORIA COLETADA: Coleta",
            False,
        ),
        (
            datetime(2026, 11, 19, 17, 32, tzinfo=UTC),
            "ENTREGA REALIZADA",
            Status.DELIVERED,
            "ENTREGA REALIZADA: Sua mercadoria foi entregue!",
            True,
        ),
    ]
    assert all(event.by_words for event in answer.events)


@pytest.mark.anyio
async def test_the_receiver_is_not_kept(respx_mock: respx.Router, token: respx.Route) -> None:
    respx_mock.get(URL).mock(return_value=reply("rodonaves", "delivered.json"))

    raw = (await answer_of(rodonaves(), KEY)).raw

    assert b"FICTICIA" not in raw and b"12345678909" not in raw and b"ProtocolNumber" in raw


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("ref", "query"),
    [
        pytest.param(KEY, [("InvoiceKey", KEY.value)], id="by key"),
        pytest.param(
            INVOICE, [("TaxIdRegistration", "11222333000181"), ("InvoiceNumber", "1001")], id="by issuer and number"
        ),
    ],
)
async def test_the_questions_are_exactly_as_rodonaves_wants_them(
    respx_mock: respx.Router, token: respx.Route, ref: TrackingRef, query: list[tuple[str, str]]
) -> None:
    route = respx_mock.get(URL).mock(return_value=reply("rodonaves", "delivered.json"))

    await answer_of(rodonaves(), ref)

    login, request = token.calls.last.request, route.calls.last.request
    assert login.content == (DATA / "rodonaves" / "token.request.txt").read_bytes().strip()
    assert login.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Authorization"] == "Bearer eyJexemplo"
    assert request.url.params.multi_items() == query


@pytest.mark.anyio
async def test_no_body_with_204_is_not_found_and_with_200_an_outage(
    respx_mock: respx.Router, token: respx.Route
) -> None:
    respx_mock.get(URL).mock(side_effect=[httpx.Response(204), httpx.Response(200)])

    assert (await answer_of(rodonaves(), KEY)).outcome is OUT.NOT_FOUND
    with pytest.raises(TransientCarrierError, match="empty body"):
        await answer_of(rodonaves(), KEY)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401])
async def test_wrong_credentials_stop(respx_mock: respx.Router, status: int) -> None:
    respx_mock.post(TOKEN_URL).mock(return_value=httpx.Response(status, json={"error": "invalid_grant"}))

    with pytest.raises(CarrierConfigError, match="user or password refused"):
        await answer_of(rodonaves(), KEY)
    with pytest.raises(CarrierConfigError, match="user or password refused"):
        await rodonaves().log_in()


@pytest.mark.anyio
async def test_a_bad_question_is_no_refused_credential(respx_mock: respx.Router, token: respx.Route) -> None:
    respx_mock.get(URL).mock(return_value=httpx.Response(400))

    with pytest.raises(PermanentCarrierError, match="400"):
        await answer_of(rodonaves(), KEY)
    assert token.call_count == 1


@pytest.mark.anyio
async def test_an_ended_token_is_renewed_once(respx_mock: respx.Router, token: respx.Route) -> None:
    respx_mock.get(URL).mock(side_effect=[httpx.Response(401), reply("rodonaves", "delivered.json")])

    assert (await answer_of(rodonaves(), KEY)).outcome is OUT.FOUND
    assert token.call_count == 2


@pytest.mark.parametrize(
    ("line", "wanted", "shown"),
    [
        pytest.param(
            {"Description": "ENTREGA NAO REALIZADA", "Reason": "Destinatário ausente"},
            Status.DELIVERY_FAILED,
            "ENTREGA NAO REALIZADA",
            id="a negative is no delivery",
        ),
        pytest.param(
            {"Description": "STATUS 12", "Reason": "Sua mercadoria foi entregue!"},
            Status.DELIVERED,
            "STATUS 12",
            id="the reason, where the text says nothing",
        ),
        pytest.param(
            {"Description": "", "Reason": "Mercadoria avariada"},
            Status.DAMAGED,
            "MERCADORIA AVARIADA",
            id="the reason alone",
        ),
        pytest.param({"Description": "Mercadoria extraviada"}, Status.LOST, "MERCADORIA EXTRAVIADA", id="lost"),
        pytest.param(
            {"Description": "Devolvido ao remetente"}, Status.RETURNED, "DEVOLVIDO AO REMETENTE", id="returned"
        ),
        pytest.param(
            {"Description": "Ocorrência inédita", "Reason": "?"}, Status.UNKNOWN, "OCORRENCIA INEDITA", id="unknown"
        ),
    ],
)
def test_what_a_text_means(line: dict[str, Any], wanted: TrackingStatus, shown: str) -> None:
    event = read_event({"OccurrenceDate": "2026-11-19T14:32:00"} | line)

    assert (event.status, event.carrier_code) == (wanted, shown)
    assert event.by_words or wanted is Status.UNKNOWN


@pytest.mark.anyio
async def test_an_event_without_a_word_is_said(respx_mock: respx.Router, token: respx.Route) -> None:
    told = recorded("rodonaves", "delivered.json")
    told["Events"].append({"OccurrenceDate": "2026-11-19T15:00:00"})
    respx_mock.get(URL).mock(return_value=httpx.Response(200, json=told))

    answer = await answer_of(rodonaves(), KEY)

    assert (answer.outcome, answer.message) == (OUT.ERROR, "the answer cannot be read: event without a text")


def test_numbers_and_texts() -> None:
    normalise = tracking_of(rodonaves()).normalise

    assert (normalise(KEY.value), normalise("11222333000181/001/1001")) == (KEY, INVOICE)
    assert normalise("100001") is None, "a protocol is no number to ask by"
    assert Rodonaves.code_word("Sua mercadoria foi entregue!") is CodeWord.KNOWN
    assert Rodonaves.code_status("Sua mercadoria foi entregue!") is Status.DELIVERED
    assert Rodonaves.code_word("?") is CodeWord.UNKNOWN


@pytest.mark.anyio
async def test_a_log_in_asks_for_a_token(respx_mock: respx.Router, token: respx.Route) -> None:
    assert await rodonaves().log_in() == "user and password give a token"
    assert token.call_count == 1

"""Jadlog: recorded answers, the exact question, what is joined by key, and what is told with HTTP 200."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import orjson
import pytest
import respx

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
from carriers.invoice import invoice_ref, key_ref
from carriers.jadlog import TABLE, Jadlog, read_event
from carriers.jadlog.questions import names
from tests.carriers.accounts import BASE, account, answer_of, asked, code, recorded, reply, tracking_of

OUT, Status = AnswerOutcome, TrackingStatus
URL = f"{BASE}/tracking/consultar"
KEY = "35261111222333000181550010000010011102030405"
CTE = "35261144555666000161570010000070011556677887"


def jadlog(**settings: Any) -> Jadlog:
    return account(Jadlog, {"token": "ficha-inventada"} | settings)


def line(status: str, data: str = "2026-11-18 14:02:00", unidade: str = "CO CURITIBA 01") -> dict[str, str]:
    return {"status": status, "data": data, "unidade": unidade}


@pytest.mark.anyio
async def test_a_delivery_is_read_to_its_end(respx_mock: respx.Router) -> None:
    respx_mock.post(URL).mock(return_value=reply("jadlog", "delivered.json"))

    answer = await answer_of(jadlog(), code("10000000000001"))

    assert answer.outcome is OUT.FOUND and answer.complete
    assert answer.due_on == date(2026, 11, 20)
    assert answer.declared_value_cents is None, "`valor` is the freight"
    assert [
        (event.occurred_at, event.carrier_code, event.status, event.location, event.final, event.attempt)
        for event in answer.events
    ] == [
        (datetime(2026, 11, 16, 18, 12, 6, tzinfo=UTC), "EMISSAO", Status.POSTED, "PA EXEMPLO 01", False, False),
        (datetime(2026, 11, 16, 23, 1, 10, tzinfo=UTC), "ENTRADA", Status.IN_TRANSIT, "CO SAO PAULO 05", False, False),
        (
            datetime(2026, 11, 17, 2, 40, tzinfo=UTC),
            "TRANSFERENCIA",
            Status.IN_TRANSIT,
            "CO SAO PAULO 05",
            False,
            False,
        ),
        (datetime(2026, 11, 18, 11, 5, tzinfo=UTC), "EM ROTA", Status.OUT_FOR_DELIVERY, "CO CURITIBA 01", False, False),
        (datetime(2026, 11, 18, 17, 2, tzinfo=UTC), "ENTREGUE", Status.DELIVERED, "CO CURITIBA 01", True, True),
    ]
    assert not any(event.by_words for event in answer.events), "several clients agree on these five"


@pytest.mark.anyio
async def test_answers_are_joined_by_key_and_a_miss_is_asked_for_the_other_way(respx_mock: respx.Router) -> None:
    found, missing = code("11000000000002"), code("10000000000099")
    told = recorded("jadlog", "in-transit-and-not-found.json")
    told["consulta"].reverse()
    other = {"consulta": [{"shipmentId": missing.value, "erro": {"id": 1, "descricao": "Não localizado"}}]}
    route = respx_mock.post(URL).mock(side_effect=[httpx.Response(200, json=told), httpx.Response(200, json=other)])

    answers = await asked(jadlog(), found, missing)

    assert [event.status for event in answers[found].events] == [Status.POSTED, Status.IN_TRANSIT, Status.IN_TRANSIT]
    assert (answers[missing].outcome, answers[missing].message) == (OUT.NOT_FOUND, "Não localizado")
    first, second = (orjson.loads(call.request.content) for call in route.calls)
    assert first == {"consulta": [{"shipmentId": "11000000000002"}, {"codigo": "10000000000099"}]}
    assert second == {"consulta": [{"shipmentId": "10000000000099"}]}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("number", "first", "second"),
    [
        pytest.param("11000000000005", "shipmentId", "codigo", id="a parcel's code that looks like a shipment's"),
        pytest.param("10000000000005", "codigo", "shipmentId", id="a shipment's that does not"),
    ],
)
async def test_a_code_is_found_by_its_less_likely_name(
    respx_mock: respx.Router, number: str, first: str, second: str
) -> None:
    miss = {"consulta": [{first: number, "erro": {"id": 1, "descricao": "Não localizado"}}]}
    hit = {"consulta": [{second: number, "tracking": {"eventos": [line("ENTRADA")]}}]}
    respx_mock.post(URL).mock(side_effect=[httpx.Response(200, json=miss), httpx.Response(200, json=hit)])

    answer = await answer_of(jadlog(), code(number))

    assert (answer.outcome, answer.events[0].status) == (OUT.FOUND, Status.IN_TRANSIT)


@pytest.mark.anyio
async def test_another_refusal_of_the_second_name_leaves_the_first_answer(respx_mock: respx.Router) -> None:
    miss = {"consulta": [{"codigo": "10000000000005", "erro": {"id": 1, "descricao": "Não localizado"}}]}
    odd = {"consulta": [{"shipmentId": "10000000000005", "erro": {"id": 9, "descricao": "shipmentId inválido"}}]}
    respx_mock.post(URL).mock(side_effect=[httpx.Response(200, json=miss), httpx.Response(200, json=odd)])

    assert (await answer_of(jadlog(), code("10000000000005"))).outcome is OUT.NOT_FOUND


@pytest.mark.anyio
async def test_the_question_is_exactly_as_jadlog_wants_it(respx_mock: respx.Router) -> None:
    key, by_number = key_ref(KEY), invoice_ref("11222333000181", "001", "1003")
    assert key is not None and by_number is not None
    refs = [code("10000000000001"), code("11000000000002"), code(CTE), by_number, key]
    answers = [
        {**item, "tracking": {"eventos": []}}
        for item in reversed(
            [
                {"codigo": "10000000000001"},
                {"shipmentId": "11000000000002"},
                {"cte": CTE},
                {"df": {"nf": 1003, "serie": "001", "tpDocumento": 1, "cnpjRemetente": "11222333000181"}},
                {"df": {"danfe": KEY}},
            ]
        )
    ]
    route = respx_mock.post(URL).mock(return_value=httpx.Response(200, json={"consulta": answers}))

    found = await asked(jadlog(token="Bearer ficha-inventada", api_key="chave"), *refs)

    request = route.calls.last.request
    assert orjson.loads(request.content) == recorded("jadlog", "request.json")
    assert request.headers["Authorization"] == "Bearer ficha-inventada", "the prefix is not doubled"
    assert request.headers["x-apikey"] == "chave"
    assert {answer.outcome for answer in found.values()} == {OUT.FOUND}
    assert route.call_count == 1


@pytest.mark.anyio
async def test_no_api_key_is_sent_where_there_is_none(respx_mock: respx.Router) -> None:
    route = respx_mock.post(URL).mock(return_value=reply("jadlog", "delivered.json"))

    await asked(jadlog(), code("10000000000001"))

    assert "x-apikey" not in route.calls.last.request.headers


@pytest.mark.anyio
async def test_an_over_full_batch_is_never_sent_and_an_empty_one_asks_nothing(respx_mock: respx.Router) -> None:
    tracking = tracking_of(jadlog())

    with pytest.raises(ValueError, match="at most 100"):
        await tracking.track([code(str(10_000_000_000_000 + n)) for n in range(101)])
    assert await tracking.track([]) == {}
    assert not respx_mock.calls


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        pytest.param(
            reply("jadlog", "auth-error.assumed.json"),
            CarrierConfigError,
            "token refused",
            id="token refused within 200",
        ),
        pytest.param(httpx.Response(401), CarrierConfigError, "401", id="token refused by the gateway"),
        pytest.param(
            httpx.Response(200, json={"erro": {"descricao": "Limite excedido"}}),
            PermanentCarrierError,
            "Limite",
            id="the call refused",
        ),
        pytest.param(httpx.Response(200, json={"error": "x"}), PermanentCarrierError, "consulta", id="another shape"),
        pytest.param(
            httpx.Response(400, json={"erro": {"id": 3, "descricao": "df incompleto"}}),
            PermanentCarrierError,
            "400: df incompleto",
            id="bad request",
        ),
    ],
)
async def test_a_refused_call_is_no_history(
    respx_mock: respx.Router, answer: httpx.Response, error: type[Exception], says: str
) -> None:
    respx_mock.post(URL).mock(return_value=answer)

    with pytest.raises(error, match=says):
        await asked(jadlog(), code("10000000000001"))


@pytest.mark.anyio
async def test_one_refused_parcel_does_not_sink_the_others(respx_mock: respx.Router) -> None:
    good, bad, silent = code("10000000000001"), code("10000000000002"), code("10000000000003")
    told = recorded("jadlog", "delivered.json")
    told["consulta"].append(
        {"codigo": bad.value, "erro": {"id": 7, "descricao": "Remessa bloqueada", "detalhe": "CNPJ 11222333000181"}}
    )
    respx_mock.post(URL).mock(return_value=httpx.Response(200, json=told))

    answers = await asked(jadlog(), good, bad, silent)

    assert answers[good].outcome is OUT.FOUND
    assert (answers[bad].outcome, answers[bad].message) == (OUT.ERROR, "Remessa bloqueada CNPJ [digits]")
    assert answers[silent].outcome is OUT.ERROR, "silence is no answer, and no 'not found'"


@pytest.mark.anyio
async def test_a_loss_is_read_and_not_taken_for_proven(respx_mock: respx.Router) -> None:
    respx_mock.post(URL).mock(return_value=reply("jadlog", "problem.assumed.json"))

    lost = (await answer_of(jadlog(), code("10000000000003"))).events[-1]

    assert (lost.status, lost.cause, lost.final) == (Status.LOST, Cause.LOSS, True)
    assert lost.by_words, "one dashboard's word: alone it opens no claim"


@pytest.mark.parametrize(
    ("status", "wanted", "cause"),
    [
        pytest.param("PERDA POR PRAZO SLA", Status.LOST, Cause.LOSS, id="lost by time, short"),
        pytest.param("PERDA POR PRAZO SLA / TOTAL", Status.LOST, Cause.LOSS, id="lost by time, long"),
        pytest.param("FURTO / ROUBO", Status.STOLEN, Cause.THEFT, id="theft"),
        pytest.param("AVARIA / DANO PARCIAL", Status.DAMAGED, Cause.DAMAGE, id="damage"),
        pytest.param("Indício Violação", Status.EXCEPTION, Cause.VIOLATION, id="accents and lower case"),
        pytest.param("FALTA DE ACAREACAO", Status.EXCEPTION, Cause.MISDELIVERY, id="confrontation"),
        pytest.param("AUSENTE 3", Status.DELIVERY_FAILED, Cause.ABSENT, id="third attempt"),
        pytest.param("RECUSADO - DIVERGENCIA DE PEDIDO", Status.DELIVERY_FAILED, Cause.REFUSED, id="refused"),
        pytest.param("DEVOLVIDO", Status.RETURNED, Cause.RETURN, id="returned"),
        pytest.param("INDENIZACAO RECUSADA", Status.EXCEPTION, Cause.OTHER, id="indemnity refused"),
        pytest.param(
            "NAO ENTREGUE", Status.DELIVERY_FAILED, Cause.OTHER, id="by the shared words: a negative is no delivery"
        ),
    ],
)
def test_what_a_text_means(status: str, wanted: TrackingStatus, cause: Cause | None) -> None:
    event = read_event(line(status))

    assert (event.status, event.cause, event.by_words) == (wanted, cause, True)


def test_an_unknown_text_stays_unknown_with_its_words() -> None:
    event = read_event(line("Ocorrência Inédita"))

    assert (event.status, event.carrier_code, event.description) == (
        Status.UNKNOWN,
        "OCORRENCIA INEDITA",
        "Ocorrência Inédita",
    )
    assert Jadlog.code_word("ocorrência inédita") is CodeWord.UNKNOWN
    assert Jadlog.code_word("Entregue") is CodeWord.KNOWN
    assert Jadlog.code_status("Entregue") is Status.DELIVERED


def test_every_text_of_the_table_is_read_by_itself() -> None:
    assert len(TABLE.codes) == 45
    assert {text: read_event(line(text)).status for text in TABLE.codes} == {
        text: reading.status for text, reading in TABLE.codes.items()
    }


@pytest.mark.anyio
async def test_the_receiver_is_not_kept(respx_mock: respx.Router) -> None:
    told = recorded("jadlog", "delivered.json")
    told["consulta"][0]["tracking"]["recebedor"] = {"nome": "MARIA FICTICIA", "doc": "00000000191"}
    respx_mock.post(URL).mock(return_value=httpx.Response(200, json=told))

    answer = await answer_of(jadlog(), code("10000000000001"))

    assert b"FICTICIA" not in answer.raw and b"00000000191" not in answer.raw


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param(" 1000 0000000-001 ", TrackingRef(RefKind.CODE, "10000000000001"), id="blanks and hyphens"),
        pytest.param(KEY, TrackingRef(RefKind.INVOICE_KEY, KEY), id="an invoice's key"),
        pytest.param(
            "35261112ABC34501DE35550010000010041102030432",
            TrackingRef(RefKind.INVOICE_KEY, "35261112ABC34501DE35550010000010041102030432"),
            id="letters are kept",
        ),
        pytest.param(CTE, TrackingRef(RefKind.CODE, CTE), id="a freight document's key"),
        pytest.param(
            "11.222.333/0001-81/001/1003", TrackingRef(RefKind.INVOICE, "11222333000181/1/1003"), id="an invoice"
        ),
        pytest.param(KEY[:-1] + "0", None, id="a wrong check digit"),
        pytest.param("888030000000002", None, id="fifteen digits"),
        pytest.param("AB123456785BR", None, id="another carrier's"),
    ],
)
def test_numbers(value: str, wanted: TrackingRef | None) -> None:
    assert tracking_of(jadlog()).normalise(value) == wanted


def test_an_answer_without_an_echo_names_its_parcel_by_what_it_holds() -> None:
    assert list(names({"codigo": "1", "df": {"nf": "0012", "serie": "01"}})) == [("codigo", "1"), ("nf", "", "1", "12")]


@pytest.mark.anyio
async def test_neither_an_echo_nor_the_absence_of_an_empty_error_is_needed(respx_mock: respx.Router) -> None:
    told = recorded("jadlog", "delivered.json")
    del told["consulta"][0]["codigo"]
    told["consulta"][0]["erro"] = None
    respx_mock.post(URL).mock(return_value=httpx.Response(200, json=told))

    assert (await answer_of(jadlog(), code("10000000000001"))).outcome is OUT.FOUND


@pytest.mark.anyio
async def test_a_log_in_asks_for_a_parcel_that_is_not_there(respx_mock: respx.Router) -> None:
    miss = {"consulta": [{"codigo": "0" * 14, "erro": {"id": 1, "descricao": "Não localizado"}}]}
    respx_mock.post(URL).mock(side_effect=[httpx.Response(200, json=miss), httpx.Response(403)])

    assert await jadlog().log_in() == "the token opens tracking"
    with pytest.raises(CarrierConfigError):
        await jadlog().log_in()

"""Reopening answered claims (`reativa`): the second table of return codes row by row, the call and its answers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import orjson
import pytest
import respx

from carriers.base import (
    AnswerLostError,
    ClaimKind,
    ClaimsAdapter,
    PermanentCarrierError,
    ReopenAnswer,
    ReopenOutcome,
    ReopenRequest,
    TransientCarrierError,
)
from carriers.correios.claim_answers import granted_cents, keyed, read_reopening, read_status
from carriers.correios.returns import REACTIVATIONS, RETURNS
from tests.carriers.correios.support import CLAIM_URL, adapter, grant_tokens, recorded, ref
from tests.carriers.support import sample_json

OUT = ReopenOutcome
REATIVA = f"{CLAIM_URL}/reativa"
M, H, D = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# The manual's second table row by row (domain notes, section 6.4): code, outcome, and what else the answer says.
TABLE: list[tuple[int, ReopenOutcome, dict[str, object]]] = [
    (512, OUT.REOPENED, {}),
    (0, OUT.REOPENED, {}),
    (4, OUT.REFUSED, {}),
    (55, OUT.WRONG_CONFIGURATION, {}),
    (122, OUT.WRONG_CONFIGURATION, {}),
    (50, OUT.NEEDS_PERSON, {}),
    (56, OUT.NOT_YET, {"after_answer": True}),
    (591, OUT.NOT_YET, {"after_answer": True}),
    (593, OUT.NOT_YET, {"after_answer": True}),
    (260, OUT.NEEDS_PERSON, {}),
    (513, OUT.NEEDS_PERSON, {}),
    (575, OUT.NOT_FOUND, {}),
    (582, OUT.OTHER_KIND, {}),
    (583, OUT.OTHER_MOTIVE, {"otherwise": OUT.NEEDS_PERSON}),
    (588, OUT.OTHER_MOTIVE, {"otherwise": OUT.NEEDS_PERSON}),
    (586, OUT.NEEDS_PERSON, {}),
    (587, OUT.REFUSED, {}),
    (590, OUT.ALREADY, {}),
    (592, OUT.REFUSED, {}),
    (594, OUT.WRONG_CONFIGURATION, {}),
    (595, OUT.REFUSED, {}),
    (596, OUT.REFUSED, {}),
    (597, OUT.OTHER_MOTIVE, {"otherwise": OUT.REFUSED}),
    (598, OUT.NOT_YET, {"after_event": True}),
    (999, OUT.NOT_YET, {"waits": (5 * M, 15 * M, 60 * M, *(6 * H,) * 12), "carrier_fault": True}),
    # "as in cadastra"
    (531, OUT.NOT_YET, {"after_event": True}),
    (534, OUT.NOT_YET, {"after_event": True}),
    (539, OUT.NOT_YET, {"waits": (1 * D,) * 10}),
    (545, OUT.OTHER_MOTIVE, {"otherwise": OUT.NOT_YET}),
    (550, OUT.OTHER_MOTIVE, {"otherwise": OUT.REFUSED}),
    (560, OUT.OTHER_MOTIVE, {"otherwise": OUT.REFUSED}),
    (562, OUT.REFUSED, {}),
    (634, OUT.REFUSED, {}),
]
FLAGS: dict[str, object] = {
    "after_answer": False,
    "after_event": False,
    "look_first": False,
    "waits": (),
    "not_before": None,
    "carrier_fault": False,
}


def read(code: object, text: str = "Olá, texto.") -> ReopenAnswer:
    return read_reopening(keyed({"codigo retorno": code, "descrição retorno": text}), b"raw")


@pytest.mark.parametrize(("code", "outcome", "more"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_every_row_of_the_table(code: int, outcome: ReopenOutcome, more: dict[str, object]) -> None:
    answer = read(str(code))

    assert (answer.outcome, answer.code, answer.service_level) == (outcome, str(code), False)
    assert {name: getattr(answer, name) for name in {**FLAGS, **more}} == FLAGS | more


def test_other_codes_mean_what_they_mean_in_the_first_table() -> None:
    assert set(REACTIVATIONS) == set(RETURNS) | {row[0] for row in TABLE} | {589}
    assert all(row.sense for row in REACTIVATIONS.values())


def test_what_is_not_yet_says_until_when() -> None:
    for code, row in REACTIVATIONS.items():
        says = [bool(row.waits), row.after_answer, row.after_event, row.look_first, row.payment_term]
        assert sum(says) == (1 if row.outcome is OUT.NOT_YET else 0), code


@pytest.mark.parametrize(
    ("text", "not_before", "waits"),
    [
        pytest.param("Olá, ... Prazo: 11/12/2026", date(2026, 12, 11), (), id="the term's last day is read"),
        pytest.param("Olá, dentro do prazo de pagamento.", None, (30 * D,) * 2, id="no day: looked at monthly"),
        pytest.param("Olá, de 01/12/2026 a 11/12/2026", None, (30 * D,) * 2, id="two days: none is guessed"),
        pytest.param("Olá, prazo 31/02/2026", None, (30 * D,) * 2, id="a day that does not exist"),
    ],
)
def test_the_payment_term(text: str, not_before: date | None, waits: tuple[timedelta, ...]) -> None:
    answer = read("589", text)

    assert (answer.outcome, answer.not_before, answer.waits) == (OUT.NOT_YET, not_before, waits)


@pytest.mark.parametrize("code", ["777", "", "abc", None])
def test_a_code_that_is_not_in_the_manual_is_for_a_person(code: str | None) -> None:
    assert read(code).outcome is OUT.UNKNOWN


def test_a_service_level_text_is_a_refusal_whatever_its_code() -> None:
    answer = read("545", "Olá, o objeto é mensurado pelo nível de serviço.")

    assert (answer.outcome, answer.service_level, answer.after_event) == (OUT.REFUSED, True, False)


# --- the call ---------------------------------------------------------------------------------------


def request(protocol: str, kind: ClaimKind = ClaimKind.REFUND, **more: Any) -> ReopenRequest:
    return ReopenRequest(ref("AN170000169BR"), protocol, more.pop("motive", "135"), kind, more.pop("note", "x"), **more)


async def reopen(response: Any, *requests: ReopenRequest) -> tuple[dict[str, ReopenAnswer], respx.Route]:
    claims = adapter().claims
    assert isinstance(claims, ClaimsAdapter)
    with respx.mock as mock:
        grant_tokens(mock)
        route = mock.post(REATIVA).mock(side_effect=response if isinstance(response, list) else [response])
        return dict(await claims.reopen_claims(requests)), route


@pytest.mark.anyio
async def test_the_recorded_request_and_its_answer() -> None:
    note = "Primeira tentativa de entrega em 19/11/2026, prazo máximo em 12/11/2026."

    answers, route = await reopen(recorded("pi-reativa-response-ok.json"), request("210000002", note=note))

    sent, sample = orjson.loads(route.calls[0].request.content), sample_json("pi-reativa-request.json")
    assert sent["reativacoes"] == sample["reativacoes"]
    assert set(sent) == set(sample), "neither phone nor mail is asked for here"
    answer = answers["210000002"]
    # The envelope says 512 and the item 0: either is success.
    assert (answer.outcome, answer.code, answer.protocol) == (OUT.REOPENED, "0", "210000002")


@pytest.mark.anyio
async def test_each_item_is_judged_by_its_own_code() -> None:
    numbers = ["210000002", "210000001", "209990007", "209700456", "209000001", "209000002"]

    answers, _ = await reopen(recorded("pi-reativa-response-mixed.json"), *map(request, numbers))

    assert {number: (a.outcome, a.code, a.not_before) for number, a in answers.items()} == {
        "210000002": (OUT.REOPENED, "0", None),
        "210000001": (OUT.NOT_YET, "56", None),
        "209990007": (OUT.NOT_YET, "589", date(2026, 12, 11)),
        "209700456": (OUT.ALREADY, "590", None),
        "209000001": (OUT.REFUSED, "587", None),
        "209000002": (OUT.NOT_FOUND, "575", None),
    }
    assert len(orjson.loads(answers["210000001"].raw)["pi"]) == 1, "evidence of one claim names no other"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        pytest.param({"codigoRetorno": 999, "descricaoRetorno": "erro", "pi": []}, {OUT.NOT_YET}, id="envelope error"),
        pytest.param({"codigoRetorno": 512, "pi": []}, set(), id="success of nothing answers nobody"),
        pytest.param({"codigoRetorno": 0, "pi": []}, set(), id="success by its other number"),
        pytest.param({"codigoRetorno": 513, "descricaoRetorno": "falta"}, {OUT.NEEDS_PERSON}, id="no list at all"),
    ],
)
async def test_the_envelope_speaks_for_all_where_no_item_does(body: Any, outcomes: set[ReopenOutcome]) -> None:
    answers, _ = await reopen(httpx.Response(200, json=body), request("1"), request("2"))

    assert {answer.outcome for answer in answers.values()} == outcomes
    assert len(answers) == (2 if outcomes else 0)


@pytest.mark.anyio
async def test_one_contract_a_call() -> None:
    own, other = request("210000002"), request("210000003", contract="9912999999")

    answers, route = await reopen(recorded("pi-reativa-response-ok.json"), own, other)

    assert set(answers) == {"210000002"}
    assert len(orjson.loads(route.calls[0].request.content)["reativacoes"]) == 1


@pytest.mark.anyio
async def test_what_is_never_sent() -> None:
    claims = adapter().claims
    assert isinstance(claims, ClaimsAdapter)
    with respx.mock:
        with pytest.raises(ValueError, match="at most 10"):
            await claims.reopen_claims([request(str(n)) for n in range(1, 12)])
        with pytest.raises(ValueError, match="reopened twice"):
            await claims.reopen_claims([request("1"), request("1", motive="211")])
        assert await claims.reopen_claims([]) == {}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        pytest.param(httpx.ConnectError("no"), TransientCarrierError, id="not sent"),
        pytest.param(httpx.ReadTimeout("slow"), AnswerLostError, id="no answer in time"),
        pytest.param(httpx.Response(200, html="<html>"), AnswerLostError, id="page with status 200"),
        pytest.param(httpx.Response(200, json={"x": 1}), AnswerLostError, id="another shape"),
        pytest.param(httpx.Response(400, json={"msgs": ["x"]}), PermanentCarrierError, id="refused by the gateway"),
    ],
)
async def test_failed_reopenings_are_typed_and_not_repeated(outcome: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        await reopen([outcome], request("210000002"))

    assert type(caught.value) is error


# --- what a look-up tells ---------------------------------------------------------------------------


def test_every_documented_field_is_read() -> None:
    status = read_status("exemplo", sample_json("pi-acompanha-reactivated.json") | {"Postagem Depois da Hora": "S"})

    assert (status.first_motive, status.motive, status.kind) == ("134", "134", ClaimKind.REFUND)
    assert (status.last_event, status.last_event_on) == ("BDE-28", date(2026, 11, 18))
    assert (status.posted_on, status.posted_after_cutoff) == (date(2026, 11, 13), True)
    assert (status.reopened_on, status.reopening_text) == (date(2026, 11, 21), "Anexadas fotos do dano.")
    assert (status.carrier_state, status.service_level) == ("Reativada", False)


def test_a_claim_of_the_service_level_system_says_so() -> None:
    flag = "Indica se a manifestacao foi registrada pelo nivel de servico"

    assert read_status("exemplo", sample_json("pi-acompanha-open.json") | {flag: "S"}).service_level is True


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        pytest.param("A indenização de R$ 1.234,56 será creditada em fatura.", 123_456, id="named once"),
        pytest.param("Crédito de R$ 25,63 em fatura.", 2_563, id="a credit"),
        pytest.param("Será ressarcido o valor de R$1.000.000,00.", 100_000_000, id="thousands of thousands"),
        pytest.param("Indenização de R$ 10,00 mais R$ 2,50.", None, id="two amounts"),
        pytest.param("Indenização de R$ 10,00, isto é, R$ 10.", None, id="a second, unreadable one"),
        pytest.param("Indenização de R$ 1234.", None, id="not written out"),
        pytest.param("Indenização de R$ 1.23,00.", None, id="grouped oddly"),
        pytest.param("O valor declarado é R$ 500,00.", None, id="a text about something else"),
        pytest.param("", None, id="no text"),
    ],
)
def test_an_amount_is_read_only_where_it_is_certain(text: str, cents: int | None) -> None:
    assert granted_cents(text) == cents

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import orjson
import pytest
import respx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carriers.base import (
    AnswerLostError,
    CarrierConfigError,
    ClaimAnswer,
    ClaimKind,
    ClaimOutcome,
    ClaimProgress,
    ClaimRequest,
    ClaimsAdapter,
    ClaimStart,
    ClaimStatus,
    PermanentCarrierError,
    ProblemKind,
    TrackingRef,
    TransientCarrierError,
)
from carriers.correios.claim_answers import keyed, read_protocol, read_status
from carriers.correios.claim_terms import claim_terms
from tests.carriers.correios.support import ACCOUNT, CLAIM_URL, adapter, grant_tokens, recorded, ref
from tests.carriers.support import sample_json

OUT, P = ClaimOutcome, ClaimProgress
CADASTRA, ACOMPANHA = f"{CLAIM_URL}/cadastra", f"{CLAIM_URL}/acompanha"
REFUND, INQUIRY = ClaimKind.REFUND, ClaimKind.INFORMATION_REQUEST
LATE = ref("AN120000118BR")


def claims(account: dict[str, Any] | None = None) -> ClaimsAdapter:
    found = adapter(account).claims
    assert isinstance(found, ClaimsAdapter)
    return found


def request(code: str, motive: str = "211", kind: ClaimKind = INQUIRY, **more: Any) -> ClaimRequest:
    return ClaimRequest(ref(code), motive, kind, more.pop("recipient_name", "Maria Exemplo"), **more)


def batch() -> list[ClaimRequest]:
    """The ten claims of the recorded batch."""
    kinds = {"R": INQUIRY, "I": REFUND}
    return [
        request(
            item["codigoObjeto"],
            str(item["codigoMotivoReclamacao"]),
            kinds[item["tipoManifestacao"]],
            recipient_name=item["nomeDestinatario"],
        )
        for item in sample_json("pi-cadastra-batch-request.json")["pedidos"]
    ]


async def file(response: Any, *requests: ClaimRequest) -> tuple[dict[TrackingRef, ClaimAnswer], respx.Route]:
    with respx.mock as mock:
        grant_tokens(mock)
        outcomes = response if isinstance(response, list) else [response]
        route = mock.post(CADASTRA).mock(side_effect=outcomes)
        return dict(await claims().open_claims(requests)), route


async def look_up(response: Any, protocol: str | None = None) -> tuple[ClaimStatus, respx.Route]:
    with respx.mock as mock:
        grant_tokens(mock)
        route = mock.get(ACOMPANHA).mock(side_effect=lambda _: response)
        return await claims().look_up(LATE, protocol), route


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("requests", "sample"),
    [
        pytest.param([request("AN120000118BR")], "pi-cadastra-request.json", id="one"),
        pytest.param(batch(), "pi-cadastra-batch-request.json", id="ten"),
    ],
)
async def test_what_is_sent(requests: list[ClaimRequest], sample: str) -> None:
    _, route = await file(recorded("pi-cadastra-response-ok.json"), *requests)

    sent = route.calls[0].request
    assert orjson.loads(sent.content) == sample_json(sample) | {"telefone": "41900000000"}
    assert sent.headers["Authorization"] == "Bearer token-1"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["pi-cadastra-response-ok.json", "pi-cadastra-response-ok-camelcase.json"])
async def test_a_claim_is_opened_in_either_spelling(name: str) -> None:
    answers, _ = await file(recorded(name), request("AN120000118BR"))

    answer = answers[LATE]
    assert (answer.outcome, answer.protocol, answer.code) == (OUT.REGISTERED, "210000001", "0")
    assert orjson.loads(answer.raw) == sample_json(name)


@pytest.mark.anyio
async def test_each_item_is_judged_by_its_own_code() -> None:
    answers, _ = await file(recorded("pi-cadastra-response-mixed.json"), *batch())

    assert {answer_ref.value: (a.outcome, a.code, a.protocol) for answer_ref, a in answers.items()} == {
        "AN120000118BR": (OUT.REGISTERED, "0", "210000001"),
        "QN200000023BR": (OUT.NOT_YET, "544", None),
        "AD800000081BR": (OUT.NOT_YET, "548", None),
        "AD100000017BR": (OUT.REFUSED, "530", None),
        "AN600000069BR": (OUT.ALREADY_OPEN, "900", "209990007"),
        "AD150000142BR": (OUT.WRONG_CONFIGURATION, "55", None),
        "AN170000169BR": (OUT.REGISTERED, "0", "210000002"),
        "AN500000052BR": (OUT.OTHER_MOTIVE, "545", None),
        "AN210000195BR": (OUT.NEEDS_PERSON, "564", None),
        "QN700000075BR": (OUT.NOT_YET, "999", None),
    }
    assert len(orjson.loads(answers[LATE].raw)["pi"]) == 1, "evidence of one parcel names no other"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "code", "outcome", "protocol"),
    [
        pytest.param("900-without-number", "AN600000069BR", OUT.ALREADY_OPEN, None, id="the letter f is no number"),
        pytest.param("546", "AN170000169BR", OUT.REGISTERED, "210000003", id="a refusal with a number is a claim"),
        pytest.param("999", "AN120000118BR", OUT.NOT_YET, None, id="the envelope speaks for all"),
        pytest.param("service-level", "AN170000169BR", OUT.REFUSED, None, id="settled by service level"),
    ],
)
async def test_odd_answers(name: str, code: str, outcome: ClaimOutcome, protocol: str | None) -> None:
    answers, _ = await file(recorded(f"pi-cadastra-response-{name}.json"), request(code))

    answer = answers[ref(code)]
    assert (answer.outcome, answer.protocol) == (outcome, protocol)
    assert answer.service_level is (name == "service-level")
    assert answer.raw


def reply(*items: Any, code: Any = 0) -> httpx.Response:
    return httpx.Response(200, json={"codigoRetorno": code, "descricaoRetorno": "Olá", "pi": list(items)})


def item(code: Any, protocol: Any = "", text: str = "Olá") -> dict[str, Any]:
    return {"codigo do objeto": LATE.value, "numero do pi": protocol, "codigo retorno": code, "descrição retorno": text}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("response", "outcome", "protocol"),
    [
        pytest.param(reply(item("00", 210000001)), OUT.REGISTERED, "210000001", id="two zeros and a bare number"),
        pytest.param(reply(item(0, "f")), OUT.REGISTERED, None, id="registered, number to be looked up"),
        pytest.param(reply(item("546", "f")), OUT.NOT_YET, None, id="delivered and no number"),
        pytest.param(reply(item("0", "1", "nível de serviço")), OUT.REGISTERED, "1", id="taken in spite of the words"),
        pytest.param(reply(item("31415", "1")), OUT.UNKNOWN, "1", id="an unknown code with a number keeps it"),
        pytest.param(reply(item("0", "2"), code=999), OUT.REGISTERED, "2", id="an item overrules the envelope"),
        pytest.param(reply(code=121), OUT.WRONG_CONFIGURATION, None, id="envelope alone"),
    ],
)
async def test_items_and_envelopes(response: httpx.Response, outcome: ClaimOutcome, protocol: str | None) -> None:
    answers, _ = await file(response, request(LATE.value))

    assert (answers[LATE].outcome, answers[LATE].protocol) == (outcome, protocol)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "response",
    [
        pytest.param(reply(), id="registered, but nothing is named"),
        pytest.param(reply(item("0") | {"codigo do objeto": "XX"}), id="another parcel is named"),
        pytest.param(reply("x", None), id="items that are none"),
        pytest.param(httpx.Response(200, json={"codigoRetorno": 0, "pi": {"a": 1}}), id="items that are no list"),
    ],
)
async def test_a_request_without_its_answer_is_left_out(response: httpx.Response) -> None:
    answers, _ = await file(response, request(LATE.value))

    assert answers == {}


@pytest.mark.anyio
async def test_one_contract_a_call() -> None:
    own, other = request("AN120000118BR"), request("AN600000069BR", contract="9912999999")

    answers, route = await file(recorded("pi-cadastra-response-ok.json"), own, other)
    assert set(answers) == {LATE} and route.call_count == 1
    assert len(orjson.loads(route.calls[0].request.content)["pedidos"]) == 1

    _, route = await file(recorded("pi-cadastra-response-ok.json"), other)
    assert orjson.loads(route.calls[0].request.content)["contrato"] == "9912999999"


@pytest.mark.anyio
async def test_what_is_never_sent() -> None:
    with respx.mock:
        with pytest.raises(ValueError, match="at most 10"):
            await claims().open_claims([*batch(), request("RR473124829GB")])
        with pytest.raises(ValueError, match="two claims on one parcel"):
            await claims().open_claims([request(LATE.value), request(LATE.value, "135")])
        assert await claims().open_claims([]) == {}


NESTED = "[" * 300 + "]" * 300
FAILURES: list[Any] = [
    pytest.param(httpx.ConnectError("no"), TransientCarrierError, 1, id="not sent"),
    pytest.param(httpx.ReadTimeout("slow"), AnswerLostError, 1, id="no answer in time"),
    pytest.param(httpx.RemoteProtocolError("gone"), AnswerLostError, 1, id="disconnected"),
    pytest.param(recorded("gateway-error-500.json", 500), AnswerLostError, 1, id="server fault"),
    pytest.param(httpx.Response(200, html="<html>"), AnswerLostError, 1, id="page with status 200"),
    pytest.param(httpx.Response(200, text="{"), AnswerLostError, 1, id="broken JSON"),
    pytest.param(httpx.Response(200, json=["pi"]), AnswerLostError, 1, id="another shape"),
    pytest.param(
        httpx.Response(200, text=f'{{"codigoRetorno": 0, "pi": [{{"codigoObjeto": "AN120000118BR", "x": {NESTED}}}]}}'),
        AnswerLostError,
        1,
        id="nested to death",
    ),
    pytest.param(httpx.Response(429), TransientCarrierError, 1, id="too many calls"),
    pytest.param(httpx.Response(400, json={"msgs": ["x"]}), PermanentCarrierError, 1, id="refused by the gateway"),
    pytest.param(httpx.Response(400, text="no"), PermanentCarrierError, 1, id="refused without JSON"),
    pytest.param(httpx.Response(403), CarrierConfigError, 2, id="not allowed, after one renewal"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("outcome", "error", "calls"), FAILURES)
async def test_failed_filings_are_typed_and_not_repeated(outcome: Any, error: type[Exception], calls: int) -> None:
    with respx.mock as mock:
        grant_tokens(mock)
        route = mock.post(CADASTRA).mock(side_effect=[outcome] * 3)
        with pytest.raises(error) as caught:
            await claims().open_claims([request(LATE.value)])

    assert type(caught.value) is error
    assert route.call_count == calls
    assert "Maria" not in str(caught.value)


@pytest.mark.anyio
async def test_a_filing_refused_for_its_token_is_sent_once_more() -> None:
    refused = recorded("gateway-error-401-expired-token.json", 401)

    answers, route = await file([refused, recorded("pi-cadastra-response-ok.json")], request(LATE.value))

    assert answers[LATE].outcome is OUT.REGISTERED
    assert route.call_count == 2


@pytest.mark.anyio
async def test_return_codes_under_another_http_status_are_read() -> None:
    answers, _ = await file(recorded("pi-cadastra-response-999.json", 400), request(LATE.value))
    status, _ = await look_up(recorded("pi-acompanha-error-990.json", 404))

    assert (answers[LATE].outcome, status.progress) == (OUT.NOT_YET, P.NONE)


@pytest.mark.anyio
@pytest.mark.parametrize(("protocol", "asked"), [("210000001", "210000001"), (None, "AN120000118BR")])
async def test_what_is_looked_up(protocol: str | None, asked: str) -> None:
    status, route = await look_up(recorded("pi-acompanha-open.json"), protocol)

    assert route.calls[0].request.url.params.multi_items() == [
        ("contrato", ACCOUNT["contract"]),
        ("canal", "W"),
        ("codigodoObjetoOuProtocolo", asked),
    ]
    assert (status.progress, status.protocol, status.motive, status.kind) == (P.OPEN, "210000001", "211", INQUIRY)
    assert (status.opened_on, status.answered_on, status.due_on) == (date(2026, 11, 22), None, date(2026, 11, 13))
    assert (status.carrier_state, status.text, status.code) == ("Em análise", "", "0")


@pytest.mark.parametrize(
    ("name", "progress", "kind", "answered_on"),
    [
        ("open", P.OPEN, INQUIRY, None),
        ("answered-accepted", P.ACCEPTED, REFUND, date(2026, 11, 21)),
        ("answered-rejected", P.REJECTED, INQUIRY, date(2026, 11, 21)),
        ("reactivated", P.REOPENED, REFUND, date(2026, 11, 20)),
        ("closed-paid", P.PAID, REFUND, date(2026, 11, 16)),
    ],
)
def test_recorded_states(name: str, progress: ClaimProgress, kind: ClaimKind, answered_on: date | None) -> None:
    status = read_status("exemplo", sample_json(f"pi-acompanha-{name}.json"))

    assert (status.progress, status.kind, status.answered_on) == (progress, kind, answered_on)
    assert status.carrier_state


def changed(**fields: Any) -> dict[str, Any]:
    names = {"reply": "Mensagem Última Resposta", "verdict": "Indicativo Procedência", "event": "Tipo Último Evento"}
    names |= {"again": "Houve Recorrência", "again_on": "Data Última Recorrência", "on": "Data Última Resposta"}
    answer: dict[str, Any] = sample_json("pi-acompanha-answered-accepted.json")
    return answer | {names[key]: value for key, value in fields.items()}


@pytest.mark.parametrize(
    ("fields", "progress"),
    [
        pytest.param({"verdict": None}, P.ANSWERED, id="answered without a verdict"),
        pytest.param({"reply": "A indenização foi paga em 20/11."}, P.PAID, id="has been paid"),
        pytest.param({"reply": "Os valores foram creditados em fatura."}, P.PAID, id="have been credited"),
        pytest.param({"reply": "A indenização será paga em 30 dias."}, P.ACCEPTED, id="will be paid"),
        pytest.param({"reply": "A indenização não foi paga."}, P.ACCEPTED, id="has not been paid"),
        pytest.param({"event": "IDC"}, P.PAID, id="tracking shows the indemnity"),
        pytest.param({"on": None}, P.OPEN, id="no answer date"),
        pytest.param({"again": "S", "again_on": "21/11/2026"}, P.REOPENED, id="reopened the same day"),
        pytest.param({"again": "S", "again_on": "20/11/2026"}, P.ACCEPTED, id="answered after the reopening"),
        pytest.param({"again": "N", "again_on": "22/11/2026"}, P.ACCEPTED, id="a date without the flag"),
    ],
)
def test_derived_states(fields: dict[str, Any], progress: ClaimProgress) -> None:
    assert read_status("exemplo", changed(**fields)).progress is progress


@pytest.mark.parametrize(("code", "progress"), [(4, P.NONE), (990, P.NONE), (631, P.NOT_FOLLOWED)])
def test_answers_without_a_claim(code: int, progress: ClaimProgress) -> None:
    status = read_status("exemplo", sample_json(f"pi-acompanha-error-{code}.json"))

    assert (status.progress, status.code) == (progress, str(code))
    assert status.text


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [
        (122, CarrierConfigError, "contract and posting_card"),
        (291, PermanentCarrierError, "Tipo de consulta"),
        (999, TransientCarrierError, "processing error"),
    ],
)
def test_failed_look_ups(code: int, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        read_status("exemplo", sample_json(f"pi-acompanha-error-{code}.json"))


def test_a_claim_with_an_impossible_date_is_not_guessed() -> None:
    with pytest.raises(PermanentCarrierError, match="cannot be read"):
        read_status("exemplo", changed(on="31/02/2026"))


# The first draw builds a table of characters, which is slow on a cold machine and says nothing of our code.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(list(changed())),
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=12),
    )
)
def test_a_look_up_is_read_or_refused_whatever_it_holds(fields: dict[str, Any]) -> None:
    try:
        status = read_status("exemplo", changed() | fields)
    except (PermanentCarrierError, TransientCarrierError, CarrierConfigError):
        return
    assert status.progress in ClaimProgress and status.raw


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("response", "error"),
    [
        pytest.param(httpx.Response(200, json={"a": 1}), PermanentCarrierError, id="another shape"),
        pytest.param(
            httpx.Response(200, text=f'{{"numeroPi": {NESTED}}}'), PermanentCarrierError, id="nested to death"
        ),
        pytest.param(httpx.Response(400, json={"msgs": ["x"]}), PermanentCarrierError, id="refused by the gateway"),
    ],
)
async def test_look_ups_that_say_nothing(response: httpx.Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        await look_up(response)


@pytest.mark.parametrize(
    ("key", "same"),
    [
        ("numero do pi", "numeropi"),
        ("numeroPi", "numeropi"),
        ("descrição retorno", "descricaoretorno"),
        ("Situação Manifestação", "situacaomanifestacao"),
        ("Data de Abertura PI", "dataaberturapi"),
        ("codigo do objeto", "codigoobjeto"),
        ("codigoObjeto", "codigoobjeto"),
        ("Data Máxima de Entrega", "datamaximaentrega"),
    ],
)
def test_every_spelling_of_a_key_is_one(key: str, same: str) -> None:
    assert keyed({key: 1}) == {same: 1}


@pytest.mark.parametrize(
    ("value", "protocol"),
    [
        ("210000001", "210000001"),
        (210000001, "210000001"),
        ("f", None),
        ("", None),
        (None, None),
        ("0", None),
        (True, None),
    ],
)
def test_protocols_are_numbers(value: Any, protocol: str | None) -> None:
    assert read_protocol(value) == protocol


def test_the_terms_of_claims() -> None:
    terms = claims().claim_terms
    start = {ClaimStart.EVENT: "event", ClaimStart.DUE_DATE: "due"}

    assert [(o.problem, o.motive, o.kind, start[o.start], o.days_after_event) for o in terms.offers] == [
        (ProblemKind.VIOLATION, "133", REFUND, "event", 0),
        (ProblemKind.DAMAGE, "134", REFUND, "event", 0),
        (ProblemKind.MISDELIVERY, "132", INQUIRY, "event", 0),
        (ProblemKind.LOSS, "211", REFUND, "event", 0),
        (ProblemKind.THEFT, "211", REFUND, "event", 1),
        (ProblemKind.LOSS, "211", INQUIRY, "due", 0),
        (ProblemKind.DELAY, "211", INQUIRY, "due", 0),
        (ProblemKind.RETURNED, "136", INQUIRY, "event", 0),
        (ProblemKind.LATE_DELIVERY, "135", REFUND, "due", 0),
    ]
    assert [o.motive for o in terms.offers if o.presumed] == ["211"]
    priorities = [offer.priority for offer in terms.offers]
    assert priorities == sorted(set(priorities))
    assert {o.problem for o in terms.offers if o.fallback == ("211", INQUIRY)} == {ProblemKind.LOSS, ProblemKind.THEFT}
    assert (terms.window_days, terms.alert_day, terms.last_day, terms.batch_size) == (30, 25, 90, 10)
    assert (terms.margin_business_days, terms.replanning_cap_business_days) == (1, 10)
    assert (terms.answer_business_days, terms.escalate_business_days) == (5, 10)
    assert "v2.2 (08/09/2023)" in terms.source and "12.464/2025" in terms.source


@pytest.mark.parametrize("setting", ["contract", "off"])
def test_delays_are_left_out_where_the_contract_settles_them(setting: str) -> None:
    kept = {offer.problem for offer in claim_terms(setting).offers}

    assert {ProblemKind.DELAY, ProblemKind.LATE_DELIVERY} & kept == set()
    assert kept >= {ProblemKind.DAMAGE, ProblemKind.LOSS, ProblemKind.THEFT, ProblemKind.RETURNED}


@pytest.mark.parametrize(
    ("kinds", "loss", "delay"),
    [
        pytest.param({}, (REFUND, ("211", INQUIRY)), (INQUIRY, None), id="ours"),
        pytest.param({"loss": "information_request"}, (INQUIRY, None), (INQUIRY, None), id="an inquiry about losses"),
        pytest.param({"delay": "refund"}, (REFUND, ("211", INQUIRY)), (REFUND, None), id="a refund for delays at once"),
    ],
)
def test_the_shop_chooses_the_kind_that_is_filed_first(
    kinds: dict[str, str], loss: tuple[ClaimKind, Any], delay: tuple[ClaimKind, Any]
) -> None:
    offers = {o.problem: (o.kind, o.fallback) for o in claim_terms("pi", kinds).offers if not o.presumed}

    assert (offers[ProblemKind.LOSS], offers[ProblemKind.DELAY]) == (loss, delay)

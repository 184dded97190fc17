from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx

from carriers.base import (
    AnswerOutcome,
    CarrierConfigError,
    Cause,
    PermanentCarrierError,
    RefKind,
    TrackingRef,
    TransientCarrierError,
)
from carriers.correios.tracking import normalise
from tests.carriers.correios.support import TRACK_URL, adapter, grant_tokens, recorded, ref

OUT = AnswerOutcome


@pytest.mark.anyio
@respx.mock
async def test_one_call_for_the_whole_batch_with_the_exact_headers() -> None:
    grant_tokens(respx.mock)
    route = respx.get(TRACK_URL).mock(return_value=recorded("rastro-multi-all-events.json"))
    wanted = [ref("AN120000118BR"), ref("AN500000052BR"), ref("AN120000118BR")]
    tracking = adapter().tracking
    assert tracking is not None

    answers = await tracking.track(wanted)

    assert set(answers) == set(wanted)
    request = route.calls[0].request
    assert request.url.params.multi_items() == [
        ("codigosObjetos", "AN120000118BR"),
        ("codigosObjetos", "AN500000052BR"),
        ("resultado", "T"),
    ]
    assert request.headers["Accept-Language"] == "pt-BR"
    assert request.headers["Accept"] == "application/json"
    assert route.call_count == 1


def fifty() -> list[TrackingRef]:
    codes_ = (code for n in range(900) for d in range(10) if (code := normalise(f"AD{n:08d}{d}BR")))
    return [next(codes_) for _ in range(50)]


@pytest.mark.anyio
@respx.mock
async def test_what_is_never_sent() -> None:
    tracking = adapter().tracking
    assert tracking is not None

    with pytest.raises(ValueError, match="at most 50"):
        await tracking.track([*fifty(), ref("RR473124829GB")])
    with pytest.raises(ValueError, match="object code only"):
        await tracking.track([TrackingRef(RefKind.INVOICE_KEY, "1" * 44)])
    assert await tracking.track([]) == {}
    assert not respx.calls


def refusing(poison: set[str]) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params.get_list("codigosObjetos")
        if poison & set(asked):
            return httpx.Response(400, json={"msgs": ["SRO-099: código inválido na lista"]})
        return httpx.Response(200, json={"objetos": [{"codObjeto": code, "eventos": []} for code in asked]})

    return answer


@pytest.mark.anyio
@respx.mock
@pytest.mark.parametrize("bad", [[0], [49], [7, 33]], ids=["the first", "the last", "two far apart"])
async def test_a_code_that_spoils_its_batch_is_found(bad: list[int]) -> None:
    grant_tokens(respx.mock)
    numbers = fifty()
    poison = {numbers[index].value for index in bad}
    route = respx.get(TRACK_URL).mock(side_effect=refusing(poison))
    tracking = adapter().tracking
    assert tracking is not None

    answers = {number: heard.read() for number, heard in (await tracking.track(numbers)).items()}

    assert {n.value for n, answer in answers.items() if answer.outcome is OUT.ERROR} == poison
    assert len(answers) == 50
    assert "SRO-099" in (answers[numbers[bad[0]]].message or "")
    assert route.call_count <= 24


@pytest.mark.anyio
@respx.mock
async def test_a_refusal_of_everything_is_no_fault_of_a_code() -> None:
    grant_tokens(respx.mock)
    numbers = fifty()
    route = respx.get(TRACK_URL).mock(side_effect=refusing({number.value for number in numbers}))
    tracking = adapter().tracking
    assert tracking is not None

    with pytest.raises(PermanentCarrierError, match="SRO-099"):
        await tracking.track(numbers)
    assert route.call_count <= 24


FAILURES: list[Any] = [
    pytest.param(
        recorded("rastro-error-400-language.json", 400), PermanentCarrierError, "SRO-018", 1, id="language header"
    ),
    pytest.param(httpx.Response(400, json={"msgs": "x"}), None, "x", 1, id="one number refused is its own error"),
    pytest.param(httpx.Response(404), PermanentCarrierError, "404", 1, id="not there"),
    pytest.param(httpx.Response(429), TransientCarrierError, "429", 4, id="too many calls"),
    pytest.param(recorded("gateway-error-500.json", 500), TransientCarrierError, "Erro interno", 3, id="server fault"),
    pytest.param(httpx.ReadTimeout("slow"), TransientCarrierError, "no answer", 3, id="no answer in time"),
    pytest.param(
        httpx.Response(200, html="<html>"), TransientCarrierError, "maintenance", 3, id="page with status 200"
    ),
    pytest.param(httpx.Response(200, text='{"objetos": ['), PermanentCarrierError, "broken", 1, id="broken JSON"),
    pytest.param(httpx.Response(200, json=[]), PermanentCarrierError, "objetos", 1, id="another shape"),
    pytest.param(httpx.Response(200, json="x"), PermanentCarrierError, "objetos", 1, id="a text"),
    pytest.param(httpx.Response(200, json={"objetos": {"a": 1}}), PermanentCarrierError, "objetos", 1, id="no list"),
    pytest.param(httpx.Response(200, text='{"objetos": NaN}'), PermanentCarrierError, "broken", 1, id="no number"),
    pytest.param(
        httpx.Response(200, text='{"objetos": "\\ud800"}'), PermanentCarrierError, "broken", 1, id="half a character"
    ),
    pytest.param(
        httpx.Response(200, content=b'{"objetos": "\xff\xfe"}'), PermanentCarrierError, "objetos", 1, id="no UTF-8"
    ),
    pytest.param(
        httpx.Response(200, text='{"objetos": ' + "[" * 99_999 + "]" * 99_999 + "}"),
        PermanentCarrierError,
        "broken",
        1,
        id="nested to death",
    ),
    pytest.param(
        httpx.Response(200, text='{"objetos": [' + "9" * 5000 + "]}"), PermanentCarrierError, "broken", 1, id="endless"
    ),
    pytest.param(
        httpx.Response(200, text='{"objetos": []}<script>'), PermanentCarrierError, "broken", 1, id="more behind it"
    ),
    pytest.param(
        httpx.Response(200, text='f({"objetos": []})'), PermanentCarrierError, "broken", 1, id="a call of JavaScript"
    ),
    pytest.param(httpx.Response(403), CarrierConfigError, "add the API", 2, id="not allowed, after one renewal"),
]


@pytest.mark.anyio
@respx.mock
@pytest.mark.parametrize(("outcome", "error", "says", "calls"), FAILURES)
async def test_failures_are_typed(outcome: Any, error: type[Exception] | None, says: str, calls: int) -> None:
    grant_tokens(respx.mock)
    route = respx.get(TRACK_URL).mock(side_effect=[outcome] * 4)
    tracking, number = adapter().tracking, ref("AD100000017BR")
    assert tracking is not None

    if error is None:
        answer = (await tracking.track([number]))[number].read()
        assert answer.outcome is OUT.ERROR and says in (answer.message or "")
    else:
        with pytest.raises(error, match=says):
            await tracking.track([number])
    assert route.call_count == calls


@pytest.mark.anyio
@respx.mock
async def test_a_fault_and_then_an_answer() -> None:
    grant_tokens(respx.mock)
    respx.get(TRACK_URL).mock(side_effect=[httpx.Response(503), httpx.Response(429), recorded("rastro-lost.json")])
    tracking, number = adapter().tracking, ref("AN600000069BR")
    assert tracking is not None

    assert (await tracking.track([number]))[number].read().events[-1].cause is Cause.LOSS

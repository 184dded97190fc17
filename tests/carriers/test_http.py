from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
import respx

from carriers.base import (
    AnswerLostError,
    CarrierConfigError,
    CarrierError,
    PermanentCarrierError,
    TransientCarrierError,
)
from carriers.http import CarrierHttp, HttpAnswer, TokenBucket
from tests.carriers.support import Clock, http

BASE = "https://api.exemplo.test"
URL = f"{BASE}/v1/coisas"
HTML = httpx.Response(200, html="<html>Em manutenção</html>")
Outcome = httpx.Response | Exception


async def ask(outcome: Outcome | list[Outcome], *, idempotent: bool, clock: Clock | None = None, **options: Any) -> Any:
    outcomes = outcome if isinstance(outcome, list) else [outcome] * 4
    client = http(BASE, clock)
    with respx.mock(assert_all_called=False) as mock:
        route = mock.route(url__startswith=URL).mock(side_effect=outcomes)
        try:
            return await client.request_json("POST", "/v1/coisas", idempotent=idempotent, **options), route.call_count
        except (CarrierError, CarrierConfigError) as exc:
            return exc, route.call_count
        finally:
            await client.aclose()


TABLE: list[Any] = [
    pytest.param(httpx.ConnectError("refused"), TransientCarrierError, TransientCarrierError, id="connection refused"),
    pytest.param(httpx.ConnectTimeout("slow"), TransientCarrierError, TransientCarrierError, id="connecting too slow"),
    pytest.param(httpx.PoolTimeout("full"), TransientCarrierError, TransientCarrierError, id="no free connection"),
    pytest.param(httpx.ReadTimeout("slow"), TransientCarrierError, AnswerLostError, id="no answer in time"),
    pytest.param(httpx.WriteTimeout("slow"), TransientCarrierError, AnswerLostError, id="sending too slow"),
    pytest.param(
        httpx.RemoteProtocolError("gone"), TransientCarrierError, AnswerLostError, id="disconnected after sending"
    ),
    pytest.param(httpx.Response(500), TransientCarrierError, AnswerLostError, id="server fault"),
    pytest.param(httpx.Response(503), TransientCarrierError, AnswerLostError, id="unavailable"),
    pytest.param(httpx.Response(408), TransientCarrierError, TransientCarrierError, id="server waited in vain"),
    pytest.param(httpx.Response(425), TransientCarrierError, TransientCarrierError, id="too early"),
    pytest.param(httpx.Response(429), TransientCarrierError, TransientCarrierError, id="too many calls"),
    pytest.param(httpx.Response(401), CarrierConfigError, CarrierConfigError, id="not authenticated"),
    pytest.param(httpx.Response(403), CarrierConfigError, CarrierConfigError, id="not allowed"),
    pytest.param(httpx.Response(400), PermanentCarrierError, PermanentCarrierError, id="refused request"),
    pytest.param(httpx.Response(302), PermanentCarrierError, PermanentCarrierError, id="redirected"),
    pytest.param(HTML, TransientCarrierError, AnswerLostError, id="maintenance page with status 200"),
    pytest.param(httpx.Response(200), TransientCarrierError, AnswerLostError, id="empty body with status 200"),
    pytest.param(httpx.Response(200, content=b'{"a": '), PermanentCarrierError, AnswerLostError, id="broken JSON"),
    pytest.param(
        httpx.Response(200, content=b"[" * 5000), PermanentCarrierError, AnswerLostError, id="JSON nested to death"
    ),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("outcome", "for_reads", "for_writes"), TABLE)
async def test_every_outcome_has_its_error(
    outcome: Outcome, for_reads: type[Exception], for_writes: type[Exception]
) -> None:
    read_error, reads = await ask(outcome, idempotent=True)
    write_error, writes = await ask(outcome, idempotent=False)

    assert type(read_error) is for_reads
    assert type(write_error) is for_writes
    throttled = isinstance(outcome, httpx.Response) and outcome.status_code == 429
    assert reads == ((4 if throttled else 3) if for_reads is TransientCarrierError else 1)
    assert writes == 1, "what may have acted is never repeated"
    if isinstance(outcome, httpx.Response):
        assert isinstance(read_error, CarrierError | CarrierConfigError)
        assert read_error.http_status == outcome.status_code


@pytest.mark.anyio
async def test_two_refusals_then_an_answer() -> None:
    clock = Clock()

    answer, calls = await ask(
        [httpx.Response(503), HTML, httpx.Response(200, json={"ok": 1})], idempotent=True, clock=clock
    )

    assert isinstance(answer, HttpAnswer) and answer.data == {"ok": 1}
    assert calls == 3
    assert [2 <= s <= 5 for s in clock.slept if s > 1] == [True, True]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "waited", "handed_up"),
    [
        pytest.param({"Retry-After": "4"}, 4.0, timedelta(seconds=4), id="four seconds are waited"),
        pytest.param({"Retry-After": "11"}, None, timedelta(seconds=11), id="eleven seconds are for the daemon"),
        pytest.param(
            {"Retry-After": "Tue, 24 Nov 2026 10:00:07 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"},
            7.0,
            timedelta(seconds=7),
            id="a date counts from the answer's own date",
        ),
        pytest.param(
            {"Retry-After": "Tue, 24 Nov 2026 09:00:00 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"},
            0.0,
            timedelta(0),
            id="a date gone by is no wait",
        ),
        pytest.param({"Retry-After": "99999999999"}, None, timedelta(days=1), id="a wish of centuries is cut to a day"),
    ],
)
async def test_retry_after(headers: dict[str, str], waited: float | None, handed_up: timedelta) -> None:
    clock = Clock()

    error, calls = await ask(httpx.Response(429, headers=headers), idempotent=True, clock=clock)

    assert error.retry_after == handed_up
    assert calls == (1 if waited is None else 4)
    assert waited is None or waited in clock.slept


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Retry-After": "Tue, 24 Nov 2026 10:00:07 GMT"}, id="a date without the answer's date"),
        pytest.param({"Retry-After": "soon", "Date": "now"}, id="nonsense"),
        pytest.param({}, id="none at all"),
    ],
)
async def test_retry_after_that_says_nothing_is_ignored(headers: dict[str, str]) -> None:
    error, _ = await ask(httpx.Response(503, headers=headers), idempotent=True)

    assert error.retry_after is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("idempotent", "expected"), [(True, PermanentCarrierError), (False, AnswerLostError)], ids=["read", "write"]
)
async def test_a_body_too_big_is_not_read_to_its_end(idempotent: bool, expected: type[Exception]) -> None:
    client = http(BASE, max_body_bytes=1000)
    read = 0

    async def body() -> Any:
        nonlocal read
        for _ in range(100):
            read += 100
            yield b"x" * 100

    with respx.mock:
        respx.get(URL).mock(return_value=httpx.Response(200, content=body()))
        with pytest.raises(expected, match="too big"):
            await client.request_json("GET", "/v1/coisas", idempotent=idempotent)
    await client.aclose()
    assert read < 2000


@pytest.mark.anyio
async def test_a_carrier_that_drips_bytes_is_cut_off() -> None:
    client = http(BASE, call_limit_s=0.01)

    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    with respx.mock:
        respx.post(URL).mock(side_effect=hang)
        with pytest.raises(AnswerLostError):
            await client.request_json("POST", "/v1/coisas", idempotent=False)
    await client.aclose()


@pytest.mark.anyio
async def test_also_read_hands_back_the_json_of_a_refusal() -> None:
    answer, _ = await ask(httpx.Response(422, json={"code": 4}), idempotent=True, also_read=(422,))
    error, _ = await ask(httpx.Response(422, text="nothing to read"), idempotent=True, also_read=(422,))

    assert (answer.status, answer.data) == (422, {"code": 4})
    assert type(error) is PermanentCarrierError


@pytest.mark.anyio
async def test_json_in_the_old_character_set_is_read() -> None:
    content = '{"texto": "Devolução"}'.encode("latin-1")
    response = httpx.Response(200, content=content, headers={"Content-Type": "application/json; charset=ISO-8859-1"})

    answer, _ = await ask(response, idempotent=True)

    assert answer.data == {"texto": "Devolução"}


@pytest.mark.anyio
async def test_too_many_calls_is_waited_out_for_two_four_and_eight_seconds() -> None:
    clock = Clock()
    error, calls = await ask(httpx.Response(429), idempotent=True, clock=clock)
    waits = [slept for slept in clock.slept if slept >= 1]

    assert (error.http_status, calls) == (429, 4)
    assert [int(wait) for wait in waits] == [2, 4, 8]  # and up to a second more, so that many do not return together


@pytest.mark.anyio
async def test_each_family_keeps_its_own_pace() -> None:
    clock = Clock()
    client = CarrierHttp("exemplo", BASE, requests_per_second=4, sleep=clock.sleep, monotonic=clock.monotonic)
    client.limit_to(2, "token")
    with respx.mock:
        respx.get(URL).mock(return_value=httpx.Response(200, json={}))
        for family in ("tracking", "claims", "token", "tracking", "token"):
            await client.request_json("GET", "/v1/coisas", idempotent=True, family=family)
    await client.aclose()

    assert clock.slept == [0.25, 0.25]  # the second of each: a quarter second, and what was left of the half


@pytest.mark.anyio
async def test_calls_side_by_side_are_spaced() -> None:
    clock = Clock()
    bucket = TokenBucket(4, clock.sleep, clock.monotonic)

    for _ in range(4):
        await bucket.take()

    assert clock.slept == [0.25, 0.25, 0.25]


@pytest.mark.anyio
async def test_turns_are_booked_before_the_wait() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    bucket = TokenBucket(2, sleep, lambda: 50.0)

    await asyncio.gather(*(bucket.take() for _ in range(4)))

    assert waits == [0.5, 1.0, 1.5]


@pytest.mark.anyio
async def test_idle_time_earns_no_more_than_the_capacity() -> None:
    clock = Clock()
    bucket = TokenBucket(1, clock.sleep, clock.monotonic, capacity=2)
    clock.now_s += 3600

    for _ in range(3):
        await bucket.take()

    assert clock.slept == [1.0]


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="requests_per_second"):
        CarrierHttp("exemplo", BASE, requests_per_second=0)


SECRETS = ("s3cr3t-token-value", "eyJhbGciOiJSUzUxMiJ9.abc", "529.982.247-25", "52998224725", "maria@exemplo.com.br")


@pytest.mark.anyio
@pytest.mark.parametrize("idempotent", [True, False], ids=["read", "write"])
@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(httpx.Response(400, text=" ".join(SECRETS[1:])), id="carrier echoes them"),
        pytest.param(httpx.Response(401, text=f"Authorization: Bearer {SECRETS[0]}"), id="carrier echoes the header"),
        pytest.param(
            httpx.ConnectError(f"no route {URL}?cpf=52998224725&token={SECRETS[0]}"), id="library quotes the URL"
        ),
        pytest.param(httpx.ReadError(f"Bearer {SECRETS[0]} {SECRETS[4]}"), id="library quotes a header"),
        pytest.param(
            httpx.LocalProtocolError(f"Illegal header value b'{SECRETS[0]}'"), id="library quotes a bad header"
        ),
    ],
)
async def test_no_secret_reaches_a_message(outcome: Outcome, idempotent: bool) -> None:
    error, _ = await ask(
        outcome,
        idempotent=idempotent,
        params=[("cpf", "52998224725")],
        headers={"Authorization": f"Bearer {SECRETS[0]}"},
        explain=lambda body: body.decode(),
    )

    shown = f"{error} {error!r} {error.message}"
    assert not [secret for secret in SECRETS if secret in shown]
    assert "cpf=" not in shown
    assert "POST /v1/coisas" in shown


@pytest.mark.anyio
async def test_a_bad_header_is_not_quoted_by_the_traceback() -> None:
    error, _ = await ask(httpx.LocalProtocolError("Illegal header value b'hunter2'"), idempotent=True)

    assert type(error) is PermanentCarrierError
    assert error.__cause__ is None and error.__suppress_context__

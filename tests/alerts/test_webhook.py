"""Signed webhooks: the signature is the published one, and every answer has its meaning."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest
import respx

from tests.conftest import DATA
from tracker.alerts.webhook import LADDER, MAX_BODY, check_url, encoded, post, retry_in, signature, signing_key
from tracker.domain.outcome import Outcome, Result

SAMPLE = json.loads((DATA / "channels" / "standard_webhook.json").read_text(encoding="utf-8"))
HEADERS = SAMPLE["request"]["headers"]
SIGNED = (HEADERS["webhook-id"], int(HEADERS["webhook-timestamp"]), SAMPLE["request"]["raw_body"].encode())
URL = "https://erp.loja.example/hooks/entregas"
SECRET = SAMPLE["secret"]
AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
ENVELOPE = {
    "id": "alr_1",
    "kind": "carrier.down",
    "severity": "critical",
    "key": "carrier.down:exemplo",
    "summary": "Sem resposta há 20 minutos",
    "details": {"lane": "poll:exemplo"},
    "raised_at": AT,
    "resolved_at": None,
}


def slow(status: int, retry_after: str) -> httpx.Response:
    return httpx.Response(status, headers={"retry-after": retry_after})


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def test_the_signature_is_the_published_one() -> None:
    assert signature([SECRET], *SIGNED) == HEADERS["webhook-signature"]


def test_during_a_rotation_both_secrets_sign() -> None:
    rotation = SAMPLE["rotation"]
    assert signature([SECRET, rotation["old_secret"]], *SIGNED) == rotation["webhook-signature"]


@pytest.mark.parametrize("case", SAMPLE["must_fail"], ids=lambda case: case["why"])
def test_what_must_not_verify_gets_another_signature(case: dict[str, str]) -> None:
    message_id, timestamp, body = SIGNED
    timestamp = int(case.get("webhook-timestamp", timestamp))
    body = case.get("raw_body", body.decode()).encode()
    assert signature([SECRET], message_id, timestamp, body) != HEADERS["webhook-signature"]


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        pytest.param("whsec_AQIDBA==", b"\x01\x02\x03\x04", id="base64"),
        pytest.param("  um segredo só nosso ", "um segredo só nosso".encode(), id="any other text"),
    ],
)
def test_secrets_become_keys(secret: str, key: bytes) -> None:
    assert signing_key(secret) == key


@pytest.mark.parametrize("secret", ["", "   ", "whsec_", "whsec_*no base64*", "whsec_AQI"])
def test_secrets_that_are_none(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        signing_key(secret)


@pytest.mark.anyio
async def test_the_receiver_can_verify_what_it_gets(respx_mock: respx.MockRouter, client: httpx.AsyncClient) -> None:
    route = respx_mock.post(URL).respond(204)
    outcome = await post(URL, SECRET, "alr_1", AT, ENVELOPE, client)
    request = route.calls.last.request
    signed = b".".join(
        (request.headers["webhook-id"].encode(), request.headers["webhook-timestamp"].encode(), request.content)
    )
    digest = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert outcome.result is Result.ACCEPTED
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert request.headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert request.headers["content-type"] == "application/json"
    body = orjson.loads(request.content)
    assert body == ENVELOPE | {"raised_at": "2026-11-23T13:00:00Z"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "result", "reason", "after"),
    [
        pytest.param(httpx.Response(200), "accepted", "accepted", None, id="200"),
        pytest.param(httpx.Response(202), "accepted", "accepted", None, id="202"),
        pytest.param(httpx.Response(301, headers={"location": "https://x.example"}), "retry", "redirect", None, id="301"),
        pytest.param(httpx.Response(400), "retry", "refused", None, id="400"),
        pytest.param(httpx.Response(410), "account_down", "gone", None, id="410 disables"),
        pytest.param(httpx.Response(500), "retry", "refused", None, id="500"),
        pytest.param(httpx.Response(429), "retry", "slow_down", None, id="429 without a wish"),
        pytest.param(slow(429, "120"), "retry", "slow_down", 120, id="429 in seconds"),
        pytest.param(slow(502, "Mon, 23 Nov 2026 13:10:00 GMT"), "retry", "slow_down", 600, id="502 by date"),
        pytest.param(slow(504, "Mon, 23 Nov 2026 12:00:00 GMT"), "retry", "slow_down", 0, id="504 with a date gone by"),
        pytest.param(slow(429, "999999999"), "retry", "slow_down", 86400, id="at most a day"),
        pytest.param(slow(429, "logo"), "retry", "slow_down", None, id="unreadable wish"),
        pytest.param(httpx.ReadTimeout("slow"), "retry", "timeout", None, id="no answer in time"),
        pytest.param(httpx.ConnectError("refused"), "retry", "unreachable", None, id="nobody there"),
        pytest.param(httpx.RemoteProtocolError("odd"), "retry", "unreachable", None, id="not HTTP"),
    ],
)  # fmt: skip
async def test_answers(
    respx_mock: respx.MockRouter,
    client: httpx.AsyncClient,
    answer: httpx.Response | Exception,
    result: str,
    reason: str,
    after: int | None,
) -> None:
    route = respx_mock.post(URL).mock(side_effect=[answer])
    outcome = await post(URL, SECRET, "alr_1", AT, ENVELOPE, client)
    assert (outcome.result, outcome.reason) == (result, reason)
    assert outcome.after == (None if after is None else timedelta(seconds=after))
    assert route.call_count == 1
    assert "erp.loja.example" not in repr(outcome)


@pytest.mark.anyio
async def test_a_redirect_is_not_followed_even_by_a_client_that_would(respx_mock: respx.MockRouter) -> None:
    respx_mock.post(URL).respond(307, headers={"location": "https://outro.example/"})
    async with httpx.AsyncClient(follow_redirects=True) as client:
        outcome = await post(URL, SECRET, "alr_1", AT, ENVELOPE, client)
    assert (outcome.result, outcome.reason) == (Result.RETRY, "redirect")
    assert [call.request.url.host for call in respx_mock.calls] == ["erp.loja.example"]


def test_details_that_are_too_long_are_left_out() -> None:
    body = encoded(ENVELOPE | {"details": {"sample": "x" * 30_000}})
    assert len(body) < MAX_BODY
    assert orjson.loads(body)["details"] == {"truncated": True}
    assert orjson.loads(body)["summary"] == ENVELOPE["summary"]


@pytest.mark.anyio
async def test_an_alert_too_long_without_details_is_not_sent(
    respx_mock: respx.MockRouter, client: httpx.AsyncClient
) -> None:
    outcome = await post(URL, SECRET, "alr_1", AT, ENVELOPE | {"summary": "x" * 30_000}, client)
    assert (outcome.result, outcome.reason) == (Result.BAD_CONTENT, "too_big")
    assert len(respx_mock.calls) == 0


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/hook", "http://localhost/hook", "http://[::1]:9000/", "https://10.0.0.5/hook", URL]
)
def test_addresses_alerts_may_go_to(url: str) -> None:
    check_url(url)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url",
    [
        "http://erp.loja.example/hook",
        "http://10.0.0.5/hook",
        "http://127.0.0.1.loja.example/",
        "ftp://loja.example/",
        "file:///etc/passwd",
        "erp.loja.example/hook",
        "https://user:senha@erp.loja.example/",
        "https://",
        "https://[::1",
    ],
)
async def test_addresses_alerts_must_not_go_to(
    respx_mock: respx.MockRouter, client: httpx.AsyncClient, url: str
) -> None:
    with pytest.raises(ValueError):
        await post(url, SECRET, "alr_1", AT, ENVELOPE, client)
    assert len(respx_mock.calls) == 0


@pytest.mark.anyio
@pytest.mark.parametrize("message_id", ["", "com.ponto", "a b", "x" * 65, "é"])
async def test_ids_that_would_blur_the_signature(client: httpx.AsyncClient, message_id: str) -> None:
    with pytest.raises(ValueError, match="webhook id"):
        await post(URL, SECRET, message_id, AT, ENVELOPE, client)


def test_the_schedule() -> None:
    failed = Outcome(Result.RETRY, "refused")
    waits = [retry_in(attempt, failed) for attempt in range(1, len(LADDER) + 2)]
    assert waits == [*LADDER, None]
    assert LADDER[0] == timedelta(seconds=5) and LADDER[-1] == timedelta(hours=24)
    assert LADDER[1] < (retry_in(2, failed, jitter=0.5) or LADDER[1]) < LADDER[1] * 1.2


def test_the_receivers_own_wish_counts_where_it_is_longer() -> None:
    asked = Outcome(Result.RETRY, "slow_down", after=timedelta(minutes=1))
    assert retry_in(1, asked) == timedelta(minutes=1)
    assert retry_in(2, asked) == timedelta(minutes=5)

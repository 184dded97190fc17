"""Signed webhooks as "Standard Webhooks" (version 1.0.0) describes them: headers, signature, retries.

The receiver recomputes HMAC-SHA256 over `id.timestamp.body` with the shared secret, so the body is serialised once and
sent exactly as signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from tracker.config.fields import is_loopback
from tracker.domain.outcome import JITTER, Outcome, Result, Scope

MAX_BODY = 20_000
"""Bytes; the specification asks for payloads under 20 KB."""
LADDER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The specification's example schedule; after the last step the endpoint is given up."""

_TIMEOUT = httpx.Timeout(20.0, connect=10.0)
_PREFIX = "whsec_"
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_RETRY_AFTER = timedelta(hours=24)
_SLOW_DOWN = frozenset({429, 502, 504})


def check_url(url: str) -> None:
    """Raise ValueError where alerts must not go: http beyond this machine, other schemes, a password in the address."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as exc:
        raise ValueError("not a web address") from exc
    if parsed.userinfo:
        raise ValueError("no user or password in the address: the signature proves the sender")
    if not parsed.host or parsed.scheme not in ("http", "https"):
        raise ValueError("not a web address")
    if parsed.scheme == "http" and not is_loopback(parsed.host):
        raise ValueError("http is for this machine only; use https")


def signing_key(secret: str) -> bytes:
    """The HMAC key: base64 after `whsec_`, or the bytes of any other text. Raises ValueError where there is none."""
    text = secret.strip()
    if not text.startswith(_PREFIX):
        key = text.encode()
    else:
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error as exc:
            raise ValueError(f"the secret is not base64 after {_PREFIX}") from exc
    if not key:
        raise ValueError("the secret is empty")
    return key


def signature(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header; several secrets while one replaces the other, the current one first."""
    signed = b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)
    digests = (hmac.new(signing_key(secret), signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode('ascii')}" for digest in digests)


def encoded(envelope: Mapping[str, Any]) -> bytes:
    """The body: compact JSON, the same for every attempt; `details` that make it too long are left out and say so."""
    body = orjson.dumps(dict(envelope), option=orjson.OPT_UTC_Z)
    if len(body) < MAX_BODY:
        return body
    return orjson.dumps({**envelope, "details": {"truncated": True}}, option=orjson.OPT_UTC_Z)


async def post(
    url: str,
    secret: str | Sequence[str],
    message_id: str,
    at: datetime,
    envelope: Mapping[str, Any],
    client: httpx.AsyncClient,
) -> Outcome:
    """Deliver one alert once.

    *message_id* stays the same for every attempt (no dots), *at* is the time of this one. ACCEPTED for 2xx; RETRY for
    everything else, with `after` where the receiver asked for patience (429, 502, 504); ACCOUNT_DOWN for 410, which asks
    never to be called again; BAD_CONTENT where the alert is too long even without its details. Raises ValueError for an
    address or a secret that `check_url` and `signing_key` refuse. Neither the address nor the secret is in the outcome.
    """
    check_url(url)
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("a webhook id is 1 to 64 letters, digits, '-' and '_'")
    body = encoded(envelope)
    if len(body) >= MAX_BODY:
        return Outcome(Result.BAD_CONTENT, "too_big")
    timestamp = int(at.timestamp())
    secrets = (secret,) if isinstance(secret, str) else tuple(secret)
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secrets, message_id, timestamp, body),
    }
    try:
        # Only status and headers count: the answer's body is never read, however long it is. A redirect is not followed,
        # for it would carry a signed alert to a place nobody configured.
        async with client.stream(
            "POST", url, content=body, headers=headers, follow_redirects=False, timeout=_TIMEOUT
        ) as response:
            return _outcome(response.status_code, response.headers.get("retry-after"), at)
    except httpx.TimeoutException:
        return Outcome(Result.RETRY, "timeout", scope=Scope.ACCOUNT)
    except httpx.TransportError as exc:
        return Outcome(Result.RETRY, "unreachable", type(exc).__name__, scope=Scope.ACCOUNT)


def retry_in(attempt: int, outcome: Outcome, *, jitter: float = 0.0) -> timedelta | None:
    """The wait after the *attempt*-th failure (1 is the first), None when the endpoint is to be given up.

    `jitter` is a random number in [0, 1) that the caller draws. The receiver's own wish counts where it is longer.
    """
    if attempt > len(LADDER):
        return None
    step = LADDER[max(attempt, 1) - 1] * (1 + JITTER * jitter)
    return max(step, outcome.after) if outcome.after is not None else step


def _outcome(status: int, retry_after: str | None, at: datetime) -> Outcome:
    if 200 <= status < 300:
        return Outcome(Result.ACCEPTED, "accepted", code=status, scope=Scope.ACCOUNT)
    if status == 410:
        return Outcome(Result.ACCOUNT_DOWN, "gone", code=status, scope=Scope.ACCOUNT)
    if status in _SLOW_DOWN:
        return Outcome(Result.RETRY, "slow_down", code=status, after=_patience(retry_after, at), scope=Scope.ACCOUNT)
    reason = "redirect" if 300 <= status < 400 else "refused"
    return Outcome(Result.RETRY, reason, code=status, scope=Scope.ACCOUNT)


def _patience(retry_after: str | None, at: datetime) -> timedelta | None:
    """Retry-After as seconds or as an HTTP date (RFC 9110 section 10.2.3), at most a day; None where unreadable."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        wait = timedelta(seconds=int(text))
    else:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - at
    return min(max(wait, timedelta(0)), _MAX_RETRY_AFTER)

"""HTTP to a carrier: the only place where an httpx outcome becomes a carrier error, and where seconds are waited.

One table decides (a call is `idempotent` where repeating it does no harm)::

    outcome                                       idempotent               not idempotent (never repeated)
    not sent: refused, unresolved, pool full      Transient *              Transient ("not sent")
    sent, no answer: time-out, disconnect         Transient *              AnswerLost
    401, 403                                      CarrierConfigError       CarrierConfigError
    408, 425                                      Transient *              Transient (surely not taken)
    429                                           Transient **             Transient (surely not taken)
    5xx                                           Transient *              AnswerLost
    other 4xx, 3xx                                Permanent                Permanent
    2xx with a page of HTML or nothing            Transient *              AnswerLost
    2xx with broken JSON or a body too big        Permanent                AnswerLost

    * up to three times, seconds apart     ** four times, 2, 4 and 8 seconds apart and a little more

Each API family of an account (tracking, claims, the token) keeps its own pace. Patience of minutes and hours is the
daemon's. Messages name method and path, never query, headers or personal data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential_jitter

from carriers.base import (
    AnswerLostError,
    CarrierConfigError,
    CarrierError,
    PermanentCarrierError,
    TransientCarrierError,
)
from carriers.redact import redact

ATTEMPTS = 3
ATTEMPTS_THROTTLED = 4
"""Where the carrier says "too many calls" (domain notes on Correios 3.5: 2, 4, 8 seconds, then longer)."""
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_CONNECTIONS = 16
TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=15.0, pool=15.0)
CALL_LIMIT_S = 90.0
"""For one whole exchange: the read time-out alone would let a carrier that drips bytes hold a lane for ever."""
SHORTEST_KEY = 6
"""A header's value of fewer characters is no key, and may be a word of the carrier's sentence."""
RETRY_AFTER_WAITED = timedelta(seconds=10)
"""A longer wish is handed up the chain: a lane must not sleep through it."""
RETRY_AFTER_LIMIT = timedelta(days=1)
"""A wish beyond this is taken for a mistake and cut: it would silence the carrier for weeks."""

Sleep = Callable[[float], Awaitable[None]]
Explain = Callable[[bytes], str | None]

_backoff = wait_exponential_jitter(multiplier=2, max=30, jitter=1)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_BUILT = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError)


class TokenBucket:
    """At most `rate` calls a second, evenly spaced after the first `capacity`; callers are served in turn."""

    def __init__(
        self, rate: float, sleep: Sleep, monotonic: Callable[[], float] | None = None, capacity: int = 1
    ) -> None:
        if rate <= 0 or capacity < 1:
            raise ValueError("requests_per_second must be greater than 0")
        self._interval = 1 / rate
        self._slack = self._interval * (capacity - 1)
        self._sleep = sleep
        self._monotonic = monotonic
        self._next_at = 0.0

    async def take(self) -> None:
        """Wait for a turn. The turn is booked before the wait, so that callers side by side never share one."""
        now = self._monotonic() if self._monotonic else asyncio.get_running_loop().time()
        self._next_at = max(self._next_at, now)
        wait_s = self._next_at - self._slack - now
        self._next_at += self._interval
        if wait_s > 0:
            await self._sleep(wait_s)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer that could be read: `data` is its JSON (None where the call reads bytes or takes an empty body for an
    answer), `body` its bytes as they came."""

    status: int
    body: bytes
    data: Any


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    idempotent: bool
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)
    explain: Explain | None
    also_read: Collection[int]
    family: str
    decode: Callable[[_Reply], Any] = field(repr=False)
    max_bytes: int | None = None
    """None: as any answer."""

    @property
    def target(self) -> str:
        """Path and query. Given to httpx in one piece: it walks through every character at each step of its own."""
        joined = "&" if "?" in self.path else "?"
        return f"{self.path}{joined}{urlencode(self.params)}" if self.params else self.path

    def without_headers(self, words: str) -> str:
        """*words* without what our own headers said: some carriers repeat the key that they refuse."""
        for value in self.headers.values():
            if len(value) >= SHORTEST_KEY:
                words = words.replace(value, "[hidden]")
        return words

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: httpx.Headers
    body: bytes
    cut: bool
    """The body was longer than allowed and reading stopped."""
    charset: str | None


class _UnreadableBodyError(Exception):
    def __init__(self, what: str, *, outage: bool) -> None:
        super().__init__(what)
        self.outage = outage


class CarrierHttp:
    """One account's connections to its carrier; see the module for how outcomes become errors.

    *requests_per_second* holds for each API family of the account by itself, save those `limit_to` has named. *sleep*,
    *monotonic* (seconds) and *transport* stand in for the loop's own and for the network in trials. Close with `aclose`.
    """

    def __init__(
        self,
        carrier: str,
        base_url: str,
        *,
        requests_per_second: float = 5.0,
        max_body_bytes: int = MAX_BODY_BYTES,
        call_limit_s: float = CALL_LIMIT_S,
        sleep: Sleep = asyncio.sleep,
        monotonic: Callable[[], float] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.carrier = carrier
        self._max_body_bytes = max_body_bytes
        self._call_limit_s = call_limit_s
        self._sleep = sleep
        self._monotonic = monotonic
        self._rate = requests_per_second
        self._own_rates: dict[str, float] = {}
        self._buckets: dict[str, TokenBucket] = {}
        self._bucket("")
        self._base = base_url.rstrip("/") + "/"
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "User-Agent": "shipment-tracker"},
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
            # An HTTP_PROXY or a .netrc of the machine must not carry credentials to somebody else.
            trust_env=False,
            follow_redirects=False,
            http2=False,
            transport=transport,
        )

    def limit_to(self, requests_per_second: float, family: str | None = None) -> None:
        """Change the pace of one family, or of all that have none of their own.

        An adapter's terms are known only after it has been given this object.
        """
        if family is None:
            self._rate = requests_per_second
        else:
            self._own_rates[family] = requests_per_second
        self._buckets.clear()
        self._bucket(family or "")

    def _bucket(self, family: str) -> TokenBucket:
        if family not in self._buckets:
            rate = self._own_rates.get(family, self._rate)
            self._buckets[family] = TokenBucket(rate, self._sleep, self._monotonic)
        return self._buckets[family]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def request_json(
        self,
        method: str,
        path: str,
        *,
        idempotent: bool,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
        explain: Explain | None = None,
        also_read: Collection[int] = (),
        may_be_empty: bool = False,
        family: str = "",
    ) -> HttpAnswer:
        """Ask, and read the JSON of a 2xx answer.

        *idempotent* calls are repeated for some seconds, others never. The body is *json*, or the fields of *form*. *explain*
        finds the carrier's own words in the body of a refusal (None where there are none). *also_read* names other statuses
        whose JSON is an answer too; *may_be_empty* takes no body at all for one (its `data` is None). *family* is the API
        family whose pace the call keeps.
        Raises as the table of the module says.
        """
        content, kind = _body(json, form)
        decode = _decode_or_nothing if may_be_empty else _decode
        sent = dict(headers or {}) | ({} if content is None else {"Content-Type": kind})
        call = _Call(
            method, path, idempotent, tuple(params), sent, content, explain, frozenset(also_read), family, decode
        )
        return await self._patiently(call)

    async def request_bytes(
        self,
        method: str,
        path: str,
        *,
        idempotent: bool,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        content_type: str = "text/xml; charset=utf-8",
        explain: Explain | None = None,
        also_read: Collection[int] = (),
        family: str = "",
        max_bytes: int | None = None,
    ) -> HttpAnswer:
        """Ask, and hand over the bytes of a 2xx answer (XML, a file). A page of HTML or nothing is an outage here as well.

        *max_bytes* is for an answer about many parcels at once, which may be larger than others. Otherwise as `request_json`.
        """
        sent = {"Accept": "*/*"} | dict(headers or {}) | ({} if content is None else {"Content-Type": content_type})
        call = _Call(
            method,
            path,
            idempotent,
            (),
            sent,
            content,
            explain,
            frozenset(also_read),
            family,
            _decode_nothing,
            max_bytes,
        )
        return await self._patiently(call)

    async def _patiently(self, call: _Call) -> HttpAnswer:
        try:
            return await self._once(call)
        except TransientCarrierError as error:
            if not call.idempotent or not _worth_repeating(error):
                raise
            return await self._repeat(call, error)

    async def _repeat(self, call: _Call, first: TransientCarrierError) -> HttpAnswer:
        """Patience, set up only where it is needed: nearly all calls are answered at once. *first* was the first outcome."""
        failed: list[TransientCarrierError] = [first]

        async def outcome() -> HttpAnswer:
            if failed:
                raise failed.pop()
            return await self._once(call)

        retrying = AsyncRetrying(
            stop=_enough,
            wait=_wait_s,
            retry=retry_if_exception(_worth_repeating),
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(outcome)

    async def _once(self, call: _Call) -> HttpAnswer:
        await self._bucket(call.family).take()
        try:
            async with asyncio.timeout(self._call_limit_s):
                reply = await self._exchange(call)
        except _NOT_BUILT as exc:
            # `from None`: the text of these errors quotes the header it stumbled over, which may be the token.
            reason = f"the request cannot be built ({type(exc).__name__}): check base_url and credentials"
            raise PermanentCarrierError(self.carrier, f"{call}: {reason}") from None
        except (httpx.HTTPError, TimeoutError) as exc:
            raise self._unanswered(call, exc) from exc
        if 200 <= reply.status < 300:
            return self._read(call, reply)
        if reply.status in call.also_read:
            try:
                return HttpAnswer(reply.status, reply.body, call.decode(reply))
            except _UnreadableBodyError as exc:
                raise self._refusal(call, reply) from exc
        raise self._refusal(call, reply)

    async def _exchange(self, call: _Call) -> _Reply:
        request = self._client.build_request(
            call.method, self._base + call.target.lstrip("/"), headers=call.headers, content=call.content
        )
        response = await self._client.send(request, stream=True)
        body, limit = bytearray(), call.max_bytes or self._max_body_bytes
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > limit:
                    break
        finally:
            await response.aclose()
        cut = len(body) > limit
        return _Reply(response.status_code, response.headers, bytes(body), cut, response.charset_encoding)

    def _unanswered(self, call: _Call, exc: Exception) -> CarrierError:
        reason = redact(f"{type(exc).__name__} {exc}".strip())
        if isinstance(exc, _NOT_SENT):
            return TransientCarrierError(self.carrier, f"{call}: not sent ({reason})")
        if call.idempotent:
            return TransientCarrierError(self.carrier, f"{call}: no answer ({reason})")
        return AnswerLostError(self.carrier, f"{call}: sent, but no answer came ({reason})")

    def _read(self, call: _Call, reply: _Reply) -> HttpAnswer:
        try:
            return HttpAnswer(reply.status, reply.body, call.decode(reply))
        except _UnreadableBodyError as exc:
            message = f"{call}: HTTP {reply.status}, but {exc}"
            if not call.idempotent:
                raise AnswerLostError(self.carrier, message, reply.status) from exc
            if exc.outage:
                raise TransientCarrierError(self.carrier, message, reply.status, _retry_after(reply.headers)) from exc
            raise PermanentCarrierError(self.carrier, message, reply.status) from exc

    def _refusal(self, call: _Call, reply: _Reply) -> CarrierError | CarrierConfigError:
        """The error for a status other than 2xx."""
        status = reply.status
        words = call.explain(reply.body) if call.explain and not reply.cut else None
        message = f"{call}: HTTP {status}" + (f": {redact(call.without_headers(words))}" if words else "")
        if status in (401, 403):
            return CarrierConfigError(self.carrier, message, status)
        if status in (408, 425, 429) or (status >= 500 and call.idempotent):
            return TransientCarrierError(self.carrier, message, status, _retry_after(reply.headers))
        if status >= 500:
            return AnswerLostError(self.carrier, message, status, _retry_after(reply.headers))
        if status < 400:
            return PermanentCarrierError(self.carrier, f"{message} sends us elsewhere: check base_url", status)
        return PermanentCarrierError(self.carrier, message, status)


def _body(json: Any, form: Sequence[tuple[str, str]] | None) -> tuple[bytes | None, str]:
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    return (None if json is None else orjson.dumps(json)), "application/json"


def _decode_or_nothing(reply: _Reply) -> Any:
    """As `_decode`, and None for a body that is empty."""
    return None if not reply.body.strip() else _decode(reply)


def _decode_nothing(reply: _Reply) -> None:
    """Raises _UnreadableBodyError where the body is no answer of the carrier's own."""
    if reply.cut:
        raise _UnreadableBodyError("its body is too big", outage=False)
    start = reply.body.lstrip()[:15].lower()
    if not start:
        raise _UnreadableBodyError("its body is empty", outage=True)
    if start.startswith((b"<!doctype html", b"<html")) or "text/html" in reply.headers.get("content-type", "").lower():
        raise _UnreadableBodyError("its body is a page (maintenance?)", outage=True)


def _decode(reply: _Reply) -> Any:
    """The JSON of a body. Raises _UnreadableBodyError, which tells an outage from an answer that is wrong.

    A maintenance page or an empty body comes from what stands in front of the carrier: the carrier itself has said
    nothing and will answer later. Broken JSON comes from its program and is the same at the next call: a person looks.
    """
    if reply.cut:
        raise _UnreadableBodyError("its body is too big", outage=False)
    body = reply.body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise _UnreadableBodyError("its body is empty", outage=True)
    if body.startswith(b"<") or "html" in reply.headers.get("content-type", "").lower():
        raise _UnreadableBodyError("its body is a page, not JSON (maintenance?)", outage=True)
    try:
        if reply.charset and reply.charset.lower() not in ("utf-8", "utf8"):
            return orjson.loads(body.decode(reply.charset))
        return orjson.loads(body)
    except (ValueError, LookupError) as exc:
        raise _UnreadableBodyError(f"its JSON is broken ({redact(str(exc))})", outage=False) from exc


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """The carrier's wish, in seconds or as a date; a date counts from the answer's own `Date`: we have no clock."""
    wish = headers.get("retry-after", "").strip()
    if wish.isascii() and wish.isdigit():
        # Eight digits of seconds are three years: beyond the limit already, and more would overflow.
        return min(timedelta(seconds=int(wish[:8])), RETRY_AFTER_LIMIT)
    try:
        until, sent = parsedate_to_datetime(wish), parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    wait = until.replace(tzinfo=until.tzinfo or UTC) - sent.replace(tzinfo=sent.tzinfo or UTC)
    return min(max(wait, timedelta(0)), RETRY_AFTER_LIMIT)


def _worth_repeating(exc: BaseException) -> bool:
    """Whether an idempotent call that failed so is repeated at once."""
    if not isinstance(exc, TransientCarrierError):
        return False
    return exc.retry_after is None or exc.retry_after <= RETRY_AFTER_WAITED


def _enough(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    throttled = isinstance(error, TransientCarrierError) and error.http_status == 429
    return state.attempt_number >= (ATTEMPTS_THROTTLED if throttled else ATTEMPTS)


def _wait_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    wish = error.retry_after if isinstance(error, TransientCarrierError) else None
    return _backoff(state) if wish is None else wish.total_seconds()

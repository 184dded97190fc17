"""The stage of the conformance kit: an adapter on a network that is not there, and a carrier that does as it is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx

from carriers.base import Adapter, AdapterContext, Heard, Token, TrackingAdapter, TrackingAnswer, TrackingRef
from carriers.http import CarrierHttp
from carriers.testing.kit import Kit, Question, Reply, Told

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
"""The stage's clock: it stands still."""
CALL_LIMIT_S = 0.05
"""For a carrier that never ends its answer: seconds of a real clock, so few."""

Fault = Callable[[Question, Reply], Awaitable[Reply] | Reply]
"""Turns a good answer into what the carrier sends instead; may raise an httpx error."""


class Tokens:
    """A `TokenStore` in memory."""

    def __init__(self) -> None:
        self.kept: Token | None = None
        self.minted = 0
        self.refresh: dict[str, str] = {}

    async def get(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        if self.kept is None:
            self.kept = await mint()
            self.minted += 1
            if self.kept.refresh is not None:
                self.refresh[self.kept.origin] = self.kept.refresh
        return self.kept

    async def discard(self, token: Token) -> None:
        if self.kept == token:
            self.kept = None

    async def refresh_of(self, origin: str) -> str | None:
        return self.refresh.get(origin)


@dataclass
class Stage:
    """One account on stage. `world` holds what the carrier knows, by number as it is asked for."""

    kit: Kit
    adapter: Adapter
    http: CarrierHttp
    transport: Network
    world: dict[str, Any] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)

    @property
    def tracking(self) -> TrackingAdapter:
        found = self.adapter.tracking
        # A carrier that only sends cannot be asked.
        needs(isinstance(found, TrackingAdapter))
        assert isinstance(found, TrackingAdapter)
        return found

    def ref(self, at: int = 0) -> TrackingRef:
        """The kit's number *at* as the adapter normalises it."""
        found = self.tracking.normalise(self.kit.numbers[at])
        assert found is not None, f"normalise refuses {self.kit.numbers[at]!r}, which the kit says is a number"
        return found

    def tell(self, ref: TrackingRef, *events: Told) -> None:
        """The carrier knows this number, with these events."""
        self.world[ref.value] = self.kit.entry(ref.value, events)

    async def ask(self, *refs: TrackingRef) -> dict[TrackingRef, TrackingAnswer]:
        """Every answer, read."""
        heard = await self.hear(*refs)
        return {ref: one.read() for ref, one in heard.items()}

    async def hear(self, *refs: TrackingRef) -> Mapping[TrackingRef, Heard]:
        heard = await self.tracking.track(refs)
        assert set(heard) == set(refs), "every number that was asked about has its answer, and no other"
        return heard


class Network(httpx.AsyncBaseTransport):
    """Hands requests to the kit, and their good answers to the fault of the day."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.world: dict[str, Any] = {}
        self.fault: Fault | None = None
        self.login_fault: Fault | None = None
        self.calls = 0
        self.logins = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        question = Question(
            request.method,
            request.url.path,
            tuple(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
            {name.lower(): value for name, value in request.headers.items()},
            body,
        )
        if self.kit.is_login(question):
            self.logins += 1
            reply, fault = self.kit.login(question, self.logins), self.login_fault
        else:
            self.calls += 1
            known = {number: self.world[number] for number in self.kit.asked(question) if number in self.world}
            reply, fault = self.kit.assemble(question, known), self.fault
        if fault is not None:
            changed = fault(question, reply)
            reply = changed if isinstance(changed, Reply) else await changed
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body, request=request)


@asynccontextmanager
async def staged(cls: type[Adapter], kit: Kit, **http_options: Any) -> AsyncIterator[Stage]:
    """An account of *cls* on stage; its connection is closed at the end."""
    network, slept = Network(kit), []  # type: tuple[Network, list[float]]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    http = CarrierHttp("account", cls.BASE_URL, requests_per_second=1e6, sleep=sleep, transport=network, **http_options)
    settings = cls.Settings.model_validate(dict(kit.settings))
    context = AdapterContext("account", http, Tokens(), lambda: NOW)
    stage = Stage(kit, cls(settings, context), http, network, network.world, slept)
    try:
        yield stage
    finally:
        await http.aclose()


class Overheard(logging.Handler):
    """Everything that is logged through the standard library while it listens."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def __enter__(self) -> Overheard:
        root = logging.getLogger()
        self._level = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level)


def secrets_of(settings: Any) -> Sequence[str]:
    """The values of every SecretStr in an adapter's settings, nested ones too."""
    found: list[str] = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if hasattr(value, "get_secret_value"):
            found.append(str(value.get_secret_value()))
        elif hasattr(type(value), "model_fields"):
            found.extend(secrets_of(value))
    return found


class NotApplicableError(Exception):
    """The carrier has nothing of the kind that a check is about."""


def needs(condition: object) -> None:
    """Leave the check out where *condition* does not hold."""
    if not condition:
        raise NotApplicableError


def tracks(kit: Kit) -> None:
    """Leave the check out for an adapter that is only written to (files, hooks) and never asked."""
    needs(kit.numbers and type(kit).asked is not Kit.asked)

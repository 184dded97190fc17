"""What the carrier tests share: a recording clock, a token store in memory, recorded payloads, the contract's own check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import orjson

from carriers.base import (
    AdapterContext,
    AnswerOutcome,
    Cause,
    Token,
    TrackingAdapter,
    TrackingAnswer,
    TrackingRef,
    TrackingStatus,
)
from carriers.http import CarrierHttp

DATA = Path(__file__).parents[1] / "data"


class Clock:
    """Seconds that pass only where somebody sleeps; remembers each sleep."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    def monotonic(self) -> float:
        return self.now_s


class MemoryTokens:
    """A `TokenStore` without a clock: keeps what was minted until it is discarded, and its chain beyond that."""

    def __init__(self) -> None:
        self.kept: Token | None = None
        self.minted = 0
        self.chain: tuple[str, str | None] = ("", None)

    async def get(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        if self.kept is None:
            self.kept = await mint()
            self.minted += 1
            if self.kept.refresh is not None or self.kept.origin != self.chain[0]:
                self.chain = (self.kept.origin, self.kept.refresh)
        return self.kept

    async def discard(self, token: Token) -> None:
        if self.kept == token:
            self.kept = None

    async def refresh_of(self, origin: str) -> str | None:
        return self.chain[1] if self.chain[0] == origin else None


def http(base_url: str, clock: Clock | None = None, **options: Any) -> CarrierHttp:
    """A `CarrierHttp` that never really waits."""
    clock = clock or Clock()
    return CarrierHttp(
        "exemplo", base_url, requests_per_second=1000, sleep=clock.sleep, monotonic=clock.monotonic, **options
    )


def context(base_url: str, clock: Clock | None = None) -> AdapterContext:
    return AdapterContext("exemplo", http(base_url, clock), MemoryTokens())


def sample(name: str) -> bytes:
    """The bytes of a recorded Correios payload."""
    return (DATA / "correios" / name).read_bytes()


def sample_json(name: str) -> Any:
    return orjson.loads(sample(name))


def assert_fits_contract(adapter: TrackingAdapter, ref: TrackingRef, answer: TrackingAnswer) -> None:
    """What `carriers.base` promises of every answer, whoever the carrier is."""
    assert answer.ref == ref
    assert adapter.normalise(ref.value) == ref, "a number must stay as it is once normalised"
    assert isinstance(answer.outcome, AnswerOutcome)
    assert isinstance(answer.raw, bytes)
    times = [event.occurred_at for event in answer.events]
    assert times == sorted(times), "oldest first"
    assert all(at.utcoffset() == timedelta(0) and at.tzinfo is UTC for at in times), "aware UTC"
    keys = [event.key for event in answer.events]
    assert len(keys) == len(set(keys)), "keys are unique"
    for event in answer.events:
        assert isinstance(event.status, TrackingStatus)
        assert event.cause is None or isinstance(event.cause, Cause)
        assert event.carrier_code and event.key
    if answer.outcome is not AnswerOutcome.FOUND:
        assert not answer.events

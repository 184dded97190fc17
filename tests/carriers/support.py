"""What the carrier tests share: a recording clock, a token store in memory, recorded payloads, the contract's own check."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import orjson

from carriers.base import (
    AdapterContext,
    AnswerOutcome,
    Cause,
    EventFeed,
    Followed,
    TrackingAnswer,
    TrackingRef,
    TrackingStatus,
)
from carriers.http import CarrierHttp
from carriers.testing.stage import NOW, Tokens

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


def http(base_url: str, clock: Clock | None = None, **options: Any) -> CarrierHttp:
    """A `CarrierHttp` that never really waits."""
    clock = clock or Clock()
    return CarrierHttp(
        "exemplo", base_url, requests_per_second=1000, sleep=clock.sleep, monotonic=clock.monotonic, **options
    )


def context(base_url: str, clock: Clock | None = None) -> AdapterContext:
    return AdapterContext("exemplo", http(base_url, clock), Tokens(), lambda: NOW)


def sample(name: str) -> bytes:
    """The bytes of a recorded Correios payload."""
    return (DATA / "correios" / name).read_bytes()


def sample_json(name: str) -> Any:
    return orjson.loads(sample(name))


def assert_fits_contract(adapter: Followed, ref: TrackingRef, answer: TrackingAnswer) -> None:
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


def assert_feed_fits_contract(numbers: Followed, feed: EventFeed, payload: bytes) -> None:
    """What `carriers.base` promises of what a carrier sends by itself."""
    reading = feed.read(payload)
    assert feed.read(payload) == reading, "the same bytes say the same"
    for ref, answer in reading.answers.items():
        assert_fits_contract(numbers, ref, answer)
        assert answer.outcome is AnswerOutcome.FOUND
        assert answer.events
        assert all(other != ref for other in answer.also)
    assert all(fault.line is None or fault.line >= 1 for fault in reading.faults)

"""What the tests of adapters share: an account on a network that is not there, answered by recorded payloads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson

from carriers.base import Adapter, AdapterContext, TrackingAdapter, TrackingAnswer, TrackingRef
from carriers.http import CarrierHttp
from carriers.testing.stage import NOW, Tokens

DATA = Path(__file__).parents[1] / "data"


class Recorder:
    """Answers by path with recorded payloads, in order where there are several; keeps what was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = {path: list(told) if isinstance(told, list) else [told] for path, told in answers.items()}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        told = self._answers.get(request.url.path)
        assert told is not None, f"nobody is at {request.method} {request.url.path}"
        answer = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            return httpx.Response(200, content=answer, headers={"Content-Type": "application/json"})
        status, content = answer
        return httpx.Response(status, content=content, headers={"Content-Type": "application/json"})

    def sent(self, at: int = -1) -> Any:
        """The JSON of a request's body."""
        return orjson.loads(self.asked[at].content)


@asynccontextmanager
async def account(
    cls: type[Adapter], settings: dict[str, Any], answers: dict[str, Any]
) -> AsyncIterator[tuple[Any, Recorder]]:
    """An adapter of *cls*, and who answers it: payloads, `(status, payload)` or errors by path."""
    recorder = Recorder(answers)

    async def sleep(seconds: float) -> None:
        """No trial waits."""

    http = CarrierHttp(
        "conta", cls.BASE_URL, requests_per_second=1e6, sleep=sleep, transport=httpx.MockTransport(recorder)
    )
    try:
        yield cls(cls.Settings.model_validate(settings), AdapterContext("conta", http, Tokens(), lambda: NOW)), recorder
    finally:
        await http.aclose()


async def ask(tracking: TrackingAdapter, *numbers: str) -> dict[str, TrackingAnswer]:
    """Every answer, read, by the number as it was asked for."""
    refs = [ref(tracking, number) for number in numbers]
    heard = await tracking.track(refs)
    assert set(heard) == set(refs)
    return {one.value: heard[one].read() for one in refs}


def ref(tracking: TrackingAdapter, number: str) -> TrackingRef:
    found = tracking.normalise(number)
    assert found is not None, f"{number} is refused"
    return found


def sample(carrier: str, name: str) -> bytes:
    """The bytes of a recorded payload."""
    return (DATA / carrier / name).read_bytes()


def sample_json(carrier: str, name: str) -> Any:
    return orjson.loads(sample(carrier, name))


def utc(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)

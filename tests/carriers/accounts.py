"""An account of any adapter for its tests, and the payloads recorded of its carrier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import orjson

from carriers.base import Adapter, RefKind, TrackingAdapter, TrackingAnswer, TrackingRef
from tests.carriers.support import DATA, assert_fits_contract, context

T = TypeVar("T", bound=Adapter)
BASE = "https://api.carrier.test"


def account(cls: type[T], settings: Mapping[str, Any]) -> T:
    """An account whose carrier is to be played at `BASE`."""
    return cls(cls.Settings.model_validate(dict(settings)), context(BASE))


def recorded(carrier: str, name: str) -> Any:
    """The JSON of a recorded payload."""
    return orjson.loads((DATA / carrier / name).read_bytes())


def reply(carrier: str, name: str, status: int = 200) -> httpx.Response:
    """A recorded payload as the carrier's answer, byte for byte."""
    content = (DATA / carrier / name).read_bytes()
    return httpx.Response(status, content=content, headers={"Content-Type": "application/json"})


def tracking_of(adapter: Adapter) -> TrackingAdapter:
    assert adapter.tracking is not None
    return adapter.tracking


def code(value: str) -> TrackingRef:
    return TrackingRef(RefKind.CODE, value)


async def asked(adapter: Adapter, *refs: TrackingRef) -> dict[TrackingRef, TrackingAnswer]:
    """Every answer, read, and held against the contract."""
    tracking = tracking_of(adapter)
    answers = {ref: heard.read() for ref, heard in (await tracking.track(refs)).items()}
    for ref, answer in answers.items():
        assert_fits_contract(tracking, ref, answer)
    return answers


async def answer_of(adapter: Adapter, ref: TrackingRef) -> TrackingAnswer:
    return (await asked(adapter, ref))[ref]

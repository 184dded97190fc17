"""One contract, two adapters as different as it allows: Correios over its recorded answers, and an invented one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from carriers import registry
from carriers.base import (
    Adapter,
    AnswerOutcome,
    CarrierConfigError,
    ClaimKind,
    ClaimsAdapter,
    ClaimsByLetter,
    PermanentCarrierError,
    ProblemKind,
    TrackingAdapter,
    TrackingStatus,
    TransientCarrierError,
)
from tests.carriers.correios.support import ACCOUNT, TOKEN_URL
from tests.carriers.fictitious import Fictitious
from tests.carriers.support import DATA, assert_fits_contract, context, sample, sample_json


def correios_answers() -> Iterator[tuple[str, bytes]]:
    for path in sorted((DATA / "correios").glob("rastro-*.json")):
        for item in sample_json(path.name).get("objetos", []):
            if len(item["codObjeto"]) == 13:
                yield item["codObjeto"], sample(path.name)


def flecha(*events: tuple[str, str]) -> bytes:
    items = ",".join(
        f'{{"id": {n}, "quando": "{at}", "codigo": "{code}", "texto": "x"}}' for n, (at, code) in enumerate(events)
    )
    return f'{{"entrega_prevista": "2026-11-20", "eventos": [{items}]}}'.encode()


FLECHA = [
    ("FX00000001", flecha(("2026-11-18T14:22:07-03:00", "E9"), ("2026-11-16T10:00:00-04:00", "B1"))),
    ("FX00000002", flecha(("2026-11-18T14:22:07Z", "X1"))),
    ("FX00000003", flecha(("2026-11-18T14:22:07-03:00", "??"))),
    ("FX00000004", flecha()),
]
CASES: list[Any] = [
    *(
        pytest.param(registry.load("correios"), ACCOUNT, code, body, id=f"correios {code}")
        for code, body in correios_answers()
    ),
    *(pytest.param(Fictitious, {"key": "k"}, code, body, id=f"flecha {code}") for code, body in FLECHA),
]
ADAPTERS: list[Any] = [
    pytest.param(registry.load("correios"), ACCOUNT, id="correios"),
    pytest.param(Fictitious, {"key": "k"}, id="flecha"),
]
NUMBERS = {"correios": "AD100000017BR", "flecha": "FX00000001"}


def build(kind: type[Adapter], account: dict[str, Any]) -> tuple[Adapter, TrackingAdapter]:
    built = kind(kind.Settings.model_validate(account), context(kind.BASE_URL))
    assert isinstance(built.tracking, TrackingAdapter)
    return built, built.tracking


def answering(mock: respx.Router, kind: type[Adapter], response: Any) -> None:
    mock.post(TOKEN_URL.replace("https://api.correios.test", kind.BASE_URL)).mock(
        return_value=httpx.Response(201, content=sample("token-response.json"))
    )
    mock.get(url__startswith=kind.BASE_URL).mock(side_effect=[response] * 3)


@pytest.mark.anyio
@pytest.mark.parametrize(("kind", "account", "code", "body"), CASES)
async def test_every_answer_fits(kind: type[Adapter], account: dict[str, Any], code: str, body: bytes) -> None:
    _, tracking = build(kind, account)
    number = tracking.normalise(code)
    assert number is not None

    with respx.mock(assert_all_called=False) as mock:
        answering(mock, kind, httpx.Response(200, content=body))
        answers = await tracking.track([number])

    assert set(answers) == {number}
    assert_fits_contract(tracking, number, answers[number].read())


@pytest.mark.anyio
@pytest.mark.parametrize(("kind", "account"), ADAPTERS)
@pytest.mark.parametrize(
    ("response", "error"),
    [
        pytest.param(httpx.Response(401), CarrierConfigError, id="credential refused"),
        pytest.param(httpx.Response(503), TransientCarrierError, id="down"),
        pytest.param(httpx.ReadTimeout("slow"), TransientCarrierError, id="no answer in time"),
        pytest.param(httpx.Response(200, html="<html>"), TransientCarrierError, id="maintenance page"),
        pytest.param(httpx.Response(200, json={"x": 1}), PermanentCarrierError, id="another shape"),
    ],
)
async def test_every_adapter_fails_alike(
    kind: type[Adapter], account: dict[str, Any], response: Any, error: type[Exception]
) -> None:
    _, tracking = build(kind, account)
    number = tracking.normalise(NUMBERS[kind.NAME])
    assert number is not None

    with respx.mock(assert_all_called=False) as mock, pytest.raises(error):
        answering(mock, kind, response)
        await tracking.track([number])


@pytest.mark.parametrize(("kind", "account"), ADAPTERS)
def test_terms_are_whole(kind: type[Adapter], account: dict[str, Any]) -> None:
    built, tracking = build(kind, account)
    terms = tracking.tracking_terms

    assert terms.batch_size >= 1 and terms.requests_per_second > 0 and terms.ref_kinds
    assert terms.reading_version and terms.terms_source and "" in terms.presumed_loss_business_days
    assert tracking.normalise("não é um código") is None
    if built.claims is not None:
        assert isinstance(built.claims, ClaimsAdapter | ClaimsByLetter)
        claims = built.claims.claim_terms
        assert claims.source and claims.offers
        assert all(isinstance(o.problem, ProblemKind) and isinstance(o.kind, ClaimKind) for o in claims.offers)
        assert claims.alert_day <= claims.window_days <= claims.last_day


@pytest.mark.anyio
@respx.mock
async def test_the_invented_carrier_reads_its_own_accent() -> None:
    _, tracking = build(Fictitious, {"key": "k"})
    unknown, delivered = tracking.normalise("fx00000009"), tracking.normalise("FX00000001")
    assert unknown is not None and delivered is not None
    respx.get(url__startswith=Fictitious.BASE_URL, path__regex=r"/FX00000009$").mock(return_value=httpx.Response(404))
    respx.get(url__startswith=Fictitious.BASE_URL).mock(return_value=httpx.Response(200, content=FLECHA[0][1]))

    assert (await tracking.track([unknown]))[unknown].read().outcome is AnswerOutcome.NOT_FOUND
    events = (await tracking.track([delivered]))[delivered].read().events
    assert [event.status for event in events] == [TrackingStatus.POSTED, TrackingStatus.DELIVERED]
    assert events[0].occurred_at.hour == 14

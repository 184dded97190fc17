"""Delivery terms: what is asked, how each item is read, which service code stands for a parcel."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import orjson
import pytest
import respx

from carriers.base import (
    CarrierConfigError,
    DeadlineAdapter,
    DeadlineAnswer,
    DeadlineOutcome,
    DeadlineRequest,
    PermanentCarrierError,
    TransientCarrierError,
    deadlines_of,
)
from carriers.correios.deadlines import read_item, service_code
from tests.carriers.correios.support import ACCOUNT, BASE, adapter, grant_tokens, recorded
from tests.carriers.fictitious import Fictitious, FictitiousSettings
from tests.carriers.support import context, sample_json

URL = f"{BASE}/prazo/v1/nacional"
POSTED_ON = date(2026, 11, 16)
SERVICES = {"SEDEX": "03220", "PAC": "03298"}


def request(key: int = 1, **changes: Any) -> DeadlineRequest:
    values: dict[str, Any] = {
        "key": key,
        "origin_postal_code": "80010970",
        "destination_postal_code": "50010970",
        "posted_on": POSTED_ON,
        "posted_code": "PO-01",
        "tracked_service": "PAC",
    }
    return DeadlineRequest(**{**values, **changes})


BATCH = [
    request(1),
    request(2, tracked_service="SEDEX", destination_postal_code="01310100"),
    request(3, tracked_service="SEDEX", destination_postal_code="00000000"),
]


def deadlines() -> DeadlineAdapter:
    found = deadlines_of(adapter())
    assert found is not None
    return found


@pytest.mark.anyio
@respx.mock
async def test_a_batch_is_asked_for_at_once_and_matched_by_its_numbers() -> None:
    grant_tokens(respx.mock)
    items = list(reversed(sample_json("prazo-lote-response.json")))
    route = respx.post(URL).mock(return_value=httpx.Response(200, json=items))

    answers = await deadlines().due_dates(BATCH)

    assert orjson.loads(route.calls[0].request.content) == sample_json("prazo-lote-request.json")
    assert route.calls[0].request.headers["Authorization"] == "Bearer token-1"
    assert (answers[1].due_on, answers[1].business_days, answers[1].home_delivery) == (date(2026, 11, 24), 5, True)
    assert (answers[2].due_on, answers[2].service_code) == (date(2026, 11, 17), "03220")
    refused = answers[3]
    assert (refused.outcome, refused.due_on) == (DeadlineOutcome.REFUSED, None)
    assert refused.message == "CEP de destino inexistente."  # HTTP 200, and still no term


@pytest.mark.anyio
@respx.mock
async def test_a_refused_spelling_of_the_day_is_tried_once_with_slashes() -> None:
    grant_tokens(respx.mock)
    refusal = recorded("prazo-error-400.json", 400)
    route = respx.post(URL).mock(side_effect=[refusal, recorded("prazo-lote-response.json")])

    answers = await deadlines().due_dates(BATCH)

    days = [orjson.loads(call.request.content)["parametrosPrazo"][0]["dtEvento"] for call in route.calls]
    assert days == ["16-11-2026", "16/11/2026"]
    assert answers[1].outcome is DeadlineOutcome.NAMED


@pytest.mark.anyio
@respx.mock
async def test_what_has_no_service_code_is_not_asked_for() -> None:
    grant_tokens(respx.mock)
    route = respx.post(URL).mock(return_value=recorded("prazo-lote-response.json"))

    answers = await deadlines().due_dates([request(7, tracked_service="MINI ENVIOS")])

    assert route.call_count == 0
    assert answers[7].outcome is DeadlineOutcome.NO_SERVICE
    assert "MINI ENVIOS" in answers[7].message


@pytest.mark.anyio
@respx.mock
@pytest.mark.parametrize(
    ("outcomes", "error"),
    [
        pytest.param([recorded("prazo-error-400.json", 400)] * 2, PermanentCarrierError, id="400 both ways"),
        pytest.param([httpx.Response(404)], PermanentCarrierError, id="not there"),
        pytest.param([recorded("gateway-error-500.json", 500)] * 3, TransientCarrierError, id="server fault"),
        pytest.param([httpx.Response(200, json={"msg": "x"})], PermanentCarrierError, id="another shape"),
        pytest.param(
            [recorded("gateway-error-403-restricted-api.json", 403)] * 2, CarrierConfigError, id="API not opened"
        ),
    ],
)
async def test_failures_are_typed(outcomes: list[Any], error: type[Exception]) -> None:
    grant_tokens(respx.mock)
    respx.post(URL).mock(side_effect=outcomes)

    with pytest.raises(error):
        await deadlines().due_dates(BATCH)


@pytest.mark.parametrize(
    ("services", "tracked", "ordered", "expected"),
    [
        pytest.param(SERVICES, "PAC", None, "03298", id="the family that tracking names"),
        pytest.param(SERVICES, "PAC", "SEDEX", "03298", id="tracking knows what was really posted"),
        pytest.param(SERVICES, None, "Correios SEDEX", "03220", id="the order's words where tracking has none"),
        pytest.param(SERVICES, None, "03220", "03220", id="the order names the code itself"),
        pytest.param(SERVICES, None, "04014", None, id="a code that is not of this contract is not used"),
        pytest.param(SERVICES, "SEDEX", "SEDEX 10", None, id="a product with its own term is no plain SEDEX"),
        pytest.param({**SERVICES, "SEDEX 10": "03158"}, "SEDEX", "sedex 10", "03158", id="but its own entry serves"),
        pytest.param({"SEDEX 10": "03158"}, "PAC", "sedex 10", None, id="which tracking contradicts"),
        pytest.param(SERVICES, None, "PAC ou SEDEX", None, id="two families are none"),
        pytest.param(SERVICES, None, None, None, id="nobody names one"),
        pytest.param({}, "PAC", "PAC", None, id="none configured"),
    ],
)
def test_which_service_code(
    services: dict[str, str], tracked: str | None, ordered: str | None, expected: str | None
) -> None:
    assert service_code(services, tracked, ordered) == expected


def read(**item: Any) -> DeadlineAnswer:
    return read_item(request(), "03298", {"nuRequisicao": "1", **item})


def test_only_the_number_of_days_is_a_term_too() -> None:
    answer = read(prazoEntrega=5, entregaDomiciliar="N")
    assert (answer.outcome, answer.due_on, answer.business_days) == (DeadlineOutcome.NAMED, None, 5)
    assert answer.home_delivery is False


def test_a_posting_after_the_cutoff_is_said() -> None:
    item = {"nuRequisicao": "1", "prazoEntrega": 5, "dataMaxima": "2026-11-24T23:58:00"}
    late = read_item(request(posted_code="PO-09"), "03298", item)
    assert (late.after_cutoff, late.due_on) == (True, date(2026, 11, 24))  # what Correios gave stands


@pytest.mark.parametrize(
    "item",
    [
        pytest.param({}, id="nothing at all"),
        pytest.param({"prazoEntrega": -1}, id="a negative term"),
        pytest.param({"prazoEntrega": 9999, "dataMaxima": "0001-01-01T00:00:00"}, id="fillers"),
        pytest.param({"prazoEntrega": True, "dataMaxima": "logo"}, id="nonsense"),
        pytest.param({"dataMaxima": "2026-11-01T23:58:00"}, id="due before it was posted"),
    ],
)
def test_no_term_is_ever_made_up(item: dict[str, Any]) -> None:
    assert read(**item).outcome is DeadlineOutcome.REFUSED


def test_an_adapter_without_terms_fits_as_it_is() -> None:
    older = Fictitious(FictitiousSettings.model_validate({"key": "k"}), context(BASE))
    assert deadlines_of(older) is None
    assert deadlines_of(adapter(ACCOUNT)) is not None

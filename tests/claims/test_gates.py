"""What holds back a claim that is due: the first reason counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.domain.support import DAYS, at, on
from tracker.claims.gates import ClaimPolicy, gates
from tracker.domain.claim_moves import Gates
from tracker.domain.words import Hold

AUTO = ClaimPolicy(mode="auto")
PROPOSE = ClaimPolicy(mode="propose")
CEILING = ClaimPolicy(mode="auto", max_value_cents=50_000)


def decide(**changes: Any) -> Gates:
    """The gates of a live shop whose problem began yesterday, unless told otherwise."""
    values: dict[str, Any] = {
        "live_from": on("2026-11-01"),
        "problem_since": at("2026-11-24 00:00"),
        "released": False,
        "policy": AUTO,
        "value_cents": 18_990,
        "recipient_name": "Marina Exemplo",
        "days": DAYS,
        "now": at("2026-11-25 10:00"),
    }
    return gates(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "hold"),
    [
        pytest.param({}, None, id="nothing holds it"),
        pytest.param({"live_from": None}, Hold.OBSERVE, id="the shop never goes live"),
        pytest.param({"live_from": on("2026-12-01")}, Hold.OBSERVE, id="the shop goes live next week"),
        pytest.param({"live_from": None, "released": True}, Hold.OBSERVE, id="a release does not make a shop live"),
        pytest.param(
            {"live_from": on("2026-11-25"), "problem_since": at("2026-11-24 23:59")},
            Hold.BEFORE_LIVE,
            id="began a minute before the shop went live",
        ),
        pytest.param(
            {"live_from": on("2026-11-25"), "problem_since": at("2026-11-25 00:00")},
            None,
            id="began as the shop went live",
        ),
        pytest.param(
            {"live_from": on("2026-11-25"), "released": True},
            None,
            id="began before the shop went live, and was released",
        ),
        pytest.param({"restored": True}, Hold.RESTORED, id="it may have left before the database was put back"),
        pytest.param({"restored": True, "live_from": None}, Hold.OBSERVE, id="put back, and the shop only observes"),
        pytest.param(
            {"restored": True, "policy": PROPOSE}, Hold.RESTORED, id="put back: told before the usual approval"
        ),
        pytest.param({"policy": PROPOSE}, Hold.PROPOSE, id="claims wait for a person"),
        pytest.param({"policy": ClaimPolicy(mode="off")}, Hold.PROPOSE, id="switched off after it was planned"),
        pytest.param({"policy": ClaimPolicy()}, Hold.PROPOSE, id="waiting for a person is the default"),
        pytest.param({"policy": ClaimPolicy("auto", by_letter=True)}, Hold.BY_LETTER, id="by letter, even on auto"),
        pytest.param({"recipient_name": None}, Hold.MISSING_DATA, id="no recipient's name"),
        pytest.param({"recipient_name": ""}, Hold.MISSING_DATA, id="an empty recipient's name"),
        pytest.param({"policy": CEILING, "value_cents": 50_000}, None, id="at the ceiling"),
        pytest.param({"policy": CEILING, "value_cents": 50_001}, Hold.VALUE_CEILING, id="a centavo above the ceiling"),
        pytest.param(
            {"policy": CEILING, "value_cents": None}, Hold.VALUE_CEILING, id="a ceiling, and an order of unknown value"
        ),
        pytest.param({"value_cents": 10**9}, None, id="no ceiling"),
    ],
)
def test_what_holds_a_due_claim(changes: dict[str, Any], hold: Hold | None) -> None:
    found = decide(**changes)
    assert found.hold is hold
    assert bool(found.reason) is (hold is not None)


@pytest.mark.parametrize(
    ("changes", "hold"),
    [
        pytest.param(
            {"live_from": None, "policy": PROPOSE, "recipient_name": None}, Hold.OBSERVE, id="observing first"
        ),
        pytest.param(
            {"live_from": on("2026-11-25"), "policy": PROPOSE, "recipient_name": None},
            Hold.BEFORE_LIVE,
            id="then the past",
        ),
        pytest.param(
            {"policy": ClaimPolicy("propose", by_letter=True), "recipient_name": None},
            Hold.BY_LETTER,
            id="then the letter",
        ),
        pytest.param({"policy": PROPOSE, "recipient_name": None}, Hold.MISSING_DATA, id="then what is missing"),
        pytest.param(
            {"policy": ClaimPolicy("propose", 50_000), "value_cents": 60_000},
            Hold.PROPOSE,
            id="then the mode, then the ceiling",
        ),
    ],
)
def test_the_first_reason_counts(changes: dict[str, Any], hold: Hold) -> None:
    assert decide(**changes).hold is hold


@pytest.mark.parametrize(
    ("live_from", "until"),
    [
        pytest.param(None, None, id="a shop without a day waits for the configuration"),
        pytest.param("2026-11-26", "2026-11-26 00:00", id="a shop with a day asks again at its local midnight"),
    ],
)
def test_observing_ends_by_itself(live_from: str | None, until: str | None) -> None:
    found: datetime | None = decide(live_from=on(live_from) if live_from else None).until
    assert found == (at(until) if until else None)


def test_the_shop_goes_live_at_local_midnight() -> None:
    live = {"live_from": on("2026-11-25"), "released": True}
    assert decide(**live, now=at("2026-11-24 23:59")).hold is Hold.OBSERVE
    assert decide(**live, now=at("2026-11-25 00:00")).hold is None

"""The customer's promise: the order's own date, else the carrier's first date plus a slack."""

from __future__ import annotations

from datetime import date

import pytest

from tests.domain.support import DAYS, on
from tracker.domain.promise import Promise, PromiseBasis, customer_promise

GIVEN, CARRIER, NONE = PromiseBasis.GIVEN, PromiseBasis.CARRIER, PromiseBasis.NONE


def _on(text: str | None) -> date | None:
    return on(text) if text else None


@pytest.mark.parametrize(
    ("given", "first_given", "carrier_first", "slack", "expected_on", "expected_first", "basis"),
    [
        pytest.param("2026-11-27", "2026-11-27", "2026-11-24", 1, "2026-11-27", "2026-11-27", GIVEN, id="the order"),
        pytest.param("2026-11-27", None, None, 1, "2026-11-27", "2026-11-27", GIVEN, id="its only word is its first"),
        pytest.param(
            "2026-12-04", "2026-11-27", None, 1, "2026-12-04", "2026-11-27", GIVEN, id="a later word keeps the first"
        ),
        pytest.param(
            "2026-11-20", None, "2026-11-24", 1, "2026-11-20", "2026-11-20", GIVEN, id="an earlier order wins"
        ),
        # Tue 24 + 1 = Wed 25
        pytest.param(None, None, "2026-11-24", 1, "2026-11-25", "2026-11-25", CARRIER, id="the carrier's plus a slack"),
        pytest.param(
            None, None, "2026-11-24", 0, "2026-11-24", "2026-11-24", CARRIER, id="the carrier's without slack"
        ),
        # Thu 19, (Fri 20 holiday, weekend), Mon 23
        pytest.param(None, None, "2026-11-19", 1, "2026-11-23", "2026-11-23", CARRIER, id="a slack in business days"),
        # Wed 23 December, (24 doubtful, 25, weekend), Mon 28
        pytest.param(
            None, None, "2026-12-23", 1, "2026-12-28", "2026-12-28", CARRIER, id="a doubtful day is slack too"
        ),
        pytest.param(None, None, None, 1, None, None, NONE, id="nobody promised anything"),
        pytest.param(None, "2026-11-27", None, 1, None, None, NONE, id="a word that was taken back is none"),
    ],
)
def test_what_the_customer_was_promised(
    given: str | None,
    first_given: str | None,
    carrier_first: str | None,
    slack: int,
    expected_on: str | None,
    expected_first: str | None,
    basis: PromiseBasis,
) -> None:
    promise = customer_promise(_on(given), _on(first_given), _on(carrier_first), slack, DAYS)
    assert promise == Promise(_on(expected_on), _on(expected_first), basis)

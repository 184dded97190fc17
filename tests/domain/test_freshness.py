"""When what is known of a parcel may be old."""

from __future__ import annotations

import pytest

from tests.domain.support import at
from tracker.domain.freshness import is_stale

NOW = at("2026-11-27 12:00")


@pytest.mark.parametrize(
    ("next_poll_at", "expected"),
    [
        pytest.param("2026-11-27 13:00", False, id="not due yet"),
        pytest.param("2026-11-27 10:00", False, id="two hours overdue"),
        pytest.param("2026-11-27 09:59", True, id="overdue for longer"),
        pytest.param(None, False, id="asked about no more"),
    ],
)
def test_what_is_known_is_old_once_a_look_is_long_overdue(next_poll_at: str | None, expected: bool) -> None:
    assert is_stale(at(next_poll_at) if next_poll_at else None, NOW) is expected

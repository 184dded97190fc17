"""The measurement of growth works: a tiny shop is played, dropped, and told of in both tables. No figure is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.growth import GROUPS, Season, measure, months, sizes


@pytest.mark.slow
def test_a_tiny_shop_is_measured(tmp_path: Path) -> None:
    growth, settings = measure(tmp_path, 6, season=Season(posting=1, close=1, days=4))
    assert set(growth.bytes_a_parcel) == set(GROUPS) and growth.bytes_a_parcel["events and due dates"] > 0
    assert growth.days_in.total() > 0
    assert len(list(sizes(growth))) == len(GROUPS) + 5
    header, *rows = months(growth, settings)
    assert "looks/day" in header and [row.split()[0] for row in rows] == ["1,000", "10,000", "100,000", "1,000,000"]

"""The README's table of carriers says what the adapters say."""

from __future__ import annotations

from pathlib import Path

from tests.docs.carrier_table import table

README = Path(__file__).parents[2] / "README.md"


def test_the_table_is_the_adapters_own() -> None:
    assert table() in README.read_text("utf-8"), "print it anew with python -m tests.docs.carrier_table"

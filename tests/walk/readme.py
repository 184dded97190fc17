"""What the README tells a newcomer to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def commands_under(heading: str, text: str | None = None) -> list[str]:
    """The commands of the first shell block under this heading, comments and what goes on (`...`) cut off.

    Raises AssertionError where the README has no such block any more.
    """
    text = text if text is not None else (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}$(?:(?!^## ).)*?^```sh\n(.*?)^```$", text, re.M | re.S)
    assert found is not None, f"README.md has no shell block under {heading!r}"
    lines = (re.sub(r"\s{2,}#.*$", "", line).strip() for line in found[1].splitlines())
    return [line for line in lines if line]

"""The table of docs/messages.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracker.domain.notice_kinds import MAX_AGE_HOURS, TOLERATES_DUPLICATE
from tracker.domain.words import Trigger
from tracker.messages.variables import TRIGGERS

TEXT = (Path(__file__).parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip("` "): [cell.strip() for cell in cells[1:]]
    for line in TEXT.splitlines()
    if line.startswith("| `") and (cells := line.strip("| ").split("|"))
}


@pytest.mark.parametrize("trigger", list(MAX_AGE_HOURS))
def test_each_trigger_has_its_row(trigger: Trigger) -> None:
    when, variables, age, _, twice = ROWS[trigger.value]
    assert when
    assert int(age) == MAX_AGE_HOURS[trigger]
    assert (twice == "yes") is (trigger in TOLERATES_DUPLICATE)
    common = set(TRIGGERS["out_for_delivery"].by_name)
    assert set(re.findall(r"`(\w+)`", variables)) == set(TRIGGERS[trigger.value].by_name) - common


def test_every_trigger_is_in_the_table_or_said_not_to_fire() -> None:
    assert set(ROWS) == {trigger.value for trigger in MAX_AGE_HOURS}
    (paragraph,) = [part for part in TEXT.split("\n\n") if part.startswith("Not fired in this release")]
    assert {trigger for trigger in Trigger if f"`{trigger}`" in paragraph} == set(Trigger) - set(MAX_AGE_HOURS)


def test_the_variables_that_every_text_has() -> None:
    (paragraph,) = [part for part in TEXT.split("\n\n") if part.startswith("`loja` and `pedido` are required")]
    common = TRIGGERS["out_for_delivery"]
    assert all(f"`{name}`" in paragraph for name in common.by_name)

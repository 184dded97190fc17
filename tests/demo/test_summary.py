"""The demonstration's closing screen speaks Portuguese, whatever its parcels meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carriers.base import ProblemKind
from tracker.config.words import RELEASED_TRIGGERS
from tracker.demo.summary import summary
from tracker.domain.words import ClaimState
from tracker.store.overview import Overview

NOTHING = Overview(1, {}, {}, {}, {}, 0, 0, {}, {}, {})


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        pytest.param("all_problems", [kind.value for kind in ProblemKind], id="problems"),
        pytest.param("claims", [state.value for state in ClaimState], id="claims"),
        pytest.param("sent_by_trigger", [trigger.value for trigger in RELEASED_TRIGGERS], id="mails"),
    ],
)
def test_every_word_is_said_in_portuguese(counts: str, words: list[str]) -> None:
    seen = replace(NOTHING, **{counts: dict.fromkeys(words, 3)})
    said = [line[6:].strip() for line in summary(seen, [], 1.0, 20) if line.startswith("     3  ")]
    assert len(said) == len(words)
    assert set(said).isdisjoint(words)

"""Every word that can reach the person on the phone has its Portuguese, and known reasons theirs."""

from __future__ import annotations

from enum import StrEnum

import pytest

from carriers.base import ClaimKind, ProblemKind, TrackingStatus
from tracker.config.words import RELEASED_TRIGGERS
from tracker.domain.hand import ActKind, Reported, Settled
from tracker.domain.words import ClaimState, DeliveryState, Hold
from tracker.reports import words_en, words_pt


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(TrackingStatus, words_pt.STATUS, id="statuses"),
        pytest.param(ProblemKind, words_pt.PROBLEM, id="problems"),
        pytest.param(ClaimState, words_pt.CLAIM_STATE, id="states of claims"),
        pytest.param(ClaimKind, words_pt.CLAIM_KIND, id="kinds of claims"),
        pytest.param(DeliveryState, words_pt.MESSAGE_STATE, id="states of messages"),
        pytest.param(Hold, words_pt.HOLD, id="holds"),
        pytest.param(ActKind, words_pt.ACT, id="acts by hand"),
        pytest.param(Settled, words_pt.SETTLED, id="ways to settle a problem"),
        pytest.param(Reported, words_pt.REPORTED, id="what a person reports"),
    ],
)
def test_no_word_is_missing(words: type[StrEnum], said: dict[str, str]) -> None:
    assert {word.value for word in words} == {str(word) for word in said}


def test_every_hold_has_its_english() -> None:
    assert set(words_en.HOLD) == {hold.value for hold in Hold}


def test_every_trigger_of_this_release_has_a_name() -> None:
    assert {trigger.value for trigger in RELEASED_TRIGGERS} == {str(trigger) for trigger in words_pt.TRIGGER}


def test_an_unknown_word_is_shown_as_it_is() -> None:
    assert words_pt.say(words_pt.STATUS, "teleported") == "teleported"
    assert words_pt.say(words_pt.STATUS, None) == ""

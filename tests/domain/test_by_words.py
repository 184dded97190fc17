"""What only a carrier's free text says: which marks rest on it, and that it asks for no money by itself.

Wednesday 25 November 2026 is an ordinary day; Friday 20 November is a holiday.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from carriers.base import Cause, ClaimKind, ClaimOffer, ClaimStart, ClaimTerms, ProblemKind, TrackingStatus
from tests.domain.support import DAYS, at, event, on
from tracker.domain.claim_plan import ClaimableProblem, ClaimPlan, Silence, plan, words_alone
from tracker.domain.history import History, StoredEvent, fold

Kind, Status = ProblemKind, TrackingStatus
REFUND, INQUIRY = ClaimKind.REFUND, ClaimKind.INFORMATION_REQUEST
TERMS = ClaimTerms(
    offers=(
        ClaimOffer(Kind.LOSS, "extravio", REFUND, ClaimStart.EVENT, priority=10),
        ClaimOffer(Kind.STALLED, "parado", INQUIRY, ClaimStart.EVENT, priority=60),
    ),
    source="a test",
    valid_since=date(2026, 1, 1),
)
LETTERS = replace(TERMS, inquiry_gives_way=True)


def told(when: str, status: Status, cause: Cause | None = None, *, words: bool) -> StoredEvent:
    return event(1, when, status, cause=cause, by_words=words)


LOST_WORDS = told("2026-11-24 10:00", Status.LOST, Cause.LOSS, words=True)
LOST_CODE = told("2026-11-25 10:00", Status.LOST, Cause.LOSS, words=False)
MOVING = told("2026-11-23 10:00", Status.IN_TRANSIT, words=False)


@pytest.mark.parametrize(
    ("events", "marks"),
    [
        pytest.param([MOVING, LOST_WORDS], {"lost_at"}, id="a text alone"),
        pytest.param([MOVING, LOST_WORDS, LOST_CODE], set(), id="a code confirms it"),
        pytest.param(
            [LOST_CODE._replace(occurred_at=at("2026-11-24 08:00")), LOST_WORDS], set(), id="a code said it before"
        ),
        pytest.param(
            [LOST_WORDS, told("2026-11-25 10:00", Status.IN_TRANSIT, words=False)],
            set(),
            id="it moves: nothing is lost",
        ),
        pytest.param(
            [LOST_WORDS, told("2026-11-25 10:00", Status.EXCEPTION, words=True)],
            set(),
            id="another text ends the first",
        ),
        pytest.param(
            [
                told("2026-11-24 10:00", Status.DAMAGED, Cause.DAMAGE, words=True),
                MOVING._replace(occurred_at=at("2026-11-25")),
            ],
            {"damaged_at"},
            id="damage stays when it moves on",
        ),
        pytest.param(
            [
                told("2026-11-24 10:00", Status.RETURNING, Cause.REFUSED, words=False),
                told("2026-11-25 10:00", Status.RETURNED, words=True),
            ],
            {"returned_at"},
            id="a coded way back that only a text ends",
        ),
        pytest.param(
            [told("2026-11-24 10:00", Status.DELIVERY_FAILED, Cause.ABSENT, words=True)],
            {"trouble_at"},
            id="a failed attempt",
        ),
    ],
)
def test_marks_that_rest_on_words(events: list[StoredEvent], marks: set[str]) -> None:
    numbered = [one._replace(id=n, event_key=f"k{n}") for n, one in enumerate(events, start=1)]
    assert fold(numbered).by_words == marks
    assert fold(numbered[::-1]).by_words == marks  # whatever we learned of first


def loss(**changes: Any) -> ClaimableProblem:
    since = at("2026-11-24 10:00")
    whole = ClaimableProblem(1, Kind.LOSS, False, since, None, since, None, by_words=True)
    return replace(whole, **changes)


LOST = History(status=Status.LOST, lost_at=at("2026-11-24 10:00"), last_event_at=at("2026-11-24 10:00"))
# Five business days after Tuesday 24: Tuesday 1 December; complete on the 2nd.
SILENT_ON = on("2026-12-02")


def silence(today: str, answered: str | None = None) -> Silence:
    return Silence(5, on(today), at(answered) if answered else None)


def planned(problem: ClaimableProblem, terms: ClaimTerms, quiet: Silence | None, history: History = LOST) -> ClaimPlan:
    plans, refused = plan([problem], history, terms, DAYS, first_on=on("2026-01-01"), silence=quiet)
    assert refused == []
    return plans[0]


@pytest.mark.parametrize(
    ("problem", "today", "answered", "kind", "until"),
    [
        pytest.param(
            loss(), "2026-11-25", "2026-11-25 09:00", INQUIRY, "2026-12-02", id="a text alone: asks what happened"
        ),
        pytest.param(loss(), "2026-12-01", "2026-12-01 09:00", INQUIRY, "2026-12-02", id="one day too early"),
        pytest.param(
            loss(), "2026-12-02", "2026-12-02 06:00", REFUND, None, id="silent long enough, and looked at since"
        ),
        pytest.param(
            loss(), "2026-12-02", "2026-12-01 23:00", INQUIRY, "2026-12-03", id="silent, but nobody has looked"
        ),
        pytest.param(loss(), "2026-12-02", None, INQUIRY, "2026-12-03", id="the carrier has never answered"),
        pytest.param(loss(by_words=False), "2026-11-25", None, REFUND, None, id="a confirmed code needs no silence"),
    ],
)
def test_money_needs_a_code_or_a_silence(
    problem: ClaimableProblem, today: str, answered: str | None, kind: ClaimKind, until: str | None
) -> None:
    found = planned(problem, LETTERS, silence(today, answered))
    assert (found.kind, found.motive, found.basis.get("words_until")) == (kind, "extravio", until)
    # Where an inquiry would bar the refund, the refund is planned and held back as long.
    assert planned(problem, TERMS, silence(today, answered)).kind is REFUND
    held = words_alone([problem], LOST, DAYS, silence(today, answered))
    assert held == (on(until) if until else None)


def test_a_movement_begins_the_silence_anew() -> None:
    moved = replace(LOST, last_event_at=at("2026-11-30 10:00"))
    found = planned(loss(), LETTERS, silence("2026-12-02", "2026-12-02 06:00"), moved)
    assert (found.kind, found.basis["words_until"]) == (INQUIRY, "2026-12-08")


def test_an_inquiry_needs_no_second_sign() -> None:
    standstill = loss(kind=Kind.STALLED)
    assert planned(standstill, TERMS, silence("2026-11-25")).kind is INQUIRY


def test_one_confirmed_problem_is_enough() -> None:
    both = [loss(), loss(id=2, by_words=False)]
    assert words_alone(both, LOST, DAYS, silence("2026-11-25")) is None

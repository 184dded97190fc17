"""Opened packaging and a delivery to somebody else, as a carrier's own codes say it."""

from __future__ import annotations

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.detection_support import RETURNED, delivered, facts, found
from tests.domain.support import at, event

Status = TrackingStatus
Kind = ProblemKind
OPENED = event(8, "2026-11-26 10:00", Status.EXCEPTION, cause=Cause.VIOLATION)
ELSEWHERE = event(8, "2026-11-26 10:00", Status.DELIVERED, cause=Cause.MISDELIVERY, final=True)
ASKED = event(8, "2026-11-26 10:00", Status.EXCEPTION, cause=Cause.MISDELIVERY)
NOW = "2026-11-27 12:00"


def test_opened_packaging_is_a_problem_until_it_arrives() -> None:
    problem = found(facts(OPENED), NOW)[Kind.VIOLATION]
    assert (problem.rule, problem.cause, problem.since) == ("violation.coded", Cause.VIOLATION, at("2026-11-26 10:00"))
    assert problem.ended is None

    ended = found(facts(OPENED, delivered("2026-11-27 10:00")), NOW)[Kind.VIOLATION].ended
    assert ended == (at("2026-11-27 10:00"), "delivered")


def test_a_delivery_elsewhere_stands_until_one_that_is_none() -> None:
    assert found(facts(ELSEWHERE), NOW)[Kind.MISDELIVERY].rule == "misdelivery.coded"
    assert found(facts(ASKED), NOW)[Kind.MISDELIVERY].since == at("2026-11-26 10:00")
    assert Kind.MISDELIVERY not in found(facts(ASKED, delivered("2026-11-27 10:00")), NOW)
    assert Kind.MISDELIVERY not in found(facts(ELSEWHERE, RETURNED), "2026-12-04 12:00")


def test_what_only_words_say_is_marked() -> None:
    worded = found(facts(OPENED._replace(by_words=True), ASKED._replace(id=7, by_words=True)), NOW)
    coded = found(facts(OPENED._replace(by_words=True), OPENED._replace(id=7, event_key="again")), NOW)

    assert worded[Kind.VIOLATION].by_words and worded[Kind.MISDELIVERY].by_words
    assert not coded[Kind.VIOLATION].by_words

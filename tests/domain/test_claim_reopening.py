"""What follows the answer to a claim: a table of situations, each (claim, facts, answer, date) with its next step.

Sections are those of the carrier's domain notes: 6.3 and 6.4 (reopening and its codes, read by the adapter), 7.1 (which
motive), 7.3 (terms). The claim was filed on Wednesday 25 November 2026 at 10:00 and answered on Monday 30.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from carriers.base import (
    ClaimKind,
    ClaimOffer,
    ClaimProgress,
    ClaimStart,
    ClaimTerms,
    ProblemKind,
    ReopenAnswer,
    ReopenOutcome,
)
from tests.domain.claim_support import FREE, NOW, alert_kind, claim, shown, status, step
from tests.domain.support import DAYS, at, on
from tracker.domain.claim_filing import after_lost_answer, after_not_sent
from tracker.domain.claim_following import after_look_up, follow, pursue
from tracker.domain.claim_moves import RULE_VERSIONS, Ask, ClaimFacts, Gates, Move, Step
from tracker.domain.claim_reopening import after_reopen, instead_of_reopening, wanted
from tracker.domain.words import ClaimState, Hold

State, Progress, Out = ClaimState, ClaimProgress, ReopenOutcome
INQUIRY, REFUND = "information_request", "refund"
TERMS = ClaimTerms(
    offers=(
        ClaimOffer(ProblemKind.MISDELIVERY, "132", ClaimKind.INFORMATION_REQUEST, ClaimStart.EVENT, priority=20),
        ClaimOffer(ProblemKind.LOSS, "211", ClaimKind.REFUND, ClaimStart.EVENT, priority=30),
        ClaimOffer(ProblemKind.DELAY, "211", ClaimKind.INFORMATION_REQUEST, ClaimStart.DUE_DATE, priority=40),
        ClaimOffer(ProblemKind.LATE_DELIVERY, "135", ClaimKind.REFUND, ClaimStart.DUE_DATE, priority=50),
    ),
    source="a test",
    valid_since=date(2026, 1, 1),
    one_claim_a_parcel=True,
    refund_motives=("211", "132", "136"),
    contest_days=5,
)
NO_REOPENING = replace(TERMS, refund_motives=(), contest_days=None)
ANSWERED = at("2026-11-30 06:00")


def look(seq: int, outcome: str) -> Step:
    return Step(seq, "look_up", "done", "211", outcome, "0")


def reopening(seq: int, outcome: str | None, way: str = "refund", **more: Any) -> Step:
    values: dict[str, Any] = {"motive": "211", "kind": REFUND, "code": "7"} | more
    motive = values.pop("motive")
    return Step(seq, "reopen", "done" if outcome else "intended", motive, outcome, way=way, **values)


def answered(verdict: str, *more: Step, **changes: Any) -> ClaimFacts:
    """A claim whose answer the newest look-up brought, unless `more` came after it."""
    values: dict[str, Any] = {
        "state": State(verdict),
        "outcome": verdict,
        "kind": INQUIRY,
        "protocol": "210000001",
        "opened_at": NOW,
        "answered_at": ANSWERED,
        "steps": (step(1, outcome="registered", code="0"), look(2, verdict), *more),
    }
    return claim(**(values | changes))


def reopened(**changes: Any) -> ClaimFacts:
    """Reopened as a refund request on Monday 30 November."""
    values: dict[str, Any] = {"state": State.REOPENED, "outcome": "registered", "kind": REFUND, "reopened_at": ANSWERED}
    return answered("accepted", reopening(3, "reopened"), **(values | changes))


def reply(outcome: ReopenOutcome, **more: Any) -> ReopenAnswer:
    return ReopenAnswer(outcome, **({"code": "7", "text": "the carrier's words", "raw": b"{}"} | more))


# --- which answered claim is reopened, and as what --------------------------------------------------

ACCEPTED, REJECTED = answered("accepted"), answered("rejected")


@pytest.mark.parametrize(
    ("facts", "terms", "expected"),
    [
        pytest.param(ACCEPTED, TERMS, Ask("211", REFUND, "refund"), id="7.1 not delivered, accepted: as a refund"),
        pytest.param(
            replace(ACCEPTED, motive="132"), TERMS, Ask("132", REFUND, "refund"), id="7.1 wrong place, accepted"
        ),
        pytest.param(
            replace(ACCEPTED, motive="136"), TERMS, Ask("136", REFUND, "refund"), id="7.1 undue return, accepted"
        ),
        pytest.param(replace(ACCEPTED, kind=REFUND), TERMS, None, id="7.1 a refund that is accepted is paid by itself"),
        pytest.param(replace(ACCEPTED, motive="135"), TERMS, None, id="7.1 a motive without a refund of its own"),
        pytest.param(replace(ACCEPTED, protocol=None), TERMS, None, id="5 without a number nothing can be reopened"),
        pytest.param(
            replace(ACCEPTED, delivered_at=NOW), TERMS, None, id="7.1 delivered since and not late: nothing is owed"
        ),
        pytest.param(
            replace(ACCEPTED, delivered_at=NOW, second=("135", REFUND)),
            TERMS,
            Ask("135", REFUND, "refund"),
            id="7.1 delivered late since: as that",
        ),
        pytest.param(
            replace(ACCEPTED, motive="132", delivered_at=NOW),
            TERMS,
            Ask("132", REFUND, "refund"),
            id="7.1 a wrong place needs the delivery",
        ),
        pytest.param(
            replace(ACCEPTED, second=("211", REFUND)),
            TERMS,
            Ask("211", REFUND, "refund"),
            id="7.1 coded lost since: the same motive as a refund",
        ),
        pytest.param(ACCEPTED, NO_REOPENING, None, id="a carrier that takes no reopening"),
        pytest.param(REJECTED, TERMS, Ask("211", INQUIRY, "contest"), id="7.3 rejected: contested as it was filed"),
        pytest.param(
            replace(REJECTED, kind=REFUND),
            TERMS,
            Ask("211", REFUND, "contest"),
            id="7.3 a rejected refund is contested",
        ),
        pytest.param(replace(REJECTED, delivered_at=NOW), TERMS, None, id="7.3 delivered since: nothing to contest"),
        pytest.param(
            replace(REJECTED, delivered_at=NOW, second=("135", REFUND)),
            TERMS,
            Ask("135", REFUND, "problem"),
            id="7.1 rejected, delivered late since: as that",
        ),
        pytest.param(
            replace(REJECTED, second=("211", REFUND)),
            TERMS,
            Ask("211", REFUND, "problem"),
            id="7.1 rejected, coded lost since: the new problem before a contest",
        ),
        pytest.param(REJECTED, replace(TERMS, contest_days=None), None, id="no contest where the carrier takes none"),
        pytest.param(
            replace(REJECTED, steps=(*REJECTED.steps, reopening(3, "reopened", "contest"), look(4, "rejected"))),
            TERMS,
            None,
            id="7.3 contested once already",
        ),
        pytest.param(
            replace(ACCEPTED, steps=(*ACCEPTED.steps, reopening(3, "refused"), look(4, "accepted"))),
            TERMS,
            None,
            id="6.4 refused for good already",
        ),
        pytest.param(
            replace(ACCEPTED, steps=(*ACCEPTED.steps, reopening(3, "already"), look(4, "accepted"))),
            TERMS,
            None,
            id="6.4 a refund request stands already",
        ),
        pytest.param(
            replace(ACCEPTED, steps=(*ACCEPTED.steps, reopening(3, "lost"), look(4, "reopened"), look(5, "accepted"))),
            TERMS,
            None,
            id="6.2 its lost answer was found: gone once",
        ),
        pytest.param(
            replace(
                ACCEPTED,
                steps=(
                    *ACCEPTED.steps,
                    reopening(3, "lost"),
                    look(4, "accepted"),
                    look(5, "reopened"),
                    look(6, "accepted"),
                ),
            ),
            TERMS,
            None,
            id="6.2 found at the second look: gone once",
        ),
        pytest.param(
            replace(ACCEPTED, steps=(*ACCEPTED.steps, reopening(3, "reopened", "contest"), look(4, "accepted"))),
            TERMS,
            Ask("211", REFUND, "refund"),
            id="7.1 contested with success: then as a refund",
        ),
        pytest.param(
            replace(ACCEPTED, steps=(*ACCEPTED.steps, reopening(3, "not_yet"), look(4, "accepted"))),
            TERMS,
            Ask("211", REFUND, "refund"),
            id="6.4 put off before: still wanted",
        ),
        pytest.param(answered("answered"), TERMS, None, id="7.3 answered neither way: a person reads it"),
    ],
)
def test_what_an_answered_claim_is_reopened_as(facts: ClaimFacts, terms: ClaimTerms, expected: Ask | None) -> None:
    assert wanted(facts, terms) == expected


# --- deciding ---------------------------------------------------------------------------------------

CALL = {"call": "reopen", "rule": "claim.reopen"}
HELD = {"state": State.WAITING_APPROVAL, "call": None}
WAITS = replace(ACCEPTED, state=State.WAITING_APPROVAL, hold=Hold.PROPOSE)
REJECTED_WAITS = replace(REJECTED, state=State.WAITING_APPROVAL, hold=Hold.PROPOSE)
GATE = Gates(Hold.PROPOSE, "waits for a person")


@pytest.mark.parametrize(
    ("facts", "gate", "now", "expected"),
    [
        pytest.param(ACCEPTED, FREE, "2026-11-30 06:00", CALL | {"state": State.ACCEPTED}, id="at once"),
        pytest.param(REJECTED, FREE, "2026-11-30 06:00", CALL | {"state": State.REJECTED}, id="a contest at once"),
        pytest.param(ACCEPTED, GATE, "2026-11-30 06:00", HELD | {"hold": Hold.PROPOSE}, id="a gate holds it"),
        pytest.param(
            REJECTED,
            GATE,
            "2026-11-30 06:00",
            # learned on the 30th, five days: until 5 December
            HELD | {"next_step_at": at("2026-12-06 00:00")},
            id="7.3 a held contest is looked at when its term has passed",
        ),
        pytest.param(
            REJECTED_WAITS,
            GATE,
            "2026-12-05 23:59",
            HELD,
            id="7.3 the last minute of the term",
        ),
        pytest.param(
            REJECTED_WAITS,
            GATE,
            "2026-12-06 00:00",
            {"state": State.REJECTED, "closed": True, "rule": "claim.reopen_term", "outcome": "rejected"},
            id="7.3 past the term: rejected it stays",
        ),
        pytest.param(
            replace(REJECTED_WAITS, approved_at=at("2026-12-06 00:00")),
            GATE,
            "2026-12-06 00:00",
            {"closed": True, "call": None},
            id="7.3 approved too late",
        ),
        pytest.param(
            replace(WAITS, approved_at=NOW), GATE, "2026-12-01 10:00", CALL | {"state": State.ACCEPTED}, id="approved"
        ),
        pytest.param(
            replace(ACCEPTED, approved_at=NOW),
            GATE,
            "2026-11-30 06:00",
            HELD,
            id="the approval of the filing is none of the reopening",
        ),
        pytest.param(WAITS, FREE, "2026-12-01 10:00", CALL, id="the merchant switched to auto"),
        pytest.param(
            replace(WAITS, hold=Hold.CARRIER_ANSWER),
            FREE,
            "2026-12-01 10:00",
            HELD | {"hold": Hold.CARRIER_ANSWER},
            id="what the carrier's answer holds waits for a person",
        ),
        pytest.param(
            replace(WAITS, delivered_at=NOW),
            FREE,
            "2026-12-01 10:00",
            {"state": State.ACCEPTED, "closed": False, "rule": "claim.reopen_term"},
            id="delivered while it waited: followed on",
        ),
        pytest.param(
            replace(WAITS, indemnified_at=NOW),
            FREE,
            "2026-12-01 10:00",
            {"state": State.PAID, "closed": True},
            id="8.3 paid while it waited",
        ),
        pytest.param(
            replace(ACCEPTED, steps=(*ACCEPTED.steps, reopening(3, "not_yet"))),
            FREE,
            "2026-12-01 10:00",
            {"call": "look_up", "rule": "claim.ask"},
            id="6.4 after a refusal the claim is looked at first",
        ),
        pytest.param(
            replace(ACCEPTED, kind=REFUND),
            FREE,
            "2026-12-01 06:00",
            {"call": "look_up"},
            id="8.3 followed to its money",
        ),
        pytest.param(
            reopened(), FREE, "2026-12-01 06:00", {"call": "look_up", "state": State.REOPENED}, id="reopened: asked for"
        ),
        pytest.param(
            # reopened on 30 November, ninety days: 28 February
            reopened(),
            FREE,
            "2027-03-01 06:00",
            {"closed": True, "rule": "claim.follow_ends"},
            id="6.2 ninety days after the reopening",
        ),
        pytest.param(reopened(), FREE, "2027-02-28 06:00", {"closed": False}, id="6.2 and not before"),
        pytest.param(
            claim(state=State.OPEN, opened_at=NOW, by_letter=True),
            FREE,
            "2026-12-09 00:00",
            {"state": State.OPEN, "call": None, "closed": False},
            id="by letter: nobody can be asked",
        ),
    ],
)
def test_the_next_step_of_an_answered_claim(facts: ClaimFacts, gate: Gates, now: str, expected: dict[str, Any]) -> None:
    move = pursue(facts, gate, TERMS, DAYS, at(now))
    assert shown(move, *expected) == expected
    assert move.closed or (move.next_step_at is not None and move.next_step_at >= at(now))


# --- the carrier's answer to a reopening ------------------------------------------------------------

ASKED = answered("accepted", reopening(3, "x"))
CONTESTED = answered("rejected", reopening(3, "x", "contest", kind=INQUIRY))
TUESDAY = at("2026-12-01 10:00")
PERSON = {"state": State.WAITING_APPROVAL, "hold": Hold.CARRIER_ANSWER, "call": None}
FOLLOWED = {"state": State.ACCEPTED, "call": None, "closed": False}


def asked(*outcomes: str, way: str = "refund", **more: Any) -> ClaimFacts:
    """Asked so often, each time answered so."""
    outcome = "accepted" if way == "refund" else "rejected"
    return answered(outcome, *(reopening(3 + n, o, way, **more) for n, o in enumerate(outcomes)))


@pytest.mark.parametrize(
    ("facts", "given", "expected"),
    [
        pytest.param(
            ASKED,
            reply(Out.REOPENED, protocol="210000001"),
            {"state": State.REOPENED, "reopened": True, "kind": REFUND, "motive": "211", "rule": "claim.reopened"},
            id="6.3 512 or 0: reopened",
        ),
        pytest.param(
            ASKED,
            reply(Out.REOPENED),
            {"next_step_at": at("2026-12-02 06:00"), "outcome": "registered", "closed": False},
            id="7.3 a new answering term begins",
        ),
        pytest.param(
            ASKED, reply(Out.REFUSED), FOLLOWED | {"rule": "claim.reopen_refused"}, id="6.4 587 of an accepted one"
        ),
        pytest.param(
            CONTESTED,
            reply(Out.REFUSED),
            {"state": State.REJECTED, "closed": True, "refusal": ("7", "the carrier's words")},
            id="6.4 587 of a rejected one: final",
        ),
        pytest.param(
            ASKED,
            reply(Out.REFUSED, service_level=True),
            FOLLOWED | {"by_contract": "the carrier's words"},
            id="8.4 by contract",
        ),
        pytest.param(
            ASKED,
            reply(Out.NOT_YET, after_answer=True),
            FOLLOWED | {"rule": "claim.reopen_later", "next_step_at": at("2026-12-02 06:00")},
            id="6.4 56, 591, 593: after the next answer",
        ),
        pytest.param(
            asked(*["not_yet"] * 6, waits_for_answer=True),
            reply(Out.NOT_YET, after_answer=True),
            PERSON,
            id="6.4 56 six times although the answer shows: a person",
        ),
        pytest.param(
            ASKED,
            reply(Out.NOT_YET, not_before=on("2026-12-11")),
            FOLLOWED | {"next_step_at": at("2026-12-12 00:00")},
            id="6.4 589: looked at after the payment's term",
        ),
        pytest.param(
            ASKED,
            reply(Out.NOT_YET, not_before=on("2026-11-01")),
            FOLLOWED | {"next_step_at": at("2026-12-02 00:00")},
            id="6.4 589 with a day that has passed: tomorrow",
        ),
        pytest.param(
            ASKED,
            reply(Out.NOT_YET, waits=(timedelta(days=30),) * 2),
            {"call": "reopen", "next_step_at": TUESDAY + timedelta(days=30)},
            id="6.4 589 without a day: in a month",
        ),
        pytest.param(
            ASKED,
            # Wed 2 (1), 3, 4 (3), Mon 7 (4), Tue 8 December (5)
            reply(Out.NOT_YET, after_event=True),
            FOLLOWED | {"next_step_at": at("2026-12-08 00:00")},
            id="6.4 598, 534: after the next event, or five business days",
        ),
        pytest.param(
            ASKED, reply(Out.NOT_YET, look_first=True), FOLLOWED | {"look": True}, id="6.4 546: tracking first"
        ),
        pytest.param(
            ASKED,
            reply(Out.NOT_YET, waits=(timedelta(minutes=5),), carrier_fault=True),
            {"call": "reopen", "ask": Ask("211", REFUND, "refund"), "next_step_at": TUESDAY + timedelta(minutes=5)},
            id="6.4 999: the same again in five minutes",
        ),
        pytest.param(
            asked("not_yet", "not_yet"),
            reply(Out.NOT_YET, waits=(timedelta(minutes=5),), carrier_fault=True),
            {"rule": "claim.carrier_failing", "call": "reopen", "next_step_at": TUESDAY + timedelta(days=1)},
            id="6.4 999 beyond its waits: daily, and one alert",
        ),
        pytest.param(
            asked("not_yet", "not_yet"),
            reply(Out.NOT_YET, waits=(timedelta(days=1),)),
            PERSON,
            id="6.4 539 beyond its waits: a person",
        ),
        pytest.param(
            ASKED,
            reply(Out.ALREADY, protocol="209700456"),
            {"state": State.ACCEPTED, "call": "look_up", "by_parcel": True, "protocol": "209700456", "kind": REFUND},
            id="6.4 590: the refund request that stands is followed",
        ),
        pytest.param(
            asked("not_found"),
            reply(Out.NOT_FOUND),
            {"call": "look_up", "by_parcel": True, "rule": "claim.reopen_look"},
            id="6.4 575: looked up by the parcel",
        ),
        pytest.param(
            asked("not_found", "not_found"),
            reply(Out.NOT_FOUND),
            FOLLOWED | {"rule": "claim.reopen_refused"},
            id="6.4 575 again: final",
        ),
        pytest.param(
            ASKED,
            reply(Out.OTHER_KIND),
            {"call": "reopen", "ask": Ask("211", INQUIRY, "refund"), "rule": "claim.reopen_switch"},
            id="6.4 582: with the kind it was filed as",
        ),
        pytest.param(CONTESTED, reply(Out.OTHER_KIND), PERSON, id="6.4 582 of the kind it was filed as: a person"),
        pytest.param(
            answered("accepted", reopening(3, "other_kind"), reopening(4, "other_kind", kind=INQUIRY)),
            reply(Out.OTHER_KIND),
            PERSON,
            id="6.4 582 twice: a person",
        ),
        pytest.param(
            answered("accepted", reopening(3, "other_motive"), second=("135", REFUND)),
            reply(Out.OTHER_MOTIVE),
            {"call": "reopen", "ask": Ask("135", REFUND, "refund")},
            id="6.4 583, 588: another motive once",
        ),
        pytest.param(
            answered(
                "accepted",
                reopening(3, "other_motive"),
                reopening(4, "other_motive", motive="135"),
                second=("135", REFUND),
            ),
            reply(Out.OTHER_MOTIVE),
            PERSON,
            id="6.4 588 again: a person",
        ),
        pytest.param(asked("other_motive"), reply(Out.OTHER_MOTIVE), PERSON, id="6.4 583 without another: a person"),
        pytest.param(
            asked("other_motive"),
            reply(Out.OTHER_MOTIVE, otherwise=Out.REFUSED),
            FOLLOWED | {"rule": "claim.reopen_refused"},
            id="6.4 597, 550 without another: final",
        ),
        pytest.param(
            asked("other_motive"),
            reply(Out.OTHER_MOTIVE, otherwise=Out.NOT_YET),
            FOLLOWED | {"next_step_at": at("2026-12-08 00:00")},
            id="6.4 545 without another: the next event",
        ),
        pytest.param(
            answered("accepted", reopening(3, "other_motive", motive="135"), second=("135", REFUND)),
            reply(Out.OTHER_MOTIVE),
            {"call": "reopen", "ask": Ask("211", REFUND, "refund")},
            id="6.4 588 of the new motive: the one it was filed with",
        ),
        pytest.param(
            ASKED,
            reply(Out.WRONG_CONFIGURATION),
            {"state": State.WAITING_APPROVAL, "hold": Hold.CONFIGURATION},
            id="6.4 55, 122, 594: configuration",
        ),
        pytest.param(ASKED, reply(Out.NEEDS_PERSON), PERSON, id="6.4 50, 260, 513, 586: a person"),
        pytest.param(ASKED, reply(Out.UNKNOWN), PERSON, id="6.4 a code nobody knows: a person"),
    ],
)
def test_the_answer_to_a_reopening(facts: ClaimFacts, given: ReopenAnswer, expected: dict[str, Any]) -> None:
    move = after_reopen(facts, given, TERMS, DAYS, TUESDAY)
    assert shown(move, *expected) == expected
    assert move.closed or (move.next_step_at is not None and move.next_step_at >= TUESDAY)
    assert move.call is None or move.by_parcel or move.ask is not None


@pytest.mark.parametrize(
    ("facts", "given", "kind"),
    [
        pytest.param(ASKED, reply(Out.REFUSED), "claim_refund_refused", id="an accepted claim whose money is refused"),
        pytest.param(CONTESTED, reply(Out.REFUSED), None, id="a contest in vain is no news"),
        pytest.param(ASKED, reply(Out.UNKNOWN), "claim_needs_person", id="a code nobody knows"),
        pytest.param(
            asked("not_yet", "not_yet"),
            reply(Out.NOT_YET, waits=(timedelta(minutes=5),), carrier_fault=True),
            "claims_failing",
            id="the carrier's machines",
        ),
        pytest.param(ASKED, reply(Out.REOPENED), None, id="reopened"),
    ],
)
def test_what_an_operator_hears_of_a_reopening(facts: ClaimFacts, given: ReopenAnswer, kind: str | None) -> None:
    assert alert_kind(after_reopen(facts, given, TERMS, DAYS, TUESDAY)) == kind


# --- lost on the way, and looked up -----------------------------------------------------------------

LOST = answered("accepted", reopening(3, "lost"))


@pytest.mark.parametrize(
    ("looks", "found", "expected"),
    [
        pytest.param(
            1,
            status(Progress.REOPENED, protocol="P1"),
            {"state": State.REOPENED, "reopened": True, "kind": REFUND, "rule": "claim.reopen_adopted", "call": None},
            id="6.2 Houve Recorrência: it had arrived",
        ),
        pytest.param(
            1, status(Progress.ACCEPTED), {"call": "look_up", "reopened": False}, id="not shown once: look again"
        ),
        pytest.param(
            2,
            status(Progress.ACCEPTED),
            {"call": "reopen", "ask": Ask("211", REFUND, "refund"), "reopened": False},
            id="not shown twice: asked again, for the same",
        ),
        pytest.param(2, status(Progress.REOPENED), {"reopened": True, "call": None}, id="shown at the second look"),
        pytest.param(1, status(Progress.PAID), {"state": State.PAID, "closed": True}, id="paid meanwhile"),
        pytest.param(1, status(Progress.NONE), {"rule": "claim.not_found", "call": None}, id="the carrier's mood"),
    ],
)
def test_a_reopening_whose_answer_was_lost(looks: int, found: Any, expected: dict[str, Any]) -> None:
    steps = (*LOST.steps, *(look(4 + n, "accepted") for n in range(looks)))
    move = after_look_up(replace(LOST, steps=steps), found, TERMS, DAYS, TUESDAY)
    assert shown(move, *expected) == expected


@pytest.mark.parametrize("before", [(), ("accepted",)], ids=["found at once", "found at the second look"])
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Progress.REOPENED, {"state": State.REOPENED, "rule": "claim.follow"}),
        (Progress.ACCEPTED, {"state": State.ACCEPTED, "rule": "claim.accepted"}),
        (Progress.REJECTED, {"state": State.REJECTED, "rule": "claim.rejected"}),
    ],
)
def test_a_lost_reopening_that_was_found_is_lost_no_more(before: Any, found: Any, expected: Any) -> None:
    """Its next looks are those of any reopened claim: it is neither taken for new nor asked of the carrier again."""
    shown_as = (*before, "reopened", found.value)
    steps = (*LOST.steps, *(look(4 + n, outcome) for n, outcome in enumerate(shown_as)))
    facts = replace(LOST, state=State.REOPENED, kind=REFUND, reopened_at=TUESDAY - timedelta(days=3), steps=steps)
    move = after_look_up(facts, status(found, answered_on=date(2026, 11, 30)), TERMS, DAYS, TUESDAY)
    assert shown(move, "call", "reopened", *expected) == {"call": None, "reopened": False, **expected}


def test_after_a_lost_reopening_nothing_is_sent_before_a_look() -> None:
    assert shown(after_lost_answer(LOST, TUESDAY), "state", "call") == {"state": State.ACCEPTED, "call": "look_up"}


def test_a_reopening_that_did_not_leave_is_made_again_as_it_was() -> None:
    facts = answered("accepted", reopening(3, "not_sent", motive="135"))
    move = after_not_sent(facts, "connection refused", TUESDAY)
    assert shown(move, "call", "ask") == {"call": "reopen", "ask": Ask("135", REFUND, "refund")}


@pytest.mark.parametrize(
    ("facts", "found", "expected"),
    [
        pytest.param(
            reopened(),
            status(Progress.ACCEPTED, answered_on=on("2026-11-30")),
            {"state": State.REOPENED, "rule": "claim.follow"},
            id="6.2 the old answer is no new one",
        ),
        pytest.param(
            reopened(),
            status(Progress.ACCEPTED, answered_on=on("2026-12-03")),
            {"state": State.ACCEPTED, "closed": False, "answered_on": on("2026-12-03")},
            id="6.2 a later answer is",
        ),
        pytest.param(
            reopened(),
            status(Progress.REJECTED, answered_on=on("2026-12-03")),
            {"state": State.REJECTED, "closed": False, "next_step_at": at("2026-12-04 06:00")},
            id="7.3 the refund is rejected: contested next",
        ),
        pytest.param(
            reopened(steps=(*reopened().steps, reopening(4, "reopened", "contest"))),
            status(Progress.REJECTED, answered_on=on("2026-12-03")),
            {"state": State.REJECTED, "closed": True},
            id="7.3 rejected after its contest: the end",
        ),
        pytest.param(
            reopened(), status(Progress.REOPENED), {"state": State.REOPENED}, id="6.2 reopened, no answer yet"
        ),
        pytest.param(
            reopened(),
            status(Progress.OPEN),
            {"state": State.REOPENED},
            id="6.2 a reopening that acompanha does not show yet stays one",
        ),
        pytest.param(
            reopened(),
            status(Progress.ACCEPTED, answered_on=on("2026-12-03"), granted_cents=123_456, carrier_state="Respondida"),
            {"granted_cents": 123_456, "carrier_state": "Respondida"},
            id="6.2 amount and the carrier's own word are kept",
        ),
        pytest.param(
            claim(state=State.OPEN, opened_at=NOW, adopted=True),
            status(Progress.OPEN, motive="134", kind=ClaimKind.REFUND),
            {"motive": "134", "kind": REFUND},
            id="6.4 900: motive and kind are those of whoever opened it",
        ),
        pytest.param(
            claim(state=State.OPEN, opened_at=NOW),
            status(Progress.OPEN, motive="134", kind=ClaimKind.REFUND),
            {"motive": None, "kind": None},
            id="of our own we know them",
        ),
        pytest.param(
            claim(state=State.OPEN, opened_at=NOW),
            status(Progress.OPEN, service_level=True),
            {"state": State.OPEN, "by_contract": "registered by the service-level system"},
            id="8.4 the flag in acompanha",
        ),
        pytest.param(
            answered(
                "accepted", reopening(3, "not_found"), Step(4, "look_up", "done", "211", "none", "990", way="refund")
            ),
            status(Progress.NONE),
            {"rule": "claim.reopen_refused", "state": State.ACCEPTED},
            id="6.4 575, and not found by the parcel either: final",
        ),
    ],
)
def test_what_a_look_up_says_of_it(facts: ClaimFacts, found: Any, expected: dict[str, Any]) -> None:
    move = after_look_up(facts, found, TERMS, DAYS, at("2026-12-04 06:00"))
    assert shown(move, *expected) == expected


@pytest.mark.parametrize(
    ("now", "alert"),
    [
        # reopened Mon 30 November: 1 to 4 (4), 7 to 11 (9), Mon 14 December (10)
        pytest.param("2026-12-11 06:00", None, id="nine business days after the reopening"),
        pytest.param("2026-12-14 06:00", "claim_unanswered", id="ten"),
    ],
)
def test_a_reopening_without_an_answer_is_brought_to_a_person(now: str, alert: str | None) -> None:
    assert alert_kind(after_look_up(reopened(), status(Progress.REOPENED), TERMS, DAYS, at(now))) == alert


def test_no_reopening_leaves_a_shop_that_observes_again() -> None:
    gate = Gates(Hold.OBSERVE, "the shop only observes")
    pending, held = answered("accepted", reopening(3, None)), {"state": State.WAITING_APPROVAL, "hold": Hold.OBSERVE}
    instead = instead_of_reopening(pending, gate, TERMS, DAYS, TUESDAY)
    assert instead is not None and shown(instead, "state", "hold") == held
    assert instead_of_reopening(pending, GATE, TERMS, DAYS, TUESDAY) is None
    approved = replace(WAITS, approved_at=ANSWERED)
    assert shown(pursue(approved, gate, TERMS, DAYS, TUESDAY), "state", "hold") == held
    # Called off and live again, it is asked for.
    waits = replace(answered("accepted", reopening(3, "withdrawn")), state=State.WAITING_APPROVAL, hold=Hold.OBSERVE)
    assert shown(pursue(waits, FREE, TERMS, DAYS, TUESDAY), *CALL) == CALL


def test_a_letter_is_laid_aside_like_any_other() -> None:
    facts = claim(state=State.OPEN, opened_at=NOW, by_letter=True)
    move = pursue(facts, FREE, TERMS, DAYS, at("2026-12-09 00:00"))
    assert (alert_kind(move), move.next_step_at) == ("claim_unanswered", at("2027-02-24 00:00"))
    assert pursue(facts, FREE, TERMS, DAYS, at("2027-02-24 00:00")).closed


def test_every_rule_has_a_name_and_a_version() -> None:
    moves: list[Move] = [
        after_reopen(facts, reply(outcome, otherwise=Out.REFUSED), TERMS, DAYS, TUESDAY)
        for facts in (ASKED, CONTESTED)
        for outcome in Out
    ]
    moves += [after_look_up(reopened(), status(progress), TERMS, DAYS, TUESDAY) for progress in Progress]
    moves += [follow(reopened(), TERMS, DAYS, TUESDAY)]
    assert {move.rule for move in moves} <= set(RULE_VERSIONS)
    assert all(version >= 1 for version in RULE_VERSIONS.values())

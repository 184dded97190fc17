"""What keeps a parcel from being handed over, by the causes of contract.md section 3 and the codes of correios-events.csv.

The parcel was posted on Monday 16 November 2026 and moved on Tuesday 17; Friday 20 November is a holiday.
"""

from __future__ import annotations

import pytest

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.detection_support import DAMAGED, LOST, RETURNED, STOLEN, delivered, facts, found, live_through, wake
from tests.domain.support import DAYS, at, event, failed, kinds, on, reversal
from tracker.domain.detection import Facts, find
from tracker.domain.history import StoredEvent

Status = TrackingStatus
Kind = ProblemKind

OUT = event(3, "2026-11-18 08:00", Status.OUT_FOR_DELIVERY)
ABSENT = failed(4, "2026-11-18 15:00")  # BDE 20
WRONG = failed(5, "2026-11-19 15:00", Cause.WRONG_ADDRESS)  # BDE 19
REFUSED_HERE = event(5, "2026-11-19 15:00", Status.EXCEPTION, cause=Cause.REFUSED)  # PAR 26
COUNTER = event(6, "2026-11-19 16:00", Status.AVAILABLE_FOR_PICKUP)  # LDI 01
HELD = event(5, "2026-11-19 15:00", Status.CUSTOMS, cause=Cause.CUSTOMS_HOLD)  # PAR 17
SEIZED = event(7, "2026-11-23 10:00", Status.SEIZED, cause=Cause.SEIZED, final=True)  # BDE 43


def moved(id: int, when: str) -> StoredEvent:
    return event(id, when, Status.IN_TRANSIT)


def back(id: int, when: str, cause: Cause | None = None) -> StoredEvent:
    return event(id, when, Status.RETURNING, cause=cause)


def counter(id: int, when: str, until: str | None = None) -> StoredEvent:
    return event(id, when, Status.AVAILABLE_FOR_PICKUP, pickup_until=on(until) if until else None)


# --- contract.md section 3: which cause is which problem ----------------------------------------------


@pytest.mark.parametrize(
    ("events", "kind", "cause", "since"),
    [
        pytest.param([ABSENT], "delivery_failed", Cause.ABSENT, "2026-11-18 15:00", id="nobody at home (BDE 20)"),
        pytest.param(
            [ABSENT, failed(5, "2026-11-19 15:00")],
            "delivery_failed",
            Cause.ABSENT,
            "2026-11-18 15:00",
            id="nobody at home twice is one series, since the first time",
        ),
        pytest.param(
            [ABSENT, moved(5, "2026-11-18 20:00")],
            "delivery_failed",
            Cause.ABSENT,
            "2026-11-18 15:00",
            id="carried back to the depot, it still was not handed over",
        ),
        pytest.param(
            [ABSENT, event(5, "2026-11-19 08:00", Status.OUT_FOR_DELIVERY)],
            "delivery_failed",
            Cause.ABSENT,
            "2026-11-18 15:00",
            id="out for delivery again is no delivery yet",
        ),
        pytest.param(
            [event(4, "2026-11-18 15:00", Status.DELIVERY_FAILED, attempt=True)],
            "delivery_failed",
            None,
            "2026-11-18 15:00",
            id="the carrier failed and gave no reason",
        ),
        pytest.param([ABSENT, WRONG], "address_problem", Cause.WRONG_ADDRESS, "2026-11-19 15:00", id="wrong address"),
        pytest.param([WRONG], "address_problem", Cause.WRONG_ADDRESS, "2026-11-19 15:00", id="wrong address (BDE 19)"),
        pytest.param(
            [WRONG, failed(6, "2026-11-23 15:00")],
            "delivery_failed",
            Cause.ABSENT,
            "2026-11-23 15:00",
            id="the address was found in the end, and nobody at home",
        ),
        pytest.param(
            [event(5, "2026-11-19 15:00", Status.CUSTOMS, cause=Cause.WRONG_ADDRESS)],
            "address_problem",
            Cause.WRONG_ADDRESS,
            "2026-11-19 15:00",
            id="customs need the rest of the address (BDE 82)",
        ),
        pytest.param([REFUSED_HERE], "refused", Cause.REFUSED, "2026-11-19 15:00", id="refused, not yet going back"),
        pytest.param(
            [failed(5, "2026-11-19 15:00", Cause.REFUSED)],
            "refused",
            Cause.REFUSED,
            "2026-11-19 15:00",
            id="refused at the door",
        ),
        pytest.param([HELD], "customs_hold", Cause.CUSTOMS_HOLD, "2026-11-19 15:00", id="customs wait for a payment"),
        pytest.param(
            [HELD, event(6, "2026-11-23 15:00", Status.EXCEPTION, cause=Cause.CUSTOMS_HOLD)],
            "customs_hold",
            Cause.CUSTOMS_HOLD,
            "2026-11-19 15:00",
            id="the term for paying is over (PAR 41)",
        ),
        pytest.param([SEIZED], "seized", Cause.SEIZED, "2026-11-23 10:00", id="seized (BDE 43)"),
        pytest.param([HELD, SEIZED], "seized", Cause.SEIZED, "2026-11-23 10:00", id="held, then seized"),
        pytest.param(
            [event(5, "2026-11-23 10:00", Status.EXCEPTION, cause=Cause.UNCLAIMED)],
            "returning",
            Cause.UNCLAIMED,
            "2026-11-23 10:00",
            id="its sender did not collect it (BDE 03): it had turned back unseen",
        ),
        pytest.param(
            [ABSENT, back(5, "2026-11-23 10:00", Cause.ABSENT)],
            "returning",
            Cause.ABSENT,
            "2026-11-23 10:00",
            id="three times absent and going back (BDE 21): the return has the cause",
        ),
        pytest.param(
            [REFUSED_HERE, back(6, "2026-11-23 10:00", Cause.REFUSED)],
            "returning",
            Cause.REFUSED,
            "2026-11-23 10:00",
            id="refused, and turned back",
        ),
        pytest.param(
            [WRONG, back(6, "2026-11-23 10:00", Cause.WRONG_ADDRESS)],
            "returning",
            Cause.WRONG_ADDRESS,
            "2026-11-23 10:00",
            id="wrong address, and turned back (BDE 07)",
        ),
        pytest.param(
            [back(6, "2026-11-23 10:00", Cause.REFUSED), failed(7, "2026-11-24 10:00")],
            "returning",
            Cause.REFUSED,
            "2026-11-23 10:00",
            id="on its way back an attempt is the sender's affair",
        ),
    ],
)
def test_what_stands(events: list[StoredEvent], kind: str, cause: Cause | None, since: str) -> None:
    findings = found(facts(*events), "2026-11-25 12:00")
    assert set(findings) == {kind}
    assert (findings[kind].cause, findings[kind].since, findings[kind].ended) == (cause, at(since), None)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(
            [event(4, "2026-11-18 15:00", Status.DELIVERY_FAILED, cause=Cause.DELAY)], id="not tried (BDE 46)"
        ),
        pytest.param([failed(4, "2026-11-18 15:00", Cause.OTHER)], id="no document shown (BDE 33): status only"),
        pytest.param([event(4, "2026-11-18 15:00", Status.EXCEPTION, cause=Cause.OTHER)], id="in analysis (BDE 38)"),
        pytest.param([event(4, "2026-11-18 15:00", Status.EXCEPTION, cause=Cause.RETURN)], id="given back (BDE 22)"),
        pytest.param([event(4, "2026-11-18 15:00", Status.IN_TRANSIT, cause=Cause.DELAY)], id="late by its own word"),
        pytest.param([event(4, "2026-11-18 15:00", Status.PRE_TRANSIT, cause=Cause.OTHER)], id="not collected (CO 05)"),
        pytest.param([event(4, "2026-11-18 15:00", Status.CUSTOMS)], id="sent to customs (PAR 21)"),
        pytest.param([HELD, event(6, "2026-11-23 15:00", Status.CUSTOMS)], id="paid at customs (PAR 31)"),
        pytest.param([HELD, moved(6, "2026-11-23 15:00")], id="released by customs (PAR 42)"),
        pytest.param(
            [event(5, "2026-11-19 15:00", Status.CUSTOMS, cause=Cause.WRONG_ADDRESS), moved(6, "2026-11-23 15:00")],
            id="customs got the address",
        ),
        pytest.param([ABSENT, delivered("2026-11-19 15:00")], id="absent, then delivered"),
        pytest.param([ABSENT, COUNTER], id="absent, then laid out at the counter"),
        pytest.param([WRONG, delivered("2026-11-23 15:00")], id="wrong address, delivered all the same"),
        pytest.param([ABSENT, reversal(5, "2026-11-18 16:00")], id="the attempt was taken back (EST)"),
        pytest.param([COUNTER], id="at a counter without a last day: none is guessed"),
        pytest.param([OUT], id="out for delivery"),
    ],
)
def test_what_is_no_problem_by_itself(events: list[StoredEvent]) -> None:
    assert found(facts(*events), "2026-11-24 12:00") == {}


# --- how they end, and come again (design.md section 8: episodes) -------------------------------------


@pytest.mark.parametrize(
    ("first", "then", "kind", "ended_at", "resolution"),
    [
        pytest.param(
            [ABSENT],
            [ABSENT, delivered("2026-11-24 15:00")],
            "delivery_failed",
            "2026-11-24 15:00",
            "delivered",
            id="delivered at the second try",
        ),
        pytest.param(
            [ABSENT],
            [ABSENT, COUNTER],
            "delivery_failed",
            "2026-11-19 16:00",
            "available_for_pickup",
            id="laid out at the counter",
        ),
        pytest.param(
            [ABSENT],
            [ABSENT, back(6, "2026-11-24 10:00", Cause.ABSENT)],
            "delivery_failed",
            "2026-11-24 10:00",
            "returning",
            id="turned back",
        ),
        pytest.param(
            [ABSENT], [ABSENT, WRONG], "delivery_failed", "2026-11-19 15:00", "superseded", id="another reason instead"
        ),
        pytest.param(
            [ABSENT],
            [ABSENT, LOST],
            "delivery_failed",
            "2026-11-27 12:00",
            "superseded",
            id="lost after the attempt",
        ),
        pytest.param(
            [REFUSED_HERE], [REFUSED_HERE, RETURNED], "refused", "2026-12-03 10:00", "returned", id="refused, and back"
        ),
        pytest.param(
            [HELD],
            [HELD, event(6, "2026-11-24 15:00", Status.CUSTOMS)],
            "customs_hold",
            "2026-11-24 15:00",
            "moving_again",
            id="released by customs",
        ),
        pytest.param([HELD], [HELD, SEIZED], "customs_hold", "2026-11-23 10:00", "seized", id="seized by customs"),
        pytest.param(
            [SEIZED],
            [SEIZED, moved(8, "2026-11-26 10:00")],
            "seized",
            "2026-11-26 10:00",
            "moving_again",
            id="given free by the authority",
        ),
        pytest.param(
            [ABSENT],
            [ABSENT, reversal(5, "2026-11-18 16:00")],
            "delivery_failed",
            "2026-11-27 12:00",
            "withdrawn",
            id="the attempt was taken back",
        ),
    ],
)
def test_how_it_ends(
    first: list[StoredEvent], then: list[StoredEvent], kind: str, ended_at: str, resolution: str
) -> None:
    known, changes = live_through((facts(*first), "2026-11-23 18:00"), (facts(*then), "2026-11-27 12:00"))
    assert [(p.kind.value, when, how) for p, when, how in changes.ended] == [(kind, at(ended_at), resolution)]
    assert known[kind].resolved_at == at(ended_at)


def test_a_series_after_a_delivery_that_was_taken_back_is_the_next_episode() -> None:
    here = [ABSENT, delivered("2026-11-19 15:00")]
    again = [*here, reversal(10, "2026-11-19 18:00"), failed(11, "2026-11-23 15:00")]
    known, changes = live_through(
        (facts(ABSENT), "2026-11-18 18:00"), (facts(*here), "2026-11-19 16:00"), (facts(*again), "2026-11-23 18:00")
    )
    assert [(finding.kind, episode) for finding, episode in changes.opened] == [(Kind.DELIVERY_FAILED, 2)]
    assert known["delivery_failed"].since == at("2026-11-18 15:00")


def test_a_second_attempt_changes_nothing() -> None:
    twice = facts(ABSENT, failed(5, "2026-11-19 15:00"))
    _, changes = live_through((facts(ABSENT), "2026-11-18 18:00"), (twice, "2026-11-19 18:00"))
    assert (changes.opened, changes.changed, changes.ended) == ((), (), ())


# --- the last day at the counter (carrier reference 3.2, dtLimiteRetirada) ----------------------------

# Laid out on Wednesday 18, until Wednesday 25. Business days left after Sunday 22: Mon, Tue, Wed (3); after Monday: 2.
WAITS = counter(6, "2026-11-18 16:00", "2026-11-25")


@pytest.mark.parametrize(
    ("shown", "now", "since"),
    [
        pytest.param(facts(WAITS), "2026-11-22 23:59", None, id="three business days left"),
        pytest.param(facts(WAITS), "2026-11-23 00:00", "2026-11-23 00:00", id="two business days left"),
        pytest.param(facts(WAITS), "2026-11-25 12:00", "2026-11-23 00:00", id="on the last day"),
        pytest.param(
            facts(WAITS), "2026-11-30 12:00", "2026-11-23 00:00", id="past it, and nobody says what became of it"
        ),
        pytest.param(
            facts(WAITS, pickup_business_days=0), "2026-11-24 23:59", None, id="the merchant wants the last day only"
        ),
        pytest.param(
            facts(WAITS, pickup_business_days=0),
            "2026-11-25 00:00",
            "2026-11-25 00:00",
            id="the last day only, and it is",
        ),
        pytest.param(
            facts(counter(6, "2026-11-18 16:00", "2026-11-23")),
            "2026-11-19 09:00",
            "2026-11-18 16:00",
            id="a holiday and a weekend before it leave fewer days",
        ),
        pytest.param(
            facts(counter(6, "2026-11-18 16:00", "2026-11-19")),
            "2026-11-18 17:00",
            "2026-11-18 16:00",
            id="a term shorter than the warning: since it waits there",
        ),
        pytest.param(facts(counter(6, "2026-11-18 16:00")), "2026-12-10 12:00", None, id="no last day is guessed"),
        pytest.param(
            facts(counter(6, "2026-11-18 16:00"), pickup_days=7),
            "2026-11-23 12:00",
            "2026-11-23 00:00",
            id="the term this carrier always gives",
        ),
        pytest.param(
            facts(counter(6, "2026-11-18 16:00", "2026-11-25"), pickup_days=30),
            "2026-11-23 12:00",
            "2026-11-23 00:00",
            id="the carrier's own date goes before its usual term",
        ),
        pytest.param(
            facts(WAITS, counter(7, "2026-11-19 16:00")),
            "2026-11-23 12:00",
            "2026-11-23 00:00",
            id="a second notice without the date takes none away",
        ),
        pytest.param(
            facts(WAITS, counter(7, "2026-11-19 16:00", "2026-12-02")),
            "2026-11-23 12:00",
            None,
            id="a second notice with a later date counts",
        ),
        pytest.param(
            facts(WAITS, order_cancelled=True), "2026-11-25 12:00", None, id="a cancelled order is not fetched"
        ),
        pytest.param(facts(WAITS, delivered("2026-11-24 10:00")), "2026-11-25 12:00", None, id="it was fetched"),
        pytest.param(
            facts(WAITS, answered="2026-11-18 18:00"),
            "2026-11-23 12:00",
            "2026-11-23 00:00",
            id="a reminder needs no new answer",
        ),
    ],
)
def test_pickup_expiring(shown: Facts, now: str, since: str | None) -> None:
    finding = found(shown, now).get("pickup_expiring")
    assert (finding.since if finding else None) == (at(since) if since else None)


def test_the_counter_is_looked_at_again_when_its_term_nears() -> None:
    assert wake(facts(WAITS), "2026-11-19 12:00") == at("2026-11-23 00:00")
    assert wake(facts(WAITS), "2026-11-23 12:00") is None
    assert found(facts(WAITS), "2026-11-24 12:00")["pickup_expiring"].facts == {
        "last_day": "2026-11-25",
        "basis": "carrier's date",
        "waits_since": at("2026-11-18 16:00").isoformat(),
        "business_days": 2,
        "place": facts(WAITS).history.location,
    }


@pytest.mark.parametrize(
    ("then", "ended_at", "resolution"),
    [
        pytest.param(facts(WAITS, delivered("2026-11-24 10:00")), "2026-11-24 10:00", "delivered", id="fetched"),
        pytest.param(
            facts(WAITS, back(7, "2026-11-26 10:00", Cause.UNCLAIMED)),
            "2026-11-26 10:00",
            "returning",
            id="not fetched",
        ),
        pytest.param(
            facts(WAITS, counter(7, "2026-11-24 10:00", "2026-12-04")),
            "2026-11-26 12:00",
            "term_extended",
            id="kept a week longer",
        ),
        pytest.param(
            facts(WAITS, event(7, "2026-11-24 10:00", Status.OUT_FOR_DELIVERY)),
            "2026-11-24 10:00",
            "moving_again",
            id="taken out once more",
        ),
        pytest.param(
            facts(WAITS, order_cancelled=True, order_settled=True),
            "2026-11-26 12:00",
            "order_cancelled",
            id="cancelled",
        ),
    ],
)
def test_how_waiting_ends(then: Facts, ended_at: str, resolution: str) -> None:
    _, changes = live_through((facts(WAITS), "2026-11-23 12:00"), (then, "2026-11-26 12:00"))
    assert [(p.kind.value, when, how) for p, when, how in changes.ended] == [
        ("pickup_expiring", at(ended_at), resolution)
    ]


# --- what silences what -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([ABSENT, LOST], {"loss"}, id="lost after an attempt"),
        pytest.param([ABSENT, STOLEN], {"theft"}, id="stolen after an attempt"),
        pytest.param([ABSENT, DAMAGED], {"damage"}, id="damaged after an attempt: the damage is what is left"),
        pytest.param(
            [DAMAGED, failed(9, "2026-11-26 12:00")],
            {"damage", "delivery_failed", "late_delivery"},
            id="damaged, and tried too late",
        ),
        pytest.param([failed(4, "2026-11-26 08:00")], {"delivery_failed", "late_delivery"}, id="tried too late"),
        pytest.param([ABSENT], {"delivery_failed"}, id="tried in time"),
        pytest.param([HELD], {"customs_hold", "delay"}, id="late at customs is late"),
        pytest.param([SEIZED], {"seized"}, id="what is seized is not late"),
        pytest.param([counter(6, "2026-11-19 16:00", "2026-11-27")], {"pickup_expiring"}, id="at the counter in time"),
        pytest.param(
            [counter(6, "2026-11-25 16:00", "2026-11-27")],
            {"pickup_expiring", "late_delivery"},
            id="at the counter too late, and soon back",
        ),
    ],
)
def test_what_stands_together(events: list[StoredEvent], expected: set[str]) -> None:
    shown = facts(*events, due="2026-11-24", terms=7, stalled_business_days=5)
    findings, _ = find(shown, days=DAYS, now=at("2026-11-26 14:00"))
    assert kinds(findings) == expected

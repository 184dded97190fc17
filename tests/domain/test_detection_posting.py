"""Not with the carrier although it should be (carrier reference 3.4, 9), and orders without a shipment (contract.md section 3).

Monday 16 November 2026 is the day of posting in most rows; Friday 20 November is a holiday.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from carriers.base import Cause, ProblemKind, TrackingStatus
from tests.domain.detection_support import delivered, facts_of, found, live_through, wake
from tests.domain.support import DAYS, at, event, on, settle
from tracker.domain.detection import RECHECK, Facts, OrderFacts, detect_order
from tracker.domain.detection.facts import KnownProblem
from tracker.domain.history import StoredEvent
from tracker.domain.order import OrderStatus

Status = TrackingStatus
Kind = ProblemKind
LABEL = event(1, "2026-11-16 09:00", Status.PRE_TRANSIT)  # FC 82
POSTED = event(2, "2026-11-19 17:00", Status.POSTED)  # PO 01
# Business days after Monday 16: Tue 17 (1), Wed 18 (2); "more than two ago" from Thursday 19 on.
DUE: dict[str, Any] = {"post_by": on("2026-11-16"), "post_by_basis": "shipped_on"}


def shown(*events: StoredEvent, **more: Any) -> Facts:
    return facts_of(*events, **{**DUE, **more})


@pytest.mark.parametrize(
    ("facts", "now", "since"),
    [
        pytest.param(shown(LABEL), "2026-11-18 23:59", None, id="the second business day is not over"),
        pytest.param(shown(LABEL), "2026-11-19 00:00", "2026-11-19 00:00", id="label only, the second day is over"),
        pytest.param(shown(), "2026-11-19 09:00", "2026-11-19 00:00", id="not known to the carrier (SRO-020)"),
        pytest.param(shown(), "2026-12-19 09:00", "2026-11-19 00:00", id="since it was true, not since we looked"),
        pytest.param(
            shown(LABEL, post_by=on("2026-11-19")),
            "2026-11-24 23:59",
            None,
            id="a holiday and a weekend are no business days",
        ),
        pytest.param(
            shown(LABEL, post_by=on("2026-11-19")),
            "2026-11-25 00:00",
            "2026-11-25 00:00",
            id="Monday and Tuesday after them are the two",
        ),
        pytest.param(
            shown(LABEL, not_posted_business_days=0),
            "2026-11-17 00:00",
            "2026-11-17 00:00",
            id="the merchant waits no day",
        ),
        pytest.param(shown(LABEL, POSTED), "2026-11-25 09:00", None, id="posted, though late"),
        pytest.param(
            shown(delivered("2026-11-20 10:00")), "2026-11-25 09:00", None, id="its first scan is the delivery"
        ),
        pytest.param(
            shown(event(2, "2026-11-16 20:00", Status.UNKNOWN)),
            "2026-11-25 09:00",
            None,
            id="an unknown code may be a scan",
        ),
        pytest.param(
            shown(LABEL, event(2, "2026-11-17 20:00", Status.PRE_TRANSIT, cause=Cause.OTHER)),
            "2026-11-25 09:00",
            "2026-11-19 00:00",
            id="a collection that did not take place (CO 05)",
        ),
        pytest.param(
            shown(LABEL, event(2, "2026-11-23 20:00", Status.EXPIRED, final=True)),
            "2026-11-25 09:00",
            "2026-11-19 00:00",
            id="the label has expired: it surely was not posted",
        ),
        pytest.param(
            shown(LABEL, event(2, "2026-11-18 20:00", Status.CANCELLED, final=True)),
            "2026-11-25 09:00",
            None,
            id="the shop cancelled the posting",
        ),
        pytest.param(shown(LABEL, order_cancelled=True, order_settled=True), "2026-11-25 09:00", None, id="cancelled"),
        pytest.param(shown(LABEL, order_settled=True), "2026-11-25 09:00", None, id="refunded"),
        pytest.param(facts_of(LABEL), "2026-12-25 09:00", None, id="no order says when it should have left"),
        pytest.param(shown(LABEL, answered=None), "2026-11-25 09:00", None, id="the carrier never answered"),
        pytest.param(
            shown(LABEL, answered="2026-11-18 22:00"),
            "2026-11-25 09:00",
            None,
            id="no answer since: outages prove nothing",
        ),
        pytest.param(
            shown(LABEL, answered="2026-11-19 00:00"),
            "2026-11-25 09:00",
            "2026-11-19 00:00",
            id="one answer since does",
        ),
        pytest.param(
            shown(known_since=at("2026-12-19 00:01")),
            "2026-12-20 09:00",
            None,
            id="imported a month too late: posted and purged look the same",
        ),
        pytest.param(
            shown(known_since=at("2026-12-19 00:00")),
            "2026-12-20 09:00",
            "2026-11-19 00:00",
            id="imported just in time to tell",
        ),
        pytest.param(
            shown(LABEL, known_since=at("2027-03-01 00:00")),
            "2027-03-02 09:00",
            "2026-11-19 00:00",
            id="the carrier still shows the label, so nothing was purged",
        ),
        pytest.param(
            shown(closed_reason="not_found", is_asked=False), "2026-12-25 09:00", None, id="given up as unknown"
        ),
    ],
)
def test_not_posted(facts: Facts, now: str, since: str | None) -> None:
    finding = found(facts, now).get("not_posted")
    assert (finding.since if finding else None) == (at(since) if since else None)
    assert finding is None or finding.rule == "not_posted.no_scan"


@pytest.mark.parametrize(
    ("facts", "now", "expected"),
    [
        pytest.param(shown(LABEL), "2026-11-17 09:00", "2026-11-19 00:00", id="when the second day is over"),
        pytest.param(
            shown(LABEL, answered="2026-11-18 22:00"), "2026-11-19 09:00", "2026-11-19 12:00", id="soon, for an answer"
        ),
        pytest.param(
            shown(LABEL, answered="2026-11-18 22:00", is_asked=False),
            "2026-11-19 09:00",
            None,
            id="nobody asks any more",
        ),
        pytest.param(shown(LABEL, POSTED), "2026-11-25 09:00", None, id="posted: nothing to wait for"),
    ],
)
def test_when_to_look_for_the_first_scan_again(facts: Facts, now: str, expected: str | None) -> None:
    assert wake(facts, now) == (at(expected) if expected else None)
    assert RECHECK.total_seconds() == 3 * 3600


@pytest.mark.parametrize(
    ("then", "ended_at", "resolution"),
    [
        pytest.param(shown(LABEL, POSTED), "2026-11-19 17:00", "posted", id="the first scan"),
        pytest.param(
            shown(LABEL, POSTED, delivered("2026-11-23 10:00")),
            "2026-11-19 17:00",
            "posted",
            id="scanned and delivered",
        ),
        pytest.param(
            shown(LABEL, order_cancelled=True, order_settled=True),
            "2026-11-25 12:00",
            "order_cancelled",
            id="cancelled",
        ),
        pytest.param(shown(LABEL, order_settled=True), "2026-11-25 12:00", "order_closed", id="refunded"),
        pytest.param(
            shown(LABEL, event(2, "2026-11-24 20:00", Status.CANCELLED)),
            "2026-11-24 20:00",
            "cancelled",
            id="label cancelled",
        ),
        pytest.param(shown(LABEL, post_by=on("2026-11-30")), "2026-11-25 12:00", "withdrawn", id="to be posted later"),
        pytest.param(
            shown(LABEL, closed_reason="not_found", is_asked=False), "2026-11-25 12:00", "superseded", id="given up"
        ),
    ],
)
def test_how_not_posted_ends(then: Facts, ended_at: str, resolution: str) -> None:
    _, changes = live_through((shown(LABEL), "2026-11-19 09:00"), (then, "2026-11-25 12:00"))
    ended = [(p.kind.value, when, how) for p, when, how in changes.ended]
    assert ended == [("not_posted", at(ended_at), resolution)]


def test_of_a_parcel_the_carrier_never_showed_nobody_says_it_is_late() -> None:
    assert set(found(shown(promised="2026-11-20"), "2026-11-25 09:00")) == {"not_posted"}
    assert set(found(shown(LABEL, promised="2026-11-20"), "2026-11-25 09:00")) == {"not_posted", "delay"}


# --- numbers no carrier shows (carrier reference 3.4) ---------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(shown(closed_reason="not_found", answered="2026-12-20 09:00"), True, id="never known in a month"),
        pytest.param(
            shown(closed_reason="invalid_number", answered="2026-12-20 09:00"), True, id="malformed (SRO-019)"
        ),
        pytest.param(
            shown(closed_reason="other_account", answered="2026-12-20 09:00"), True, id="other contract (SRO-009)"
        ),
        pytest.param(
            shown(LABEL, POSTED, closed_reason="other_account", answered="2026-12-20 09:00"),
            True,
            id="moved to another contract on its way",
        ),
        pytest.param(
            shown(closed_reason="no_number", answered="2026-12-20 09:00"), False, id="it has no number at all"
        ),
        pytest.param(
            shown(closed_reason="final", answered="2026-12-20 09:00"), False, id="looked at for the last time"
        ),
        pytest.param(
            shown(delivered("2026-11-20 10:00"), closed_reason="other_account", answered="2026-12-20 09:00"),
            False,
            id="delivered before",
        ),
        pytest.param(
            shown(closed_reason="not_found", answered="2026-12-20 09:00", order_settled=True), False, id="refunded"
        ),
        pytest.param(shown(answered="2026-12-20 09:00"), False, id="still asked for"),
    ],
)
def test_untrackable(facts: Facts, expected: bool) -> None:
    finding = found(facts, "2026-12-21 12:00").get("untrackable")
    assert (finding is not None) is expected
    assert finding is None or finding.since == at("2026-12-20 09:00")


def test_a_number_that_is_shown_again_ends_it() -> None:
    closed = shown(LABEL, closed_reason="other_account", answered="2026-11-20 09:00", is_asked=False)
    again = shown(LABEL, POSTED, answered="2026-11-24 09:00")
    _, changes = live_through((closed, "2026-11-20 09:00"), (again, "2026-11-24 09:00"))
    assert [(p.kind.value, when, how) for p, when, how in changes.ended] == [
        ("untrackable", at("2026-11-24 09:00"), "tracked_again")
    ]


# --- orders without a shipment --------------------------------------------------------------------------


def order(
    ship_by: str | None = "2026-11-16", status: OrderStatus = OrderStatus.PAID, has_shipment: bool = False
) -> OrderFacts:
    return OrderFacts(status, on(ship_by) if ship_by else None, has_shipment)


@pytest.mark.parametrize(
    ("facts", "now", "since", "again"),
    [
        pytest.param(order(), "2026-11-16 23:59", None, "2026-11-17 00:00", id="its last day for posting is not over"),
        pytest.param(order(), "2026-11-17 00:00", "2026-11-17 00:00", None, id="its last day is over"),
        pytest.param(order(), "2026-12-17 00:00", "2026-11-17 00:00", None, id="since it was true"),
        pytest.param(order(has_shipment=True), "2026-11-20 00:00", None, None, id="it has a shipment"),
        pytest.param(order(None), "2026-12-20 00:00", None, None, id="no deadline is guessed"),
        pytest.param(order(status=OrderStatus.CANCELLED), "2026-11-20 00:00", None, None, id="cancelled"),
        pytest.param(order(status=OrderStatus.RETURNED), "2026-11-20 00:00", None, None, id="refunded"),
        pytest.param(
            order(status=OrderStatus.SHIPPED), "2026-11-20 00:00", None, None, id="sent, by the shop's own word"
        ),
        pytest.param(order(status=OrderStatus.DELIVERED), "2026-11-20 00:00", None, None, id="delivered, by its word"),
        pytest.param(order(status=OrderStatus.READY), "2026-11-20 00:00", "2026-11-17 00:00", None, id="packed only"),
        pytest.param(
            order(status=OrderStatus.UNKNOWN), "2026-11-20 00:00", "2026-11-17 00:00", None, id="status unknown"
        ),
    ],
)
def test_an_order_that_should_have_left(facts: OrderFacts, now: str, since: str | None, again: str | None) -> None:
    changes = detect_order(facts, [], days=DAYS, now=at(now))
    opened = [(f.kind, f.rule, f.since, episode) for f, episode in changes.opened]
    assert opened == ([(Kind.NOT_POSTED, "not_posted.no_shipment", at(since), 1)] if since else [])
    assert changes.next_check_at == (at(again) if again else None)


def sent(updated: str = "2026-11-16 10:00", **changes: Any) -> OrderFacts:
    """An order that the shop called sent on a Monday."""
    known = {"ordered_at": at("2026-11-11 12:00"), "created_at": at("2026-11-12 09:00"), "updated_at": at(updated)}
    return replace(order(None, OrderStatus.SHIPPED), **{**known, **changes})


@pytest.mark.parametrize(
    ("facts", "now", "since", "again"),
    [
        pytest.param(sent(), "2026-11-18 23:59", None, "2026-11-19 00:00", id="its number may still come"),
        pytest.param(sent(), "2026-11-19 00:00", "2026-11-19 00:00", None, id="two business days are over"),
        pytest.param(sent("2026-11-19 10:00"), "2026-11-25 00:00", "2026-11-25 00:00", None, id="over a holiday"),
        pytest.param(
            sent(ordered_at=None), "2026-12-19 00:00", "2026-11-19 00:00", None, id="ordered nobody knows when"
        ),
        pytest.param(sent(has_shipment=True), "2026-11-25 00:00", None, None, id="it has a shipment"),
        pytest.param(sent(ordered_at=at("2026-10-01 12:00")), "2026-11-25 00:00", None, None, id="of an imported past"),
        pytest.param(sent(status=OrderStatus.DELIVERED), "2026-11-25 00:00", None, None, id="delivered, by its word"),
        pytest.param(sent(status=OrderStatus.PAID), "2026-11-25 00:00", None, None, id="not sent yet"),
    ],
)
def test_an_order_that_was_sent_without_a_number(
    facts: OrderFacts, now: str, since: str | None, again: str | None
) -> None:
    changes = detect_order(facts, [], days=DAYS, now=at(now))
    opened = [(f.kind, f.rule, f.since, episode) for f, episode in changes.opened]
    assert opened == ([(Kind.UNTRACKABLE, "untrackable.no_number", at(since), 1)] if since else [])
    assert changes.next_check_at == (at(again) if again else None)


def test_a_later_change_of_an_order_without_a_number_does_not_move_its_problem() -> None:
    known: list[KnownProblem] = settle([], detect_order(sent(), [], days=DAYS, now=at("2026-11-19 09:00")))
    later = detect_order(sent("2026-11-20 08:00"), known, days=DAYS, now=at("2026-11-20 09:00"))
    assert (later.opened, later.changed, later.ended) == ((), (), ())
    ended = detect_order(sent(has_shipment=True), known, days=DAYS, now=at("2026-11-21 09:00")).ended
    assert [(p.kind, how) for p, _, how in ended] == [(Kind.UNTRACKABLE, "shipped")]


def test_an_order_past_its_deadline_that_was_sent_without_a_number_is_one_thing_after_the_other() -> None:
    known: list[KnownProblem] = settle([], detect_order(order(), [], days=DAYS, now=at("2026-11-17 09:00")))
    gone = replace(sent("2026-11-17 10:00"), ship_by=on("2026-11-16"))
    changes = detect_order(gone, known, days=DAYS, now=at("2026-11-17 11:00"))
    assert [(p.kind, how) for p, _, how in changes.ended] == [(Kind.NOT_POSTED, "order_closed")]
    assert changes.opened == () and changes.next_check_at == at("2026-11-20 00:00")


@pytest.mark.parametrize(
    ("then", "resolution"),
    [
        pytest.param(order(has_shipment=True), "shipped", id="a shipment came"),
        pytest.param(order(status=OrderStatus.CANCELLED), "order_cancelled", id="cancelled"),
        pytest.param(order(status=OrderStatus.SHIPPED), "order_closed", id="sent without a number we know"),
        pytest.param(order("2026-11-30"), "promise_moved", id="a later deadline"),
    ],
)
def test_how_it_ends_for_an_order(then: OrderFacts, resolution: str) -> None:
    known: list[KnownProblem] = settle([], detect_order(order(), [], days=DAYS, now=at("2026-11-17 09:00")))
    assert detect_order(order(), known, days=DAYS, now=at("2026-11-18 09:00")).opened == ()
    changes = detect_order(then, known, days=DAYS, now=at("2026-11-18 09:00"))
    assert [(p.kind, when, how) for p, when, how in changes.ended] == [
        (Kind.NOT_POSTED, at("2026-11-18 09:00"), resolution)
    ]


def test_an_order_that_loses_its_shipment_again_is_a_second_episode() -> None:
    known = settle([], detect_order(order(), [], days=DAYS, now=at("2026-11-17 09:00")))
    known = settle(known, detect_order(order(has_shipment=True), known, days=DAYS, now=at("2026-11-18 09:00")))
    changes = detect_order(order(), known, days=DAYS, now=at("2026-11-19 09:00"))
    assert [episode for _, episode in changes.opened] == [2]

"""What holds of every history, however its events come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carriers.base import Cause, TrackingStatus
from tests.domain.support import at, event
from tracker.domain.history import History, StoredEvent, fold, void_ids

Status = TrackingStatus

_DRAWN = st.builds(
    lambda minute, status, cause, is_reversal, gone: event(
        0,
        f"2026-11-{16 + minute // 24:02d} {minute % 24:02d}:00",
        status,
        cause=cause,
        reversal=is_reversal,
        vanished_at=at("2026-11-30 00:00") if gone else None,
    ),
    st.integers(0, 5 * 24),
    st.sampled_from(list(Status)),
    st.sampled_from([None, *Cause]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([False, False, False, True]),
)


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[StoredEvent], list[StoredEvent]]:
    drawn = draw(st.lists(_DRAWN, max_size=12))
    events = [one._replace(id=n, event_key=f"k{n}") for n, one in enumerate(drawn)]
    # Learned of in another order: other row ids, the same events.
    ids = draw(st.permutations(range(len(events))))
    learned = [one._replace(id=100 + n) for n, one in zip(ids, events, strict=True)]
    return events, draw(st.permutations(learned))


@given(_histories())
def test_the_order_in_which_events_are_learned_of_is_of_no_account(
    histories: tuple[list[StoredEvent], list[StoredEvent]],
) -> None:
    events, shuffled = histories
    assert fold(shuffled) == fold(events)
    assert _void(shuffled) == _void(events)


def _void(events: list[StoredEvent]) -> set[str]:
    gone = void_ids(events)
    return {one.event_key for one in events if one.id in gone}


@given(_histories())
def test_the_marks_agree_with_the_status(histories: tuple[list[StoredEvent], list[StoredEvent]]) -> None:
    history = fold(histories[0])
    assert (history.status is Status.DELIVERED) == (history.delivered_at is not None)
    assert (history.status is Status.RETURNED) == (history.returned_at is not None)
    assert (history.status in {Status.RETURNING, Status.RETURNED}) == (history.returning_at is not None)
    assert not (history.status is Status.LOST and history.lost_at is None)
    assert (history == History()) == (history.last_event_at is None)

"""Checks of the kit: files and feeds that a carrier writes for many parcels at once."""

from __future__ import annotations

from datetime import UTC, timedelta

from carriers.base import (
    Adapter,
    AnswerOutcome,
    FileFeed,
    PermanentCarrierError,
    PulledFeed,
    TrackingStatus,
    feed_of,
)
from carriers.testing.kit import Kit, Told
from carriers.testing.stage import NOW, Stage, needs, staged


def _feed(stage: Stage) -> FileFeed | PulledFeed:
    found = feed_of(stage.adapter)
    needs(found is not None)
    assert found is not None
    return found


async def a_feed_is_read(cls: type[Adapter], kit: Kit) -> None:
    """A payload tells of every number in it: events oldest first, aware in UTC, and never as a whole history."""
    async with staged(cls, kit) as stage:
        feed = _feed(stage)
        one, other = kit.numbers[0], kit.numbers[1]
        events = [Told(NOW - timedelta(days=1), kit.codes.moving), Told(NOW, kit.codes.delivered)]
        reading = feed.read(kit.payload({one: events, other: events[:1]}))
        assert not reading.faults, f"{reading.faults}"
        for number, wanted in ((one, TrackingStatus.DELIVERED), (other, None)):
            answer = kit.found_in(reading, number)
            assert answer is not None, f"nothing is told of {number}"
            assert answer.outcome is AnswerOutcome.FOUND and not answer.complete, "complete=False, FOUND"
            times = [event.occurred_at for event in answer.events]
            assert times == sorted(times) and all(at.tzinfo is UTC for at in times), "oldest first, aware UTC"
            assert wanted is None or answer.events[-1].status is wanted, f"{answer.events[-1].status}"


async def a_feed_can_be_read_again(cls: type[Adapter], kit: Kit) -> None:
    """The same event in two payloads has the same key."""
    async with staged(cls, kit) as stage:
        feed = _feed(stage)
        number = kit.numbers[0]
        events = [Told(NOW - timedelta(days=1), kit.codes.moving), Told(NOW, kit.codes.delivered)]
        first = kit.found_in(feed.read(kit.payload({number: events[:1]})), number)
        second = kit.found_in(feed.read(kit.payload({number: events})), number)
        assert {event.key for event in first.events} < {event.key for event in second.events}


async def an_unreadable_payload_is_an_error(cls: type[Adapter], kit: Kit) -> None:
    """A payload that cannot be read is a PermanentCarrierError, or told line by line; never an empty success."""
    async with staged(cls, kit) as stage:
        feed = _feed(stage)
        for payload in (b"", b"\x00\xff" * 50, b"<html></html>", b"{}", b"<a" * 2000):
            try:
                reading = feed.read(payload)
            except PermanentCarrierError:
                continue
            assert reading.faults and not reading.answers, f"{payload[:20]!r} is read without a word"


async def an_unknown_code_of_a_feed_stays_unknown(cls: type[Adapter], kit: Kit) -> None:
    """A code that the adapter does not know is kept as UNKNOWN."""
    async with staged(cls, kit) as stage:
        feed = _feed(stage)
        needs(kit.codes.unknown is not None)
        number = kit.numbers[0]
        reading = feed.read(kit.payload({number: [Told(NOW, kit.codes.unknown or "")]}))
        event = kit.found_in(reading, number).events[-1]
        assert event.status is TrackingStatus.UNKNOWN and event.carrier_code


CHECKS = (
    a_feed_is_read,
    a_feed_can_be_read_again,
    an_unreadable_payload_is_an_error,
    an_unknown_code_of_a_feed_stays_unknown,
)

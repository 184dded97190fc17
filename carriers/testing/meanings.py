"""Checks of the kit: what the adapter makes of a history."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from carriers.base import (
    Adapter,
    AnswerOutcome,
    CarrierConfigError,
    CarrierError,
    TrackingAdapter,
    TrackingAnswer,
    TrackingEvent,
    TrackingStatus,
    feed_of,
)
from carriers.testing.kit import Kit, Told
from carriers.testing.stage import NOW, Stage, needs, staged, tracks

Status = TrackingStatus
HOUR = timedelta(hours=1)
MANY = 400
QUICK_S = 1.0


def _journey(kit: Kit) -> list[Told]:
    """A parcel's way to its door, oldest first."""
    steps = [kit.codes.posted, kit.codes.moving, kit.codes.delivered]
    start = NOW - 60 * HOUR
    return [Told(start + at * 20 * HOUR, code) for at, code in enumerate(code for code in steps if code)]


async def _answer(stage: Stage, *events: Told) -> TrackingAnswer:
    ref = stage.ref()
    stage.tell(ref, *events)
    return (await stage.ask(ref))[ref]


async def a_history_is_ordered(cls: type[Adapter], kit: Kit) -> None:
    """Events come oldest first, aware in UTC, each with its own key and the carrier's code, and end with the delivery."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        answer = await _answer(stage, *_journey(kit))
    times, keys = [event.occurred_at for event in answer.events], [event.key for event in answer.events]
    assert answer.outcome is AnswerOutcome.FOUND, f"{answer.outcome}: {answer.message}"
    assert times == sorted(times), "oldest first"
    assert all(at.tzinfo is UTC for at in times), "aware UTC"
    assert len(keys) == len(set(keys)) and all(keys), "keys are unique and not empty"
    assert all(event.carrier_code and event.description for event in answer.events), "code and words are kept"
    assert answer.events[-1].status is Status.DELIVERED, f"it ends with {answer.events[-1].status}"
    assert answer.events[-1].attempt, "a delivery ends the carrier's term (attempt)"


async def keys_are_stable(cls: type[Adapter], kit: Kit) -> None:
    """An event keeps its key when it is read again, told in another order, told twice, or followed by a new one."""
    tracks(kit)
    journey = _journey(kit)
    async with staged(cls, kit) as stage:
        first = {event.key for event in (await _answer(stage, *journey)).events}
        again = {event.key for event in (await _answer(stage, *reversed(journey))).events}
        assert again == first, "another order in the answer makes old events new"
        before = {event.key for event in (await _answer(stage, *journey[:-1])).events}
        assert before <= first, "a new event changes the keys of old ones"
        twice = [event.key for event in (await _answer(stage, *journey, journey[-1])).events]
        assert len(twice) == len(set(twice)), "an event that the carrier repeats is told twice"


async def a_new_wording_is_no_new_event(cls: type[Adapter], kit: Kit) -> None:
    """Where the carrier sends codes, another wording of an event does not make it new."""
    tracks(kit)
    needs(kit.has_codes and not kit.milestones)
    async with staged(cls, kit) as stage:
        one = await _answer(stage, Told(NOW, kit.codes.moving, text="Em trânsito"))
        other = await _answer(stage, Told(NOW, kit.codes.moving, text="Objeto em trânsito"))
    assert [event.key for event in one.events] == [event.key for event in other.events]


async def what_is_said_is_comparable(cls: type[Adapter], kit: Kit) -> None:
    """An answer that says the same compares equal, and one that says something new does not."""
    tracks(kit)
    journey = _journey(kit)
    async with staged(cls, kit) as stage:
        ref = stage.ref()
        stage.tell(ref, *journey[:-1])
        one, two = (await stage.hear(ref))[ref].said, (await stage.hear(ref))[ref].said
        stage.tell(ref, *journey)
        three = (await stage.hear(ref))[ref].said
    assert one and one == two, "the same answer is said in other bytes"
    assert one != three, "a new event is not seen in what was said"


async def not_found_is_a_state(cls: type[Adapter], kit: Kit) -> None:
    """A number that the carrier does not know is NOT_FOUND, not an error."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        ref = stage.ref()
        answer = (await stage.ask(ref))[ref]
    assert answer.outcome is AnswerOutcome.NOT_FOUND, f"{answer.outcome}: {answer.message}"
    assert not answer.events


async def an_empty_history_is_no_error(cls: type[Adapter], kit: Kit) -> None:
    """A number that is known and has no events yet is no error, and has none."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        answer = await _answer(stage)
    assert answer.outcome in (AnswerOutcome.FOUND, AnswerOutcome.NOT_FOUND), f"{answer.outcome}: {answer.message}"
    assert not answer.events or kit.milestones


async def an_unknown_code_stays_unknown(cls: type[Adapter], kit: Kit) -> None:
    """A code that the adapter does not know is kept as UNKNOWN with the carrier's own code and words, never guessed."""
    tracks(kit)
    needs(kit.codes.unknown is not None)
    assert kit.codes.unknown is not None
    async with staged(cls, kit) as stage:
        answer = await _answer(stage, Told(NOW, kit.codes.unknown, text="Ocorrência Inédita"))
    assert answer.outcome is AnswerOutcome.FOUND, f"{answer.outcome}: {answer.message}"
    event = answer.events[-1]
    assert event.status is Status.UNKNOWN, f"it is read as {event.status}"
    assert event.carrier_code and not event.final


async def words_alone_are_marked(cls: type[Adapter], kit: Kit) -> None:
    """What is read from words and not from a code is marked: alone it may not open a refund claim."""
    tracks(kit)
    needs(not kit.has_codes)
    async with staged(cls, kit) as stage:
        for code in (kit.codes.moving, kit.codes.delivered, kit.codes.lost, kit.codes.damaged):
            if code is not None:
                event = (await _answer(stage, Told(NOW, code))).events[-1]
                assert event.by_words or event.status is Status.UNKNOWN, f"{code!r} is read as if it were a code"


async def loss_and_damage_are_read(cls: type[Adapter], kit: Kit) -> None:
    """Loss and damage are told as such, where the carrier has codes for them."""
    tracks(kit)
    needs(kit.codes.lost or kit.codes.damaged)
    async with staged(cls, kit) as stage:
        for code, wanted in ((kit.codes.lost, Status.LOST), (kit.codes.damaged, Status.DAMAGED)):
            if code is not None:
                event = (await _answer(stage, Told(NOW, code))).events[-1]
                assert event.status is wanted, f"{code!r} is read as {event.status}"


DELIVERY = frozenset({Status.DELIVERED})
ON_THE_WAY = frozenset({Status.POSTED, Status.IN_TRANSIT, Status.OUT_FOR_DELIVERY})
TROUBLE = frozenset(
    {
        *(Status.LOST, Status.STOLEN, Status.DAMAGED, Status.SEIZED),
        *(Status.RETURNING, Status.RETURNED, Status.DELIVERY_FAILED, Status.EXCEPTION),
    }
)


async def codes_mean_what_the_document_says(cls: type[Adapter], kit: Kit) -> None:
    """Each code that the kit states by the carrier's document is read as that; delivery, the way and trouble are among them."""
    needs(kit.meanings)
    faults = []
    async with staged(cls, kit) as stage:
        for one in kit.meanings:
            read = (await _newest(stage, Told(NOW, one.code, one.text))).status
            if read is not one.status:
                faults.append(f"{one.code!r} ({one.text}) is read as {read} and means {one.status}")
    stated = {one.status for one in kit.meanings}
    parts = {"a delivery": DELIVERY, "the way": ON_THE_WAY, "trouble": TROUBLE}
    faults += [f"the kit states no code of {what}" for what, statuses in parts.items() if not stated & statuses]
    assert not faults, f"{'; '.join(faults)} ({kit.document or 'the kit names no document'})"


async def _newest(stage: Stage, told: Told) -> TrackingEvent:
    """The event that the adapter makes of this one, be it asked or sent."""
    if isinstance(stage.adapter.tracking, TrackingAdapter):
        return (await _answer(stage, told)).events[-1]
    feed, number = feed_of(stage.adapter), stage.kit.numbers[0]
    needs(feed is not None)
    assert feed is not None
    answer: TrackingAnswer = stage.kit.found_in(feed.read(stage.kit.payload({number: [told]})), number)
    return answer.events[-1]


async def a_delivery_can_be_taken_back(cls: type[Adapter], kit: Kit) -> None:
    """After a delivery that was taken back the newest event says so; nothing in the adapter holds on to the delivery."""
    tracks(kit)
    needs(not kit.milestones)
    back = kit.codes.undelivered or kit.codes.moving
    async with staged(cls, kit) as stage:
        answer = await _answer(stage, *_journey(kit), Told(NOW + HOUR, back))
    newest = answer.events[-1]
    assert newest.reversal or newest.status is not Status.DELIVERED, "the delivery stands"
    assert any(event.status is Status.DELIVERED for event in answer.events), "the delivery is gone from the history"


async def times_are_read_in_their_zone(cls: type[Adapter], kit: Kit) -> None:
    """Local times are read with the zone's own history: daylight saving before 2019, hours that do not exist."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        zone = ZoneInfo(stage.tracking.tracking_terms.timezone)
        for at in (
            datetime(2018, 1, 15, 12, 0, 7, tzinfo=zone),
            datetime(2018, 7, 15, 23, 59, 0, tzinfo=zone),
            datetime(2026, 1, 15, 23, 30, 0, tzinfo=zone),
        ):
            told = await _answer(stage, Told(at, kit.codes.delivered))
            found = told.events[-1].occurred_at
            # Some carriers write no seconds.
            assert abs(found - at.astimezone(UTC)) < timedelta(minutes=1), f"{at.isoformat()} is read as {found}"
        skipped = datetime(2018, 11, 4, 0, 30, tzinfo=ZoneInfo("America/Sao_Paulo"))
        assert (await _answer(stage, Told(skipped, kit.codes.moving))).outcome is AnswerOutcome.FOUND


async def persons_are_not_kept(cls: type[Adapter], kit: Kit) -> None:
    """The names of persons in an answer are in nothing that is kept."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        answer = await _answer(stage, *_journey(kit))
    assert kit.person not in answer.raw.decode("utf-8", "replace"), "a person's name is kept as evidence"
    for event in answer.events:
        assert kit.person not in event.description, "a person's name stands in an event's description"


async def a_long_history_is_read(cls: type[Adapter], kit: Kit) -> None:
    """A history of hundreds of events is read whole, and within a second."""
    tracks(kit)
    needs(not kit.milestones)
    events = [Told(NOW - at * HOUR, kit.codes.moving) for at in range(MANY)]
    async with staged(cls, kit) as stage:
        started = time.process_time()
        answer = await _answer(stage, *events)
        took_s = time.process_time() - started
    assert len(answer.events) == MANY, f"{len(answer.events)} events of {MANY}"
    assert took_s < QUICK_S, f"{took_s:.1f} s for one history"


async def hostile_values_harm_one_number(cls: type[Adapter], kit: Kit) -> None:
    """Whatever stands in a field instead of its value, the adapter answers or raises a carrier error, nothing else."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        ref = stage.ref()
        entry = kit.entry(ref.value, _journey(kit))
        needs(isinstance(entry, dict | list))
        for spoiled, where in _spoiled(entry):
            stage.world[ref.value] = spoiled
            try:
                await stage.ask(ref)
            except (CarrierError, CarrierConfigError):
                continue
            except Exception as exc:
                raise AssertionError(f"{where}: {type(exc).__name__}: {exc}") from exc


_HOSTILE: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e300, "", "x", "\x00", "9" * 300, "2026-13-45T99:99:99"),
    *([], {}, [[]], {"a": {"b": []}}),
)
_DEEP = 200


def _spoiled(entry: Any) -> Iterator[tuple[Any, str]]:
    """The entry with one of its fields replaced, for every field and every hostile value; and one nested far too deep."""
    for path in _paths(entry):
        for value in _HOSTILE:
            spoiled = copy.deepcopy(entry)
            parent = spoiled
            for step in path[:-1]:
                parent = parent[step]
            parent[path[-1]] = value
            yield spoiled, f"{'.'.join(map(str, path))} = {str(value)[:30]!r}"
    deep: Any = {}
    for _ in range(_DEEP):
        deep = {"a": deep}
    if isinstance(entry, dict):
        yield {**entry, "deep": deep}, "nested too deeply"


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field; of a list, the first two of its elements."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value[:2]):
            yield from _paths(inner, (*path, at))


CHECKS = (
    a_history_is_ordered,
    keys_are_stable,
    a_new_wording_is_no_new_event,
    what_is_said_is_comparable,
    not_found_is_a_state,
    an_empty_history_is_no_error,
    an_unknown_code_stays_unknown,
    words_alone_are_marked,
    loss_and_damage_are_read,
    codes_mean_what_the_document_says,
    a_delivery_can_be_taken_back,
    times_are_read_in_their_zone,
    persons_are_not_kept,
    a_long_history_is_read,
    hostile_values_harm_one_number,
)

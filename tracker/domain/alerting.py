"""What a sink is told of an alert, and when: raised, worse, back after an acknowledgement, still open, over.

Pure. `turn` decides for one alert and one sink what there is to say; `bundle` makes notifications of what one sink is to
be told: many of one kind are one, quiet hours and the hourly cap hold back, and what was held leaves as one summary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from tracker.domain.words import Severity

UTC_ZONE: Final = ZoneInfo("UTC")
HOUR: Final = timedelta(hours=1)
SINGLY: Final = 3
"""So many notifications of one kind leave at once within the grouping time; what follows is collected."""
RANK: Final[Mapping[str, int]] = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Tone(StrEnum):
    """What is said of an alert; a word's phase is its tone, numbered where it can come again (`reminder:2`)."""

    RAISED = "raised"
    WORSENED = "worsened"
    RETURNED = "returned"
    """The acknowledgement has ended and it still stands, or a sink that was switched off is used again."""
    REMINDER = "reminder"
    RESOLVED = "resolved"
    SUMMARY = "summary"
    """Only of notifications: what was held back, of any kind."""


class WordState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    """Given up: the sink never took it."""


class HeldFor(StrEnum):
    """Why a word does not leave yet."""

    QUIET = "quiet"
    GROUPED = "grouped"
    CAP = "cap"
    DOWN = "down"
    """The sink does not take what it was sent before."""


@dataclass(frozen=True, slots=True)
class SinkPolicy:
    """What one sink wants to be told, and when."""

    min_severity: str = Severity.INFO.value
    kinds: frozenset[str] = frozenset()
    """Empty: all."""
    quiet: tuple[time, time] | None = None
    """From and to by the shop's clock; only what is critical passes."""
    zone: ZoneInfo = UTC_ZONE
    remind: Mapping[str, timedelta] = field(default_factory=dict)
    """By severity, how long after the last word it is told that an alert still stands; absent: never."""
    group: timedelta = timedelta(0)
    """Zero: every word is a notification of its own."""
    per_hour: int | None = None

    def wants(self, kind: str, severity: str) -> bool:
        """Whether alerts of this kind and severity are told to this sink at all."""
        return (not self.kinds or kind in self.kinds) and RANK[severity] >= RANK[self.min_severity]


# --- what there is to say of one alert --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ack:
    """A person has taken note: quiet until then (None: until it is over), unless it gets worse than it was."""

    severity: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """An alert as it stands."""

    kind: str
    severity: str
    resolved_at: datetime | None = None
    ack: Ack | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """What one sink was told, or is to be told, of one alert."""

    phase: str
    severity: str
    made_at: datetime
    state: WordState


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be said now (None: nothing), and when to look again (None: when something happens)."""

    phase: str | None = None
    look_at: datetime | None = None


def tone_of(phase: str) -> Tone:
    """`reminder:2` -> reminder."""
    return Tone(phase.partition(":")[0])


def turn(alert: AlertFacts, words: Sequence[Word], policy: SinkPolicy, now: datetime) -> Turn:
    """What this sink is to be told of this alert after *words*, oldest first."""
    live = [word for word in words if word.state is not WordState.FAILED]
    if alert.resolved_at is not None:
        # Told to whoever was told that it began, and to none who was not.
        over = any(tone_of(word.phase) is Tone.RESOLVED for word in words)
        return Turn(Tone.RESOLVED) if live and not over else Turn()
    if not policy.wants(alert.kind, alert.severity):
        return Turn()
    ack = alert.ack
    if ack is not None and RANK[alert.severity] <= RANK[ack.severity] and (ack.until is None or now < ack.until):
        return Turn(look_at=ack.until)
    remind = policy.remind.get(alert.severity)
    said = _said(alert, words, live, remind, now)
    if said is not None:
        return Turn(said, now + remind if remind else None)
    # What still waits to leave speaks for itself.
    since = now if any(word.state is WordState.QUEUED for word in words) else max(word.made_at for word in live)
    return Turn(look_at=since + remind if remind else None)


def _said(
    alert: AlertFacts, words: Sequence[Word], live: Sequence[Word], remind: timedelta | None, now: datetime
) -> str | None:
    if not words:
        return Tone.RAISED
    if not live:
        return _numbered(Tone.RETURNED, words)
    if RANK[alert.severity] > max(RANK[word.severity] for word in live):
        return f"{Tone.WORSENED}:{alert.severity}"
    last = max(word.made_at for word in live)
    ended = alert.ack.until if alert.ack is not None else None
    if ended is not None and last < ended <= now:
        return _numbered(Tone.RETURNED, words)
    waits = any(word.state is WordState.QUEUED for word in words)
    if remind is not None and not waits and now >= last + remind:
        return _numbered(Tone.REMINDER, words)
    return None


def _numbered(tone: Tone, words: Sequence[Word]) -> str:
    return f"{tone}:{sum(tone_of(word.phase) is tone for word in words) + 1}"


# --- notifications of what one sink is to be told ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pending:
    """A word that has not left; `severity` is the alert's present one."""

    id: int
    alert_id: int
    kind: str
    severity: str
    phase: str
    held_for: HeldFor | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A notification of the last hours."""

    made_at: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """One notification: these words, oldest first. `kind` is "" for a summary of several."""

    words: tuple[int, ...]
    kind: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Held:
    """These words wait until then."""

    words: tuple[int, ...]
    until: datetime
    why: HeldFor


@dataclass(frozen=True, slots=True)
class Bundles:
    """What leaves now, and what waits."""

    leaving: tuple[Bundle, ...] = ()
    waiting: tuple[Held, ...] = ()


def quiet_until(quiet: tuple[time, time] | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the quiet hours that hold now end; None outside them. They may span midnight; equal ends mean never."""
    if quiet is None or quiet[0] == quiet[1]:
        return None
    begins, ends = quiet
    local = now.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    inside = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not inside:
        return None
    day = local.date() + (timedelta(days=1) if clock >= ends else timedelta(0))
    return datetime.combine(day, ends, tzinfo=zone).astimezone(now.tzinfo)


def bundle(
    pending: Sequence[Pending],
    told: Sequence[Told],
    policy: SinkPolicy,
    now: datetime,
    *,
    down_until: datetime | None = None,
) -> Bundles:
    """Make notifications of *pending* (oldest first) after those *told* in the last hours.

    *down_until*: when the sink is tried again that does not take what it was sent; everything waits behind that.
    """
    if not pending:
        return Bundles()
    if down_until is not None and down_until > now:
        return Bundles(waiting=(Held(tuple(word.id for word in pending), down_until, HeldFor.DOWN),))
    awake, waiting = _hushed(pending, quiet_until(policy.quiet, policy.zone, now))
    free, crowded = _grouped(awake, told, policy, now)
    leaving, capped = _capped(_bundled(free, policy), {word.id: word.severity for word in free}, told, policy, now)
    return Bundles(tuple(leaving), (*waiting, *crowded, *capped))


def _hushed(pending: Sequence[Pending], until: datetime | None) -> tuple[list[Pending], list[Held]]:
    """What may leave in the quiet hours, and what waits for their end."""
    if until is None:
        return list(pending), []
    awake = [word for word in pending if word.severity == Severity.CRITICAL]
    hushed = tuple(word.id for word in pending if word.severity != Severity.CRITICAL)
    return awake, [Held(hushed, until, HeldFor.QUIET)] if hushed else []


def _grouped(
    words: Sequence[Pending], told: Sequence[Told], policy: SinkPolicy, now: datetime
) -> tuple[list[Pending], list[Held]]:
    """What may leave, and what is collected because much of its kind has just left. What is critical never waits for it."""
    free, crowded = [], defaultdict(list)
    until: dict[str, datetime] = {}
    collecting = {word.kind for word in words if word.held_for is HeldFor.GROUPED}
    for kind in {word.kind for word in words}:
        recent = [one.made_at for one in told if one.kind == kind and now - one.made_at < policy.group]
        if len(recent) >= SINGLY or (recent and kind in collecting):
            until[kind] = max(recent) + policy.group
    for word in words:
        if word.kind in until and word.severity != Severity.CRITICAL:
            crowded[word.kind].append(word.id)
        else:
            free.append(word)
    return free, [Held(tuple(ids), until[kind], HeldFor.GROUPED) for kind, ids in crowded.items()]


def _bundled(words: Sequence[Pending], policy: SinkPolicy) -> list[Bundle]:
    """What was held leaves as one summary, the rest by kind and tone; without grouping each word leaves alone."""
    if not policy.group:
        return [Bundle((word.id,), word.kind, tone_of(word.phase)) for word in words]
    held = {word.kind for word in words if word.held_for is not None}
    bundles = _summary([word for word in words if word.kind in held])
    groups: dict[tuple[str, Tone], list[int]] = defaultdict(list)
    reminders = []
    for word in words:
        if word.kind in held:
            continue
        if tone_of(word.phase) is Tone.REMINDER:
            reminders.append(word)
        else:
            groups[word.kind, tone_of(word.phase)].append(word.id)
    bundles += [Bundle(tuple(ids), kind, tone) for (kind, tone), ids in groups.items()]
    # What still stands is one list, whatever its kind.
    return bundles + _together(reminders, Tone.REMINDER)


def _summary(words: Sequence[Pending]) -> list[Bundle]:
    tones = {tone_of(word.phase) for word in words}
    return _together(words, tones.pop() if len(tones) == 1 else Tone.SUMMARY)


def _together(words: Sequence[Pending], tone: Tone) -> list[Bundle]:
    if not words:
        return []
    kinds = {word.kind for word in words}
    return [Bundle(tuple(word.id for word in words), kinds.pop() if len(kinds) == 1 else "", tone)]


def _capped(
    bundles: Iterable[Bundle],
    severities: Mapping[int, str],
    told: Sequence[Told],
    policy: SinkPolicy,
    now: datetime,
) -> tuple[list[Bundle], list[Held]]:
    """At most so many an hour; the last fifth of them is kept for what is critical."""

    def critical(one: Bundle) -> bool:
        return any(severities[word] == Severity.CRITICAL for word in one.words)

    ordered = sorted(bundles, key=lambda one: (not critical(one), one.words))
    if policy.per_hour is None:
        return ordered, []
    recent = sorted(one.made_at for one in told if now - one.made_at < HOUR)
    room, kept = policy.per_hour - len(recent), policy.per_hour // 5
    leaving: list[Bundle] = []
    over: list[int] = []
    for one in ordered:
        if room > (0 if critical(one) else kept):
            leaving.append(one)
            room -= 1
        else:
            over.extend(one.words)
    until = (recent[0] if recent else now) + HOUR
    return leaving, [Held(tuple(sorted(over)), until, HeldFor.CAP)] if over else []

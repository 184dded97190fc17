"""What is told of an alert, and when: situations by the shop's clock in Sao Paulo, three hours behind UTC."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tracker.domain.alerting import (
    Ack,
    AlertFacts,
    Bundle,
    HeldFor,
    Pending,
    SinkPolicy,
    Told,
    Tone,
    Turn,
    Word,
    WordState,
    bundle,
    quiet_until,
    turn,
)

ZONE = ZoneInfo("America/Sao_Paulo")
H = timedelta(hours=1)
MIN = timedelta(minutes=1)
NIGHT = (time(22), time(7))


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    """By the shop's clock in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


REMIND = {"critical": 6 * H, "warning": 48 * H}
POLICY = SinkPolicy(zone=ZONE, remind=REMIND, group=10 * MIN, per_hour=30)
WARNING, CRITICAL = AlertFacts("unknown_code", "warning"), AlertFacts("carrier_down", "critical")
SENT, QUEUED, FAILED = WordState.SENT, WordState.QUEUED, WordState.FAILED


def word(
    phase: str = "raised", hour: int = 9, state: WordState = SENT, severity: str = "warning", day: int = 24
) -> Word:
    return Word(phase, severity, at(hour, day=day), state)


def facts(severity: str = "warning", *, over: bool = False, ack: Ack | None = None) -> AlertFacts:
    return AlertFacts("unknown_code", severity, at(12) if over else None, ack)


@pytest.mark.parametrize(
    ("alert", "words", "policy", "now", "expected"),
    [
        pytest.param(WARNING, [], POLICY, at(9), Turn("raised", at(9) + 48 * H), id="new"),
        pytest.param(CRITICAL, [], POLICY, at(9), Turn("raised", at(15)), id="a critical one is reminded of sooner"),
        pytest.param(WARNING, [], SinkPolicy(), at(9), Turn("raised", None), id="a sink without reminders"),
        pytest.param(
            WARNING, [], SinkPolicy(min_severity="critical"), at(9), Turn(), id="not bad enough for this sink"
        ),
        pytest.param(WARNING, [], SinkPolicy(kinds=frozenset({"mail_down"})), at(9), Turn(), id="not its kind"),
        pytest.param(WARNING, [word()], POLICY, at(10), Turn(None, at(9) + 48 * H), id="told and still the same"),
        pytest.param(
            WARNING,
            [word()],
            POLICY,
            at(9, day=26),
            Turn("reminder:1", at(9, day=28)),
            id="still there two days later",
        ),
        pytest.param(
            CRITICAL,
            [word(severity="critical"), word("reminder:1", 15, severity="critical")],
            POLICY,
            at(21),
            Turn("reminder:2", at(3, day=25)),
            id="the second reminder of a critical one",
        ),
        pytest.param(
            CRITICAL,
            [word(severity="critical", state=QUEUED)],
            POLICY,
            at(16),
            Turn(None, at(22)),
            id="no reminder of what has not left yet",
        ),
        pytest.param(
            facts("critical"), [word()], POLICY, at(10), Turn("worsened:critical", at(16)), id="it gets worse"
        ),
        pytest.param(
            facts("critical"),
            [],
            SinkPolicy(min_severity="critical"),
            at(10),
            Turn("raised"),
            id="worse: now told first",
        ),
        # --- over
        pytest.param(facts(over=True), [word()], POLICY, at(12), Turn("resolved"), id="over"),
        pytest.param(
            facts(over=True), [word(state=QUEUED)], POLICY, at(12), Turn("resolved"), id="over before it left"
        ),
        pytest.param(facts(over=True), [], POLICY, at(12), Turn(), id="its beginning was never told"),
        pytest.param(facts(over=True), [word(state=FAILED)], POLICY, at(12), Turn(), id="its beginning never arrived"),
        pytest.param(
            facts(over=True), [word(), word("resolved", 12)], POLICY, at(13), Turn(), id="told that it is over"
        ),
        pytest.param(
            facts(over=True, ack=Ack("warning")),
            [word()],
            POLICY,
            at(12),
            Turn("resolved"),
            id="acknowledged, and over",
        ),
        # --- acknowledged
        pytest.param(
            facts(ack=Ack("warning", at(20))),
            [word()],
            POLICY,
            at(10),
            Turn(None, at(20)),
            id="quiet until the evening",
        ),
        pytest.param(facts(ack=Ack("warning")), [word(day=1)], POLICY, at(10), Turn(), id="quiet until it is over"),
        pytest.param(
            facts("critical", ack=Ack("warning", at(20))),
            [word()],
            POLICY,
            at(10),
            Turn("worsened:critical", at(16)),
            id="acknowledged, and it gets worse",
        ),
        pytest.param(
            facts(ack=Ack("warning", at(20))),
            [word()],
            POLICY,
            at(20),
            Turn("returned:1", at(20) + 48 * H),
            id="the time of the acknowledgement is over",
        ),
        pytest.param(
            facts(ack=Ack("warning", at(20))),
            [word(), word("returned:1", 20)],
            POLICY,
            at(21),
            Turn(None, at(20) + 48 * H),
            id="it has come back already",
        ),
        # --- a sink that was given up
        pytest.param(
            WARNING,
            [word(state=FAILED)],
            POLICY,
            at(10),
            Turn("returned:1", at(10) + 48 * H),
            id="a sink that is used again hears what stands",
        ),
    ],
)
def test_what_one_sink_is_told(
    alert: AlertFacts, words: list[Word], policy: SinkPolicy, now: datetime, expected: Turn
) -> None:
    assert turn(alert, words, policy, now) == expected


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        pytest.param(NIGHT, at(21, 59), None, id="a minute before"),
        pytest.param(NIGHT, at(22), at(7, day=25), id="in the evening"),
        pytest.param(NIGHT, at(2), at(7), id="after midnight"),
        pytest.param(NIGHT, at(7), None, id="at its end"),
        pytest.param((time(12), time(14)), at(13), at(14), id="at noon"),
        pytest.param((time(12), time(14)), at(14), None, id="after noon"),
        pytest.param((time(8), time(8)), at(8), None, id="equal ends mean never"),
        pytest.param(None, at(3), None, id="none"),
    ],
)
def test_quiet_hours(quiet: tuple[time, time] | None, now: datetime, until: datetime | None) -> None:
    assert quiet_until(quiet, ZONE, now) == until


def pending(
    number: int,
    kind: str = "unknown_code",
    severity: str = "warning",
    phase: str = "raised",
    held: HeldFor | None = None,
) -> Pending:
    return Pending(number, number, kind, severity, phase, held)


def told(*minutes: int, kind: str = "unknown_code") -> list[Told]:
    """So many minutes before noon."""
    return [Told(at(12) - minute * MIN, kind) for minute in minutes]


QUIET = SinkPolicy(zone=ZONE, quiet=NIGHT, group=10 * MIN, per_hour=30)
CAPPED = SinkPolicy(zone=ZONE, group=10 * MIN, per_hour=5)


@pytest.mark.parametrize(
    ("words", "before", "policy", "now", "leaving", "waiting"),
    [
        pytest.param([pending(1)], [], POLICY, at(12), [(1,)], [], id="one alone leaves at once"),
        pytest.param([pending(n) for n in (1, 2, 3)], [], POLICY, at(12), [(1, 2, 3)], [], id="many of a kind are one"),
        pytest.param(
            [pending(1), pending(2, "mail_down", "critical"), pending(3)],
            [],
            POLICY,
            at(12),
            [(2,), (1, 3)],
            [],
            id="other kinds leave apart, the critical first",
        ),
        pytest.param(
            [pending(1), pending(2, phase="resolved")],
            [],
            POLICY,
            at(12),
            [(1,), (2,)],
            [],
            id="beginnings and ends apart",
        ),
        pytest.param(
            [pending(1, phase="reminder:1"), pending(2, "untrackable", phase="reminder:4")],
            [],
            POLICY,
            at(12),
            [(1, 2)],
            [],
            id="all reminders are one list",
        ),
        pytest.param(
            [pending(4)], told(9, 5), POLICY, at(12), [(4,)], [], id="the third within ten minutes leaves alone"
        ),
        pytest.param(
            [pending(4), pending(5)],
            told(9, 5, 1),
            POLICY,
            at(12),
            [],
            [((4, 5), at(12, 9), HeldFor.GROUPED)],
            id="the fourth is collected",
        ),
        pytest.param(
            [pending(4, severity="critical")], told(9, 5, 1), POLICY, at(12), [(4,)], [], id="a critical one is not"
        ),
        pytest.param(
            [pending(4, held=HeldFor.GROUPED), pending(5)],
            told(9, 5),
            POLICY,
            at(12),
            [],
            [((4, 5), at(12, 5), HeldFor.GROUPED)],
            id="what is collected stays together until its time",
        ),
        pytest.param(
            [pending(4, held=HeldFor.GROUPED), pending(5)],
            told(10),
            POLICY,
            at(12),
            [(4, 5)],
            [],
            id="then it leaves",
        ),
        pytest.param([pending(1), pending(2)], told(9, 5, 1), SinkPolicy(), at(12), [(1,), (2,)], [], id="no grouping"),
        # --- the night
        pytest.param(
            [pending(1), pending(2, "mail_down", "critical")],
            [],
            QUIET,
            at(23),
            [(2,)],
            [((1,), at(7, day=25), HeldFor.QUIET)],
            id="at night only the critical passes",
        ),
        pytest.param(
            [
                pending(1, held=HeldFor.QUIET),
                pending(2, "untrackable", held=HeldFor.QUIET),
                Pending(3, 1, "unknown_code", "warning", "resolved", HeldFor.QUIET),
            ],
            [],
            QUIET,
            at(7),
            [(1, 2, 3)],
            [],
            id="in the morning the night is one summary",
        ),
        pytest.param(
            [Pending(1, 1, "alert_sink_down", "critical", "raised", HeldFor.QUIET), pending(2, held=HeldFor.QUIET)],
            [],
            QUIET,
            at(3),
            [(1,)],
            [((2,), at(7), HeldFor.QUIET)],
            id="what got worse at night leaves at night",
        ),
        # --- the cap
        pytest.param(
            [pending(1), pending(2, "untrackable")],
            told(50, 40, 30, kind="x"),
            CAPPED,
            at(12),
            [(1,)],
            [((2,), at(12, 10), HeldFor.CAP)],
            id="the fifth of five is kept for what is critical",
        ),
        pytest.param(
            [pending(1), pending(2, "mail_down", "critical")],
            told(50, 40, 30, 20, kind="x"),
            CAPPED,
            at(12),
            [(2,)],
            [((1,), at(12, 10), HeldFor.CAP)],
            id="and it takes it",
        ),
        pytest.param(
            [pending(2, "mail_down", "critical")],
            told(50, 40, 30, 20, 10, kind="x"),
            CAPPED,
            at(12),
            [],
            [((2,), at(12, 10), HeldFor.CAP)],
            id="a storm of critical ones is capped too",
        ),
        pytest.param(
            [pending(1, held=HeldFor.CAP), pending(2, "untrackable", held=HeldFor.CAP)],
            told(40, 30, 20, kind="x"),
            CAPPED,
            at(12),
            [(1, 2)],
            [],
            id="what was over the cap is one summary",
        ),
    ],
)
def test_what_leaves_and_what_waits(
    words: list[Pending],
    before: list[Told],
    policy: SinkPolicy,
    now: datetime,
    leaving: list[tuple[int, ...]],
    waiting: list[tuple[tuple[int, ...], datetime, HeldFor]],
) -> None:
    made = bundle(words, before, policy, now)
    assert [one.words for one in made.leaving] == leaving
    assert [(one.words, one.until, one.why) for one in made.waiting] == waiting


def test_all_waits_behind_a_sink_that_is_down() -> None:
    made = bundle([pending(1, severity="critical"), pending(2)], [], POLICY, at(12), down_until=at(12, 5))
    assert (made.leaving, [one.why for one in made.waiting]) == ((), [HeldFor.DOWN])


def test_a_summary_of_one_kind_and_tone_says_so() -> None:
    held = [pending(1, held=HeldFor.QUIET), pending(2, held=HeldFor.QUIET)]
    assert bundle(held, [], POLICY, at(12)).leaving == (Bundle((1, 2), "unknown_code", Tone.RAISED),)
    mixed = [*held, pending(3, "untrackable", held=HeldFor.QUIET)]
    assert bundle(mixed, [], POLICY, at(12)).leaving == (Bundle((1, 2, 3), "", Tone.RAISED),)

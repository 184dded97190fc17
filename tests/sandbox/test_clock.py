from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tracker.sandbox.clock import SandboxClock, write_instant

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)


def test_a_clock_set_in_process_moves_only_when_told() -> None:
    clock = SandboxClock(NOON)
    assert clock.now() == NOON
    assert clock.advance(timedelta(days=1)) == NOON + timedelta(days=1)
    clock.set(NOON.astimezone(timezone(timedelta(hours=-3))))
    assert clock.now().isoformat() == "2026-11-09T12:00:00+00:00"


@pytest.mark.parametrize(
    "text", [pytest.param("2026-11-09T09:00:00-03:00\n", id="an offset"), pytest.param("2026-11-09T12:00:00Z", id="Z")]
)
def test_a_file_is_read_at_each_look(tmp_path: Path, text: str) -> None:
    file = tmp_path / "clock"
    file.write_text(text)
    clock = SandboxClock(file=file)
    assert clock.now() == NOON
    clock.advance(timedelta(hours=1))
    assert SandboxClock(file=file).now() == NOON + timedelta(hours=1)


def test_a_file_caught_while_being_rewritten_holds_the_last_instant(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    write_instant(file, NOON)
    clock = SandboxClock(file=file)
    clock.now()
    file.write_text("")
    assert clock.now() == NOON


@pytest.mark.parametrize("text", ["", "soon", "2026-11-09T12:00:00"], ids=["empty", "no instant", "no offset"])
def test_a_file_without_an_instant_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "clock"
    file.write_text(text)
    with pytest.raises(ValueError, match="needs one ISO instant"):
        SandboxClock(file=file).now()


def test_a_clock_that_follows_a_function_cannot_be_set() -> None:
    clock = SandboxClock(source=lambda: NOON)
    assert clock.now() == NOON
    with pytest.raises(RuntimeError):
        clock.set(NOON)


def test_exactly_one_place_for_the_time(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        SandboxClock(NOON, file=tmp_path / "clock")
    with pytest.raises(ValueError, match="exactly one"):
        SandboxClock()

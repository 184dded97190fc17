from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tracker.clock import ClockFileError, ClockRefused, FileClock, FrozenClock, SystemClock, clock_from_env

INSTANT = datetime(2026, 11, 24, 15, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "now"
    path.write_text("2026-11-24T12:00:00-03:00\n")
    return path


def test_the_machine_s_clock_is_aware_and_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert before <= now <= datetime.now(UTC)


def test_a_frozen_clock_stands_still_in_utc() -> None:
    clock = FrozenClock(datetime.fromisoformat("2026-11-24T12:00:00-03:00"))
    assert clock.now() == INSTANT
    assert clock.now().tzinfo is UTC
    with pytest.raises(ValueError, match="offset"):
        FrozenClock(datetime(2026, 11, 24))


def test_the_file_is_read_at_each_look(file: Path) -> None:
    clock = FileClock(file)
    assert clock.now() == INSTANT
    file.write_text("2026-11-25T15:00:00Z")
    assert clock.now() == INSTANT + timedelta(days=1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty from the start"),
        pytest.param(b"tomorrow", id="no instant"),
        pytest.param(b"2026-11-24T12:00:00", id="no offset"),
        pytest.param(b"2026-11-24", id="a day"),
        pytest.param(b"0001-01-01T00:00:00+14:00", id="before the first year once in UTC"),
        pytest.param(b"\xff\xfe2\x000", id="not UTF-8"),
    ],
)
def test_a_broken_file_gives_one_clear_sentence(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ClockFileError) as caught:
        FileClock(file).now()
    assert str(caught.value) == f"{file}: needs one ISO instant with its offset, such as 2026-11-24T12:00:00-03:00"


def test_a_missing_file_gives_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ClockFileError, match="cannot be read: No such file or directory"):
        FileClock(tmp_path / "absent").now()


def test_a_file_just_being_written_keeps_the_last_instant(file: Path) -> None:
    clock = FileClock(file)
    clock.now()
    file.write_text("")
    assert clock.now() == INSTANT


@pytest.mark.parametrize("env", [{}, {"TRACKER_CLOCK_FILE": ""}], ids=["not set", "set to nothing"])
def test_without_a_file_the_machine_s_clock_counts(env: dict[str, str]) -> None:
    assert isinstance(clock_from_env(env, ["carrier x: api.example.com"]), SystemClock)


def test_a_clock_file_is_taken_where_everything_is_on_this_machine(file: Path) -> None:
    assert clock_from_env({"TRACKER_CLOCK_FILE": str(file)}, []).now() == INSTANT


def test_a_clock_file_is_refused_where_something_real_would_be_dated_by_it(file: Path) -> None:
    with pytest.raises(ClockRefused) as caught:
        clock_from_env({"TRACKER_CLOCK_FILE": str(file)}, ["carrier x: api.example.com", "mail: smtp.example.com"])
    assert "carrier x: api.example.com; mail: smtp.example.com" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_broken_clock_file_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ClockFileError):
        clock_from_env({"TRACKER_CLOCK_FILE": str(tmp_path / "absent")}, [])

"""The only place that asks the time; everything else is handed a `Clock` or an instant."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from tracker.errors import UsageError

CLOCK_FILE_VARIABLE: Final = "TRACKER_CLOCK_FILE"


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class ClockFileError(UsageError):
    """The clock file of a trial cannot be read as an instant."""


class ClockRefused(UsageError):
    """A replaced clock was asked for where something real would be dated by it."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The machine's instant in UTC."""
        return datetime.now(UTC)


class FrozenClock:
    """Stands still at one instant."""

    def __init__(self, instant: datetime) -> None:
        """Raises ValueError where *instant* has no offset."""
        if instant.tzinfo is None:
            raise ValueError(f"an instant needs an offset: {instant.isoformat()}")
        self._instant = instant.astimezone(UTC)

    def now(self) -> datetime:
        """Always the same instant."""
        return self._instant


class FileClock:
    """For trials: a text file holds one ISO instant with its offset; another program moves it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: datetime | None = None

    def now(self) -> datetime:
        """The instant in the file, read at each look. Raises ClockFileError where there is none."""
        text = self._read()
        # A shell redirection empties the file before it writes: the last instant holds meanwhile.
        if not text and self._last is not None:
            return self._last
        self._last = self._parse(text)
        return self._last

    def _read(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise ClockFileError(f"{self._path}: the clock file cannot be read: {exc.strerror}") from exc
        except UnicodeDecodeError as exc:
            raise self._fault() from exc

    def _parse(self, text: str) -> datetime:
        try:
            instant = datetime.fromisoformat(text)
            if instant.tzinfo is None:
                raise self._fault()
            return instant.astimezone(UTC)
        except (ValueError, OverflowError) as exc:
            raise self._fault() from exc

    def _fault(self) -> ClockFileError:
        return ClockFileError(f"{self._path}: needs one ISO instant with its offset, such as 2026-11-24T12:00:00-03:00")


def clock_from_env(env: Mapping[str, str], loopback_faults: Sequence[str]) -> Clock:
    """The clock to work by: the machine's, or the file that `TRACKER_CLOCK_FILE` names.

    Args:
        env: the environment.
        loopback_faults: the addresses beyond this machine that the configuration talks to, in words.

    Raises ClockRefused where a clock file is named and *loopback_faults* is not empty, for real claims and messages
    would be dated by it; ClockFileError where the file holds no instant.
    """
    named = env.get(CLOCK_FILE_VARIABLE)
    if not named:
        return SystemClock()
    if loopback_faults:
        raise ClockRefused(
            f"{CLOCK_FILE_VARIABLE} replaces the clock for trials on this machine only, "
            f"but the configuration talks to {'; '.join(loopback_faults)} (unset it, or use loopback addresses)"
        )
    clock = FileClock(Path(named))
    clock.now()
    return clock


def monotonic_s() -> float:
    """Seconds that only go forward, for durations inside one process; never stored, never compared with an instant."""
    return time.monotonic()


def monotonic_usec() -> int:
    """Microseconds of CLOCK_MONOTONIC, as the service manager counts them."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

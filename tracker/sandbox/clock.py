"""The sandbox's clock: set by the caller, never by the machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock


class SandboxClock:
    """One instant, from exactly one of three places.

    `now`: set in process and moved with `set` and `advance`. `file`: a text file holding one ISO instant with its
    offset, read at each look, so that another program sees the same time. `source`: any function that tells the time.
    """

    def __init__(
        self,
        now: datetime | None = None,
        *,
        file: Path | None = None,
        source: Callable[[], datetime] | None = None,
    ) -> None:
        """Raises ValueError where not exactly one place is given, or *now* has no offset."""
        if sum(place is not None for place in (now, file, source)) != 1:
            raise ValueError("give the sandbox clock exactly one of: now, file, source")
        self._lock = Lock()
        self._file = file
        self._source = source
        self._instant = None if now is None else _utc(now)

    def now(self) -> datetime:
        """Return the simulated instant in UTC. Raises ValueError where the file holds no instant with an offset."""
        if self._source is not None:
            return _utc(self._source())
        if self._file is not None:
            return self._read(self._file)
        with self._lock:
            assert self._instant is not None
            return self._instant

    def set(self, instant: datetime) -> None:
        """Move to *instant*: in process, or in the file. Raises RuntimeError where the time comes from a function."""
        if self._source is not None:
            raise RuntimeError("this sandbox clock follows a function and cannot be set")
        if self._file is not None:
            write_instant(self._file, instant)
            return
        with self._lock:
            self._instant = _utc(instant)

    def advance(self, by: timedelta) -> datetime:
        """Move on by *by* and return the new instant."""
        self.set(self.now() + by)
        return self.now()

    def _read(self, file: Path) -> datetime:
        text = file.read_text(encoding="utf-8").strip()
        with self._lock:
            # An editor or a shell redirection empties the file before it writes: the last instant holds meanwhile.
            if not text and self._instant is not None:
                return self._instant
            try:
                self._instant = _utc(datetime.fromisoformat(text))
            except ValueError as exc:
                raise ValueError(f"{file}: needs one ISO instant with an offset, found {text!r}") from exc
            return self._instant


def write_instant(file: Path, instant: datetime) -> None:
    """Put *instant* into a clock file in one step, so that a reader never sees half of it."""
    draft = file.with_name(file.name + ".new")
    draft.write_text(_utc(instant).isoformat() + "\n", encoding="utf-8")
    draft.replace(file)


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs an offset: {instant.isoformat()}")
    return instant.astimezone(UTC)

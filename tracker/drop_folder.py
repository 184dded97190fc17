"""A folder that files are dropped into: when one has settled, and how it is put away without anything being lost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PUT_AWAY: Final = ("done", "refused", "duplicate")


@dataclass(frozen=True, slots=True)
class DropFolder:
    """How old a file is, is asked of the disk itself: a clock that was set wrong must not hold anything back."""

    path: Path

    def disk_now(self) -> float:
        """The disk's own time, in seconds since 1970."""
        probe = self.path / ".clock"
        probe.touch()
        os.utime(probe)
        return probe.stat().st_mtime

    def make(self, folder: Path) -> None:
        """Make a folder that the group of this one may enter like this one itself, whatever the service's umask."""
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        mode = self.path.stat().st_mode & 0o770
        # Not chmod: the systemd unit forbids it a mode with a setgid bit (RestrictSUIDSGID), and a mode without one would
        # take away the bit that the new folder has inherited from this one.
        before = os.umask(0o777 & ~mode)
        try:
            for place in reversed(missing):
                place.mkdir(mode)
        finally:
            os.umask(before)

    def write(self, path: Path, pages: Iterable[bytes]) -> None:
        """All of it or nothing: a reader never meets half a report."""
        unfinished = path.with_name(f".{path.name}.part")
        with unfinished.open("wb") as file:
            file.writelines(pages)
        unfinished.chmod(self.path.stat().st_mode & 0o660)
        unfinished.replace(path)


def has_settled(path: Path, disk_now: float, settle_s: float) -> bool:
    """Whether nobody writes to it any more. One dated in the future was copied with its own date."""
    age = disk_now - path.stat().st_mtime
    return not 0 <= age < settle_s or was_renamed(path)


def was_renamed(path: Path) -> bool:
    """Renamed into place: its content was finished before its name was."""
    stat = path.stat()
    return stat.st_ctime - stat.st_mtime > 1.0


def is_unchanged(path: Path, before: os.stat_result) -> bool:
    """Whether the file was neither written to nor replaced."""
    now = path.stat()
    return all(getattr(now, name) == getattr(before, name) for name in ("st_dev", "st_ino", "st_size", "st_mtime_ns"))


def free_name(path: Path) -> Path:
    """This name, or the first numbered one that nothing has yet."""
    if not path.exists():
        return path
    numbers = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(2, 1_000_000))
    return next(candidate for candidate in numbers if not candidate.exists())

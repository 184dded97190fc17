"""A small disk of the test's own: a tmpfs that only one process and its children see, and that can be filled or locked."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@cache
def unshare() -> list[str] | None:
    """The command that gives a process mounts of its own; None where this machine does not allow it."""
    words = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-r", "-m"]
    try:
        works = subprocess.run([*words, "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return words if works.returncode == 0 else None


@dataclass
class OnSmallDisk:
    """A Python process whose *folder* is a disk of so many KiB."""

    folder: Path
    process: subprocess.Popen[str]

    @classmethod
    def start(
        cls, folder: Path, kib: int, words: list[str], env: Mapping[str, str], *, before: str = "true"
    ) -> OnSmallDisk:
        """Run `python WORDS...`; `before` is a shell command that comes first, on the new disk."""
        folder.mkdir(parents=True, exist_ok=True)
        own = unshare()
        assert own is not None
        disk = shlex.quote(str(folder))
        script = f'mount -t tmpfs -o size={kib}k,mode=0700 tmpfs {disk} && ({before}) && exec {sys.executable} "$@"'
        process = subprocess.Popen(
            [*own, "sh", "-c", script, "sh", *words],
            env=dict(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return cls(folder, process)

    @property
    def inside(self) -> Path:
        """The folder as the process sees it."""
        return Path(f"/proc/{self.process.pid}/root{self.folder}")

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.inside / "fill").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def make_room(self) -> None:
        (self.inside / "fill").unlink()

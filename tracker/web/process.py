"""What this process uses. The library's own collector shows nothing where a unit hides /proc/stat (`ProcSubset=pid`)."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc/self")


def usage() -> Iterator[tuple[str, float]]:
    """(name without `tracker_process_`, value); what this machine does not tell is left out."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield "cpu_seconds", used.ru_utime + used.ru_stime
    try:
        yield "resident_memory_bytes", float((PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        yield "open_fds", len(os.listdir(PROC / "fd"))  # noqa: PTH208
    except OSError:  # no Linux
        return
    yield "max_fds", resource.getrlimit(resource.RLIMIT_NOFILE)[0]

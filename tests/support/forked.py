"""Processes of the program that are forked from one which has loaded it already: a cold start would cost the most of each.

The command line is the same from `main()` on. Cold starts have tests of their own: the daemon's, the walk through the README,
root's commands, and all that says `sys.executable`.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

from tracker.cli.main import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "pytest",
        "tests.chaos.killer",
        "tests.chaos.play",
        "tests.quarter.program",
        "tests.support.forked",
        "tracker.app",
        "tracker.cli.main",
        "tracker.cli.prepare",
        "tracker.cli.run",
        "tracker.engine.lock",
        "tracker.engine.once",
        "tracker.reports.screen",
        "tracker.sandbox.world",
        "carriers.correios",
        "anyio.to_thread",
        "anyio._backends._asyncio",
        "h11",
        "holidays.countries",
        "holidays.groups",
        "httpcore",
        "psycopg",
        "yaml",
    ]
)
_STARTING: Final = Lock()
"""Starting a process also asks after every other one, and of two threads that ask after one, one is told nonsense."""


def fork(work: Callable[..., None], *args: Any) -> BaseProcess:
    """Start a process that does this work; its exit code is that of the work."""
    process = _FORKS.Process(target=work, args=args)
    with _STARTING:
        process.start()
    return process


def exit_code(process: BaseProcess) -> int | None:
    """Of a process that has ended; None where it still runs."""
    with _STARTING:
        process.join(0)
        return process.exitcode


def run_tracker(
    words: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """`tracker WORDS` in a process of its own, and all that it printed. Raises TimeoutError."""
    with TemporaryDirectory(prefix="forked-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = fork(_command, list(words), dict(env), cwd, out, err)
        process.join(timeout_s)
        code = exit_code(process)
        if code is None:
            process.kill()
            raise TimeoutError(f"tracker {' '.join(words)}: did not end within {timeout_s:.0f} s")
        said = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (out, err)]
        return subprocess.CompletedProcess(["tracker", *words], code, *said)


def enter(env: Mapping[str, str], cwd: Path) -> None:
    """In a forked process: live in this environment and folder, as one that was started there would."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.path[1:1] = [folder for folder in env.get("PYTHONPATH", "").split(os.pathsep) if folder not in sys.path]


def _command(words: list[str], env: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
    enter(env, cwd)
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        written = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(written, stream.fileno())
        os.close(written)
    sys.argv = ["tracker", *words]
    main()

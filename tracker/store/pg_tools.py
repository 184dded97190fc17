"""PostgreSQL's own tools, `pg_dump` and `pg_restore`: run where they are installed, asked for in one sentence where not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

from tracker.errors import ProgramError

LOOK_S: Final = 0.5
SHOWN_LINES: Final = 3
_VARIABLES: Final = {"host": "PGHOST", "port": "PGPORT", "username": "PGUSER", "password": "PGPASSWORD"}


class ToolError(ProgramError):
    """A tool is missing, or did not do what it was asked."""


def dump(url: str, target: Path, watch: Callable[[float], None]) -> None:
    """Write a dump of the whole database in PostgreSQL's own format. Raises ToolError."""
    _run("pg_dump", ["--format=custom", "--no-password", f"--file={target}", _database(url)], url, watch)
    contents(target)


def contents(file: Path) -> str:
    """The table of contents of a dump. Raises ToolError where it is none that pg_restore reads."""
    return _run("pg_restore", ["--list", str(file)], None, lambda _share: None)


def put_back(url: str, file: Path, watch: Callable[[float], None]) -> None:
    """Replace the database's content by a dump's, in one transaction. Raises ToolError; the database is then as it was."""
    words = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error", "--no-password"]
    _run("pg_restore", [*words, f"--dbname={_database(url)}", str(file)], url, watch)


def _database(url: str) -> str:
    return make_url(url).database or ""


def _run(tool: str, words: Sequence[str], url: str | None, watch: Callable[[float], None]) -> str:
    """Run a tool to its end; `watch` may end it before. Returns what it said on standard output."""
    program = shutil.which(tool)
    if program is None:
        raise ToolError(
            f"{tool} is not installed here: install PostgreSQL's client programs (Debian: postgresql-client), "
            "not older than the server, and try again"
        )
    environment = {**os.environ, **(_login(make_url(url)) if url is not None else {})}
    with subprocess.Popen(
        [program, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        try:
            said, complained = _wait(process, watch)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        lines = [line.strip() for line in complained.splitlines() if line.strip()]
        raise ToolError(f"{tool} failed: {'; '.join(lines[:SHOWN_LINES]) or f'exit code {process.returncode}'}")
    return said


def _wait(process: subprocess.Popen[str], watch: Callable[[float], None]) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=LOOK_S)
        except subprocess.TimeoutExpired:
            watch(0.5)  # neither tool says how far it is


def _login(url: URL) -> dict[str, str]:
    """How to reach the server, in the environment: on the command line every user of the machine would read the password."""
    found = {name: str(value) for key, name in _VARIABLES.items() if (value := getattr(url, key)) is not None}
    options = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "host": "PGHOST", "port": "PGPORT"}
    return found | {name: str(url.query[key]) for key, name in options.items() if key in url.query}

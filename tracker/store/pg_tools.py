"""PostgreSQL's own tools, `pg_dump`, `pg_restore` and `psql`: run where installed, asked for in one sentence where not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from sqlalchemy.engine import URL, make_url

from tracker.errors import ProgramError

LOOK_S: Final = 0.5
SHOWN_LINES: Final = 3
CHUNK_BYTES: Final = 2**20
_DROP_FAMILY: Final = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND starts_with(relname, '{prefix}')
    LOOP EXECUTE format('DROP TABLE %s CASCADE', found.name); END LOOP;
    FOR found IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND starts_with(proname, '{prefix}')
    LOOP EXECUTE format('DROP FUNCTION %s CASCADE', found.name); END LOOP;
    FOR found IN SELECT oid::regtype AS name FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'c') AND starts_with(typname, '{prefix}')
    LOOP EXECUTE format('DROP TYPE %s CASCADE', found.name); END LOOP;
END $$;
"""
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


def put_back(
    url: str, file: Path, tables: Iterable[str], watch: Callable[[float], None], *, families: Iterable[str] = ()
) -> None:
    """Put a dump's content in the place of these tables, in one transaction. Raises ToolError; then all is as it was.

    *families*: beginnings of names; the tables, functions and types so named go too.
    """
    listed = ", ".join(f'public."{name}"' for name in sorted(tables))
    reader = [_program("pg_restore"), "--no-owner", "--file=-", str(file)]
    writer = [
        _program("psql"),
        "--no-psqlrc",
        "--quiet",
        "--no-password",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
    ]
    environment = _environment(url)
    with TemporaryFile() as complaints:
        into = subprocess.Popen(
            [*writer, f"--dbname={_database(url)}"], env=environment, stdin=subprocess.PIPE, stderr=complaints
        )
        assert into.stdin is not None
        try:
            # pg_restore's own --clean leaves the tables of a newer schema, and stumbles over what they point to.
            into.stdin.write(f"BEGIN; DROP TABLE IF EXISTS {listed} CASCADE;\n".encode())
            into.stdin.write("".join(_DROP_FAMILY.format(prefix=prefix) for prefix in families).encode())
            _pour(reader, into.stdin, complaints, watch)
            into.stdin.write(b"\nCOMMIT;\n")
            into.stdin.close()
        except BrokenPipeError:
            pass  # psql has ended: its complaint says why
        except BaseException:
            into.kill()  # without its COMMIT nothing has happened
            into.wait()
            raise
        if into.wait() != 0:
            raise ToolError(f"psql failed: {_first(complaints)}; the database is as it was")


def _pour(reader: Sequence[str], into: IO[bytes], complaints: IO[bytes], watch: Callable[[float], None]) -> None:
    with subprocess.Popen(reader, stdout=subprocess.PIPE, stderr=complaints) as source:
        assert source.stdout is not None
        while chunk := source.stdout.read(CHUNK_BYTES):
            into.write(chunk)
            watch(0.5)
    if source.returncode != 0:
        raise ToolError(f"pg_restore failed: {_first(complaints)}; the database is as it was")


def _first(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    lines = [line.strip() for line in complaints.read().decode(errors="replace").splitlines() if line.strip()]
    return "; ".join(lines[:SHOWN_LINES]) or "it gave no reason"


def _database(url: str) -> str:
    return make_url(url).database or ""


def _run(tool: str, words: Sequence[str], url: str | None, watch: Callable[[float], None]) -> str:
    """Run a tool to its end; `watch` may end it before. Returns what it said on standard output."""
    environment = _environment(url) if url is not None else None
    with subprocess.Popen(
        [_program(tool), *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
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


def _program(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        raise ToolError(
            f"{tool} is not installed here: install PostgreSQL's client programs (Debian: postgresql-client), "
            "not older than the server, and try again"
        )
    return found


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, **_login(make_url(url))}


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

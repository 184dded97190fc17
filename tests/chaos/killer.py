"""Runs the `tracker` command and kills it with SIGKILL at a chosen point: around a commit, a network call, a file's move.

    python -m tests.chaos.killer --kill-at 'http.after:POST *cadastra' run --once -c config.yaml
    python -m tests.chaos.killer --kill-at 17 --list points.txt run --once -c config.yaml

The points are laid around the libraries, in this process alone; the program itself knows nothing of them:

    commit.before / commit.after     a transaction that wrote, named by its tables (and the state of a call or a message)
    http.before / http.after         a request, named by method and path; after: its answer has begun to arrive
    smtp.mail.before                 before MAIL
    smtp.data.before / .after        DATA and its 354, named by the recipient
    smtp.text.written                the text and the final dot are with the system, named by the subject
    smtp.dot.after                   the final answer has been read
    file.before / file.after         a file's move in the inbox, named by where it goes
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.policy import default as modern
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Lock, local
from typing import Any

import httpx
from aiosmtplib.protocol import SMTPProtocol
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

_WRITE = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE)\s+\"?(\w+)")
_WITH_STATE = {"claim_steps", "deliveries", "letters"}
_NOTED = "tests.chaos.written"
_INBOX_FOLDERS = {"done", "refused", "duplicate"}


@dataclass
class Points:
    """Counts the points passed and kills at the chosen one.

    `chosen`: patterns of names (the first point that matches any of them), or one number counted from 1; none: never.
    `listing` gets every name on a line of its own, the deadly one last.
    """

    chosen: Sequence[str] = ()
    listing: Path | None = None
    count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def reached(self, name: str) -> None:
        """Note one point; does not return where it is the chosen one."""
        with self._lock:
            self.count += 1
            if self.listing is not None:
                with self.listing.open("a", encoding="utf-8") as lines:
                    lines.write(name + "\n")
            if self.is_chosen(name):
                os.kill(os.getpid(), signal.SIGKILL)

    def is_chosen(self, name: str) -> bool:
        """Whether the point just counted, of this name, is the one to die at."""
        return any(
            self.count == int(choice) if choice.isdigit() else fnmatchcase(name, choice) for choice in self.chosen
        )


def watch(points: Points) -> None:
    """Lay the points around the libraries of this process."""
    _watch_commits(points)
    _watch_http(points)
    _watch_smtp(points)
    _watch_files(points)


def _watch_commits(points: Points) -> None:
    here = local()
    commit: Callable[[DefaultDialect, Any], None] = DefaultDialect.do_commit

    def note(
        connection: Connection, _cursor: object, statement: str, _parameters: object, context: Any, _many: bool
    ) -> None:
        written = _WRITE.match(statement)
        if written is not None:
            connection.info.setdefault(_NOTED, {})[_written(written, context)] = None

    def before(connection: Connection) -> None:
        noted = connection.info.pop(_NOTED, None)
        here.name = ",".join(noted) if noted else None
        if here.name:
            points.reached(f"commit.before:{here.name}")

    def forget(connection: Connection) -> None:
        connection.info.pop(_NOTED, None)

    def committing(dialect: DefaultDialect, dbapi_connection: Any) -> None:
        commit(dialect, dbapi_connection)
        name, here.name = getattr(here, "name", None), None
        if name:
            points.reached(f"commit.after:{name}")

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", before)
    event.listen(Engine, "rollback", forget)
    setattr(DefaultDialect, "do_commit", committing)


def _written(statement: re.Match[str], context: Any) -> str:
    """The table that a statement writes, with the new state where that tells one save from another."""
    verb, name = statement.groups()
    if verb in {"CREATE TABLE", "ALTER TABLE"}:
        return "schema"
    values = (getattr(context, "compiled_parameters", None) or [{}])[0]
    if name == "carrier_tokens" and values.get("value"):
        return f"{name}=kept"
    state = values.get("state") or values.get("state_m0")
    return f"{name}={state}" if state and name in _WITH_STATE else name


def _watch_http(points: Points) -> None:
    handle = httpx.AsyncHTTPTransport.handle_async_request

    async def handling(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {request.url.path}"
        points.reached(f"http.before:{what}")
        response = await handle(transport, request)
        points.reached(f"http.after:{what}")
        return response

    setattr(httpx.AsyncHTTPTransport, "handle_async_request", handling)


def _watch_smtp(points: Points) -> None:
    write, read = SMTPProtocol.write, SMTPProtocol.read_response
    waiting: dict[SMTPProtocol, str] = {}
    recipients: dict[SMTPProtocol, str] = {}

    def writing(protocol: SMTPProtocol, data: bytes) -> None:
        if data.startswith(b"MAIL "):
            points.reached("smtp.mail.before")
        elif data.startswith(b"RCPT "):
            recipients[protocol] = data.split(b"<")[-1].split(b">")[0].decode()
        elif data == b"DATA\r\n":
            points.reached(f"smtp.data.before:{recipients[protocol]}")
            waiting[protocol] = f"smtp.data.after:{recipients[protocol]}"
        write(protocol, data)
        if data.endswith(b"\r\n.\r\n"):
            subject = BytesHeaderParser(policy=modern).parsebytes(data)["Subject"]
            points.reached(f"smtp.text.written:{subject}")
            waiting[protocol] = f"smtp.dot.after:{subject}"

    async def reading(protocol: SMTPProtocol, timeout: float | None = None) -> Any:
        answer = await read(protocol, timeout=timeout)
        name = waiting.pop(protocol, None)
        if name:
            points.reached(name)
        return answer

    setattr(SMTPProtocol, "write", writing)
    setattr(SMTPProtocol, "read_response", reading)


def _watch_files(points: Points) -> None:
    replace = Path.replace

    def replacing(path: Path, target: Any) -> Path:
        folder = Path(target).parent.name
        if folder not in _INBOX_FOLDERS:
            return replace(path, target)
        what = "report" if path.suffix == ".part" else folder
        points.reached(f"file.before:{what}")
        moved = replace(path, target)
        points.reached(f"file.after:{what}")
        return moved

    setattr(Path, "replace", replacing)


def tracker(points: Points, words: Sequence[str]) -> None:
    """The `tracker` command with these words, watched; ends the process as the command does, or by the kill."""
    from tracker.cli.main import main

    watch(points)
    sys.argv = ["tracker", *words]
    main()


def launched(points: Points, words: Sequence[str], clock_file: Path, log: Path) -> None:
    """The same in a process of its own that was forked for it: its words go to a file, its clock comes from one."""
    os.environ["TRACKER_CLOCK_FILE"] = str(clock_file)
    with log.open("a", encoding="utf-8") as said:
        sys.stdout = sys.stderr = said
        tracker(points, words)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.killer", description=__doc__)
    parser.add_argument("--kill-at", action="append", default=[], metavar="N|PATTERN", help="where to kill")
    parser.add_argument("--list", type=Path, metavar="FILE", help="append the name of every point passed")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="the tracker command's own words")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    tracker(Points(given.kill_at, given.list), given.words)

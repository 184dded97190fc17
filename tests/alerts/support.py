"""The alerts stage as the engine runs it, and a real receiver that keeps what it got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from sqlalchemy import func, select

from tracker.alerts.sinks import LogSink, SinkEntry, WebhookSink
from tracker.alerts.sweep import AlertSweep
from tracker.alerts.telling import SinkSweep
from tracker.domain.alerting import SinkPolicy
from tracker.store.database import Database
from tracker.store.logs import SignalNote, signal
from tracker.store.tables import AlertDelivery, AlertNotification, table

SECRET = "a-secret-of-some-length"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = "carrier:correios:tracking:down"


@dataclass
class Receiver:
    """What an operator's endpoint got: (headers in lower case, body); answers with the next status, then `always`."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    always: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    """Of every answer."""
    paths: list[str] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def envelopes(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on loopback."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.paths.append(self.path)
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.answers.pop(0) if made.answers else made.always)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: what came is in `got`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield made
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Alerting:
    """The stage as the engine runs it: the lane that decides, then each sink's own."""

    database: Database
    entries: list[SinkEntry]

    async def run(self, now: datetime) -> None:
        await self.decide.run(now)
        for entry in self.entries:
            await SinkSweep(self.database, entry, jitter=lambda: 0.0).run(now)

    @cached_property
    def decide(self) -> AlertSweep:
        return AlertSweep(self.database, self.entries)


def log_entry() -> SinkEntry:
    return SinkEntry("log", "log", "log", SinkPolicy(), LogSink())


def sweep(database: Database, receiver: Receiver, policy: SinkPolicy = SinkPolicy()) -> Alerting:
    return Alerting(database, [log_entry(), hook(receiver, policy)])


def say(
    database: Database,
    at: datetime,
    *,
    raised: bool = True,
    summary: str = "does not answer",
    key: str = KEY,
    kind: str = "carrier_down",
    severity: str = "critical",
    **details: Any,
) -> None:
    with database.begin_write() as connection:
        signal(connection, [SignalNote(key, kind, severity, summary, raised, details=details)], at)


def codes(database: Database, at: datetime, *numbers: int, raised: bool = True) -> None:
    """So many codes that nobody reads."""
    for number in numbers:
        say(
            database,
            at,
            raised=raised,
            key=f"unknown_code:correios:X{number}",
            kind="unknown_code",
            severity="warning",
            summary=f"unknown code X{number}",
        )


def hook(
    receiver: Receiver, policy: SinkPolicy = SinkPolicy(), *, name: str = "webhook", digest: str = "d"
) -> SinkEntry:
    return SinkEntry(name, f"{name}#2", digest, policy, WebhookSink(receiver.url, [SECRET]))


def deliveries(database: Database) -> list[tuple[str, str, str, int]]:
    """(sink, phase, state, attempts) of every word."""
    words, notes = table(AlertDelivery), table(AlertNotification)
    query = select(words.c.sink, words.c.phase, words.c.state, func.coalesce(notes.c.attempts, 0)).select_from(
        words.outerjoin(notes, notes.c.id == words.c.notification_id)
    )
    with database.begin_read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(words.c.id))]

"""Ten carriers at once, played by their conformance kits: one shop, the program's own lanes, a month of simulated hours.

The lanes of all accounts run beside each other at each hour; one that still runs is not started again, as an engine has it.
"""

from __future__ import annotations

import asyncio
import csv
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from sqlalchemy import select
from sqlmodel import SQLModel

from carriers.base import Adapter
from carriers.http import CarrierHttp
from carriers.testing import Kit, Question, Reply, Told, json_reply, kit_of
from carriers.testing.stage import Network
from tests.carriers.ours import our_adapters
from tests.support.schema import prepare
from tracker import accounts as composition
from tracker.app import App, build
from tracker.clock import CLOCK_FILE_VARIABLE
from tracker.config.load import load_config
from tracker.engine.base import Lane
from tracker.sandbox.clock import write_instant
from tracker.store.freshness import freshness
from tracker.store.tables import Problem, ShipmentPoll, table

NAMES: Final = (
    *("ssw", "melhor_envio", "intelipost", "loggi", "jt_express"),
    *("17track", "aftership", "dhl", "ups", "fedex"),
)
PARCELS: Final = 10
HOUR: Final = timedelta(hours=1)
NUMBERING: Final = frozenset({"id", "lease_token", "lease_until"})
PATIENCE_S: Final = 60.0
"""Real seconds in which every lane but the hanging ones ends; nothing but a lane that is held up comes near."""
LOST, SILENT, REVERSED = 0, 1, 2
"""Which parcels of a carrier come to something else than a delivery."""


# --- the carriers -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Journey:
    """What a carrier tells of one parcel, oldest first."""

    number: str
    as_written: str
    promised_on: datetime
    told: tuple[Told, ...]


class Carrier(Network):
    """One carrier: it knows of each parcel what has happened by now. `trouble` is what it does instead of answering."""

    def __init__(self, kit: Kit, now: Callable[[], datetime]) -> None:
        super().__init__(kit)
        self.journeys: Sequence[Journey] = ()
        self.turns_taken: set[int] = set()
        self._now = now
        self._held: asyncio.Event | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        now = self._now()
        told = {one.number: [event for event in one.told if event.at <= now] for one in self.journeys}
        self.world = {number: self.kit.entry(number, events) for number, events in told.items() if events}
        return await super().handle_async_request(request)

    @property
    def is_holding(self) -> bool:
        """Whether somebody waits for an answer that does not come."""
        return self._held is not None

    async def hang(self, question: Question, reply: Reply) -> Reply:
        """No answer: the connection stays open until it is let go, and is then found dead."""
        held = self._held = asyncio.Event()
        await held.wait()
        raise httpx.ReadTimeout("no answer")

    def fall_silent(self) -> None:
        """From now on answer nothing, neither calls nor logins."""
        self.fault = self.login_fault = self.hang

    def let_go(self) -> None:
        """End a call that is being held."""
        if self._held is not None:
            self._held.set()
            self._held = None

    def misbehave(self, turn: timedelta) -> None:
        """From now on answer wrongly, in another way each time *turn* is over."""
        since = self._now()

        def fault(question: Question, reply: Reply) -> Reply:
            place = (self._now() - since) // turn % len(TURNS)
            self.turns_taken.add(place)
            return TURNS[place](self.kit, question, reply)

        self.fault = fault

    def recover(self) -> None:
        """Answer as ever."""
        self.fault = self.login_fault = None
        self.let_go()


MOST_BYTES: Final = 256 * 1024
"""A body may be so long here: a thirtieth of the real limit, for hundreds of bodies are longer."""
_PADDING: Final = b" " * MOST_BYTES


def _hostile(kit: Kit, question: Question, reply: Reply) -> Reply:
    body: Any = {"a": [[None, -1, 1e300, "\x00", {"success": "\u202e", "data": {"x": "'; DROP TABLE shipments; --"}}]]}
    for _ in range(60):
        body = {"data": [body], "meta": body} if len(str(body)) < 2_000 else {"data": [body]}
    return json_reply(body, reply.status)


Turn = Callable[[Kit, Question, Reply], Reply]
TURNS: Final[tuple[Turn, ...]] = (
    lambda kit, question, reply: Reply(503, b"{}"),
    lambda kit, question, reply: Reply(
        200, b"<!DOCTYPE html><html>Em manuten\xc3\xa7\xc3\xa3o", {"Content-Type": "text/html"}
    ),
    lambda kit, question, reply: Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers),
    _hostile,
    lambda kit, question, reply: Reply(reply.status, reply.body + _PADDING, reply.headers),
    lambda kit, question, reply: kit.refused(question),
)
"""Out of order, a page, cut off, of another shape, enormous, and a refusal of the credentials."""


def journeys_of(
    cls: type[Adapter], kit: Kit, normalise: Callable[[str], Any], first: datetime, days: int
) -> Iterator[Journey]:
    """Ten parcels in so many days: posted one after the other, under way for a third of the time."""
    span = timedelta(days=days)
    for place, number in enumerate(kit.numbers[:PARCELS]):
        start = first + HOUR * 2 + span * 0.35 * place / PARCELS
        # Of dated stages each has one date.
        moves = (0.05,) if kit.milestones else (0.05, 0.1, 0.2)
        steps = [Told(start + span * share, kit.codes.moving) for share in moves]
        if kit.codes.posted:
            steps.insert(0, Told(start, kit.codes.posted))
        end = start + span * 0.35
        if place == LOST and kit.codes.lost:
            steps.append(Told(end, kit.codes.lost))
        elif place not in (LOST, SILENT):
            steps.append(Told(end, kit.codes.delivered))
        if place == REVERSED and kit.codes.undelivered:
            steps.append(Told(end + HOUR * 5, kit.codes.undelivered))
        # One in four is late. The others come on their day: where nobody can look, nobody knows that they did.
        promised = end if place % 4 else end - span * 0.2
        yield Journey(normalise(number).value, number, promised, tuple(steps))


# --- the shop ---------------------------------------------------------------------------------------


def settings_of(folder: Path) -> dict[str, Any]:
    """A shop in observe mode, with an account of each carrier."""
    adapters = our_adapters()
    return {
        "database": {"url": f"sqlite:///{folder / 'tracker.db'}"},
        "shops": [{"id": "aurora", "name": "Loja Aurora", "email": {"from": "Loja Aurora <loja@aurora.example>"}}],
        "carriers": [
            {
                "id": f"conta-{name}",
                "adapter": name,
                "base_url": f"http://127.0.0.1:9{urlsplit(adapters[name].BASE_URL).path}",
                **kit_of(adapters[name]).settings,
            }
            for name in NAMES
        ],
        "intake": [{"kind": "folder", "shop": "aurora", "path": "inbox"}],
        "alerts": [{"kind": "log"}],
        "web": {"operator": None},
    }


@dataclass
class Sample:
    """The ages of one account's answers at one hour, in seconds, by status: `tracker report --freshness`."""

    p50: float
    p95: float


@dataclass
class Month:
    """One run: the shop, its ten carriers, and what was seen each hour."""

    folder: Path
    first: datetime
    every: timedelta
    app: App
    carriers: Mapping[str, Carrier]
    now: datetime
    samples: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    _running: dict[str, asyncio.Task[int]] = field(default_factory=dict)

    async def until(self, day: float) -> None:
        """Let the hours go by up to this day (from 0); a call that hangs is found dead at the next look at the clock."""
        while self.now < self.first + timedelta(days=day):
            self.now += self.every
            write_instant(self.folder / "clock", self.now)
            for carrier in self.carriers.values():
                carrier.let_go()
            await self._hour()
            self._sample()

    async def _hour(self) -> None:
        # What is imported is there before anybody asks about it, whichever thread is faster: two runs are to be compared.
        for lane in self._lanes("intake:"):
            await lane.run(self.now)
        for lane in self._lanes("poll:", "deadlines:", "claims:"):
            if lane.name not in self._running:
                self._running[lane.name] = asyncio.create_task(lane.run(self.now))
        await self._rest()
        for lane in self._lanes("codes", "detect", "incidents", "claims", "alerts"):
            if lane.name not in self._running:
                await lane.run(self.now)

    def _lanes(self, *prefixes: str) -> list[Lane]:
        return [lane for lane in self.app.lanes if lane.name.startswith(prefixes)]

    async def _rest(self) -> None:
        """Wait for every lane but those that wait for a carrier that holds them."""
        async with asyncio.timeout(PATIENCE_S):
            while waiting := [task for name, task in self._running.items() if not task.done() and not self._held(name)]:
                await asyncio.wait(waiting, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)
        for name, task in list(self._running.items()):
            if task.done():
                task.result()
                del self._running[name]

    async def end(self) -> None:
        """Cut off what still runs."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _held(self, lane: str) -> bool:
        carrier = self.carriers.get(lane.partition("conta-")[2])
        return carrier is not None and carrier.is_holding

    def _sample(self) -> None:
        with self.app.database.begin_read() as connection:
            for one in freshness(connection, self.now):
                ages = one.answered
                sample = Sample((self.now - ages.p50).total_seconds(), (self.now - ages.p95).total_seconds())
                self.samples[one.carrier.removeprefix("conta-")].append(sample)

    def accounts_rows(self, model: type[SQLModel], name: str) -> list[dict[str, Any]]:
        """The rows about one account's parcels without what numbers them: so one run can be compared with another."""
        own = {row["shipment_id"] for row in self.rows(ShipmentPoll, carrier=f"conta-{name}")}
        key = "subject_id" if model is Problem else "shipment_id"
        kept = [row for row in self.rows(model) if row[key] in own]
        plain = [{column: row[column] for column in row if column not in NUMBERING} for row in kept]
        return sorted(plain, key=lambda row: [str(value) for value in row.values()])

    def rows(self, model: type[SQLModel], **where: Any) -> list[dict[str, Any]]:
        """The rows of a table with these values."""
        rows = table(model)
        query = select(rows).where(*(rows.c[name] == value for name, value in where.items()))
        with self.app.database.begin_read() as connection:
            return [dict(row) for row in connection.execute(query.order_by(*rows.primary_key.columns)).mappings()]


@asynccontextmanager
async def month(folder: Path, first: datetime, days: int, every: timedelta = HOUR) -> AsyncIterator[Month]:
    """The shop, opened; its orders lie in the inbox."""
    folder.mkdir()
    config, clock = folder / "config.yaml", folder / "clock"
    config.write_text(yaml.safe_dump(settings_of(folder)), encoding="utf-8")
    write_instant(clock, first)
    env = {CLOCK_FILE_VARIABLE: str(clock)}
    adapters = our_adapters()
    found: list[Month] = []
    carriers = {name: Carrier(kit_of(adapters[name]), lambda: found[0].now if found else first) for name in NAMES}

    def connect(account: str, base_url: str) -> CarrierHttp:
        transport = carriers[account.removeprefix("conta-")]
        return CarrierHttp(account, base_url, sleep=_at_once, transport=transport, max_body_bytes=MOST_BYTES)

    prepare(f"sqlite:///{folder / 'tracker.db'}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "load", adapters.__getitem__)
        app = build(load_config(config, env, strict_credentials=True, adapters=adapters), env, connect=connect)
    found.append(Month(folder, first, every, app, carriers, first))
    for name, carrier in carriers.items():
        tracking = app.book.accounts[f"conta-{name}"].adapter.tracking
        assert tracking is not None
        carrier.journeys = tuple(journeys_of(adapters[name], carrier.kit, tracking.normalise, first, days))
    _drop_orders(folder / "inbox", carriers)
    app.take_over()
    try:
        yield found[0]
    finally:
        await found[0].end()
        await app.close()


async def _at_once(_seconds: float) -> None:
    """Stands in for the seconds between two tries of one call."""
    await asyncio.sleep(0)


def _drop_orders(inbox: Path, carriers: Mapping[str, Carrier]) -> None:
    lines = StringIO()
    sheet = csv.writer(lines, delimiter=";")
    sheet.writerow(["Pedido", "Cliente", "E-mail", "Transportadora", "Código de rastreio", "Previsão de entrega"])
    for name, carrier in carriers.items():
        for place, one in enumerate(carrier.journeys):
            order = f"{name.upper()}-{place}"
            promised = f"{one.promised_on:%d/%m/%Y}"
            sheet.writerow([order, "Ana de Teste", "ana@example.com", f"conta-{name}", one.as_written, promised])
    inbox.mkdir()
    path = inbox / "pedidos.csv"
    path.write_text(lines.getvalue(), encoding="utf-8")
    settled = path.stat().st_mtime - 60
    os.utime(path, (settled, settled))

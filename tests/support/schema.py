"""The whole schema in an instant: a database of each kind is migrated once a process, and copied from then on."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from os import getpid
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from tracker.store.migrate import upgrade
from tracker.store.schema import is_current_file


def prepare(url: str) -> None:
    """Give an empty database, or one that is not there yet, the whole schema; one that has any is upgraded."""
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        _prepare_file(url, Path(str(target.database)))
    elif not _copy_database(target):
        upgrade(url)


def _prepare_file(url: str, path: Path) -> None:
    if path.exists():
        if not is_current_file(path):
            upgrade(url)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(_template_file(), path)


@cache
def _template_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tracker-schema-"))
    path = folder / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


def _copy_database(target: URL) -> bool:
    """Make it anew from the template, where it is empty; whether it has the whole schema now."""
    engine = create_engine(target)
    with engine.connect() as connection:
        used = connection.execute(
            text("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public')")
        ).scalar_one()
    engine.dispose()
    if used:
        return False
    server = target.set(database="postgres").render_as_string(hide_password=False)
    template = _template_database(server)
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {target.database}"))
        connection.execute(text(f"CREATE DATABASE {target.database} TEMPLATE {template}"))
    admin.dispose()
    return True


@cache
def _template_database(server: str) -> str:
    name = f"schema_{getpid()}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    upgrade(make_url(server).set(database=name).render_as_string(hide_password=False))
    return name

"""The files that were taken or refused, by their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from tracker.store.database import upsert
from tracker.store.tables import (
    Import,
    table,
)

_IMPORTS = table(Import)


@dataclass(frozen=True, slots=True)
class ImportRow:
    state: str
    faults: int
    report: Sequence[Mapping[str, Any]]


def import_of(connection: Connection, shop: str, content_hash: str) -> ImportRow | None:
    """The earlier reading of a file with this content."""
    query = select(_IMPORTS.c.state, _IMPORTS.c.faults, _IMPORTS.c.report).where(
        _IMPORTS.c.shop == shop, _IMPORTS.c.content_hash == content_hash
    )
    row = connection.execute(query).one_or_none()
    return ImportRow(*row) if row else None


@dataclass(frozen=True, slots=True)
class RefusedFile:
    name: str
    reason: str


def newest_refused(connection: Connection, shop: str, among: int) -> list[RefusedFile]:
    """Files of the shop among the last *among* new ones that were refused whole, and why; the newest first."""
    columns = (_IMPORTS.c.shop, _IMPORTS.c.state, _IMPORTS.c.name, _IMPORTS.c.report)
    rows = connection.execute(select(*columns).order_by(_IMPORTS.c.id.desc()).limit(among)).all()
    refused = [(name, report) for whose, state, name, report in rows if whose == shop and state == "refused" and report]
    return [RefusedFile(name, report[0]["reason"]) for name, report in refused]


def save_import(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write a reading, in place of an earlier one of the same content."""
    names = [name for name in values if name not in {"shop", "content_hash"}]
    upsert(connection, _IMPORTS, [dict(values)], ["shop", "content_hash"], names)

"""Databases as the programs of earlier revisions left them: two rows in every table that there was, and in every column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    insert,
)
from sqlalchemy.types import TypeEngine

from tracker.store.database import _normalised
from tracker.store.migrate import _config
from tracker.store.schema import head

NOW: Final = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATER: Final = datetime(2099, 1, 1, tzinfo=UTC)
"""Nothing of it is due: a start works on nothing."""
VERSIONS: Final = "alembic_version"
WORDS: Final = {
    "status": "in_transit",
    "claims.state": "open",
    "deliveries.state": "sent",
    "letters.state": "sent",
    "claim_steps.state": "done",
    "claim_steps.action": "open",
    "alert_deliveries.state": "sent",
    "shipment_deadlines.state": "named",
    "trigger": "posted",
    "problems.kind": "delay",
    "claims.kind": "refund",
    "claim_steps.kind": "refund",
    "orders.status": "shipped",
    "tracking_refs.kind": "code",
    "cause": "absent",
    "returning_cause": "refused",
    "trouble_cause": "absent",
    "hold_reason": "propose",
    "subject_kind": "shipment",
    "channel": "email",
    "shop": "aurora",
    "carrier": "correios",
    "adapter": "correios",
    "severity": "info",
    "phase": "raised",
}
"""Words that the program reads as such, by column or by table and column."""
ENDED: Final = ("closed_at", "resolved_at", "consumed_at", "ended_at")


def revisions() -> list[str]:
    """Every revision before the newest, oldest first."""
    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    return [revision for revision in reversed(known) if revision != head()]


def build(url: str, revision: str) -> dict[str, list[dict[str, Any]]]:
    """An old database with its rows; returns them by table."""
    engine = create_engine(_normalised(url))
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        _fill(connection)
        found = rows_of(connection)
    engine.dispose()
    return found


def rows_of(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as the columns of the database itself tell it."""
    return {
        rows.name: [
            dict(row) for row in connection.execute(rows.select().order_by(*rows.primary_key.columns)).mappings()
        ]
        for rows in _tables(connection)
    }


def _tables(connection: Connection) -> list[Table]:
    reflected = MetaData()
    reflected.reflect(connection)
    return [rows for rows in reflected.sorted_tables if rows.name != VERSIONS]


def _fill(connection: Connection) -> None:
    for rows in _tables(connection):
        for number in (1, 2):
            connection.execute(insert(rows), _row(rows, number, connection.dialect.name == "sqlite"))


def _row(rows: Table, number: int, sqlite: bool) -> dict[str, Any]:
    """The first row fills every column, the second those that must be."""
    row = {}
    for column in rows.columns:
        optional = column.nullable and not column.primary_key
        if optional and (number == 2 or column.name.startswith("lease_")) and column.name not in ENDED:
            continue
        row[column.name] = _value(rows.name, column.name, column.type, number, bool(column.foreign_keys), sqlite)
    return row


def _value(table: str, name: str, kind: TypeEngine[Any], number: int, is_key: bool, sqlite: bool) -> Any:
    if is_key or (name.endswith("_id") and isinstance(kind, Integer)):
        return number
    word = WORDS.get(f"{table}.{name}") or WORDS.get(name)
    if word is not None:
        # An account is a key here and there.
        return word if number == 1 or name != "carrier" else f"{word}{number}"
    match kind:
        case JSON():
            return {"k": f"{table} {number}"}
        case Boolean():
            return number == 1
        case Integer():
            return number
        case Float():
            return number + 0.5
        case DateTime():
            at = LATER if name.startswith("next_") else NOW
            return at.replace(tzinfo=None) if sqlite else at
        case Date():
            return date(2026, 11, number)
        case LargeBinary():
            return f"{table} {number}".encode()
    return f"{name} {number}"

"""How the lanes are and who runs them, for `tracker engine status`. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from tracker.store import engine_rows, gauges
from tracker.store.engine_rows import LaneRow, WorkerRow


@dataclass(frozen=True, slots=True)
class EngineView:
    """Everything at one instant. `at` is the database's own clock where it has one, else None."""

    at: datetime | None
    workers: tuple[WorkerRow, ...]
    lanes: tuple[LaneRow, ...]
    due: Mapping[str, int]
    """Rows that are due now, by the lane that works on them."""


_LANES_OF_QUEUES = {
    "hooks": "hooks",
    "orders": "detect:orders",
    "claim_plans": "claims",
    "notices": "messages",
    "signals": "alerts",
}
"""The queue's name, and the one lane that works on all of it; detection is cut into shards that are not counted apart."""


def engine_view(connection: Connection, carriers: Sequence[str], channels: Sequence[str], now: datetime) -> EngineView:
    """Reads the engine's rows, and indexes of due rows alone. *now*: the instant by which rows are due."""
    quick = gauges.quick(connection, carriers, channels, now)
    due = {f"poll:{carrier}": found.count for carrier, found in quick.looks.items()}
    due |= {lane: quick.queues[queue].count for queue, lane in _LANES_OF_QUEUES.items()}
    if len(channels) == 1:
        due[f"messages:{channels[0]}"] = quick.queues["mail"].count
    is_server = connection.dialect.name != "sqlite"
    return EngineView(
        engine_rows.database_now(connection) if is_server else None,
        tuple(engine_rows.workers(connection)),
        tuple(engine_rows.lanes(connection)),
        due,
    )

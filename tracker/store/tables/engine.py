"""Who works on this database, and how each lane is: what `tracker engine status` shows, and what several machines plan by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from tracker.store.tables.base import BigId


class EngineWorker(SQLModel, table=True):
    """One process that runs lanes; the row goes when it ends well, and is taken away by the others when it does not."""

    __tablename__ = "engine_workers"

    holder: str = Field(primary_key=True)
    """Drawn at random when it began; its lease tokens begin with it."""
    engine: str
    """`local` or `procrastinate`."""
    mode: str
    """`daemon` or `pass`."""
    host: str
    pid: int
    queue_worker: int | None = Field(default=None, sa_type=BigId)
    """Its number in the job queue; NULL: the local engine has none."""
    started_at: datetime
    beat_at: datetime
    """Its last sign of life: by the database's clock, by the machine's own where the engine is local."""
    lanes: list[str] = Field(default_factory=list, sa_type=JSON)
    """The lanes it can run."""


class EngineLane(SQLModel, table=True):
    """One lane: when it is due, who runs it, how its last run ended."""

    __tablename__ = "engine_lanes"

    name: str = Field(primary_key=True)
    every_s: float
    stuck_after_s: float
    next_run_at: datetime | None = None
    """When it is to be queued; NULL while it runs, and always with the local engine, which plans in its own memory."""
    holder: str = ""
    """Who runs it now; `''`: nobody."""
    host: str = ""
    """Where it runs, or ran last."""
    pid: int | None = None
    job_id: int | None = Field(default=None, sa_type=BigId)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    well_at: datetime | None = None
    """When a run last ended without an error."""
    failing_since: datetime | None = None
    failures: int = 0
    """Runs in a row that raised."""
    outcome: str = ""
    """How the last one ended: `done`, `failed`, `cut_off`, `lost` with its worker; `''`: none has ended yet."""
    error: str = ""
    """The kind of the last error; never its words, which may quote a row."""
    worked: int = Field(default=0, sa_type=BigId)
    """Rows that the last run worked on."""
    worked_in_all: int = Field(default=0, sa_type=BigId)
    """Rows that all its runs worked on."""
    is_kicked: bool = False
    """Work came while it runs: it is queued again as soon as it ends."""


class EngineQueue(SQLModel, table=True):
    """Which version of the job queue's own tables stands in this database; one row, where there is any."""

    __tablename__ = "engine_queue"

    id: int = Field(primary_key=True)
    version: str
    """The name of the newest of the library's migrations that these tables have."""

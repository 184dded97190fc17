"""Who works and how each lane is, as rows: written by the engines, read by `tracker engine status` and by the planners.

Several machines plan by these rows, so every instant in them is the database's, whatever the machines' clocks say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, exists, func, insert, select, update

from tracker.store.database import insert_new, upsert
from tracker.store.leases import free_held_by
from tracker.store.tables import EngineLane, EngineWorker, table

_WORKERS, _LANES = table(EngineWorker), table(EngineLane)


@dataclass(frozen=True, slots=True)
class LaneEntry:
    """One lane as an engine makes it known. Seconds."""

    name: str
    every_s: float
    stuck_after_s: float


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One process that runs lanes."""

    holder: str
    engine: str
    mode: str
    host: str
    pid: int
    queue_worker: int | None
    started_at: datetime
    beat_at: datetime
    lanes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane as it stands."""

    name: str
    every_s: float
    stuck_after_s: float
    next_run_at: datetime | None
    holder: str
    host: str
    pid: int | None
    started_at: datetime | None
    ended_at: datetime | None
    well_at: datetime | None
    failing_since: datetime | None
    failures: int
    outcome: str
    error: str
    worked: int
    worked_in_all: int


@dataclass(frozen=True, slots=True)
class Asked:
    """How a lane stood when somebody called for it."""

    asked_at: datetime
    worked_in_all: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run of a lane ended: `done`, `failed` or `cut_off`; when the lane comes next, in seconds from now."""

    name: str
    job_id: int
    outcome: str
    worked: int = 0
    error: str = ""
    next_in_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Rescued:
    """What was taken from the dead."""

    workers: tuple[WorkerRow, ...] = ()
    lanes: tuple[str, ...] = ()
    leases: int = 0


def database_now(connection: Connection) -> datetime:
    """The instant by PostgreSQL's own clock."""
    now: datetime = connection.execute(select(func.clock_timestamp(type_=_WORKERS.c.beat_at.type))).scalar_one()
    return now


# --- workers ----------------------------------------------------------------------------------------


def register(connection: Connection, worker: WorkerRow) -> None:
    """A process begins to run lanes; before it takes any lease."""
    connection.execute(insert(_WORKERS), {**_values(worker), "lanes": list(worker.lanes)})


def _values(worker: WorkerRow) -> dict[str, Any]:
    return {name: getattr(worker, name) for name in WorkerRow.__slots__}


def beat(connection: Connection, holder: str, at: datetime) -> bool:
    """A sign of life; False where the others have taken this worker for dead."""
    changed = connection.execute(update(_WORKERS).where(_WORKERS.c.holder == holder).values(beat_at=at))
    return changed.rowcount == 1


def unregister(connection: Connection, holder: str) -> None:
    """A process ends well: it runs no lane any more."""
    connection.execute(delete(_WORKERS).where(_WORKERS.c.holder == holder))


def workers(connection: Connection) -> list[WorkerRow]:
    """Every process that has begun and not ended well, the oldest first."""
    rows = connection.execute(select(_WORKERS).order_by(_WORKERS.c.started_at, _WORKERS.c.holder)).mappings()
    return [_worker(row) for row in rows]


def _worker(row: RowMapping) -> WorkerRow:
    return WorkerRow(**{name: row[name] for name in WorkerRow.__slots__ if name != "lanes"}, lanes=tuple(row["lanes"]))


def forget_all(connection: Connection) -> None:
    """Whoever worked here is dead: only for whoever holds the engine's exclusive lock."""
    connection.execute(delete(_WORKERS))
    connection.execute(delete(_LANES))


def rescue(connection: Connection, dead_after_s: float) -> Rescued:
    """Take the lanes and the leases of workers without a sign of life, and forget lanes that nobody has any more.

    A worker that was only stopped finds its row gone when it comes back, and its lanes and leases somebody else's.
    """
    now = database_now(connection)
    silent = _WORKERS.c.beat_at < now - timedelta(seconds=dead_after_s)
    # Whoever comes second leaves them to the first.
    query = select(_WORKERS).where(silent).order_by(_WORKERS.c.holder).with_for_update(skip_locked=True)
    dead = [_worker(row) for row in connection.execute(query).mappings()]
    holders = [worker.holder for worker in dead]
    if dead:
        connection.execute(delete(_WORKERS).where(_WORKERS.c.holder.in_(holders)))
    ownerless = (_LANES.c.holder != "", ~exists().where(_WORKERS.c.holder == _LANES.c.holder))
    query = select(_LANES.c.name).where(*ownerless).order_by(_LANES.c.name).with_for_update(skip_locked=True)
    lanes = list(connection.execute(query).scalars())
    if lanes:
        lost = {"holder": "", "job_id": None, "ended_at": now, "outcome": "lost", "next_run_at": now}
        connection.execute(update(_LANES).where(_LANES.c.name.in_(lanes)).values(**lost, is_kicked=False))
    if dead:
        _forget_lanes(connection)
    return Rescued(tuple(dead), tuple(lanes), free_held_by(connection, holders))


def _forget_lanes(connection: Connection) -> None:
    """Lanes that no living worker can run: another configuration's, or a folder's of a machine that is gone."""
    known = {name for worker in workers(connection) for name in worker.lanes}
    connection.execute(delete(_LANES).where(_LANES.c.holder == "", _LANES.c.name.not_in(known)))


# --- lanes ------------------------------------------------------------------------------------------


def take_lanes(connection: Connection, holder: str, entries: Sequence[LaneEntry]) -> None:
    """This worker can run these lanes from now on; they are looked at soon and start afresh."""
    now, names = database_now(connection), [entry.name for entry in entries]
    connection.execute(update(_WORKERS).where(_WORKERS.c.holder == holder).values(lanes=names))
    enter_lanes(connection, entries)
    _lock(connection, names)
    mine = _LANES.c.name.in_(names)
    connection.execute(
        update(_LANES).where(mine, _LANES.c.holder == "").values(failures=0, failing_since=None, next_run_at=now)
    )
    connection.execute(update(_LANES).where(mine, _LANES.c.holder != "").values(failures=0, is_kicked=True))


def enter_lanes(connection: Connection, entries: Sequence[LaneEntry]) -> None:
    """Make lanes known, or their times."""
    rows = [_fresh(entry) for entry in sorted(entries, key=lambda entry: entry.name)]
    upsert(connection, _LANES, rows, ["name"], ["every_s", "stuck_after_s"])


def _lock(connection: Connection, names: Collection[str]) -> None:
    """Lock lanes in one order, so that two of these transactions never wait for each other."""
    connection.execute(select(_LANES.c.name).where(_LANES.c.name.in_(names)).order_by(_LANES.c.name).with_for_update())


def plan(
    connection: Connection, names: Sequence[str], kicks: Collection[str], again_in_s: float
) -> tuple[list[str], list[LaneRow]]:
    """The lanes of these that are due and run nowhere, and how all of them stand.

    Each due one is given out once in the whole cluster: it comes again after *again_in_s* where it has not begun by then.
    """
    now = database_now(connection)
    if kicks:
        _kick(connection, kicks, now)
    is_due = (_LANES.c.name.in_(names), _LANES.c.holder == "", _LANES.c.next_run_at <= now)
    query = select(_LANES.c.name).where(*is_due).order_by(_LANES.c.name).with_for_update(skip_locked=True)
    due = list(connection.execute(query).scalars())
    if due:
        later = now + timedelta(seconds=again_in_s)
        connection.execute(update(_LANES).where(_LANES.c.name.in_(due)).values(next_run_at=later))
    return due, lanes(connection, names)


def _kick(connection: Connection, names: Collection[str], now: datetime) -> None:
    """These lanes have work. One that failed keeps its waiting time: new work does not mend what is broken."""
    _lock(connection, names)
    named = _LANES.c.name.in_(names)
    waiting = (named, _LANES.c.holder == "", _LANES.c.failures == 0, _LANES.c.next_run_at > now)
    connection.execute(update(_LANES).where(*waiting).values(next_run_at=now))
    connection.execute(update(_LANES).where(named, _LANES.c.holder != "").values(is_kicked=True))


def ask(connection: Connection, entry: LaneEntry) -> Asked:
    """Somebody wants this lane to be run once from this instant on."""
    insert_new(connection, _LANES, [_fresh(entry)])
    query = select(_LANES.c.worked_in_all).where(_LANES.c.name == entry.name)
    return Asked(database_now(connection), connection.execute(query).scalar_one())


def _fresh(entry: LaneEntry) -> dict[str, Any]:
    return {
        **{"name": entry.name, "every_s": entry.every_s, "stuck_after_s": entry.stuck_after_s},
        **{"holder": "", "host": "", "failures": 0, "outcome": "", "error": "", "is_kicked": False},
        **{"worked": 0, "worked_in_all": 0},
    }


@dataclass(frozen=True, slots=True)
class Begun:
    """How a lane stood when a run of it began: failed runs before it, and whether another process has run it since ours."""

    failures: int
    was_elsewhere: bool


def begin(connection: Connection, name: str, worker: WorkerRow, job_id: int) -> Begun:
    """This worker runs the lane: its job holds the lane's lock, so whoever stands there is dead, or taken for dead."""
    now = database_now(connection)
    query = select(_LANES.c.failures, _LANES.c.host, _LANES.c.pid).where(_LANES.c.name == name).with_for_update()
    before = connection.execute(query).one_or_none()
    values = {"holder": worker.holder, "host": worker.host, "pid": worker.pid, "job_id": job_id}
    values |= {"started_at": now, "next_run_at": None, "is_kicked": False}
    connection.execute(update(_LANES).where(_LANES.c.name == name).values(**values))
    if before is None:
        return Begun(0, False)
    return Begun(before.failures, (before.host, before.pid) != (worker.host, worker.pid))


def end(connection: Connection, worker: WorkerRow, ending: Ending) -> bool:
    """The run has ended; False where it is no longer ours: this worker was taken for dead meanwhile."""
    now = database_now(connection)
    ours = (_LANES.c.name == ending.name, _LANES.c.holder == worker.holder, _LANES.c.job_id == ending.job_id)
    row = connection.execute(select(_LANES).where(*ours).with_for_update()).mappings().one_or_none()
    if row is None:
        return False
    values: dict[str, Any] = {"holder": "", "job_id": None, "ended_at": now, "is_kicked": False}
    values |= {"outcome": ending.outcome, "worked": ending.worked, "error": ending.error}
    values["worked_in_all"] = row["worked_in_all"] + ending.worked
    values |= _standing(row, ending, now)
    next_in_s = 0.0 if row["is_kicked"] and ending.outcome == "done" else ending.next_in_s
    # From look to look, as the other engine has it; a run that took longer than that is followed at once.
    since = row["started_at"] if ending.outcome == "done" else now
    values["next_run_at"] = max(now, since + timedelta(seconds=next_in_s))
    connection.execute(update(_LANES).where(*ours).values(**values))
    return True


def jobs_of(connection: Connection, holder: str) -> set[int]:
    """The calls by which this worker runs lanes, as the rows say."""
    mine = (_LANES.c.holder == holder, _LANES.c.job_id.is_not(None))
    return set(connection.execute(select(_LANES.c.job_id).where(*mine)).scalars())


def give_up(connection: Connection, holder: str, job_ids: Collection[int]) -> None:
    """Lanes that this worker runs by the rows and not in truth: they are due again."""
    now = database_now(connection)
    lost = {"holder": "", "job_id": None, "ended_at": now, "outcome": "lost", "next_run_at": now}
    mine = (_LANES.c.holder == holder, _LANES.c.job_id.in_(job_ids))
    connection.execute(update(_LANES).where(*mine).values(**lost, is_kicked=False))


def _standing(row: RowMapping, ending: Ending, now: datetime) -> dict[str, Any]:
    if ending.outcome == "failed":
        return {"failures": row["failures"] + 1, "failing_since": row["failing_since"] or now}
    if ending.outcome == "done":
        return {"failures": 0, "failing_since": None, "well_at": now}
    return {}


def lanes(connection: Connection, names: Collection[str] | None = None) -> list[LaneRow]:
    """How lanes stand: these, or all; by name."""
    wanted = () if names is None else (_LANES.c.name.in_(names),)
    columns = [_LANES.c[name] for name in LaneRow.__slots__]
    rows = connection.execute(select(*columns).where(*wanted).order_by(_LANES.c.name))
    return [LaneRow(*row) for row in rows]


def note_lanes(connection: Connection, rows: Iterable[LaneRow]) -> None:
    """Write down how lanes stand in an engine that plans in its own memory."""
    found = [{name: getattr(row, name) for name in LaneRow.__slots__} | {"is_kicked": False} for row in rows]
    told = [name for name in LaneRow.__slots__ if name != "name"]
    upsert(connection, _LANES, found, ["name"], told)

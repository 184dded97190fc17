"""A season passes and what has ended is dropped: claimed and told to the end before, and not brought back by its old files."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.sandbox.world import orders_csv
from tracker.store.tables import Claim, Order, Problem, RawAnswer, Shipment

FATES = (Fate.ON_TIME, Fate.LATE_DELIVERED, Fate.DAMAGED, Fate.LOST_SILENT)
PASSES = (2, 4, 6, 8, 12, 20, 60, 100)
SEASON = 330


def numbers(trial: Trial) -> set[str]:
    return {row["number"] for row in trial.rows(Order)}


def test_a_season_later_only_what_is_open_is_left(start: Start) -> None:
    trial = start(*(of_fate(fate) for fate in FATES))
    trial.settings["retention"] = {
        "closed_orders_days": 180,
        "raw_answers_days": 120,
        "logs_days": 90,
        "archive": "old",
    }
    files = {
        f"{s.order.shipped_on}.csv": orders_csv(trial.world.plan, s.order.shipped_on)
        for s in trial.world.plan.shipments
    }
    trial.drop_orders()
    trial.pass_through(at(day(n), 10) for n in PASSES)
    everything, told, filed = numbers(trial), trial.told(), trial.attempts()
    claims = {row["shipment_id"]: row for row in trial.rows(Claim)}
    trial.pass_through([at(day(SEASON), 10)])
    files_of_old = list((trial.folder / "old").glob("orders-*"))
    archived = [json.loads(line) for file in files_of_old for line in gzip.decompress(file.read_bytes()).splitlines()]
    gone = {line["number"] for line in archived}
    assert gone and numbers(trial) == everything - gone
    # Nothing that is open went.
    unresolved = {row["order_id"] for row in trial.rows(Problem) if row["resolved_at"] is None}
    assert unresolved and unresolved <= {row["id"] for row in trial.rows(Order)}
    for line in archived:
        assert all(problem["resolved_at"] for problem in line["rows"].get("problems", ()))
        assert all(claim["closed_at"] for claim in line["rows"].get("claims", ()))
    followed = {shipment for shipment, claim in claims.items() if claim["closed_at"] is None}
    assert followed and followed <= {row["id"] for row in trial.rows(Shipment)}
    assert (trial.told(), trial.attempts()) == (told, filed)
    assert trial.command("db", "check").returncode == 0
    for name, content in files.items():
        # Another file to look at, with the same orders in it.
        trial.drop(f"again-{name}", content + b"\r\n")
    trial.pass_through([at(day(SEASON) + timedelta(days=1), 10)])
    assert numbers(trial) == everything - gone
    assert len(trial.rows(Shipment)) == len(trial.rows(Order))
    assert {row["subject_id"] for row in trial.rows(RawAnswer, subject_kind="shipment")} <= {
        row["id"] for row in trial.rows(Shipment)
    }
    assert (trial.told(), trial.attempts()) == (told, filed)

"""Plays a quarter: the world, three passes a day as real processes, then the exports against the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic

from tests.quarter.compare import Verdict, compare_claims, compare_problems, compare_reopenings
from tests.quarter.program import Program
from tests.quarter.setting import UNCOMPARED_FATES, Setting
from tracker.sandbox.answers import Claim, paid_on
from tracker.sandbox.attention import Attention
from tracker.sandbox.clock import SandboxClock, write_instant
from tracker.sandbox.truth import plan_problems
from tracker.sandbox.truth_claims import claim_truth
from tracker.sandbox.workdays import local_date
from tracker.sandbox.world import World


@dataclass(frozen=True)
class Outcome:
    """What a trial showed: the verdict, and figures."""

    verdict: Verdict
    parcels: int
    passes: int
    calls: int
    mails: int
    unexplained_mails: int
    seconds: float


def play(setting: Setting, folder: Path, say: Callable[[str], object], *, url: str = "", workers: int = 1) -> Outcome:
    """Play it in this (new) folder, on this PostgreSQL database or in a SQLite file. Raises CommandFailed."""
    started = monotonic()
    write_instant(folder / "clock", datetime.combine(setting.first_day, datetime.min.time(), tzinfo=UTC))
    world = make_world(setting, folder)
    program = Program(folder, world, setting.first_day, url, workers)
    with world:
        program.write_config()
        _passes(setting, program, say)
        verdict, unexplained = judge(setting, program)
    mails = len(world.mail.deliveries())
    calls = len(world.correios.calls)
    return Outcome(verdict, setting.parcels, len(setting.passes), calls, mails, unexplained, monotonic() - started)


def make_world(setting: Setting, folder: Path) -> World:
    """The setting's world over this folder's clock file, strikes and faults ordered."""
    clock = SandboxClock(file=folder / "clock")
    world = World(setting.plan, clock, folder=folder / "world", fault_plan=setting.fault_plan)
    for strike in setting.strikes:
        world.correios.strike(strike)
    return world


def _passes(setting: Setting, program: Program, say: Callable[[str], object]) -> None:
    dropped: set[date] = set()
    for at in setting.passes:
        day = local_date(at)
        if day not in dropped:
            dropped.add(day)
            program.start_day(setting, day)
            say(f"{day.isoformat()} {len(dropped)}/{setting.days}")
        program.run_pass(at)


def judge(setting: Setting, program: Program) -> tuple[Verdict, int]:
    """Hold the program's exports against the truth; also says how many mails nobody can explain."""
    verdict, correios = Verdict(), program.world.correios
    attention = Attention.of(setting.passes, setting.fault_plan.outages)
    ledger, until = correios.desk.ledger(), setting.passes[-1]
    by_code = {each.code: each for each in correios.shipments if each.fate not in UNCOMPARED_FATES}
    claims = [Claim(**made) for made in ledger["claims"] if made["code"] in by_code]
    paid = {claim.code: paid_on(claim, by_code[claim.code], until) for claim in claims}
    indemnified = {code: day for code, day in paid.items() if day is not None}
    truths = {code: claim_truth(shipment, attention) for code, shipment in by_code.items()}
    uncompared = {each.code for each in correios.shipments} - by_code.keys()
    rows = [row for row in program.export("problems") if row["tracking_code"] not in uncompared]
    compare_problems(plan_problems(by_code.values(), attention, indemnified), rows, verdict)
    compare_claims(truths, ledger, list(correios.calls), program.export("claims"), verdict)
    compare_reopenings(truths, claims, ledger["reopenings"], until, verdict)
    messages = program.export("messages")
    verdict.remarks.append(f"{len(program.export('shipments'))} shipments, {len(messages)} messages in the exports")
    unexplained = sum(row["state"] in {"sending", "unconfirmed"} for row in messages)
    return verdict, unexplained

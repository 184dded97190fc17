"""Plays the demonstration: three real passes a simulated day, then the proofs and the closing screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

from tracker.demo.stage import FIRST_DAY, Stage, instants
from tracker.demo.summary import Finding, day_line, summary
from tracker.sandbox.clock import SandboxClock, write_instant
from tracker.sandbox.fates import DEMO_DAYS, demo_plan
from tracker.sandbox.world import World
from tracker.store.database import Database
from tracker.store.overview import Overview, example_ids, overview

_NEXT: Final = (
    ("a história de um pedido, numa tela", "show {order}"),
    ("por que este pedido de informação foi aberto neste dia", "explain {claim}"),
    ("todos os problemas", "problems"),
    ("todos os pedidos de informação", "claims"),
    ("os dados, para planilha", "export claims --format csv"),
)


def play(folder: Path, say: Callable[[str], None], days: int = DEMO_DAYS) -> bool:
    """Play it in this (new) folder; returns whether every proof holds. Raises PassFailed."""
    started = monotonic()
    clock_file = folder / "clock"
    write_instant(clock_file, datetime.combine(FIRST_DAY, datetime.min.time(), tzinfo=UTC))
    world = World(demo_plan(FIRST_DAY), SandboxClock(file=clock_file), folder=folder / "world")
    stage = Stage(folder, world, clock_file)
    with world:
        stage.write_config()
        seen = _days(stage, days, say)
        findings = _proofs(stage, seen)
    for line in summary(seen, findings, monotonic() - started, days):
        say(line)
    _where_next(stage, say)
    return all(finding.holds for finding in findings)


def _days(stage: Stage, days: int, say: Callable[[str], None]) -> Overview:
    done = set()
    passes = instants(days)
    for day, at in passes:
        if day not in done:
            stage.drop_orders(day)
            done.add(day)
        stage.run_pass(at)
        if at == max(other for its_day, other in passes if its_day == day):
            say(day_line(len(done), days, day, _look(stage)))
    return _look(stage)


def _look(stage: Stage) -> Overview:
    database = Database(stage.database_url)
    try:
        with database.begin_read() as connection:
            return overview(connection)
    finally:
        database.close()


def _proofs(stage: Stage, seen: Overview) -> list[Finding]:
    """Counted on the other side: what the simulated carrier and mail server say they got."""
    registrations = {code: len(numbers) for code, numbers in stage.world.registrations().items()}
    doubled = [code for code, count in registrations.items() if count > 1]
    ids = Counter(delivery.message_id for delivery in stage.world.mail.deliveries())
    twice = [message_id for message_id, count in ids.items() if count > 1]
    sent = sum(seen.sent_by_trigger.values())
    return [
        Finding(f"{sum(registrations.values())} reclamações na transportadora, nenhuma repetida", not doubled),
        Finding(f"{seen.claims_opened} reclamações abertas aqui: as mesmas", seen.claims_opened == len(registrations)),
        Finding(f"{len(ids)} e-mails no servidor, nenhum repetido", not twice and sum(ids.values()) == sent),
        Finding("todo e-mail está enviado, na fila ou explicado", not seen.messages.get("sending")),
    ]


def _where_next(stage: Stage, say: Callable[[str], None]) -> None:
    database = Database(stage.database_url)
    try:
        with database.begin_read() as connection:
            ids = example_ids(connection)
    finally:
        database.close()
    say("")
    say("Para olhar de perto")
    for what, command in _NEXT:
        say(f"  {what}:")
        say(f"    tracker {command.format(**ids)} -c {stage.config}")
    say(f"  os e-mails como saíram: {stage.mails}")
    say(f"  o diário do programa: {stage.folder / 'run.log'}")

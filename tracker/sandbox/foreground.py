"""The simulated outside world in the foreground: what `tracker sandbox` runs until it is interrupted."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event

from tracker.sandbox.clock import SandboxClock, write_instant
from tracker.sandbox.fates import random_plan
from tracker.sandbox.faults import Family, FaultPlan, Outage
from tracker.sandbox.mail import MailFault, MailSettings
from tracker.sandbox.plan import Plan
from tracker.sandbox.strikes import Strike
from tracker.sandbox.workdays import local, local_date
from tracker.sandbox.world import World

_PLAN_FILE = "plan.json"


def serve(
    *,
    shipments: int,
    days: int,
    port: int,
    smtp_port: int,
    folder: Path,
    clock_file: Path | None,
    seed: int,
    faults: Sequence[str],
    fault_share: float,
    outages: Sequence[str],
    strikes: Sequence[str],
    realistic: bool,
    real_time: Callable[[], datetime],
    say: Callable[[str], None],
) -> None:
    """Run the world until SIGINT or SIGTERM. Raises ValueError for orders that make no sense, OSError for a taken port."""
    clock = _clock(clock_file, real_time)
    # On real time the plan lies in the past, so that there is something to see; a clock file can walk through it.
    today = local_date(clock.now())
    first_day = today if clock_file is not None else today - timedelta(days=days)
    plan = _remembered_plan(folder, shipments, days, seed, first_day, realistic)
    fault_plan = FaultPlan(seed, fault_share, tuple(_outage(text) for text in outages))
    world = World(plan, clock, folder=folder, port=port, mail=MailSettings(port=smtp_port), fault_plan=fault_plan)
    _order_faults(world, faults)
    _order_strikes(world, strikes)
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with world:
        _write_orders(plan, world, folder / "orders", days)
        say(_greeting(world, folder, clock_file, plan))
        stopped.wait()
    say("sandbox stopped")


def _clock(clock_file: Path | None, real_time: Callable[[], datetime]) -> SandboxClock:
    """Follow the file, made with the present instant where missing, or real time."""
    if clock_file is None:
        return SandboxClock(source=real_time)
    if not clock_file.exists():
        write_instant(clock_file, real_time())
    return SandboxClock(file=clock_file)


def _remembered_plan(folder: Path, shipments: int, days: int, seed: int, first_day: date, realistic: bool) -> Plan:
    """Return the plan from *first_day* on, or from the day that an earlier run over this folder began.

    Raises ValueError where that run was of other numbers.
    """
    wanted = {"shipments": shipments, "days": days, "seed": seed, "realistic": realistic}
    file = folder / _PLAN_FILE
    if file.exists():
        kept = {"realistic": False} | json.loads(file.read_text(encoding="utf-8"))
        if {key: kept.get(key) for key in wanted} != wanted:
            raise ValueError(f"{folder} holds another plan ({file}): choose another folder or the same numbers")
        first_day = date.fromisoformat(kept["first_day"])
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(wanted | {"first_day": first_day.isoformat()}), encoding="utf-8")
    return random_plan(shipments, days, seed, first_day=first_day, realistic=realistic)


def _order_faults(world: World, wanted: Sequence[str]) -> None:
    """Pass KIND[:COUNT][@WHERE] on. Raises ValueError for an unknown kind or a count that is none."""
    for text in wanted:
        order, _, where = text.partition("@")
        kind, _, count = order.partition(":")
        if kind in set(MailFault):
            world.mail.order_fault(kind, int(count or 1), where or None)
        else:
            world.faults.next(kind, int(count or 1), where)


def _order_strikes(world: World, wanted: Sequence[str]) -> None:
    for text in wanted:
        days, _, where = text.partition("@")
        first, _, last = days.partition(":")
        state, _, city = where.partition("/")
        strike = Strike(date.fromisoformat(first), date.fromisoformat(last or first), state or None, city or None)
        world.correios.strike(strike)


def _outage(text: str) -> Outage:
    """Read FAMILY@FIRST/LAST. Raises ValueError for an unknown family or for what is no instant with an offset."""
    family, _, span = text.partition("@")
    first, last = (datetime.fromisoformat(part) for part in span.split("/", 1)) if "/" in span else (None, None)
    if family.upper() not in Family.__members__ or first is None or last is None or not (first.tzinfo and last.tzinfo):
        names = ", ".join(name.lower() for name in Family.__members__)
        raise ValueError(f"outage {text!r}: write FAMILY@FIRST/LAST with instants with an offset; families: {names}")
    return Outage(first, last, Family[family.upper()])


def _write_orders(plan: Plan, world: World, folder: Path, days: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, days + 1):
        day = plan.day(number)
        if plan.shipped_on(day):
            (folder / f"pedidos-{day.isoformat()}.csv").write_bytes(world.orders_csv(day))


def _greeting(world: World, folder: Path, clock_file: Path | None, plan: Plan) -> str:
    """Return the addresses, a snippet to paste, and what to try first; the last line tells scripts that all is up."""
    held = world.correios.credentials
    orders = folder / "orders"
    files = "*.csv" if clock_file is None else min(path.name for path in orders.glob("*.csv"))
    lines = [
        f"Correios  {world.correios_url}   (faults, strikes, ledgers: {world.correios_url}/sandbox/...)",
        f"SMTP      127.0.0.1:{world.smtp_port}   messages in {folder / 'mail'}",
        f"Orders    {orders}   {len(plan.shipments)} parcels from {plan.first_day.isoformat()} on",
        f"User      {held.user}   access code {held.access_code}",
        f"Contract  {held.contract}   posting card {held.posting_card}",
        "",
        "For config.yaml:",
        "",
        "carriers:",
        "  - id: correios",
        "    adapter: correios",
        "    aliases: [sedex, pac]",
        f"    base_url: {world.correios_url}",
        f'    user: "{held.user}"',
        f"    access_code: {held.access_code}",
        f'    contract: "{held.contract}"',
        f'    posting_card: "{held.posting_card}"',
        '    services: {SEDEX: "03220", PAC: "03298"}',
        '    claims: {mode: auto, phone: "4133330000", reply_email: pi@example.com, packaging: box}',
        "messages:",
        f"  email: {{host: 127.0.0.1, port: {world.smtp_port}, security: none}}",
        "",
        f"To try it (with live_from of the shop at {plan.first_day.isoformat()} or before, else nothing leaves):",
        f"  {_prefix(clock_file)}tracker import {orders / files}",
        f"  {_prefix(clock_file)}tracker run --once",
        f"  curl {world.correios_url}/sandbox/claims",
        f"""  curl -d '{{"kind": "429", "count": 3}}' {world.correios_url}/sandbox/faults""",
    ]
    if clock_file is not None:
        tomorrow = local(local_date(world.clock.now()) + timedelta(days=1), 9).isoformat()
        lines += ["Move the clock of both, then import that day's file:", f"  echo {tomorrow} > {clock_file}"]
    return "\n".join([*lines, "", "sandbox ready; stop with Ctrl-C"])


def _prefix(clock_file: Path | None) -> str:
    return "" if clock_file is None else f"TRACKER_CLOCK_FILE={clock_file} "

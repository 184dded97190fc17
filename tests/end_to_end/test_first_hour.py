"""A new merchant's first hour, with real processes: init, edit, check, drop files, one pass, the same pass again."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.engine.lock import EngineLock
from tracker.engine.once import run_once
from tracker.sandbox.plan import Fate
from tracker.sandbox.world import orders_csv
from tracker.store.tables import Delivery, Import, Order, Shipment, ShipmentHistory

NOTE = Path(__file__).parents[1] / "data" / "nfe" / "01-normal.xml"
FIRST = at(day(2), 9)
FATES = (Fate.ON_TIME, Fate.LATE_OPEN, Fate.LOST_CODED, Fate.UNKNOWN_CODE, Fate.OTHER_CONTRACT)


def edited(trial: Trial) -> None:
    """What `tracker init` wrote, with the shop's and the sandbox's data put in, as a merchant would."""
    assert trial.command_in("init", ".").returncode == 0
    written = yaml.safe_load(trial.config.read_text(encoding="utf-8"))
    entry, carrier = written["shops"][0], written["carriers"][0]
    entry["live_from"] = day(1)
    entry.pop("cnpj")
    carrier |= {"base_url": trial.world.carrier_url, "access_code": trial.world.credentials.access_code}
    written["messages"] |= {"preset": "all"}
    written["messages"]["email"] |= {"port": trial.world.smtp_port}
    trial.settings = written
    trial.settings["database"] = {"url": f"sqlite:///{trial.folder / 'data' / 'tracker.db'}"}
    trial.write_config()


def with_broken_line(data: bytes) -> bytes:
    """The shop's file with one more order, whose code has a wrong digit."""
    lines = data.decode("utf-8-sig").split("\r\n")
    broken = next(csv.reader(io.StringIO(lines[1]), delimiter=";"))
    broken[0], broken[-2] = "99999", broken[-2][:10] + str((int(broken[-2][10]) + 1) % 10) + "BR"
    return "\r\n".join([*lines[:-1], ";".join(broken), ""]).encode("utf-8-sig")


def test_from_nothing_to_the_first_mail(start: Start) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.clock_at(FIRST)
    edited(trial)
    checked = trial.command("check-config")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    online = trial.command("check-config", "--online")
    assert online.returncode == 0 and "takes mail" in online.stdout, online.stdout
    trial.drop("pedidos.csv", with_broken_line(orders_csv(trial.world.plan, day(1))))
    trial.drop("nota.xml", NOTE.read_bytes())
    done = trial.command("run", "--once")
    assert done.returncode == 0, done.stderr
    # Logs go to standard error, dated by the trial's clock; the answer is all there is on standard output.
    assert done.stdout.startswith("pass done at 2026-08-04T12:00:00Z: ") and len(done.stdout.splitlines()) == 1
    assert "engine.locked" in done.stderr and "2026-08-04" in done.stderr.splitlines()[0]
    (counted,) = [json.loads(line) for line in done.stderr.splitlines() if '"pass.done"' in line]
    told = done.stdout.rstrip("\n").partition("Z: ")[2].split(", ")
    assert told[:2] == ["2 files taken", "2 parcels looked at (correios)"]
    assert "1 message handled (email)" in told
    assert "detect" not in done.stdout and any(lane.startswith("detect") for lane in counted["worked"])
    assert {row["number"] for row in trial.rows(Order)} == {of_fate(Fate.ON_TIME).order.number, "10234", "99999"}
    assert len(trial.rows(Shipment)) == 2  # the order of the broken line is there, its code is not
    assert [row["status"] for row in trial.rows(ShipmentHistory)] == ["in_transit"]
    assert trial.told() == [(of_fate(Fate.ON_TIME).order.customer.email, trial.one(Delivery)["message_id"])]
    report = (trial.inbox / "done" / "pedidos.csv.resultado.csv").read_text(encoding="utf-8-sig")
    assert "99999;aviso" in report
    trial.drop("de-novo.xml", NOTE.read_bytes())
    assert trial.command("run", "--once").returncode == 0
    assert (trial.inbox / "duplicate" / "de-novo.xml").exists()
    assert len(trial.rows(Import)) == 2


def test_every_fault_of_the_configuration_is_told_at_once(start: Start) -> None:
    trial = start()
    trial.shop["holidays"] = {"state": "XX"}
    trial.settings["messages"]["preset"] = "tudo"
    trial.write_config()
    checked = trial.command("run", "--once")
    assert checked.returncode == 2
    assert all("config.yaml:" in line for line in checked.stderr.splitlines())
    assert len(checked.stderr.splitlines()) == 2
    assert not (trial.folder / "data").exists()


def test_a_second_pass_at_the_same_instant_changes_nothing(start: Start, database_url: str) -> None:
    trial = start(*(of_fate(fate) for fate in FATES), url=database_url)
    trial.drop_orders()
    for number in (3, 5, 8):
        trial.pass_at(at(day(number), 9))
        before = trial.dump()
        assert trial.pass_at(at(day(number), 9)).worked == {}
        assert trial.dump() == before


def test_two_engines_on_one_database_one_says_so_and_leaves(start: Start, database_url: str) -> None:
    trial = start(url=database_url)
    trial.clock_at(FIRST)
    trial.write_config()
    with EngineLock(database_url):
        second = trial.command("run", "--once")
    assert second.returncode == 2
    assert second.stderr.startswith("another engine already works on this database: process ")
    assert "Traceback" not in second.stderr


def test_a_lane_that_dies_leaves_the_others_and_the_exit_code_says_so(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.drop_orders()
    trial.pass_at(FIRST)
    app = trial.build()

    async def broken(_now: object) -> int:
        raise RuntimeError("a fault of ours")

    lanes = list(app.lanes)
    place = next(n for n, lane in enumerate(lanes) if lane.name == "claims")
    lanes[place] = type(lanes[place])("claims", broken, 30.0)

    async def whole_pass() -> int:
        try:
            return (await run_once(lanes, FIRST + timedelta(days=2))).exit_code
        finally:
            await app.close()

    trial.clock_at(FIRST + timedelta(days=2))
    assert asyncio.run(whole_pass()) == 1
    assert [row["state"] for row in trial.rows(Delivery)] == ["sent", "sent"]


def test_a_pass_counts_files_by_what_became_of_them(start: Start) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.clock_at(FIRST)
    edited(trial)
    assert trial.command("run", "--once").stdout.endswith(": nothing was due\n")
    trial.drop("a.pdf", b"%PDF-1.7")
    trial.drop("b.csv", b"\x00\x01\x02" * 50)
    told = trial.command("run", "--once").stdout
    assert told.endswith(": 2 files refused, 1 alert stands (tracker alerts --open)\n")

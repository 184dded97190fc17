"""The installed service under a real systemd: start, a dropped file, reload, kill -9, a hang, root's look, stop.

One machine and one test for the whole story, each step of which goes on where the last one ended. The short form sets the
unit's two waiting times to seconds; the long one (`make systemd`) takes the unit as it is.
"""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest

from tests.end_to_end.support import of_fate, plan_of
from tests.systemd.machine import Machine, booted, why_not
from tracker.engine.service import DRAIN_S
from tracker.sandbox.plan import Fate, Shipment
from tracker.sandbox.world import orders_csv

LONG = bool(os.environ.get("SYSTEMD_LONG"))
UNIT = "shipment-tracker"
STATE = "/var/lib/shipment-tracker"
CONFIG = "/etc/shipment-tracker/config.yaml"
TRACKER = "/opt/shipment-tracker/bin/tracker"
DROPS_FILES = "estoquista"
FIRST, SECOND, THIRD = (of_fate(Fate.ON_TIME, number) for number in range(3))
SHOP = """\
shops:
  - id: aurora
    name: Loja Aurora
    email: {from: "Loja Aurora <entregas@aurora.example>"}
carriers:
  - id: correios
    # Nobody answers there: what comes in must be kept all the same.
    base_url: http://127.0.0.1:9
    user: "12345678000195"
    access_code: ${credential:access_code}
    contract: "9912345678"
    posting_card: "0067599079"
intake:
  - {kind: folder, shop: aurora, path: inbox, settle_seconds: 0}
"""
OVERRIDE = "[Service]\nLoadCredential=access_code:/etc/shipment-tracker/secrets/access_code\n"
# Long enough for a sign of life every third of it on a machine that runs other tests meanwhile.
IN_SECONDS = "WatchdogSec=20s\nRestartSec=1s\n"


def shown(machine: Machine, name: str) -> str:
    """A property of the unit."""
    return machine.run("systemctl", "show", UNIT, "--value", "-p", name).stdout.strip()


def pid(machine: Machine) -> str:
    return shown(machine, "MainPID")


def restarts(machine: Machine) -> int:
    return int(shown(machine, "NRestarts"))


def events(machine: Machine, name: str) -> list[dict[str, object]]:
    lines = [line for line in machine.journal().splitlines() if line.startswith("{")]
    return [found for found in map(json.loads, lines) if found["event"] == name]


def known(machine: Machine) -> set[str]:
    """The parcels in the database, as the service's user sees them."""
    lines = machine.run(TRACKER, "export", "shipments", user=UNIT).stdout.splitlines()
    return {json.loads(line)["tracking_code"] for line in lines}


def page(machine: Machine, path: str) -> str:
    """A page of the listener, asked for on that machine; empty where it is not answered with 200."""
    code = f"import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8080{path}').read().decode())"
    program = machine.run("sh", "-c", f"echo /opt/{UNIT}/python/bin/python3.*").stdout.split()[0]
    library = f"LD_LIBRARY_PATH=/opt/{UNIT}/python/lib"
    return machine.run("env", library, program, "-c", code, check=False).stdout


def ready(machine: Machine) -> bool:
    return '"ready":true' in page(machine, "/readyz")


def drop(machine: Machine, name: str, parcel: Shipment) -> None:
    """A colleague of the group puts the shop's file into the inbox, as `cp` does it; the short form has it looked at now."""
    machine.write(f"/tmp/{name}", orders_csv(plan_of(parcel), parcel.order.shipped_on).decode("utf-8"))
    machine.run("chmod", "644", f"/tmp/{name}")
    machine.run("sh", "-c", f"umask 022; cp /tmp/{name} {STATE}/inbox/{name}", user=DROPS_FILES)
    if not LONG:
        machine.run("systemctl", "reload", UNIT)


def the_documented_steps_install_it(machine: Machine) -> None:
    for _ in range(2):  # again after an update, and nothing of the merchant's is lost
        machine.run(f"/opt/{UNIT}/source/systemd/install")
        modes = machine.run("stat", "-c", "%a %U %G", CONFIG, STATE, f"{STATE}/inbox").stdout.splitlines()
        assert modes == [
            f"600 {UNIT} root",
            f"750 {UNIT} {UNIT}",
            f"2770 {UNIT} {UNIT}",
        ]
        machine.write(CONFIG, SHOP)
    assert machine.run("cat", CONFIG).stdout == SHOP
    machine.run("useradd", "--groups", UNIT, DROPS_FILES)
    assert "pedido" in machine.run("cat", f"{STATE}/inbox/LEIA-ME.txt", user=DROPS_FILES).stdout
    machine.write("/etc/shipment-tracker/secrets/access_code", "segredo-de-teste\n")
    machine.run("chmod", "600", "/etc/shipment-tracker/secrets/access_code")
    machine.run("mkdir", "-p", f"/etc/systemd/system/{UNIT}.service.d")
    machine.write(f"/etc/systemd/system/{UNIT}.service.d/override.conf", OVERRIDE + ("" if LONG else IN_SECONDS))
    machine.run("systemctl", "daemon-reload")


def it_starts_as_its_own_user_and_gets_ready(machine: Machine) -> None:
    machine.run("systemctl", "enable", "--now", UNIT)  # returns at READY=1
    assert shown(machine, "ActiveState") == "active"
    assert machine.run("ps", "-o", "user:32=", "-p", pid(machine)).stdout.strip() == UNIT
    machine.wait(lambda: ready(machine), "readiness")
    assert re.match(r"\d+ lanes", shown(machine, "StatusText"))
    assert [line["key"] for line in events(machine, "web.listening")] == ["web.operator"]
    filed = machine.run("journalctl", "-u", UNIT, "-o", "json", "--no-pager", "-n", "40").stdout.splitlines()
    priorities = {line["MESSAGE"].partition('"level":"')[2][:4]: line["PRIORITY"] for line in map(json.loads, filed)}
    assert priorities["info"] == "6"
    assert "segredo-de-teste" not in machine.journal()
    # Also where the unit hides most of /proc.
    assert re.search(r"^tracker_process_resident_memory_bytes \d", page(machine, "/metrics"), re.M)


def a_file_that_a_colleague_drops_is_taken(machine: Machine) -> None:
    drop(machine, "pedidos-1.csv", FIRST)
    machine.wait(lambda: bool(events(machine, "import.done")), "the import")
    assert known(machine) == {FIRST.code}
    done = ["ls", f"{STATE}/inbox/done"]
    machine.wait(
        lambda: "pedidos-1.csv" in machine.run(*done, user=DROPS_FILES, check=False).stdout, "the file is put away"
    )
    report = machine.run("cat", f"{STATE}/inbox/done/pedidos-1.csv.resultado.csv", user=DROPS_FILES).stdout
    assert FIRST.order.number in report
    refused = machine.run("cat", f"{STATE}/data/tracker.db", user=DROPS_FILES, check=False)
    assert refused.returncode != 0  # the inbox is open to the group, the customers' data is not


def a_reload_takes_the_new_file_and_a_broken_one_keeps_the_old(machine: Machine) -> None:
    before = pid(machine)
    machine.write(CONFIG, SHOP + "web: {operator: 127.0.0.1:8080}\n")
    machine.run("systemctl", "reload", UNIT)
    machine.wait(lambda: bool(events(machine, "config.accepted")), "the reload")

    machine.write(CONFIG, SHOP + "mensagens: {}\n")
    machine.run("systemctl", "reload", UNIT)
    machine.wait(lambda: bool(events(machine, "config.rejected")), "the refusal")
    assert f"{CONFIG}:15: mensagens" in str(events(machine, "config.rejected")[0]["fault"])
    assert (shown(machine, "ActiveState"), pid(machine)) == ("active", before)
    assert ready(machine)
    machine.write(CONFIG, SHOP)
    machine.run("systemctl", "reload", UNIT)


def a_kill_loses_nothing_and_is_followed_by_a_start(machine: Machine) -> None:
    before, count = pid(machine), restarts(machine)
    drop(machine, "pedidos-2.csv", SECOND)
    machine.run("kill", "-9", before)  # perhaps in the middle of the import
    machine.wait(lambda: restarts(machine) > count and ready(machine), "the restart")
    machine.wait(lambda: known(machine) == {FIRST.code, SECOND.code}, "both files")
    assert pid(machine) != before
    assert ": whole" in machine.run(TRACKER, "db", "check", user=UNIT).stdout


def root_may_look_without_harm(machine: Machine) -> None:
    owners = ["find", STATE, "-printf", "%U:%G %m %p\\n"]
    before = sorted(machine.run(*owners).stdout.splitlines())
    looked = machine.run(TRACKER, "show", FIRST.code)
    assert FIRST.order.number in looked.stdout
    # The files of the write-ahead log come and go; whoever they belong to is what matters.
    strangers = machine.run("find", STATE, "!", "-user", UNIT, "!", "-user", DROPS_FILES).stdout
    assert strangers == ""
    assert sorted(machine.run(*owners).stdout.splitlines()) == before
    drop(machine, "pedidos-3.csv", THIRD)
    machine.wait(lambda: THIRD.code in known(machine), "the daemon writes on")


def a_daemon_that_hangs_is_killed_and_started_again(machine: Machine) -> None:
    before, count = pid(machine), restarts(machine)
    machine.run("kill", "-STOP", before)
    machine.wait(lambda: restarts(machine) > count, "the watchdog", within_s=180)
    machine.wait(lambda: ready(machine), "the restart")
    assert pid(machine) != before
    assert "Watchdog timeout" in machine.journal()
    assert known(machine) == {FIRST.code, SECOND.code, THIRD.code}


def it_stops_within_its_bound(machine: Machine) -> None:
    began = float(machine.run("cat", "/proc/uptime").stdout.split()[0])
    machine.run("systemctl", "stop", UNIT)
    took = float(machine.run("cat", "/proc/uptime").stdout.split()[0]) - began
    assert took < DRAIN_S + 10
    assert (shown(machine, "ActiveState"), shown(machine, "Result")) == ("inactive", "success")
    assert [line["cut_off"] for line in events(machine, "engine.stopped")][-1:] == [[]]


def a_configuration_that_cannot_be_used_is_not_tried_again_and_again(machine: Machine) -> None:
    machine.write(CONFIG, SHOP + "mensagens: {}\n")
    refused: subprocess.CompletedProcess[str] = machine.run("systemctl", "start", UNIT, check=False)
    assert refused.returncode != 0
    assert (shown(machine, "ActiveState"), shown(machine, "ExecMainStatus")) == ("failed", "2")
    assert f"{CONFIG}:15: mensagens" in machine.journal()


STORY = (
    the_documented_steps_install_it,
    it_starts_as_its_own_user_and_gets_ready,
    a_file_that_a_colleague_drops_is_taken,
    a_reload_takes_the_new_file_and_a_broken_one_keeps_the_old,
    a_kill_loses_nothing_and_is_followed_by_a_start,
    root_may_look_without_harm,
    a_daemon_that_hangs_is_killed_and_started_again,
    it_stops_within_its_bound,
    a_configuration_that_cannot_be_used_is_not_tried_again_and_again,
)


@pytest.mark.systemd
@pytest.mark.slow
def test_the_life_of_the_service() -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"no systemd can be booted here: {reason}")
    with booted() as machine:
        for step in STORY:
            step(machine)

"""The systemd unit: what it must say, and what systemd itself says of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tracker.engine.service import DRAIN_S

UNIT = Path(__file__).parents[2] / "systemd" / "shipment-tracker.service"
HARDENING = """
    UMask LimitCORE NoNewPrivileges CapabilityBoundingSet AmbientCapabilities ProtectSystem ProtectHome PrivateTmp
    PrivateDevices PrivateUsers ProtectClock ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables
    ProtectControlGroups ProtectProc ProcSubset RestrictNamespaces RestrictRealtime RestrictSUIDSGID
    RestrictAddressFamilies LockPersonality MemoryDenyWriteExecute SystemCallArchitectures SystemCallFilter
""".split()
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return UNIT.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def said(lines: list[str]) -> dict[str, list[str]]:
    """Each key with its values, in order."""
    said: dict[str, list[str]] = {}
    for line in lines:
        if found := re.fullmatch(r"(\w+)=(.*)", line):
            said.setdefault(found[1], []).append(found[2])
    return said


def test_every_line_is_a_comment_a_section_or_a_key(lines: list[str]) -> None:
    odd = [line for line in lines if line and not re.match(r"#|\[(Unit|Service|Install)\]$|[A-Z]\w*=", line)]
    assert odd == []
    assert [line for line in lines if line.startswith("[")] == ["[Unit]", "[Service]", "[Install]"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "notify"),
        ("User", "shipment-tracker"),
        ("Group", "shipment-tracker"),
        ("StateDirectory", "shipment-tracker"),
        ("ExecStart", "/opt/shipment-tracker/bin/tracker run"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("Restart", "on-failure"),
        ("RestartPreventExitStatus", "2"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("UMask", "0077"),
        ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
    ],
)
def test_what_the_service_rests_on(said: dict[str, list[str]], key: str, value: str) -> None:
    assert said[key] == [value]


def test_the_user_is_a_static_one(said: dict[str, list[str]]) -> None:
    assert "DynamicUser" not in said


def test_the_manager_waits_longer_than_the_daemon_needs(said: dict[str, list[str]]) -> None:
    [stop], [watchdog] = said["TimeoutStopSec"], said["WatchdogSec"]
    assert float(stop.removesuffix("s")) > DRAIN_S + 10
    assert float(watchdog.removesuffix("s")) >= 30


def test_system_calls_are_allowed_first_and_then_cut(said: dict[str, list[str]]) -> None:
    assert said["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]


@pytest.mark.parametrize("key", HARDENING)
def test_each_hardening_line_says_when_to_relax_it(lines: list[str], key: str) -> None:
    places = [place for place, line in enumerate(lines) if line.startswith(f"{key}=")]
    assert places
    assert all(lines[place - 1].startswith("# Relax ") for place in places)


def test_a_credential_is_explained_and_its_folder_made_for_root_alone(
    lines: list[str], folders: dict[str, list[str]]
) -> None:
    text = "\n".join(lines)
    assert folders["/etc/shipment-tracker/secrets"] == ["0700", "root", "root"]
    assert re.search(r"^#LoadCredential=\w+:/etc/shipment-tracker/", text, re.M)


@pytest.fixture
def folders() -> dict[str, list[str]]:
    """Each folder of tmpfiles.d with its mode, user and group."""
    text = (UNIT.parent / "tmpfiles.d" / "shipment-tracker.conf").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert all(line[0] == "d" and line[-1] == "-" for line in lines)  # made where missing, never emptied
    return {line[1]: line[2:5] for line in lines}


def test_the_inbox_is_setgid_and_the_state_is_as_the_unit_wants_it(
    said: dict[str, list[str]], folders: dict[str, list[str]]
) -> None:
    ours = ["shipment-tracker", "shipment-tracker"]
    assert folders["/var/lib/shipment-tracker/inbox"] == ["2770", *ours]
    assert folders["/var/lib/shipment-tracker"] == [*said["StateDirectoryMode"], *ours]


def test_the_user_that_is_made_is_the_one_that_runs_it(said: dict[str, list[str]]) -> None:
    text = (UNIT.parent / "sysusers.d" / "shipment-tracker.conf").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if not line.startswith("#")]
    assert line.split()[:2] == ["u", *said["User"]]
    assert line.endswith("/usr/sbin/nologin")


@pytest.fixture
def installed(tmp_path: Path, lines: list[str]) -> Path:
    """The unit with a program that exists on this machine."""
    copy = tmp_path / UNIT.name
    copy.write_text("\n".join(re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", line) for line in lines) + "\n")
    return copy


@needs_systemd
def test_systemd_takes_every_line(installed: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", installed], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if installed.name in line]
    assert (done.returncode, complaints) == (0, [])


@needs_systemd
def test_the_exposure_stays_low(installed: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(installed)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_a_python_in_a_home_folder_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    """The unit hides home folders (ProtectHome): such a service would never start, and not say why."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, script in {
        "readlink": "echo /home/fulana/.pyenv/versions/3.12.1/bin/python3.12",
        "install": f"echo called >> {tmp_path / 'called'}",
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        [UNIT.parent / "install"], env={"PATH": f"{tools}:/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("/home/fulana/.pyenv/versions/3.12.1/bin/python3.12: the unit keeps the service out")
    assert not (tmp_path / "called").exists()

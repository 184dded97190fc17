"""A machine of its own with a real systemd as its first process: new namespaces, this machine's files under an overlay."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOT = Path(__file__).with_name("boot.sh")
SYSTEMD = Path("/lib/systemd/systemd")
SPACES = ("--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup")
NEEDS = ("unshare", "nsenter", "pivot_root", "mount", "systemctl", "journalctl", "useradd", "setpriv")
TRY = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/inner" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/inner" "$1/root"
mount -t proc proc "$1/root/proc"
mount -t sysfs -o ro sysfs "$1/root/sys"
mount -t cgroup2 cgroup2 "$1/root/sys/fs/cgroup"
"""
PATIENCE_S = 60.0


def why_not() -> str | None:
    """Why no systemd can be booted here; None where it can."""
    if os.geteuid() != 0:
        return "this needs root"
    if missing := [name for name in NEEDS if shutil.which(name) is None]:
        return f"these programs are missing: {', '.join(missing)}"
    if not SYSTEMD.exists():
        return f"{SYSTEMD} is missing (apt-get install systemd)"
    try:
        with _folder() as folder, _cgroup() as cgroup:
            log = folder.with_suffix(".log")
            done = _in_new_spaces(cgroup, ["bash", "-c", TRY, "try", str(folder)], log).wait(30)
            said = log.read_text(encoding="utf-8").strip()
    except OSError as fault:
        return f"no control group can be made: {fault}"
    return None if done == 0 else f"namespaces or mounts are not allowed here (exit {done}): {said}"


@dataclass
class Machine:
    """A booted machine. `pid` is its first process, as seen from here."""

    pid: int
    log: Path

    def run(self, *words: str, check: bool = True, user: str | None = None) -> subprocess.CompletedProcess[str]:
        """A command on that machine, as root or as another user with the groups it has there."""
        if user is not None:
            words = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--", *words)
        command = ["nsenter", f"--target={self.pid}", *SPACES, "--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=PATIENCE_S * 2)
        if check:
            assert done.returncode == 0, f"{shlex.join(words)}: {done.stdout}{done.stderr}"
        return done

    def write(self, path: str, text: str) -> None:
        """Put this text into a file there, keeping its owner and mode."""
        target = f"/proc/{self.pid}/root{path}"
        Path(target).write_text(text, encoding="utf-8")

    def wait(self, holds: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        """Wait until it holds."""
        ends = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < ends, f"{what}\n{self.journal()[-4000:]}"
            time.sleep(0.1)

    def journal(self) -> str:
        """What the service has logged."""
        return self.run("journalctl", "-u", "shipment-tracker", "-o", "cat", "--no-pager", check=False).stdout


@contextmanager
def booted() -> Iterator[Machine]:
    """A machine that has come up; killed at the end, as a systemd in namespaces must be."""
    with _folder() as folder, _cgroup() as cgroup:
        log = folder.with_suffix(".log")
        outer = _in_new_spaces(cgroup, ["bash", str(BOOT), str(folder), str(ROOT), *_python()], log)
        try:
            machine = Machine(_first_process(outer, log), log)
            state = ["systemctl", "is-system-running"]
            machine.wait(lambda: machine.run(*state, check=False).stdout.strip() == "running", "the boot")
            yield machine
        finally:
            # unshare hands it on: --kill-child.
            outer.send_signal(signal.SIGKILL)
            outer.wait()


def _python() -> list[str]:
    """The libraries, the Python behind them, and its version: the unit hides home folders, where either may lie."""
    return [sysconfig.get_path("purelib"), sys.base_prefix, f"{sys.version_info.major}.{sys.version_info.minor}"]


def _in_new_spaces(cgroup: Path, command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Run it as the first process of new namespaces, whose control groups begin at this one."""
    inside = f'echo $$ > {shlex.quote(str(cgroup / "cgroup.procs"))}; exec "$@"'
    # Where the tests themselves are killed, the machine goes with them.
    unshare = ["setpriv", "--pdeathsig=KILL", "unshare", *SPACES, "--fork", "--kill-child=KILL"]
    with log.open("wb") as out:
        return subprocess.Popen(["bash", "-c", inside, "new", *unshare, *command], stdout=out, stderr=out)


def _first_process(outer: subprocess.Popen[bytes], log: Path) -> int:
    """The pid of the systemd that `unshare` has started, once it is one."""
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        assert outer.poll() is None, log.read_text(encoding="utf-8")
        for pid in children.read_text().split():
            if Path(f"/proc/{pid}/exe").resolve() == SYSTEMD.resolve():
                return int(pid)
        time.sleep(0.05)
    raise AssertionError(f"systemd did not begin: {log.read_text(encoding='utf-8')}")


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tracker-systemd-"))
    try:
        yield folder
    finally:
        folder.rmdir()  # what was in it was in the namespaces' own mount
        folder.with_suffix(".log").unlink(missing_ok=True)


@contextmanager
def _cgroup() -> Iterator[Path]:
    """A control group of the unified hierarchy; it and what systemd makes below it go at the end."""
    base = Path("/sys/fs/cgroup/unified" if Path("/sys/fs/cgroup/unified").is_dir() else "/sys/fs/cgroup")
    cgroup = Path(tempfile.mkdtemp(prefix="tracker-systemd-", dir=base))
    try:
        yield cgroup
    finally:
        _remove(cgroup)


def _remove(cgroup: Path) -> None:
    ends = time.monotonic() + 10
    inside = sorted((path for path in cgroup.rglob("*") if path.is_dir()), reverse=True)
    for below in [*inside, cgroup]:
        while True:
            try:
                below.rmdir()
                break
            except OSError:  # its last process is still dying
                assert time.monotonic() < ends, f"{below} is still in use"
                time.sleep(0.05)

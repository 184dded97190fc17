"""A command that root types on a service's database harms nothing: it works as the file's owner, and leaves no file of root's."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import write_config
from tests.reports.support import CODE, add_order, order, track
from tracker.store.database import Database
from tracker.store.migrate import upgrade

OWNER = 65534
"""`nobody`: some user that is not root, and no process of ours."""
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files of root's behind")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A service's folder that its user may enter: the tests' own is root's alone."""
    path = Path(tempfile.mkdtemp(prefix="tracker-root-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def service(folder: Path) -> Path:
    """A service's database with an order in it, its user's to the last file; returns the configuration."""
    state = folder / "state"
    state.mkdir()
    url = f"sqlite:///{state / 'tracker.db'}"
    upgrade(url)
    database = Database(url)
    with database.begin_write() as connection:
        (shipment,) = add_order(connection, order(), CODE)
        track(connection, shipment)
    database.close()
    for path in (state, *state.iterdir()):
        os.chown(path, OWNER, OWNER)
    return write_config(folder, url, "2026-11-01")


def as_root(config: Path, *words: str, readable: bool = True) -> subprocess.CompletedProcess[str]:
    """The command as root types it; *readable*: with a Python that every user may read."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "tracker", *words, "-c", str(config)]
    hidden = _hidden_folder()
    if readable and hidden is not None:
        command = [*in_the_open(hidden, config.parent / "python"), *command]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", timeout=120)


def _hidden_folder() -> Path | None:
    """The folder on the way to this Python that only root may enter; None where there is none."""
    way = [*reversed(Path(os.__file__).parents)]
    return next((folder for folder in way if not folder.stat().st_mode & 0o001), None)


def in_the_open(hidden: Path, beside: Path) -> list[str]:
    """What makes this Python readable to everybody, for one command alone: a mount namespace of its own."""
    if shutil.which("unshare") is None:
        pytest.skip("this Python is root's alone, and there is no unshare to show it to others")
    beside.mkdir(exist_ok=True)
    prefix = Path(os.__file__).relative_to(hidden).parts[0]
    shown = (
        'set -e; mount --make-rprivate /; d="$3"; mount --bind "$1" "$d"; mount -t tmpfs -o mode=0755 none "$1"; '
        'mkdir "$1/$2"; mount --bind "$d/$2" "$1/$2"; shift 3; exec "$@"'
    )
    return ["unshare", "--mount", "sh", "-c", shown, "sh", str(hidden), prefix, str(beside)]


def owners(state: Path) -> dict[str, int]:
    return {path.name: path.stat().st_uid for path in sorted(state.iterdir())}


def test_what_root_types_leaves_every_file_with_the_service(service: Path) -> None:
    state = service.parent / "state"
    for words in (("show", "10482"), ("mute", "10482", "--by", "ana"), ("explain", CODE)):
        done = as_root(service, *words)
        assert done.returncode == 0, done.stderr
        assert set(owners(state).values()) == {OWNER}, words
    reader = sqlite3.connect(state / "tracker.db")
    assert reader.execute("SELECT who, act FROM operator_acts").fetchall() == [("ana", "mute")]
    reader.close()


def test_a_daemon_beside_it_keeps_its_wal(service: Path) -> None:
    """With the database open elsewhere the -wal and -shm files outlive the command: they must be the owner's."""
    state = service.parent / "state"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state / "tracker.db"), str(OWNER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        assert as_root(service, "mute", "10482").returncode == 0
        assert set(owners(state)) >= {"tracker.db", "tracker.db-shm", "tracker.db-wal"}
        assert set(owners(state).values()) == {OWNER}
        assert holder.stdin is not None
        holder.stdin.write("write\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "written\n"
    finally:
        holder.kill()
        holder.wait()


HOLD = """
import os, sqlite3, sys
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("SELECT count(*) FROM orders").fetchall()
print("open", flush=True)
sys.stdin.readline()
connection.execute("UPDATE orders SET city = 'Curitiba'")
print("written", flush=True)
"""


def test_a_program_that_the_owner_may_not_read_refuses(service: Path) -> None:
    if _hidden_folder() is None:
        pytest.skip("every user may read this Python")
    before = owners(service.parent / "state")
    done = as_root(service, "mute", "10482", readable=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"belongs to user {OWNER}, who may not read this installation of the program" in done.stderr
    assert owners(service.parent / "state") == before


def test_root_on_its_own_database_stays_root(folder: Path) -> None:
    url = f"sqlite:///{folder / 'tracker.db'}"
    upgrade(url)
    config = write_config(folder, url, None)
    done = as_root(config, "show", "nada")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Nada encontrado para nada")
    assert owners(folder)["tracker.db"] == 0

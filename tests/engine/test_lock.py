from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from tests.engine.support import until
from tracker.engine.lock import EngineLock, advisory_key
from tracker.errors import EngineBusyError, ProgramError

ROOT = Path(__file__).parents[2]


@contextmanager
def another_engine(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that holds the lock; ends with the block at the latest."""
    command = [sys.executable, "-m", "tests.engine.holder", url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        # The log lines of a program that has not configured its log come first.
        while line := process.stdout.readline():
            if line == "locked\n":
                break
        try:
            yield process
        finally:
            process.kill()


def is_free(url: str) -> bool:
    lock = EngineLock(url)
    try:
        lock.acquire()
    except EngineBusyError:
        return False
    lock.release()
    return True


def test_a_second_engine_is_refused_and_told_who_works(database_url: str) -> None:
    with another_engine(database_url) as process, pytest.raises(EngineBusyError) as caught:
        EngineLock(database_url).acquire()
    assert f"process {process.pid} on {socket.gethostname()}" in str(caught.value)
    assert caught.value.exit_code == 2


def test_workers_hold_it_together_and_beside_nobody_else(postgres_url: str) -> None:
    both = r"process \d+ on .*, process \d+ on .*; stop them first"
    with (
        EngineLock(postgres_url, shared=True),
        EngineLock(postgres_url, shared=True),
        pytest.raises(EngineBusyError, match=both),
    ):
        EngineLock(postgres_url).acquire()
    with another_engine(postgres_url) as process, pytest.raises(EngineBusyError, match=f"process {process.pid} on"):
        EngineLock(postgres_url, shared=True).acquire()


def test_the_second_of_one_process_is_refused_too(database_url: str) -> None:
    with EngineLock(database_url):
        assert not is_free(database_url)
    assert is_free(database_url)


@pytest.mark.anyio
async def test_the_lock_of_a_killed_engine_is_free(database_url: str) -> None:
    with another_engine(database_url) as process:
        assert not is_free(database_url)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        # PostgreSQL's server needs a moment to see that the connection is gone; the kernel does not.
        await until(lambda: is_free(database_url))


def test_an_engine_that_ends_gives_the_lock_back(database_url: str) -> None:
    with another_engine(database_url) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
        assert is_free(database_url)


def test_a_patient_engine_waits_for_the_one_before_it(database_url: str) -> None:
    first = EngineLock(database_url)
    first.acquire()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            first.release()

    with capture_logs() as logs:
        second = EngineLock(database_url, pause=pause)
        second.acquire(patience_s=40)
    assert not second.lost()
    second.release()
    assert pauses == [0.5] * 3
    assert [line["wait_s"] for line in logs if line["event"] == "engine.lock_awaited"] == [40]


def test_patience_ends(database_url: str) -> None:
    pauses: list[float] = []
    with EngineLock(database_url), pytest.raises(EngineBusyError):
        EngineLock(database_url, pause=pauses.append).acquire(patience_s=2)
    assert sum(pauses) == 2


def test_a_lock_is_not_lost_while_it_is_held(database_url: str) -> None:
    lock = EngineLock(database_url)
    assert lock.lost(), "not taken yet"
    with lock:
        assert not lock.lost()
    assert lock.lost()
    lock.release()  # once more: harmless


def test_an_error_in_the_block_gives_the_lock_back(database_url: str) -> None:
    with pytest.raises(RuntimeError), EngineLock(database_url):
        raise RuntimeError
    assert is_free(database_url)


def test_the_database_file_itself_is_never_opened(tmp_path: Path) -> None:
    file = tmp_path / "tracker.db"
    with EngineLock(f"sqlite:///{file}"):
        assert not file.exists()
        assert (tmp_path / "tracker.db.lock").stat().st_mode & 0o777 == 0o600
        # A writer of SQLite's is not disturbed.
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE t (x)")
        connection.close()


def test_two_paths_to_one_database_are_one_lock(tmp_path: Path) -> None:
    (tmp_path / "tracker.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "tracker.db")
    with EngineLock(f"sqlite:///{tmp_path / 'tracker.db'}"):
        assert not is_free(f"sqlite:///{tmp_path / 'link.db'}")


def test_the_folder_of_a_first_start_is_made(tmp_path: Path) -> None:
    with EngineLock(f"sqlite:///{tmp_path / 'data' / 'tracker.db'}"):
        assert (tmp_path / "data" / "tracker.db.lock").is_file()


def test_a_lock_file_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("keep")
    (tmp_path / "tracker.db.lock").symlink_to(other)
    with pytest.raises(ProgramError, match="cannot be opened"):
        EngineLock(f"sqlite:///{tmp_path / 'tracker.db'}").acquire()
    assert other.read_text() == "keep"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"], ids=["empty", "half written", "a list", "no text"])
def test_a_holder_that_left_no_name_is_still_respected(tmp_path: Path, content: bytes) -> None:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    with EngineLock(url):
        (tmp_path / "tracker.db.lock").write_bytes(content)
        with pytest.raises(EngineBusyError, match="its process is not known"):
            EngineLock(url).acquire()


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_lock_file_that_was_taken_away_is_a_lost_lock(tmp_path: Path, replaced: bool) -> None:
    file = tmp_path / "tracker.db.lock"
    with EngineLock(f"sqlite:///{tmp_path / 'tracker.db'}") as lock:
        file.rename(tmp_path / "away")
        if replaced:
            file.touch()
        assert lock.lost()


@pytest.mark.anyio
async def test_the_watch_tells_of_a_lock_file_taken_away(tmp_path: Path) -> None:
    told: list[str] = []
    with EngineLock(f"sqlite:///{tmp_path / 'tracker.db'}") as lock:
        watch = asyncio.create_task(lock.watch(lambda: told.append("lost"), every_s=0.01))
        await asyncio.sleep(0.03)
        assert told == []
        (tmp_path / "tracker.db.lock").unlink()
        await asyncio.wait_for(watch, 5)
    assert told == ["lost"]


@pytest.mark.anyio
async def test_the_watch_tells_of_a_session_that_died(postgres_url: str) -> None:
    told: list[str] = []
    plain = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with EngineLock(postgres_url) as lock:
        watch = asyncio.create_task(lock.watch(lambda: told.append("lost"), every_s=0.01))
        with psycopg.connect(plain, autocommit=True) as operator:
            name = f"shipment-tracker engine {os.getpid()} %"
            found = operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s", (name,)
            ).fetchall()
        await asyncio.wait_for(watch, 5)
        assert lock.lost()
    assert (told, found) == (["lost"], [(True,)])


def test_a_session_of_somebody_else_with_our_key_is_named_by_its_number(postgres_url: str) -> None:
    parsed = make_url(postgres_url)
    plain = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (advisory_key(parsed.database or ""),))
        with pytest.raises(EngineBusyError, match=f"PostgreSQL session {other.info.backend_pid} "):
            EngineLock(postgres_url).acquire()


def test_two_databases_of_one_server_have_two_locks(postgres_url: str) -> None:
    with EngineLock(postgres_url):
        assert is_free(str(make_url(postgres_url).set(database="postgres").render_as_string(hide_password=False)))


def test_a_server_that_does_not_answer_is_told_without_the_password() -> None:
    with pytest.raises(ProgramError) as caught:
        EngineLock("postgresql://tracker:hunter2@127.0.0.1:1/x").acquire()
    assert "the database does not answer" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == 1


def test_the_key_is_a_signed_64_bit_number_of_the_database() -> None:
    keys = {advisory_key(name) for name in ("a", "b", "c", "d", "e", "f", "g", "h")}
    assert len(keys) == 8
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert advisory_key("tracker") == advisory_key("tracker")


def test_a_lock_on_a_file_imports_no_driver_of_a_server(tmp_path: Path) -> None:
    words = (
        "import sys; from tracker.engine.lock import EngineLock; lock = EngineLock(sys.argv[1]); lock.acquire(); "
        "assert not lock.lost(); lock.release(); print('psycopg' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", words, f"sqlite:///{tmp_path / 'tracker.db'}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == "False"

"""The access token: one renewal whoever asks, in its last half hour; and which APIs it opens."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.support import MONDAY, ROOT, Start, at, day
from tests.polling.gateway import ALL_APIS, USER, Gateway, at_gateway, event
from tracker.store.database import Database
from tracker.store.polls import save_token, token_row
from tracker.store.tables import Alert

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CODE = "AD100000017BR"


@contextmanager
def process(url: str, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "tests.polling.minter", url, str(folder), name, NOW.isoformat()]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as started:
        try:
            yield started
        finally:
            started.kill()


def said(url: str, folder: Path, name: str) -> str:
    with process(url, folder, name) as asked:
        return asked.communicate(timeout=30)[0].strip()


def wait_for(path: Path) -> None:
    for _ in range(1500):
        if path.exists():
            return
        time.sleep(0.02)
    pytest.fail(f"{path.name} did not come")


@pytest.mark.parametrize(
    ("left", "meanwhile"),
    [
        pytest.param(timedelta(minutes=20), "old", id="in its last half hour the old one still serves"),
        pytest.param(timedelta(0), "busy", id="one that has ended serves nobody"),
    ],
)
def test_of_two_processes_one_renews_the_token(
    database: Database, database_url: str, tmp_path: Path, left: timedelta, meanwhile: str
) -> None:
    old = {"value": "old", "expires_at": NOW + left, "renew_at": NOW + left - timedelta(minutes=30)}
    with database.begin_write() as connection:
        token_row(connection, "correios")
        save_token(connection, "correios", old)
    with process(database_url, tmp_path, "first") as first:
        wait_for(tmp_path / "minted-first")
        assert said(database_url, tmp_path, "second") == meanwhile
        (tmp_path / "go").touch()
        assert first.communicate(timeout=30)[0].strip() == "token-first"
    assert said(database_url, tmp_path, "third") == "token-first"
    assert {path.name for path in tmp_path.glob("minted-*")} == {"minted-first"}


def test_an_api_that_the_token_does_not_open_is_told_once_until_it_does(start: Start, database_url: str) -> None:
    trial = at_gateway(start(url=database_url), CODE)
    gateway = Gateway(apis={USER: (34, 36, 87)})
    gateway.show(CODE, event("PO-01", at(MONDAY, 10), "Objeto postado"), dtPrevista="2026-08-12T23:59:59")
    expired = {"value": None, "expires_at": None, "renew_at": None}
    with gateway.open():
        for hour, apis in enumerate(((34, 36, 87), (34, 36, 87), ALL_APIS), start=9):
            gateway.apis[USER] = apis
            trial.pass_at(at(day(2), hour * 4 - 27))
            with trial.database.begin_write() as connection:
                save_token(connection, "correios", expired)
    assert gateway.tokens == 3
    alert = trial.one(Alert)
    assert (alert["kind"], alert["severity"]) == ("api_missing", "critical")
    assert "does not open deadlines (35) to this account" in alert["summary"]
    assert alert["resolved_at"] == at(day(2), 17)


@pytest.mark.parametrize(
    ("apis", "services"),
    [
        pytest.param((), True, id="the answer lists none at all"),
        pytest.param((87,), False, id="deadlines are never asked for without service codes"),
    ],
)
def test_nothing_is_missed_that_is_not_needed(start: Start, apis: tuple[int, ...], services: bool) -> None:
    trial = at_gateway(start(), CODE)
    if not services:
        del trial.carrier["services"]
    gateway = Gateway(apis={USER: apis})
    gateway.show(CODE, event("PO-01", at(MONDAY, 10), "Objeto postado"), dtPrevista="2026-08-12T23:59:59")
    with gateway.open():
        trial.pass_at(at(day(2), 9))
    assert trial.rows(Alert) == []

"""A configured shop with a database of each kind, a clock that stands still, and the commands as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from tests.reports.support import NOW
from tracker.cli.alerts import alerts
from tracker.cli.carriers import carriers
from tracker.cli.claim_answer import claims
from tracker.cli.digest import digest
from tracker.cli.engine import engine
from tracker.cli.explain import explain
from tracker.cli.export import export
from tracker.cli.hand import approve, reject, release
from tracker.cli.incidents import incidents
from tracker.cli.lists import messages, problems
from tracker.cli.preview import preview
from tracker.cli.show import show
from tracker.cli.suppressions import suppress, suppressions, unsuppress
from tracker.cli.templates import templates
from tracker.store.database import Database

CONFIG = """\
database: {{url: "{url}"}}
shops:
  - id: exemplo
    name: Loja Exemplo
    email: {{from: "Loja Exemplo <pos-venda@lojaexemplo.com.br>"}}
    {live}
  - id: outra
    name: Outra Loja
    email: {{from: "Outra Loja <sac@outraloja.com.br>"}}
carriers:
  - id: correios
    base_url: http://127.0.0.1:9
    user: "12345678000195"
    access_code: segredo-de-teste
    contract: "9912345678"
    posting_card: "0067599079"
    claims: {{mode: propose, phone: "4133330000", reply_email: pi@lojaexemplo.com.br}}
"""


@dataclass(frozen=True)
class Tracker:
    """The command line on one configuration."""

    app: typer.Typer
    config: Path

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(self.app, [*words, "-c", str(self.config)])

    def json(self, *words: str) -> Any:
        result = self(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


def commands() -> typer.Typer:
    app = typer.Typer()
    for command in (show, explain, problems, messages, incidents, approve, reject, release, export, preview, digest):
        app.command(command.__name__)(command)
    for command in (suppressions, suppress, unsuppress):
        app.command(command.__name__)(command)
    app.add_typer(alerts, name="alerts")
    app.add_typer(carriers, name="carriers")
    app.add_typer(claims, name="claims")
    app.add_typer(engine, name="engine")
    app.add_typer(templates, name="templates")
    return app


def write_config(folder: Path, url: str, live_from: str | None) -> Path:
    path = folder / "config.yaml"
    live = f"live_from: {live_from}" if live_from else ""
    path.write_text(CONFIG.format(url=url, live=live), encoding="utf-8")
    return path


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str | None], Tracker]:
    """Makes the command line for a database URL and a first live day."""
    for name in ("TRACKER_CONFIG", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat(), encoding="utf-8")
    monkeypatch.setenv("TRACKER_CLOCK_FILE", str(clock))
    monkeypatch.setenv("SUDO_USER", "fulana")
    return lambda url, live_from: Tracker(commands(), write_config(tmp_path, url, live_from))


@pytest.fixture
def tracker(database: Database, database_url: str, configured: Callable[[str, str | None], Tracker]) -> Tracker:
    """The shop `exemplo` is live since 1 November 2026, the shop `outra` only observes."""
    return configured(database_url, "2026-11-01")

"""An adapter whose facts are thin says so at each start."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from tests.carriers.ours import our_adapters
from tests.support.schema import prepare
from tracker.app import build
from tracker.config import load_config

CONFIG = """\
database: {{url: "{url}"}}
shops:
  - {{id: exemplo, name: Loja Exemplo, email: {{from: "Loja <sac@lojaexemplo.com.br>"}}}}
carriers:
  - {{id: ssw, adapter: ssw}}
  - {{id: rte, adapter: rodonaves, user: loja, password: segredo-de-teste}}
"""


def test_a_start_names_what_is_experimental(tmp_path: Path, sqlite_url: str) -> None:
    prepare(sqlite_url)
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(url=sqlite_url), encoding="utf-8")
    app = build(load_config(path, {}, strict_credentials=True, adapters=our_adapters()), {})
    try:
        with capture_logs() as lines:
            app.reconfigured()
    finally:
        app.database.close()

    told = [line for line in lines if line["event"] == "carrier.experimental"]
    assert [(line["carrier"], line["adapter"], line["log_level"]) for line in told] == [("rte", "rodonaves", "warning")]
    assert told[0]["gaps"]

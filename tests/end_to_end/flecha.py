"""The fictitious carrier's server on loopback, beside the simulated one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from carriers.registry import adapters
from tests.carriers.fictitious import Fictitious
from tests.end_to_end.support import ZONE, Trial, day

KEY = "a-key-of-the-arrow"
LATE, GOOD, UNKNOWN = "FX00000001", "FX00000002", "FX00000003"
DUE_ON = day(4)
CSV = (
    "Pedido;Cliente;E-mail;Transportadora;Código de rastreio;Previsão de entrega;Valor\r\n"
    f"F1;Bia de Teste;bia@example.com;Flecha;{LATE};06/08/2026;100,00\r\n"
    f"F2;Caio de Teste;caio@example.com;;{GOOD};06/08/2026;100,00\r\n"
    f"F3;Duda de Teste;duda@example.com;Flecha;{UNKNOWN};06/08/2026;100,00\r\n"
)


@dataclass
class Flecha:
    """The other carrier's server: what it shows of each number, and which numbers it was asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)

    def show(
        self, number: str, *events: tuple[int, datetime, str], due_on: date | None = DUE_ON, text: str | None = None
    ) -> None:
        """`text` stands in every event instead of its code."""
        self.shown[number] = {
            "numero": number,
            "entrega_prevista": due_on.isoformat() if due_on else None,
            "servico": "RODOVIARIO",
            "eventos": [
                {"id": serial, "quando": when.isoformat(), "codigo": code, "texto": text or code, "local": "Natal/RN"}
                for serial, when, code in events
            ],
        }


@pytest.fixture
def flecha() -> Iterator[Flecha]:
    with serving() as made:
        yield made


@contextmanager
def serving() -> Iterator[Flecha]:
    """The server while the block runs."""
    made = Flecha()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            number = self.path.rpartition("/")[2]
            made.asked.append(number)
            known = made.shown.get(number) if self.headers.get("X-Chave") == KEY else None
            if self.path == "/v1/conta":
                known = {"conta": "aberta"}
            body = json.dumps(known or {"erro": "desconhecido"}).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: what was asked is in `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    server.shutdown()
    server.server_close()


def beside(trial: Trial, flecha: Flecha) -> Trial:
    """Both carriers configured, a parcel of the first and three of the other imported."""
    trial.adapters = {**adapters(), Fictitious.NAME: Fictitious}
    trial.settings["carriers"].append(
        {
            "id": "flecha",
            "aliases": ["Flecha Expressa"],
            "base_url": flecha.url,
            "requests_per_second": 1000,
            "key": KEY,
            "claims": {"mode": "auto"},
        }
    )
    collected = datetime(2026, 8, 3, 14, tzinfo=ZONE)
    flecha.show(LATE, (1, collected, "B1"), (2, collected + timedelta(hours=9), "C1"))
    flecha.show(GOOD, (1, collected, "B1"), (2, collected + timedelta(days=2), "E9"))
    trial.drop_orders()
    trial.drop("flecha.csv", CSV.encode())
    return trial


def install(folder: Path) -> Path:
    """Install the fictitious adapter there, as any third party's package is: by its entry point. A folder for `plugins`."""
    meta = folder / "flecha-1.0.dist-info"
    meta.mkdir(parents=True)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: flecha\nVersion: 1.0\n", encoding="utf-8")
    points = "[shipment_tracker.carriers]\nflecha = tests.carriers.fictitious:Fictitious\n"
    (meta / "entry_points.txt").write_text(points, encoding="utf-8")
    return folder

"""Elo, a carrier that does not exist: it gives a new refresh token with each access token, and takes the old one no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, SecretStr

from carriers.base import AdapterContext, Token

FIRST = "the-first-refresh-token"
NOW = datetime(2026, 8, 3, 12, tzinfo=UTC)


class EloSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    first_refresh_token: SecretStr


class Elo:
    """Fits `carriers.base.Adapter`, as far as a login needs it."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = "elo"
    TITLE: ClassVar[str] = "Elo Expressa"
    BASE_URL: ClassVar[str] = "https://api.elo.example"
    Settings: ClassVar[type[BaseModel]] = EloSettings

    tracking = None
    claims = None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        assert isinstance(settings, EloSettings)
        self._first, self._context = settings.first_refresh_token.get_secret_value(), context
        self._origin = blake2b(self._first.encode(), digest_size=8).hexdigest()

    async def log_in(self) -> str:
        tokens = self._context.tokens
        token = await tokens.get(self._mint)
        if token.origin != self._origin:
            await tokens.discard(token)
            token = await tokens.get(self._mint)
        headers = {"Authorization": f"Bearer {token.value}"}
        await self._context.http.request_json("POST", "/conta", idempotent=True, headers=headers, json={})
        return "the account is open"

    async def _mint(self) -> Token:
        refresh = await self._context.tokens.refresh_of(self._origin) or self._first
        asked = {"refresh_token": refresh}
        answer = await self._context.http.request_json("POST", "/token", idempotent=False, json=asked)
        given = answer.data
        ends = NOW + timedelta(days=30)
        return Token(given["access_token"], ends, ends, refresh=given["refresh_token"], origin=self._origin)


@dataclass
class Chain:
    """The carrier's side: which refresh token it takes next, and all that it has given out."""

    url: str = ""
    takes: str = FIRST
    given: list[str] = field(default_factory=list)


@contextmanager
def chain() -> Iterator[Chain]:
    """The server while the block runs."""
    made = Chain()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            good = made.given and self.headers.get("Authorization") == f"Bearer access-{len(made.given)}"
            answer = {"conta": "aberta"} if good else None
            if self.path == "/token" and asked["refresh_token"] == made.takes:
                made.takes = f"refresh-{len(made.given) + 1}"
                made.given.append(made.takes)
                answer = {"access_token": f"access-{len(made.given)}", "refresh_token": made.takes}
            body = json.dumps(answer or {"erro": "recusado"}).encode()
            self.send_response(200 if answer else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: what was given is in `given`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def install(folder: Path) -> Path:
    """Install the adapter there by its entry point. A folder for `plugins`."""
    meta = folder / "elo-1.0.dist-info"
    meta.mkdir(parents=True)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: elo\nVersion: 1.0\n", encoding="utf-8")
    points = "[shipment_tracker.carriers]\nelo = tests.carriers.chained:Elo\n"
    (meta / "entry_points.txt").write_text(points, encoding="utf-8")
    return folder

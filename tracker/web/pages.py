"""The machine's pages: `/healthz`, `/readyz`, `/metrics`. They read, change nothing, and hold no personal data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import orjson
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tracker.engine.base import Health
from tracker.errors import DatabaseFaultError
from tracker.web.address import names_this_machine
from tracker.web.health import readiness

DATABASE_PATIENCE_S: Final = 5.0
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def machine_pages(
    *,
    health: Callable[[], Health],
    is_stopping: Callable[[], bool],
    ask_database: Callable[[], Awaitable[object]],
    metrics_text: Callable[[], bytes],
    hosts: Collection[str],
) -> Starlette:
    """The application behind `web.operator`.

    Args:
        health: how every lane is.
        is_stopping: whether the daemon is putting its work down.
        ask_database: the smallest question it can answer; raises where it cannot.
        metrics_text: the body of `/metrics`.
        hosts: names, besides addresses, under which this listener may be called.
    """
    probe = _Probe(ask_database)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n", headers=_HEADERS)

    async def readyz(_request: Request) -> Response:
        found = readiness(health(), await probe.fault(), is_stopping=is_stopping())
        return _json(found, 200 if found["ready"] else 503)

    async def metrics(_request: Request) -> Response:
        return Response(metrics_text(), headers=_HEADERS, media_type=CONTENT_TYPE_LATEST)

    pages = (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics))
    app = Starlette(
        routes=[Route(path, page, methods=["GET"]) for path, page in pages],
        middleware=[Middleware(_KnownHostOnly, hosts=hosts)],
    )
    # A path with a slash too many is another path, and no reason to send anybody elsewhere.
    app.router.redirect_slashes = False
    return app


def _json(document: dict[str, Any], status: int) -> Response:
    body = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    return Response(body, status, headers=_HEADERS, media_type="application/json")


class _Probe:
    """Asks the database whether it answers, once at a time however many ask."""

    def __init__(self, ask: Callable[[], Awaitable[object]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[str | None] | None = None

    async def fault(self) -> str | None:
        """Why the database does not answer within its time; None where it does."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer(), name="database probe")
        try:
            # Shielded: a thread cannot be called back, and its answer still serves the next who asks.
            return await asyncio.wait_for(asyncio.shield(self._asking), DATABASE_PATIENCE_S)
        except TimeoutError:
            return f"no answer within {DATABASE_PATIENCE_S:.0f} s"

    async def _answer(self) -> str | None:
        try:
            await self._ask()
        except DatabaseFaultError as fault:
            return str(fault)
        except Exception as error:
            # Whatever it is, nobody can work with it; the words may quote a value, so the log's rules hold here too.
            return type(error).__name__
        return None


class _KnownHostOnly:
    """Refuses requests for a name that is not this machine's: a page in a browser could lead one here by its own DNS."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not names_this_machine(_host_header(scope), self._hosts):
            words = "unknown host: call this listener by its address, or by the name in web.operator\n"
            await PlainTextResponse(words, 421, headers=_HEADERS)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _host_header(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), None)

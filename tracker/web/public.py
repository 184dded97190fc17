"""The public listener's pages: the carriers' hooks. Nothing else is there, and nothing is told of what is not there.

It stands behind the shop's own proxy, or alone: what a proxy says of the sender (`X-Forwarded-*`) is neither needed nor read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tracker.web.server import Limits

KEY: Final = "web.public"
LIMITS: Final = Limits(connections=64, connection_s=20.0, idle_s=5)
MOST_BYTES: Final = 1024 * 1024
BODY_WITHIN_S: Final = 10.0
"""A sender that takes longer for its body is cut off: few slow ones must not keep the others out."""
METHODS: Final = frozenset({"GET", "HEAD", "POST"})
_HOOK: Final = re.compile(r"/hooks/([^/]+)")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    # A request a connection: so one that lives long is a slow one, and may be cut off.
    "Connection": "close",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Reply(Protocol):
    """What a hook answers."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def content_type(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


HookCall = Callable[[str, str, Mapping[str, str], str, bytes], Awaitable[Reply | None]]
"""(account, method, headers, query, body) -> the answer; None where no account has such a hook."""


class PublicPages:
    """The application behind `web.public`."""

    def __init__(self, *, has_hook: Callable[[str], bool], receive: HookCall) -> None:
        """
        Args:
            has_hook: whether this account has one; asked before a body is read.
            receive: judges and keeps a request.
        """
        self._has_hook = has_hook
        self._receive = receive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return
        response.headers.update(_HEADERS)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = _HOOK.fullmatch(request.scope["path"])
        if found is None or not self._has_hook(found[1]):
            return Response(status_code=404)
        if request.method not in METHODS:
            return Response(status_code=405)
        try:
            body = await asyncio.wait_for(_body(request), BODY_WITHIN_S)
        except TimeoutError:
            return Response(status_code=408)
        if body is None:
            return Response(status_code=413)
        query = request.scope["query_string"].decode("latin-1")
        reply = await self._receive(found[1], request.method, _headers(request), query, body)
        if reply is None:
            return Response(status_code=404)
        return Response(reply.body, reply.status, dict(reply.headers), reply.content_type)


async def _body(request: Request) -> bytes | None:
    """The whole body; None where it is larger than anything a carrier sends."""
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and (len(told) > 9 or int(told) > MOST_BYTES):
        return None
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > MOST_BYTES:
            return None
    return bytes(read)


def _headers(request: Request) -> dict[str, str]:
    """By names in lower case; one that stands there twice is no more what its sender signed, and fits nothing."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]}, {value}" if name in found else value
    return {name: value for name, value in found.items() if not name.startswith("x-forwarded-") and name != "forwarded"}

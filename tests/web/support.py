"""A listener on a free port with pages made of what a test says, and the smallest client."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from dataclasses import dataclass


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def get(port: int, path: str, method: str = "GET", host: str | None = None) -> Answer:
    """One request, as curl would make it; every status is an answer. Raises OSError where nobody listens."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    if host is not None:
        request.add_header("Host", host)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as reply:
            return Answer(reply.status, dict(reply.headers), reply.read().decode())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, dict(refusal.headers), refusal.read().decode())

"""Requests and responses of the simulated carrier, free of sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracker.sandbox.workdays import local_text


class Ending(StrEnum):
    """How a call ends on the wire: with its answer, with a closed connection, or with silence."""

    ANSWER = "answer"
    CLOSE = "close"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Request:
    """`query` keeps repeated keys; header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def values(self, key: str) -> list[str]:
        return [value for name, value in self.query if name == key]

    def value(self, key: str) -> str | None:
        found = self.values(key)
        return found[0] if found else None

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises ValueError where it is none."""
        payload = json.loads(self.body or b"null")
        if not isinstance(payload, dict):
            raise ValueError("the body is no JSON object")
        return payload


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    ending: Ending = Ending.ANSWER


class Refusal(Exception):
    """A call ends with an error of the gateway's common shape."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def answer(status: int, payload: object) -> Response:
    return Response(status, json.dumps(payload, ensure_ascii=False).encode())


def refusal(request: Request, status: int, text: str, now: datetime) -> Response:
    """Return an error as every API of the gateway shapes it."""
    payload = {"msgs": [text], "date": local_text(now), "method": request.method, "path": request.path, "causa": text}
    return answer(status, payload)

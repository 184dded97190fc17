"""How Melhor Envio's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from carriers.base import TrackingStatus as Status
from carriers.melhor_envio import SIGNATURE, STAGES, ZONE
from carriers.signatures import hmac_sha256_base64
from carriers.testing import Codes, Kit, Meaning, Push, Question, Reply, Told, json_reply

_FIELDS = {code: name for name, code in STAGES}
_SECRET = "segredo-inventado-4471"


class MelhorEnvioKit(Kit):
    """Dated stages keyed by order, behind rotating refresh tokens."""

    settings: Mapping[str, Any] = {
        "contact": "ti@loja-exemplo.com.br",
        "client_id": "1000",
        "client_secret": _SECRET,
        "refresh_token": "def50200-inventado-0",
    }
    numbers = tuple(f"6e1c864a-0000-4ae7-baaa-{serial:012x}" for serial in range(51))
    strangers = (*Kit.strangers, "ORD-20261100001", "AB123456785BR")
    codes = Codes(moving="posted", delivered="delivered", unknown="em_analise", posted="generated")
    document = "docs.melhorenvio.com.br, status of orders and webhooks"
    meanings = (
        Meaning("generated", Status.PRE_TRANSIT, "Etiqueta gerada"),
        Meaning("posted", Status.POSTED, "Postado"),
        Meaning("delivered", Status.DELIVERED, "Entregue"),
        Meaning("undelivered", Status.EXCEPTION, "Não entregue"),
        Meaning("cancelled", Status.CANCELLED, "Cancelado"),
        Meaning("paused", Status.EXCEPTION, "Pausado"),
    )
    milestones = True
    nothing = (b"[]",)

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        order: dict[str, Any] = {
            "id": number,
            "protocol": "ORD-1",
            "tracking": None,
            "created_at": "2017-01-01 09:00:00",
        }
        newest = max(events, key=lambda event: event.at, default=None)
        order["status"] = newest.code if newest else "pending"
        for event in events:
            if event.code in _FIELDS:
                order[_FIELDS[event.code]] = event.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
        return order

    def is_login(self, question: Question) -> bool:
        return question.path == "/oauth/token"

    def login(self, question: Question, count: int) -> Reply:
        expected = "def50200-inventado-0" if count == 1 else f"sucessor-{count - 1}"
        if question.json["refresh_token"] != expected:
            return json_reply({"error": "invalid_request"}, 400)
        token = {"token_type": "Bearer", "expires_in": 2592000, "access_token": f"ficha-{count}"}
        return json_reply({**token, "refresh_token": f"sucessor-{count}"})

    def login_refused(self, question: Question) -> Reply:
        return json_reply({"error": "invalid_request", "message": "The refresh token is invalid."}, 400)

    def refused(self, question: Question) -> Reply:
        return json_reply({"message": "Unauthenticated."}, 401)

    def asked(self, question: Question) -> Sequence[str]:
        return question.json["orders"] if question.body else []

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        return json_reply(dict(entries) or [])

    def push(self, number: str, events: Sequence[Told]) -> Push:
        body = orjson.dumps({"event": f"order.{events[-1].code}", "data": self.entry(number, events)})
        return Push(body, {SIGNATURE: hmac_sha256_base64(_SECRET, body)})

    def probes(self) -> Sequence[tuple[str, Push]]:
        return (("GET", Push(b"", {})), ("HEAD", Push(b"", {})), ("POST", Push(b"", {})), ("POST", Push(b"{}", {})))


KIT = MelhorEnvioKit()

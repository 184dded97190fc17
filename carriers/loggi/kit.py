"""How Loggi's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import orjson

from carriers.base import TrackingStatus as Status
from carriers.signatures import basic
from carriers.testing import Codes, Kit, Meaning, Push, Question, Reply, Told, json_reply


class LoggiKit(Kit):
    """One package a call, behind client credentials."""

    settings: Mapping[str, Any] = {
        "company_id": "4321",
        "client_id": "id-inventado",
        "client_secret": "segredo-inventado-2284",
        "webhook_user": "loja",
        "webhook_password": "senha-inventada-6613",
    }
    numbers = tuple(f"SH10000000{serial:02d}LG" for serial in range(1, 13))
    codes = Codes(moving="77", delivered="5", unknown="99")
    document = "Loggi publishes one code, 5; the rest is the wording of its own page"
    meanings = (
        Meaning("5", Status.DELIVERED, "Entregue"),
        Meaning("77", Status.IN_TRANSIT, "Em trânsito"),
        Meaning("78", Status.OUT_FOR_DELIVERY, "Saiu para entrega"),
        Meaning("79", Status.DELIVERY_FAILED, "Não entregue"),
        Meaning("80", Status.LOST, "Extraviado"),
        Meaning("81", Status.STOLEN, "Roubado"),
        Meaning("82", Status.DAMAGED, "Avariado"),
        Meaning("83", Status.RETURNED, "Devolvido"),
    )
    texts: Mapping[str, str] = {"77": "Em trânsito", "5": "Entregue"}

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        history = [{"status": self._status(event)} for event in events]
        return {
            "loggiKey": "KIFEXEMPLO",
            "trackingCode": number,
            "recipient": self.person,
            "promisedDate": "2026-11-25",
            "status": max(history, key=lambda line: line["status"]["updatedTime"])["status"] if history else None,
            "trackingHistory": history,
        }

    def _status(self, event: Told) -> dict[str, Any]:
        at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        title = self.texts.get(event.code, event.text)
        return {"code": event.code, "highLevelStatus": title, "description": "", "updatedTime": at}

    def is_login(self, question: Question) -> bool:
        return question.path == "/v2/oauth2/token"

    def login(self, question: Question, count: int) -> Reply:
        return json_reply({"access_token": f"ficha-{count}", "token_type": "Bearer", "expires_in": 86400})

    def refused(self, question: Question) -> Reply:
        return json_reply({"code": 16, "message": "Unauthenticated", "details": []}, 401)

    def asked(self, question: Question) -> Sequence[str]:
        return [question.path.split("/")[-2]]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        if not entries:
            return json_reply({"code": 5, "message": "package not found", "details": []}, 404)
        return json_reply({"packages": list(entries.values())})

    def push(self, number: str, events: Sequence[Told]) -> Push:
        return Push(
            orjson.dumps({"packages": [self.entry(number, events)]}),
            {"Authorization": basic("loja", "senha-inventada-6613")},
        )


KIT = LoggiKit()

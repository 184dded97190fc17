"""How Rodonaves' answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.rodonaves import ZONE
from carriers.testing import Codes, Kit, Question, Reply, Told, json_reply
from carriers.testing.road import ROAD_DOCUMENT, ROAD_MEANINGS


class RodonavesKit(Kit):
    """One invoice a call; 204 for one that is not known, 400 for wrong credentials."""

    settings: Mapping[str, Any] = {"user": "usuario-inventado", "password": "senha-inventada-8841"}
    numbers = ("35261111222333000181550010000010011102030405", "35261112ABC34501DE35550010000010041102030432")
    codes = Codes(
        moving="CHEGADA NA UNIDADE",
        delivered="ENTREGA REALIZADA",
        unknown="OCORRENCIA INEDITA",
        posted="MERCADORIA COLETADA",
        lost="MERCADORIA EXTRAVIADA",
        damaged="MERCADORIA AVARIADA",
    )
    document = ROAD_DOCUMENT
    meanings = ROAD_MEANINGS
    has_codes = False

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {
            "ProtocolNumber": "100001",
            "EmissionDate": "2026-11-16T00:00:00",
            "ExpectedDeliveryDays": 4,
            "RecipientDescription": self.person,
            "RecipientTaxIdRegistration": "00000000191",
            "Events": [self._event(event) for event in events],
        }

    def _event(self, event: Told) -> dict[str, str]:
        at = event.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S")
        return {"OccurrenceDate": at, "Description": event.code, "Reason": event.text}

    def is_login(self, question: Question) -> bool:
        return question.path == "/token"

    def login(self, question: Question, count: int) -> Reply:
        return json_reply({"access_token": f"ficha-{count}", "token_type": "bearer", "expires_in": 28800})

    def login_refused(self, question: Question) -> Reply:
        return json_reply({"error": "invalid_grant"}, 400)

    def asked(self, question: Question) -> Sequence[str]:
        return [question.param("InvoiceKey")]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        for entry in entries.values():
            return json_reply(entry)
        return Reply(204, headers={})


KIT = RodonavesKit()

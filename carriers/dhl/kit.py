"""How DHL's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.base import TrackingStatus as Status
from carriers.dhl import ZONE
from carriers.testing import Codes, Kit, Meaning, Question, Reply, Told, json_reply


class DhlKit(Kit):
    """One number a call."""

    settings: Mapping[str, Any] = {"api_key": "chave-inventada-3906"}
    numbers = tuple(f"77777777{serial}" for serial in range(70, 82))
    codes = Codes(moving="transit", delivered="delivered", unknown="novelty", posted="pre-transit")
    document = "DHL Shipment Tracking - Unified 1.4.1, statusCode"
    meanings = (
        Meaning("pre-transit", Status.PRE_TRANSIT),
        Meaning("transit", Status.IN_TRANSIT),
        Meaning("delivered", Status.DELIVERED),
        Meaning("failure", Status.EXCEPTION),
    )

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        told = [self._event(event) for event in events]
        return {
            "id": number,
            "service": "express",
            "details": {"receiver": {"name": self.person}},
            "status": told[0] if told else None,
            "estimatedTimeOfDelivery": "2026-11-25T00:00:00Z",
            "events": told,
        }

    def _event(self, event: Told) -> dict[str, Any]:
        return {
            "timestamp": event.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S"),
            "location": {"address": {"countryCode": "BR", "addressLocality": event.city}},
            "statusCode": event.code,
            "status": event.text,
            "description": event.text,
        }

    def asked(self, question: Question) -> Sequence[str]:
        return [question.param("trackingNumber")]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        if not entries:
            return json_reply({"title": "No result found", "detail": "No shipment found.", "status": 404}, 404)
        return json_reply({"url": "/shipments", "shipments": list(entries.values())})

    def refused(self, question: Question) -> Reply:
        return json_reply({"title": "Unauthorized", "detail": "Unauthorized for given resource.", "status": 401}, 401)


KIT = DhlKit()

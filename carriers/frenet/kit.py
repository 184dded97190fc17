"""How Frenet's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.base import TrackingStatus as Status
from carriers.frenet import ZONE
from carriers.testing import Codes, Kit, Meaning, Question, Reply, Told, json_reply


class FrenetKit(Kit):
    """One parcel a call, the newest event first."""

    settings: Mapping[str, Any] = {
        "token": "ficha-inventada-frenet-3307",
        "services": [{"code": "03220", "numbers": "[A-Z]{2}[0-9]{9}BR"}, {"code": "JTE_INT"}],
    }
    numbers = ("AB123456785BR", "888030000000002", "12ABC0000001tx")
    codes = Codes(moving="1", delivered="9", unknown="77", posted="0", lost="4")
    document = "Frenet's tracking page, event types, as one client maps them"
    meanings = (
        Meaning("18", Status.PRE_TRANSIT, "Pré-postado"),
        Meaning("0", Status.POSTED, "Postado"),
        Meaning("1", Status.IN_TRANSIT, "Em trânsito"),
        Meaning("5", Status.OUT_FOR_DELIVERY, "Saiu para entrega"),
        Meaning("9", Status.DELIVERED, "Entregue"),
        Meaning("4", Status.LOST, "Extraviado"),
    )

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {
            "TrackingNumber": number,
            "ServiceDescrition": "Sedex",
            "TrackingUrl": "https://rastreio.example/?chave=muda",
            "ErrorMessage": "",
            "TrackingEvents": [self._event(event) for event in reversed(events)],
        }

    def _event(self, event: Told) -> dict[str, str]:
        return {
            "EventDateTime": event.at.astimezone(ZONE).strftime("%d/%m/%Y %H:%M"),
            "EventType": event.code,
            "EventDescription": event.text,
            "EventLocation": f"{event.city}-{event.state}",
        }

    def asked(self, question: Question) -> Sequence[str]:
        return [question.json["TrackingNumber"]]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        (number,) = self.asked(question)
        empty = {"TrackingNumber": number, "ErrorMessage": "", "TrackingEvents": []}
        return json_reply(entries.get(number, empty))


KIT = FrenetKit()

"""How FedEx's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.base import TrackingStatus as Status
from carriers.fedex import NOT_FOUND, TOKEN_PATH
from carriers.testing import Codes, Kit, Meaning, Question, Reply, Told, json_reply


class FedexKit(Kit):
    """Thirty numbers a call, behind client credentials."""

    settings: Mapping[str, Any] = {"client_id": "id-inventado", "client_secret": "segredo-inventado-9925"}
    numbers = tuple(f"7946000{serial:05d}" for serial in range(1, 32))
    codes = Codes(moving="IT", delivered="DL", unknown="QQ", posted="PU")
    document = "FedEx's derived status codes, general knowledge, not checked against its portal"
    meanings = (
        Meaning("OC", Status.PRE_TRANSIT),
        Meaning("PU", Status.POSTED),
        Meaning("IT", Status.IN_TRANSIT),
        Meaning("OD", Status.OUT_FOR_DELIVERY),
        Meaning("DL", Status.DELIVERED),
        Meaning("HL", Status.AVAILABLE_FOR_PICKUP),
        Meaning("DE", Status.DELIVERY_FAILED),
        Meaning("SE", Status.EXCEPTION),
        Meaning("RS", Status.RETURNING),
        Meaning("CA", Status.CANCELLED),
    )
    has_codes = False

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {
            "trackingNumberInfo": {"trackingNumber": number, "carrierCode": "FDXE"},
            "deliveryDetails": {"receivedByName": self.person},
            "dateAndTimes": [{"type": "ESTIMATED_DELIVERY", "dateTime": "2026-11-25T00:00:00-03:00"}],
            "scanEvents": [self._scan(event) for event in events],
        }

    def _scan(self, event: Told) -> dict[str, Any]:
        return {
            "date": event.at.isoformat(),
            "eventType": event.code,
            "eventDescription": event.text,
            "exceptionCode": "",
            "scanLocation": {"city": event.city, "stateOrProvinceCode": event.state, "countryCode": "BR"},
            "derivedStatusCode": event.code,
        }

    def is_login(self, question: Question) -> bool:
        return question.path == TOKEN_PATH

    def login(self, question: Question, count: int) -> Reply:
        return json_reply({"access_token": f"ficha-{count}", "token_type": "bearer", "expires_in": 3599})

    def refused(self, question: Question) -> Reply:
        return json_reply({"errors": [{"code": "NOT.AUTHORIZED.ERROR", "message": "Access token expired."}]}, 401)

    def asked(self, question: Question) -> Sequence[str]:
        return [item["trackingNumberInfo"]["trackingNumber"] for item in question.json["trackingInfo"]]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        failure = {"error": {"code": NOT_FOUND, "message": "Tracking number cannot be found."}}
        results = [
            {"trackingNumber": number, "trackResults": [entries.get(number, failure)]}
            for number in self.asked(question)
        ]
        return json_reply({"transactionId": "x", "output": {"completeTrackResults": results}})


KIT = FedexKit()

"""How UPS's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.base import TrackingStatus as Status
from carriers.testing import Codes, Kit, Meaning, Question, Reply, Told, json_reply
from carriers.ups import TOKEN_PATH


class UpsKit(Kit):
    """One number a call, behind client credentials."""

    settings: Mapping[str, Any] = {"client_id": "id-inventado", "client_secret": "segredo-inventado-5083"}
    numbers = tuple(f"1Z{serial:016d}" for serial in range(1, 13))
    codes = Codes(moving="I", delivered="D", unknown="QQ", posted="P")
    document = "UPS's status types, general knowledge; its description names the field and not its values"
    meanings = (
        Meaning("M", Status.PRE_TRANSIT),
        Meaning("P", Status.POSTED),
        Meaning("I", Status.IN_TRANSIT),
        Meaning("O", Status.OUT_FOR_DELIVERY),
        Meaning("D", Status.DELIVERED),
        Meaning("X", Status.EXCEPTION),
        Meaning("RS", Status.RETURNED),
        Meaning("MV", Status.CANCELLED),
    )
    has_codes = False

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {
            "trackingNumber": number,
            "deliveryInformation": {"receivedBy": self.person},
            "deliveryDate": [{"type": "SDD", "date": "20261125"}],
            "activity": [self._activity(event) for event in events],
        }

    def _activity(self, event: Told) -> dict[str, Any]:
        offset = event.at.strftime("%z")
        return {
            "location": {"address": {"city": event.city, "stateProvince": event.state, "countryCode": "BR"}},
            "status": {"type": event.code, "code": "XX", "description": event.text},
            "date": event.at.strftime("%Y%m%d"),
            "time": event.at.strftime("%H%M%S"),
            "gmtOffset": f"{offset[:3]}:{offset[3:5]}",
        }

    def is_login(self, question: Question) -> bool:
        return question.path == TOKEN_PATH

    def login(self, question: Question, count: int) -> Reply:
        return json_reply({"token_type": "Bearer", "access_token": f"ficha-{count}", "expires_in": "14399"})

    def refused(self, question: Question) -> Reply:
        return json_reply({"response": {"errors": [{"code": "250002", "message": "Invalid Authentication"}]}}, 401)

    def asked(self, question: Question) -> Sequence[str]:
        return [question.path.rpartition("/")[2]]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        if not entries:
            error = {"code": "TW0001", "message": "Tracking Information Not Found"}
            return json_reply({"response": {"errors": [error]}}, 404)
        return json_reply({"trackResponse": {"shipment": [{"package": list(entries.values())}]}})


KIT = UpsKit()

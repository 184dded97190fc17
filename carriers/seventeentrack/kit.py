"""How 17TRACK's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import orjson

from carriers.base import TrackingStatus as Status
from carriers.signatures import sha256_hex
from carriers.testing import Codes, Kit, Meaning, Push, Question, Reply, Told, json_reply

_KEY = "CHAVEINVENTADA7702"


class SeventeenTrackKit(Kit):
    """Forty numbers a call, registered before they are known."""

    settings: Mapping[str, Any] = {"api_key": _KEY, "push": True}
    numbers = tuple(f"TRK{serial:09d}" for serial in range(1, 42))
    strangers = ("não é um código", "", "☃" * 20, "ABC", "SEMDIGITO")
    codes = Codes(
        moving="InTransit_Departure",
        delivered="Delivered_Other",
        unknown="Exception_Novelty",
        posted="InTransit_PickedUp",
        lost="Exception_Lost",
        damaged="Exception_Damage",
    )
    document = "17TRACK API v2.2, main and sub status"
    meanings = (
        Meaning("InfoReceived", Status.PRE_TRANSIT),
        Meaning("InTransit_PickedUp", Status.POSTED),
        Meaning("InTransit_Departure", Status.IN_TRANSIT),
        Meaning("OutForDelivery_Other", Status.OUT_FOR_DELIVERY),
        Meaning("Delivered_Other", Status.DELIVERED),
        Meaning("AvailableForPickup_Other", Status.AVAILABLE_FOR_PICKUP),
        Meaning("DeliveryFailure_Rejected", Status.DELIVERY_FAILED),
        Meaning("Exception_Returning", Status.RETURNING),
        Meaning("Exception_Returned", Status.RETURNED),
        Meaning("Exception_Lost", Status.LOST),
        Meaning("Exception_Damage", Status.DAMAGED),
        Meaning("Exception_Other", Status.EXCEPTION),
    )

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        told = [self._event(event) for event in events]
        newest = max(told, key=lambda event: event["time_utc"], default=None)
        status = newest["sub_status"] if newest else "NotFound_Other"
        return {
            "number": number,
            "carrier": 2151,
            "track_info": {
                "latest_status": {"status": status.partition("_")[0], "sub_status": status},
                "latest_event": newest,
                "shipping_info": {"recipient_address": {"name": self.person}},
                "tracking": {"providers_hash": 1, "providers": [{"latest_sync_time": "x", "events": told}]},
            },
        }

    def _event(self, event: Told) -> dict[str, Any]:
        return {
            "time_iso": event.at.isoformat(),
            "time_utc": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": event.text,
            "location": event.city,
            "stage": event.code.partition("_")[0],
            "sub_status": event.code,
            "address": {"country": "BR", "state": event.state, "city": event.city},
        }

    def asked(self, question: Question) -> Sequence[str]:
        return [] if question.path.endswith("getquota") else [item["number"] for item in question.json]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        if question.path.endswith("getquota"):
            return json_reply({"code": 0, "data": {"quota_total": 200, "quota_remain": 150}})
        if question.path.endswith("register"):
            numbers = [{"origin": 1, "number": number} for number in self.asked(question)]
            return json_reply({"code": 0, "data": {"accepted": numbers, "rejected": []}})
        unknown = [number for number in self.asked(question) if number not in entries]
        error = {"code": -18019902, "message": "The tracking number is not registered."}
        rejected = [{"number": number, "error": error} for number in unknown]
        return json_reply({"code": 0, "data": {"accepted": list(entries.values()), "rejected": rejected}})

    def refused(self, question: Question) -> Reply:
        error = {"code": -18010002, "message": "Invalid security key."}
        return json_reply({"code": -18010002, "data": {"errors": [error]}})

    def push(self, number: str, events: Sequence[Told]) -> Push:
        body = orjson.dumps({"event": "TRACKING_UPDATED", "data": self.entry(number, events)})
        return Push(body, {"sign": sha256_hex(body, b"/", _KEY.encode())})


KIT = SeventeenTrackKit()

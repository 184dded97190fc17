"""How AfterShip's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from carriers.aftership import SIGNATURE
from carriers.base import TrackingStatus as Status
from carriers.signatures import hmac_sha256_base64
from carriers.testing import Codes, Kit, Meaning, Push, Question, Reply, Told, json_reply

_SECRET = "segredo-inventado-1157"


class AfterShipKit(Kit):
    """A list of numbers a call, each made known before."""

    settings: Mapping[str, Any] = {"api_key": "asat_inventada_4410", "webhook_secret": _SECRET}
    numbers = tuple(f"AGR{serial:09d}" for serial in range(1, 22))
    strangers = ("não é um código", "", "☃" * 20, "ABC", "SEMDIGITO")
    codes = Codes(
        moving="InTransit",
        delivered="Delivered",
        unknown="Novelty",
        lost="Exception_013",
        damaged="Exception_012",
    )
    document = (
        "AfterShip's TagV1 of its own SDK; the subtags are general knowledge, not checked against its documentation"
    )
    meanings = (
        Meaning("InfoReceived", Status.PRE_TRANSIT),
        Meaning("InTransit", Status.IN_TRANSIT),
        Meaning("OutForDelivery", Status.OUT_FOR_DELIVERY),
        Meaning("Delivered", Status.DELIVERED),
        Meaning("AttemptFail", Status.DELIVERY_FAILED),
        Meaning("AvailableForPickup", Status.AVAILABLE_FOR_PICKUP),
        Meaning("Exception", Status.EXCEPTION),
        Meaning("Exception_010", Status.RETURNING),
        Meaning("Exception_011", Status.RETURNED),
        Meaning("Exception_012", Status.DAMAGED),
        Meaning("Exception_013", Status.LOST),
    )

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        newest = max(events, key=lambda event: event.at, default=None)
        return {
            "id": "exemplo",
            "tracking_number": number,
            "slug": "brazil-correios",
            "tag": newest.code.partition("_")[0] if newest else "Pending",
            "customers": [{"name": self.person}],
            "courier_estimated_delivery_date": {"estimated_delivery_date": "2026-11-25"},
            "checkpoints": [self._checkpoint(event) for event in events],
        }

    def _checkpoint(self, event: Told) -> dict[str, Any]:
        tag, _, finer = event.code.partition("_")
        return {
            "checkpoint_time": event.at.isoformat(),
            "message": event.text,
            "tag": tag,
            "subtag": event.code if finer else None,
            "city": event.city,
            "state": event.state,
        }

    def asked(self, question: Question) -> Sequence[str]:
        if question.method == "POST":
            return [question.json["tracking_number"]]
        return [number for number in question.param("tracking_numbers").split(",") if number]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        if question.method == "POST":
            return json_reply({"meta": {"code": 201}, "data": {"id": "exemplo"}}, 201)
        return json_reply({"meta": {"code": 200}, "data": {"trackings": list(entries.values())}})

    def refused(self, question: Question) -> Reply:
        return json_reply({"meta": {"code": 401, "type": "Unauthorized", "message": "invalid"}, "data": {}}, 401)

    def push(self, number: str, events: Sequence[Told]) -> Push:
        body = orjson.dumps({"event": "tracking_update", "msg": self.entry(number, events), "ts": 1795109700})
        return Push(body, {SIGNATURE: hmac_sha256_base64(_SECRET, body)})


KIT = AfterShipKit()

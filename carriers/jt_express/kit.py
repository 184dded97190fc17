"""How J&T's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson

from carriers.base import TrackingStatus as Status
from carriers.jt_express import ZONE
from carriers.signatures import md5_base64
from carriers.testing import Codes, Kit, Meaning, Push, Question, Reply, Told, json_reply

_KEY = "chave-inventada-5527"


class JtExpressKit(Kit):
    """Thirty waybills a call; refusals come with HTTP 200."""

    settings: Mapping[str, Any] = {
        "api_account": "100000000000000001",
        "private_key": _KEY,
        "customer_code": "J0000000001",
        "password": "senha-inventada-8841",
        "push": True,
    }
    numbers = tuple(f"888{serial:012d}" for serial in range(1, 32))
    strangers = (*Kit.strangers, "AD100000017BR", "777000000000001")
    codes = Codes(moving="3", delivered="10", unknown="93", posted="1")
    document = "J&T's description for Indonesia, scanType; Brazil's own list is not published"
    meanings = (
        Meaning("1", Status.POSTED, "collection"),
        Meaning("3", Status.IN_TRANSIT, "arrival"),
        Meaning("10", Status.DELIVERED, "sign"),
        Meaning("11", Status.EXCEPTION, "problem"),
        Meaning("12", Status.RETURNING, "return"),
    )
    has_codes = False
    proves_in_body = True

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {"billCode": number, "receiver": self.person, "details": [self._scan(event) for event in events]}

    def _scan(self, event: Told) -> dict[str, str]:
        return {
            "scanTime": event.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S"),
            "desc": event.text,
            "scanType": event.code,
            "scanTypeCode": "",
            "scanNetworkName": "DC",
            "scanNetworkCity": event.city,
            "scanNetworkProvince": event.state,
        }

    def asked(self, question: Question) -> Sequence[str]:
        return str(orjson.loads(question.form["bizContent"])["billCodes"]).split(",")

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        content = question.form["bizContent"]
        if question.headers["digest"] != md5_base64(content, _KEY):
            return self.refused(question)
        return json_reply({"code": "1", "msg": "success", "data": list(entries.values())})

    def refused(self, question: Question) -> Reply:
        return json_reply({"code": "145003030", "msg": "headers signature failed", "data": None})

    def push(self, number: str, events: Sequence[Told]) -> Push:
        content = orjson.dumps(self.entry(number, events)).decode()
        body = urlencode({"bizContent": content, "digest": md5_base64(content, _KEY)}).encode()
        return Push(body, {})


KIT = JtExpressKit()

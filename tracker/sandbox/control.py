"""The sandbox's own side door under /sandbox: order faults and strikes, read ledgers. Never part of the real thing.

GET  /sandbox/clock /claims /calls /plan /faults /mail      ledgers and state as JSON
POST /sandbox/clock            {"now": ISO instant}
POST /sandbox/faults           {"kind": "429", "count": 2, "path": "cadastra"}    kinds: `faults.Fault`
POST /sandbox/faults/clear
POST /sandbox/switches         {"refuse_credentials": true, "camel_case": true, "service_level": true}
POST /sandbox/tokens/expire
POST /sandbox/faults/plan      {"seed": 1, "share": 0.03}    that share of all calls fails at random, by seed
POST /sandbox/outages          {"first": ISO instant, "last": ISO instant, "family": "tracking"}    claims, deadlines, all
POST /sandbox/strikes          {"first": "2026-11-10", "last": "2026-11-12", "state": "BA", "city": "SALVADOR"}
POST /sandbox/mail/faults      {"kind": "greylist", "count": 1, "recipient": "x@example.com"}    kinds: `mail.MailFault`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Protocol

from tracker.sandbox.correios import SimulatedCorreios
from tracker.sandbox.faults import Family, Outage
from tracker.sandbox.strikes import Strike
from tracker.sandbox.wire import Request, Response, answer

PREFIX = "/sandbox/"


class MailDoor(Protocol):
    """What the side door needs of the mail sink."""

    def ledger_rows(self) -> list[dict[str, Any]]: ...

    def order_fault(self, kind: str, count: int | None, recipient: str | None) -> None: ...


class Control:
    """Serves the side door for one simulated carrier and, where there is one, its mail sink."""

    def __init__(self, correios: SimulatedCorreios, mail: MailDoor | None = None) -> None:
        self._correios = correios
        self._mail = mail
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "clock"): lambda _: {"now": correios.clock.now().isoformat()},
            ("GET", "claims"): lambda _: correios.desk.ledger(),
            ("GET", "calls"): lambda _: {"calls": list(correios.calls)},
            ("GET", "plan"): lambda _: self._plan(),
            ("GET", "faults"): lambda _: self._faults(),
            ("GET", "mail"): lambda _: {"mail": [] if mail is None else mail.ledger_rows()},
            ("POST", "clock"): self._set_clock,
            ("POST", "faults"): self._order_fault,
            ("POST", "faults/clear"): lambda _: correios.faults.clear(),
            ("POST", "faults/plan"): self._plan_faults,
            ("POST", "outages"): self._order_outage,
            ("POST", "switches"): self._switch,
            ("POST", "tokens/expire"): lambda _: correios.gate.expire_all(),
            ("POST", "strikes"): self._strike,
            ("POST", "mail/faults"): self._order_mail_fault,
        }

    def handle(self, request: Request) -> Response:
        """Do what is asked: 200 with the asked facts or {"ok": true}, 400 with a reason, 404."""
        route = self._routes.get((request.method, request.path.removeprefix(PREFIX)))
        if route is None:
            return answer(404, {"error": f"no such control: {request.method} {request.path}"})
        try:
            told = route(request)
        except (KeyError, TypeError, ValueError, RuntimeError) as exc:
            return answer(400, {"error": str(exc)})
        return answer(200, {"ok": True} if told is None else told)

    def _plan(self) -> dict[str, Any]:
        plan = self._correios.plan
        rows = [
            {
                "order": shipment.order.number,
                "code": shipment.code,
                "fate": shipment.fate.value,
                "service": shipment.service.value,
                "shipped_on": shipment.order.shipped_on.isoformat(),
                "due_on": shipment.due_on.isoformat(),
                "promised_on": shipment.promised_on.isoformat(),
                "verdict": shipment.verdict.value,
            }
            for shipment in plan.shipments
        ]
        return {"seed": plan.seed, "first_day": plan.first_day.isoformat(), "shipments": rows}

    def _faults(self) -> dict[str, Any]:
        faults = self._correios.faults
        return {
            "pending": faults.pending(),
            "refuse_credentials": faults.refuse_credentials,
            "camel_case": faults.camel_case,
            "service_level": self._correios.desk.service_level,
            "strikes": [[strike.first.isoformat(), strike.last.isoformat()] for strike in self._correios.strikes],
            "outages": [
                {"first": each.first.isoformat(), "last": each.last.isoformat(), "family": each.family.name.lower()}
                for each in faults.plan.outages
            ],
            "share": faults.plan.share,
        }

    def _set_clock(self, request: Request) -> None:
        self._correios.clock.set(datetime.fromisoformat(request.json_object()["now"]))

    def _order_fault(self, request: Request) -> None:
        asked = request.json_object()
        self._correios.faults.next(asked["kind"], int(asked.get("count", 1)), str(asked.get("path", "")))

    def _switch(self, request: Request) -> None:
        asked = request.json_object()
        unknown = asked.keys() - {"refuse_credentials", "camel_case", "service_level"}
        if unknown or not all(isinstance(value, bool) for value in asked.values()):
            raise ValueError("switches: refuse_credentials, camel_case, service_level; each true or false")
        faults, desk = self._correios.faults, self._correios.desk
        faults.refuse_credentials = asked.get("refuse_credentials", faults.refuse_credentials)
        faults.camel_case = asked.get("camel_case", faults.camel_case)
        desk.service_level = asked.get("service_level", desk.service_level)

    def _strike(self, request: Request) -> None:
        asked = request.json_object()
        first, last = date.fromisoformat(asked["first"]), date.fromisoformat(asked["last"])
        self._correios.strike(Strike(first, last, asked.get("state"), asked.get("city")))

    def _plan_faults(self, request: Request) -> None:
        asked, faults = request.json_object(), self._correios.faults
        seed, share = int(asked.get("seed", 0)), float(asked["share"])
        faults.follow(replace(faults.plan, seed=seed, share=share))

    def _order_outage(self, request: Request) -> None:
        asked, faults = request.json_object(), self._correios.faults
        first, last = (datetime.fromisoformat(asked[key]) for key in ("first", "last"))
        outage = Outage(first, last, Family[str(asked.get("family", "all")).upper()])
        if first.tzinfo is None or last.tzinfo is None:
            raise ValueError("an outage needs instants with an offset")
        faults.follow(replace(faults.plan, outages=(*faults.plan.outages, outage)))

    def _order_mail_fault(self, request: Request) -> None:
        if self._mail is None:
            raise ValueError("this sandbox has no mail sink")
        asked = request.json_object()
        self._mail.order_fault(asked["kind"], asked.get("count", 1), asked.get("recipient"))

"""The simulated Correios: token, tracking, deadlines and claims for the parcels of one plan, seen at the sandbox clock's time."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

from tracker.sandbox import prazo, rastro
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.desk import ClaimDesk
from tracker.sandbox.faults import Fault, FaultPlan, Faults
from tracker.sandbox.gate import Credentials, Gate
from tracker.sandbox.pedidos import Pedidos, camel_case
from tracker.sandbox.plan import Event, Plan, Shipment
from tracker.sandbox.strikes import Strike
from tracker.sandbox.wire import Ending, Refusal, Request, Response, answer, refusal

TOKEN_PATH = "/token/v1/autentica/cartaopostagem"
OBJECTS_PATH = "/srorastro/v1/objetos"
CLAIMS_PATH = "/pedido-informacao/v1/externo/pedidos"
_MAINTENANCE_PAGE = "<!DOCTYPE html><html><head><title>Correios</title></head><body>Em manutenção.</body></html>"
_CALLS_KEPT = 50_000
_NOT_ENABLED = "API restrita. Solicite a inclusão do serviço no cartão de postagem."
_TRACKING_API, _DEADLINES_API = 87, 35


class SimulatedCorreios:
    """Answers requests without sockets; `http.CorreiosServer` puts it on the wire.

    `faults`, `desk`, `gate` are public for tests in process; `calls` is the ledger of every call, newest last.
    """

    def __init__(
        self,
        plan: Plan,
        clock: SandboxClock,
        *,
        credentials: Credentials | None = None,
        state_file: Path | None = None,
        tokens_per_second: int | None = None,
        fault_plan: FaultPlan | None = None,
    ) -> None:
        """Raises ValueError where *state_file* holds something else than an earlier sandbox's claims."""
        self.plan = plan
        self.clock = clock
        self.credentials = credentials or Credentials()
        self.faults = Faults(fault_plan)
        self.gate = Gate(clock, self.credentials, tokens_per_second)
        self.desk = ClaimDesk(clock, state_file, plan.shipments)
        self.calls: deque[dict[str, Any]] = deque(maxlen=_CALLS_KEPT)
        self._pedidos = Pedidos(self.desk, clock, self.look_up)
        self._strikes: tuple[Strike, ...] = ()
        self._by_code = {shipment.code: shipment for shipment in plan.shipments}

    @property
    def strikes(self) -> tuple[Strike, ...]:
        return self._strikes

    def strike(self, strike: Strike) -> None:
        """Add a strike; what was to happen in or after it moves behind it. Strikes hold in the order of their days."""
        self._strikes = tuple(sorted((*self._strikes, strike), key=lambda each: each.first))
        held = {}
        for shipment in self.plan.shipments:
            moved = shipment
            for each in self._strikes:
                moved = each.hold(moved)
            held[moved.code] = moved
        self._by_code = held

    @property
    def shipments(self) -> tuple[Shipment, ...]:
        """Every parcel with the strikes applied."""
        return tuple(self._by_code.values())

    def look_up(self, code: str) -> tuple[Shipment | None, tuple[Event, ...]]:
        """Return the parcel and its events until now, oldest first; those of the claim desk among them."""
        shipment = self._by_code.get(code)
        if shipment is None:
            return None, ()
        events = (*shipment.events_until(self.clock.now()), *self.desk.events_about(shipment))
        return shipment, tuple(sorted(events, key=lambda event: event.at))

    def handle(self, request: Request) -> Response:
        """Answer one call, with the fault that waits for it, and write it down."""
        fault = self.faults.take(request.path, self.clock.now())
        note: dict[str, Any] = {
            "at": self.clock.now().isoformat(),
            "method": request.method,
            "path": request.path,
            "fault": None if fault is None else fault.value,
        }
        response = self._fail_before(request, fault) or self._fail_after(fault, self._serve(request, fault, note))
        note |= {"status": response.status, "answered": response.ending is Ending.ANSWER}
        self.calls.append(note)
        return response

    def _fail_before(self, request: Request, fault: Fault | None) -> Response | None:
        now = self.clock.now()
        if fault is Fault.THROTTLED:
            return Response(429)  # the gateway's own refusal: no body, no Retry-After
        if fault is Fault.SERVER_ERROR:
            return refusal(request, 500, "Erro interno do servidor.", now)
        if fault is Fault.FORBIDDEN:
            return refusal(request, 403, _NOT_ENABLED, now)
        if fault is Fault.TOKEN_EXPIRED:
            self.gate.expire_all()
            return refusal(request, 403, "Token expirado.", now)
        if fault is Fault.MAINTENANCE:
            return Response(200, _MAINTENANCE_PAGE.encode(), "text/html; charset=utf-8")
        if fault is Fault.CLOSE:
            return Response(0, ending=Ending.CLOSE)
        if fault is Fault.HANG:
            return Response(0, ending=Ending.HANG)
        return None

    @staticmethod
    def _fail_after(fault: Fault | None, response: Response) -> Response:
        if fault is Fault.LOST_ANSWER:
            return Response(response.status, ending=Ending.CLOSE)
        if fault is Fault.HANG_AFTER:
            return Response(response.status, ending=Ending.HANG)
        return response

    def _serve(self, request: Request, fault: Fault | None, note: dict[str, Any]) -> Response:
        try:
            if (request.method, request.path) == ("POST", TOKEN_PATH):
                return self.gate.issue(request, refuse=self.faults.refuse_credentials)
            held = self.gate.check(request)
            if request.path.startswith(CLAIMS_PATH):
                return self._serve_claims(request, held, fault, note)
            if request.path.startswith(prazo.PATH):
                return self._serve_deadlines(request, held)
            return self._serve_tracking(request, held)
        except Refusal as exc:
            if exc.status == 429:
                return Response(429)
            return refusal(request, exc.status, exc.text, self.clock.now())

    def _serve_tracking(self, request: Request, held: Credentials) -> Response:
        now = self.clock.now()
        if _TRACKING_API not in held.apis:
            raise Refusal(403, _NOT_ENABLED)
        if request.method == "GET" and request.path == OBJECTS_PATH:
            return rastro.many(request, self.look_up, held, now)
        code = request.path.removeprefix(OBJECTS_PATH + "/")
        if request.method == "GET" and code != request.path and "/" not in code:
            return rastro.one(request, code, self.look_up, held, now)
        raise Refusal(404, "Recurso não encontrado.")

    def _serve_deadlines(self, request: Request, held: Credentials) -> Response:
        if _DEADLINES_API not in held.apis:
            raise Refusal(403, _NOT_ENABLED)
        product = request.path.removeprefix(prazo.PATH).removeprefix("/")
        if request.method == "POST" and not product:
            return prazo.many(request, self.clock.now(), realistic=self.plan.realistic)
        if request.method == "GET" and product and "/" not in product:
            return prazo.one(request, product, self.clock.now(), realistic=self.plan.realistic)
        raise Refusal(404, "Recurso não encontrado.")

    def _serve_claims(self, request: Request, held: Credentials, fault: Fault | None, note: dict[str, Any]) -> Response:
        call = (request.method, request.path.removeprefix(CLAIMS_PATH))
        if call == ("POST", "/cadastra"):
            hide = fault is Fault.NO_NUMBER
            response = self._pedidos.register(request, held, fail=fault is Fault.CLAIM_ERROR, hide_numbers=hide)
            note["items"] = request.json_object()["pedidos"]
            note["results"] = json.loads(response.body)["pi"]
        elif call == ("POST", "/reativa"):
            response = self._pedidos.reactivate(request, held)
        elif call == ("GET", "/acompanha"):
            response = self._pedidos.follow(request, held)
        else:
            raise Refusal(404, "Recurso não encontrado.")
        if self.faults.camel_case:
            return answer(response.status, camel_case(json.loads(response.body)))
        return response

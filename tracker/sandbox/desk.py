"""The claim desk: registers each object's claim at most once, answers it after some business days, pays some."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from threading import RLock
from typing import Any

from tracker.sandbox.answers import Answer, Claim, answers, opened_by_buyer, paid_on, standing
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.facts import facts
from tracker.sandbox.judgement import (
    ALREADY_OPEN,
    FOREIGN_OBJECT,
    NOT_FOUND,
    REGISTERED,
    SERVICE_LEVEL,
    form_fault,
    judge,
)
from tracker.sandbox.plan import Account, Event, Shipment, Sight, Unit
from tracker.sandbox.reopening import NOT_ANSWERED, REACTIVATED_ITEM, UNKNOWN_PROTOCOL, judge_reopening
from tracker.sandbox.reopening import form_fault as reopening_fault
from tracker.sandbox.workdays import local, local_date

_FIRST_NUMBER = 210_000_001
_DELAY_MOTIVES = (135, 211)
CARD_DIFFERS = 126


class ClaimDesk:
    """All registrations, in memory and, where a file (JSON lines) is given, on disk before the caller hears of them."""

    def __init__(self, clock: SandboxClock, state_file: Path | None = None, shipments: Iterable[Shipment] = ()) -> None:
        """*shipments* are the parcels whose buyers may come. Raises ValueError where the state file is not one of ours."""
        self._clock = clock
        self._file = state_file
        self._lock = RLock()
        self._claims: dict[str, Claim] = {}
        self._by_number: dict[str, Claim] = {}
        self._buyers = [shipment for shipment in shipments if shipment.buyer_claims_at is not None]
        self.attempts: list[dict[str, Any]] = []
        self.reopenings: list[dict[str, Any]] = []
        """Every try to reopen a claim, with its result."""
        self.service_level = False
        """True: delay claims are refused because the contract settles them by service level."""
        self.scripted: dict[str, list[int]] = {}
        """Item codes to answer with, whatever the truth, by object code (a filing) or claim number (a reopening)."""
        if state_file is not None and state_file.exists():
            self._load(state_file)

    def register(
        self,
        item: Mapping[str, Any],
        shipment: Shipment | None,
        events: tuple[Event, ...],
        account: Account = Account.MAIN,
    ) -> tuple[int, str]:
        """Judge one item of a call and register it where it may be. Return the item code and the claim number or ''."""
        with self._lock:
            self._let_buyers_in()
            known = len(self._claims)
            code, number = self._decide(item, shipment, events, account)
            attempt = {
                "at": self._clock.now().isoformat(),
                "code": item.get("codigoObjeto"),
                "motive": item.get("codigoMotivoReclamacao"),
                "kind": item.get("tipoManifestacao"),
                "result": code,
                "number": number,
            }
            new = asdict(self._by_number[number]) if len(self._claims) > known else None
            self._write_down({"attempt": attempt, "claim": new})
            self.attempts.append(attempt)
            return code, number

    def _decide(
        self, item: Mapping[str, Any], shipment: Shipment | None, events: tuple[Event, ...], account: Account
    ) -> tuple[int, str]:
        fault = form_fault(item)
        if fault is not None:
            return fault, ""
        known = facts(events)
        if shipment is not None and self.scripted.get(shipment.code):
            return self.scripted[shipment.code].pop(0), ""
        if shipment is None or shipment.sight in (Sight.NOT_FOUND, Sight.INVALID):
            return NOT_FOUND, ""
        if shipment.sight is Sight.OTHER_CONTRACT:
            return FOREIGN_OBJECT, ""
        if shipment.account is not account:
            card = Account.SECOND_CONTRACT not in (shipment.account, account)
            return (CARD_DIFFERS if card else FOREIGN_OBJECT), ""
        if shipment.code in self._claims:
            return ALREADY_OPEN, self._claims[shipment.code].number
        if known.posted_on is None:
            return NOT_FOUND, ""
        motive = item["codigoMotivoReclamacao"]
        if self.service_level and motive in _DELAY_MOTIVES and not (known.lost or known.stolen):
            return SERVICE_LEVEL, ""
        now = self._clock.now()
        result = judge(motive, item["tipoManifestacao"], shipment.claim_due_on(now), known, local_date(now))
        if result != REGISTERED:
            return result, ""
        claim = Claim(
            number=str(_FIRST_NUMBER + len(self._claims)),
            code=shipment.code,
            motive=motive,
            kind=item["tipoManifestacao"],
            opened_at=now.isoformat(),
            addressee=item["nomeDestinatario"],
            reply_email=item["emailResposta"],
        )
        self._take_in(claim)
        return REGISTERED, claim.number

    def find(self, code_or_number: str) -> Claim | None:
        """Return the claim about that object, or with that number."""
        with self._lock:
            self._let_buyers_in()
            return self._claims.get(code_or_number) or self._by_number.get(code_or_number)

    def answer(self, claim: Claim, shipment: Shipment) -> Answer | None:
        """Return the newest answer given by now, or None while there is none."""
        given = answers(claim, shipment, self._clock.now())
        return given[-1] if given else None

    def reopen(
        self, item: Mapping[str, Any], claim: Claim | None, shipment: Shipment | None, events: tuple[Event, ...]
    ) -> tuple[int, date | None]:
        """Judge one item of "reativa" and reopen the claim where it may be. Return the item code, and the day in its text."""
        with self._lock:
            code, day = self._decide_reopening(item, claim, shipment, events)
            now = self._clock.now().isoformat()
            attempt = {
                "at": now,
                "number": item.get("protocolo"),
                "code": None if claim is None else claim.code,
                "motive": item.get("motivoReativacao"),
                "kind": item.get("tipoManifestacao"),
                "result": code,
            }
            if code == REACTIVATED_ITEM and claim is not None:
                made = {"at": now, "kind": item["tipoManifestacao"], "motive": int(item["motivoReativacao"])}
                claim.reopenings.append(made | {"note": str(item["observacao"])})
                self._write_down({"reopening": attempt, "claim": asdict(claim)})
            self.reopenings.append(attempt)
            return code, day

    def _decide_reopening(
        self, item: Mapping[str, Any], claim: Claim | None, shipment: Shipment | None, events: tuple[Event, ...]
    ) -> tuple[int, date | None]:
        fault = reopening_fault(item)
        if fault is not None:
            return fault, None
        if claim is not None and self.scripted.get(claim.number):
            return self.scripted[claim.number].pop(0), None
        if claim is None or shipment is None:
            return UNKNOWN_PROTOCOL, None
        now = self._clock.now()
        state = standing(claim, shipment, now)
        if state is None:
            return NOT_ANSWERED, None
        kind, motive = str(item["tipoManifestacao"]), int(item["motivoReativacao"])
        return judge_reopening(kind, motive, state, facts(events), shipment.claim_due_on(now), local_date(now))

    def is_by_service_level(self, claim: Claim) -> bool:
        """Whether the contract settles this claim collectively, so that it cannot be followed."""
        return self.service_level and claim.motive in _DELAY_MOTIVES

    def events_about(self, shipment: Shipment) -> tuple[Event, ...]:
        """Return the tracking events that the desk itself caused: IDC once the indemnity is paid."""
        with self._lock:
            claim = self._claims.get(shipment.code)
        day = None if claim is None else paid_on(claim, shipment, self._clock.now())
        if day is None:
            return ()
        where = Unit("Unidade de Tratamento", "VALINHOS", "SP", "13279970")
        detail = "Houve indenização dos valores correspondentes"
        return (Event("IDC", "01", local(day, 9), "Objeto não localizado", where, detail),)

    def ledger(self) -> dict[str, Any]:
        """Return every claim, and every try to register or reopen one with its result, for counting.

        `registrations` holds what the shop registered; buyers' own claims stand in `claims` alone.
        """
        with self._lock:
            numbers: dict[str, list[str]] = {}
            for attempt in self.attempts:
                if attempt["result"] == REGISTERED:
                    numbers.setdefault(attempt["code"], []).append(attempt["number"])
            claims = [asdict(claim) for claim in self._claims.values()]
            return {
                "claims": claims,
                "registrations": numbers,
                "attempts": list(self.attempts),
                "reopenings": list(self.reopenings),
            }

    def _let_buyers_in(self) -> None:
        """Register what buyers have opened themselves by now; an object that has a claim already is left alone."""
        now = self._clock.now()
        waiting = []
        for shipment in self._buyers:
            if shipment.buyer_claims_at is None or shipment.buyer_claims_at > now:
                waiting.append(shipment)
            elif shipment.code not in self._claims:
                claim = opened_by_buyer(shipment, str(_FIRST_NUMBER + len(self._claims)))
                self._take_in(claim)
                self._write_down({"claim": asdict(claim)})
        self._buyers = waiting

    def _write_down(self, row: Mapping[str, Any]) -> None:
        """Add one line to the file: what a killed sandbox must still know is there before anybody is answered."""
        if self._file is None:
            return
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _load(self, file: Path) -> None:
        try:
            for line in file.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                if row["claim"] is not None:
                    self._take_in(Claim(**row["claim"]))
                if row.get("attempt") is not None:
                    self.attempts.append(row["attempt"])
                if row.get("reopening") is not None:
                    self.reopenings.append(row["reopening"])
        except (KeyError, TypeError, ValueError) as exc:
            raise ValueError(f"{file}: not a state file of this sandbox") from exc

    def _take_in(self, claim: Claim) -> None:
        self._claims[claim.code] = self._by_number[claim.number] = claim

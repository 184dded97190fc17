"""The claim desk: registers each object's claim at most once, answers it after some business days, pays some."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from threading import RLock
from typing import Any

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
from tracker.sandbox.plan import Event, Shipment, Sight, Unit, Verdict
from tracker.sandbox.workdays import add_business_days, local, local_date

_FIRST_NUMBER = 210_000_001
_PAID_AFTER = 3
"""Business days from an accepting answer to the money; real contracts wait for the next invoice, weeks away."""


@dataclass(slots=True)
class Claim:
    """One registration. `opened_at` and `reactivated_at` are ISO instants in UTC, so that it saves as it is."""

    number: str
    code: str
    motive: int
    kind: str
    opened_at: str
    addressee: str
    reply_email: str
    reactivated_at: str | None = None
    reactivation_note: str | None = None
    reactivations: int = 0

    @property
    def opened_on(self) -> date:
        return local_date(datetime.fromisoformat(self.opened_at))

    @property
    def reactivated_on(self) -> date | None:
        return None if self.reactivated_at is None else local_date(datetime.fromisoformat(self.reactivated_at))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the desk says: `accepted` or not, when, and whether the money has gone out."""

    on: date
    accepted: bool
    paid: bool
    text: str


class ClaimDesk:
    """All registrations, in memory and, where a file (JSON lines) is given, on disk before the caller hears of them."""

    def __init__(self, clock: SandboxClock, state_file: Path | None = None) -> None:
        """Raises ValueError where the state file is not one of ours."""
        self._clock = clock
        self._file = state_file
        self._lock = RLock()
        self._claims: dict[str, Claim] = {}
        self._by_number: dict[str, Claim] = {}
        self.attempts: list[dict[str, Any]] = []
        self.service_level = False
        """True: delay claims are refused because the contract settles them by service level."""
        self.scripted: dict[str, list[int]] = {}
        """Item codes to answer with, whatever the truth, by object code (a filing) or claim number (a reopening)."""
        if state_file is not None and state_file.exists():
            self._load(state_file)

    def register(
        self, item: Mapping[str, Any], shipment: Shipment | None, events: tuple[Event, ...]
    ) -> tuple[int, str]:
        """Judge one item of a call and register it where it may be. Return the item code and the claim number or ''."""
        with self._lock:
            known = len(self._claims)
            code, number = self._decide(item, shipment, events)
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

    def _decide(self, item: Mapping[str, Any], shipment: Shipment | None, events: tuple[Event, ...]) -> tuple[int, str]:
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
        if shipment.code in self._claims:
            return ALREADY_OPEN, self._claims[shipment.code].number
        if known.posted_on is None:
            return NOT_FOUND, ""
        motive = item["codigoMotivoReclamacao"]
        if self.service_level and motive in (135, 211) and not (known.lost or known.stolen):
            return SERVICE_LEVEL, ""
        now = self._clock.now()
        result = judge(motive, item["tipoManifestacao"], shipment, known, local_date(now))
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
            return self._claims.get(code_or_number) or self._by_number.get(code_or_number)

    def answer(self, claim: Claim, shipment: Shipment) -> Answer | None:
        """Return the newest answer given by now, or None while there is none.

        The first comes `answer_days` business days after the registration, at ten in the morning; a reactivation is
        answered after as many again, with the same verdict.
        """
        first = self._answer_day(claim.opened_at, shipment)
        if first is None:
            return None
        second = None if claim.reactivated_at is None else self._answer_day(claim.reactivated_at, shipment)
        accepted = shipment.verdict is not Verdict.REJECTED
        paid = self._paid_on(claim, shipment) is not None
        return Answer(second or first, accepted, paid, _answer_text(claim, accepted, paid))

    def reactivate(self, claim: Claim, note: str, kind: str | None = None) -> None:
        """Take a claim up again; a complaint (R) that was accepted may go on as a refund request (I)."""
        with self._lock:
            claim.reactivated_at = self._clock.now().isoformat()
            claim.reactivation_note = note
            claim.kind = kind or claim.kind
            claim.reactivations += 1
            self._write_down({"attempt": None, "claim": asdict(claim)})

    def events_about(self, shipment: Shipment) -> tuple[Event, ...]:
        """Return the tracking events that the desk itself caused: IDC once the indemnity is paid."""
        claim = self.find(shipment.code)
        day = None if claim is None else self._paid_on(claim, shipment)
        if day is None:
            return ()
        where = Unit("Unidade de Tratamento", "VALINHOS", "SP", "13279970")
        detail = "Houve indenização dos valores correspondentes"
        return (Event("IDC", "01", local(day, 9), "Objeto não localizado", where, detail),)

    def ledger(self) -> dict[str, Any]:
        """Return every registration, and every try at one with its result, for counting."""
        with self._lock:
            numbers: dict[str, list[str]] = {}
            for attempt in self.attempts:
                if attempt["result"] == REGISTERED:
                    numbers.setdefault(attempt["code"], []).append(attempt["number"])
            claims = [asdict(claim) for claim in self._claims.values()]
            return {"claims": claims, "registrations": numbers, "attempts": list(self.attempts)}

    def _answer_day(self, since: str, shipment: Shipment) -> date | None:
        day = add_business_days(local_date(datetime.fromisoformat(since)), shipment.answer_days)
        return day if self._clock.now() >= local(day, 10) else None

    def _paid_on(self, claim: Claim, shipment: Shipment) -> date | None:
        answered = self._answer_day(claim.opened_at, shipment)
        if answered is None or shipment.verdict is not Verdict.PAID:
            return None
        day = add_business_days(answered, _PAID_AFTER)
        return day if self._clock.now() >= local(day, 9) else None

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
                if row["attempt"] is not None:
                    self.attempts.append(row["attempt"])
        except (KeyError, TypeError, ValueError) as exc:
            raise ValueError(f"{file}: not a state file of this sandbox") from exc

    def _take_in(self, claim: Claim) -> None:
        self._claims[claim.code] = self._by_number[claim.number] = claim


def _answer_text(claim: Claim, accepted: bool, paid: bool) -> str:
    if paid:
        return "Olá, a indenização foi paga."
    if not accepted:
        return "Olá, a apuração não confirmou falha na prestação do serviço. Manifestação improcedente."
    if claim.motive == 135:
        return "Olá, confirmamos o atraso na entrega. O valor devido será creditado em fatura."
    return "Olá, sua manifestação é procedente. A indenização será creditada em fatura."

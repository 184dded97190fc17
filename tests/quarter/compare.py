"""What the program found and filed, held against the truth. Pure: rows and truths in, faults out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.quarter.setting import COMPARED_CLAIMS, COMPARED_KINDS, COMPARES_REOPENINGS
from tracker.sandbox.answers import Claim
from tracker.sandbox.truth import Allowed, Expected, ProblemTruth
from tracker.sandbox.truth_claims import ClaimTruth, owed_reopening
from tracker.sandbox.workdays import local_date

Row = Mapping[str, Any]
REGISTERED, ALREADY_OPEN, IN_TERM, ON_TIME = 0, 900, 544, 530
UNDELIVERED = 531
TOO_EARLY = frozenset({IN_TERM, ON_TIME, UNDELIVERED, 534, 547, 548, 549})
HOURS_TO_A_LOOK = 24
"""Until the first second look at a delivery (design 6): what the carrier takes back before it, nobody can know."""
_UNSURE = frozenset({"lost_answer", "close", "500", "html", "hang_after", "999", "f"})
"""Faults after which whoever filed cannot know what became of it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, with all that is needed to look into it."""

    what: str
    code: str
    fate: str
    kind: str
    expected: str
    found: str
    explain: str

    def line(self) -> str:
        return (
            f"{self.what:13} {self.code} {self.fate:18} {self.kind:16} expected {self.expected}; found {self.found};"
            f" {self.explain}"
        )


@dataclass(slots=True)
class Score:
    """Counts of one kind of problem: expected and seen in its window; found rows and true ones."""

    expected: int = 0
    seen: int = 0
    found: int = 0
    true: int = 0


@dataclass(slots=True)
class Verdict:
    """The outcome of a trial. `faults` ends it as failed; `remarks` does not."""

    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    claims: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def compare_problems(truths: Mapping[str, ProblemTruth], rows: Iterable[Row], verdict: Verdict) -> None:
    """Recall: each expected problem was detected inside its window; precision: each row was true when it was detected."""
    by_parcel: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        by_parcel[row["tracking_code"] or "", row["kind"]].append(row)
    for code, truth in truths.items():
        for expected in truth.expected:
            if expected.kind in COMPARED_KINDS:
                _recall(truth, expected, by_parcel.get((code, expected.kind), []), verdict)
    for (code, kind), found in by_parcel.items():
        if kind in COMPARED_KINDS:
            _precision(truths.get(code), code, kind, found, verdict)


def _recall(truth: ProblemTruth, expected: Expected, rows: Sequence[Row], verdict: Verdict) -> None:
    score = verdict.scores[expected.kind]
    score.expected += 1
    standing = [row for row in rows if _answers(row, expected)]
    if standing:
        score.seen += 1
    if standing and all(_cause_differs(row, expected) for row in standing):
        verdict.faults.append(_problem_fault("wrong cause", truth, expected, standing))
    if not standing:
        verdict.faults.append(_problem_fault("not seen", truth, expected, rows))


def _answers(row: Row, expected: Expected) -> bool:
    """Detected inside the window, or before it and still standing when it stood beyond doubt."""
    detected = _instant(row["detected_at"])
    ended = max(_instant(row["resolved_at"]), detected) if row["resolved_at"] else datetime.max.replace(tzinfo=UTC)
    return local_date(detected) <= expected.latest and ended >= expected.since_look


def _cause_differs(row: Row, expected: Expected) -> bool:
    return expected.cause is not None and row["cause"] != expected.cause


def _precision(truth: ProblemTruth | None, code: str, kind: str, rows: Sequence[Row], verdict: Verdict) -> None:
    score = verdict.scores[kind]
    for row in rows:
        score.found += 1
        day = local_date(_instant(row["detected_at"]))
        allowed: list[Allowed] = [] if truth is None else [each for each in truth.allowed if each.kind == kind]
        if any(each.first <= day <= each.last for each in allowed):
            score.true += 1
        else:
            windows = ", ".join(f"{each.first}..{each.last}" for each in allowed) or "never"
            verdict.faults.append(
                Fault("false problem", code, _fate(truth), kind, windows, _shown([row]), f"tracker explain {row['id']}")
            )
    for earlier, later in pairwise(rows):
        if earlier["resolved_at"] is None:
            shown = _shown([earlier, later])
            fault = Fault("doubled", code, _fate(truth), kind, "one at a time", shown, f"tracker explain {later['id']}")
            verdict.faults.append(fault)


def _problem_fault(what: str, truth: ProblemTruth, expected: Expected, rows: Sequence[Row]) -> Fault:
    window = f"{expected.earliest}..{expected.latest}" + (f" cause {expected.cause}" if expected.cause else "")
    explain = f"tracker explain {rows[-1]['id']}" if rows else f"tracker show {expected.code}"
    return Fault(what, expected.code, truth.shipment.fate.value, expected.kind, window, _shown(rows), explain)


def _shown(rows: Sequence[Row]) -> str:
    shown = [f"{row['id']} {row['cause']} {row['detected_at']} to {row['resolved_at']}" for row in rows]
    return " | ".join(shown) or "nothing"


# --- claims -----------------------------------------------------------------------------------------


def compare_claims(
    truths: Mapping[str, ClaimTruth],
    ledger: Mapping[str, Any],
    calls: Iterable[Mapping[str, Any]],
    rows: Iterable[Row],
    verdict: Verdict,
) -> None:
    """Owed claims were registered once and in time, no other was, and nothing was filed that had to be refused."""
    ids = {row["tracking_code"]: row["id"] for row in rows}
    tries: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for attempt in ledger["attempts"]:
        tries[attempt["code"]].append(attempt)
    buyers = {claim["code"] for claim in ledger["claims"] if claim["by"] == "buyer"}
    unsure = _unsure_codes(calls)
    for code, truth in truths.items():
        made = tries.get(code, [])
        explain = f"tracker explain {ids[code]}" if code in ids else f"tracker show {code}"
        _compare_owed(truth, made, code in buyers, explain, verdict)
        for attempt in made:
            _compare_attempt(truth, attempt, explain, verdict)
        again = [each for each in made if each["result"] == ALREADY_OPEN]
        registered = [each for each in made if each["result"] == REGISTERED]
        if len(registered) > 1 or (registered and again and code not in unsure):
            verdict.claims["doubled"] += 1
            verdict.faults.append(_claim_fault("doubled", truth, "one filing", made, explain))


def _compare_owed(
    truth: ClaimTruth, made: Sequence[Mapping[str, Any]], by_buyer: bool, explain: str, verdict: Verdict
) -> None:
    owed = truth.owed
    if owed is None or owed.claim_class not in COMPARED_CLAIMS:
        return
    verdict.claims["owed"] += 1
    window = f"{owed.claim_class} {owed.earliest}..{owed.latest}"
    registered = [each for each in made if each["result"] == REGISTERED]
    if by_buyer and not registered:
        verdict.claims["owed, filed by the buyer"] += 1
        return
    if not registered:
        verdict.claims["missed"] += 1
        verdict.faults.append(_claim_fault("missed", truth, window, made, explain))
    elif _day(registered[0]) > owed.latest:
        verdict.claims["late"] += 1
        verdict.faults.append(_claim_fault("late", truth, window, registered, explain))
    else:
        verdict.claims["in time"] += 1


def _compare_attempt(truth: ClaimTruth, attempt: Mapping[str, Any], explain: str, verdict: Verdict) -> None:
    result, motive = attempt["result"], attempt["motive"]
    verdict.claims[f"answer {result}"] += 1
    at = datetime.fromisoformat(attempt["at"])
    if result == UNDELIVERED and _was_right(truth, motive, at):
        return
    if result in TOO_EARLY:
        verdict.claims["early"] += 1
        verdict.faults.append(_claim_fault("early", truth, "no such refusal", [attempt], explain))
    elif result == REGISTERED and not truth.allows(motive, at):
        verdict.claims["false"] += 1
        verdict.faults.append(_claim_fault("false claim", truth, f"no claim with {motive}", [attempt], explain))


def _was_right(truth: ClaimTruth, motive: int, at: datetime) -> bool:
    return any(truth.allows(motive, at - timedelta(hours=hours)) for hours in range(HOURS_TO_A_LOOK))


def compare_reopenings(
    truths: Mapping[str, ClaimTruth],
    claims: Iterable[Claim],
    reopenings: Iterable[Mapping[str, Any]],
    until: datetime,
    verdict: Verdict,
) -> None:
    """Accepted complaints about missing objects were reopened as refund requests inside their term."""
    reopened = {each["code"] for each in reopenings if each["result"] == 0 and each["kind"] == "I"}
    for claim in claims:
        truth = truths[claim.code]
        owed = owed_reopening(claim, truth.shipment, until)
        if owed is None:
            continue
        verdict.claims["refunds to reopen"] += 1
        if claim.code in reopened:
            verdict.claims["refunds reopened"] += 1
        elif COMPARES_REOPENINGS:
            window = f"{owed.earliest}..{owed.latest}"
            show = f"tracker show {claim.code}"
            verdict.faults.append(_claim_fault("money left", truth, f"reopened as refund {window}", [], show))


def _unsure_codes(calls: Iterable[Mapping[str, Any]]) -> set[str]:
    """The parcels that were in a filing whose answer did not come back whole."""
    return {
        item["codigoObjeto"]
        for call in calls
        if str(call["path"]).endswith("/cadastra") and (call["fault"] in _UNSURE or not call["answered"])
        for item in call.get("items", ())
    }


def _claim_fault(what: str, truth: ClaimTruth, expected: str, made: Sequence[Mapping[str, Any]], explain: str) -> Fault:
    shipment = truth.shipment
    shown = " | ".join(f"{each['motive']}{each['kind']} {each['at']} -> {each['result']}" for each in made) or "nothing"
    dues = f"(due {shipment.due_on}, promised {shipment.promised_on})"
    return Fault(what, shipment.code, shipment.fate.value, "claim", f"{expected} {dues}", shown, explain)


def _day(attempt: Mapping[str, Any]) -> date:
    return local_date(datetime.fromisoformat(attempt["at"]))


def _fate(truth: ProblemTruth | None) -> str:
    return "unknown parcel" if truth is None else truth.shipment.fate.value


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""The outcome of a quarter as text: a table, every fault, and figures."""

from __future__ import annotations

from tests.quarter.compare import Score
from tests.quarter.play import Outcome
from tests.quarter.setting import COMPARED_CLAIMS, COMPARED_KINDS, Setting
from tracker.sandbox.truth import kinds
from tracker.sandbox.truth_claims import CLASSES

_COUNTS = ("owed", "in time", "owed, filed by the buyer", "early", "false", "doubled", "missed", "late")


def report(setting: Setting, outcome: Outcome) -> list[str]:
    """The lines to print."""
    verdict = outcome.verdict
    return [
        "",
        f"seed {setting.seed}: {outcome.parcels} parcels, {setting.days} days, {outcome.passes} passes,"
        f" {outcome.calls} calls, {outcome.mails} mails, {outcome.seconds:.0f} s",
        "",
        f"{'problem':18}{'expected':>9}{'seen':>7}{'recall':>8}{'found':>8}{'true':>7}{'precision':>11}",
        *(_row(kind, verdict.scores.get(kind, Score())) for kind in sorted(COMPARED_KINDS)),
        "",
        "claims: " + ", ".join(f"{verdict.claims[name]} {name}" for name in _COUNTS),
        f"refunds: {verdict.claims['refunds to reopen']} accepted complaints to reopen,"
        f" {verdict.claims['refunds reopened']} reopened",
        "answers: "
        + ", ".join(
            f"{name.removeprefix('answer ')} x {n}" for name, n in sorted(verdict.claims.items()) if "answer" in name
        ),
        f"not compared yet: {', '.join(sorted((kinds() - COMPARED_KINDS) | (CLASSES - COMPARED_CLAIMS))) or 'nothing'}",
        *verdict.remarks,
        "",
        f"{len(verdict.faults)} faults" if verdict.faults else "no fault",
        *(fault.line() for fault in verdict.faults),
        *(["one of them: python -m tests.quarter.look CODE"] if verdict.faults else []),
    ]


def _row(kind: str, score: Score) -> str:
    recall = score.seen / score.expected if score.expected else 1.0
    precision = score.true / score.found if score.found else 1.0
    return f"{kind:18}{score.expected:>9}{score.seen:>7}{recall:>8.3f}{score.found:>8}{score.true:>7}{precision:>11.3f}"

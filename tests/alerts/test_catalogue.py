"""The catalogue of alerts and the code name the same kinds, and the page is the catalogue."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tracker.domain.alert_kinds import ALERT_KINDS, AlertKind, markdown
from tracker.domain.words import Severity

ROOT = Path(__file__).parents[2]
SEVERITIES = {severity.value for severity in Severity}
PAGE = ROOT / "docs" / "alerts.md"
HEADING = "## The kinds\n\n"


def words_of(tree: ast.AST) -> dict[str, str]:
    """The names that stand for one text anywhere in a module."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        for name, word in zip(target.elts, value.elts, strict=True) if several else [(target, value)]:
            if isinstance(name, ast.Name) and isinstance(word, ast.Constant) and isinstance(word.value, str):
                found[name.id] = word.value
    return found


def kinds_in(path: Path, known: dict[str, str]) -> Iterator[str]:
    """Kinds that a module signals: the kind of a `SignalNote`, and any text that stands before a severity."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = known | words_of(tree)

    def text(node: ast.AST) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return words.get(node.id) if isinstance(node, ast.Name) else None

    for node in ast.walk(tree):
        members: list[ast.expr] = []
        if isinstance(node, ast.Call):
            members = node.args
            if isinstance(node.func, ast.Name) and node.func.id == "SignalNote":
                given = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "kind")]
                yield from filter(None, map(text, given))
        elif isinstance(node, ast.Tuple):
            members = node.elts
        for first, second in pairwise(members):
            if isinstance(second, ast.Constant) and second.value in SEVERITIES and (word := text(first)) is not None:
                yield word


def test_the_catalogue_and_the_code_name_the_same_kinds() -> None:
    files = [path for path in (ROOT / "tracker").rglob("*.py") if "sandbox" not in path.parts]
    known = {"FAILING": "claims_failing", "REJECTED_ALERT": "claim_rejected"}
    assert {kind for path in files for kind in kinds_in(path, known)} - SEVERITIES == set(ALERT_KINDS)


def test_the_page_is_the_catalogue() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written.partition(HEADING)[2] == markdown(), "python -m tests.alerts.test_catalogue writes it anew"


@pytest.mark.parametrize("kind", sorted(ALERT_KINDS))
def test_each_kind_says_all_there_is_to_say(kind: str) -> None:
    entry: AlertKind = ALERT_KINDS[kind]
    sentences = (entry.means, entry.cause, entry.act, entry.ends, entry.portuguese)
    assert all(one[0] in "`ÀÁÉ" or one[0].isupper() or one.startswith("tracker") for one in sentences)
    assert all(one.endswith(".") for one in sentences)


def write_page() -> None:
    """The catalogue's part of the page, as the entries have it now."""
    head = PAGE.read_text(encoding="utf-8").partition(HEADING)[0]
    PAGE.write_text(f"{head}{HEADING}{markdown()}", encoding="utf-8")


if __name__ == "__main__":
    write_page()

"""Every event the program logs stands in `docs/logs.md` with its level, and the page names none that is not logged."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "critical"}


def logged_in(file: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[ast.Constant(value=str(event)), *_]
            ) if level in LEVELS:
                yield event, level


def section(title: str) -> dict[str, str]:
    text = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    body = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([\w.]+)` \| (\w+)", body, re.M))


def test_the_engine_s_events_are_documented_with_their_levels() -> None:
    files = (ROOT / "tracker" / "engine").rglob("*.py")
    logged = dict(sorted({pair for file in files for pair in logged_in(file)}))
    assert logged == section("Engine")


def test_the_events_of_libraries_are_documented() -> None:
    source = (ROOT / "tracker" / "log.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"(library\.\w+|python\.\w+)"', source)) == set(section("Libraries"))


def test_the_listener_s_events_are_documented_with_their_levels() -> None:
    files = (ROOT / "tracker" / "web").glob("*.py")
    assert dict(sorted({pair for file in files for pair in logged_in(file)})) == section("Web")


def test_the_stages_events_are_documented_with_their_levels() -> None:
    stages = ("intake", "polling", "events", "detection", "claims", "messages", "alerts")
    files = [file for stage in stages for file in (ROOT / "tracker" / stage).glob("*.py")]
    files.append(ROOT / "tracker" / "app.py")
    files += [ROOT / "tracker" / name for name in ("daemon.py", "backups.py", "retention.py", "cli/prepare.py")]
    logged = dict(sorted({pair for file in files for pair in logged_in(file)}))
    assert logged == section("Stages")

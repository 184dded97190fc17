"""The files in `systemd/monitoring`: Prometheus's own tool takes them, and they name only what the program exports."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.support import DASHBOARD, FOLDER, RULES, SCRAPE, dashboard_expressions, needed
from tests.web.test_exposition import exported


@pytest.fixture(scope="module")
def promtool() -> str:
    return needed("promtool")


def checked(*command: str | Path) -> str:
    """Run it; its complaint where it has one."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_well_formed(promtool: str) -> None:
    rules = sum(len(group["rules"]) for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"])
    assert f"SUCCESS: {rules} rules found" in checked(promtool, "check", "rules", "--lint=all", "--lint-fatal", RULES)


def test_the_rules_do_what_their_stories_say(promtool: str, tmp_path: Path) -> None:
    stories = (Path(__file__).parent / "rules.tests.yml").read_text(encoding="utf-8")
    told = tmp_path / "tests.yml"
    told.write_text(stories.replace("- RULES\n", f"- {RULES}\n"), encoding="utf-8")
    assert "SUCCESS" in checked(promtool, "test", "rules", told)


def test_the_scrape_entry_is_a_configuration(promtool: str, tmp_path: Path) -> None:
    written = tmp_path / "prometheus.yml"
    written.write_text(SCRAPE.read_text(encoding="utf-8").replace("/etc/prometheus", str(FOLDER)), encoding="utf-8")
    assert "SUCCESS" in checked(promtool, "check", "config", written)


def test_every_expression_of_the_dashboard_can_be_parsed(promtool: str, tmp_path: Path) -> None:
    rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(dashboard_expressions())]
    assert len(rules) > 20
    written = tmp_path / "dashboard.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    assert f"SUCCESS: {len(rules)} rules found" in checked(promtool, "check", "rules", written)


def known_samples() -> set[str]:
    names = set()
    for name, (kind, _) in exported().items():
        names |= {f"{name}_bucket"} if kind == "histogram" else {name}
    return names


def expressions() -> list[str]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]] + dashboard_expressions()


def test_only_what_is_exported_is_asked_for() -> None:
    asked = {name for expr in expressions() for name in re.findall(r"\btracker_\w+", expr)}
    assert asked - known_samples() == set()


def test_only_labels_that_a_metric_has_are_asked_for() -> None:
    everywhere = {"instance", "job", "le"}
    labels = {name: set(labels) | everywhere for name, (_, labels) in exported().items()}
    wrong = [
        (name, label)
        for expr in expressions()
        for name, matchers in re.findall(r"\b(tracker_\w+?)(?:_bucket)?\{([^}]*)\}", expr)
        if name in labels
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)
        if label not in labels[name]
    ]
    assert wrong == []


def test_the_dashboard_imports_as_it_is() -> None:
    """What Grafana needs: ids of its own, a place for each panel, and no data source but the one that is chosen."""
    board: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert board["uid"] and board["schemaVersion"] >= 36 and "__inputs" not in board
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in (panel for panel in panels if panel["type"] != "row"):
        assert panel["datasource"] == chosen
        assert panel["targets"] and all(target["datasource"] == chosen for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    places = [(p["gridPos"]["x"], p["gridPos"]["y"], p["gridPos"]["w"], p["gridPos"]["h"]) for p in panels]
    assert all(x + w <= 24 for x, _, w, _ in places)
    cells = [(x + dx, y + dy) for x, y, w, h in places for dx in range(w) for dy in range(h)]
    assert len(cells) == len(set(cells))


def test_the_page_explains_every_alert_with_its_severity() -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    alerts = {
        rule["alert"]: rule["labels"]["severity"] for group in groups for rule in group["rules"] if "alert" in rule
    }
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `(Tracker\w+)` \| (\w+) \|", page, re.M)) == alerts


def test_every_alert_says_what_and_what_to_do() -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}

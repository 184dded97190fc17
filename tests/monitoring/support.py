"""Where the monitoring files lie, and what the dashboard asks."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd" / "monitoring"
RULES = FOLDER / "shipment-tracker.rules.yml"
SCRAPE = FOLDER / "scrape.yml"
DASHBOARD = FOLDER / "shipment-tracker.dashboard.json"


def dashboard_expressions() -> list[str]:
    """Every query, with Grafana's variables as they are for all instances."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    return [expr.replace("$__rate_interval", "5m").replace("$instance", ".*") for expr in found]


def needed(program: str) -> str:
    """Where this program lies; without it a test is skipped, and on CI fails."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is not installed (apt-get install prometheus)"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}: CI must not skip this")
        pytest.skip(reason)
    return found

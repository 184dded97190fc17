"""`tracker carriers unknown`: the line it prints is YAML that maps exactly that code."""

from __future__ import annotations

import json

from carriers.codes import normal
from tests.claims.letters import LEAVES, by_letter
from tests.end_to_end.flecha import Flecha
from tests.end_to_end.flecha import flecha as flecha
from tests.end_to_end.support import Start
from tests.end_to_end.support import start as start
from tracker.config.yaml_file import read_yaml


def test_a_text_with_marks_of_its_own_is_quoted_and_filtered_by_carrier(start: Start, flecha: Flecha) -> None:
    words = 'Devolução: "endereço" não localizado \\ #2'
    trial = by_letter(start(), flecha, code="", text=words)
    trial.pass_at(LEAVES)
    listed = json.loads(trial.command("carriers", "unknown", "--carrier", "flecha", "--json").stdout)
    found = {one["carrier_code"]: one["yaml"] for one in listed}
    line = found[normal(words)]
    file = read_yaml(f"{{{line}}}")
    assert (file.faults, file.data) == ([], {normal(words): "STATUS"})
    assert trial.command("carriers", "unknown", "--carrier", "nada").returncode == 2

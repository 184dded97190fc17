"""The demonstration itself, its first two days: real passes, and the proofs counted on the other side."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.demo.play import play


@pytest.mark.slow
def test_the_demonstration_plays_and_every_proof_holds(tmp_path: Path) -> None:
    said: list[str] = []
    assert play(tmp_path, said.append, days=2)
    assert [line for line in said if line.startswith("dia ")][1].split()[1] == "2/2"
    assert any("nenhum repetido" in line for line in said)

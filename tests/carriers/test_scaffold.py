"""A package from outside the tree: scaffolded, installed beside us, found by its entry point, whole by the kit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from carriers.scaffold import ScaffoldError, write

ROOT = Path(__file__).parents[2]


def run(*command: str, path: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    places = [str(ROOT), *([str(path)] if path else [])]
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=180,
    )


@pytest.mark.slow
def test_a_scaffolded_adapter_is_installed_found_and_passes(tmp_path: Path) -> None:
    package, site = tmp_path / "package", tmp_path / "site"

    made = run("-m", "tracker", "carriers", "new", "expresso_norte", "--to", str(package))
    assert made.returncode == 0, made.stderr
    assert "tracker carriers check expresso_norte" in made.stdout
    installed = run("-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(package))
    assert installed.returncode == 0, installed.stderr
    listed = run("-m", "tracker", "carriers", "list", path=site)
    checked = run("-m", "tracker", "carriers", "check", "expresso_norte", path=site)
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider", path=package, cwd=package)

    assert "adapter   expresso_norte: Expresso Norte (contract version 1) EXPERIMENTAL" in listed.stdout
    assert checked.returncode == 0, checked.stdout
    assert "expresso_norte: 33 of 33 checks passed" in checked.stdout
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize("name", ["Norte", "9norte", "norte-sul", "class", "n", "../fora", ""])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match="cannot be an adapter's name"):
        write(name, tmp_path / "package")

    assert not (tmp_path / "package").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(ScaffoldError, match="is not empty"):
        write("norte", tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

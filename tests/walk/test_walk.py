"""A newcomer with nothing but the README: an empty environment, the commands as they stand there, the simulated carrier.

Everything happens in processes of an environment made for the walk, from a copy of what is under version control: a file that
is not packaged, a dependency that nobody declared and a command that the README has wrong all show here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from threading import Timer

import pytest

from tests.walk.readme import ROOT, commands_under

pytestmark = [pytest.mark.walk, pytest.mark.slow]
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Walker:
    """A person at a shell: a home, an environment and nothing else."""

    home: Path
    env: dict[str, str]

    def types(self, script: str, folder: Path, patience_s: float = PATIENCE_S) -> str:
        """Run it in bash; what it printed. Fails with all of it where a command fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=patience_s,
            check=False,
        )
        assert done.returncode == 0, f"$ {script}\n{done.stdout}"
        return done.stdout


@contextmanager
def running(walker: Walker, command: str, folder: Path, ready: str) -> Iterator[list[str]]:
    """A command that stays, from the line that says it is ready until it is interrupted; what it printed by then."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=folder,
        env=walker.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    # A command that never gets ready ends, and with it its lines.
    late = Timer(PATIENCE_S, process.kill)
    late.start()
    printed: list[str] = []
    for line in process.stdout:
        printed.append(line)
        if ready in line:
            break
    late.cancel()
    try:
        assert process.poll() is None, "".join(printed)
        yield printed
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
        printed += rest.splitlines(keepends=True)
    assert process.returncode == 0, "".join(printed)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Walker:
    """With an environment of its own; of the machine's settings only those that lead to packages."""
    home = tmp_path_factory.mktemp("newcomer")
    subprocess.run([base_python(), "-m", "venv", str(home / "venv")], check=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "SSL_")) or name.lower() in {"http_proxy", "https_proxy", "no_proxy"}
    }
    path = f"{home / 'venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    return Walker(home, kept | {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"})


def base_python() -> str:
    """The interpreter outside of every environment."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


@pytest.fixture(scope="module")
def checkout(walker: Walker) -> Path:
    """A copy of what is under version control."""
    copy = walker.home / "checkout"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return copy


def free_port() -> int:
    """A port that nobody listens on: others may have the default one on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def editor(walker: Walker, said: list[str], operator: int) -> Path:
    """What the newcomer does in his editor: the sandbox's lines over the example's, the shop's first day, a free port."""
    script = walker.home / "edit.py"
    port = re.search(r"host: 127\.0\.0\.1, port: (\d+)", "".join(said))
    address = re.search(r"base_url: (\S+)", "".join(said))
    assert port is not None and address is not None, said
    live = (date.today() - timedelta(days=60)).isoformat()
    script.write_text(
        f"""#!{walker.home / "venv" / "bin" / "python"}
import re, sys
from pathlib import Path

file = Path(sys.argv[1])
text = file.read_text(encoding="utf-8")
for was, becomes in [
    (r"^    #live_from: .*$", "    live_from: {live}"),
    (r"^    #base_url: .*$", "    base_url: {address[1]}"),
    (r"^    access_code: .*$", "    access_code: sandbox-access-code"),
    (r"^    #port: 25$", "    port: {port[1]}"),
    (r"^#web:$", "web:"),
    (r"^  #operator: .*$", "  operator: 127.0.0.1:{operator}"),
]:
    text, times = re.subn(was, becomes, text, count=1, flags=re.M)
    assert times == 1, was
file.write_text(text, encoding="utf-8")
""",
        encoding="utf-8",
    )
    script.chmod(0o755)
    return script


def test_from_the_readme_to_a_running_shop(walker: Walker, checkout: Path) -> None:
    install, *steps = commands_under("Set up a shop")
    operator = free_port()
    assert install == "pip install ."
    walker.types(install, checkout, patience_s=600)
    for command in ("run", "import", "show", "claims", "explain", "db"):
        assert command in walker.types("tracker --help", walker.home)
    with running(walker, "tracker sandbox --shipments 12", walker.home, "sandbox ready") as said:
        orders = sorted((walker.home / "sandbox" / "orders").glob("*.csv"))
        shutil.copy(orders[0], walker.home / "pedidos.csv")
        walker.env["EDITOR"] = str(editor(walker, said, operator))
        *setting_up, daemon = steps
        assert daemon == "tracker run" and setting_up[-1] == "tracker run --once"
        printed = walker.types("\n".join(setting_up), walker.home)
        assert "takes mail" in printed and "logged in" in printed, printed
        assert "1 file taken" in printed, printed
        shop = walker.home / "shop"
        with running(walker, shlex.join(shlex.split(daemon)), shop, "engine.started"):
            with urllib.request.urlopen(f"http://127.0.0.1:{operator}/healthz", timeout=30) as answer:
                assert answer.status == 200
            shown = json.loads(walker.types("tracker export shipments | head -1", shop))
            assert shown["order_number"] and shown["status"] != "unknown"
            assert shown["tracking_code"] in walker.types(f"tracker show {shown['tracking_code']}", shop)
        assert "whole" in walker.types("tracker db check", shop)

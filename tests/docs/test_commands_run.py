"""Every command that a page tells its reader to type is typed: at a played shop, beside the simulated carrier and mail server.

What this process cannot be (a daemon, root, a package manager) is run by another test, which stands here by name.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from typer.main import get_command

from tests.docs.played import DELIVERED, FREE_CODE, LATE_ORDER, NOW, Played, played
from tests.docs.test_commands import leaves
from tests.docs.typed import PAGES, ROOT, others_in, readings, tabled_in, typed_in
from tests.end_to_end.support import of_fate, plan_of
from tracker.cli.main import app
from tracker.sandbox.clock import SandboxClock, write_instant
from tracker.sandbox.plan import Fate
from tracker.sandbox.world import World

NUMBER, CODE = LATE_ORDER.order.number, LATE_ORDER.code
SAYS: Final[Mapping[str, str]] = {
    "alerts ack": r"A1 is acknowledged: quiet until",
    "alerts retry": r"no sink was given up",
    "alerts": r"unknown_code|claim_rejected \(warning\): .*\nCause: ",
    "approve": r"C\d+ is approved",
    "cancel": r"is cancelled|is stopped",
    "carriers list": r"adapter +correios: Correios",
    "carriers check": r"correios: \d+ of \d+ checks passed",
    "carriers new": r"next: pip install -e ",
    "carriers unknown": r"OFF-01",
    "check-config": r"config\.yaml: no faults",
    "claims answer": r"is recorded as the carrier's answer",
    "claims letter": r"as it would leave now",
    "claims sent": r"counts as sent",
    "claims": rf"waiting_approval.*{CODE}",
    "db backup": r"a whole copy, checked",
    "db check": r"whole \(\d+ rules over \d+ rows\)",
    "db compact": r" -> [\d,.]+ MiB",
    "db copy": r"counts and checksums agree",
    "db reopen": r"open again",
    "db restore": r"restored|wait",
    "db upgrade": r"up to date",
    "digest": r"Loja Aurora: ",
    "edit": rf"corrected|code \S+ -> {FREE_CODE}",
    "engine status": r"nobody works on this database \(tracker run\)",
    "explain": r"Agora\n",
    "export": r"^[\ufeff]?(\{\".*\}\n)+$|^\ufeff?id;shop",
    "import": r"repetido|pedidos\.csv",
    "incidents": r"no incidents",
    "init": r"written +\S+/config\.yaml",
    "messages": r"posted|loss_confirmed",
    "mute": r"is muted|is not muted",
    "preview": rf"Subject: .*\n[\s\S]*{NUMBER}",
    "problems": rf"delay .*{CODE}|no problems of this kind",
    "reject": r"will not be filed|will not be sent",
    "release": r"released: ",
    "report": r"in_transit",
    "report-problem": rf"{DELIVERED.code}: \w+ is reported",
    "resolve": r"P\d+ \(delay\) is settled: the parcel was found",
    "send-test": r"the server took it",
    "show": rf"PEDIDO {NUMBER} · Loja Aurora",
    "suppress": r"gets no more messages",
    "suppressions": r"no address is suppressed",
    "templates check": r"no faults",
    "templates vars": r"example +meaning",
    "unsuppress": r"is told again from now on",
}
"""By command: what it says where it has worked."""
BEFORE: Final[Mapping[str, tuple[str, ...]]] = {
    "unsuppress": ("suppress", LATE_ORDER.order.customer.email, "--reason", "pediu"),
    "db reopen": ("db", "copy", "--to", "sqlite:///copy.db"),
    "db restore": ("db", "backup", "file"),
}
"""What has to be typed first."""
INSTEAD: Final[Mapping[str, str]] = {
    "carriers check NAME": "carriers check correios",
    "carriers check exemplo": "carriers check correios",
    "carriers new NAME": "carriers new norte",
    "db backup [FILE] [--keep N]": "db backup FILE",
    "db restore -c /etc/shipment-tracker/config.yaml /var/lib/shipment-tracker/backups/tracker.db.2026-11-28T063000Z.bak": (
        "db restore -c /etc/shipment-tracker/config.yaml FILE"
    ),
}
"""Where the words as they stand need what a test has not."""
LOOKS: Final = (
    "alerts",
    "carriers list",
    "claims",
    "digest",
    "explain",
    "export",
    "messages",
    "preview",
    "problems",
    "show",
)
"""What changes nothing is typed while the shop still observes, too."""
BY_ANOTHER_TEST: Final[Mapping[str, str]] = {
    "demo": "tests/demo/test_play.py::test_the_demonstration_plays_and_every_proof_holds",
    "run": "tests/end_to_end/test_daemon.py::test_the_daemon_works_reloads_and_stops_in_order",
    "run --once": "tests/end_to_end/test_first_hour.py::test_from_nothing_to_the_first_mail",
    "sandbox": "tests/sandbox/test_cli.py::test_it_runs_until_a_signal_and_greets_with_a_working_configuration",
}
_SERVICE = "tests/systemd/test_service.py::test_the_life_of_the_service"
_WALK = "tests/walk/test_walk.py::test_from_the_readme_to_a_running_shop"
_PROMETHEUS = "tests/monitoring/test_prometheus.py::test_prometheus_scrapes_a_daemon_and_evaluates_every_rule_and_panel"
OTHERS: Final[Mapping[str, str]] = {
    r"\$EDITOR config\.yaml|cp ~/pedidos\.csv inbox/|pip install \.": _WALK,
    r"\$EDITOR /etc/shipment-tracker/config\.yaml|make install-service": _SERVICE,
    r"systemctl (enable --now|status|edit|stop|start) shipment-tracker|journalctl -u shipment-tracker .*": _SERVICE,
    r"install -m 0600 /dev/stdin /etc/shipment-tracker/secrets/access_code": _SERVICE,
    r"mv /var/lib/shipment-tracker/inbox/done/\* /var/lib/shipment-tracker/inbox/": (
        "tests/intake/test_folder_store.py::test_everything_that_was_done_may_be_moved_back"
    ),
    r"install -m 0644 systemd/monitoring/shipment-tracker\.rules\.yml /etc/prometheus/": _PROMETHEUS,
    r"promtool check config .*": "tests/monitoring/test_files.py::test_the_scrape_entry_is_a_configuration",
    r"curl -s http://127\.0\.0\.1:8080/readyz": "tests/web/test_daemon_listener.py",
    r"/opt/shipment-tracker/bin/pip install 'procrastinate>=3\.10,<4'|createdb loja": "tests/cluster/test_workers.py",
    r"python -m bench( --\S+( [^-]\S*)?)*": "tests/bench/test_bench.py",
    r"make demo": BY_ANOTHER_TEST["demo"],
    r"pip install -e shipment-tracker-exemplo": (
        "tests/carriers/test_scaffold.py::test_a_scaffolded_adapter_is_installed_found_and_passes"
    ),
    r"make test": ".ci/run",
    r"curl .*http://127\.0\.0\.1:8025/sandbox/\S+|echo \S+ > clock": (
        "tests/docs/test_commands_run.py::test_every_order_to_the_sandbox_is_taken"
    ),
}
"""Lines of shell blocks that are not this program's commands, and the test that does what they say."""
NAMES: Final = sorted([*leaves(get_command(app)), "alerts", "claims"], key=len, reverse=True)


def named(command: str) -> str:
    """The name of the command that these words begin with."""
    words = command.split()
    return next((name for name in NAMES if words[: len(name.split())] == name.split()), "")


@cache
def documented() -> tuple[str, ...]:
    """Every command of the documents, once for each of its alternatives."""
    pages = [command for page in PAGES for command in typed_in(page.read_text(encoding="utf-8"))]
    pages += tabled_in((ROOT / "README.md").read_text(encoding="utf-8"))
    return tuple(dict.fromkeys(reading.strip() for command in pages for reading in readings(command)))


def elsewhere(command: str) -> str | None:
    """The test that runs it in this one's stead."""
    name = "run --once" if command.startswith("run --once") else named(command)
    return None if command.endswith("--help") else BY_ANOTHER_TEST.get(name)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(tmp_path_factory.mktemp("live"), live=True) as made:
        yield made


@pytest.fixture(scope="module")
def observing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(tmp_path_factory.mktemp("observing"), live=False) as made:
        yield made


def faults_of(shop: Played, commands: Iterable[str]) -> list[str]:
    """What of these documented commands does not do there what it should. One that says the same words is typed once."""
    typed: dict[tuple[str, ...], str] = {}
    for command in commands:
        words = shop.words(named(command), INSTEAD.get(command, command))
        # A sentence may name a command without all that it needs, where another line has it whole.
        if words != named(command).split() or named(command) not in _shown_with_words():
            typed.setdefault(tuple(words), command)
    return [fault for words, command in typed.items() if (fault := fault_of(shop, command, words)) is not None]


def fault_of(shop: Played, command: str, words: Sequence[str]) -> str | None:
    """Why a documented command, typed as these words, does not do there what it should."""
    name = named(command)
    shop.put_back()
    if name in BEFORE:
        assert shop.types(BEFORE[name]).exit_code == 0
    done = shop.types(words)
    said = done.stdout + done.stderr
    expected = r"^Usage: " if "--help" in words else SAYS.get(name)
    if expected is None:
        return f"tracker {command}: nobody knows what it says where it works (SAYS)"
    if done.exit_code == 0 and re.search(expected, done.stdout, re.M) and "Traceback" not in said:
        return None
    return f"tracker {command}: typed as {shlex.join(words)} it ended with {done.exit_code}: {said[-500:]}"


@cache
def _shown_with_words() -> frozenset[str]:
    """Commands that do nothing without words of their own, and that the documents show with them somewhere."""
    asks = {
        "approve",
        "claims answer",
        "db copy",
        "edit",
        "explain",
        "release",
        "report-problem",
        "resolve",
        "show",
        "suppress",
    }
    return frozenset(asks & {named(command) for command in documented() if command != named(command)})


@pytest.mark.slow
def test_every_command_of_the_documents_does_what_it_should(live: Played) -> None:
    commands = [command for command in documented() if elsewhere(command) is None]
    assert len(commands) > 90
    assert faults_of(live, commands) == []


def test_what_only_looks_works_while_the_shop_observes(observing: Played) -> None:
    commands = [command for command in documented() if named(command) in LOOKS]
    assert len(commands) > 25
    assert faults_of(observing, commands) == []


@pytest.mark.parametrize("command", ["approve C7", "release --all"])
def test_nothing_leaves_an_observing_shop_by_hand(observing: Played, command: str) -> None:
    observing.put_back()
    done = observing.types(observing.words(named(command), command))
    assert done.exit_code != 0 or done.stdout == "nothing is held for a release\n", done.output


def test_a_command_that_fails_is_seen(live: Played) -> None:
    nowhere, wrong, unread = faults_of(live, ["show 99999999", "digest --date yesterday", "frobnicate --now"])
    assert "ended with 1" in nowhere and "ended with 2" in wrong
    assert "nobody knows" in unread


def test_what_is_run_elsewhere_is_run() -> None:
    for where in (*BY_ANOTHER_TEST.values(), *OTHERS.values()):
        file, _, test = where.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8") if test else (ROOT / file).exists(), where


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_other_line_to_type_has_its_test(page: Path) -> None:
    lines = others_in(page.read_text(encoding="utf-8"))
    assert [line for line in lines if not any(re.fullmatch(known, line) for known in OTHERS)] == []


def test_every_goal_of_make_that_is_named_exists() -> None:
    goals = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert goals is not None
    named_ones = {goal for page in PAGES for goal in re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8"))}
    assert named_ones and named_ones <= set(goals[1].split())


def test_every_order_to_the_sandbox_is_taken(tmp_path: Path) -> None:
    write_instant(tmp_path / "clock", NOW)
    world = World(plan_of(of_fate(Fate.LATE_OPEN)), SandboxClock(file=tmp_path / "clock"), folder=tmp_path / "world")
    lines = others_in((ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8"))
    calls = [shlex.split(line)[1:] for line in lines if line.startswith("curl ")]
    assert len(calls) > 15
    with world:
        for call in calls:
            data = call[call.index("-d") + 1].encode() if "-d" in call else b"" if "POST" in call else None
            address = call[-1].replace("http://127.0.0.1:8025", world.carrier_url)
            with build_opener(ProxyHandler({})).open(Request(address, data=data), timeout=10) as answer:
                assert answer.status == 200 and json.loads(answer.read()) is not None, call

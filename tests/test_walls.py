"""The walls of the house: who may import whom, who may write which table, and where a carrier's name may stand."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracker.store.tables import OWNERS

ROOT = Path(__file__).parents[1]
STAGES = ["intake", "polling", "events", "detection", "claims", "messages", "alerts"]

# What builds the program out of a configuration: no stage knows it.
BUILDERS = ["app", "accounts", "lanes", "hook_lanes", "message_lanes", "alert_lanes", "feed_lanes", "shops"]

# Package -> prefixes it must not import.
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "carriers": ("tracker",),
    "tracker/domain": (
        *(
            f"tracker.{name}"
            for name in ("store", "config", "engine", "app", "cli", "clock", "log", "metrics", *STAGES)
        ),
        "sqlalchemy",
        "sqlmodel",
        "httpx",
        "aiosmtplib",
        "carriers.http",
        "carriers.registry",
        "carriers.correios",
    ),
    # It shows how things are: it decides nothing, and knows the engine only by what that says of itself.
    "tracker/web": (
        *(f"tracker.{name}" for name in (*BUILDERS, "cli", "config", *STAGES)),
        "tracker.engine.local",
        "tracker.engine.service",
        "carriers",
    ),
    "tracker/store": tuple(f"tracker.{name}" for name in ("config", "engine", *BUILDERS, "cli", *STAGES)),
    "tracker/sandbox": tuple(
        f"tracker.{name}" for name in ("store", "config", "engine", *BUILDERS, "cli", "domain", "clock", *STAGES)
    ),
    **{
        f"tracker/{stage}": (
            *(f"tracker.{name}" for name in BUILDERS),
            "tracker.cli",
            "tracker.engine",
            "carriers.registry",
            "carriers.correios",
            *(f"tracker.{right}" for right in STAGES[place + 1 :]),
        )
        for place, stage in enumerate(STAGES)
    },
}

# Store module -> the stage whose tables it writes.
WRITERS = {
    "orders": "intake",
    "imports": "intake",
    "new_orders": "intake",
    "polls": "polling",
    "deadlines": "polling",
    "feeds": "polling",
    "hooks": "polling",
    "histories": "events",
    "codes": "events",
    "problems": "detection",
    "incidents": "detection",
    "claims": "claims",
    "notices": "messages",
    "deliveries": "messages",
    "mail": "messages",
    "returns": "messages",
    "suppressions": "messages",
    "alerts": "alerts",
    "digests": "alerts",
    "logs": "any",
    "claim_facts": "any",
    "letters": "messages",
    "restores": "any",
    "engine_rows": "engine",
    "queue_schema": "engine",
}
# `wake` says that something is due, `leases` takes and frees what is due, `hand` writes a person's acts, `restoring` holds
# what a database that was put back would send again, `copying` carries every row as it is to another database, `moved` marks
# the two, and `retention` drops what has ended long ago, whoever wrote it: across owners.
ACROSS = {"wake", "leases", "database", "hand", "restoring", "copying", "moved", "retention"}


def modules(folder: str) -> Iterator[Path]:
    yield from sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_room_knows_only_what_stands_left_of_it(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(folder)
        for name in imports(path)
        if any(name == banned or name.startswith(f"{banned}.") for banned in FORBIDDEN[folder])
    ]
    assert found == []


def test_only_the_store_writes_sql() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules("tracker")
        if "store" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in {"sqlalchemy", "sqlmodel"}
        for name in (alias.name for alias in node.names)
        if name != "Connection"
    ]
    assert found == []


def written_tables(path: Path) -> set[str]:
    """The models behind the tables that a store module inserts into, updates or deletes from."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                names[target] = value
    written = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            table = {"insert": 0, "update": 0, "delete": 0, "insert_new": 1, "upsert": 1}.get(node.func.id)
            if table is not None and len(node.args) > table and isinstance(node.args[table], ast.Name):
                written.add(names.get(node.args[table].id, node.args[table].id))  # type: ignore[attr-defined]
    return written


def _pairs(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """`_A, _B = table(X), table(Y)` and `_A, _B = (table(model) for model in (X, Y))` alike."""
    target, value = node.targets[0], node.value
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    if isinstance(value, ast.GeneratorExp) and isinstance(value.generators[0].iter, ast.Tuple):
        models: list[ast.expr] = value.generators[0].iter.elts
    else:
        calls = value.elts if isinstance(value, ast.Tuple) else [value]
        models = [call.args[0] for call in calls if isinstance(call, ast.Call) and call.args]
    for name, model in zip(targets, models, strict=False):
        if isinstance(name, ast.Name) and isinstance(model, ast.Name):
            yield name.id, model.id


@pytest.mark.parametrize("module", sorted(WRITERS))
def test_a_store_module_writes_its_owners_tables_alone(module: str) -> None:
    owned = {model.__name__ for model in OWNERS[WRITERS[module]]} | {"OrderTable"}
    if module == "alerts":
        owned.add("Signal")  # the one change to a log: the alerts stage marks a signal as consumed
    assert written_tables(ROOT / "tracker" / "store" / f"{module}.py") - owned == set()


def test_every_store_module_that_writes_has_an_owner() -> None:
    writing = {
        path.stem for path in modules("tracker/store") if "migrations" not in path.parts and written_tables(path)
    }
    assert writing - set(WRITERS) - ACROSS == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_writer_of_another_stage(stage: str) -> None:
    """Reading across is free; a function that writes another owner's table is not to be had."""
    found = []
    for path in modules(f"tracker/{stage}"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tracker.store."):
                owner = WRITERS.get(node.module.rpartition(".")[2])
                if owner in {stage, "any", None}:
                    continue
                module = ROOT / "tracker" / "store" / f"{node.module.rpartition('.')[2]}.py"
                found += [f"{path.stem}: {a.name}" for a in node.names if a.name in writing_functions(module)]
    # Facts from outside are appended by whoever receives them: a claims answer is evidence, too.
    assert set(found) - {"calls: keep_raw"} == set()


def writing_functions(path: Path) -> set[str]:
    """The functions of a store module that insert, update or delete, themselves or through a helper of the module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    called = {
        name: {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        for name, node in functions.items()
    }
    writing = {name for name, calls in called.items() if calls & {"insert", "update", "delete", "insert_new", "upsert"}}
    while more := {name for name, calls in called.items() if calls & writing} - writing:
        writing |= more
    return writing


def test_every_table_has_one_owner() -> None:
    models = [model for owned in OWNERS.values() for model in owned]
    assert len(models) == len(set(models))
    assert {model.__tablename__ for model in models} == set(OWNERS["any"][0].metadata.tables)


def carriers_names() -> list[str]:
    """What our own adapters are called, in the configuration and as packages."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    targets = points["shipment_tracker.carriers"]
    return sorted({*targets, *(target.partition(":")[0].rpartition(".")[2] for target in targets.values())})


def test_carriers_names_stand_outside_the_daemon() -> None:
    names = "|".join(name.replace("_", "[ _-]?") for name in carriers_names())
    # A name is a word, or the part of one that underscores set apart; there are "look-ups".
    pattern = re.compile(rf"(?<![a-z0-9-])({names})(?![a-z0-9])", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {told.group()}"
        for path in (ROOT / "tracker").rglob("*")
        if path.is_file() and path.suffix in {".py", ".txt", ".html", ".yaml"}
        if path.relative_to(ROOT).parts[1] not in {"sandbox", "templates"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (told := pattern.search(line) or re.search("correios", line, re.IGNORECASE))
    ]
    assert found == []


NAMING = frozenset({"carrier", "carrier_id", "carrier_name", "adapter", "adapter_name", "account", "account_id"})


def asks_who(path: Path) -> Iterator[int]:
    """The lines of a module at which a carrier, an adapter or an account is compared with a name that stands in the code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(map(_names_one, sides)) and any(map(_is_name, sides)):
                yield node.lineno
        elif isinstance(node, ast.Match) and _names_one(node.subject):
            values = [inner for case in node.cases for inner in ast.walk(case.pattern)]
            yield from (v.lineno for v in values if isinstance(v, ast.MatchValue) and _is_name(v.value))
        elif isinstance(node, ast.Call) and _asks_its_ends(node.func) and any(map(_is_name, node.args)):
            yield node.lineno


def _names_one(node: ast.expr) -> bool:
    """`carrier`, `poll.carrier`, `self._carrier`, `row["carrier"]`, `carrier.id`, `entry.adapter.NAME`."""
    if isinstance(node, ast.Attribute):
        inner = node.attr.lstrip("_")
        return inner in NAMING or (inner in {"id", "name", "NAME"} and _names_one(node.value))
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in NAMING
    return isinstance(node, ast.Name) and node.id in NAMING


def _asks_its_ends(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"startswith", "endswith"} and _names_one(node.value)


def _is_name(node: ast.expr) -> bool:
    """A text, or several; the empty one means that there is no account."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(map(_is_name, node.elts))
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""


def test_nothing_asks_which_carrier_it_is() -> None:
    """What a carrier can do its adapter declares: no line of the program does one thing for this one and another for that."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in ("tracker", "carriers")
        for path in modules(folder)
        for line in asks_who(path)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('if carrier == "x": pass', id="compared"),
        pytest.param('if "x" != self._carrier: pass', id="the other way round"),
        pytest.param('if entry.adapter.NAME in ("x", "y"): pass', id="one of several"),
        pytest.param('if row["carrier"] == "x": pass', id="a column"),
        pytest.param('match carrier.id:\n    case "x" | "y": pass', id="matched"),
        pytest.param('if poll.carrier.startswith("x"): pass', id="its beginning"),
    ],
)
def test_such_a_line_is_found(tmp_path: Path, line: str) -> None:
    module = tmp_path / "module.py"
    module.write_text(line, encoding="utf-8")
    assert list(asks_who(module))


def test_time_is_asked_in_one_place() -> None:
    pattern = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time)\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("tracker", "carriers")
        for path in modules(folder)
        if path.name != "clock.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_nothing_reads_beyond_the_repository() -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("tracker", "carriers", "tests")
        for path in modules(folder)
        if path != Path(__file__) and "../shared" in path.read_text(encoding="utf-8")
    ]
    assert found == []

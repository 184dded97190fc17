"""`tracker init` and `tracker check-config`, as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

from tracker.cli.check_config import check_config
from tracker.cli.init import init
from tracker.cli.run import run
from tracker.intake.csv_columns import FIELD_BY_HEADER

app = typer.Typer()
app.command("init")(init)
app.command("check-config")(check_config)
app.command("run")(run)
runner = CliRunner()
CODE = "A1b2" * 10


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A merchant's new folder, with the secret of the example set."""
    monkeypatch.delenv("TRACKER_CONFIG", raising=False)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("CORREIOS_ACCESS_CODE", CODE)
    assert runner.invoke(app, ["init", str(tmp_path / "loja")]).exit_code == 0
    return tmp_path / "loja"


def test_init_writes_what_a_merchant_edits(shop: Path) -> None:
    assert (shop / "config.yaml").is_file()
    note = (shop / "inbox" / "LEIA-ME.txt").read_text(encoding="utf-8")
    assert "número do pedido" in note
    assert "- valor declarado " in note and FIELD_BY_HEADER["valordeclarado"] == "declared_value"
    assert (shop / "templates" / "pt-BR" / "loss_confirmed.email.txt").is_file()
    result = runner.invoke(app, ["check-config", "-c", str(shop / "config.yaml")])
    assert result.exit_code == 0, result.output


def test_init_offers_no_file_that_is_refused(shop: Path) -> None:
    note = (shop / "inbox" / "LEIA-ME.txt").read_text(encoding="utf-8")
    offered = note[note.index("O que pode") : note.index("Colunas")]
    assert "CSV" in offered and "XML de NF-e" in offered and "zip" in offered.lower()
    config = (shop / "config.yaml").read_text(encoding="utf-8")
    watched = config[config.index("# Pastas vigiadas") : config.index("\nintake:")]
    taken, _, refused = offered.partition("Não são lidos")
    for kind in ("CSV", "XLSX", "JSON"):
        assert kind in taken and kind in watched
    for kind in ("XLSB", "ODS", "PDF"):
        assert kind not in taken and kind in refused


def test_init_overwrites_nothing_and_says_so(shop: Path) -> None:
    (shop / "config.yaml").write_text("minha: edição", encoding="utf-8")
    (shop / "inbox" / "LEIA-ME.txt").unlink()
    result = runner.invoke(app, ["init", str(shop)])
    assert result.exit_code == 0
    assert (shop / "config.yaml").read_text(encoding="utf-8") == "minha: edição"
    assert f"kept      {shop / 'config.yaml'}" in result.output
    assert f"written   {shop / 'inbox' / 'LEIA-ME.txt'}" in result.output


def test_the_configuration_is_its_owners_alone(shop: Path) -> None:
    """Secrets may be written into it; the folder and the rest are as the umask says."""
    assert (shop / "config.yaml").stat().st_mode & 0o777 == 0o600
    others = (shop, shop / "inbox", shop / "inbox" / "LEIA-ME.txt", shop / "templates" / "pt-BR" / "layout.email.txt")
    assert all(path.stat().st_mode & 0o400 for path in others)
    assert others[0].stat().st_mode & 0o777 != 0o600


SECRET_LINES = {
    "access_code": ("access_code: ${CORREIOS_ACCESS_CODE}", f"access_code: {CODE}"),
    "a mail server's password": (
        "    host: 127.0.0.1",
        "    host: 127.0.0.1\n    user: loja\n    password: senha-da-loja",
    ),
    "a webhook's secret": (
        "  - kind: log",
        "  - kind: log\n  - {kind: webhook, url: 'https://avisos.example', secret: um-segredo-de-teste}",
    ),
    "a database's password": ("#database:\n", "database: {url: 'postgresql://loja:senha-do-banco@db/tracker'}\n"),
}


@pytest.mark.parametrize(
    ("mode", "warned"),
    [
        pytest.param(0o644, True, id="readable by all"),
        pytest.param(0o604, True, id="readable by others"),
        pytest.param(0o640, False, id="readable by its group"),
        pytest.param(0o600, False, id="its owner's alone"),
    ],
)
@pytest.mark.parametrize("change", SECRET_LINES.values(), ids=SECRET_LINES.keys())
def test_a_secret_that_everybody_can_read(shop: Path, change: tuple[str, str], mode: int, warned: bool) -> None:
    path = shop / "config.yaml"
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    path.chmod(mode)
    result = runner.invoke(app, ["check-config", "-c", str(path)])
    assert result.exit_code == 0, result.output
    found = [line for line in result.stdout.splitlines() if "everybody on this machine can read" in line]
    assert len(found) == warned
    assert all(line.startswith(f"warning   {path}:") and "chmod o-rwx" in line for line in found)
    assert not any(secret in result.output for secret in (CODE, "senha-d", "um-segredo"))


def test_a_secret_by_reference_may_be_read_by_all(shop: Path) -> None:
    (shop / "config.yaml").chmod(0o644)
    result = runner.invoke(app, ["check-config", "-c", str(shop / "config.yaml")])
    assert (result.exit_code, "warning" in result.output) == (0, False)


def test_init_does_not_follow_a_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    assert runner.invoke(app, ["init", str(tmp_path)]).exit_code == 0
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_init_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("a file where a folder should be")
    result = runner.invoke(app, ["init", str(tmp_path)])
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_check_config_says_what_would_happen(shop: Path) -> None:
    result = runner.invoke(app, ["check-config", "-c", str(shop / "config.yaml")])
    assert result.exit_code == 0
    assert "shop      exemplo (Loja Exemplo): observes" in result.stdout
    assert "claims wait for tracker approve" in result.stdout
    assert "trigger   delivered: email (only after a problem that was told)" in result.stdout
    assert CODE not in result.output
    assert not list(shop.rglob("*.db"))


def test_check_config_prints_every_fault(shop: Path) -> None:
    path = shop / "config.yaml"
    text = path.read_text(encoding="utf-8").replace("preset: problems", "preset: some").replace("  host:", "  hots:")
    path.write_text(text, encoding="utf-8")
    result = runner.invoke(app, ["check-config", "-c", str(path)])
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{path}:") for line in lines)
    assert lines[1].endswith("messages.email.hots: unknown key (did you mean host?)")


def test_check_config_prints_every_fault_of_the_texts(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = shop / "templates" / "pt-BR"
    (texts / "posted.email.txt").write_text("Oi\n{{ pedidos }}\n{{ cpf }}", encoding="utf-8")
    (texts / "postd.email.html").write_text("<p>Oi</p>", encoding="utf-8")
    monkeypatch.chdir(shop)
    for more in ([], ["--online"]):
        result = runner.invoke(app, ["check-config", *more])
        assert (result.exit_code, result.stdout) == (2, "")
        first, second, third = result.stderr.splitlines()
        assert first.startswith("templates/pt-BR/postd.email.html:1: nenhuma mensagem usa")
        assert second == "templates/pt-BR/posted.email.txt:2: variável desconhecida: 'pedidos' (talvez pedido?)"
        assert third.startswith("templates/pt-BR/posted.email.txt:3: variável desconhecida: 'cpf' (aqui há: ")
    report = json.loads(runner.invoke(app, ["check-config", "--json"]).stdout)
    assert report["ok"] is False
    assert [(fault["line"], fault["key"]) for fault in report["faults"]] == [(1, ""), (2, ""), (3, "")]
    assert report["faults"][1]["advice"] == "talvez pedido?"


def in_english(shop: Path) -> Path:
    path = shop / "config.yaml"
    text = path.read_text(encoding="utf-8")
    assert "    #language: pt-BR" in text
    path.write_text(text.replace("    #language: pt-BR", "    language: en"), encoding="utf-8")
    return path


def test_a_shop_that_writes_in_english_needs_no_texts_of_its_own(shop: Path) -> None:
    config = in_english(shop)
    assert runner.invoke(app, ["check-config", "-c", str(config)]).exit_code == 0
    broken = shop / "templates" / "en" / "damage.email.txt"
    broken.parent.mkdir()
    broken.write_text("Hi {{ nome }}", encoding="utf-8")
    result = runner.invoke(app, ["check-config", "-c", str(config)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{broken}:1: 'nome' pode faltar")


def test_check_config_finds_the_file_by_the_environment(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_CONFIG", str(shop / "config.yaml"))
    result = runner.invoke(app, ["check-config", "--json"])
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["ok"] is True
    assert report["shops"][0]["mode"] == "observe"
    assert report["carriers"][0]["claims"] == "propose"
    assert report["triggers"]["posted"] == []


def test_faults_as_json(shop: Path) -> None:
    path = shop / "config.yaml"
    path.write_text("shops: []\nrulez: 1\n", encoding="utf-8")
    result = runner.invoke(app, ["check-config", "--json", "-c", str(path)])
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert report["ok"] is False
    assert [(fault["line"], fault["key"]) for fault in report["faults"]] == [(1, "shops"), (2, "rulez")]


@pytest.mark.parametrize(
    ("works", "exit_code", "line"),
    [
        pytest.param(True, 0, "ok        correios: logged in", id="everything answers"),
        pytest.param(False, 2, "fault     correios: logged in", id="a carrier refuses"),
    ],
)
def test_online_logs_in(shop: Path, monkeypatch: pytest.MonkeyPatch, works: bool, exit_code: int, line: str) -> None:
    monkeypatch.setitem(sys.modules, "tracker.app", composition_root(works))
    result = runner.invoke(app, ["check-config", "--online", "-c", str(shop / "config.yaml")])
    assert result.exit_code == exit_code
    assert line in result.stdout
    document = json.loads(
        runner.invoke(app, ["check-config", "--online", "--json", "-c", str(shop / "config.yaml")]).stdout
    )
    assert document["ok"] is works
    assert document["online"] == [{"what": "correios", "ok": works, "sentence": "logged in"}]


def composition_root(works: bool) -> ModuleType:
    module = ModuleType("tracker.app")
    module.online_checks = lambda loaded, database, clock: [("correios", works, "logged in")]  # type: ignore[attr-defined]
    return module


def test_online_needs_the_credentials(shop: Path) -> None:
    path = shop / "config.yaml"
    text = path.read_text(encoding="utf-8").replace("${CORREIOS_ACCESS_CODE}", "${credential:correios}")
    path.write_text(text, encoding="utf-8")
    offline = runner.invoke(app, ["check-config", "-c", str(path)])
    assert offline.exit_code == 0
    assert "warning" in offline.stdout
    online = runner.invoke(app, ["check-config", "--online", "-c", str(path)])
    assert online.exit_code == 2
    assert "the credential correios is not available here" in online.stderr


def test_the_commands_are_cheap_to_import() -> None:
    """`tracker --help` imports them all: what takes long must wait until a command runs."""
    code = (
        "import sys, tracker.cli.init, tracker.cli.check_config;"
        "print(sorted({'pydantic', 'sqlalchemy', 'yaml', 'httpx', 'holidays'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"

"""`tracker templates check` and `vars`, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Tracker
from tracker.messages.templates import PACKAGED
from tracker.messages.variables import TRIGGERS


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "templates" / "pt-BR"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def tracker(configured: object, tmp_path: Path) -> Tracker:
    """Without a database: the texts need none."""
    return configured(f"sqlite:///{tmp_path / 'none.db'}", None)  # type: ignore[operator,no-any-return]


def test_good_texts(tracker: Tracker, texts: Path) -> None:
    (texts / "posted.email.txt").write_text("Oi! Pedido {{ pedido }}.", encoding="utf-8")
    (texts / "posted.email.html").write_text("<p>Oi! Pedido {{ pedido }}.</p>", encoding="utf-8")
    result = tracker("templates", "check")
    assert result.exit_code == 0
    assert result.stdout == f"{texts.parent}: 2 texts, no faults; what is not there comes from the packaged ones\n"
    assert tracker.json("templates", "check") == {"ok": True, "texts": 2, "faults": [], "hints": []}


def test_no_texts_of_ones_own(tracker: Tracker, tmp_path: Path) -> None:
    assert tracker("templates", "check").stdout.startswith(f"{tmp_path / 'templates'}: 0 texts, no faults")


def test_every_fault_with_file_line_and_what_to_do(tracker: Tracker, texts: Path) -> None:
    (texts / "posted.email.txt").write_text("Oi {{ nome }}\n{{ cpf }}\n", encoding="utf-8")
    (texts / "postd.email.html").write_text("", encoding="utf-8")
    result = tracker("templates", "check")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"{texts}/postd.email.html:1: nenhuma mensagem usa um arquivo com este nome (talvez posted.email.html?)",
        f"{texts}/posted.email.txt:1: 'nome' pode faltar (escreva dentro de {{% if nome %}} ... {{% endif %}})",
        next(line for line in result.stderr.splitlines() if ":2: variável desconhecida: 'cpf' (aqui há: " in line),
    ]
    document = tracker("templates", "check", "--json")
    assert document.exit_code == 1 and '"line": 2' in document.stdout


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        pytest.param(
            "posted.email.txt", "Oi!", "a outra parte da mensagem (posted.email.html) ainda é a padrão", id="text alone"
        ),
        pytest.param("posted.email.html", "<p>Oi!</p>", "(posted.email.txt) ainda é a padrão", id="HTML alone"),
        pytest.param(
            "posted.email.subject.txt",
            "Uma ótima notícia para você: o pedido {{ pedido }} já saiu do nosso estoque",
            "letras, e celulares mostram umas 60",
            id="a long subject",
        ),
    ],
)
def test_hints_are_no_faults(tracker: Tracker, texts: Path, name: str, text: str, hint: str) -> None:
    (texts / name).write_text(text, encoding="utf-8")
    result = tracker("templates", "check")
    assert result.exit_code == 0
    assert f"hint      {texts / name}:1: " in result.stdout and hint in result.stdout


def test_what_init_hands_out_needs_no_hint(tracker: Tracker, texts: Path) -> None:
    for path in (PACKAGED / "pt-BR").iterdir():
        (texts / path.name).write_bytes(path.read_bytes())
    assert tracker.json("templates", "check")["hints"] == []


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_the_variables_of_a_text(tracker: Tracker, trigger: str) -> None:
    shown = tracker.json("templates", "vars", trigger)
    known = TRIGGERS[trigger]
    assert [row["name"] for row in shown["variables"]] == list(known.by_name)
    assert {row["name"] for row in shown["variables"] if row["required"]} == known.required_names
    assert all(row["example"] and row["meaning"] for row in shown["variables"])
    lines = tracker("templates", "vars", trigger).stdout.splitlines()
    assert len(lines) == 1 + len(known.by_name)


def test_the_variables_of_the_frame(tracker: Tracker) -> None:
    names = [row["name"] for row in tracker.json("templates", "vars", "layout")["variables"]]
    assert {"corpo", "assunto", "loja", "sac"} <= set(names) and "valor" not in names


@pytest.mark.parametrize(
    ("trigger", "fault"),
    [
        pytest.param("ack", "nothing fires it in this release", id="no text yet"),
        pytest.param("nada", "there is no such trigger", id="unknown"),
    ],
)
def test_a_trigger_without_a_text(tracker: Tracker, trigger: str, fault: str) -> None:
    result = tracker("templates", "vars", trigger)
    assert result.exit_code == 2 and fault in result.stderr

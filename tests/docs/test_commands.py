"""Every command that a page tells its reader to type exists, with these options and arguments; the table names them all."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.main import get_command

from tests.docs.typed import PAGES, ROOT, typed_in, words_of
from tracker.cli.main import app


def understood(words: list[str]) -> str | None:
    """Why the command line refuses these words; None where it takes them (nothing is run)."""
    command, parent, name = get_command(app), None, "tracker"
    while True:
        try:
            context = command.make_context(name, list(words), parent=parent)
        except typer.Exit:
            return None
        except Exception as refusal:
            # A sentence may name a command without all that it needs.
            missing = type(refusal).__name__ == "MissingParameter"
            return None if missing else str(getattr(refusal, "message", None) or refusal)
        if not hasattr(command, "commands"):
            return None
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        if not rest:
            return None
        name, *words = rest
        if name not in command.commands:
            return f"there is no command {name!r}"
        command, parent = command.commands[name], context


TYPED = [(page, command) for page in PAGES for command in typed_in(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "command"), TYPED, ids=lambda value: value.name if isinstance(value, Path) else value)
def test_a_command_of_the_documents_is_understood(page: Path, command: str) -> None:
    refusal = understood(words_of(command))
    assert refusal is None, f"{page.relative_to(ROOT)}: tracker {command}: {refusal}"


def test_what_nobody_understands_is_seen() -> None:
    for wrong in ("shwo 10001", "show --jsno 10001", "db frobnicate", "report --freshness=maybe"):
        assert understood(words_of(wrong)) is not None, wrong


def leaves(command: object, path: tuple[str, ...] = ()) -> list[str]:
    """Every command with its group's name before it."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return [" ".join(path)]
    return [leaf for name, child in inner.items() for leaf in leaves(child, (*path, name))]


def test_the_readme_names_every_command() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Commands")[2].partition("\n## ")[0]
    unnamed = [leaf for leaf in leaves(get_command(app)) if f"`{leaf.split()[-1]}" not in table and leaf not in table]
    assert unnamed == []

"""`tracker init`: the files a new merchant starts from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

FolderArgument = Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write them.", show_default=False)]
LANGUAGE = "pt-BR"


def init(folder: FolderArgument = Path()) -> None:
    """Write config.yaml, inbox/ and templates/ for a new merchant; never overwrites."""
    written = 0
    try:
        for target, source in _plan(folder):
            written += _write_new(target, source)
    except OSError as exc:
        typer.echo(f"{exc.filename or folder}: cannot be written: {exc.strerror}", err=True)
        raise typer.Exit(1) from exc
    if written:
        typer.echo(f"Next: edit {folder / 'config.yaml'}, then run: tracker check-config -c {folder / 'config.yaml'}")


def _plan(folder: Path) -> Iterator[tuple[Path, Traversable]]:
    """(file to write, packaged file it comes from)."""
    packaged = files("tracker") / "templates"
    yield folder / "config.yaml", packaged / "config.yaml"
    yield folder / "inbox" / "LEIA-ME.txt", packaged / "inbox.LEIA-ME.txt"
    for template in sorted((packaged / LANGUAGE).iterdir(), key=lambda item: item.name):
        if template.is_file():
            yield folder / "templates" / LANGUAGE / template.name, template


def _mode(target: Path) -> int:
    """What the umask may leave: the configuration is its owner's alone, for secrets may be written into it."""
    return 0o600 if target.name == "config.yaml" else 0o666


def _write_new(target: Path, source: Traversable) -> int:
    """1 where the file was written, 0 where one was there already."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Exclusive creation: also right where two run at once, and it follows no link that points to nothing.
        with open(target, "xb", opener=partial(os.open, mode=_mode(target))) as file:
            file.write(source.read_bytes())
    except FileExistsError:
        typer.echo(f"kept      {target}")
        return 0
    typer.echo(f"written   {target}")
    return 1

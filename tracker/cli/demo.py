"""`tracker demo`: the whole job on the sandbox, days passing in seconds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="An empty folder to play in (default: a new temporary one).")
]


def demo(folder: FolderOption = None) -> None:
    """Sixty parcels, twenty simulated days: imported, watched, claimed, told; nothing leaves this machine."""
    from tracker.demo.play import play
    from tracker.demo.stage import PassFailed

    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise typer.BadParameter(f"{folder} is not empty")
    place = folder or Path(tempfile.mkdtemp(prefix="shipment-tracker-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    typer.echo(f"Sessenta encomendas, vinte dias. Tudo acontece nesta máquina, em {place}")
    typer.echo("")
    try:
        holds = play(place.resolve(), typer.echo)
    except PassFailed as fault:
        typer.echo(f"a pass failed: {fault}", err=True)
        raise typer.Exit(1) from fault
    if not holds:
        raise typer.Exit(1)

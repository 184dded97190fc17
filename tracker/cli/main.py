"""The `tracker` command. Each command's work waits behind lazy imports until it is called, so that `--help` stays quick."""

from __future__ import annotations

from typing import Annotated

import typer

from tracker import __version__
from tracker.cli.check_config import check_config
from tracker.cli.db import db
from tracker.cli.demo import demo
from tracker.cli.init import init
from tracker.cli.intake import import_
from tracker.cli.run import run
from tracker.cli.sandbox import sandbox

app = typer.Typer(
    name="tracker",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shipment-tracker {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Active after-sales for online shops: watches every parcel, files carrier claims, tells the customer first."""


app.command("init")(init)
app.command("check-config")(check_config)
app.command("run")(run)
app.command("import")(import_)
app.command("demo")(demo)
app.command("sandbox")(sandbox)
app.add_typer(db, name="db")


def main() -> None:
    """Entry point of the command."""
    app()

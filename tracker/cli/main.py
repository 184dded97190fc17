"""The `tracker` command. Each command's work waits behind lazy imports until it is called, so that `--help` stays quick."""

from __future__ import annotations

from typing import Annotated

import typer

from tracker import __version__
from tracker.cli.alerts import alerts
from tracker.cli.cancel import cancel
from tracker.cli.carriers import carriers
from tracker.cli.check_config import check_config
from tracker.cli.claim_answer import claims
from tracker.cli.db import db
from tracker.cli.demo import demo
from tracker.cli.digest import digest
from tracker.cli.edit import edit
from tracker.cli.engine import engine
from tracker.cli.explain import explain
from tracker.cli.export import export
from tracker.cli.hand import approve, reject, release
from tracker.cli.incidents import incidents
from tracker.cli.init import init
from tracker.cli.intake import import_
from tracker.cli.lists import messages, problems
from tracker.cli.mute import mute
from tracker.cli.preview import preview, send_test
from tracker.cli.report import report
from tracker.cli.report_problem import report_problem
from tracker.cli.resolve import resolve
from tracker.cli.run import run
from tracker.cli.sandbox import sandbox
from tracker.cli.show import show
from tracker.cli.suppressions import suppress, suppressions, unsuppress
from tracker.cli.templates import templates

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
app.command("show")(show)
app.command("problems")(problems)
app.add_typer(claims, name="claims")
app.command("messages")(messages)
app.add_typer(alerts, name="alerts")
app.command("incidents")(incidents)
app.command("explain")(explain)
app.command("report")(report)
app.command("digest")(digest)
app.command("approve")(approve)
app.command("reject")(reject)
app.command("release")(release)
app.command("edit")(edit)
app.command("mute")(mute)
app.command("cancel")(cancel)
app.command("resolve")(resolve)
app.command("report-problem")(report_problem)
app.command("suppressions")(suppressions)
app.command("suppress")(suppress)
app.command("unsuppress")(unsuppress)
app.command("export")(export)
app.command("preview")(preview)
app.command("send-test")(send_test)
app.add_typer(templates, name="templates")
app.add_typer(carriers, name="carriers")
app.add_typer(db, name="db")
app.add_typer(engine, name="engine")
app.command("sandbox", epilog="While it runs, /sandbox/... at its address takes orders: docs/sandbox.md shows each.")(
    sandbox
)
app.command("demo")(demo)


def main() -> None:
    """Entry point of the command."""
    app()

"""`tracker import FILE...`: orders from files, with every bad line named."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json, load_or_exit

if TYPE_CHECKING:
    from tracker.app import App
    from tracker.domain.order import LineReport
    from tracker.intake.importer import Account, Imported, Intake

FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="CSV, XLSX, JSON or NF-e XML, or a zip of those.")
]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Whose orders; needed where there are several shops.")]
_UNREADABLE: Final[dict[type[OSError], str]] = {
    FileNotFoundError: "ele não existe",
    IsADirectoryError: "é uma pasta; diga os arquivos, como pasta/*.csv",
    PermissionError: "falta a permissão de leitura",
}
LINE_EVERY_S: Final = 5.0
_OUTCOMES = {"refused": "recusado", "warning": "aviso", "ignored": "ignorado", "imported": "importado"}


def import_(
    files: FilesArgument, config: ConfigOption = None, shop: ShopOption = None, as_json: JsonOption = False
) -> None:
    """Import orders and shipments; bad lines are listed, good ones go in."""
    from tracker import log
    from tracker.app import build
    from tracker.cli.prepare import drop_to_owner, prepare_database
    from tracker.errors import ProgramError, UsageError
    from tracker.store.database import is_sqlite, sqlite_path

    loaded = load_or_exit(config, strict=False)
    try:
        named = shop or (loaded.settings.shops[0].id if len(loaded.settings.shops) == 1 else None)
        if named is None or named not in {entry.id for entry in loaded.settings.shops}:
            known = ", ".join(entry.id for entry in loaded.settings.shops)
            raise UsageError(f"whose orders are these? name the shop with --shop ({known})")
        url = loaded.settings.database.connection_url()
        if is_sqlite(url):
            drop_to_owner(sqlite_path(url))
        prepare_database(url, loaded.settings.state_dir)
        app = build(loaded)
        # What becomes of each file is told here: the same in the log's words would stand between.
        log.configure(app.clock, level=logging.ERROR)
        is_failed = asyncio.run(_import_all(app, named, files, as_json))
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    if is_failed:
        raise typer.Exit(1)


async def _import_all(app: App, shop: str, files: list[Path], as_json: bool) -> bool:
    """Import one file after the other and tell of each; returns whether one was refused."""
    from tracker.intake.importer import Account
    from tracker.intake.spool import reported
    from tracker.lanes import intake_of

    documents = []
    is_failed = False
    intake = intake_of(app.settings, shop)
    try:
        for path in files:
            with ExitStack() as stack:
                faults, orders = stack.enter_context(reported()), stack.enter_context(reported())
                with _progress(path.name) as progress:
                    result = await _import(app, path, intake, Account(faults, orders, progress))
                is_failed = is_failed or isinstance(result, str) or result.refused is not None
                if as_json:
                    documents.append(_as_json(path, result, faults))
                else:
                    _print(path, result, faults)
    finally:
        await app.close()
    if as_json:
        echo_json(documents)
    return is_failed


async def _import(app: App, path: Path, intake: Intake, account: Account) -> Imported | str:
    """What became of a file, or why it could not even be read."""
    from tracker.intake.options import TruncatedFile

    try:
        with path.open("rb") as file:
            return await app.importer.take(path.name, file, intake, app.clock.now(), account)
    except TruncatedFile as fault:
        return fault.reason
    except OSError as fault:
        return f"o arquivo não pode ser lido: {_UNREADABLE.get(type(fault), fault.strerror)}"


@contextmanager
def _progress(name: str) -> Iterator[Callable[[float, int], None]]:
    """A bar on a terminal, elsewhere a line now and then for a file that takes its time; both on standard error."""
    if sys.stderr.isatty():
        with _bar(name) as bar:
            yield bar
        return
    yield _Lines(name).tell


@dataclass
class _Lines:
    """Progress as plain lines, none for a file that is quickly done."""

    name: str
    told_at: float = field(default_factory=time.monotonic)

    def tell(self, share: float, orders: int) -> None:
        if time.monotonic() - self.told_at >= LINE_EVERY_S:
            self.told_at = time.monotonic()
            typer.echo(f"{self.name}: {min(share, 1):.0%}, {_many(orders, 'pedido', 'pedidos')}", err=True)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[float, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[orders]} pedidos"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=1.0, orders=0)
        yield lambda share, orders: bar.update(task, completed=min(share, 1.0), orders=orders)


def _print(path: Path, result: Imported | str, faults: Iterable[LineReport]) -> None:
    if isinstance(result, str) or result.refused:
        typer.echo(f"{path}: recusado: {result if isinstance(result, str) else result.refused}", err=True)
        _print_lines(faults)
        return
    if result.duplicate:
        typer.echo(f"{path}: já importado antes, nada mudou")
        return
    refused = _many(result.refused_lines, "linha recusada", "linhas recusadas")
    counts = (
        f"{_many(result.orders, 'pedido', 'pedidos')} ({_many(result.new_orders, 'novo', 'novos')})",
        _many(result.shipments, "envio novo", "envios novos"),
        _many(result.faults, "aviso ou recusa", "avisos ou recusas")
        + (f" ({refused})" if result.refused_lines else ""),
    )
    typer.echo(f"{path}: {', '.join(counts)}")
    _print_lines(faults)


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _print_lines(faults: Iterable[LineReport]) -> None:
    for line in faults:
        names = [f"linha {line.line}" if line.line else "", f"pedido {line.order_number}" if line.order_number else ""]
        where = ", ".join(name for name in names if name) or "arquivo"
        typer.echo(f"  {where}: {_OUTCOMES.get(line.outcome, line.outcome)}: {line.reason}")


def _as_json(path: Path, result: Imported | str, faults: Iterable[LineReport]) -> dict[str, object]:
    if isinstance(result, str):
        return {"file": str(path), "refused": result}
    return {
        "file": str(path),
        "orders": result.orders,
        "new_orders": result.new_orders,
        "shipments": result.shipments,
        "duplicate": result.duplicate,
        "refused": result.refused,
        "refused_lines": result.refused_lines,
        "lines": [
            {"line": line.line, "order_number": line.order_number, "outcome": line.outcome, "reason": line.reason}
            for line in faults
        ],
    }

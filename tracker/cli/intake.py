"""`tracker import FILE...`: orders from files, with every bad line named."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json, load_or_exit

if TYPE_CHECKING:
    from tracker.app import App
    from tracker.intake.importer import Imported

FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or NF-e XML, or a zip of XMLs.")]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Whose orders; needed where there are several shops.")]
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
        log.configure(app.clock)
        results = asyncio.run(_import_all(app, named, files))
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    if as_json:
        echo_json([_as_json(path, result) for path, result in results])
    else:
        for path, result in results:
            _print(path, result)
    if any(isinstance(result, str) or result.refused for _, result in results):
        raise typer.Exit(1)


async def _import_all(app: App, shop: str, files: list[Path]) -> list[tuple[Path, Imported | str]]:
    from tracker.intake.options import TruncatedFile
    from tracker.lanes import intake_of

    results: list[tuple[Path, Imported | str]] = []
    intake = intake_of(app.settings, shop)
    try:
        for path in files:
            try:
                data = await asyncio.to_thread(path.read_bytes)
                results.append((path, await app.importer.take(path.name, data, intake, app.clock.now())))
            except TruncatedFile as fault:
                results.append((path, fault.reason))
            except OSError as fault:
                results.append((path, f"o arquivo não pode ser lido: {fault.strerror}"))
    finally:
        await app.close()
    return results


def _print(path: Path, result: Imported | str) -> None:
    if isinstance(result, str) or result.refused:
        typer.echo(f"{path}: recusado: {result if isinstance(result, str) else result.refused}", err=True)
        return
    if result.duplicate:
        typer.echo(f"{path}: já importado antes, nada mudou")
        return
    typer.echo(f"{path}: {result.orders} pedidos, {result.shipments} envios novos, {result.faults} avisos ou recusas")
    for line in result.lines:
        names = [f"linha {line.line}" if line.line else "", f"pedido {line.order_number}" if line.order_number else ""]
        where = ", ".join(name for name in names if name) or "arquivo"
        typer.echo(f"  {where}: {_OUTCOMES.get(line.outcome, line.outcome)}: {line.reason}")


def _as_json(path: Path, result: Imported | str) -> dict[str, object]:
    if isinstance(result, str):
        return {"file": str(path), "refused": result}
    return {
        "file": str(path),
        "orders": result.orders,
        "shipments": result.shipments,
        "duplicate": result.duplicate,
        "refused": result.refused,
        "lines": [
            {"line": line.line, "order_number": line.order_number, "outcome": line.outcome, "reason": line.reason}
            for line in result.lines
        ],
    }

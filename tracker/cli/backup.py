"""`tracker db backup`, `tracker db restore`: a copy of the database, and the way back to one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, load_or_exit
from tracker.cli.opened import refuse

if TYPE_CHECKING:
    from tracker.config import Settings
    from tracker.store.backup import Made, Watch

TargetArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE|DIR]",
        help="A new file, or a folder that gets one named by the instant (default: database.backup.path, else `backups`).",
        show_default=False,
    ),
]
KeepOption = Annotated[
    int | None,
    typer.Option("--keep", metavar="N", min=1, help="In a folder: keep only the N newest, this one included."),
]
STEPS = 1000


def backup(target: TargetArgument = None, config: ConfigOption = None, keep: KeepOption = None) -> None:
    """Copy the database while the daemon runs; the copy is checked, and nothing is ever overwritten."""
    from tracker.cli.prepare import existing_database
    from tracker.errors import ProgramError

    settings = load_or_exit(config, strict=False, talks=False).settings
    if keep is not None and not _is_folder(target):
        refuse(f"--keep {keep}: goes together with a folder, not with a file ({target})")
    try:
        url = settings.database.connection_url()
        # Never makes a database, and as root becomes the file's owner.
        with existing_database(url), _progress("copying") as watch:
            made = _make(settings, url, target, keep, watch)
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    for path in made.removed:
        typer.echo(f"removed {path}")
    typer.echo(f"{made.path}: a whole copy, checked ({made.size / 2**20:,.1f} MiB)")


def _is_folder(target: Path | None) -> bool:
    return target is None or target.is_dir()


def _make(settings: Settings, url: str, target: Path | None, keep: int | None, watch: Watch) -> Made:
    import os

    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.store.backup import back_up, back_up_into

    if target is not None and not target.is_dir():
        return back_up(url, target.absolute(), watch)
    now = clock_from_env(os.environ, trial_clock_faults(settings)).now()
    return back_up_into(url, target.absolute() if target else settings.backup_folder, now, keep=keep, watch=watch)


@contextmanager
def _progress(label: str) -> Iterator[Watch]:
    """A bar on a terminal; elsewhere the sentence at the end says all there is to say."""
    from tracker.store.backup import silent

    if not sys.stderr.isatty():
        yield silent
        return
    with typer.progressbar(length=STEPS, label=label, file=sys.stderr) as bar:
        yield lambda share: bar.update(max(int(share * STEPS) - bar.pos, 0))

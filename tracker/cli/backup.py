"""`tracker db backup`, `tracker db restore`: a copy of the database, and the way back to one."""

from __future__ import annotations

import logging
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
    from tracker.store.restore import Restored

TargetArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE|DIR",
        help="A new file, or a folder that gets one named by the instant (default: database.backup.path, else `backups`).",
        show_default=False,
    ),
]
KeepOption = Annotated[
    int | None,
    typer.Option("--keep", metavar="N", min=1, help="In a folder: keep only the N newest, this one included."),
]
FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="A copy of tracker db backup (or sqlite3, or pg_dump -Fc).", show_default=False
    ),
]
InPlaceOption = Annotated[
    bool, typer.Option("--in-place", help="The copy was put in the database's place by other means: only hold back.")
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


def restore(file: FileArgument = None, config: ConfigOption = None, in_place: InPlaceOption = False) -> None:
    """Put a copy in the database's place; what was about to leave then waits for a person. The daemon must be stopped."""
    from tracker.cli.common import at_keyboard
    from tracker.errors import ProgramError
    from tracker.store.schema import SchemaError

    settings = load_or_exit(config, strict=False, talks=False).settings
    if (file is None) != in_place:
        refuse("name one copy, or --in-place where it has been put there already")
    who = at_keyboard()
    try:
        said = _restore(settings, file, who)
    except SchemaError as error:
        refuse(str(error))
    except ProgramError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    for line in said:
        typer.echo(line)


def _restore(settings: Settings, file: Path | None, who: str) -> list[str]:
    import os

    from tracker import log
    from tracker.cli.prepare import alone_on
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.store import restore as store
    from tracker.store.migrate import upgrade
    from tracker.store.restoring import HeldBack

    clock = clock_from_env(os.environ, trial_clock_faults(settings))
    log.configure(clock, level=logging.WARNING)
    url = settings.database.connection_url()
    with alone_on(url):
        if file is not None:
            with _progress("restoring") as watch:
                done = store.restore(url, file, now=clock.now(), who=who, watch=watch)
        else:
            before, after = upgrade(url)
            store.mark_restored(url)
            held = store.finish(url, now=clock.now(), who=who)
            done = store.Restored(before, after, held or HeldBack())
    return _restored_lines(settings.database.shown, file, done)


def _restored_lines(shown: str, file: Path | None, done: Restored) -> list[str]:
    upgraded = f", upgraded from revision {done.before} to {done.after}" if done.before != done.after else ""
    lines = [f"{shown}: {f'restored from {file}' if file else 'taken for restored'}{upgraded}"]
    if done.kept is not None:
        lines.append(f"what stood there is kept as {done.kept}")
    held = done.held
    lines.append(
        f"{held.messages} messages and {held.claims} claims that were about to leave wait for a person, as does whatever "
        "rests on what began before now: tracker messages --open, tracker claims --open, tracker release [ID|--all]"
    )
    if held.alerts:
        lines.append(
            f"{held.alerts} alerts on their way to you are not told again: tracker alerts --open shows what stands"
        )
    lines.append(
        "next: move the files since the copy from inbox/done into inbox once more (reports among them are not read), then "
        "start the service"
    )
    return lines


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

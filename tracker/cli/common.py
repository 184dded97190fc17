"""What the commands share: options, the way to a configuration, output. Heavy imports wait until they are needed."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tracker.config import LoadedConfig

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Configuration (default: $TRACKER_CONFIG, ./config.yaml, /etc/shipment-tracker/config.yaml).",
        show_default=False,
    ),
]


class ShownLanguage(StrEnum):
    """The languages in which people are told what is so."""

    PORTUGUESE = "pt-BR"
    ENGLISH = "en"


JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def echo_json(document: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def at_keyboard() -> str:
    """The person at the keyboard, before any change of user."""
    import pwd

    given = os.environ.get("SUDO_USER")
    if given:
        return given
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def load_or_exit(path: Path | None, strict: bool, talks: bool = True) -> LoadedConfig:
    """The configuration; with faults, all of them on standard error and exit 2.

    Args:
        path: from `-c`; None: the usual places.
        strict: a credential that is not here is a fault too (whatever talks to carriers or mail servers).
        talks: a command that says nothing to carriers, mail servers and webhooks needs none of their secrets.
    """
    from tracker.config import find_config, load_config
    from tracker.errors import ConfigFileError

    try:
        return load_config(find_config(path, os.environ), os.environ, strict_credentials=strict, talks=talks)
    except ConfigFileError as exc:
        for fault in exc.faults:
            typer.echo(str(fault), err=True)
        raise typer.Exit(exc.exit_code) from exc

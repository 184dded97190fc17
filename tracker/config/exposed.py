"""Secrets that stand in the configuration file itself while everybody on the machine can read that file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretBytes, SecretStr

from tracker.config.secrets import holds_reference
from tracker.config.yaml_file import Finding, Loc

OTHERS_READ = 0o004
DATABASE: Loc = ("database", "url")
"""An address that is a secret only where it holds a password; those of alerts and of the ping are secrets in themselves."""


def exposed_secrets(settings: BaseModel, raw: Any, path: Path) -> Iterator[Finding]:
    """A finding for each secret of *settings* that *raw*, the file's data before references were put in, spells out."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not mode & OTHERS_READ:
        return
    for loc in _secrets(settings, ()):
        value = _at(raw, loc)
        if value is not None and not holds_reference(str(value)):
            advice = f"chmod o-rwx {path}, or give it by reference, such as ${{credential:NAME}}"
            yield Finding(loc, "is a secret in a file that everybody on this machine can read", advice)


def _secrets(value: Any, loc: Loc) -> Iterator[Loc]:
    """Where the secrets stand in the file. An adapter's settings (`own`) stand there among the account's other keys."""
    if isinstance(value, SecretStr | SecretBytes):
        if loc != DATABASE or _has_password(value):
            yield loc
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _secrets(getattr(value, name), loc if name == "own" else (*loc, field.alias or name))
    elif isinstance(value, tuple | list):
        for place, inner in enumerate(value):
            yield from _secrets(inner, (*loc, place))


def _has_password(value: SecretStr | SecretBytes) -> bool:
    text = value.get_secret_value()
    try:
        return isinstance(text, str) and urlsplit(text).password is not None
    except ValueError:
        return True


def _at(data: Any, loc: Loc) -> Any:
    for part in loc:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data

"""References in the values of the configuration: `${NAME}`, `${credential:NAME}`, `${file:PATH}`; `$${` is a plain `${`.

Only values are looked at, never keys or comments, and what comes in is never read as YAML or searched again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tracker.config.yaml_file import Finding, Loc

MAX_BYTES: Final = 65_536
_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE_NAME = re.compile(r"[A-Za-z0-9_.@:-]+")
PLACEHOLDER: Final = "unresolved-reference"


def is_placeholder(text: str) -> bool:
    """Whether this value holds, or stands for, something that was not there when the configuration was read."""
    return PLACEHOLDER in text


def holds_reference(text: str) -> bool:
    """Whether a value of the file, as it stands there, takes something from elsewhere."""
    return any(found[0] != "$${" for found in _REFERENCE.finditer(text))


@dataclass(slots=True)
class References:
    """Puts in what the references of one configuration name; collects what could not be found.

    `values` are the texts that were put in: they must never appear in what we print. `unresolved` are the places where
    something is missing and a placeholder stands; each has its warning. `spared` says where, by place and by whether it
    is a systemd credential that is missing; anywhere else it is a fault.
    """

    folder: Path
    env: Mapping[str, str]
    spared: Callable[[Loc, bool], bool]
    faults: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    values: set[str] = field(default_factory=set)
    unresolved: set[Loc] = field(default_factory=set)

    def put_in(self, data: Any, loc: Loc = ()) -> Any:
        """`data` (mappings, lists, scalars) with every reference replaced."""
        if isinstance(data, dict):
            return {key: self.put_in(value, (*loc, key)) for key, value in data.items()}
        if isinstance(data, list):
            return [self.put_in(value, (*loc, place)) for place, value in enumerate(data)]
        if isinstance(data, str):
            return _REFERENCE.sub(lambda match: self._one(match, loc), data)
        return data

    def _one(self, match: re.Match[str], loc: Loc) -> str:
        if match[0] == "$${":
            return "${"
        kind, colon, name = (match[1] or "").rpartition(":")
        if kind == "credential":
            return self._credential(name, loc)
        if (match[1] or "").startswith("file:"):
            return self._file(match[1].removeprefix("file:").strip(), loc)
        if colon or not _NAME.fullmatch(name):
            advice = "write ${NAME}, ${credential:NAME} or ${file:PATH}; $${ stands for a plain ${"
            self.faults.append(Finding(loc, "holds a reference that cannot be read", advice))
            return ""
        value = self.env.get(name, "")
        if not value:
            what = f"the environment variable {name} is not set or empty"
            return self._missing(Finding(loc, what, "set it before starting, or write the value here"))
        return self._keep(value)

    def _credential(self, name: str, loc: Loc) -> str:
        if not _FILE_NAME.fullmatch(name) or name in {".", ".."}:
            self.faults.append(Finding(loc, "names no credential", "a plain name, as in LoadCredential=NAME:PATH"))
            return ""
        folder = self.env.get("CREDENTIALS_DIRECTORY", "")
        if folder and (path := Path(folder) / name).is_file():
            return self._content(path, f"the credential {name}", loc)
        advice = f"LoadCredential={name}:PATH in the systemd unit gives it to the service"
        return self._missing(Finding(loc, f"the credential {name} is not available here", advice), credential=True)

    def _missing(self, found: Finding, *, credential: bool = False) -> str:
        self.unresolved.add(found.loc)
        (self.warnings if self.spared(found.loc, credential) else self.faults).append(found)
        return PLACEHOLDER

    def _file(self, name: str, loc: Loc) -> str:
        if not name:
            self.faults.append(Finding(loc, "names no file", "write ${file:PATH}"))
            return ""
        return self._content(self.folder / name, f"the file {name}", loc)

    def _content(self, path: Path, what: str, loc: Loc) -> str:
        """The file's text without the line break at its end, which every editor adds."""
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
            text = raw.decode("utf-8").rstrip("\r\n")
        except OSError as exc:
            return self._missing(Finding(loc, f"{what} cannot be read: {exc.strerror}", "check its path and rights"))
        except UnicodeDecodeError:
            self.faults.append(Finding(loc, f"{what} is not UTF-8 text", "save it as plain text"))
            return ""
        if len(raw) > MAX_BYTES or not text:
            self.faults.append(Finding(loc, f"{what} is empty or larger than 64 KiB", "it must hold the value alone"))
            return ""
        return self._keep(text)

    def _keep(self, value: str) -> str:
        if value:
            self.values.add(value)
        return value

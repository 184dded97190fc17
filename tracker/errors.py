"""Errors that end a command, with the exit code of each. Errors of carriers live in `carriers.base`.

::

    ProgramError                    the work failed: exit 1
        DatabaseFaultError          the database cannot be worked with as things are
            DatabaseDamagedError    and no repetition mends that
        UsageError                  usage or configuration: exit 2
            ConfigFileError         the configuration has faults; do not start
            MissingCredentialError  a `${credential:NAME}` is needed here and was not given
            EngineBusyError         another engine already works on this database
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in the configuration or its texts: where it stands, what it is, what to do. Never holds a secret."""

    file: str
    line: int
    key: str
    """Dotted path of the key, list places as numbers from 0: `carriers.1.base_url`; empty for a file without keys."""
    what: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f" ({self.advice})" if self.advice else ""
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}: {key}{self.what}{advice}"


class ProgramError(Exception):
    """Ends the command with a sentence for the user instead of a traceback."""

    exit_code: ClassVar[int] = 1


class DatabaseFaultError(ProgramError):
    """The database cannot be worked with as things are: no access, a full disk, no answer. Later it may work again."""


class DatabaseDamagedError(DatabaseFaultError):
    """The database's content is damaged: whoever works on it must end, for no repetition mends it."""


class UsageError(ProgramError):
    """The user must change the call, the configuration or the surroundings; nothing was done."""

    exit_code: ClassVar[int] = 2


class ConfigFileError(UsageError):
    """The configuration cannot be used; `faults` holds everything that is wrong with it, in the order of the file."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class MissingCredentialError(UsageError):
    """The key `where` names a systemd credential that is not there; only the service itself can do this work."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where}: its credential is not available here (run it as the service, with LoadCredential=)")


class EngineBusyError(UsageError):
    """Another engine already works on this database."""

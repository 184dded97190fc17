"""What an adapter's settings may say of themselves beside what they refuse: heard by `tracker check-config` and at start.

A validator refuses what cannot work. What works and is unwise, or does less than its writer may think, is a `Remark`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from pydantic import SecretStr

PROOF_CHARS: Final = 16
"""So long at least is a secret that proves a push: who guesses it may report deliveries that never were."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence on one key (`field`), never with its value, and what to do."""

    field: str
    what: str
    advice: str


@runtime_checkable
class Remarking(Protocol):
    """Settings that have something to say, after they were checked."""

    def remarks(self) -> Iterable[Remark]:
        """Pure; nothing where all is well."""


def weak_proof(field: str, secret: SecretStr | None) -> Iterator[Remark]:
    """A remark where what proves pushes is short enough to be guessed."""
    if secret is not None and len(secret.get_secret_value()) < PROOF_CHARS:
        what = "is too short to prove a push: who guesses it may report deliveries that never were"
        yield Remark(field, what, f"at least {PROOF_CHARS} characters; copy it whole, or make a longer one")

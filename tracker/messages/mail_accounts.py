"""The mail accounts in the order of preference: which of them may be given a message now, and what is told of one that fails.

One alert when an account goes and one when it returns; what it does not take goes to the next that serves the shop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from carriers.http import TokenBucket
from tracker.domain.mail_account import Circuit, failed, is_open, room, wants_probe
from tracker.domain.outcome import Outcome, Result, Scope
from tracker.messages.outcomes import why_no_mail
from tracker.store.alerts import standing_keys
from tracker.store.logs import SignalNote, signal
from tracker.store.mail import Circuits, circuits, close_circuits, forget_uses, save_circuit, used

log = structlog.get_logger(__name__)
KIND: Final = "mail_down"
KEPT: Final = timedelta(hours=26)
"""How long the minutes of an account's messages are kept: longer than the longest quota looks back."""
SLOWEST_BATCH_S: Final = 240
"""A batch is no larger than what the pace of the slowest account lets leave within this time, well within its lease."""

FRESH_S: Final = 120


class Transport(Protocol):
    """What hands a message to the mail server."""

    @property
    def server(self) -> str:
        """`host:port`."""

    async def submit(
        self,
        envelope_from: str,
        recipient: str,
        data: bytes,
        *,
        before_data: Callable[[], Awaitable[None]],
        copies: Sequence[str] = (),
    ) -> Outcome: ...

    async def probe(self) -> Outcome: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class MailAccount:
    """One account. `digest` changes with its configuration; `shops` empty: all; a limit of None: none of ours."""

    name: str
    transport: Transport
    digest: str = ""
    shops: tuple[str, ...] = ()
    per_hour: int | None = None
    per_day: int | None = None
    per_second: float | None = None
    pace: TokenBucket | None = None

    def serves(self, shop: str) -> bool:
        return not self.shops or shop in self.shops

    @property
    def batch(self) -> int | None:
        """How many messages its pace allows in one batch."""
        return max(1, int(self.per_second * SLOWEST_BATCH_S)) if self.per_second else None


@dataclass
class Switchboard:
    """How the accounts stood when it was looked up, kept up to date by whoever sends."""

    accounts: Sequence[MailAccount]
    circuits: Circuits
    room: dict[str, int | None]
    now: datetime

    def choose(self, shop: str) -> MailAccount | None:
        """The preferred account that may be given a message of this shop now."""
        return next((account for account in self.accounts if self._takes(account, shop)), None)

    def silent(self, shops: Iterable[str]) -> list[str]:
        """Those of these shops for which no account may be used now."""
        return [shop for shop in shops if self.choose(shop) is None]

    def limit(self, most: int) -> int:
        """How many messages to take up at once: what the quotas leave and the paces allow."""
        open_ones = [one for one in self.accounts if self.room[one.name] != 0 and not self._is_left_alone(one, "")]
        rooms = [self.room[one.name] for one in open_ones]
        paces = [one.batch for one in open_ones if one.batch is not None]
        left = most if None in rooms else sum(one for one in rooms if one is not None)
        return min(most, left, *paces) if paces else min(most, left)

    def allowance(self) -> int | None:
        """How many messages one run may send, so that what it judges by (its instant) stays fresh; None: as many as are due."""
        paces = [one.per_second for one in self.accounts]
        return None if None in paces else max(1, int(sum(one or 0 for one in paces) * FRESH_S))

    def given(self, account: MailAccount) -> None:
        """One more message was given to it."""
        left = self.room[account.name]
        self.room[account.name] = left if left is None else max(left - 1, 0)

    def to_probe(self) -> list[MailAccount]:
        """Those that were down and may be back."""
        return [one for one in self.accounts if wants_probe(self.of(one), one.digest, self.now)]

    def of(self, account: MailAccount, shop: str = "") -> Circuit | None:
        return self.circuits.get((account.name, shop))

    def _takes(self, account: MailAccount, shop: str) -> bool:
        if not account.serves(shop) or self.room[account.name] == 0:
            return False
        return not (self._is_left_alone(account, "") or self._is_left_alone(account, shop))

    def _is_left_alone(self, account: MailAccount, shop: str) -> bool:
        return is_open(self.of(account, shop), account.digest, self.now)


@dataclass
class MailAccounts:
    """The configured accounts, the preferred first."""

    accounts: tuple[MailAccount, ...]
    tidied_at: datetime | None = None

    def look(self, connection: Connection, now: datetime) -> Switchboard:
        """How they stand now."""
        left = {
            one.name: room(one.per_hour, one.per_day, used(connection, one.name, now))
            if one.per_hour is not None or one.per_day is not None
            else None
            for one in self.accounts
        }
        return Switchboard(self.accounts, circuits(connection), left, now)

    def wants_tidying(self, now: datetime) -> bool:
        """Once a process, and once a day."""
        return self.tidied_at is None or not timedelta(0) <= now - self.tidied_at < KEPT

    def tidy(self, connection: Connection, now: datetime) -> None:
        """End the alerts about accounts that the configuration no longer names, and forget what no quota counts."""
        kept = tuple(_key(one, "") for one in self.accounts)
        gone = [
            key
            for key in standing_keys(connection, KIND)
            if key not in kept and not key.startswith(tuple(f"{one}:" for one in kept))
        ]
        summary = "this mail account is no longer in the configuration"
        signal(connection, [SignalNote(key, KIND, "info", summary, raised=False) for key in gone], now)
        forget_uses(connection, now - KEPT)
        self.tidied_at = now

    def failed(
        self, connection: Connection, board: Switchboard, account: MailAccount, shop: str, outcome: Outcome
    ) -> None:
        """It did not take a message for a reason that the next one would meet too."""
        of_shop = shop if outcome.scope is Scope.SENDER else ""
        after = failed(board.of(account, of_shop), outcome, account.digest, board.now)
        save_circuit(connection, account.name, of_shop, after)
        board.circuits[(account.name, of_shop)] = after
        facts = {"account": account.name, "reason": outcome.reason, **({"shop": of_shop} if of_shop else {})}
        until = after.until.isoformat() if after.until else None
        if outcome.result is Result.THROTTLED:
            log.warning("mail.throttled", until=until, **facts)
            return
        log.warning("mail.account_down", failures=after.failures, until=until, **facts)
        others = [one for one in board.accounts if one is not account]
        next_one = board.choose(shop)
        whose = f" of shop {of_shop}" if of_shop else ""
        summary = f"the mail server {account.transport.server} takes no mail{whose}: {why_no_mail(outcome)}"
        if others:
            summary += (
                f"; its messages go to {next_one.name}" if next_one else "; no other account can take its messages"
            )
        severity = "warning" if next_one else "critical"
        details = {"account": account.name}
        note = SignalNote(_key(account, of_shop), KIND, severity, summary, shop=of_shop, details=details)
        signal(connection, [note], board.now)

    def answered(self, connection: Connection, board: Switchboard, account: MailAccount, shop: str) -> None:
        """It took a message of this shop, or refused only that one."""
        stood = [one for one in dict.fromkeys(("", shop)) if (account.name, one) in board.circuits]
        if not stood:
            return
        close_circuits(connection, account.name, stood)
        notes = []
        for of_shop in stood:
            circuit = board.circuits.pop((account.name, of_shop))
            if circuit.down_since is not None:
                log.info("mail.account_back", account=account.name, **({"shop": of_shop} if of_shop else {}))
                key = _key(account, of_shop)
                notes.append(SignalNote(key, KIND, "info", "mail leaves again", raised=False, shop=of_shop))
        signal(connection, notes, board.now)


def _key(account: MailAccount, shop: str) -> str:
    return f"mail:{account.name}:{shop}" if shop else f"mail:{account.name}"

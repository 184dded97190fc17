"""Reads the mailbox of returned mail: what came back for good, who complained, and which message of ours each is about.

A finding is a fact under its mail's own key, so that a mail read twice counts once. Only what belongs to a message of ours is
marked as seen or moved, and nothing is deleted: in a mailbox that people read, too, the rest stays theirs.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from tracker.domain.bounces import NEWEST, too_many
from tracker.domain.mail_account import PROBE
from tracker.domain.mail_address import BadAddress, address_key
from tracker.domain.outcome import Outcome, Result, Scope, backoff, returned_outcome, scrubbed
from tracker.domain.suppression import COMPLAINT
from tracker.domain.words import DeliveryState
from tracker.mailbox import FETCHED, MailboxAccount, MailboxError, MailboxSession, opened_aside
from tracker.messages.email_settling import suppress_after
from tracker.messages.email_sweep import CHANNEL
from tracker.messages.returned import MAX_BYTES, Fate, Kind, Returned, read_returned
from tracker.store.alerts import standing_keys
from tracker.store.database import Database
from tracker.store.deliveries import DueDelivery, came_back, delivery_by_id
from tracker.store.logs import DecisionNote, SignalNote, log_decisions, signal
from tracker.store.notices import members_of_notice
from tracker.store.returns import (
    MailboxState,
    ReturnRow,
    add_returned,
    address_of,
    applied,
    bounces_of_newest,
    delivery_to,
    delivery_with_id,
    mailbox_state,
    save_mailbox_state,
    waiting,
)
from tracker.store.wake import wake

log = structlog.get_logger(__name__)
RULE: Final = "message.returned"
VERSION: Final = 1
LOOKS_BACK: Final = timedelta(days=14)
"""A mailbox that was never read is read from so long ago; a recipient alone points to a message no older than this."""
DOWN_AFTER: Final = 3
DOWN, RATE = "bounces_down", "bounce_rate"


@dataclass(frozen=True)
class BounceSweep:
    """The lane `bounces`. `domains` are those of our Message-IDs; *tls_context* stands in for the system's authorities."""

    database: Database
    account: MailboxAccount
    domains: tuple[str, ...]
    is_redirected: bool = False
    """Whether messages go to a trial's own address, which is never put on the list."""
    stopping: Callable[[], bool] = lambda: False
    tls_context: ssl.SSLContext | None = None

    @property
    def mailbox(self) -> str:
        """The mailbox's name in the store."""
        return f"{self.account.user}@{self.account.shown}"

    async def run(self, now: datetime) -> int:
        """Read what is new; returns how many mails were read."""
        await self.database.write(partial(self._apply_waiting, now=now))
        state = await self.database.read(lambda c: mailbox_state(c, self.mailbox))
        if state is not None and state.until is not None and now < state.until <= now + PROBE:
            return 0
        try:
            total = await self._read(state, now)
        except MailboxError as fault:
            await self.database.write(partial(self._failed, fault=fault, now=now))
            return 0
        await self.database.write(partial(self._watch_rate, now=now))
        return total

    async def _read(self, state: MailboxState | None, now: datetime) -> int:
        """IMAP blocks, so it runs in threads; each batch is recorded before the next is asked for."""
        async with opened_aside(self.account, self.tls_context) as box:
            begin = await asyncio.to_thread(self._begin, box, state, now)
            uids = await asyncio.to_thread(box.after, begin)
            if state != MailboxState(box.uid_validity, begin):
                await self._reached(box, begin, now)
            for first in range(0, len(uids), FETCHED):
                if self.stopping():
                    return first
                batch = uids[first : first + FETCHED]
                mails = await asyncio.to_thread(_fetched, box, batch)
                ours = await self.database.write(partial(self._record, mails=mails, now=now))
                await asyncio.to_thread(box.file, ours)
                # After the filing: a death in between reads these once more, and their keys are known.
                await self._reached(box, batch[-1], now)
        return len(uids)

    async def _reached(self, box: MailboxSession, uid: int, now: datetime) -> None:
        keep = partial(self._keep, validity=box.uid_validity, last_uid=uid, now=now)
        await self.database.write(keep)

    @staticmethod
    def _begin(box: MailboxSession, state: MailboxState | None, now: datetime) -> int:
        if state is not None and state.uid_validity == box.uid_validity:
            return state.last_uid
        return box.beginning((now - LOOKS_BACK).date())

    # --- what was found -----------------------------------------------------------------------------

    def _record(self, connection: Connection, mails: list[tuple[int, Returned]], now: datetime) -> list[int]:
        """Write down what these mails say; the numbers of those that are about a message of ours."""
        ours = []
        for uid, returned in mails:
            if returned.kind is Kind.UNREADABLE:
                log.warning("bounce.unreadable", uid=uid)
            if self._found(connection, returned, now):
                ours.append(uid)
        return ours

    def _found(self, connection: Connection, returned: Returned, now: datetime) -> bool:
        if returned.kind is Kind.AUTOMATIC:
            return self._by_ids(connection, returned) is not None
        if returned.kind not in {Kind.BOUNCE, Kind.COMPLAINT}:
            return False
        named = self._by_ids(connection, returned)
        is_ours = False
        for fate in returned.fates:
            keys = _keys(fate.addresses)
            delivery_id, how = named or (None, None)
            if named is None and not (returned.ids and returned.names_original):
                # It does not say which mail: whoever got one of ours lately. A mail it does name is somebody else's.
                delivery_id = delivery_to(connection, keys, now - LOOKS_BACK)
                how = "recipient" if delivery_id is not None else None
            if delivery_id is None:
                continue
            is_ours = True
            self._add(connection, returned, fate, keys, delivery_id, how, now)
        return is_ours

    def _by_ids(self, connection: Connection, returned: Returned) -> tuple[int, str] | None:
        """The message that a mail is about, by the address it was sent to, else by the Message-ID it names."""
        for how, tokens, ids in (
            ("verp", returned.tokens, ()),
            ("message_id", returned.refs, returned.ids),
        ):
            whole = [f"<{token}@{domain}>" for token in tokens for domain in self.domains]
            found = delivery_with_id(connection, [*ids, *whole])
            if found is not None:
                return found, how
        return None

    def _add(
        self,
        connection: Connection,
        returned: Returned,
        fate: Fate,
        keys: Sequence[str],
        delivery_id: int,
        how: str | None,
        now: datetime,
    ) -> None:
        sent_to = address_of(connection, delivery_id)
        # Behind an address of ours another may stand (a forwarding): what is known is that ours does not work.
        recipient = sent_to if sent_to and sent_to in keys else next(iter(keys), "")
        kind = "complaint" if returned.kind is Kind.COMPLAINT else fate.action
        values = {
            "mail_key": returned.key,
            "recipient": recipient,
            "kind": kind,
            "status": fate.status,
            "evidence": fate.diagnostic,
            "delivery_id": delivery_id,
            "matched_by": how,
            "seen_at": now,
        }
        row_id = add_returned(connection, values)
        if row_id is not None:
            row = ReturnRow(row_id, kind, recipient, fate.status, fate.diagnostic, delivery_id, how)
            self._apply(connection, row, now)

    def _apply_waiting(self, connection: Connection, now: datetime) -> None:
        for row in waiting(connection):
            self._apply(connection, row, now)

    def _apply(self, connection: Connection, row: ReturnRow, now: datetime) -> None:
        """What a finding changes; one about a message that is just being sent waits until that is settled."""
        delivery = delivery_by_id(connection, row.delivery_id) if row.delivery_id is not None else None
        if delivery is not None and delivery.state is DeliveryState.SENDING:
            return
        applied(connection, [row.id], now)
        if delivery is None:
            return
        if row.kind == "failed":
            self._bounced(connection, delivery, row, returned_outcome(row.status, row.evidence), now)
        elif row.kind == "complaint":
            outcome = Outcome(Result.BLOCKED, COMPLAINT, scrubbed(row.evidence), scope=Scope.RECIPIENT)
            self._note(connection, delivery, row, "complained", outcome, now)
            self._suppress(connection, delivery, row, outcome, "complaint", now)
        elif row.kind == "delayed":
            self._note(connection, delivery, row, "delayed", returned_outcome(row.status, row.evidence), now)

    def _bounced(
        self, connection: Connection, delivery: DueDelivery, row: ReturnRow, outcome: Outcome, now: datetime
    ) -> None:
        if not came_back(connection, delivery.id, outcome.reason):
            return
        self._note(connection, delivery, row, DeliveryState.BOUNCED.value, outcome, now)
        self._suppress(connection, delivery, row, outcome, "dsn", now)
        if delivery.state is DeliveryState.UNCONFIRMED:
            key, settled_by = f"unconfirmed:{delivery.id}", "the message came back"
            over = SignalNote(key, "message_unconfirmed", "info", settled_by, raised=False, shop=delivery.shop)
            signal(connection, [over], now)
        told = [shipment_id for shipment_id, _, _ in members_of_notice(connection, delivery.notice_id)]
        wake(connection, "messages", told, now)

    def _suppress(
        self,
        connection: Connection,
        delivery: DueDelivery,
        row: ReturnRow,
        outcome: Outcome,
        source: str,
        now: datetime,
    ) -> None:
        sent_to = address_of(connection, delivery.id)
        if sent_to and row.recipient == sent_to and not self.is_redirected:
            suppress_after(connection, delivery, sent_to, outcome, source=source, now=now)

    @staticmethod
    def _note(
        connection: Connection, delivery: DueDelivery, row: ReturnRow, what: str, outcome: Outcome, now: datetime
    ) -> None:
        facts = {"said": outcome.reason, "reply": outcome.reply or None, "matched_by": row.matched_by}
        note = DecisionNote(delivery.shop, "message", delivery.id, RULE, VERSION, what, outcome.reason, facts)
        log_decisions(connection, [note], now)
        log.info("message.returned", message_id=delivery.id, kind=row.kind, reason=outcome.reason)

    # --- how the mailbox and the list of addresses are ----------------------------------------------

    def _keep(self, connection: Connection, validity: int, last_uid: int, now: datetime) -> None:
        before = mailbox_state(connection, self.mailbox)
        save_mailbox_state(connection, self.mailbox, MailboxState(validity, last_uid))
        if before is not None and before.down_since is not None:
            log.info("bounces.recovered", mailbox=self.account.shown)
            note = SignalNote(self._key, DOWN, "info", "the mailbox of returned mail is read again", raised=False)
            signal(connection, [note], now)

    def _failed(self, connection: Connection, fault: MailboxError, now: datetime) -> None:
        before = mailbox_state(connection, self.mailbox) or MailboxState()
        failures = before.failures + 1
        is_down = failures >= DOWN_AFTER
        until = now + min(backoff(failures), PROBE)
        since = before.down_since or (now if is_down else None)
        after = replace(before, failures=failures, until=until, down_since=since, reason=str(fault))
        save_mailbox_state(connection, self.mailbox, after)
        log.warning("bounces.failed", mailbox=self.account.shown, failures=failures, reason=str(fault))
        if is_down:
            summary = f"the mailbox of returned mail {self.account.shown} cannot be read: {fault}"
            signal(connection, [SignalNote(self._key, DOWN, "warning", summary)], now)

    @property
    def _key(self) -> str:
        return f"bounces:{self.account.shown}"

    def _watch_rate(self, connection: Connection, now: datetime) -> None:
        """One alert while too much comes back."""
        returned, of = bounces_of_newest(connection, CHANNEL, NEWEST)
        stands = bool(standing_keys(connection, RATE))
        if too_many(returned, of) and not stands:
            summary = f"{returned} of the newest {of} messages came back: are the orders' addresses right?"
            details = {"returned": returned, "of": of}
            signal(connection, [SignalNote(RATE, RATE, "warning", summary, details=details)], now)
        elif stands and not too_many(returned, of):
            signal(connection, [SignalNote(RATE, RATE, "info", "mail arrives again", raised=False)], now)


def _fetched(box: MailboxSession, uids: Sequence[int]) -> list[tuple[int, Returned]]:
    return [(uid, read_returned(raw)) for uid, raw in sorted(box.fetch(uids, MAX_BYTES).items())]


def _keys(addresses: Sequence[str]) -> list[str]:
    keys = []
    for address in addresses:
        try:
            keys.append(address_key(address))
        except BadAddress:
            continue
    return keys

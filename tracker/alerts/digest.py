"""The merchant's daily digest by e-mail: one a local day, shop and address, whatever restarts and however many machines.

The row with its natural key (shop, day, recipient) is written first. A mail server gives no exactly-once, so as for customers'
messages: MAIL and RCPT, then `sending` is committed, then DATA; death after that leaves `unconfirmed`, which is not sent again:
the next day's digest begins where it ended, and `tracker digest` prints it. A digest that its day has passed is not sent; the
next one tells what it would have told. So does the next one of a day whose hour came before the database was put back.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from tracker.domain.mail_address import ascii_address
from tracker.domain.outcome import Outcome, Result, backoff
from tracker.messages.email_message import build_message, new_message_id, parse_mailbox
from tracker.messages.smtp import SmtpTransport
from tracker.messages.templates import Rendered
from tracker.reports.digest import DigestHead, digest_text
from tracker.store.database import Database
from tracker.store.digests import (
    DigestFacts,
    DueDigest,
    add_digest,
    digest_facts,
    has_digest,
    save_digest,
    take_due_digests,
    told_until,
)
from tracker.store.leases import new_token
from tracker.store.logs import SignalNote, signal
from tracker.store.restores import last_restore

log = structlog.get_logger(__name__)
NOT_SENT: Final = "digest_not_sent"
DAY: Final = timedelta(days=1)
BATCH: Final = 20
LONGEST_WAIT: Final = timedelta(hours=1)
_AGAIN: Final = frozenset({Result.RETRY, Result.THROTTLED, Result.ACCOUNT_DOWN})


class LeaseLost(Exception):
    """Somebody else took the digest over before its text left."""


@dataclass(frozen=True, slots=True)
class DigestShop:
    """A shop that wants a digest."""

    id: str
    name: str
    language: str
    sender: str
    to: Sequence[str]
    at: time
    skip_empty: bool
    live_from: date | None


def due_day(at: time, zone: ZoneInfo, now: datetime) -> date | None:
    """The day whose digest is due: today from its hour on."""
    local = now.astimezone(zone)
    return local.date() if local.time().replace(tzinfo=None) >= at else None


def due_at(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant from which this day's digest is due."""
    return datetime.combine(day, at, tzinfo=zone)


def live_at(live_from: date | None, zone: ZoneInfo) -> datetime | None:
    """The shop's first live instant."""
    return datetime.combine(live_from, time.min, tzinfo=zone) if live_from else None


def head_of(shop: DigestShop, day: date, since: datetime, until: datetime, zone: ZoneInfo) -> DigestHead:
    """What stands above a digest."""
    return DigestHead(shop.id, shop.name, shop.language, day, since, until, zone, shop.live_from)


@dataclass(frozen=True)
class DigestSweep:
    """The lane `digest`."""

    database: Database
    shops: Sequence[DigestShop]
    zone: ZoneInfo
    transport: SmtpTransport

    async def run(self, now: datetime) -> int:
        """Send what is due; returns how many digests were worked on."""
        if await self.database.read(lambda c: self._missing(c, now)):
            await self.database.write(lambda c: self._plan(c, now))
        total = 0
        try:
            while True:
                token = new_token()
                take = partial(take_due_digests, now=now, limit=BATCH, token=token)
                due = await self.database.write(take)
                for digest in due:
                    await self._one(digest, token, now)
                total += len(due)
                if len(due) < BATCH:
                    return total
        finally:
            await self.transport.close()

    # --- what is due --------------------------------------------------------------------------------

    def _missing(self, connection: Connection, now: datetime) -> list[tuple[DigestShop, date, str]]:
        found, restored_at = [], last_restore(connection)
        for shop in self.shops:
            day = due_day(shop.at, self.zone, now)
            if day is not None and restored_at is not None and due_at(day, shop.at, self.zone) <= restored_at:
                # It may have been sent before the database was put back; the next one tells what it would have told.
                continue
            if day is not None:
                found += [(shop, day, to) for to in shop.to if not has_digest(connection, shop.id, day, to)]
        return found

    def _plan(self, connection: Connection, now: datetime) -> None:
        for shop, day, recipient in self._missing(connection, now):
            since = told_until(connection, shop.id, recipient) or now - DAY
            domain = ascii_address(parse_mailbox(shop.sender).address).rpartition("@")[2]
            add_digest(connection, shop.id, day, recipient, since, now, new_message_id(domain, os.urandom))

    # --- sending ------------------------------------------------------------------------------------

    async def _one(self, digest: DueDigest, token: str, now: datetime) -> None:
        shop = next((one for one in self.shops if one.id == digest.shop and digest.recipient in one.to), None)
        if digest.state == "sending":
            # We died after it was committed that it leaves: the server may have it.
            await self._end(digest, token, now, "unconfirmed", "died_while_sending")
        elif shop is None:
            await self._end(digest, token, now, "failed", "no longer configured")
        elif digest.day < now.astimezone(self.zone).date():
            await self._end(digest, token, now, "expired", "its day is over")
        else:
            await self._send(shop, digest, token, now)

    async def _send(self, shop: DigestShop, digest: DueDigest, token: str, now: datetime) -> None:
        live = live_at(shop.live_from, self.zone)
        facts = await self.database.read(lambda c: digest_facts(c, shop.id, digest.since, digest.until, live))
        if facts.is_empty and shop.skip_empty:
            await self._end(digest, token, now, "skipped", "nothing to tell")
            return
        data = self._mail(shop, digest, facts)

        async def leaving() -> None:
            values = {"state": "sending", "sending_at": now, "body": zlib.compress(data, 6)}
            save = partial(save_digest, digest_id=digest.id, values=values, token=token, keep_lease=True)
            if not await self.database.write(save):
                raise LeaseLost

        sender = parse_mailbox(shop.sender).address
        try:
            outcome = await self.transport.submit(sender, digest.recipient, data, before_data=leaving)
        except LeaseLost:
            return
        await self._settle(digest, outcome, token, now)

    def _mail(self, shop: DigestShop, digest: DueDigest, facts: DigestFacts) -> bytes:
        said = digest_text(facts, head_of(shop, digest.day, digest.since, digest.until, self.zone))
        return build_message(
            Rendered(said.subject, said.text, said.html),
            sender=shop.sender,
            reply_to=None,
            recipient=digest.recipient,
            recipient_name=None,
            message_id=digest.message_id,
            date=digest.until.astimezone(self.zone),
            trigger="digest",
            shop=shop.id,
            entity_ref=f"digest-{shop.id}-{digest.day.isoformat()}",
        )

    async def _settle(self, digest: DueDigest, outcome: Outcome, token: str, now: datetime) -> None:
        if outcome.result is Result.ACCEPTED:
            await self._end(digest, token, now, "sent", None)
        elif outcome.result is Result.UNKNOWN:
            await self._end(digest, token, now, "unconfirmed", outcome.reason)
        elif outcome.result in _AGAIN:
            attempts = digest.attempts + 1
            wait = min(outcome.after or backoff(attempts), LONGEST_WAIT)
            values = {"state": "queued", "attempts": attempts, "next_step_at": now + wait, "reason": outcome.reason}
            await self.database.write(partial(save_digest, digest_id=digest.id, values=values, token=token))
        else:
            await self._end(digest, token, now, "failed", outcome.reason)

    async def _end(self, digest: DueDigest, token: str, now: datetime, state: str, reason: str | None) -> None:
        await self.database.write(partial(self._close, digest=digest, token=token, now=now, state=state, reason=reason))

    def _close(
        self, connection: Connection, digest: DueDigest, token: str, now: datetime, state: str, reason: str | None
    ) -> None:
        values: dict[str, Any] = {"state": state, "next_step_at": None, "reason": reason}
        if state == "sent":
            values["sent_at"] = now
        if not save_digest(connection, digest.id, values, token):
            return
        facts = {"shop": digest.shop, "day": digest.day.isoformat()}
        if state in {"failed", "expired", "unconfirmed"}:
            log.warning("digest.not_sent", state=state, reason=reason, **facts)
        else:
            log.info("digest.settled", state=state, **facts)
        if reason == "no longer configured":
            return
        bad = state in {"failed", "expired"}
        said = f"the digest of {digest.day} for {digest.shop}"
        summary = f"{said} was not sent: {reason}; tracker digest --shop {digest.shop} prints it"
        note = SignalNote(
            f"{NOT_SENT}:{digest.shop}",
            NOT_SENT,
            "warning" if bad else "info",
            summary if bad else f"{said} went its way",
            raised=bad,
            shop=digest.shop,
        )
        if bad or state == "sent":
            signal(connection, [note], now)

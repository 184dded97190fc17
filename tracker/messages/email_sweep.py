"""Sends the e-mails that are due, so that each is provably sent, unconfirmed or queued.

A mail server gives no exactly-once. So: MAIL and RCPT, then `sending` is committed with the Message-ID and the text, then
DATA. A death after that leaves `unconfirmed`: listed, alerted, and sent again at most once, under the same Message-ID, only
where a duplicate is better than silence.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import Connection

from tracker.domain.outcome import Outcome, Result, Scope, backoff, settled
from tracker.domain.words import DeliveryState
from tracker.messages.compose import RULE, VERSION, Composed, Composer, Withheld
from tracker.messages.outcomes import ACCOUNT_PROBE, Settlement, after_outcome, after_unknown, why_no_mail
from tracker.messages.text_watch import TextWatch
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.leases import new_token, put_down
from tracker.store.logs import DecisionNote, SignalNote, log_decisions, signal
from tracker.store.notices import DueDelivery, save_delivery, sent_since, take_due
from tracker.store.tables import Delivery, table
from tracker.store.wake import wake

log = structlog.get_logger(__name__)
BATCH: Final = 50
COMPOSED: Final = 10
"""So many are put into words at once: fewer would cost more looks at the database, more would leave on older facts."""
HOUR: Final = timedelta(hours=1)
CHANNEL: Final = "email"
ACCOUNT_ALERT: Final = "mail:account"


class Transport(Protocol):
    """What hands a message to the mail server."""

    @property
    def server(self) -> str:
        """`host:port`."""

    async def submit(
        self, envelope_from: str, recipient: str, data: bytes, *, before_data: Callable[[], Awaitable[None]]
    ) -> Outcome: ...

    async def close(self) -> None: ...


@dataclass
class Pause:
    """Until when the whole account is left alone. Kept by the process alone: a new one, or a new configuration, tries at once."""

    since: datetime | None = None
    until: datetime | None = None

    def begin(self, outcome: Outcome, attempt: int, now: datetime) -> None:
        """After an outcome that every message would meet."""
        wait = outcome.after
        if wait is None:
            wait = ACCOUNT_PROBE if outcome.result is Result.ACCOUNT_DOWN else min(backoff(attempt), ACCOUNT_PROBE)
        self.since, self.until = now, now + wait

    def holds(self, now: datetime) -> bool:
        """Whether it is not over; a clock that was set back ends it."""
        return self.since is not None and self.until is not None and self.since <= now < self.until


class LeaseLost(Exception):
    """Somebody else took the delivery over before its text left."""


@dataclass(frozen=True)
class EmailSweep:
    """The lane `messages:email`. `per_hour` None: no limit. `redirect_to` takes every message instead, for trials."""

    database: Database
    composer: Composer
    transport: Transport
    per_hour: int | None = None
    redirect_to: str | None = None
    stopping: Callable[[], bool] = lambda: False
    """Whether the engine is being stopped: then the message at hand is the last."""
    pause: Pause = field(default_factory=Pause)
    well: set[str] = field(default_factory=set)
    """Alerts that this process has already called off: once is enough until one is raised again."""

    @cached_property
    def texts(self) -> TextWatch:
        """The texts that hold messages back."""
        return TextWatch(self.composer, CHANNEL)

    async def run(self, now: datetime) -> int:
        """Send what is due; returns how many deliveries were worked on."""
        if self.pause.holds(now):
            return 0
        await self._let_mended_go(now)
        total = 0
        try:
            while not self.stopping() and (room := await self._room(now)):
                token = new_token()
                limit = min(room, BATCH)
                due = await self.database.write(partial(take_due, channel=CHANNEL, now=now, limit=limit, token=token))
                if not due:
                    break
                worked, stop = await self._batch(due, token, now)
                total += worked
                if stop:
                    break
        finally:
            await self.transport.close()
        return total

    async def _let_mended_go(self, now: datetime) -> None:
        """What was held for a text that can be used again leaves in this very pass."""
        if self.texts.tried is None:
            await self.database.read(self.texts.look)
        mended = self.texts.mended()
        if mended:
            await self.database.write(partial(self.texts.release, texts=mended, now=now))

    async def _room(self, now: datetime) -> int:
        """How many may leave now: what the hourly limit leaves."""
        if self.per_hour is None:
            return BATCH
        sent = await self.database.read(lambda c: sent_since(c, CHANNEL, now - HOUR))
        return max(self.per_hour - sent, 0)

    async def _batch(self, due: list[DueDelivery], token: str, now: datetime) -> tuple[int, bool]:
        texts: dict[int, Composed | Withheld] = {}
        for index, delivery in enumerate(due):
            if index % COMPOSED == 0:
                group = due[index : index + COMPOSED]
                texts = await self.database.read(partial(self._texts, deliveries=group, now=now))
            outcome = await self._one(delivery, texts.get(delivery.id), token, now)
            stopped = outcome is not None and _stops_account(outcome)
            if outcome is not None and stopped:
                self.pause.begin(outcome, delivery.attempts + 1, now)
            if stopped or self.stopping():
                rest = [waiting.id for waiting in due[index + 1 :]]
                await self.database.write(partial(put_down, rows=table(Delivery), keys=rest, token=token))
                return index + 1, True
        return len(due), False

    def _texts(
        self, connection: Connection, deliveries: list[DueDelivery], now: datetime
    ) -> dict[int, Composed | Withheld]:
        """What is to be sent now; one that may have left already is not put into words again."""
        fresh = [delivery for delivery in deliveries if delivery.state is not DeliveryState.SENDING]
        return self.composer.compose_all(connection, fresh, now) if fresh else {}

    async def _one(
        self, delivery: DueDelivery, composed: Composed | Withheld | None, token: str, now: datetime
    ) -> Outcome | None:
        """Work on one delivery; the outcome where the server was asked."""
        if composed is None:
            # We died after `sending` was committed: the server may have it.
            settlement = after_unknown(delivery.trigger, delivery.repeated, now)
            await self.database.write(partial(self._settle, delivery=delivery, to=settlement, token=token, now=now))
            return None
        if isinstance(composed, Withheld):
            if delivery.state is DeliveryState.UNCONFIRMED:
                # It may have arrived: whatever holds the second try back does not unsay the first.
                composed = Withheld(DeliveryState.UNCONFIRMED, composed.reason, composed.why)
            await self.database.write(partial(self._withhold, delivery=delivery, why=composed, token=token, now=now))
            return None
        try:
            outcome = await self._submit(delivery, composed, token, now)
        except LeaseLost:
            return None
        attempt = delivery.attempts + 1
        outcome = settled(outcome, attempt)
        settlement = after_outcome(outcome, delivery, backoff(attempt), now)
        await self.database.write(
            partial(
                self._settle,
                delivery=delivery,
                to=settlement,
                token=token,
                now=now,
                outcome=outcome,
                shipments=composed.shipments,
            )
        )
        return outcome

    async def _submit(self, delivery: DueDelivery, composed: Composed, token: str, now: datetime) -> Outcome:
        async def before_data() -> None:
            values = {
                "state": DeliveryState.SENDING.value,
                "sending_at": now,
                "repeated": delivery.repeated or delivery.state is DeliveryState.UNCONFIRMED,
                "subject": composed.subject,
                "body": zlib.compress(composed.data, 6),
            }
            ours = await self.database.write(
                partial(save_delivery, delivery_id=delivery.id, values=values, token=token, keep_lease=True)
            )
            if not ours:
                raise LeaseLost

        recipient = self.redirect_to or delivery.recipient or ""
        return await self.transport.submit(composed.envelope_from, recipient, composed.data, before_data=before_data)

    # --- writing back -------------------------------------------------------------------------------

    def _withhold(
        self, connection: Connection, *, delivery: DueDelivery, why: Withheld, token: str, now: datetime
    ) -> None:
        if why.is_broken_text or why.state is DeliveryState.EXPIRED:
            self.texts.held(connection, delivery, why, now)
        settlement = Settlement(why.state, why.next_step_at, why.reason, why.hold, why.why.value)
        self._settle(connection, delivery=delivery, to=settlement, token=token, now=now)

    def _settle(
        self,
        connection: Connection,
        *,
        delivery: DueDelivery,
        to: Settlement,
        token: str,
        now: datetime,
        outcome: Outcome | None = None,
        shipments: tuple[int, ...] | None = None,
    ) -> None:
        values: dict[str, Any] = {
            "state": to.state.value,
            "next_step_at": to.next_step_at,
            "hold_reason": to.hold.value if to.hold else None,
            "reason": to.reason or None,
        }
        if outcome is not None:
            values["attempts"] = delivery.attempts + (0 if outcome.result is Result.THROTTLED else 1)
            values["provider_id"] = outcome.provider_id
        if to.state is DeliveryState.SENT:
            values["sent_at"] = now
        if not save_delivery(connection, delivery.id, values, token=token):
            return
        seen = {
            "why": to.why or to.reason,
            "attempt": delivery.attempts + 1,
            "reply": outcome.reply if outcome else None,
            "next_step_at": to.next_step_at.isoformat() if to.next_step_at else None,
        }
        note = DecisionNote(delivery.shop, "message", delivery.id, RULE, VERSION, to.state.value, to.reason, seen)
        # Held again after a person let it go is news, also where the reason is the same.
        (log_changes if to.state is delivery.state else log_decisions)(connection, [note], now)
        self._signal(connection, delivery, to, outcome, now)
        facts = {"message_id": delivery.id, "trigger": delivery.trigger.value}
        if to.state is DeliveryState.SENT:
            log.info("message.sent", **facts)
        elif to.state is DeliveryState.UNCONFIRMED:
            log.warning("message.unconfirmed", **facts)
        else:
            log.info("message.settled", state=to.state.value, reason=to.reason, **facts)
        if to.state in {DeliveryState.SENT, DeliveryState.UNCONFIRMED}:
            # What was told decides what is told next (a delivery, where a problem was told).
            told = self.composer.shipments(connection, delivery) if shipments is None else shipments
            wake(connection, "messages", told, now)

    def _signal(
        self, connection: Connection, delivery: DueDelivery, to: Settlement, outcome: Outcome | None, now: datetime
    ) -> None:
        notes = []
        if to.state is DeliveryState.UNCONFIRMED:
            summary = f"message {delivery.id} ({delivery.trigger.value}) left and was never confirmed"
            key, details = f"unconfirmed:{delivery.id}", {"message_id": delivery.id}
            notes.append(
                SignalNote(key, "message_unconfirmed", "warning", summary, shop=delivery.shop, details=details)
            )
        if outcome is not None and _is_outage(outcome):
            summary = f"the mail server {self.transport.server} takes no mail: {why_no_mail(outcome)}"
            notes.append(SignalNote(ACCOUNT_ALERT, "mail_down", "critical", summary))
            self.well.discard(ACCOUNT_ALERT)
        if to.state is DeliveryState.SENT:
            notes += self._call_off(ACCOUNT_ALERT, "mail_down", "mail leaves again", "")
            notes += self.texts.over(delivery.shop, delivery.trigger)
            if delivery.state is DeliveryState.UNCONFIRMED:
                key, settled_by = f"unconfirmed:{delivery.id}", "the server took the second copy"
                notes.append(
                    SignalNote(key, "message_unconfirmed", "info", settled_by, raised=False, shop=delivery.shop)
                )
        signal(connection, notes, now)

    def _call_off(self, key: str, kind: str, summary: str, shop: str) -> list[SignalNote]:
        if key in self.well:
            return []
        self.well.add(key)
        return [SignalNote(key, kind, "info", summary, raised=False, shop=shop)]


def _is_outage(outcome: Outcome) -> bool:
    """Whether a person should know: a server that is not there or refuses us, not one that asks for patience."""
    return _stops_account(outcome) and outcome.result is not Result.THROTTLED


def _stops_account(outcome: Outcome) -> bool:
    """Whether the next message would fare the same: then the others are left alone for now."""
    return outcome.scope in {Scope.ACCOUNT, Scope.SENDER} and outcome.result is not Result.ACCEPTED

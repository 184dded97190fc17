"""Writes back what became of each e-mail: how it stands, what that says of its account and address, and who must know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection

from tracker import metrics
from tracker.domain.mail_account import costs_no_attempt, is_shared, works
from tracker.domain.mail_address import BadAddress, address_key
from tracker.domain.outcome import Outcome, Result
from tracker.domain.suppression import SOFT, reason_to_suppress
from tracker.domain.words import DeliveryState, Hold
from tracker.messages.compose import RULE, VERSION, Composer, WhyWithheld, Withheld
from tracker.messages.mail_accounts import MailAccount, MailAccounts, Switchboard
from tracker.messages.outcomes import Settlement
from tracker.messages.text_watch import TextWatch
from tracker.store.contexts import orders_of
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.deliveries import DueDelivery, save_delivery
from tracker.store.logs import DecisionNote, SignalNote, log_decisions, signal
from tracker.store.suppressions import soft_failures, suppress
from tracker.store.wake import wake

log = structlog.get_logger(__name__)
T = TypeVar("T")
ALONE_S: Final = 0.05
"""So long what a server took may wait for the next message's transaction; then it has one of its own."""


class Settling:
    """What a server took is written down in the transaction that says that the next message leaves: before that one's text.

    Where that is not reached at once, a slow server say, it is written by itself. So a death finds at most one message
    whose answer was heard and not written, as it would with a transaction for each.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: Callable[[Connection], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def begin(self, settle: Callable[[Connection], None]) -> None:
        """Have this written soon; what was begun before is through. Raises what that raised."""
        await self.done()
        self._waiting = settle
        self._timer = asyncio.get_running_loop().call_later(ALONE_S, self._alone)

    async def with_next(self, work: Callable[[Connection], T]) -> T:
        """Write what waits and do *work* in one transaction. Raises what either raised: then neither is written."""
        first = self._taken()
        await self._begun()
        if first is None:
            return await self._database.write(work)

        def both(connection: Connection) -> T:
            first(connection)
            return work(connection)

        return await self._database.write(both)

    async def done(self) -> None:
        """Have it written. Raises what the writing raised."""
        waiting = self._taken()
        await self._begun()
        if waiting is not None:
            await self._database.write(waiting)

    def _taken(self) -> Callable[[Connection], None] | None:
        """What waits, from now on the caller's: it is written once, whoever comes first."""
        if self._timer is not None:
            self._timer.cancel()
        waiting, self._waiting, self._timer = self._waiting, None, None
        return waiting

    def _alone(self) -> None:
        waiting = self._taken()
        if waiting is not None:
            self._task = asyncio.create_task(self._database.write(waiting))

    async def _begun(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            await task


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: the account that was asked last, and the shipments that the message tells of."""

    outcome: Outcome
    account: MailAccount
    board: Switchboard
    shipments: tuple[int, ...]


@dataclass(frozen=True)
class EmailBook:
    """Where it is written what became of each e-mail. `redirect_to` takes every message instead of the customer, for trials."""

    composer: Composer
    mail: MailAccounts
    texts: TextWatch
    redirect_to: str | None = None

    def to(self, delivery: DueDelivery) -> str:
        """The address that a delivery goes to; empty where it has none."""
        return self.redirect_to or delivery.recipient or ""

    def key(self, delivery: DueDelivery) -> str:
        """What that address is listed under; empty where it is none."""
        try:
            return address_key(self.to(delivery))
        except BadAddress:
            return ""

    def withhold(
        self, connection: Connection, *, delivery: DueDelivery, why: Withheld, token: str, now: datetime
    ) -> None:
        """It does not leave now, for a reason of ours."""
        if why.is_broken_text or why.state is DeliveryState.EXPIRED:
            self.texts.held(connection, delivery, why, now)
        if why.why is WhyWithheld.ADDRESS_CHANGED:
            wake(connection, "messages", self.composer.shipments(connection, delivery), now)
        settlement = Settlement(why.state, why.next_step_at, why.reason, why.hold, why.why.value, why.cause)
        self.settle(connection, delivery=delivery, to=settlement, token=token, now=now)

    def settle(
        self,
        connection: Connection,
        *,
        delivery: DueDelivery,
        to: Settlement,
        token: str,
        now: datetime,
        answer: Answer | None = None,
    ) -> None:
        """How it stands after a try (*answer*), or without one; nothing where somebody else has taken it over."""
        outcome = answer.outcome if answer else None
        values: dict[str, Any] = {
            "state": to.state.value,
            "next_step_at": to.next_step_at,
            "hold_reason": to.hold.value if to.hold else None,
            "reason": to.reason or None,
        }
        if answer is not None:
            values["attempts"] = delivery.attempts + (0 if costs_no_attempt(answer.outcome) else 1)
            values["provider_id"] = answer.outcome.provider_id
            values["account"], values["sent_to"] = answer.account.name, self.key(delivery)
        if to.state is DeliveryState.SENT:
            values["sent_at"] = now
        if not save_delivery(connection, delivery.id, values, token=token):
            return
        seen = _seen(delivery, to, answer)
        note = DecisionNote(delivery.shop, "message", delivery.id, RULE, VERSION, to.state.value, to.reason, seen)
        # Held again after a person let it go is news, also where the reason is the same.
        (log_changes if to.state is delivery.state else log_decisions)(connection, [note], now)
        if answer is not None:
            self._learn(connection, delivery, to, answer)
        self._signal(connection, delivery, to, outcome, now)
        metrics.message_moved(delivery.trigger.value, to.state.value)
        facts = {"message_id": delivery.id, "trigger": delivery.trigger.value}
        if to.state is DeliveryState.SENT:
            log.info("message.sent", **facts)
        elif to.state is DeliveryState.UNCONFIRMED:
            log.warning("message.unconfirmed", **facts)
        else:
            log.info("message.settled", state=to.state.value, reason=to.reason, **facts)
        if to.state in {DeliveryState.SENT, DeliveryState.UNCONFIRMED}:
            # What was told decides what is told next (a delivery, where a problem was told).
            told = answer.shipments if answer else self.composer.shipments(connection, delivery)
            wake(connection, "messages", told, now)

    def _learn(self, connection: Connection, delivery: DueDelivery, to: Settlement, answer: Answer) -> None:
        """What an answer says of the account and of the address."""
        outcome, now = answer.outcome, answer.board.now
        if works(outcome):
            self.mail.answered(connection, answer.board, answer.account, delivery.shop)
        key = self.key(delivery)
        if to.next_step_at is not None or not key or self.redirect_to is not None:
            return
        suppress_after(connection, delivery, key, outcome, source="smtp", now=now)

    def _signal(
        self, connection: Connection, delivery: DueDelivery, to: Settlement, outcome: Outcome | None, now: datetime
    ) -> None:
        notes = []
        if to.state is DeliveryState.UNCONFIRMED:
            found = orders_of(connection, [delivery.order_id]).get(delivery.order_id)
            number = found.number if found is not None else None
            named = f" of order {number}" if number is not None else ""
            summary = (
                f"message M{delivery.id} ({delivery.trigger.value}){named} left and was never confirmed; its Message-ID is"
                f" {delivery.message_id}"
            )
            details = {"message_id": delivery.id, "smtp_message_id": delivery.message_id, "order": number}
            key = f"unconfirmed:{delivery.id}"
            notes.append(
                SignalNote(key, "message_unconfirmed", "warning", summary, shop=delivery.shop, details=details)
            )
        if outcome is not None and to.hold is Hold.TEMPLATE:
            self.texts.refused(connection, delivery, outcome, now)
        if to.state is DeliveryState.SENT:
            notes += self.texts.over(delivery.shop, delivery.trigger)
            if delivery.state is DeliveryState.UNCONFIRMED:
                key, settled_by = f"unconfirmed:{delivery.id}", "the server took the second copy"
                notes.append(
                    SignalNote(key, "message_unconfirmed", "info", settled_by, raised=False, shop=delivery.shop)
                )
        signal(connection, notes, now)


def suppress_after(
    connection: Connection, delivery: DueDelivery, key: str, outcome: Outcome, *, source: str, now: datetime
) -> bool:
    """Put the address of a delivery that has ended on the list, where its outcome says so; whether it was.

    *key* is the address as `address_key` gives it. A complaint is one shop's affair, a dead mailbox everybody's.
    """
    before = soft_failures(connection, delivery.channel, key, delivery.id) if outcome.reason in SOFT else 0
    reason = reason_to_suppress(outcome, before)
    if reason is None:
        return False
    added = suppress(
        connection,
        channel=delivery.channel,
        address=key,
        shop=delivery.shop if outcome.result is Result.BLOCKED else "",
        reason=reason,
        evidence=outcome.reply or reason,
        source=source,
        at=now,
        delivery_id=delivery.id,
    )
    if added is not None:
        log.info("address.suppressed", message_id=delivery.id, reason=reason, source=source)
    return added is not None


def _seen(delivery: DueDelivery, to: Settlement, answer: Answer | None) -> dict[str, Any]:
    """What the log keeps of an attempt: why it ended so, and when it is tried again."""
    circuit = answer.board.of(answer.account) if answer and is_shared(answer.outcome) else None
    again = circuit.until if circuit else to.next_step_at
    return {
        "why": to.why or to.reason,
        "attempt": delivery.attempts + 1,
        "reply": answer.outcome.reply if answer else None,
        "next_step_at": again.isoformat() if again else None,
        **({"account": answer.account.name} if answer else {}),
        **({"against": to.cause} if to.cause else {}),
    }

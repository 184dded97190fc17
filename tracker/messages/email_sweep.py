"""Sends the e-mails that are due, so that each is provably sent, unconfirmed or queued.

A mail server gives no exactly-once. So: MAIL and RCPT, then `sending` is committed with the Message-ID and the text, then
DATA. A death after that leaves `unconfirmed`: listed, alerted, and sent again at most once, under the same Message-ID, only
where a duplicate is better than silence. A message goes to the next account only where the one before has said, or shown by
a connection lost before the text, that it did not take it.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from tracker import metrics
from tracker.domain.mail_account import HOUR, costs_no_attempt, is_shared, judged, works
from tracker.domain.mail_address import BadAddress, address_key
from tracker.domain.outcome import Outcome, Result, backoff, settled
from tracker.domain.suppression import REASON, SOFT, reason_to_suppress
from tracker.domain.words import DeliveryState, Hold
from tracker.messages.compose import RULE, VERSION, Composed, Composer, WhyWithheld, Withheld
from tracker.messages.mail_accounts import MailAccount, MailAccounts, Switchboard
from tracker.messages.outcomes import Settlement, after_outcome, after_unknown
from tracker.messages.text_watch import TextWatch
from tracker.store.contexts import orders_of
from tracker.store.database import Database
from tracker.store.decisions import log_changes
from tracker.store.deliveries import DueDelivery, let_go, refused_for_policy, save_delivery, take_due
from tracker.store.leases import new_token, put_down
from tracker.store.logs import DecisionNote, SignalNote, log_decisions, signal
from tracker.store.mail import spend
from tracker.store.suppressions import SuppressionRow, soft_failures, suppress, suppressed
from tracker.store.tables import Delivery, table
from tracker.store.wake import wake

log = structlog.get_logger(__name__)
BATCH: Final = 50
COMPOSED: Final = 10
"""So many are put into words at once: fewer would cost more looks at the database, more would leave on older facts. One leaves
at most one and a half times as many messages after its facts were read."""
CHANNEL: Final = "email"


class Settling:
    """What a server took is written down while the next message is announced to it, and before that one's text leaves.

    So a death finds at most one message whose answer was heard and not written, as it would without.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def begin(self, writing: Coroutine[Any, Any, None]) -> None:
        """Write from now on; what was begun before is through. Raises what that raised."""
        await self.done()
        self._task = asyncio.create_task(writing)

    async def done(self) -> None:
        """Wait until it is written. Raises what the writing raised."""
        task, self._task = self._task, None
        if task is not None:
            await task


class LeaseLost(Exception):
    """Somebody else took the delivery over before its text left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: the account that was asked last, and the shipments that the message tells of."""

    outcome: Outcome
    account: MailAccount
    board: Switchboard
    shipments: tuple[int, ...]


@dataclass(frozen=True)
class EmailSweep:
    """The lane `messages:email`. `redirect_to` takes every message instead of the customer, for trials."""

    database: Database
    composer: Composer
    mail: MailAccounts
    redirect_to: str | None = None
    stopping: Callable[[], bool] = lambda: False
    """Whether the engine is being stopped: then the message at hand is the last."""

    @cached_property
    def texts(self) -> TextWatch:
        """The texts that hold messages back."""
        return TextWatch(self.composer, CHANNEL)

    def forget(self) -> None:
        """Another process has sent since: which texts hold messages back is asked anew."""
        self.texts.forget()

    async def run(self, now: datetime) -> int:
        """Send what is due; returns how many deliveries were worked on."""
        if self.mail.wants_tidying(now):
            await self.database.write(lambda c: self.mail.tidy(c, now))
        board = await self.database.read(lambda c: self.mail.look(c, now))
        for account in board.to_probe():
            await self._probe(account, board)
        if self._may_take(board) is None:
            return await self._settle_stale(board)
        await self._let_mended_go(now)
        total, most = 0, board.allowance()
        try:
            while not self.stopping() and (may := self._may_take(board)) is not None and (most is None or total < most):
                token = new_token()
                due = await self.database.write(partial(self._take, may=may, now=now, token=token))
                if not due:
                    break
                total += await self._batch(due, token, board)
        finally:
            for account in self.mail.accounts:
                await account.transport.close()
        return total

    async def _probe(self, account: MailAccount, board: Switchboard) -> None:
        """Log in to an account that was down: it is told when it is back, whether or not a message waits for it."""
        outcome = await account.transport.probe()
        if outcome.result is Result.ACCEPTED:
            await self.database.write(lambda c: self.mail.answered(c, board, account, ""))
        else:
            await self.database.write(lambda c: self.mail.failed(c, board, account, "", outcome))

    async def _settle_stale(self, board: Switchboard) -> int:
        """While nothing can leave: what is too old by now ends, so that nobody believes that it still waits."""
        total = 0
        while not self.stopping():
            token = new_token()
            take = partial(take_due, channel=CHANNEL, now=board.now, limit=BATCH, token=token, stale=True)
            due = await self.database.write(take)
            if not due:
                break
            total += await self._batch(due, token, board)
        return total

    async def _let_mended_go(self, now: datetime) -> None:
        """What was held for a text that can be used again leaves in this very pass."""
        if self.texts.tried is None:
            await self.database.read(self.texts.look)
        mended = self.texts.mended()
        if mended:
            await self.database.write(partial(self.texts.release, texts=mended, now=now))

    def _may_take(self, board: Switchboard) -> tuple[int, list[str]] | None:
        """How many to take up, and the shops whose messages no account takes now; None where nothing can leave."""
        shops, limit = list(self.composer.senders), board.limit(BATCH)
        silent = board.silent(shops)
        return (limit, silent) if limit > 0 and len(silent) < len(shops) else None

    @staticmethod
    def _take(connection: Connection, may: tuple[int, list[str]], now: datetime, token: str) -> list[DueDelivery]:
        limit, silent = may
        return take_due(connection, CHANNEL, now=now, limit=limit, token=token, but_for=silent)

    async def _batch(self, due: list[DueDelivery], token: str, board: Switchboard) -> int:
        """Work on what was taken up; what no account takes any more is put down again. Returns how many were worked on."""
        left: list[int] = []
        settling, words = Settling(), _Words(self, due, board.now)
        try:
            for place, delivery in enumerate(due):
                if self.stopping():
                    left += [waiting.id for waiting in due[place:]]
                    break
                if not await self._one(delivery, await words.of(place), token, board, settling):
                    left.append(delivery.id)
        finally:
            await words.drop()
            await settling.done()
        if left:
            await self.database.write(partial(put_down, rows=table(Delivery), keys=left, token=token))
        return len(due) - len(left)

    def texts_of(
        self, connection: Connection, deliveries: list[DueDelivery], now: datetime
    ) -> dict[int, Composed | Withheld]:
        """What is to be sent now; one that may have left already is not put into words again."""
        fresh = [delivery for delivery in deliveries if delivery.state is not DeliveryState.SENDING]
        if not fresh:
            return {}
        keys = {delivery.id: self._key(delivery) for delivery in fresh}
        listed = suppressed(connection, CHANNEL, [key for key in keys.values() if key])
        texts = self.composer.compose_all(connection, fresh, now)
        for delivery in fresh:
            against = [row for row in listed.get(keys[delivery.id], ()) if row.shop in {"", delivery.shop}]
            if against and isinstance(texts[delivery.id], Composed):
                texts[delivery.id] = _not_to_be_told(against[0])
        return texts

    def _to(self, delivery: DueDelivery) -> str:
        return self.redirect_to or delivery.recipient or ""

    def _key(self, delivery: DueDelivery) -> str:
        """What the address is listed under; empty where it is none."""
        try:
            return address_key(self._to(delivery))
        except BadAddress:
            return ""

    async def _one(
        self,
        delivery: DueDelivery,
        composed: Composed | Withheld | None,
        token: str,
        board: Switchboard,
        settling: Settling,
    ) -> bool:
        """Work on one delivery; False where no account takes it now and nothing was done."""
        now = board.now
        if composed is None:
            # We died after `sending` was committed: the server may have it.
            settlement = after_unknown(delivery.trigger, delivery.repeated, now)
            await self.database.write(partial(self._settle, delivery=delivery, to=settlement, token=token, now=now))
            return True
        if isinstance(composed, Withheld):
            if delivery.state is DeliveryState.UNCONFIRMED:
                # It may have arrived: whatever holds the second try back does not unsay the first.
                composed = Withheld(DeliveryState.UNCONFIRMED, composed.reason, composed.why, cause=composed.cause)
            await self.database.write(partial(self._withhold, delivery=delivery, why=composed, token=token, now=now))
            return True
        try:
            outcome, account = await self._by_any_account(delivery, composed, token, board, settling)
        except LeaseLost:
            return True
        if outcome is None or account is None:
            return False
        attempt = delivery.attempts + 1
        metrics.mail_answered(outcome.result.value)
        outcome = settled(outcome, attempt)
        settlement = after_outcome(outcome, delivery, backoff(attempt), now)
        answer = Answer(outcome, account, board, composed.shipments)
        settle = partial(self._settle, delivery=delivery, to=settlement, token=token, now=now, answer=answer)
        await settling.begin(self.database.write(settle))
        if outcome.result is not Result.ACCEPTED:
            # It may change which account is chosen next.
            await settling.done()
        return True

    async def _by_any_account(
        self, delivery: DueDelivery, composed: Composed, token: str, board: Switchboard, settling: Settling
    ) -> tuple[Outcome | None, MailAccount | None]:
        """Try the accounts in turn until one takes it, refuses only this message, or leaves us without an answer."""
        outcome: Outcome | None = None
        account: MailAccount | None = None
        while not (outcome and self.stopping()) and (chosen := board.choose(delivery.shop)) is not None:
            account = chosen
            if account.pace is not None:
                await account.pace.take()
            outcome = await self._submit(account, delivery, composed, token, board, settling)
            if outcome.reason == "policy" and outcome.result is Result.BAD_CONTENT:
                outcome = await self.database.write(
                    partial(self._whose_fault, delivery=delivery, outcome=outcome, account=account, board=board)
                )
            if not is_shared(outcome):
                break
            fail = partial(self.mail.failed, board=board, account=account, shop=delivery.shop, outcome=outcome)
            await self.database.write(fail)
        return outcome, account

    async def _submit(
        self,
        account: MailAccount,
        delivery: DueDelivery,
        composed: Composed,
        token: str,
        board: Switchboard,
        settling: Settling,
    ) -> Outcome:
        def begin(connection: Connection) -> bool:
            values = {
                "state": DeliveryState.SENDING.value,
                "sending_at": board.now,
                "repeated": delivery.repeated or delivery.state is DeliveryState.UNCONFIRMED,
                "subject": composed.subject,
                "body": zlib.compress(composed.data, 6),
                "promised_on": composed.promised_on,
                "account": account.name,
                "sent_to": self._key(delivery),
            }
            ours = save_delivery(connection, delivery.id, values, token=token, keep_lease=True)
            if ours:
                spend(connection, account.name, board.now)
            return ours

        async def before_data() -> None:
            await settling.done()
            if not await self.database.write(begin):
                raise LeaseLost
            board.given(account)

        recipient = self._to(delivery)
        return await account.transport.submit(composed.envelope_from, recipient, composed.data, before_data=before_data)

    def _whose_fault(
        self, connection: Connection, delivery: DueDelivery, outcome: Outcome, account: MailAccount, board: Switchboard
    ) -> Outcome:
        """A refusal for policy is the text's fault, or, with several texts refused, the account's: then they wait for it."""
        refused = refused_for_policy(connection, CHANNEL, account.name, board.now - HOUR)
        texts = {(delivery.shop, delivery.trigger), *refused.values()}
        found = judged(outcome, board.of(account), len(texts))
        if found.result is not Result.BAD_CONTENT:
            let_go(connection, refused, board.now)
            signal(connection, [note for text in texts for note in self.texts.over(*text)], board.now)
        return found

    # --- writing back -------------------------------------------------------------------------------

    def _withhold(
        self, connection: Connection, *, delivery: DueDelivery, why: Withheld, token: str, now: datetime
    ) -> None:
        if why.is_broken_text or why.state is DeliveryState.EXPIRED:
            self.texts.held(connection, delivery, why, now)
        if why.why is WhyWithheld.ADDRESS_CHANGED:
            wake(connection, "messages", self.composer.shipments(connection, delivery), now)
        settlement = Settlement(why.state, why.next_step_at, why.reason, why.hold, why.why.value, why.cause)
        self._settle(connection, delivery=delivery, to=settlement, token=token, now=now)

    def _settle(
        self,
        connection: Connection,
        *,
        delivery: DueDelivery,
        to: Settlement,
        token: str,
        now: datetime,
        answer: Answer | None = None,
    ) -> None:
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
            values["account"], values["sent_to"] = answer.account.name, self._key(delivery)
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
        key = self._key(delivery)
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


class _Words:
    """The texts of a batch, put into words a group at a time: the next group's while the present one's second half leaves."""

    def __init__(self, sweep: EmailSweep, due: Sequence[DueDelivery], now: datetime) -> None:
        self._sweep, self._due, self._now = sweep, due, now
        self._texts: Mapping[int, Composed | Withheld] = {}
        self._next: asyncio.Task[dict[int, Composed | Withheld]] | None = None

    async def of(self, place: int) -> Composed | Withheld | None:
        """What is to be sent at this place of the batch; places are asked for in turn. None: it may have left already."""
        within = place % COMPOSED
        if within == 0:
            self._texts = await (self._next or self._begin(place))
            self._next = None
        if within == COMPOSED // 2 and place - within + COMPOSED < len(self._due):
            self._next = self._begin(place - within + COMPOSED)
        return self._texts.get(self._due[place].id)

    def _begin(self, start: int) -> asyncio.Task[dict[int, Composed | Withheld]]:
        group = list(self._due[start : start + COMPOSED])
        compose = partial(self._sweep.texts_of, deliveries=group, now=self._now)
        return asyncio.create_task(self._sweep.database.read(compose))

    async def drop(self) -> None:
        """Leave nothing running behind."""
        if self._next is not None:
            await asyncio.gather(self._next, return_exceptions=True)


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


def _not_to_be_told(row: SuppressionRow) -> Withheld:
    why = WhyWithheld.ADDRESS_SUPPRESSED
    return Withheld(DeliveryState.SUPPRESSED, f"{REASON}{row.reason}", why, cause=row.reason)

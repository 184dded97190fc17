"""Sends the e-mails that are due, so that each is provably sent, unconfirmed or queued.

A mail server gives no exactly-once. So: MAIL and RCPT, then `sending` is committed with the Message-ID and the text, then
DATA. A death after that leaves `unconfirmed`: listed, alerted, and sent again at most once, under the same Message-ID, only
where a duplicate is better than silence. A message goes to the next account only where the one before has said, or shown by
a connection lost before the text, that it did not take it.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Final

from sqlalchemy import Connection

from tracker import metrics
from tracker.domain.mail_account import HOUR, is_shared, judged
from tracker.domain.outcome import Outcome, Result, backoff, settled
from tracker.domain.suppression import REASON
from tracker.domain.words import DeliveryState
from tracker.messages.compose import Composed, Composer, WhyWithheld, Withheld
from tracker.messages.email_settling import Answer, EmailBook, Settling
from tracker.messages.mail_accounts import MailAccount, MailAccounts, Switchboard
from tracker.messages.outcomes import after_outcome, after_unknown
from tracker.messages.text_watch import TextWatch
from tracker.store.database import Database
from tracker.store.deliveries import DueDelivery, let_go, refused_for_policy, save_delivery, take_due
from tracker.store.leases import new_token, put_down
from tracker.store.logs import signal
from tracker.store.mail import spend
from tracker.store.suppressions import SuppressionRow, suppressed
from tracker.store.tables import Delivery, table

BATCH: Final = 50
COMPOSED: Final = 10
"""So many are put into words at once: fewer would cost more looks at the database, more would leave on older facts. One leaves
at most one and a half times as many messages after its facts were read."""
CHANNEL: Final = "email"


class LeaseLost(Exception):
    """Somebody else took the delivery over before its text left."""


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

    @cached_property
    def book(self) -> EmailBook:
        """Where it is written what became of each."""
        return EmailBook(self.composer, self.mail, self.texts, self.redirect_to)

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
        settling, words = Settling(self.database), _Words(self, due, board.now)
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
        """What is to be sent now; one that may have left already is not put into words again.

        What is kept is made here, beside the dialogue with the server: the writer has all the others waiting.
        """
        fresh = [delivery for delivery in deliveries if delivery.state is not DeliveryState.SENDING]
        if not fresh:
            return {}
        keys = {delivery.id: self.book.key(delivery) for delivery in fresh}
        listed = suppressed(connection, CHANNEL, [key for key in keys.values() if key])
        texts = self.composer.compose_all(connection, fresh, now)
        for delivery in fresh:
            text = texts[delivery.id]
            against = [row for row in listed.get(keys[delivery.id], ()) if row.shop in {"", delivery.shop}]
            if isinstance(text, Composed):
                kept = replace(text, packed=zlib.compress(text.data, 6))
                texts[delivery.id] = _not_to_be_told(against[0]) if against else kept
        return texts

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
            await self.database.write(partial(self.book.settle, delivery=delivery, to=settlement, token=token, now=now))
            return True
        if isinstance(composed, Withheld):
            if delivery.state is DeliveryState.UNCONFIRMED:
                # It may have arrived: whatever holds the second try back does not unsay the first.
                composed = Withheld(DeliveryState.UNCONFIRMED, composed.reason, composed.why, cause=composed.cause)
            await self.database.write(
                partial(self.book.withhold, delivery=delivery, why=composed, token=token, now=now)
            )
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
        settle = partial(self.book.settle, delivery=delivery, to=settlement, token=token, now=now, answer=answer)
        await settling.begin(settle)
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
            if outcome.result is not Result.ACCEPTED:
                # What was taken before says that the account works: it must not be written after this one's failure.
                await settling.done()
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
                "body": composed.packed,
                "promised_on": composed.promised_on,
                "account": account.name,
                "sent_to": self.book.key(delivery),
            }
            ours = save_delivery(connection, delivery.id, values, token=token, keep_lease=True)
            if ours:
                spend(connection, account.name, board.now)
            return ours

        async def before_data() -> None:
            if not await settling.with_next(begin):
                raise LeaseLost
            board.given(account)

        recipient = self.book.to(delivery)
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


def _not_to_be_told(row: SuppressionRow) -> Withheld:
    why = WhyWithheld.ADDRESS_SUPPRESSED
    return Withheld(DeliveryState.SUPPRESSED, f"{REASON}{row.reason}", why, cause=row.reason)

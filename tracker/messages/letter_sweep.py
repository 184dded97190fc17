"""Sends claims' letters to carriers, so that each leaves once or a person knows that it may have.

The claims stage writes a step; here it becomes a letter with its Message-ID, drawn before the first attempt. As with every
mail: MAIL and RCPT, then `sending` is committed, then DATA. What comes of it goes back as a fact about the claim; a death after
DATA is `unconfirmed`, and only a person has such a letter sent again, under the same Message-ID.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from tracker.domain.claim_letter import ENDS, LetterOutcome
from tracker.domain.live import LiveFrom, observing
from tracker.domain.mail_account import SHARED, costs_no_attempt, is_shared, works
from tracker.domain.outcome import Outcome, Result, backoff, settled
from tracker.domain.words import DeliveryState
from tracker.messages.email_sweep import LeaseLost
from tracker.messages.letter import TEXTS, LetterBook, Unwritable, WrittenLetter
from tracker.messages.mail_accounts import MailAccount, MailAccounts, Switchboard
from tracker.messages.outcomes import ACCOUNT_PROBE
from tracker.store.claim_facts import LETTER, add_fact
from tracker.store.database import Database
from tracker.store.leases import new_token, put_down
from tracker.store.letters import (
    LetterRow,
    is_still_wanted,
    left_before,
    queue_letter,
    save_letter,
    take_due_letters,
    wanted_letters,
)
from tracker.store.logs import SignalNote, signal
from tracker.store.mail import spend
from tracker.store.tables import Letter, table
from tracker.store.wake import wake_claim

log = structlog.get_logger(__name__)
BATCH: Final = 50
LOOK_AGAIN: Final = timedelta(minutes=15)
"""So often a letter is tried that waits for its text, or for what the claims stage says of it."""
FAILS: Final = frozenset({Result.BAD_ADDRESS, Result.BLOCKED, Result.POLICY_CAP, Result.BAD_CONTENT})
"""What no further attempt changes: a person decides."""
TEXT_BROKEN: Final = "letter_text_broken"
REDIRECTED: Final = "redirected_to"


@dataclass(frozen=True, slots=True)
class _Settlement:
    """How a letter stands after a look, and what the claim hears of it."""

    state: DeliveryState
    next_step_at: datetime | None = None
    reason: str = ""
    told: LetterOutcome | None = None
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of asking the account that was asked last, and whether that one may have been given the text."""

    outcome: Outcome
    account: MailAccount
    was_leaving: bool


@dataclass(frozen=True)
class LetterSweep:
    """The lane `messages:letters`. It leaves by the same accounts, within the same quotas, as the customers' mails."""

    database: Database
    book: LetterBook
    mail: MailAccounts
    message_id: Callable[[str], str]
    """A fresh Message-ID for a shop."""
    live_from: LiveFrom
    redirect_to: str | None = None
    stopping: Callable[[], bool] = lambda: False

    async def run(self, now: datetime) -> int:
        """Take up what the claims stage wants sent, and send what is due; returns how many letters were worked on."""
        await self._take_up(now)
        board = await self.database.read(lambda c: self.mail.look(c, now))
        total = 0
        try:
            while not self.stopping() and (room := board.limit(BATCH)) > 0:
                token = new_token()
                due = await self.database.write(partial(take_due_letters, now=now, limit=room, token=token))
                if not due:
                    break
                left = [one.id for one in due if self.stopping() or not await self._one(one, token, board)]
                total += len(due) - len(left)
                await self.database.write(partial(put_down, rows=table(Letter), keys=left, token=token))
                if left:
                    break
        finally:
            for account in self.mail.accounts:
                await account.transport.close()
        return total

    async def _take_up(self, now: datetime) -> None:
        def take(connection: Connection) -> int:
            wanted = wanted_letters(connection, BATCH)
            for one in wanted:
                queue_letter(connection, one, self.message_id(one.shop), now)
            return len(wanted)

        while await self.database.write(take) == BATCH:
            continue

    async def _one(self, letter: LetterRow, token: str, board: Switchboard) -> bool:
        """Work on one letter; False where no account takes it now and nothing was done."""
        now = board.now
        settle = partial(self._settle, letter=letter, token=token, board=board)
        if letter.state is DeliveryState.SENDING:
            # We died after `sending` was committed: the server may have it.
            unknown = _unconfirmed("no answer came from the mail server")
            await self.database.write(partial(settle, to=unknown))
            return True
        written = await self.database.read(partial(self._written, letter=letter, now=now))
        if isinstance(written, _Settlement):
            await self.database.write(partial(settle, to=written))
            return True
        try:
            answer = await self._by_any_account(letter, written, token, board)
        except LeaseLost:
            await self.database.write(partial(put_down, rows=table(Letter), keys=[letter.id], token=token))
            return True
        if answer is None:
            return False
        attempt = letter.attempts + 1
        to = _after(settled(answer.outcome, attempt), attempt, now, was_leaving=answer.was_leaving)
        await self.database.write(partial(settle, to=to, written=written, answer=answer))
        return True

    async def _by_any_account(
        self, letter: LetterRow, written: WrittenLetter, token: str, board: Switchboard
    ) -> _Answer | None:
        """Try the accounts in turn until one may have been given the text, or refuses only this letter."""
        answer: _Answer | None = None
        while not (answer and self.stopping()) and (account := board.choose(letter.shop)) is not None:
            if account.pace is not None:
                await account.pace.take()
            answer = await self._submit(account, letter, written, token, board)
            if not is_shared(answer.outcome):
                return answer
            fail = partial(self.mail.failed, board=board, account=account, shop=letter.shop, outcome=answer.outcome)
            await self.database.write(fail)
            if answer.was_leaving:
                return answer
        return answer

    def _written(self, connection: Connection, letter: LetterRow, now: datetime) -> WrittenLetter | _Settlement:
        """The letter as it leaves now, or how it stands instead."""
        if not is_still_wanted(connection, letter.step_id):
            return _Settlement(DeliveryState.SUPPRESSED, reason="the claim no longer wants it")
        if observing(letter.shop, self.live_from, self.book.days, now):
            return _Settlement(DeliveryState.QUEUED, now + LOOK_AGAIN, "the shop only observes: nothing leaves")
        other = left_before(connection, letter)
        if other is not None:
            return _failed(f"a letter about this parcel and motive left already, for C{other}")
        facts = self.book.facts(connection, letter.claim_id, letter.part, now)
        if facts is None:
            return _failed("its carrier takes no letters in this configuration")
        if not facts.is_wanted:
            return _Settlement(DeliveryState.QUEUED, now + LOOK_AGAIN, "its day has moved away or it was overtaken")
        try:
            return self.book.write(connection, facts, letter.message_id, now)
        except Unwritable as fault:
            if not fault.waits:
                return _failed(fault.reason)
            return _Settlement(DeliveryState.AWAITING_PERSON, now + LOOK_AGAIN, fault.reason)

    async def _submit(
        self, account: MailAccount, letter: LetterRow, written: WrittenLetter, token: str, board: Switchboard
    ) -> _Answer:
        was_leaving = False

        async def before_data() -> None:
            nonlocal was_leaving
            leaves = partial(self._leaves, letter=letter, written=written, token=token, account=account, now=board.now)
            await self.database.write(leaves)
            board.given(account)
            was_leaving = True

        recipient, copies = self.redirect_to or written.recipient, () if self.redirect_to else written.copies
        outcome = await account.transport.submit(
            written.envelope_from, recipient, written.data, before_data=before_data, copies=copies
        )
        return _Answer(outcome, account, was_leaving)

    def _leaves(
        self,
        connection: Connection,
        *,
        letter: LetterRow,
        written: WrittenLetter,
        token: str,
        account: MailAccount,
        now: datetime,
    ) -> None:
        """Commit that it may be with the server from now on, and tell the claim so; raises LeaseLost where it is not to go."""
        values = {
            "state": DeliveryState.SENDING.value,
            "sending_at": now,
            "recipient": written.recipient,
            "copies": list(written.copies),
            "subject": written.subject,
            "evidence": [one.name for one in written.evidence],
            "body": zlib.compress(written.data, 6),
            "repeated": letter.repeated or letter.sending_at is not None,
        }
        # The claim's row is taken first: whoever calls the letter off does it before this, or sees that it is leaving.
        self._tell(connection, letter, LetterOutcome.LEAVING, "", now)
        wanted = is_still_wanted(connection, letter.step_id)
        if not wanted or not save_letter(connection, letter.id, values, token=token, keep_lease=True):
            raise LeaseLost
        spend(connection, account.name, now)

    # --- writing back -------------------------------------------------------------------------------

    def _settle(
        self,
        connection: Connection,
        *,
        letter: LetterRow,
        to: _Settlement,
        token: str,
        board: Switchboard,
        written: WrittenLetter | None = None,
        answer: _Answer | None = None,
    ) -> None:
        now, outcome = board.now, answer.outcome if answer else None
        values = {"state": to.state.value, "next_step_at": to.next_step_at, "reason": to.reason or None, **to.values}
        if outcome is not None:
            values["attempts"] = letter.attempts + (not costs_no_attempt(outcome))
            values["provider_id"] = outcome.provider_id
        if letter.sending_at is not None:
            # Tried before, and that one may have arrived: what becomes of this try does not unsay it.
            values.pop("sending_at", None)
        if to.state is DeliveryState.SENT:
            values["sent_at"] = now
        if not save_letter(connection, letter.id, values, token=token):
            return
        if to.told is not None:
            self._tell(connection, letter, to.told, to.reason, now, written)
        elif to.state is DeliveryState.QUEUED and outcome is None:
            # The claims stage has not yet said that it wants the letter no more.
            wake_claim(connection, letter.claim_id, now)
        if answer is not None and works(answer.outcome):
            self.mail.answered(connection, board, answer.account, letter.shop)
        signal(connection, self._signals(letter, to), now)
        facts = {"claim_id": letter.claim_id, "part": letter.part, "state": to.state.value}
        if to.state is DeliveryState.SENT:
            log.info("letter.sent", **facts)
        else:
            log.info("letter.settled", reason=to.reason, **facts)

    def _tell(
        self,
        connection: Connection,
        letter: LetterRow,
        outcome: LetterOutcome,
        reason: str,
        now: datetime,
        written: WrittenLetter | None = None,
    ) -> None:
        facts: dict[str, Any] = {"step": letter.step_id, "outcome": outcome.value, "reason": reason}
        if written is not None and outcome is LetterOutcome.SENT:
            facts |= {"to": written.recipient, "message_id": letter.message_id}
            facts |= {"evidence": [one.name for one in written.evidence]}
            if self.redirect_to is not None:
                facts[REDIRECTED] = self.redirect_to
        # A letter may be tried many times, and ends once.
        serial = "" if outcome in ENDS else f":{letter.attempts}:{now.isoformat()}"
        key = f"letter:{letter.step_id}:{outcome.value}{serial}"
        add_fact(connection, letter.claim_id, key=key, kind=LETTER, facts=facts, at=now)

    def _signals(self, letter: LetterRow, to: _Settlement) -> list[SignalNote]:
        text_key = f"letter_text:{letter.shop}:{TEXTS[letter.part]}"
        if to.state is DeliveryState.AWAITING_PERSON:
            return [SignalNote(text_key, TEXT_BROKEN, "warning", f"C{letter.claim_id}: {to.reason}", shop=letter.shop)]
        if letter.state is not DeliveryState.AWAITING_PERSON:
            return []
        mended = "its text can be used again"
        return [SignalNote(text_key, TEXT_BROKEN, "info", mended, raised=False, shop=letter.shop)]


def _after(outcome: Outcome, attempt: int, now: datetime, *, was_leaving: bool) -> _Settlement:
    """How a letter stands after the server was asked."""
    reason = f"{outcome.reason}: {outcome.reply}" if outcome.reply else outcome.reason
    if outcome.result is Result.ACCEPTED:
        return _Settlement(DeliveryState.SENT, told=LetterOutcome.SENT)
    if outcome.result is Result.UNKNOWN:
        return _unconfirmed("the mail server did not answer when it had the letter")
    if outcome.result in FAILS:
        state = DeliveryState.BOUNCED if outcome.result is Result.BAD_ADDRESS else DeliveryState.FAILED
        return _failed(reason, state)
    wait = outcome.after or (ACCOUNT_PROBE if outcome.result is Result.ACCOUNT_DOWN else backoff(attempt))
    if outcome.scope in SHARED:
        wait = min(wait, ACCOUNT_PROBE)
    told = LetterOutcome.BACK if was_leaving else None
    return _Settlement(DeliveryState.QUEUED, now + wait, reason, told, {"sending_at": None})


def _failed(reason: str, state: DeliveryState = DeliveryState.FAILED) -> _Settlement:
    return _Settlement(state, None, reason, LetterOutcome.FAILED, {"sending_at": None})


def _unconfirmed(reason: str) -> _Settlement:
    return _Settlement(DeliveryState.UNCONFIRMED, None, reason, LetterOutcome.UNCONFIRMED)

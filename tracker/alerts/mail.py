"""Alerts by e-mail: one mail a notification, plain text and a short HTML, through the shop's own mail server.

A mail server gives no exactly-once. So, as for customers' messages: MAIL and RCPT, then `sending` is committed, then DATA; a
mail that left without an answer is sent once more under the same Message-ID, since an alert may rather come twice than never.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from tracker.alerts.sinks import Leaving, digest_of
from tracker.domain.alert_kinds import ALERT_KINDS, what_to_do
from tracker.domain.alerting import Tone
from tracker.domain.mail_address import ascii_address
from tracker.domain.outcome import Outcome, Result
from tracker.domain.text import clean
from tracker.messages.email_message import build_message, parse_mailbox
from tracker.messages.smtp import SmtpTransport
from tracker.messages.templates import Rendered
from tracker.store.alerts import Notification

SUBJECT_CHARS: Final = 120
TONES: Final[Mapping[str, str]] = {
    Tone.RAISED: "",
    Tone.WORSENED: "worse: ",
    Tone.RETURNED: "still: ",
    Tone.REMINDER: "still: ",
    Tone.RESOLVED: "over: ",
    Tone.SUMMARY: "held back: ",
}


@dataclass(frozen=True)
class EmailSink:
    """One address. The connection is closed after each mail: alerts are rare."""

    transport: SmtpTransport
    sender: str
    recipient: str
    zone: ZoneInfo

    async def tell(self, note: Notification, now: datetime, leaving: Leaving) -> Outcome:
        """Send one mail."""
        data = self.mail(note)
        sender = parse_mailbox(self.sender).address
        try:
            outcome = await self.transport.submit(sender, self.recipient, data, before_data=leaving)
        finally:
            await self.transport.close()
        if outcome.result is Result.ACCOUNT_DOWN:
            # A password may be mended: no reason to give the address up.
            return Outcome(Result.RETRY, outcome.reason, outcome.reply, outcome.code)
        return outcome

    def mail(self, note: Notification) -> bytes:
        """The whole message; the same for every attempt."""
        domain = ascii_address(parse_mailbox(self.sender).address).rpartition("@")[2]
        # The number alone would come again in another database.
        drawn = digest_of(str(note.id), self.recipient, note.made_at.isoformat())
        return build_message(
            rendered(note, self.zone),
            sender=self.sender,
            reply_to=None,
            recipient=self.recipient,
            recipient_name=None,
            message_id=f"<alert-{note.id}-{drawn}@{domain}>",
            date=note.made_at.astimezone(self.zone),
            trigger="alert",
            shop="",
            entity_ref=f"alert-{note.id}-{drawn}",
        )


def title(note: Notification) -> str:
    """One line."""
    said = note.body
    line = f"[{said['severity']}] {TONES[note.tone]}{said['kind']}: {said['summary']}"
    return clean(line)[:SUBJECT_CHARS]


def rendered(note: Notification, zone: ZoneInfo) -> Rendered:
    """The notification as text and HTML, instants by the shop's clock."""
    blocks = _blocks(note.body, zone)
    text = "\n\n".join("\n".join(lines) for lines in blocks) + "\n"
    html = "".join(f"<p>{'<br>'.join(escape(line) for line in lines)}</p>" for lines in blocks)
    return Rendered(title(note), text, f"<html><body>{html}</body></html>")


def _blocks(said: Mapping[str, Any], zone: ZoneInfo) -> list[list[str]]:
    blocks = [[clean(said["summary"])]]
    several = said["details"].get("alerts")
    for one in several or [said]:
        over = f", over {_local(one['resolved_at'], zone)}" if one["resolved_at"] else ""
        head = f"{one['id']} {one['kind']} ({one['severity']}), since {_local(one['raised_at'], zone)}{over}"
        blocks.append([head, clean(one["summary"])] if several else [head])
    more = said["details"].get("count", 1) - len(several or [said])
    if more > 0:
        blocks.append([f"and {more} more: tracker alerts --open"])
    text = said["details"].get("text")
    if text:
        blocks.append([clean(str(text))])
    for kind in sorted({one["kind"] for one in several or [said] if one["kind"] in ALERT_KINDS}):
        if not said["resolved_at"]:
            blocks.append([f"What to do ({kind}): {what_to_do(kind)}", ALERT_KINDS[kind].portuguese])
    if not said["resolved_at"]:
        blocks.append([f"Quiet until it is over or worse: tracker alerts ack {said['id']} --reason '...'"])
    return blocks


def _local(instant: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(zone):%Y-%m-%d %H:%M}"

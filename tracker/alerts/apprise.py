"""Alerts through Apprise: chats, phones and a hundred other places, each by one URL that is a secret in itself.

Apprise works with blocking calls in threads, so each call runs outside the event loop with a limit. It is an extra: imported
only where a configuration names it.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from tracker.alerts.mail import rendered, title
from tracker.alerts.sinks import Leaving
from tracker.domain.alerting import Tone
from tracker.domain.outcome import Outcome, Result, Scope
from tracker.domain.words import Severity
from tracker.store.alerts import Notification

LIMIT_S: Final = 60.0
_TYPES: Final = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFO: "info"}


@dataclass
class AppriseSink:
    """One URL of Apprise's."""

    url: str = field(repr=False)
    zone: ZoneInfo
    limit_s: float = LIMIT_S
    _going: Future[Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # Their own lines quote addresses, and with them tokens; what came of a call is told by ours.
        for name in ("apprise", "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    async def tell(self, note: Notification, now: datetime, leaving: Leaving) -> Outcome:
        """Hand over once; whether it was taken is all that Apprise says."""
        if self._going is not None and not self._going.done():
            return Outcome(Result.RETRY, "still_busy", scope=Scope.ACCOUNT)
        body = rendered(note, self.zone).text
        is_over = note.tone == Tone.RESOLVED
        kind = "success" if is_over else _TYPES[Severity(note.body["severity"])]
        pool = ThreadPoolExecutor(1, thread_name_prefix="apprise")
        self._going = pool.submit(_hand_over, self.url, title(note), body, kind)
        pool.shutdown(wait=False)
        try:
            taken = await asyncio.wait_for(asyncio.wrap_future(self._going), self.limit_s)
        except TimeoutError:
            return Outcome(Result.RETRY, "timeout", scope=Scope.ACCOUNT)
        except Exception as exc:  # a plugin may raise anything; its words may quote the address
            return Outcome(Result.RETRY, "failed", type(exc).__name__, scope=Scope.ACCOUNT)
        if taken is None:
            return Outcome(Result.ACCOUNT_DOWN, "no_such_service", scope=Scope.ACCOUNT)
        return Outcome(Result.ACCEPTED) if taken else Outcome(Result.RETRY, "refused", scope=Scope.ACCOUNT)


def _hand_over(url: str, heading: str, body: str, kind: str) -> bool | None:
    """None: Apprise does not know this kind of address."""
    import apprise

    service = apprise.Apprise()
    if not service.add(url):
        return None
    return bool(service.notify(body=body, title=heading, notify_type=kind, body_format="text"))

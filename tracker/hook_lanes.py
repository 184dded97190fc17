"""The carriers' hooks of a configuration: who receives, the lane that reads, the addresses. Called by the builders alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from carriers.base import Adapter, HookReceiver, hook_of
from tracker.book import Account, CarrierBook
from tracker.config import Settings
from tracker.domain.calendar import CalendarsBetween
from tracker.engine.base import Lane
from tracker.polling.hooks import HookAccount, HookSweep
from tracker.polling.schedule import PollingPolicy
from tracker.polling.sweep import Recorder
from tracker.store.database import Database

EVERY_S: Final = 5.0
"""What is pushed is news: to look whether there is any is one look into a small index."""


def receivers_of(book: CarrierBook) -> dict[str, HookReceiver]:
    """By account; one without the settings that prove its carrier has none."""
    found = {entry.id: hook_of(entry.adapter) for entry in book.accounts.values()}
    return {carrier: receiver for carrier, receiver in found.items() if receiver is not None}


def hook_lanes(
    book: CarrierBook,
    database: Database,
    recorder: Callable[[Account], Recorder],
    policy: PollingPolicy,
    between: CalendarsBetween,
    stopping: Callable[[], bool],
) -> list[Lane]:
    """One lane for all accounts, where any has a hook."""
    accounts = {
        carrier: HookAccount(receiver, book.accounts[carrier].name, recorder(book.accounts[carrier]))
        for carrier, receiver in receivers_of(book).items()
    }
    if not accounts:
        return []
    sweep = HookSweep(database, accounts, policy, lambda shop: between(shop, None), stopping)
    return [Lane("hooks", sweep.run, EVERY_S)]


def hook_address(settings: Settings, carrier: str) -> str:
    """What the carrier is given: whole where the public address is known, else its path."""
    return f"{(settings.web.public_url or '').rstrip('/')}/hooks/{carrier}"


def why_no_hook(settings: Settings, carrier: str, adapter: Adapter) -> tuple[str, str] | None:
    """What keeps a carrier that could push from reaching this account's hook, and what to do; None where nothing does."""
    if hook_of(adapter) is None:
        return None
    if settings.web.public is None:
        return "it can push, but nobody listens", f"set web.public, and lead {hook_address(settings, carrier)} there"
    if settings.web.public_url is None:
        return "it can push, but its hook's whole address is not known", "set web.public_url"
    return None

"""Contracts that settle lateness by service level: learned from the carrier's own answers, forgotten with a new configuration."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Connection

from tracker.store.claims import reopen_desk, settle_desk
from tracker.store.logs import SignalNote, signal

log = structlog.get_logger(__name__)


def settled(connection: Connection, carrier: str, words: str, digest: str, now: datetime) -> None:
    """The carrier said that its contract settles lateness: no such claim is planned any more, and one alert says so."""
    if not settle_desk(connection, carrier, words, digest, now):
        return
    summary = (
        f"{carrier}: this contract settles lateness by service level ({words}); claims for lateness rest and are kept as "
        "statistics. Write delay_claims: contract, or change the account's configuration to have them tried again"
    )
    signal(connection, [_note(carrier, "warning", summary)], now)
    log.warning("claims.settled_by_contract", carrier=carrier, reason=words)


def reconfigured(connection: Connection, carrier: str, digest: str, now: datetime) -> None:
    """The account runs with this configuration: another one than then ends it."""
    if reopen_desk(connection, carrier, digest, now):
        summary = f"{carrier}: claims for lateness are tried again under a new configuration"
        signal(connection, [_note(carrier, "info", summary, raised=False)], now)


def _note(carrier: str, severity: str, summary: str, *, raised: bool = True) -> SignalNote:
    kind = "claims_by_contract"
    return SignalNote(f"{kind}:{carrier}", kind, severity, summary, raised, details={"carrier": carrier})

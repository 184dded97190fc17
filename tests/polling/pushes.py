"""The fictitious carrier's pushes: bodies, signatures, and an account's desk and lane on a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from tests.carriers.fictitious import FictitiousHook, signature
from tracker.clock import FrozenClock
from tracker.domain.calendar import calendars
from tracker.events.record import record_answers
from tracker.polling.hook_desk import HookDesk, HookReply
from tracker.polling.hooks import HookAccount, HookSweep
from tracker.polling.schedule import PollingPolicy
from tracker.store.database import Database

SECRET = "a-secret-of-the-arrow"
HOOK = FictitiousHook("flecha", SecretStr(SECRET))
DAYS = calendars(ZoneInfo("America/Sao_Paulo"), frozenset({"PR"}), frozenset())


def item(number: str, *events: tuple[int, datetime, str], **more: Any) -> dict[str, Any]:
    """What a push tells of one parcel."""
    told = [
        {"id": serial, "quando": when.isoformat(), "codigo": code, "texto": code, "local": "Natal/RN"}
        for serial, when, code in events
    ]
    return {"numero": number, "eventos": told, **more}


def body(*items: dict[str, Any]) -> bytes:
    return json.dumps({"itens": items}).encode()


def signed(payload: bytes, at: datetime) -> dict[str, str]:
    """The headers of a push that the carrier sent at this instant."""
    when = at.isoformat()
    return {"x-quando": when, "x-assinatura": signature(SECRET, when, payload)}


def desk(database: Database, now: datetime) -> HookDesk:
    return HookDesk(database, {"flecha": HOOK}, FrozenClock(now))


def push(
    database: Database, payload: bytes, now: datetime, *, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> HookReply:
    """One request to the account's hook."""
    given = signed(payload, now) if headers is None else headers
    reply = asyncio.run(desk(database, now).receive("flecha", method, given, "", payload))
    assert reply is not None
    return reply


def sweep(database: Database) -> HookSweep:
    account = HookAccount(HOOK, "flecha", lambda c, answers, now: record_answers(c, "flecha", answers, now=now))
    return HookSweep(database, {"flecha": account}, PollingPolicy(), lambda _shop: DAYS)


def read(database: Database, now: datetime) -> int:
    """The lane, once; returns how many deliveries it read."""
    return asyncio.run(sweep(database).run(now))

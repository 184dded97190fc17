"""What mail accounts keep across restarts: their circuits, and what they were given, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, case, delete, func, select, update

from tracker.domain.mail_account import DAY, HOUR, MINUTE, Circuit
from tracker.store.database import insert_new, upsert
from tracker.store.tables import MailCircuit, MailUse, table

_CIRCUITS, _USES = table(MailCircuit), table(MailUse)
_FIELDS = ("failures", "until", "down_since", "reason", "digest")
Circuits = dict[tuple[str, str], Circuit]
"""By account and shop; the shop is empty for the account as a whole."""


def circuits(connection: Connection) -> Circuits:
    """Every circuit that is not simply well."""
    columns = (_CIRCUITS.c.account, _CIRCUITS.c.shop, *(_CIRCUITS.c[name] for name in _FIELDS))
    return {
        (row[0], row[1]): Circuit(row[2], row[3], row[4], row[5] or "", row[6])
        for row in connection.execute(select(*columns))
    }


def save_circuit(connection: Connection, account: str, shop: str, circuit: Circuit) -> None:
    """Keep how an account, or one shop's sender there, stands."""
    row = {"account": account, "shop": shop, **{name: getattr(circuit, name) for name in _FIELDS}}
    upsert(connection, _CIRCUITS, [row], ["account", "shop"], list(_FIELDS))


def close_circuits(connection: Connection, account: str, shops: Iterable[str]) -> None:
    """It takes mail: of these shops, and (shop `''`) at all."""
    mine = (_CIRCUITS.c.account == account, _CIRCUITS.c.shop.in_(list(shops)))
    connection.execute(delete(_CIRCUITS).where(*mine))


_ONE_MORE: Final = (
    update(_USES)
    .where(_USES.c.account == bindparam("of_account"), _USES.c.minute == bindparam("of_minute"))
    .values(messages=_USES.c.messages + 1)
)


def spend(connection: Connection, account: str, now: datetime) -> None:
    """One more message is given to this account: in the transaction before its text leaves."""
    this = {"of_account": account, "of_minute": now.replace(second=0, microsecond=0)}
    if connection.execute(_ONE_MORE, this).rowcount == 0:
        insert_new(connection, _USES, [{"account": account, "minute": this["of_minute"], "messages": 0}])
        connection.execute(_ONE_MORE, this)


def used(connection: Connection, account: str, now: datetime) -> tuple[int, int]:
    """How many messages it was given within the last hour and the last day; a minute that began before counts whole."""
    begin = _USES.c.minute
    hour = func.sum(case((begin > now - HOUR - MINUTE, _USES.c.messages), else_=0))
    query = select(func.coalesce(hour, 0), func.coalesce(func.sum(_USES.c.messages), 0))
    row = connection.execute(query.where(_USES.c.account == account, begin > now - DAY - MINUTE, begin <= now)).one()
    return int(row[0]), int(row[1])


def forget_uses(connection: Connection, before: datetime) -> None:
    """Minutes that no quota counts any more."""
    connection.execute(delete(_USES).where(_USES.c.minute < before))

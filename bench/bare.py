"""The same work with nothing around it: the yardstick of every ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import aiosmtplib
import httpx
import orjson
from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, String, Table, bindparam, insert, update

from bench.desk import HELD
from bench.parcels import code_of
from bench.rows import SHOP
from tracker.messages.email_message import build_message
from tracker.messages.templates import Templates
from tracker.messages.variables import Value
from tracker.sandbox.correios import CLAIMS_PATH, TOKEN_PATH
from tracker.store.database import Database

BATCH = 50
CLAIMS_A_CALL = 10
Parameter = tuple[str, str | int | float | bool | None]
_METADATA = MetaData()
_ID = BigInteger().with_variant(Integer, "sqlite")
_POLLS = Table(
    "bare_polls",
    _METADATA,
    Column("id", _ID, primary_key=True),
    Column("polled_at", DateTime(timezone=True)),
    Column("next_at", DateTime(timezone=True)),
    Column("protocol", String),
)
EVENTS = Table(
    "bare_events",
    _METADATA,
    Column("id", _ID, primary_key=True),
    Column("shipment_id", _ID),
    Column("occurred_at", DateTime(timezone=True)),
    Column("code", String),
    Column("text", String),
    Column("place", String),
)


def prepare(database: Database, count: int) -> None:
    """Two plain tables without any index but their keys, one row a parcel in the first."""
    with database.begin_write() as connection:
        _METADATA.create_all(connection)
        if count:
            connection.execute(insert(_POLLS), [{"id": number} for number in range(1, count + 1)])


async def poll(database: Database, port: int, numbers: Sequence[int], now: datetime, *, with_news: bool) -> int:
    """Ask for every parcel in batches, decode, and write all rows in one bulk statement; returns how many objects came.

    *with_news* adds one bulk insert: the newest event of every tenth parcel.
    """
    found: list[int] = []
    fresh: list[dict[str, object]] = []
    async with _client(port) as client:
        for start in range(0, len(numbers), BATCH):
            part = numbers[start : start + BATCH]
            params: list[Parameter] = [("codigosObjetos", code_of(number)) for number in part]
            params.append(("resultado", "T"))
            answer = await client.get("/srorastro/v1/objetos", params=params)
            objects = orjson.loads(answer.content)["objetos"]
            found += part
            if with_news:
                fresh += [
                    _event(number, item["eventos"][0], now)
                    for number, item in zip(part[::10], objects[::10], strict=True)
                ]
    rows = [{"key": number, "at": now} for number in found]
    with database.begin_write() as connection:
        statement = update(_POLLS).where(_POLLS.c.id == bindparam("key"))
        connection.execute(statement.values(polled_at=bindparam("at"), next_at=bindparam("at")), rows)
        if fresh:
            connection.execute(insert(EVENTS), fresh)
    return len(found)


def _client(port: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=16, max_keepalive_connections=16)
    # Without certificates: to load them takes longer than some hundred calls.
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, trust_env=False, verify=False)


def _event(number: int, event: Mapping[str, str], now: datetime) -> dict[str, object]:
    place = event["unidade"]["endereco"]["cidade"]  # type: ignore[index]
    return {
        "shipment_id": number,
        "occurred_at": now,
        "code": event["codigo"],
        "text": event["descricao"],
        "place": place,
    }


async def token(port: int) -> str:
    """A token of the claims desk, for `claims`."""
    async with _client(port) as client:
        answer = await client.post(TOKEN_PATH, auth=(HELD.user, HELD.access_code), json={"numero": HELD.posting_card})
    return str(answer.json()["token"])


async def claims(database: Database, port: int, bearer: str, numbers: Sequence[int], now: datetime) -> int:
    """File a claim for each parcel, ten a call, and write the protocol numbers in one bulk statement."""
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json", "Accept-Language": "pt-BR"}
    found: list[dict[str, object]] = []
    async with _client(port) as client:
        for start in range(0, len(numbers), CLAIMS_A_CALL):
            part = numbers[start : start + CLAIMS_A_CALL]
            body = {"contrato": HELD.contract, "cartao": HELD.posting_card, "telefone": "4133330000"}
            content = orjson.dumps(body | {"pedidos": [_claim(number) for number in part]})
            answer = await client.post(f"{CLAIMS_PATH}/cadastra", headers=headers, content=content)
            items = orjson.loads(answer.content)["pi"]
            found += [
                {"key": number, "at": now, "number": item["numero do pi"]}
                for number, item in zip(part, items, strict=True)
            ]
    if not all(row["number"] for row in found):
        raise RuntimeError("the desk did not take every bare claim: the figure would mean nothing")
    with database.begin_write() as connection:
        statement = update(_POLLS).where(_POLLS.c.id == bindparam("key"))
        connection.execute(statement.values(polled_at=bindparam("at"), protocol=bindparam("number")), found)
    return len(found)


def _claim(number: int) -> dict[str, object]:
    return {
        "codigoObjeto": code_of(number),
        "emailResposta": "pi@aurora.example",
        "nomeDestinatario": "Marina Exemplo",
        "codigoMotivoReclamacao": 211,
        "tipoEmbalagem": "C",
        "tipoManifestacao": "I",
    }


async def mail(port: int, numbers: Sequence[int], values: Mapping[str, Value], now: datetime) -> int:
    """Render, build and send a message each, over one connection."""
    templates = Templates(None)
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        for number in numbers:
            recipient = f"cliente{number}@cliente.example"
            own = {**values, "pedido": f"{10_000 + number}", "rastreio": code_of(number)}
            data = build_message(
                templates.render("posted", own, shop=SHOP),
                sender="Loja Aurora <entregas@aurora.example>",
                reply_to="sac@aurora.example",
                recipient=recipient,
                recipient_name="Marina Exemplo",
                message_id=f"<{number:032x}@aurora.example>",
                date=now,
                trigger="posted",
                shop=SHOP,
                entity_ref=f"{number:032x}",
            )
            await client.sendmail("entregas@aurora.example", [recipient], data)
    return len(numbers)

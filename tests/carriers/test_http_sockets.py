"""The same table over real connections: what a mock takes for granted about the library is tried here."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from carriers.base import AnswerLostError, CarrierError, PermanentCarrierError, TransientCarrierError
from tests.carriers.support import http

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(behave: Behaviour) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads a request's head and then does as told; hands out its address and the heads it has seen."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        await behave(writer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", heads
    finally:
        listening.close()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close without a word."""


async def stop_half_way(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()


async def broken_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")
    await writer.drain()


async def bomb(writer: asyncio.StreamWriter) -> None:
    packed = gzip.compress(b"0" * 4_000_000)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)
    await writer.drain()


async def answer(writer: asyncio.StreamWriter) -> None:
    packed = gzip.compress(b'{"ok": true}')
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)
    await writer.drain()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("behave", "for_reads", "calls", "for_writes"),
    [
        pytest.param(hang_up, TransientCarrierError, 3, AnswerLostError, id="hung up"),
        pytest.param(stop_half_way, TransientCarrierError, 3, AnswerLostError, id="stopped half-way"),
        pytest.param(broken_gzip, TransientCarrierError, 3, AnswerLostError, id="broken compression"),
        pytest.param(bomb, PermanentCarrierError, 1, AnswerLostError, id="a small body that unpacks to a big one"),
    ],
)
async def test_failures(
    behave: Behaviour, for_reads: type[CarrierError], calls: int, for_writes: type[CarrierError]
) -> None:
    async with server(behave) as (url, heads):
        client = http(url, max_body_bytes=1_000_000)
        with pytest.raises(CarrierError) as read:
            await client.request_json("GET", "/x", idempotent=True)
        assert (type(read.value), len(heads)) == (for_reads, calls)
        with pytest.raises(CarrierError) as write:
            await client.request_json("POST", "/x", idempotent=False, json={})
        assert (type(write.value), len(heads)) == (for_writes, calls + 1)
        await client.aclose()


@pytest.mark.anyio
async def test_a_closed_port_has_surely_not_been_told() -> None:
    async with server(answer) as (url, _):
        pass
    client = http(url)

    with pytest.raises(TransientCarrierError, match="not sent") as caught:
        await client.request_json("POST", "/x", idempotent=False, json={})

    assert type(caught.value) is TransientCarrierError
    await client.aclose()


@pytest.mark.anyio
async def test_what_goes_over_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with server(answer) as (url, heads):
        client = http(url)
        got = await client.request_json("GET", "/x", idempotent=True, params=[("a", "1"), ("a", "2")])
        await client.aclose()

    assert got.data == {"ok": True}
    assert heads[0].startswith(b"GET /x?a=1&a=2 HTTP/1.1\r\n"), "no proxy of the machine, no HTTP/2"
    assert b"accept: application/json\r\n" in heads[0].lower()


@pytest.mark.anyio
async def test_a_header_that_cannot_be_sent_is_refused_before_it_is_shown() -> None:
    async with server(answer) as (url, heads):
        client = http(url)
        for value in ("hunter2\nX: y", "hünter2"):
            with pytest.raises(PermanentCarrierError, match="credentials") as caught:
                await client.request_json("GET", "/x", idempotent=True, headers={"Authorization": f"Bearer {value}"})
            assert "nter2" not in str(caught.value)
        await client.aclose()

    assert heads == []

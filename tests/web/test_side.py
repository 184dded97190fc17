"""The operator's listener over reloads, in the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.responses import PlainTextResponse

from tests.web.support import free_port, get
from tracker.web.server import ListenerError
from tracker.web.side import ListenerSide

pytestmark = pytest.mark.anyio


@pytest.fixture
async def side() -> AsyncIterator[ListenerSide]:
    failures: list[str] = []
    side = ListenerSide(lambda hosts: PlainTextResponse(" ".join(sorted(hosts))), failures.append)
    yield side
    await side.close()
    assert failures == []


async def said(port: int) -> str:
    return (await asyncio.to_thread(get, port, "/")).text


async def test_it_may_be_called_by_the_name_it_listens_on(side: ListenerSide) -> None:
    port = free_port()
    await side.switch(side.take(f"localhost:{port}"))
    assert "localhost" in (await said(port)).split()


async def test_the_same_address_is_kept(side: ListenerSide) -> None:
    address = f"127.0.0.1:{free_port()}"
    first = side.take(address)
    await side.switch(first)
    assert side.take(address) is first
    await side.switch(first)
    assert await said(int(address.rpartition(":")[2]))


async def test_one_that_is_not_wanted_after_all_is_free_again_and_the_present_one_goes_on(side: ListenerSide) -> None:
    present, wanted = free_port(), f"127.0.0.1:{free_port()}"
    await side.switch(side.take(f"127.0.0.1:{present}"))
    taken = side.take(wanted)
    with pytest.raises(ListenerError):
        side.take(wanted)
    await side.drop(taken)
    await side.drop(side.take(f"127.0.0.1:{present}"))  # the present one itself is not let go
    assert await said(present)
    await side.drop(side.take(wanted))  # it can be had again


async def test_none_is_no_listener(side: ListenerSide) -> None:
    port = free_port()
    await side.switch(side.take(f"127.0.0.1:{port}"))
    await side.switch(side.take(None))
    with pytest.raises(OSError):
        get(port, "/")

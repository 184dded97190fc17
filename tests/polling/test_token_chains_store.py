"""A refresh token that may be used once: its successor is on the disk before anybody uses the access token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carriers.base import Token
from tests.carriers import chained
from tests.carriers.chained import Chain
from tests.end_to_end.support import Start, Trial
from tests.support.schema import prepare
from tracker.clock import FrozenClock
from tracker.errors import UsageError
from tracker.polling.tokens import StoredTokens
from tracker.store.database import Database
from tracker.store.tables import CarrierToken

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHAIN = "digest-of-the-first"


def tokens_of(database: Database, *, anew: bool = False) -> StoredTokens:
    return StoredTokens(database, "elo", FrozenClock(NOW), anew=anew)


def given(value: str, refresh: str | None, origin: str = CHAIN) -> Callable[[], Awaitable[Token]]:
    async def mint() -> Token:
        return Token(value, NOW + timedelta(hours=24), NOW + timedelta(hours=23), refresh=refresh, origin=origin)

    return mint


async def never() -> Token:
    pytest.fail("the carrier was asked once more")


def test_a_chain_outlives_its_tokens(database: Database) -> None:
    async def live() -> None:
        first = await tokens_of(database).get(given("a1", "r1"))
        assert await tokens_of(database).refresh_of(CHAIN) == "r1"
        assert await tokens_of(database).refresh_of("another first token") is None
        assert await tokens_of(database).get(never) == first
        await tokens_of(database).discard(first)
        assert await tokens_of(database).refresh_of(CHAIN) == "r1"
        await tokens_of(database).get(given("a2", "r2"))
        await tokens_of(database).discard(first)  # a newer one stands in its place
        assert (await tokens_of(database).get(never)).value == "a2"
        assert await tokens_of(database).refresh_of(CHAIN) == "r2"

    asyncio.run(live())


@pytest.mark.parametrize(
    ("origin", "refresh", "kept"),
    [
        pytest.param(CHAIN, None, "r1", id="a carrier that gives no new one means the last one still"),
        pytest.param("another", "x1", None, id="another first token begins another chain"),
        pytest.param("another", None, None, id="also one that was given no refresh token yet"),
        pytest.param("", None, None, id="an account that needs none any more"),
    ],
)
def test_the_next_token_goes_on_with_the_chain_or_ends_it(
    database: Database, origin: str, refresh: str | None, kept: str | None
) -> None:
    async def live() -> None:
        first = await tokens_of(database).get(given("a1", "r1"))
        await tokens_of(database).discard(first)
        await tokens_of(database).get(given("a2", refresh, origin))
        assert await tokens_of(database).refresh_of(CHAIN) == kept
        assert await tokens_of(database).refresh_of(origin) == (kept if origin == CHAIN else refresh)

    asyncio.run(live())


def test_what_the_database_would_not_take_is_kept_by_the_next_call(database: Database) -> None:
    """The old refresh token is used up: without its successor a person would have to give the account a new one."""

    async def live() -> None:
        tokens = tokens_of(database)

        async def mint() -> Token:
            database.closed_because = "no room"
            return await given("a1", "r1")()

        with pytest.raises(UsageError, match="no room"):
            await tokens.get(mint)
        assert await tokens.refresh_of(CHAIN) is None
        database.closed_because = None
        assert (await tokens.get(never)).value == "a1"
        assert await tokens_of(database).refresh_of(CHAIN) == "r1"

    asyncio.run(live())


def test_a_caller_that_is_cut_off_loses_no_token(database: Database) -> None:
    async def live() -> None:
        asked, answered = asyncio.Event(), asyncio.Event()

        async def mint() -> Token:
            asked.set()
            await answered.wait()
            return await given("a1", "r1")()

        caller = asyncio.create_task(tokens_of(database).get(mint))
        await asked.wait()
        caller.cancel()
        asyncio.get_running_loop().call_soon(answered.set)
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert (await tokens_of(database).get(never)).refresh == "r1"

    asyncio.run(live())


def test_to_prove_a_credential_takes_a_new_token_only_where_that_costs_nothing(database: Database) -> None:
    async def live() -> None:
        await tokens_of(database).get(given("a1", None, ""))
        assert (await tokens_of(database, anew=True).get(given("a2", None, ""))).value == "a2"
        assert (await tokens_of(database).get(never)).value == "a2"
        await tokens_of(database, anew=True).get(given("a3", "r1"))
        assert (await tokens_of(database, anew=True).get(never)).value == "a3"

    asyncio.run(live())


@pytest.fixture
def carrier() -> Iterator[Chain]:
    with chained.chain() as made:
        yield made


def with_chain(trial: Trial, carrier: Chain, tmp_path: Path) -> Trial:
    entry = {"id": "elo", "base_url": carrier.url, "first_refresh_token": chained.FIRST}
    trial.settings["carriers"] = [entry]
    trial.settings["messages"] = {"preset": "none"}
    trial.plugins = (chained.install(tmp_path / "plugins"),)
    trial.write_config()
    return trial


def lines_about(said: str) -> list[str]:
    return [line for line in said.splitlines() if "carrier elo:" in line]


def test_a_login_without_a_database_uses_up_nothing(start: Start, carrier: Chain, tmp_path: Path) -> None:
    trial = with_chain(start(), carrier, tmp_path)
    done = trial.command("check-config", "--online")
    (line,) = lines_about(done.stdout)
    assert line.startswith("not tried carrier elo: not tried: its refresh token may be used only once")
    assert carrier.given == []


def test_a_login_keeps_what_it_was_given(start: Start, carrier: Chain, tmp_path: Path) -> None:
    trial = with_chain(start(), carrier, tmp_path)
    prepare(trial.database_url)
    for _ in range(2):
        (line,) = lines_about(trial.command("check-config", "--online").stdout)
        assert line == "ok        carrier elo: the account is open"
    assert carrier.given == ["refresh-1"]
    assert trial.one(CarrierToken)["refresh"] == carrier.takes
    shown = trial.command("check-config", "--online", "--json").stdout
    assert "refresh-1" not in shown and "access-1" not in shown
    # Ended: the next login goes on with the chain and not with the token that the configuration names.
    with trial.database.begin_write() as connection:
        connection.exec_driver_sql("UPDATE carrier_tokens SET renew_at = '2026-01-01', expires_at = '2026-01-01'")
    assert lines_about(trial.command("check-config", "--online").stdout)[0].startswith("ok")
    assert (carrier.given, trial.one(CarrierToken)["refresh"]) == (["refresh-1", "refresh-2"], "refresh-2")

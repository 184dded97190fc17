"""Carrier accounts, built from their configuration: for the engine, and for the commands that ask an adapter what it knows."""

from __future__ import annotations

from collections.abc import Callable

from carriers.base import Adapter, AdapterContext, TokenStore
from carriers.http import CarrierHttp
from carriers.registry import load
from tracker.book import Account
from tracker.clock import Clock, SystemClock
from tracker.config import carrier_digest
from tracker.config.model import CarrierSettings
from tracker.polling.tokens import FreshTokens, StoredTokens
from tracker.store.database import Database

Connect = Callable[[str, str], CarrierHttp]
"""Makes an account's connection, of its id and its carrier's address. A trial gives one that goes to no network."""


def carrier_account(
    carrier: CarrierSettings, database: Database, clock: Clock, connect: Connect = CarrierHttp
) -> Account:
    """One carrier account, its connection and its adapter."""
    adapter_class = load(carrier.adapter)
    http = connect(carrier.id, carrier.base_url)
    adapter = adapter_class(
        carrier.adapter_settings, AdapterContext(carrier.id, http, StoredTokens(database, carrier.id, clock), clock.now)
    )
    terms = adapter.tracking.tracking_terms if adapter.tracking is not None else None
    rate = carrier.requests_per_second or (terms.requests_per_second if terms else None)
    if rate is not None:
        http.limit_to(rate)
    return Account(carrier.id, carrier.adapter, adapter, http, carrier_digest(carrier))


def adapter_alone(carrier: CarrierSettings, tokens: TokenStore | None = None) -> tuple[Adapter, CarrierHttp]:
    """An account's adapter without a database: to ask what it can do, or with `proving_tokens` to prove its credentials."""
    http = CarrierHttp(carrier.id, carrier.base_url)
    context = AdapterContext(carrier.id, http, tokens or FreshTokens(), SystemClock().now)
    return load(carrier.adapter)(carrier.adapter_settings, context), http


def proving_tokens(carrier: CarrierSettings, database: Database | None, clock: Clock) -> TokenStore:
    """Tokens for a login that proves a credential: kept in the account's row wherever there is a database to keep them in."""
    if database is None or database.closed_because is not None:
        return FreshTokens()
    return StoredTokens(database, carrier.id, clock, anew=True)

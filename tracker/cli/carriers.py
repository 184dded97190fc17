"""`tracker carriers list`: the adapters there are, the accounts configured with them, and what each account can do.

`tracker carriers unknown`: event codes that nobody reads, and the line of the configuration that maps each.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json

if TYPE_CHECKING:
    from pathlib import Path

    from carriers.base import Adapter, TrackingAdapter
    from tracker.config import CarrierSettings, Settings
    from tracker.store.codes import UnknownCode

carriers = typer.Typer(help="Carriers: the adapters there are, codes nobody reads.", no_args_is_help=True)


@carriers.callback()
def _group() -> None:
    """Carriers: the adapters there are, codes nobody reads."""


@carriers.command("unknown")
def list_unknown(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List event codes that neither the adapter nor your mapping reads, each with the line that maps it."""
    from tracker.cli.opened import opened
    from tracker.store.codes import unknown_codes

    with opened(config) as program:
        with program.database.begin_read() as connection:
            found = unknown_codes(connection)
        zone = program.settings.timezone
    if as_json:
        echo_json([_unknown(one) for one in found])
        return
    if not found:
        typer.echo("no unknown codes")
        return
    for one in found:
        first, last = (at.astimezone(zone).strftime("%d/%m/%Y %H:%M") for at in (one.first_seen_at, one.last_seen_at))
        example = f"{one.tracking_code or '(no code)'}, S{one.shipment_id}"
        typer.echo(f'{one.carrier}  {one.carrier_code}  "{one.description}" (for example {example})')
        typer.echo(
            f"    {_counted(one.events, 'event')} of {_counted(one.shipments, 'shipment')}, first seen {first}, last {last}"
        )
        typer.echo(f"    carriers: [{{id: {one.carrier}, codes: {{{_line(one.carrier_code)}}}}}]")
    typer.echo(f"\nSTATUS is one of: {', '.join(_statuses())}")
    typer.echo(
        "With a cause: {status: customs, cause: customs_hold}. The stored events are then read again by themselves."
    )


def _unknown(one: UnknownCode) -> dict[str, Any]:
    from tracker.reports.exports import json_value

    return {
        "carrier": one.carrier,
        "carrier_code": one.carrier_code,
        "events": one.events,
        "shipments": one.shipments,
        "first_seen_at": json_value(one.first_seen_at),
        "last_seen_at": json_value(one.last_seen_at),
        "description": one.description,
        "shipment_id": one.shipment_id,
        "tracking_code": one.tracking_code,
        "yaml": _line(one.carrier_code),
        "statuses": _statuses(),
    }


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _line(code: str) -> str:
    """The mapping with its meaning left open: what a code means is for the carrier to say, not for us to guess."""
    return f'"{code}": STATUS'


def _statuses() -> list[str]:
    from carriers.base import TrackingStatus

    return [status.value for status in TrackingStatus if status is not TrackingStatus.UNKNOWN]


@carriers.command("list")
def list_carriers(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List adapters, broken ones with their fault, and configured accounts; asks no carrier anything."""
    from carriers.registry import discover

    found = discover()
    accounts, faults = _accounts(config)
    document = {
        "adapters": [_adapter(cls) for _, cls in sorted(found.adapters.items())],
        "broken": [{"name": name, "fault": sentence} for name, sentence in sorted(found.broken.items())],
        "accounts": accounts,
        "config_faults": faults,
    }
    if as_json:
        echo_json(document)
    else:
        _print(document)
    if faults:
        raise typer.Exit(2)


def _adapter(cls: type[Adapter]) -> dict[str, Any]:
    return {"name": cls.NAME, "title": cls.TITLE, "contract_version": cls.API_VERSION, "base_url": cls.BASE_URL}


def _accounts(config: Path | None) -> tuple[list[dict[str, Any]], list[str]]:
    """The configured accounts and what is wrong with the configuration; neither where there is none."""
    from tracker.config import find_config, load_config
    from tracker.errors import ConfigFileError

    try:
        path = find_config(config, os.environ)
    except ConfigFileError:
        # Which adapters there are is asked before the first configuration is written.
        return [], []
    try:
        settings = load_config(path, os.environ, strict_credentials=False, talks=False).settings
    except ConfigFileError as error:
        return [], [str(fault) for fault in error.faults]
    return [_account(carrier, settings) for carrier in settings.carriers], []


def _account(carrier: CarrierSettings, settings: Settings) -> dict[str, Any]:
    """One account; its abilities depend on its settings, so they are unknown where a credential is not here."""
    adapter = _built(carrier)
    known = {
        "id": carrier.id,
        "adapter": carrier.adapter,
        "base_url": carrier.base_url,
        "shops": list(carrier.shops),
        "credentials_here": adapter is not None,
        "tracking": None,
        "claims": None,
        "deadlines": None,
        "hook": None,
    }
    if adapter is None:
        return known
    tracking = adapter.tracking
    known["tracking"] = _tracking(tracking, carrier.requests_per_second) if tracking is not None else None
    known["claims"] = _claims(adapter, carrier)
    known["deadlines"] = _deadlines(adapter)
    known["hook"] = _hook(adapter, carrier.id, settings)
    return known


def _hook(adapter: Adapter, carrier: str, settings: Settings) -> dict[str, Any] | None:
    from carriers.base import hook_of
    from tracker.hook_lanes import hook_address, why_no_hook

    if hook_of(adapter) is None:
        return None
    why = why_no_hook(settings, carrier, adapter)
    return {"address": hook_address(settings, carrier), "fault": None if why is None else f"{why[0]} ({why[1]})"}


def _built(carrier: CarrierSettings) -> Adapter | None:
    from tracker.accounts import adapter_alone
    from tracker.errors import MissingCredentialError

    try:
        return adapter_alone(carrier)[0]
    except MissingCredentialError:
        return None


def _tracking(tracking: TrackingAdapter, rate: float | None) -> dict[str, Any]:
    terms = tracking.tracking_terms
    return {
        "by": [kind.value for kind in terms.ref_kinds],
        "batch_size": terms.batch_size,
        "requests_per_second": rate or terms.requests_per_second,
        "presumed_loss_business_days": dict(terms.presumed_loss_business_days),
        "push": terms.push,
        "source": terms.terms_source,
    }


def _deadlines(adapter: Adapter) -> dict[str, Any] | None:
    from carriers.base import deadlines_of

    found = deadlines_of(adapter)
    return {"batch_size": found.deadline_terms.batch_size, "source": found.deadline_terms.source} if found else None


def _claims(adapter: Adapter, carrier: CarrierSettings) -> dict[str, Any] | None:
    from carriers.base import ClaimsByLetter

    if adapter.claims is None:
        return None
    terms = adapter.claims.claim_terms
    return {
        "by": "letter" if isinstance(adapter.claims, ClaimsByLetter) else "api",
        "mode": carrier.claims.mode.value,
        "problems": list(dict.fromkeys(offer.problem.value for offer in terms.offers)),
        "window_days": terms.window_days,
        "answer_business_days": terms.answer_business_days,
        "batch_size": terms.batch_size,
        "valid_since": terms.valid_since.isoformat(),
        "source": terms.source,
    }


def _print(document: dict[str, Any]) -> None:
    for one in document["adapters"]:
        typer.echo(f"adapter   {one['name']}: {one['title']} (contract version {one['contract_version']})")
    for one in document["broken"]:
        typer.echo(f"broken    {one['fault']}")
    for account in document["accounts"]:
        typer.echo(f"account   {account['id']}: adapter {account['adapter']} at {account['base_url']}")
        for line in _abilities(account):
            typer.echo(f"{'':<10}{line}")
    for fault in document["config_faults"]:
        typer.echo(fault, err=True)


def _abilities(account: dict[str, Any]) -> list[str]:
    if not account["credentials_here"]:
        return ["its credential is not available here: what it can do is known to the service only"]
    tracking, claims = account["tracking"], account["claims"]
    lines = ["no tracking", "no claims"]
    if tracking is not None:
        by, rate = " and ".join(tracking["by"]), tracking["requests_per_second"]
        lines[0] = f"tracking by {by}, {tracking['batch_size']} a call, {rate:g} calls a second; {tracking['source']}"
    if claims is not None:
        what = ", ".join(claims["problems"])
        lines[1] = f"claims by {claims['by']} ({claims['mode']}): {what}; {claims['source']}"
    if account["deadlines"] is not None:
        lines.append(f"due dates that tracking does not name; {account['deadlines']['source']}")
    if account["hook"] is not None:
        fault = f"; {account['hook']['fault']}" if account["hook"]["fault"] else ""
        lines.append(f"pushes to {account['hook']['address']}{fault}")
    elif tracking is not None and tracking["push"]:
        lines.append("could push: the account's settings hold nothing that would prove it")
    return lines

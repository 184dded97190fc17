"""`tracker carriers list`: the adapters there are, the accounts configured with them, and what each account can do.

`tracker carriers unknown`: event codes that nobody reads, and the line of the configuration that maps each.
`tracker carriers check NAME`: the conformance kit over one adapter. `tracker carriers new NAME`: the beginning of another.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json

if TYPE_CHECKING:
    from carriers.base import Adapter, Followed
    from carriers.testing import Report, Result
    from tracker.config import CarrierSettings, Settings
    from tracker.store.codes import UnknownCode

carriers = typer.Typer(help="Carriers: the adapters there are, codes nobody reads.", no_args_is_help=True)


@carriers.callback()
def _group() -> None:
    """Carriers: the adapters there are, codes nobody reads."""


@carriers.command("unknown")
def list_unknown(
    config: ConfigOption = None,
    carrier: Annotated[str | None, typer.Option("--carrier", help="Of this account alone.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List event codes that neither the adapter nor your mapping reads, each with the line that maps it."""
    from tracker.cli.opened import opened, refuse_unknown
    from tracker.store.codes import unknown_codes

    with opened(config) as program:
        with program.database.begin_read() as connection:
            found = unknown_codes(connection, carrier)
        if not found:
            refuse_unknown(program, carrier=carrier)
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
    return f"{json.dumps(code, ensure_ascii=False)}: STATUS"


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


@carriers.command("check")
def check_adapter(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The adapter, as `tracker carriers list` names it.")],
    as_json: JsonOption = False,
) -> None:
    """Run the conformance kit over an adapter: its own carrier is played, well and badly; nothing leaves the machine."""
    import asyncio

    from carriers.registry import AdapterNotFoundError, load
    from carriers.testing import check, kit_of
    from carriers.testing.kit import KitNotFoundError

    try:
        adapter = load(name)
        report = asyncio.run(check(adapter, kit_of(adapter)))
    except (AdapterNotFoundError, KitNotFoundError) as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(2) from exc
    if as_json:
        echo_json(_report(report))
    else:
        _print_report(report)
    if report.failed:
        raise typer.Exit(1)


@carriers.command("new")
def new_adapter(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The adapter's name in the configuration, e.g. `exemplo`.")
    ],
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder for the package; default: shipment-tracker-NAME here.")
    ] = None,
) -> None:
    """Write the beginning of an adapter: a package that works and passes the kit, to be changed step by step."""
    from carriers.registry import discover
    from carriers.scaffold import ScaffoldError, write

    if name in discover().adapters:
        typer.echo(f"there is an adapter {name!r} already (tracker carriers list): choose another name", err=True)
        raise typer.Exit(2)
    folder = to or Path(f"shipment-tracker-{name.replace('_', '-')}")
    try:
        written = write(name, folder)
    except (ScaffoldError, OSError) as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(2) from exc
    for path in written:
        typer.echo(f"wrote {path}")
    typer.echo(
        f"next: pip install -e {folder} && tracker carriers check {name}; {folder / 'README.md'} says what to change"
    )


def _report(report: Report) -> dict[str, Any]:
    checks = [
        {"name": one.name, "what": one.what, "state": _state(one), "fault": one.fault or None} for one in report.results
    ]
    counts = {"passed": len(report.passed), "failed": len(report.failed)}
    known = {"score": report.score, "states_meanings": report.states_meanings}
    return {"adapter": report.adapter, **counts, **known, "checks": checks}


def _state(result: Result) -> str:
    if not result.applies:
        return "does_not_apply"
    return "failed" if result.fault else "passed"


def _print_report(report: Report) -> None:
    marks = {"passed": "ok    ", "failed": "FAULT ", "does_not_apply": "-     "}
    for one in report.results:
        typer.echo(f"{marks[_state(one)]}{one.what}")
        if one.fault:
            typer.echo(f"      {one.name}: {one.fault}")
    typer.echo(report.score)


def _adapter(cls: type[Adapter]) -> dict[str, Any]:
    from carriers.base import facts_of

    facts = facts_of(cls)
    known = {"name": cls.NAME, "title": cls.TITLE, "contract_version": cls.API_VERSION, "base_url": cls.BASE_URL}
    if facts is None:
        return {**known, "confidence": None, "experimental": None, "auth": None, "source": None, "gaps": []}
    return {**known, **asdict(facts), "gaps": list(facts.gaps)}


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
        "files": [place.shown for place in carrier.files],
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


def _tracking(tracking: Followed, rate: float | None) -> dict[str, Any]:
    from carriers.base import TrackingAdapter

    terms = tracking.tracking_terms
    return {
        "by": [kind.value for kind in terms.ref_kinds],
        "asked": isinstance(tracking, TrackingAdapter),
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
        experimental = (
            " EXPERIMENTAL: its facts are thin, watch it beside something else;" if one["experimental"] else ""
        )
        typer.echo(
            f"adapter   {one['name']}: {one['title']} (contract version {one['contract_version']}){experimental}"
        )
        if one["source"] is not None:
            typer.echo(f"{'':<10}needs: {one['auth']}; facts {one['confidence']}: {one['source']}")
    for one in document["broken"]:
        typer.echo(f"broken    {one['fault']}")
    for account in document["accounts"]:
        at = f" at {account['base_url']}" if account["base_url"] else ""
        typer.echo(f"account   {account['id']}: adapter {account['adapter']}{at}")
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
        pace = f"{tracking['batch_size']} a call, {rate:g} calls a second"
        if not tracking["asked"]:
            pace = f"told by files in {', '.join(account['files'])}" if account["files"] else "told by a daily feed"
        lines[0] = f"tracking by {by}, {pace}; {tracking['source']}"
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

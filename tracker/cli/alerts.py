"""`tracker alerts`: what the operator was told and what still stands; take note of it, learn what a kind means."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, JsonOption, at_keyboard, echo_json
from tracker.cli.handwork import ReasonOption
from tracker.cli.lists import KindOption, LangOption, LimitOption, OpenOption, ShopOption, SinceOption, show_list, word
from tracker.cli.opened import Opened, opened, refuse

if TYPE_CHECKING:
    from datetime import datetime

alerts = typer.Typer(help="List alerts; take note of them; learn what a kind means.", no_args_is_help=False)

ExplainOption = Annotated[
    str | None, typer.Option("--explain", metavar="KIND", help="What this kind means, and what to do.")
]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="Open alerts (A2).")]
ForOption = Annotated[
    str | None, typer.Option("--for", metavar="TIME", help="Quiet for 90m, 24h or 3d; default: until it is over.")
]
_TIME = re.compile(r"([0-9]{1,4})\s*([mhd])", re.IGNORECASE)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@alerts.callback(invoke_without_command=True)
def list_alerts(
    context: typer.Context,
    config: ConfigOption = None,
    open_only: OpenOption = False,
    shop: ShopOption = None,
    kind: KindOption = None,
    since: SinceOption = None,
    limit: LimitOption = None,
    explain: ExplainOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """List alerts, the newest first; ACK says until when a person has taken note."""
    if context.invoked_subcommand is not None:
        return
    from tracker.domain.alert_kinds import ALERT_KINDS

    if explain is not None:
        _explain(word("--explain", explain, ALERT_KINDS) or "", as_json)
        return
    named = word("--kind", kind, ALERT_KINDS)
    show_list("alerts", config, since, limit, as_json, lang, shop=shop, kind=named, open_only=open_only)


@alerts.command("ack")
def ack(ids: IdsArgument, config: ConfigOption = None, time: ForOption = None, reason: ReasonOption = None) -> None:
    """Take note: no more is said of these until then, or until they are over, unless they get worse."""
    quiet = _duration(time) if time is not None else None
    who = at_keyboard()
    codes = []
    with opened(config) as program:
        for text in ids:
            sentence, code = _ack(program, text, who, program.now + quiet if quiet else None, reason)
            typer.echo(sentence, err=code != 0)
            codes.append(code)
    if max(codes):
        raise typer.Exit(max(codes))


@alerts.command("retry")
def retry(config: ConfigOption = None) -> None:
    """Use sinks again that were given up."""
    from tracker.alerts.sinks import tried_anew
    from tracker.store.alerts import retry_sinks
    from tracker.store.logs import signal

    with opened(config) as program, program.database.begin_write() as connection:
        names = retry_sinks(connection, program.now)
        signal(connection, [tried_anew(name) for name in names], program.now)
    count = len(names)
    typer.echo(f"{count} {'sink is' if count == 1 else 'sinks are'} tried again" if count else "no sink was given up")


def _ack(program: Opened, text: str, who: str, until: datetime | None, reason: str | None) -> tuple[str, int]:
    from tracker.reports.identity import parse_id
    from tracker.store.alerts import acknowledge, alerts_by_id
    from tracker.store.logs import log_act

    named = parse_id(text)
    if named is None or named.kind not in {None, "alert"}:
        return f"{text}: needs the id of an alert (A2)", 2
    name = f"A{named.row_id}"
    with program.database.begin_write() as connection:
        if not alerts_by_id(connection, [named.row_id]):
            return f"there is no alert {text}", 1
        if not acknowledge(connection, named.row_id, who=who, until=until, reason=reason, at=program.now):
            return f"{name} is over already, nothing to acknowledge", 0
        log_act(
            connection,
            who=who,
            act="ack",
            subject_kind="alert",
            subject_id=named.row_id,
            reason=reason,
            at=program.now,
        )
    if until is None:
        return f"{name} is acknowledged: quiet until it is over, unless it gets worse", 0
    local = until.astimezone(program.settings.timezone)
    return f"{name} is acknowledged: quiet until {local:%Y-%m-%d %H:%M}, unless it gets worse", 0


def _duration(text: str) -> timedelta:
    found = _TIME.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        refuse(f"--for {text}: needs minutes, hours or days (90m, 24h, 3d)")
    return timedelta(**{_UNITS[found[2].lower()]: int(found[1])})


def _explain(kind: str, as_json: bool) -> None:
    from tracker.domain.alert_kinds import ALERT_KINDS

    entry = ALERT_KINDS[kind]
    if as_json:
        fields = ("means", "cause", "act", "ends", "portuguese")
        values = {name: getattr(entry, name) for name in fields}
        echo_json({"kind": kind, "severity": entry.severity.value, **values})
        return
    typer.echo(f"{kind} ({entry.severity.value}): {entry.means}")
    for heading, words in (("Cause", entry.cause), ("Do", entry.act), ("Ends", entry.ends)):
        typer.echo(f"{heading}: {words}")
    typer.echo(entry.portuguese)

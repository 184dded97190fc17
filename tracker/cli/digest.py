"""`tracker digest`: prints what a shop's daily digest says, without sending it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json
from tracker.cli.handwork import day_of
from tracker.cli.lists import ShopOption
from tracker.cli.opened import Opened, opened, refuse

if TYPE_CHECKING:
    from tracker.config.model import ShopSettings

DateOption = Annotated[
    str | None,
    typer.Option(
        "--date",
        metavar="DAY",
        help="What happened on that day (2026-12-10 or 10/12/2026); default: today's mail, or what it would say now.",
    ),
]
HtmlOption = Annotated[bool, typer.Option("--html", help="As the mail shows it.")]


def digest(
    config: ConfigOption = None,
    shop: ShopOption = None,
    day: DateOption = None,
    html: HtmlOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the merchant's daily digest: what happened, money, what waits for a hand. Sends nothing."""
    from tracker.alerts.digest import live_at
    from tracker.reports.digest import DigestHead, digest_document, digest_text
    from tracker.store.digests import digest_facts, of_a_past_day

    with opened(config) as program:
        wanted = day_of("--date", day, program) if day is not None else None
        zone = program.settings.timezone
        found = []
        for entry in _shops(program, shop):
            since, until = _span(program, entry, wanted)
            live = live_at(entry.live_from, zone)
            with program.database.begin_read() as connection:
                facts = digest_facts(connection, entry.id, since, until, live)
            of = wanted or until.astimezone(zone).date()
            is_past = of < program.now.astimezone(zone).date()
            facts = of_a_past_day(facts) if is_past else facts
            head = DigestHead(entry.id, entry.name, entry.language, of, since, until, zone, entry.live_from, is_past)
            found.append((facts, head))
    if as_json:
        echo_json([digest_document(facts, head) for facts, head in found])
        return
    for place, (facts, head) in enumerate(found):
        said = digest_text(facts, head)
        if html:
            typer.echo(said.html)
        else:
            typer.echo(f"{chr(10) if place else ''}{said.subject}\n\n{said.text}", nl=False)


def _shops(program: Opened, wanted: str | None) -> list[ShopSettings]:
    known = list(program.settings.shops)
    if wanted is None:
        return known
    found = [entry for entry in known if entry.id == wanted]
    if not found:
        refuse(f"--shop {wanted}: there is no such shop (known: {', '.join(entry.id for entry in known)})")
    return found


def _span(program: Opened, shop: ShopSettings, day: date | None) -> tuple[datetime, datetime]:
    """What today's mail covered; before it is mailed, from the digest before until now."""
    from tracker.config.model import Digest
    from tracker.store.digests import mailed_on, told_until

    now = program.now
    if day is not None:
        at = shop.digest.at if shop.digest else Digest.model_fields["at"].default
        until = datetime.combine(day, at, tzinfo=program.settings.timezone)
        return until - timedelta(days=1), min(until, now)
    told = None
    if shop.digest is not None:
        today = now.astimezone(program.settings.timezone).date()
        with program.database.begin_read() as connection:
            mailed = mailed_on(connection, shop.id, today, shop.digest.to[0])
            told = told_until(connection, shop.id, shop.digest.to[0])
        if mailed is not None:
            return mailed
    return told or now - timedelta(days=1), now

"""`tracker preview` and `tracker send-test`: a message as it would read, on the screen, in a file, or in a mailbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, load_or_exit
from tracker.cli.opened import refuse
from tracker.cli.templates import trigger_with_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tracker.clock import Clock
    from tracker.config import Settings
    from tracker.domain.outcome import Outcome
    from tracker.domain.words import Trigger
    from tracker.messages.compose import Composer
    from tracker.messages.preview import Preview
    from tracker.messages.smtp import SmtpTransport
    from tracker.store.views_preview import Sample

OrderOption = Annotated[str | None, typer.Option("--order", metavar="N", help="With this order's data.")]
ShopOption = Annotated[str | None, typer.Option("--shop", help="As this shop writes.")]
LangOption = Annotated[str | None, typer.Option("--lang", help="pt-BR or en, whatever the shop's language.")]
ChannelOption = Annotated[str, typer.Option("--channel", help="The channel.")]
HtmlOption = Annotated[bool, typer.Option("--html", help="Only the HTML part.")]
TextOption = Annotated[bool, typer.Option("--text", help="Only the text part.")]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the whole message, as FILE.eml.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over a FILE that exists.")]


def preview(
    trigger: Annotated[str, typer.Argument(help="What is told, such as delay_detected.")],
    order: OrderOption = None,
    channel: ChannelOption = "email",
    shop: ShopOption = None,
    lang: LangOption = None,
    html: HtmlOption = False,
    text: TextOption = False,
    out: OutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
) -> None:
    """Show a message with the data of the newest order it fits, or of --order; with examples where there is none."""
    from tracker.domain.words import Trigger

    named = Trigger(trigger_with_text(trigger))
    if channel != "email":
        refuse(f"--channel {channel}: this release has e-mail only")
    if html and text:
        refuse("--html and --text: name one of them")
    if out is not None and out.exists() and not force:
        refuse(f"{out} exists already; name another file, or add --force to write over it", 1)
    settings = load_or_exit(config, strict=False, talks=False).settings
    clock = _clock(settings)
    composer = _composer(settings)
    shown = _preview(settings, composer, clock, named, order, _shop(settings, shop), _language(lang))
    if out is not None:
        _write(out, _bytes(composer, shown, named, clock, shown.recipient or _example_address()), force)
    elif html or text:
        typer.echo(shown.rendered.html if html else shown.rendered.text, nl=False)
    else:
        _print(shown, composer)
    typer.echo(_whose(shown), err=True)


def send_test(
    address: Annotated[str, typer.Argument(help="Where the message goes.")],
    trigger: Annotated[str, typer.Option("--trigger", help="What is told.")] = "posted",
    order: OrderOption = None,
    shop: ShopOption = None,
    lang: LangOption = None,
    config: ConfigOption = None,
) -> None:
    """Send one real message through the configured mail server, marked [teste]: with examples, or with --order's data."""
    import asyncio
    from dataclasses import replace

    from tracker.app import mail_transport
    from tracker.domain.outcome import Result
    from tracker.domain.words import Trigger
    from tracker.messages.email_message import parse_mailbox
    from tracker.messages.outcomes import why_no_mail
    from tracker.messages.preview import from_examples

    recipient = _address(address)
    named = Trigger(trigger_with_text(trigger))
    settings = load_or_exit(config, strict=True).settings
    clock, composer = _clock(settings), _composer(settings)
    of_shop, language = _shop(settings, shop), _language(lang)
    if order is not None:
        shown = _preview(settings, composer, clock, named, order, of_shop, language)
    else:
        with _faults_told():
            shown = from_examples(composer, named, of_shop or settings.shops[0].id, language)
    marked = replace(shown, rendered=replace(shown.rendered, subject=f"[teste] {shown.rendered.subject}"))
    data = _bytes(composer, marked, named, clock, recipient)
    transport = mail_transport(settings)
    sender = parse_mailbox(composer.senders[shown.shop].sender).address
    outcome = asyncio.run(_submit(transport, sender, recipient, data))
    typer.echo(_whose(shown), err=True)
    if settings.messages.redirect_to is not None:
        typer.echo(f"messages.redirect_to does not hold for a test: it goes to {recipient}", err=True)
    if outcome.result is not Result.ACCEPTED:
        typer.echo(f"mail server {transport.server}: not sent: {why_no_mail(outcome)}", err=True)
        raise typer.Exit(1)
    said = f" (it said: {outcome.reply})" if outcome.reply else ""
    typer.echo(f"sent to {recipient} by {transport.server}: the server took it{said}")


async def _submit(transport: SmtpTransport, sender: str, recipient: str, data: bytes) -> Outcome:
    async def before_data() -> None:
        """Nothing is kept of a test."""

    try:
        return await transport.submit(sender, recipient, data, before_data=before_data)
    finally:
        await transport.close()


def _clock(settings: Settings) -> Clock:
    from tracker.clock import clock_from_env
    from tracker.config import trial_clock_faults
    from tracker.errors import ProgramError

    try:
        return clock_from_env(os.environ, trial_clock_faults(settings))
    except ProgramError as error:
        refuse(str(error), error.exit_code)


def _composer(settings: Settings) -> Composer:
    from tracker.app import composer_alone

    return composer_alone(settings)


def _preview(
    settings: Settings,
    composer: Composer,
    clock: Clock,
    trigger: Trigger,
    order: str | None,
    shop: str | None,
    language: str | None,
) -> Preview:
    """With the wanted order's data, else the newest fitting one's, else with examples."""
    from tracker.messages.preview import from_examples, from_sample, sample_of

    with _connection(settings, needed=order is not None) as connection, _faults_told():
        sample: Sample | None = None
        if connection is not None:
            sample = _named(connection, trigger, order, shop) if order else sample_of(connection, trigger, shop)
        if sample is not None and connection is not None and sample.shop in composer.senders:
            return from_sample(connection, composer, trigger, sample, language, clock.now())
        return from_examples(composer, trigger, shop or settings.shops[0].id, language)


def _named(connection: Connection, trigger: Trigger, number: str, shop: str | None) -> Sample:
    from tracker.messages.preview import of_order
    from tracker.store.views_preview import orders_named

    found = orders_named(connection, number.strip(), shop)
    if not found:
        refuse(f"--order {number}: there is no such order{f' of {shop}' if shop else ''}")
    if len(found) > 1:
        refuse(f"--order {number}: several shops have one (name --shop: {', '.join(one[1] for one in found)})")
    return of_order(connection, trigger, *found[0])


@contextmanager
def _connection(settings: Settings, *, needed: bool) -> Iterator[Connection | None]:
    """The database as it stands; None where there is none yet and examples do."""
    from sqlalchemy.exc import DBAPIError

    from tracker.cli.prepare import open_database
    from tracker.errors import ProgramError

    with ExitStack() as stack:
        connection = None
        try:
            database = stack.enter_context(open_database(settings.database.connection_url()))
            connection = stack.enter_context(database.begin_read())
        except (ProgramError, DBAPIError) as error:
            why = str(error) if isinstance(error, ProgramError) else "the database cannot be used"
            if needed:
                refuse(why)
            typer.echo(f"{why}; so examples are shown", err=True)
        yield connection


@contextmanager
def _faults_told() -> Iterator[None]:
    """A text that cannot be used ends the command with its file, line and advice."""
    from tracker.messages.sandbox import TemplateFault
    from tracker.messages.templates import MissingVariable

    try:
        yield
    except TemplateFault as fault:
        refuse(str(fault), 1)
    except MissingVariable as missing:
        refuse(f"the order lacks what its text needs: {', '.join(missing.names)}", 1)


def _bytes(composer: Composer, shown: Preview, trigger: Trigger, clock: Clock, recipient: str) -> bytes:
    from tracker.domain.mail_address import BadAddress
    from tracker.messages.email_message import new_message_id, parse_mailbox
    from tracker.messages.preview import written

    sender = composer.senders[shown.shop]
    domain = parse_mailbox(sender.sender).address.rpartition("@")[2]
    date = clock.now().astimezone(composer.days(shown.shop, None).zone)
    message_id = new_message_id(domain, os.urandom)
    try:
        return written(composer, shown, trigger, recipient=recipient, message_id=message_id, date=date)
    except BadAddress as fault:
        refuse(f"no mail can go to this order's address: {fault.reason}", 1)


def _address(given: str) -> str:
    from tracker.domain.mail_address import BadAddress, ascii_address

    try:
        return ascii_address(given)
    except BadAddress:
        refuse(f"{given}: is no e-mail address (such as voce@lojaexemplo.com.br)")


def _shop(settings: Settings, given: str | None) -> str | None:
    known = [shop.id for shop in settings.shops]
    if given is not None and given not in known:
        refuse(f"--shop {given}: there is no such shop (known: {', '.join(known)})")
    return given


def _language(given: str | None) -> str | None:
    from tracker.config.model import LANGUAGES

    by_lower = {language.lower(): language for language in LANGUAGES}
    if given is not None and given.strip().lower() not in by_lower:
        refuse(f"--lang {given}: there are no texts in it (known: {', '.join(LANGUAGES)})")
    return by_lower[given.strip().lower()] if given is not None else None


def _example_address() -> str:
    from tracker.messages.preview import EXAMPLE_ADDRESS

    return EXAMPLE_ADDRESS


def _write(path: Path, data: bytes, force: bool) -> None:
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(data)
    except OSError as error:
        refuse(f"{path}: cannot be written: {error.strerror}", 1)
    typer.echo(f"written   {path} ({len(data)} bytes)")


def _print(shown: Preview, composer: Composer) -> None:
    sender = composer.senders[shown.shop]
    typer.echo(f"From:     {sender.sender}")
    if sender.reply_to:
        typer.echo(f"Reply-To: {sender.reply_to}")
    typer.echo(f"To:       {shown.recipient or _example_address()}")
    typer.echo(f"Subject:  {shown.rendered.subject}")
    typer.echo(f"\n{shown.rendered.text}", nl=False)
    for fault in shown.rendered.faults:
        typer.echo(f"fault     {fault}; the packaged frame is used", err=True)


def _whose(shown: Preview) -> str:
    number = (shown.order or "").removeprefix("code:")
    return (
        f"with the data of order {number} of {shown.shop}" if number else f"with example data, as {shown.shop} writes"
    )

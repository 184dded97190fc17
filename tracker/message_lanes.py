"""The lanes of the messages stage: what the texts, senders, mail accounts and mailboxes of a configuration are. Beside
`tracker.lanes`, a few commands ask it for one of these alone."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from carriers.base import (
    Adapter,
    ClaimsByLetter,
    CounterpartyKind,
)
from carriers.http import TokenBucket
from tracker.book import CarrierBook
from tracker.claims.letter import LetterDesk
from tracker.config import Settings
from tracker.config.mail import MailServer, ReturnedMail
from tracker.config.model import ShopSettings
from tracker.domain.notices import NoticePolicy, Place
from tracker.domain.relays import Unmailed
from tracker.domain.words import Trigger
from tracker.engine.base import Lane
from tracker.mailbox import MailboxAccount
from tracker.messages.bounce_sweep import BounceSweep
from tracker.messages.compose import Composer, ReturnPath, Sender
from tracker.messages.email_message import new_message_id, parse_mailbox
from tracker.messages.email_sweep import CHANNEL, EmailSweep
from tracker.messages.going_live import LiveSweep
from tracker.messages.letter import LetterBook, Writer
from tracker.messages.letter_sweep import LetterSweep
from tracker.messages.mail_accounts import MailAccount, MailAccounts
from tracker.messages.planning import NoticeSweep
from tracker.messages.smtp import SmtpAccount, SmtpTransport
from tracker.messages.story import ShopVoice
from tracker.messages.templates import Templates
from tracker.shops import calendars_of, live_from_of, shop_of
from tracker.store.database import Database

DECIDE_EVERY_S: Final = 30.0
MAIL_BURST: Final = 5
"""So many messages may leave at once before the pace of an account counts."""


RETURNED_EVERY_S: Final = 60.0


def message_lanes(
    settings: Settings, database: Database, book: CarrierBook, stopping: Callable[[], bool]
) -> list[Lane]:
    """What is told, what is held, what leaves and what comes back, letters to carriers first."""
    policy, between = notice_policy(settings), calendars_of(settings)
    mail = MailAccounts(tuple(mail_account(server) for server in settings.messages.accounts))
    planning = NoticeSweep(
        database,
        policy,
        between,
        live_from_of(settings),
        _message_ids(settings),
        unmailed_of(settings),
        home=partial(home_of, settings),
        pickup_days=partial(pickup_days, book),
    )
    letters = LetterSweep(
        database=database,
        book=letter_book(settings, {entry.id: entry.adapter for entry in book.accounts.values()}),
        mail=mail,
        message_id=_message_ids(settings),
        live_from=live_from_of(settings),
        redirect_to=settings.messages.redirect_to,
        stopping=stopping,
    )
    live = LiveSweep(database, policy, between, live_from_of(settings), CHANNEL)
    email = EmailSweep(
        database=database,
        composer=composer(settings, book),
        mail=mail,
        redirect_to=settings.messages.redirect_to,
        stopping=stopping,
    )
    lanes = [
        Lane("messages:letters", letters.run, DECIDE_EVERY_S),
        Lane("messages", planning.run, DECIDE_EVERY_S),
        Lane("messages:live", live.run, DECIDE_EVERY_S),
        Lane("messages:email", email.run, DECIDE_EVERY_S, forget=email.forget),
    ]
    if settings.messages.bounces is not None:
        returned = BounceSweep(
            database=database,
            account=mailbox_account(settings.messages.bounces),
            domains=tuple(sorted(set(_mail_domains(settings).values()))),
            is_redirected=settings.messages.redirect_to is not None,
            stopping=stopping,
        )
        lanes.append(Lane("bounces", returned.run, RETURNED_EVERY_S))
    return lanes


def letter_book(settings: Settings, adapters: Mapping[str, Adapter]) -> LetterBook:
    """What puts letters to these carriers (by the account's id) into words."""
    writers = {shop.id: _writer(shop) for shop in settings.shops}
    found = {carrier_id: letter_desk(settings, carrier_id, adapter) for carrier_id, adapter in adapters.items()}
    desks = {carrier_id: desk for carrier_id, desk in found.items() if desk is not None}
    return LetterBook(Templates(settings.messages.templates), writers, desks, calendars_of(settings))


def _writer(shop: ShopSettings) -> Writer:
    origin = "/".join(part for part in (shop.holidays.city, shop.holidays.state) if part)
    return Writer(shop.name, shop.email.from_, shop.email.reply_to, shop.contact, shop.cnpj, origin or None)


def letter_desk(settings: Settings, carrier_id: str, adapter: Adapter) -> LetterDesk | None:
    """How this account takes letters; None where it takes its claims otherwise."""
    by_letter, claims = adapter.claims, settings.carrier(carrier_id).claims
    if not isinstance(by_letter, ClaimsByLetter):
        return None
    named = claims.counterparty
    kind = CounterpartyKind(named.kind) if named and named.kind else by_letter.counterparty
    known = settings.carrier(carrier_id).known_as(adapter.TITLE)
    title = (named.name if named else None) or known
    return LetterDesk(
        title=title,
        carried_by=known if kind is CounterpartyKind.BROKER and title != known else None,
        cnpj=named.cnpj if named else None,
        terms=by_letter.claim_terms,
        to=claims.letter_to or by_letter.letter_to,
        copies=claims.letter_cc,
        reply_to=claims.letter_reply_to,
        contract=claims.letter_contract,
        words=by_letter.words,
        asks_for=by_letter.asks_for,
        asks_for_motive=by_letter.asks_for_motive,
        law=by_letter.law,
    )


def notice_policy(settings: Settings) -> NoticePolicy:
    """The merchant's choices about messages."""
    return NoticePolicy(
        channels={trigger: settings.messages.channels(trigger) for trigger in Trigger},
        max_age={trigger: timedelta(hours=hours) for trigger, hours in settings.rules.max_age_hours.items()},
        delivered_after=timedelta(hours=settings.rules.delivered_after_hours),
        delivered_between=settings.rules.delivered_between,
        delivered_only_after_problem=settings.messages.delivered_only_after_problem,
        hold=timedelta(minutes=settings.messages.hold_minutes),
        followup_business_days=settings.rules.followup_business_days,
        followups=settings.rules.followups,
    )


def composer(settings: Settings, book: CarrierBook) -> Composer:
    """What puts deliveries into words."""
    senders = {
        shop.id: Sender(
            shop=shop.id,
            voice=ShopVoice(shop.name, shop.contact, home_of(settings, shop.id)),
            sender=shop.email.from_,
            reply_to=shop.email.reply_to,
            language=shop.language,
        )
        for shop in settings.shops
    }
    accounts, returned = book.accounts.values(), settings.messages.bounces
    return Composer(
        templates=Templates(settings.messages.templates),
        senders=senders,
        carrier_titles={e.id: settings.carrier(e.id).known_as(e.adapter.TITLE) for e in accounts},
        claim_terms={entry.id: entry.claim_terms for entry in accounts},
        days=calendars_of(settings),
        policy=notice_policy(settings),
        pickup_days={entry.id: pickup_days(book, entry.id) for entry in accounts},
        return_path=ReturnPath(returned.return_path, returned.verp) if returned and returned.return_path else None,
        unmailed=unmailed_of(settings),
        live_from=live_from_of(settings),
        is_redirected=settings.messages.redirect_to is not None,
    )


def home_of(settings: Settings, shop_id: str) -> Place:
    """Where a shop's parcels start, as far as its holidays tell."""
    shop = shop_of(settings, shop_id)
    return Place(shop.holidays.city, shop.holidays.state) if shop else Place()


def pickup_days(book: CarrierBook, carrier: str) -> int | None:
    """How long this carrier keeps parcels at a counter, where its terms say so."""
    entry = book.accounts.get(carrier)
    return entry.adapter.tracking.tracking_terms.pickup_days if entry and entry.adapter.tracking else None


def _mail_domains(settings: Settings) -> dict[str, str]:
    """By shop, the domain of its mails' Message-IDs."""
    return {shop.id: parse_mailbox(shop.email.from_).address.rpartition("@")[2] for shop in settings.shops}


def _message_ids(settings: Settings) -> Callable[[str], str]:
    domains = _mail_domains(settings)
    return lambda shop: new_message_id(domains.get(shop, "localhost"), os.urandom)


def unmailed_of(settings: Settings, /) -> Callable[[str], Unmailed]:
    """Whom each shop does not write to: marketplaces' addresses, its own, and those of the configuration."""
    never, anyway = frozenset(settings.messages.never_mail), frozenset(settings.messages.mail_anyway)
    own = {
        shop.id: {parse_mailbox(shop.email.from_).address.lower(), (shop.email.reply_to or "").lower()}
        for shop in settings.shops
    }
    return lambda shop: Unmailed(never, anyway, own.get(shop, frozenset()))


def smtp_account(server: MailServer) -> SmtpAccount:
    """How the mail server is reached."""
    return SmtpAccount(
        host=server.host,
        port=server.port,
        security=server.security,
        user=server.user,
        password=server.password.get_secret_value() if server.password else None,
        command_timeout_s=server.timeout_seconds,
    )


def mailbox_account(mailbox: ReturnedMail) -> MailboxAccount:
    """How the mailbox of returned mail is reached."""
    return MailboxAccount(
        host=mailbox.host,
        port=mailbox.port,
        security=mailbox.security,
        user=mailbox.user,
        password=mailbox.password.get_secret_value(),
        folder=mailbox.folder,
        done_folder=mailbox.done_folder,
        timeout_s=mailbox.timeout_seconds,
    )


def mail_account(server: MailServer) -> MailAccount:
    """One account with its limits; its digest changes with whatever may mend it."""
    account = smtp_account(server)
    seen = (account.host, account.port, account.security, account.user, account.password)
    return MailAccount(
        name=server.name,
        transport=SmtpTransport(account),
        digest=hashlib.sha256(repr(seen).encode()).hexdigest(),
        shops=server.shops,
        per_hour=server.hourly_limit,
        per_day=server.per_day,
        per_second=server.pace,
        pace=TokenBucket(server.pace, asyncio.sleep, capacity=MAIL_BURST) if server.pace else None,
    )

"""The lanes of the program, from left to right: what each stage's repeating work is given. Called by `tracker.app` alone."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from typing import Final

from sqlalchemy import Connection

from carriers.base import (
    Adapter,
    ClaimsByLetter,
    TrackingAnswer,
    TrackingTerms,
    deadlines_of,
)
from carriers.http import TokenBucket
from tracker.alert_lanes import alert_lanes, pinged
from tracker.backups import BackupSweep
from tracker.book import Account, CarrierBook
from tracker.claims.gates import ClaimPolicy
from tracker.claims.letter import LetterDesk
from tracker.claims.planning import ClaimDesk, PlanSweep
from tracker.claims.sweep import ClaimSweep
from tracker.config import Settings
from tracker.config.model import CarrierSettings, Holidays, MailServer, ReturnedMail, ShopSettings
from tracker.detection.facts import DetectionPolicy, FactReader
from tracker.detection.incidents import IncidentSweep
from tracker.detection.orders import OrderSweep
from tracker.detection.sweep import SHARDS, DetectionSweep
from tracker.domain.calendar import Calendars, CalendarsBetween, calendars
from tracker.domain.codes import CodeMap, CodeReading
from tracker.domain.incidents import IncidentPolicy
from tracker.domain.notices import NoticePolicy, Place
from tracker.domain.relays import Unmailed
from tracker.domain.words import Trigger
from tracker.engine.base import Lane
from tracker.events.record import CALCULATOR, Recorded, record_answers, record_due_date
from tracker.events.reread import CodeSweep
from tracker.intake.folder import FolderSweep
from tracker.intake.importer import Importer, Intake
from tracker.intake.options import ReadOptions
from tracker.messages.bounce_sweep import BounceSweep
from tracker.messages.compose import Composer, ReturnPath, Sender
from tracker.messages.email_message import new_message_id, parse_mailbox
from tracker.messages.email_sweep import CHANNEL, EmailSweep
from tracker.messages.going_live import LiveSweep
from tracker.messages.letter import LetterBook, Writer
from tracker.messages.letter_sweep import LetterSweep
from tracker.messages.mail_accounts import MailAccount, MailAccounts
from tracker.messages.mailbox import MailboxAccount
from tracker.messages.planning import NoticeSweep
from tracker.messages.smtp import SmtpAccount, SmtpTransport
from tracker.messages.story import ShopVoice
from tracker.messages.templates import Templates
from tracker.polling.breaker import Breaker
from tracker.polling.deadlines import DeadlineSweep
from tracker.polling.schedule import PollingPolicy
from tracker.polling.sight import Sight
from tracker.polling.sweep import PollSweep
from tracker.store.database import Database

INTAKE_EVERY_S: Final = 15.0
POLL_EVERY_S: Final = 20.0
DECIDE_EVERY_S: Final = 30.0
BACKUP_EVERY_S: Final = 60.0
MAIL_BURST: Final = 5
"""So many messages may leave at once before the pace of an account counts."""
RETURNED_EVERY_S: Final = 60.0
COUNT_EVERY_S: Final = 600.0
"""A month of problems is counted each time, and a cause that many share is none of minutes."""


def calendars_of(settings: Settings) -> CalendarsBetween:
    """The calendars between a shop and a destination; both cities' holidays count where the configuration names them."""

    @lru_cache(maxsize=4096)
    def between(shop_id: str, state: str | None, city: str | None = None, /) -> Calendars:
        shop = _shop(settings, shop_id)
        home = shop.holidays if shop else Holidays()
        states = frozenset(name for name in (home.state, state) if name)
        closed = {*home.extra, *settings.closings_of(home.city, home.state), *settings.closings_of(city, state)}
        return calendars(settings.timezone, states, frozenset(closed))

    return between


def _shop(settings: Settings, shop_id: str) -> ShopSettings | None:
    return next((shop for shop in settings.shops if shop.id == shop_id), None)


def _live_from(settings: Settings) -> Callable[[str], date | None]:
    def live_from(shop_id: str) -> date | None:
        shop = _shop(settings, shop_id)
        return shop.live_from if shop else None

    return live_from


def lanes_of(
    settings: Settings,
    database: Database,
    book: CarrierBook,
    folders: tuple[FolderSweep, ...],
    stopping: Callable[[], bool],
) -> tuple[Lane, ...]:
    """Every lane, in the order of the stages."""
    lanes = [Lane(f"intake:{folder.folder.name}#{n}", folder.run, INTAKE_EVERY_S) for n, folder in enumerate(folders)]
    lanes += _poll_lanes(settings, database, book, stopping)
    lanes += _deadline_lanes(settings, database, book, stopping)
    lanes.append(Lane("codes", CodeSweep(database, {c.id: code_map(c) for c in settings.carriers}).run, DECIDE_EVERY_S))
    lanes += _detection_lanes(settings, database, book)
    lanes += _claim_lanes(settings, database, book)
    lanes += _message_lanes(settings, database, book, stopping)
    lanes += _backup_lanes(settings, database, stopping)
    lanes += alert_lanes(settings, database)
    return tuple(pinged(settings, lanes))


def _backup_lanes(settings: Settings, database: Database, stopping: Callable[[], bool]) -> list[Lane]:
    wanted = settings.database.backup
    if wanted is None:
        return []
    sweep = BackupSweep(database, wanted.path, wanted.at, wanted.keep, settings.timezone, stopping)
    return [Lane("backup", sweep.run, BACKUP_EVERY_S)]


def folders_of(settings: Settings, importer: Importer, stopping: Callable[[], bool]) -> list[FolderSweep]:
    """The watched folders of every shop."""
    folders = []
    for entry in settings.intake:
        cnpj = settings.shop(entry.shop).cnpj
        intake = Intake(entry.shop, settings.timezone, cnpj, entry.read_options(), unattended=True)
        folders.append(FolderSweep(entry.path, intake, importer, entry.settle_seconds, stopping))
    return folders


def intake_of(settings: Settings, shop_id: str) -> Intake:
    """How the files of a shop are read: as its own folder says, where it has one."""
    entry = next((entry for entry in settings.intake if entry.shop == shop_id), None)
    shop = settings.shop(shop_id)
    options = entry.read_options() if entry else ReadOptions()
    return Intake(shop_id, settings.timezone, shop.cnpj, options)


def _poll_lanes(settings: Settings, database: Database, book: CarrierBook, stopping: Callable[[], bool]) -> list[Lane]:
    between = calendars_of(settings)
    policy = polling_policy(settings)
    lanes = []
    for entry in book.accounts.values():
        if entry.adapter.tracking is None:
            continue
        sweep = PollSweep(
            database=database,
            carrier=entry.id,
            adapter=entry.adapter.tracking,
            breaker=Breaker(database, entry.id, "tracking", entry.digest),
            record=_recorder(settings, entry),
            policy=policy,
            days=lambda shop: between(shop, None),
            sight=Sight(entry.id),
            accounts=partial(_siblings, settings, entry.name),
            stopping=stopping,
        )
        lanes.append(Lane(f"poll:{entry.id}", sweep.run, POLL_EVERY_S))
    return lanes


def polling_policy(settings: Settings) -> PollingPolicy:
    """How often the merchant wants parcels to be asked about."""
    rules = settings.rules.polling
    return PollingPolicy(
        pre_transit=timedelta(hours=rules.pre_transit_hours),
        in_transit=timedelta(hours=rules.in_transit_hours),
        urgent=timedelta(minutes=rules.urgent_minutes),
        pickup=timedelta(hours=rules.pickup_hours),
        problem=timedelta(hours=rules.problem_hours),
        problem_for=timedelta(days=rules.problem_days),
        second_looks_days=rules.second_looks_days,
        not_found_for=timedelta(days=settings.rules.not_found_days),
    )


def _siblings(settings: Settings, adapter: str, shop_id: str) -> list[str]:
    """The accounts of one adapter that serve a shop."""
    return [carrier.id for carrier in settings.carriers_of(shop_id) if carrier.adapter == adapter]


def _recorder(
    settings: Settings, entry: Account
) -> Callable[[Connection, Mapping[int, TrackingAnswer], datetime], dict[int, Recorded]]:
    asks_deadlines = deadlines_of(entry.adapter) is not None
    codes = code_map(settings.carrier(entry.id))

    def record(connection: Connection, answers: Mapping[int, TrackingAnswer], now: datetime) -> dict[int, Recorded]:
        return record_answers(connection, entry.id, answers, now=now, asks_deadlines=asks_deadlines, codes=codes)

    return record


def code_map(carrier: CarrierSettings) -> CodeMap:
    """How the merchant reads codes that the adapter does not know."""
    return {code: CodeReading(reading.status, reading.cause) for code, reading in carrier.codes.items()}


def _deadline_lanes(
    settings: Settings, database: Database, book: CarrierBook, stopping: Callable[[], bool]
) -> list[Lane]:
    def origin(shop_id: str) -> str | None:
        shop = _shop(settings, shop_id)
        return shop.origin_postal_code if shop else None

    def record(connection: Connection, shipment_id: int, due_on: date, now: datetime) -> None:
        record_due_date(connection, shipment_id, CALCULATOR, due_on, now=now)

    lanes = []
    for entry in book.accounts.values():
        adapter = deadlines_of(entry.adapter)
        if adapter is None:
            continue
        sweep = DeadlineSweep(
            database=database,
            carrier=entry.id,
            adapter=adapter,
            breaker=Breaker(database, entry.id, "deadlines", entry.digest),
            record=record,
            origin=origin,
            days=calendars_of(settings),
            stopping=stopping,
        )
        lanes.append(Lane(f"deadlines:{entry.id}", sweep.run, DECIDE_EVERY_S))
    return lanes


def _detection_lanes(settings: Settings, database: Database, book: CarrierBook) -> list[Lane]:
    rules = settings.rules
    policy = DetectionPolicy(
        promise_slack_business_days=rules.promise_slack_business_days,
        delay_grace_days=rules.delay.grace_days,
        presumed_loss_business_days=rules.presumed_loss.business_days,
        not_posted_business_days=rules.not_posted.business_days,
        handling_business_days=rules.not_posted.handling_business_days,
        stalled_business_days=rules.stalled.by_service(),
        pickup_business_days=rules.pickup_expiring.business_days,
    )

    def terms(carrier: str) -> TrackingTerms | None:
        entry = book.accounts.get(carrier)
        tracking = entry.adapter.tracking if entry else None
        return tracking.tracking_terms if tracking else None

    between = calendars_of(settings)
    reader = FactReader(policy, between, terms)
    shards = [
        Lane(f"detect#{shard}", DetectionSweep(database, shard, reader).run, DECIDE_EVERY_S) for shard in range(SHARDS)
    ]
    orders = Lane("detect:orders", OrderSweep(database, between).run, DECIDE_EVERY_S)
    many = IncidentPolicy(min_parcels=rules.incidents.min_parcels, factor=rules.incidents.times_usual)
    return [*shards, orders, Lane("incidents", IncidentSweep(database, many).run, COUNT_EVERY_S)]


def _claim_lanes(settings: Settings, database: Database, book: CarrierBook) -> list[Lane]:
    between, live_from = calendars_of(settings), _live_from(settings)
    desks = {entry.id: ClaimDesk(entry.claim_terms, _claim_policy(settings, entry)) for entry in book.accounts.values()}
    lanes = [Lane("claims", PlanSweep(database, desks, between).run, DECIDE_EVERY_S)]
    for entry in book.accounts.values():
        claims, terms = entry.adapter.claims, entry.claim_terms
        if claims is None or terms is None:
            continue
        sweep = ClaimSweep(
            database=database,
            carrier=entry.id,
            terms=terms,
            policy=_claim_policy(settings, entry),
            breaker=Breaker(database, entry.id, "claims", entry.digest),
            adapter=None if isinstance(claims, ClaimsByLetter) else claims,
            days=between,
            live_from=live_from,
        )
        lanes.append(Lane(f"claims:{entry.id}", sweep.run, DECIDE_EVERY_S))
    return lanes


def _claim_policy(settings: Settings, entry: Account) -> ClaimPolicy:
    claims, desk = settings.carrier(entry.id).claims, _letter_desk(settings, entry.id, entry.adapter)
    return ClaimPolicy(
        claims.mode.value, claims.max_value_cents, entry.claims_by_letter, desk.to if desk is not None else None
    )


def _message_lanes(
    settings: Settings, database: Database, book: CarrierBook, stopping: Callable[[], bool]
) -> list[Lane]:
    policy, between = notice_policy(settings), calendars_of(settings)
    mail = MailAccounts(tuple(mail_account(server) for server in settings.messages.accounts))
    planning = NoticeSweep(
        database,
        policy,
        between,
        _live_from(settings),
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
        redirect_to=settings.messages.redirect_to,
        stopping=stopping,
    )
    live = LiveSweep(database, policy, between, _live_from(settings), CHANNEL)
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
        Lane("messages:email", email.run, DECIDE_EVERY_S),
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
    found = {carrier_id: _letter_desk(settings, carrier_id, adapter) for carrier_id, adapter in adapters.items()}
    desks = {carrier_id: desk for carrier_id, desk in found.items() if desk is not None}
    return LetterBook(Templates(settings.messages.templates), writers, desks, calendars_of(settings))


def _writer(shop: ShopSettings) -> Writer:
    origin = "/".join(part for part in (shop.holidays.city, shop.holidays.state) if part)
    return Writer(shop.name, shop.email.from_, shop.email.reply_to, shop.contact, shop.cnpj, origin or None)


def _letter_desk(settings: Settings, carrier_id: str, adapter: Adapter) -> LetterDesk | None:
    by_letter, claims = adapter.claims, settings.carrier(carrier_id).claims
    if not isinstance(by_letter, ClaimsByLetter):
        return None
    return LetterDesk(
        title=adapter.TITLE,
        terms=by_letter.claim_terms,
        to=claims.letter_to or by_letter.letter_to,
        copies=claims.letter_cc,
        reply_to=claims.letter_reply_to,
        contract=claims.letter_contract,
        words=by_letter.words,
        asks_for=by_letter.asks_for,
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
        carrier_titles={entry.id: entry.adapter.TITLE for entry in accounts},
        claim_terms={entry.id: entry.claim_terms for entry in accounts},
        days=calendars_of(settings),
        policy=notice_policy(settings),
        pickup_days={entry.id: pickup_days(book, entry.id) for entry in accounts},
        return_path=ReturnPath(returned.return_path, returned.verp) if returned and returned.return_path else None,
        unmailed=unmailed_of(settings),
    )


def home_of(settings: Settings, shop_id: str) -> Place:
    """Where a shop's parcels start, as far as its holidays tell."""
    shop = _shop(settings, shop_id)
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

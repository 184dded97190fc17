"""The composition root: configuration in, lanes out. Nothing else builds things."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from carriers.base import Adapter, AdapterContext, CarrierConfigError, CarrierError, ClaimsByLetter, TrackingAnswer
from carriers.http import CarrierHttp
from carriers.registry import load
from tracker.alerts.sweep import AlertSweep, LogSink, Sink, WebhookSink
from tracker.book import Account, CarrierBook
from tracker.claims import contract
from tracker.claims.gates import ClaimPolicy
from tracker.claims.planning import ClaimDesk, PlanSweep
from tracker.claims.sweep import ClaimSweep
from tracker.clock import Clock, clock_from_env
from tracker.config import LoadedConfig, Settings, carrier_digest, trial_clock_faults
from tracker.config.model import CarrierSettings, MailServer, ShopSettings
from tracker.detection.sweep import SHARDS, DetectionPolicy, DetectionSweep
from tracker.domain.calendar import Calendars, calendars
from tracker.domain.notices import NoticePolicy
from tracker.domain.outcome import Result
from tracker.domain.words import Trigger
from tracker.engine.base import Lane
from tracker.events.record import Recorded, record_answers
from tracker.intake.folder import FolderSweep
from tracker.intake.importer import Importer, Intake
from tracker.intake.options import ReadOptions
from tracker.messages.compose import Composer, Sender
from tracker.messages.email_message import new_message_id, parse_mailbox
from tracker.messages.email_sweep import EmailSweep
from tracker.messages.planning import NoticeSweep
from tracker.messages.smtp import SmtpAccount, SmtpTransport
from tracker.messages.story import ShopVoice
from tracker.messages.templates import Templates
from tracker.polling import unconfigured
from tracker.polling.breaker import Breaker
from tracker.polling.schedule import PollingPolicy
from tracker.polling.sweep import PollSweep
from tracker.polling.tokens import FreshTokens, StoredTokens
from tracker.store.claims import wake_held
from tracker.store.database import Database
from tracker.store.leases import free_all
from tracker.store.polls import configuration_changed, wait_for_configuration

INTAKE_EVERY_S: Final = 15.0
POLL_EVERY_S: Final = 20.0
DECIDE_EVERY_S: Final = 30.0


@dataclass(frozen=True)
class App:
    """Everything a command may need, built from one configuration."""

    settings: Settings
    database: Database
    clock: Clock
    book: CarrierBook
    importer: Importer
    folders: tuple[FolderSweep, ...]
    lanes: tuple[Lane, ...]

    def take_over(self) -> None:
        """Begin as the one engine: free what the dead held, and judge anew what waited for another configuration."""
        now = self.clock.now()
        with self.database.begin_write() as connection:
            free_all(connection)
            self._mind_configuration(connection, now)

    def _mind_configuration(self, connection: Connection, now: datetime) -> None:
        live = ",".join(f"{shop.id}={shop.live_from}" for shop in self.settings.shops)
        for entry in self.book.accounts.values():
            contract.reconfigured(connection, entry.id, entry.digest, now)
            if configuration_changed(connection, entry.id, f"{entry.digest};{live}"):
                wait_for_configuration(connection, entry.id, now)
                wake_held(connection, entry.id, now)
        unconfigured.watch(connection, self.book.accounts, now)

    def reconfigured(self) -> None:
        """A running engine took this configuration over."""
        with self.database.begin_write() as connection:
            self._mind_configuration(connection, self.clock.now())

    async def wait_settled(self) -> bool:
        """Wait for files that were dropped a moment ago; whether there were any."""
        waiting = [folder.settle_s for folder in self.folders if folder.waiting]
        if waiting:
            # By the disk's own clock the files are fresh; real time has to pass, whatever the trial clock says.
            await asyncio.sleep(max(waiting) + 0.2)
        return bool(waiting)

    async def close(self) -> None:
        """Let go of every connection."""
        for account in self.book.accounts.values():
            await account.http.aclose()
        self.database.close()


def build(
    loaded: LoadedConfig, env: Mapping[str, str] = os.environ, stopping: Callable[[], bool] = lambda: False
) -> App:
    """Build the program. `stopping` tells long work to end after the batch at hand.

    Opens no connection yet; raises UsageError where the configuration does not allow it.
    """
    settings = loaded.settings
    clock = clock_from_env(env, trial_clock_faults(settings))
    database = Database(settings.database.connection_url())
    book = CarrierBook(settings, {c.id: account(settings, c, database, clock) for c in settings.carriers})
    importer = Importer(database, book)
    folders = tuple(_folders(settings, importer))
    return App(settings, database, clock, book, importer, folders, _lanes(settings, database, book, folders, stopping))


def account(settings: Settings, carrier: CarrierSettings, database: Database, clock: Clock) -> Account:
    """One carrier account, its connection and its adapter."""
    adapter_class = load(carrier.adapter)
    http = CarrierHttp(carrier.id, carrier.base_url)
    adapter = adapter_class(
        carrier.adapter_settings, AdapterContext(carrier.id, http, StoredTokens(database, carrier.id, clock))
    )
    terms = adapter.tracking.tracking_terms if adapter.tracking is not None else None
    rate = carrier.requests_per_second or (terms.requests_per_second if terms else None)
    if rate is not None:
        http.limit_to(rate)
    return Account(carrier.id, carrier.adapter, adapter, http, carrier_digest(carrier))


def calendars_of(settings: Settings) -> Callable[[str, str | None], Calendars]:
    """The calendars between a shop and a state of destination."""

    @lru_cache(maxsize=1024)
    def between(shop_id: str, state: str | None) -> Calendars:
        shop = _shop(settings, shop_id)
        states = frozenset(name for name in (shop.holidays.state if shop else None, state) if name)
        extra = frozenset(shop.holidays.extra) if shop else frozenset()
        return calendars(settings.timezone, states, extra)

    return between


def _shop(settings: Settings, shop_id: str) -> ShopSettings | None:
    return next((shop for shop in settings.shops if shop.id == shop_id), None)


def _live_from(settings: Settings) -> Callable[[str], date | None]:
    def live_from(shop_id: str) -> date | None:
        shop = _shop(settings, shop_id)
        return shop.live_from if shop else None

    return live_from


# --- lanes, from left to right ----------------------------------------------------------------------


def _lanes(
    settings: Settings,
    database: Database,
    book: CarrierBook,
    folders: tuple[FolderSweep, ...],
    stopping: Callable[[], bool],
) -> tuple[Lane, ...]:
    lanes = [Lane(f"intake:{folder.folder.name}#{n}", folder.run, INTAKE_EVERY_S) for n, folder in enumerate(folders)]
    lanes += _poll_lanes(settings, database, book, stopping)
    lanes += _detection_lanes(settings, database, book)
    lanes += _claim_lanes(settings, database, book)
    lanes += _message_lanes(settings, database, book, stopping)
    lanes.append(Lane("alerts", AlertSweep(database, _sinks(settings)).run, DECIDE_EVERY_S))
    return tuple(lanes)


def _folders(settings: Settings, importer: Importer) -> list[FolderSweep]:
    folders = []
    for entry in settings.intake:
        intake = Intake(entry.shop, settings.timezone, settings.shop(entry.shop).cnpj, entry.read_options())
        folders.append(FolderSweep(entry.path, intake, importer, entry.settle_seconds))
    return folders


def intake_of(settings: Settings, shop_id: str) -> Intake:
    """How the files of a shop are read: as its own folder says, where it has one."""
    entry = next((entry for entry in settings.intake if entry.shop == shop_id), None)
    shop = settings.shop(shop_id)
    options = entry.read_options() if entry else ReadOptions()
    return Intake(shop_id, settings.timezone, shop.cnpj, options)


def _poll_lanes(settings: Settings, database: Database, book: CarrierBook, stopping: Callable[[], bool]) -> list[Lane]:
    between = calendars_of(settings)
    rules = settings.rules.polling
    policy = PollingPolicy(
        pre_transit=timedelta(hours=rules.pre_transit_hours),
        in_transit=timedelta(hours=rules.in_transit_hours),
        urgent=timedelta(minutes=rules.urgent_minutes),
        pickup=timedelta(hours=rules.pickup_hours),
        problem=timedelta(hours=rules.problem_hours),
        problem_for=timedelta(days=rules.problem_days),
        second_looks_days=rules.second_looks_days,
        not_found_for=timedelta(days=settings.rules.not_found_days),
    )
    lanes = []
    for entry in book.accounts.values():
        if entry.adapter.tracking is None:
            continue
        sweep = PollSweep(
            database=database,
            carrier=entry.id,
            adapter=entry.adapter.tracking,
            breaker=Breaker(database, entry.id, "tracking", entry.digest),
            record=_recorder(entry.id),
            policy=policy,
            days=lambda shop: between(shop, None),
            stopping=stopping,
        )
        lanes.append(Lane(f"poll:{entry.id}", sweep.run, POLL_EVERY_S))
    return lanes


def _recorder(carrier: str) -> Callable[[Connection, Mapping[int, TrackingAnswer], datetime], dict[int, Recorded]]:
    def record(connection: Connection, answers: Mapping[int, TrackingAnswer], now: datetime) -> dict[int, Recorded]:
        return record_answers(connection, carrier, answers, now=now)

    return record


def _detection_lanes(settings: Settings, database: Database, book: CarrierBook) -> list[Lane]:
    policy = DetectionPolicy(
        promise_slack_business_days=settings.rules.promise_slack_business_days,
        delay_grace_days=settings.rules.delay.grace_days,
        presumed_loss_business_days=settings.rules.presumed_loss.business_days,
    )

    def loss_terms(carrier: str) -> Mapping[str, int] | None:
        entry = book.accounts.get(carrier)
        tracking = entry.adapter.tracking if entry else None
        return tracking.tracking_terms.presumed_loss_business_days if tracking else None

    return [
        Lane(
            f"detect#{shard}",
            DetectionSweep(database, shard, policy, calendars_of(settings), loss_terms).run,
            DECIDE_EVERY_S,
        )
        for shard in range(SHARDS)
    ]


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
    claims = settings.carrier(entry.id).claims
    return ClaimPolicy(claims.mode.value, claims.max_value_cents, entry.claims_by_letter)


def _message_lanes(
    settings: Settings, database: Database, book: CarrierBook, stopping: Callable[[], bool]
) -> list[Lane]:
    policy, between = notice_policy(settings), calendars_of(settings)
    planning = NoticeSweep(database, policy, between, _live_from(settings), _message_ids(settings))
    email = EmailSweep(
        database=database,
        composer=composer(settings, book),
        transport=SmtpTransport(_smtp_account(settings.messages.email)),
        per_hour=settings.messages.email.hourly_limit,
        redirect_to=settings.messages.redirect_to,
        stopping=stopping,
    )
    return [
        Lane("messages", planning.run, DECIDE_EVERY_S),
        Lane("messages:email", email.run, DECIDE_EVERY_S),
    ]


def notice_policy(settings: Settings) -> NoticePolicy:
    """The merchant's choices about messages."""
    return NoticePolicy(
        channels={trigger: settings.messages.channels(trigger) for trigger in Trigger},
        max_age={trigger: timedelta(hours=hours) for trigger, hours in settings.rules.max_age_hours.items()},
        delivered_after=timedelta(hours=settings.rules.delivered_after_hours),
        delivered_between=settings.rules.delivered_between,
        delivered_only_after_problem=settings.messages.delivered_only_after_problem,
        hold=timedelta(minutes=settings.messages.hold_minutes),
    )


def composer(settings: Settings, book: CarrierBook) -> Composer:
    """What puts deliveries into words."""
    senders = {
        shop.id: Sender(
            shop=shop.id,
            voice=ShopVoice(shop.name, shop.contact),
            sender=shop.email.from_,
            reply_to=shop.email.reply_to,
            language=shop.language,
        )
        for shop in settings.shops
    }
    accounts = book.accounts.values()
    return Composer(
        templates=Templates(settings.messages.templates),
        senders=senders,
        carrier_titles={entry.id: entry.adapter.TITLE for entry in accounts},
        claim_terms={entry.id: entry.claim_terms for entry in accounts},
        days=calendars_of(settings),
    )


def _message_ids(settings: Settings) -> Callable[[str], str]:
    domains = {shop.id: parse_mailbox(shop.email.from_).address.rpartition("@")[2] for shop in settings.shops}
    return lambda shop: new_message_id(domains.get(shop, "localhost"), os.urandom)


def _smtp_account(server: MailServer) -> SmtpAccount:
    return SmtpAccount(
        host=server.host,
        port=server.port,
        security=server.security,
        user=server.user,
        password=server.password.get_secret_value() if server.password else None,
        command_timeout_s=server.timeout_seconds,
    )


def _sinks(settings: Settings) -> dict[str, Sink]:
    """Sinks by a name that does not change with their order."""
    sinks: dict[str, Sink] = {"log": LogSink()}
    for entry in settings.alerts:
        if entry.kind == "webhook":
            sinks[f"webhook:{entry.url}"] = WebhookSink(entry.url, entry.secret.get_secret_value())
    return sinks


# --- proving the configuration ----------------------------------------------------------------------


def online_checks(loaded: LoadedConfig) -> list[tuple[str, bool, str]]:
    """Log in to every carrier and mail server: (what, whether it worked, one sentence)."""
    return asyncio.run(_online_checks(loaded))


async def _online_checks(loaded: LoadedConfig) -> list[tuple[str, bool, str]]:
    results = []
    for carrier in loaded.settings.carriers:
        results.append(await _check_carrier(loaded.settings, carrier))
    server = loaded.settings.messages.email
    transport = SmtpTransport(_smtp_account(server))
    outcome = await transport.probe()
    what = f"mail server {server.host}:{server.port}"
    good = outcome.result is Result.ACCEPTED
    results.append((what, good, "takes mail" if good else f"does not take mail: {outcome.reply or outcome.reason}"))
    return results


def adapter_alone(carrier: CarrierSettings) -> tuple[Adapter, CarrierHttp]:
    """An account's adapter without a database: to prove its credentials, or to ask what it can do."""
    http = CarrierHttp(carrier.id, carrier.base_url)
    return load(carrier.adapter)(carrier.adapter_settings, AdapterContext(carrier.id, http, FreshTokens())), http


async def _check_carrier(settings: Settings, carrier: CarrierSettings) -> tuple[str, bool, str]:
    what = f"carrier {carrier.id}"
    adapter, http = adapter_alone(carrier)
    try:
        return what, True, await adapter.log_in()
    except (CarrierError, CarrierConfigError) as error:
        return what, False, error.message
    finally:
        await http.aclose()

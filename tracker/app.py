"""The composition root: configuration in, lanes out. Nothing else builds things."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from carriers.base import CarrierConfigError, CarrierError, TokenStore, TrackingAdapter, TrackingStatus, facts_of
from carriers.http import CarrierHttp
from carriers.registry import load
from tracker.accounts import Connect, adapter_alone, carrier_account, proving_tokens
from tracker.book import Account, CarrierBook
from tracker.claims import contract
from tracker.clock import Clock, clock_from_env
from tracker.config import LoadedConfig, Settings, trial_clock_faults
from tracker.config.mail import MailServer, ReturnedMail
from tracker.config.model import CarrierSettings
from tracker.domain.outcome import Result
from tracker.engine.base import Lane
from tracker.errors import DatabaseFaultError, MissingCredentialError
from tracker.feed_lanes import feed_places, place_checks
from tracker.hook_lanes import receivers_of
from tracker.intake.folder import FolderSweep
from tracker.intake.importer import Importer
from tracker.lanes import folders_of, lanes_of, polling_policy
from tracker.mailbox import MailboxError, opened
from tracker.message_lanes import composer, mailbox_account, smtp_account
from tracker.messages.compose import Composer
from tracker.messages.email_sweep import CHANNEL
from tracker.messages.outcomes import why_no_mail
from tracker.messages.smtp import SmtpTransport
from tracker.polling import unconfigured
from tracker.polling.feed_places import FeedFolder
from tracker.polling.hook_desk import HookDesk
from tracker.polling.planner import Open, Plan, plan
from tracker.polling.tokens import NotTriedError
from tracker.store.claims import wake_held
from tracker.store.database import Database
from tracker.store.deadlines import ask_again
from tracker.store.deliveries import wake_not_live
from tracker.store.engine_rows import forget_all
from tracker.store.freshness import OpenCount
from tracker.store.leases import free_all
from tracker.store.polls import configuration_changed, wait_for_configuration

log = structlog.get_logger(__name__)
IDLE_S: Final = 15.0
"""Where several processes share the lanes, a transaction may wait so long for its next statement: half as long as until a
silent process counts as dead, so that what it had locked is free by then."""


@dataclass(frozen=True)
class App:
    """Everything a command may need, built from one configuration."""

    settings: Settings
    database: Database
    clock: Clock
    book: CarrierBook
    importer: Importer
    folders: tuple[FolderSweep, ...]
    feed_folders: tuple[FeedFolder, ...]
    lanes: tuple[Lane, ...]
    hooks: HookDesk

    @property
    def is_shared(self) -> bool:
        """Whether the lanes are shared with other processes."""
        return self.settings.engine == "procrastinate"

    def take_over(self) -> None:
        """Begin as the one engine: free what the dead held, and judge anew what waited for another configuration.

        Beside other workers nothing is freed: what they hold they work on, and the dead are known by their silence.
        """
        now = self.clock.now()
        with self.database.begin_write() as connection:
            if not self.is_shared:
                free_all(connection)
                forget_all(connection)
            self._mind_configuration(connection, now)

    def _mind_configuration(self, connection: Connection, now: datetime) -> None:
        live = ",".join(f"{shop.id}={shop.live_from}={shop.origin_postal_code}" for shop in self.settings.shops)
        is_new = False
        for entry in self.book.accounts.values():
            contract.reconfigured(connection, entry.id, entry.digest, now)
            # Another account of the same adapter may see what this one could not.
            siblings = ",".join(e.digest for e in self.book.accounts.values() if e.name == entry.name)
            if configuration_changed(connection, entry.id, f"{siblings};{live}"):
                wait_for_configuration(connection, entry.id, now)
                wake_held(connection, entry.id, now)
                ask_again(connection, [entry.id], now)
                is_new = True
        if is_new:
            wake_not_live(connection, CHANNEL, now)
        unconfigured.watch(connection, self.book.accounts, now)
        self._name_experimental()

    def _name_experimental(self) -> None:
        """Say at each start which accounts rest on thin facts: a merchant may have read no table."""
        for entry in self.book.accounts.values():
            facts = facts_of(type(entry.adapter))
            if facts is not None and facts.experimental:
                log.warning("carrier.experimental", carrier=entry.id, adapter=entry.name, gaps=list(facts.gaps))

    def reconfigured(self) -> None:
        """A running engine took this configuration over."""
        with self.database.begin_write() as connection:
            self._mind_configuration(connection, self.clock.now())

    async def wait_settled(self) -> bool:
        """Wait for files that were dropped a moment ago; whether there were any."""
        waiting = [folder.settle_s for folder in self.folders if folder.waiting]
        waiting += [folder.settle_s for folder in self.feed_folders if folder.waiting]
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
    loaded: LoadedConfig,
    env: Mapping[str, str] = os.environ,
    stopping: Callable[[], bool] = lambda: False,
    connect: Connect = CarrierHttp,
) -> App:
    """Build the program. `stopping` tells long work to end after the batch at hand; `connect` reaches the carriers.

    Opens no connection yet; raises UsageError where the configuration does not allow it.
    """
    settings = loaded.settings
    clock = clock_from_env(env, trial_clock_faults(settings))
    idle_s = IDLE_S if settings.engine == "procrastinate" else None
    database = Database(settings.database.connection_url(), idle_s=idle_s)
    book = CarrierBook(settings, {c.id: carrier_account(c, database, clock, connect) for c in settings.carriers})
    importer = Importer(database, book)
    folders = tuple(folders_of(settings, importer, stopping))
    places = feed_places(settings, database, book, stopping)
    feed_folders = tuple(place for listed in places.values() for place in listed if isinstance(place, FeedFolder))
    lanes = lanes_of(settings, database, book, folders, stopping, places)
    desk = HookDesk(database, receivers_of(book), clock)
    return App(settings, database, clock, book, importer, folders, feed_folders, lanes, desk)


def freshness_plans(settings: Settings, counts: Sequence[OpenCount]) -> dict[str, Plan]:
    """By account, how fresh its looks can be. One whose credential is not here, or that cannot be asked, is left out."""
    plans = {}
    for carrier in settings.carriers:
        try:
            tracking = adapter_alone(carrier)[0].tracking
        except MissingCredentialError:
            continue
        if not isinstance(tracking, TrackingAdapter):
            continue
        found = [Open(TrackingStatus(c.status), c.is_due, c.shipments) for c in counts if c.carrier == carrier.id]
        terms = tracking.tracking_terms
        plans[carrier.id] = plan(
            found,
            polling_policy(settings),
            batch_size=terms.batch_size,
            requests_per_second=carrier.requests_per_second or terms.requests_per_second,
        )
    return plans


# --- proving the configuration ----------------------------------------------------------------------


Proof = tuple[str, bool | None, str]
"""What was tried, whether it worked (None: it was left alone), one sentence."""


def online_checks(loaded: LoadedConfig, database: Database | None, clock: Clock) -> list[Proof]:
    """Log in to every carrier and mail server. *database*: the shop's, where it has one; it keeps what a login gives once."""
    return asyncio.run(_online_checks(loaded, database, clock))


async def _online_checks(loaded: LoadedConfig, database: Database | None, clock: Clock) -> list[Proof]:
    results: list[Proof] = []
    for carrier in loaded.settings.carriers:
        proof = await _check_carrier(carrier, proving_tokens(carrier, database, clock))
        results.append(proof)
        results += await place_checks(carrier)
    for account in loaded.settings.messages.accounts:
        results.append(await _check_mail(account))
    if loaded.settings.messages.bounces is not None:
        results.append(await asyncio.to_thread(_check_mailbox, loaded.settings.messages.bounces))
    return results


async def _check_mail(account: MailServer) -> Proof:
    transport = SmtpTransport(smtp_account(account))
    outcome = await transport.probe()
    what = f"mail server {transport.server}" + (f" ({account.id})" if account.id else "")
    good = outcome.result is Result.ACCEPTED
    return what, good, "takes mail" if good else f"does not take mail: {why_no_mail(outcome)}"


def _check_mailbox(mailbox: ReturnedMail) -> Proof:
    account = mailbox_account(mailbox)
    what = f"mailbox of returned mail {account.shown}"
    try:
        with opened(account) as box:
            if not box.has_done_folder():
                return what, False, f"can be read, but has no folder {account.done_folder} (create it there)"
            if account.done_folder and not box.can_move:
                return what, True, "can be read; its server cannot move mails: they stay, marked as seen"
    except MailboxError as fault:
        return what, False, f"cannot be read: {fault}"
    return what, True, "can be read"


def mail_transport(settings: Settings) -> SmtpTransport:
    """The configured mail server, for one message outside the lanes."""
    return SmtpTransport(smtp_account(settings.messages.accounts[0]))


def composer_alone(settings: Settings) -> Composer:
    """What puts messages into words, without a database; a carrier whose credential is not here has its name alone."""
    accounts = {}
    for carrier in settings.carriers:
        with suppress(MissingCredentialError):
            adapter, http = adapter_alone(carrier)
            accounts[carrier.id] = Account(carrier.id, carrier.adapter, adapter, http, "")
    titles = {carrier.id: carrier.known_as(load(carrier.adapter).TITLE) for carrier in settings.carriers}
    return replace(composer(settings, CarrierBook(settings, accounts)), carrier_titles=titles)


async def _check_carrier(carrier: CarrierSettings, tokens: TokenStore) -> Proof:
    what = f"carrier {carrier.id}"
    adapter, http = adapter_alone(carrier, tokens)
    try:
        return what, True, await adapter.log_in()
    except (CarrierError, CarrierConfigError) as error:
        return what, False, error.message
    except NotTriedError as reason:
        return what, None, str(reason)
    except DatabaseFaultError as fault:
        return what, False, str(fault)
    finally:
        await http.aclose()

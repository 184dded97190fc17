"""The lanes of what carriers send by themselves: where it comes to, and what it is given. Called by `tracker.lanes` and `app`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from carriers.base import FileFeed, PulledFeed, feed_of
from tracker.book import Account, CarrierBook
from tracker.config import Settings
from tracker.config.feeds import FolderFiles, MailFiles, SftpFiles
from tracker.config.model import CarrierSettings
from tracker.domain.calendar import Calendars
from tracker.mailbox import MailboxAccount, MailboxError, opened_aside
from tracker.polling.breaker import Breaker
from tracker.polling.feed_files import FeedFiles
from tracker.polling.feed_looks import FeedLooks
from tracker.polling.feed_mail import FeedMailbox
from tracker.polling.feed_places import FeedFolder, Looked, Place, PlaceError
from tracker.polling.feed_pull import FeedPull
from tracker.polling.feed_sftp import FeedSftp, SftpAccount, count_files
from tracker.polling.feed_sweep import FeedSweep, Silence
from tracker.polling.schedule import PollingPolicy
from tracker.polling.sweep import Recorder
from tracker.shops import calendars_of
from tracker.store.database import Database


def feed_places(
    settings: Settings, database: Database, book: CarrierBook, stopping: Callable[[], bool]
) -> dict[str, list[Place]]:
    """By account, the places that its files come to; an account whose carrier sends none has none."""
    found: dict[str, list[Place]] = {}
    for entry in book.accounts.values():
        feed = feed_of(entry.adapter)
        if isinstance(feed, FileFeed):
            found[entry.id] = list(_places(settings.carrier(entry.id), feed, database, stopping))
    return found


def _places(
    carrier: CarrierSettings, feed: FileFeed, database: Database, stopping: Callable[[], bool]
) -> Iterator[Place]:
    for place in carrier.files:
        if isinstance(place, FolderFiles):
            looked = Looked(database, carrier.id, f"folder {place.path}")
            yield FeedFolder(place.path, looked, feed.max_bytes, place.settle_seconds, stopping)
        elif isinstance(place, SftpFiles):
            yield sftp_place(carrier.id, place, feed, database, stopping)
        else:
            yield mail_place(carrier.id, place, database, stopping)


def sftp_place(
    carrier: str, place: SftpFiles, feed: FileFeed, database: Database, stopping: Callable[[], bool] = lambda: False
) -> FeedSftp:
    """A folder on an SFTP server, as configured."""
    account = _sftp_account(place)
    looked = Looked(database, carrier, account.shown)
    return FeedSftp(account, looked, feed.max_bytes, place.after == "remove", place.settle_seconds, stopping)


def mail_place(
    carrier: str, place: MailFiles, database: Database, stopping: Callable[[], bool] = lambda: False
) -> FeedMailbox:
    """A mailbox, as configured."""
    account = _mail_account(place)
    looked = Looked(database, carrier, f"mailbox {place.user}@{account.shown}")
    return FeedMailbox(account, looked, place.from_ or "", place.subject or "", stopping)


def _sftp_account(place: SftpFiles) -> SftpAccount:
    return SftpAccount(
        place.host,
        place.port,
        place.user,
        _revealed(place.password),
        _revealed(place.key),
        place.host_key,
        place.known_hosts,
        place.path,
        place.timeout_seconds,
    )


def _mail_account(place: MailFiles) -> MailboxAccount:
    return MailboxAccount(
        place.host,
        place.port,
        place.security,
        place.user,
        place.password.get_secret_value(),
        place.folder,
        place.done_folder,
        place.timeout_seconds,
    )


async def place_checks(carrier: CarrierSettings) -> list[tuple[str, bool, str]]:
    """Whether each place that this carrier's files come to can be read: (what, whether, one sentence)."""
    return [await _place_check(carrier.id, place) for place in carrier.files]


async def _place_check(carrier: str, place: FolderFiles | SftpFiles | MailFiles) -> tuple[str, bool, str]:
    if isinstance(place, FolderFiles):
        what = f"files of {carrier} in {place.path}"
        if place.path.exists() and not (place.path.is_dir() and os.access(place.path, os.R_OK | os.W_OK | os.X_OK)):
            return what, False, "is no folder that this user may read and write"
        return what, True, "can be read" if place.path.exists() else "will be made at the first run"
    if isinstance(place, SftpFiles):
        sftp = _sftp_account(place)
        try:
            return (
                f"files of {carrier} at {sftp.shown}",
                True,
                f"can be read: {await count_files(sftp)} files lie there",
            )
        except PlaceError as fault:
            return f"files of {carrier} at {sftp.shown}", False, str(fault)
    account = _mail_account(place)
    what = f"files of {carrier} in the mailbox {account.shown}"
    try:
        async with opened_aside(account) as box:
            if not await asyncio.to_thread(box.has_done_folder):
                return what, False, f"can be read, but has no folder {account.done_folder} (create it there)"
    except MailboxError as fault:
        return what, False, f"cannot be read: {fault}"
    return what, True, "can be read"


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def feed_sweeps(
    settings: Settings,
    database: Database,
    book: CarrierBook,
    places: Mapping[str, Sequence[Place]],
    policy: PollingPolicy,
    recorder: Callable[[Settings, Account], Recorder],
    stopping: Callable[[], bool],
) -> list[FeedSweep]:
    """What each account whose carrier sends by itself is worked with."""
    return [
        _sweep(settings, database, entry, places.get(entry.id, ()), policy, recorder(settings, entry), stopping)
        for entry in book.accounts.values()
        if feed_of(entry.adapter) is not None and entry.adapter.tracking is not None
    ]


def _sweep(
    settings: Settings,
    database: Database,
    entry: Account,
    places: Sequence[Place],
    policy: PollingPolicy,
    record: Recorder,
    stopping: Callable[[], bool],
) -> FeedSweep:
    feed, tracking = feed_of(entry.adapter), entry.adapter.tracking
    assert feed is not None and tracking is not None
    carrier, between = settings.carrier(entry.id), calendars_of(settings)

    def days(shop: str) -> Calendars:
        return between(shop, None)

    served = days(next((shop.id for shop in settings.shops if carrier.serves(shop.id)), ""))
    files = FeedFiles(database, entry.id, feed, record, tracking.tracking_terms.reading_version, stopping)
    pull = None
    if isinstance(feed, PulledFeed):
        zone = ZoneInfo(tracking.tracking_terms.timezone)
        pull = FeedPull(database, entry.id, feed, files, Breaker(database, entry.id, "tracking", entry.digest), zone)
    return FeedSweep(
        database=database,
        carrier=entry.id,
        files=files,
        looks=FeedLooks(database, entry.id, policy, days),
        days=served,
        silence=Silence(carrier.silent_days, served) if pull is None else None,
        pull=pull,
        places=[
            (place, Breaker(database, entry.id, f"files {number}", entry.digest))
            for number, place in enumerate(places, start=1)
        ],
        stopping=stopping,
    )

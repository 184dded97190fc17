"""The lanes of the program, from left to right: what each stage's repeating work is given. Called by `tracker.app` alone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from carriers.base import (
    ClaimsByLetter,
    TrackingAdapter,
    TrackingAnswer,
    TrackingTerms,
    deadlines_of,
    hook_of,
)
from tracker.alert_lanes import alert_lanes, pinged
from tracker.archives import Archive
from tracker.backups import BackupSweep
from tracker.book import Account, CarrierBook
from tracker.claims.gates import ClaimPolicy
from tracker.claims.planning import ClaimDesk, PlanSweep
from tracker.claims.sweep import ClaimSweep
from tracker.config import Settings
from tracker.config.model import CarrierSettings
from tracker.detection.facts import DetectionPolicy, FactReader
from tracker.detection.incidents import IncidentSweep
from tracker.detection.orders import OrderSweep
from tracker.detection.sweep import SHARDS, DetectionSweep
from tracker.domain.codes import CodeMap, CodeReading
from tracker.domain.incidents import IncidentPolicy
from tracker.domain.retention import Terms
from tracker.engine.base import Lane
from tracker.events.record import CALCULATOR, Recorded, record_answers, record_due_date
from tracker.events.reread import CodeSweep
from tracker.feed_lanes import feed_sweeps
from tracker.folder_mark import folder_mark
from tracker.hook_lanes import hook_lanes
from tracker.intake.folder import FolderSweep
from tracker.intake.importer import Importer, Intake
from tracker.intake.options import ReadOptions
from tracker.message_lanes import letter_desk, message_lanes
from tracker.polling.breaker import Breaker
from tracker.polling.deadlines import DeadlineSweep
from tracker.polling.feed_places import FeedFolder, Place
from tracker.polling.feed_sweep import FeedSweep
from tracker.polling.schedule import PollingPolicy
from tracker.polling.sight import Sight
from tracker.polling.sweep import PollSweep, at_once
from tracker.retention import RetentionSweep
from tracker.shops import calendars_of, live_from_of, shop_of
from tracker.store.database import Database

INTAKE_EVERY_S: Final = 15.0
POLL_EVERY_S: Final = 20.0
FEED_EVERY_S: Final = 60.0
DECIDE_EVERY_S: Final = 30.0
BACKUP_EVERY_S: Final = 60.0
RETENTION_EVERY_S: Final = 60.0
COUNT_EVERY_S: Final = 600.0
"""A month of problems is counted each time, and a cause that many share is none of minutes."""


def lanes_of(
    settings: Settings,
    database: Database,
    book: CarrierBook,
    folders: tuple[FolderSweep, ...],
    stopping: Callable[[], bool],
    places: Mapping[str, Sequence[Place]],
) -> tuple[Lane, ...]:
    """Every lane, in the order of the stages."""
    place, between = partial(_place, settings), calendars_of(settings)
    lanes = [
        Lane(f"intake:{folder.folder.name}#{n}", folder.run, INTAKE_EVERY_S, place=place(folder.folder))
        for n, folder in enumerate(folders)
    ]
    lanes += _poll_lanes(settings, database, book, stopping)
    lanes += _feed_lanes(settings, database, book, places, stopping)
    lanes += hook_lanes(
        book, database, lambda entry: _recorder(settings, entry), polling_policy(settings), between, stopping
    )
    lanes += _deadline_lanes(settings, database, book, stopping)
    lanes.append(Lane("codes", CodeSweep(database, {c.id: code_map(c) for c in settings.carriers}).run, DECIDE_EVERY_S))
    lanes += _detection_lanes(settings, database, book)
    lanes += _claim_lanes(settings, database, book)
    lanes += message_lanes(settings, database, book, stopping)
    lanes += _backup_lanes(settings, database, stopping)
    lanes.append(Lane("retention", retention_of(settings, database, stopping).run, RETENTION_EVERY_S))
    lanes += alert_lanes(settings, database)
    return tuple(pinged(settings, database, lanes))


def _place(settings: Settings, folder: Path) -> str:
    """Where the lane of a folder runs: where several machines share the lanes, wherever this very folder is seen."""
    return folder_mark(folder) if settings.engine == "procrastinate" else ""


def _backup_lanes(settings: Settings, database: Database, stopping: Callable[[], bool]) -> list[Lane]:
    wanted = settings.database.backup
    if wanted is None:
        return []
    place = _place(settings, wanted.path)
    machine = socket.gethostname() if place else ""
    sweep = BackupSweep(database, wanted.path, wanted.at, wanted.keep, settings.timezone, stopping, machine)
    return [Lane("backup", sweep.run, BACKUP_EVERY_S, place=place)]


def retention_of(settings: Settings, database: Database, stopping: Callable[[], bool]) -> RetentionSweep:
    """What drops what is old."""
    wanted = settings.retention
    terms = Terms(*(timedelta(days=d) for d in (wanted.closed_orders_days, wanted.raw_answers_days, wanted.logs_days)))
    archive = Archive(wanted.archive) if wanted.archive is not None else None
    return RetentionSweep(database, terms, wanted.at, settings.timezone, archive, wanted.compact_up_to_mib, stopping)


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
        if not isinstance(entry.adapter.tracking, TrackingAdapter):
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
            at_once=at_once(
                settings.carrier(entry.id).requests_per_second
                or entry.adapter.tracking.tracking_terms.requests_per_second
            ),
            is_pushed=hook_of(entry.adapter) is not None,
        )
        lanes.append(Lane(f"poll:{entry.id}", sweep.run, POLL_EVERY_S))
    return lanes


def _feed_lanes(
    settings: Settings,
    database: Database,
    book: CarrierBook,
    places: Mapping[str, Sequence[Place]],
    stopping: Callable[[], bool],
) -> list[Lane]:
    sweeps = feed_sweeps(settings, database, book, places, polling_policy(settings), _recorder, stopping)
    return [
        Lane(f"feed:{sweep.carrier}", sweep.run, FEED_EVERY_S, place=_place_of_feed(settings, sweep))
        for sweep in sweeps
    ]


def _place_of_feed(settings: Settings, sweep: FeedSweep) -> str:
    """A folder is read where it is seen."""
    folder = next((place.folder for place, _ in sweep.places if isinstance(place, FeedFolder)), None)
    return _place(settings, folder) if folder is not None else ""


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
        shop = shop_of(settings, shop_id)
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
        presumed_loss_by_carrier={
            entry.id: entry.claims.presumed_loss_business_days
            for entry in settings.carriers
            if entry.claims.presumed_loss_business_days is not None
        },
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
    orders = Lane("detect:orders", OrderSweep(database, between, rules.not_posted.business_days).run, DECIDE_EVERY_S)
    many = IncidentPolicy(min_parcels=rules.incidents.min_parcels, factor=rules.incidents.times_usual)
    return [*shards, orders, Lane("incidents", IncidentSweep(database, many).run, COUNT_EVERY_S)]


def _claim_lanes(settings: Settings, database: Database, book: CarrierBook) -> list[Lane]:
    between, live_from = calendars_of(settings), live_from_of(settings)
    desks = {entry.id: ClaimDesk(entry.claim_terms, _claim_policy(settings, entry)) for entry in book.accounts.values()}
    silent = settings.rules.by_words.silent_business_days
    lanes = [Lane("claims", PlanSweep(database, desks, between, silent).run, DECIDE_EVERY_S)]
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
            silent_business_days=silent,
        )
        lanes.append(Lane(f"claims:{entry.id}", sweep.run, DECIDE_EVERY_S))
    return lanes


def _claim_policy(settings: Settings, entry: Account) -> ClaimPolicy:
    claims, desk = settings.carrier(entry.id).claims, letter_desk(settings, entry.id, entry.adapter)
    return ClaimPolicy(
        claims.mode.value, claims.max_value_cents, entry.claims_by_letter, desk.to if desk is not None else None
    )

"""Polling against the simulated carrier: outages, refusals, patience and tokens, and what they leave in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import respx
from httpx import Response
from sqlalchemy import Row, update

from carriers.base import (
    AnswerOutcome,
    PermanentCarrierError,
    RefKind,
    TrackingAnswer,
    TrackingRef,
    TrackingStatus,
    TrackingTerms,
)
from tests.end_to_end.support import ZONE, Start, Trial, at, day, of_fate
from tests.reports.support import add_order, event, order
from tracker.domain.calendar import calendars
from tracker.events.record import record_answers
from tracker.polling.breaker import Breaker
from tracker.polling.schedule import PollingPolicy
from tracker.polling.sight import Sight
from tracker.polling.sweep import PollSweep
from tracker.sandbox.plan import Fate
from tracker.store.database import Database
from tracker.store.tables import (
    Alert,
    CarrierOutage,
    CarrierState,
    Claim,
    Delivery,
    Event,
    RawAnswer,
    ShipmentHistory,
    ShipmentPoll,
    Signal,
    table,
)

LATE = of_fate(Fate.LATE_OPEN)
ON_TIME = of_fate(Fate.ON_TIME)
TOKEN = "autentica"
OBJECTS = "objetos"
ATTEMPTS = 3
"""How often one reading call is tried within a pass."""
FIRST = at(day(2), 9)
MINUTE = timedelta(minutes=1)


def calls(trial: Trial, piece: str) -> list[dict[str, Any]]:
    return [call for call in trial.world.correios.calls if piece in call["path"]]


def down_for(trial: Trial, passes: int) -> None:
    trial.world.faults.next("500", count=passes * ATTEMPTS, path=OBJECTS)


def test_a_carrier_that_goes_and_returns_is_told_once_each(start: Start, database_url: str) -> None:
    trial = start(LATE, ON_TIME, url=database_url)
    trial.drop_orders()
    down_for(trial, 3)
    trial.pass_through(FIRST + minutes * MINUTE for minutes in (0, 1))
    assert trial.rows(Alert) == []  # two failures in a row are not an outage yet
    trial.pass_at(FIRST + 6 * MINUTE)
    alert = trial.one(Alert)
    assert (alert["kind"], alert["severity"], alert["resolved_at"]) == ("carrier_down", "critical", None)
    outage = trial.one(CarrierOutage)
    assert (outage["family"], outage["started_at"], outage["ended_at"]) == ("tracking", FIRST, None)
    polls = trial.rows(ShipmentPoll)
    assert [(p["lease_token"], p["next_poll_at"] <= FIRST, p["last_answered_at"]) for p in polls] == [
        (None, True, None)
    ] * 2
    trial.pass_through(FIRST + minutes * MINUTE for minutes in (21, 30, 90))
    assert trial.one(Alert)["resolved_at"] == FIRST + 21 * MINUTE
    assert trial.one(CarrierOutage)["ended_at"] == FIRST + 21 * MINUTE
    assert len(trial.rows(ShipmentHistory)) == 2


def test_a_carrier_that_is_down_is_left_alone_meanwhile(start: Start) -> None:
    trial = start(LATE)
    trial.drop_orders()
    down_for(trial, 2)
    trial.pass_at(FIRST)
    asked = len(calls(trial, OBJECTS))
    trial.pass_at(FIRST + MINUTE / 2)
    assert len(calls(trial, OBJECTS)) == asked == ATTEMPTS


@pytest.mark.parametrize("fault", ["close", "html"])
def test_no_answer_and_a_maintenance_page_are_outages_too(start: Start, fault: str) -> None:
    trial = start(LATE)
    trial.drop_orders()
    trial.world.faults.next(fault, count=ATTEMPTS, path=OBJECTS)
    trial.pass_at(FIRST)
    assert trial.one(CarrierState, family="tracking")["failures"] == 1
    assert trial.rows(Event) == []
    trial.pass_at(FIRST + MINUTE)
    assert trial.one(CarrierState, family="tracking")["failures"] == 0
    assert trial.one(ShipmentHistory)["status"] == "in_transit"


def test_refused_credentials_stop_tracking_and_not_the_claims(start: Start) -> None:
    trial = start(LATE)
    trial.drop_orders()
    trial.pass_at(at(LATE.due_on, 9))
    trial.carrier["claims"]["mode"] = "propose"
    due = at(LATE.due_on + timedelta(days=1), 9)
    trial.pass_at(due)
    trial.carrier["claims"]["mode"] = "auto"
    trial.world.faults.next("403", count=2, path=OBJECTS)
    trial.pass_at(due + 60 * MINUTE)
    assert trial.one(Alert)["kind"] == "credentials_refused"
    assert trial.one(Claim)["state"] == "open"


def refused(trial: Trial) -> Trial:
    """Its tracking is refused at the first pass; the carrier's own mind changes at once."""
    trial.drop_orders()
    trial.world.faults.next("403", count=2, path=OBJECTS)
    trial.pass_at(FIRST)
    assert trial.one(Alert)["kind"] == "credentials_refused"
    return trial


def test_a_refusal_is_probed_after_an_hour(start: Start, database_url: str) -> None:
    trial = refused(start(ON_TIME, url=database_url))
    asked = len(calls(trial, OBJECTS))
    trial.pass_at(FIRST + 59 * MINUTE)
    assert len(calls(trial, OBJECTS)) == asked
    trial.pass_at(FIRST + 60 * MINUTE)
    assert trial.one(ShipmentHistory)["status"] == "in_transit"
    assert trial.one(Alert)["resolved_at"] == FIRST + 60 * MINUTE


def test_a_refusal_is_probed_at_once_with_another_configuration(start: Start) -> None:
    trial = refused(start(ON_TIME))
    trial.carrier["services"] = {"SEDEX": "03220"}
    trial.pass_at(FIRST + MINUTE)
    assert trial.one(Alert)["resolved_at"] == FIRST + MINUTE


def test_a_wrong_password_is_an_alert_and_no_failed_pass(start: Start) -> None:
    trial = start(ON_TIME)
    trial.drop_orders()
    trial.world.faults.refuse_credentials = True
    trial.pass_through([FIRST, FIRST + MINUTE, FIRST + 2 * MINUTE])
    assert trial.one(Alert)["kind"] == "credentials_refused"
    assert len(calls(trial, TOKEN)) <= 2  # a wrong password again and again would lock the account


def test_patience_that_the_carrier_asks_for_is_kept(start: Start) -> None:
    trial = start(ON_TIME)
    trial.drop_orders()
    with respx.mock(assert_all_called=False) as mocked:
        asked = mocked.get(url__regex=OBJECTS).mock(return_value=Response(429, headers={"Retry-After": "420"}))
        mocked.route(host="127.0.0.1").pass_through()
        trial.pass_at(FIRST)
        assert asked.call_count == 1  # a long wish is not slept through
    assert trial.one(CarrierState, family="tracking")["cooldown_until"] == FIRST + 7 * MINUTE
    trial.pass_at(FIRST + 6 * MINUTE)
    assert calls(trial, OBJECTS) == []
    trial.pass_at(FIRST + 7 * MINUTE)
    assert len(calls(trial, OBJECTS)) == 1


def test_a_token_that_expired_on_the_way_is_renewed_once(start: Start, database_url: str) -> None:
    trial = start(ON_TIME, url=database_url)
    trial.drop_orders()
    trial.pass_at(FIRST)
    trial.world.correios.gate.expire_all()
    trial.pass_at(FIRST + 240 * MINUTE)
    assert [call["status"] for call in calls(trial, TOKEN)] == [201, 201]
    assert [call["status"] for call in calls(trial, OBJECTS)] == [200, 401, 200]
    assert trial.rows(Alert) == []


def test_a_token_is_kept_from_one_process_to_the_next(start: Start) -> None:
    trial = start(ON_TIME)
    trial.drop_orders()
    for hours in (0, 4, 8):
        trial.pass_at(FIRST + timedelta(hours=hours))
    assert len(calls(trial, TOKEN)) == 1
    trial.pass_at(FIRST + timedelta(hours=25))
    assert len(calls(trial, TOKEN)) == 2


def test_numbers_nobody_can_follow_are_put_to_rest_or_asked_for_again(start: Start) -> None:
    foreign, never = of_fate(Fate.OTHER_CONTRACT), of_fate(Fate.NEVER_POSTED)
    trial = start(foreign, never)
    trial.drop_orders()
    trial.pass_at(at(day(4), 9))
    polls = {row["outcome"]: row for row in trial.rows(ShipmentPoll)}
    assert (polls["other_account"]["next_poll_at"], polls["other_account"]["closed_reason"]) == (None, "other_account")
    assert polls["not_found"]["closed_reason"] is None
    assert polls["not_found"]["next_poll_at"] > at(day(4), 9)
    assert [alert["kind"] for alert in trial.rows(Alert)] == ["untrackable"]
    trial.pass_at(at(day(4) + timedelta(days=31), 9))
    assert {row["closed_reason"] for row in trial.rows(ShipmentPoll)} == {"other_account", "not_found"}


def test_an_unchanged_answer_writes_nothing_but_that_we_looked(start: Start, database_url: str) -> None:
    never_again = of_fate(Fate.LOST_SILENT)
    trial = start(never_again, url=database_url)
    trial.settings["messages"]["preset"] = "none"
    trial.drop_orders()
    trial.pass_at(at(day(3), 9))
    before = trial.dump()
    trial.pass_at(at(day(3), 13))
    after = trial.dump()
    assert {name for name in before if before[name] != after[name]} == {"shipment_polls", "carrier_states"}
    assert [row["looked_at"] for row in after["carrier_states"] if row["looked_at"]] == [at(day(3), 13)]
    assert len(after["raw_answers"]) == 1


def test_second_looks_end(start: Start) -> None:
    trial = start(ON_TIME)
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in range(2, 16))
    poll = trial.one(ShipmentPoll)
    assert (poll["next_poll_at"], poll["closed_reason"]) == (None, "final")
    delivered_at = trial.one(ShipmentHistory)["delivered_at"]
    looked = [datetime.fromisoformat(call["at"]) for call in calls(trial, OBJECTS)]
    assert len([instant for instant in looked if instant > delivered_at]) == 1 + 3


def test_what_is_put_into_the_world_shows_in_one_pass(start: Start) -> None:
    """The whole way of one event: polled, recorded, decided, told."""
    trial = start(ON_TIME)
    trial.drop_orders()
    trial.pass_at(FIRST)
    assert len(trial.rows(Event)) == len([e for e in ON_TIME.events if e.at <= FIRST])
    assert trial.one(Delivery)["state"] == "sent"
    assert len(trial.rows(RawAnswer)) == 1


# --- a carrier of our own making --------------------------------------------------------------------

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD, BAD, OTHER = "AA123456785BR", "AA987654325BR", "AA000000005BR"


class Spoilt:
    """Refuses every batch that holds the bad number; leaves one number out of its answers where told."""

    tracking_terms = TrackingTerms(
        ref_kinds=(RefKind.CODE,),
        batch_size=10,
        requests_per_second=1000,
        timezone="America/Sao_Paulo",
        reading_version="1",
        presumed_loss_business_days={"": 7},
        terms_source="a test",
    )

    def __init__(self, leaves_out: Iterable[str] = ()) -> None:
        self.leaves_out = set(leaves_out)
        self.asked: list[list[str]] = []

    def normalise(self, value: str) -> TrackingRef | None:
        return TrackingRef(RefKind.CODE, value)

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, TrackingAnswer]:
        self.asked.append([ref.value for ref in refs])
        if any(ref.value == BAD for ref in refs) and not self.leaves_out:
            raise PermanentCarrierError("correios", "HTTP 400")
        moving = event("RO-01", NOW - timedelta(hours=5), TrackingStatus.IN_TRANSIT, "Em transferência")
        return {
            ref: TrackingAnswer(ref, AnswerOutcome.FOUND, ref.value.encode(), (moving,))
            for ref in refs
            if ref.value not in self.leaves_out
        }


def sweep(database: Database, adapter: Spoilt) -> PollSweep:
    return PollSweep(
        database=database,
        carrier="correios",
        adapter=adapter,
        breaker=Breaker(database, "correios", "tracking", "digest"),
        record=lambda connection, answers, now: record_answers(connection, "correios", answers, now=now),
        policy=PollingPolicy(),
        sight=Sight("correios"),
        days=lambda _shop: calendars(ZONE, frozenset({"PR"}), frozenset()),
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    "adapter", [pytest.param(Spoilt(), id="refuses the batch"), pytest.param(Spoilt({BAD}), id="leaves it out")]
)
async def test_one_bad_number_spoils_no_other(database: Database, adapter: Spoilt) -> None:
    with database.begin_write() as connection:
        for number, code in enumerate((GOOD, BAD, OTHER)):
            add_order(connection, order(f"1{number}"), code)
    assert await sweep(database, adapter).run(NOW) == 3
    with database.begin_read() as connection:
        rows = connection.execute(table(ShipmentPoll).select().order_by(table(ShipmentPoll).c.shipment_id)).all()
    assert [(row.outcome, row.failures, row.last_answered_at) for row in rows] == [
        ("found", 0, NOW),
        (None, 1, None),
        ("found", 0, NOW),
    ]
    assert all(row.next_poll_at > NOW and row.last_polled_at == NOW for row in rows)


@pytest.mark.anyio
async def test_a_save_without_the_lease_changes_nothing(database: Database) -> None:
    """Somebody corrected the code while the carrier was being asked: that poll's answer is not for the new number."""
    with database.begin_write() as connection:
        add_order(connection, order(), GOOD)

    class Interrupted(Spoilt):
        async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, TrackingAnswer]:
            with database.begin_write() as connection:
                values = {"lease_token": None, "lease_until": None, "next_poll_at": NOW + timedelta(hours=1)}
                connection.execute(update(table(ShipmentPoll)).values(**values))
            return await super().track(refs)

    await sweep(database, Interrupted()).run(NOW)
    with database.begin_read() as connection:
        assert connection.execute(table(Event).select()).all() == []
        row = connection.execute(table(ShipmentPoll).select()).one()
    assert (row.last_answered_at, row.next_poll_at) == (None, NOW + timedelta(hours=1))


class Garbled(Spoilt):
    """Answers nothing that can be read while `is_garbled`, some numbers with an `http_status`."""

    def __init__(self, http_status: Mapping[str, int]) -> None:
        super().__init__({BAD})
        self.is_garbled, self.http_status = True, http_status

    async def track(self, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, TrackingAnswer]:
        if self.is_garbled:
            status = self.http_status.get(refs[0].value)
            raise PermanentCarrierError("correios", f"HTTP {status}" if status else "its JSON is broken", status)
        return await super().track(refs)


def looks(database: Database) -> list[Row[Any]]:
    with database.begin_read() as connection:
        return list(connection.execute(table(ShipmentPoll).select().order_by(table(ShipmentPoll).c.shipment_id)).all())


def outages(database: Database) -> list[tuple[datetime, datetime | None]]:
    with database.begin_read() as connection:
        return [(row.started_at, row.ended_at) for row in connection.execute(table(CarrierOutage).select())]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "http_status",
    [pytest.param({}, id="every answer"), pytest.param({OTHER: 404}, id="one sent as a refusal, as unreadable")],
)
async def test_a_carrier_of_which_nothing_can_be_read_is_away(
    database: Database, http_status: Mapping[str, int]
) -> None:
    """Told once, no day of it is silence, and its parcels do not pay for it with ever longer waits."""
    with database.begin_write() as connection:
        for number, code in enumerate((GOOD, OTHER)):
            add_order(connection, order(f"1{number}"), code)
    carrier = Garbled(http_status)
    polling = sweep(database, carrier)
    for hour in range(0, 24, 2):
        await polling.run(NOW + timedelta(hours=hour))
    assert outages(database) == [(NOW, None)]
    assert {(row.outcome, row.last_answered_at) for row in looks(database)} == {(None, None)}
    last = NOW + timedelta(hours=22)
    assert all(last < row.next_poll_at <= last + timedelta(hours=2) for row in looks(database))
    with database.begin_read() as connection:
        (told,) = connection.execute(table(Signal).select()).all()
    assert (told.kind, told.key) == ("carrier_down", "carrier:correios:tracking:down")
    assert told.summary == "correios answers, but nothing of it can be read (tracking): its JSON is broken"

    carrier.is_garbled = False
    back = NOW + timedelta(hours=24)
    await polling.run(back)
    assert outages(database) == [(NOW, back)]
    assert {(row.outcome, row.failures) for row in looks(database)} == {("found", 0)}


@pytest.mark.anyio
async def test_numbers_that_are_refused_one_by_one_are_no_outage(database: Database) -> None:
    with database.begin_write() as connection:
        add_order(connection, order("10"), GOOD)
    polling = sweep(database, Garbled({GOOD: 400}))
    for hour in (0, 2, 5, 10):
        await polling.run(NOW + timedelta(hours=hour))
    assert outages(database) == []
    (row,) = looks(database)
    assert row.failures == 4

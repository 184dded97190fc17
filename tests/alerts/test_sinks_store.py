"""Sinks that group, keep quiet, remind, fall silent and come back; each against a real receiver and on both databases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from tests.alerts.support import KEY, NOW, SECRET, Alerting, Receiver, codes, deliveries, hook, receiving, say
from tracker.alerts.sinks import Leaving, SinkEntry, WebhookSink
from tracker.domain.alerting import SinkPolicy
from tracker.domain.outcome import Outcome
from tracker.store.alerts import Notification, acknowledge
from tracker.store.database import Database
from tracker.store.leases import free_all
from tracker.store.tables import Alert, AlertDelivery, AlertNotification, table

MIN, HOUR = timedelta(minutes=1), timedelta(hours=1)
ZONE = ZoneInfo("America/Sao_Paulo")
GROUPED = SinkPolicy(zone=ZONE, group=10 * MIN, per_hour=30)
pytestmark = pytest.mark.anyio


def summaries(receiver: Receiver) -> list[str]:
    return [one["summary"] for one in receiver.envelopes()]


async def test_many_of_a_kind_are_one_notification(database: Database, receiver: Receiver) -> None:
    stage = Alerting(database, [hook(receiver, GROUPED)])
    codes(database, NOW, *range(12))
    await stage.run(NOW)
    (told,) = receiver.envelopes()
    assert (told["id"], told["kind"], told["key"]) == ("A1", "unknown_code", "group:unknown_code")
    assert (told["details"]["count"], len(told["details"]["alerts"]), len(told["details"]["ids"])) == (12, 10, 12)
    assert "unknown code X0; unknown code X1; unknown code X2; and 9 more" in told["summary"]
    assert told["resolved_at"] is None
    codes(database, NOW + HOUR, *range(12), raised=False)
    await stage.run(NOW + HOUR)
    assert (receiver.envelopes()[1]["details"]["count"], receiver.envelopes()[1]["resolved_at"]) == (
        12,
        "2026-11-24T13:00:00Z",
    )


async def test_what_comes_one_by_one_is_collected_after_the_third(database: Database, receiver: Receiver) -> None:
    stage = Alerting(database, [hook(receiver, GROUPED)])
    for minute in range(12):
        codes(database, NOW + minute * MIN, minute)
        await stage.run(NOW + minute * MIN)
    await stage.run(NOW + 12 * MIN)
    assert [one["details"].get("count", 1) for one in receiver.envelopes()] == [1, 1, 1, 9]


async def test_the_night_comes_as_one_summary_and_the_critical_at_once(database: Database, receiver: Receiver) -> None:
    quiet = SinkPolicy(zone=ZONE, quiet=(time(22), time(7)), group=10 * MIN)
    stage = Alerting(database, [hook(receiver, quiet)])
    evening = datetime(2026, 11, 25, 2, tzinfo=UTC)  # 23:00 by the shop's clock
    codes(database, evening, 1, 2)
    say(database, evening)
    await stage.run(evening)
    assert [one["kind"] for one in receiver.envelopes()] == ["carrier_down"]
    codes(database, evening + HOUR, 1, raised=False)
    await stage.run(evening + HOUR)
    await stage.run(datetime(2026, 11, 25, 10, tzinfo=UTC))
    night = receiver.envelopes()[1]
    assert night["summary"].startswith("2 alerts were held back, 1 of them over by now")
    assert [one["resolved_at"] is not None for one in night["details"]["alerts"]] == [True, False]
    assert len(receiver.got) == 2


async def test_what_still_stands_is_repeated(database: Database, receiver: Receiver) -> None:
    policy = SinkPolicy(zone=ZONE, group=10 * MIN, remind={"critical": 6 * HOUR, "warning": 24 * HOUR})
    stage = Alerting(database, [hook(receiver, policy)])
    say(database, NOW)
    codes(database, NOW, 1)
    for hours in range(0, 26, 2):
        await stage.run(NOW + hours * HOUR)
    again = [one for one in receiver.envelopes() if one["details"].get("again") == "reminder"]
    assert [one["details"].get("count", 1) for one in again] == [1, 1, 1, 2]
    say(database, NOW + 26 * HOUR, raised=False)
    await stage.run(NOW + 26 * HOUR)
    assert receiver.envelopes()[-1]["resolved_at"] == "2026-11-25T14:00:00Z"


async def test_an_acknowledged_alert_is_quiet_until_it_gets_worse(database: Database, receiver: Receiver) -> None:
    stage = Alerting(database, [hook(receiver, SinkPolicy(remind={"warning": HOUR, "critical": HOUR}))])
    say(database, NOW, severity="warning")
    await stage.run(NOW)
    with database.begin_write() as connection:
        assert acknowledge(connection, 1, who="fulana", until=NOW + 24 * HOUR, reason="conhecido", at=NOW)
    for hours in range(1, 12):
        await stage.run(NOW + hours * HOUR)
    assert len(receiver.got) == 1
    say(database, NOW + 12 * HOUR, severity="critical", summary="worse")
    await stage.run(NOW + 12 * HOUR)
    assert [one["details"].get("again") for one in receiver.envelopes()] == [None, "worsened"]
    assert receiver.envelopes()[1]["severity"] == "critical"


async def test_an_acknowledgement_ends(database: Database, receiver: Receiver) -> None:
    stage = Alerting(database, [hook(receiver)])
    say(database, NOW)
    await stage.run(NOW)
    with database.begin_write() as connection:
        acknowledge(connection, 1, who="fulana", until=NOW + 2 * HOUR, reason=None, at=NOW)
    await stage.run(NOW + HOUR)
    await stage.run(NOW + 2 * HOUR)
    await stage.run(NOW + 3 * HOUR)
    assert [one["details"].get("again") for one in receiver.envelopes()] == [None, "returned"]


async def test_what_was_acknowledged_at_night_is_no_news_in_the_morning(database: Database, receiver: Receiver) -> None:
    stage = Alerting(database, [hook(receiver, SinkPolicy(zone=ZONE, quiet=(time(22), time(7)), group=10 * MIN))])
    night, morning = datetime(2026, 11, 25, 2, tzinfo=UTC), datetime(2026, 11, 25, 11, tzinfo=UTC)
    codes(database, night, 1, 2)
    await stage.run(night)
    with database.begin_write() as connection:
        acknowledge(connection, 1, who="fulana", until=morning + HOUR, reason=None, at=night)
        acknowledge(connection, 2, who="fulana", until=None, reason=None, at=night)
    await stage.run(morning)
    codes(database, morning, 2, raised=False)
    await stage.run(morning)
    assert receiver.got == []
    await stage.run(morning + HOUR)
    assert [(one["id"], one["details"]["again"]) for one in receiver.envelopes()] == [("A1", "returned")]


async def test_only_whoever_heard_the_beginning_hears_the_end(database: Database, receiver: Receiver) -> None:
    with receiving() as other:
        picky = hook(other, SinkPolicy(kinds=frozenset({"mail_down"})), name="picky")
        stage = Alerting(database, [hook(receiver), picky])
        say(database, NOW)
        await stage.run(NOW)
        say(database, NOW + MIN, raised=False)
        await stage.run(NOW + MIN)
        assert (len(receiver.got), other.got) == (2, [])


# --- a sink that is down ----------------------------------------------------------------------------


async def test_a_sink_that_is_down_delays_no_other_and_hears_all_in_order_later(
    database: Database, receiver: Receiver
) -> None:
    with receiving() as down:
        down.always = 503
        stage = Alerting(database, [hook(down, GROUPED, name="down"), hook(receiver, GROUPED)])
        say(database, NOW)
        await stage.run(NOW)
        codes(database, NOW + MIN, 1)
        say(database, NOW + MIN, raised=False)
        for minutes in (1, 2, 3, 6, 7):
            await stage.run(NOW + minutes * MIN)
        assert [one["kind"] for one in receiver.envelopes()] == ["carrier_down", "carrier_down", "unknown_code"]
        assert {one["id"] for one in down.envelopes()} == {"A1"}
        assert len(set(down.ids())) == 1
        down.always, before = 204, len(down.got)
        for minutes in (36, 37):
            await stage.run(NOW + minutes * MIN)
        first, summary = down.envelopes()[before:]
        assert (first["id"], first["resolved_at"], down.ids()[before]) == ("A1", None, down.ids()[0])
        assert summary["details"]["again"] == "summary"
        assert [(one["id"], one["resolved_at"] is None) for one in summary["details"]["alerts"]] == [
            ("A1", False),
            ("A2", True),
        ]


async def test_patience_that_was_asked_for_is_kept(database: Database, receiver: Receiver) -> None:
    receiver.answers, receiver.headers = [429], {"Retry-After": "600"}
    stage = Alerting(database, [hook(receiver)])
    say(database, NOW)
    for minutes in (0, 1, 9):
        await stage.run(NOW + minutes * MIN)
    assert len(receiver.got) == 1
    await stage.run(NOW + 10 * MIN)
    assert len(receiver.got) == 2


async def test_after_three_days_a_sink_is_given_up_and_the_others_are_told(
    database: Database, receiver: Receiver
) -> None:
    with receiving() as down:
        down.always = 500
        stage = Alerting(database, [hook(down, name="down"), hook(receiver)])
        say(database, NOW)
        at = NOW
        while at < NOW + timedelta(days=5):
            await stage.run(at)
            at += HOUR if at > NOW + HOUR else MIN
        assert len(down.got) == 10  # the ladder has nine waits
        span = [int(headers["webhook-timestamp"]) for headers, _ in down.got]
        assert timedelta(days=3) < timedelta(seconds=span[-1] - span[0]) < timedelta(days=4)
        told = [(one["kind"], one["severity"], one["details"].get("again")) for one in receiver.envelopes()]
        assert told == [
            ("carrier_down", "critical", None),
            ("alert_sink_down", "warning", None),
            ("alert_sink_down", "critical", "worsened"),
        ]
        assert down.url not in json.dumps(receiver.envelopes())
        # Its configuration changes: it hears what stands, and the others that it is well.
        down.always, before = 204, len(down.got)
        renewed = Alerting(database, [hook(down, name="down", digest="new"), hook(receiver)])
        await renewed.run(at)
        await renewed.run(at + MIN)
        assert [one["key"] for one in down.envelopes()[before:]] == [KEY]
        assert receiver.envelopes()[-1]["resolved_at"] is not None


async def test_posts_are_signed_with_both_secrets_while_one_replaces_the_other(
    database: Database, receiver: Receiver
) -> None:
    both = WebhookSink(receiver.url, [SECRET, "the-secret-of-before"])
    stage = Alerting(database, [SinkEntry("webhook", "webhook#1", "d", SinkPolicy(), both)])
    say(database, NOW)
    await stage.run(NOW)
    assert [one[:3] for one in receiver.got[0][0]["webhook-signature"].split()] == ["v1,", "v1,"]


async def test_a_new_sink_hears_what_stands(database: Database, receiver: Receiver) -> None:
    await Alerting(database, [hook(receiver)]).run(NOW)
    codes(database, NOW, 1, 2)
    await Alerting(database, [hook(receiver)]).run(NOW)
    with receiving() as second:
        await Alerting(database, [hook(receiver), hook(second, GROUPED, name="second")]).run(NOW + HOUR)
        assert (len(receiver.got), [one["details"]["count"] for one in second.envelopes()]) == (2, [2])


async def test_what_a_dead_process_held_is_told_by_the_next_one(database: Database, receiver: Receiver) -> None:
    stage = Alerting(database, [hook(receiver)])
    say(database, NOW)
    await stage.decide.run(NOW)
    notes = table(AlertNotification)
    with database.begin_write() as connection:
        connection.execute(notes.update().values(lease_token="dead", lease_until=NOW + HOUR))
    await stage.run(NOW + MIN)
    assert receiver.got == []
    with database.begin_write() as connection:
        assert free_all(connection) == 1
    await stage.run(NOW + MIN)
    assert (len(receiver.got), deliveries(database)) == (1, [("webhook", "raised", "sent", 1)])


async def test_an_alert_counts_how_often_it_was_signalled(database: Database, receiver: Receiver) -> None:
    for minute in range(5):
        say(database, NOW + minute * MIN)
    await Alerting(database, [hook(receiver)]).run(NOW + HOUR)
    with database.begin_read() as connection:
        (alert,) = connection.execute(table(Alert).select()).all()
    assert (alert.times, len(receiver.got)) == (5, 1)


async def test_words_of_before_the_upgrade_are_told(database: Database, receiver: Receiver) -> None:
    """A row as migration 0007 leaves it: queued, and in no notification."""
    alert = {
        "key": KEY,
        "kind": "carrier_down",
        "severity": "critical",
        "summary": "s",
        "details": {},
        "raised_at": NOW,
    }
    word = {"alert_id": 1, "sink": "webhook", "phase": "raised", "severity": "critical", "state": "queued"}
    with database.begin_write() as connection:
        connection.execute(insert(table(Alert)), {"shop": "", **alert})
        connection.execute(insert(table(AlertDelivery)), {**word, "made_at": NOW, "next_step_at": NOW})
    await Alerting(database, [hook(receiver)]).run(NOW + HOUR)
    assert summaries(receiver) == ["s"]


@dataclass(frozen=True)
class Faulty:
    """A sink with a fault of the program: it stumbles over one kind."""

    whole: WebhookSink

    async def tell(self, note: Notification, now: datetime, leaving: Leaving) -> Outcome:
        if note.body["kind"] == "unknown_code":
            raise KeyError("kind")
        return await self.whole.tell(note, now, leaving)


async def test_a_fault_in_one_notification_holds_up_none_behind_it(database: Database, receiver: Receiver) -> None:
    sink = Faulty(WebhookSink(receiver.url, [SECRET]))
    stage = Alerting(database, [SinkEntry("faulty", "webhook#1", "d", SinkPolicy(), sink)])
    codes(database, NOW, 1)
    say(database, NOW)
    with capture_logs() as logs:
        await stage.run(NOW)
    assert [one["kind"] for one in receiver.envelopes()] == ["carrier_down"]
    assert sorted(state for _, _, state, _ in deliveries(database)) == ["failed", "sent"]
    assert [one["error"] for one in logs if one["event"] == "alert.untellable"] == ["KeyError"]

"""Several mail accounts: the next takes over, quotas hold across restarts, and nothing is handed on that may have been taken."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from carriers.http import TokenBucket
from tests.end_to_end.support import ROOT, Start, Trial, at, day, of_fate
from tests.messages.smtp_servers import PASSWORD, USER
from tests.support.schema import prepare
from tracker.config.mail import MailServer
from tracker.message_lanes import MAIL_BURST, mail_account
from tracker.messages.mail_accounts import Switchboard
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.mail import MailSettings, MailSink
from tracker.sandbox.plan import Fate
from tracker.store.tables import Alert, Decision, Delivery, MailCircuit, Notice

POSTED = of_fate(Fate.ON_TIME)
OTHERS = [of_fate(Fate.ON_TIME, index) for index in (1, 2, 3)]
FIRST = at(day(2), 9)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Second = Callable[[Trial], MailSink]


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Second]:
    """Gives a trial a second account, `reserva`, behind its own, `principal`."""
    with ExitStack() as stack:

        def add(trial: Trial) -> MailSink:
            sink = MailSink(tmp_path / "reserva", SandboxClock(file=trial.clock_file))
            sink.start()
            stack.callback(sink.stop)
            first = {"id": "principal", **trial.settings["messages"]["email"]}
            trial.settings["messages"]["email"] = [first, {**first, "id": "reserva", "port": sink.port}]
            return sink

        yield add


def accounts(trial: Trial) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = trial.settings["messages"]["email"]
    return listed


def told_by(sink: MailSink) -> list[str]:
    return [delivery.message_id for delivery in sink.deliveries()]


def states(trial: Trial) -> set[tuple[str, str | None]]:
    return {(row["state"], row["account"]) for row in trial.rows(Delivery)}


def posted(trial: Trial, now: datetime = FIRST) -> None:
    trial.drop_orders()
    trial.pass_at(now)


def test_the_preferred_account_takes_all_while_it_is_well(start: Start, second: Second) -> None:
    trial = start(POSTED, *OTHERS)
    reserve = second(trial)
    posted(trial)
    assert (len(trial.told()), told_by(reserve)) == (4, [])
    assert states(trial) == {("sent", "principal")}


def test_the_next_account_takes_over_at_once_and_gives_back_when_the_first_returns(
    start: Start, second: Second, database_url: str
) -> None:
    trial = start(POSTED, *OTHERS, url=database_url)
    reserve = second(trial)
    trial.world.mail.stop()
    posted(trial)
    assert len(told_by(reserve)) == 4 and states(trial) == {("sent", "reserva")}
    assert {row["attempts"] for row in trial.rows(Delivery)} == {1}
    alert = trial.one(Alert)
    assert (alert["kind"], alert["key"], alert["severity"]) == ("mail_down", "mail:principal", "warning")
    assert alert["summary"].endswith("; its messages go to reserva")

    trial.world.mail.start()
    accounts(trial)[0]["port"] = trial.world.smtp_port
    back_at = FIRST + HOUR  # nothing waits: the account is asked all the same
    trial.pass_at(back_at)
    assert trial.one(Alert)["resolved_at"] == back_at
    assert trial.rows(MailCircuit) == []


def test_with_both_down_all_waits_in_its_order_and_leaves_by_whichever_returns(start: Start, second: Second) -> None:
    trial = start(POSTED, *OTHERS)
    reserve = second(trial)
    trial.world.mail.stop()
    reserve.stop()
    posted(trial)
    trial.pass_through(FIRST + n * 10 * MINUTE for n in range(1, 12))
    assert states(trial) == {("queued", "reserva")} | {("queued", None)}
    assert {(a["key"], a["severity"]) for a in trial.rows(Alert)} == {
        ("mail:principal", "warning"),
        ("mail:reserva", "critical"),
    }
    assert {row["attempts"] for row in trial.rows(Delivery)} == {0}
    reserve.start()
    accounts(trial)[1]["port"] = reserve.port
    trial.pass_at(FIRST + 2 * HOUR)
    assert told_by(reserve) == [row["message_id"] for row in trial.rows(Delivery)]
    assert [a["key"] for a in trial.rows(Alert) if a["resolved_at"] is None] == ["mail:principal"]


def test_an_account_that_is_down_is_left_alone_across_restarts(start: Start, second: Second) -> None:
    trial = start(POSTED, mail=MailSettings(user=USER, password=PASSWORD))
    second(trial)
    posted(trial)  # the first wants a password and has none
    circuit = trial.one(MailCircuit)
    assert (circuit["account"], circuit["shop"], circuit["until"]) == ("principal", "", FIRST + 15 * MINUTE)
    trial.world.mail.settings = MailSettings()
    trial.settings["messages"]["triggers"] = {"delivered": ["email"]}
    trial.pass_at(FIRST + 14 * MINUTE)
    assert trial.one(MailCircuit)["failures"] == 1
    # A new configuration of the account is tried at once.
    accounts(trial)[0]["host"] = "localhost"
    trial.pass_at(FIRST + 14 * MINUTE)
    assert trial.rows(MailCircuit) == []


def test_an_answer_that_was_lost_is_not_asked_for_at_another_account(start: Start, second: Second) -> None:
    trial = start(POSTED)
    reserve = second(trial)
    trial.world.mail.order_fault("drop_after_dot")
    posted(trial)
    trial.pass_through([FIRST + 16 * MINUTE, FIRST + 5 * HOUR])
    row = trial.one(Delivery)
    assert (row["state"], row["account"], row["repeated"]) == ("unconfirmed", "principal", False)
    assert (told_by(reserve), [message for _, message in trial.told()]) == ([], [row["message_id"]])


def test_a_line_cut_before_the_text_goes_to_the_next_under_the_same_id(start: Start, second: Second) -> None:
    trial = start(POSTED)
    reserve = second(trial)
    trial.world.mail.order_fault("drop_before_data")
    posted(trial)
    row = trial.one(Delivery)
    assert (row["state"], row["account"]) == ("sent", "reserva")
    assert (trial.told(), told_by(reserve)) == ([], [row["message_id"]])


@pytest.mark.parametrize(
    ("point", "state", "copies"),
    [
        pytest.param("smtp.mail.before", "sent", 1, id="before it was offered"),
        pytest.param("commit.before:deliveries=sending*", "sent", 1, id="before it was said that it leaves"),
        pytest.param("commit.after:deliveries=sending*", "unconfirmed", 0, id="said, and not sent"),
        pytest.param("smtp.text.written:*", "unconfirmed", 1, id="sent, and not answered"),
        pytest.param("smtp.dot.after:*", "unconfirmed", 1, id="answered, and not written down"),
    ],
)
def test_a_death_hands_nothing_to_the_other_account(
    start: Start, second: Second, point: str, state: str, copies: int
) -> None:
    trial = start(POSTED)
    reserve = second(trial)
    trial.drop_orders()
    trial.clock_at(FIRST)
    prepare(trial.database_url)
    words = [
        sys.executable,
        "-m",
        "tests.chaos.killer",
        "--kill-at",
        point,
        "run",
        "--once",
        "-c",
        str(trial.write_config()),
    ]
    died = subprocess.run(words, env=trial.environment, cwd=ROOT, capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr
    trial.world.mail.stop()  # only the other account is left
    trial.pass_through([FIRST + MINUTE, FIRST + 20 * MINUTE])
    row = trial.one(Delivery)
    assert row["state"] == state
    everywhere = [message for _, message in trial.told()] + told_by(reserve)
    assert everywhere == [row["message_id"]] * copies
    assert row["account"] == ("reserva" if state == "sent" else "principal")


def test_an_account_only_takes_its_shops_messages(start: Start, second: Second) -> None:
    trial = start(POSTED)
    reserve = second(trial)
    trial.settings["shops"].append({**trial.shop, "id": "outra"})
    accounts(trial)[0]["shops"] = ["outra"]
    posted(trial)
    assert (trial.told(), len(told_by(reserve))) == ([], 1)


def test_a_shop_whose_only_account_is_down_waits_and_the_other_does_not(start: Start, second: Second) -> None:
    trial = start(POSTED)
    reserve = second(trial)
    trial.settings["shops"].append({**trial.shop, "id": "outra"})
    trial.settings["intake"].append({"kind": "folder", "shop": "outra", "path": "outra"})
    accounts(trial)[0]["shops"] = ["outra"]
    accounts(trial)[1]["shops"] = ["aurora"]
    reserve.stop()
    posted(trial)
    trial.pass_through([FIRST + MINUTE, FIRST + 20 * MINUTE])
    assert [row["state"] for row in trial.rows(Delivery)] == ["queued"]
    assert {alert["severity"] for alert in trial.rows(Alert)} == {"critical"}


# --- quotas -----------------------------------------------------------------------------------------


def test_what_is_over_one_accounts_quota_goes_to_the_next(start: Start, second: Second) -> None:
    trial = start(POSTED, *OTHERS)
    reserve = second(trial)
    accounts(trial)[0]["per_hour"] = 1
    accounts(trial)[1]["per_hour"] = 2
    posted(trial)
    assert (len(trial.told()), len(told_by(reserve))) == (1, 2)
    assert trial.rows(Alert) == []
    # A new process knows what the old one sent.
    trial.pass_at(FIRST + 59 * MINUTE)
    assert (len(trial.told()), len(told_by(reserve))) == (1, 2)
    trial.pass_at(FIRST + 61 * MINUTE)
    assert (len(trial.told()), len(told_by(reserve))) == (2, 2)


def test_a_days_quota_counts_any_24_hours(start: Start, database_url: str) -> None:
    trial = start(POSTED, *OTHERS, url=database_url)
    trial.settings["rules"] = {"max_age_hours": {"posted": 100}}
    trial.settings["messages"]["email"]["per_day"] = 2
    posted(trial, FIRST)
    sent = []
    for hours in (0, 12, 23, 25):
        trial.pass_at(FIRST + hours * HOUR)
        sent.append(len(trial.told()))
    assert sent == [2, 2, 2, 4]


def test_what_the_customer_must_act_on_leaves_first_when_the_quota_is_short(start: Start) -> None:
    lost = of_fate(Fate.LOST_CODED)
    trial = start(lost, POSTED, *OTHERS)
    trial.settings["rules"] = {"max_age_hours": {"posted": 900, "delivered": 900}}
    trial.settings["messages"]["triggers"] = {"delay_detected": [], "inquiry_opened": []}
    trial.settings["messages"]["email"]["per_hour"] = 1
    trial.drop_orders()
    trial.world.mail.order_fault("throttled", count=None)
    trial.pass_through(at(day(n), 9) for n in range(2, 7))
    trial.world.mail.clear_faults()
    trial.pass_at(at(day(6), 10) + MINUTE)
    (first,) = trial.rows(Delivery, state="sent")
    assert first["urgent"] and trial.one(Notice, id=first["notice_id"])["trigger"] == "loss_confirmed"
    assert len(trial.rows(Delivery, state="queued")) >= 4


def test_a_servers_daily_limit_sends_the_rest_through_the_next_account(start: Start, second: Second) -> None:
    trial = start(POSTED, *OTHERS)
    reserve = second(trial)
    trial.world.mail.order_fault("daily_quota")
    posted(trial)
    assert (len(trial.told()), len(told_by(reserve))) == (0, 4)
    circuit = trial.one(MailCircuit)
    assert (circuit["until"], circuit["down_since"], trial.rows(Alert)) == (FIRST + 24 * HOUR, None, [])
    assert {row["attempts"] for row in trial.rows(Delivery)} == {1}


def test_a_throttled_message_has_lost_no_attempt(start: Start) -> None:
    trial = start(POSTED)
    trial.world.mail.order_fault("daily_quota", count=1)
    trial.settings["rules"] = {"max_age_hours": {"posted": 100}}
    posted(trial)
    assert [(row["state"], row["attempts"]) for row in trial.rows(Delivery)] == [("queued", 0)]
    trial.pass_at(FIRST + 23 * HOUR)
    assert trial.told() == []
    trial.pass_at(FIRST + 24 * HOUR)
    assert [(row["state"], row["attempts"]) for row in trial.rows(Delivery) if row["id"] == 1] == [("sent", 1)]


def test_an_account_is_given_no_more_a_second_than_allowed() -> None:
    """Five at once, then one a second: by a clock that only the waiting moves."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def send() -> None:
        bucket = TokenBucket(1.0, sleep, lambda: sum(waited), capacity=MAIL_BURST)
        for _ in range(8):
            await bucket.take()

    asyncio.run(send())
    assert waited == pytest.approx([1.0, 1.0, 1.0])
    server = mail_account(MailServer(host="smtp.example"))
    assert (server.per_second, server.per_hour, server.per_day, server.batch) == (1.0, 100, None, 240)
    assert server.pace is not None
    local = mail_account(MailServer())
    assert (local.pace, local.per_hour, local.batch) == (None, None, None)
    paced = Switchboard((server,), {}, {server.name: None}, FIRST)
    assert (paced.limit(50), paced.allowance()) == (50, 120)
    assert Switchboard((server, local), {}, {server.name: None, local.name: None}, FIRST).allowance() is None


# --- refused for policy -----------------------------------------------------------------------------


def test_one_refused_text_waits_for_a_person_and_the_others_leave(start: Start) -> None:
    trial = start(POSTED, *OTHERS)
    trial.world.mail.order_fault("policy")
    posted(trial)
    assert sorted(row["state"] for row in trial.rows(Delivery)) == ["awaiting_person"] + ["sent"] * 3
    alert = trial.rows(Alert)[0]
    assert (alert["kind"], alert["key"]) == ("template_broken", "template:aurora:posted")
    assert alert["summary"].startswith("the mail server refuses the text of posted (policy): 554 5.7.1")


def test_several_refused_texts_are_the_accounts_fault(start: Start, second: Second) -> None:
    """Nothing is parked: all of it leaves through the other account, or waits for the first to be forgiven."""
    late = replace(of_fate(Fate.LATE_OPEN))
    trial = start(late, POSTED, of_fate(Fate.ON_TIME, 3))
    reserve = second(trial)
    trial.settings["rules"] = {"max_age_hours": {"posted": 500}}
    trial.settings["messages"]["triggers"] = {"inquiry_opened": [], "delivered": []}
    trial.world.mail.stop()
    reserve.stop()
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in range(2, 6))
    for sink, account in zip((trial.world.mail, reserve), accounts(trial), strict=True):
        sink.start()
        account["port"] = sink.port
    trial.world.mail.order_fault("policy", count=None)
    trial.pass_at(at(day(5), 10))
    left = [row for row in trial.rows(Delivery) if row["state"] not in {"suppressed", "expired"}]  # delivered meanwhile
    assert {(row["state"], row["account"]) for row in left} == {("sent", "reserva")} and len(left) == 2
    (alert,) = [row for row in trial.rows(Alert, kind="mail_down") if row["resolved_at"] is None]
    assert alert["key"] == "mail:principal" and "refuses several different texts" in alert["summary"]
    assert [row for row in trial.rows(Alert, kind="template_broken") if row["resolved_at"] is None] == []


# --- one shop's sender ------------------------------------------------------------------------------


def test_one_shops_sender_that_is_refused_stops_that_shop_alone(start: Start) -> None:
    other = of_fate(Fate.ON_TIME, 1)
    trial = start(POSTED, other)
    second_shop = {**trial.shop, "id": "outra", "email": {"from": "Outra <oi@outra.example>"}}
    trial.settings["shops"].append(second_shop)
    trial.settings["intake"].append({"kind": "folder", "shop": "outra", "path": "outra"})
    trial.world.mail.order_fault("sender_refused", count=None, recipient="oi@outra.example")
    trial.drop_orders()
    theirs = trial.folder / "outra"
    theirs.mkdir()
    for path in trial.inbox.glob("*.csv"):
        rows = path.read_text(encoding="utf-8").splitlines()
        mine = [row for row in rows[1:] if POSTED.code in row]
        yours = [row for row in rows[1:] if other.code in row]
        for folder, kept in ((trial.inbox, mine), (theirs, yours)):
            target = folder / path.name
            target.write_text("\n".join([rows[0], *kept]) + "\n", encoding="utf-8")
            os.utime(target, (target.stat().st_mtime - 60, target.stat().st_mtime - 60))
    trial.pass_through([FIRST, FIRST + 20 * MINUTE])
    shops = {notice["id"]: notice["shop"] for notice in trial.rows(Notice)}
    assert {(shops[r["notice_id"]], r["state"]) for r in trial.rows(Delivery)} == {
        ("aurora", "sent"),
        ("outra", "queued"),
    }
    alert = trial.one(Alert)
    assert (alert["key"], alert["shop"]) == ("mail:127.0.0.1:outra", "outra")
    assert "takes no mail of shop outra: it refused the shop's sender address" in alert["summary"]


def test_alerts_about_an_account_that_is_no_longer_configured_end(start: Start, second: Second) -> None:
    trial = start(POSTED)
    second(trial)
    trial.world.mail.stop()
    posted(trial)
    assert trial.one(Alert)["resolved_at"] is None
    trial.settings["messages"]["email"] = accounts(trial)[1]
    trial.pass_at(FIRST + MINUTE)
    assert trial.one(Alert)["resolved_at"] == FIRST + MINUTE


def test_explain_says_which_account_took_it(start: Start, second: Second) -> None:
    trial = start(POSTED)
    second(trial)
    posted(trial)
    assert "account=principal" in trial.command("explain", "M1").stdout
    (decision,) = trial.rows(Decision, subject_kind="message", rule="deliver.email")
    assert decision["facts"]["account"] == "principal"

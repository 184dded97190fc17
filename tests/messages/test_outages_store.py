"""Messages after a time without tracking, or without mail: what is still so is told, in its order, and nothing stale."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.domain.notices import SPACING
from tracker.sandbox.plan import Fate
from tracker.store.tables import Decision, Delivery, Notice, Problem

LATE = of_fate(Fate.LATE_OPEN)
"""Due on day 4, late from day 5, delivered on day 15."""
OBJECTS = "objetos"
HOUR = timedelta(hours=1)
BEFORE = [at(day(2), 9), at(day(3), 9), at(day(4), 9)]


def tracking_down(trial: Trial) -> None:
    trial.world.correios.faults.next("500", count=10_000, path=OBJECTS)


def tracking_up(trial: Trial) -> None:
    trial.world.correios.faults.clear()


def of_trigger(trial: Trial, trigger: str) -> dict[str, Any]:
    return trial.one(Delivery, notice_id=trial.one(Notice, trigger=trigger)["id"])


def test_a_delay_that_still_lasts_is_told_however_late_it_is_learned(start: Start, database_url: str) -> None:
    trial = start(LATE, url=database_url)
    trial.drop_orders()
    trial.pass_through(BEFORE)
    tracking_down(trial)
    trial.pass_through(at(day(n), 12) for n in range(4, 9))
    assert trial.rows(Problem) == []
    tracking_up(trial)
    learned_at = at(day(9), 12)
    trial.pass_at(learned_at)
    problem = trial.one(Problem)
    assert (problem["detected_at"], learned_at - problem["since"] > 48 * HOUR) == (learned_at, True)
    told = of_trigger(trial, "delay_detected")
    assert (told["state"], told["sent_at"]) == ("sent", learned_at)
    assert trial.one(Notice, trigger="delay_detected")["since"] == problem["customer_since"]


# --- stale facts ------------------------------------------------------------------------------------

NEWS_ENDED = at(day(5), 9)
"""The last look before tracking fails; the delay has just been learned of."""
DELIVERED_AT = LATE.events[-1].at


def queued_on_old_news(trial: Trial) -> Trial:
    """The delay is queued behind a mail server that is down; then tracking fails too, and the mail server returns."""
    trial.drop_orders()
    trial.settings["messages"]["triggers"] = {"posted": [], "delivered": []}
    trial.settings["rules"] = {"max_age_hours": {"delay_detected": 500, "inquiry_opened": 500}}
    trial.pass_through(BEFORE)
    trial.world.mail.order_fault("greylist", count=None)
    trial.pass_at(NEWS_ENDED)
    tracking_down(trial)
    trial.pass_at(NEWS_ENDED + 9 * HOUR)
    trial.world.mail.clear_faults()
    return trial


def test_no_delay_is_told_on_old_news(start: Start, database_url: str) -> None:
    trial = queued_on_old_news(start(LATE, url=database_url))
    held_at = NEWS_ENDED + 33 * HOUR
    trial.pass_at(held_at)
    row = of_trigger(trial, "delay_detected")
    assert trial.told() == []
    assert (row["state"], row["hold_reason"]) == ("queued", None)
    assert held_at < row["next_step_at"] <= held_at + HOUR
    trial.pass_through(held_at + n * HOUR for n in range(1, 6))
    decisions = [
        d for d in trial.rows(Decision, subject_id=row["id"], rule="deliver.email") if d["subject_kind"] == "message"
    ]
    assert [d["facts"]["why"] for d in decisions][-1:] == ["stale_news"]
    assert len([d for d in decisions if d["facts"]["why"] == "stale_news"]) == 1


def test_explain_says_that_a_message_waits_for_news(start: Start) -> None:
    trial = queued_on_old_news(start(LATE))
    trial.pass_at(NEWS_ENDED + 33 * HOUR)
    told = trial.command("explain", f"M{of_trigger(trial, 'delay_detected')['id']}")
    assert told.returncode == 0, told.stderr
    assert "há mais de duas horas sem notícia" in " ".join(told.stdout.split())


def test_a_delay_leaves_once_fresh_news_says_that_it_lasts(start: Start) -> None:
    trial = queued_on_old_news(start(LATE))
    trial.pass_at(NEWS_ENDED + 33 * HOUR)
    tracking_up(trial)
    back_at = NEWS_ENDED + 34 * HOUR
    trial.pass_at(back_at)
    row = of_trigger(trial, "delay_detected")
    assert (row["state"], row["sent_at"]) == ("sent", back_at)


def test_a_delay_is_not_told_of_a_parcel_that_came_while_tracking_was_down(start: Start) -> None:
    trial = queued_on_old_news(start(LATE))
    trial.pass_at(DELIVERED_AT + HOUR)
    assert of_trigger(trial, "delay_detected")["state"] == "queued"
    tracking_up(trial)
    trial.pass_at(DELIVERED_AT + 3 * HOUR)
    assert {row["state"] for row in trial.rows(Delivery)} == {"suppressed"}
    assert trial.told() == []


def test_a_delay_that_no_news_comes_about_expires(start: Start) -> None:
    trial = queued_on_old_news(start(LATE))
    expires_at = trial.one(Notice, trigger="delay_detected")["expires_at"]
    trial.pass_at(expires_at - HOUR / 4)
    assert of_trigger(trial, "delay_detected")["next_step_at"] == expires_at
    trial.pass_at(expires_at)
    assert of_trigger(trial, "delay_detected")["state"] == "expired"
    assert trial.told() == []


# --- after a time without mail ----------------------------------------------------------------------

MAIL_BACK = at(day(6), 14)
MINUTE = timedelta(minutes=1)


def mail_down(start: Start, url: str | None = None) -> Trial:
    """Delay and inquiry of one parcel wait for a mail server that is down for more than a day; tracking works."""
    trial = start(LATE, url=url)
    trial.settings["messages"]["triggers"] = {"posted": [], "delivered": []}
    trial.drop_orders()
    trial.pass_through(BEFORE)
    trial.world.mail.stop()
    trial.pass_through([NEWS_ENDED, *(NEWS_ENDED + n * HOUR for n in range(1, 29))])
    assert {row["state"] for row in trial.rows(Delivery)} == {"queued"}
    assert {row["trigger"] for row in trial.rows(Notice)} == {"delay_detected", "inquiry_opened"}
    return trial


def mail_returns(trial: Trial) -> None:
    trial.world.mail.start()
    trial.settings["messages"]["email"]["port"] = trial.world.smtp_port


def test_after_a_mail_outage_the_delay_goes_first_and_the_inquiry_hours_later(start: Start, database_url: str) -> None:
    trial = mail_down(start, database_url)
    mail_returns(trial)
    trial.pass_through(MAIL_BACK + n * 10 * MINUTE for n in range(25))
    delay, inquiry = of_trigger(trial, "delay_detected"), of_trigger(trial, "inquiry_opened")
    assert [message for _, message in trial.told()] == [delay["message_id"], inquiry["message_id"]]
    assert delay["sent_at"] - MAIL_BACK < HOUR
    assert timedelta(0) <= inquiry["sent_at"] - (delay["sent_at"] + SPACING) <= 10 * MINUTE
    decisions = [
        d
        for d in trial.rows(Decision, subject_id=inquiry["id"], rule="deliver.email")
        if d["subject_kind"] == "message"
    ]
    assert "delay_first" in {d["facts"]["why"] for d in decisions}


@pytest.mark.parametrize("act", ["reject", "expire"])
def test_an_inquiry_does_not_wait_for_a_delay_that_will_not_be_told(start: Start, act: str) -> None:
    trial = mail_down(start)
    mail_returns(trial)
    resumed_at = MAIL_BACK
    if act == "reject":
        done = trial.command("reject", f"M{of_trigger(trial, 'delay_detected')['id']}")
        assert done.returncode == 0, done.stderr
    else:
        resumed_at = trial.one(Notice, trigger="delay_detected")["expires_at"]
    trial.pass_through(resumed_at + n * 10 * MINUTE for n in range(5))
    inquiry = of_trigger(trial, "inquiry_opened")
    assert [message for _, message in trial.told()] == [inquiry["message_id"]]
    assert of_trigger(trial, "delay_detected")["state"] in {"suppressed", "expired"}

"""Messages that were held because their shop was not live, once it is: judged again at once, by clock and by configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import Decision, Delivery, Notice

LATE = of_fate(Fate.LATE_OPEN)
"""Due on day 4, late from day 5 on, delivered on day 15."""
OBSERVED = at(day(5), 9)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def observed(start: Start, url: str | None = None, live_from: Any = None) -> Trial:
    """A delay was learned of on day 5, while the shop only observed."""
    trial = start(LATE, url=url)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.shop["live_from"] = live_from
    trial.drop_orders()
    trial.pass_through([at(day(2), 9), at(day(4), 9), OBSERVED])
    assert standing(trial) == ("awaiting_person", "observe")
    return trial


def delay(trial: Trial) -> dict[str, Any]:
    return trial.one(Delivery, notice_id=trial.one(Notice, trigger="delay_detected")["id"])


def standing(trial: Trial) -> tuple[str, str | None]:
    row = delay(trial)
    return row["state"], row["hold_reason"]


def said(trial: Trial, *words: str) -> str:
    done = trial.command(*words)
    return " ".join((done.stdout + done.stderr).split())


def test_going_live_lets_go_what_began_on_the_first_day(start: Start, database_url: str) -> None:
    trial = observed(start, database_url)
    trial.shop["live_from"] = day(5)
    trial.pass_at(OBSERVED + MINUTE)
    assert standing(trial) == ("sent", None)
    rules = trial.rows(Decision, subject_kind="message", subject_id=delay(trial)["id"])
    assert [(row["rule"], row["outcome"]) for row in rules][1:] == [
        ("message.live_from", "queued"),
        ("deliver.email", "sent"),
    ]


def test_going_live_keeps_what_began_before(start: Start, database_url: str) -> None:
    trial = observed(start, database_url)
    trial.shop["live_from"] = day(6)
    trial.pass_at(OBSERVED + MINUTE)
    assert standing(trial) == ("awaiting_person", "observe")
    trial.pass_at(at(day(6), 0))
    assert standing(trial) == ("awaiting_person", "before_live")
    assert delay(trial)["next_step_at"] == trial.one(Notice, trigger="delay_detected")["expires_at"]
    assert trial.told() == []


def test_the_first_live_day_comes_by_the_clock(start: Start) -> None:
    """One program that stays up; its configuration does not change."""
    trial = observed(start, live_from=day(6))
    assert delay(trial)["next_step_at"] == at(day(6), 0)
    trial.pass_through([at(day(5), 23, 59), at(day(6), 0)])
    assert standing(trial) == ("awaiting_person", "before_live")


def test_every_command_agrees_once_the_shop_is_live(start: Start) -> None:
    trial = observed(start, live_from=day(6))
    trial.pass_at(at(day(6), 9))
    name = f"M{delay(trial)['id']}"
    assert "before_live" in said(trial, "messages")
    assert "começou antes de a loja entrar no ar" in said(trial, "show", LATE.code)
    told = said(trial, "explain", name)
    assert f"tracker release {name}" in told and "enquanto a loja só observa" not in told
    assert f"tracker release {name} lets it go" in said(trial, "approve", name)
    assert "1 message" in said(trial, "release", name)
    trial.pass_at(at(day(6), 10))
    assert standing(trial) == ("sent", None)


def test_an_earlier_first_day_lets_go_what_began_since(start: Start) -> None:
    trial = observed(start, live_from=day(6))
    trial.pass_at(at(day(6), 9))
    trial.shop["live_from"] = day(5)
    trial.pass_at(at(day(6), 10))
    assert standing(trial) == ("sent", None)


def test_what_is_no_longer_true_is_not_told_on_the_first_day(start: Start) -> None:
    trial = start(of_fate(Fate.LATE_DELIVERED))
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": [], "delivered": []}
    trial.shop.pop("live_from")
    trial.drop_orders()
    trial.pass_through([at(day(2), 9), at(day(4), 9), at(day(5), 16)])
    trial.shop["live_from"] = day(1)
    trial.pass_at(at(day(5), 17))
    assert standing(trial) == ("suppressed", None)


@pytest.mark.parametrize("hours", [0, 30])
def test_what_is_held_expires_by_its_age(start: Start, hours: int) -> None:
    trial = observed(start, live_from=day(6))
    expires_at = trial.one(Notice, trigger="delay_detected")["expires_at"]
    trial.pass_at(expires_at + hours * HOUR)
    assert standing(trial) == ("expired", None)
    assert delay(trial)["next_step_at"] is None


def test_a_dead_mail_server_does_not_keep_a_shop_from_going_live(start: Start) -> None:
    trial = observed(start, live_from=day(6))
    trial.world.mail.stop()
    trial.pass_at(at(day(6), 9))
    assert standing(trial) == ("awaiting_person", "before_live")

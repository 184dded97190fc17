"""Ten days without a mail server: nothing is lost, nothing stale is sent, the order is kept, and one alert says so."""

from __future__ import annotations

from datetime import timedelta

from tests.end_to_end.support import Start, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import Alert, Decision, Delivery, Notice

HOUR = timedelta(hours=1)
PARCELS = [
    *(of_fate(Fate.ON_TIME, index) for index in range(6)),
    *(of_fate(Fate.LATE_DELIVERED, index) for index in range(2)),
    *(of_fate(Fate.LATE_OPEN, index) for index in range(2)),
    *(of_fate(Fate.LOST_CODED, index) for index in range(2)),
]
BACK = at(day(12), 14)
FINAL = {"sent", "expired", "suppressed"}


def test_ten_days_of_mail_outage(start: Start, database_url: str) -> None:
    trial = start(*PARCELS, url=database_url)
    trial.settings["rules"] = {"max_age_hours": {"loss_confirmed": 500}}
    trial.drop_orders()
    trial.world.mail.stop()
    trial.pass_through(at(day(n), hour) for n in range(2, 12) for hour in (9, 21))

    # While it lasts: nothing left, what is too old says so already, and there is one alert.
    assert trial.told() == []
    assert {row["state"] for row in trial.rows(Delivery)} <= {"queued", "expired", "suppressed"}
    assert {row["state"] for row in trial.rows(Delivery)} >= {"queued", "expired"}
    alert = trial.one(Alert, kind="mail_down")
    assert (alert["severity"], alert["resolved_at"]) == ("critical", None)
    notices = {row["id"]: row for row in trial.rows(Notice)}
    for row in trial.rows(Delivery, state="queued"):
        assert notices[row["notice_id"]]["expires_at"] > at(day(11), 21)
        assert row["attempts"] == 0

    # It returns: whatever is still worth telling leaves, what the customer must act on first, the rest in its order.
    due = sorted(
        trial.rows(Delivery, state="queued"), key=lambda row: (not row["urgent"], row["next_step_at"], row["id"])
    )
    trial.world.mail.start()
    trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
    trial.pass_at(BACK)
    told = [message_id for _, message_id in trial.told()]
    assert trial.one(Alert, kind="mail_down")["resolved_at"] == BACK
    waited = [row["message_id"] for row in due if row["message_id"] in told]
    assert [one for one in told if one in waited] == waited and len(waited) >= 3
    trial.pass_through(BACK + n * HOUR for n in (1, 3, 4, 7, 20, 26))

    # Nothing is lost: every notice that was ever decided has come to its end, and the log says how.
    rows = trial.rows(Delivery)
    notices = {row["id"]: row for row in trial.rows(Notice)}
    assert {row["notice_id"] for row in rows} == set(notices)
    for row in rows:
        notice = notices[row["notice_id"]]
        if notice["expires_at"] <= BACK + 26 * HOUR or row["queued_at"] <= BACK:
            assert row["state"] in FINAL, (row["state"], notice["trigger"])
        if row["state"] == "sent":
            assert row["sent_at"] < notice["expires_at"] and row["attempts"] == 1
        assert trial.rows(Decision, subject_kind="message", subject_id=row["id"], outcome=row["state"]) != []
    sent = {row["message_id"] for row in rows if row["state"] == "sent"}
    told = [message_id for _, message_id in trial.told()]
    assert (set(told), len(told)) == (sent, len(sent))
    lost = [row for row in rows if notices[row["notice_id"]]["trigger"] == "loss_confirmed"]
    assert [row["state"] for row in lost] == ["sent", "sent"]
    assert len(trial.rows(Alert, kind="mail_down")) == 1

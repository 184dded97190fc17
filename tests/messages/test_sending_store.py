"""Messages against a real mail server: each is provably sent, unconfirmed or waiting, and never sent twice unawares."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.support import DEMO, Start, Trial, at, day, of_fate
from tests.messages.smtp_servers import PASSWORD, USER, Certificate
from tracker.app import App
from tracker.sandbox.mail import MailSettings, Security
from tracker.sandbox.plan import Fate, Shipment
from tracker.store.tables import Alert, Claim, Decision, Delivery, Notice, NoticeMember

POSTED = of_fate(Fate.ON_TIME)
"""Posted on the plan's first day: the first pass of the second day tells so."""
OTHERS = [of_fate(Fate.ON_TIME, index) for index in (1, 2, 3)]
LOST = of_fate(Fate.LOST_CODED)
FIRST = at(day(2), 9)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def posted(trial: Trial) -> Trial:
    trial.drop_orders()
    trial.pass_at(FIRST)
    return trial


def of_trigger(trial: Trial, trigger: str) -> dict[str, Any]:
    """The one delivery of this trigger."""
    return trial.one(Delivery, notice_id=trial.one(Notice, trigger=trigger)["id"])


def letter(trial: Trial, index: int = -1) -> Message:
    return message_from_bytes(trial.mail_text(index))


def body(message: Message) -> str:
    """The plain text."""
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/plain"]
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8")


def test_a_message_is_sent_once_and_kept_as_it_left(start: Start, database_url: str) -> None:
    trial = posted(start(POSTED, url=database_url))
    trial.pass_at(FIRST + 90 * MINUTE)
    row = trial.one(Delivery)
    assert (row["state"], row["attempts"], row["sent_at"]) == ("sent", 1, FIRST)
    assert trial.told() == [(POSTED.order.customer.email, row["message_id"])]
    assert POSTED.code in body(letter(trial))
    assert row["body"] is not None and row["sending_at"] == FIRST


def test_the_messages_of_one_order_are_one_conversation(start: Start, database_url: str) -> None:
    trial = posted(start(POSTED, url=database_url))
    trial.pass_through(at(day(n), hour) for n in (3, 4) for hour in (9, 15))
    ids = [message_id for _, message_id in trial.told()]
    letters = [letter(trial, index) for index in range(len(ids))]
    assert len(ids) >= 3 and letters[0]["In-Reply-To"] is None
    for index, later in enumerate(letters[1:], start=1):
        assert later["In-Reply-To"] == ids[index - 1]
        references = later["References"].split()
        assert references[0] == ids[0] and references[-1] == ids[index - 1]


def test_a_greylisted_message_leaves_later_under_the_same_id(start: Start, database_url: str) -> None:
    trial = start(POSTED, url=database_url)
    trial.world.mail.order_fault("greylist")
    posted(trial)
    row = trial.one(Delivery)
    assert (row["state"], row["attempts"], row["next_step_at"]) == ("queued", 1, FIRST + MINUTE / 2)
    assert trial.told() == []
    trial.pass_at(FIRST + MINUTE)
    assert trial.told() == [(POSTED.order.customer.email, row["message_id"])]
    assert trial.one(Delivery)["state"] == "sent"


def test_an_unknown_mailbox_bounces_and_is_not_tried_again(start: Start) -> None:
    trial = start(POSTED)
    trial.world.mail.order_fault("unknown_user", count=None)
    posted(trial)
    trial.pass_at(FIRST + 60 * MINUTE)
    row = trial.one(Delivery)
    assert (row["state"], row["attempts"], row["next_step_at"]) == ("bounced", 1, None)
    assert POSTED.order.customer.email not in row["reason"]


def test_a_lost_answer_leaves_a_message_unconfirmed_and_it_is_not_repeated(start: Start, database_url: str) -> None:
    trial = start(POSTED, url=database_url)
    trial.world.mail.order_fault("drop_after_dot")
    posted(trial)
    trial.pass_through([FIRST + 16 * MINUTE, FIRST + 180 * MINUTE])
    row = trial.one(Delivery)
    assert (row["state"], row["repeated"]) == ("unconfirmed", False)
    assert trial.told() == [(POSTED.order.customer.email, row["message_id"])]
    alert, name, number = trial.one(Alert), f"M{row['id']}", POSTED.order.number
    assert alert["kind"] == "message_unconfirmed"
    assert alert["summary"] == (
        f"message {name} (posted) of order {number} left and was never confirmed; its Message-ID is {row['message_id']}"
    )
    assert alert["details"] == {"message_id": row["id"], "smtp_message_id": row["message_id"], "order": number}
    told = " ".join(trial.command("explain", name).stdout.split("Detalhes técnicos")[0].split())
    assert f"o Message-ID é {row['message_id']}" in told


def lost_parcel(trial: Trial) -> Trial:
    """Its loss is news at the next pass; nothing else is told."""
    trial.settings["messages"]["triggers"] = {
        t: [] for t in ("posted", "delay_detected", "inquiry_opened", "delivered")
    }
    trial.drop_orders()
    trial.pass_at(at(day(3), 9))
    return trial


TOLD_AT = at(day(6), 9)


def test_a_loss_that_was_never_confirmed_is_told_once_more_under_the_same_id(start: Start, database_url: str) -> None:
    trial = lost_parcel(start(LOST, url=database_url))
    trial.world.mail.order_fault("drop_after_dot")
    trial.pass_at(TOLD_AT)
    row = of_trigger(trial, "loss_confirmed")
    assert (row["state"], row["next_step_at"]) == ("unconfirmed", TOLD_AT + 15 * MINUTE)
    trial.pass_at(TOLD_AT + 10 * MINUTE)
    assert len(trial.told()) == 1
    trial.pass_at(TOLD_AT + 15 * MINUTE)
    assert trial.told() == [(LOST.order.customer.email, row["message_id"])] * 2
    row = of_trigger(trial, "loss_confirmed")
    assert (row["state"], row["repeated"]) == ("sent", True)


def test_a_loss_is_never_told_a_third_time(start: Start) -> None:
    trial = lost_parcel(start(LOST))
    trial.world.mail.order_fault("drop_after_dot", count=None)
    trial.pass_through(TOLD_AT + minutes * MINUTE for minutes in (0, 15, 31, 60, 600))
    assert len(trial.told()) == 2
    row = of_trigger(trial, "loss_confirmed")
    assert (row["state"], row["next_step_at"]) == ("unconfirmed", None)


def test_a_connection_cut_before_the_text_is_a_plain_retry(start: Start) -> None:
    trial = start(POSTED)
    trial.world.mail.order_fault("drop_before_data")
    posted(trial)
    assert trial.one(Delivery)["state"] == "queued"
    trial.pass_at(FIRST + MINUTE)
    assert trial.one(Delivery)["state"] == "sent"
    assert len(trial.told()) == 1


def test_a_broken_template_holds_its_own_trigger_only(start: Start) -> None:
    late = of_fate(Fate.LATE_OPEN)
    trial = start(late)
    folder = trial.folder / "templates" / "pt-BR"
    folder.mkdir(parents=True)
    (folder / "posted.email.txt").write_text("{{ pedidos_do_mes }}", encoding="utf-8")
    posted(trial)
    row = of_trigger(trial, "posted")
    assert (row["state"], row["hold_reason"]) == ("awaiting_person", "template")
    assert "pedidos_do_mes" in row["reason"]
    alert = trial.one(Alert)
    assert (alert["kind"], alert["key"]) == ("template_broken", "template:aurora:posted")
    trial.pass_at(at(day(5), 9))
    assert of_trigger(trial, "delay_detected")["state"] == "sent"
    assert len(trial.rows(Alert, kind="template_broken")) == 1
    assert of_trigger(trial, "posted")["state"] == "expired"


def broken(trial: Trial, trigger: str = "posted") -> Path:
    """The trigger's text, with a variable that it does not have."""
    path = trial.folder / "templates" / "pt-BR" / f"{trigger}.email.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{{ pedidos_do_mes }}", encoding="utf-8")
    return path


def of_posted(trial: Trial) -> list[dict[str, Any]]:
    notices = {notice["id"] for notice in trial.rows(Notice, trigger="posted")}
    return [row for row in trial.rows(Delivery) if row["notice_id"] in notices]


def about_text(trial: Trial, kind: str = "template_broken") -> dict[str, Any]:
    return trial.one(Alert, kind=kind)


def test_a_mended_text_lets_go_what_waited_for_it(start: Start, database_url: str) -> None:
    trial = start(POSTED, OTHERS[0], url=database_url)
    path = broken(trial)
    trial.drop_orders()
    trial.pass_through([FIRST, FIRST + MINUTE, FIRST + 2 * MINUTE])
    assert [row["hold_reason"] for row in trial.rows(Delivery)] == ["template", "template"]
    assert (about_text(trial)["resolved_at"], trial.told()) == (None, [])
    path.write_text("Saiu o {{ pedido }}!", encoding="utf-8")
    trial.pass_at(FIRST + 3 * MINUTE)
    assert [(row["state"], row["hold_reason"]) for row in trial.rows(Delivery)] == [("sent", None), ("sent", None)]
    assert len(trial.told()) == 2
    assert about_text(trial)["resolved_at"] == FIRST + 3 * MINUTE
    decisions = trial.rows(Decision, subject_kind="message", rule="message.text_mended")
    assert [row["outcome"] for row in decisions] == ["queued", "queued"]


def test_a_mended_text_tells_nothing_that_is_no_longer_true(start: Start) -> None:
    late = of_fate(Fate.LATE_DELIVERED)
    trial = start(late)
    path = broken(trial, "delay_detected")
    trial.settings["rules"] = {"max_age_hours": {"delay_detected": 500}}
    trial.drop_orders()
    trial.pass_through(at(day(n), 9) for n in range(2, 20))
    assert of_trigger(trial, "delay_detected")["hold_reason"] == "template"
    path.unlink()
    trial.pass_at(at(day(20), 9))
    assert of_trigger(trial, "delay_detected")["state"] == "suppressed"


def test_a_text_that_only_this_message_breaks_is_not_tried_for_ever(start: Start) -> None:
    """Sound with every optional variable and with none, not with this parcel's: tried once a start, never in a circle."""
    trial = start(POSTED)
    path = broken(trial)
    path.write_text(
        "{{ loja }}{% if rastreio and not link %}{% if rastreio > link %}x{% endif %}{% endif %}", encoding="utf-8"
    )
    trial.drop_orders()
    trial.pass_through([FIRST, FIRST + MINUTE, FIRST + 2 * MINUTE])
    assert trial.one(Delivery)["hold_reason"] == "template"
    assert trial.rows(Decision, subject_kind="message", rule="message.text_mended") == []
    trial.pass_through([FIRST + 3 * MINUTE, FIRST + 4 * MINUTE])
    assert len(trial.rows(Decision, subject_kind="message", rule="message.text_mended")) == 1


def test_messages_that_a_broken_text_is_about_to_cost_are_counted(start: Start) -> None:
    trial = start(POSTED, OTHERS[0])
    path = broken(trial)
    trial.drop_orders()
    trial.pass_through([FIRST, FIRST + 10 * MINUTE])
    expires_at = min(notice["expires_at"] for notice in trial.rows(Notice))
    assert trial.rows(Alert, kind="template_overdue") == []
    trial.pass_at(expires_at - HOUR)
    alert = about_text(trial, "template_overdue")
    assert (alert["severity"], alert["key"]) == ("critical", "template_overdue:aurora:posted")
    assert f"{path}:1: variável desconhecida" in alert["summary"]
    assert "2 messages wait for it" in alert["summary"]
    trial.pass_at(expires_at + 5 * HOUR)
    assert {row["state"] for row in of_posted(trial)} == {"expired"}
    assert all("the text of posted could not be used" in row["reason"] for row in of_posted(trial))
    assert about_text(trial, "template_overdue")["resolved_at"] is None
    path.unlink()
    mended_at = expires_at + 6 * HOUR
    trial.pass_at(mended_at)
    assert about_text(trial, "template_overdue")["resolved_at"] == mended_at
    assert about_text(trial)["resolved_at"] == mended_at


@pytest.mark.parametrize("mended", [False, True])
def test_messages_that_a_broken_text_cost_while_nothing_ran_are_counted(start: Start, mended: bool) -> None:
    trial = start(POSTED, OTHERS[0])
    path = broken(trial)
    posted(trial)
    if mended:
        path.unlink()
    trial.pass_at(FIRST + 40 * HOUR)
    assert {row["state"] for row in of_posted(trial)} == {"expired"}
    alert = about_text(trial, "template_overdue")
    assert "2 messages waited for it" in alert["summary"]
    assert (alert["resolved_at"] is not None) is mended


def test_a_merchants_own_text_is_used(start: Start) -> None:
    trial = start(POSTED)
    folder = trial.folder / "templates" / "aurora" / "pt-BR"
    folder.mkdir(parents=True)
    (folder / "posted.email.subject.txt").write_text("Saiu o {{ pedido }}!", encoding="utf-8")
    posted(trial)
    assert letter(trial)["Subject"] == f"Saiu o {POSTED.order.number}!"
    assert POSTED.code in body(letter(trial))


def test_every_message_is_redirected_for_a_trial(start: Start) -> None:
    trial = start(POSTED)
    trial.settings["messages"]["redirect_to"] = "teste@aurora.example"
    posted(trial)
    customer = POSTED.order.customer.email
    assert [recipient for recipient, _ in trial.told()] == ["teste@aurora.example"]
    assert str(make_header(decode_header(letter(trial)["Subject"]))).startswith(f"[para {customer}] ")
    (message,) = json.loads(trial.command("messages", "--json").stdout)
    assert (message["recipient"], message["state"]) == (customer, "sent")
    assert message["diverted_to"] == "teste@aurora.example"


def test_a_message_to_the_customer_is_not_marked(start: Start) -> None:
    trial = posted(start(POSTED))
    assert "[para" not in str(make_header(decode_header(letter(trial)["Subject"])))
    (message,) = json.loads(trial.command("messages", "--json").stdout)
    assert message["diverted_to"] is None


def test_mail_leaves_over_starttls_with_a_password(
    start: Start, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Certificate.made_in(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    mail = MailSettings(
        security=Security.STARTTLS, certificate=made.certificate, key=made.key, user=USER, password=PASSWORD
    )
    trial = start(POSTED, mail=mail)
    trial.settings["messages"]["email"].update({"security": "starttls", "user": USER, "password": PASSWORD})
    posted(trial)
    assert len(trial.told()) == 1


def test_a_server_with_a_strange_certificate_gets_nothing(start: Start, tmp_path: Any) -> None:
    made = Certificate.made_in(tmp_path)
    mail = MailSettings(security=Security.TLS, certificate=made.certificate, key=made.key)
    trial = start(POSTED, *OTHERS, mail=mail)
    trial.settings["messages"]["email"].update({"security": "tls"})
    posted(trial)
    assert trial.told() == []
    assert {row["state"] for row in trial.rows(Delivery)} == {"queued"}
    alert = trial.one(Alert)
    assert (alert["kind"], alert["severity"]) == ("mail_down", "critical")


def test_a_refused_login_stops_the_mail_and_its_return_ends_the_alert(start: Start) -> None:
    mail = MailSettings(user=USER, password=PASSWORD)
    trial = start(POSTED, *OTHERS, mail=mail)
    posted(trial)  # the server wants a password, and the configuration has none
    assert trial.told() == []
    assert trial.one(Alert)["kind"] == "mail_down"
    trial.world.mail.settings = MailSettings()
    trial.pass_at(FIRST + 16 * MINUTE)
    assert len(trial.told()) == 4
    assert trial.one(Alert)["resolved_at"] == FIRST + 16 * MINUTE


def test_a_server_that_asks_for_patience_gets_it(start: Start) -> None:
    trial = start(POSTED, *OTHERS)
    trial.world.mail.order_fault("throttled")
    posted(trial)
    assert trial.told() == []  # the others are left alone too
    trial.pass_at(FIRST + MINUTE)
    assert len(trial.told()) == 4
    assert {(row["state"], row["attempts"]) for row in trial.rows(Delivery)} == {("sent", 1)}


def test_a_dead_mail_server_is_asked_once_a_pass_however_many_wait(start: Start) -> None:
    """Down is an alert, not a failure: the pass comes to rest and nothing is lost."""
    many = [
        replace(POSTED, code=parcel.code, order=parcel.order)
        for parcel in DEMO.shipments
        if parcel.order.number != POSTED.order.number
    ][:25]
    trial = start(POSTED, *many)
    trial.world.mail.stop()
    posted(trial)
    rows = trial.rows(Delivery)
    assert {row["state"] for row in rows} == {"queued"}
    assert {row["attempts"] for row in rows} == {0}
    assert len(trial.rows(Decision, subject_kind="message", rule="deliver.email")) == 1
    alert = trial.one(Alert)
    assert alert["kind"] == "mail_down"
    server = f"127.0.0.1:{trial.settings['messages']['email']['port']}"
    assert alert["summary"] == (
        f"the mail server {server} takes no mail: connection refused: is the mail server running, is the port right?"
    )


def test_check_config_says_why_the_mail_server_takes_no_mail(start: Start) -> None:
    trial = start(POSTED)
    trial.write_config()
    assert "takes mail" in trial.command("check-config", "--online").stdout
    trial.world.mail.stop()
    done = trial.command("check-config", "--online")
    assert done.returncode != 0
    server = f"mail server 127.0.0.1:{trial.settings['messages']['email']['port']}"
    cause = "connection refused: is the mail server running, is the port right?"
    assert server in done.stdout and f"does not take mail: {cause}" in done.stdout


def together(first: Shipment, *others: Shipment) -> list[Shipment]:
    """Parcels of one order."""
    return [first, *(replace(other, order=first.order, promised_on=first.promised_on) for other in others)]


def test_parcels_of_one_order_share_one_notice(start: Start, database_url: str) -> None:
    parcels = together(of_fate(Fate.ON_TIME), of_fate(Fate.ON_TIME, 1))
    trial = posted(start(*parcels, url=database_url))
    assert trial.told() == []
    trial.pass_at(FIRST + 10 * MINUTE)
    assert len(trial.told()) == 1
    assert all(parcel.code in body(letter(trial)) for parcel in parcels)
    assert len(trial.rows(NoticeMember)) == 2


def test_a_parcel_that_comes_after_the_window_has_a_notice_of_its_own(start: Start) -> None:
    first, second = of_fate(Fate.ON_TIME), of_fate(Fate.ON_TIME, 2)
    next_day = replace(second, events=tuple(replace(e, at=e.at + timedelta(days=1)) for e in second.events))
    trial = start(*together(first, next_day))
    trial.settings["messages"]["triggers"] = {"out_for_delivery": []}
    posted(trial)
    trial.pass_through([FIRST + 10 * MINUTE, at(day(3), 9), at(day(3), 9) + 10 * MINUTE])
    posted_notices = [notice["id"] for notice in trial.rows(Notice, trigger="posted")]
    assert len(posted_notices) == 2
    mails = [body(letter(trial, 0)), body(letter(trial, 1))]
    assert [(first.code in text, second.code in text) for text in mails] == [(True, False), (False, True)]


def test_an_order_hears_once_a_day_and_of_the_other_parcel_the_next_morning(start: Start, database_url: str) -> None:
    """The first parcel goes out for delivery on the morning on which the second is posted."""
    first, second = of_fate(Fate.ON_TIME), of_fate(Fate.ON_TIME, 2)
    posted_later = at(day(3), 8, 30) - second.events[1].at
    later = replace(second, events=tuple(replace(e, at=e.at + posted_later) for e in second.events))
    trial = start(*together(replace(first, promised_on=day(9)), later), url=database_url)
    trial.settings["messages"]["triggers"] = {"delivered": []}
    posted(trial)
    trial.pass_through([FIRST + 10 * MINUTE, at(day(3), 9), at(day(3), 9) + 10 * MINUTE])
    assert [row["trigger"] for row in trial.rows(Notice)] == ["posted", "out_for_delivery"]
    assert {row["facts"]["why"] for row in trial.rows(Decision, outcome="postponed")} == {"day_taken"}
    trial.pass_through([at(day(4), 8), at(day(4), 8) + 10 * MINUTE])
    of_second = trial.one(NoticeMember, trigger="posted", shipment_id=2)
    assert trial.one(Notice, id=of_second["notice_id"])["created_at"] == at(day(4), 8)
    assert second.code in body(letter(trial))


def test_no_more_leave_in_an_hour_than_allowed(start: Start) -> None:
    trial = start(POSTED, *OTHERS)
    trial.settings["messages"]["email"]["per_hour"] = 2
    posted(trial)
    assert len(trial.told()) == 2
    trial.pass_at(FIRST + 59 * MINUTE)
    assert len(trial.told()) == 2
    trial.pass_at(FIRST + 61 * MINUTE)
    assert len(trial.told()) == 4


def test_a_message_that_is_no_longer_true_does_not_leave(start: Start) -> None:
    """Greylisted on the eve, delivered in the night: nobody is told of a delay that is over."""
    late = of_fate(Fate.LATE_DELIVERED)
    delivered_at = late.events[-1].at
    trial = start(late)
    trial.settings["messages"]["triggers"] = {"posted": [], "inquiry_opened": []}
    trial.drop_orders()
    trial.pass_at(FIRST)
    trial.world.mail.order_fault("greylist", count=None)
    trial.pass_at(delivered_at - timedelta(hours=4))
    assert of_trigger(trial, "delay_detected")["state"] == "queued"
    trial.world.mail.clear_faults()
    # The next try comes after the delivery was seen.
    trial.clock_at(delivered_at)
    trial.pass_at(delivered_at + 5 * MINUTE)
    row = of_trigger(trial, "delay_detected")
    assert (row["state"], row["reason"]) == ("suppressed", "superseded: it is no longer true of any parcel")


def test_delay_and_inquiry_are_hours_apart_whichever_lane_is_quicker(start: Start) -> None:
    """In the daemon the delay is often told before the claim is filed, half a minute earlier."""
    trial = start(of_fate(Fate.LATE_OPEN))
    trial.drop_orders()
    trial.pass_at(FIRST)
    late_at = at(day(5))
    trial.clock_at(late_at)
    asyncio.run(lanes_in_turn(trial.build(), late_at))
    assert [row["state"] for row in trial.rows(Claim)] == ["open"]
    assert of_trigger(trial, "delay_detected")["state"] == "sent"
    inquiry = of_trigger(trial, "inquiry_opened")
    assert inquiry["state"] == "queued"
    assert inquiry["next_step_at"] - late_at >= timedelta(hours=2, minutes=59)
    trial.pass_at(late_at + timedelta(hours=4))
    assert of_trigger(trial, "inquiry_opened")["state"] == "sent"


async def lanes_in_turn(app: App, now: datetime) -> None:
    """Each kind of lane once, messages before and after claims, half a minute apart."""
    turns = ["poll", "detect", "messages", "messages:email", "claims", "messages", "messages:email"]
    try:
        for turn, kind in enumerate(turns):
            for lane in app.lanes:
                if lane.name == kind or (":" not in kind and lane.name.startswith((f"{kind}:correios", f"{kind}#"))):
                    await lane.run(now + turn * MINUTE / 12)
    finally:
        await app.close()

"""Sandbox parcels of many fates, played for weeks: every trigger fires on one of them, and reads well in both languages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.end_to_end.support import MONDAY, Start, Trial, at, day, of_fate
from tests.messages.strict_mail import read
from tracker.app import composer_alone
from tracker.config.load import load_config
from tracker.config.model import LANGUAGES
from tracker.domain.notice_kinds import JOURNEY, MAX_AGE_HOURS
from tracker.domain.words import Trigger
from tracker.messages.preview import from_sample, written
from tracker.sandbox.fates import random_plan
from tracker.sandbox.plan import Fate, Shipment
from tracker.store.tables import Delivery, Notice, NoticeMember
from tracker.store.views_preview import Sample, newest_told

OF_THE_DEMO = [
    Fate.ON_TIME,
    Fate.LATE_OPEN,
    Fate.LOST_CODED,
    Fate.DAMAGED,
    Fate.RETURNED_REFUSED,
    Fate.RETURNED_UNCLAIMED,
    Fate.WRONG_ADDRESS,
]
OTHERS = [Fate.ABSENT_THRICE, Fate.PICKUP_LAST_DAY]
DAYS = 22
PAID = (
    "Pedido;Cliente;E-mail;Data do pedido;Situação;Previsão de entrega;Produto\r\n"
    "30001;MARINA PAGA;marina@cliente.example;03/08/2026;pago;12/08/2026;Fone sem fio\r\n"
)


def parcels() -> list[Shipment]:
    """One of each fate, each of an order of its own."""
    more = random_plan(150, 3, 11, first_day=MONDAY)
    found = [*(of_fate(fate) for fate in OF_THE_DEMO), *(more.of_fate(fate)[0] for fate in OTHERS)]
    return [replace(one, order=replace(one.order, number=str(20001 + n))) for n, one in enumerate(found)]


def played(start: Start) -> Trial:
    trial = start(*parcels())
    trial.drop_orders()
    trial.drop("pagos.csv", PAID.encode())
    trial.pass_through(at(day(1 + n // 3), (8, 12, 18)[n % 3]) for n in range(3 * DAYS))
    return trial


def samples(trial: Trial) -> list[tuple[Trigger, Sample]]:
    """Every notice with its members."""
    found = []
    for notice in trial.rows(Notice):
        members = trial.rows(NoticeMember, notice_id=notice["id"])
        shown = tuple((member["shipment_id"], member["episode"]) for member in members)
        sample = Sample(notice["order_id"], notice["shop"], shown, notice["created_at"])
        found.append((Trigger(notice["trigger"]), sample))
    return found


@pytest.mark.slow
def test_every_trigger_fires_and_reads_well_in_both_languages(start: Start) -> None:
    trial = played(start)
    told = samples(trial)
    assert {trigger for trigger, _ in told} == set(MAX_AGE_HOURS)
    composer = composer_alone(load_config(trial.write_config(), trial.environment, strict_credentials=True).settings)
    with trial.database.begin_read() as connection:
        for trigger, sample in told:
            for language in LANGUAGES:
                shown = from_sample(connection, composer, trigger, sample, language, at(day(DAYS)))
                check(shown.rendered.subject, shown.rendered.text, language)
                data = written(
                    composer,
                    shown,
                    trigger,
                    recipient=shown.recipient or "",
                    message_id="<a@aurora.example>",
                    date=at(day(DAYS)),
                )
                mail = read(data)
                assert mail.shown(b"subject") == shown.rendered.subject
        newest = newest_told(connection, Trigger.PICKUP_WAITING, None)
    assert newest is not None
    caps_hold(trial)
    promises_kept(trial)


def check(subject: str, text: str, language: str) -> None:
    """No gap, no other language's words, nothing that a customer should not read."""
    assert len(subject) <= 62, subject
    for part in (subject, text):
        assert not re.search(r"\{\{|\bNone\b|\(\)|\s[,.!?]|,\s*[,.!]|\.\.", part), part
        assert not re.search(r"BDE|LDI|OEC|\bSRO\b|correios\.com", part), part
    words = {"pt-BR": r"\b(your|order|parcel|Monday|Tuesday)\b", "en": r"\b(você|pedido|feira|amanhã|rastreio)\b"}
    assert not re.search(words[language], text), text


def caps_hold(trial: Trial) -> None:
    """Of each order at most one message a day that could wait, two of its good way, and six in all."""
    zone = at(MONDAY).tzinfo
    by_day: Counter[tuple[int, object]] = Counter()
    in_all: Counter[int] = Counter()
    for notice in trial.rows(Notice):
        if Trigger(notice["trigger"]) in JOURNEY:
            by_day[notice["order_id"], notice["created_at"].astimezone(zone).date()] += 1
            in_all[notice["order_id"]] += 1
    assert max(by_day.values()) <= 2 and max(in_all.values()) <= 6


def promises_kept(trial: Trial) -> None:
    """Every follow-up left on the very day that the message before it named."""
    follow = trial.rows(Notice, trigger="delay_followup")
    assert len(follow) >= 2
    for notice in follow:
        (row,) = trial.rows(Delivery, notice_id=notice["id"])
        assert row["state"] == "sent"
        assert timedelta(0) <= row["sent_at"] - notice["since"] < timedelta(hours=15)
        assert isinstance(notice["since"], datetime)

"""Ten days in which the carrier answers nothing, or a maintenance page with status 200, and its return.

One alert from end to end, no problem read out of the silence, no stale mail, and every problem found afterwards; the operator
and the merchant read about it in their own mails.
"""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes, policy
from typing import Any

import pytest

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import (
    Alert,
    AlertDelivery,
    CarrierOutage,
    Delivery,
    Digest,
    Notice,
    Problem,
    ShipmentRef,
)

FATES = (Fate.LATE_OPEN, Fate.LOST_CODED, Fate.ON_TIME, Fate.LOST_SILENT, Fate.DAMAGED, Fate.STOLEN)
PARCELS = {fate: of_fate(fate) for fate in FATES}
BEFORE = [at(day(2), 9), at(day(2), 15), at(day(3), 9)]
ERRORS = [at(day(n), hour) for n in range(3, 8) for hour in (10, 20)]
PAGES = [at(day(n), hour) for n in range(8, 13) for hour in (8, 20)]
RETURN = at(day(13), 9)
AFTER = [RETURN, *(at(day(13), hour) for hour in (10, 12, 15, 21))]
OPERATOR, OWNER = "operacao@aurora.example", "dona@aurora.example"


@pytest.fixture
def trial(start: Start) -> Trial:
    """The ten days, played."""
    trial = start(*PARCELS.values())
    reminders = {"critical": 24, "warning": None}
    trial.settings["alerts"] = [{"kind": "email", "to": [OPERATOR], "remind_hours": reminders}]
    trial.shop["digest"] = {"to": [OWNER], "at": "08:00"}
    trial.drop_orders()
    trial.pass_through(BEFORE)
    faults = trial.world.correios.faults
    for kind, instants in (("500", ERRORS), ("html", PAGES)):
        faults.clear()
        faults.next(kind, count=1_000_000)
        trial.pass_through(instants)
    return trial


def recover(trial: Trial) -> None:
    trial.world.correios.faults.clear()
    trial.pass_through(AFTER)


def fate_of(trial: Trial, shipment_id: int) -> Fate:
    code = trial.one(ShipmentRef, shipment_id=shipment_id, kind="code")["value"]
    return next(fate for fate, parcel in PARCELS.items() if parcel.code == code)


def subjects(trial: Trial, recipient: str) -> list[str]:
    """Of the mails to this address, in the order of arrival."""
    taken = trial.world.mail.deliveries()
    letters = [trial.mail_text(n) for n, one in enumerate(taken) if one.recipient == recipient]
    return [str(message_from_bytes(letter, policy=policy.default)["Subject"]) for letter in letters]


def body_of_last(trial: Trial, recipient: str) -> str:
    taken = trial.world.mail.deliveries()
    place = max(n for n, one in enumerate(taken) if one.recipient == recipient)
    letter: Any = message_from_bytes(trial.mail_text(place), policy=policy.default)
    return str(letter.get_body(("plain",)).get_content()).replace("\r\n", "\n")


def test_ten_days_without_the_carrier(trial: Trial) -> None:
    # --- while it lasts
    assert trial.rows(Problem) == []
    customers = {parcel.order.customer.email for parcel in PARCELS.values()}
    told_before = [message_id for recipient, message_id in trial.told() if recipient in customers]
    alert = trial.one(Alert)
    assert (alert["kind"], alert["severity"], alert["resolved_at"]) == ("carrier_down", "critical", None)

    recover(trial)
    # --- one alert, raised and resolved
    alert = trial.one(Alert)
    assert alert["resolved_at"] == RETURN
    outage = trial.one(CarrierOutage)
    assert outage["started_at"] < at(day(3), 23) and outage["ended_at"] == RETURN
    words = Counter(row["phase"].partition(":")[0] for row in trial.rows(AlertDelivery, sink=f"email:{OPERATOR}"))
    assert (words["raised"], words["resolved"], words["reminder"]) == (1, 1, 8)
    mails = subjects(trial, OPERATOR)
    assert mails[0].startswith("[critical] carrier_down: ") and mails[-1].startswith("[critical] over: carrier_down")
    assert all(one.startswith("[critical] still: ") for one in mails[1:-1]) and len(mails) == 10

    # --- every problem found, and none in the silence
    found = {(fate_of(trial, row["subject_id"]), row["kind"]) for row in trial.rows(Problem)}
    assert found >= {
        (Fate.LATE_OPEN, "delay"),
        (Fate.LOST_CODED, "loss"),
        (Fate.LOST_SILENT, "delay"),
        (Fate.DAMAGED, "damage"),
        (Fate.STOLEN, "theft"),
    }
    assert not any(row["presumed"] or row["kind"] in {"stalled", "untrackable"} for row in trial.rows(Problem))
    assert not any(fate is Fate.ON_TIME for fate, _ in found)

    # --- no stale mail
    fresh = [row for row in trial.rows(Delivery) if row["message_id"] not in told_before]
    assert fresh and all(row["state"] == "sent" for row in fresh)
    for row in fresh:
        notice = trial.one(Notice, id=row["notice_id"])
        assert row["sent_at"] <= notice["expires_at"]
        assert notice["trigger"] in {"delay_detected", "inquiry_opened", "loss_confirmed", "damage"}
    assert len(trial.told()) == len({message_id for _, message_id in trial.told()})

    # --- the merchant's mail, every day one
    days = [row["day"] for row in trial.rows(Digest)]
    assert days == [day(n) for n in range(2, 14)]
    assert {row["state"] for row in trial.rows(Digest)} == {"sent"}
    assert len(subjects(trial, OWNER)) == len(days)

    text = body_of_last(trial, OWNER)
    assert "- problemas novos: atraso 3, avaria 1, extravio 1, roubo 1" in text
    assert "- reclamações registradas: " in text

"""`python -m tests.quarter.look CODE`: what happens to one parcel of the trial, and what the truth expects of it.

QUARTER_SEED and QUARTER_LONG choose the trial, as for `make quarter`.
"""

from __future__ import annotations

import sys

from tests.quarter.setting import Setting, chosen
from tracker.sandbox.attention import Attention
from tracker.sandbox.plan import Event, Shipment
from tracker.sandbox.truth import problems
from tracker.sandbox.truth_claims import claim_truth
from tracker.sandbox.workdays import LOCAL


def lines(setting: Setting, code: str) -> list[str]:
    """The parcel's story, strikes applied, then every window. Raises ValueError where the trial has no such parcel."""
    shipment = next((each for each in setting.plan.shipments if each.code == code), None)
    if shipment is None:
        raise ValueError(f"seed {setting.seed} has no parcel {code}")
    for strike in setting.strikes:
        shipment = strike.hold(shipment)
    attention = Attention.of(setting.passes, setting.fault_plan.outages)
    truth, claims = problems(shipment, attention), claim_truth(shipment, attention)
    return [
        *_about(setting, shipment),
        *(_event(event) for event in shipment.events),
        *(f"  due date shown from {each.seen_from:%d/%m %H:%M}: {each.due_on}" for each in shipment.forecasts),
        "must be seen:",
        *(
            f"  {each.kind} {each.earliest}..{each.latest}" + (f" cause {each.cause}" if each.cause else "")
            for each in truth.expected
        ),
        "may be named:",
        *(f"  {each.kind} {each.first}..{each.last}" for each in truth.allowed),
        "claim owed:",
        f"  {claims.owed.claim_class} {claims.owed.earliest}..{claims.owed.latest}" if claims.owed else "  none",
    ]


def _about(setting: Setting, shipment: Shipment) -> list[str]:
    desk = "latest date" if shipment.by_latest_date else "first date"
    outages = ", ".join(
        f"{each.family.name.lower()} {each.first:%d/%m %Hh}-{each.last:%d/%m %Hh}"
        for each in setting.fault_plan.outages
    )
    strikes = ", ".join(f"{each.first}..{each.last} {each.state or 'everywhere'}" for each in setting.strikes)
    return [
        f"{shipment.code} {shipment.fate} {shipment.service} to {shipment.order.customer.place.state}",
        f"order {shipment.order.number}, shipped {shipment.order.shipped_on}, promised {shipment.promised_on},"
        f" due {shipment.due_on}, desk goes by the {desk}, verdict {shipment.verdict}",
        f"strikes: {strikes}",
        f"outages: {outages}",
    ]


def _event(event: Event) -> str:
    shown = "" if event.shown_at is None else f", shown {event.shown_at.astimezone(LOCAL):%d/%m %H:%M}"
    gone = "" if event.hidden_at is None else f", gone {event.hidden_at.astimezone(LOCAL):%d/%m %H:%M}"
    until = "" if event.pickup_by is None else f", until {event.pickup_by}"
    return f"  {event.at:%a %d/%m %H:%M} {event.code} {event.kind} {event.text}{until}{shown}{gone}"


if __name__ == "__main__":
    sys.stdout.write("\n".join([*lines(chosen(), sys.argv[1]), ""]))

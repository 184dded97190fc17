"""What the events of the simulated world mean, by the published status lists (domain table of Correios events).

Only pairs that the timelines use are here; any other pair says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracker.sandbox.plan import Event


@dataclass(frozen=True, slots=True)
class Meaning:
    """Words of the program's contract. `tries`: the carrier came, laid the parcel out or delivered it: its term ends."""

    status: str
    cause: str | None = None
    tries: bool = False


_MOVING = Meaning("in_transit")
_LATE = Meaning("in_transit", "delay")
_FAMILY = frozenset({"BDE", "BDI", "BDR"})
_DELIVERY: Mapping[str, Meaning] = {
    "01": Meaning("delivered", tries=True),
    "02": Meaning("delivery_failed", "absent", True),
    "04": Meaning("returning", "refused", True),
    "05": Meaning("returning", "return"),
    "08": Meaning("returning", "wrong_address", True),
    "09": _LATE,
    "19": Meaning("delivery_failed", "wrong_address", True),
    "20": Meaning("delivery_failed", "absent", True),
    "21": Meaning("returning", "absent", True),
    "23": Meaning("returned", "return"),
    "26": Meaning("returning", "unclaimed"),
    "28": Meaning("damaged", "damage"),
    "36": Meaning("returning", "return"),
    "50": Meaning("stolen", "theft"),
    "69": _LATE,
    "75": Meaning("seized", "seized"),
    "80": Meaning("lost", "loss"),
}
_OTHERS: Mapping[tuple[str, str], Meaning] = {
    ("FC", "82"): Meaning("pre_transit"),
    ("PO", "01"): Meaning("posted"),
    ("PO", "09"): Meaning("posted"),
    ("RO", "01"): _MOVING,
    ("DO", "01"): _MOVING,
    ("OEC", "01"): Meaning("out_for_delivery"),
    ("OEC", "09"): Meaning("returning", "return"),
    ("LDI", "01"): Meaning("available_for_pickup", tries=True),
    ("FC", "01"): Meaning("returning", "return"),
    ("FC", "03"): _LATE,
    ("FC", "32"): Meaning("customs", "customs_hold"),
    ("FC", "34"): Meaning("customs", "customs_hold"),
    ("PAR", "42"): _MOVING,
    ("IDC", "01"): Meaning("lost", "loss"),
}


def meaning(event: Event) -> Meaning | None:
    """Return what *event* says, or None for a pair without a published meaning."""
    if event.code in _FAMILY:
        return _DELIVERY.get(event.kind)
    return _OTHERS.get((event.code, event.kind))

"""Answers made to harm: each is kept as far as it can be, and no other parcel of the same batch is the worse for it."""

from __future__ import annotations

import random
import string
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.flecha import GOOD, Flecha, beside, install
from tests.end_to_end.support import ZONE, Start, at, day
from tests.hands.support import hand
from tracker.store.tables import Event, ShipmentPoll, ShipmentRef

LONG = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))
"""Does not compress: an index of PostgreSQL takes 2,700 bytes."""
FIRST = datetime(2026, 8, 3, 14, tzinfo=ZONE)
HOSTILE: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a text with an end inside": ({"texto": "a\x00b"}, {"description": "ab"}),
    "a code with an end inside": ({"codigo": "B\x001"}, {"carrier_code": "B1"}),
    "a place with an end inside": ({"local": "Natal\x00/RN"}, {"location": "Natal/RN"}),
    "an endless code": ({"codigo": LONG}, {"carrier_code": LONG[:60]}),
    "an endless text": ({"texto": LONG}, {"description": f"{LONG[:1999]}…"}),
    "an endless place": ({"local": LONG}, {"location": f"{LONG[:199]}…"}),
    "an endless key": ({"id": LONG}, {"description": "Coletado"}),
    "a terminal's orders": ({"texto": "\x1b[2J\x1b]0;dono\x07"}, {"description": "\x1b[2J\x1b]0;dono\x07"}),
}
"""By what it is: what stands in its first event, and what is kept of that."""
NUMBERS = {name: f"FX{90_000_000 + serial}" for serial, name in enumerate(HOSTILE)}


def event(serial: int = 1, **changes: Any) -> dict[str, Any]:
    when = (FIRST + timedelta(hours=serial - 1)).isoformat()
    return {"id": serial, "quando": when, "codigo": "B1", "texto": "Coletado", "local": "Natal/RN", **changes}


def test_one_hostile_answer_harms_no_other(
    start: Start, flecha: Flecha, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = beside(start(url=database_url), flecha)
    monkeypatch.syspath_prepend(str(install(trial.folder / "plugins")))
    rows = "".join(f"H{number};Ana;ana@example.com;{number}\r\n" for number in NUMBERS.values())
    trial.drop("hostile.csv", f"Pedido;Cliente;E-mail;Código de rastreio\r\n{rows}".encode())
    for name, number in NUMBERS.items():
        flecha.show(number)
        flecha.shown[number]["eventos"] = [event(**HOSTILE[name][0]), event(2)]
    trial.pass_at(at(day(2), 12))
    shipments = {row["value"]: row["shipment_id"] for row in trial.rows(ShipmentRef)}
    assert len(trial.rows(Event, shipment_id=shipments[GOOD])) == 2
    for name, (_, kept) in HOSTILE.items():
        first, _ = trial.rows(Event, shipment_id=shipments[NUMBERS[name]])
        assert {key: first[key] for key in kept} == kept, name
        assert trial.one(ShipmentPoll, shipment_id=shipments[NUMBERS[name]])["outcome"] == "found", name
        flecha.shown[NUMBERS[name]]["eventos"].append(event(3))
    # The same again is nothing new, and more is only more.
    trial.pass_at(at(day(3), 12))
    for name, number in NUMBERS.items():
        assert len(trial.rows(Event, shipment_id=shipments[number])) == 3, name
        shown = hand(trial, "show", number, "--all")
        assert "\x1b" not in shown and "\x00" not in shown and max(map(len, shown.splitlines())) <= 100, name

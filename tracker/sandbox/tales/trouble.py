"""Parcels that are lost, stolen, damaged, held or taken away, for good or for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from tracker.sandbox.people import ORIGIN
from tracker.sandbox.plan import Fate, Forecast
from tracker.sandbox.script import CONTACT, TREATMENT, Script, unit
from tracker.sandbox.workdays import add_business_days


def _lost_coded(script: Script, variant: int) -> None:
    script.lost(script.at(script.day(script.term + 1 + variant % 2), 17))


def _lost_silent(script: Script, variant: int) -> None:
    """One more scan and nothing ever after; even the due date disappears."""
    script.move(script.at(script.day(1), 20), ORIGIN, script.place)
    script.forecasts.append(Forecast(script.at(script.day(script.term + 2 + variant % 2), 3), None))


def _silent_found(script: Script, variant: int) -> None:
    """So long without a word that it must be taken for lost, then it turns up and arrives."""
    script.move(script.at(script.day(1), 20), ORIGIN, script.place)
    found = script.term + 14 + variant % 3
    script.move(script.at(script.day(found), 20), ORIGIN, script.place)
    script.deliver(script.day(found + 2))


def _stolen(script: Script, variant: int) -> None:
    _steal(script, script.day(max(1, script.term - variant % 2)))


def _steal(script: Script, day: date) -> None:
    script.arrive(day)
    script.out(day)
    script.local_event("50", day, 16, "Objeto roubado", CONTACT)


def _stolen_recovered(script: Script, variant: int) -> None:
    """Stolen on the street, recovered some working days later, then delivered."""
    stolen = max(1, script.term - 1)
    _steal(script, script.day(stolen))
    script.move(script.at(script.day(stolen + 4 + variant % 3), 20), script.place, script.place)
    script.deliver(script.day(stolen + 6 + variant % 3))


def _lost_found(script: Script, variant: int) -> None:
    """Declared lost before (even) or after (odd) its due date, then found and delivered."""
    lost = script.term + (2 if variant % 2 else -1)
    script.lost(script.at(script.day(max(1, lost)), 17))
    script.move(script.at(script.day(max(1, lost) + 4), 20), ORIGIN, script.place)
    script.deliver(script.day(max(1, lost) + 6))


def _damaged(script: Script, variant: int) -> None:
    script.damaged(script.at(script.day(max(1, script.term - 1)), 10))


def _damaged_delivered(script: Script, variant: int) -> None:
    script.damaged(script.at(script.day(max(1, script.term - 1)), 3))
    script.deliver(script.day(script.term + (2 if variant % 2 else 0)))


def _reversed_lost(script: Script, variant: int) -> None:
    """Said to be delivered, taken back, and some days later declared lost."""
    script.deliver(script.due_on)
    script.reverse(script.at(script.day(script.term + 1), 7))
    script.lost(script.at(script.day(script.term + 4 + variant % 2), 17))


def _held(script: Script) -> date:
    """Sent to inspection on the day after posting; return that day."""
    day = script.day(1)
    where = unit(TREATMENT, script.place)
    text = "Objeto encaminhado para fiscalização - VIGIAGRO"
    script.add("FC", "34", script.at(day, 11), text, where, "Em tratamento, aguarde")
    return day


def _customs_hold(script: Script, variant: int) -> None:
    """Held for inspection, asked about again, released after six to eight working days, delivered."""
    _held(script)
    where = unit(TREATMENT, script.place)
    script.add("FC", "32", script.at(script.day(4), 11), "Objeto em fiscalização", where, "Em tratamento, aguarde")
    script.add("PAR", "42", script.at(script.day(6 + variant % 3), 15), "Objeto liberado", where)
    script.deliver(script.day(max(script.term, 8 + variant % 3)))


def _seized(script: Script, variant: int) -> None:
    held = _held(script)
    where = unit(TREATMENT, script.place)
    text = "Objeto apreendido por: POLICIA FEDERAL"
    at = script.at(add_business_days(held, 1 + variant % 3, script.closed_in), 16)
    script.add("BDE", "75", at, text, where, "O objeto está em poder da autoridade competente")


TELLERS: Mapping[Fate, Callable[[Script, int], None]] = {
    Fate.LOST_CODED: _lost_coded,
    Fate.LOST_SILENT: _lost_silent,
    Fate.SILENT_FOUND: _silent_found,
    Fate.STOLEN: _stolen,
    Fate.STOLEN_RECOVERED: _stolen_recovered,
    Fate.LOST_FOUND: _lost_found,
    Fate.DAMAGED: _damaged,
    Fate.DAMAGED_DELIVERED: _damaged_delivered,
    Fate.REVERSED_LOST: _reversed_lost,
    Fate.CUSTOMS_HOLD: _customs_hold,
    Fate.SEIZED: _seized,
}

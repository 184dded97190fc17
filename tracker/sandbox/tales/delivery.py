"""Parcels that arrive: in time, late, at the second try, at the counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from tracker.sandbox.people import ORIGIN
from tracker.sandbox.plan import Fate, Forecast
from tracker.sandbox.script import DISTRIBUTION, TREATMENT, Script, unit
from tracker.sandbox.workdays import is_business_day

WRONG_ADDRESS = "Objeto não entregue - endereço incorreto"
_TO_COUNTER = "Aguarde: objeto estará disponível para retirada na unidade a ser informada"
_NOT_THERE_YET = "Objeto ainda não chegou à unidade"


def on_time(script: Script, variant: int) -> None:
    """Delivered by the due date; every eighth only at the second try, the first being in time."""
    if variant % 8 == 7 and script.term > 1:
        first = script.day(script.term - 1)
        script.arrive(first)
        script.absent(first, 15)
        script.out(script.due_on)
        script.delivered(script.due_on)
    else:
        script.deliver(script.day(max(1, script.term - variant % 2)))


def late_delivered(script: Script, variant: int) -> None:
    script.deliver(script.day(script.term + 2 + variant % 2))


def late_open(script: Script, variant: int) -> None:
    """Goes astray after the due date, then turns up many days later; the forecast vanishes meanwhile."""
    wrong_turn = script.at(script.day(script.term + 1), 4)
    script.wrong_turn(wrong_turn)
    script.forecasts.append(Forecast(wrong_turn, None))
    script.move(script.at(script.day(script.term + 4), 20), ORIGIN, script.place)
    script.deliver(script.day(script.term + 7 + variant % 2))


def _stalled(script: Script, variant: int) -> None:
    """Six to eight working days without a scan, then it moves again and arrives, late or just in time."""
    script.arrive(script.day(1))
    moves_on = script.day(7 + variant % 3)
    script.move(script.at(moves_on, 20), ORIGIN, script.place)
    script.deliver(script.day(max(script.term, 8 + variant % 3)))


def _hub_delay(script: Script, variant: int) -> None:
    """The unit says on two days that it is not there yet; that is a sign, no problem before the due date."""
    where = unit(DISTRIBUTION, script.place)
    for offset, kind in ((max(1, script.term - 1), "09"), (script.term, "69")):
        script.add("BDE", kind, script.at(script.day(offset), 15), _NOT_THERE_YET, where, "Por favor, aguarde")
    script.deliver(script.day(script.term + (1 if variant % 3 == 2 else 2)))


def _absent_once(script: Script, variant: int) -> None:
    """Nobody at home on the due date (even) or two days late (odd); delivered on the next working day."""
    first = script.term + (2 if variant % 2 else 0)
    script.arrive(script.day(first))
    script.absent(script.day(first), 15)
    script.out(script.day(first + 1))
    script.delivered(script.day(first + 1))


def _address_corrected(script: Script, variant: int) -> None:
    script.arrive(script.due_on)
    script.out(script.due_on)
    script.local_event("19", script.due_on, 16, WRONG_ADDRESS, "Objeto sujeito a atraso na entrega ou a devolução")
    again = script.day(script.term + 2 + variant % 2)
    script.out(again)
    script.delivered(again)


def absent_then_counter(script: Script) -> date:
    """Nobody at home on the due date, at the counter the day after; return the last day there."""
    script.arrive(script.due_on)
    script.absent(script.due_on, 14, "02", _TO_COUNTER)
    return script.at_counter(script.day(script.term + 1))


def _last_open_day(script: Script, last: date) -> date:
    while not is_business_day(last, script.closed_in):
        last -= timedelta(days=1)
    return last


def pickup(script: Script, variant: int) -> None:
    """Even: sent to the counter without a try at home, fetched soon. Odd: nobody at home, fetched on the last day."""
    if variant % 2:
        fetched = _last_open_day(script, absent_then_counter(script))
    else:
        script.arrive(script.due_on)
        script.at_counter(script.due_on)
        fetched = script.day(script.term + 2)
    script.delivered(fetched, 16, counter=True)


def _pickup_last_day(script: Script, variant: int) -> None:
    """At the counter without a try at home, in time (even) or two days late (odd), and fetched on the last day."""
    day = script.day(script.term + (2 if variant % 2 else 0))
    script.arrive(day)
    last = script.at_counter(day)
    script.delivered(_last_open_day(script, last), 16, counter=True)


def reversal(script: Script, variant: int) -> None:
    """Said to be delivered, taken back the next working morning, then really delivered."""
    said, really = script.day(max(1, script.term - 1)), script.day(max(2, script.term))
    script.deliver(said)
    script.reverse(script.at(really, 7))
    script.out(really)
    script.delivered(really)


def _reversed_late(script: Script, variant: int) -> None:
    """Said to be delivered on the due date, taken back a day later, really delivered days after it."""
    script.deliver(script.due_on)
    script.reverse(script.at(script.day(script.term + 1), 7))
    script.deliver(script.day(script.term + 5 + variant % 2))


def unknown_code(script: Script, variant: int) -> None:
    """An event pair that no published list explains (OFF 01), then a normal delivery."""
    text = "Sua entrega ou retirada nos Correios pode levar mais tempo do que o previsto"
    at = script.at(script.day(0 if script.term < 2 else 1), 21)
    script.add("OFF", "01", at, text, unit(TREATMENT, script.place))
    script.deliver(script.due_on)


def _posted_late(script: Script, variant: int) -> None:
    """The shop said it had shipped days before; from the posting on all goes well, or a little late."""
    script.deliver(script.day(script.term + (2 if variant % 4 == 3 else 0)))


TELLERS: Mapping[Fate, Callable[[Script, int], None]] = {
    Fate.ON_TIME: on_time,
    Fate.LATE_DELIVERED: late_delivered,
    Fate.LATE_OPEN: late_open,
    Fate.STALLED: _stalled,
    Fate.HUB_DELAY: _hub_delay,
    Fate.ABSENT_ONCE: _absent_once,
    Fate.ADDRESS_CORRECTED: _address_corrected,
    Fate.PICKUP: pickup,
    Fate.PICKUP_LAST_DAY: _pickup_last_day,
    Fate.REVERSAL: reversal,
    Fate.REVERSED_LATE: _reversed_late,
    Fate.UNKNOWN_CODE: unknown_code,
    Fate.POSTED_LATE: _posted_late,
    Fate.BUYER_CLAIMED: late_open,
    Fate.SECOND_CONTRACT: late_delivered,
    Fate.SECOND_CARD: late_open,
}

"""Parcels that turn back to the shop, each for its reason, or for none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tracker.sandbox.plan import Fate
from tracker.sandbox.script import ABSENT, BRANCH, RETURNING, TREATMENT, Script, unit
from tracker.sandbox.tales.delivery import WRONG_ADDRESS, absent_then_counter
from tracker.sandbox.workdays import add_business_days


def _refused(script: Script, variant: int) -> None:
    script.arrive(script.due_on)
    script.out(script.due_on)
    text = "Objeto não entregue - cliente recusou-se a receber o objeto"
    script.local_event("04", script.due_on, 13, text, RETURNING)
    script.send_back(script.day(script.term + 2), 4)


def _absent(script: Script, variant: int) -> None:
    script.arrive(script.due_on)
    script.absent(script.due_on, 15)
    last_try = script.day(script.term + 1)
    script.out(last_try)
    script.local_event("21", last_try, 11, ABSENT, RETURNING)
    script.send_back(script.day(script.term + 3), 4)


def _absent_thrice(script: Script, variant: int) -> None:
    script.arrive(script.due_on)
    script.absent(script.due_on, 15)
    script.absent(script.day(script.term + 1), 14)
    last_try = script.day(script.term + 2)
    script.out(last_try)
    script.local_event("21", last_try, 11, ABSENT, RETURNING)
    script.send_back(script.day(script.term + 4), 4)


def _unclaimed(script: Script, variant: int) -> None:
    last = absent_then_counter(script)
    given_up = add_business_days(last, 1, script.closed_in)
    text = "Objeto não entregue - prazo de retirada encerrado"
    script.add("BDI", "26", script.at(given_up, 9), text, unit(BRANCH, script.place), RETURNING)
    script.send_back(add_business_days(given_up, 1), 3)


def _wrong_address(script: Script, variant: int) -> None:
    script.arrive(script.due_on)
    script.out(script.due_on)
    detail = "Objeto sujeito a atraso na entrega ou a devolução ao remetente"
    script.local_event("19", script.due_on, 16, WRONG_ADDRESS, detail)
    script.local_event("08", script.day(script.term + 2), 10, WRONG_ADDRESS, RETURNING)
    script.send_back(script.day(script.term + 3), 4)


def _unduly(script: Script, variant: int) -> None:
    """Turns back before its due date for no reason of the buyer's (BDE 05 or 36), and reaches the shop."""
    kind = "36" if variant % 2 else "05"
    day = script.day(max(1, script.term - 1))
    script.arrive(day)
    script.local_event(kind, day, 10, "A entrega não pode ser efetuada", RETURNING)
    script.send_back(script.day(max(1, script.term - 1) + 1), 4)


def _damaged_returned(script: Script, variant: int) -> None:
    day = script.day(max(1, script.term - 1))
    script.damaged(script.at(day, 10))
    text = "Objeto será devolvido ao remetente - em tratamento, aguarde"
    script.add("FC", "01", script.at(script.day(script.term), 9), text, unit(TREATMENT, script.place))
    script.send_back(script.day(script.term + 1), 3)


TELLERS: Mapping[Fate, Callable[[Script, int], None]] = {
    Fate.RETURNED_REFUSED: _refused,
    Fate.RETURNED_ABSENT: _absent,
    Fate.ABSENT_THRICE: _absent_thrice,
    Fate.RETURNED_UNCLAIMED: _unclaimed,
    Fate.WRONG_ADDRESS: _wrong_address,
    Fate.RETURNED_UNDULY: _unduly,
    Fate.DAMAGED_RETURNED: _damaged_returned,
}

"""State holidays, on which the simulated carrier's branches of that state are closed.

From the states' own laws as their calendars of 2026 and 2027 name them (law in brackets); holidays that are national too
are left out, and so are those that a state moves to the Sunday after (Santa Catarina).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

_FIXED: Mapping[str, tuple[tuple[int, int], ...]] = {
    "AC": ((1, 23), (3, 8), (6, 15), (9, 5)),  # Leis 1.538/2004, 1.411/2001, 14/1964, 1.526/2004
    "AL": ((6, 24), (6, 29), (9, 16), (11, 30)),  # Leis 5.508/1993, 5.509/1993, 5.724/1995 (30/11)
    "AM": ((9, 5),),  # Lei 25/1977
    "AP": ((3, 19), (7, 25), (9, 13)),  # Leis 667/2002, 1.130/2007; Constituição estadual, art. 355
    "BA": ((7, 2),),  # Constituição estadual, art. 6
    "CE": ((3, 19), (3, 25)),  # Constituição estadual, art. 18; Lei 9.093/1995
    "DF": ((11, 30),),  # Lei 963/1995
    "GO": ((7, 26), (10, 24)),  # Lei 20.756/2020
    "MA": ((7, 28),),  # Lei 2.457/1964
    "MS": ((10, 11),),  # Lei 10/1979
    "PA": ((8, 15),),  # Lei 5.999/1996
    "PB": ((8, 5),),  # Lei 10.601/2015
    "PE": ((3, 6),),  # Lei 16.059/2017
    "PI": ((10, 19),),  # Lei 176/1937
    "RJ": ((4, 23),),  # Lei 5.198/2008
    "RN": ((8, 7), (10, 3)),  # Leis 7.831/2000 and 8.913/2006
    "RO": ((1, 4), (6, 18)),  # Leis 2.291/2010 and 1.026/2001
    "RR": ((10, 5),),  # Constituição estadual, art. 9
    "RS": ((9, 20),),  # Constituição estadual, art. 6
    "SE": ((7, 8),),  # Constituição estadual, art. 269
    "SP": ((7, 9),),  # Lei 9.497/1997
    "TO": ((3, 18), (9, 8), (10, 5)),  # Leis 960/1998, 627/1993; Constituição estadual
}
_PENHA = timedelta(days=8)
"""Espírito Santo keeps Nossa Senhora da Penha on the Monday eight days after Easter (Lei 11.010/2019)."""


def state_holidays(state: str, year: int, easter: date) -> frozenset[date]:
    """The days of *year* on which this state alone is closed; none for an unknown state."""
    days = {date(year, month, day) for month, day in _FIXED.get(state, ())}
    if state == "ES":
        days.add(easter + _PENHA)
    if state == "AC":
        days.add(_acre_moves(date(year, 11, 17)))
    return frozenset(days)


def _acre_moves(day: date) -> date:
    """Acre keeps the Treaty of Petrópolis (Lei 57/1965) on the Friday after, where it falls from Tuesday to Thursday."""
    return day + timedelta(days=4 - day.weekday()) if day.weekday() in (1, 2, 3) else day

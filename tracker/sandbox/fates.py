"""Plans: sixty parcels for a demonstration, or any number at random; the same seed gives the same world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tracker.sandbox.people import PLACES, Place, make_customer, make_items
from tracker.sandbox.plan import Account, Fate, Order, Plan, Service, Shipment, Sight, Verdict
from tracker.sandbox.script import Script
from tracker.sandbox.tales import write
from tracker.sandbox.terms import NEAR_STATES, term_days
from tracker.sandbox.workdays import add_business_days, local

_FIRST_ORDER_NUMBER = 10001
_LABEL_PREFIX = {Service.SEDEX: "AD", Service.PAC: "QN"}
_SIGHTS = {
    Fate.NEVER_POSTED: Sight.NOT_FOUND,
    Fate.OTHER_CONTRACT: Sight.OTHER_CONTRACT,
    Fate.BAD_CODE: Sight.INVALID,
}
_ACCOUNTS = {Fate.SECOND_CARD: Account.SECOND_CARD, Fate.SECOND_CONTRACT: Account.SECOND_CONTRACT}
_FREIGHT_CENTS = {Service.SEDEX: 3490, Service.PAC: 2190}
_INDEMNIFIED = frozenset({Fate.LOST_CODED, Fate.LOST_SILENT, Fate.STOLEN, Fate.REVERSED_LOST})
"""Tracking tells of an indemnity (IDC) for objects that never turned up; other credits only show on the invoice."""
_WEIGHTS = {
    Fate.ON_TIME: 900,
    Fate.LATE_DELIVERED: 90,
    Fate.LATE_OPEN: 50,
    Fate.LOST_CODED: 25,
    Fate.LOST_SILENT: 25,
    Fate.STOLEN: 15,
    Fate.DAMAGED: 15,
    Fate.RETURNED_REFUSED: 20,
    Fate.RETURNED_ABSENT: 20,
    Fate.RETURNED_UNCLAIMED: 15,
    Fate.WRONG_ADDRESS: 20,
    Fate.PICKUP: 30,
    Fate.REVERSAL: 10,
    Fate.REPLANNED: 15,
    Fate.NEVER_POSTED: 10,
    Fate.OTHER_CONTRACT: 5,
    Fate.BAD_CODE: 5,
    Fate.UNKNOWN_CODE: 10,
    Fate.POSTED_LATE: 15,
    Fate.STALLED: 20,
    Fate.HUB_DELAY: 15,
    Fate.ABSENT_ONCE: 20,
    Fate.ABSENT_THRICE: 10,
    Fate.ADDRESS_CORRECTED: 10,
    Fate.PICKUP_LAST_DAY: 10,
    Fate.CUSTOMS_HOLD: 5,
    Fate.SEIZED: 5,
    Fate.RETURNED_UNDULY: 10,
    Fate.DAMAGED_DELIVERED: 10,
    Fate.DAMAGED_RETURNED: 5,
    Fate.LOST_FOUND: 10,
    Fate.STOLEN_RECOVERED: 5,
    Fate.SILENT_FOUND: 10,
    Fate.REVERSED_LATE: 5,
    Fate.REVERSED_LOST: 5,
    Fate.REPLANNED_EARLIER: 10,
    Fate.REPLANNED_OFTEN: 10,
    Fate.DATE_VANISHED: 10,
    Fate.DATE_NEVER_SHOWN: 10,
    Fate.LATE_NEWS: 20,
    Fate.INSERTED: 10,
    Fate.REPEATED: 10,
    Fate.VANISHED: 10,
    Fate.BUYER_CLAIMED: 5,
    Fate.SECOND_CONTRACT: 5,
    Fate.SECOND_CARD: 5,
}
"""Shares; about what a shop with a bad month sees."""


@dataclass(frozen=True, slots=True)
class _Spec:
    """One parcel before its details: posted on the plan's day `posted` (from one), `variant` picks a form of the fate."""

    fate: Fate
    posted: int
    service: Service
    variant: int = 0
    verdict: Verdict = Verdict.ACCEPTED
    answer_days: int = 3
    after_cutoff: bool = False
    near: bool | None = None
    margin: int | None = None
    second_verdict: Verdict | None = None


_SEDEX, _PAC = Service.SEDEX, Service.PAC
_DEMO_SPECIAL = (
    _Spec(Fate.LATE_DELIVERED, 1, _SEDEX, 0, Verdict.ACCEPTED, 3),
    _Spec(Fate.LATE_DELIVERED, 2, _SEDEX, 1, Verdict.REJECTED, 2),
    _Spec(Fate.LATE_DELIVERED, 1, _PAC, 1, Verdict.ACCEPTED, 3),
    _Spec(Fate.LATE_DELIVERED, 3, _PAC, 0, Verdict.ACCEPTED, 2, near=True),
    _Spec(Fate.LATE_OPEN, 1, _SEDEX, 0, Verdict.ACCEPTED, 3),
    _Spec(Fate.LATE_OPEN, 2, _SEDEX, 1, Verdict.REJECTED, 4),
    _Spec(Fate.LATE_OPEN, 1, _PAC, 0, Verdict.ACCEPTED, 5, near=True),
    _Spec(Fate.LOST_CODED, 1, _SEDEX, 0, Verdict.PAID, 2, near=True),
    _Spec(Fate.LOST_CODED, 2, _SEDEX, 1, Verdict.ACCEPTED, 4),
    _Spec(Fate.LOST_SILENT, 1, _SEDEX, 0, Verdict.ACCEPTED, 5, near=True),
    _Spec(Fate.LOST_SILENT, 2, _SEDEX, 1, Verdict.REJECTED, 3, near=True),
    _Spec(Fate.STOLEN, 2, _SEDEX, 0, Verdict.ACCEPTED, 3),
    _Spec(Fate.DAMAGED, 1, _PAC, 0, Verdict.ACCEPTED, 3),
    _Spec(Fate.RETURNED_REFUSED, 2, _SEDEX),
    _Spec(Fate.RETURNED_ABSENT, 1, _SEDEX),
    _Spec(Fate.RETURNED_UNCLAIMED, 1, _SEDEX, near=True),
    _Spec(Fate.WRONG_ADDRESS, 3, _SEDEX),
    _Spec(Fate.PICKUP, 2, _PAC, 0),
    _Spec(Fate.PICKUP, 3, _SEDEX, 1),
    _Spec(Fate.REVERSAL, 2, _SEDEX),
    _Spec(Fate.REPLANNED, 3, _SEDEX, 0),
    _Spec(Fate.REPLANNED, 4, _PAC, 1),
    _Spec(Fate.NEVER_POSTED, 2, _PAC),
    _Spec(Fate.OTHER_CONTRACT, 3, _SEDEX),
    _Spec(Fate.UNKNOWN_CODE, 3, _PAC),
)
"""Posted early and with short terms, so that late ones become claimable, are answered and once paid in twenty days."""

_FOR_EVERY_FATE = 3
"""From so many parcels a fate on, a random plan holds every fate."""
DEMO_SHIPMENTS = 60
DEMO_DAYS = 20


def demo_plan(monday: date, seed: int = 7) -> Plan:
    """Return sixty parcels posted from *monday* to the Saturday after, most on time, with every fate but `bad_code`.

    All is over or answered within twenty days. Codes that cannot exist are left out: importing refuses them, and the
    demonstration counts sixty. Raises ValueError where *monday* is another weekday.
    """
    if monday.weekday() != 0:
        raise ValueError(f"{monday.isoformat()} is no Monday")
    ordinary = (
        _Spec(Fate.ON_TIME, 1 + index % 6, _PAC if index % 2 else _SEDEX, index, after_cutoff=index % 10 == 9)
        for index in range(DEMO_SHIPMENTS - len(_DEMO_SPECIAL))
    )
    return _build(seed, monday, [*_DEMO_SPECIAL, *ordinary])


def random_plan(shipments: int, days: int, seed: int, *, first_day: date, realistic: bool = False) -> Plan:
    """Return *shipments* parcels posted on the working days and Saturdays of *days* days from *first_day* on.

    Fates come in the proportions of a bad month, each at least once where there are parcels enough. *realistic*: long
    terms and state holidays, see `Plan`. Raises ValueError where there is nothing to plan.
    """
    if shipments < 1 or days < 1:
        raise ValueError("a plan needs at least one shipment and one day")
    rng = Random(seed)
    open_days = [n for n in range(1, days + 1) if (first_day + timedelta(days=n - 1)).weekday() != 6] or [1]
    fates = list(_WEIGHTS) if shipments >= _FOR_EVERY_FATE * len(_WEIGHTS) else []
    fates += rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=shipments - len(fates))
    return _build(seed, first_day, [_random_spec(rng, fate, open_days) for fate in fates], realistic=realistic)


def _random_spec(rng: Random, fate: Fate, open_days: list[int]) -> _Spec:
    kinds = (Verdict.PAID_AS_REFUND if fate in _INDEMNIFIED else Verdict.ACCEPTED, Verdict.REJECTED)
    return _Spec(
        fate=fate,
        posted=rng.choice(open_days),
        service=rng.choice((_SEDEX, _PAC)),
        variant=rng.randrange(16),
        verdict=rng.choices(kinds, (65, 35))[0],
        answer_days=rng.randrange(2, 6),
        after_cutoff=rng.random() < 0.08,
        margin=rng.choices((-1, 0, 1, 2, 4), (10, 35, 30, 20, 5))[0],
        second_verdict=rng.choices(kinds, (65, 35))[0],
    )


def _build(seed: int, first_day: date, specs: Iterable[_Spec], *, realistic: bool = False) -> Plan:
    """Number the parcels in posting order, so that order numbers grow with the days as in a real shop."""
    ordered = sorted(specs, key=lambda spec: spec.posted)
    codes = _codes(seed)
    shipments = (
        _shipment(seed, first_day, serial, spec, next(codes), realistic) for serial, spec in enumerate(ordered)
    )
    return Plan(seed, first_day, tuple(shipments), realistic)


def _shipment(seed: int, first_day: date, serial: int, spec: _Spec, digits: int, realistic: bool) -> Shipment:
    rng = Random(f"{seed}/{serial}")
    place = _place(rng, serial, spec.near)
    order = _order(rng, serial, first_day + timedelta(days=spec.posted - 1), place, spec.service)
    script = _script(rng, order, spec, place, realistic)
    write(spec.fate, script, spec.variant)
    # The shop promises the carrier's term, sometimes with a day or two on top.
    usual = spec.variant % 3 if spec.fate is Fate.ON_TIME else serial % 2
    margin = usual if spec.margin is None else spec.margin
    return Shipment(
        fate=spec.fate,
        order=order,
        service=spec.service,
        code=s10_code(_LABEL_PREFIX[spec.service], digits, wrong=spec.fate is Fate.BAD_CODE),
        promised_on=add_business_days(script.due_on, margin),
        due_on=script.due_on,
        by_latest_date=spec.variant % 2 == 1,
        events=tuple(sorted(script.events, key=lambda event: event.at)),
        forecasts=tuple(script.forecasts),
        sight=_SIGHTS.get(spec.fate, Sight.SHOWN),
        verdict=spec.verdict,
        second_verdict=spec.second_verdict or spec.verdict,
        answer_days=spec.answer_days,
        account=_ACCOUNTS.get(spec.fate, Account.MAIN),
        # On the site a buyer may complain on the evening of the due date already.
        buyer_claims_at=local(script.due_on, 21) if spec.fate is Fate.BUYER_CLAIMED else None,
    )


def _script(rng: Random, order: Order, spec: _Spec, place: Place, realistic: bool) -> Script:
    hour = 17 if spec.after_cutoff else rng.randrange(10, 16)
    labelled_at, posted_on = None, order.shipped_on
    if spec.fate is Fate.POSTED_LATE:
        labelled_at, posted_on = local(order.shipped_on, 9), add_business_days(order.shipped_on, 4 + spec.variant % 3)
    return Script(
        rng=rng,
        place=place,
        posted_at=local(posted_on, hour, rng.randrange(60)),
        term=term_days(spec.service, place.state, realistic=realistic),
        receiver=order.customer.name,
        after_cutoff=spec.after_cutoff,
        closed_in=place.state if realistic else "",
        labelled_at=labelled_at,
    )


def _order(rng: Random, serial: int, shipped_on: date, place: Place, service: Service) -> Order:
    items = make_items(rng)
    goods_cents = sum(item.quantity * item.unit_cents for item in items)
    return Order(
        number=str(_FIRST_ORDER_NUMBER + serial),
        ordered_on=shipped_on - timedelta(days=rng.randrange(3)),
        shipped_on=shipped_on,
        customer=make_customer(rng, serial, place),
        items=items,
        total_cents=goods_cents + _FREIGHT_CENTS[service],
    )


def _place(rng: Random, serial: int, near: bool | None) -> Place:
    """Walk through all cities, or draw one near or far where the fate needs a term of known length."""
    if near is None:
        return PLACES[serial * 7 % len(PLACES)]
    return rng.choice([place for place in PLACES if (place.state in NEAR_STATES) == near])


def s10_code(prefix: str, digits: int, *, wrong: bool = False) -> str:
    """Return a national object code with its UPU S10 check digit, or a *wrong* one."""
    body = f"{digits:08d}"
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(body, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    check = {10: 0, 11: 5}.get(rest, rest)
    return f"{prefix}{body}{(check + wrong) % 10}BR"


def _codes(seed: int) -> Iterator[int]:
    start = Random(f"codes {seed}").randrange(10_000_000, 80_000_000)
    return iter(range(start, start + 10_000_000))

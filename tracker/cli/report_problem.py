"""`tracker report-problem`: what only a person can know of a parcel, as a fact that detection opens a problem on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.common import ConfigOption, at_keyboard
from tracker.cli.handwork import (
    ByOption,
    Hand,
    ReasonOption,
    YesOption,
    day_of,
    decide,
    leave,
    shipment_named,
    sure,
    tell,
    zone_of,
)
from tracker.cli.opened import Opened, opened, refuse
from tracker.cli.settled import Said

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from carriers.base import ClaimTerms
    from tracker.domain.hand import Reported


class Kind(StrEnum):
    """What a customer reports."""

    MISDELIVERY = "misdelivery"
    NOT_RECEIVED = "not_received"
    VIOLATION = "violation"
    DAMAGE = "damage"


CodesArgument = Annotated[
    list[str],
    typer.Argument(metavar="CODE...", help="A tracking code or shipment (S5), or an order that has one parcel."),
]
KindOption = Annotated[
    Kind,
    typer.Option(
        "--kind",
        help="misdelivery: somebody else has it; not_received: it is said to be delivered and the customer has not got it; "
        "violation: opened, or content is missing; damage: it came broken.",
    ),
]
OnOption = Annotated[
    str | None,
    typer.Option("--on", metavar="DATE", help="The day it happened. Default: the delivery.", show_default=False),
]


def report_problem(
    codes: CodesArgument,
    kind: KindOption,
    config: ConfigOption = None,
    on: OnOption = None,
    reason: ReasonOption = None,
    who: ByOption = None,
    yes: YesOption = False,
) -> None:
    """Report what no tracking code tells: delivered to somebody else, not received, opened, or broken."""
    from tracker.cli.show import accounts_of
    from tracker.domain.hand import Reported

    who, what = who or at_keyboard(), Reported(kind.value)
    with opened(config) as program:
        happened_at = _happened_at(on, program) if on is not None else None
        terms = {name: entry.claim_terms for name, entry in accounts_of(program).items()}
        hand = Hand(who, reason, program.now)
        found: dict[int, None] = {}
        said = []
        for text in codes:
            one = shipment_named(program, text)
            if isinstance(one, Said):
                said.append(one)
                tell(one)
            else:
                found[one] = None
        sure(len(found), "parcels", yes)
        for shipment_id in found:
            with program.database.begin_write() as connection:
                done = _report(connection, shipment_id, what, happened_at, hand, terms, program)
            said.append(done)
            tell(done)
    leave(max(one.exit_code for one in said))


def _happened_at(text: str, program: Opened) -> datetime:
    days = program.promises().days("", None)
    day = day_of("--on", text, program)
    if day > days.local_date(program.now):
        refuse(f"--on {text}: that day is still to come")
    return days.start_of(day)


def _report(
    connection: Connection,
    shipment_id: int,
    what: Reported,
    happened_at: datetime | None,
    hand: Hand,
    terms: dict[str, ClaimTerms | None],
    program: Opened,
) -> Said:
    from tracker.domain.hand import REPORTED_AS, ActKind, reports_of
    from tracker.store.acts import acts_about
    from tracker.store.contexts import contexts_of
    from tracker.store.problems import lock_check, problems_of
    from tracker.store.wake import wake

    context = contexts_of(connection, [shipment_id])[shipment_id]
    name, kind = context.tracking_code or f"S{shipment_id}", REPORTED_AS[what]
    lock_check(connection, shipment_id)
    problems = problems_of(connection, [shipment_id])[shipment_id]
    standing = next((one for one in problems if one.kind is kind and one.resolved_at is None), None)
    if standing is not None:
        return Said(f"{name} has this problem already: P{standing.id} ({kind.value}) stands open")
    cannot = _cannot(connection, shipment_id, what, happened_at, name)
    if cannot is not None:
        return cannot
    acts = acts_about(connection, "shipment", [shipment_id]).get(shipment_id, ())
    ended = max((one.resolved_at for one in problems if one.kind is kind and one.resolved_at), default=None)
    for report in reports_of(acts):
        if REPORTED_AS[report.what] is kind and (ended is None or report.told_at > ended):
            day = report.told_at.astimezone(zone_of(program)).date()
            return Said(f"{name} was reported already, on {day}: the daemon opens the problem at its next look")
    facts = {"kind": what.value, **({"happened_at": happened_at.isoformat()} if happened_at is not None else {})}
    decide(connection, hand, ActKind.REPORT, "shipment", shipment_id, context.order.shop, "reported", facts, facts)
    wake(connection, "detection", [shipment_id], hand.now)
    claimed = _claimed(kind, terms.get(context.carrier))
    problem = "the problem" if kind.value == what.value else f"a problem {kind.value}"
    return Said(f"{name}: {what.value} is reported, the daemon opens {problem} at its next look; {claimed}")


def _cannot(
    connection: Connection, shipment_id: int, what: Reported, happened_at: datetime | None, name: str
) -> Said | None:
    """Why this cannot be so by what the carrier shows; None where it can."""
    from tracker.domain.detection.by_hand import NOT_WITHOUT_DELIVERY
    from tracker.store.histories import histories_of

    row = histories_of(connection, [shipment_id]).get(shipment_id)
    history = row.history if row is not None else None
    if history is None or history.posted_at is None:
        return Said(f"{name} was never seen at the carrier: nothing can have happened to it there", 1)
    if what in NOT_WITHOUT_DELIVERY and history.delivered_at is None:
        return Said(
            f"{name} is not delivered by what the carrier says: while it has not come, delay and loss are seen by themselves",
            1,
        )
    if happened_at is not None and happened_at < history.posted_at.replace(hour=0, minute=0, second=0, microsecond=0):
        return Said(f"{name} was not posted yet on that day", 1)
    if history.first_attempt_at is None and history.delivered_at is None and history.returned_at is None:
        return Said(
            f"{name} is on its way by what the carrier says: nobody can have seen {what.value} before it is handed over, "
            "and what the carrier itself tells of is seen by itself",
            1,
        )
    return None


def _claimed(kind: object, terms: ClaimTerms | None) -> str:
    """What the carrier takes for such a problem."""
    offer = next((one for one in terms.offers if one.problem is kind), None) if terms is not None else None
    if offer is None:
        return "the carrier takes no claim for it here"
    return f"its claim follows by the carrier's terms (motive {offer.motive}, {offer.kind.value.replace('_', ' ')})"

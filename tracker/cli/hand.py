"""`tracker approve`, `reject`, `release`: a person's word on what waits for one. Each is a short transaction beside the
daemon, kept as an act with its decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tracker.cli.claim_answer import takes_letters
from tracker.cli.common import ConfigOption, at_keyboard
from tracker.cli.handwork import ByOption, Hand, ReasonOption, by, decide, each, keep, leave, named, why, zone_of
from tracker.cli.opened import Opened, opened, refuse
from tracker.cli.settled import (
    PAST,
    Said,
    claim_not_to_approve,
    claim_not_to_stop,
    message_not_to_approve,
    message_not_to_release,
    message_not_to_stop,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tracker.reports.identity import PublicId
    from tracker.store.claims import ClaimRow
    from tracker.store.hand import Released

IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="Claims (C7) and messages (M3).")]
ReleaseArgument = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="A problem (P12), claim (C7) or message (M3).", show_default=False)
]
AllOption = Annotated[bool, typer.Option("--all", help="Everything from before the shops went live, or a restore.")]
BATCH: Final = 200
"""Problems or messages a transaction, so that the daemon never waits long for the write lock."""


def approve(ids: IdsArgument, config: ConfigOption = None, who: ByOption = None) -> None:
    """Let a waiting claim or message go."""
    each(ids, config, None, {"claim": _approve_claim, "message": _approve_message}, who)


def reject(ids: IdsArgument, config: ConfigOption = None, reason: ReasonOption = None, who: ByOption = None) -> None:
    """Stop a claim or message that has not left, for good."""
    each(ids, config, reason, {kind: partial(stop, kind=kind, act="reject") for kind in ("claim", "message")}, who)


def release(
    row_id: ReleaseArgument = None, config: ConfigOption = None, everything: AllOption = False, who: ByOption = None
) -> None:
    """Let go what was held because it began before the shop went live, or before the database was put back."""
    if (row_id is None) == (not everything):
        refuse("name one problem (P12), claim (C7) or message (M3), or --all")
    who = who or at_keyboard()
    with opened(config) as program:
        hand = Hand(who, None, program.now)
        said = _release_all(program, hand) if row_id is None else _release_one(program, hand, row_id)
    typer.echo(said.sentence, err=said.exit_code != 0)
    leave(said.exit_code)


def _live_at(program: Opened, shop: str) -> datetime | None:
    """Local midnight of the shop's first live day; None where it only observes or is not configured (any more)."""
    entry = next((one for one in program.settings.shops if one.id == shop), None)
    if entry is None or entry.live_from is None:
        return None
    return datetime.combine(entry.live_from, time.min, tzinfo=program.settings.timezone)


def _not_live(program: Opened, shop: str) -> str | None:
    """Why nothing of this shop may leave, or None where it may."""
    live_at = _live_at(program, shop)
    if live_at is None:
        return f"shop {shop} only observes (it has no live_from): nothing of it leaves"
    if program.now < live_at:
        return f"shop {shop} goes live on {live_at:%Y-%m-%d}: nothing of it leaves before"
    return None


# --- claims -----------------------------------------------------------------------------------------


def _approve_claim(connection: Connection, claim_id: int, hand: Hand, program: Opened) -> Said:
    from tracker.domain.words import ClaimState, Hold
    from tracker.store.claims import approve as approve_claim
    from tracker.store.claims import claims_by_id
    from tracker.store.contexts import contexts_of
    from tracker.store.hand import NOT_LIVE, claim_falls_with, claims_released, rejection_of

    claim = claims_by_id(connection, [claim_id])[claim_id]
    name = f"C{claim_id}"
    rejection, falls = rejection_of(connection, "claim", claim_id), claim_falls_with(connection, claim)
    settled = claim_not_to_approve(claim, rejection, falls, zone_of(program))
    if settled is not None:
        return settled
    not_live = _not_live(program, claim.shop)
    if not_live is not None:
        return Said(f"{name} is not approved: {not_live}", 1)
    released = claim.hold_reason in NOT_LIVE and bool(claims_released(connection, [claim_id]))
    if claim.hold_reason in NOT_LIVE and not released:
        return Said(f"{name} rests on a problem from before the shop went live: tracker release {name} lets it go", 1)
    if released and takes_letters(program, claim.carrier):
        # Whether a person or the daemon sends its letter is not judged yet, and an approval says a different thing of each.
        return Said(f"{name} is released and not judged anew yet: approve it again after the next pass", 1)
    order = contexts_of(connection, [claim.shipment_id])[claim.shipment_id].order
    named = order.recipient_name or order.customer_name or claim.hold_reason in {Hold.BY_LETTER, Hold.LETTER}
    if not named and not takes_letters(program, claim.carrier):
        number = order.number
        how = f"tracker edit {number} --name NAME, or import order {number} with it"
        return Said(f"{name} needs the recipient's name, which the carrier asks for: {how}", 1)
    if not approve_claim(connection, claim, hand.now):
        return Said(f"{name} changed at this very moment; look at it and approve it again", 1)
    decide(connection, hand, "approve", "claim", claim_id, claim.shop, "approved")
    if claim.hold_reason == Hold.BY_LETTER.value:
        return Said(f"{name} is approved: it counts as sent by a person")
    if claim.hold_reason == Hold.LETTER.value:
        return Said(f"{name} is approved: the daemon sends its letter again, under the same Message-ID")
    what = "files it" if claim.opened_at is None else "reopens it"
    if claim.opened_at is not None and claim.told_state is ClaimState.OPEN:
        what = "reminds the carrier of its letter"
    return Said(f"{name} is approved: the daemon {what} at its next look")


def stop(connection: Connection, row_id: int, hand: Hand, program: Opened, *, kind: str, act: str) -> Said:
    """Stop a claim or message that has not left; *act* is `reject` or `cancel`, which differ in what they are said to be."""
    stopping = _stop_claim if kind == "claim" else _stop_message
    return stopping(connection, row_id, hand, program, act)


def _stop_claim(connection: Connection, claim_id: int, hand: Hand, program: Opened, act: str) -> Said:
    from tracker.claims.moves import apply_move
    from tracker.domain.claim_moves import Move
    from tracker.domain.words import ClaimState
    from tracker.store.claims import claims_by_id
    from tracker.store.hand import rejection_of

    claim = claims_by_id(connection, [claim_id])[claim_id]
    name = f"C{claim_id}"
    settled = claim_not_to_stop(claim, rejection_of(connection, "claim", claim_id), zone_of(program), act)
    if settled is not None:
        return settled
    if claim.opened_at is not None and claim.told_state is ClaimState.OPEN:
        return _stop_reminder(connection, claim, hand, act)
    # What the carrier has answered stays answered: only its reopening is called off.
    stays = claim.opened_at is not None
    state = ClaimState(claim.outcome) if stays and claim.outcome else ClaimState.CANCELLED
    reason = why(hand, PAST[act])
    move = Move(state, f"hand.{act}", reason, outcome=state.value, closed=True, facts=dict(by(hand)))
    if not apply_move(connection, claim, move, token=None, now=hand.now):
        return Said(f"{name} changed at this very moment; look at it and {act} it again", 1)
    keep(connection, hand, act, "claim", claim_id)
    return Said(
        f"{name} is {state.value}: it will not be reopened" if stays else f"{name} is cancelled: it will not be filed"
    )


def _stop_reminder(connection: Connection, claim: ClaimRow, hand: Hand, act: str) -> Said:
    """The carrier is not reminded of a letter; the claim goes on waiting for its answer."""
    from tracker.claims.moves import apply_move
    from tracker.domain.claim_letter import FOLLOW_UP
    from tracker.domain.claim_moves import Move
    from tracker.domain.words import ClaimState
    from tracker.store.claims import add_step, set_step, steps_of

    name = f"C{claim.id}"
    move = Move(ClaimState.OPEN, f"hand.{act}", why(hand, PAST[act]), hand.now, facts=dict(by(hand)))
    if not apply_move(connection, claim, move, token=None, now=hand.now):
        return Said(f"{name} changed at this very moment; look at it and {act} it again", 1)
    add_step(connection, claim.id, action=FOLLOW_UP, motive=claim.motive, kind=claim.kind, now=hand.now)
    added = steps_of(connection, [claim.id])[claim.id][-1]
    set_step(connection, added.id, {"state": "done", "done_at": hand.now, "outcome": PAST[act]})
    keep(connection, hand, act, "claim", claim.id)
    return Said(f"{name} is open: its carrier will not be reminded of the letter; its answer comes to a person")


# --- messages ---------------------------------------------------------------------------------------


def _approve_message(connection: Connection, delivery_id: int, hand: Hand, program: Opened) -> Said:
    from tracker.domain.words import Hold
    from tracker.store.deliveries import delivery_by_id, let_go
    from tracker.store.hand import rejection_of

    name, message = f"M{delivery_id}", delivery_by_id(connection, delivery_id)
    if message is None:
        return Said(f"there is no message {name}", 1)
    settled = message_not_to_approve(message, rejection_of(connection, "message", delivery_id), zone_of(program))
    if settled is not None:
        return settled
    not_live = _not_live(program, message.shop)
    if not_live is not None:
        return Said(f"{name} is not approved: {not_live}", 1)
    if message.hold_reason == Hold.BEFORE_LIVE.value:
        return Said(f"{name} is held from before the shop went live: tracker release {name} lets it go", 1)
    if message.hold_reason == Hold.MUTED.value:
        return Said(f"{name} is held because its order is muted: tracker mute O{message.order_id} --off lets it go", 1)
    if message.hold_reason == Hold.OBSERVE.value:
        return Said(f"{name} was held while the shop only observed: the daemon judges it anew at its next look", 1)
    if message.expires_at <= hand.now:
        day = message.expires_at.astimezone(zone_of(program)).date()
        return Said(f"{name} expired on {day}, nothing to approve: it will not be sent", 1)
    let_go(connection, [delivery_id], hand.now)
    decide(connection, hand, "approve", "message", delivery_id, message.shop, "approved")
    return Said(f"{name} is approved: it leaves at the daemon's next look, where it is still true")


def _stop_message(connection: Connection, delivery_id: int, hand: Hand, program: Opened, act: str) -> Said:
    from tracker.store.deliveries import delivery_by_id
    from tracker.store.deliveries import reject as stop_delivery
    from tracker.store.hand import rejection_of

    name, message = f"M{delivery_id}", delivery_by_id(connection, delivery_id)
    if message is None:
        return Said(f"there is no message {name}", 1)
    settled = message_not_to_stop(message, rejection_of(connection, "message", delivery_id), zone_of(program), act)
    if settled is not None:
        return settled
    if not stop_delivery(connection, delivery_id, why(hand, PAST[act])):
        return Said(f"{name} changed at this very moment; look at it and {act} it again", 1)
    decide(connection, hand, act, "message", delivery_id, message.shop, "suppressed")
    return Said(f"{name} is stopped: it will not be sent")


# --- what is older than the shop's first live day ---------------------------------------------------


def _release_one(program: Opened, hand: Hand, text: str) -> Said:
    from tracker.store.hand import problems_by_id, released_up_to

    one = named(program, text, ("problem", "claim", "message"))
    if isinstance(one, Said):
        return one
    with program.database.begin_write() as connection:
        shop, problems, messages, claim = _resting(connection, one)
        not_live = _not_live(program, shop)
        if not_live is not None:
            return Said(f"{text} is not released: {not_live}", 1)
        live_at = _live_at(program, shop) or program.now
        cutoff = released_up_to(connection, live_at)
        if not any(problem.since < cutoff for problem in problems_by_id(connection, problems)):
            problems = []
        if claim is not None:
            released = _let_claim_go(connection, hand, claim, live_at)
        else:
            released = _let_go(connection, hand, shop, problems, messages)
        if not released:
            return _nothing_to_release(connection, one, program)
    return Said(_summary(released))


def _let_claim_go(connection: Connection, hand: Hand, claim: ClaimRow, live_at: datetime) -> Released:
    """Release this claim and no more: what its customer is told goes by the problem or the message."""
    from tracker.store.hand import release_claim

    released = release_claim(connection, claim, live_at, hand.now)
    for claim_id in released.claims:
        decide(connection, hand, "release", "claim", claim_id, claim.shop, "released")
    return released


def _nothing_to_release(connection: Connection, one: PublicId, program: Opened) -> Said:
    """Whether it is free already, or can never be."""
    from tracker.reports.identity import public_id
    from tracker.store.claims import claims_by_id
    from tracker.store.deliveries import delivery_by_id
    from tracker.store.hand import claims_released, problems_by_id, rejection_of

    name, kind = public_id(one.kind or "", one.row_id), one.kind or ""
    rejection = rejection_of(connection, kind, one.row_id)
    over = None
    if kind == "message" and (message := delivery_by_id(connection, one.row_id)) is not None:
        over = message_not_to_release(message, rejection, program.now, zone_of(program))
    if kind == "claim" and (claim := claims_by_id(connection, [one.row_id])[one.row_id]).closed_at is not None:
        over = Said(f"{name} is closed, nothing to release: it is {claim.state.value}", 1)
    elif kind == "claim" and claims_released(connection, [one.row_id]):
        over = _released_already(claim)
    if kind == "problem" and any(problem.released_at for problem in problems_by_id(connection, [one.row_id])):
        over = Said(f"{name} was released already: nothing of it is held for a release")
    return over or Said(f"nothing of {name} is held for a release")


def _released_already(claim: ClaimRow) -> Said:
    from tracker.domain.words import ClaimState

    if claim.state in {ClaimState.PLANNED, ClaimState.WAITING_APPROVAL}:
        return Said(f"C{claim.id} is released already: the daemon judges it at its next look")
    return Said(f"C{claim.id} was released already: it is {claim.state.value}")


def _resting(connection: Connection, one: PublicId) -> tuple[str, list[int], list[int], ClaimRow | None]:
    """The shop, and the problems, the messages or the claim that a release of this id is about."""
    from tracker.store.claims import claims_by_id
    from tracker.store.deliveries import delivery_by_id
    from tracker.store.hand import problems_by_id

    if one.kind == "claim":
        claim = claims_by_id(connection, [one.row_id])[one.row_id]
        return claim.shop, [], [], claim
    if one.kind == "message":
        message = delivery_by_id(connection, one.row_id)
        # This one message and no more: releasing its problem would file the claim as well.
        return (message.shop if message else ""), [], [one.row_id], None
    found = problems_by_id(connection, [one.row_id])
    return (found[0].shop if found else ""), [one.row_id], [], None


def _release_all(program: Opened, hand: Hand) -> Said:
    from tracker.store.hand import Released, held_messages, problems_to_release

    live = [shop.id for shop in program.settings.shops if _not_live(program, shop.id) is None]
    if not live:
        return Said("; ".join(_not_live(program, shop.id) or "" for shop in program.settings.shops), 1)
    total = Released()
    for shop in live:
        live_at = _live_at(program, shop) or program.now
        with program.database.begin_read() as connection:
            problems = problems_to_release(connection, shop, live_at)
        for start in range(0, len(problems), BATCH):
            with program.database.begin_write() as connection:
                total = _sum(total, _let_go(connection, hand, shop, problems[start : start + BATCH], []))
        with program.database.begin_read() as connection:
            messages = held_messages(connection, shop)
        for start in range(0, len(messages), BATCH):
            with program.database.begin_write() as connection:
                total = _sum(total, _let_go(connection, hand, shop, [], messages[start : start + BATCH]))
    return Said(_summary(total) if total else "nothing is held for a release")


def _let_go(
    connection: Connection, hand: Hand, shop: str, problems: Sequence[int], messages: Sequence[int]
) -> Released:
    """Release problems with what rests on them, and messages that are held for the same reason without one."""
    from tracker.domain.words import DeliveryState
    from tracker.store.deliveries import delivery_by_id, let_go
    from tracker.store.hand import RELEASABLE, Released, release

    released = release(connection, problems, hand.now) if problems else Released()
    alone = []
    for delivery_id in messages:
        message = delivery_by_id(connection, delivery_id)
        if message is None or message.state is not DeliveryState.AWAITING_PERSON or message.expires_at <= hand.now:
            continue
        if message.hold_reason in RELEASABLE:
            alone.append(delivery_id)
    let_go(connection, alone, hand.now)
    released = _sum(released, Released(messages=tuple(alone)))
    for kind, ids in (("problem", released.problems), ("message", released.messages), ("claim", released.claims)):
        for row_id in ids:
            decide(connection, hand, "release", kind, row_id, shop, "released")
    return released


def _sum(one: Released, other: Released) -> Released:
    from tracker.store.hand import Released

    return Released(one.problems + other.problems, one.messages + other.messages, one.claims + other.claims)


def _summary(released: Released) -> str:
    counts = (("problem", released.problems), ("message", released.messages), ("claim", released.claims))
    said = [f"{len(ids)} {kind}{'' if len(ids) == 1 else 's'}" for kind, ids in counts if ids]
    return f"released: {', '.join(said)}"

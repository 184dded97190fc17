"""`tracker resolve`: a person settles a problem. It stays settled until something new happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tracker.cli.common import ConfigOption, at_keyboard
from tracker.cli.handwork import (
    ByOption,
    Hand,
    ReasonOption,
    YesOption,
    decide,
    leave,
    order_named,
    sure,
    tell,
    zone_of,
)
from tracker.cli.opened import Opened, opened, refuse
from tracker.cli.settled import Said

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tracker.domain.hand import Settled, Wish
    from tracker.store.problems import ProblemRow


class Claims(StrEnum):
    """What becomes of a claim that is not filed yet."""

    KEEP = "keep"
    CANCEL = "cancel"


WORDS: Final = ("found", "satisfied", "refunded", "resent", "mistake")
"""Ways to settle a problem that the program understands; any other text is kept as the reason."""
PORTUGUESE: Final[Mapping[str, str]] = {
    "encontrado": "found",
    "encontrada": "found",
    "achado": "found",
    "achada": "found",
    "satisfeito": "satisfied",
    "satisfeita": "satisfied",
    "reembolsado": "refunded",
    "reembolsada": "refunded",
    "reenviado": "resent",
    "reenviada": "resent",
    "engano": "mistake",
}
"""The same in the merchant's language."""
CLOSE: Final = 0.75
"""So alike (of 1) two words are one with a slip of the hand."""
ProblemsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="P12|ORDER...", help="Problems (P12), or an order or tracking code for all that stand open."
    ),
]
AsOption = Annotated[
    str,
    typer.Option("--as", metavar="HOW", help=f"{', '.join(WORDS)}, or your own words."),
]
ClaimsOption = Annotated[
    Claims | None,
    typer.Option(
        "--claims",
        help="Claims not filed yet: keep or cancel. Default: cancel for found and mistake, else keep.",
        show_default=False,
    ),
]


def resolve(
    problems: ProblemsArgument,
    how: AsOption,
    config: ConfigOption = None,
    claims: ClaimsOption = None,
    reason: ReasonOption = None,
    who: ByOption = None,
    yes: YesOption = False,
) -> None:
    """Settle a problem by hand: it opens again only on something new."""
    from tracker.domain.hand import CLAIM_WISHES, Settled, Wish

    word = _known(how)
    settled = Settled(f"hand_{word}") if word is not None else Settled.OTHER
    wish = Wish(claims.value) if claims is not None else CLAIM_WISHES[settled]
    note = "; ".join(part for part in (how.strip() if settled is Settled.OTHER else "", reason or "") if part)
    who = who or at_keyboard()
    with opened(config) as program:
        hand = Hand(who, note or None, program.now)
        found, said = _meant(program, problems)
        sure(len(found), "problems", yes)
        for problem_id in found:
            with program.database.begin_write() as connection:
                done = _settle(connection, problem_id, settled, wish, hand, program)
            said.append(done)
            tell(done)
    leave(max(one.exit_code for one in said))


def _known(how: str) -> str | None:
    """The word that is meant; None for the person's own words. Ends the command on nothing, or on a known word misspelt."""
    word = how.strip().lower()
    if not word:
        refuse(f"--as: needs {', '.join(WORDS)}, or your own words")
    if word in WORDS or word in PORTUGUESE:
        return PORTUGUESE.get(word, word)
    alike = get_close_matches(word, [*WORDS, *PORTUGUESE], n=1, cutoff=CLOSE) if len(word.split()) == 1 else []
    if alike:
        refuse(f"--as {how.strip()}: did you mean {alike[0]}? (your own words: write a sentence, in quotes)")
    return None


def _meant(program: Opened, texts: Sequence[str]) -> tuple[list[int], list[Said]]:
    """The problems, each once: by their ids, or all that stand of an order."""
    found: dict[int, None] = {}
    wrong: list[Said] = []
    for text in texts:
        ids = _ids(program, text)
        if isinstance(ids, Said):
            wrong.append(ids)
            tell(ids)
        else:
            found.update(dict.fromkeys(ids))
    return list(found), wrong


def _ids(program: Opened, text: str) -> list[int] | Said:
    from tracker.reports.identity import parse_id
    from tracker.store.problems import open_problems

    given = parse_id(text)
    if given is not None and given.kind == "problem":
        return [given.row_id]
    if given is not None and given.kind in {"claim", "message"}:
        return Said(f"{text}: only a problem (P12) is settled; tracker cancel {text} stops a claim or message", 2)
    hit = order_named(program, text)
    if isinstance(hit, Said):
        return hit
    with program.database.begin_read() as connection:
        ids = open_problems(connection, hit.id)
    return ids or Said(f"order {hit.number} has no open problem: nothing to settle")


def _settle(connection: Connection, problem_id: int, how: Settled, wish: Wish, hand: Hand, program: Opened) -> Said:
    from tracker.domain.hand import ActKind, settlement_of
    from tracker.store.acts import acts_about
    from tracker.store.problems import problem_by_id
    from tracker.store.wake import wake, wake_orders

    name, problem = f"P{problem_id}", problem_by_id(connection, problem_id)
    if problem is None:
        return Said(f"there is no problem {name}", 1)
    acts = acts_about(connection, "problem", [problem_id]).get(problem_id, [])
    before = settlement_of(acts)
    if before is not None:
        by = next(act.who for act in reversed(acts) if act.act == ActKind.RESOLVE)
        day = before.at.astimezone(zone_of(program)).date()
        return Said(f"{name} was settled already, on {day} by {by}: {_word(before.how)}")
    if problem.resolved_at is not None:
        day = problem.resolved_at.astimezone(zone_of(program)).date()
        return Said(f"{name} is over already, since {day} ({problem.resolution}): nothing to settle")
    facts = {"how": how.value, "claims": wish.value}
    decide(connection, hand, ActKind.RESOLVE, "problem", problem_id, problem.shop, "settled", facts, facts)
    if problem.shipment_id is not None:
        wake(connection, "detection", [problem.shipment_id], hand.now)
    else:
        wake_orders(connection, [problem.order_id], hand.now)
    return Said(f"{name} ({problem.kind.value}) is settled: {_word(how)}; {_about_claims(connection, problem, wish)}")


def _word(how: Settled) -> str:
    from tracker.reports.words_en import WORDS as ENGLISH

    return ENGLISH["settled"][how.value]


def _about_claims(connection: Connection, problem: ProblemRow, wish: Wish) -> str:
    """What becomes of its claim."""
    from tracker.domain.hand import Wish as Wishes
    from tracker.store.claims import attached, claims_by_id

    claim_id = attached(connection, [problem.id]).get(problem.id)
    claim = claims_by_id(connection, [claim_id])[claim_id] if claim_id is not None else None
    if claim is not None and claim.closed_at is not None:
        return f"its claim C{claim.id} is {claim.state.value} and stays so"
    if claim is not None and claim.opened_at is not None:
        return f"its claim C{claim.id} is with the carrier and is followed to its answer"
    if wish is Wishes.KEEP:
        which = f"its claim C{claim.id}" if claim is not None else "what the carrier owes for it"
        return f"{which} is claimed all the same (--claims cancel lets it fall)"
    if claim is not None:
        return f"its claim C{claim.id}, not filed yet, falls away (--claims keep files it all the same)"
    return "no claim is made for it (--claims keep makes one where the carrier owes one)"

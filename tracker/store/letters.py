"""Letters to carriers: what the claims stage wants sent, and how each letter stands. Written by the messages stage."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, select, update

from tracker.domain.words import DeliveryState
from tracker.store.database import insert_new
from tracker.store.leases import claim_due, held, release
from tracker.store.tables import Claim, ClaimStep, Letter, table
from tracker.store.tables.claims import LETTERS_TO_LEAVE

_LETTERS, _STEPS, _CLAIMS = table(Letter), table(ClaimStep), table(Claim)


@dataclass(frozen=True, slots=True)
class WantedLetter:
    """A letter that the claims stage has decided on and nobody has taken up."""

    step_id: int
    claim_id: int
    part: str
    shop: str
    shipment_id: int
    motive: str
    kind: str


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter as it stands."""

    id: int
    claim_id: int
    step_id: int
    part: str
    shop: str
    shipment_id: int
    motive: str
    kind: str
    recipient: str | None
    copies: list[str]
    state: DeliveryState
    reason: str | None
    attempts: int
    message_id: str
    sending_at: datetime | None
    sent_at: datetime | None
    next_step_at: datetime | None
    subject: str | None
    evidence: list[str]
    repeated: bool


_COLUMNS = tuple(_LETTERS.c[name] for name in LetterRow.__dataclass_fields__)


def wanted_letters(connection: Connection, limit: int) -> list[WantedLetter]:
    """Letters to take up, the oldest first."""
    # The condition stands as the index has it, word for word: else it would not be used.
    steps = select(_STEPS).where(LETTERS_TO_LEAVE).subquery()
    taken_up = exists().where(_LETTERS.c.step_id == steps.c.id)
    query = (
        select(
            steps.c.id,
            _CLAIMS.c.id,
            steps.c.action,
            _CLAIMS.c.shop,
            _CLAIMS.c.shipment_id,
            *(steps.c.motive, steps.c.kind),
        )
        .join(_CLAIMS, _CLAIMS.c.id == steps.c.claim_id)
        .where(~taken_up)
        .order_by(steps.c.id)
        .limit(limit)
    )
    return [WantedLetter(*row) for row in connection.execute(query)]


def queue_letter(connection: Connection, wanted: WantedLetter, message_id: str, now: datetime) -> None:
    """Take a letter up. One that stands already (a person has it sent again) keeps its Message-ID."""
    row: dict[str, Any] = {
        **{name: getattr(wanted, name) for name in WantedLetter.__dataclass_fields__},
        "copies": [],
        "evidence": [],
        "state": DeliveryState.QUEUED.value,
        "queued_at": now,
        "next_step_at": now,
        "attempts": 0,
        "message_id": message_id,
        "repeated": False,
    }
    if insert_new(connection, _LETTERS, [row], _LETTERS.c.id):
        return
    same = (_LETTERS.c.claim_id == wanted.claim_id, _LETTERS.c.part == wanted.part)
    again = {
        name: row[name] for name in ("step_id", "motive", "kind", "state", "queued_at", "next_step_at", "attempts")
    }
    connection.execute(update(_LETTERS).where(*same).values(**release({**again, "reason": None})))


def take_due_letters(connection: Connection, *, now: datetime, limit: int, token: str) -> list[LetterRow]:
    """Lease the next due letters."""
    keys = claim_due(connection, _LETTERS, "next_step_at", now=now, limit=limit, token=token)
    found = {row.id: row for row in _rows(connection, _LETTERS.c.id.in_(keys))}
    return [found[key] for key in keys]


def save_letter(
    connection: Connection, letter_id: int, values: Mapping[str, Any], *, token: str, keep_lease: bool = False
) -> bool:
    """Write fields of a letter that is still ours, and put its lease down unless told otherwise."""
    ours = (_LETTERS.c.id == letter_id, held(_LETTERS, token))
    fields = dict(values) if keep_lease else release(dict(values))
    return connection.execute(update(_LETTERS).where(*ours).values(**fields)).rowcount == 1


def is_still_wanted(connection: Connection, step_id: int) -> bool:
    """Whether the claims stage still wants the letter of this step, and its claim is open."""
    query = (
        select(_STEPS.c.id)
        .join(_CLAIMS, _CLAIMS.c.id == _STEPS.c.claim_id)
        .where(_STEPS.c.id == step_id, _STEPS.c.state.in_(["intended", "calling"]), _CLAIMS.c.closed_at.is_(None))
    )
    return connection.execute(query).first() is not None


def left_before(connection: Connection, letter: LetterRow) -> int | None:
    """The claim of another letter about the same parcel and motive, asking for the same, that left or may have."""
    query = select(_LETTERS.c.claim_id).where(
        _LETTERS.c.shipment_id == letter.shipment_id,
        _LETTERS.c.motive == letter.motive,
        _LETTERS.c.kind == letter.kind,
        _LETTERS.c.part == letter.part,
        _LETTERS.c.sending_at.is_not(None),
        _LETTERS.c.id != letter.id,
    )
    return connection.execute(query).scalars().first()


def letters_of_claims(connection: Connection, claim_ids: Iterable[int]) -> dict[int, list[LetterRow]]:
    """Every letter of these claims, the first one first."""
    ids = list(claim_ids)
    found: dict[int, list[LetterRow]] = {claim_id: [] for claim_id in ids}
    for row in _rows(connection, _LETTERS.c.claim_id.in_(ids)):
        found[row.claim_id].append(row)
    return found


def letter_as_it_left(connection: Connection, letter_id: int) -> bytes | None:
    """The letter's bytes, where it left or may have."""
    packed = connection.execute(select(_LETTERS.c.body).where(_LETTERS.c.id == letter_id)).scalar_one_or_none()
    return zlib.decompress(packed) if packed else None


def _rows(connection: Connection, *where: Any) -> list[LetterRow]:
    query = select(*_COLUMNS).where(*where).order_by(_LETTERS.c.id)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [LetterRow(**{**row, "state": DeliveryState(row["state"])}) for row in rows]

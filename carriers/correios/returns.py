"""What each return code of a claim's opening (`cadastra`) means to the program, as data.

Source: Manual de Integração v2.2 (08/09/2023), chapter 16, whose texts begin with "Olá,"; the reaction to each is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from carriers.base import ClaimOutcome

NOT_DELIVERED, DELIVERED_LATE, DAMAGED = "211", "135", "134"
"""Motives (codigoMotivoReclamacao) that this program files."""

REGISTERED, DELIVERED_INSTEAD, ALREADY_OPEN = 0, 546, 900
"""Codes that `claims` looks at by name."""

_HOURS_24 = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Return:
    """One row: the code's sense, what it is to the daemon, and when to ask again."""

    sense: str
    outcome: ClaimOutcome
    waits: tuple[timedelta, ...] = ()
    after_due: bool = False
    after_event: bool = False
    look_first: bool = False


def _configuration(sense: str) -> Return:
    return Return(sense, ClaimOutcome.WRONG_CONFIGURATION)


def _person(sense: str) -> Return:
    return Return(sense, ClaimOutcome.NEEDS_PERSON)


def _refused(sense: str) -> Return:
    return Return(sense, ClaimOutcome.REFUSED)


def _other_motive(sense: str) -> Return:
    return Return(sense, ClaimOutcome.OTHER_MOTIVE)


def _later(sense: str, *waits: timedelta) -> Return:
    return Return(sense, ClaimOutcome.NOT_YET, waits=waits)


def _after_event(sense: str) -> Return:
    return Return(sense, ClaimOutcome.NOT_YET, after_event=True)


_PROCESSING_ERROR_WAITS = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=60),
    *(timedelta(hours=6),) * 12,  # three days
)

RETURNS: dict[int, Return] = {
    0: Return("registered", ClaimOutcome.REGISTERED),
    4: _later("data not found in the carrier's base", _HOURS_24),
    30: _configuration("CPF or CNPJ missing"),
    31: _configuration("CPF or CNPJ invalid"),
    55: _configuration("object is not of this contract or card"),
    # Fields that we always send: should these come, our request is wrong and only a person can tell why.
    60: _person("ticket id missing"),
    121: _configuration("contract number unknown"),
    125: _configuration("contract differs from the posting contract"),
    126: _configuration("card differs from the posting card"),
    240: _configuration("reply e-mail missing"),
    241: _configuration("reply e-mail malformed"),
    250: _refused("object code missing"),
    271: _refused("object code malformed"),
    260: _person("motive missing"),
    261: _person("motive malformed"),
    # 262 and 560 close this motive and kind only: an offer with a fallback is tried once with that.
    262: _other_motive("this motive and kind are not taken through this channel"),
    272: _refused("the channel is for national objects only"),
    280: _person("packaging missing"),
    281: _person("packaging invalid"),
    282: _person("kind of claim invalid"),
    580: _person("kind of claim missing"),
    301: _person("addressee's name missing"),
    510: _refused("the 90 days have passed"),
    # Decreto 12.464/2025, art. 8, gives 90 days where this code counts 30: a person may still write to the carrier.
    564: _person("the 30 days have passed"),
    530: _refused("delivery, first attempt or pickup availability was on time"),
    531: _after_event("tracking does not show a delivery"),
    543: _after_event("tracking does not show a delivery"),
    534: _after_event("object is awaiting pickup"),
    548: _after_event("object is awaiting pickup"),
    # The receipt's term is as long as the delivery's, which is not known here: weekly, for about a month.
    538: _later("the receipt's return is inside its term", *(timedelta(days=7),) * 4),
    539: _later("the digital receipt is inside its term", *(timedelta(days=1),) * 10),
    540: _later("the object's service code was not located", *(_HOURS_24,) * 3),
    563: _later("the object's service code was not located", *(_HOURS_24,) * 3),
    544: Return("object is inside its delivery term", ClaimOutcome.NOT_YET, after_due=True),
    545: _other_motive("the object's situation does not allow this motive"),
    # Late or not is for tracking to say: filed blindly as delivered late, a parcel that came in time would get its 530.
    546: Return("object was delivered", ClaimOutcome.NOT_YET, look_first=True),
    547: _after_event("the motive needs a delivered object"),
    549: _after_event("the motive needs the confirmed return to the sender"),
    550: _other_motive("the motive does not fit the object"),
    560: _other_motive("the motive does not create claims"),
    562: _refused("no evidence that the sender cancelled the posting"),
    634: _refused("the street has no home delivery"),
    638: _refused("object was not sent to a unit for delivery"),
    639: _refused("object was sent to a unit at the customer's request"),
    900: Return("a claim for this object exists already", ClaimOutcome.ALREADY_OPEN),
    999: _later("processing error", *_PROCESSING_ERROR_WAITS),
}

UNLISTED = Return("a code that is not in the manual", ClaimOutcome.UNKNOWN)
"""Kept with its text, not retried, shown to a person."""

"""What each return code of a claim's opening (`cadastra`) and reopening (`reativa`) means to the program, as data.

Source: Manual de Integração v2.2 (08/09/2023), chapter 16, whose texts begin with "Olá,"; the reaction to each is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from carriers.base import ClaimOutcome, ReopenOutcome

NOT_DELIVERED, DELIVERED_LATE, DAMAGED, VIOLATED = "211", "135", "134", "133"
WRONG_PLACE, RETURNED_UNDULY = "132", "136"
"""Motives (codigoMotivoReclamacao) that this program files."""

REGISTERED, DELIVERED_INSTEAD, ALREADY_OPEN = 0, 546, 900
"""Codes that `claims` looks at by name."""
REACTIVATED = 512
"""Success of a reopening in the envelope; the item says 0. Both are taken at both levels."""
PAYMENT_RUNS = 589
"""The text of this code names the last day of the payment's term."""

_HOURS_24 = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Return:
    """One row: the code's sense, what it is to the daemon, and when to ask again.

    `otherwise` is what OTHER_MOTIVE comes to where there is no other motive to try.
    """

    sense: str
    outcome: ClaimOutcome
    waits: tuple[timedelta, ...] = ()
    after_due: bool = False
    after_event: bool = False
    look_first: bool = False
    otherwise: ClaimOutcome = ClaimOutcome.NEEDS_PERSON
    window_passed: bool = False
    carrier_fault: bool = False


def _configuration(sense: str) -> Return:
    return Return(sense, ClaimOutcome.WRONG_CONFIGURATION)


def _person(sense: str) -> Return:
    return Return(sense, ClaimOutcome.NEEDS_PERSON)


def _refused(sense: str) -> Return:
    return Return(sense, ClaimOutcome.REFUSED)


def _other_motive(sense: str, otherwise: ClaimOutcome) -> Return:
    return Return(sense, ClaimOutcome.OTHER_MOTIVE, otherwise=otherwise)


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
    262: _other_motive("this motive and kind are not taken through this channel", ClaimOutcome.NEEDS_PERSON),
    272: _refused("the channel is for national objects only"),
    280: _person("packaging missing"),
    281: _person("packaging invalid"),
    282: _person("kind of claim invalid"),
    580: _person("kind of claim missing"),
    301: _person("addressee's name missing"),
    510: _refused("the 90 days have passed"),
    # Decreto 12.464/2025, art. 8, gives 90 days where this code counts 30: a person may still write to the carrier.
    564: Return("the 30 days have passed", ClaimOutcome.NEEDS_PERSON, window_passed=True),
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
    545: _other_motive("the object's situation does not allow this motive", ClaimOutcome.NOT_YET),
    # Late or not is for tracking to say: filed blindly as delivered late, a parcel that came in time would get its 530.
    546: Return("object was delivered", ClaimOutcome.NOT_YET, look_first=True),
    547: _after_event("the motive needs a delivered object"),
    549: _after_event("the motive needs the confirmed return to the sender"),
    550: _other_motive("the motive does not fit the object", ClaimOutcome.REFUSED),
    560: _other_motive("the motive does not create claims", ClaimOutcome.REFUSED),
    562: _refused("no evidence that the sender cancelled the posting"),
    634: _refused("the street has no home delivery"),
    638: _refused("object was not sent to a unit for delivery"),
    639: _refused("object was sent to a unit at the customer's request"),
    900: Return("a claim for this object exists already", ClaimOutcome.ALREADY_OPEN),
    999: Return("processing error", ClaimOutcome.NOT_YET, waits=_PROCESSING_ERROR_WAITS, carrier_fault=True),
}

UNLISTED = Return("a code that is not in the manual", ClaimOutcome.UNKNOWN)
"""Kept with its text, not retried, shown to a person."""


# --- reopening --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reactivation:
    """One row of the second table, in the same shape."""

    sense: str
    outcome: ReopenOutcome
    waits: tuple[timedelta, ...] = ()
    after_answer: bool = False
    after_event: bool = False
    look_first: bool = False
    payment_term: bool = False
    """The text names the day on which a payment's term ends."""
    otherwise: ReopenOutcome = ReopenOutcome.NEEDS_PERSON
    carrier_fault: bool = False


_AGAIN: dict[ClaimOutcome, ReopenOutcome] = {
    ClaimOutcome.REGISTERED: ReopenOutcome.REOPENED,
    ClaimOutcome.ALREADY_OPEN: ReopenOutcome.ALREADY,
    ClaimOutcome.NOT_YET: ReopenOutcome.NOT_YET,
    ClaimOutcome.REFUSED: ReopenOutcome.REFUSED,
    ClaimOutcome.OTHER_MOTIVE: ReopenOutcome.OTHER_MOTIVE,
    ClaimOutcome.WRONG_CONFIGURATION: ReopenOutcome.WRONG_CONFIGURATION,
    ClaimOutcome.NEEDS_PERSON: ReopenOutcome.NEEDS_PERSON,
    ClaimOutcome.UNKNOWN: ReopenOutcome.UNKNOWN,
}


def _as_opening(row: Return) -> Reactivation:
    """Codes that are not in the second table mean what they mean in the first."""
    # A term that has not ended is no matter of an answered claim: after the next event, like what has no day of its own.
    after_event = row.after_event or row.after_due
    return Reactivation(
        row.sense,
        _AGAIN[row.outcome],
        row.waits,
        after_event=after_event,
        look_first=row.look_first,
        otherwise=_AGAIN[row.otherwise],
        carrier_fault=row.carrier_fault,
    )


def _not_again(sense: str) -> Reactivation:
    return Reactivation(sense, ReopenOutcome.REFUSED)


def _not_answered(sense: str) -> Reactivation:
    return Reactivation(sense, ReopenOutcome.NOT_YET, after_answer=True)


def _by_person(sense: str) -> Reactivation:
    return Reactivation(sense, ReopenOutcome.NEEDS_PERSON)


REACTIVATIONS: dict[int, Reactivation] = {code: _as_opening(row) for code, row in RETURNS.items()} | {
    512: Reactivation("reactivated", ReopenOutcome.REOPENED),
    0: Reactivation("reactivated", ReopenOutcome.REOPENED),
    # The claim was taken under this very contract: what is not found now is not found again tomorrow.
    4: _not_again("data not found in the carrier's base"),
    55: Reactivation("object is not of this contract or card", ReopenOutcome.WRONG_CONFIGURATION),
    122: Reactivation("not of this contract or card", ReopenOutcome.WRONG_CONFIGURATION),
    50: _by_person("protocol missing"),
    56: _not_answered("the protocol is not answered yet"),
    591: _not_answered("the claim is in progress"),
    593: _not_answered("the claim is not closed"),
    260: _by_person("motive missing"),
    513: _by_person("motive or note missing"),
    575: Reactivation("protocol not found", ReopenOutcome.NOT_FOUND),
    582: Reactivation("the kind of claim cannot be changed", ReopenOutcome.OTHER_KIND),
    583: Reactivation("the motive is not allowed for this kind", ReopenOutcome.OTHER_MOTIVE),
    588: Reactivation("the motive is not allowed for this subject", ReopenOutcome.OTHER_MOTIVE),
    586: _by_person("kind of reactivation invalid"),
    587: _not_again("the term for reopening has ended"),
    589: Reactivation("the indemnity is inside its payment term", ReopenOutcome.NOT_YET, payment_term=True),
    590: Reactivation("a refund request exists already", ReopenOutcome.ALREADY),
    592: _not_again("a complaint without an object's number cannot be reopened"),
    594: Reactivation("object is tied to another contract", ReopenOutcome.WRONG_CONFIGURATION),
    595: _not_again("object does not meet the motive's criteria"),
    596: _not_again("object was delivered on time"),
    597: Reactivation("object was delivered", ReopenOutcome.OTHER_MOTIVE, otherwise=ReopenOutcome.REFUSED),
    598: Reactivation("object is awaiting pickup", ReopenOutcome.NOT_YET, after_event=True),
}

UNLISTED_AGAIN = Reactivation("a code that is not in the manual", ReopenOutcome.UNKNOWN)

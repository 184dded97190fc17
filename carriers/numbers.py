"""Whose number this may be: the shapes and check digits by which carriers' numbers can be told apart.

Only for a suggestion to a person: shapes overlap (fifteen digits are J&T's or FedEx's, ten may be anybody's), and no parcel
is given to a carrier by them. Where a rule has a check digit and it agrees, the number is certainly well formed; whose it is,
is as certain as the shape is rare. Sources, read on 2026-11-28:

* S10 (Correios, any post): Universal Postal Union, standard S10, weights 8 6 4 2 3 5 9 7.
* NF-e access key: `carriers.invoice`.
* J&T Express Brazil: fifteen digits that begin with 888 (public clients of its API; shape only, no check digit known).
* UPS 1Z, FedEx 12, 15, 20 and 22 digits, DHL Express, DHL eCommerce: jkeen/tracking_number_data, `couriers/*.json`, whose test
  numbers are this module's too; UPS and DHL also jbittel/drogher. DHL's piece ids (JJD, JVGL) and eCommerce numbers: shape only.
* Jadlog: fourteen digits, shipment ids begin with 11 (public clients; shape only, not confirmed by the carrier).
* Loggi: two letters, ten digits, `LG` (the carrier's own API examples; shape only).
* Total Express: an AWB ends in `tx`, lower case in the carrier's system (public clients; shape only).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from carriers.invoice import access_key

_SEPARATORS: Final = re.compile(r"[\s.\-]+")
_S10_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)
_FEDEX_WEIGHTS: Final = (3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)


class Certainty(StrEnum):
    """How much a number says of whose it is."""

    CHECKED = "checked"
    """Its check digit agrees, and the shape is nobody else's."""
    LIKELY = "likely"
    """A shape of its own without a check digit, or a check digit on digits that others use too."""
    SHAPE = "shape"
    """The shape alone, which others may have, or which no carrier has confirmed."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A family of carriers that writes such numbers: `family` is the name of an adapter, `title` what people call it."""

    family: str
    title: str
    certainty: Certainty


CORREIOS: Final = ("correios", "Correios")
POST: Final = ("post", "um correio de outro país")
INVOICE: Final = ("nfe", "chave de NF-e")
UPS: Final = ("ups", "UPS")
FEDEX: Final = ("fedex", "FedEx")
DHL: Final = ("dhl", "DHL")
JT: Final = ("jt_express", "J&T Express")
JADLOG: Final = ("jadlog", "Jadlog")
LOGGI: Final = ("loggi", "Loggi")
TOTAL: Final = ("total_express", "Total Express")


@dataclass(frozen=True, slots=True)
class _Rule:
    whose: tuple[str, str]
    shape: re.Pattern[str]
    certainty: Certainty
    check: Callable[[str], bool] = bool


def recognise(value: str) -> tuple[Recognised, ...]:
    """Whose number *value* may be, the most certain first; nothing where no rule fits or every check digit disagrees.

    Blanks, dots and hyphens do not count, nor does upper or lower case.
    """
    number = _SEPARATORS.sub("", value).upper()
    if not number.isascii():
        return ()
    found = {
        rule.whose: Recognised(*rule.whose, rule.certainty)
        for rule in reversed(_RULES)
        if rule.shape.fullmatch(number) and rule.check(number)
    }
    order = list(Certainty)
    return tuple(sorted(found.values(), key=lambda one: (order.index(one.certainty), one.family)))


def _s10(number: str) -> bool:
    """UPU S10: 11 minus the weighted sum modulo 11, where 10 becomes 0 and 11 becomes 5."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(number[2:10], _S10_WEIGHTS, strict=True)) % 11
    return int(number[10]) == {10: 0, 11: 5}.get(rest, rest)


def _ups(number: str) -> bool:
    """UPS: what follows `1Z`, a letter counting as its place in ASCII minus 63 modulo 10; every second one twice; modulo 10."""
    values = [int(one) if one.isdigit() else (ord(one) - 63) % 10 for one in number[2:-1]]
    return number[-1].isdigit() and -(sum(values) + sum(values[1::2])) % 10 == int(number[-1])


def _fedex_express(number: str) -> bool:
    """FedEx Express, twelve digits: weights 3 1 7 repeated, modulo 11, then modulo 10."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:11], _FEDEX_WEIGHTS, strict=True))
    return total % 11 % 10 == int(number[11])


def _modulo_10(digits: str) -> bool:
    """The check digit of GS1: from the right, every first digit three times."""
    body = [int(digit) for digit in reversed(digits[:-1])]
    return -(3 * sum(body[::2]) + sum(body[1::2])) % 10 == int(digits[-1])


def _fedex_ground_22(number: str) -> bool:
    """FedEx Ground, `96` and twenty digits: the last fifteen are checked as the short form is."""
    return _modulo_10(number[7:])


def _fedex_smartpost(number: str) -> bool:
    """FedEx SmartPost, twenty digits, checked as if `92` stood before them."""
    return _modulo_10(number if number.startswith("92") and len(number) == 22 else f"92{number}")


def _dhl_express(number: str) -> bool:
    """DHL Express, ten digits: the first nine modulo 7."""
    return int(number[:-1]) % 7 == int(number[-1])


def _is_key(number: str) -> bool:
    return access_key(number) is not None


_RULES: Final = (
    _Rule(CORREIOS, re.compile(r"[A-Z]{2}[0-9]{9}BR"), Certainty.CHECKED, _s10),
    _Rule(POST, re.compile(r"[A-Z]{2}[0-9]{9}(?!BR)[A-Z]{2}"), Certainty.CHECKED, _s10),
    _Rule(INVOICE, re.compile(r"[0-9A-Z]{44}"), Certainty.CHECKED, _is_key),
    _Rule(UPS, re.compile(r"1Z[0-9A-Z]{16}"), Certainty.CHECKED, _ups),
    _Rule(JT, re.compile(r"888[0-9]{12}"), Certainty.LIKELY),
    _Rule(TOTAL, re.compile(r"[0-9A-Z]{6,20}TX"), Certainty.LIKELY),
    _Rule(LOGGI, re.compile(r"[A-Z]{2}[0-9]{10}LG"), Certainty.LIKELY),
    _Rule(DHL, re.compile(r"JJD[0-9]{10,20}|JVGL[0-9]{9,20}"), Certainty.LIKELY),
    _Rule(DHL, re.compile(r"GM[0-9]{16,18}"), Certainty.LIKELY),
    _Rule(FEDEX, re.compile(r"96[0-9]{20}"), Certainty.LIKELY, _fedex_ground_22),
    _Rule(FEDEX, re.compile(r"92[0-9]{20}|(?!92)[0-9]{20}"), Certainty.SHAPE, _fedex_smartpost),
    _Rule(FEDEX, re.compile(r"(?!888)[0-9]{15}"), Certainty.SHAPE, _modulo_10),
    _Rule(FEDEX, re.compile(r"[0-9]{12}"), Certainty.SHAPE, _fedex_express),
    _Rule(DHL, re.compile(r"[0-9]{10}"), Certainty.SHAPE, _dhl_express),
    _Rule(JADLOG, re.compile(r"[0-9]{14}"), Certainty.SHAPE),
)
"""Where two rules of one carrier fit, the one that stands first holds."""

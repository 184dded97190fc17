"""The keys of a JSON record, as shops and programs write them, brought to the names that `OrderReader` reads.

A key may be the record's own name, that name in another spelling (`orderNumber`), or a heading that a spreadsheet may have
(`pedido`, `código de rastreio`), also where it belongs to a part and stands beside it. What nobody reads is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from tracker.intake import values
from tracker.intake.csv_columns import FREIGHT_OR_CARRIER, NUMBER_OR_HOUSE, header_key, meaning, rank
from tracker.intake.options import IGNORE_COLUMN
from tracker.intake.values import BadValue

Part = dict[str, Any]
Beside = dict[str, tuple[str, Any]]
"""Values by their names, each with the key it came by."""
MOST_KEYS: Final = 100
"""Unread keys that are named; a file with more of them has its data where keys belong."""
OTHER_KEYS: Final = "…"


class Target(NamedTuple):
    """Where a value belongs: a part ("" for the level at hand) and the name in it."""

    part: str
    name: str


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "": _words(
        "order_number source_order_id ordered_at promised_date ship_by status total freight customer address recipient "
        "items packages aliases"
    ),
    "person": _words("name email phone document"),
    "address": _words("recipient zip street number complement district city state"),
    "items": _words("sku name quantity unit_price"),
    "packages": _words(
        "tracking_code carrier carrier_raw carrier_cnpj service service_raw shipped_at declared_value invoice_key "
        "invoice_number direction"
    ),
}
_CARRIED: Final[Mapping[str, frozenset[str]]] = {
    "": _words("source paid_at updated_at currency"),
    "address": _words("country"),
    "packages": _words("package_id"),
}
"""Names of the record that say nothing the program uses: left alone without a word."""
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "person": {"name": "name", "email": "email", "phone": "phone", "document": "document"},
    "address": {
        "recipient": "recipient",
        "name": "recipient",
        "postal_code": "zip",
        "street": "street",
        "house_number": "number",
        NUMBER_OR_HOUSE: "number",
        "complement": "complement",
        "district": "district",
        "city": "city",
        "state": "state",
    },
    "items": {"sku": "sku", "product": "name", "name": "name", "quantity": "quantity", "unit_price": "unit_price"},
    "packages": {
        "code": "tracking_code",
        "carrier": "carrier",
        "carrier_cnpj": "carrier_cnpj",
        "service": "service",
        "shipped_on": "shipped_at",
        "declared_value": "declared_value",
        "invoice_key": "invoice_key",
        "invoice_number": "invoice_number",
    },
}
"""What a spreadsheet's field is called within a part."""
_OWN_FIELDS: Final = {
    "number": "order_number",
    "ordered_at": "ordered_at",
    "promised_on": "promised_date",
    "ship_by": "ship_by",
    "status": "status",
    "total": "total",
    "freight": "freight",
    "shop_number": "shop_number",
}
_FLAT: Final[Mapping[str, Target]] = {
    **{own: Target("items", name) for own, name in _FIELDS["items"].items()},
    **{own: Target("address", name) for own, name in _FIELDS["address"].items() if own != NUMBER_OR_HOUSE},
    **{own: Target("packages", name) for own, name in _FIELDS["packages"].items()},
    **{own: Target("customer", name) for own, name in _FIELDS["person"].items()},
    "recipient": Target("recipient", "name"),
    **{own: Target("", name) for own, name in _OWN_FIELDS.items()},
}
_PARTS: Final = {
    alias: part
    for part, aliases in {
        "packages": "packages shipments envios pacotes parcels volumes remessas",
        "items": "items itens produtos products lineitems",
        "customer": "customer cliente comprador buyer",
        "address": "address endereco enderecodeentrega enderecoentrega shippingaddress deliveryaddress",
        "recipient": "recipient destinatario",
    }.items()
    for alias in aliases.split()
}
_LEVELS: Final = {"customer": "person", "recipient": "person", "address": "address"}


@dataclass(slots=True)
class KeyReader:
    """Renames the keys of one file's records."""

    own: Mapping[str, str]
    """The merchant's own headings, as `own_keys` gives them."""
    unread: Counter[str] = field(default_factory=Counter)
    """Keys that nobody reads, with their path, and in how many records each stands."""
    _missed: set[str] = field(default_factory=set)

    def renamed(self, record: Part) -> Part:
        """The record with the names that are read, and everything in its part."""
        self._missed = set()
        found, flat = self._top(record)
        for part, level in _LEVELS.items():
            self._join_object(found, part, level, flat.pop(part, {}))
        self._join_items(found, flat.pop("items", {}))
        self._join_packages(found, flat.pop("packages", {}))
        found.pop(IGNORE_COLUMN, None)
        shop_number = found.pop("shop_number", None)
        if shop_number is not None and isinstance(found.get("aliases") or [], list):
            found["aliases"] = [*(found.get("aliases") or []), shop_number]
        self._count()
        return found

    def _count(self) -> None:
        names: dict[str, int] = {}
        for path in sorted(self._missed):
            is_named = path in self.unread or len(self.unread) + len(names) < MOST_KEYS
            names[path if is_named else OTHER_KEYS] = 1
        self.unread.update(names)

    def _top(self, record: Part) -> tuple[Part, dict[str, Beside]]:
        """The record's own values, and those that belong to a part, with the key each came by."""
        found: Beside = {}
        flat: dict[str, Beside] = {}
        meant = {self._meaning(header_key(key)) for key, value in record.items() if not isinstance(value, list | dict)}
        is_house = "street" in meant and ("number" in meant or "source_order_id" in record)
        for key, value in sorted(record.items(), key=lambda entry: self._rank(entry[0], "")):
            target = self._target(key, value, is_house=is_house)
            if target is None:
                self._miss(key, value)
            else:
                self._put(flat.setdefault(target.part, {}) if target.part else found, target.name, key, value)
        if "recipient" in flat and "customer" not in found and "name" not in flat.get("customer", {}):
            flat.setdefault("customer", {})["name"] = flat.pop("recipient")["name"]
        return {name: value for name, (_, value) in found.items()}, flat

    def _target(self, key: str, value: Any, *, is_house: bool) -> Target | None:
        word = header_key(key)
        if key in _CARRIED[""] or (key in _NAMES[""] and not (isinstance(value, str) and key in _LEVELS)):
            return Target("", key)
        if isinstance(value, list | dict):
            part = _PARTS.get(word) if word not in self.own else None
            return Target("", part) if part else self._ignored(word)
        name = self._meaning(word)
        if name == NUMBER_OR_HOUSE:
            return Target("address", "number") if is_house else Target("", "order_number")
        if name == FREIGHT_OR_CARRIER:
            name = "freight" if _is_money(value) else "carrier"
        if name is not None and name in _FLAT:
            return _FLAT[name]
        own = _spelled("", word)
        return Target("", own) if own and own not in _PARTS else self._ignored(word)

    def _ignored(self, word: str) -> Target | None:
        """Nobody's place for a key that the merchant told to ignore."""
        return Target("", IGNORE_COLUMN) if self.own.get(word) == IGNORE_COLUMN else None

    def _part(self, part: Part, level: str, path: str) -> Part:
        """A part with the names that are read."""
        found: Beside = {}
        for key, value in sorted(part.items(), key=lambda entry: self._rank(entry[0], level)):
            name = self._name(key, value, level)
            if name is not None:
                self._put(found, name, key, value, path)
            elif self._ignored(header_key(key)) is None:
                self._miss(f"{path}{key}", value)
        return {name: value for name, (_, value) in found.items()}

    def _name(self, key: str, value: Any, level: str) -> str | None:
        if key in _NAMES[level] or key in _CARRIED.get(level, ()):
            return key
        if isinstance(value, list | dict):
            return None
        word = header_key(key)
        name = self._meaning(word)
        if name == FREIGHT_OR_CARRIER and not _is_money(value):
            name = "carrier"
        return _FIELDS[level].get(name or "") or (_spelled(level, word) if word not in self.own else None)

    def _meaning(self, word: str) -> str | None:
        return meaning(word, self.own) or ("code" if word == "code" else None)

    def _rank(self, key: str, level: str) -> int:
        """The record's own names first, then the merchant's, then the headings as a spreadsheet's are ranked."""
        if key in _NAMES[level]:
            return -2
        word = header_key(key)
        return -1 if word in self.own else rank(word)

    def _put(self, found: Beside, name: str, key: str, value: Any, path: str = "") -> None:
        if name not in found or _is_empty(found[name][1]):
            found[name] = (key, value)
        elif name != IGNORE_COLUMN and found[name][1] != value:
            self._miss(f"{path}{key}", value)

    def _miss(self, path: str, value: Any) -> None:
        if not _is_empty(value):
            self._missed.add(path)

    # --- what stands beside its part ----------------------------------------------------------------

    def _join_object(self, found: Part, part: str, level: str, beside: Beside) -> None:
        inside = found.get(part)
        if isinstance(inside, dict):
            inside = self._part(inside, level, f"{part}.")
        elif inside is not None and inside != []:
            return  # of the wrong kind: whoever reads it says so
        joined = self._filled(inside or {}, beside)
        if joined:
            found[part] = joined

    def _filled(self, inside: Part, beside: Beside) -> Part:
        joined = dict(inside)
        for name, (key, value) in beside.items():
            if _is_empty(joined.get(name)):
                joined[name] = value
            elif joined[name] != value:
                self._miss(key, value)
        return joined

    def _join_items(self, found: Part, beside: Beside) -> None:
        items = found.get("items")
        if isinstance(items, list):
            found["items"] = [self._part(one, "items", "items[].") if isinstance(one, dict) else one for one in items]
        if not beside:
            return
        if not items:
            found["items"] = [{name: value for name, (_, value) in beside.items()}]
        else:
            for key, value in beside.values():
                self._miss(key, value)

    def _join_packages(self, found: Part, beside: Beside) -> None:
        """A code beside the packages is one of them or one more; the rest is said of those that do not say it."""
        packages = found.get("packages")
        if isinstance(packages, list):
            packages = [
                self._part(one, "packages", "packages[].") if isinstance(one, dict) else one for one in packages
            ]
            found["packages"] = packages
        if not beside:
            return
        if not packages:
            found["packages"] = [{name: value for name, (_, value) in beside.items()}]
            return
        if not isinstance(packages, list) or not all(isinstance(one, dict) for one in packages):
            return
        rest = dict(beside)
        self._join_code(packages, rest.pop("tracking_code", None))
        if len(packages) == 1:
            packages[0] = self._filled(packages[0], rest)
            return
        if worth := rest.pop("declared_value", None):  # which package's it is nobody says
            self._miss(*worth)
        found["packages"] = [{**{name: given for name, (_, given) in rest.items()}, **one} for one in packages]

    @staticmethod
    def _join_code(packages: list[Part], given: tuple[str, Any] | None) -> None:
        code = given[1] if given else None
        codes = [one.get("tracking_code") for one in packages]
        if _is_empty(code) or code in codes:
            return
        if len(packages) == 1 and _is_empty(codes[0]):
            packages[0] = {**packages[0], "tracking_code": code}
        else:
            packages.append({"tracking_code": code})


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _is_money(value: Any) -> bool:
    if isinstance(value, str):
        try:
            return values.decimal_number(value, ".") is not None
        except BadValue:
            return False
    return isinstance(value, int | Decimal)


@lru_cache(maxsize=4096)
def _spelled(level: str, word: str) -> str | None:
    """The record's own name that a key spells, without case, blanks and underscores."""
    names = _NAMES[level] | _CARRIED.get(level, frozenset())
    return next((name for name in names if header_key(name) == word), None)

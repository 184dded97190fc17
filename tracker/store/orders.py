"""Intake's tables: files read, orders with their names and items, shipments with the numbers carriers know them by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from carriers.base import TrackingRef
from tracker.domain.hand import OVERTAKEN, RULE_VERSIONS, cancellation_of, edits_of, keeps
from tracker.domain.order import MADE_UP, Cancellation, Order, OrderStatus
from tracker.domain.wrong_codes import WRONG_CODE, written, wrong_codes
from tracker.store.acts import acts_about
from tracker.store.database import insert_new
from tracker.store.logs import DecisionNote, log_decisions
from tracker.store.order_rows import (
    Parcel,
    alias_rows,
    item_rows,
    number_row,
    order_row,
    order_values,
    ref_row,
    shipment_row,
)
from tracker.store.tables import Order as OrderTable
from tracker.store.tables import (
    OrderAlias,
    OrderCancellation,
    OrderItem,
    Shipment,
    ShipmentRef,
    table,
)

_ORDERS, _ITEMS, _ALIASES, _CANCELLATIONS, _SHIPMENTS, _REFS = (
    table(model) for model in (OrderTable, OrderItem, OrderAlias, OrderCancellation, Shipment, ShipmentRef)
)
INVOICE_KEY: Final = "invoice_key"
FILE_SOURCE: Final = "file"
"""Files of whatever kind are one source: the same order in a spreadsheet and in its invoice is one order."""


@dataclass(frozen=True, slots=True)
class SavedOrder:
    """What saving an order changed. `taken` are numbers that belong to another order already (number, that order's)."""

    order_id: int
    """0 where it was dropped for its age (`archived_at`) and stays away."""
    is_new: bool
    changed: bool
    new_shipments: tuple[tuple[int, str], ...]
    taken: tuple[tuple[str, str], ...]
    archived_at: datetime | None = None


def archived_order(closed_at: datetime) -> SavedOrder:
    """An order that ended then and was dropped since: nothing is saved."""
    return SavedOrder(0, False, False, (), (), closed_at)


def save_order(
    connection: Connection, shop: str, order: Order, parcels: Sequence[Parcel], now: datetime, source: str = FILE_SOURCE
) -> SavedOrder:
    """Insert or update one order. Nothing that is known is overwritten by something empty; no history is deleted."""
    standing = _find(connection, shop, source, order, parcels)
    values = order_values(order)
    if _is_cancelled(connection, shop, order, standing):
        values["status"] = OrderStatus.CANCELLED.value
    if standing is None:
        row = {**order_row(shop, source, order, now), "status": values["status"]}
        order_id = int(connection.execute(insert(_ORDERS).returning(_ORDERS.c.id), row).scalar_one())
        changed = True
    else:
        order_id = int(standing["id"])
        changed = _update_order(connection, standing, order, values, now)
    insert_new(connection, _ALIASES, alias_rows(shop, order_id, order))
    _save_items(connection, order_id, order)
    new, taken = _save_parcels(connection, shop, order_id, parcels, now)
    return SavedOrder(order_id, standing is None, changed or bool(new), tuple(new), tuple(taken))


def cancel_by_invoice(connection: Connection, shop: str, cancellation: Cancellation, now: datetime) -> int | None:
    """Keep that this invoice was cancelled, and cancel its order where it is known; returns the order."""
    row = {
        "shop": shop,
        "invoice_key": cancellation.invoice_key,
        "cancelled_at": cancellation.at,
        "seen_at": now,
    }
    insert_new(connection, _CANCELLATIONS, [row])
    query = select(_ALIASES.c.order_id).where(
        _ALIASES.c.shop == shop, _ALIASES.c.kind == INVOICE_KEY, _ALIASES.c.alias == cancellation.invoice_key
    )
    order_id = connection.execute(query).scalar_one_or_none()
    if order_id is None:
        return None
    values = {"status": OrderStatus.CANCELLED.value, "updated_at": now}
    connection.execute(update(_ORDERS).where(_ORDERS.c.id == order_id).values(**values))
    return int(order_id)


def order_status(connection: Connection, order_id: int) -> tuple[str, str]:
    """The shop and status of an order that exists, locked until the transaction ends."""
    query = select(_ORDERS.c.shop, _ORDERS.c.status).where(_ORDERS.c.id == order_id).with_for_update()
    row = connection.execute(query).one()
    return row.shop, row.status


def order_number(connection: Connection, order_id: int) -> str:
    """What the customer knows an order that exists by."""
    return str(connection.execute(select(_ORDERS.c.number).where(_ORDERS.c.id == order_id)).scalar_one())


def order_columns(connection: Connection, order_id: int) -> dict[str, Any]:
    """An order that exists, whole, locked until the transaction ends."""
    query = select(_ORDERS).where(_ORDERS.c.id == order_id).with_for_update()
    return dict(connection.execute(query).mappings().one())


def correct_order(connection: Connection, order_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """A person's word on what an order's fields are. What they were is kept with the act."""
    connection.execute(update(_ORDERS).where(_ORDERS.c.id == order_id).values(**values, updated_at=now))


def owner_of_number(connection: Connection, adapter: str, ref: TrackingRef) -> tuple[int, str] | None:
    """The shipment that this number is now, with its order's number; None where it is nobody's."""
    query = (
        select(_SHIPMENTS.c.id, _ORDERS.c.number)
        .join(_REFS, _REFS.c.shipment_id == _SHIPMENTS.c.id)
        .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
        .where(*_has_number(adapter, ref), _REFS.c.active)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return (row[0], row[1]) if row is not None else None


def add_parcel(connection: Connection, shop: str, order_id: int, parcel: Parcel, now: datetime) -> int | None:
    """Give an order a parcel that no file told of; returns the shipment, None where its number is another order's."""
    new, _ = _save_parcels(connection, shop, order_id, [parcel], now)
    return new[0][0] if new else None


def renumber(
    connection: Connection, shipment_id: int, number: tuple[str, TrackingRef] | None, carrier: str, now: datetime
) -> None:
    """Close a shipment's number and open this one (adapter, reference), or none. History is not touched."""
    mine = (_REFS.c.shipment_id == shipment_id, _REFS.c.active)
    connection.execute(update(_REFS).where(*mine).values(active=False))
    connection.execute(update(_SHIPMENTS).where(_SHIPMENTS.c.id == shipment_id).values(carrier=carrier))
    if number is None:
        return
    adapter, ref = number
    query = select(_REFS.c.id, _REFS.c.shipment_id, _REFS.c.cycle).where(*_has_number(adapter, ref))
    known = connection.execute(query).all()
    back = next((row.id for row in known if row.shipment_id == shipment_id), None)
    if back is not None:
        connection.execute(update(_REFS).where(_REFS.c.id == back).values(active=True))
        return
    cycle = max((row.cycle for row in known), default=0) + 1
    connection.execute(insert(_REFS), number_row(shipment_id, adapter, ref, cycle, now))


def set_order_status(connection: Connection, order_id: int, status: OrderStatus, now: datetime) -> None:
    """A person's word on how an order stands."""
    values = {"status": status.value, "updated_at": now}
    connection.execute(update(_ORDERS).where(_ORDERS.c.id == order_id).values(**values))


# --- finding ----------------------------------------------------------------------------------------


def _find(
    connection: Connection, shop: str, source: str, order: Order, parcels: Sequence[Parcel]
) -> Mapping[str, Any] | None:
    """The order this is: by number, else by invoice key, else by a parcel's number going to the same place."""
    by_number = select(_ORDERS).where(
        _ORDERS.c.shop == shop, _ORDERS.c.source == source, _ORDERS.c.number == order.number
    )
    found = connection.execute(by_number).mappings().one_or_none()
    if found is not None:
        return dict(found)
    keys = [alias for kind, alias in order.aliases if kind == INVOICE_KEY]
    if keys:
        by_key = (
            select(_ORDERS)
            .join(_ALIASES, _ALIASES.c.order_id == _ORDERS.c.id)
            .where(_ALIASES.c.shop == shop, _ALIASES.c.kind == INVOICE_KEY, _ALIASES.c.alias.in_(keys))
            .limit(1)
        )
        found = connection.execute(by_key).mappings().one_or_none()
        if found is not None:
            return dict(found)
    return _find_by_parcel(connection, shop, order, parcels)


def _find_by_parcel(
    connection: Connection, shop: str, order: Order, parcels: Sequence[Parcel]
) -> Mapping[str, Any] | None:
    """Equal number and equal postal code or document, or one of the two has no number of its own."""
    for parcel in parcels:
        query = (
            select(_ORDERS)
            .join(_SHIPMENTS, _SHIPMENTS.c.order_id == _ORDERS.c.id)
            .join(_REFS, _REFS.c.shipment_id == _SHIPMENTS.c.id)
            .where(_ORDERS.c.shop == shop, *_is_ref(parcel))
            .limit(1)
        )
        found = connection.execute(query).mappings().one_or_none()
        if found is None:
            continue
        same_place = found["postal_code"] is not None and found["postal_code"] == order.address.postal_code
        document = order.customer.document
        same_person = document is not None and found["customer_document"] == document
        made_up = found["number"].startswith(MADE_UP) or order.number.startswith(MADE_UP)
        if same_place or same_person or made_up:
            return dict(found)
    return None


def _is_ref(parcel: Parcel) -> tuple[Any, ...]:
    return (*_has_number(parcel.adapter, parcel.ref), _REFS.c.active)


def _has_number(adapter: str, ref: TrackingRef) -> tuple[Any, ...]:
    return (_REFS.c.adapter == adapter, _REFS.c.kind == ref.kind.value, _REFS.c.value == ref.value)


def _is_cancelled(connection: Connection, shop: str, order: Order, standing: Mapping[str, Any] | None) -> bool:
    """Whether every invoice this order ever had was cancelled: a later file's "sent" does not undo that, a new invoice does."""
    keys = {alias for kind, alias in order.aliases if kind == INVOICE_KEY}
    if standing is not None:
        known = select(_ALIASES.c.alias).where(_ALIASES.c.order_id == standing["id"], _ALIASES.c.kind == INVOICE_KEY)
        keys |= set(connection.execute(known).scalars())
    if not keys:
        return False
    query = select(_CANCELLATIONS.c.invoice_key).where(
        _CANCELLATIONS.c.shop == shop, _CANCELLATIONS.c.invoice_key.in_(keys)
    )
    return keys == set(connection.execute(query).scalars())


# --- writing ----------------------------------------------------------------------------------------


def _update_order(
    connection: Connection, standing: Mapping[str, Any], order: Order, values: Mapping[str, Any], now: datetime
) -> bool:
    new = {name: value for name, value in values.items() if value is not None and value != standing[name]}
    if values["status"] == OrderStatus.UNKNOWN.value:
        new.pop("status", None)
    new.pop("originals", None)
    new = _beside_hands(connection, standing, new, now)
    originals = _originals(standing, order)
    _keep_wrong_codes(connection, standing, order, originals)
    if originals != (standing["originals"] or {}):
        new["originals"] = originals or None
    if standing["promised_first_on"] is None and order.promised_on is not None:
        new["promised_first_on"] = order.promised_on
    if standing["number"].startswith(MADE_UP) and not order.number.startswith(MADE_UP):
        new["number"] = order.number
    if not new:
        return False
    connection.execute(update(_ORDERS).where(_ORDERS.c.id == standing["id"]).values(**new, updated_at=now))
    return True


def _beside_hands(
    connection: Connection, standing: Mapping[str, Any], new: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """What of a file's news counts beside what people did by hand: a cancellation by hand stands until a hand takes it
    back, a corrected field as long as the file says of it what it said before."""
    order_id, shop = standing["id"], standing["shop"]
    acts = acts_about(connection, "order", [order_id]).get(order_id, ()) if new else ()
    if not acts:
        return dict(new)
    kept = dict(new)
    if cancellation_of(acts) is not None:
        kept.pop("status", None)
    notes = []
    for name, edit in edits_of(acts).items():
        if name not in kept or standing[name] is None or as_text(standing[name]) != edit.now:
            continue
        if keeps(edit, as_text(standing[name]), as_text(kept[name])):
            del kept[name]
        else:
            reason = f"a later file names another {name}: it is the source's newer word"
            version = RULE_VERSIONS[OVERTAKEN]
            note = DecisionNote(shop, "order", order_id, OVERTAKEN, version, "overtaken", reason, {"field": name})
            notes.append(note)
    log_decisions(connection, notes, now)
    return kept


def as_text(value: Any) -> str | None:
    """A column's value as an act keeps it."""
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)


_MENDED: Final = {
    "name": "customer_name",
    "email": "customer_email",
    "phone": "customer_phone",
    "document": "customer_document",
    "recipient": "recipient_name",
    "postal_code": "postal_code",
}


def _originals(standing: Mapping[str, Any], order: Order) -> dict[str, str]:
    """What the files had, of the values that stand now.

    A value that needs no mending takes the original of the one before it away; one that cannot be used leaves a good one
    and its original alone.
    """
    found, given = dict(standing["originals"] or {}), dict(order.originals)
    for name, value in order.mended().items():
        if value is not None:
            found.pop(name, None)
        if name in given and (value is not None or standing[_MENDED[name]] is None):
            found[name] = given[name]
    return found


def _keep_wrong_codes(
    connection: Connection, standing: Mapping[str, Any], order: Order, originals: dict[str, str]
) -> None:
    """Codes that cannot be, as the newest file that names codes has them; one that a hand has mended since does not count."""
    given = wrong_codes(dict(order.originals))
    if given or any(package.tracking_code for package in order.packages):
        originals.pop(WRONG_CODE, None)
    mended = _mended_codes(connection, standing["id"]) if given else frozenset()
    text = written(code for code in given if code not in mended)
    if text is not None:
        originals[WRONG_CODE] = text


def _mended_codes(connection: Connection, order_id: int) -> frozenset[str]:
    """Codes of this order's files that a person has put the right ones for."""
    parcels = connection.execute(select(_SHIPMENTS.c.id).where(_SHIPMENTS.c.order_id == order_id)).scalars()
    acts = acts_about(connection, "shipment", list(parcels))
    edits = (edits_of(of_one).get("tracking_code") for of_one in acts.values())
    return frozenset(edit.imported for edit in edits if edit is not None and edit.imported is not None)


def mend_wrong_code(connection: Connection, order_id: int, code: str) -> None:
    """A person has put the right code for this one: the order's file named it, and nothing is wanting any more."""
    originals = dict(order_columns(connection, order_id)["originals"] or {})
    text = written(one for one in wrong_codes(originals) if one != code)
    originals.pop(WRONG_CODE, None)
    if text is not None:
        originals[WRONG_CODE] = text
    connection.execute(update(_ORDERS).where(_ORDERS.c.id == order_id).values(originals=originals or None))


def _save_items(connection: Connection, order_id: int, order: Order) -> None:
    if not order.items:
        return
    connection.execute(delete(_ITEMS).where(_ITEMS.c.order_id == order_id))
    connection.execute(insert(_ITEMS), item_rows(order_id, order))


def _save_parcels(
    connection: Connection, shop: str, order_id: int, parcels: Sequence[Parcel], now: datetime
) -> tuple[list[tuple[int, str]], list[tuple[str, str]]]:
    new: list[tuple[int, str]] = []
    taken: list[tuple[str, str]] = []
    for parcel in parcels:
        query = (
            select(_SHIPMENTS.c.id, _SHIPMENTS.c.order_id, _ORDERS.c.number, _REFS.c.active, _REFS.c.cycle)
            .join(_REFS, _REFS.c.shipment_id == _SHIPMENTS.c.id)
            .join(_ORDERS, _ORDERS.c.id == _SHIPMENTS.c.order_id)
            .where(*_has_number(parcel.adapter, parcel.ref))
            .order_by(_REFS.c.active.desc(), _REFS.c.id)
        )
        known = connection.execute(query).all()
        # A number that a person has corrected since is this order's all the same: the file does not know better.
        mine = next((row for row in known if row.order_id == order_id), None)
        active = next((row for row in known if row.active), None)
        if mine is not None:
            _fill_shipment(connection, mine.id, parcel)
        elif active is not None:
            taken.append((parcel.ref.value, active.number))
        else:
            cycle = max((row.cycle for row in known), default=0) + 1
            new.append((_insert_shipment(connection, shop, order_id, parcel, now, cycle), parcel.carrier))
    return new, taken


def _insert_shipment(
    connection: Connection, shop: str, order_id: int, parcel: Parcel, now: datetime, cycle: int
) -> int:
    row = shipment_row(shop, order_id, parcel, now)
    shipment_id = int(connection.execute(insert(_SHIPMENTS).returning(_SHIPMENTS.c.id), row).scalar_one())
    connection.execute(insert(_REFS), ref_row(shipment_id, parcel, now, cycle))
    return shipment_id


def _fill_shipment(connection: Connection, shipment_id: int, parcel: Parcel) -> None:
    """Add to a known shipment what an earlier file did not tell."""
    package = parcel.package
    given: Iterable[tuple[str, Any]] = (
        ("service", package.service_raw),
        ("shipped_on", package.shipped_on),
        ("declared_value_cents", package.declared_value_cents),
        ("invoice_key", package.invoice_key),
        ("invoice_number", package.invoice_number),
    )
    values = {name: value for name, value in given if value is not None}
    if values:
        connection.execute(update(_SHIPMENTS).where(_SHIPMENTS.c.id == shipment_id).values(**values))

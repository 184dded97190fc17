"""A message as it would read, with the data of a real order or with examples. Reads only: nothing is made, sent or kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.history import MOVING
from tracker.domain.words import Trigger
from tracker.messages.compose import Composer
from tracker.messages.email_message import build_message
from tracker.messages.story import Part
from tracker.messages.templates import Rendered
from tracker.messages.variables import TRIGGERS, shown_examples
from tracker.store.claims import claims_of_shipments
from tracker.store.contexts import contexts_of, item_names, orders_of, shipments_of_orders
from tracker.store.histories import histories_of
from tracker.store.incidents import incidents_of
from tracker.store.views_preview import Sample, newest_in, newest_paid, newest_told, newest_with

Status = TrackingStatus
Kind = ProblemKind

_STATUSES: Final[Mapping[Trigger, frozenset[TrackingStatus]]] = {
    Trigger.POSTED: MOVING,
    Trigger.IN_TRANSIT: frozenset({Status.IN_TRANSIT}),
    Trigger.OUT_FOR_DELIVERY: frozenset({Status.OUT_FOR_DELIVERY}),
    Trigger.PICKUP_WAITING: frozenset({Status.AVAILABLE_FOR_PICKUP}),
    Trigger.DELIVERED: frozenset({Status.DELIVERED}),
}
_KINDS: Final[Mapping[Trigger, frozenset[ProblemKind]]] = {
    Trigger.DELIVERY_ATTEMPT_FAILED: frozenset({Kind.DELIVERY_FAILED}),
    Trigger.DELAY_DETECTED: frozenset({Kind.DELAY}),
    Trigger.DELAY_FOLLOWUP: frozenset({Kind.DELAY}),
    Trigger.INQUIRY_OPENED: frozenset({Kind.DELAY}),
    Trigger.LOSS_CONFIRMED: frozenset({Kind.LOSS, Kind.THEFT}),
    Trigger.DAMAGE: frozenset({Kind.DAMAGE}),
    Trigger.RETURNED_TO_SENDER: frozenset({Kind.RETURNING, Kind.RETURNED}),
    Trigger.ADDRESS_PROBLEM: frozenset({Kind.ADDRESS_PROBLEM}),
}
EXAMPLE_ADDRESS: Final = "cliente@loja.example"
EXAMPLE_NAME: Final = "Marina Exemplo"


@dataclass(frozen=True, slots=True)
class Preview:
    """A message for one shop. `order` is whose data it shows; None: examples."""

    shop: str
    rendered: Rendered
    order: str | None = None
    recipient: str | None = None
    recipient_name: str | None = None


def sample_of(connection: Connection, trigger: Trigger, shop: str | None) -> Sample | None:
    """The newest order that this was told of, else the newest of which it would be true."""
    found = newest_told(connection, trigger, shop)
    if found is None and trigger is Trigger.ORDER_THANKED:
        found = newest_paid(connection, shop)
    if found is None and trigger in _STATUSES:
        found = newest_in(connection, _STATUSES[trigger], shop)
    if found is None and trigger in _KINDS:
        found = newest_with(connection, _KINDS[trigger], shop)
    return found


def of_order(connection: Connection, trigger: Trigger, order_id: int, shop: str) -> Sample:
    """This order as it was told, else with all its parcels as they stand."""
    told = newest_told(connection, trigger, shop, order_id)
    if told is not None:
        return told
    shipments = shipments_of_orders(connection, [order_id])[order_id]
    return Sample(order_id, shop, tuple((shipment_id, 1) for shipment_id in shipments))


def from_sample(
    connection: Connection, composer: Composer, trigger: Trigger, sample: Sample, language: str | None, now: datetime
) -> Preview:
    """The message with this order's data, as it read when it was told, else as it would read now.

    Raises as `Templates.render`, and KeyError for a shop that is no longer configured.
    """
    order = orders_of(connection, [sample.order_id])[sample.order_id]
    parts = _parts(connection, sample) or [Part(order)]
    rendered = composer.rendered(
        trigger,
        parts,
        item_names(connection, order.id),
        shop=sample.shop,
        language=language or composer.senders[sample.shop].language,
        now=sample.told_at or now,
    )
    address, name = order.recipient_email or order.customer_email, order.recipient_name or order.customer_name
    return Preview(sample.shop, rendered, order.number, address, name)


def from_examples(composer: Composer, trigger: Trigger, shop: str, language: str | None) -> Preview:
    """The message with an example for every variable but links. Raises as `Templates.render`, KeyError for a shop."""
    sender = composer.senders[shop]
    language = language or sender.language
    values = shown_examples(TRIGGERS[trigger.value], language) | {
        "loja": sender.voice.name,
        "sac": sender.voice.contact,
    }
    rendered = composer.templates.render(trigger.value, values, shop=shop, language=language)
    return Preview(shop, rendered, recipient_name=EXAMPLE_NAME)


def written(
    composer: Composer, preview: Preview, trigger: Trigger, *, recipient: str, message_id: str, date: datetime
) -> bytes:
    """The whole message as bytes, for a file or a server. Raises BadAddress for the recipient."""
    sender = composer.senders[preview.shop]
    return build_message(
        preview.rendered,
        sender=sender.sender,
        reply_to=sender.reply_to,
        recipient=recipient,
        recipient_name=preview.recipient_name,
        message_id=message_id,
        date=date,
        trigger=trigger.value,
        shop=preview.shop,
        entity_ref=message_id.strip("<>").partition("@")[0],
    )


def _parts(connection: Connection, sample: Sample) -> list[Part]:
    ids = [shipment_id for shipment_id, _ in sample.shipments]
    contexts, histories = contexts_of(connection, ids), histories_of(connection, ids)
    claims, incidents = claims_of_shipments(connection, ids), incidents_of(connection, ids)
    return [
        Part.of(
            contexts[one],
            histories[one],
            claims[one][-1] if claims[one] else None,
            incidents.get(one),
            episode,
        )
        for one, episode in sample.shipments
        if one in histories
    ]

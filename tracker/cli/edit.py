"""`tracker edit`: a person corrects what the shop's files say of an order or a parcel. What they said is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

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
    order_named,
    orders_named,
    shipment_named,
    tell,
)
from tracker.cli.opened import Opened, opened, refuse
from tracker.cli.settled import Said

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from carriers.base import TrackingRef
    from tracker.book import Account
    from tracker.store.contexts import ShipmentContext
    from tracker.store.invoices import InvoiceRow
    from tracker.store.views_show import OrderHit

WhatArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ORDER|CODE...", help="Orders (number, O5); with --code or --no-code one parcel (its code, S5)."
    ),
]
EmailOption = Annotated[str | None, typer.Option("--email", help="Where the customer is written to.")]
PhoneOption = Annotated[str | None, typer.Option("--phone", help="With its area code.")]
DocumentOption = Annotated[str | None, typer.Option("--document", help="CPF or CNPJ.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Who receives it, as the carrier asks for it.")]
PostalCodeOption = Annotated[str | None, typer.Option("--postal-code", help="CEP of the destination.")]
PromiseOption = Annotated[
    str | None, typer.Option("--promise", metavar="DATE", help="The last day that the customer was promised.")
]
CodeOption = Annotated[
    str | None, typer.Option("--code", help="The parcel's right tracking code, or an order's first.")
]
CarrierOption = Annotated[
    str | None,
    typer.Option(
        "--carrier", help="Whose code it is, where several may write it; alone: the account that follows it now."
    ),
]
NoCodeOption = Annotated[
    bool, typer.Option("--no-code", help="The code is another parcel's, and the right one unknown.")
]
SameParcelOption = Annotated[
    bool, typer.Option("--same-parcel", help="The parcel got a new label: what is known under the old code stays.")
]

PERSON: Final = ("email", "phone", "document", "name")
"""Fields of a person: the recipient's where the order has one of its own, else the customer's."""
SHOWN: Final = frozenset({"promised_on"})
"""Fields whose values the log may show to anybody."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as an account of the configuration would ask for it."""

    carrier: str
    adapter: str
    ref: TrackingRef
    is_asked: bool = True
    """False where the carrier tells of its parcels by itself and cannot be asked."""


def edit(
    what: WhatArgument,
    config: ConfigOption = None,
    email: EmailOption = None,
    phone: PhoneOption = None,
    document: DocumentOption = None,
    name: NameOption = None,
    postal_code: PostalCodeOption = None,
    promise: PromiseOption = None,
    code: CodeOption = None,
    carrier: CarrierOption = None,
    no_code: NoCodeOption = False,
    same_parcel: SameParcelOption = False,
    reason: ReasonOption = None,
    who: ByOption = None,
    yes: YesOption = False,
) -> None:
    """Correct an order's e-mail, phone, document, name, CEP or promise, or a parcel's tracking code or carrier."""
    given = {"email": email, "phone": phone, "document": document, "name": name, "postal_code": postal_code}
    given |= {"promise": promise}
    wanted = {key: text for key, text in given.items() if text is not None}
    numbers = code is not None or no_code or carrier is not None
    if numbers == bool(wanted):
        refuse(
            "name what to correct: --email, --phone, --document, --name, --postal-code, --promise; or --code alone, or --carrier"
        )
    if code is not None and no_code:
        refuse("--code and --no-code exclude each other")
    if numbers and len(what) > 1:
        refuse("a tracking code is one parcel's: name one")
    who = who or at_keyboard()
    with opened(config) as program:
        hand = Hand(who, reason, program.now)
        if numbers:
            moves = carrier is not None and code is None and not no_code
            said = [
                _moved(program, what[0], carrier or "", hand)
                if moves
                else _renumbered(program, what[0], code, carrier, same_parcel, hand)
            ]
            tell(said[0])
        else:
            values = {key: _checked(key, text, program) for key, text in wanted.items()}
            hits, said = orders_named(program, what, yes)
            for hit in hits:
                with program.database.begin_write() as connection:
                    done = _correct(connection, hit, values, hand)
                said.append(done)
                tell(done)
    leave(max(one.exit_code for one in said))


# --- an order's fields ------------------------------------------------------------------------------


def _checked(key: str, text: str, program: Opened) -> str | date:
    """The value as intake would keep it. Ends the command on what it would not take."""
    from tracker.domain.documents import cep, document
    from tracker.domain.phones import e164
    from tracker.domain.text import clean, is_absent_email, is_placeholder
    from tracker.domain.text import email as address
    from tracker.message_lanes import unmailed_of

    if key == "promise":
        day = day_of("--promise", text, program)
        if abs(day - program.now.date()) > timedelta(days=3 * 366):
            refuse(f"--promise {text}: no promise is years away")
        return day
    if key == "name":
        value = clean(text)
        if not value or is_placeholder(value) or len(value) > 200:
            refuse("--name: needs a name")
        return value
    readers = {"email": address, "phone": e164, "document": document, "postal_code": cep}
    needs = {
        "email": "an e-mail address",
        "phone": "a phone number with its area code, as (41) 99999-0000",
        "document": "a CPF or CNPJ whose check digits agree",
        "postal_code": "a CEP, as 80010-000",
    }
    found = readers[key](text)
    if found is None or (key == "email" and is_absent_email(found)):
        refuse(f"--{key.replace('_', '-')} {text}: needs {needs[key]}")
    if key == "email" and unmailed_of(program.settings)("").is_relay(found):
        refuse(f"--email {text}: that is a marketplace's alias, which must not be mailed")
    return found


def _correct(connection: Connection, hit: OrderHit, values: Mapping[str, str | date], hand: Hand) -> Said:
    from tracker.domain.hand import ActKind, edits_of
    from tracker.store.acts import acts_about
    from tracker.store.contexts import shipments_of_orders
    from tracker.store.orders import as_text, correct_order, order_columns
    from tracker.store.wake import rewake_deadlines, wake_order

    row = order_columns(connection, hit.id)
    edits = edits_of(acts_about(connection, "order", [hit.id]).get(hit.id, ()))
    changed: dict[str, Any] = {}
    for key, value in values.items():
        column = _column(key, row)
        was, now = as_text(row[column]), as_text(value)
        if was == now:
            continue
        changed[column] = value
        before = edits.get(column)
        imported = before.imported if before is not None and before.now == was else was
        facts = {"field": column, "was": was, "now": now, "imported": imported}
        shown = {"field": column, **({"was": was, "now": now} if column in SHOWN else {})}
        decide(connection, hand, ActKind.EDIT, "order", hit.id, row["shop"], "corrected", facts, shown)
    if not changed:
        return Said(f"order {hit.number} has it so already: nothing to correct")
    correct_order(connection, hit.id, changed, hand.now)
    shipments = shipments_of_orders(connection, [hit.id])[hit.id]
    wake_order(connection, hit.id, shipments, hand.now)
    rewake_deadlines(connection, shipments, hand.now)
    return Said(f"order {hit.number}: {', '.join(_named(column) for column in changed)} corrected{_then(changed)}")


def _column(key: str, row: Mapping[str, Any]) -> str:
    """The column that the program goes by: whoever receives the parcel comes before who paid."""
    if key in PERSON:
        return f"recipient_{key}" if row[f"recipient_{key}"] else f"customer_{key}"
    return "promised_on" if key == "promise" else key


def _named(column: str) -> str:
    from tracker.reports.words_en import WORDS

    return WORDS["field"][column]


def _then(changed: Mapping[str, Any]) -> str:
    """What follows from it."""
    if any(column.endswith("_email") for column in changed):
        return "; messages that wait or did not get through go to the new address while they are worth telling"
    return "; delays are looked at again" if "promised_on" in changed else ""


# --- a parcel's number ------------------------------------------------------------------------------


def _renumbered(
    program: Opened, what: str, code: str | None, carrier: str | None, same_parcel: bool, hand: Hand
) -> Said:
    from tracker.cli.show import accounts_of
    from tracker.store.contexts import contexts_of

    if code is not None:
        bare = _wanting(program, what)
        if isinstance(bare, Said):
            return bare
        if bare is not None:
            return _given_parcel(program, bare, code, carrier, hand)
    shipment_id = shipment_named(program, what)
    if isinstance(shipment_id, Said):
        return shipment_id
    with program.database.begin_read() as connection:
        context = contexts_of(connection, [shipment_id])[shipment_id]
    number = None
    if code is not None:
        found = _number(program, accounts_of(program), context.order.shop, code, carrier, context.carrier)
        if isinstance(found, Said):
            return found
        number = found
    with program.database.begin_write() as connection:
        return _renumber(connection, shipment_id, number, same_parcel, hand)


def _moved(program: Opened, what: str, carrier: str, hand: Hand) -> Said:
    """The parcel under another account, with the number that it has there: what is known of it stays."""
    from tracker.cli.show import accounts_of
    from tracker.store.contexts import contexts_of
    from tracker.store.invoices import invoice_of_parcel

    shipment_id = shipment_named(program, what)
    if isinstance(shipment_id, Said):
        return shipment_id
    with program.database.begin_read() as connection:
        context = contexts_of(connection, [shipment_id])[shipment_id]
        invoice = invoice_of_parcel(connection, shipment_id)
    ours = [entry.id for entry in program.settings.carriers_of(context.order.shop)]
    if carrier not in ours:
        return Said(f"--carrier {carrier}: there is no such carrier (known: {', '.join(ours) or 'none'})", 2)
    account = accounts_of(program).get(carrier)
    cnpj = program.settings.shop(context.order.shop).cnpj
    number = _as_asked_by(carrier, account, context, invoice, cnpj)
    if number is None:
        return _no_number_there(shipment_id, carrier, account, context)
    with program.database.begin_write() as connection:
        return _renumber(connection, shipment_id, number, True, hand)


def _as_asked_by(
    carrier: str, account: Account | None, context: ShipmentContext, invoice: InvoiceRow, cnpj: str | None
) -> Number | None:
    """The number that the parcel has, as this account would ask for it; else what its invoice gives."""
    from carriers.base import RefKind, TrackingRef
    from tracker.book import by_invoice
    from tracker.domain.order import Package

    tracking = account.adapter.tracking if account is not None else None
    if account is None or tracking is None:
        return None
    ref, key = None, invoice.key
    if context.tracking_code is not None and context.ref_kind is not None:
        kind = RefKind(context.ref_kind)
        if kind is RefKind.CODE:
            ref = tracking.normalise(context.tracking_code)
        elif kind in tracking.tracking_terms.ref_kinds:
            ref = TrackingRef(kind, context.tracking_code)
        elif kind is RefKind.INVOICE_KEY:
            key = context.tracking_code
    if ref is None:
        ref = by_invoice(account, Package(invoice_key=key, invoice_number=invoice.number), cnpj)
    return _numbered(account, ref) if ref is not None else None


def _numbered(account: Account, ref: TrackingRef) -> Number:
    from carriers.base import TrackingAdapter

    return Number(account.id, account.adapter.NAME, ref, isinstance(account.adapter.tracking, TrackingAdapter))


def _no_number_there(shipment_id: int, carrier: str, account: Account | None, context: ShipmentContext) -> Said:
    """What a person has to name so that the account can follow the parcel."""
    from tracker.book import takes_codes

    code = context.tracking_code
    if account is not None and not takes_codes(account):
        return Said(
            f"{carrier} follows goods by their invoice, and no file named the key of S{shipment_id}'s: give its 44 characters "
            f"(--code KEY --carrier {carrier} --same-parcel)",
            2,
        )
    if code is None:
        return Said(f"S{shipment_id} has no number to ask {carrier} for: name it with --code", 2)
    return Said(
        f"{code} is no code of {carrier}: name the one it has there (--code ... --carrier {carrier} --same-parcel)", 2
    )


@dataclass(frozen=True, slots=True)
class Wanting:
    """An order that wants a parcel: its file named no code, or one that cannot be (`instead_of`)."""

    order: OrderHit
    instead_of: str | None


def _wanting(program: Opened, what: str) -> Wanting | Said | None:
    """The order that is meant, where it wants a parcel; a sentence where that cannot be told, None where it wants none."""
    from tracker.domain.wrong_codes import is_one_of, wrong_codes
    from tracker.reports.identity import parse_id

    given = parse_id(what)
    if given is not None and given.kind == "shipment":
        return None
    hit = order_named(program, what)
    if isinstance(hit, Said):
        return None
    wrong = wrong_codes(hit.originals)
    meant = next((one for one in wrong if is_one_of(what, [one])), None)
    if meant is not None or (hit.shipments == 0 and len(wrong) < 2):
        return Wanting(hit, meant or next(iter(wrong), None))
    return _which_of(program, hit, what, wrong) if wrong else None


def _which_of(program: Opened, order: OrderHit, what: str, wrong: Sequence[str]) -> Said | None:
    """Ask which code is meant, where an order has several, of which one cannot be; None where a parcel's code says it."""
    from tracker.domain.wrong_codes import as_typed, is_one_of
    from tracker.store.contexts import contexts_of, shipments_of_orders

    with program.database.begin_read() as connection:
        contexts = contexts_of(connection, shipments_of_orders(connection, [order.id])[order.id])
    if any(is_one_of(what, [context.tracking_code or ""]) for context in contexts.values()):
        return None
    named = [f"S{one} ({context.tracking_code or 'no code'})" for one, context in contexts.items()]
    named += [f"{as_typed(one)} (cannot be a code)" for one in wrong]
    return Said(f"order {order.number} has several: {', '.join(named)}; name the one that is to be corrected", 2)


def _given_parcel(program: Opened, wanting: Wanting, code: str, carrier: str | None, hand: Hand) -> Said:
    from tracker.cli.show import accounts_of

    ours = [entry.id for entry in program.settings.carriers_of(wanting.order.shop)]
    only = ours[0] if len(ours) == 1 else ""
    number = _number(program, accounts_of(program), wanting.order.shop, code, carrier, only)
    if isinstance(number, Said):
        return number
    with program.database.begin_write() as connection:
        return _add_parcel(connection, wanting, number, hand)


def _add_parcel(connection: Connection, wanting: Wanting, number: Number, hand: Hand) -> Said:
    """The order's parcel, as if its file had named this code; a person says so, and the log keeps it."""
    from tracker.domain.hand import WRONG_NUMBER, ActKind
    from tracker.domain.order import Package
    from tracker.store.contexts import shipments_of_orders
    from tracker.store.order_rows import Parcel
    from tracker.store.orders import add_parcel, mend_wrong_code, owner_of_number
    from tracker.store.wake import wake_order, wake_polling

    order, wrong, value = wanting.order, wanting.instead_of, number.ref.value
    if len(shipments_of_orders(connection, [order.id])[order.id]) != order.shipments:
        return Said(f"order {order.number} got a parcel at this very moment; look at it and correct it again", 1)
    owner = owner_of_number(connection, number.adapter, number.ref)
    if owner is not None:
        return _is_anothers(value, *owner)
    parcel = Parcel(Package(tracking_code=value), number.carrier, number.adapter, number.ref)
    shipment_id = add_parcel(connection, order.shop, order.id, parcel, hand.now)
    if shipment_id is None:
        return Said(f"{value} was given to another order at this very moment; look at it and correct it again", 1)
    if wrong is not None:
        mend_wrong_code(connection, order.id, wrong)
    shown = {"field": "tracking_code", "was": wrong, "now": value}
    facts = {**shown, "imported": wrong, WRONG_NUMBER: False}
    decide(connection, hand, ActKind.EDIT, "shipment", shipment_id, order.shop, "corrected", facts, shown)
    wake_polling(connection, [(shipment_id, number.carrier)], hand.now)
    wake_order(connection, order.id, [shipment_id], hand.now)
    before = "had no parcel" if order.shipments == 0 else f"had no parcel for {wrong}"
    which = "is its first" if order.shipments == 0 else "is one more"
    return Said(
        f"order {order.number} {before}: S{shipment_id} with code {value} {which}, {number.carrier} "
        + ("is asked now" if number.is_asked else "tells of it")
    )


def _is_anothers(code: str | None, shipment_id: int, order: str) -> Said:
    return Said(
        f"{code} is the code of S{shipment_id} (order {order}): correct that one first "
        f"(tracker edit S{shipment_id} --code ..., or --no-code)",
        1,
    )


def _number(
    program: Opened, accounts: Mapping[str, Account], shop: str, code: str, wanted: str | None, current: str
) -> Number | Said:
    """The code as one of the shop's carriers writes it: the one that was named, else the parcel's own, else the only one."""
    ours = [entry.id for entry in program.settings.carriers_of(shop)]
    if wanted is not None and wanted not in ours:
        return Said(f"--carrier {wanted}: there is no such carrier (known: {', '.join(ours) or 'none'})", 2)
    fitting = []
    for name in [wanted] if wanted is not None else ours:
        tracking = accounts[name].adapter.tracking if name in accounts else None
        ref = tracking.normalise(code) if tracking is not None else None
        if ref is not None:
            fitting.append(_numbered(accounts[name], ref))
    own = [number for number in fitting if number.carrier == current]
    found = own or fitting
    if not found:
        return Said(f"{code} is no code of {wanted or ' or '.join(ours)}: check it letter by letter", 2)
    if len({number.adapter for number in found}) > 1:
        names = ", ".join(number.carrier for number in found)
        return Said(f"{code} may be a code of {names}; name one with --carrier", 2)
    return found[0]


def _renumber(connection: Connection, shipment_id: int, number: Number | None, same_parcel: bool, hand: Hand) -> Said:
    from tracker.domain.hand import WRONG_NUMBER, ActKind, edits_of
    from tracker.store.acts import acts_about
    from tracker.store.contexts import contexts_of
    from tracker.store.deadlines import forget
    from tracker.store.histories import set_aside, told_before_move
    from tracker.store.orders import owner_of_number, renumber
    from tracker.store.polls import restart
    from tracker.store.problems import lock_check
    from tracker.store.wake import wake

    lock_check(connection, shipment_id)
    context = contexts_of(connection, [shipment_id])[shipment_id]
    was, now = context.tracking_code, number.ref.value if number is not None else None
    carrier = number.carrier if number is not None else context.carrier
    name = f"S{shipment_id} (order {context.order.number})"
    if was == now and carrier == context.carrier:
        return Said(f"{name} has {'this code' if now else 'no code'} already: nothing to correct")
    owner = owner_of_number(connection, number.adapter, number.ref) if number is not None else None
    if owner is not None and owner[0] != shipment_id:
        return _is_anothers(now, *owner)
    edited = edits_of(acts_about(connection, "shipment", [shipment_id]).get(shipment_id, ()))
    field, old, new = ("tracking_code", was, now) if was != now else ("carrier", context.carrier, carrier)
    before = edited.get(field)
    imported = before.imported if before is not None and before.now == old else old
    shown = {"field": field, "was": old, "now": new}
    facts = {**shown, "imported": imported, WRONG_NUMBER: not same_parcel}
    decide(connection, hand, ActKind.EDIT, "shipment", shipment_id, context.order.shop, "corrected", facts, shown)
    renumber(connection, shipment_id, (number.adapter, number.ref) if number else None, carrier, hand.now)
    if not same_parcel:
        set_aside(connection, shipment_id, hand.now)
        forget(connection, shipment_id)
    elif carrier != context.carrier:
        told_before_move(connection, shipment_id, context.carrier)
    restart(connection, shipment_id, carrier, hand.now)
    # What the right number shows decides; where it shows nothing, what rested on the wrong one must end all the same.
    wake(connection, "detection", [shipment_id], hand.now + SETTLES)
    wake(connection, "claims", [shipment_id], hand.now)
    kept = "what is known of it stays" if same_parcel else f"what {was or 'the old one'} showed is set aside"
    asked = "nobody is asked until it has one"
    if number is not None:
        asked = f"{carrier} is asked now" if number.is_asked else f"{carrier} tells of it"
    if field == "carrier":
        filed = _filed(connection, shipment_id, f"with {context.carrier}: it stays there")
        return Said(f"{name}: {old} -> {new}; {kept}, {asked}{filed}")
    moved = f", {context.carrier} -> {carrier}" if carrier != context.carrier else ""
    filed = _filed(connection, shipment_id)
    return Said(f"{name}: code {was or 'none'} -> {now or 'none'}{moved}; {kept}, {asked}{filed}")


SETTLES: Final = timedelta(minutes=15)
"""So long the right number has to show something before problems that rest on the wrong one are ended."""


def _filed(connection: Connection, shipment_id: int, how: str = "for the old code: tell the carrier") -> str:
    """Claims that the carrier has about the old number, or that the old carrier has."""
    from tracker.store.claims import claims_of_shipments

    filed = [c for c in claims_of_shipments(connection, [shipment_id])[shipment_id] if c.opened_at and not c.closed_at]
    names = ", ".join(f"C{claim.id} {claim.protocol or ''}".strip() for claim in filed)
    return f"; {names} was filed {how}" if names else ""

"""Takes a file that was read into the store: its good orders, its cancellations, and a report on the rest.

A file comes in pieces and a batch of orders is a transaction, so that a large file holds neither memory nor the database.
The file itself is written last, under its content's hash, so that a death in the middle makes the next reading repeat
upserts that change nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Any, BinaryIO, Final, Protocol
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from tracker.domain.order import Direction, FileReading, LineReport, Order, OrderStatus, Package
from tracker.domain.wrong_codes import with_wrong_codes
from tracker.intake.codes import Unfollowed, doubtful_country, wrong_at_carrier
from tracker.intake.options import ReadOptions
from tracker.intake.reader import read_pieces
from tracker.intake.spool import Report, reported
from tracker.store.contexts import shipments_of_orders
from tracker.store.database import Database
from tracker.store.imports import RefusedFile, import_of, newest_refused, save_import
from tracker.store.logs import SignalNote, signal
from tracker.store.new_orders import save_orders
from tracker.store.order_rows import Parcel
from tracker.store.orders import SavedOrder, cancel_by_invoice
from tracker.store.wake import rewake_deadlines, wake, wake_orders, wake_polling, wake_thanks

log = structlog.get_logger(__name__)
BATCH: Final = 200
_PAGE: Final = 1 << 20
NAMED: Final = 20
"""Among so many files, the newest, an alert names those that were refused."""
KEPT_LINES: Final = 10_000
"""Lines of a report that are kept in the store; a file with more faults than that is one fault."""


class Carriers(Protocol):
    """Who carries a package, and by which number (the composition root knows the adapters)."""

    def parcel(self, shop: str, package: Package, options: ReadOptions) -> Parcel | Unfollowed:
        """The package with its carrier, or why it cannot be followed."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Where a file comes from: whose it is, and how it is to be read."""

    shop: str
    timezone: ZoneInfo
    merchant_cnpj: str | None
    options: ReadOptions
    unattended: bool = False
    """Nobody stands beside it: a file that is refused raises an alert."""


@dataclass(frozen=True, slots=True)
class Account:
    """Hears of a file while it is taken: what asks for a person, a line for each order, and how far it has come."""

    faults: Report
    orders: Report
    progress: Callable[[float, int], None] = lambda _share, _orders: None
    """Called with the share of the file that is stored (from 0 to 1) and the orders taken so far."""
    stopping: Callable[[], bool] = lambda: False
    """Whether to put the file down after the batch at hand."""


class PutDownError(Exception):
    """The program stops in the middle of a file: what is stored stays, and reading it again doubles nothing."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file. `duplicate`: the same content was taken before, without a fault."""

    orders: int = 0
    shipments: int = 0
    faults: int = 0
    """Lines that were refused, or taken without something."""
    refused_lines: int = 0
    """Of these, the lines that were refused."""
    lines: tuple[LineReport, ...] = ()
    """What asks for a person, no more than `KEPT_LINES`."""
    refused: str | None = None
    duplicate: bool = False
    new_orders: int = 0
    """Of `orders`, those that were not known before."""


@dataclass(frozen=True, slots=True)
class SavedBatch:
    """What one transaction came to: new shipments and orders, what to mind, and a line for each order."""

    shipments: int
    new_orders: int
    warnings: list[LineReport]
    taken: list[LineReport]


@dataclass(slots=True)
class _Tally:
    """What a file has come to so far."""

    account: Account
    orders: int = 0
    shipments: int = 0
    faults: int = 0
    refused_lines: int = 0
    cancellations: int = 0
    pieces: int = 0
    new_orders: int = 0

    def tell(self, lines: Sequence[LineReport]) -> None:
        refused = sum(line.outcome == "refused" for line in lines)
        self.refused_lines += refused
        self.faults += refused + sum(line.outcome == "warning" for line in lines)
        self.account.faults.add(lines)

    def imported(self, refused: str | None = None) -> Imported:
        lines = tuple(islice(self.account.faults, KEPT_LINES))
        counts = (self.orders, self.shipments, self.faults, self.refused_lines)
        return Imported(*counts, lines, refused, new_orders=self.new_orders)

    def whole(self) -> Imported:
        """The file at its end: one that gave nothing because all of it was refused is refused itself."""
        if self.orders or self.cancellations or not self.refused_lines:
            return self.imported()
        first = next(line.reason for line in self.account.faults if line.outcome == "refused")
        many = f"os {self.refused_lines} registros foram recusados, o primeiro porque:"
        how = "o único registro foi recusado:" if self.refused_lines == 1 else many
        return self.imported(f"Nenhum pedido pôde ser lido: {how} {first}")


@dataclass(frozen=True)
class Importer:
    """Reads and stores one file at a time."""

    database: Database
    carriers: Carriers

    async def take(
        self, name: str, file: BinaryIO, intake: Intake, now: datetime, account: Account | None = None
    ) -> Imported:
        """Take a file, which must stay open and unchanged. Raises TruncatedFile where it may still be being written.

        Raises PutDownError where the account asks to stop.
        """
        content_hash = await asyncio.to_thread(_content_hash, file)
        earlier = await self.database.read(lambda c: import_of(c, intake.shop, content_hash))
        if earlier is not None and earlier.state == "imported" and earlier.faults == 0:
            return Imported(duplicate=True)
        with ExitStack() as stack:
            if account is None:
                account = Account(stack.enter_context(reported()), stack.enter_context(reported()))
            result = await self._store(name, file, intake, now, account)
        await self._record(name, content_hash, intake, result, now)
        return result

    async def refuse(self, name: str, file: BinaryIO, intake: Intake, reason: str, now: datetime) -> Imported:
        """Refuse a file that stayed as it was for too long, as `take` refuses others."""
        result = Imported(refused=reason)
        await self._record(name, await asyncio.to_thread(_content_hash, file), intake, result, now)
        return result

    async def settle(self, intake: Intake, now: datetime) -> None:
        """Files are read again and none was refused: the alert has been heard."""
        await self.database.write(lambda c: signal(c, [refusal_note(intake.shop, [], raised=False)], now))

    async def _record(self, name: str, content_hash: str, intake: Intake, result: Imported, now: datetime) -> None:
        values = _import_values(name, content_hash, intake.shop, result, now)

        def save(connection: Connection) -> None:
            save_import(connection, values)
            if result.refused is not None and intake.unattended:
                this = RefusedFile(name, result.refused)
                others = [one for one in newest_refused(connection, intake.shop, NAMED) if one != this]
                signal(connection, [refusal_note(intake.shop, [this, *others])], now)

        await self.database.write(save)
        if result.refused is not None:
            log.warning("import.refused", shop=intake.shop, file=name, reason=result.refused)
        else:
            counts = {"orders": result.orders, "shipments": result.shipments, "faults": result.faults}
            log.info("import.done", shop=intake.shop, file=name, **counts)

    async def _store(self, name: str, file: BinaryIO, intake: Intake, now: datetime, account: Account) -> Imported:
        pieces = read_pieces(
            name, file, timezone=intake.timezone, merchant_cnpj=intake.merchant_cnpj, options=intake.options
        )
        tally = _Tally(account)
        # Reading is work for a processor: done in a thread, it does not keep the daemon's other lanes waiting.
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            tally.tell(piece.lines)
            if piece.refused is not None:
                return tally.imported(piece.refused)
            await self._store_piece(piece, intake, now, tally)
        return tally.whole()

    async def _store_piece(self, piece: FileReading, intake: Intake, now: datetime, tally: _Tally) -> None:
        stored = 0
        for batch in _batches(piece.orders):
            if tally.account.stopping():
                raise PutDownError
            saved = await self.database.write(partial(self._save, batch=batch, intake=intake, now=now))
            stored += len(batch)
            tally.orders, tally.shipments = tally.orders + len(batch), tally.shipments + saved.shipments
            tally.new_orders += saved.new_orders
            tally.tell(_named(saved.warnings, piece.name))
            tally.account.orders.add(_named(saved.taken, piece.name))
            tally.account.progress((tally.pieces + stored / len(piece.orders)) / piece.pieces, tally.orders)
        for cancellation in piece.cancellations:
            order_id = await self.database.write(
                partial(cancel_by_invoice, shop=intake.shop, cancellation=cancellation, now=now)
            )
            if order_id is not None:
                await self.database.write(partial(_wake_order, order_ids=[order_id], now=now))
        tally.cancellations += len(piece.cancellations)
        tally.pieces += 1

    def _followed(self, order: Order, intake: Intake, lines: list[LineReport]) -> tuple[Order, list[Parcel]]:
        """The order with its packages that a carrier can be asked about; *lines* hears of the others."""
        parcels: list[Parcel] = []
        wrong: list[str] = []
        for package in order.packages:
            if package.direction is Direction.RETURN:
                continue
            doubt = doubtful_country(package.tracking_code, order.address.postal_code)
            if doubt is not None:
                lines.append(_line(order, "warning", doubt))
            parcel = self.carriers.parcel(intake.shop, package, intake.options)
            if isinstance(parcel, Parcel):
                parcels.append(parcel)
            elif parcel.wrong is not None:
                wrong.append(parcel.wrong)
                sentence = wrong_at_carrier(parcel.reason, order.number, parcel.wrong) + parcel.hint
                lines.append(_line(order, "warning", sentence))
            else:
                lines.append(_line(order, "warning", parcel.reason))
        return with_wrong_codes(order, wrong), parcels

    def _save(self, connection: Connection, *, batch: Sequence[Order], intake: Intake, now: datetime) -> SavedBatch:
        lines: list[LineReport] = []
        taken: list[LineReport] = []
        new: list[tuple[int, str]] = []
        changed: list[int] = []
        touched: list[int] = []
        paid: list[int] = []
        new_orders = 0
        wanted = [self._followed(order, intake, lines) for order in batch]
        for (order, parcels), saved in zip(wanted, save_orders(connection, intake.shop, wanted, now), strict=True):
            lines += [
                _line(order, "warning", f"O código {value} já pertence ao pedido {other}; confira qual é o certo.")
                for value, other in saved.taken
            ]
            taken.append(_taken(order, saved))
            new += saved.new_shipments
            new_orders += saved.is_new
            changed += [saved.order_id] if saved.changed and not saved.is_new else []
            # A new order waits for nothing that has its shipment, or neither names a deadline nor was sent.
            may_wait = order.ship_by is not None or order.status is OrderStatus.SHIPPED
            waits = not saved.is_new or (may_wait and not parcels)
            touched += [saved.order_id] if saved.changed and waits else []
            paid += [saved.order_id] if saved.changed and order.status is OrderStatus.PAID else []
        wake_polling(connection, new, now)
        # A parcel that no carrier ever shows has no answer that would wake it.
        wake(connection, "detection", [shipment_id for shipment_id, _ in new], now)
        wake_orders(connection, touched, now)
        wake_thanks(connection, paid, now)
        _wake_order(connection, order_ids=changed, now=now)
        return SavedBatch(len(new), new_orders, lines, taken)


def _named(lines: list[LineReport], name: str) -> list[LineReport]:
    """The lines with the name of their file within an archive."""
    return [replace(line, reason=f"{name}: {line.reason}") for line in lines] if name else lines


def _taken(order: Order, saved: SavedOrder) -> LineReport:
    """What became of an order that was taken."""
    if saved.archived_at is not None:
        ended = f"{saved.archived_at:%d/%m/%Y}"
        return _line(order, "ignored", f"pedido encerrado em {ended} e já retirado do banco; nada mudou")
    new = len(saved.new_shipments)
    parcels = "" if not new else "1 envio novo" if new == 1 else f"{new} envios novos"
    if saved.is_new:
        outcome, what = "imported", parcels or "sem envio por enquanto"
    elif saved.changed:
        outcome, what = "updated", parcels or "dados atualizados"
    else:
        outcome, what = "repeated", "já estava assim"
    return _line(order, outcome, what)


def _line(order: Order, outcome: str, reason: str) -> LineReport:
    """What became of an order, named by its record where all of a file may stand on one line."""
    named = f"Registro {order.record}: {reason}" if order.record else reason
    return LineReport(order.line, order.number, outcome, named, order.place)


def refusal_note(shop: str, files: Sequence[RefusedFile], *, raised: bool = True) -> SignalNote:
    """The shop's alert about files that could not be read; `files` the newest first."""
    summary = "files of orders are read again"
    if files:
        summary = f"{files[0].name} could not be read and lies in refused/: {files[0].reason}"
    details = {"files": [{"file": one.name, "reason": one.reason} for one in files]}
    return SignalNote(f"import_refused:{shop}", "import_refused", "warning", summary, raised, shop, details)


def _wake_order(connection: Connection, *, order_ids: Sequence[int], now: datetime) -> None:
    """A changed promise or a cancelled order changes what is late and what is told."""
    found = shipments_of_orders(connection, order_ids)
    shipments = [shipment_id for ids in found.values() for shipment_id in ids]
    wake(connection, "detection", shipments, now)
    wake(connection, "claims", shipments, now)
    wake(connection, "messages", shipments, now)
    wake_orders(connection, order_ids, now)
    rewake_deadlines(connection, shipments, now)


def _content_hash(file: BinaryIO) -> str:
    file.seek(0)
    found = sha256()
    while page := file.read(_PAGE):
        found.update(page)
    return found.hexdigest()


def _batches(orders: Sequence[Order]) -> Iterator[list[Order]]:
    rest = iter(orders)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _import_values(name: str, content_hash: str, shop: str, result: Imported, now: datetime) -> dict[str, Any]:
    return {
        "shop": shop,
        "content_hash": content_hash,
        "name": name,
        "received_at": now,
        "state": "refused" if result.refused else "imported",
        "orders": result.orders,
        "shipments": result.shipments,
        "faults": result.faults,
        "report": [
            {"line": line.line, "order": line.order_number, "outcome": line.outcome, "reason": line.reason}
            for line in (*_whole_file(result), *result.lines)
        ],
    }


def _whole_file(result: Imported) -> list[LineReport]:
    return [LineReport(0, None, "refused", result.refused)] if result.refused is not None else []

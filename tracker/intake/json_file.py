"""A JSON file of orders: an array, {"orders": [...]}, one order, or one a line (JSON lines).

Each record stands or falls by itself; memory does not grow with the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any, Final, Never
from zoneinfo import ZoneInfo

from tracker.domain.order import FileReading, LineReport, Order
from tracker.intake.decode import repair_double_encoding
from tracker.intake.json_keys import OTHER_KEYS
from tracker.intake.json_orders import OrderReader, OrderRefused, printable
from tracker.intake.json_split import LONGEST_RECORD, ORDERS_KEYS, TOO_LONG, Raw, Splitter, Unreadable
from tracker.intake.options import ReadOptions, TruncatedFile
from tracker.intake.text_file import TextFile

RECORDS_AT_ONCE: Final = 5_000
_LINE_NAMES = (".ndjson", ".jsonl")
_CUT = "O JSON termina no meio; copie o arquivo inteiro para a pasta de novo."
_NOTHING = (
    'O JSON não traz nenhum pedido; envie uma lista de pedidos, {"orders": [...]} ou um pedido por linha (JSON lines).'
)


def read_json(name: str, text: TextFile, *, timezone: ZoneInfo, options: ReadOptions) -> Iterator[FileReading]:
    """Read a JSON file; a large one comes in several pieces. Raises TruncatedFile."""
    is_lines = name.lower().endswith(_LINE_NAMES) or _is_lines(text.head(2))
    try:
        count = sum(1 for _ in _records(text, is_lines))
    except Unreadable as fault:
        yield FileReading(refused=str(fault))
        return
    if not count:
        yield FileReading(refused=_NOTHING)
        return
    reader = OrderReader(timezone, options)
    rest = _records(text, is_lines)
    while batch := list(islice(rest, RECORDS_AT_ONCE)):
        yield _read_batch(batch, reader, -(-count // RECORDS_AT_ONCE))
    if reader.keys.unread:
        yield FileReading(lines=tuple(_unread(reader.keys.unread)))


def _is_lines(head: list[str]) -> bool:
    """Whether the first line is a whole order and more follow, whatever the file's name."""
    if len(head) < 2 or not head[1].strip():
        return False
    try:
        first = json.loads(head[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and not any(isinstance(first.get(key), list) for key in ORDERS_KEYS)


def _records(text: TextFile, is_lines: bool) -> Iterator[Raw]:
    """The records' texts. Raises Unreadable, and TruncatedFile at the end of a text that ends in the middle."""
    if is_lines:
        yield from _line_records(text.lines())
        return
    splitter = Splitter()
    yield from splitter.records(text.pages())
    if splitter.is_open:
        raise TruncatedFile(_CUT)


def _line_records(lines: Iterable[str]) -> Iterator[Raw]:
    filled = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    for index, (number, line) in enumerate(filled, start=1):
        is_long = len(line) > LONGEST_RECORD
        yield Raw(number, index, "" if is_long else line, TOO_LONG if is_long else "")


def _read_batch(batch: list[Raw], reader: OrderReader, pieces: int) -> FileReading:
    orders: list[Order] = []
    reports: list[LineReport] = []
    for raw in batch:
        try:
            order, warnings = reader.read(_loaded(raw), raw.line)
        except OrderRefused as fault:
            reports.append(LineReport(raw.line, fault.number, "refused", f"Registro {raw.nth}: {fault}."))
            continue
        orders.append(replace(order, record=raw.nth))
        if warnings:
            reasons = " ".join(f"Registro {raw.nth}: {warning}." for warning in warnings)
            reports.append(LineReport(raw.line, order.number, "warning", reasons))
    return FileReading(orders=tuple(orders), lines=tuple(reports), pieces=pieces)


def _unread(keys: Mapping[str, int]) -> Iterator[LineReport]:
    """A line for each key that nobody reads."""
    for key, count in keys.items():
        what = "Outras chaves não foram lidas" if key == OTHER_KEYS else f'A chave "{printable(key)[:80]}" não foi lida'
        where = "1 registro" if count == 1 else f"{count} registros"
        reason = f"{what} (em {where}); se faz falta, diga em config.yaml (intake: columns) o que é, ou ignore."
        yield LineReport(0, None, "warning", reason)


def _loaded(raw: Raw) -> Any:
    """The record. Raises OrderRefused."""
    if raw.fault:
        raise OrderRefused(raw.fault)
    try:
        return json.loads(
            repair_double_encoding(raw.text),
            parse_float=Decimal,
            parse_constant=_no_number,
            object_pairs_hook=_without_repeats,
        )
    except json.JSONDecodeError as fault:
        raise OrderRefused(
            f"não é JSON válido (linha {raw.line + fault.lineno - 1}, caractere {fault.colno}); corrija-o e envie de novo"
        ) from fault
    except (RecursionError, ValueError) as fault:
        raise OrderRefused("não é JSON que se possa ler; corrija-o e envie de novo") from fault


def _no_number(word: str) -> Never:
    raise OrderRefused(f"traz {word}, que não é um número; escreva o valor ou null")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise OrderRefused(f'a chave "{printable(twice)[:40]}" aparece duas vezes no mesmo objeto; deixe uma só')
    return found

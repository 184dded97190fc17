"""Files as no merchant would make them: never another error than the two that are agreed, never a record lost in silence.

A few examples in the default run; `FUZZ_MINUTES=10 pytest -m fuzz tests/fuzz` searches for so long a test.
"""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.intake.support import DATA, read
from tests.intake.workbooks import HEADINGS, workbook
from tracker.domain.order import FileReading
from tracker.intake import sheet
from tracker.intake.reader import TruncatedFile

pytestmark = pytest.mark.fuzz
MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
NOTE = (DATA / "nfe" / "01-normal.xml").read_bytes()
BOOK = workbook(
    [
        HEADINGS,
        ["1", "Ana", "01310100", 10.5, "10/11/2026", "AB123456785BR"],
        ["=1+1", None, 1310100, "x", 46336, 3.5e43],
    ]
)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
CELL = st.one_of(
    TEXT, st.sampled_from(['"', ";", "=1+1", "1.580,00", "31/02/2026", "AB123456785BR", "total", "\n", "'", '""'])
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
STORED = st.one_of(st.none(), TEXT, st.integers(), st.floats(), st.booleans(), st.datetimes())
FIELD = st.sampled_from(
    "order_number source_order_id ordered_at promised_date ship_by status total freight customer address recipient items "
    "packages aliases".split()
)


def fuzz(**strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """A few examples, the same each time; or new ones for FUZZ_MINUTES."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    chosen = settings(
        max_examples=500 if MINUTES else 15,
        derandomize=not MINUTES,
        database=None,
        deadline=None,
        suppress_health_check=checks,
    )

    def decorate(test: Callable[..., None]) -> Callable[[], None]:
        search = chosen(given(**strategies)(test))

        def run() -> None:
            end = time.monotonic() + MINUTES * 60
            search()
            while time.monotonic() < end:
                search()

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return decorate


def answer(data: bytes, name: str) -> FileReading | None:
    """What became of a file; None where it is waited for."""
    try:
        reading = read(data, name)
    except TruncatedFile as fault:
        assert fault.reason
        return None
    check(reading)
    return reading


def check(reading: FileReading) -> None:
    """What holds of every reading: each refusal has a sentence, and all of it can be stored and shown."""
    assert reading.refused is None or (reading.refused.endswith(".") and reading.orders == ())
    for line in reading.lines:
        assert line.reason.strip() and line.outcome in {"refused", "warning", "ignored", "imported"}
    for order in reading.orders:
        assert 0 < len(order.number) <= 80
        assert order.total_cents is None or 0 <= order.total_cents < 2**63
        for text in (order.number, order.customer.name, order.address.street, *(text for _, text in order.originals)):
            assert text is None or ("\x00" not in text and text.encode("utf-8"))


def damaged(data: bytes, places: list[int], bits: bytes) -> bytes:
    changed = bytearray(data)
    for place, bit in zip(places, bits, strict=False):
        changed[place % len(changed)] = bit
    return bytes(changed)


DAMAGE = {"places": st.lists(st.integers(0, 10**6), max_size=12), "bits": st.binary(min_size=12, max_size=12)}


@fuzz(rows=st.lists(st.lists(CELL, min_size=1, max_size=8), max_size=12), delimiter=st.sampled_from(";,\t|"))
def test_csv_of_any_cells(rows: list[list[str]], delimiter: str) -> None:
    lines = [delimiter.join(["Pedido", "Cliente", "CEP"]), *(delimiter.join(row) for row in rows)]
    answer("\n".join(lines).encode(), "p.csv")


@fuzz(data=st.binary(max_size=3000), name=st.sampled_from(["p.csv", "p.xlsx", "p.json", "p.jsonl", "n.xml", "z.zip"]))
def test_any_bytes_under_any_name(data: bytes, name: str) -> None:
    answer(data, name)


@fuzz(rows=st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=60), parts=st.integers(1, 7))
def test_no_row_of_a_csv_is_lost(rows: list[tuple[int, bool]], parts: int) -> None:
    """Every row is an item of its order or a line of the report, in however many parts the file is read."""
    text = "Pedido;Cliente;Produto\n" + "".join(
        f"{number};Ana;p{place}\n" if is_good else f'{number};"Ana;p{place}\n'
        for place, (number, is_good) in enumerate(rows)
    )
    before, sheet.ROWS_AT_ONCE = sheet.ROWS_AT_ONCE, parts
    try:
        reading = read(text)
    finally:
        sheet.ROWS_AT_ONCE = before
    check(reading)
    items = {item.name for order in reading.orders for item in order.items}
    told = {line.line for line in reading.lines if line.outcome == "refused"}
    for place in range(len(rows)):
        assert f"p{place}" in items or place + 2 in told
    assert len({order.number for order in reading.orders}) == len(reading.orders)


@fuzz(rows=st.lists(st.lists(STORED, max_size=8), max_size=8))
def test_workbooks_of_any_cells(rows: list[list[Any]]) -> None:
    try:
        data = workbook([HEADINGS, *rows])
    except Exception:  # the library does not write every value; what it writes is what is tried
        assume(False)
        raise
    answer(data, "p.xlsx")


@fuzz(part=st.integers(0, 20), **DAMAGE)
def test_workbooks_with_damaged_parts(part: int, places: list[int], bits: bytes) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as source, zipfile.ZipFile(target, "w") as out:
        entries = source.infolist()
        for place, entry in enumerate(entries):
            content = source.read(entry)
            is_hit = place == part % len(entries) and content
            out.writestr(entry.filename, damaged(content, places, bits) if is_hit else content)
    answer(target.getvalue(), "p.xlsx")


@fuzz(**DAMAGE)
def test_damaged_workbooks(places: list[int], bits: bytes) -> None:
    answer(damaged(BOOK, places, bits), "p.xlsx")


@fuzz(records=st.lists(st.dictionaries(FIELD, JSON, max_size=8), min_size=1, max_size=6), is_lines=st.booleans())
def test_no_record_of_json_is_lost(records: list[dict[str, Any]], is_lines: bool) -> None:
    """Every record is an order or a refused line."""
    text = "\n".join(map(json.dumps, records)) if is_lines else json.dumps(records)
    reading = answer(text.encode(), "p.jsonl" if is_lines else "p.json")
    assert reading is not None and reading.refused is None
    refused = sum(line.outcome == "refused" for line in reading.lines)
    assert len(reading.orders) + refused == len(records)


@fuzz(value=JSON, cut=st.integers(0, 400), **DAMAGE)
def test_damaged_json(value: Any, cut: int, places: list[int], bits: bytes) -> None:
    data = json.dumps({"orders": [{"order_number": "1", "customer": value}, value]}).encode()
    answer(damaged(data[: len(data) - cut] or data, places[:3], bits), "p.json")


@fuzz(cut=st.integers(0, 4000), **DAMAGE)
def test_damaged_notes(cut: int, places: list[int], bits: bytes) -> None:
    answer(damaged(NOTE[: len(NOTE) - cut] or NOTE, places[:4], bits), "n.xml")


@fuzz(text=TEXT, tag=st.sampled_from(["xNome", "email", "CEP", "fone", "infCpl", "vNF", "xPed", "dhEmi", "qCom", "UF"]))
def test_notes_of_any_texts(text: str, tag: str) -> None:
    note = NOTE.decode()
    start = note.find(f"<{tag}>")
    assume(start >= 0)
    end = note.find(f"</{tag}>", start)
    safe = "".join(char for char in text if char.isprintable()).replace("&", "&amp;").replace("<", "&lt;")
    reading = answer((note[: start + len(tag) + 2] + safe + note[end:]).encode(), "n.xml")
    assert reading is not None and (len(reading.orders) == 1 or reading.refused)

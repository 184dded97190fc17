"""Whatever bytes come in, the answer is a reading or a request for patience, never another error."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.intake.support import DATA, read
from tracker.domain.order import FileReading
from tracker.intake.reader import TruncatedFile

SAMPLES = sorted(
    path
    for folder in ("csv", "nfe", "dropfolder")
    for path in (DATA / folder).iterdir()
    if not path.name.endswith(".json")
)
HEADER = "pedido;data;cliente;email;telefone;cpf;cep;uf;valor;quantidade;sku;status;chave;nf;frete;rastreio;previsao\n"


def answer(data: bytes, name: str) -> FileReading | None:
    with contextlib.suppress(TruncatedFile):
        return read(data, name)
    return None


@given(st.binary(max_size=2000), st.sampled_from(["a.csv", "a.xml", "a.zip", "a.json"]))
def test_any_bytes(data: bytes, name: str) -> None:
    reading = answer(data, name)
    assert reading is None or isinstance(reading, FileReading)


@given(st.lists(st.text(max_size=12), min_size=17, max_size=17))
def test_any_cells(cells: list[str]) -> None:
    reading = read(HEADER + ";".join(cells) + "\n")
    assert len(reading.orders) <= 1
    assert all(line.reason for line in reading.lines)


@given(st.lists(st.text("0123456789.,-/:eE +TZh%BR", max_size=14), min_size=17, max_size=17))
def test_cells_that_look_like_values(cells: list[str]) -> None:
    for order in read(HEADER + ";".join(cells) + "\n").orders:
        assert order.ordered_at is None or order.ordered_at.utcoffset() is not None
        assert order.total_cents is None or 0 <= order.total_cents < 2**63


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@settings(max_examples=settings().max_examples // 4)
@given(data=st.data())
def test_samples_with_damage(path: Path, data: st.DataObject) -> None:
    original = path.read_bytes()
    start = data.draw(st.integers(0, len(original) - 1))
    damage = data.draw(st.binary(max_size=8))
    damaged = original[:start] + damage + original[start + data.draw(st.integers(0, 8)) :]
    reading = answer(damaged, path.name)
    assert reading is None or all(order.number for order in reading.orders)

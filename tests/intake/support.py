"""Shorthands for reading test files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tracker.domain.order import FileReading
from tracker.intake.reader import ReadOptions, read_file

DATA = Path(__file__).parent.parent / "data"
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def expected(folder: str) -> dict[str, Any]:
    """The table of what the recorded files of a folder become."""
    loaded: dict[str, Any] = json.loads((DATA / folder / "_expected.json").read_text(encoding="utf-8"))
    return loaded


def read(
    data: bytes | str, name: str = "pedidos.csv", *, merchant_cnpj: str | None = None, **options: Any
) -> FileReading:
    raw = data.encode() if isinstance(data, str) else data
    return read_file(name, raw, timezone=SAO_PAULO, merchant_cnpj=merchant_cnpj, options=ReadOptions(**options))


def read_sample(folder: str, name: str, **keywords: Any) -> FileReading:
    return read((DATA / folder / name).read_bytes(), name, **keywords)


def outcomes(reading: FileReading) -> list[tuple[int, str | None, str]]:
    return [(line.line, line.order_number, line.outcome) for line in reading.lines]

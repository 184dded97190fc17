"""Workbooks for tests: real ones written by the library, and damaged ones made of their parts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

from openpyxl import Workbook

HEADINGS = ["Pedido", "Cliente", "CEP", "Valor total", "Data do pedido", "Código de rastreio"]


def workbook(rows: Iterable[Iterable[Any]], *, change: Callable[[Workbook], None] | None = None) -> bytes:
    """A workbook with one sheet of these rows; `change` does the rest to it."""
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    if change is not None:
        change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def rewritten(data: bytes, **parts: Callable[[bytes], bytes]) -> bytes:
    """The same zip with some parts changed; a part is named by the end of its file's name without extension."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in source.infolist():
            content = source.read(entry)
            for name, change in parts.items():
                if entry.filename.rpartition("/")[2].split(".")[0] == name:
                    content = change(content)
            out.writestr(entry.filename, content)
    return target.getvalue()

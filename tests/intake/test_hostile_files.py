"""Files made to harm, or so damaged that they might: each has its one clear sentence, and the others still go in."""

from __future__ import annotations

import csv
import io
import json
import struct
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.end_to_end.support import Start, at, day
from tests.intake.support import DATA
from tests.intake.test_folder_store import take
from tests.intake.test_reader import locked, zipped
from tests.intake.workbooks import HEADINGS, rewritten, workbook
from tracker.store.tables import Order

NOW = at(day(2), 9)
GOOD = b"Pedido;Cliente;E-mail\n7777;Ana;ana@example.com\n"
NOTE = (DATA / "nfe" / "01-normal.xml").read_bytes()
ROW = ["1", "Ana", "01310100", 10.5, "10/11/2026", "AB123456785BR"]
NOISE = bytes(number for number in range(1, 256)) * 40
"""Without a NUL, as it may be in a picture: nothing but its beginning says that it is no text."""
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><NFe>&j;</NFe>"
)
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><nfeProc>&x;</nfeProc>'


def book(**parts: Callable[[bytes], bytes]) -> bytes:
    return rewritten(workbook([HEADINGS, ROW]), **parts)


def with_part(name: str, content: bytes, times: int = 1) -> bytes:
    """A workbook with one more part."""
    target = io.BytesIO(book())
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as stream:
        for _ in range(times):
            stream.write(content)
    return target.getvalue()


def claiming(data: bytes, size: int) -> bytes:
    """The zip whose first entry is said to unpack to so many bytes."""
    marked = bytearray(data)
    place = marked.index(b"PK\x01\x02")
    marked[place + 24 : place + 28] = struct.pack("<I", size)
    return bytes(marked)


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@dataclass(frozen=True)
class Hostile:
    """A file, and what the sentence on it must say; `lines`: it is taken, and the sentence is on a line of it."""

    name: str
    data: Callable[[], bytes]
    says: str
    lines: bool = False


HOSTILE = {
    # --- bytes that are none of it
    "nothing": Hostile("p.csv", lambda: b"", "está vazio"),
    "only blanks": Hostile("p.csv", lambda: b" \r\n\t\r\n" * 5000, "está vazio"),
    "only NULs": Hostile("p.csv", lambda: bytes(100_000), "está vazio"),
    "NULs inside": Hostile("p.csv", lambda: b"pedido;cliente;cep\n1;A\x00na;01310100\n", "não é texto"),
    "noise": Hostile("p.csv", lambda: bytes(range(256)) * 400, "não é texto"),
    "a program": Hostile("p.csv", lambda: b"MZ\x90\x00" + bytes(500), "não é texto"),
    "a program named workbook": Hostile("p.xlsx", lambda: b"MZ\x90\x00" + bytes(500), "não é uma planilha XLSX"),
    "words named workbook": Hostile("p.XLSX", lambda: b"isto nao e uma planilha\n" * 40, "não é uma planilha XLSX"),
    "a photograph": Hostile("foto.jpg", lambda: b"\xff\xd8\xff\xe0\x10JFIF\x01;\n" + NOISE, "imagem JPEG"),
    "a screenshot": Hostile("p.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(500), "imagem PNG"),
    "a moving picture": Hostile("p.gif", lambda: b"GIF89a\x01;\n" + NOISE, "imagem GIF"),
    "a picture of a web page": Hostile("p.webp", lambda: b"RIFF\x24\x10\x01\x01WEBPVP8 \n" + NOISE, "imagem WebP"),
    "a photograph of an iPhone": Hostile("p.heic", lambda: b"\x00\x00\x00\x18ftypheic\x00\n" + NOISE, "imagem HEIC"),
    "a photograph named workbook": Hostile("p.xlsx", lambda: b"\xff\xd8\xff\xe1\x10Exif;\n" + NOISE, "imagem JPEG"),
    "a printed page": Hostile("p.xlsx", lambda: b"%PDF-1.7\n", "PDF"),
    "a gzip": Hostile("p.csv", lambda: b"\x1f\x8b\x08\x00" + bytes(20), "gzip"),
    "a RAR named zip": Hostile("notas.zip", lambda: b"Rar!\x1a\x07\x00", "RAR"),
    "a page named workbook": Hostile("p.xls", lambda: b"<html><body><table><tr><td>1</td></tr>", "HTML"),
    # --- CSV
    "a line of 50 MB": Hostile("p.csv", lambda: b"x" * 50_000_000, "cabeçalho"),
    "a cell of 5 MB": Hostile(
        "p.csv", lambda: b"pedido;cliente;cep\n1;" + b"x" * 5_000_000 + b";1\n", "longa demais", lines=True
    ),
    "a quote that never closes": Hostile(
        "p.csv",
        lambda: b'pedido;cliente;cep\n1;"Ana;01310100\n' + b"2;Bia;01310100\n" * 2000,
        "aspas abertas",
        lines=True,
    ),
    "a million delimiters": Hostile(
        "p.csv", lambda: b"pedido;cliente;cep\n" + b"1" + b";x" * 90_000 + b"\n", "células", True
    ),
    "no header": Hostile("p.csv", lambda: b"a;b;c\n1;2;3\n", "cabeçalho"),
    "a header without an order": Hostile("p.csv", lambda: b"cliente;cidade;uf\nAna;Rio;RJ\n", "número do pedido"),
    "a number in scientific notation": Hostile(
        "p.csv", lambda: b"pedido;cliente;cep\n3,5E+43;A;\n", "perdeu algarismos", True
    ),
    "a formula as code": Hostile(
        "p.csv", lambda: b"pedido;cliente;rastreio\n1;A;\"=cmd|' /C calc'!A0\"\n", "não tem forma de código", True
    ),
    "an order number of 100 KB": Hostile(
        "p.csv", lambda: b"pedido;cliente;cep\n" + b"9" * 100_000 + b";A;\n", "longo demais", True
    ),
    "two orders under one number": Hostile(
        "p.csv", lambda: b"pedido;cliente;cep\n1;Ana;01310100\n1;Bia;20040002\n", "com outro cliente", True
    ),
    # --- workbooks
    "an old workbook": Hostile(
        "p.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "XLS, do Excel antigo"
    ),
    "a workbook with a password": Hostile(
        "p.xlsx",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le") + bytes(99),
        "protegida por senha",
    ),
    "parts with a password": Hostile("p.xlsx", lambda: locked(book()), "protegida por senha"),
    "a binary workbook": Hostile("p.xlsb", lambda: with_part("xl/workbook.bin", b"x"), "XLSB"),
    "a sheet of LibreOffice": Hostile(
        "p.ods", lambda: zipped(("mimetype", b"x"), ("content.xml", b"<x/>")), "LibreOffice"
    ),
    "a letter": Hostile(
        "p.xlsx", lambda: zipped(("[Content_Types].xml", b""), ("word/document.xml", b"")), "não uma planilha"
    ),
    "a workbook of nothing": Hostile(
        "p.xlsx", lambda: zipped(("[Content_Types].xml", b""), ("xl/x.xml", b"")), "corrompida"
    ),
    "a bomb of a sheet": Hostile(
        "p.xlsx", lambda: with_part("xl/worksheets/sheet9.xml", b" " * 1_000_000, 210), "passa de 200 MB"
    ),
    "a bomb of texts": Hostile(
        "p.xlsx", lambda: with_part("xl/sharedStrings9.xml", b" " * 1_000_000, 61), "passa de 200 MB"
    ),
    "laughs in a sheet": Hostile("p.xlsx", lambda: book(sheet1=lambda _: LAUGHS), "DOCTYPE ou ENTITY"),
    "laughs in the texts": Hostile("p.xlsx", lambda: with_part("xl/sharedStrings.xml", LAUGHS), "DOCTYPE ou ENTITY"),
    "an entity in UTF-16": Hostile(
        "p.xlsx", lambda: book(workbook=lambda _: EXTERNAL.decode().encode("utf-16")), "DOCTYPE ou ENTITY"
    ),
    "half a workbook": Hostile("p.xlsx", lambda: book()[:1500], "termina no meio"),
    "half a sheet": Hostile("p.xlsx", lambda: book(sheet1=lambda xml: xml[:-200]), "corrompida"),
    "a cell of no column": Hostile(
        "p.xlsx", lambda: book(sheet1=lambda xml: xml.replace(b'r="A1"', b'r="AAAA1"')), "corrompida"
    ),
    "a date beyond the calendar": Hostile(
        "p.xlsx", lambda: workbook([HEADINGS, [*ROW[:4], 99_999_999, ""]]), "não é uma data", lines=True
    ),
    # --- JSON
    "deep JSON": Hostile("p.json", lambda: deep(1_000_000), "uns dentro dos outros"),
    "a deep record": Hostile("p.json", lambda: deep(100), "uns dentro dos outros", lines=True),
    "JSON that closes too much": Hostile(
        "p.json", lambda: b'[{"order_number": "1"}]]', "fecha-se o que não foi aberto"
    ),
    "a record of 50 MB": Hostile(
        "p.json", lambda: b'[{"order_number": "' + b"9" * 50_000_000 + b'"}]', "longo demais", True
    ),
    "NaN": Hostile("p.json", lambda: b'[{"order_number": "1", "total": NaN}]', "NaN", lines=True),
    "a key twice": Hostile("p.json", lambda: b'[{"order_number": "1", "order_number": "2"}]', "duas vezes", lines=True),
    "a number of a million digits": Hostile(
        "p.json", lambda: b'[{"order_number": ' + b"9" * 100_000 + b"}]", "não é JSON que se possa ler", lines=True
    ),
    "a number beyond all": Hostile(
        "p.json", lambda: b'[{"order_number": "1", "total": 1e999999}]', "não é um valor", lines=True
    ),
    "no orders in it": Hostile("p.json", lambda: b'"pedidos"', "não é um objeto", lines=True),
    "an empty list": Hostile("p.json", lambda: b"[]", "nenhum pedido"),
    "JSON lines, one broken": Hostile(
        "p.jsonl", lambda: b'{"order_number": "1"}\n{"order', "não é JSON válido", lines=True
    ),
    "JSON of something else": Hostile(
        "p.json", lambda: json.dumps({"a": {"b": [1]}}).encode(), "order_number", lines=True
    ),
    # --- NF-e
    "laughs": Hostile("n.xml", lambda: LAUGHS, "DOCTYPE ou ENTITY"),
    "a file of the machine": Hostile("n.xml", lambda: EXTERNAL, "DOCTYPE ou ENTITY"),
    "an entity in other letters": Hostile("n.xml", lambda: EXTERNAL.decode().encode("utf-16"), "DOCTYPE ou ENTITY"),
    "a note of 3 MB": Hostile("n.xml", lambda: NOTE.replace(b"<xProd>", b"<xProd>" + b"x" * 3_000_000), "2 MB"),
    "a note with a wrong key": Hostile("n.xml", lambda: NOTE.replace(b'Id="NFe35', b'Id="NFe36'), "chave da NF-e"),
    "another document": Hostile("n.xml", lambda: b"<cteProc/>", "CT-e"),
    "XML that is wrong": Hostile("n.xml", lambda: b"<nfeProc><a></b></nfeProc>", "corrompido"),
    # --- zips
    "a zip that climbs": Hostile("z.zip", lambda: zipped(("../../etc/cron.d/x.xml", NOTE)), "fora dele"),
    "a zip with a drive": Hostile("z.zip", lambda: zipped(("C:\\x.xml", NOTE)), "fora dele"),
    "a zip in a zip in a zip": Hostile(
        "z.zip", lambda: zipped(("b.zip", zipped(("a.zip", zipped(("n.xml", NOTE)))))), "zip dentro"
    ),
    "a zip named XML in a zip": Hostile("z.zip", lambda: zipped(("b.xml", zipped(("n.xml", NOTE)))), "zip dentro"),
    "a zip with a password": Hostile("z.zip", lambda: locked(zipped(("n.xml", NOTE))), "senha"),
    "a zip bomb": Hostile("z.zip", lambda: zipped(*((f"{n}.csv", bytes(50_000_000)) for n in range(5))), "200 MB"),
    "a zip of many": Hostile("z.zip", lambda: zipped(*((f"{n}.xml", b"") for n in range(2001))), "2.000"),
    "a zip that lies about sizes": Hostile("z.zip", lambda: claiming(zipped(("n.xml", NOTE)), 50), "corrompido"),
    "half a zip": Hostile("z.zip", lambda: zipped(("n.xml", NOTE))[:300], "termina no meio"),
    "an empty zip": Hostile("z.zip", lambda: zipped(), "não tem nenhum"),
    "a workbook's bomb in a zip": Hostile(
        "z.zip",
        lambda: zipped(("p.xlsx", book(sheet1=lambda _: LAUGHS))),
        "DOCTYPE ou ENTITY",
        lines=True,
    ),
}
"""Idea -> the file."""
SLOWEST_S = 60.0  # on a busy machine; none takes more than some seconds alone


@pytest.mark.parametrize("idea", HOSTILE)
def test_one_sentence_and_the_others_go_in(idea: str, start: Start) -> None:
    hostile = HOSTILE[idea]
    trial = start()
    trial.drop(hostile.name, hostile.data())
    trial.drop("zz-bom.csv", GOOD)
    began = time.monotonic()
    assert take(trial) == 2
    assert time.monotonic() - began < SLOWEST_S
    assert "7777" in {row["number"] for row in trial.rows(Order)}
    if hostile.lines:
        name = f"{hostile.name}.resultado.csv"
        (report,) = (path for where in ("done", "refused") for path in (trial.inbox / where).glob(name))
        told = io.StringIO(report.read_text("utf-8-sig"))
        reasons = [
            row["motivo"] for row in csv.DictReader(told, delimiter=";") if row["resultado"] in {"recusado", "aviso"}
        ]
        assert len(reasons) >= 1 and any(hostile.says in reason for reason in reasons)
    else:
        reason = (trial.inbox / "refused" / f"{hostile.name}.reason.txt").read_text("utf-8")
        assert hostile.says in reason
        assert reason.endswith(".\n") and "\n" not in reason[:-1] and len(reason) < 400


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(HOSTILE) >= 45

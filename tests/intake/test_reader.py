"""What a file is, is told by its content."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.intake.support import DATA, outcomes, read
from tracker.intake import archive
from tracker.intake.reader import TruncatedFile

NOTE = (DATA / "nfe" / "01-normal.xml").read_bytes()
RETURN = (DATA / "nfe" / "06-return-finNFe4.xml").read_bytes()
EVENT = (DATA / "nfe" / "08-event-cancellation.xml").read_bytes()
CSV = b"pedido;cliente;cep\n1;Ana;01310100\n"


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, data in entries:
            target.writestr(name, data)
    return buffer.getvalue()


def locked(data: bytes) -> bytes:
    """The archive with its first entry marked as encrypted."""
    marked = bytearray(data)
    marked[6] |= 1
    marked[marked.index(b"PK\x01\x02") + 8] |= 1
    return bytes(marked)


def misplaced(data: bytes) -> bytes:
    """The archive whose directory is said to begin later than it does, which puts the entry at a negative place."""
    marked = bytearray(data)
    end = marked.rindex(b"PK\x05\x06")
    marked[end + 16 : end + 20] = (int.from_bytes(marked[end + 16 : end + 20], "little") + 42).to_bytes(4, "little")
    return bytes(marked)


WHOLE = zipped(("nota.xml", NOTE), method=zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    "name", ["pedidos.csv", "pedidos.xls", "pedidos.xlsx", "pedidos.txt", "pedidos", "pedidos.xml"]
)
def test_a_csv_under_any_name(name: str) -> None:
    assert read(CSV, name).orders[0].number == "1"


@pytest.mark.parametrize("name", ["nota.xml", "nota.txt", "nota.csv"])
def test_a_note_under_any_name(name: str) -> None:
    assert read(NOTE, name).orders[0].number == "10234"


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        pytest.param(b"", "pedidos.csv", "vazio", id="empty"),
        pytest.param(b"\xef\xbb\xbf", "pedidos.csv", "cabeçalho", id="only a byte order mark"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "pedidos.xls", "planilha XLS", id="old binary workbook"),
        pytest.param(b"%PDF-1.7", "danfe.pdf", "PDF", id="a printed note"),
        pytest.param(b"Rar!\x1a", "notas.zip", "RAR", id="another archive"),
        pytest.param(b"<html><table>", "pedidos.xls", "HTML", id="a page named as workbook"),
        pytest.param(b"abc\x00\x01\x02def", "pedidos.csv", "não é texto", id="binary"),
    ],
)
def test_what_is_not_read_says_what_to_do(data: bytes, name: str, reason: str) -> None:
    reading = read(data, name)
    assert reading.orders == ()
    assert reason in str(reading.refused)


def test_an_empty_note_may_still_be_being_written() -> None:
    with pytest.raises(TruncatedFile):
        read(b"", "nota.xml")


class TestZip:
    def test_notes_events_and_the_rest(self) -> None:
        reading = read(
            zipped(
                ("2026/11/nota.xml", NOTE),
                ("2026/11/devolucao.XML", RETURN),
                ("2026/11/cancelamento.xml", EVENT),
                ("2026/11/nota.pdf", b"%PDF"),
                ("2026/11/metade.xml", NOTE[:900]),
                ("__MACOSX/._nota.xml", b"\x00"),
            ),
            "novembro.zip",
        )
        assert [order.number for order in reading.orders] == ["10234"]
        assert len(reading.cancellations) == 1
        assert outcomes(reading) == [(2, None, "refused"), (4, None, "ignored"), (5, None, "refused")]
        assert reading.lines[0].reason.startswith("2026/11/devolucao.XML: A nota é de devolução")

    @pytest.mark.parametrize("name", ["../nota.xml", "/etc/nota.xml", "..\\nota.xml", "C:\\nota.xml", "a/../../n.xml"])
    def test_names_that_point_elsewhere(self, name: str) -> None:
        reading = read(zipped((name, NOTE)), "notas.zip")
        assert reading.orders == ()
        assert "fora dele" in str(reading.refused)

    def test_too_many_entries(self) -> None:
        data = zipped(*((f"{number}.xml", b"") for number in range(archive.MAX_ENTRIES + 1)))
        assert "2.000" in str(read(data, "notas.zip").refused)

    def test_a_bomb(self) -> None:
        data = zipped(*((f"{number}.xml", b" " * 50_000_000) for number in range(5)))
        assert len(data) < 1_000_000
        assert "200 MB" in str(read(data, "notas.zip").refused)

    def test_one_entry_that_is_too_large(self) -> None:
        reading = read(zipped(("grande.xml", b" " * 50_000_000), ("nota.xml", NOTE)), "notas.zip")
        assert [order.number for order in reading.orders] == ["10234"]
        assert "2 MB" in reading.lines[0].reason

    def test_a_zip_inside_is_not_opened_and_said_to_be_missing(self) -> None:
        reading = read(zipped(("dentro.zip", zipped(("nota.xml", NOTE))), ("nota.xml", NOTE)), "notas.zip")
        assert len(reading.orders) == 1
        assert outcomes(reading) == [(1, None, "refused")]
        assert "zip dentro do zip" in reading.lines[0].reason

    def test_nothing_to_read(self) -> None:
        assert "nenhum XML" in str(read(zipped(("pedidos.pdf", CSV)), "pedidos.zip").refused)

    def test_files_of_every_kind_in_one_zip(self) -> None:
        """Each line is named by its own file; lines of one table keep their own numbers."""
        bad = b"pedido;cliente;cep\n2;Bia;01310100\n;sem nada;01310100\n"
        record = b'[{"order_number": "3"}, {"customer": {}}]'
        book = (DATA / "dropfolder" / "orders.xlsx").read_bytes()
        reading = read(
            zipped(("a.csv", CSV), ("b.csv", bad), ("c.json", record), ("d/e.xlsx", book), ("f.xml", NOTE)), "lote.zip"
        )
        assert [order.number for order in reading.orders] == [
            "1",
            "2",
            "3",
            "10234",
            "10235",
            "10236",
            "10245",
            "10234",
        ]
        assert [(line.place, line.line, line.outcome) for line in reading.lines] == [
            (2, 3, "refused"),
            (3, 1, "refused"),
        ]
        assert reading.lines[0].reason.startswith("b.csv: A linha não tem número")
        assert reading.lines[1].reason.startswith("c.json: Registro 2: order_number")

    def test_a_table_that_is_refused_costs_itself_alone(self) -> None:
        reading = read(zipped(("notas.csv", b"a;b\n1;2\n"), ("pedidos.csv", CSV)), "lote.zip")
        assert [order.number for order in reading.orders] == ["1"]
        assert outcomes(reading) == [(1, None, "refused")]

    def test_larger_than_allowed(self) -> None:
        data = zipped(("nota.xml", NOTE)) + b"\x00" * archive.MAX_ZIP_BYTES
        assert "20 MB" in str(read(data, "notas.zip").refused)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            pytest.param(WHOLE[: len(WHOLE) // 2], "termina no meio", id="half of it"),
            pytest.param(WHOLE[:-30], "termina no meio", id="without its end"),
            pytest.param(b"", "vazio", id="nothing of it"),
            pytest.param(
                WHOLE.replace(b"PK\x01\x02", b"PK\x07\x07"), "corrompido e não pode ser aberto", id="a broken directory"
            ),
            pytest.param(
                WHOLE.replace(NOTE[200:260], bytes(60)),
                "Nenhum arquivo do zip pode ser lido",
                id="broken entries alone",
            ),
            pytest.param(
                misplaced(WHOLE), "Nenhum arquivo do zip pode ser lido", id="an entry before the file's beginning"
            ),
            pytest.param(zipped(("a.xml", NOTE[:900])), "Nenhum arquivo do zip pode ser lido", id="half a note alone"),
            pytest.param(locked(WHOLE), "protegido por senha", id="a password on everything"),
            pytest.param(zipped(("notas.ZIP", WHOLE)), "zip dentro do zip", id="a zip within the zip alone"),
            pytest.param(zipped(), "nenhum XML", id="no entry at all"),
            pytest.param(zipped(("nota.pdf", b"%PDF")), "nenhum XML", id="no XML"),
        ],
    )
    def test_an_archive_without_anything_to_read_is_refused_as_a_whole(self, data: bytes, reason: str) -> None:
        reading = read(data, "notas.zip")
        assert (reading.orders, reading.lines) == ((), ())
        assert reason in str(reading.refused) and ";" in str(reading.refused)

    def test_notes_that_are_refused_for_what_they_say_are_reported_one_by_one(self) -> None:
        reading = read(zipped(("devolucao.xml", RETURN)), "notas.zip")
        assert reading.refused is None
        assert outcomes(reading) == [(1, None, "refused")]

    def test_damage_inside_costs_one_entry(self) -> None:
        data = bytearray(zipped(("a.xml", NOTE), ("b.xml", NOTE), method=zipfile.ZIP_STORED))
        data[len(NOTE) // 2] ^= 0xFF
        reading = read(bytes(data), "notas.zip")
        assert len(reading.orders) == 1
        assert "corrompido" in reading.lines[0].reason

    def test_a_password_on_one_entry(self) -> None:
        reading = read(locked(zipped(("a.xml", NOTE), ("b.xml", NOTE))), "notas.zip")
        assert len(reading.orders) == 1
        assert "senha" in reading.lines[0].reason

"""Code tables: codes before texts, negatives before what they contain, faults by line."""

from __future__ import annotations

import pytest

from carriers.base import Cause, CodeWord, TrackingStatus
from carriers.codes import UNKNOWN, normal, parse, road_words

HEAD = "match,text,status,cause,final,confirmed,source\n"
TABLE = parse(
    HEAD
    + "01,MERCADORIA ENTREGUE,delivered,,yes,yes,x\n"
    + "50,FALTA DE MERCADORIA,lost,loss,no,yes,x\n"
    + "60,,lost,loss,no,no,x\n"
).with_words(road_words())
Status = TrackingStatus


@pytest.mark.parametrize(
    ("code", "text", "status", "by_words"),
    [
        ("01", "FALTA DE MERCADORIA", Status.DELIVERED, False),
        ("", "Mercadoria  entregue", Status.DELIVERED, True),
        ("", "MERCADORIA NAO ENTREGUE", Status.DELIVERY_FAILED, True),
        ("", "Não entregue", Status.DELIVERY_FAILED, True),
        ("", "Entregue no parceiro", Status.IN_TRANSIT, True),
        ("", "EXTRAVIO DE DOCUMENTO", Status.EXCEPTION, True),
        ("", "Mercadoria extraviada", Status.LOST, True),
        ("", "Veículo avariado", Status.EXCEPTION, True),
        ("60", "", Status.LOST, True),
        ("77", "", Status.UNKNOWN, False),
        ("77", "Alguma coisa", Status.UNKNOWN, False),
    ],
)
def test_codes_decide_and_words_are_marked(code: str, text: str, status: TrackingStatus, by_words: bool) -> None:
    reading = TABLE.read(code, text)

    assert (reading.status, reading.by_words) == (status, by_words)


def test_a_failure_by_delay_is_no_attempt() -> None:
    table = parse(HEAD + "1,,delivery_failed,delay,no,yes,x\n2,,delivery_failed,absent,no,yes,x\n")

    assert not table.read("1").attempt and table.read("2").attempt
    assert table.read("2").cause is Cause.ABSENT


def test_what_is_read_and_what_is_not() -> None:
    assert TABLE.word("01") is CodeWord.KNOWN and TABLE.word("02") is CodeWord.UNKNOWN
    assert TABLE.read("02") is UNKNOWN


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("01,,somewhere,,no,yes,x", "line 2 of the code table"),
        ("01,,lost,sadness,no,yes,x", "line 2 of the code table"),
        ("01,,lost,,no,yes,x\n01,,lost,,no,yes,x", "line 3 of the code table: '01' is empty or stands twice"),
        (",,lost,,no,yes,x", "is empty or stands twice"),
    ],
)
def test_a_fault_names_its_line(line: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse(HEAD + line + "\n")


def test_a_new_table_is_a_new_version() -> None:
    assert road_words().version and normal("  São   João ") == "SAO JOAO"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("01,,lost,,no,talvez,x", "confirmed is yes or no, not 'talvez'"),
        ("01,,lost,,true,yes,x", "final is yes or no, not 'true'"),
        ("20,Em transferência,in_transit", "line 2 of the code table"),
    ],
)
def test_a_word_that_is_neither_yes_nor_no_is_a_fault(line: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse(HEAD + line + "\n")

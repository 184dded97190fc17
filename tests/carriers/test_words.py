"""Carriers that send words alone: what says that a parcel is not known, and in which order a day's events come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carriers.base import CodeWord, TrackingStatus
from carriers.codes import parse, road_words
from carriers.words import event, says_not_found, status, with_delivery, word

NOON = datetime(2026, 11, 19, 15, tzinfo=UTC)
TABLE = parse("match,text,status,cause,final,confirmed,source\nCOLETADO,,posted,,no,no,x").with_words(road_words())


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        pytest.param("Não localizado", True, id="not found"),
        pytest.param(
            "Nota fiscal não foi encontrada para o CNPJ 11222333000181", True, id="an invoice, with whose it is"
        ),
        pytest.param("Nenhuma nota encontrada", True, id="none"),
        pytest.param("Usuário não encontrado", False, id="a user"),
        pytest.param("CNPJ do remetente não encontrado", False, id="a company"),
        pytest.param("Serviço de entrega não encontrado", False, id="a service"),
        pytest.param("Encontrado", False, id="found"),
        pytest.param("", False, id="nothing said"),
    ],
)
def test_what_says_that_a_parcel_is_not_known(words: str, wanted: bool) -> None:
    assert says_not_found(words) is wanted


def test_a_code_that_no_table_reads_is_shown_and_the_words_are_read() -> None:
    told = event(TABLE, "Carga extraviada", NOON, "1", code="42")

    assert (told.carrier_code, told.status, told.by_words) == ("42", TrackingStatus.LOST, True)
    assert told.key == event(TABLE, "outras palavras", NOON, "1", code="42").key
    assert told.key != event(TABLE, "Carga extraviada", NOON, "2", code="42").key


def test_an_event_with_nothing_to_read_is_a_fault() -> None:
    with pytest.raises(ValueError, match="without a text"):
        event(TABLE, "  ", NOON)


def test_a_date_of_delivery_is_an_event_only_where_no_text_is_one() -> None:
    told = [event(TABLE, text, NOON) for text in ("ENTREGUE", "AUSENTE")]

    assert [one.carrier_code for one in with_delivery(told, "dataEntrega", NOON)] == ["AUSENTE", "ENTREGUE"]
    assert [one.carrier_code for one in with_delivery(told[1:], "dataEntrega", NOON)] == ["AUSENTE", "DATAENTREGA"]
    assert [one.carrier_code for one in with_delivery(told[1:], "dataEntrega", None)] == ["AUSENTE"]


def test_on_the_way_back_a_date_of_delivery_is_nobodys() -> None:
    told = [event(TABLE, "DEVOLVIDO AO REMETENTE", NOON - timedelta(days=1))]

    assert [one.status for one in with_delivery(told, "dataEntrega", NOON)] == [TrackingStatus.RETURNED]


def test_a_delivery_that_moves_is_another_event() -> None:
    (one,), (other,) = (with_delivery([], "dataEntrega", at, "7") for at in (NOON, NOON + timedelta(days=1)))

    assert one.key != other.key


def test_which_texts_are_read() -> None:
    assert word(TABLE, "coletado") is CodeWord.KNOWN
    assert word(TABLE, "Saída para entrega") is CodeWord.KNOWN
    assert word(TABLE, "42") is CodeWord.UNKNOWN
    assert status(TABLE, "Saída para entrega") is TrackingStatus.OUT_FOR_DELIVERY
    assert status(TABLE, "42") is None

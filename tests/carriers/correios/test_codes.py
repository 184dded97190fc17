from __future__ import annotations

import pytest

from carriers.base import Cause, TrackingStatus
from carriers.correios import codes

S = TrackingStatus


def test_the_table_is_whole() -> None:
    assert len(codes.TABLE) == 378
    assert all(reading.text for reading in codes.TABLE.values())
    assert {code for code, _ in codes.TABLE} >= {
        "BDE",
        "BDI",
        "BDR",
        "PO",
        "OEC",
        "LDI",
        "FC",
        "PAR",
        "BLQ",
        "IDC",
        "EST",
    }


@pytest.mark.parametrize("codigo", codes.DELIVERY)
@pytest.mark.parametrize(
    ("tipo", "status", "cause", "final"),
    [
        pytest.param(0, S.DELIVERED, None, True, id="delivered, old data"),
        pytest.param(1, S.DELIVERED, None, True, id="delivered"),
        pytest.param(67, S.DELIVERED, None, True, id="delivered to the neighbour"),
        pytest.param(68, S.DELIVERED, None, True, id="delivered to the smart box"),
        pytest.param(70, S.DELIVERED, None, True, id="delivered, newer code"),
        pytest.param(23, S.RETURNED, Cause.RETURN, True, id="delivered to the sender is a return"),
        pytest.param(20, S.DELIVERY_FAILED, Cause.ABSENT, False, id="nobody at home"),
        pytest.param(4, S.RETURNING, Cause.REFUSED, False, id="refused"),
        pytest.param(50, S.STOLEN, Cause.THEFT, False, id="stolen things may reappear"),
        pytest.param(80, S.LOST, Cause.LOSS, False, id="lost things may reappear"),
        pytest.param(28, S.DAMAGED, Cause.DAMAGE, False, id="damaged"),
    ],
)
def test_the_three_deliveries_share_one_table(
    codigo: str, tipo: int, status: TrackingStatus, cause: Cause | None, final: bool
) -> None:
    reading = codes.read(codigo, tipo, "any words at all")

    assert (reading.status, reading.cause, reading.final) == (status, cause, final)


@pytest.mark.parametrize(
    ("codigo", "tipo", "text", "status"),
    [
        pytest.param("BDE", 77, "Evento RFB - Aguardando DTRAT", S.CUSTOMS, id="77 of the manual"),
        pytest.param(
            "BDI", 77, "Objeto disponível para retirada em locker", S.AVAILABLE_FOR_PICKUP, id="77 of webhooks"
        ),
        pytest.param("BDE", 77, "Objeto não disponível para retirada", S.UNKNOWN, id="77 denied"),
        pytest.param("BDR", 77, "", S.UNKNOWN, id="77 without a text"),
        pytest.param("BDR", 79, "POSTAGEM INEXISTENTE", S.UNKNOWN, id="79 of the manual says no place"),
        pytest.param("BDR", 79, "Objeto entregue ao contratante", S.RETURNED, id="79 of webhooks"),
        pytest.param("CO", 8, "Entregue", S.UNKNOWN, id="CO 08 bare may be the collection"),
        pytest.param("CO", 8, "Objeto entregue ao destinatário", S.DELIVERED, id="CO 08 in full"),
        pytest.param("CO", 8, "Objeto não entregue ao destinatário", S.UNKNOWN, id="CO 08 denied"),
        pytest.param("RO", 1, "Objeto entregue ao destinatário", S.IN_TRANSIT, id="no text overrules another pair"),
        pytest.param("FC", 99, "Etiqueta cancelada pelo emissor", S.UNKNOWN, id="a text alone maps nothing"),
        pytest.param("CMR", 1, "", S.UNKNOWN, id="named somewhere, described nowhere"),
        pytest.param("BDE", None, "Objeto entregue ao destinatário", S.UNKNOWN, id="no number"),
    ],
)
def test_texts_break_ties_and_nothing_more(codigo: str, tipo: int | None, text: str, status: TrackingStatus) -> None:
    assert codes.read(codigo, tipo, text).status is status


def test_the_version_is_the_files() -> None:
    assert len(codes.TABLE_VERSION) == 12 and int(codes.TABLE_VERSION, 16)

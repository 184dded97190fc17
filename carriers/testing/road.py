"""What road carriers write where they send words and no codes: for the kits of those whose list of texts is not published."""

from __future__ import annotations

from typing import Final

from carriers.base import TrackingStatus as Status
from carriers.testing.kit import Meaning

ROAD_DOCUMENT: Final = "no list of texts is published: words of recorded answers, and those that road carriers share"
ROAD_MEANINGS: Final = (
    Meaning("COLETA REALIZADA", Status.POSTED),
    Meaning("EM TRANSFERENCIA", Status.IN_TRANSIT),
    Meaning("CHEGADA NA UNIDADE", Status.IN_TRANSIT),
    Meaning("SAIDA PARA ENTREGA", Status.OUT_FOR_DELIVERY),
    Meaning("ENTREGA REALIZADA", Status.DELIVERED),
    # Words of a delivery that is none.
    Meaning("ENTREGA NAO REALIZADA", Status.DELIVERY_FAILED),
    Meaning("MERCADORIA ENTREGUE NO PARCEIRO", Status.IN_TRANSIT),
    Meaning("DESTINATARIO AUSENTE", Status.DELIVERY_FAILED),
    Meaning("MERCADORIA DEVOLVIDA AO REMETENTE", Status.RETURNED),
    Meaning("EM DEVOLUCAO", Status.RETURNING),
    Meaning("MERCADORIA EXTRAVIADA", Status.LOST),
    Meaning("CARGA ROUBADA", Status.STOLEN),
    Meaning("MERCADORIA AVARIADA", Status.DAMAGED),
    # What is lost or broken here is no parcel.
    Meaning("COMPROVANTE EXTRAVIADO", Status.EXCEPTION),
    Meaning("VEICULO AVARIADO", Status.EXCEPTION),
)

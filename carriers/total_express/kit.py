"""How a day of Total Express looks on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from carriers.base import TrackingStatus as Status
from carriers.testing import Codes, Kit, Meaning, Question, Reply, Told
from carriers.total_express import ZONE

_START = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>'
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>'
    '<ns1:ObterTrackingResponse xmlns:ns1="urn:ObterTracking"><ObterTrackingResponse><CodigoProc>1</CodigoProc>'
    "<ArrayLoteRetorno><item><CodRetorno>600000001</CodRetorno><ArrayEncomendaRetorno>"
)
_END = (
    "</ArrayEncomendaRetorno></item></ArrayLoteRetorno></ObterTrackingResponse></ns1:ObterTrackingResponse>"
    "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)


class TotalExpressKit(Kit):
    """A day for all parcels: nobody can be asked about one."""

    settings: Mapping[str, Any] = {"user": "loja-ficticia", "password": "senha-inventada-9142"}
    numbers = ("TXAA000000001tx", "TXAA000000002tx")
    codes = Codes(moving="102", delivered="1", unknown="777", posted="83", lost="142", damaged="14")
    document = "Total Express, status manual, Annex 1, as one client transcribed it"
    meanings = (
        Meaning("83", Status.POSTED, "COLETA REALIZADA"),
        Meaning("102", Status.IN_TRANSIT, "TRANSFERENCIA PARA"),
        Meaning("104", Status.OUT_FOR_DELIVERY, "PROCESSO DE ENTREGA"),
        Meaning("1", Status.DELIVERED, "ENTREGA REALIZADA"),
        Meaning("29", Status.AVAILABLE_FOR_PICKUP, "CLIENTE RETIRA NA TRANSPORTADORA"),
        Meaning("21", Status.DELIVERY_FAILED, "CLIENTE AUSENTE/ESTABELECIMENTO FECHADO"),
        Meaning("9", Status.DELIVERY_FAILED, "RECUSADA - MERCADORIA EM DESACORDO"),
        Meaning("142", Status.LOST, "EXTRAVIO"),
        Meaning("10", Status.LOST, "SINISTRO LIQUIDADO"),
        Meaning("27", Status.STOLEN, "ROUBO DE CARGA"),
        Meaning("14", Status.DAMAGED, "MERCADORIA AVARIADA"),
    )

    def is_login(self, question: Question) -> bool:
        return question.path.endswith("/webservice24.php")  # to fetch a day is all that this carrier can be asked for

    def login(self, question: Question, count: int) -> Reply:
        return Reply(200, self.payload({}), {"Content-Type": "text/xml; charset=ISO-8859-1"})

    def login_refused(self, question: Question) -> Reply:
        body = self.payload({}).replace(b"<CodigoProc>1<", b"<CodigoProc>0<")
        return Reply(200, body, {"Content-Type": "text/xml; charset=ISO-8859-1"})

    def payload(self, told: Mapping[str, Sequence[Told]]) -> bytes:
        parcels = "".join(self._parcel(number, events) for number, events in told.items())
        return f"{_START}{parcels}{_END}".encode("latin-1")

    def _parcel(self, number: str, events: Sequence[Told]) -> str:
        statuses = "".join(self._status(event) for event in events)
        return (
            f"<item><Awb>{number}</Awb><Pedido>PED-1</Pedido><NotaFiscal>1001</NotaFiscal><SerieNotaFiscal>1"
            f"</SerieNotaFiscal><ArrayStatusTotal>{statuses}</ArrayStatusTotal></item>"
        )

    def _status(self, event: Told) -> str:
        at = event.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S")
        return (
            f"<item><CodStatus>{event.code}</CodStatus><DescStatus>{escape(event.text)}</DescStatus>"
            f"<DataStatus>{at}</DataStatus></item>"
        )


KIT = TotalExpressKit()

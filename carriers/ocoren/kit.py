"""How an OCOREN file is written, for the conformance kit: layout 3.1, as a carrier's program does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.base import TrackingStatus as Status
from carriers.ocoren.records import ZONE
from carriers.testing import Codes, Kit, Meaning, Told


class OcorenKit(Kit):
    """Files alone: nobody can be asked."""

    settings: Mapping[str, Any] = {}
    numbers = ("11222333000181/1/1001", "12ABC34501DE35/2/1004")
    codes = Codes(moving="98", delivered="01", unknown="777", posted="00", lost="23", damaged="79")
    document = "Proceda, OCOREN 3.1, table of occurrences (2000)"
    meanings = (
        Meaning("00", Status.IN_TRANSIT, "Processo de transporte já iniciado"),
        Meaning("98", Status.IN_TRANSIT, "Chegada na cidade ou filial de destino"),
        Meaning("01", Status.DELIVERED, "Entrega realizada normalmente"),
        Meaning("06", Status.DELIVERY_FAILED, "Endereço do cliente destino não localizado"),
        Meaning("07", Status.EXCEPTION, "Devolução não autorizada pelo cliente"),
        Meaning("23", Status.LOST, "Extravio de mercadoria em trânsito"),
        Meaning("27", Status.STOLEN, "Roubo de carga"),
        Meaning("78", Status.DAMAGED, "Avaria total"),
        Meaning("79", Status.DAMAGED, "Avaria parcial"),
        Meaning("99", Status.EXCEPTION, "Outros tipos de ocorrência não especificados"),
    )

    def payload(self, told: Mapping[str, Sequence[Told]]) -> bytes:
        lines = ["000TRANSPORTADORA FICTICIA", "340OCORR201112000", "34144555666000161TRANSPORTADORA FICTICIA LTDA"]
        lines += [self._line(number, event) for number, events in told.items() for event in events]
        return "".join(f"{line:<120}\r\n" for line in lines).encode("latin-1")

    def _line(self, number: str, event: Told) -> str:
        issuer, series, invoice = number.split("/")
        at = event.at.astimezone(ZONE)
        return f"342{issuer}{series:<3}{int(invoice):08}{event.code}{at:%d%m%Y%H%M}00{self.person}"


KIT = OcorenKit()

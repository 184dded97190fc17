"""How SSW's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.base import TrackingStatus as Status
from carriers.invoice import with_check_digit
from carriers.ssw import ZONE
from carriers.testing import Codes, Kit, Meaning, Question, Reply, Told, json_reply


class SswKit(Kit):
    """One document a call; refusals come with HTTP 200."""

    settings: Mapping[str, Any] = {"cnpj": "11222333000181", "password": "senha-inventada-7351", "company": "TFX"}
    numbers = (
        "35261111222333000181550010000010011102030405",
        "35261112ABC34501DE35550010000010041102030432",
        *(with_check_digit(f"3526111122233300018155001{serial:09d}110203040") for serial in range(1002, 1012)),
    )
    codes = Codes(moving="82", delivered="01", unknown="777", posted="80", lost="50", damaged="53", undelivered="86")
    document = "SSW's standard table of occurrences, as a TMS loads it"
    meanings = (
        Meaning("80", Status.POSTED, "DOCUMENTO DE TRANSPORTE EMITIDO"),
        Meaning("82", Status.IN_TRANSIT, "SAIDA DE UNIDADE"),
        Meaning("17", Status.IN_TRANSIT, "MERCADORIA ENTREGUE NO PARCEIRO"),
        Meaning("14", Status.IN_TRANSIT, "NOTA FISCAL ENTREGUE"),
        Meaning("85", Status.OUT_FOR_DELIVERY, "SAIDA PARA ENTREGA"),
        Meaning("01", Status.DELIVERED, "MERCADORIA ENTREGUE"),
        Meaning("04", Status.AVAILABLE_FOR_PICKUP, "DESTINATARIO RETIRA"),
        Meaning("11", Status.DELIVERY_FAILED, "LOCAL DE ENTREGA FECHADO/AUSENTE"),
        Meaning("38", Status.DELIVERY_FAILED, "CLIENTE RECUSA/NAO PODE RECEBER MERCAD"),
        Meaning("27", Status.RETURNING, "DEVOLUCAO AUTORIZADA"),
        Meaning("03", Status.RETURNED, "MERCADORIA DEVOLVIDA AO REMETENTE"),
        Meaning("50", Status.LOST, "FALTA DE MERCADORIA"),
        Meaning("53", Status.DAMAGED, "MERCADORIA AVARIADA"),
        Meaning("55", Status.STOLEN, "CARGA ROUBADA"),
        Meaning("61", Status.SEIZED, "MERCADORIA CONFISCADA PELA FISCALIZACAO"),
        Meaning("59", Status.EXCEPTION, "VEICULO AVARIADO/SINISTRADO"),
    )

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        lines = [self._line(event) for event in events]
        return {"header": {"nro_nf": "1001", "destinatario": self.person}, "tracking": lines}

    def _line(self, event: Told) -> dict[str, str]:
        at = event.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S")
        return {
            "data_hora": at,
            "dominio": "TFX",
            "filial": f"TFX {event.city}",
            "cidade": f"{event.city} / {event.state}",
            "ocorrencia": f"{event.text} (70)",
            "descricao": "Previsao de entrega: 25/11/26.",
            "data_hora_efetiva": at,
            "nome_recebedor": self.person,
            "codigo_ssw": event.code,
        }

    def asked(self, question: Question) -> Sequence[str]:
        return [question.json["chave_nfe"]]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        for document in entries.values():
            return json_reply({"success": True, "message": "Documento localizado", "documento": document})
        return json_reply({"success": False, "message": "Nenhum documento localizado"})

    def refused(self, question: Question) -> Reply:
        return json_reply({"success": False, "message": "Senha invalida"})


KIT = SswKit()

"""How Braspress' answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.braspress import ZONE, named_by
from carriers.invoice import key_or_invoice
from carriers.testing import Codes, Kit, Question, Reply, Told, json_reply
from carriers.testing.road import ROAD_DOCUMENT, ROAD_MEANINGS


class BraspressKit(Kit):
    """One invoice a call; the answer holds another of the same number, too."""

    settings: Mapping[str, Any] = {
        "cnpj": "11.222.333/0001-81",
        "user": "usuario-inventado",
        "password": "senha-inventada-5512",
    }
    numbers = ("35261111222333000181550010000010011102030405", "35261112ABC34501DE35550010000010041102030432")
    codes = Codes(
        moving="EM TRANSFERENCIA",
        delivered="ENTREGUE",
        unknown="OCORRENCIA INEDITA",
        posted="COLETADO",
        lost="MERCADORIA EXTRAVIADA",
        damaged="AVARIA PARCIAL",
    )
    document = ROAD_DOCUMENT
    meanings = ROAD_MEANINGS
    has_codes = False

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        ref = key_or_invoice(number)
        assert ref is not None
        series, invoice, _ = named_by(ref)
        return {
            "numero": 700001,
            "emissao": "2026-11-16",
            "remetente": "LOJA EXEMPLO LTDA",
            "destinatario": self.person,
            "valorMercantil": 250.0,
            "previsaoEntrega": "25/11/2026",
            "dataEntrega": None,
            "notasFiscais": [{"serie": series, "numero": str(invoice), "emissao": "2026-11-16"}],
            "timeLine": [self._event(event) for event in events],
            "ocorrencias": [],
        }

    def _event(self, event: Told) -> dict[str, str]:
        return {"descricao": event.code, "data": event.at.astimezone(ZONE).strftime("%d/%m/%Y %H:%M:%S")}

    def asked(self, question: Question) -> Sequence[str]:
        wanted = int(question.path.split("/")[-2])
        return [one for one in self.numbers if (ref := key_or_invoice(one)) and named_by(ref)[1] == wanted]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        stranger = {"numero": 700009, "notasFiscais": [{"serie": "9", "numero": question.path.split("/")[-2]}]}
        told = [*entries.values(), stranger]
        return json_reply({"conhecimentos": told, "totalNf": len(told), "datetime": "2026-11-21 10:00:00"})


KIT = BraspressKit()

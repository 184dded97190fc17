"""How Jadlog's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.base import TrackingStatus as Status
from carriers.jadlog import BATCH, ZONE
from carriers.jadlog.questions import names
from carriers.testing import Codes, Kit, Meaning, Question, Reply, Told, json_reply


class JadlogKit(Kit):
    """Up to a hundred parcels a call, told in another order than they were asked in."""

    settings: Mapping[str, Any] = {"token": "Bearer ficha-inventada-jadlog-4410", "api_key": "chave-inventada-9921"}
    numbers = (
        "35261111222333000181550010000010011102030405",
        *(str(10_000_000_000_001 + serial) for serial in range(BATCH // 2)),
        *(str(11_000_000_000_001 + serial) for serial in range(BATCH // 2)),
    )
    codes = Codes(
        moving="TRANSFERENCIA",
        delivered="ENTREGUE",
        unknown="OCORRENCIA INEDITA",
        posted="EMISSAO",
        lost="EXTRAVIO TOTAL",
        damaged="AVARIA / DANO TOTAL",
    )
    document = "Jadlog publishes no table: the words that several clients agree on, and one dashboard's for trouble"
    meanings = (
        Meaning("EMISSAO", Status.POSTED),
        Meaning("TRANSFERENCIA", Status.IN_TRANSIT),
        Meaning("EM ROTA", Status.OUT_FOR_DELIVERY),
        Meaning("ENTREGUE", Status.DELIVERED),
        Meaning("AUSENTE", Status.DELIVERY_FAILED),
        Meaning("RECUSADO", Status.DELIVERY_FAILED),
        Meaning("EM DEVOLUCAO", Status.RETURNING),
        Meaning("DEVOLVIDO", Status.RETURNED),
        Meaning("EXTRAVIO TOTAL", Status.LOST),
        Meaning("FURTO / ROUBO", Status.STOLEN),
        Meaning("AVARIA / DANO TOTAL", Status.DAMAGED),
        Meaning("INDENIZACAO RECUSADA", Status.EXCEPTION),
    )

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {
            "tracking": {
                "codigo": number,
                "dtEmissao": "16/11/2026",
                "valor": 18.9,
                "eventos": [self._event(event) for event in events],
                "recebedor": {"nome": self.person, "doc": "00000000191"},
            },
            "previsaoEntrega": "2026-11-25",
        }

    def _event(self, event: Told) -> dict[str, str]:
        at = event.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
        return {"data": at, "status": event.code, "unidade": f"CO {event.city} 01"}

    def asked(self, question: Question) -> Sequence[str]:
        return [next(names(item))[1] for item in question.json["consulta"]]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        told = []
        for item in reversed(question.json["consulta"]):
            missing = {"erro": {"id": 1, "descricao": "Não localizado"}}
            told.append(item | entries.get(next(names(item))[1], missing))
        return json_reply({"consulta": told})


KIT = JadlogKit()

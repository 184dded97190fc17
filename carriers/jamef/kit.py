"""How Jamef's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.invoice import invoice_of
from carriers.jamef import ZONE
from carriers.testing import Codes, Kit, Question, Reply, Told, json_reply
from carriers.testing.road import ROAD_DOCUMENT, ROAD_MEANINGS


def _envelope(situation: int, *data: Any, message: str = "Sucesso") -> Reply:
    return json_reply(
        {"situacao": situation, "mensagem": message, "dataHora": "2026-11-21T10:00:00.000-03:00", "dado": data}
    )


class JamefKit(Kit):
    """One invoice a call, the newest event first; refusals come with HTTP 200."""

    settings: Mapping[str, Any] = {"user": "usuario-inventado", "password": "senha-inventada-6174"}
    numbers = ("35261111222333000181550010000010011102030405", "35261112ABC34501DE35550010000010041102030432")
    codes = Codes(
        moving="EM TRANSFERENCIA",
        delivered="ENTREGUE",
        unknown="OCORRENCIA INEDITA",
        posted="COLETADO",
        lost="MERCADORIA EXTRAVIADA",
        damaged="MERCADORIA AVARIADA",
    )
    document = ROAD_DOCUMENT
    meanings = ROAD_MEANINGS
    has_codes = False

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {
            "remetente": {"cidade": "SAO PAULO", "uf": "SP"},
            "destinatario": {"nome": self.person, "cidade": "BELO HORIZONTE", "uf": "MG"},
            "frete": {"previsaoEntrega": "25/11/2026"},
            "eventosRastreio": [self._event(event) for event in reversed(events)],
        }

    def _event(self, event: Told) -> dict[str, Any]:
        return {
            "data": event.at.astimezone(ZONE).strftime("%d/%m/%Y %H:%M"),
            "status": event.code,
            "localOrigem": {"cidade": event.city, "uf": event.state},
            "localDestino": {"cidade": "BELO HORIZONTE", "uf": "MG"},
        }

    def is_login(self, question: Question) -> bool:
        return question.path == "/auth/v1/login"

    def login(self, question: Question, count: int) -> Reply:
        return _envelope(200, {"accessToken": f"ficha-{count}", "expiresIn": 3600, "tokenType": "Bearer"})

    def login_refused(self, question: Question) -> Reply:
        return _envelope(401, message="Usuário ou senha inválidos")

    def refused(self, question: Question) -> Reply:
        return _envelope(401, message="Token expirado")

    def asked(self, question: Question) -> Sequence[str]:
        number = question.param("numeroNotaFiscal")
        return [key for key in self.numbers if str(invoice_of(key).number) == number]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        return _envelope(200, {"rastreamento": list(entries.values())})


KIT = JamefKit()

"""How Azul Cargo's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.azul_cargo import ZONE
from carriers.testing import Codes, Kit, Question, Reply, Told, json_reply
from carriers.testing.road import ROAD_DOCUMENT, ROAD_MEANINGS


def _envelope(value: Any, fault: str | None = None) -> Reply:
    return json_reply({"HasErrors": fault is not None, "ErrorText": fault, "Value": value})


class AzulCargoKit(Kit):
    """One document a call; refusals come with HTTP 200, and the token stands in the body."""

    settings: Mapping[str, Any] = {"user": "loja@exemplo.example", "password": "senha-inventada-2096"}
    numbers = ("57700000001", "577-0000 0012", "35261112ABC34501DE35550010000010041102030432")
    codes = Codes(
        moving="DESEMBARCADO",
        delivered="ENTREGUE",
        unknown="OCORRENCIA INEDITA",
        posted="COLETA REALIZADA",
        lost="CARGA EXTRAVIADA",
        damaged="CARGA AVARIADA",
    )
    document = ROAD_DOCUMENT
    meanings = ROAD_MEANINGS
    has_codes = False

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {
            "Awb": "57700000001",
            "DataEntregaPrevisao": "2026-11-25T00:00:00",
            "DataHoraEntrega": None,
            "DestinoCidade": "RECIFE",
            "Ocorrencias": [self._event(event) for event in events],
        }

    def _event(self, event: Told) -> dict[str, Any]:
        return {
            "DataHora": event.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S"),
            "Codigo": f"{len(event.code):02d}",
            "Descricao": event.code,
            "Comentario": f"RECEBIDO POR {self.person}",
            "UnidadeMunicipio": event.city,
            "UnidadeUf": event.state,
            "UrlPOD": "https://pod.example/?chave=muda",
            "UrlInsucesso": None,
        }

    def is_login(self, question: Question) -> bool:
        return question.path.endswith("/AutenticarUsuario")

    def login(self, question: Question, count: int) -> Reply:
        return _envelope(f"ficha-{count}")

    def login_refused(self, question: Question) -> Reply:
        return _envelope(None, "Usuário ou senha inválidos")

    def refused(self, question: Question) -> Reply:
        return _envelope(None, "Token inválido ou expirado")

    def asked(self, question: Question) -> Sequence[str]:
        return [question.json.get("Awb") or question.json["ChaveNfe"]]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        return _envelope(list(entries.values()))


KIT = AzulCargoKit()

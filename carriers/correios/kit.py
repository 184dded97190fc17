"""How Correios' answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carriers.base import Cause, TrackingStatus
from carriers.correios.auth import TOKEN_PATH, ZONE
from carriers.correios.codes import TABLE
from carriers.correios.tracking import check_digit
from carriers.testing import Codes, Kit, Meaning, Question, Reply, Told, json_reply


def _object_code(serial: int) -> str:
    digits = f"{serial:08d}"
    return f"AD{digits}{check_digit(digits)}BR"


def _of(status: TrackingStatus, cause: Cause | None = None) -> str:
    """Some code of the table with this meaning."""
    return next(
        f"{codigo}-{tipo:02d}"
        for (codigo, tipo), reading in TABLE.items()
        if reading.status is status and (cause is None or reading.cause is cause)
    )


class CorreiosKit(Kit):
    """Up to fifty objects a call, behind a token of the posting card."""

    settings: Mapping[str, Any] = {
        "user": "00000000000191",
        "access_code": "CodigoInventadoDoKit01234567890abcdefghi",
        "contract": "9912000001",
        "posting_card": "0070000001",
    }
    everything: Mapping[str, Any] = {"claims": {"phone": "(41) 90000-0000", "reply_email": "pi@loja-exemplo.com.br"}}
    numbers = tuple(_object_code(serial) for serial in range(10_000_001, 10_000_052))
    codes = Codes(
        moving="RO-01",
        delivered="BDE-01",
        unknown="ZZZ-98",
        posted="PO-01",
        lost=_of(TrackingStatus.LOST, Cause.LOSS),
        damaged=_of(TrackingStatus.DAMAGED, Cause.DAMAGE),
    )
    document = "Correios, table of tracking events (SRO) as the API's manual and its clients print it"
    meanings = (
        Meaning("PO-01", TrackingStatus.POSTED, "Objeto postado"),
        Meaning("RO-01", TrackingStatus.IN_TRANSIT, "Objeto encaminhado"),
        Meaning("OEC-01", TrackingStatus.OUT_FOR_DELIVERY, "Objeto saiu para entrega ao destinatário"),
        Meaning("BDE-01", TrackingStatus.DELIVERED, "Objeto entregue ao destinatário"),
        Meaning("LDI-01", TrackingStatus.AVAILABLE_FOR_PICKUP, "Objeto aguardando retirada no endereço indicado"),
        Meaning("BDE-20", TrackingStatus.DELIVERY_FAILED, "Carteiro não atendido - Entrega não realizada"),
        Meaning(
            "BDE-04",
            TrackingStatus.RETURNING,
            "Cliente recusou-se a receber o objeto - Objeto será devolvido ao remetente",
        ),
        Meaning("BDE-23", TrackingStatus.RETURNED, "Objeto entregue ao remetente"),
        Meaning("BDE-28", TrackingStatus.DAMAGED, "Objeto e/ou conteúdo avariado"),
        Meaning("BDE-29", TrackingStatus.LOST, "Objeto não localizado"),
        Meaning("BDE-50", TrackingStatus.STOLEN, "Objeto roubado"),
    )

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        return {
            "codObjeto": number,
            "tipoPostal": {"sigla": "AD", "categoria": "SEDEX"},
            "dtPrevista": "2026-11-25T23:59:59",
            "eventos": [self._event(event) for event in events],
        }

    def _event(self, event: Told) -> dict[str, Any]:
        codigo, _, tipo = event.code.partition("-")
        return {
            "codigo": codigo,
            "tipo": tipo,
            "dtHrCriado": event.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S"),
            "descricao": event.text,
            "recebedor": {"nome": self.person},
            "unidade": {"tipo": "Unidade", "endereco": {"cidade": event.city, "uf": event.state}},
        }

    def is_login(self, question: Question) -> bool:
        return question.path == TOKEN_PATH

    def login(self, question: Question, count: int) -> Reply:
        # No zone in `expiraEm`: the offset stands beside it.
        return json_reply({"token": f"ficha-{count}", "expiraEm": "2026-11-21T12:00:00", "zoneOffset": "-03:00"}, 201)

    def login_refused(self, question: Question) -> Reply:
        return json_reply({"msgs": ["GTW-006: Token inválido"]}, 401)

    def refused(self, question: Question) -> Reply:
        return json_reply({"msgs": ["GTW-007: Token expirado"]}, 403)

    def asked(self, question: Question) -> Sequence[str]:
        return [value for key, value in question.query if key == "codigosObjetos"]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        unknown = "SRO-020: Objeto não encontrado na base de dados dos Correios."
        found = [entries.get(number, {"codObjeto": number, "mensagem": unknown}) for number in self.asked(question)]
        return json_reply({"versao": "3.5.38", "quantidade": len(found), "objetos": found})


KIT = CorreiosKit()

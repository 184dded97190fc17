"""The claim API ("Pedido de Informação"): the desk's decisions in the shape and spelling of chapter 16 of the manual."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tracker.sandbox.answers import Answer, Claim
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.desk import ClaimDesk
from tracker.sandbox.gate import Credentials
from tracker.sandbox.judgement import ALREADY_OPEN, FAILED, FOREIGN_OBJECT, MOTIVES, NOT_FOUND, REGISTERED, TEXTS
from tracker.sandbox.people import plain
from tracker.sandbox.plan import Event, Shipment, Sight
from tracker.sandbox.rastro import Lookup
from tracker.sandbox.reopening import REACTIVATED
from tracker.sandbox.reopening import TEXTS as REOPENING_TEXTS
from tracker.sandbox.wire import Refusal, Request, Response, answer
from tracker.sandbox.workdays import LOCAL, local_date

_NO_CLAIM = "Não foi encontrada uma manifestação que atenda aos critérios informados"
_BY_SERVICE_LEVEL = "Manifestação registrada pelo sistema de nível de serviço, sem acompanhamento por este canal"
_CONTRACT_UNKNOWN, _CARD_DIFFERS, _NOT_OURS, _QUERY_INVALID, _NONE_FOUND = 121, 126, 122, 291, 990
_SERVICE_LEVEL_CLAIM = 631


class Pedidos:
    """The three calls, over one desk; each is told whose token it came with."""

    def __init__(self, desk: ClaimDesk, clock: SandboxClock, lookup: Lookup) -> None:
        self._desk = desk
        self._clock = clock
        self._lookup = lookup

    def register(
        self, request: Request, held: Credentials, *, fail: bool = False, hide_numbers: bool = False
    ) -> Response:
        """Answer "cadastra": the envelope says 0 even where items are refused. Raises Refusal 400: unreadable body."""
        body, items = self._batch(request, "pedidos")
        if fail:
            return answer(200, self._envelope(FAILED, []))
        results = [self._register_item(body, item, held) for item in items]
        if hide_numbers:
            results = [row | {"numero do pi": "f"} if row["numero do pi"] else row for row in results]
        return answer(200, self._envelope(REGISTERED, results))

    def _register_item(self, body: Mapping[str, Any], item: Mapping[str, Any], held: Credentials) -> dict[str, str]:
        number = ""
        if body.get("contrato") != held.contract:
            code = _CONTRACT_UNKNOWN
        elif body.get("cartao") != held.posting_card:
            code = _CARD_DIFFERS
        else:
            found = self._lookup(str(item.get("codigoObjeto") or ""))
            code, number = self._desk.register(item, *found, held.account)
        return {
            "codigo do objeto": str(item.get("codigoObjeto") or ""),
            "numero do pi": number if code in (REGISTERED, ALREADY_OPEN) else "",
            "codigo retorno": str(code),
            "descrição retorno": TEXTS.get(code, "Olá, manifestação não registrada."),
        }

    def _envelope(self, code: int, results: list[dict[str, str]]) -> dict[str, Any]:
        return {
            "codigoRetorno": code,
            "descricaoRetorno": TEXTS[code],
            "numeroLote": None if code else self._lot(),
            "dataHoraCadastro": _stamp(self._clock.now()),
            "pi": results,
            "mensagensPi": 0,
        }

    def _lot(self) -> str:
        return str(4_500_000 + len(self._desk.attempts))

    def follow(self, request: Request, held: Credentials) -> Response:
        """Answer "acompanha", by claim number or by object code."""
        if request.value("canal") != "W":
            return _short(_QUERY_INVALID, "Tipo de consulta inválido")
        if request.value("contrato") != held.contract:
            return _short(_NOT_OURS, TEXTS[FOREIGN_OBJECT])
        wanted = request.value("codigodoObjetoOuProtocolo") or ""
        claim = self._desk.find(wanted)
        shipment, events = self._lookup(claim.code if claim else wanted)
        if shipment is not None and held.is_foreign(shipment.account):
            return _short(_NOT_OURS, TEXTS[FOREIGN_OBJECT])
        if claim is None or shipment is None:
            return self._nothing(wanted, shipment)
        if self._desk.is_by_service_level(claim):
            return _short(_SERVICE_LEVEL_CLAIM, _BY_SERVICE_LEVEL)
        return answer(200, self._state(claim, shipment, events))

    @staticmethod
    def _nothing(wanted: str, shipment: Shipment | None) -> Response:
        if shipment is not None and shipment.sight is Sight.OTHER_CONTRACT:
            return _short(_NOT_OURS, TEXTS[FOREIGN_OBJECT])
        unknown = shipment is None or shipment.sight is not Sight.SHOWN
        if wanted.isdigit() or not unknown:
            return _short(_NONE_FOUND, _NO_CLAIM)
        return _short(NOT_FOUND, TEXTS[NOT_FOUND])

    def _state(self, claim: Claim, shipment: Shipment, events: tuple[Event, ...]) -> dict[str, Any]:
        """The whole answer. Here the event pair is swapped against tracking: "Tipo" is BDE and "Código" is 01."""
        said = self._desk.answer(claim, shipment)
        last = events[-1]
        motive = MOTIVES[claim.motive]
        final = claim.motive_now
        posted = next(event for event in events if event.code == "PO")
        return {
            "codigoObjeto": claim.code,
            "numeroPi": claim.number,
            "motivoReclamacaoInicial": str(claim.motive),
            "descMotivoReclamacaoInicial": motive,
            "motivoDescReclamacaoInicial": motive,
            "motivoReclamacaoFinal": str(final),
            "descMotivoReclamacaoFinal": MOTIVES[final],
            "Data de Abertura PI": _day(claim.opened_on),
            "Data de Postagem do Objeto": _day(local_date(posted.at)),
            "Data Máxima de Entrega": _day(shipment.claim_due_on(self._clock.now())),
            "Código do Serviço": shipment.service.contract_code,
            "Descrição do Serviço": f"{shipment.service} CONTRATO AG",
            "Postagem Depois da Hora": "S" if posted.kind == "09" else "N",
            "Data Último Evento": _day(local_date(last.at)),
            "Código Último Evento": last.kind,
            "Tipo Último Evento": last.code,
            "Descrição Último Evento": last.text,
            **self._outcome(claim, said),
            "Código Retorno": "0",
            "descricaoRetorno": TEXTS[REGISTERED],
            "Tipo Manifestação": claim.kind_now,
            "Indica se a manifestacao foi registrada pelo nivel de servico": "N",
        }

    @staticmethod
    def _outcome(claim: Claim, said: Answer | None) -> dict[str, str | None]:
        again_on = claim.reopened_on
        if said is None:
            situation = "Em análise"
        elif _awaits_second(claim, said):
            situation = "Reativada"
        else:
            situation = "Encerrada" if said.paid else "Respondida"
        return {
            "Situação Manifestação": situation,
            "Houve Recorrência": "N" if again_on is None else "S",
            "Indicativo Procedência": None if said is None else "S" if said.accepted else "N",
            "Motivo Recorrência": None if again_on is None else str(claim.motive_now),
            "Data Última Recorrência": None if again_on is None else _day(again_on),
            "Mensagem Última Recorrência": claim.reopenings[-1]["note"] if claim.reopenings else None,
            "Mensagem Última Resposta": None if said is None else said.text,
            "Data Última Resposta": None if said is None else _day(said.on),
        }

    def reactivate(self, request: Request, held: Credentials) -> Response:
        """Answer "reativa": 512 in the envelope, 0 in the item. Raises Refusal 400: unreadable body."""
        body, items = self._batch(request, "reativacoes")
        payload = {
            "protocolo": "0",
            "codigoRetorno": REACTIVATED,
            "descricaoRetorno": REOPENING_TEXTS[0],
            "numeroLote": self._lot(),
            "Data hora reativação": _stamp(self._clock.now()),
            "pi": [self._reactivate_item(item, body, held) for item in items],
        }
        return answer(200, payload)

    def _reactivate_item(self, item: Mapping[str, Any], body: Mapping[str, Any], held: Credentials) -> dict[str, str]:
        number = str(item.get("protocolo") or "")
        claim = self._desk.find(number) if number.isdigit() else None
        shipment, events = self._lookup(claim.code) if claim else (None, ())
        day = None
        if body.get("contrato") != held.contract or (shipment is not None and shipment.account is not held.account):
            code = FOREIGN_OBJECT
        else:
            code, day = self._desk.reopen(item, claim, shipment, events)
        text = REOPENING_TEXTS.get(code, TEXTS.get(code, "Olá, reativação não realizada."))
        return {
            "protocolo": number,
            "numero do pi": number,
            "codigo retorno": str(code),
            "descrição retorno": text.format(date="" if day is None else _day(day)),
        }

    @staticmethod
    def _batch(request: Request, key: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        try:
            body = request.json_object()
        except ValueError as exc:
            raise Refusal(400, "Corpo da requisição inválido.") from exc
        items = body.get(key)
        if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
            raise Refusal(400, f"Campo {key} é obrigatório.")
        return body, items


def camel_case(payload: object) -> object:
    """Return an answer in the older service's spelling: "numero do pi" becomes numeroPi."""
    if isinstance(payload, list):
        return [camel_case(each) for each in payload]
    if not isinstance(payload, dict):
        return payload
    return {_camel_key(str(key)): camel_case(value) for key, value in payload.items()}


def _camel_key(key: str) -> str:
    if " " not in key:
        return key
    words = [word for word in re.split(r"\s+", plain(key)) if word.lower() not in {"do", "da", "de"}]
    return words[0].lower() + "".join(word[:1].upper() + word[1:].lower() for word in words[1:])


def _awaits_second(claim: Claim, said: Answer) -> bool:
    """A reopening waits for its answer; one given on the very day of the reopening came before it."""
    return claim.reopened_on is not None and said.on <= claim.reopened_on


def _short(code: int, text: str) -> Response:
    return answer(200, {"codigoRetorno": code, "descricaoRetorno": text})


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _stamp(instant: datetime) -> str:
    return instant.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M:%S")

"""How Intelipost's answers look on the wire, for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from carriers.base import TrackingStatus as Status
from carriers.intelipost import ZONE
from carriers.testing import Codes, Kit, Meaning, Push, Question, Reply, Told, json_reply


class IntelipostKit(Kit):
    """One order a call, a volume of which is meant."""

    settings: Mapping[str, Any] = {"api_key": "chave-inventada-9120", "webhook_key": "chave-do-aviso-3318"}
    numbers = tuple(f"PED-{serial}" for serial in range(1001, 1013))
    codes = Codes(
        moving="EM TRANSFERENCIA",
        delivered="ENTREGUE NO DESTINO",
        unknown="ESTADO INEDITO",
        posted="COLETA REALIZADA",
        lost="EXTRAVIO CONFIRMADO",
        damaged="AVARIA CONFIRMADA",
    )
    document = "names of micro-states that two independent clients of Intelipost handle; no list is published"
    meanings = (
        Meaning("COLETA REALIZADA", Status.POSTED),
        Meaning("EM TRANSFERENCIA", Status.IN_TRANSIT),
        Meaning("ATRASO TRANSPORTADOR", Status.IN_TRANSIT),
        Meaning("EM ROTA DE ENTREGA", Status.OUT_FOR_DELIVERY),
        Meaning("ENTREGUE NO DESTINO", Status.DELIVERED),
        Meaning("ENTREGA EFETUADA ERRADA", Status.EXCEPTION),
        Meaning("DESTINATARIO AUSENTE", Status.DELIVERY_FAILED),
        Meaning("CARGA RECUSADA PELO DESTINATARIO", Status.DELIVERY_FAILED),
        Meaning("EM DEVOLUCAO", Status.RETURNING),
        Meaning("DEVOLVIDO", Status.RETURNED),
        Meaning("EXTRAVIO CONFIRMADO", Status.LOST),
        Meaning("PACOTE NAO ENCONTRADO", Status.EXCEPTION),
        Meaning("ROUBO CONFIRMADO", Status.STOLEN),
        Meaning("AVARIA CONFIRMADA", Status.DAMAGED),
    )

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        volume = {
            "shipment_order_volume_number": "1",
            "shipment_order_volume_state_history_array": [self._state(event) for event in events],
        }
        return {"order_number": number, "end_customer": self.person, "shipment_order_volume_array": [volume]}

    def _state(self, event: Told) -> dict[str, Any]:
        at = event.at.astimezone(ZONE)
        return {
            "shipment_order_volume_state": "SHIPPED",
            "shipment_order_volume_state_localized": "Em trânsito",
            "provider_message": event.text,
            "shipment_volume_micro_state": {"id": 1, "default_name": event.code},
            "event_date": int(at.timestamp() * 1000),
            "event_date_iso": at.isoformat(timespec="milliseconds"),
        }

    def asked(self, question: Question) -> Sequence[str]:
        return [question.path.rpartition("/")[2]]

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        for content in entries.values():
            return json_reply({"status": "OK", "messages": [], "content": content, "time": "12 ms"})
        message = {"type": "ERROR", "text": "Pedido não encontrado", "key": "shipmentOrder.notFound"}
        return json_reply({"status": "ERROR", "messages": [message], "content": None}, 404)

    def push(self, number: str, events: Sequence[Told]) -> Push:
        body = {"history": self._state(events[-1]), "order_number": number, "volume_number": "1"}
        return Push(orjson.dumps(body), {"api-key": "chave-do-aviso-3318"})


KIT = IntelipostKit()

"""The lists of problems, claims, messages, alerts and incidents in the reader's language: headings, and short words for cells.

English shows the program's own words, which filters and JSON go by; Portuguese says them as `tracker show` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from carriers.base import Cause
from tracker.domain.words import Hold
from tracker.reports import words_pt as pt

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ListLanguage:
    """How a list is said."""

    instant: str
    """As `strftime` writes it."""
    day: str
    headings: Words = field(default_factory=dict)
    """By the English heading; one without an entry stays."""
    words: Mapping[str, Words] = field(default_factory=dict)
    """By list and key of a line (`claims.state`), what stands for the program's words; a word without an entry stays."""
    nothing: Words = field(default_factory=dict)
    """By list, what is said where it is empty."""
    newest: str = "the newest {count}; name --limit for more"
    presumed: str = "{kind} (presumed)"
    by_words: str = "{kind} (text only)"
    diverted: str = "{state} (diverted)"
    acked: str = "over"

    def heading(self, english: str) -> str:
        """A column's heading."""
        return self.headings.get(english, english)

    def word(self, key: str, word: str | None) -> str | None:
        """A cell's word."""
        return self.words.get(key, {}).get(word, word) if word is not None else None


HOLD: Final[Words] = {
    Hold.OBSERVE: "loja só observa",
    Hold.BEFORE_LIVE: "anterior ao live_from",
    Hold.PROPOSE: "aprovação",
    Hold.BY_WORDS: "só pelo texto",
    Hold.VALUE_CEILING: "acima do teto",
    Hold.BY_LETTER: "vai por carta",
    Hold.LETTER: "carta não saiu",
    Hold.MISSING_DATA: "falta o nome",
    Hold.CONFIGURATION: "configuração",
    Hold.CARRIER_ANSWER: "resposta a ler",
    Hold.TEMPLATE: "texto com erro",
    Hold.RESTORED: "cópia restaurada",
    Hold.MUTED: "silenciado",
}
"""What holds something back, in one cell."""
RESOLUTION: Final[Words] = {
    "delivered": "entregue",
    "returned": "devolvida",
    "seized": "apreendida",
    "cancelled": "postagem cancelada",
    "expired": "postagem vencida",
    "attempted": "houve tentativa",
    "returning": "em devolução",
    "superseded": "deu lugar a outro",
    "order_cancelled": "pedido cancelado",
    "order_closed": "pedido encerrado",
    "promise_moved": "prazo mudou",
    "term_extended": "prazo mudou",
    "moving_again": "voltou a andar",
    "shipped": "tem envio",
    "posted": "postada",
    "available_for_pickup": "aguarda retirada",
    "tracked_again": "voltou a ser vista",
    "code_corrected": "código corrigido",
    "withdrawn": "transportadora corrigiu",
    **pt.SETTLED,
}
"""How a problem ended, in one cell."""
CAUSE: Final[Words] = {
    Cause.ABSENT: "ausente",
    Cause.WRONG_ADDRESS: "endereço",
    Cause.REFUSED: "recusada",
    Cause.UNCLAIMED: "não retirada",
    Cause.RETURN: "devolução",
    Cause.DELAY: "atraso",
    Cause.LOSS: "extravio",
    Cause.THEFT: "roubo",
    Cause.DAMAGE: "avaria",
    Cause.VIOLATION: "violação",
    Cause.MISDELIVERY: "entrega a outra pessoa",
    Cause.CUSTOMS_HOLD: "alfândega",
    Cause.SEIZED: "apreensão",
    Cause.OTHER: "outra",
}
SEVERITY: Final[Words] = {"info": "informação", "warning": "atenção", "critical": "crítico"}
_PT_HEADINGS: Final[Words] = {
    "SINCE": "DESDE",
    "KIND": "TIPO",
    "CAUSE": "CAUSA",
    "ORDER": "PEDIDO",
    "CODE": "CÓDIGO",
    "ENDED": "TERMINOU",
    "STATE": "SITUAÇÃO",
    "HELD BY": "RETIDA POR",
    "PROTOCOL": "PROTOCOLO",
    "FROM": "A PARTIR DE",
    "DEADLINE": "PRAZO",
    "LETTER": "CARTA",
    "QUEUED": "CRIADA",
    "TRIGGER": "MENSAGEM",
    "SENT": "ENVIADA",
    "WHY": "POR QUÊ",
    "SEVERITY": "GRAVIDADE",
    "SHOP": "LOJA",
    "RAISED": "SURGIU",
    "RESOLVED": "RESOLVIDO",
    "TIMES": "VEZES",
    "ACK UNTIL": "CIENTE ATÉ",
    "SUMMARY": "RESUMO",
    "CARRIER": "TRANSPORTADORA",
    "WHERE": "ONDE",
    "PARCELS": "PACOTES",
    "OPEN": "ABERTOS",
    "ALERT": "AVISO",
}
ENGLISH: Final = ListLanguage(
    instant="%Y-%m-%d %H:%M",
    day="%Y-%m-%d",
    nothing={kind: f"no {kind} of this kind" for kind in ("problems", "claims", "messages", "alerts", "incidents")},
)
PORTUGUESE: Final = ListLanguage(
    instant="%d/%m/%Y %H:%M",
    day="%d/%m/%Y",
    headings=_PT_HEADINGS,
    words={
        "problems.kind": pt.PROBLEM,
        "problems.cause": CAUSE,
        "problems.resolution": RESOLUTION,
        "claims.state": pt.CLAIM_STATE,
        "claims.hold_reason": HOLD,
        "claims.kind": {"information_request": "informação", "refund": "indenização"},
        "claims.letter_state": pt.MESSAGE_STATE,
        "messages.state": pt.MESSAGE_STATE,
        "messages.hold_reason": HOLD,
        "messages.trigger": pt.TRIGGER,
        "alerts.severity": SEVERITY,
        "incidents.end_reason": pt.INCIDENT_END,
        "incidents.scope": {
            "hub": "unidade",
            "state": "estado",
            "carrier": "transportadora",
            "everywhere": "em toda parte",
        },
    },
    nothing={
        "problems": "nenhum problema assim",
        "claims": "nenhuma reclamação assim",
        "messages": "nenhuma mensagem assim",
        "alerts": "nenhum aviso assim",
        "incidents": "nenhuma ocorrência assim",
    },
    newest="os {count} mais novos; --limit mostra mais",
    presumed="{kind} (presumido)",
    by_words="{kind} (só pelo texto)",
    diverted="{state} (desviada)",
    acked="sim",
)
LISTS: Final[Mapping[str, ListLanguage]] = {"pt-BR": PORTUGUESE, "en": ENGLISH}


def coded(key: str, text: str) -> str | None:
    """The program's word for one that a list shows in Portuguese; None where no one word fits."""
    found = {code for code, word in PORTUGUESE.words.get(key, {}).items() if word.casefold() == text.casefold()}
    return str(found.pop()) if len(found) == 1 else None

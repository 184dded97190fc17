"""The program's words as a Brazilian shop says them. A word without an entry is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from carriers.base import Cause, ProblemKind, TrackingStatus
from tracker.domain.claim_plan import WhyNot
from tracker.domain.hand import ActKind, Reported, Settled
from tracker.domain.notices import WhyNotTold
from tracker.domain.words import ClaimState, DeliveryState, Hold, Trigger

STATUS: Final[Mapping[str, str]] = {
    TrackingStatus.PRE_TRANSIT: "registrado, ainda não postado",
    TrackingStatus.POSTED: "postado",
    TrackingStatus.IN_TRANSIT: "em trânsito",
    TrackingStatus.CUSTOMS: "na alfândega",
    TrackingStatus.OUT_FOR_DELIVERY: "saiu para entrega",
    TrackingStatus.DELIVERY_FAILED: "tentativa de entrega sem sucesso",
    TrackingStatus.AVAILABLE_FOR_PICKUP: "aguardando retirada",
    TrackingStatus.DELIVERED: "entregue",
    TrackingStatus.RETURNING: "voltando para a loja",
    TrackingStatus.RETURNED: "devolvido à loja",
    TrackingStatus.EXCEPTION: "com ocorrência",
    TrackingStatus.LOST: "extraviado",
    TrackingStatus.STOLEN: "roubado",
    TrackingStatus.DAMAGED: "avariado",
    TrackingStatus.SEIZED: "apreendido",
    TrackingStatus.CANCELLED: "postagem cancelada",
    TrackingStatus.EXPIRED: "postagem vencida",
    TrackingStatus.UNKNOWN: "sem movimentação conhecida",
}
PROBLEM: Final[Mapping[str, str]] = {
    ProblemKind.NOT_POSTED: "não postado",
    ProblemKind.DELAY: "atraso",
    ProblemKind.STALLED: "parado",
    ProblemKind.LOSS: "extravio",
    ProblemKind.THEFT: "roubo",
    ProblemKind.DAMAGE: "avaria",
    ProblemKind.VIOLATION: "violação",
    ProblemKind.DELIVERY_FAILED: "entrega sem sucesso",
    ProblemKind.ADDRESS_PROBLEM: "problema no endereço",
    ProblemKind.PICKUP_EXPIRING: "prazo de retirada no fim",
    ProblemKind.REFUSED: "recusado",
    ProblemKind.RETURNING: "em devolução",
    ProblemKind.RETURNED: "devolvido",
    ProblemKind.SEIZED: "apreendido",
    ProblemKind.CUSTOMS_HOLD: "retido na alfândega",
    ProblemKind.LATE_DELIVERY: "entrega com atraso",
    ProblemKind.MISDELIVERY: "entregue a outra pessoa",
    ProblemKind.UNTRACKABLE: "sem rastreio",
}
RETURN_CAUSE: Final[Mapping[str, str]] = {
    Cause.ABSENT: "não havia ninguém para receber",
    Cause.WRONG_ADDRESS: "o endereço não foi localizado",
    Cause.REFUSED: "a entrega foi recusada no endereço",
    Cause.UNCLAIMED: "não foi retirada dentro do prazo",
}
"""Why a parcel could not be handed over; other causes say nothing a customer could use."""
CLAIM_STATE: Final[Mapping[str, str]] = {
    ClaimState.PLANNED: "planejada",
    ClaimState.WAITING_APPROVAL: "espera uma pessoa",
    ClaimState.SUBMITTING: "sendo registrada",
    ClaimState.OPEN: "registrada, sem resposta",
    ClaimState.ANSWERED: "respondida",
    ClaimState.ACCEPTED: "aceita",
    ClaimState.REJECTED: "rejeitada",
    ClaimState.REOPENED: "reaberta",
    ClaimState.PAID: "paga",
    ClaimState.REFUSED: "não aceita pela transportadora",
    ClaimState.EXPIRED: "prazo encerrado",
    ClaimState.CANCELLED: "cancelada",
}
CLAIM_KIND: Final[Mapping[str, str]] = {
    "information_request": "pedido de informação",
    "refund": "pedido de indenização",
}
WAY: Final[Mapping[str, str]] = {
    "refund": "ela foi aceita, e o dinheiro só vem com um pedido de indenização",
    "contest": "ela foi rejeitada, e uma rejeição é contestada uma vez",
    "problem": "ela foi rejeitada, e a encomenda teve outro problema depois",
}
"""Why an answered claim is reopened, by the way of its reopening."""
MESSAGE_STATE: Final[Mapping[str, str]] = {
    DeliveryState.QUEUED: "na fila",
    DeliveryState.SENDING: "saindo",
    DeliveryState.UNCONFIRMED: "saiu, sem confirmação",
    DeliveryState.SENT: "enviada",
    DeliveryState.DELIVERED: "entregue",
    DeliveryState.BOUNCED: "endereço recusado",
    DeliveryState.FAILED: "falhou",
    DeliveryState.SUPPRESSED: "não enviada",
    DeliveryState.EXPIRED: "venceu sem sair",
    DeliveryState.AWAITING_PERSON: "espera uma pessoa",
}
TRIGGER: Final[Mapping[str, str]] = {
    Trigger.ORDER_THANKED: "agradecimento pela compra",
    Trigger.POSTED: "pedido postado",
    Trigger.IN_TRANSIT: "marco do caminho",
    Trigger.OUT_FOR_DELIVERY: "saiu para entrega",
    Trigger.DELIVERY_ATTEMPT_FAILED: "tentativa sem sucesso",
    Trigger.PICKUP_WAITING: "aguardando retirada",
    Trigger.DELIVERED: "pedido entregue",
    Trigger.DELAY_DETECTED: "aviso de atraso",
    Trigger.DELAY_FOLLOWUP: "notícia prometida",
    Trigger.INQUIRY_OPENED: "reclamação aberta",
    Trigger.LOSS_CONFIRMED: "extravio confirmado",
    Trigger.DAMAGE: "avaria",
    Trigger.RETURNED_TO_SENDER: "devolução à loja",
    Trigger.ADDRESS_PROBLEM: "endereço a conferir",
}
BY_WORDS: Final = "lido do texto da transportadora, sem código confirmado"
"""Of a problem that no confirmed code tells of."""
HOLD: Final[Mapping[str, str]] = {
    Hold.OBSERVE: "a loja ainda só observa (live_from)",
    Hold.BEFORE_LIVE: "começou antes de a loja entrar no ar",
    Hold.PROPOSE: "espera aprovação",
    Hold.VALUE_CEILING: "valor acima do limite automático",
    Hold.BY_WORDS: "só o texto da transportadora diz isso, sem código confirmado",
    Hold.BY_LETTER: "esta transportadora recebe por carta: envie e aprove",
    Hold.LETTER: "a carta não saiu, ou não se sabe se saiu",
    Hold.MISSING_DATA: "falta o nome do destinatário no pedido",
    Hold.CONFIGURATION: "falta acertar a configuração",
    Hold.CARRIER_ANSWER: "a resposta da transportadora precisa de uma pessoa",
    Hold.TEMPLATE: "o texto da mensagem tem um erro",
    Hold.RESTORED: "o banco voltou a uma cópia anterior; pode já ter saído",
    Hold.MUTED: "pedido silenciado à mão",
}
MENDED: Final[Mapping[str, str]] = {
    "name": "nome",
    "email": "e-mail",
    "phone": "telefone",
    "document": "CPF/CNPJ",
    "recipient": "destinatário",
    "postal_code": "CEP",
}
"""Values of an order that intake mends."""
ORDER_STATUS: Final[Mapping[str, str]] = {
    "open": "aberto",
    "paid": "pago",
    "ready": "pronto para envio",
    "shipped": "enviado",
    "delivered": "entregue",
    "cancelled": "cancelado",
    "returned": "devolvido",
}

WHY: Final[Mapping[str, str]] = {
    WhyNot.NO_OFFER: "a transportadora não aceita reclamação deste tipo",
    WhyNot.PRESUMED: "presumido pelo silêncio; reclamado como não entregue, junto com o atraso",
    WhyNot.INSIDE_CARRIER_TERM: "atrasou para o cliente, não para a transportadora",
    WhyNot.NO_DUE_DATE: "a transportadora não informou prazo, e nenhum é inventado",
    WhyNot.NOT_DELIVERED_YET: "tentativa fora do prazo; reclamável quando entregue",
    WhyNot.INSIDE_LATEST_DATE: "chegou até a última data que a transportadora informou",
    WhyNot.ENDED: "terminou antes de poder ser reclamado",
    WhyNot.NOT_THE_CARRIERS_FAULT: "não foi falha da transportadora",
    WhyNot.BY_CONTRACT: "o contrato acerta atrasos por nível de serviço",
    WhyNot.SETTLED_BY_HAND: "encerrado à mão, sem reclamação",
    WhyNot.REFUSED_BEFORE: "a transportadora já recusou uma reclamação assim",
    WhyNot.NO_DESK: "esta transportadora não recebe reclamações por aqui",
    WhyNot.SWITCHED_OFF: "reclamações desligadas nesta transportadora",
    WhyNot.NO_NUMBER: "o envio não tem código de rastreio ativo",
    WhyNot.ONE_CLAIM_A_PARCEL: "a transportadora já recebeu uma reclamação por este envio e não aceita outra",
    WhyNotTold.TOO_OLD: "antigo demais para avisar",
    WhyNotTold.ENDED_BEFORE_SEEN: "o envio já tinha terminado quando foi visto pela primeira vez",
    WhyNotTold.DAMAGED: "a encomenda foi avariada, e é disso que o cliente é avisado",
    WhyNotTold.ORDER_SILENT: "o pedido foi cancelado ou devolvido",
    WhyNotTold.DAILY_LIMIT: "avisos demais no mesmo dia; fica para o seguinte",
    WhyNotTold.PARCEL_LIMIT: "avisos demais sobre o mesmo envio; só se avisa o que depende do cliente",
    WhyNotTold.DAY_TAKEN: "o pedido já teve o seu aviso do dia; fica para o seguinte",
    WhyNotTold.CROWDED_DAY: "muitas encomendas com a mesma causa; um aviso por dia basta",
    WhyNotTold.SAID_ALREADY: "outro aviso, mais adiantado ou mais grave, já diz isso",
    WhyNotTold.NO_ADDRESS: "o pedido não tem e-mail",
    WhyNotTold.MARKETPLACE_ADDRESS: "o único e-mail é um endereço do marketplace, que não pode receber avisos",
}
"""Why something was not claimed or not told, by the code in the decision's facts."""
CLOSED: Final[Mapping[str, str]] = {
    "no_number": "sem código de rastreio ativo",
    "other_account": "o código é de outro contrato; estas credenciais não o veem",
    "invalid_number": "a transportadora não reconhece este código",
    "not_found": "a transportadora nunca mostrou este código",
    "final": "o envio chegou ao fim",
    "long_final": "sem mudança há muito tempo",
}
"""Why a shipment is asked about no more."""
ACT: Final[Mapping[str, str]] = {
    ActKind.APPROVE: "aprovou",
    ActKind.REJECT: "barrou",
    ActKind.RELEASE: "liberou",
    ActKind.MUTE: "silenciou o pedido",
    ActKind.UNMUTE: "voltou a avisar o cliente",
    ActKind.CANCEL: "cancelou",
    ActKind.UNCANCEL: "desfez o cancelamento",
    ActKind.RESOLVE: "encerrou",
    ActKind.REPORT: "informou de",
    ActKind.EDIT: "corrigiu",
}
"""What a hand did."""
SETTLED: Final[Mapping[str, str]] = {
    Settled.FOUND: "a encomenda apareceu",
    Settled.SATISFIED: "o cliente está satisfeito",
    Settled.REFUNDED: "o cliente foi reembolsado",
    Settled.RESENT: "o produto foi enviado de novo",
    Settled.MISTAKE: "foi engano",
    Settled.OTHER: "por outro motivo",
}
"""How a person settled a problem."""
REPORTED: Final[Mapping[str, str]] = {
    Reported.VIOLATION: "embalagem violada",
    Reported.MISDELIVERY: "entregue a outra pessoa",
    Reported.NOT_RECEIVED: "o cliente diz que não recebeu",
    Reported.DAMAGE: "chegou danificada",
}
"""What a person reported of a parcel."""
INCIDENT_END: Final[Mapping[str, str]] = {
    "part of a wider one": "faz parte de uma ocorrência maior",
    "no parcel is left in it": "nenhuma encomenda ficou nela",
    "no new parcel, and few are left": "nenhuma encomenda nova, e poucas ainda com problema",
}
"""Why an incident ended, by the log's own words."""
FIELD: Final[Mapping[str, str]] = {
    "customer_email": "e-mail",
    "recipient_email": "e-mail",
    "customer_phone": "telefone",
    "recipient_phone": "telefone",
    "customer_document": "CPF/CNPJ",
    "recipient_document": "CPF/CNPJ",
    "customer_name": "nome",
    "recipient_name": "nome",
    "promised_on": "data prometida",
    "postal_code": "CEP",
    "tracking_code": "código de rastreio",
    "carrier": "transportadora",
}
"""Fields that a person can correct."""
SMTP: Final[Mapping[str, str]] = {
    "mailbox_full": "caixa postal cheia",
    "domain_unknown": "o domínio do endereço não existe",
    "no_such_mailbox": "o endereço não existe",
    "sender_unauthenticated": "o remetente da loja não está autenticado",
    "auth_refused": "o servidor de e-mail recusou a senha",
    "too_big": "mensagem grande demais",
    "temporary": "recusa temporária do servidor",
    "bad_syntax": "endereço mal escrito",
    "domain_takes_no_mail": "o domínio não recebe e-mail",
    "daily_quota": "a cota do dia acabou",
    "rate": "limite de envios por segundo",
    "host_limit": "limite de envios do servidor",
    "relay_denied": "o servidor não envia para fora",
    "sender_unverified": "o remetente ainda não foi verificado",
    "unreadable_reply": "resposta ilegível do servidor",
    "server_refused": "o servidor recusou a conexão",
    "protocol": "o servidor não entendeu o pedido",
    "sender_refused": "o servidor recusou o remetente",
    "policy": "regra do servidor de destino",
    "recipient_refused": "o servidor recusou o destinatário",
    "content_refused": "o servidor recusou o conteúdo",
    "no_answer": "sem resposta do servidor",
    "answer_lost": "sem resposta do servidor",
    "starttls_missing": "o servidor não oferece conexão segura",
    "certificate": "certificado do servidor inválido",
    "unreachable": "servidor fora do alcance",
    "connection_refused": "o servidor de e-mail não está no ar, ou a porta é outra",
    "name_unknown": "o nome do servidor de e-mail não foi encontrado",
    "no_route": "sem rede até o servidor de e-mail",
    "timed_out": "o servidor de e-mail não respondeu a tempo",
    "tls_failed": "a conexão segura com o servidor falhou",
    "auth_without_tls": "senha sem conexão segura",
    "auth_missing": "o servidor pede senha",
    "connection_lost": "a conexão caiu",
    "local_part_not_ascii": "endereço com letras que o servidor não aceita",
    "reputation": "o servidor recusa vários textos diferentes: remetente ou domínio mal visto",
    "complaint": "o destinatário marcou uma mensagem como indesejada",
    "by_hand": "por decisão da loja",
}
"""What became of an e-mail, by the token of its outcome."""


def say(words: Mapping[str, str], word: str | None) -> str:
    """The word in Portuguese; itself where there is none, nothing for None."""
    return "" if word is None else words.get(word, word)

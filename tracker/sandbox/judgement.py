"""Whether a claim is taken: the item codes of "cadastra", judged from the object's own timeline.

Codes and texts follow the integration manual v2.2, chapter 16; the split of the 30 and 90 day limits by claim type is
not published and assumed here: complaints (R) 30 days, refund requests (I) 90.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from tracker.sandbox.facts import Facts

REGISTERED, NOT_FOUND, FOREIGN_OBJECT, ALREADY_OPEN, FAILED = 0, 4, 55, 900, 999
SERVICE_LEVEL = 560
_NO_PROTOCOL = " Para esta consulta não será gerado protocolo de atendimento."
_LIMIT = (
    "Olá, o prazo máximo para registro desta manifestação ({days} dias, contados da “Data da entrega” ou “Data "
    "prevista de entrega”, o que ocorrer primeiro), encontra-se expirado."
)
TEXTS: Mapping[int, str] = {
    REGISTERED: "Olá, sua manifestação foi registrada com sucesso.",
    NOT_FOUND: "Olá, dados informados não encontrados na base dos Correios.",
    FOREIGN_OBJECT: "Olá, o objeto não pertence ao contrato/cartão de postagem informado.",
    121: "Olá, número do contrato não encontrado.",
    126: "Olá, o cartão de postagem informado difere do cartão da postagem.",
    240: "Olá, o e-mail para resposta não foi informado.",
    241: "Olá, o e-mail para resposta é inválido.",
    250: "Olá, o código do objeto não foi informado.",
    260: "Olá, o código do motivo não foi informado.",
    261: "Olá, o código do motivo é inválido.",
    271: "Olá, o código do objeto deve estar no formato XX999999999XX.",
    272: "Olá, este canal é exclusivo para objetos nacionais.",
    281: "Olá, o tipo de embalagem é inválido.",
    282: "Olá, o tipo de manifestação é inválido.",
    301: "Olá, o nome do destinatário não foi informado.",
    510: _LIMIT.format(days=90),
    564: _LIMIT.format(days=30),
    530: "Olá, a entrega, 1ª tentativa de entrega ou a disponibilização do objeto para retirada ocorreu dentro do "
    "prazo previsto de entrega." + _NO_PROTOCOL,
    531: "Olá, o objeto não foi entregue, conforme dados disponíveis no sistema de rastreamento." + _NO_PROTOCOL,
    544: "Olá, o objeto está dentro do prazo previsto de entrega, conforme sistema calculador de preços e prazos."
    + _NO_PROTOCOL,
    545: "Olá, o objeto em questão não se encontra com situação que possibilite o registro por esse motivo."
    + _NO_PROTOCOL,
    546: "Olá, o objeto teve sua entrega realizada, conforme o sistema de rastreamento de objetos." + _NO_PROTOCOL,
    547: "Olá, este motivo exige que o objeto tenha sido entregue." + _NO_PROTOCOL,
    548: "Olá, o objeto está aguardando retirada na agência, conforme o sistema de rastreamento." + _NO_PROTOCOL,
    549: "Olá, a devolução do objeto ao remetente ainda não foi confirmada." + _NO_PROTOCOL,
    550: "Olá, o objeto não tem relação com o motivo informado." + _NO_PROTOCOL,
    SERVICE_LEVEL: "Olá, o objeto é mensurado pelo nível de serviço, portanto não é previsto o registro de "
    "manifestação por este motivo.",
    638: "Olá, o objeto não foi encaminhado a uma unidade para entrega." + _NO_PROTOCOL,
    ALREADY_OPEN: "Olá, já existe uma manifestação registrada para objeto informado.",
    FAILED: "Olá, ocorreu um erro durante o processo de cadastro. Tente novamente em alguns minutos.",
}
MOTIVES: Mapping[int, str] = {
    132: "Remessa/Objeto Postal entregue em local incorreto",
    133: "Remessa/Objeto Postal violada",
    134: "Remessa/Objeto Postal avariada/danificada",
    135: "Remessa/Objeto Postal entregue com atraso",
    136: "Remessa/Objeto Postal devolvida indevidamente",
    141: "Pedido de confirmação não recebido",
    142: "Pedido de cópia não recebido",
    148: "Remetente não recebeu o AR",
    211: "Remessa/Objeto Postal não entregue",
    240: "Imagem do AR digital indisponível",
    1414: "Não houve tentativa de entrega domiciliar",
}
_OBJECT_CODE = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def form_fault(item: Mapping[str, object]) -> int | None:
    """Return the code for an item that is wrong by itself, or None."""
    code, motive, email = item.get("codigoObjeto"), item.get("codigoMotivoReclamacao"), item.get("emailResposta")
    if not code:
        return 250
    if not isinstance(code, str) or not _OBJECT_CODE.fullmatch(code):
        return 271
    if not code.endswith("BR"):
        return 272
    if motive is None:
        return 260
    if not isinstance(motive, int) or motive not in MOTIVES:
        return 261
    if item.get("tipoEmbalagem") not in ("E", "C"):
        return 281
    if item.get("tipoManifestacao") not in ("R", "I"):
        return 282
    if not str(item.get("nomeDestinatario") or "").strip():
        return 301
    if not email:
        return 240
    return None if isinstance(email, str) and _EMAIL.fullmatch(email) else 241


def judge(motive: int, kind: str, due_on: date, known: Facts, today: date) -> int:
    """Return the item code for a well-formed claim about a posted object of the right contract, due on *due_on*."""
    since = min(day for day in (due_on, known.delivered_on) if day is not None)
    if today > since + timedelta(days=90):
        return 510
    if kind == "R" and today > since + timedelta(days=30):
        return 564
    if motive == 211:
        return _not_delivered(known, due_on, today)
    if motive == 135:
        return _late(known, due_on)
    if motive == 134:
        return REGISTERED if known.damaged or known.delivered_on else 547
    if motive == 133:
        return REGISTERED if known.delivered_on else 547
    if motive == 132:
        return REGISTERED if known.delivered_on else 531
    if motive == 136:
        return REGISTERED if known.returned else 549 if known.turned_back else 545
    if motive == 1414:
        return REGISTERED if known.sent_to_counter_untried else 638
    return 550  # confirmation, copy and AR requests: no parcel here has those services


def _not_delivered(known: Facts, due_on: date, today: date) -> int:
    if known.delivered_on:
        return 546
    if known.at_counter:
        return 548
    if known.returned or known.turned_back:
        return 545
    if known.lost or known.stolen:
        return REGISTERED
    return 544 if today <= due_on else REGISTERED


def _late(known: Facts, due_on: date) -> int:
    if known.first_try_on is not None and known.first_try_on <= due_on:
        return 530
    if known.at_counter:
        return 548
    return REGISTERED if known.delivered_on else 531

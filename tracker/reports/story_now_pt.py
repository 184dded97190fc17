"""How things stand now and what a person can do, and what alerts mean, in Portuguese (see `tracker.reports.story_words`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STANDING: Final[Mapping[str, str]] = {
    "now.problem/open": "{id}: o problema está em aberto[ desde {since:day}].",
    "now.problem/resolved": "{id}: o problema terminou[ em {resolved_at:day}].",
    "now.problem/unclaimed": "{id}: não há reclamação à transportadora.",
    "now.problem/untold": "{id}: nenhuma mensagem foi preparada para o cliente sobre este problema.",
    "now.claim/planned": (
        "{id}: será registrada em {claimable_from:day}, o primeiro dia em que a transportadora aceita;"
        " o prazo vai até {deadline_on:day}."
    ),
    "now.claim/waiting_approval": "{id}: espera uma pessoa. O prazo para reclamar vai até {deadline_on:day}.",
    "now.claim/waiting_approval/approved": (
        "{id}: aprovada; o programa dá andamento na próxima passada. Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/released": "{id}: liberada; o programa decide na próxima passada. Prazo: {deadline_on:day}.",
    "now.claim/waiting_approval/observe": (
        "{id}: nada sai enquanto a loja só observa. Para entrar no ar, ponha a data em live_from (config.yaml)."
    ),
    "now.claim/waiting_approval/before_live": (
        "{id}: para registrar, tracker release {id}; para desistir, tracker reject {id}. Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/restored": (
        "{id}: o banco de dados voltou a uma cópia anterior, e isto pode já ter ido à transportadora;"
        " para deixar sair, tracker release {id}; para desistir, tracker reject {id}. Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/propose": (
        "{id}: para registrar, tracker approve {id}; para desistir, tracker reject {id}. Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/value_ceiling": (
        "{id}: para registrar, tracker approve {id}; para desistir, tracker reject {id}. Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/by_letter": (
        "{id}: envie a reclamação à transportadora até {deadline_on:day} e depois confirme com tracker approve {id}."
    ),
    "now.claim/waiting_approval/by_words": (
        "{id}: só o texto da transportadora diz isso. Para pedir a indenização assim mesmo, tracker approve {id}; para desistir,"
        " tracker reject {id}; se o texto é certo, ponha-o em codes (config.yaml). Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/missing_data": (
        "{id}: informe o nome do destinatário (tracker edit PEDIDO --name NOME); depois disso ela segue."
        " Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/configuration": (
        "{id}: acerte os dados da transportadora em config.yaml e depois tracker approve {id}. Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/carrier_answer": (
        "{id}: leia a resposta da transportadora; para tentar de novo, tracker approve {id};"
        " para desistir, tracker reject {id}. Prazo: {deadline_on:day}."
    ),
    "now.claim/waiting_approval/letter": (
        "{id}: procure a carta[ para {letter_to}] no registro do servidor de e-mail; se saiu, tracker claims sent {id}; para"
        " enviar de novo, tracker approve {id}; para desistir, tracker reject {id}. Prazo: {deadline_on:day}."
    ),
    "now.claim/submitting/letter": "{id}: a carta espera o servidor de e-mail[: {letter_reason:quote}].",
    "now.claim/open/letter": (
        "{id}: carta enviada[ para {letter_to}][ em {letter_at:time}][, lembrete em {reminded_at:time}][, com {evidence}]; sem"
        " resposta.[ Ela pede resposta até {answer_by:day}.] Quando a resposta chegar: tracker claims answer {id}."
    ),
    "now.claim/accepted/letter": (
        "{id}: aceita[, protocolo {protocol}]; o pagamento ainda não foi anotado. Quando chegar:"
        " tracker claims answer {id} --paid --amount VALOR."
    ),
    "now.claim/submitting": "{id}: está sendo enviada à transportadora[; próxima tentativa em {next_step_at:time}].",
    "now.claim/open": (
        "{id}: registrada[, protocolo {protocol}], sem resposta."
        "[ A transportadora tem até {answer_by:day} para responder.][ Próxima consulta em {next_step_at:time}.]"
    ),
    "now.claim/answered": (
        "{id}: respondida[, protocolo {protocol}], sem dizer se aceita; leia a resposta."
        "[ Próxima consulta em {next_step_at:time}.]"
    ),
    "now.claim/accepted": (
        "{id}: aceita[, protocolo {protocol}]; o pagamento ainda não apareceu.[ Próxima consulta em {next_step_at:time}.]"
    ),
    "now.claim/rejected": "{id}: rejeitada pela transportadora[, protocolo {protocol}].",
    "now.claim/rejected/closed": (
        "{id}: rejeitada pela transportadora[, protocolo {protocol}]. Se nada novo acontecer, nada mais é pedido a ela: uma"
        " pessoa decide o que oferecer ao cliente e se insiste no atendimento da transportadora."
    ),
    "now.claim/reopened": "{id}: reaberta[, protocolo {protocol}], sem resposta.[ Próxima consulta em {next_step_at:time}.]",
    "now.claim/paid": "{id}: paga[, protocolo {protocol}]. Nada mais a fazer.",
    "now.claim/refused": "{id}: a transportadora não aceitou a reclamação[: {refusal_text:quote}].",
    "now.claim/expired": "{id}: o prazo para reclamar acabou em {last_on:day}.",
    "now.claim/cancelled": "{id}: cancelada antes de ser registrada.",
    "now.message/queued": "{id}: na fila[; sai a partir de {next_step_at:time}].",
    "now.message/sending": "{id}: está saindo agora.",
    "now.message/unconfirmed": (
        "{id}: saiu sem confirmação do servidor[, desviada para {diverted_to} e não para o cliente]"
        "[; nova tentativa em {next_step_at:time}].[ No registro do servidor de e-mail,"
        " o Message-ID é {message_id}.]"
    ),
    "now.message/sent": "{id}: enviada[ em {sent_at:time}][, mas desviada para {diverted_to}: o cliente não a recebeu].",
    "now.message/delivered": "{id}: entregue.",
    "now.message/bounced": (
        "{id}: [o endereço do desvio, {diverted_to}, recusou a mensagem, que não foi ao cliente|o endereço recusou a mensagem."
        " Corrija o e-mail (tracker edit PEDIDO --email ENDEREÇO)]."
    ),
    "now.message/failed": "{id}: não pôde ser entregue.",
    "now.message/suppressed": "{id}: não será enviada.",
    "now.message/expired": "{id}: venceu em {expires_at:day} sem sair.",
    "now.message/awaiting_person": "{id}: espera uma pessoa até {expires_at:time}.",
    "now.message/awaiting_person/observe": (
        "{id}: nada sai enquanto a loja só observa (live_from em config.yaml); vence em {expires_at:time}."
    ),
    "now.message/awaiting_person/before_live": (
        "{id}: para enviar, tracker release {id}; para desistir, tracker reject {id}. Vence em {expires_at:time}."
    ),
    "now.message/awaiting_person/restored": (
        "{id}: pode já ter saído; se o servidor de e-mail não a tem, tracker release {id}; se tem, tracker reject {id}."
        " Vence em {expires_at:time}."
    ),
    "now.message/awaiting_person/configuration": "{id}: acerte a loja em config.yaml. Vence em {expires_at:time}.",
    "now.message/awaiting_person/template": ("{id}: corrija o texto, e ela sai sozinha. Vence em {expires_at:time}."),
    "now.message/awaiting_person/muted": (
        "{id}: o pedido está silenciado; para voltar a avisar, tracker mute PEDIDO --off. Vence em {expires_at:time}."
    ),
    "now.incident/open": (
        "{id}: {open_members} de {members} encomendas ainda estão com o problema; a última entrou em {last_joined_at:time}. As"
        " reclamações delas saem espalhadas pelo dia, e o aviso de atraso diz que é geral."
    ),
    "now.incident/ended": "{id}: terminou; {open_members} de {members} encomendas ainda estão com o problema.",
    "now.shipment/polled": (
        "{id}: última resposta da transportadora [em {last_answered_at:time}|{!last_answered_at}nunca]"
        "[; próxima consulta em {next_poll_at:time}]."
    ),
    "now.shipment/unread": (
        "{id}: a transportadora mostra [{several} movimentações|uma movimentação] de código que o programa não conhece"
        " ({codes}), e nada muda por [{?several}elas|ela]. Como dar sentido ao código: tracker carriers unknown --carrier"
        " {carrier}."
    ),
    "now.shipment/told": (
        "{id}: a transportadora avisa por si e não pode ser consultada; a última notícia veio [em"
        " {last_answered_at:time}|{!last_answered_at}nunca]."
    ),
    "now.shipment/closed": "{id}: o rastreio não é mais consultado: {closed_reason:closed}.",
}
ALERTS: Final[Mapping[str, str]] = {
    "alert.*": "Algo precisa de uma pessoa.",
    "now.alert/raised": "O programa avisou: {summary:quote}",
    "now.alert/acked": (
        "Visto[ por {who}| por uma pessoa][ ({note})]: nada mais é dito dele até [{until:time}|que termine], a não ser que"
        " piore."
    ),
    "now.alert/resolved": "Resolvido.",
    "alert.claim_deadline": "O prazo de uma reclamação está perto do fim e ela não foi registrada.",
    "alert.claim_needs_person": "Uma reclamação espera uma pessoa.",
    "alert.claim_unanswered": "A transportadora não respondeu a uma reclamação no prazo dela.",
    "alert.claim_vanished": "A transportadora deixou de encontrar uma reclamação que tinha recebido.",
    "alert.claims_by_contract": "O contrato não aceita reclamações deste motivo.",
    "alert.claim_deadline_near": "O prazo de uma reclamação se aproxima e ela ainda não foi registrada.",
    "alert.claim_rejected": "A transportadora rejeitou uma reclamação.",
    "alert.claim_refund_refused": "A transportadora não reabriu uma reclamação aceita como pedido de indenização.",
    "alert.claims_failing": "O sistema de reclamações da transportadora está falhando.",
    "alert.delivery_reversed": (
        "A transportadora desfez a entrega[ de {code}]; quem foi avisado da entrega precisa de uma palavra."
    ),
    "alert.incident": "Muitas encomendas de uma transportadora estão com problema ao mesmo tempo.",
    "alert.untrackable": "A transportadora não consegue acompanhar um código.",
    "alert.unknown_code": "A transportadora mandou um código de evento que o programa não conhece.",
    "alert.message_unconfirmed": "Uma mensagem saiu sem que o servidor de e-mail confirmasse.",
    "alert.bounces_down": "A caixa dos e-mails devolvidos não pode ser lida.",
    "alert.bounce_rate": "Muitas mensagens estão voltando; confira os e-mails dos pedidos.",
    "alert.mail_down": "O servidor de e-mail não aceita mensagens; elas esperam na fila.",
    "alert.template_broken": "O texto de uma mensagem tem um erro; as mensagens dele esperam.",
    "alert.carrier_down": "A transportadora não responde às consultas.",
    "alert.carrier_refused": "A transportadora recusa as credenciais. Confira usuário, código de acesso e contrato.",
    "alert.import_refused": "Um arquivo de pedidos não pôde ser lido e está na pasta refused, com o motivo ao lado.",
    "alert.carrier_unconfigured": "Há envios de uma transportadora que não está na configuração.",
    "alert.backup_failed": "A cópia diária do banco de dados não foi feita.",
    "alert.backup_missing": "Há mais de dois dias não há uma cópia boa do banco de dados.",
}

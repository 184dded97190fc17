"""What `tracker explain` says, in Portuguese: one entry a rule, outcome and reason (see `tracker.reports.story_words`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracker.reports import words_pt
from tracker.reports.story_now_pt import ALERTS, STANDING
from tracker.reports.story_words import Language

_PROBLEMS: Final[Mapping[str, str]] = {
    "delay.past_promise": (
        "Atraso: a encomenda não chegou e nenhuma tentativa de entrega foi feita no prazo."
        "[ {?customer_since}O prazo prometido ao cliente era {promised_on:day}.]"
        "[ {?carrier_since}O prazo da transportadora era {carrier_due_first_on:day}."
        "| {!carrier_since}A transportadora ainda está dentro do prazo dela, que é {carrier_due_first_on:day}."
        "|{!carrier_due_first_on} A transportadora não informou prazo.]"
    ),
    "late_delivery.past_promise": (
        "Primeira tentativa fora do prazo: a transportadora só veio[ em {since:day}| depois dele]."
        "[ {?customer_since}O prazo prometido ao cliente era {promised_on:day}.]"
        "[ {?carrier_since}O prazo da transportadora era {carrier_due_first_on:day}."
        "| {!carrier_since}Para a transportadora o prazo era {carrier_due_first_on:day}, e ela o cumpriu.]"
    ),
    "loss.coded": (
        "Extravio: a transportadora informou[ em {since:day}] que a encomenda foi perdida."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "loss.presumed": (
        "Extravio presumido: nenhuma movimentação por[ {business_days:business_days}| tempo demais]"
        "[, contados a partir de {counted_from:day}].[ A última movimentação foi em {last_event_at:day}.]"
        "[ Não contaram os feriados: {holidays_skipped:holidays}.]"
        "[ {?days_without_answer}Dias em que a transportadora não respondeu às consultas não contaram: {days_without_answer}.]"
    ),
    "theft.coded": (
        "Roubo: a transportadora informou[ em {since:day}] que a encomenda foi roubada."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "damage.coded": (
        "Avaria: a transportadora registrou[ em {since:day}] que a encomenda está danificada."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "violation.*": (
        "Violação: a transportadora registrou[ em {since:day}] que a embalagem foi violada."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "returning.coded": (
        "Devolução: a encomenda está voltando para a loja[ desde {since:day}][, porque {cause:cause}]."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "returned.coded": (
        "Devolvida: a encomenda voltou para a loja[ em {since:day}][, porque {cause:cause}]."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "delay.*": "Atraso: a encomenda passou do prazo[ em {since:day}].",
    "late_delivery.*": "Primeira tentativa fora do prazo: a transportadora só veio[ em {since:day}| depois dele].",
    "loss.*": "Extravio: a encomenda é dada como perdida[ desde {since:day}].",
    "theft.*": "Roubo: a encomenda foi roubada[ em {since:day}].",
    "damage.*": "Avaria: a encomenda está danificada[ desde {since:day}].",
    "returning.*": "Devolução: a encomenda está voltando para a loja[ desde {since:day}].",
    "returned.*": "Devolvida: a encomenda voltou para a loja[ em {since:day}].",
    "not_posted.*": (
        "Não postada: o pedido foi registrado e a transportadora ainda não recebeu a encomenda"
        "[; conta como problema desde {since:day}]."
    ),
    "stalled.*": (
        "Parada: a encomenda está sem movimentação[ há {business_days:business_days}]"
        "[; a última foi em {last_event_at:day}][; conta como problema desde {since:day}]."
    ),
    "delivery_failed.*": (
        "Entrega sem sucesso: a transportadora tentou entregar[ em {since:day}] e não conseguiu[, porque {cause:cause}]."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "address_problem.*": (
        "Problema no endereço: a transportadora não conseguiu entregar[ em {since:day}] por causa do endereço."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "refused.*": (
        "Recusada: quem estava no endereço não aceitou a encomenda[ em {since:day}]."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "pickup_expiring.*": (
        "Prazo de retirada no fim: a encomenda espera pelo cliente na agência[; o último dia é {last_day:day}]"
        "[; conta como problema desde {since:day}].[ Último lugar registrado: {place}.]"
    ),
    "customs_hold.*": (
        "Retida na alfândega[ desde {since:day}].[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "seized.*": (
        "Apreendida: a encomenda foi apreendida[ em {since:day}] por uma autoridade."
        "[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "misdelivery.*": (
        "Entregue a outra pessoa[ em {since:day}].[ {?by_words}Lido do texto da transportadora, sem código confirmado.]"
    ),
    "untrackable.*": "Sem rastreio: não é possível acompanhar a encomenda[ desde {since:day}][: {closed_reason:closed}].",
    "untrackable.no_number": (
        "Sem rastreio: a loja diz que o pedido foi enviado[ (soubemos em {sent_on:date})], e nenhum arquivo trouxe o código de"
        " rastreio nem a chave da NF-e; sem um deles nada pode ser acompanhado[; conta como problema desde {since:day}]."
    ),
    "not_posted.no_shipment": (
        "Sem envio: o pedido deveria ter saído da loja e ainda não tem código de rastreio"
        "[; conta como problema desde {since:day}]."
    ),
    "delivery.reversed": (
        "A transportadora desfez o registro de entrega[ de {delivered_at:day}]: o cliente não deve ser dado por atendido."
    ),
    "incident.joined": (
        "Faz parte de uma ocorrência: muitas encomendas desta transportadora estão com problema ao mesmo tempo[, em {name}]."
    ),
    "incident.seen": "Ocorrência: muitas encomendas de {carrier} deram problema ao mesmo tempo[, desde {started_at:day}].",
    "incident.seen/hub": (
        "Ocorrência: muitas encomendas de {carrier} deram problema ao mesmo tempo em {name}[, desde {started_at:day}]."
        " Uma causa em comum é provável."
    ),
    "incident.seen/state": (
        "Ocorrência: muitas encomendas de {carrier} para {name} deram problema ao mesmo tempo[, desde {started_at:day}]."
        " Uma causa em comum é provável."
    ),
    "incident.told": "O aviso {alert_id} foi dado.",
    "incident.told/over": "O aviso {alert_id} foi encerrado.",
    "incident.ended": "Terminou[: {end_reason:incident_end}].",
    "problem.ended": "O problema terminou[ em {ended_at:day}].",
    "problem.ended/resolved/delivered": "O problema terminou[ em {ended_at:day}]: a encomenda foi entregue.",
    "problem.ended/resolved/returned": "O problema terminou[ em {ended_at:day}]: a encomenda voltou para a loja.",
    "problem.ended/resolved/seized": "O problema terminou[ em {ended_at:day}]: a encomenda foi apreendida.",
    "problem.ended/resolved/cancelled": "O problema terminou[ em {ended_at:day}]: a postagem foi cancelada.",
    "problem.ended/resolved/expired": "O problema terminou[ em {ended_at:day}]: a postagem venceu sem acontecer.",
    "problem.ended/resolved/attempted": (
        "O problema terminou[ em {ended_at:day}]: houve tentativa de entrega, ou a encomenda foi posta para retirada."
    ),
    "problem.ended/resolved/returning": "O problema terminou[ em {ended_at:day}]: a encomenda está voltando para a loja.",
    "problem.ended/resolved/superseded": "O problema deu lugar a outro[ em {ended_at:day}]: extravio ou roubo.",
    "problem.ended/resolved/order_cancelled": "O problema terminou[ em {ended_at:day}]: o pedido foi cancelado.",
    "problem.ended/resolved/promise_moved": "O problema terminou[ em {ended_at:day}]: o prazo passou a ser outro.",
    "problem.ended/resolved/moving_again": "O problema terminou[ em {ended_at:day}]: a encomenda voltou a se mover.",
    "problem.ended/resolved/shipped": "O problema terminou[ em {ended_at:day}]: o pedido tem agora um envio.",
    "problem.ended/resolved/posted": "O problema terminou[ em {ended_at:day}]: a transportadora recebeu a encomenda.",
    "problem.ended/resolved/available_for_pickup": (
        "O problema terminou[ em {ended_at:day}]: a encomenda foi posta para retirada."
    ),
    "problem.ended/resolved/term_extended": "O problema terminou[ em {ended_at:day}]: o prazo de retirada passou a ser outro.",
    "problem.ended/resolved/tracked_again": (
        "O problema terminou[ em {ended_at:day}]: a transportadora voltou a mostrar este código."
    ),
    "problem.ended/resolved/order_closed": "O problema terminou[ em {ended_at:day}]: o pedido foi encerrado na loja.",
    "problem.ended/resolved/hand_found": "O problema foi encerrado à mão[ em {ended_at:day}]: a encomenda apareceu.",
    "problem.ended/resolved/hand_satisfied": "O problema foi encerrado à mão[ em {ended_at:day}]: o cliente está satisfeito.",
    "problem.ended/resolved/hand_refunded": "O problema foi encerrado à mão[ em {ended_at:day}]: o cliente foi reembolsado.",
    "problem.ended/resolved/hand_resent": "O problema foi encerrado à mão[ em {ended_at:day}]: o produto foi enviado de novo.",
    "problem.ended/resolved/hand_mistake": "O problema foi encerrado à mão[ em {ended_at:day}]: foi engano.",
    "problem.ended/resolved/hand_other": "O problema foi encerrado à mão[ em {ended_at:day}]: por decisão de uma pessoa.",
    "problem.ended/resolved/code_corrected": (
        "O problema terminou[ em {ended_at:day}]: o código de rastreio foi corrigido, e o anterior era de outra encomenda."
    ),
    "problem.ended/resolved/withdrawn": (
        "O problema terminou[ em {ended_at:day}]: o rastreio já não mostra o que o tinha causado."
    ),
}
_PLANS: Final[Mapping[str, str]] = {
    "claim.plan": "O plano da reclamação mudou.",
    "claim.plan/cancelled/by_contract": (
        "Reclamação cancelada: o contrato acerta os atrasos por nível de serviço, e eles ficam só na estatística."
    ),
    "claim.plan/not_claimed/by_contract": (
        "Sem reclamação: o contrato acerta os atrasos por nível de serviço, e eles ficam só na estatística."
    ),
    "claim.plan/not_claimed/not_the_carriers_fault": (
        "Sem reclamação: não foi falha da transportadora[, porque {cause:cause}]."
    ),
    "claim.plan/not_claimed/settled_by_hand": "Sem reclamação: uma pessoa encerrou o problema e não quer reclamar dele.",
    "claim.plan/not_claimed/refused_before": (
        "Sem nova reclamação: a transportadora já recusou uma com o motivo {motive}[ (C{claim})]."
    ),
    "claim.plan/planned": (
        "Reclamação planejada: [{kind:claim_kind}|pedido à transportadora][, motivo {motive}]"
        "[. Pode ser registrada a partir de {claimable_from:day}]"
        "[: é o dia da entrega, {delivered_on:date}, depois do prazo de {due_on:date}"
        "|: o prazo mais longo que a transportadora informou é {due_on:day}, mais {margin_business_days:business_days} de margem"
        "|: a transportadora adiou o prazo, e a espera vai até {cap_business_days:business_days} depois do primeiro,"
        " {due_first_on:day}"
        "|: foi quando o programa passou a acompanhar este envio{?first_on}"
        "|: {?days_after_event}{days_after_event:days} depois do registro da transportadora em {event_on:day}"
        "|: a transportadora registrou o problema em {event_on:day}]."
        "[ Não contaram os feriados: {holidays_skipped:holidays}.][ O prazo para reclamar vai até {deadline_on:day}.]"
        "[ {?by_words}{?second_sign}O problema foi lido do texto da transportadora, sem código confirmado, e não houve"
        " movimentação por {silent_business_days:business_days} depois dele."
        "| {?by_words}O problema foi lido do texto da transportadora, sem código confirmado: sem um código, ou sem movimentação"
        " até {words_until:day}, não se pede indenização por ele."
        "| {?by_words}O problema foi lido do texto da transportadora, sem código confirmado.]"
    ),
    "claim.plan/replanned": (
        "Reclamação replanejada com o que o rastreio mostra agora:"
        " [{kind:claim_kind}|pedido à transportadora][, motivo {motive}][, a partir de {claimable_from:day}]"
        "[; o prazo mais longo que a transportadora informou é {due_on:day}][; o prazo para reclamar vai até {deadline_on:day}]."
        "[ {?by_words}{?second_sign}O problema foi lido do texto da transportadora, sem código confirmado, e não houve"
        " movimentação por {silent_business_days:business_days} depois dele."
        "| {?by_words}O problema foi lido do texto da transportadora, sem código confirmado.]"
    ),
    "claim.gives_way": (
        "O pedido de informação termina: a indenização de que ele tratava já pode ser pedida[, com o motivo {motive}], em outra"
        " carta."
    ),
    "claim.plan/cancelled": "Reclamação cancelada: o problema terminou antes de ela ser registrada.",
    "claim.plan/cancelled/was_another_parcels": (
        "Reclamação cancelada: o código de rastreio foi corrigido, e o anterior era de outra encomenda."
    ),
    "claim.plan/not_claimed": "Sem reclamação por este problema.",
    "claim.plan/not_claimed/no_offer": "Sem reclamação: a transportadora não aceita reclamação por este tipo de problema.",
    "claim.plan/not_claimed/no_offer.returning": (
        "Ainda sem reclamação: só se reclama de uma devolução depois que a encomenda volta,"
        " e só se ninguém tiver causado ou pedido a devolução."
    ),
    "claim.plan/not_claimed/presumed": (
        "Sem reclamação própria: o extravio é presumido pelo silêncio, e o que se reclama da transportadora é o atraso."
    ),
    "claim.plan/not_claimed/inside_carrier_term": (
        "Sem reclamação: atrasou para o cliente, não para a transportadora[, cujo prazo vai até {due_on:day}]."
    ),
    "claim.plan/not_claimed/no_due_date": "Sem reclamação: a transportadora não informou prazo, e nenhum é inventado.",
    "claim.plan/not_claimed/not_delivered_yet": (
        "Ainda sem reclamação: a tentativa de entrega foi fora do prazo, o que só se reclama depois da entrega."
    ),
    "claim.plan/not_claimed/inside_latest_date": (
        "Sem reclamação: chegou até a última data que a transportadora tinha informado[, {due_on:day}]."
    ),
    "claim.plan/not_claimed/ended": "Sem reclamação: o problema terminou antes de poder ser reclamado.",
    "claim.plan/not_claimed/no_desk": "Sem reclamação: este programa não registra reclamações nesta transportadora.",
    "claim.plan/not_claimed/switched_off": (
        "Sem reclamação: as reclamações desta transportadora estão desligadas (claims.mode: off em config.yaml)."
    ),
    "claim.plan/not_claimed/no_number": "Sem reclamação: o envio não tem código de rastreio ativo.",
    "claim.plan/not_claimed/one_claim_a_parcel": (
        "Sem outra reclamação: a transportadora já recebeu uma por esta encomenda[ (C{claim})][, protocolo {protocol}]."
    ),
}
_CLAIMS: Final[Mapping[str, str]] = {
    "claim.window": "A reclamação espera: a transportadora só aceita[ a partir de {claimable_from:day}| mais tarde].",
    "claim.window/expired": "O prazo da transportadora para reclamar acabou sem que a reclamação fosse registrada.",
    "claim.due": "Chegou o primeiro dia permitido[, {claimable_from:day}]: a reclamação segue para a transportadora.",
    "claim.needs_news": (
        "A reclamação espera: o rastreio não respondeu desde o dia dela, e a encomenda pode ter sido entregue."
    ),
    "claim.overtaken": "O que a reclamação pedia terminou antes de ela sair: ela é replanejada.",
    "claim.paced": (
        "A reclamação espera a vez dela no dia: muitas encomendas têm o mesmo problema[ (sai em {next_step_at:time})]."
    ),
    "claim.approved": "Aprovada por uma pessoa, a reclamação segue para a transportadora.",
    "claim.letter": "Uma pessoa enviou a reclamação; conta como registrada.",
    "claim.letter_sent": "A carta saiu[ para {to}][, com {evidence}]. A resposta da transportadora chega a uma pessoa.",
    "claim.letter_waits": "A carta sai com os próximos e-mails.",
    "claim.letter_follow_up": "Sem resposta no prazo da transportadora: ela é lembrada na mesma conversa.",
    "claim.letter_reminded": "O lembrete[ saiu para {to}| foi tentado uma vez]: nenhum outro é escrito por si só.",
    "claim.hold.observe": (
        "Retida: a loja ainda só observa; nada sai antes do dia em live_from."
        "[ A reclamação podia ser registrada desde {claimable_from:day}.]"
    ),
    "claim.hold.before_live": "Retida: o problema começou antes de a loja entrar no ar.",
    "claim.hold.propose": "Retida: as reclamações desta transportadora esperam a aprovação de uma pessoa.",
    "claim.hold.propose/held/switched_off": (
        "Retida: as reclamações desta transportadora foram desligadas depois que esta foi planejada."
    ),
    "claim.hold.value_ceiling": "Retida: o valor do pedido precisa da aprovação de uma pessoa.",
    "claim.hold.value_ceiling/held/value_unknown": (
        "Retida: há um limite de valor para reclamar sem perguntar, e o valor deste pedido não é conhecido."
    ),
    "claim.hold.value_ceiling/held/above_ceiling": (
        "Retida: o valor do pedido passa do limite para reclamar sem perguntar."
    ),
    "claim.hold.by_letter": "Retida: esta transportadora recebe reclamações fora do programa; uma pessoa precisa enviar.",
    "claim.hold.letter": (
        "Retida: a carta não saiu, ou não se sabe se saiu.[ O servidor de e-mail ou o programa disse: {reason:quote}.]"
    ),
    "claim.hold.by_words": (
        "Retida: pede indenização por algo lido do texto da transportadora, sem código confirmado. Espera um código, mais dias"
        " sem movimentação[ (até {next_step_at:day})], ou uma pessoa."
    ),
    "claim.hold.missing_data": "Retida: falta no pedido o nome do destinatário, que a transportadora exige.",
    "claim.hold.configuration": (
        "Retida: falta acertar a configuração.[ A transportadora respondeu: {answer_text:quote} (código {answer_code}).]"
    ),
    "claim.hold.carrier_answer": (
        "Retida: a resposta da transportadora precisa de uma pessoa."
        "[ Ela respondeu: {answer_text:quote} (código {answer_code}).]"
    ),
    "claim.hold.muted": "Retida: o pedido está silenciado.",
    "claim.hold.template": "Retida: um texto tem um erro.",
    "claim.hold.restored": (
        "Retida: o banco de dados voltou a uma cópia anterior, e isto pode já ter ido à transportadora; uma pessoa decide."
    ),
    "claim.restored_look": (
        "O banco de dados voltou a uma cópia anterior: a transportadora é consultada antes, para ver se já tem esta reclamação."
    ),
    "claim.lost_answer": (
        "A transportadora não respondeu ao envio: antes de enviar de novo, é consultada para ver se já o recebeu."
    ),
    "claim.not_sent": "O envio não chegou à transportadora; nova tentativa[ em {next_step_at:time}| mais tarde].",
    "claim.registered": "A transportadora registrou a reclamação[ com o protocolo {protocol}].",
    "claim.adopted": "A transportadora já tinha esta reclamação[, protocolo {protocol}]; ela passa a ser acompanhada aqui.",
    "claim.refused": "A transportadora recusou de vez[: {answer_text:quote}][ (código {answer_code})].",
    "claim.later": (
        "A transportadora pediu para esperar[: {answer_text:quote}]."
        "[ Nova tentativa em {next_step_at:time}.| Nova tentativa mais tarde.]"
    ),
    "claim.look_first": (
        "A transportadora respondeu com algo que o rastreio não mostrava[: {answer_text:quote}]."
        " O rastreio é consultado antes de tentar de novo."
    ),
    "claim.switch*": (
        "A transportadora não aceitou do primeiro jeito[: {answer_text:quote}]."
        "[ Segue de novo como {kind:claim_kind}, motivo {motive}.| Segue de outro jeito.]"
    ),
    "claim.not_found": "Nesta consulta, a transportadora não encontrou a reclamação[ {protocol}].",
    "claim.ask": "A transportadora foi consultada sobre a resposta.",
    "claim.follow": "Ainda sem resposta da transportadora.",
    "claim.indemnified": (
        "O rastreio mostra que a transportadora indenizou esta encomenda: conta como aceita. Quando o dinheiro chegar, uma pessoa"
        " registra (tracker claims answer)."
    ),
    "claim.follow_ends": "A reclamação deixou de ser acompanhada: o tempo de acompanhamento acabou.",
    "claim.not_followed": "Registrada, mas a transportadora não mostra o andamento dela.",
    "claim.answered": "A transportadora respondeu sem aceitar nem recusar[: {text:quote}].",
    "claim.accepted": "A transportadora aceitou a reclamação[: {text:quote}].",
    "claim.rejected": "A transportadora recusou a reclamação na análise[: {text:quote}].",
    "claim.paid": "A transportadora pagou a indenização.",
    "claim.account": "A reclamação passou para o contrato que consegue acompanhar esta encomenda.",
    "claim.second_problem": "Outro problema da mesma encomenda retoma a reclamação já respondida[, agora com o motivo {motive}].",
    "claim.carrier_failing": (
        "O sistema da transportadora falha há dias; a reclamação é tentada uma vez por dia, até o último dia permitido."
    ),
    "claim.reopened": "A transportadora aceitou a reabertura[ como {kind:claim_kind}][, protocolo {protocol}].",
    "claim.reopen_adopted": "A reabertura já estava registrada na transportadora[, protocolo {protocol}].",
    "claim.reopen_later": (
        "A transportadora pediu para esperar com a reabertura[: {answer_text:quote}].[ Nova tentativa em {next_step_at:time}.]"
    ),
    "claim.reopen_look": "A transportadora não achou o protocolo: a reclamação é procurada pelo código da encomenda.",
    "claim.reopen_refused": "A transportadora não aceitou a reabertura[: {answer_text:quote}][ (código {answer_code})].",
    "claim.reopen_term": "A reclamação não é reaberta: o prazo passou, ou não há mais o que pedir.",
    "claim.reopen*": (
        "Será pedida a reabertura da reclamação[ como {asked_kind:claim_kind} (motivo {asked_motive})]"
        "[, porque {asked_way:way}].[ A transportadora disse: {answer_text:quote}]"
    ),
    "claim.reopen_switch": (
        "A transportadora não aceitou a reabertura do primeiro jeito."
        "[ Será pedida de novo como {asked_kind:claim_kind} (motivo {asked_motive}).| Será pedida de outro jeito.]"
    ),
    "claim.reopen*/held": "A reabertura da reclamação espera uma pessoa.",
    "claim.contract*": (
        "O contrato mede o atraso por nível de serviço: a transportadora não aceita reclamação deste atraso"
        "[: {answer_text:quote}]."
    ),
}
_HAND: Final[Mapping[str, str]] = {
    "hand.approve": "Aprovada[ por {who}| por uma pessoa][ ({note})].",
    "hand.reject": "Barrada[ por {who}| por uma pessoa][ ({note})]: não sai mais.",
    "hand.release": "Liberada[ por {who}| por uma pessoa][ ({note})].",
    "hand.mute": (
        "Pedido silenciado[ por {who}| por uma pessoa][ até {until:time}][ ({note})]: o cliente não recebe nenhuma mensagem,"
        " e as reclamações à transportadora seguem."
    ),
    "hand.unmute": "Silêncio retirado[ por {who}| por uma pessoa][ ({note})]: o cliente volta a ser avisado.",
    "hand.cancel": "Cancelada[ por {who}| por uma pessoa][ ({note})]: não sai mais.",
    "hand.cancel/order_cancelled": (
        "Pedido cancelado[ por {who}| por uma pessoa][ ({note})]: o cliente não recebe mais mensagens, e o que a"
        " transportadora já recebeu de reclamação segue até a resposta."
    ),
    "hand.uncancel": "Cancelamento desfeito[ por {who}| por uma pessoa][ ({note})]: o pedido volta a ser acompanhado.",
    "hand.resolve": "Encerrado à mão[ por {who}| por uma pessoa][: {how:settled}][ ({note})].",
    "hand.report": "Informado[ por {who}| por uma pessoa][: {kind:reported}][ ({note})].",
    "hand.violation": "Violação: uma pessoa informou que a embalagem foi violada ou que falta conteúdo[ (desde {since:day})].",
    "hand.misdelivery": "Entregue a outra pessoa[ em {since:day}], como uma pessoa informou.",
    "hand.not_received": (
        "Não recebida: consta como entregue[ em {delivered_at:day}], e o cliente diz que não recebeu[ (informado em"
        " {reported_at:day})]."
    ),
    "hand.damage": "Avaria: uma pessoa informou que a encomenda chegou danificada[ (desde {since:day})].",
    "hand.edit": (
        "Corrigido à mão[ por {who}| por uma pessoa][: {field:field}][, antes {was:date}][, agora {now:date}][ ({note})]."
    ),
    "hand.overtaken": "Um arquivo mais novo trouxe outro valor[ ({field:field})]: ele vale no lugar do que foi corrigido à mão.",
    "hand.*": "Decidido à mão[ por {who}| por uma pessoa][ ({note})].",
}
_MESSAGES: Final[Mapping[str, str]] = {
    "notice.*": "Mensagem ao cliente[ ({trigger:trigger})] preparada.",
    "notice.*/held": "Mensagem ao cliente[ ({trigger:trigger})] retida: espera uma pessoa.",
    "notice.*/held/observe": "Mensagem ao cliente[ ({trigger:trigger})] retida: a loja ainda só observa (live_from).",
    "notice.*/held/before_live": (
        "Mensagem ao cliente[ ({trigger:trigger})] retida: o que ela conta começou antes de a loja entrar no ar."
    ),
    "notice.*/held/restored": (
        "Mensagem ao cliente[ ({trigger:trigger})] retida: o banco de dados voltou a uma cópia anterior, e ela pode já ter saído."
    ),
    "notice.*/held/muted": "Mensagem ao cliente[ ({trigger:trigger})] retida: o pedido está silenciado.",
    "notice.*/not_told": "Cliente não avisado[ ({trigger:trigger})].",
    "notice.*/not_told/too_old": (
        "Cliente não avisado[ ({trigger:trigger})]: a notícia[, de {since:day},] já era velha demais para avisar."
    ),
    "notice.*/not_told/ended_before_seen": (
        "Cliente não avisado[ ({trigger:trigger})]: o envio já tinha terminado quando foi visto pela primeira vez."
    ),
    "notice.*/not_told/damaged": (
        "Cliente não avisado[ ({trigger:trigger})]: a encomenda foi avariada, e é disso que o cliente é avisado."
    ),
    "notice.*/not_told/order_silent": "Cliente não avisado[ ({trigger:trigger})]: o pedido foi cancelado ou devolvido.",
    "notice.*/postponed/daily_limit": (
        "Aviso ao cliente[ ({trigger:trigger})] adiado para o dia seguinte: este envio já teve avisos demais no dia."
    ),
    "notice.*/postponed/day_taken": (
        "Aviso ao cliente[ ({trigger:trigger})] adiado para o dia seguinte: o pedido já teve o seu aviso do dia."
    ),
    "notice.*/postponed/crowded_day": (
        "Aviso ao cliente[ ({trigger:trigger})] adiado para o dia seguinte: muitas encomendas com a mesma causa, um por dia."
    ),
    "notice.*/not_told/parcel_limit": (
        "Cliente não avisado[ ({trigger:trigger})]: este envio já teve avisos de andamento demais."
    ),
    "notice.*/not_told/said_already": (
        "Cliente não avisado[ ({trigger:trigger})]: outro aviso, mais adiantado ou mais grave, já diz isso."
    ),
    "notice.*/not_told/no_address": "Cliente não avisado[ ({trigger:trigger})]: o pedido não tem e-mail.",
    "notice.*/not_told/marketplace_address": (
        "Cliente não avisado[ ({trigger:trigger})]: o único e-mail é um endereço do marketplace, que não pode receber avisos."
    ),
    "message.readdressed": "O e-mail do pedido mudou: a mensagem vai para o novo endereço, se ainda for verdade.",
    "message.text_mended": "O texto desta mensagem foi corrigido: ela segue, se ainda for verdade.",
    "message.restored": (
        "Retida: o banco de dados voltou a uma cópia anterior, e a mensagem pode já ter saído; uma pessoa decide."
    ),
    "message.live_from": "A loja está no ar: a mensagem segue, se ainda for verdade.",
    "message.live_from/held/observe": "Retida: a loja ainda só observa (live_from).",
    "message.live_from/held/before_live": "Retida: o que a mensagem conta começou antes de a loja entrar no ar.",
    "deliver.*": "A mensagem foi tratada pelo servidor de e-mail.",
    "deliver.email/queued": (
        "A mensagem ainda não saiu[ ({why:smtp})].[ Nova tentativa em {next_step_at:time}.][ O servidor disse: {reply:quote}]"
    ),
    "deliver.email/queued/stale_news": (
        "A mensagem espera: o rastreio está há mais de duas horas sem notícia, e o envio pode já ter chegado."
        "[ Nova tentativa em {next_step_at:time}.]"
    ),
    "deliver.email/queued/delay_first": (
        "A mensagem espera: primeiro o cliente é avisado do atraso deste envio, e esta segue algumas horas depois."
        "[ Nova tentativa em {next_step_at:time}.]"
    ),
    "deliver.email/queued/address_changed": "A mensagem espera: o e-mail do pedido mudou, e ela vai para o novo endereço.",
    "deliver.email/sent": "A mensagem foi enviada[ para {diverted_to}, e não para o cliente]: o servidor de e-mail a aceitou.",
    "deliver.email/delivered": "A mensagem foi entregue.",
    "deliver.email/unconfirmed": (
        "A mensagem saiu, mas o servidor de e-mail não confirmou; para não repetir, não é enviada de novo sem necessidade."
    ),
    "deliver.email/bounced": "O endereço não aceita a mensagem[ ({why:smtp})].[ O servidor disse: {reply:quote}]",
    "deliver.email/failed": "A mensagem não pôde ser entregue[ ({why:smtp})].[ O servidor disse: {reply:quote}]",
    "deliver.email/suppressed/no_longer_true": "A mensagem não foi enviada: o que ela contava já não valia na hora de sair.",
    "deliver.email/suppressed/order_silent": "A mensagem não foi enviada: o pedido foi cancelado.",
    "message.returned/bounced": "A mensagem voltou: não foi entregue[ ({said:smtp})].[ O servidor disse: {reply:quote}]",
    "message.returned/delayed": (
        "O servidor do destinatário ainda não aceitou a mensagem; o nosso continua tentando[ ({said:smtp})]."
        "[ O servidor disse: {reply:quote}]"
    ),
    "message.returned/complained": (
        "O destinatário marcou a mensagem como indesejada no provedor dele.[ O aviso: {reply:quote}]"
    ),
    "deliver.email/suppressed/address_suppressed": (
        "A mensagem não foi enviada: este endereço está na lista dos que não recebem e-mail[ ({against:smtp})]. "
        "Corrija o e-mail do cliente, ou tire-o da lista com tracker unsuppress."
    ),
    "deliver.email/suppressed": "A mensagem não foi enviada.",
    "deliver.email/expired": "A mensagem venceu sem sair: já era velha demais para avisar.",
    "deliver.email/awaiting_person": "A mensagem espera uma pessoa[ ({why:smtp})].[ O servidor disse: {reply:quote}]",
    "deliver.email/awaiting_person/no_shop": "A mensagem espera uma pessoa: a loja não está mais na configuração.",
    "deliver.email/awaiting_person/observe": "Retida: a loja voltou a só observar (live_from).",
    "deliver.email/awaiting_person/muted": "A mensagem não saiu: o pedido está silenciado.",
    "deliver.email/awaiting_person/broken_text": "A mensagem espera uma pessoa: o texto dela tem um erro.",
    "deliver.email/bounced/bad_address": "A mensagem não saiu: o endereço do cliente não é um e-mail válido.",
}
_SHIPMENTS: Final[Mapping[str, str]] = {
    "deadline.calculator/named": (
        "O rastreio não informa prazo: pelo cálculo da transportadora, postada em {posted_on:day}, ela vence em {due_on:day}."
    ),
    "deadline.calculator/missing": "O prazo não pôde ser calculado: falta um dado[ ({said})].",
    "deadline.calculator/refused": "A transportadora não calculou o prazo[: {said:quote}].",
    "poll.*": "O rastreio deste envio não é mais consultado.",
    "poll.closed/closed/final": "O rastreio não é mais consultado: o envio chegou ao fim.",
    "poll.closed/closed/long_final": "O rastreio não é mais consultado: o problema está sem novidade há muito tempo.",
    "poll.closed/closed/not_found": (
        "O rastreio não é mais consultado: a transportadora nunca mostrou este código. Confira o código no pedido."
    ),
    "poll.closed/closed/invalid_number": (
        "O rastreio não é mais consultado: a transportadora não reconhece este código. Corrija o código no pedido."
    ),
    "poll.closed/closed/other_account": (
        "O rastreio não é mais consultado: o código é de outro contrato, que estas credenciais não veem."
    ),
    "poll.closed/closed/no_number": "O rastreio não é mais consultado: o envio não tem código ativo.",
}
_LABELS: Final[Mapping[str, str]] = {
    "now": "Agora",
    "details": "Detalhes técnicos",
    "order": "Pedido",
    "none": "Nenhum problema foi visto neste envio.",
    "since": "desde",
    "unread": "só movimentações de código desconhecido",
    "on": "em",
    "more": "O registro exato: tracker explain {id} --details",
    "log": "Histórico",
    "other": "Outras mensagens e decisões",
    "over": "encerrado",
    "others": "… e mais {count}",
    "by_hand": "Feito à mão no pedido",
}
PORTUGUESE: Final = Language(
    code="pt-BR",
    sentences={
        "*": "Decisão registrada: {reason}.",
        **_PROBLEMS,
        **_PLANS,
        **_CLAIMS,
        **_HAND,
        **_MESSAGES,
        **_SHIPMENTS,
        **STANDING,
        **ALERTS,
    },
    words={
        "problem": words_pt.PROBLEM,
        "claim_kind": words_pt.CLAIM_KIND,
        "status": words_pt.STATUS,
        "trigger": words_pt.TRIGGER,
        "cause": words_pt.RETURN_CAUSE,
        "smtp": words_pt.SMTP,
        "field": words_pt.FIELD,
        "incident_end": words_pt.INCIDENT_END,
        "settled": words_pt.SETTLED,
        "reported": words_pt.REPORTED,
        "closed": words_pt.CLOSED,
        "way": words_pt.WAY,
    },
    labels=_LABELS,
    weekdays=("seg", "ter", "qua", "qui", "sex", "sáb", "dom"),
    business_days=("dia útil", "dias úteis"),
    days=("dia", "dias"),
    at=" às ",
    holidays="pt_BR",
    closed_day="dia sem expediente",
)

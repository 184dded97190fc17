"""Which variables the texts of letters to carriers may use, with an example and a meaning in the merchant's language.

Letters go to a carrier and not to a customer: they have no frame (`layout`), their HTML is a whole document, and they are
written in Portuguese whatever the shop's language is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracker.messages.variables import LOJA, TriggerVariables, Variable
from tracker.messages.variables import Kind as Of

CLAIM_LETTER: Final = "claim_letter"
FOLLOW_UP_LETTER: Final = "claim_letter_followup"

_REQUIRED: Final = (
    LOJA,
    Variable("transportadora", "Entrega Exemplo", "nome da transportadora"),
    Variable("referencia", "C7", "nossa referência da reclamação; fica no assunto, para casar a resposta"),
    Variable("objeto", "AA123456785BR", "código de rastreio do objeto"),
    Variable("titulo", "Pedido de indenização por extravio", "o que a carta é, como o setor da transportadora o chama"),
    Variable("problema", "extravio", "o que aconteceu, em poucas palavras"),
    Variable("data_resposta", "sexta-feira, 04/12/2026", "até quando se pede resposta"),
)
_OPTIONAL: Final = (
    Variable("cnpj", "12.345.678/0001-95", "CNPJ da loja"),
    Variable("destinataria_cnpj", "98.765.432/0001-98", "CNPJ de quem recebe a carta, quando está na configuração"),
    Variable("transportada_por", "Entrega Exemplo", "quem transporta, quando a carta vai a quem vendeu a etiqueta"),
    Variable("contrato", "9912345678", "contrato com a transportadora"),
    Variable("servico", "RODOVIARIO", "serviço contratado, como a transportadora o chama"),
    Variable("pedido", "10482", "número do pedido na loja"),
    Variable("nota", "1234", "número da nota fiscal"),
    Variable("chave_nfe", "41261112345678000195550010000012341000012345", "chave da NF-e"),
    Variable("postado", "segunda-feira, 23/11/2026", "dia da postagem"),
    Variable("origem", "Curitiba/PR", "cidade do remetente"),
    Variable("destino", "Natal/RN", "cidade do destinatário; nenhum outro dado dele"),
    Variable("prazo", "quinta-feira, 26/11/2026", "data de entrega que a transportadora informou primeiro"),
    Variable("prazo_novo", "segunda-feira, 30/11/2026", "a última data que ela informou, quando é outra"),
    Variable(
        "fatos", ("23/11/2026: postado", "27/11/2026: extravio registrado"), "o que aconteceu, com datas", Of.LIST
    ),
    Variable("indenizacao", "sim", "presente quando se pede indenização"),
    Variable("informacao", "sim", "presente quando se pede informação"),
    Variable("valor", "R$ 189,90", "valor declarado do objeto"),
    Variable("valor_pedido", "R$ 189,90", "o que se pede, quando é o valor declarado"),
    Variable("entregue", "terça-feira, 01/12/2026", "dia da entrega, quando houve"),
    Variable("base_legal", "arts. 749 e 750 do Código Civil", "em que o pedido se apoia; altere o texto como quiser"),
    Variable("dias_uteis", "5", "prazo de resposta, em dias úteis"),
    Variable("documentos", ("declaração de não recebimento",), "o que a transportadora pede com a carta", Of.LIST),
    Variable("anexos", ("rastreamento_AA123456785BR.csv",), "nomes dos anexos", Of.LIST),
    Variable("contato", "sac@loja.example, seg. a sex., 9h às 18h", "contato da loja"),
    Variable("carta_de", "sexta-feira, 27/11/2026", "dia da primeira carta; só no reforço"),
)
LETTERS: Final[Mapping[str, TriggerVariables]] = {
    name: TriggerVariables(name, _REQUIRED, _OPTIONAL) for name in (CLAIM_LETTER, FOLLOW_UP_LETTER)
}
"""By the stem of their files, `claim_letter.email.txt` and so on."""

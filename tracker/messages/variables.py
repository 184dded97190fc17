"""Which variables each trigger's texts may use, with an example and a meaning in the merchant's language.

Required: the sentence cannot live without it, so its absence holds the message. Optional: the text has a form without it.
Values are ready to be printed (a date is already "sexta-feira, 27/11", money already "R$ 189,90"); a variable of kind LIST
is a sequence of such values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Value = str | int | Sequence[str] | None

MAX_VALUE = 1000
"""Characters of one value; what is longer is cut, so that no imported product name fills a mail."""
MAX_LIST = 100
"""Values of one list; an order of more parcels shows the first ones."""


class Kind(StrEnum):
    TEXT = "text"
    LINK = "link"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Variable:
    """`example` is a tuple for a LIST; `meaning` is what `tracker templates vars` shows."""

    name: str
    example: str | tuple[str, ...]
    meaning: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class TriggerVariables:
    """One trigger's variables, each name once."""

    trigger: str
    required: tuple[Variable, ...]
    optional: tuple[Variable, ...]

    @property
    def by_name(self) -> dict[str, Variable]:
        return {variable.name: variable for variable in (*self.required, *self.optional)}

    @property
    def required_names(self) -> frozenset[str]:
        return frozenset(variable.name for variable in self.required)


LOJA = Variable("loja", "Loja Aurora", "nome da loja")
PEDIDO = Variable("pedido", "10482", "número do pedido como o cliente o conhece")
NOME = Variable("nome", "Marina", "primeiro nome do cliente; ausente, o texto cumprimenta sem nome")
SAC = Variable("sac", "sac@loja.example, seg. a sex., 9h às 18h", "canal e horário de atendimento da loja")
OBRIGADO = Variable("obrigado", "Obrigada", "Obrigado ou Obrigada, conforme quem assina")
PRODUTO = Variable("produto", "fone sem fio", "resumo do que foi comprado")
TRANSPORTADORA = Variable("transportadora", "Entrega Exemplo", "nome da transportadora")
RASTREIO = Variable("rastreio", "AA123456785BR", "código de rastreio, quando há um só volume")
RASTREIOS = Variable(
    "rastreios",
    ("AA123456785BR", "AA123456799BR"),
    "códigos de rastreio, quando o aviso vale para vários volumes",
    Kind.LIST,
)
PROTOCOLO = Variable("protocolo", "261123-00042-7", "protocolo do atendimento na loja")
LINK = Variable("link", "https://lj.example/p/a7Kq2mX9", "página do pedido; ausente, o texto pede resposta", Kind.LINK)

_COMMON = (NOME, SAC, OBRIGADO, PRODUTO, TRANSPORTADORA, RASTREIO, RASTREIOS, PROTOCOLO, LINK)


def _trigger(name: str, *optional: Variable) -> TriggerVariables:
    return TriggerVariables(name, (LOJA, PEDIDO), (*_COMMON, *optional))


def _data(meaning: str) -> Variable:
    return Variable("data", "sexta-feira, 27/11", meaning)


_CIDADE = Variable("cidade", "Campinas/SP", "cidade em que a encomenda está")
_PROX_CONTATO = Variable(
    "prox_contato", "quinta-feira, 26/11", "até quando a loja volta com notícias; só com delay_followup ligado"
)

TRIGGERS: Mapping[str, TriggerVariables] = {
    described.trigger: described
    for described in (
        _trigger("order_thanked", _data("previsão de entrega")),
        _trigger("posted", _data("previsão de entrega")),
        _trigger("in_transit", _CIDADE, _data("previsão de entrega")),
        _trigger("out_for_delivery"),
        _trigger(
            "delivery_attempt_failed",
            Variable("motivo", "não havia ninguém para receber", "por que não deu certo, como continuação de 'mas'"),
            Variable("data_tentativa", "quinta-feira, 26/11", "dia em que a entrega foi tentada"),
            _data("nova tentativa, só quando alguém a conhece"),
        ),
        _trigger(
            "pickup_waiting",
            _data("último dia para retirar"),
            Variable("ultimo_dia", "amanhã", "hoje ou amanhã, quando o prazo termina: o lembrete"),
            _CIDADE,
            Variable("local", "Agência Centro", "nome do lugar da retirada"),
            Variable("endereco", "Rua XV de Novembro, 100", "endereço do lugar"),
            Variable("horario", "seg. a sex., 9h às 17h", "horário do lugar"),
            Variable("documento", "um documento com foto", "o que levar"),
        ),
        _trigger(
            "delay_detected",
            Variable("data_original", "segunda-feira, 23/11", "data que foi prometida ao cliente"),
            _data("nova previsão de entrega, só quando alguém a conhece"),
            Variable("acao", "pedimos prioridade na entrega", "o que a loja já fez, sem ponto final"),
            _PROX_CONTATO,
            Variable(
                "ocorrencia",
                "muitas encomendas que passam por CAJAMAR/SP",
                "quem mais sofre o mesmo atraso, quando são muitos de uma vez",
            ),
        ),
        _trigger(
            "delay_followup",
            Variable(
                "novidade",
                "Ainda não há registro da entrega; o último movimento registrado é de terça-feira, 24/11, em Campinas/SP.",
                "o que se sabe até agora, em frases inteiras",
            ),
            _PROX_CONTATO,
        ),
        _trigger(
            "inquiry_opened",
            Variable("protocolo_transp", "PI-4711002233", "número do pedido de informação na transportadora"),
            _data("prazo de resposta da transportadora"),
        ),
        _trigger(
            "loss_confirmed",
            Variable("valor", "R$ 189,90", "valor a devolver, com o frete"),
            Variable("prazo_reenvio", "5 dias úteis", "em quanto tempo chega um novo envio"),
            Variable("prazo_reembolso", "7 dias", "em quanto tempo o reembolso é feito"),
            _data("até quando a loja gostaria de saber a escolha"),
        ),
        _trigger("damage", Variable("prazo_solucao", "3 dias úteis", "em quanto tempo a loja resolve, com as fotos")),
        _trigger(
            "returned_to_sender",
            Variable("motivo", "o endereço não foi localizado", "por que voltou, como continuação de 'porque'"),
        ),
        _trigger("address_problem", _data("até quando responder, só quando alguém o conhece")),
        _trigger(
            "delivered",
            Variable("link_sim", "https://lj.example/s/a7Kq2mX9", "página de 'deu tudo certo'", Kind.LINK),
            Variable("link_nao", "https://lj.example/n/a7Kq2mX9", "página de 'preciso de ajuda'", Kind.LINK),
            Variable("data_arrependimento", "sexta-feira, 04/12", "último dia para desistir da compra"),
        ),
    )
}

_IN_ENGLISH: Mapping[str, str] = {
    "fone sem fio": "wireless headphones",
    "R$ 189,90": "R$189.90",
    "sac@loja.example, seg. a sex., 9h às 18h": "sac@loja.example, Mon to Fri, 9 am to 6 pm",
    "segunda-feira, 23/11": "Monday, Nov 23",
    "quinta-feira, 26/11": "Thursday, Nov 26",
    "sexta-feira, 27/11": "Friday, Nov 27",
    "sexta-feira, 04/12": "Friday, Dec 4",
    "não havia ninguém para receber": "nobody was there to receive it",
    "o endereço não foi localizado": "the address could not be found",
    "amanhã": "tomorrow",
    "seg. a sex., 9h às 17h": "Mon to Fri, 9 am to 5 pm",
    "um documento com foto": "a photo ID",
    "pedimos prioridade na entrega": "we asked for priority delivery",
    "muitas encomendas que passam por CAJAMAR/SP": "many parcels that pass through CAJAMAR/SP",
    "Ainda não há registro da entrega; o último movimento registrado é de terça-feira, 24/11, em Campinas/SP.": (
        "There is no record of the delivery yet; the last movement was on Tuesday, Nov 24, in Campinas/SP."
    ),
    "5 dias úteis": "5 business days",
    "7 dias": "7 days",
    "3 dias úteis": "3 business days",
}
"""Examples that are words, as an English text shows them."""

LAYOUT_ONLY = (
    Variable("corpo", "(o texto do aviso)", "o texto do aviso, já pronto"),
    Variable("assunto", "Pedido 10482: já está a caminho", "o assunto, já pronto"),
)
"""What the frame around every text (`layout.CHANNEL.txt`, `.html`) gets besides the trigger's variables."""


def examples(described: TriggerVariables) -> dict[str, Value]:
    """Every variable with its example; lists as long as they can be."""
    return {
        variable.name: (variable.example * MAX_LIST)[:MAX_LIST]
        if isinstance(variable.example, tuple)
        else variable.example
        for variable in described.by_name.values()
    }


def shown_examples(described: TriggerVariables, language: str) -> dict[str, Value]:
    """Every variable with an example as its text would show it to one customer, without links: what a preview is made of."""
    shown: dict[str, Value] = {}
    for variable in described.by_name.values():
        if isinstance(variable.example, str) and variable.kind is not Kind.LINK:
            shown[variable.name] = example_in(variable, language)
    return shown


def example_in(variable: Variable, language: str) -> str:
    """The example as a text of this language shows it; a list in one line."""
    example = variable.example if isinstance(variable.example, str) else ", ".join(variable.example)
    return _IN_ENGLISH.get(example, example) if language == "en" else example


def bare(described: TriggerVariables) -> dict[str, Value]:
    """The required variables alone."""
    return {variable.name: variable.example for variable in described.required}


_LINK = re.compile(r"https?://[^\s\"'<>]+")
_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_GREETABLE = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_GREETING_LENGTH = 20


def clean(text: str) -> str:
    """*text* on one line, without control characters, direction marks and lone surrogates, at most `MAX_VALUE` long."""
    kept = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    line = "".join(char for char in kept if char not in _BIDI and unicodedata.category(char) != "Cs")
    line = " ".join(line.split())
    return line if len(line) <= MAX_VALUE else line[: MAX_VALUE - 1].rstrip() + "…"


def first_name(full_name: str | None) -> str | None:
    """What to call a customer by, or None to greet without a name.

    A first word that is no plain name (an address, a number, an advertisement typed at checkout) greets nobody: whatever
    stands there would go out under the shop's own name.
    """
    words = clean(full_name or "").split()
    if not words or len(words[0]) < 2 or len(words[0]) > _GREETING_LENGTH or not _GREETABLE.fullmatch(words[0]):
        return None
    return words[0].title() if words[0].isupper() or words[0].islower() else words[0]


def prepared(described: TriggerVariables, values: Mapping[str, Value]) -> dict[str, str | tuple[str, ...] | None]:
    """The trigger's whole context: every declared name, cleaned; absent ones None (lists: empty). Other names are left out.

    Several codes are `rastreios`, one is `rastreio`: a list of one is turned into it. Raises TypeError for a value that is
    no text, and ValueError for a link that is none: both are our own faults, not the merchant's.
    """
    context = {name: _prepared_value(variable, values.get(name)) for name, variable in described.by_name.items()}
    codes = context.get(RASTREIOS.name)
    if isinstance(codes, tuple) and len(codes) == 1:
        context[RASTREIO.name], context[RASTREIOS.name] = codes[0], ()
    return context


def _prepared_value(variable: Variable, value: Value) -> str | tuple[str, ...] | None:
    if variable.kind is Kind.LIST:
        if value is None:
            return ()
        if isinstance(value, str | int):
            raise TypeError(f"variable {variable.name} takes a list, got {type(value).__name__}")
        return tuple(line for line in (clean(item) for item in value[:MAX_LIST]) if line)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"variable {variable.name} takes a text, got {type(value).__name__}")
    line = clean(str(value))
    if line and variable.kind is Kind.LINK and not _LINK.fullmatch(line):
        raise ValueError(f"variable {variable.name} is not a link")
    return line or None

"""Values of an order's fields, whatever kind of file they come from: read, mended, and refused with a sentence.

A function returns None for a value that only marks absence and raises `BadValue` for one that cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tracker.domain.documents import DocumentKind, bare, cep, cnpj, document
from tracker.domain.order import OrderStatus
from tracker.domain.phones import e164
from tracker.domain.text import clean, email, fold, is_absent_email
from tracker.intake import values
from tracker.intake.values import BadValue

_STATUS_WORDS: dict[OrderStatus, str] = {
    OrderStatus.CANCELLED: "cancelado cancelada cancelled canceled estornado reembolsado refunded",
    OrderStatus.PAID: "pago paga aprovado aprovada pagamentoaprovado pagamentoconfirmado paid processing",
    OrderStatus.OPEN: "aberto aberta emaberto pendente novo aguardandopagamento pagamentopendente open pending new",
    OrderStatus.READY: "pronto prontoparaenvio prontoparaenviar separado emseparacao embalado faturado faturada "
    "aguardandoenvio aguardandopostagem aenviar empreparacao preparando ready readytoship packed invoiced",
    OrderStatus.SHIPPED: "enviado enviada despachado despachada postado postada emtransito emtransporte shipped sent intransit",
    OrderStatus.DELIVERED: "entregue delivered",
    OrderStatus.RETURNED: "devolvido devolvida returned",
}
_STATUS_BY_WORD = {word: status for status, words in _STATUS_WORDS.items() for word in words.split()}


def address_of(text: str) -> str | None:
    """The first e-mail address of a sendable form; whether it may be written to is for whoever writes."""
    found = email(text)
    if found is None and not is_absent_email(text):
        raise BadValue("não tem forma de endereço (nome@dominio.com.br); corrija para o cliente receber avisos")
    return found


def phone_of(text: str) -> str | None:
    """A telephone number in E.164."""
    number = e164(values.without_zero_cents(text))
    digits = [char for char in text if char.isdigit()]
    if number is None and len(set(digits[2:])) > 1:
        raise BadValue("não é um telefone com DDD, como (11) 98765-0123; corrija o número")
    return number


def document_of(text: str, kind: DocumentKind | None = None) -> str | None:
    """A CPF or CNPJ whose check digits agree."""
    text = values.without_zero_cents(text)
    found = document(text, kind)
    if found is None and len(set(text) - set(".-/ ")) > 1:
        raise BadValue("não é um CPF ou CNPJ válido e não será usado em buscas nem em reclamações; confira os dígitos")
    return found


def postal_code_of(text: str) -> str:
    """The eight digits of a CEP."""
    found = cep(values.without_zero_cents(text))
    if found is None:
        raise BadValue("não é um CEP de 8 algarismos; corrija-o")
    return found


def state_of(text: str) -> str:
    """The two letters of a state."""
    state = clean(text).upper()
    if len(state) != 2 or not state.isalpha():
        raise BadValue(f'"{state[:40]}" não é uma sigla de estado; use duas letras, como SP')
    return state


def carrier_cnpj_of(text: str) -> str:
    """The fourteen characters of a carrier's CNPJ."""
    found = document(text, "cnpj") or cnpj(text)
    if found is None:
        raise BadValue("não é um CNPJ válido; confira os dígitos")
    return found


def status_of(text: str) -> OrderStatus:
    """What a word says of an order; UNKNOWN where nobody knows the word."""
    word = "".join(char for char in fold(text) if char.isalnum())
    return _STATUS_BY_WORD.get(word, OrderStatus.UNKNOWN)


def _same_digits(text: str, value: str) -> bool:
    digits = "".join(char for char in text if char.isdigit())
    return digits in (value.removeprefix("+"), value.removeprefix("+55"))


def _same_text(text: str, value: str) -> bool:
    return clean(text) == value


_SAME: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "phone": _same_digits,
    "document": lambda text, value: bare(text) == value,
    "postal_code": lambda text, value: bare(text) == value,
    "email": lambda text, value: clean(text).lower() == value.lower(),
}


def is_mended(name: str, text: str, value: str | None) -> bool:
    """Whether a value says something else than the text it was made of, more than punctuation being gone."""
    return value is None or not _SAME.get(name, _same_text)(text, value)

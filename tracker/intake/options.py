"""What a merchant may settle about reading files, and the one error that asks for patience instead of a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

FIELDS = {
    "number": "Número do pedido",
    "shop_number": "Número do pedido na loja",
    "ordered_at": "Data do pedido",
    "shipped_on": "Data de postagem",
    "ship_by": "Data limite de postagem",
    "promised_on": "Previsão de entrega",
    "name": "Nome do cliente",
    "recipient": "Destinatário",
    "email": "E-mail",
    "phone": "Telefone",
    "document": "CPF/CNPJ",
    "postal_code": "CEP",
    "street": "Endereço",
    "house_number": "Número do endereço",
    "complement": "Complemento",
    "district": "Bairro",
    "city": "Cidade",
    "state": "UF",
    "total": "Valor total",
    "freight": "Valor do frete",
    "declared_value": "Valor declarado",
    "carrier": "Transportadora",
    "carrier_cnpj": "CNPJ da transportadora",
    "service": "Serviço",
    "code": "Código de rastreio",
    "invoice_number": "Nota fiscal",
    "invoice_key": "Chave da NF-e",
    "sku": "SKU",
    "product": "Produto",
    "quantity": "Quantidade",
    "unit_price": "Valor unitário",
    "status": "Situação",
}
"""Every field a column can hold, with its name as merchants read it."""

IGNORE_COLUMN = "ignore"
MAX_NUMBER_LENGTH = 80  # a longer order number is a cell that went wrong
MAX_ORIGINAL_LENGTH = 200  # of a text that was mended or could not be used, this much is kept


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """A merchant's own settings for reading files; the defaults follow the forms seen most.

    Raises ValueError where a field or a pattern is wrong: a fault of the configuration, not of a file.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    """Header text as it stands in the file -> a key of `FIELDS`, or `ignore`; wins over every guess."""
    accept_bad_check_digits: bool = False
    """Take S10 codes although their check digit is wrong."""
    accept_test_environment: bool = False
    """Take NF-e issued in the tax authority's test environment (tpAmb 2)."""
    accept_unauthorised: bool = False
    """Take NF-e without the authorisation protocol, whose proof is missing."""
    excluded_cfops: tuple[str, ...] = ("515", "59", "615", "69")
    """Beginnings of CFOPs that are no sale: transfers and remittances. A note made only of these is not imported."""
    tracking_pattern: str | None = None
    """Where the merchant's notes write the code: a pattern whose first group is it; searched in the notes' free text."""
    order_pattern: str | None = None
    """The same for the order number."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.columns.values()) - FIELDS.keys() - {IGNORE_COLUMN})
        if unknown:
            raise ValueError(f"unknown column field {unknown[0]!r} (known: {', '.join(FIELDS)}, {IGNORE_COLUMN})")
        for pattern in (self.tracking_pattern, self.order_pattern):
            if pattern is not None and _groups(pattern) < 1:
                raise ValueError(f"the pattern {pattern!r} needs one group around the value to take")


def _groups(pattern: str) -> int:
    try:
        return re.compile(pattern).groups
    except re.error as exc:
        raise ValueError(f"the pattern {pattern!r} is not a regular expression: {exc}") from exc


class TruncatedFile(Exception):
    """The file ends in the middle: it may still be being written. Ask again; after ten minutes refuse with `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

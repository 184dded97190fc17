"""Which column of a spreadsheet means what: headers as Brazilian shops and programs write them, in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracker.domain.documents import DocumentKind
from tracker.domain.text import without_accents
from tracker.intake.options import IGNORE_COLUMN

# Headers are compared without accents, case, blanks and punctuation. Earlier names of a field win over later ones where
# a file has several: "celular" before "telefone", "valor total" before "valor".
_ALIASES: dict[str, str] = {
    "number": "numerodopedido numeropedido npedido nopedido ndopedido nodopedido nropedido nrodopedido numpedido pedidono "
    "pedidon pedido idpedido iddopedido codigodopedido codigopedido codpedido ordernumber orderno orderid order",
    "shop_number": "numerodopedidonaloja numeropedidoloja pedidoloja pedidodaloja numerodaloja numeroloja pedidonaloja "
    "pedidoecommerce numeropedidoecommerce numerodopedidoecommerce pedidomarketplace numeropedidomarketplace shopnumber",
    "ordered_at": "datadopedido datapedido datadacompra datacompra datadavenda datavenda data dataemissao datadeemissao "
    "emissao criadoem orderdate orderedat createdat date",
    "shipped_on": "datadepostagem datapostagem postadoem postagem datadeenvio datadoenvio dataenvio enviadoem "
    "datadedespacho datadespacho despachadoem shippedat shippedon shippingdate shipdate shipmentdate posteddate",
    "ship_by": "datalimitedepostagem datalimitepostagem datalimitedeenvio datalimiteenvio postarate enviarate "
    "despacharate prazodepostagem prazopostagem prazodeenvio prazodedespacho shipby",
    "promised_on": "previsaodeentrega previsaoentrega dataprevistadeentrega dataprevistaentrega dataprevista "
    "dataprometida prometido prometidopara prometidoate prazodeentrega prazoentrega entregaprevista entregaate previsao "
    "prazo promiseddate promisedon promised estimateddelivery estimateddeliverydate deliverydate expecteddelivery eta",
    "name": "cliente nomedocliente nomecliente comprador nomedocomprador nomecomprador nomecompleto nome razaosocial "
    "customername customer buyername buyer fullname name",
    "recipient": "destinatario nomedodestinatario nomedestinatario recebedor nomedorecebedor recipient recipientname "
    "shiptoname shippingname",
    "email": "email emaildocliente emailcliente emaildocomprador emaildestinatario emaildodestinatario mail "
    "customeremail emailaddress",
    "phone": "celular celularcliente whatsapp telefonecelular telefone telefonedocliente telefonecliente fone tel "
    "mobile customerphone phone phonenumber",
    "document": "cpfcnpj cnpjcpf cpfoucnpj documento documentodocliente cpf cpfdocliente cpfcliente cnpj cnpjdocliente "
    "document taxid customerdocument",
    "postal_code": "cep cepdestino cepdedestino cependereco cepentrega cepdeentrega zip zipcode postalcode postcode",
    "street": "endereco enderecodeentrega enderecoentrega logradouro rua street streetaddress address address1 "
    "addressline1",
    "house_number": "numerodoendereco numeroendereco numerodacasa numeroentrega nroendereco streetnumber housenumber "
    "addressnumber",
    "complement": "complemento compl complementoendereco complement address2 addressline2",
    "district": "bairro bairroentrega district neighborhood neighbourhood",
    "city": "cidade municipio cidadedestino cidadeentrega localidade city town",
    "state": "uf estado ufdestino ufentrega state province stateprovince",
    "total": "valortotal valortotaldopedido valordopedido totaldopedido totalpedido valorpedido total valornf vlrnf "
    "valordanota valornota valordanotafiscal valornotafiscal vlrtotal valor vlr totalprice totalamount ordertotal amount",
    "freight": "valordofrete valorfrete vlrfrete custodofrete custofrete fretecobrado shippingcost shippingprice freight "
    "freightcost",
    "declared_value": "valordeclarado vlrdeclarado valorsegurado declaredvalue insuredvalue",
    "carrier": "transportadora transportador nomedatransportadora nometransportadora formadeenvio formaenvio "
    "metododeenvio meiodeenvio carrier carriername shippingcompany courier",
    "carrier_cnpj": "cnpjtransportadora cnpjdatransportadora cnpjtransportador carriercnpj",
    "service": "servico tipodeservico servicodeenvio servicopostal modalidade modalidadedeenvio tipodefrete "
    "modalidadedefrete service servicename shippingmethod shippingservice",
    "code": "codigoderastreio codigorastreio codigoderastreamento codigorastreamento codrastreio codderastreio "
    "codrastreamento codderastreamento rastreio rastreamento rastreador numeroderastreio numeroderastreamento "
    "numerorastreio codigodoobjeto codigoobjeto numerodoobjeto objeto etiqueta trackingcode trackingnumber trackingno "
    "tracking trackcode",
    "invoice_number": "notafiscal numerodanotafiscal numeronotafiscal numerodanota numeronota numeronf numerodanf "
    "numeronfe nfe nf nota nnf nonf invoicenumber invoice",
    "invoice_key": "chavenfe chavedanfe chavedeacesso chavedanotafiscal chavenotafiscal chavenota chavedanota chavenf "
    "chaveacesso chaveacessonfe chave invoicekey accesskey",
    "sku": "sku skudoproduto skuproduto codigodoproduto codigoproduto codproduto productsku itemsku",
    "product": "produto nomedoproduto nomeproduto produtos descricaodoproduto descricaoproduto descricao item "
    "productname product itemname",
    "quantity": "quantidade qtd qtde quant qtdproduto quantidadedoproduto quantity qty",
    "unit_price": "valorunitario precounitario vlrunitario valorunit precounit preco unitprice itemprice price",
    "status": "situacao situacaodopedido status statusdopedido statuspedido orderstatus estadodopedido",
}
FIELD_BY_HEADER = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}
_RANK = {alias: rank for aliases in _ALIASES.values() for rank, alias in enumerate(aliases.split())}

_NUMBER_OF_WHAT = frozenset(["numero", "n", "no", "nro", "num", "number"])
_FREIGHT_OF_WHAT = frozenset(["frete", "envio", "shipping"])
_PARENTHESES = re.compile(r"\([^)]*\)|\[[^\]]*\]|R\$")

NUMBER_OR_HOUSE = "number or house_number"
FREIGHT_OR_CARRIER = "freight or carrier"
MIN_RECOGNISED = 3


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands: `places[field]` lists column indexes, the best first; `width` is the header's length."""

    places: Mapping[str, tuple[int, ...]]
    document_kinds: Mapping[int, DocumentKind]
    width: int

    def first(self, name: str) -> int | None:
        """The best column of a field, None where the file has none."""
        found = self.places.get(name)
        return found[0] if found else None


def header_key(text: str) -> str:
    """A header as the alias table spells it; what stands in parentheses ("Valor (R$)") does not count."""
    plain = without_accents(_PARENTHESES.sub(" ", text)).lower()
    return "".join(char for char in plain if char.isalnum())


def meaning(text: str, own: Mapping[str, str]) -> str | None:
    """The field a header names, one of the two ambiguous ones, or None; `own` maps the merchant's own header keys."""
    key = header_key(text)
    if key in own:
        return own[key]
    if key in _NUMBER_OF_WHAT:
        return NUMBER_OR_HOUSE
    if key in _FREIGHT_OF_WHAT:
        return FREIGHT_OR_CARRIER
    return FIELD_BY_HEADER.get(key)


def rank(key: str) -> int:
    """How a known header (a `header_key`) is ranked among those of its field, the best first."""
    return _RANK.get(key, 99)


def own_keys(columns: Mapping[str, str]) -> dict[str, str]:
    """The merchant's mapping with its headers in the form they are compared in."""
    return {header_key(header): name for header, name in columns.items()}


def recognised(cells: Sequence[str], own: Mapping[str, str]) -> int:
    """How many cells of a line are known headers; 0 where the line cannot be a header.

    Three suffice. A shorter file counts when all its cells are known and one of them identifies the parcel.
    """
    found = [meaning(cell, own) for cell in cells if cell.strip()]
    known = [name for name in found if name is not None]
    if len(known) >= MIN_RECOGNISED:
        return len(known)
    identified = {"number", "code", "invoice_key"} & set(known)
    return len(known) if identified and len(known) == len(found) else 0


def map_columns(cells: Sequence[str], own: Mapping[str, str], *, freight_is_money: bool) -> Columns:
    """Settle every column of a header line, the ambiguous ones by their neighbours and by what stands in them."""
    named = [(index, meaning(cell, own)) for index, cell in enumerate(cells)]
    streets = [index for index, name in named if name == "street"]
    has_number = any(name == "number" for _, name in named)
    places: dict[str, list[int]] = {}
    for index, name in named:
        if name == NUMBER_OR_HOUSE:
            after_street = bool(streets) and index > streets[0]
            name = "house_number" if after_street or (streets and has_number) else "number"
        elif name == FREIGHT_OR_CARRIER:
            name = "freight" if freight_is_money else "carrier"
        if name is not None and name != IGNORE_COLUMN:
            places.setdefault(name, []).append(index)
    keys = [header_key(cell) for cell in cells]
    if "name" not in places and "recipient" in places:
        places["name"] = places.pop("recipient")
    width = max((index + 1 for index, cell in enumerate(cells) if cell.strip()), default=0)
    ranked = {
        name: tuple(sorted(found, key=lambda index: (keys[index] not in own, rank(keys[index]), index)))
        for name, found in places.items()
    }
    return Columns(ranked, _document_kinds(ranked.get("document", ()), keys), width)


def _document_kinds(indexes: Sequence[int], keys: Sequence[str]) -> dict[int, DocumentKind]:
    """What a document column holds, where its header names one kind only."""
    kinds: dict[int, DocumentKind] = {}
    for index in indexes:
        has_cpf, has_cnpj = "cpf" in keys[index], "cnpj" in keys[index]
        if has_cpf != has_cnpj:
            kinds[index] = "cpf" if has_cpf else "cnpj"
    return kinds

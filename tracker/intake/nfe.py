"""An NF-e (layout 4.00) or its cancellation event to an order; only authorised sales of the merchant come in.

What is not such a sale is refused with one sentence. Field paths: the official schemas of layout 4.00. The document's
digital signature is not checked: whoever may write into the merchant's folder is trusted.

- Order number: `compra/xPed`, else the items' `xPed`, else a label in the free text, else `nfe:SERIES-NUMBER`.
- `ordered_at` is when the invoice was issued; `shipped_on` stays empty, since `dhSaiEnt` is a plan, not a posting.
- One package a tracking code. Without a code one package where a carrier is named, which may be asked by invoice key,
  whatever the number of volumes (they travel under one key); without a carrier none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError
from zoneinfo import ZoneInfo

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tracker.domain.documents import cep, cnpj, cnpj_root, document, nfe_key
from tracker.domain.order import (
    Address,
    Cancellation,
    FileReading,
    Item,
    LineReport,
    Order,
    OrderStatus,
    Package,
    Person,
)
from tracker.domain.phones import e164
from tracker.domain.text import clean, email, is_placeholder, person_name
from tracker.domain.wrong_codes import with_wrong_codes
from tracker.intake import values
from tracker.intake.codes import Codes, entered_without
from tracker.intake.decode import decode, repair_double_encoding
from tracker.intake.fields import is_mended
from tracker.intake.nfe_text import Notes, codes_in, order_number_in, promise_in
from tracker.intake.options import MAX_ORIGINAL_LENGTH, ReadOptions, TruncatedFile
from tracker.intake.values import to_cents

MAX_NOTE_BYTES = 2_000_000
NAMESPACE = "http://www.portalfiscal.inf.br/nfe"
_AUTHORISED = frozenset(["100", "150"])
_EVENT_REGISTERED = frozenset(["135", "155"])
_CANCELLATION, _CORRECTION = "110111", "110110"
_HOSTILE = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}encoding=[\"']([A-Za-z0-9._-]+)[\"']")
# Expat's codes for a document that ends too early: no element found, unclosed token, partial character, unclosed CDATA.
_ENDS_EARLY = frozenset([3, 5, 6, 20])
_OTHER_ROOTS = {
    "resNFe": "é só o resumo de uma NF-e; exporte o XML completo da nota",
    "cteProc": "é um CT-e da transportadora, não uma nota de venda; não precisa ser enviado",
    "CTe": "é um CT-e da transportadora, não uma nota de venda; não precisa ser enviado",
    "procInutNFe": "é a inutilização de números de nota, sem nenhum pedido; não precisa ser enviado",
    "evento": "é um evento sem a resposta da Sefaz; exporte o arquivo do evento já registrado",
}
_VOLUMES = re.compile(r"[0-9]{1,15}")
_PURPOSES = {"2": "complementar", "3": "de ajuste", "4": "de devolução", "5": "de crédito", "6": "de débito"}


class _Refused(Exception):
    """The document is not imported; the text is the merchant's reason."""


def read_nfe(data: bytes, *, timezone: ZoneInfo, merchant_cnpj: str | None, options: ReadOptions) -> FileReading:
    """Read one XML document. Raises TruncatedFile where it ends in the middle."""
    try:
        root = _parsed(data)
        if root.tag == "procEventoNFe":
            return _read_event(root, merchant_cnpj, options)
        return _read_note(root, timezone, merchant_cnpj, options)
    except _Refused as exc:
        return FileReading(refused=str(exc))


def _parsed(data: bytes) -> Element:
    if len(data) > MAX_NOTE_BYTES:
        raise _Refused("O XML tem mais de 2 MB, grande demais para uma NF-e; envie o XML original da nota.")
    text = _text(data)
    if _HOSTILE.search(text):
        raise _Refused(
            "O XML traz DOCTYPE ou ENTITY, que uma NF-e verdadeira nunca tem; peça o arquivo original de novo."
        )
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except ParseError as exc:
        if exc.code in _ENDS_EARLY:
            raise TruncatedFile("O XML termina no meio; copie o arquivo inteiro para a pasta de novo.") from exc
        raise _Refused("O XML está corrompido e não pode ser lido; exporte a nota de novo.") from exc
    except DefusedXmlException as exc:
        raise _Refused("O XML traz construções que uma NF-e nunca tem; peça o arquivo original de novo.") from exc
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    return root


def _text(data: bytes) -> str:
    """The document's text by its byte order mark or declaration; wrong declarations fall back to what the bytes are."""
    declared = _DECLARED.match(data.lstrip()[:300])
    if declared and declared[1].lower() in (b"iso-8859-1", b"latin1", b"windows-1252"):
        encoding = "cp1252" if declared[1].lower() == b"windows-1252" else "latin-1"
        return repair_double_encoding(data.decode(encoding, errors="replace")).lstrip()
    return decode(data).lstrip(" \t\r\n\ufeff")


def _find(element: Element | None, path: str) -> str:
    """The cleaned text at a path, "" where it is absent."""
    found = element.find(path) if element is not None else None
    return clean(found.text or "") if found is not None else ""


def _read_event(root: Element, merchant_cnpj: str | None, options: ReadOptions) -> FileReading:
    event, answer = root.find("evento/infEvento"), root.find("retEvento/infEvento")
    kind = _find(event, "tpEvento")
    if kind == _CORRECTION:
        report = LineReport(0, None, "ignored", "Carta de correção: não muda o pedido.")
        return FileReading(lines=(report,))
    if kind != _CANCELLATION:
        report = LineReport(0, None, "ignored", f"Evento {kind or 'sem tipo'} da NF-e: não muda o pedido.")
        return FileReading(lines=(report,))
    _require_environment(_find(event, "tpAmb"), options)
    if _find(answer, "cStat") not in _EVENT_REGISTERED:
        raise _Refused("O cancelamento não foi registrado pela Sefaz; exporte o evento depois de aceito.")
    _require_issuer(_find(event, "CNPJ") or _find(event, "CPF"), merchant_cnpj)
    key = nfe_key(_find(event, "chNFe"))
    if key is None:
        raise _Refused("A chave da NF-e no cancelamento (chNFe) está errada; exporte o evento de novo.")
    return FileReading(cancellations=(Cancellation(key, _instant(_find(event, "dhEvento"), None)),))


def _read_note(root: Element, timezone: ZoneInfo, merchant_cnpj: str | None, options: ReadOptions) -> FileReading:
    note = root.find("NFe/infNFe") if root.tag == "nfeProc" else root.find("infNFe") if root.tag == "NFe" else None
    if note is None:
        reason = _OTHER_ROOTS.get(root.tag, "não é uma NF-e; envie o XML autorizado da nota de venda")
        raise _Refused(f"O arquivo {reason}.")
    key = _key(root, note)
    _require_sale(note, options)
    _require_authorised(root, options)
    _require_issuer(_find(note, "emit/CNPJ") or _find(note, "emit/CPF"), merchant_cnpj)
    codes = codes_in(_notes(note), options)
    order = _order(note, key, codes, timezone, options)
    return FileReading(orders=(order,), lines=tuple(_reports(note, order, codes)))


def _key(root: Element, note: Element) -> str:
    key = nfe_key(note.get("Id", "").removeprefix("NFe"))
    if key is None:
        raise _Refused("A chave da NF-e (Id) falta ou tem o dígito verificador errado; exporte a nota de novo.")
    protocol_key = _find(root, "protNFe/infProt/chNFe")
    if protocol_key and nfe_key(protocol_key) != key:
        raise _Refused("A chave da nota e a do protocolo de autorização são diferentes; exporte a nota de novo.")
    return key


def _require_sale(note: Element, options: ReadOptions) -> None:
    model, purpose = _find(note, "ide/mod"), _find(note, "ide/finNFe")
    if model == "65":
        raise _Refused("O arquivo é uma NFC-e, de venda no balcão; só notas de venda com entrega (modelo 55) entram.")
    if model != "55":
        raise _Refused(f"O documento é do modelo {model or 'desconhecido'}; só NF-e (modelo 55) entram.")
    if purpose != "1":
        kind = _PURPOSES.get(purpose, "de finalidade desconhecida")
        raise _Refused(f"A nota é {kind} (finNFe {purpose or 'ausente'}), não uma venda; não precisa ser enviada.")
    if _find(note, "ide/tpNF") != "1":
        raise _Refused("A nota é de entrada (tpNF 0), não uma venda; não precisa ser enviada.")
    _require_environment(_find(note, "ide/tpAmb"), options)
    cfops = [_find(item, "prod/CFOP") for item in note.findall("det")]
    if cfops and options.excluded_cfops and all(cfop.startswith(options.excluded_cfops) for cfop in cfops):
        raise _Refused(
            f"A nota é de remessa ou transferência (CFOP {cfops[0]}), não uma venda; não precisa ser enviada."
        )


def _require_environment(environment: str, options: ReadOptions) -> None:
    if environment != "1" and not (environment == "2" and options.accept_test_environment):
        raise _Refused("O documento foi emitido no ambiente de testes da Sefaz (tpAmb 2) e não vale como venda.")


def _require_authorised(root: Element, options: ReadOptions) -> None:
    status = _find(root, "protNFe/infProt/cStat")
    if not status:
        if options.accept_unauthorised:
            return
        raise _Refused("A nota não traz o protocolo de autorização da Sefaz; exporte o XML depois de autorizada.")
    if status not in _AUTHORISED:
        reason = _find(root, "protNFe/infProt/xMotivo")[:100]
        raise _Refused(f"A nota não está autorizada (cStat {status}{': ' + reason if reason else ''}).")


def _require_issuer(issuer: str, merchant_cnpj: str | None) -> None:
    if merchant_cnpj is not None and cnpj_root(issuer) != cnpj_root(merchant_cnpj):
        raise _Refused(f"A nota foi emitida por outra empresa ({issuer or 'sem CNPJ'}), não pela loja.")


def _notes(note: Element) -> Notes:
    additional = note.find("infAdic")
    if additional is None:
        return ()
    fields = [(field.get("xCampo", ""), _find(field, "xTexto")) for field in additional.findall("obsCont")]
    return (*fields, ("", _find(additional, "infCpl")))


def _order(note: Element, key: str, codes: Codes, timezone: ZoneInfo, options: ReadOptions) -> Order:
    series, invoice = _find(note, "ide/serie"), _find(note, "ide/nNF").lstrip("0")
    notes = _notes(note)
    number = _find(note, "compra/xPed") or next(_order_numbers(note), "") or order_number_in(notes, options)
    buyer, place = note.find("dest"), note.find("entrega")
    where = place if place is not None else note.find("dest/enderDest")
    order = Order(
        number=number or f"nfe:{series or '0'}-{invoice}",
        aliases=(("invoice_key", key), ("invoice_number", invoice)),
        ordered_at=_instant(_find(note, "ide/dhEmi"), timezone),
        promised_on=_date(_find(note, "ide/dPrevEntrega")) or promise_in(notes),
        customer=_person(buyer, "enderDest/fone"),
        recipient=_person(place, "fone"),
        address=_address(where),
        total_cents=_cents(_find(note, "total/ICMSTot/vNF")),
        freight_cents=_cents(_find(note, "total/ICMSTot/vFrete")),
        items=tuple(_item(product) for product in note.findall("det/prod")),
        status=OrderStatus.READY,
        packages=_packages(note, key, invoice, codes),
    )
    order = replace(order, originals=tuple(_originals(order, buyer, place, where)))
    return with_wrong_codes(order, codes.wrong)


def _order_numbers(note: Element) -> Iterator[str]:
    return (number for product in note.findall("det/prod") if (number := _find(product, "xPed")))


def _person(element: Element | None, phone_path: str) -> Person:
    if element is None:
        return Person()
    identity = _find(element, "CNPJ") or _find(element, "CPF")
    return Person(
        name=_said(person_name(_find(element, "xNome"))),
        email=email(_find(element, "email")),
        phone=e164(_find(element, phone_path)),
        document=document(identity, "cnpj" if len(identity) == 14 else "cpf"),
    )


def _originals(
    order: Order, buyer: Element | None, place: Element | None, where: Element | None
) -> Iterator[tuple[str, str]]:
    """What the note has where a value was mended or could not be used."""
    given = {
        "name": _find(buyer, "xNome"),
        "email": _find(buyer, "email"),
        "phone": _find(buyer, "enderDest/fone"),
        "document": _find(buyer, "CNPJ") or _find(buyer, "CPF"),
        "recipient": _find(place, "xNome"),
        "postal_code": _find(where, "CEP"),
    }
    for name, value in order.mended().items():
        text = given[name]
        if text and not is_placeholder(text) and is_mended(name, text, value):
            yield name, text[:MAX_ORIGINAL_LENGTH]


def _address(element: Element | None) -> Address:
    state = _find(element, "UF").upper()
    return Address(
        postal_code=cep(_find(element, "CEP")),
        street=_said(_find(element, "xLgr")),
        number=_said(_find(element, "nro")),
        complement=_said(_find(element, "xCpl")),
        district=_said(_find(element, "xBairro")),
        city=_said(_find(element, "xMun")),
        state=state if len(state) == 2 and state != "EX" else None,
    )


def _said(text: str) -> str | None:
    return None if is_placeholder(text) else text


def _packages(note: Element, key: str, invoice: str, codes: Codes) -> tuple[Package, ...]:
    carrier = note.find("transp/transporta")
    carrier_cnpj = cnpj(_find(carrier, "CNPJ"))
    carrier_name = _find(carrier, "xNome") or None
    found: tuple[str | None, ...] = codes.good
    if not found and (carrier_cnpj or carrier_name):
        found = (None,)
    return tuple(
        Package(
            tracking_code=code,
            invoice_key=key,
            invoice_number=invoice,
            carrier_raw=carrier_name,
            carrier_cnpj=carrier_cnpj,
        )
        for code in found
    )


def _item(product: Element) -> Item:
    name = _find(product, "xProd")
    return Item(
        name=name or _find(product, "cProd"),
        sku=_find(product, "cProd") or None,
        quantity=_quantity(_find(product, "qCom")),
        unit_cents=_cents(_find(product, "vUnCom")),
    )


def _reports(note: Element, order: Order, codes: Codes) -> Iterator[LineReport]:
    """What a person may want to know about a note that was taken."""
    for reason, code in zip(codes.refused, codes.wrong, strict=True):
        sentence = entered_without(reason, order.number, code)
        yield LineReport(0, order.number, "warning", f"{sentence[0].upper()}{sentence[1:]}.")
    volumes = volumes_of(note)
    if volumes > 1 and order.packages and not codes.good:
        sentence = (
            f"A nota tem {volumes} volumes e nenhum código de rastreio: entrou como um só envio, "
            "acompanhado pela chave da nota."
        )
        yield LineReport(0, order.number, "imported", sentence)


def volumes_of(note: Element) -> int:
    """The number of parcels: the sum of `qVol`, where one `vol` may stand for many."""
    amounts = (_find(volume, "qVol") for volume in note.findall("transp/vol"))
    return sum(int(amount) for amount in amounts if _VOLUMES.fullmatch(amount))


def _decimal(text: str) -> Decimal | None:
    """A number as XML schema writes it: dot for decimals, no thousands."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number < 10**13 else None


def _quantity(text: str) -> Decimal:
    """`1.0000` is one, as any other source writes it."""
    number = _decimal(text)
    return Decimal(format(number.normalize(), "f")) if number else Decimal(1)


def _cents(text: str) -> int | None:
    amount = _decimal(text)
    return None if amount is None else to_cents(amount)


def _instant(text: str, timezone: ZoneInfo | None) -> datetime | None:
    """An XML instant in UTC; one without offset is the merchant's wall clock."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 2000 <= moment.year <= 2100:
        return None
    if moment.tzinfo is None:
        return None if timezone is None else moment.replace(tzinfo=timezone).astimezone(UTC)
    return moment.astimezone(UTC)


def _date(text: str) -> date | None:
    try:
        return values.day(text)
    except values.BadValue:
        return None

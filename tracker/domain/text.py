"""Text as people and programs leave it in a field: cleaning, folding, names, e-mail form, and values that mean nothing."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_PLACEHOLDERS = frozenset(
    [
        *("", "0", "null", "none", "nil", "nan", "undefined", "vazio", "na", "sn", "sno", "semnumero", "semdados"),
        *("naoinformado", "naoinformada", "naotem", "naopossui", "naoseaplica", "naoconsta", "naodisponivel"),
        *("seminformacao", "indefinido", "desconhecido", "notavailable", "unknown", "xxx", "xxxx"),
    ]
)
_ZERO_DATE = re.compile(r"0{1,4}[-/.]0{1,2}[-/.]0{1,4}( .*)?")
_MEANT_DIGIT = re.compile(r"[1-9]")
_LONGEST_PLACEHOLDER = 30
_ONLY_MARKS = re.compile(r"[\W_]*")
_NO_MAIL = re.compile(
    r"nao(_|-|\.)?(tem|possui|informad[oa]|consta|quis)|sem(_|-|\.)?e?-?mail|no-?e?mail|^(nao|nada|sem|teste?|xx+|aa+)$"
)
_SAID_TWICE = re.compile(r"(.{1,3}|e-?mail|clientes?|consumidor|usuario|comprador|fulano)@\1\..*")
_NO_MAIL_DOMAIN = re.compile(r"(^|\.)(naoinformado|naotem|sememail|naopossui|xxx+)\.")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_TOP_LEVEL = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}", re.ASCII)

_PARTICLES = frozenset(["da", "de", "do", "das", "dos", "e"])
_KEPT_UPPER = frozenset(["LTDA", "S/A", "SA", "S.A", "S.A.", "ME", "EPP", "EIRELI", "MEI", "CIA"])
_ROMAN = frozenset(["II", "III", "IV", "VI", "VII", "VIII", "IX", "XI", "XII", "XIII", "XIV", "XV", "XVI", "XXIII"])
_COMPANY_WORDS = frozenset(["LTDA", "S/A", "S.A", "S.A.", "ME", "EPP", "EIRELI", "MEI", "CNPJ"])
_NOT_A_NAME = frozenset(["cliente", "consumidor", "comprador", "destinatario", "teste", "test", "nome", "anonimo"])
_TITLES = frozenset(["sr", "sra", "srta", "dr", "dra", "prof", "profa", "dona"])


def clean(text: str) -> str:
    """NFC, without control and format characters, runs of blanks as one blank."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    normal = unicodedata.normalize("NFC", text)
    kept = (" " if char.isspace() else char for char in normal if char.isspace() or _is_shown(char))
    return " ".join("".join(kept).split())


def _is_shown(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def without_accents(text: str) -> str:
    """The same text with plain letters: "Código Nº" becomes "Codigo No"."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def fold(text: str) -> str:
    """For comparing: no accents, lower case, single blanks."""
    return " ".join(without_accents(text).lower().split())


def is_placeholder(text: str) -> bool:
    """Whether the value only stands where a value is missing: "", "null", "0", "S/N", "Não informado", "00/00/0000"."""
    # Most values end here, and large files have many: no placeholder has a digit other than zero or is a sentence.
    if len(text) > _LONGEST_PLACEHOLDER or _MEANT_DIGIT.search(text):
        return False
    return _is_placeholder(text)


@lru_cache(maxsize=4096)
def _is_placeholder(text: str) -> bool:
    folded = fold(text)
    if _ONLY_MARKS.fullmatch(folded) or _ZERO_DATE.fullmatch(folded):
        return True
    letters = re.sub(r"[\W_]", "", folded)
    return letters in _PLACEHOLDERS or not letters.strip("0")


def person_name(text: str) -> str:
    """A name as it is written in a letter: all capitals or all lower case get title case, mixed case stays as it is."""
    name = clean(text)
    if not (name.isupper() or name.islower()):
        return name
    return " ".join(_name_word(word, first=index == 0) for index, word in enumerate(name.split(" ")))


def _name_word(word: str, *, first: bool) -> str:
    upper = word.upper()
    if upper in _ROMAN or all(part.strip(".,()") in _KEPT_UPPER for part in upper.split("-")):
        return upper
    if word.lower() in _PARTICLES and not first:
        return word.lower()
    return re.sub(r"[^\W\d_]+", lambda part: part[0][:1].upper() + part[0][1:].lower(), word)


def greeting_name(name: str | None, document: str | None = None) -> str | None:
    """The first name a letter may begin with; None for companies, absent names and anything that is not a name."""
    if not name or (document is not None and len(document) == 14):
        return None
    words = clean(name).split(" ")
    if any(word.upper().strip(".,") in _COMPANY_WORDS for word in words) or is_placeholder(name):
        return None
    if len(words) > 1 and fold(words[0]).strip(".") in _TITLES:
        words = words[1:]
    first = person_name(" ".join(words)).split(" ")[0]
    letters = first.replace("'", "").replace("’", "").replace("-", "")
    if len(letters) < 2 or not letters.isalpha() or fold(first) in _NOT_A_NAME:
        return None
    return first


def email(text: str) -> str | None:
    """The first e-mail address in a field, its domain in lower case; None where there is none of a sendable form.

    Checks the form (RFC 5321 lengths, dot-atom local part, a domain with at least two labels), not existence. Addresses
    that only say "there is none" (`naotem@…`, `…@naoinformado.com`) count as absent.
    """
    for part in re.split(r"[;,\s<>|]+", text):
        address = part.removeprefix("mailto:").strip("'\".")
        if "@" in address:
            return _checked_address(address)
    return None


def _checked_address(address: str) -> str | None:
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    labels = domain.split(".")
    formed = (
        len(local) <= 64
        and len(domain) <= 253
        and _LOCAL_PART.fullmatch(local) is not None
        and len(labels) >= 2
        and all(_HOST_LABEL.fullmatch(label) for label in labels)
        and _TOP_LEVEL.fullmatch(labels[-1]) is not None
    )
    return f"{local}@{domain}" if formed and not is_absent_email(address) else None


def is_absent_email(text: str) -> bool:
    """Whether an address is only a way of saying that there is none."""
    local, _, domain = fold(text).rpartition("@")
    return (
        _NO_MAIL.search(local) is not None
        or _NO_MAIL_DOMAIN.search(domain) is not None
        or _SAID_TWICE.fullmatch(f"{local}@{domain}") is not None
    )

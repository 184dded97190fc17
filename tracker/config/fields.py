"""Kinds of value that several parts of the configuration share, each with the check and the advice that goes with it.

The checks raise ValueError("what is wrong (what to do)"); they never repeat the value, which may be a secret.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import logging
import re
from datetime import date, time
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from carriers.base import Cause, TrackingStatus
from tracker.config.secrets import is_placeholder
from tracker.config.wording import closest
from tracker.domain.alert_kinds import ALERT_KINDS
from tracker.domain.codes import code_key
from tracker.domain.documents import cep, cnpj
from tracker.domain.text import fold
from tracker.domain.words import Trigger

Entries = TypeVar("Entries", bound=tuple[Any, ...])

MIN_SECRET_CHARS: Final = 16
# The calendar has the same list, but importing it costs every command a third of a second.
STATES: Final = frozenset(
    [
        *("AC", "AL", "AP", "AM", "BA", "CE", "DF", "ES", "GO", "MA", "MT", "MS", "MG", "PA"),
        *("PB", "PR", "PE", "PI", "RJ", "RN", "RS", "RO", "RR", "SC", "SP", "SE", "TO"),
    ]
)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MAILBOX = re.compile(r"(?:[^<>\x00-\x1f\x7f]*<([^<>\s]+)>|([^<>\s]+))")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")
_MONEY = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{2}))?")
_CLOCK_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
_MAIL_ENTRY = re.compile(r"([a-z0-9._%+-]+)?@?([a-z0-9-]+\.)+[a-z]{2,63}", re.ASCII)


def is_loopback(host: str) -> bool:
    """Whether this host name or address can only mean this very machine."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def some(entries: Entries) -> Entries:
    """For lists that must not be empty. (A length limit of pydantic's would count entries that have faults as missing.)"""
    if not entries:
        raise ValueError("is empty (at least one entry)")
    return entries


def _trigger(value: Any) -> Any:
    if value not in list(Trigger):
        raise ValueError(f"is no trigger ({closest(str(value), list(Trigger))})")
    return value


def _event_status(value: Any) -> Any:
    known = [status.value for status in TrackingStatus if status is not TrackingStatus.UNKNOWN]
    if value not in known:
        raise ValueError(f"is no status ({closest(str(value), known)})")
    return value


def _event_cause(value: Any) -> Any:
    if value is not None and value not in list(Cause):
        raise ValueError(f"is no cause ({closest(str(value), list(Cause))})")
    return value


def _event_code(text: str) -> str:
    """As events have it: a code may be the carrier's own text, with blanks and accents in the merchant's file."""
    # One of a family may be a loss: a pattern would read it as its harmless neighbours.
    if not text.strip() or re.search(r"[*?%]", text):
        raise ValueError("must be one code, whole (as tracker carriers unknown shows it; a pattern is not taken)")
    return code_key(text)


def _identifier(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("cannot be an id (use small letters, digits, - and _, at most 40)")
    return text


def _cnpj(text: str) -> str:
    checked = cnpj(text)
    if checked is None:
        raise ValueError("is not a valid CNPJ (14 characters whose check digits agree, in quotes)")
    return checked


def _postal_code(text: str) -> str:
    checked = cep(text)
    if checked is None:
        raise ValueError('is not a CEP (eight digits in quotes, such as "80010000")')
    return checked


def _state(text: str) -> str:
    if text.upper() not in STATES:
        raise ValueError("is not a Brazilian state (two letters, such as PR)")
    return text.upper()


def _mailbox(text: str) -> str:
    """`sac@loja.com.br` or `Loja <sac@loja.com.br>`; the domain may have accents, what stands before the @ may not."""
    found = _MAILBOX.fullmatch(text.strip())
    local, at, domain = (found[1] or found[2] if found else "").rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        ascii_domain = ""
    if not (at and _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(ascii_domain)):
        raise ValueError("is not an e-mail address (write name@domain or Name <name@domain>)")
    return text.strip()


def _mail_entry(text: str) -> str:
    """An address, or a domain with or without its `@`, in lower case."""
    entry = text.strip().lower()
    if _MAIL_ENTRY.fullmatch(entry) is None:
        raise ValueError("is neither an e-mail address nor a domain (write sac@loja.com.br, or loja.com.br)")
    return entry


def _plain_address(text: str) -> str:
    if "<" in text:
        raise ValueError("must be a bare e-mail address (name@domain, without a display name)")
    return _mailbox(text)


def _split_web_address(text: str) -> SplitResult:
    advice = "write https://host/path"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as exc:
        raise ValueError(f"is not a web address ({advice})") from exc
    if not usable or re.search(r"\s", text):
        raise ValueError(f"is not a web address ({advice})")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password (they would show up in logs)")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("must be https (http is allowed only for this very machine, such as 127.0.0.1)")
    return parts


def _web_address(text: str) -> str:
    if not is_placeholder(text):
        _split_web_address(text)
    return text


def _base_address(text: str) -> str:
    if is_placeholder(text):
        return text
    parts = _split_web_address(text)
    if parts.query or parts.fragment:
        raise ValueError("must end with the path (take away what follows ? or #)")
    return text.rstrip("/")


def _listener(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("is not host:port (such as 127.0.0.1:8080)")
    return text


def _host(text: str) -> str:
    if not text or re.search(r"[\s/@]", text) or (":" in text and text.count(":") == 1):
        raise ValueError("is not a host name (the name or address alone; the port has its own key)")
    return text


def _cents(value: Any) -> Any:
    """Reais as text or whole number -> centavos. `1.500` is refused: one and a half, or fifteen hundred?"""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = _MONEY.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('is not an amount in reais (write it as "1500.00")')
    return int(found[1]) * 100 + int(found[2] or 0)


def _written_date(value: Any) -> Any:
    # A bare number would be taken for seconds since 1970.
    if isinstance(value, date):
        return value
    if not (isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)):
        raise ValueError("is not a date (write YYYY-MM-DD, such as 2026-12-01)")
    return value


def _written_time(value: Any) -> Any:
    if isinstance(value, time):
        return value
    if not (isinstance(value, str) and _CLOCK_TIME.fullmatch(value)):
        raise ValueError('is not a time of day (write "HH:MM", such as "08:00")')
    return value.rjust(5, "0")


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groups
    except re.error as exc:
        raise ValueError("is not a regular expression (see config.example.yaml)") from exc
    if groups < 1:
        raise ValueError("has no group (put brackets around the part to take)")
    return text


def _signing_secret(secret: SecretStr) -> SecretStr:
    """Standard Webhooks: `whsec_` and base64 of the key; any other text is the key itself."""
    text = secret.get_secret_value()
    if not text.startswith("whsec_"):
        if len(text) < MIN_SECRET_CHARS:
            raise ValueError(f"is too short for a secret (at least {MIN_SECRET_CHARS} characters)")
        return secret
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error as exc:
        raise ValueError("begins with whsec_ but no base64 follows (copy it whole)") from exc
    if len(key) < MIN_SECRET_CHARS:
        raise ValueError(f"is too short for a secret (at least {MIN_SECRET_CHARS} bytes after whsec_)")
    return secret


def _alert_kind(value: Any) -> Any:
    if value not in ALERT_KINDS:
        raise ValueError(f"is no kind of alert ({closest(str(value), list(ALERT_KINDS))})")
    return value


def _apprise_address(secret: SecretStr) -> SecretStr:
    """An address of Apprise's is a secret in itself: it is never shown, and Apprise itself says whether it is one."""
    text = secret.get_secret_value()
    if is_placeholder(text):
        return secret
    try:
        # An extra, and slow to import: only where a configuration names it.
        from apprise import Apprise
    except ImportError as exc:
        raise ValueError('needs Apprise, which is not installed (pip install "shipment-tracker[apprise]")') from exc
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its own complaints quote the address
    if not Apprise().add(text):
        raise ValueError("is no address that Apprise knows (such as tgram://TOKEN/CHAT; its own pages list them)")
    return secret


def _ping_address(secret: SecretStr) -> SecretStr:
    """Who knows it can say that we live: a secret, and otherwise a web address."""
    _web_address(secret.get_secret_value())
    return secret


def _city(value: str) -> str:
    name, slash, state = value.rpartition("/")
    if not slash or not fold(name) or state.strip().upper() not in STATES:
        raise ValueError('must name a city and its state (such as "Curitiba/PR")')
    return city_key(name, state)


def city_key(name: str, state: str) -> str:
    """How a city is known here, whatever its accents and case: `sao paulo/SP`."""
    return f"{fold(name)}/{state.strip().upper()}"


TriggerName = Annotated[Trigger, BeforeValidator(_trigger)]
EventStatus = Annotated[TrackingStatus, BeforeValidator(_event_status)]
EventCause = Annotated[Cause, BeforeValidator(_event_cause)]
EventCode = Annotated[str, AfterValidator(_event_code)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Cnpj = Annotated[str, AfterValidator(_cnpj)]
PostalCode = Annotated[str, AfterValidator(_postal_code)]
State = Annotated[str, AfterValidator(_state)]
CityName = Annotated[str, AfterValidator(_city)]
MailEntry = Annotated[str, AfterValidator(_mail_entry)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
PlainAddress = Annotated[str, AfterValidator(_plain_address)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
BaseAddress = Annotated[str, AfterValidator(_base_address)]
Listener = Annotated[str, AfterValidator(_listener)]
Host = Annotated[str, AfterValidator(_host)]
Cents = Annotated[int, BeforeValidator(_cents)]
Pattern = Annotated[str, AfterValidator(_pattern)]
LocalDate = Annotated[date, BeforeValidator(_written_date)]
LocalTime = Annotated[time, BeforeValidator(_written_time)]
AlertKindName = Annotated[str, BeforeValidator(_alert_kind)]
AppriseAddress = Annotated[SecretStr, AfterValidator(_apprise_address)]
PingAddress = Annotated[SecretStr, AfterValidator(_ping_address)]
SigningSecret = Annotated[SecretStr, AfterValidator(_signing_secret)]

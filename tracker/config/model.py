"""The configuration as the program uses it: frozen, complete, every path absolute. `load.py` makes it from a file.

Key names are those of the file; where the model's name differs, the file's is the alias.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    InstanceOf,
    SecretStr,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tracker.config.fields import (
    AlertKindName,
    AppriseAddress,
    BaseAddress,
    Cents,
    CityName,
    Cnpj,
    EventCause,
    EventCode,
    EventStatus,
    Host,
    Identifier,
    Listener,
    LocalDate,
    LocalTime,
    Mailbox,
    MailEntry,
    Name,
    Pattern,
    PingAddress,
    PlainAddress,
    PostalCode,
    SigningSecret,
    State,
    TriggerName,
    WebAddress,
    city_key,
    is_loopback,
    some,
)
from tracker.config.names import recognise
from tracker.config.part import Part
from tracker.config.rules import Rules
from tracker.config.secrets import is_placeholder
from tracker.config.wording import ONE, SEVERAL, closest
from tracker.config.words import PROBLEM_TRIGGERS, RELEASED_CHANNELS, RELEASED_TRIGGERS, Channel
from tracker.domain.words import Trigger
from tracker.errors import MissingCredentialError
from tracker.intake.options import FIELDS, IGNORE_COLUMN, ReadOptions

LANGUAGES: Final = ("pt-BR", "en")
REMOTE_MAILS_PER_HOUR: Final = 100
"""Free plans and new sender domains are throttled beyond about this; a relay on this machine has its own limits."""
REMOTE_MAILS_PER_SECOND: Final = 1.0


class EmailIdentity(Part):
    """Who a shop's mails come from."""

    from_: Mailbox = Field(alias="from")
    reply_to: PlainAddress | None = None


class Holidays(Part):
    """Beside the national holidays; no maintained list of municipal ones exists, so those go into `extra`."""

    state: State | None = None
    city: str | None = None
    extra: tuple[LocalDate, ...] = ()


class Digest(Part):
    """The merchant's daily mail: what happened, money, what waits for a hand."""

    to: Annotated[tuple[PlainAddress, ...], AfterValidator(some)]
    at: LocalTime = time(8)
    skip_empty: bool = False
    """Whether a day without anything to tell has no mail at all."""


class ShopSettings(Part):
    id: Identifier
    name: Name
    cnpj: Cnpj | None = None
    origin_postal_code: PostalCode | None = None
    email: EmailIdentity
    contact: str = ""
    """What customers are told for questions; after loading never empty (default: the reply address)."""
    language: Literal["pt-BR", "en"] = "pt-BR"
    holidays: Holidays = Holidays()
    live_from: LocalDate | None = None
    """None: observe mode, nothing leaves."""
    digest: Digest | None = None

    @field_validator("id")
    @classmethod
    def _no_language(cls, value: str) -> str:
        # Templates lie in [SHOP/]LANG/: such a shop's folder could not be told from a language's.
        if value in {language.lower() for language in LANGUAGES}:
            raise ValueError("is the name of a language (choose another id)")
        return value


class ClaimMode(StrEnum):
    OFF = "off"
    PROPOSE = "propose"
    """Waits for `tracker approve`."""
    AUTO = "auto"


class ClaimPolicy(Part):
    """What the daemon needs to know of claims with a carrier; the adapter's own keys are checked by the adapter."""

    mode: ClaimMode = ClaimMode.PROPOSE
    max_value_cents: Cents | None = Field(default=None, alias="max_value")
    """`auto` files up to this value; what is worth more waits for a person. None: no ceiling."""
    letter_to: PlainAddress | None = None
    """Where a carrier without a claims API takes letters. None: where its adapter says, else a person sends them."""
    letter_cc: tuple[PlainAddress, ...] = ()
    letter_reply_to: PlainAddress | None = None
    """None: the shop's own."""
    letter_contract: Name | None = None
    """The contract that a letter names; None: the one that tracking told, if it did."""


class CodeSettings(Part):
    """What an event code means that the adapter does not know; a status alone may be written as one word."""

    status: EventStatus
    cause: EventCause | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_word(cls, data: Any) -> Any:
        return {"status": data} if isinstance(data, str) else data


class CarrierSettings(Part):
    """One account with a carrier."""

    id: Identifier
    adapter: str = Field(default_factory=lambda data: str(data.get("id", "")))
    aliases: tuple[Name, ...] = ()
    shops: tuple[str, ...] = ()
    """Empty: all."""
    base_url: BaseAddress = ""
    """After loading never empty (default: the adapter's production address)."""
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] | None = None
    """None: what the adapter's terms say."""
    claims: ClaimPolicy = ClaimPolicy()
    codes: dict[EventCode, CodeSettings] = Field(default_factory=dict)
    """By the carrier's own code; only what the adapter leaves unknown is read so."""
    own: InstanceOf[BaseModel] | None = Field(default=None, repr=False)
    """The adapter's `Settings`; None only where one of its credentials is not available in this process."""

    @property
    def adapter_settings(self) -> BaseModel:
        """What to build the adapter with. Raises MissingCredentialError."""
        if self.own is None:
            raise MissingCredentialError(f"carrier {self.id}")
        return self.own

    def serves(self, shop_id: str) -> bool:
        return not self.shops or shop_id in self.shops


class IntakeSettings(Part):
    """A watched folder."""

    kind: Literal["folder"]
    shop: str = ""
    """After loading never empty (default: the only shop)."""
    path: Path
    """After loading absolute."""
    accept_bad_check_digits: bool = False
    accept_unauthorised: bool = False
    accept_test_environment: bool = False
    excluded_cfops: tuple[str, ...] = ReadOptions().excluded_cfops
    tracking_pattern: Pattern | None = None
    order_pattern: Pattern | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    """A heading in this merchant's files -> our field, or `ignore`; wins over guessing."""
    settle_seconds: Annotated[float, Field(ge=0, le=600)] = 5
    """A file is taken when its size and time have not changed for so long."""

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, value: dict[str, str]) -> dict[str, str]:
        for field in value.values():
            if field not in FIELDS and field != IGNORE_COLUMN:
                raise ValueError(f"names an unknown field ({closest(field, (*FIELDS, IGNORE_COLUMN))})")
        return value

    def read_options(self) -> ReadOptions:
        """How to read the files of this folder."""
        return ReadOptions(
            columns=self.columns,
            accept_bad_check_digits=self.accept_bad_check_digits,
            accept_test_environment=self.accept_test_environment,
            accept_unauthorised=self.accept_unauthorised,
            excluded_cfops=self.excluded_cfops,
            tracking_pattern=self.tracking_pattern,
            order_pattern=self.order_pattern,
        )


class MailServer(Part):
    """One mail account."""

    id: Identifier | None = None
    """None: the host is its name."""
    shops: tuple[str, ...] = ()
    """Whose messages it takes; empty: all."""
    host: Host = "127.0.0.1"
    security: Literal["starttls", "tls", "none"] = Field(
        default_factory=lambda data: "none" if is_loopback(data.get("host", "127.0.0.1")) else "starttls"
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default_factory=lambda data: {"tls": 465, "starttls": 587}.get(data.get("security", "none"), 25)
    )
    user: str | None = None
    password: SecretStr | None = Field(default=None, validate_default=True)
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30
    per_hour: Annotated[int, Field(ge=1)] | None = None
    per_day: Annotated[int, Field(ge=1)] | None = None
    """Within any 24 hours."""
    per_second: Annotated[float, Field(ge=0.01, le=1000)] | None = None

    @field_validator("security")
    @classmethod
    def _no_clear_text_to_others(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and not is_loopback(info.data.get("host", "127.0.0.1")):
            raise ValueError("may be none only for this very machine (write starttls or tls)")
        return value

    @field_validator("password")
    @classmethod
    def _user_and_password(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "user" in info.data and (value is None) != (info.data["user"] is None):
            raise ValueError("goes together with user (write both or neither)")
        return value

    @property
    def hourly_limit(self) -> int | None:
        """Mails an hour; None: no limit of ours."""
        return self.per_hour or (None if is_loopback(self.host) else REMOTE_MAILS_PER_HOUR)

    @property
    def pace(self) -> float | None:
        """Mails a second, after a burst; None: as fast as the server takes them. Never so slow that an hour's limit is lost."""
        if self.per_second is not None or is_loopback(self.host):
            return self.per_second
        return max(REMOTE_MAILS_PER_SECOND, (self.per_hour or 0) / 1800)

    @property
    def name(self) -> str:
        """What rows, logs and alerts call this account."""
        return self.id or self.host

    def serves(self, shop_id: str) -> bool:
        return not self.shops or shop_id in self.shops


class ReturnedMail(Part):
    """The mailbox to which undeliverable mail comes back."""

    host: Host
    security: Literal["starttls", "tls", "none"] = Field(
        default_factory=lambda data: "none" if is_loopback(data.get("host", "")) else "tls"
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default_factory=lambda data: 993 if data.get("security") == "tls" else 143
    )
    user: Name
    password: SecretStr
    folder: Name = "INBOX"
    done_folder: Name | None = None
    """Where read returns are moved; None: they stay, marked as seen."""
    return_path: PlainAddress | None = None
    """The envelope's sender, to which servers return mail; None: the shop's own address."""
    verp: bool = False
    """Whether every message has a return path of its own (`local+token@domain`)."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30

    @field_validator("security")
    @classmethod
    def _no_clear_text_to_others(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and not is_loopback(info.data.get("host", "")):
            raise ValueError("may be none only for this very machine (write tls or starttls)")
        return value

    @field_validator("verp")
    @classmethod
    def _needs_a_return_path(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("return_path") is None:
            raise ValueError("needs return_path (an address whose name+anything reaches this mailbox)")
        return value


def _one_or_several(value: Any) -> str:
    return SEVERAL if isinstance(value, list | tuple) else ONE


MailServers = Annotated[
    Annotated[MailServer, Tag(ONE)] | Annotated[tuple[MailServer, ...], AfterValidator(some), Tag(SEVERAL)],
    Discriminator(_one_or_several),
]


class MessageSettings(Part):
    preset: Literal["all", "none", "problems"] = "problems"
    email_: MailServers = Field(default=MailServer(), alias="email")
    bounces: ReturnedMail | None = None
    templates: Path = Path("templates")
    """After loading absolute; need not exist."""
    redirect_to: PlainAddress | None = None
    never_mail: tuple[MailEntry, ...] = ()
    """Addresses and domains that are not written to, beside those that marketplaces lend."""
    mail_anyway: tuple[MailEntry, ...] = ()
    """Of those that marketplaces lend, what may be written to."""
    triggers: dict[TriggerName, tuple[Channel, ...]] = Field(default_factory=dict)
    hold_minutes: Annotated[int, Field(ge=0, le=1440)] = 10
    """Parcels of one order that reach the same trigger within this time share one notice."""

    @property
    def accounts(self) -> tuple[MailServer, ...]:
        """The mail accounts, the preferred first."""
        return (self.email_,) if isinstance(self.email_, MailServer) else self.email_

    @property
    def email(self) -> MailServer:
        """The preferred mail account."""
        return self.accounts[0]

    @field_validator("triggers")
    @classmethod
    def _no_channel_twice(cls, value: dict[Trigger, tuple[Channel, ...]]) -> dict[Trigger, tuple[Channel, ...]]:
        for trigger, channels in value.items():
            if len(set(channels)) < len(channels):
                raise ValueError(f"{trigger} names a channel twice (name it once)")
        return value

    def channels(self, trigger: str) -> tuple[Channel, ...]:
        """The channels of this trigger that this release has, in the order to try them; empty where it is switched off."""
        named = Trigger(trigger)
        if named in self.triggers:
            return tuple(channel for channel in self.triggers[named] if channel in RELEASED_CHANNELS)
        switched_on = {"all": RELEASED_TRIGGERS, "problems": PROBLEM_TRIGGERS, "none": ()}[self.preset]
        return (Channel.EMAIL,) if named in switched_on else ()

    @property
    def delivered_only_after_problem(self) -> bool:
        """Whether `delivered` goes only to customers who were told of a problem: the preset `problems`, not overridden."""
        return self.preset == "problems" and Trigger.DELIVERED not in self.triggers


class QuietHours(Part):
    """By the configured time zone; they may span midnight."""

    from_: LocalTime = Field(alias="from")
    to: LocalTime


class RemindHours(Part):
    """Hours after the last word until it is told that an alert still stands; null: never."""

    critical: Annotated[float, Field(gt=0, le=8760)] | None = 6
    warning: Annotated[float, Field(gt=0, le=8760)] | None = 48


class AlertSink(Part):
    """What every place has that alerts go to."""

    min_severity: Literal["info", "warning", "critical"] = "info"
    kinds: tuple[AlertKindName, ...] = ()
    """Empty: all."""


class LogAlerts(AlertSink):
    kind: Literal["log"]


class TellingSink(AlertSink):
    """A place where people read: grouped, with quiet hours, reminders and a cap."""

    quiet: QuietHours | None = None
    remind_hours: RemindHours = RemindHours()
    group_minutes: Annotated[int, Field(ge=0, le=1440)] = 10
    """Many alerts of one kind within this time are one notification; 0: each its own."""
    max_per_hour: Annotated[int, Field(ge=1)] = 30


class WebhookAlerts(TellingSink):
    kind: Literal["webhook"]
    url: WebAddress
    secret: SigningSecret
    previous_secret: SigningSecret | None = None
    """While one replaces the other, posts are signed with both."""


class EmailAlerts(TellingSink):
    kind: Literal["email"]
    to: Annotated[tuple[PlainAddress, ...], AfterValidator(some)]
    from_: Mailbox | None = Field(default=None, alias="from")
    """None: the first shop's."""


class AppriseAlerts(TellingSink):
    kind: Literal["apprise"]
    urls: Annotated[tuple[AppriseAddress, ...], AfterValidator(some)]


class AlertmanagerAlerts(AlertSink):
    kind: Literal["alertmanager"]
    urls: Annotated[tuple[BaseAddress, ...], AfterValidator(some)]
    """Every replica's, not a load balancer's."""


AlertSettings = LogAlerts | WebhookAlerts | EmailAlerts | AppriseAlerts | AlertmanagerAlerts


class PingSettings(Part):
    """A dead-man's switch elsewhere that is told while the lanes really run (healthchecks style)."""

    url: PingAddress
    every_minutes: Annotated[int, Field(ge=1, le=1440)] = 5


class WebSettings(Part):
    operator: Listener | None = "127.0.0.1:8080"
    public: Listener | None = None
    public_url: BaseAddress | None = None


class BackupSettings(Part):
    """A copy of the database every day."""

    at: LocalTime = time(3, 30)
    keep: Annotated[int, Field(ge=1, le=3650)] = 7
    path: Path = Path("backups")
    """After loading absolute."""


class DatabaseSettings(Part):
    url: SecretStr = SecretStr("sqlite:///data/tracker.db")
    """May hold a password; a SQLite path is absolute after loading."""
    backup: BackupSettings | None = None
    """None: no copies by themselves."""

    @field_validator("url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text.startswith("sqlite:"):
            if not text.startswith("sqlite:///") or text == "sqlite:///" or ":memory:" in text or "?" in text:
                raise ValueError("must name a file (sqlite:///data/tracker.db)")
        elif not text.startswith(("postgresql://", "postgresql+psycopg://")) and not is_placeholder(text):
            raise ValueError("is no database we know (sqlite:///FILE or postgresql://user@host/name)")
        return value

    def connection_url(self) -> str:
        """The address to open, with its password. Raises MissingCredentialError."""
        text = self.url.get_secret_value()
        if is_placeholder(text):
            raise MissingCredentialError("database.url")
        return text

    @property
    def shown(self) -> str:
        """The address without its password."""
        text = self.url.get_secret_value()
        if text.startswith("sqlite:///"):
            return text
        parts = urlsplit(text)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if parts.scheme else "(from a credential)"


class Settings(Part):
    timezone: ZoneInfo = ZoneInfo("America/Sao_Paulo")
    state_dir: Path = Path()
    """After loading absolute."""
    engine: Literal["local"] = "local"
    database: DatabaseSettings = DatabaseSettings()
    shops: Annotated[tuple[ShopSettings, ...], AfterValidator(some)]
    carriers: tuple[CarrierSettings, ...] = ()
    intake: tuple[IntakeSettings, ...] = ()
    rules: Rules = Rules()
    city_holidays: dict[CityName, tuple[LocalDate, ...]] = Field(default_factory=dict)
    """Municipal holidays by city, wherever parcels go: no maintained list of them exists."""
    messages: MessageSettings = MessageSettings()
    alerts: tuple[Annotated[AlertSettings, Field(discriminator="kind")], ...] = (LogAlerts(kind="log"),)
    ping: PingSettings | None = None
    web: WebSettings = WebSettings()

    @field_validator("engine", mode="before")
    @classmethod
    def _engine_of_this_release(cls, value: Any) -> Any:
        if value == "procrastinate":
            raise ValueError("procrastinate is not in this release (write local, or leave the key out)")
        return value

    @property
    def backup_folder(self) -> Path:
        """Where copies of the database lie that are given no other place."""
        return self.state_dir / (self.database.backup or BackupSettings()).path

    def closings_of(self, city: str | None, state: str | None) -> tuple[date, ...]:
        """The holidays of this city that the merchant has named."""
        return self.city_holidays.get(city_key(city, state), ()) if city and state else ()

    def shop(self, shop_id: str) -> ShopSettings:
        """Raises KeyError for a shop that is not configured (any more)."""
        return {shop.id: shop for shop in self.shops}[shop_id]

    def carrier(self, carrier_id: str) -> CarrierSettings:
        """Raises KeyError for a carrier that is not configured (any more)."""
        return {carrier.id: carrier for carrier in self.carriers}[carrier_id]

    def carriers_of(self, shop_id: str) -> tuple[CarrierSettings, ...]:
        return tuple(carrier for carrier in self.carriers if carrier.serves(shop_id))

    def carrier_for(self, raw_name: str | None, shop_id: str) -> str | None:
        """The id of the carrier that an order of this shop means by `raw_name`; None where that is not certain.

        An id or alias exactly, else the longest one that stands in the text as whole words. No name at all means the
        shop's only carrier.
        """
        candidates = self.carriers_of(shop_id)
        if not (raw_name or "").strip():
            return candidates[0].id if len(candidates) == 1 else None
        return recognise(raw_name or "", [(name, c.id) for c in candidates for name in (c.id, *c.aliases)])

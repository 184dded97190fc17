"""The configuration as the program uses it: frozen, complete, every path absolute. `load.py` makes it from a file.

Key names are those of the file; where the model's name differs, the file's is the alias.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    InstanceOf,
    SecretStr,
    field_validator,
    model_validator,
)

from tracker.config.feeds import FilePlace
from tracker.config.fields import (
    BaseAddress,
    Cents,
    CityName,
    Cnpj,
    EventCause,
    EventCode,
    EventStatus,
    Identifier,
    Listener,
    LocalDate,
    LocalTime,
    Mailbox,
    Name,
    Pattern,
    PlainAddress,
    PostalCode,
    State,
    city_key,
    some,
)
from tracker.config.mail import MessageSettings
from tracker.config.names import recognise
from tracker.config.part import Part
from tracker.config.rules import Rules
from tracker.config.secrets import is_placeholder
from tracker.config.sinks import AlertSettings, LogAlerts, PingSettings
from tracker.config.wording import closest
from tracker.domain.retention import (
    ANSWERS_MIN_DAYS,
    DEFAULT_ANSWERS_DAYS,
    DEFAULT_LOGS_DAYS,
    DEFAULT_ORDERS_DAYS,
    LOGS_MIN_DAYS,
    ORDERS_MIN_DAYS,
)
from tracker.errors import MissingCredentialError
from tracker.intake.options import FIELDS, IGNORE_COLUMN, ReadOptions

LANGUAGES: Final = ("pt-BR", "en")


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


class Counterparty(Part):
    """Who invoiced the freight, and so answers for the parcel: letters are written to it."""

    kind: Literal["carrier", "broker"] | None = None
    """None: what the adapter says of itself."""
    name: Name | None = None
    """None: the carrier's own name."""
    cnpj: Cnpj | None = None


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
    counterparty: Counterparty | None = None
    """None: the carrier, or the broker that its adapter is."""
    presumed_loss_business_days: Annotated[int, Field(ge=1, le=120)] | None = None
    """Without an event, before this carrier's parcels are taken for lost: the contract's own term. None: the rules', else the
    carrier's usual one."""


class CodeSettings(Part):
    """What an event code means to this merchant; a status alone may be written as one word."""

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
    title: Name | None = None
    """The carrier's name as customers know it; None: the adapter's own word for it."""
    aliases: tuple[Name, ...] = ()
    shops: tuple[str, ...] = ()
    """Empty: all."""
    base_url: BaseAddress = ""
    """After loading never empty (default: the adapter's production address)."""
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] | None = None
    """None: what the adapter's terms say."""
    claims: ClaimPolicy = ClaimPolicy()
    files: tuple[FilePlace, ...] = ()
    """Where the files of a carrier that sends files come to."""
    silent_days: Annotated[int, Field(ge=1, le=60)] = 2
    """So many business days without a file of such a carrier mean that something is broken."""
    codes: dict[EventCode, CodeSettings] = Field(default_factory=dict)
    """By the carrier's own code, or its text where it sends none; stands in place of the adapter's own reading."""
    own: InstanceOf[BaseModel] | None = Field(default=None, repr=False)
    """The adapter's `Settings`; None only where one of its credentials is not available in this process."""

    @property
    def adapter_settings(self) -> BaseModel:
        """What to build the adapter with. Raises MissingCredentialError."""
        if self.own is None:
            raise MissingCredentialError(f"carrier {self.id}")
        return self.own

    def known_as(self, title: str) -> str:
        """What customers call it, where its adapter calls it *title*."""
        return self.title or title

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


class WebSettings(Part):
    operator: Listener | None = "127.0.0.1:8080"
    public: Listener | None = None
    """Where carriers' hooks come in, behind the shop's own proxy."""
    public_url: BaseAddress | None = None
    """The address by which the world reaches `public`."""


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


class RetentionSettings(Part):
    """How long what has ended is kept, in days since its last event, and where it goes then."""

    closed_orders_days: Annotated[int, Field(ge=ORDERS_MIN_DAYS, le=36500)] = DEFAULT_ORDERS_DAYS
    raw_answers_days: Annotated[int, Field(ge=ANSWERS_MIN_DAYS, le=36500)] = DEFAULT_ANSWERS_DAYS
    logs_days: Annotated[int, Field(ge=LOGS_MIN_DAYS, le=36500)] = DEFAULT_LOGS_DAYS
    at: LocalTime = time(4, 15)
    archive: Path | None = None
    """After loading absolute. None: what is dropped is gone."""
    compact_up_to_mib: Annotated[int, Field(ge=0, le=1_000_000)] = 512
    """A SQLite file up to this size is rewritten at night when a quarter of it is empty; 0: never."""


class Settings(Part):
    timezone: ZoneInfo = ZoneInfo("America/Sao_Paulo")
    state_dir: Path = Path()
    """After loading absolute."""
    engine: Literal["local", "procrastinate"] = "local"
    """`procrastinate`: the lanes are shared by the processes of several machines; needs PostgreSQL and the extra of that name."""
    database: DatabaseSettings = DatabaseSettings()
    retention: RetentionSettings = RetentionSettings()
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

    @field_validator("engine")
    @classmethod
    def _engine_that_is_here(cls, value: str) -> str:
        if value == "procrastinate" and find_spec("procrastinate") is None:
            raise ValueError(
                'needs Procrastinate, which is not installed (pip install "shipment-tracker[procrastinate]")'
            )
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

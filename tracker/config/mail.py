"""The configuration of messages: which are told, by which mail accounts they leave, and where returned mail is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    ValidationInfo,
    field_validator,
)

from tracker.config.fields import (
    Host,
    Identifier,
    MailEntry,
    Name,
    PlainAddress,
    TriggerName,
    is_loopback,
    some,
)
from tracker.config.part import Part
from tracker.config.wording import ONE, SEVERAL
from tracker.config.words import PROBLEM_TRIGGERS, RELEASED_CHANNELS, RELEASED_TRIGGERS, Channel
from tracker.domain.words import Trigger

REMOTE_MAILS_PER_HOUR: Final = 100
"""Free plans and new sender domains are throttled beyond about this; a relay on this machine has its own limits."""


REMOTE_MAILS_PER_SECOND: Final = 1.0


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

"""The configuration of where a carrier's files come to: a folder, an SFTP server, a mailbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from tracker.config.fields import Host, Name, is_loopback
from tracker.config.part import Part

Settle = Annotated[float, Field(ge=0, le=600)]


class FolderFiles(Part):
    """A folder on this machine."""

    kind: Literal["folder"]
    path: Path
    """After loading absolute (from `state_dir`)."""
    settle_seconds: Settle = 5

    @property
    def shown(self) -> str:
        """For a person, without any secret."""
        return f"folder {self.path}"


class SftpFiles(Part):
    """A folder on an SFTP server. Its host key must be known beforehand: a stranger could send any news."""

    kind: Literal["sftp"]
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: Name
    password: SecretStr | None = None
    key: SecretStr | None = None
    """A private key in OpenSSH's form, by reference: `${file:PATH}` or `${credential:NAME}`."""
    host_key: str | None = None
    """The server's public key, `ssh-ed25519 AAAA...`."""
    known_hosts: Path | None = None
    """After loading absolute (from the configuration file's folder)."""
    path: str = "."
    after: Literal["keep", "remove"] = "keep"
    """What becomes of a file on the server that was read."""
    settle_seconds: Settle = 5
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30

    @property
    def shown(self) -> str:
        """For a person, without any secret."""
        return f"sftp {self.host}:{self.port}/{self.path}"

    @model_validator(mode="after")
    def _one_way_in_and_one_proof(self) -> SftpFiles:
        if (self.password is None) == (self.key is None):
            raise ValueError("needs password or key (write one of them)")
        if (self.host_key is None) == (self.known_hosts is None):
            raise ValueError(
                "needs host_key or known_hosts (ssh-keyscan HOST shows it; compare it with what the carrier says)"
            )
        return self

    @field_validator("host_key")
    @classmethod
    def _public_key(cls, value: str | None) -> str | None:
        if value is not None and len(value.split()) < 2:
            raise ValueError('is no public key (write it as "ssh-ed25519 AAAA...")')
        return value


class MailFiles(Part):
    """A mailbox that the carrier sends its files to, as attachments."""

    kind: Literal["imap"]
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
    """Where mails are moved whose files were taken; None: they stay, marked as seen."""
    from_: Name | None = Field(default=None, alias="from")
    """Only mails whose sender holds this text."""
    subject: Name | None = None
    """Only mails whose subject holds this text."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30

    @property
    def shown(self) -> str:
        """For a person, without any secret."""
        return f"mailbox {self.host}:{self.port}/{self.folder}"

    @field_validator("security")
    @classmethod
    def _no_clear_text_to_others(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and not is_loopback(info.data.get("host", "")):
            raise ValueError("may be none only for this very machine (write tls or starttls)")
        return value


FilePlace = Annotated[FolderFiles | SftpFiles | MailFiles, Field(discriminator="kind")]

"""The keys of a Correios account under `carriers:` in the configuration."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, field_validator, model_validator

CLAIMED = ("damage", "violation", "misdelivery", "returned", "loss", "theft", "delay", "late_delivery")
"""Problems that Correios takes claims for, by the daemon's names."""

KEY_PREFIX = "cws-"
"""How the access keys begin that the portal issues for third parties."""


def _quoted(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("write it in quotes: as a number it loses its leading zeros")
    return value.strip() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_quoted)]


class ClaimsSettings(BaseModel):
    """The `claims` block: what Correios asks of whoever files a Pedido de Informação.

    An empty block means that no claims are filed through the API.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone: Text | None = None
    """Of the shop, with area code: Correios may ring back."""
    reply_email: Text | None = None
    """A mailbox that the shop reads: Correios answers there too."""
    packaging: Literal["box", "envelope"] = "box"
    delay_claims: Literal["pi", "contract", "off"] = "pi"
    """`contract` where the contract settles delays by service level, `off` where the shop wants none."""
    kinds: dict[str, Literal["information_request", "refund"]] = {}
    """Which kind to file first, by problem, where the shop's experience differs from our defaults."""

    @field_validator("kinds")
    @classmethod
    def _known_problems(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in CLAIMED:
                raise ValueError(f"{name}: Correios takes no claim for that; write one of {', '.join(CLAIMED)}")
        return value

    @field_validator("phone")
    @classmethod
    def _digits_of_phone(cls, value: str | None) -> str | None:
        if value is None:
            return None
        digits = re.sub(r"[^0-9]", "", value)
        if len(digits) not in (10, 11):
            raise ValueError("give the shop's phone with its area code, 10 or 11 digits, without +55")
        return digits

    @field_validator("reply_email")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+", value, re.ASCII):
            raise ValueError(
                "give a plain e-mail address that the shop reads; Correios refuses a malformed one (code 241)"
            )
        return value

    @property
    def wanted(self) -> bool:
        """Whether claims are filed with this account."""
        return self.phone is not None and self.reply_email is not None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if self.model_fields_set and not self.wanted:
            missing = [name for name in ("phone", "reply_email") if getattr(self, name) is None]
            raise ValueError(f"add {' and '.join(missing)}: Correios takes no claim without")
        return self


class CorreiosSettings(BaseModel):
    """One contract's access; see `README.md` beside the adapters for where the values are found in the portal."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    user: Text | None = None
    """The Meu Correios login, often the digits of the CNPJ."""
    access_code: SecretStr | None = None
    """The code generated in the portal under "gestão de acesso a API's"; not the password of the site."""
    api_key: SecretStr | None = None
    """A `cws-` access key, used as it is instead of user and access code."""
    contract: Text | None = None
    posting_card: Text | None = None
    services: dict[str, Text] = {}
    """The contract's service codes by family, e.g. `SEDEX: "03220"`."""
    claims: ClaimsSettings = ClaimsSettings()
    allow_key_as_access_code: bool = False
    """Lets a `cws-` value be the access code: some accounts are said to take it there."""

    @field_validator("contract", "posting_card")
    @classmethod
    def _only_digits(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[0-9]{6,15}", value):
            raise ValueError("give its digits only, in quotes, as the portal shows them")
        return value

    @field_validator("services")
    @classmethod
    def _service_codes(cls, value: dict[str, str]) -> dict[str, str]:
        for family, code in value.items():
            if not re.fullmatch(r"[0-9]{5}", code):
                raise ValueError(f'{family}: a service code has five digits, in quotes (for example "03220")')
        return value

    @field_validator("access_code", "api_key")
    @classmethod
    def _usable_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        secret = value.get_secret_value().strip()
        if not secret:
            raise ValueError("is empty: set the environment variable or file it is read from")
        if not (secret.isascii() and secret.isprintable()) or " " in secret:
            raise ValueError("holds blanks or characters that no access code has: copy it again from the portal")
        return SecretStr(secret)

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.access_code is None) == (self.api_key is None):
            raise ValueError("give either access_code (with user and posting_card) or api_key, one of the two")
        if self.api_key is not None and not self.api_key.get_secret_value().startswith(KEY_PREFIX):
            raise ValueError(
                f"api_key must begin with {KEY_PREFIX}: an access code of the portal belongs under access_code"
            )
        if self.access_code is not None:
            self._check_access_code(self.access_code.get_secret_value())
        if self.claims.wanted:
            missing = [name for name in ("contract", "posting_card") if getattr(self, name) is None]
            if missing:
                raise ValueError(f"add {' and '.join(missing)}: a claim names both")
        return self

    def _check_access_code(self, secret: str) -> None:
        if secret.startswith(KEY_PREFIX) and not self.allow_key_as_access_code:
            raise ValueError(
                f"access_code begins with {KEY_PREFIX}, so it is an access key: move it to api_key "
                "(or set allow_key_as_access_code: true where Correios told you to use it so)"
            )
        missing = [name for name in ("user", "posting_card") if not getattr(self, name)]
        if missing:
            raise ValueError(f"add {' and '.join(missing)}: access_code works only with both")

"""A small valid configuration to spoil in one place, and an adapter that is no real carrier's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from tracker.config import LoadedConfig, load_config
from tracker.errors import ConfigFileError

VALID = """\
shops:
  - id: aurora
    name: Loja Aurora
    email: {from: "Loja Aurora <sac@aurora.example>"}
carriers:
  - id: veloz
    aliases: [Expresso Veloz]
    user: conta-1
    token: segredo-muito-secreto
intake:
  - {kind: folder, path: inbox}
"""


class VelozClaims(BaseModel):
    model_config = ConfigDict(extra="forbid")
    phone: str
    packaging: Literal["box", "envelope"] = "box"


class VelozSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    user: str
    token: SecretStr
    claims: VelozClaims | None = None

    @field_validator("token")
    @classmethod
    def _no_placeholder(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("segredo"):
            raise ValueError("is no token of ours (copy it from the portal)")
        return value


class Veloz:
    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = "veloz"
    TITLE: ClassVar[str] = "Expresso Veloz"
    BASE_URL: ClassVar[str] = "https://api.veloz.example"
    Settings: ClassVar[type[BaseModel]] = VelozSettings


ADAPTERS: Any = {"veloz": Veloz, "lenta": type("Lenta", (Veloz,), {"NAME": "lenta"})}


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def load(
    folder: Path, text: str = VALID, env: Mapping[str, str] | None = None, *, strict: bool = True, talks: bool = True
) -> LoadedConfig:
    return load_config(write(folder, text), env or {}, strict_credentials=strict, talks=talks, adapters=ADAPTERS)


def faults(
    folder: Path, text: str, env: Mapping[str, str] | None = None, *, strict: bool = True, talks: bool = True
) -> list[str]:
    """The faults as printed, without the folder in front."""
    with pytest.raises(ConfigFileError) as caught:
        load(folder, text, env, strict=strict, talks=talks)
    return [str(fault).removeprefix(f"{folder}/") for fault in caught.value.faults]

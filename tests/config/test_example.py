"""`config.example.yaml` is the documentation of the configuration: it loads, it is complete, and it tells the truth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from carriers.correios import Correios
from tracker.config import LoadedConfig, Settings, load_config
from tracker.config.yaml_file import read_yaml
from tracker.errors import ConfigFileError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
ENV = {"CORREIOS_ACCESS_CODE": "A1b2" * 10, "SMTP_PASSWORD": "senha", "ALERT_SECRET": "um-segredo-de-teste"}
ENV |= {
    "OLD_ALERT_SECRET": "um-segredo-antigo",
    "APPRISE_URL": "json://127.0.0.1:9",
    "PING_URL": "https://ping.example/u",
    "SFTP_PASSWORD": "senha-do-sftp",
    "SFTP_KEY": "uma-chave",
    "EDI_PASSWORD": "senha-da-caixa",
}
ALTERNATIVES = {"api_key"}
"""Excluded by another key of the example; it stands in a comment."""
SETTLED_IN_CODE = {"own"}


def everything() -> str:
    """The example with every optional key switched on."""
    return re.sub(r"(?m)^(\s*)#(?=[^\s#])", r"\1", EXAMPLE.read_text(encoding="utf-8"))


def load(text: str, folder: Path) -> LoadedConfig:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, ENV, strict_credentials=True, adapters={"correios": Correios})


def test_init_hands_out_the_example() -> None:
    assert (ROOT / "tracker/templates/config.yaml").read_bytes() == EXAMPLE.read_bytes()


def test_the_example_loads_and_sends_nothing_yet(tmp_path: Path) -> None:
    loaded = load(EXAMPLE.read_text(encoding="utf-8"), tmp_path)
    assert loaded.warnings == ()
    assert loaded.notices == ()
    assert loaded.settings.shops[0].live_from is None
    assert loaded.settings.carriers[0].claims.mode == "propose"


def test_a_secret_that_is_not_set_is_its_only_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(EXAMPLE.read_bytes())
    with pytest.raises(ConfigFileError, match="CORREIOS_ACCESS_CODE is not set") as caught:
        load_config(path, {}, strict_credentials=True, adapters={"correios": Correios})
    assert len(caught.value.faults) == 1


def test_every_optional_key_works(tmp_path: Path) -> None:
    settings = load(everything(), tmp_path).settings
    assert [alert.kind for alert in settings.alerts] == ["log", "webhook", "email", "apprise", "alertmanager"]
    assert settings.carriers[0].claims.max_value_cents == 150_000
    assert settings.intake[0].read_options().columns["Nº da venda"] == "number"


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key that a configuration of this model may have, at any depth."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in models_in(field.annotation):
            yield from keys(inner)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation is not BaseModel:
            yield annotation
        return
    for part in get_args(annotation):
        yield from models_in(part)


def keys_of(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        yield from data
        for value in data.values():
            yield from keys_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from keys_of(value)


@pytest.mark.parametrize("model", [Settings, Correios.Settings], ids=["the program's keys", "the carrier's keys"])
def test_the_example_has_every_key(model: type[BaseModel]) -> None:
    shown = set(keys_of(read_yaml(everything()).data))
    assert set(keys(model)) - SETTLED_IN_CODE - ALTERNATIVES - shown == set()
    assert all(f"{key}:" in EXAMPLE.read_text(encoding="utf-8") for key in ALTERNATIVES)


def test_optional_rules_show_their_defaults(tmp_path: Path) -> None:
    shown = load(everything(), tmp_path).settings
    plain = load(EXAMPLE.read_text(encoding="utf-8"), tmp_path).settings
    assert shown.rules == plain.rules
    assert shown.web.operator == plain.web.operator
    assert shown.messages.hold_minutes == plain.messages.hold_minutes
    assert shown.messages.email.timeout_seconds == plain.messages.email.timeout_seconds
    assert shown.intake[0].model_copy(
        update=dict.fromkeys(("columns", "tracking_pattern", "order_pattern", "path"))
    ) == (plain.intake[0].model_copy(update=dict.fromkeys(("columns", "tracking_pattern", "order_pattern", "path"))))

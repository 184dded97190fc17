from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint

import pytest
from pydantic import BaseModel

from carriers import registry
from carriers.base import Adapter
from carriers.correios import Correios
from tests.carriers.fictitious import Fictitious

OURS = EntryPoint("correios", "carriers.correios:Correios", registry.GROUP)
THEIRS = EntryPoint("flecha", "tests.carriers.fictitious:Fictitious", registry.GROUP)
HERE = "tests.carriers.test_registry"


class Open(BaseModel):
    """Settings that let unknown keys pass."""


class OldVersion(Fictitious):
    API_VERSION = 0
    NAME = "old"


class OtherName(Fictitious):
    NAME = "another"


class Rival(Fictitious):
    NAME = "correios"


class Lax(Fictitious):
    NAME = "lax"
    Settings = Open


class NoModel:
    API_VERSION, NAME, TITLE, BASE_URL = 1, "nomodel", "No model", "https://x.example"
    Settings = dict
    log_in = None


class Bare:
    API_VERSION = 1
    NAME = "bare"


def nothing() -> None:
    """Not a class."""


def test_ours_is_found_among_the_installed_ones() -> None:
    assert registry.adapters()["correios"] is Correios
    assert registry.load("correios") is Correios


def test_a_third_partys_adapter_stands_beside_ours() -> None:
    found = registry.discover([THEIRS, OURS])

    assert found.adapters == {"correios": Correios, "flecha": Fictitious}
    assert found.broken == {}


def test_the_classes_fit_the_type() -> None:
    listed: list[type[Adapter]] = [Correios, Fictitious]

    assert [adapter.NAME for adapter in listed] == ["correios", "flecha"]


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        pytest.param("gone", "no_such_module:X", "ModuleNotFoundError", id="module missing"),
        pytest.param("gone", f"{HERE}:Nowhere", "AttributeError", id="class missing"),
        pytest.param("old", f"{HERE}:OldVersion", "version 0.*version 1", id="older contract"),
        pytest.param("mine", f"{HERE}:OtherName", "calls itself 'another'", id="names disagree"),
        pytest.param("lax", f"{HERE}:Lax", "unknown keys", id="settings let unknown keys pass"),
        pytest.param("nomodel", f"{HERE}:NoModel", "not a pydantic model", id="settings are no model"),
        pytest.param("bare", f"{HERE}:Bare", "lacks TITLE, BASE_URL, Settings, log_in", id="half a class"),
        pytest.param("fn", f"{HERE}:nothing", "does not name a class", id="a function"),
    ],
)
def test_a_broken_adapter_is_named_and_hurts_no_other(name: str, target: str, says: str) -> None:
    found = registry.discover([EntryPoint(name, target, registry.GROUP), OURS])

    assert found.adapters == {"correios": Correios}
    (sentence,) = found.broken.values()
    assert name in sentence and target in sentence
    assert re.search(says, sentence)


def test_our_name_cannot_be_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "a_rival", sys.modules[HERE])
    rival = EntryPoint("correios", "a_rival:Rival", registry.GROUP)

    found = registry.discover([rival, OURS])

    assert found.adapters == {"correios": Correios}
    assert list(found.broken) == ["correios (a_rival:Rival)"]


def test_load_says_what_there_is() -> None:
    with pytest.raises(registry.AdapterNotFoundError, match=r"no adapter 'coreios'.*correios"):
        registry.load("coreios")


def test_load_says_why_a_broken_one_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    old = EntryPoint("old", f"{HERE}:OldVersion", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [old])

    with pytest.raises(registry.AdapterNotFoundError, match="contract version 0"):
        registry.load("old")

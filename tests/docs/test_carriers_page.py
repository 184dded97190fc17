"""Every account that docs/carriers.md shows is one that the program takes, and every adapter of ours is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.carriers.ours import our_adapters
from tracker.config import load_config

PAGE = Path(__file__).parents[2] / "docs" / "carriers.md"
SHOP = """\
shops:
  - {id: exemplo, name: Loja Exemplo, email: {from: "Loja <sac@lojaexemplo.com.br>"}}
"""


def shown() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S)


@pytest.mark.parametrize("block", shown(), ids=lambda block: re.search(r"adapter: (\w+)", block)[1])  # type: ignore[index]
def test_an_account_is_taken_as_shown(block: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"{SHOP}carriers:\n{block}", encoding="utf-8")
    env = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block), "segredo-inventado")

    loaded = load_config(path, env, strict_credentials=True, adapters=our_adapters())

    assert [carrier.id for carrier in loaded.settings.carriers] == [entry["id"] for entry in yaml.safe_load(block)]


def test_every_adapter_is_shown() -> None:
    named = {name for block in shown() for name in re.findall(r"adapter: (\w+)", block)}

    assert named == our_adapters().keys() - {"correios"}, "Correios is what config.example.yaml is about"

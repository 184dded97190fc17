"""Our own adapters, as `pyproject.toml` lists them: also where the installed package is an older one."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import cast

from carriers.base import Adapter
from carriers.registry import GROUP

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def our_adapters() -> dict[str, type[Adapter]]:
    """Adapter classes by the name that the configuration calls them."""
    listed = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["entry-points"][GROUP]
    return {name: _load(target) for name, target in sorted(listed.items())}


def _load(target: str) -> type[Adapter]:
    module, _, name = target.partition(":")
    return cast("type[Adapter]", getattr(import_module(module), name))

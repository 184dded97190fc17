"""Which adapters there are: the entry points of the group `shipment_tracker.carriers`, ours listed like everybody's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from pydantic import BaseModel

from carriers import API_VERSION
from carriers.base import Adapter

GROUP = "shipment_tracker.carriers"


class AdapterNotFoundError(LookupError):
    """There is no usable adapter of this name; the message says why and which there are."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found: usable classes by name, and for each unusable entry one sentence on what is wrong with it."""

    adapters: dict[str, type[Adapter]]
    broken: dict[str, str]


def discover(entries: Iterable[EntryPoint] | None = None) -> Discovery:
    """Load every adapter installed beside us; a broken one is reported and hurts no other."""
    found = Discovery({}, {})
    listed = entry_points(group=GROUP) if entries is None else entries
    # Ours first: a name of our own cannot be taken over by a package that happens to be installed.
    for entry in sorted(listed, key=lambda entry: (not entry.value.startswith("carriers."), entry.name, entry.value)):
        if entry.name in found.adapters:
            found.broken[f"{entry.name} ({entry.value})"] = (
                f"adapter {entry.name!r} ({entry.value}) was left out: another one already has this name"
            )
            continue
        try:
            loaded = entry.load()
        except Exception as exc:  # a stranger's module may raise anything while it is imported
            found.broken[entry.name] = (
                f"adapter {entry.name!r} ({entry.value}) cannot be loaded: {type(exc).__name__}: {exc}"
            )
            continue
        fault = fault_of(entry.name, loaded)
        if fault:
            found.broken[entry.name] = f"adapter {entry.name!r} ({entry.value}) {fault}"
        else:
            found.adapters[entry.name] = cast("type[Adapter]", loaded)
    return found


def adapters() -> dict[str, type[Adapter]]:
    """Usable adapter classes by the name the configuration calls them."""
    return discover().adapters


def load(name: str) -> type[Adapter]:
    """The adapter class of this name. Raises AdapterNotFoundError."""
    found = discover()
    if name in found.adapters:
        return found.adapters[name]
    if name in found.broken:
        raise AdapterNotFoundError(found.broken[name])
    known = ", ".join(sorted(found.adapters)) or "none"
    raise AdapterNotFoundError(f"there is no adapter {name!r} (installed: {known})")


def fault_of(name: str, loaded: object) -> str | None:
    """What keeps a loaded object from being an adapter of our contract, or None; follows "it"."""
    if not isinstance(loaded, type):
        return "does not name a class"
    version = getattr(loaded, "API_VERSION", None)
    if version != API_VERSION:
        return f"was written for contract version {version}, and this program speaks version {API_VERSION}: update it"
    if getattr(loaded, "NAME", None) != name:
        return f"calls itself {getattr(loaded, 'NAME', None)!r}: entry point and NAME must agree"
    missing = [part for part in ("TITLE", "BASE_URL", "Settings", "log_in") if not hasattr(loaded, part)]
    if missing:
        return f"lacks {', '.join(missing)}"
    settings = getattr(loaded, "Settings", None)
    if not (isinstance(settings, type) and issubclass(settings, BaseModel)):
        return "has Settings that are not a pydantic model"
    if settings.model_config.get("extra") != "forbid":
        return "has Settings that let unknown keys pass (extra='forbid' is asked for)"
    return None

"""What the configured texts lack: checked before work begins, and told with file and line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tracker.config import LoadedConfig
from tracker.config.model import LANGUAGES
from tracker.config.words import RELEASED_TRIGGERS
from tracker.config.yaml_file import Finding
from tracker.errors import ConfigFileError, Fault
from tracker.messages.lint import folder_faults
from tracker.messages.templates import LANGUAGE, Templates


def text_faults(loaded: LoadedConfig) -> list[Fault]:
    """Everything wrong with the texts: a language that has none, and every fault in the merchant's folder."""
    settings = loaded.settings
    folder, base = settings.messages.templates, loaded.path.absolute().parent
    found = folder_faults(folder, [shop.id for shop in settings.shops], LANGUAGES)
    return [
        *language_faults(loaded),
        *(
            Fault(_shown(fault.file, base, loaded.path.parent), fault.line, "", fault.message, fault.advice)
            for fault in found
        ),
    ]


def require_texts(loaded: LoadedConfig) -> None:
    """Raises ConfigFileError where a shop's language lacks a text that its messages need.

    A broken text holds its own messages, and an alert tells of it; without any, nothing could ever be told.
    """
    faults = language_faults(loaded)
    if faults:
        raise ConfigFileError(faults)


def language_faults(loaded: LoadedConfig) -> tuple[Fault, ...]:
    """The shops whose language lacks texts for what they tell, at their key."""
    settings = loaded.settings
    told = [trigger.value for trigger in RELEASED_TRIGGERS if settings.messages.channels(trigger)]
    templates = Templates(settings.messages.templates)
    findings = []
    for place, shop in enumerate(settings.shops):
        missing = templates.missing(told, shop=shop.id, language=shop.language)
        if missing:
            what = f"this release has no texts in {shop.language}, and these are missing: {_grouped(missing)}"
            advice = f"write them into {settings.messages.templates / shop.language}, or choose {LANGUAGE}"
            findings.append(Finding(("shops", place, "language"), what, advice))
    return loaded.located(findings)


def _grouped(names: Iterable[str]) -> str:
    """`posted.email.{txt,html}` for two files of one text."""
    parts: dict[str, list[str]] = defaultdict(list)
    for name in names:
        stem, channel, part = name.split(".", 2)
        parts[f"{stem}.{channel}"].append(part)
    return ", ".join(
        f"{stem}.{found[0]}" if len(found) == 1 else f"{stem}.{{{','.join(found)}}}" for stem, found in parts.items()
    )


def _shown(file: str, base: Path, folder: Path) -> str:
    """A file beside the configuration as the configuration itself was named."""
    path = Path(file)
    return str(folder / path.relative_to(base)) if path.is_relative_to(base) else file

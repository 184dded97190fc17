"""What the configured texts lack: checked before work begins, and told with file and line."""

from __future__ import annotations

from pathlib import Path

from tracker.config import LoadedConfig
from tracker.config.model import LANGUAGES
from tracker.errors import Fault
from tracker.messages.lint import NAMES, folder_faults
from tracker.messages.text_hints import half_changed, long_subject


def text_faults(loaded: LoadedConfig) -> list[Fault]:
    """Everything wrong in the merchant's folder of texts; the packaged ones are whole."""
    settings = loaded.settings
    folder, base = settings.messages.templates, loaded.path.absolute().parent
    found = folder_faults(folder, [shop.id for shop in settings.shops], LANGUAGES)
    return [
        Fault(_shown(fault.file, base, loaded.path.parent), fault.line, "", fault.message, fault.advice)
        for fault in found
    ]


def text_count(loaded: LoadedConfig) -> int:
    """How many texts the merchant has, by files with a name that means something."""
    return len(_own(loaded))


def text_hints(loaded: LoadedConfig) -> list[Fault]:
    """What is no fault and yet surprises: half a text that was changed, a subject that telephones cut."""
    base = loaded.path.absolute().parent
    hints = []
    for path in _own(loaded):
        hint = half_changed(path) or long_subject(path)
        if hint is not None:
            hints.append(Fault(_shown(str(path), base, loaded.path.parent), 1, "", hint[0], hint[1]))
    return hints


def _own(loaded: LoadedConfig) -> list[Path]:
    folder = loaded.settings.messages.templates
    shops = [folder / shop.id for shop in loaded.settings.shops]
    places = [place / language for place in (folder, *shops) for language in LANGUAGES]
    return [place / name for place in places for name in sorted(NAMES) if (place / name).is_file()]


def _shown(file: str, base: Path, folder: Path) -> str:
    """A file beside the configuration as the configuration itself was named."""
    path = Path(file)
    return str(folder / path.relative_to(base)) if path.is_relative_to(base) else file

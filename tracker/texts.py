"""What the configured texts lack: checked before work begins, and told with file and line."""

from __future__ import annotations

from pathlib import Path

from tracker.config import LoadedConfig
from tracker.config.model import LANGUAGES
from tracker.errors import Fault
from tracker.messages.lint import folder_faults


def text_faults(loaded: LoadedConfig) -> list[Fault]:
    """Everything wrong in the merchant's folder of texts; the packaged ones are whole."""
    settings = loaded.settings
    folder, base = settings.messages.templates, loaded.path.absolute().parent
    found = folder_faults(folder, [shop.id for shop in settings.shops], LANGUAGES)
    return [
        Fault(_shown(fault.file, base, loaded.path.parent), fault.line, "", fault.message, fault.advice)
        for fault in found
    ]


def _shown(file: str, base: Path, folder: Path) -> str:
    """A file beside the configuration as the configuration itself was named."""
    path = Path(file)
    return str(folder / path.relative_to(base)) if path.is_relative_to(base) else file

"""What is no fault of a merchant's text and yet surprises its writer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tracker.messages.sandbox import TemplateFault
from tracker.messages.templates import PACKAGED
from tracker.messages.text_file import LAYOUT, checked_file, written
from tracker.messages.variables import TRIGGERS, clean, prepared, shown_examples

SHORT: Final = 60
"""Characters of a subject that a telephone shows."""
_TWINS: Final = {"txt": "html", "html": "txt"}
Hint = tuple[str, str]
"""What, and what to do, in the merchant's language."""


def half_changed(path: Path) -> Hint | None:
    """One of the two parts was rewritten and the other is still the packaged one: customers see whichever their program shows."""
    stem, channel, part = path.name.split(".", 2)
    twin = _TWINS.get(part)
    if (
        twin is None
        or stem == LAYOUT
        or not _is_changed(path)
        or _is_changed(path.with_name(f"{stem}.{channel}.{twin}"))
    ):
        return None
    return (
        f"este texto foi mudado, e a outra parte da mensagem ({stem}.{channel}.{twin}) ainda é a padrão",
        "mude as duas: cada programa de e-mail mostra uma",
    )


def _is_changed(path: Path) -> bool:
    """Whether a file is the merchant's own and differs from the packaged one of its language."""
    packaged = PACKAGED / path.parent.name / path.name
    try:
        return path.read_bytes() != packaged.read_bytes()
    except OSError:
        return False


def long_subject(path: Path) -> Hint | None:
    """A subject that is longer than a telephone shows, with examples for its variables."""
    stem, _, part = path.name.split(".", 2)
    if part != "subject.txt" or stem not in TRIGGERS:
        return None
    known = TRIGGERS[stem]
    try:
        stream, _, _ = checked_file(path.read_bytes(), file=str(path), stem=stem, part=part, known=known)
        if stream is None:
            return None
        subject = clean(written(stream, prepared(known, shown_examples(known, path.parent.name)), str(path)))
    except (OSError, TemplateFault):
        return None
    if len(subject) <= SHORT:
        return None
    return f"o assunto tem {len(subject)} letras, e celulares mostram umas {SHORT}", "encurte-o, com o pedido no começo"

"""One template file's content, decoded and checked. Pure: bytes in, a stream or everything that is wrong with it out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from jinja2 import TemplateError

from tracker.messages.sandbox import MAX_TEMPLATE, AbsentValue, Stream, TemplateFault, checked
from tracker.messages.variables import LAYOUT_ONLY, TriggerVariables

LAYOUT: Final = "layout"
MAX_OUTPUT: Final = 256 * 1024
PARTS: Final = ("subject.txt", "txt", "html")
FRAME_PARTS: Final = PARTS[1:]
"""A frame stands around text and HTML; a subject has none."""

_ACTIVE_HTML = re.compile(r"<\s*(script|iframe|object|embed|form|link|base)\b|javascript:", re.IGNORECASE)
_PLAIN_LINK = re.compile(r"http://", re.IGNORECASE)
# In HTML only where a reader follows or loads it: a document's own DOCTYPE and namespaces are spelled with http://.
_PLAIN_LINK_HTML = re.compile(r"(?:href|src)\s*=\s*[\"']?\s*http://", re.IGNORECASE)
_ACTIVE = "não funciona em e-mail e leva a mensagem ao lixo eletrônico"


def parts_of(stem: str) -> tuple[str, ...]:
    """The parts that a trigger's text, or the frame (`layout`), has."""
    return FRAME_PARTS if stem == LAYOUT else PARTS


def too_large(file: str) -> TemplateFault:
    """What is said of a file that is not even read."""
    return TemplateFault(file, 1, f"o modelo passa de {MAX_TEMPLATE // 1024} KiB", "encurte-o")


def unreadable(file: str, error: OSError) -> TemplateFault:
    """What is said of a file that the system does not give us."""
    return TemplateFault(
        file, 1, f"não foi possível ler o arquivo: {error.strerror}", "confira o arquivo e as permissões"
    )


def checked_file(
    raw: bytes, *, file: str, stem: str, part: str, known: TriggerVariables
) -> tuple[Stream | None, str, list[TemplateFault]]:
    """The stream (None where anything is wrong), the source, and every fault in the order of the lines.

    Args:
        file: as faults name it.
        stem, part: of the name `STEM.CHANNEL.PART`; the stem is the trigger, or `layout`.
        known: whose variables it may use; a frame is checked once for each trigger.
    """
    if len(raw) > MAX_TEMPLATE:
        return None, "", [too_large(file)]
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        return None, "", [TemplateFault(file, line, "o arquivo não está em UTF-8", "salve-o como UTF-8")]
    html = part == "html"
    extra = LAYOUT_ONLY if stem == LAYOUT else ()
    stream, faults = checked(source.replace("\r\n", "\n"), file=file, html=html, known=known, extra=extra)
    faults = sorted([*_patterns(source, file, html), *faults], key=lambda fault: fault.line)
    return (None if faults else stream), source, faults


def written(stream: Stream, context: Mapping[str, object], file: str) -> str:
    """The text with the values in it. Raises TemplateFault where nothing sensible or far too much comes of it."""
    pieces: list[str] = []
    length = 0
    try:
        for piece in stream(context):
            length += len(piece.encode())
            if length > MAX_OUTPUT:
                raise TemplateFault(file, 1, f"o texto pronto passa de {MAX_OUTPUT // 1024} KiB", "encurte-o")
            pieces.append(piece)
    except (TemplateError, AbsentValue, TypeError) as exc:
        # TypeError: a text compared with what is absent, or with a number, as to which is greater.
        raise TemplateFault(file, 1, f"não foi possível montar o texto: {exc!r}", "confira as condições") from exc
    return "".join(pieces)


def _patterns(source: str, file: str, html: bool) -> Iterator[TemplateFault]:
    links = _PLAIN_LINK_HTML if html else _PLAIN_LINK
    yield from _each(links, source, file, "link sem segurança", "use https://")
    if html:
        yield from _each(_ACTIVE_HTML, source, file, _ACTIVE, "tire-o")


def _each(pattern: re.Pattern[str], source: str, file: str, message: str, advice: str) -> Iterator[TemplateFault]:
    for match in pattern.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        yield TemplateFault(file, line, f"'{match.group()}': {message}", advice)

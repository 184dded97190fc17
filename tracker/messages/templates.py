"""Finds, checks and renders the texts of a message: `templates/[SHOP/]LANG/TRIGGER.CHANNEL.{subject.txt,txt,html}`.

Each file is looked for at the shop, then at all shops' folder, then among the packaged ones. Around text and HTML goes a
frame (`layout.CHANNEL.txt`, `layout.CHANNEL.html`: greeting's end, footer, style), found the same way; an HTML text that is
a whole document (`<html`) is left as it is.

A file is read again when its time or size changes. What is wrong with one trigger's file stops that trigger alone; a
merchant's broken frame is replaced by the packaged one and reported with the rendered message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import css_inline
from markupsafe import Markup

from tracker.messages.letter_variables import LETTERS
from tracker.messages.sandbox import MAX_TEMPLATE, Stream, TemplateFault
from tracker.messages.text_file import LAYOUT, checked_file, parts_of, too_large, unreadable, written
from tracker.messages.variables import TRIGGERS, TriggerVariables, Value, bare, clean, examples, prepared

PACKAGED = Path(__file__).resolve().parent.parent / "templates"
LANGUAGE = "pt-BR"
MAX_SUBJECT = 150

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_BLANK_LINES = re.compile(r"\n{3,}")
# Nothing is fetched or read from disk while a message is made.
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


Mark = tuple[tuple[str, int, int], ...]


class MissingVariable(Exception):
    """A required variable has no value: the message is held until somebody knows it."""

    def __init__(self, trigger: str, names: tuple[str, ...]) -> None:
        super().__init__(f"{trigger}: {', '.join(names)}")
        self.trigger = trigger
        self.names = names


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to be built. `faults` are a merchant's frame files that could not be used; tell the operator."""

    subject: str
    text: str
    html: str
    faults: tuple[TemplateFault, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cached:
    mtime_ns: int
    size: int
    stream: Stream | None
    whole_document: bool
    fault: TemplateFault | None


class Templates:
    """The texts under *folder* (None: the packaged ones alone). *packaged* is only ever replaced by tests."""

    def __init__(self, folder: Path | None, *, packaged: Path = PACKAGED) -> None:
        self._folder = folder
        self._packaged = packaged
        self._cache: dict[tuple[Path, str], _Cached] = {}

    def render(
        self,
        trigger: str,
        values: Mapping[str, Value],
        *,
        shop: str,
        language: str = LANGUAGE,
        channel: str = "email",
    ) -> Rendered:
        """Render *trigger* for one notice; names in *values* that the trigger does not declare are ignored.

        Raises MissingVariable where a required one is None or empty, TemplateFault where a file is missing or broken, and
        KeyError for a trigger that has no texts.
        """
        return self.render_with(TRIGGERS[trigger], values, shop=shop, language=language, channel=channel)

    def render_letter(self, name: str, values: Mapping[str, Value], *, shop: str) -> Rendered:
        """Render a letter to a carrier: without a frame, in the carrier's language. Raises as `render`."""
        return self.render_with(LETTERS[name], values, shop=shop, framed=False)

    def render_with(
        self,
        known: TriggerVariables,
        values: Mapping[str, Value],
        *,
        shop: str,
        language: str = LANGUAGE,
        channel: str = "email",
        framed: bool = True,
    ) -> Rendered:
        """Render the texts of *known*, with the frame around them where they are for a customer. Raises as `render`."""
        trigger, context = known.trigger, prepared(known, values)
        missing = tuple(variable.name for variable in known.required if not context[variable.name])
        if missing:
            raise MissingVariable(trigger, missing)
        source = _Source(self, known, shop, language, channel)
        subject = _subject(source, context)
        faults: list[TemplateFault] = []
        text, _ = source.rendered(trigger, "txt", context)
        if framed:
            text = source.framed("txt", {**context, "assunto": subject, "corpo": text}, faults)
        html, whole = source.rendered(trigger, "html", context)
        if framed and not whole:
            html = source.framed("html", {**context, "assunto": subject, "corpo": Markup(html)}, faults)
        return Rendered(subject, _tidied(text), _INLINER.inline(html), tuple(faults))

    def trial_fault(
        self, trigger: str, *, shop: str, language: str = LANGUAGE, channel: str = "email"
    ) -> TemplateFault | None:
        """Why no message of this trigger can be written now, by examples with every optional variable and with none."""
        for values in (examples(TRIGGERS[trigger]), bare(TRIGGERS[trigger])):
            try:
                self.render(trigger, values, shop=shop, language=language, channel=channel)
            except TemplateFault as fault:
                return fault
        return None

    def mark(self, trigger: str, *, shop: str, language: str = LANGUAGE, channel: str = "email") -> Mark:
        """The files that this trigger's text comes from, with their times and sizes: another one where any was changed."""
        found: list[tuple[str, int, int]] = []
        for name in (f"{stem}.{channel}.{part}" for stem in (trigger, LAYOUT) for part in parts_of(stem)):
            for folder in self.folders(shop, language):
                try:
                    stat = (folder / name).stat()
                except OSError:
                    continue
                found.append((str(folder / name), stat.st_mtime_ns, stat.st_size))
                break
        return tuple(found)

    def folders(self, shop: str, language: str) -> Iterator[Path]:
        """Where a file is looked for, first hit wins."""
        for name in (shop, language):
            if not _SAFE_NAME.fullmatch(name):
                raise ValueError(f"not a folder's name: {name!r}")
        if self._folder is not None:
            yield self._folder / shop / language
            yield self._folder / language
        yield self._packaged / language

    def is_packaged(self, path: Path) -> bool:
        return path.is_relative_to(self._packaged)

    def loaded(self, path: Path, mtime_ns: int, size: int, known: TriggerVariables) -> _Cached:
        """The file checked for this trigger, from the cache while its time and size stay the same."""
        key = (path, known.trigger)
        cached = self._cache.get(key)
        if cached is None or (cached.mtime_ns, cached.size) != (mtime_ns, size):
            cached = self._cache[key] = _load(path, mtime_ns, size, known)
        return cached


@dataclass(frozen=True, slots=True)
class _Source:
    """One trigger's files for one shop, language and channel."""

    templates: Templates
    known: TriggerVariables
    shop: str
    language: str
    channel: str

    def rendered(self, stem: str, part: str, context: Mapping[str, object]) -> tuple[str, bool]:
        """The file's text with the values in it, and whether it is a whole HTML document."""
        path, cached = self.found(stem, part)
        return _stream(path, cached, context), cached.whole_document

    def framed(self, part: str, context: Mapping[str, object], faults: list[TemplateFault]) -> str:
        """The frame around `corpo`; a merchant's broken one is noted in *faults* and the packaged one used."""
        try:
            return self.rendered(LAYOUT, part, context)[0]
        except TemplateFault as fault:
            faults.append(fault)
        path, cached = self.found(LAYOUT, part, packaged_only=True)
        return _stream(path, cached, context)

    def found(self, stem: str, part: str, *, packaged_only: bool = False) -> tuple[Path, _Cached]:
        name = f"{stem}.{self.channel}.{part}"
        for folder in self.templates.folders(self.shop, self.language):
            path = folder / name
            if packaged_only and not self.templates.is_packaged(path):
                continue
            try:
                stat = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as exc:
                raise unreadable(str(path), exc) from exc
            return path, self.templates.loaded(path, stat.st_mtime_ns, stat.st_size, self.known)
        raise TemplateFault(name, 1, f"não há este texto em {self.language}")


def _load(path: Path, mtime_ns: int, size: int, known: TriggerVariables) -> _Cached:
    file = str(path)
    if size > MAX_TEMPLATE:
        return _Cached(mtime_ns, size, None, False, too_large(file))
    try:
        raw = path.read_bytes()
    except OSError as exc:
        return _Cached(mtime_ns, size, None, False, unreadable(file, exc))
    stem, _, part = path.name.split(".", 2)
    stream, source, faults = checked_file(raw, file=file, stem=stem, part=part, known=known)
    whole = part == "html" and "<html" in source.lower()
    return _Cached(mtime_ns, size, stream, whole, faults[0] if faults else None)


def _stream(path: Path, cached: _Cached, context: Mapping[str, object]) -> str:
    if cached.stream is None:
        assert cached.fault is not None
        # A new one each time: raising one stored exception again would grow its traceback for ever.
        raise TemplateFault(*cached.fault.place, cached.fault.advice)
    return written(cached.stream, context, str(path))


def _subject(source: _Source, context: Mapping[str, object]) -> str:
    path, cached = source.found(source.known.trigger, "subject.txt")
    subject = clean(_stream(path, cached, context))
    if not subject:
        raise TemplateFault(str(path), 1, "o assunto fica vazio", "escreva também a forma sem as variáveis")
    return subject if len(subject) <= MAX_SUBJECT else subject[: MAX_SUBJECT - 1].rstrip() + "…"


def _tidied(text: str) -> str:
    """Blocks that fell away leave no holes: at most one empty line in a row, no blanks at line ends."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", lines).strip() + "\n"

"""Finds what is wrong with the merchant's texts before a message needs them: every file in the folder, every fault in it.

A file that nobody reads (misspelled, in a folder of no shop or language) is a fault too: its writer believes it is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from markupsafe import Markup

from tracker.messages.letter_variables import LETTERS
from tracker.messages.sandbox import MAX_TEMPLATE, TemplateFault
from tracker.messages.text_file import LAYOUT, checked_file, parts_of, too_large, unreadable, written
from tracker.messages.variables import LAYOUT_ONLY, TRIGGERS, TriggerVariables, bare, clean, examples, prepared

CHANNEL: Final = "email"
NAMES: Final = tuple(f"{stem}.{CHANNEL}.{part}" for stem in (*TRIGGERS, *LETTERS, LAYOUT) for part in parts_of(stem))
"""Every file name that means something."""
_FORMS: Final = (("com todas as variáveis", examples), ("sem as variáveis opcionais", bare))


def folder_faults(folder: Path, shops: Collection[str], languages: Collection[str]) -> list[TemplateFault]:
    """Everything wrong in *folder* (`[SHOP/]LANG/FILE`), in the order of files and lines; names with a dot in front are left
    alone, and a folder that does not exist has no fault."""
    return sorted(_folder(folder, frozenset(shops), frozenset(languages)), key=lambda fault: fault.place)


def file_faults(raw: bytes, *, name: str, file: str) -> list[TemplateFault]:
    """Everything wrong with one file: its name, what stands in it, what comes of it. Pure."""
    if name not in NAMES:
        near = _near(name, NAMES)
        advice = f"talvez {near}?" if near else f"os nomes são GATILHO.{CHANNEL}.PARTE, como {NAMES[1]}"
        return [TemplateFault(file, 1, "nenhuma mensagem usa um arquivo com este nome", advice)]
    stem, _, part = name.split(".", 2)
    # A frame stands around every trigger's text, and may use only what each of them has.
    triggers = list(TRIGGERS.values()) if stem == LAYOUT else [TRIGGERS.get(stem) or LETTERS[stem]]
    found: dict[tuple[str, int, str], tuple[TemplateFault, dict[str, None]]] = {}
    for known in triggers:
        for fault in _with(raw, file, stem, part, known):
            found.setdefault(fault.place, (fault, {}))[1][known.trigger] = None
    return [_narrowed(fault, list(of), len(triggers)) for fault, of in found.values()]


def _with(raw: bytes, file: str, stem: str, part: str, known: TriggerVariables) -> list[TemplateFault]:
    """The faults with one trigger's variables; a text that can be read is written with examples, in both forms."""
    stream, _, faults = checked_file(raw, file=file, stem=stem, part=part, known=known)
    if stream is None:
        return faults
    for form, values in _FORMS:
        try:
            text = written(stream, {**prepared(known, values(known)), **_frame(stem)}, file)
        except TemplateFault as fault:
            return [TemplateFault(file, fault.line, f"{form}: {fault.message}", fault.advice)]
        if not clean(text):
            advice = "escreva também a forma em que elas faltam" if values is bare else "escreva o texto"
            return [TemplateFault(file, 1, f"{form}: o texto fica vazio", advice)]
        if stem == LAYOUT and str(LAYOUT_ONLY[0].example) not in text:
            return [TemplateFault(file, 1, f"{form}: a moldura não mostra o texto do aviso", "escreva {{ corpo }}")]
    return []


def _frame(stem: str) -> Mapping[str, object]:
    return {variable.name: Markup(variable.example) for variable in LAYOUT_ONLY} if stem == LAYOUT else {}


def _narrowed(fault: TemplateFault, triggers: list[str], of: int) -> TemplateFault:
    """A fault of some triggers only names them."""
    if len(triggers) == of:
        return fault
    return TemplateFault(fault.file, fault.line, f"{fault.message}, em {', '.join(triggers)}", fault.advice)


# --- the folder -------------------------------------------------------------------------------------


def _folder(folder: Path, shops: frozenset[str], languages: frozenset[str]) -> Iterator[TemplateFault]:
    for entry in _entries(folder):
        if isinstance(entry, TemplateFault):
            yield entry
        elif entry.is_dir() and entry.name in shops:
            yield from _folder(entry, frozenset(), languages)
        elif entry.is_dir() and entry.name in languages:
            yield from _language(entry)
        elif entry.is_dir():
            near = _near(entry.name, languages | shops)
            advice = f"talvez {near}?" if near else f"as pastas são {', '.join(sorted(languages | shops))}"
            yield TemplateFault(str(entry), 1, "esta pasta não é de uma loja nem de um idioma", advice)
        else:
            advice = f"o lugar dos textos é {folder / 'pt-BR' / entry.name}"
            yield TemplateFault(str(entry), 1, "o arquivo está fora da pasta de um idioma", advice)


def _language(folder: Path) -> Iterator[TemplateFault]:
    for entry in _entries(folder):
        if isinstance(entry, TemplateFault):
            yield entry
        elif entry.is_dir():
            yield TemplateFault(str(entry), 1, "há uma pasta onde se espera um arquivo", "mova-a")
        else:
            yield from _file(entry)


def _file(path: Path) -> list[TemplateFault]:
    try:
        if path.stat().st_size > MAX_TEMPLATE:
            return [too_large(str(path))]
        raw = path.read_bytes()
    except OSError as error:
        return [unreadable(str(path), error)]
    return file_faults(raw, name=path.name, file=str(path))


def _entries(folder: Path) -> list[Path | TemplateFault]:
    try:
        return [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        return [unreadable(str(folder), error)]


def _near(word: str, known: Collection[str]) -> str | None:
    """The known word that was perhaps meant, whatever its capitals."""
    by_lower = {one.lower(): one for one in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None

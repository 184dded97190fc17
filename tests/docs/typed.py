"""The commands that a document tells its reader to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BESIDE = [ROOT / "README.md", ROOT / "carriers" / "README.md", ROOT / "systemd" / "monitoring" / "README.md"]
PAGES = sorted([*_BESIDE, *(ROOT / "docs").glob("*.md")])

PLACEHOLDERS = {
    "ADDRESS": "ana@example.com",
    "AMOUNT": "12,34",
    "CODE": "AA123456785BR",
    "DATE": "2026-11-28",
    "DIR": "folder",
    "FILE": "file",
    "FILE...": "file",
    "FOLDER": "folder",
    "ID": "P1",
    "KIND": "events",
    "LANG": "pt-BR",
    "N": "3",
    "NAME": "name",
    "ORDER": "10001",
    "SHOP": "exemplo",
    "TEXT": "text",
    "TRIGGER": "posted",
    "WHAT": "10001",
    "WHEN": "7d",
    "…": "",
}
"""What a reader puts where a document says it in capitals."""

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
_SPAN = re.compile(r"`(tracker [^`\n]+)`")
_TYPED = re.compile(r"(?:^|[\s/;&|])tracker (?!\.|is\b)(.*)$")
_ALTERNATIVES = re.compile(r"[^\s\[\]|]+(?:\|[^\s\[\]|]+)+")


def typed_in(text: str) -> list[str]:
    """What follows `tracker` in each command of a page: in its shell blocks whole lines, in its sentences code."""
    found = []
    for block in _BLOCK.findall(text):
        lines = block.replace("\\\n", " ").splitlines()
        found += [match[1] for line in lines if (match := _TYPED.search(_uncommented(line)))]
    found += [span.removeprefix("tracker ") for span in _SPAN.findall(_BLOCK.sub("", text))]
    return [command for command in found if not command.startswith("(")]


def others_in(text: str) -> list[str]:
    """The lines of a page's shell blocks that are not this program's commands."""
    lines = [_uncommented(line).strip() for block in _BLOCK.findall(text) for line in block.splitlines()]
    return [line for line in lines if line and not _TYPED.search(line)]


def tabled_in(text: str) -> list[str]:
    """The commands in the first column of the README's table, where a row names the program once for several."""
    table = text.partition("\n## Commands\n")[2].partition("\n## ")[0]
    cells = [re.split(r"(?<!\\)\|", line)[1] for line in table.splitlines() if line.startswith("| `")]
    return [span.removeprefix("tracker ") for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


def readings(command: str) -> list[str]:
    """The command once for each of its alternatives (`ORDER|C7`)."""
    plain = command.replace("\\|", "|")
    several = [found.split("|") for found in _ALTERNATIVES.findall(plain)]
    count = max((len(words) for words in several), default=1)

    def chosen(number: int) -> str:
        return _ALTERNATIVES.sub(lambda found: (found[0].split("|") * count)[number], plain)

    return [chosen(number) for number in range(count)]


def words_of(command: str, examples: Mapping[str, str] | None = None) -> list[str]:
    """The words a reader types: the first of alternatives, what is optional too, and an example for each placeholder."""
    plain = readings(command)[0].replace("[", "").replace("]", "")
    plain = re.split(r"\s+(?:\||>|<|&&|;|&)(?:\s|$)", plain)[0]
    words = shlex.split(plain.rstrip(";"))
    kinds = {"report-problem": "damage", "alerts": "claim_rejected"}
    known = {**PLACEHOLDERS, **(examples or {})}
    known |= {"KIND": kinds[words[0]]} if words and words[0] in kinds else {}
    return [filled for word in words if (filled := known.get(word, word))]


def _uncommented(line: str) -> str:
    return re.sub(r"(^|\s)#.*$", "", line)

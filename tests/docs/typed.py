"""The commands that a document tells its reader to type."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "carriers" / "README.md", *(ROOT / "docs").glob("*.md")])

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


def typed_in(text: str) -> list[str]:
    """What follows `tracker` in each command of a page: in its shell blocks whole lines, in its sentences code."""
    found = []
    for block in _BLOCK.findall(text):
        lines = block.replace("\\\n", " ").splitlines()
        found += [match[1] for line in lines if (match := _TYPED.search(_uncommented(line)))]
    found += [span.removeprefix("tracker ") for span in _SPAN.findall(_BLOCK.sub("", text))]
    return [command for command in found if not command.startswith("(")]


def words_of(command: str) -> list[str]:
    """The words a reader types: the first of alternatives, what is optional too, and an example for each placeholder."""
    plain = re.sub(r"\\?\|[^\]\s]*(?=[\]\s]|$)", "", command.replace("\\|", "|"))
    plain = re.split(r"\s+(?:\||>|<|&&|;|&)(?:\s|$)", plain.replace("[", "").replace("]", ""))[0]
    words = shlex.split(plain.rstrip(";"))
    known = PLACEHOLDERS | ({"KIND": "damage"} if words[:1] == ["report-problem"] else {})
    return [filled for word in words if (filled := known.get(word, word))]


def _uncommented(line: str) -> str:
    return re.sub(r"(^|\s)#.*$", "", line)

"""Reading YAML so that nothing changes on the way and every value knows its line.

YAML 1.1 as PyYAML reads it turns `NO` into false, `01310100` into 364608, `12:30` into 750 and lets the last of two equal
keys win. Here only null, true/false and plain whole numbers are more than text; decimals, dates and times stay text for
the models to read, so that text with digits is never altered. Equal keys, merge keys and tags are faults.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

Loc = tuple[str | int, ...]
MAX_VALUES: Final = 50_000
"""Against a file whose aliases multiply; a thousand shops with their carriers need fewer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say about the value at `loc`; becomes a `Fault` once its line is known."""

    loc: Loc
    what: str
    advice: str = ""
    line: int | None = None
    """Where it is known already and `loc` is not enough (the second of two equal keys)."""


@dataclass(slots=True)
class YamlFile:
    """What a file holds: plain dicts, lists, str, int, bool and None, and the line of each of them."""

    data: Any = None
    lines: dict[Loc, int] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)

    def place(self, loc: Loc) -> Loc:
        """`loc` without the names that pydantic puts in for the kind of a block: `alerts.0.webhook.url`."""
        kept: Loc = ()
        for place, part in enumerate(loc):
            if (*kept, part) in self.lines or place == len(loc) - 1:
                kept = (*kept, part)
        return kept

    def line(self, loc: Loc) -> int:
        """The line of the key or list item at `loc`, or of the nearest block around it."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)


class _PlainLoader(yaml.SafeLoader):
    """Knows no kinds of its own; the three below are added to it alone."""


_PlainLoader.yaml_implicit_resolvers = {}


_TAG: Final = "tag:yaml.org,2002:"
_INTEGER: Final = re.compile(r"^(?:0|-?[1-9][0-9]{0,17})$")
_PlainLoader.add_implicit_resolver(_TAG + "null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_PlainLoader.add_implicit_resolver(_TAG + "bool", re.compile(r"^(?:[Tt]rue|TRUE|[Ff]alse|FALSE)$"), list("tTfF"))
_PlainLoader.add_implicit_resolver(_TAG + "int", _INTEGER, list("-0123456789"))


def _advice(problem: str) -> str:
    """What to do about a file that cannot be read."""
    if "\\t" in problem:
        return "indent with spaces, not tabs"
    if "block end" in problem or "mapping values" in problem:
        return (
            "this line or the one before it begins in another column than its neighbours, or lacks a quote or a colon"
        )
    return "see config.example.yaml"


def read_yaml(text: str) -> YamlFile:
    """Read one document; what cannot be read is in `faults`, the rest in `data`."""
    file = YamlFile()
    try:
        node = yaml.compose(text, Loader=_PlainLoader)
        if node is not None:
            file.data = _Builder(file).value(node, ())
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        advice = _advice(exc.problem or "")
        what = f"cannot be read: {exc.problem or exc.context}"
        file.faults.append(Finding((), what, advice, line=mark.line + 1 if mark else 1))
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        file.faults.append(Finding((), "holds a character that YAML does not allow", "delete it", line=line))
    except RecursionError:
        file.faults.append(Finding((), "is nested too deeply", "see config.example.yaml"))
    return file


class _Builder:
    """Makes plain values of nodes and notes their lines."""

    def __init__(self, file: YamlFile) -> None:
        self._file = file
        self._open: set[int] = set()
        self._values = 0

    def value(self, node: yaml.Node, loc: Loc) -> Any:
        self._file.lines.setdefault(loc, node.start_mark.line + 1)
        self._values += 1
        if self._values > MAX_VALUES or id(node) in self._open:
            raise yaml.MarkedYAMLError(problem="an alias that multiplies without end", problem_mark=node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, loc)
        self._open.add(id(node))
        built = self._sequence(node, loc) if isinstance(node, yaml.SequenceNode) else self._mapping(node, loc)
        self._open.discard(id(node))
        return built

    def _sequence(self, node: yaml.SequenceNode, loc: Loc) -> list[Any]:
        self._no_tag(node, "seq", loc)
        return [self.value(item, (*loc, place)) for place, item in enumerate(node.value)]

    def _mapping(self, node: yaml.Node, loc: Loc) -> dict[str, Any]:
        self._no_tag(node, "map", loc)
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._file.faults.append(Finding(loc, "has a key that is not text", "write key: value", line=line))
                continue
            key = str(key_node.value)
            place = (*loc, key)
            if key in built:
                what = f"stands twice (first on line {self._file.lines[place]})"
                self._file.faults.append(Finding(place, what, "keep one of them", line=line))
                continue
            self._file.lines[place] = line
            built[key] = self.value(value_node, place)
        return built

    def _scalar(self, node: yaml.ScalarNode, loc: Loc) -> Any:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" if _INTEGER.match(text):
                return int(text)
        self._no_tag(node, "str", loc)
        return text

    def _no_tag(self, node: yaml.Node, kind: str, loc: Loc) -> None:
        if node.tag != _TAG + kind:
            self._file.faults.append(Finding(loc, "has a YAML tag (!)", "take it away, or put the text in quotes"))

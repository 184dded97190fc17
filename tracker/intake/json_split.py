"""The text of a JSON file cut into the texts of its records, without building any of it.

Records are what stands in the top array, in the array of `orders` (or `pedidos`) of the top object, or the top objects
themselves, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

LONGEST_RECORD: Final = 200_000
"""Characters of one order's text."""
DEEPEST: Final = 40
"""Within a record; one that is deeper is refused."""
GIVEN_UP_AT: Final = 10_000
ORDERS_KEYS: Final = ("orders", "pedidos")
TOO_LONG: Final = "é longo demais para um pedido (mais de 200 mil caracteres); envie um registro por pedido"
TOO_DEEP: Final = "tem listas ou objetos demais uns dentro dos outros; envie os pedidos na forma do exemplo"
_CLOSED = "O arquivo não é um JSON que se possa ler (na linha {line} fecha-se o que não foi aberto); exporte-o de novo."
_ONLY_DEPTH = "O JSON tem listas ou objetos demais uns dentro dos outros; exporte os pedidos de novo."
_OUTSIDE = re.compile(r'["{}\[\],\n]')
_INSIDE = re.compile(r'["\\\n]')
_LONGEST_KEY: Final = 20


class Unreadable(ValueError):
    """The text as a whole is given up; the error's text is the merchant's reason."""


class Raw(NamedTuple):
    """One record: the line where it begins, which one it is (from 1), its text, and why there is no text to read."""

    line: int
    nth: int
    text: str
    fault: str = ""


@dataclass(slots=True)
class Splitter:
    """One walk through a text that comes in pages."""

    depth: int = 0
    line: int = 1
    is_in_string: bool = False
    _base: int = 0
    """The depth at which records stand: 1 within the top array, 2 within the array of an object, else 0."""
    _is_wrapper: bool = False
    """The top object holds the array of orders and is no order itself."""
    _index: int = 0
    _parts: list[str] = field(default_factory=list)
    _length: int = 0
    _begins: int = 0
    _fault: str = ""
    _is_escaped: bool = False
    _key: str = ""
    """The newest string in the top object: the key of what opens next."""

    @property
    def is_open(self) -> bool:
        """Whether the text ended within something."""
        return self.depth > 0 or self.is_in_string

    def records(self, pages: Iterable[str]) -> Iterator[Raw]:
        """Every record of the text. Raises Unreadable."""
        for page in pages:
            yield from self._page(page)
        if not self.is_open:
            yield from self._finished()

    def _page(self, page: str) -> Iterator[Raw]:
        mark = string_at = 0
        at = -1
        if self._is_escaped and page:
            self._is_escaped, at = False, 0
        while match := (_INSIDE if self.is_in_string else _OUTSIDE).search(page, at + 1):
            at, token = match.start(), match[0]
            if token == "\n":
                self.line += 1
            elif token == "\\":
                self._is_escaped = at + 1 == len(page)
                at += 1
            elif token == '"':
                self.is_in_string = not self.is_in_string
                if self.is_in_string:
                    string_at, self._key = at + 1, ""
                else:
                    self._key = (self._key + page[string_at:at])[:_LONGEST_KEY]
            elif token in "{[":
                self._collect(page[mark:at])
                mark = at + 1 if self._opens_records(token) else at
                self.depth += 1
                if self.depth - self._base > DEEPEST:
                    self._fault = TOO_DEEP
                if self.depth > GIVEN_UP_AT:
                    raise Unreadable(_ONLY_DEPTH)
            elif token == ",":
                if self.depth == self._base:
                    self._collect(page[mark:at])
                    mark = at + 1
                    yield from self._finished()
            else:
                ends_records = self.depth == self._base > 0
                self._collect(page[mark : at if ends_records else at + 1])
                mark = at + 1
                yield from self._closed(ends_records)
        self._collect(page[mark:])
        if self.is_in_string:
            self._key = (self._key + page[string_at:])[:_LONGEST_KEY]

    def _opens_records(self, token: str) -> bool:
        if token == "[" and self._base == 0:
            if self.depth == 0 and not self._has_text():
                self._base = 1
            elif self.depth == 1 and self._key in ORDERS_KEYS:
                self._base, self._is_wrapper = 2, True
            else:
                return False
            self._drop()
            return True
        return False

    def _closed(self, ends_records: bool) -> Iterator[Raw]:
        self.depth -= 1
        if self.depth < 0:
            raise Unreadable(_CLOSED.format(line=self.line))
        if ends_records:
            yield from self._finished()
            self._base = 0
        elif self.depth == self._base == 0:
            if self._is_wrapper:
                self._drop()
                self._is_wrapper = False
            yield from self._finished()

    def _collect(self, text: str) -> None:
        if not self._parts and not self._fault:
            text = text.lstrip(" \t\r\n\ufeff")
            if not text:
                return
            self._begins = self.line - text.count("\n")
        self._length += len(text)
        if self._length > LONGEST_RECORD and not self._fault:
            self._fault = TOO_LONG
        if self._fault:
            self._parts.clear()
        else:
            self._parts.append(text)

    def _has_text(self) -> bool:
        return bool(self._parts or self._fault)

    def _drop(self) -> None:
        self._parts.clear()
        self._length, self._fault = 0, ""

    def _finished(self) -> Iterator[Raw]:
        if self._has_text():
            self._index += 1
            yield Raw(self._begins, self._index, "".join(self._parts), self._fault)
        self._drop()

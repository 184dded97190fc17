"""A merchant's text file line by line, as often as wanted, in memory that does not grow with the file.

The encoding is settled by one look at all bytes, as `decode` settles it for a text in memory.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final

from tracker.intake.decode import BYTE_TO_CP1252, MARKS, looks_twice_encoded, undone, utf16_without_mark

LONGEST_LINE: Final = 200_000
"""Characters; no row of orders is so long. A longer line comes cut, one character longer than this."""
_PAGE: Final = 1 << 20
_PAGE_CHARACTERS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class TextFile:
    """An open file whose encoding is known. One iteration at a time."""

    file: BinaryIO
    encoding: str
    """`cp1252` stands for Windows-1252 whose five undefined bytes are latin-1's."""
    start: int = 0
    is_twice_encoded: bool = False
    """Every line is UTF-8 that was read as Windows-1252 and saved again."""

    def lines(self) -> Iterator[str]:
        """The lines without their ends; `\\r`, `\\n` and `\\r\\n` end a line and nothing else does."""
        for line in self.plain_lines():
            if line.isascii():
                yield line
            elif self.is_twice_encoded or looks_twice_encoded(line):
                # One line with an emoji or with correct accents must not keep the others unreadable.
                yield undone(line) or line
            else:
                yield line

    def head(self, count: int) -> list[str]:
        """The first lines."""
        return list(islice(self.lines(), count))

    def pages(self) -> Iterator[str]:
        """The text in pieces of no particular length, line ends as `\\n`."""
        with self._opened() as text:
            while page := text.read(_PAGE_CHARACTERS):
                yield self._mapped(page)

    def plain_lines(self) -> Iterator[str]:
        """The lines as they were saved, an encoding on top of another included."""
        with self._opened() as text:
            while line := text.readline(LONGEST_LINE + 1):
                if line[-1] == "\n":
                    line = line[:-1]
                elif len(line) > LONGEST_LINE:
                    while (rest := text.readline(LONGEST_LINE)) and rest[-1] != "\n":
                        pass
                yield self._mapped(line)

    @contextmanager
    def _opened(self) -> Iterator[io.TextIOWrapper]:
        self.file.seek(self.start)
        encoding = "latin-1" if self.encoding == "cp1252" else self.encoding
        text = io.TextIOWrapper(self.file, encoding, "replace", newline=None)
        try:
            yield text
        finally:
            text.detach()

    def _mapped(self, text: str) -> str:
        return text.translate(BYTE_TO_CP1252) if self.encoding == "cp1252" and not text.isascii() else text


def open_text(file: BinaryIO) -> TextFile | None:
    """Settle how a file is encoded; None where it holds NUL characters, which no text does."""
    text = _encoded(file)
    is_seen, is_whole = False, True
    for line in text.plain_lines():
        if "\x00" in line:
            return None
        if is_whole and not line.isascii():
            is_whole = undone(line) is not None
            is_seen = is_seen or looks_twice_encoded(line)
    return TextFile(file, text.encoding, text.start, is_seen and is_whole)


def _encoded(file: BinaryIO) -> TextFile:
    file.seek(0)
    head = file.read(200)
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return TextFile(file, encoding, len(mark))
    unmarked = utf16_without_mark(head)
    if unmarked is not None:
        return TextFile(file, unmarked)
    return TextFile(file, "utf-8" if _is_utf8(file) else "cp1252")


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while page := file.read(_PAGE):
            decoder.decode(page)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True

"""Files of what was dropped from the database: compressed JSON lines, a file a month and pile, in a folder of the shop's.

A batch is a gzip member of its own behind those that stand there; any tool reads the whole (`zcat`). Whoever writes one notes
the file's size first, so that a batch whose rows were not dropped after all is cut off again.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from tracker.store.backup import sync_folder


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch begins."""

    file: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """As a row keeps it."""
        return {"file": self.file, "size": self.size}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Place:
        """What `as_json` gave."""
        return cls(str(kept["file"]), int(kept["size"]))


@dataclass(frozen=True, slots=True)
class Archive:
    """A folder of such files. Its methods raise OSError."""

    folder: Path

    def place(self, pile: str, now: datetime) -> Place:
        """Where the next batch of this pile begins."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{pile}-{now:%Y-%m}.jsonl.gz"
        return Place(path.name, path.stat().st_size if path.exists() else 0)

    def append(self, place: Place, documents: Iterable[Mapping[str, Any]]) -> None:
        """Put a batch in its place; when this returns it is on the disk."""
        member = gzip.compress(b"".join(orjson.dumps(document) + b"\n" for document in documents), mtime=0)
        path = self.folder / place.file
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123
            # Whatever a death left behind the place goes with it.
            file.truncate(place.size)
            file.seek(place.size)
            file.write(member)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)

    def cut(self, place: Place) -> None:
        """Take a batch away again whose rows are still in the database."""
        path = self.folder / place.file
        if not path.exists() or path.stat().st_size <= place.size:
            return
        if place.size == 0:
            path.unlink()
        else:
            os.truncate(path, place.size)
        sync_folder(self.folder)

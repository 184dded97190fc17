"""Which folder it is, whatever machine looks: a mark that lies in the folder itself, so that a shared one is known by all.

Without it two machines would not know whether they see one folder, whose files only one of them may take, or two.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Final

NAME: Final = ".shipment-tracker"
LENGTH: Final = 12


def folder_mark(folder: Path) -> str:
    """The folder's mark, made where there is none yet; this machine's name where the folder cannot have one."""
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = _read(path)
        if not found:
            _make(path)
            # Whoever made it first: several machines may begin at once.
            found = _read(path)
    except (OSError, UnicodeDecodeError):
        return socket.gethostname()
    return found or socket.gethostname()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()[:LENGTH]
    except FileNotFoundError:
        return ""


def _make(path: Path) -> None:
    part = path.with_name(f"{NAME}.{secrets.token_hex(4)}")
    part.write_text(f"{secrets.token_hex(LENGTH // 2)}\n", encoding="ascii")
    try:
        # Linked, not renamed: the first one stays.
        path.hardlink_to(part)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)

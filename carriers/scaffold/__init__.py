"""Writes the beginning of an adapter: a package that works, with its data, kit, samples and tests, to be changed step by step.

What it writes is a whole adapter of an invented carrier (one number a call, a key in a header, local times, codes in a table) and
passes the conformance kit at once; each file says what to put in its place.
"""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template

FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "adapter.py": "{package}/__init__.py",
    "codes.csv": "{package}/codes.csv",
    "kit.py": "{package}/kit.py",
    "delivered.json": "tests/samples/delivered.json",
    "test_adapter.py": "tests/test_{name}.py",
}
"""Template in `templates/` -> where it goes."""


class ScaffoldError(ValueError):
    """The name cannot be one, or something stands where the package would; the message says what to do."""


def write(name: str, folder: Path) -> list[Path]:
    """Write the package of adapter *name* into *folder*, which must not exist or be empty; returns the files, in order.

    Raises ScaffoldError, and OSError where the folder cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", name) or keyword.iskeyword(name):
        raise ScaffoldError(
            f"{name!r} cannot be an adapter's name: lower-case letters, digits and _, beginning with a letter"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ScaffoldError(f"{folder} is not empty: name another folder with --to")
    package = f"shipment_tracker_{name}"
    words = {
        "name": name,
        "upper": name.upper(),
        "package": package,
        "cls": "".join(part.capitalize() for part in name.split("_")),
        "title": " ".join(part.capitalize() for part in name.split("_")),
    }
    written = []
    for template, target in FILES.items():
        text = files("carriers.scaffold").joinpath("templates", f"{template}.txt").read_text("utf-8")
        path = folder / target.format(**words)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8")
        written.append(path)
    return written

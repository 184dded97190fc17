"""The mark that says which folder it is, on whatever machine."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tracker.folder_mark import NAME, folder_mark


def test_a_folder_keeps_its_mark_and_two_folders_differ(tmp_path: Path) -> None:
    first = folder_mark(tmp_path / "a")
    assert first == folder_mark(tmp_path / "a") != folder_mark(tmp_path / "b")
    assert [path.name for path in (tmp_path / "a").iterdir()] == [NAME]


def test_machines_that_begin_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: folder_mark(tmp_path), range(32)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_folder_that_can_have_none_is_this_machine_s(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert folder_mark(tmp_path / "file") == socket.gethostname()

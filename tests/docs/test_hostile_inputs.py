"""The page of hostile inputs is the tables of the tests that try them: a hundred and more, of every class."""

from __future__ import annotations

from tests.docs.hostile import PAGE, page, tables


def test_the_page_is_what_is_tried() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.docs.hostile writes it"


def test_every_class_has_its_inputs_and_each_its_sentence() -> None:
    found = tables()
    assert len(found) == 7 and all(len(rows) >= 7 for rows in found.values())
    assert sum(map(len, found.values())) > 250
    assert all(name and said for rows in found.values() for name, said in rows)
    names = [name for rows in found.values() for name, _ in rows]
    assert not [name for name in names if "object at 0x" in name]

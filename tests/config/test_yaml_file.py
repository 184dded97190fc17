"""Reading YAML without its traps, and with the line of everything."""

from __future__ import annotations

import pytest

from tracker.config.yaml_file import read_yaml


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("NO", "NO", id="the state of Norway is no false"),
        pytest.param("on", "on", id="on is a word"),
        pytest.param("01310100", "01310100", id="a postal code with a leading zero is no octal number"),
        pytest.param("12:30", "12:30", id="a time is no sexagesimal number"),
        pytest.param("2026-12-01", "2026-12-01", id="a date is left to the models"),
        pytest.param("1.10", "1.10", id="a decimal keeps its zero"),
        pytest.param("1_000", "1_000", id="underscores make no number"),
        pytest.param("0x1F", "0x1F", id="no hexadecimal numbers"),
        pytest.param("+5511", "+5511", id="a phone keeps its plus"),
        pytest.param("12345678901234567890", "12345678901234567890", id="a number too long to be one stays text"),
        pytest.param('"5"', "5", id="quotes make text"),
        pytest.param("5", 5, id="a plain number"),
        pytest.param("-5", -5, id="a negative number"),
        pytest.param("true", True, id="true"),
        pytest.param("FALSE", False, id="false"),
        pytest.param("~", None, id="null"),
        pytest.param("", None, id="nothing"),
        pytest.param("!!int abc", "abc", id="a tag makes no number of a word"),
    ],
)
def test_a_scalar_is_read_as_it_is_meant(written: str, read: object) -> None:
    data = read_yaml(f"key: {written}\n").data
    assert data == {"key": read}
    assert type(data["key"]) is type(read)


def test_every_value_knows_its_line() -> None:
    file = read_yaml("# comment\na:\n  - b: 1\n\n    c: {d: 2}\n  - x\n")
    assert file.line(("a",)) == 2
    assert file.line(("a", 0, "b")) == 3
    assert file.line(("a", 0, "c", "d")) == 5
    assert file.line(("a", 1)) == 6
    assert file.line(("a", 0, "missing")) == 3
    assert file.line(("nowhere",)) == 2


@pytest.mark.parametrize(
    "text",
    ["shops:\n  - id: a\n   name: x\n", "shops:\n  - id: a\n    name: x\n      cnpj: 1\n"],
    ids=["left", "right"],
)
def test_a_line_in_another_column_is_told_so(text: str) -> None:
    (fault,) = read_yaml(text).faults
    assert "begins in another column than its neighbours" in fault.advice


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", 3, "stands twice (first on line 1)", id="the same key twice"),
        pytest.param("a: 1\nb: !!python/name:os.system x\n", 2, "has a YAML tag (!)", id="a tag"),
        pytest.param("a:\n  ? [x]\n  : 1\n", 2, "has a key that is not text", id="a list as key"),
        pytest.param("a: 1\n\tb: 2\n", 2, "cannot be read", id="a tab"),
        pytest.param("a: 1\n---\nb: 2\n", 2, "cannot be read", id="a second document"),
        pytest.param("a: [1\nb: 2\n", 2, "cannot be read", id="an open bracket"),
        pytest.param("a: 1\nb: x\x07\n", 2, "holds a character", id="a control character"),
        pytest.param("a: &x\n  b: *x\n", 1, "cannot be read: an alias", id="an alias within itself"),
        pytest.param("a: " + "[" * 3000 + "]" * 3000, 1, "is nested too deeply", id="three thousand brackets"),
    ],
)
def test_what_cannot_be_read_is_located(text: str, line: int, what: str) -> None:
    file = read_yaml(text)
    assert len(file.faults) == 1
    found = file.faults[0]
    assert found.what.startswith(what)
    assert (found.line or file.line(found.loc)) == line


def test_multiplying_aliases_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "multiplies" in read_yaml("\n".join(lines)).faults[0].what


def test_an_anchor_used_twice_is_fine() -> None:
    assert read_yaml("a: &x {b: 1}\nc: *x\n").data == {"a": {"b": 1}, "c": {"b": 1}}

from __future__ import annotations

from datetime import timedelta

import pytest

from carriers.base import ClaimOutcome
from carriers.correios.claim_answers import keyed, read_item
from carriers.correios.returns import RETURNS

OUT = ClaimOutcome
M, H, D = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# The manual's table row by row: code, outcome, waits, and what else the answer says.
TABLE: list[tuple[int, ClaimOutcome, tuple[timedelta, ...], dict[str, object]]] = [
    (0, OUT.REGISTERED, (), {}),
    (4, OUT.NOT_YET, (24 * H,), {}),
    (30, OUT.WRONG_CONFIGURATION, (), {}),
    (31, OUT.WRONG_CONFIGURATION, (), {}),
    (55, OUT.WRONG_CONFIGURATION, (), {}),
    (60, OUT.NEEDS_PERSON, (), {}),
    (121, OUT.WRONG_CONFIGURATION, (), {}),
    (125, OUT.WRONG_CONFIGURATION, (), {}),
    (126, OUT.WRONG_CONFIGURATION, (), {}),
    (240, OUT.WRONG_CONFIGURATION, (), {}),
    (241, OUT.WRONG_CONFIGURATION, (), {}),
    (250, OUT.REFUSED, (), {}),
    (271, OUT.REFUSED, (), {}),
    (260, OUT.NEEDS_PERSON, (), {}),
    (261, OUT.NEEDS_PERSON, (), {}),
    (262, OUT.OTHER_MOTIVE, (), {}),
    (272, OUT.REFUSED, (), {}),
    (280, OUT.NEEDS_PERSON, (), {}),
    (281, OUT.NEEDS_PERSON, (), {}),
    (282, OUT.NEEDS_PERSON, (), {}),
    (580, OUT.NEEDS_PERSON, (), {}),
    (301, OUT.NEEDS_PERSON, (), {}),
    (510, OUT.REFUSED, (), {}),
    (564, OUT.NEEDS_PERSON, (), {}),
    (530, OUT.REFUSED, (), {}),
    (531, OUT.NOT_YET, (), {"after_event": True}),
    (543, OUT.NOT_YET, (), {"after_event": True}),
    (534, OUT.NOT_YET, (), {"after_event": True}),
    (548, OUT.NOT_YET, (), {"after_event": True}),
    (538, OUT.NOT_YET, (7 * D,) * 4, {}),
    (539, OUT.NOT_YET, (1 * D,) * 10, {}),
    (540, OUT.NOT_YET, (24 * H,) * 3, {}),
    (563, OUT.NOT_YET, (24 * H,) * 3, {}),
    (544, OUT.NOT_YET, (), {"after_due": True}),
    (545, OUT.OTHER_MOTIVE, (), {}),
    (546, OUT.NOT_YET, (), {"look_first": True}),
    (547, OUT.NOT_YET, (), {"after_event": True}),
    (549, OUT.NOT_YET, (), {"after_event": True}),
    (550, OUT.OTHER_MOTIVE, (), {}),
    (560, OUT.OTHER_MOTIVE, (), {}),
    (562, OUT.REFUSED, (), {}),
    (634, OUT.REFUSED, (), {}),
    (638, OUT.REFUSED, (), {}),
    (639, OUT.REFUSED, (), {}),
    (900, OUT.ALREADY_OPEN, (), {}),
    (999, OUT.NOT_YET, (5 * M, 15 * M, 60 * M, *(6 * H,) * 12), {}),
]


@pytest.mark.parametrize(("code", "outcome", "waits", "more"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_every_row_of_the_table(
    code: int, outcome: ClaimOutcome, waits: tuple[timedelta, ...], more: dict[str, object]
) -> None:
    answer = read_item(keyed({"codigo retorno": str(code), "descrição retorno": "Olá, texto."}), b"raw")

    assert (answer.outcome, answer.waits, answer.code) == (outcome, waits, str(code))
    flags = {name: getattr(answer, name) for name in ("after_due", "after_event", "look_first")}
    assert flags == {"after_due": False, "after_event": False, "look_first": False} | more


def test_the_table_has_no_other_rows() -> None:
    assert set(RETURNS) == {row[0] for row in TABLE}
    assert all(row.sense for row in RETURNS.values())


def test_what_is_not_yet_says_until_when() -> None:
    for code, row in RETURNS.items():
        says = [bool(row.waits), row.after_due, row.after_event, row.look_first]
        assert sum(says) == (1 if row.outcome is OUT.NOT_YET else 0), code


@pytest.mark.parametrize("code", ["777", "12", "", "abc", None])
def test_a_code_that_is_not_in_the_manual_is_for_a_person(code: str | None) -> None:
    answer = read_item(keyed({"codigoRetorno": code, "descricaoRetorno": "Olá, novidade."}), b"raw")

    assert (answer.outcome, answer.waits, answer.text) == (OUT.UNKNOWN, (), "Olá, novidade.")

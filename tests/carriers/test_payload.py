"""What is dropped of an answer before anything of it is kept, and the quick question whether there is anything to drop."""

from __future__ import annotations

from typing import Any

import pytest

from carriers.payload import MAX_DEPTH, MOST_OTHERS, Names, without

PERSONAL = frozenset({"recebedor", "kin"})
CLEAN: dict[str, Any] = {
    "codigo": "BDE",
    "unidade": {"endereco": {"cidade": "RECIFE"}},
    "eventos": [{"tipo": "01"}, []],
}


def nested(levels: int) -> Any:
    deep: Any = {}
    for _ in range(levels):
        deep = {"x": deep}
    return deep


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(CLEAN, id="nothing personal"),
        pytest.param(CLEAN | {"recebedor": {"nome": "Planta"}}, id="at the top"),
        pytest.param(CLEAN | {"x": [[{"a": {"Recebedor": None}}]]}, id="deep inside, in other letters"),
        pytest.param(CLEAN | {"\u212ain": "Planta"}, id="a letter that is K in lower case alone"),
        pytest.param(CLEAN | {"texto": "recebedor"}, id="a value of that name"),
        pytest.param({}, id="nothing"),
        pytest.param([CLEAN, CLEAN | {"RECEBEDOR": 1}], id="in a list"),
    ],
)
def test_names_say_whether_anything_would_be_dropped(item: Any) -> None:
    names = Names(PERSONAL)

    for _ in range(2):  # the second time the other keys are known
        assert names.may_be_in(item) is (without(item, PERSONAL) != item)


def test_what_is_nested_beyond_reason_is_left_to_the_long_way() -> None:
    assert not Names(PERSONAL).may_be_in(nested(MAX_DEPTH))
    assert Names(PERSONAL).may_be_in(nested(MAX_DEPTH + 1))
    with pytest.raises(ValueError, match="too deeply"):
        without(nested(MAX_DEPTH + 1), PERSONAL)


def test_a_name_is_found_however_many_other_keys_were_met_before() -> None:
    names = Names(PERSONAL)

    assert not any(names.may_be_in({f"k{number}": 1, "y" * number: 2}) for number in range(2 * MOST_OTHERS))
    assert names.may_be_in({"recebedor": 1})
    assert not names.may_be_in({"new": 1})

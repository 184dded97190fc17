"""Whose number it may be: published test numbers, near misses, and what nobody's rule fits.

Test numbers of UPS, FedEx and DHL: jkeen/tracking_number_data. `9400…` is a number of the American post.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.numbers import Certainty, recognise

KEY = "35261112ABC34501DE35550010000010041102030432"


@pytest.mark.parametrize(
    ("number", "families"),
    [
        pytest.param("AA123456785BR", ["correios"], id="S10"),
        pytest.param(" aa 123.456.785 br ", ["correios"], id="as people write it"),
        pytest.param("AA123456784BR", [], id="S10, check digit wrong"),
        pytest.param("RR123456785CN", ["post"], id="another country's post"),
        pytest.param(KEY, ["nfe"], id="access key with letters"),
        pytest.param(KEY[:-1] + "1", [], id="access key, check digit wrong"),
        pytest.param("1Z5R89390357567127", ["ups"], id="UPS"),
        pytest.param("1z 5R8 939 03 5756 7127", ["ups"], id="UPS with blanks"),
        pytest.param("1Z5R89390357567128", [], id="UPS, check digit wrong"),
        pytest.param("1Z5R8939035756712A", [], id="UPS, a letter for the check digit"),
        pytest.param("986578788855", ["fedex"], id="FedEx Express"),
        pytest.param("477179081230", ["fedex"], id="FedEx Express, 10 becomes 0"),
        pytest.param("996578788855", [], id="FedEx Express, check digit wrong"),
        pytest.param("0414 4176 0228 964", ["fedex"], id="FedEx Ground"),
        pytest.param("568283610012732", [], id="FedEx Ground, check digit wrong"),
        pytest.param("9611020987654312345672", ["fedex"], id="FedEx Ground 96"),
        pytest.param("9600000000000000000001", [], id="FedEx Ground 96, check digit wrong"),
        pytest.param("61299998820821171811", ["fedex"], id="FedEx SmartPost"),
        pytest.param("9261292700768711948021", ["fedex"], id="FedEx SmartPost with its prefix"),
        pytest.param("3318810025", ["dhl"], id="DHL Express"),
        pytest.param("3318810010", [], id="DHL Express, check digit wrong"),
        pytest.param("JJD0099999999", ["dhl"], id="DHL piece"),
        pytest.param("GM295117494011169042", ["dhl"], id="DHL eCommerce"),
        pytest.param("888012345678901", ["jt_express"], id="J&T: never FedEx by chance"),
        pytest.param("11000000000002", ["jadlog"], id="Jadlog"),
        pytest.param("SH1000000001LG", ["loggi"], id="Loggi"),
        pytest.param("57700000001tx", ["total_express"], id="Total Express"),
        pytest.param("", [], id="nothing"),
        pytest.param("PEDIDO 10482", [], id="an order's number"),
        pytest.param("８８８012345678901", [], id="digits of another script"),
    ],
)
def test_whose_number(number: str, families: list[str]) -> None:
    assert [one.family for one in recognise(number)] == families


def test_only_a_check_digit_on_a_shape_of_its_own_is_called_checked() -> None:
    told = {
        number: recognise(number)[0].certainty for number in ("1Z5R89390357567127", "888012345678901", "3318810025")
    }
    assert list(told.values()) == [Certainty.CHECKED, Certainty.LIKELY, Certainty.SHAPE]


@given(st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    assert len({one.family for one in recognise(text)}) == len(recognise(text))

"""Whom a notice goes to."""

from __future__ import annotations

import pytest

from tracker.domain.notices import WhyNotTold
from tracker.messages.recipients import RELAYS, recipient_of


@pytest.mark.parametrize(
    ("recipient", "customer", "expected"),
    [
        pytest.param(
            "quem@recebe.example", "quem@paga.example", "quem@recebe.example", id="who receives before who paid"
        ),
        pytest.param(None, "quem@paga.example", "quem@paga.example", id="who paid where nobody else is known"),
        pytest.param("", "quem@paga.example", "quem@paga.example", id="an empty address is none"),
        pytest.param("x1y2@ct.vtex.com.br", "quem@paga.example", "quem@paga.example", id="an alias is passed over"),
        pytest.param(
            "quem@recebe.example", "x1y2@ct.vtex.com.br", "quem@recebe.example", id="the payer's alias is no matter"
        ),
        pytest.param("quem@vtex.com.br", None, "quem@vtex.com.br", id="the marketplace's own people have addresses"),
    ],
)
def test_whom(recipient: str | None, customer: str | None, expected: str) -> None:
    assert recipient_of(recipient, customer) == (expected, None)


@pytest.mark.parametrize("relay", RELAYS)
@pytest.mark.parametrize("write", [str.lower, str.upper], ids=["in lower case", "in upper case"])
def test_an_alias_alone_is_not_mailed(relay: str, write: type[str]) -> None:
    address, why = recipient_of(write(f"x1y2@{relay}"), None)
    assert address is None
    assert why is WhyNotTold.MARKETPLACE_ADDRESS


@pytest.mark.parametrize(("recipient", "customer"), [(None, None), ("", ""), (None, "")])
def test_nobody_to_write_to(recipient: str | None, customer: str | None) -> None:
    address, why = recipient_of(recipient, customer)
    assert address is None
    assert why is WhyNotTold.NO_ADDRESS

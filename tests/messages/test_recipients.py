"""Whom a notice goes to."""

from __future__ import annotations

import pytest

from tracker.domain.notices import WhyNotTold
from tracker.domain.relays import RELAY_DOMAINS, Unmailed
from tracker.messages.recipients import recipient_of


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
    assert recipient_of(recipient, customer, Unmailed()) == (expected, None)


@pytest.mark.parametrize("relay", sorted(RELAY_DOMAINS))
@pytest.mark.parametrize("write", [str.lower, str.upper], ids=["in lower case", "in upper case"])
def test_an_alias_alone_is_not_mailed(relay: str, write: type[str]) -> None:
    address, why = recipient_of(write(f"x1y2@{relay}"), None, Unmailed())
    assert address is None
    assert why is WhyNotTold.MARKETPLACE_ADDRESS


@pytest.mark.parametrize(("recipient", "customer"), [(None, None), ("", ""), (None, "")])
def test_nobody_to_write_to(recipient: str | None, customer: str | None) -> None:
    address, why = recipient_of(recipient, customer, Unmailed())
    assert address is None
    assert why is WhyNotTold.NO_ADDRESS


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("x1@ct.vtex.com.br", "x1@ct.vtex.com.br", id="a marketplace that is allowed"),
        pytest.param("x1@mail.mercadolivre.com", None, id="below a marketplace's domain"),
        pytest.param("x1@parceiro.com.br", None, id="a domain the merchant named"),
        pytest.param("x1@sub.parceiro.com.br", None, id="a domain below it"),
        pytest.param("X1@Outro.com.br", None, id="an address the merchant named, in any case"),
        pytest.param("x2@outro.com.br", "x2@outro.com.br", id="another of that domain"),
    ],
)
def test_what_the_merchant_says(address: str, expected: str | None) -> None:
    unmailed = Unmailed(never=("@parceiro.com.br", "x1@outro.com.br"), anyway=("ct.vtex.com.br",))
    assert recipient_of(None, address, unmailed)[0] == expected


def test_the_shops_own_address_stands_for_none() -> None:
    unmailed = Unmailed(own={"sac@loja.example"})
    assert recipient_of(None, "SAC@loja.example", unmailed) == (None, WhyNotTold.NO_ADDRESS)
    assert recipient_of("SAC@loja.example", "ana@casa.example", unmailed) == ("ana@casa.example", None)

"""Whether a message went to another address than its recipient's."""

from __future__ import annotations

import pytest

from tracker.domain.mail_address import diverted_to
from tracker.domain.words import DeliveryState

TRIAL = "teste@aurora.example"


@pytest.mark.parametrize(
    ("recipient", "sent_to", "diverted"),
    [
        pytest.param("ana@a.example", TRIAL, TRIAL, id="elsewhere"),
        pytest.param("ana@a.example", "ana@a.example", None, id="to the customer"),
        pytest.param(" Ana@A.example ", "ana@a.example", None, id="spelt otherwise"),
        pytest.param("ana@ação.example", "ana@xn--ao-siap.example", None, id="a domain on the wire"),
        pytest.param("Ana@ação.example", "ana@ação.example", None, id="as older releases kept it"),
        pytest.param("joão@a.example", TRIAL, TRIAL, id="no address that mail can go to"),
        pytest.param("ana@a.example", None, None, id="not known"),
        pytest.param("ana@a.example", "", None, id="empty"),
        pytest.param(None, TRIAL, None, id="no recipient"),
    ],
)
def test_where_it_went(recipient: str | None, sent_to: str | None, diverted: str | None) -> None:
    assert diverted_to(DeliveryState.SENT, recipient, sent_to) == diverted


@pytest.mark.parametrize("state", DeliveryState)
def test_an_earlier_try_says_nothing_of_what_waits(state: DeliveryState) -> None:
    waits = {"queued", "awaiting_person", "suppressed", "expired"}
    assert diverted_to(state, "ana@a.example", TRIAL) == (None if state.value in waits else TRIAL)

"""When a mail account is left alone, and how much its quotas leave."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domain.support import at
from tracker.domain.mail_account import PROBE, Circuit, failed, is_open, judged, room
from tracker.domain.outcome import Outcome, Result, Scope
from tracker.domain.suppression import reason_to_suppress, token_of

NOW = at("2026-11-25 10:00")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOST = Outcome(Result.RETRY, "connection_lost", scope=Scope.ACCOUNT)
REFUSED = Outcome(Result.ACCOUNT_DOWN, "auth_refused", scope=Scope.ACCOUNT)


def test_an_account_that_fails_is_left_alone_ever_longer_up_to_a_quarter_of_an_hour() -> None:
    circuit, waits = None, []
    for _ in range(5):
        circuit = failed(circuit, LOST, "d", NOW)
        waits.append((circuit.until or NOW) - NOW)
    assert waits == [MINUTE / 2, 2 * MINUTE, 10 * MINUTE, PROBE, PROBE]
    assert circuit is not None and (circuit.failures, circuit.down_since) == (5, NOW)


def test_a_refused_login_is_tried_again_a_quarter_of_an_hour_later() -> None:
    assert failed(None, REFUSED, "d", NOW).until == NOW + PROBE


def test_a_quota_is_patience_and_no_outage() -> None:
    outcome = Outcome(Result.THROTTLED, "daily_quota", after=24 * HOUR, scope=Scope.ACCOUNT)
    circuit = failed(None, outcome, "d", NOW)
    assert (circuit.until, circuit.down_since, circuit.failures) == (NOW + 24 * HOUR, None, 0)
    down = failed(failed(None, LOST, "d", NOW), outcome, "d", NOW + HOUR)
    assert down.down_since == NOW


@pytest.mark.parametrize(
    ("circuit", "expected"),
    [
        pytest.param(None, False, id="no circuit"),
        pytest.param(Circuit(until=NOW + MINUTE, digest="d"), True, id="before its end"),
        pytest.param(Circuit(until=NOW, digest="d"), False, id="at its end"),
        pytest.param(Circuit(until=NOW + MINUTE, digest="old"), False, id="another configuration is tried at once"),
        pytest.param(Circuit(until=NOW + 26 * HOUR, digest="d"), False, id="written before the clock was set back"),
    ],
)
def test_whether_it_is_left_alone(circuit: Circuit | None, expected: bool) -> None:
    assert is_open(circuit, "d", NOW) is expected


@pytest.mark.parametrize(
    ("limits", "used", "expected"),
    [
        pytest.param((None, None), (900, 9000), None, id="no limit"),
        pytest.param((100, None), (40, 4000), 60, id="an hour's"),
        pytest.param((None, 500), (0, 499), 1, id="a day's"),
        pytest.param((100, 500), (10, 450), 50, id="the nearer one"),
        pytest.param((100, 500), (101, 101), 0, id="lowered while it was used"),
    ],
)
def test_what_quotas_leave(limits: tuple[int | None, int | None], used: tuple[int, int], expected: int | None) -> None:
    assert room(*limits, used) == expected


POLICY = Outcome(Result.BAD_CONTENT, "policy")


@pytest.mark.parametrize(
    ("outcome", "circuit", "texts", "result"),
    [
        pytest.param(POLICY, None, 1, Result.BAD_CONTENT, id="one text"),
        pytest.param(POLICY, None, 2, Result.ACCOUNT_DOWN, id="several texts"),
        pytest.param(
            POLICY, Circuit(1, None, NOW, "reputation", "d"), 1, Result.ACCOUNT_DOWN, id="it was the account before"
        ),
        pytest.param(POLICY, Circuit(1, None, NOW, "timed_out", "d"), 1, Result.BAD_CONTENT, id="another outage"),
        pytest.param(Outcome(Result.BAD_CONTENT, "too_big"), None, 5, Result.BAD_CONTENT, id="another fault"),
        pytest.param(Outcome(Result.POLICY_CAP, "policy"), None, 5, Result.POLICY_CAP, id="before the text was seen"),
    ],
)
def test_whose_fault_a_refusal_for_policy_is(
    outcome: Outcome, circuit: Circuit | None, texts: int, result: Result
) -> None:
    assert judged(outcome, circuit, texts).result is result


@pytest.mark.parametrize(
    ("outcome", "before", "expected"),
    [
        pytest.param(Outcome(Result.BAD_ADDRESS, "no_such_mailbox"), 0, "no_such_mailbox", id="dead"),
        pytest.param(Outcome(Result.BLOCKED, "complaint"), 0, "complaint", id="not wanted"),
        pytest.param(Outcome(Result.POLICY_CAP, "mailbox_full"), 1, None, id="full twice"),
        pytest.param(Outcome(Result.POLICY_CAP, "mailbox_full"), 2, "mailbox_full", id="full three times"),
        pytest.param(Outcome(Result.RETRY, "domain_unknown"), 2, "domain_unknown", id="no domain three times"),
        pytest.param(Outcome(Result.POLICY_CAP, "recipient_refused"), 9, None, id="refused for who knows what"),
        pytest.param(Outcome(Result.ACCOUNT_DOWN, "sender_unauthenticated"), 9, None, id="our own set-up"),
        pytest.param(Outcome(Result.BAD_CONTENT, "policy"), 9, None, id="our text"),
        pytest.param(Outcome(Result.ACCEPTED, "accepted"), 9, None, id="taken"),
    ],
)
def test_when_an_address_is_told_nothing_more(outcome: Outcome, before: int, expected: str | None) -> None:
    assert reason_to_suppress(outcome, before) == expected


def test_the_reason_of_a_message_names_the_suppressions() -> None:
    assert token_of("the address is suppressed: by_hand") == "by_hand"
    assert token_of("superseded: it is no longer true of any parcel") is None
    assert token_of(None) is None

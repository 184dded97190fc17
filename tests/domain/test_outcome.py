"""The outcome model: SMTP replies, the ladder, limited retries."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.conftest import DATA
from tracker.domain.outcome import Outcome, Result, Scope, SmtpStage, backoff, settled, smtp_outcome

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DIALOGUES = [
    case
    for case in json.loads((DATA / "channels" / "smtp_dialogues.json").read_text(encoding="utf-8"))["cases"]
    if case["reply"] is not None
]
# The recording calls everything from DATA on "DATA"; these replies came after the final dot.
STAGES = {"RCPT": SmtpStage.RCPT, "DATA": SmtpStage.DOT, "AUTH": SmtpStage.AUTH}


@pytest.mark.parametrize("case", DIALOGUES, ids=lambda case: case["reply"][:40])
def test_recorded_replies_mean_what_the_table_says(case: dict[str, str]) -> None:
    code, _, text = case["reply"].partition(" ")
    outcome = smtp_outcome(STAGES[case["stage"]], int(code), text)
    assert case["outcome"].startswith(outcome.result.name)
    everybody = outcome.scope in {Scope.ACCOUNT, Scope.SENDER}
    assert everybody is ("account" in case["outcome"] or "ACCOUNT" in case["outcome"])
    assert (outcome.limit == 3) is ("x3" in case["outcome"])
    assert (outcome.after == 24 * HOUR) is ("24h" in case["outcome"])


@pytest.mark.parametrize(
    ("stage", "reply", "result", "reason"),
    [
        pytest.param("rcpt", "421 4.3.2 closing", "retry", "temporary", id="server leaves"),
        pytest.param("rcpt", "451 try later", "retry", "temporary", id="no enhanced code"),
        pytest.param("rcpt", "421 4.7.0 greylisted", "retry", "temporary", id="greylisted"),
        pytest.param(
            "dot", "454 Throttling failure: Daily message quota exceeded.", "throttled", "daily_quota", id="SES day"
        ),
        pytest.param("mail", "421 too many messages, throttled", "throttled", "host_limit", id="shared host"),
        pytest.param("mail", "452 Limite de envio por hora", "throttled", "host_limit", id="shared host in Portuguese"),
        pytest.param("rcpt", "552 mailbox full", "retry", "mailbox_full", id="552 without enhanced code"),
        pytest.param("dot", "552 5.3.4 too big", "bad_content", "too_big", id="enhanced code wins over 552"),
        pytest.param("mail", "530 5.7.0 authentication required", "account_down", "auth_refused", id="530 at MAIL"),
        pytest.param(
            "auth", "454 4.7.0 temporary failure", "retry", "temporary", id="server cannot check passwords now"
        ),
        pytest.param("rcpt", "550 5.1.3 bad syntax", "bad_address", "bad_syntax", id="5.1.3"),
        pytest.param("rcpt", "556 5.1.10 null MX", "bad_address", "domain_takes_no_mail", id="5.1.10"),
        pytest.param("rcpt", "550 5.1.2 no such domain", "retry", "domain_unknown", id="a domain gets a second look"),
        pytest.param("rcpt", "550 5.1.11 something", "policy_cap", "recipient_refused", id="5.1.11 is not 5.1.1"),
        pytest.param("rcpt", "550 No such user here", "bad_address", "no_such_mailbox", id="old server, clear words"),
        pytest.param("rcpt", "550 rejected", "policy_cap", "recipient_refused", id="a bare 550 suppresses nobody"),
        pytest.param(
            "mail", "550 5.1.1 sender unknown", "account_down", "sender_refused", id="5.1.1 at MAIL is about us"
        ),
        pytest.param("dot", "550 5.7.25 no PTR", "account_down", "sender_unauthenticated", id="5.7.25"),
        pytest.param("mail", "553 5.1.8 bad sender", "account_down", "sender_unauthenticated", id="5.1.8"),
        pytest.param(
            "rcpt", "554 5.7.1 <a@b.example>: Relay access denied", "account_down", "relay_denied", id="relay"
        ),
        pytest.param(
            "dot", "554 Message rejected: Email address is not verified.", "account_down", "sender_unverified", id="SES"
        ),
        pytest.param("dot", "554 5.7.1 looks like spam", "bad_content", "policy", id="spam"),
        pytest.param("rcpt", "550 5.7.1 not allowed", "policy_cap", "policy", id="refused before the text was seen"),
        pytest.param("mail", "501 5.5.4 bad argument", "bad_content", "protocol", id="our bug"),
        pytest.param("rcpt", "503 bad sequence", "bad_content", "protocol", id="our bug without enhanced code"),
        pytest.param("connect", "554 no service for you", "account_down", "server_refused", id="greeting refuses"),
        pytest.param("connect", "502 EHLO unknown", "account_down", "server_refused", id="no EHLO parks no template"),
        pytest.param("dot", "554 transaction failed", "bad_content", "content_refused", id="554 alone after the text"),
        pytest.param("dot", "299 fine", "accepted", "accepted", id="any 2xx after the dot"),
        pytest.param("dot", "-1 garbage", "unknown", "unreadable_reply", id="unreadable after the dot"),
        pytest.param("data", "250 what", "retry", "unreadable_reply", id="unreadable before the text"),
    ],
)
def test_replies_by_the_table(stage: str, reply: str, result: str, reason: str) -> None:
    code, _, text = reply.partition(" ")
    outcome = smtp_outcome(SmtpStage(stage), int(code), text)
    assert (outcome.result, outcome.reason, outcome.code) == (result, reason, int(code))


def test_a_conflict_between_codes_is_settled_by_the_enhanced_one() -> None:
    assert smtp_outcome(SmtpStage.RCPT, 550, "4.2.1 busy").result is Result.RETRY
    assert smtp_outcome(SmtpStage.RCPT, 450, "5.1.1 gone").result is Result.BAD_ADDRESS


def test_replies_of_several_lines_lose_their_addresses_and_line_ends() -> None:
    outcome = smtp_outcome(
        SmtpStage.RCPT, 550, "5.1.1 <joana@cliente.example> unknown\n5.1.1 ask postmaster@mx.example"
    )
    assert outcome.reply == "550 5.1.1 <...> unknown 5.1.1 ask <...>"


@pytest.mark.parametrize(
    ("text", "provider_id"),
    [
        pytest.param("Ok 0100-example-000000", "0100-example-000000", id="Amazon SES"),
        pytest.param("2.0.0 Ok: queued as 4XyZ12", "4XyZ12", id="Postfix"),
        pytest.param("OK id=1tQabc-0001-Xy", "1tQabc-0001-Xy", id="Exim"),
        pytest.param("2.0.0 OK  1795438800 d2-20 - gsmtp", "OK  1795438800 d2-20 - gsmtp", id="others: the words"),
        pytest.param("", None, id="nothing said"),
    ],
)
def test_the_queue_id_is_kept(text: str, provider_id: str | None) -> None:
    assert smtp_outcome(SmtpStage.DOT, 250, text).provider_id == provider_id


@pytest.mark.parametrize(
    ("attempt", "wait"),
    [
        (1, MINUTE / 2),
        (2, 2 * MINUTE),
        (3, 10 * MINUTE),
        (4, 30 * MINUTE),
        (5, 2 * HOUR),
        (6, 6 * HOUR),
        (60, 6 * HOUR),
    ],
)
def test_the_ladder(attempt: int, wait: timedelta) -> None:
    assert backoff(attempt) == wait
    assert wait < backoff(attempt, jitter=0.999) < wait * 1.2


def test_a_full_mailbox_is_tried_three_times_more_and_then_left_alone() -> None:
    outcome = smtp_outcome(SmtpStage.RCPT, 452, "4.2.2 full")
    assert [settled(outcome, attempt).result for attempt in (1, 3)] == [Result.RETRY] * 2
    assert (settled(outcome, 4).result, settled(outcome, 4).limit) == (Result.POLICY_CAP, None)


def test_an_unknown_domain_becomes_a_bad_address_at_the_second_look() -> None:
    outcome = smtp_outcome(SmtpStage.RCPT, 550, "5.1.2 no such domain")
    assert settled(outcome, 1) is outcome
    assert settled(outcome, 2).result is Result.BAD_ADDRESS


def test_an_unlimited_retry_stays_one() -> None:
    outcome = Outcome(Result.RETRY, "temporary")
    assert settled(outcome, 99) is outcome

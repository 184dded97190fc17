"""The table of SMTP replies, line by line, each against a real mail server that answers so.

The quoted lines are those of the channels' reference, section 1.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.messages.smtp_servers import Answers, real_server, scripted_server
from tracker.domain.outcome import Outcome, Result, Scope, returned_outcome, settled
from tracker.messages.smtp import SmtpAccount, SmtpTransport

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
SENDER, RECIPIENT = "entregas@aurora.example", "joana@cliente.example"
TEXT = b"From: entregas@aurora.example\r\nSubject: Pedido\r\n\r\nSaiu.\r\n"


@dataclass(frozen=True)
class Line:
    """A line of the table with replies that fall under it, each as `stage reply`."""

    quoted: str
    replies: tuple[str, ...]
    result: Result
    scope: Scope = Scope.MESSAGE
    after: timedelta | None = None
    suppresses: bool = False


TABLE = (
    Line(
        "2xx after DATA | ACCEPTED",
        ("dot 250 Ok 0100-example-message-000000", "dot 250 2.0.0 Ok: queued as 4XyZ12"),
        Result.ACCEPTED,
    ),
    Line(
        "421, 450, 451, 452, 4.2.1, 4.3.x, 4.4.x, 4.7.0 greylist | RETRY",
        (
            "rcpt 450 try again",
            "rcpt 451 4.3.0 local error",
            "rcpt 452 4.3.1 insufficient system storage",
            "rcpt 451 4.4.1 no answer from host",
            "rcpt 450 4.7.0 greylisted",
            "rcpt 450 4.2.0 Greylisted, please try again",
            "dot 451 4.3.0 queue file write error",
        ),
        Result.RETRY,
    ),
    Line(
        "4.2.1 | RETRY: the mailbox and not our quota, whatever the words",
        ("rcpt 450 4.2.1 The user you are trying to contact is throttled, too many messages",),
        Result.RETRY,
        Scope.RECIPIENT,
    ),
    Line("421 before RCPT | RETRY, everybody's", ("mail 421 4.3.2 closing",), Result.RETRY, Scope.ACCOUNT),
    Line(
        '454 "Throttling failure: Maximum sending rate exceeded" (SES) | THROTTLED(1-10 s, account)',
        ("dot 454 Throttling failure: Maximum sending rate exceeded.",),
        Result.THROTTLED,
        Scope.ACCOUNT,
        timedelta(seconds=10),
    ),
    Line(
        '454 "Throttling failure: Daily message quota exceeded" (SES) | THROTTLED(until quota window, account)',
        ("dot 454 Throttling failure: Daily message quota exceeded.",),
        Result.THROTTLED,
        Scope.ACCOUNT,
        HOUR,
    ),
    Line(
        "550 5.4.5 (Gmail daily limit) | THROTTLED(until quota window, account)",
        ("dot 550 5.4.5 Daily user sending limit exceeded", "mail 550 5.4.5 Daily SMTP relay sending quota exceeded"),
        Result.THROTTLED,
        Scope.ACCOUNT,
        24 * HOUR,
    ),
    Line(
        '452/421 "throttle" of Brazilian hosts | THROTTLED(until quota window, account)',
        (
            "mail 452 4.7.1 throttled, try again later",
            "rcpt 452 Limite de envio por hora excedido",
            "rcpt 450 4.7.1 Error: too much mail from 192.0.2.1",
            "rcpt 452 4.5.3 Muitas mensagens enviadas em pouco tempo",
            "rcpt 550 Domain aurora.example has exceeded the max emails per hour (100/100 (100%)) allowed.",
            "dot 554 5.2.0 STOREDRV.Submission; SubmissionQuotaExceededException",
            "rcpt 550 Cota de e-mails atingida",
            "dot 554 5.7.1 A conta excedeu o limite de mensagens",
        ),
        Result.THROTTLED,
        Scope.ACCOUNT,
        HOUR,
    ),
    Line(
        "4.2.2 / 5.2.2 mailbox full, 552 | RETRY x3 over 24 h",
        (
            "rcpt 452 4.2.2 The recipient's inbox is out of storage space",
            "rcpt 552 5.2.2 mailbox full",
            "dot 552 over quota",
        ),
        Result.RETRY,
        Scope.RECIPIENT,
        8 * HOUR,
    ),
    Line(
        "530, 534, 535, 538, 5.7.8 | ACCOUNT_DOWN",
        ("mail 530 5.7.0 authentication required", "mail 530 log in first", "mail 535 5.7.8 not accepted"),
        Result.ACCOUNT_DOWN,
        Scope.ACCOUNT,
    ),
    Line(
        "550/551/553 with 5.1.1, 5.1.3, 5.1.10 | BAD_ADDRESS",
        (
            "rcpt 550 5.1.1 <inexistente@cliente.example>: Recipient address rejected: User unknown",
            "rcpt 553 5.1.3 bad syntax",
            "rcpt 551 5.1.1 user not local",
            "rcpt 556 5.1.10 null MX",
        ),
        Result.BAD_ADDRESS,
        Scope.RECIPIENT,
        suppresses=True,
    ),
    Line(
        "5.1.2 (after DNS recheck) | BAD_ADDRESS",
        ("rcpt 550 5.1.2 no such domain",),
        Result.RETRY,
        Scope.RECIPIENT,
        2 * HOUR,
    ),
    Line(
        "5.1.8, 5.7.26, 5.7.25, 5.7.23, 5.7.27 (sender not authenticated) | ACCOUNT_DOWN, never suppress the recipient",
        tuple(
            f"{stage} 550 {code} not accepted due to the domain's policy"
            for code in ("5.1.8", "5.7.26", "5.7.25", "5.7.23", "5.7.27")
            for stage in ("mail", "rcpt", "dot")
        ),
        Result.ACCOUNT_DOWN,
        Scope.SENDER,
    ),
    Line(
        "5.7.1, 554 5.7.x content/reputation | BAD_CONTENT if one template, never suppress",
        ("dot 554 5.7.1 looks like spam", "dot 550 5.7.1 message refused", "dot 554 5.7.9 unsafe"),
        Result.BAD_CONTENT,
    ),
    Line(
        "5.5.x, 500-504 | BAD_CONTENT (our bug)",
        ("mail 501 5.5.4 bad argument", "rcpt 503 bad sequence", "rcpt 500 what", "dot 502 5.5.1 not here"),
        Result.BAD_CONTENT,
    ),
    Line("552 5.3.4 too big | BAD_CONTENT", ("dot 552 5.3.4 too big", "mail 552 5.3.4 too big"), Result.BAD_CONTENT),
)
CASES = [
    pytest.param(line, *reply.partition(" ")[::2], id=f"{line.quoted.partition(' | ')[0][:30]}: {reply[:30]}")
    for line in TABLE
    for reply in line.replies
]


async def submitted(port: int) -> Outcome:
    transport = SmtpTransport(SmtpAccount("127.0.0.1", port, "none", command_timeout_s=5, dot_timeout_s=5))

    async def nothing() -> None:
        return None

    try:
        return await transport.submit(SENDER, RECIPIENT, TEXT, before_data=nothing)
    finally:
        await transport.close()


@pytest.mark.parametrize(("line", "stage", "reply"), CASES)
async def test_what_a_server_answers(line: Line, stage: str, reply: str) -> None:
    answers = Answers(**{stage: [reply]})
    async with real_server(answers) as port:
        outcome = await submitted(port)
    assert (outcome.result, outcome.scope, outcome.after) == (line.result, line.scope, line.after)
    assert (outcome.result is Result.BAD_ADDRESS) is line.suppresses
    assert RECIPIENT not in outcome.reply


async def test_no_reply_after_the_final_dot_is_unknown() -> None:
    async with real_server(Answers(drop_after_dot=True)) as port:
        assert (await submitted(port)).result is Result.UNKNOWN


@pytest.mark.parametrize("greeting", ["421 4.3.2 come back later", "421 too many connections"])
async def test_a_server_that_greets_with_421_is_tried_again(greeting: str) -> None:
    async with scripted_server(lambda _line: "", greeting=greeting) as port:
        outcome = await submitted(port)
    assert (outcome.result, outcome.scope) == (Result.RETRY, Scope.ACCOUNT)


def test_a_full_mailbox_ends_after_three_more_tries_within_a_day() -> None:
    full = returned_outcome("5.2.2", "smtp; 552 5.2.2 mailbox full")
    assert full.limit == 3 and full.after is not None and full.after * 3 <= 24 * HOUR
    assert settled(full, 4).result is Result.POLICY_CAP


@pytest.mark.parametrize(
    ("status", "diagnostic", "result", "reason"),
    [
        pytest.param("5.1.1", "smtp; 550 5.1.1 user unknown", "bad_address", "no_such_mailbox", id="Postfix"),
        pytest.param("5.0.0", "smtp; 550 No such user here", "bad_address", "no_such_mailbox", id="words alone"),
        pytest.param("5.1.1", "x-unix; unknown user", "bad_address", "no_such_mailbox", id="no reply code"),
        pytest.param("5.1.1", "", "bad_address", "no_such_mailbox", id="status alone"),
        pytest.param("5.2.2", "smtp; 552-5.2.2 The account is full", "retry", "mailbox_full", id="full"),
        pytest.param("5.1.2", "dns; host not found", "retry", "domain_unknown", id="domain: maybe the relay's DNS"),
        pytest.param("4.4.7", "smtp; 451 4.4.1 no answer", "retry", "temporary", id="given up after days"),
        pytest.param("5.7.1", "smtp; 554 5.7.1 spam", "bad_content", "policy", id="content"),
        pytest.param("5.7.26", "smtp; 550-5.7.26 DMARC", "account_down", "sender_unauthenticated", id="set-up"),
        pytest.param("5.0.0", "", "policy_cap", "recipient_refused", id="nothing said suppresses nobody"),
    ],
)
def test_what_a_returned_mail_means(status: str, diagnostic: str, result: str, reason: str) -> None:
    outcome = returned_outcome(status, diagnostic)
    assert (outcome.result, outcome.reason) == (result, reason)

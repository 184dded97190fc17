"""Handing messages to a real server: every stage that can fail, and what the caller may conclude."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from typing import Any

import pytest

from tests.conftest import DATA
from tests.messages.smtp_servers import HOST, PASSWORD, USER, Answers, Certificate, Line, real_server, scripted_server
from tracker.domain.outcome import Outcome, Result, Scope
from tracker.messages.outcomes import why_no_mail
from tracker.messages.smtp import SmtpAccount, SmtpTransport

pytestmark = pytest.mark.anyio

MESSAGE = b"Subject: aviso\r\n\r\nOi!\r\n.ponto no inicio\r\n"
CASES = json.loads((DATA / "channels" / "smtp_dialogues.json").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.made_in(tmp_path_factory.mktemp("certificate"))


class Caller:
    """Stands for the stage that commits `sending`: counts, and notes what the server had seen at that moment."""

    def __init__(self, answers: Answers | None = None, error: Exception | None = None) -> None:
        self.commits = 0
        self.seen: list[str] = []
        self._answers = answers
        self._error = error

    async def __call__(self) -> None:
        self.commits += 1
        self.seen = list(self._answers.steps) if self._answers else []
        if self._error:
            raise self._error


def transport(port: int, *, context: ssl.SSLContext | None = None, **changes: Any) -> SmtpTransport:
    settings: dict[str, Any] = {"host": HOST, "port": port, "security": "none", "command_timeout_s": 5.0}
    return SmtpTransport(SmtpAccount(**settings | {"dot_timeout_s": 5.0} | changes), tls_context=context)


async def submit(sender: SmtpTransport, caller: Caller | None = None, data: bytes = MESSAGE) -> Outcome:
    return await sender.submit("pos-venda@loja.example", "marina@cliente.example", data, before_data=caller or Caller())


async def test_a_message_is_committed_between_rcpt_and_data_and_arrives_unchanged() -> None:
    answers = Answers()
    caller = Caller(answers)
    async with real_server(answers) as port:
        sender = transport(port)
        outcome = await submit(sender, caller)
        await sender.close()
    assert (outcome.result, outcome.provider_id) == (Result.ACCEPTED, "4XyZ12")
    assert caller.seen == ["MAIL", "RCPT"]
    assert answers.accepted == [MESSAGE]
    assert answers.steps == ["MAIL", "RCPT", "DATA", "QUIT"]


async def test_one_connection_carries_many_messages() -> None:
    answers = Answers()
    async with real_server(answers) as port:
        sender = transport(port)
        results = [(await submit(sender)).result for _ in range(5)]
        await sender.close()
    assert results == [Result.ACCEPTED] * 5
    assert len(answers.sessions) == 1
    assert "RSET" not in answers.steps


async def test_calls_at_the_same_time_do_not_mix() -> None:
    answers = Answers()
    async with real_server(answers) as port:
        sender = transport(port)
        outcomes = await asyncio.gather(*(submit(sender) for _ in range(4)))
        await sender.close()
    assert {outcome.result for outcome in outcomes} == {Result.ACCEPTED}
    assert answers.steps[:-1] == ["MAIL", "RCPT", "DATA"] * 4


async def test_a_worn_connection_is_closed_and_replaced() -> None:
    answers = Answers()
    async with real_server(answers) as port:
        sender = transport(port, max_messages=2)
        for _ in range(3):
            await submit(sender)
        await sender.close()
    assert answers.steps.count("QUIT") == 2
    assert len(answers.accepted) == 3


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["stage"] in ("RCPT", "DATA")], ids=lambda case: case["reply"][:40]
)
async def test_recorded_dialogues(case: dict[str, str]) -> None:
    stage = "rcpt" if case["stage"] == "RCPT" else "dot"
    answers = Answers(rcpt=[case["reply"]]) if stage == "rcpt" else Answers(dot=[case["reply"]])
    caller = Caller()
    async with real_server(answers) as port:
        sender = transport(port)
        outcome = await submit(sender, caller)
        following = await submit(sender)
        await sender.close()
    assert case["outcome"].startswith(outcome.result.name)
    assert caller.commits == (0 if stage == "rcpt" else 1)
    assert following.result is Result.ACCEPTED
    assert len(answers.sessions) == 1, "a refusal is reset, not a reason for a new connection"


async def test_the_final_dot_without_an_answer_is_unknown() -> None:
    answers = Answers(drop_after_dot=True)
    async with real_server(answers) as port:
        outcome = await submit(transport(port))
    assert outcome.result is Result.UNKNOWN
    assert len(answers.accepted) == 1, "the server had taken it: sending again would double it"


def script(**answers: Line) -> Any:
    """Answer by the first word; `dot` is the answer to the end of the text, everything inside it is silent."""
    reading_text = False

    def answer(line: bytes) -> Line:
        nonlocal reading_text
        if reading_text:
            reading_text = line != b"."
            return "" if reading_text else answers.get("dot", "250 Ok")
        word = line.split(b" ")[0].decode().lower()
        usual = {"data": "354 go on", "quit": "221 bye"}.get(word, "250 mx")
        said = answers.get(word, usual)
        reading_text = word == "data" and (said or "").startswith("354")
        return said

    return answer


OFFERS = [
    pytest.param({}, id="one command at a time"),
    pytest.param({"ehlo": "250-mx\r\n250 PIPELINING"}, id="MAIL and RCPT at once"),
]


@pytest.mark.parametrize(
    ("answers", "result", "commits"),
    [
        pytest.param({"mail": None}, Result.RETRY, 0, id="connection lost at MAIL"),
        pytest.param({"rcpt": None}, Result.RETRY, 0, id="connection lost at RCPT"),
        pytest.param({"data": None}, Result.RETRY, 1, id="connection lost at DATA, before the text"),
        pytest.param({"data": "451 4.3.0 not now"}, Result.RETRY, 1, id="DATA put off"),
        pytest.param({"data": "421 4.3.2 leaving"}, Result.RETRY, 1, id="server leaves at DATA"),
        pytest.param({"data": "550 5.7.26 no DMARC"}, Result.ACCOUNT_DOWN, 1, id="DATA refused"),
        pytest.param({"data": "nonsense"}, Result.RETRY, 1, id="unreadable at DATA"),
        pytest.param({"dot": None}, Result.UNKNOWN, 1, id="connection lost after the dot"),
        pytest.param({"dot": "nonsense"}, Result.UNKNOWN, 1, id="unreadable after the dot"),
        pytest.param({"dot": ""}, Result.UNKNOWN, 1, id="silence after the dot"),
        pytest.param({"dot": "421 4.3.2 leaving"}, Result.RETRY, 1, id="refused for now after the dot"),
        pytest.param({"rcpt": "nonsense"}, Result.RETRY, 0, id="unreadable at RCPT"),
    ],
)
@pytest.mark.parametrize("offer", OFFERS)
async def test_what_a_failure_at_each_point_means(
    answers: dict[str, Line], result: Result, commits: int, offer: dict[str, Line]
) -> None:
    caller = Caller()
    async with scripted_server(script(**offer | answers)) as port:
        sender = transport(port, dot_timeout_s=0.2)
        outcome = await submit(sender, caller)
        await sender.close()
    assert (outcome.result, caller.commits) == (result, commits)


@pytest.mark.parametrize(
    ("answers", "result", "reply"),
    [
        pytest.param({"rcpt": "550 " + "x" * 2_000_000}, Result.RETRY, "Response too long", id="an endless line"),
        pytest.param(
            {"rcpt": "550-x\r\n" * 200_000 + "550 x"}, Result.RETRY, "Response too long", id="lines without end"
        ),
        pytest.param(
            {"ehlo": "250-AUTH X\r\n" * 99_999 + "250 x"}, Result.RETRY, "Response too long", id="endless greeting"
        ),
        pytest.param({"ehlo": "<html>"}, Result.RETRY, "Malformed SMTP response line: <html>", id="a web server"),
        pytest.param({"rcpt": "999 what"}, Result.RETRY, "what", id="a code that there is not"),
        pytest.param({"rcpt": "000 what"}, Result.RETRY, "what", id="a code of nothing"),
        pytest.param({"rcpt": "354 go on"}, Result.RETRY, "go on", id="a go-ahead out of place"),
        pytest.param({"data": "250 ok"}, Result.RETRY, "ok", id="a text that was not asked for"),
        pytest.param({"dot": "354 more"}, Result.UNKNOWN, "more", id="more text wanted after the dot"),
        pytest.param({"rcpt": "550 no\r\n250 yes"}, Result.POLICY_CAP, "550 no", id="two answers at once"),
        pytest.param(
            {"rcpt": "550 2.0.0 fine"}, Result.POLICY_CAP, "550 2.0.0 fine", id="a code that contradicts itself"
        ),
        pytest.param(
            {"rcpt": "550 5.1.1 \x1b[31m\x1b]0;dono\x07no\x00 user\u202e"},
            Result.BAD_ADDRESS,
            "550 5.1.1 [31m]0;donono user",
            id="orders to a terminal",
        ),
        pytest.param(
            {"rcpt": "550 5.1.1 no <ana@example.com> here"},
            Result.BAD_ADDRESS,
            "550 5.1.1 no <...> here",
            id="the customer's address",
        ),
    ],
)
@pytest.mark.parametrize("offer", OFFERS)
async def test_a_hostile_reply_has_its_outcome_and_harmless_words(
    answers: dict[str, Line], result: Result, reply: str, offer: dict[str, Line]
) -> None:
    async with scripted_server(script(**offer | answers)) as port:
        sender = transport(port, dot_timeout_s=2)
        outcome = await submit(sender)
        await sender.close()
    assert (outcome.result, outcome.reply) == (result, reply)


class Counting:
    """A server that offers PIPELINING and says its replies to MAIL and RCPT when both have come, in pieces; notes the order."""

    def __init__(self, mail: str = "250 ok", rcpt: str = "250 ok", piece: int = 1_000) -> None:
        self.seen: list[str] = []
        self._replies = {"MAIL": mail, "RCPT": rcpt}
        self._piece = piece
        self._text = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx\r\n")
        held = ""
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            word = line.split(" ")[0]
            if word == "MAIL":
                held = self._replies[word] + "\r\n"
            elif word == "RCPT":
                held += self._replies[word] + "\r\n"
            self.seen.append(line if word in {"MAIL", "RCPT"} else word)
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                held = "250 taken\r\n"
            elif word == "EHLO":
                held = "250-mx\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n"
            elif word not in {"MAIL", "RCPT"}:
                held = "221 bye\r\n" if word == "QUIT" else "250 ok\r\n"
            if word != "MAIL":
                for start in range(0, len(held), self._piece):
                    writer.write(held[start : start + self._piece].encode())
                    await writer.drain()
                    await asyncio.sleep(0)
        writer.close()


@pytest.mark.parametrize("piece", [1, 9, 1_000])
async def test_mail_and_rcpt_are_said_at_once_where_the_server_takes_it(piece: int) -> None:
    mx = Counting(mail="250-two\r\n250 lines", piece=piece)
    server = await asyncio.start_server(mx.talk, HOST, 0)
    async with server:
        sender = transport(server.sockets[0].getsockname()[1])
        # A server that waits for both would never answer one that waits for each.
        outcomes = [await submit(sender), await submit(sender)]
        await sender.close()
    assert [outcome.result for outcome in outcomes] == [Result.ACCEPTED] * 2
    envelope = [f"MAIL FROM:<pos-venda@loja.example> SIZE={len(MESSAGE)}", "RCPT TO:<marina@cliente.example>", "DATA"]
    assert mx.seen == ["EHLO", *envelope, *envelope, "QUIT"]


@pytest.mark.parametrize(
    ("replies", "result", "seen"),
    [
        pytest.param({"mail": "550 5.7.1 no"}, Result.ACCOUNT_DOWN, ["RSET", "QUIT"], id="MAIL refused, RCPT taken"),
        pytest.param({"rcpt": "550 5.1.1 no"}, Result.BAD_ADDRESS, ["RSET", "QUIT"], id="RCPT refused"),
        pytest.param({"mail": "421 4.3.2 leaving"}, Result.RETRY, [], id="the server leaves at MAIL"),
    ],
)
async def test_a_refusal_of_one_of_two_commands_is_that_commands(
    replies: dict[str, str], result: Result, seen: list[str]
) -> None:
    mx, caller = Counting(**replies), Caller()
    server = await asyncio.start_server(mx.talk, HOST, 0)
    async with server:
        sender = transport(server.sockets[0].getsockname()[1])
        outcome = await submit(sender, caller)
        await sender.close()
    assert (outcome.result, caller.commits) == (result, 0)
    assert [line for line in mx.seen if line.isupper() and " " not in line] == ["EHLO", *seen]


async def test_a_reused_connection_found_dead_costs_nothing() -> None:
    answers = Answers(mail=["250 OK", "421 4.4.2 idle too long"])
    async with real_server(answers) as port:
        sender = transport(port)
        outcomes = [await submit(sender), await submit(sender)]
        await sender.close()
    assert [outcome.result for outcome in outcomes] == [Result.ACCEPTED, Result.ACCEPTED]
    assert len(answers.sessions) == 2


async def test_a_fresh_connection_that_is_refused_is_not_tried_again_at_once() -> None:
    answers = Answers(mail=["421 4.3.2 busy", "250 OK"])
    async with real_server(answers) as port:
        outcome = await submit(transport(port))
    assert outcome.result is Result.RETRY
    assert answers.steps == ["MAIL"]


async def test_an_error_of_the_caller_means_that_nothing_left() -> None:
    answers = Answers()
    async with real_server(answers) as port:
        sender = transport(port)
        with pytest.raises(LookupError, match="lease lost"):
            await submit(sender, Caller(error=LookupError("lease lost")))
        following = await submit(sender)
        await sender.close()
    assert answers.steps[:3] == ["MAIL", "RCPT", "QUIT"]
    assert following.result is Result.ACCEPTED
    assert len(answers.accepted) == 1


async def test_a_cancelled_call_leaves_no_answer_for_the_next_one() -> None:
    waiting = asyncio.Event()

    async def never() -> None:
        waiting.set()
        await asyncio.Event().wait()

    answers = Answers()
    async with real_server(answers) as port:
        sender = transport(port)
        task = asyncio.create_task(sender.submit("a@loja.example", "b@cliente.example", MESSAGE, before_data=never))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        following = await submit(sender)
        await sender.close()
    assert following.result is Result.ACCEPTED
    assert len(answers.accepted) == 1


def nobody_there() -> int:
    """A port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        return int(unused.getsockname()[1])


def silent(_line: bytes) -> Line:
    return ""


@pytest.mark.parametrize("host", [HOST, "localhost"])
async def test_nobody_listening_is_a_retry_for_the_whole_account(host: str) -> None:
    caller = Caller()
    outcome = await submit(transport(nobody_there(), host=host), caller)
    assert (outcome.result, outcome.reason, outcome.scope) == (Result.RETRY, "connection_refused", Scope.ACCOUNT)
    assert why_no_mail(outcome) == "connection refused: is the mail server running, is the port right?"
    assert caller.commits == 0


async def test_a_name_that_is_not_found_is_said() -> None:
    outcome = await submit(transport(25, host="mx.loja.invalid", security="starttls"))
    assert (outcome.result, outcome.reason, outcome.scope) == (Result.RETRY, "name_unknown", Scope.ACCOUNT)
    assert why_no_mail(outcome).startswith("its name cannot be resolved")


async def test_a_server_that_says_nothing_is_a_time_out() -> None:
    """As a port for TLS does when it is spoken to in the clear."""
    async with scripted_server(silent, greeting="") as port:
        outcome = await submit(transport(port, command_timeout_s=0.2))
    assert (outcome.result, outcome.reason, outcome.scope) == (Result.RETRY, "timed_out", Scope.ACCOUNT)
    assert why_no_mail(outcome).startswith("no answer in time")


async def test_a_server_that_falls_silent_after_its_greeting_is_a_time_out() -> None:
    async with scripted_server(silent) as port:
        outcome = await submit(transport(port, command_timeout_s=0.2))
    assert (outcome.result, outcome.reason) == (Result.RETRY, "timed_out")


async def test_a_server_that_hangs_up_at_once_is_said() -> None:
    async with scripted_server(silent, greeting=None) as port:
        outcome = await submit(transport(port))
    assert (outcome.result, outcome.reason, outcome.scope) == (Result.RETRY, "connection_lost", Scope.ACCOUNT)
    assert why_no_mail(outcome).startswith("it closed the connection")


async def test_tls_with_a_server_that_speaks_in_the_clear_is_said() -> None:
    async with real_server(Answers()) as port:
        outcome = await submit(transport(port, security="tls"))
    assert (outcome.result, outcome.reason, outcome.scope) == (Result.RETRY, "tls_failed", Scope.ACCOUNT)
    assert "starttls" in why_no_mail(outcome)


async def test_something_that_is_no_mail_server_is_said() -> None:
    async with scripted_server(silent, greeting="HTTP/1.1 400 Bad Request") as port:
        outcome = await submit(transport(port))
    assert (outcome.result, outcome.reason) == (Result.RETRY, "unreadable_reply")
    assert why_no_mail(outcome).startswith("it does not answer as a mail server")


async def test_a_refused_login_names_neither_user_nor_password(certificate: Certificate) -> None:
    """Not even where the server repeats what it was sent."""
    sent: list[str] = []

    def repeats(line: bytes) -> Line:
        if line.startswith(b"EHLO"):
            return "250-mx\r\n250 AUTH PLAIN"
        sent.append(line.decode().split(" ")[-1])
        return f"535 5.7.8 bad credentials {sent[-1]} {PASSWORD} for {USER}"

    async with scripted_server(repeats, tls=certificate.server_context()) as port:
        sender = transport(port, context=certificate.client_context(), security="tls", user=USER, password=PASSWORD)
        outcome = await submit(sender)
    assert outcome.reason == "auth_refused"
    said = why_no_mail(outcome)
    assert said.startswith("it refused the login: are user and password right?")
    assert "535 5.7.8 bad credentials" in said
    assert not any(secret in repr(outcome) + said for secret in (PASSWORD, f" {USER}", sent[-1]))


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_password_goes_over_tls_only_and_works(certificate: Certificate, security: str) -> None:
    answers = Answers()
    async with real_server(answers, tls=certificate.server_context(), starttls=security == "starttls") as port:
        sender = transport(port, context=certificate.client_context(), security=security, user=USER, password=PASSWORD)
        outcome = await submit(sender)
        await sender.close()
    assert outcome.result is Result.ACCEPTED
    assert answers.logins == [("PLAIN", True)]


async def test_a_refused_password_is_tried_once_and_stops_the_account(certificate: Certificate) -> None:
    answers = Answers()
    async with real_server(answers, tls=certificate.server_context(), starttls=True) as port:
        sender = transport(
            port, context=certificate.client_context(), security="starttls", user=USER, password="errada"
        )
        outcome = await submit(sender)
        probed = await sender.probe()
    assert (outcome.result, outcome.reason, outcome.code) == (Result.ACCOUNT_DOWN, "auth_refused", 535)
    assert probed.result is Result.ACCOUNT_DOWN
    assert len(answers.logins) == 2
    assert answers.steps == []


async def test_a_stripped_starttls_offer_gets_neither_password_nor_message() -> None:
    said: list[bytes] = []

    def stripped(line: bytes) -> Line:
        said.append(line.split(b" ")[0])
        return "250-mx\r\n250 AUTH PLAIN LOGIN"

    async with scripted_server(stripped) as port:
        outcome = await submit(transport(port, security="starttls", user=USER, password=PASSWORD))
    assert (outcome.result, outcome.reason) == (Result.ACCOUNT_DOWN, "starttls_missing")
    assert set(said) == {b"EHLO"}


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_nobody_vouches_for_stops_the_account(certificate: Certificate, security: str) -> None:
    answers = Answers()
    async with real_server(answers, tls=certificate.server_context(), starttls=security == "starttls") as port:
        outcome = await submit(transport(port, context=ssl.create_default_context(), security=security))
    assert (outcome.result, outcome.reason) == (Result.ACCOUNT_DOWN, "certificate")
    assert answers.steps == []


async def test_starttls_put_off_is_a_retry() -> None:
    def busy(line: bytes) -> Line:
        return "250-mx\r\n250 STARTTLS" if line.startswith(b"EHLO") else "454 4.7.0 TLS not available"

    async with scripted_server(busy) as port:
        outcome = await submit(transport(port, security="starttls"))
    assert (outcome.result, outcome.scope) == (Result.RETRY, Scope.ACCOUNT)


async def test_a_server_that_offers_no_login_is_a_matter_of_set_up(certificate: Certificate) -> None:
    answers = Answers()
    server = certificate.server_context()

    async with real_server(answers, tls=server, starttls=True) as port:
        sender = transport(port, context=certificate.client_context(), security="starttls")
        assert (await sender.probe()).result is Result.ACCEPTED
    assert answers.steps == ["QUIT"]


@pytest.mark.parametrize(
    ("host", "security", "user"),
    [
        pytest.param("mx.loja.example", "none", None, id="no TLS to another machine"),
        pytest.param("10.0.0.5", "none", None, id="no TLS to the local network"),
        pytest.param("127.0.0.1", "none", "loja", id="a password without TLS"),
    ],
)
def test_accounts_that_would_speak_in_the_clear_are_refused(host: str, security: Any, user: str | None) -> None:
    with pytest.raises(ValueError, match="starttls"):
        SmtpAccount(host=host, port=25, security=security, user=user)


def test_the_password_is_not_shown() -> None:
    account = SmtpAccount(host="mx.loja.example", port=587, security="starttls", user=USER, password=PASSWORD)
    assert PASSWORD not in repr(account)


async def test_an_address_that_cannot_be_written_down_reaches_no_server() -> None:
    outcome = await transport(1).submit("a@loja.example", "joão@cliente.example", MESSAGE, before_data=Caller())
    assert (outcome.result, outcome.reason) == (Result.BAD_ADDRESS, "local_part_not_ascii")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Subject: x\r\n\r\nfim\n.\nMAIL FROM:<x@y.example>\r\n", id="lone LF"),
        pytest.param(b"Subject: x\r\n\r\nfim\r.\r\n", id="lone CR"),
        pytest.param("Subject: ação\r\n\r\n".encode(), id="not ASCII"),
    ],
)
async def test_bytes_that_could_smuggle_a_second_message_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="ASCII with CRLF"):
        await submit(transport(1), data=data)

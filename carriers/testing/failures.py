"""Checks of the kit: a carrier that refuses, fails, lies or never ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import httpx

from carriers.base import (
    Adapter,
    AnswerOutcome,
    CarrierConfigError,
    CarrierError,
    PermanentCarrierError,
    TrackingAnswer,
    TransientCarrierError,
)
from carriers.http import ATTEMPTS, ATTEMPTS_THROTTLED
from carriers.testing.kit import Kit, Question, Reply, Told
from carriers.testing.stage import CALL_LIMIT_S, NOW, Fault, Overheard, Stage, needs, secrets_of, staged, tracks

HTML = b"<!DOCTYPE html><html><body>Em manuten\xc3\xa7\xc3\xa3o</body></html>"
OTHER_SHAPES = (b"null", b"[]", b"{}", b'"texto"', b"42", b'{"x": 1}', b"[[]]", b'[{"x": 1}]')


async def _ask(stage: Stage) -> TrackingAnswer:
    ref = stage.ref()
    if ref.value not in stage.world:
        stage.tell(ref, Told(NOW, stage.kit.codes.moving))
    return (await stage.ask(ref))[ref]


async def _raises(stage: Stage, error: type[Exception], fault: Fault) -> Exception:
    stage.transport.fault = fault
    try:
        answer = await _ask(stage)
    except error as exc:
        return exc
    except Exception as exc:
        raise AssertionError(f"{type(exc).__name__} instead of {error.__name__}: {exc}") from exc
    raise AssertionError(f"{answer.outcome} instead of {error.__name__}")


def _status(status: int, **headers: str) -> Fault:
    def fault(question: Question, reply: Reply) -> Reply:
        return Reply(status, b'{"message": "nao"}', {"Content-Type": "application/json", **headers})

    return fault


async def a_refused_credential_stops(cls: type[Adapter], kit: Kit) -> None:
    """A refused credential is a CarrierConfigError: a person must act, and no waiting helps."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        await _raises(stage, CarrierConfigError, lambda question, reply: kit.refused(question))
    async with staged(cls, kit) as stage:
        await _raises(stage, CarrierConfigError, _status(401))


async def a_refused_login_stops(cls: type[Adapter], kit: Kit) -> None:
    """Where a token is asked for, refused credentials are a CarrierConfigError too."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        await _ask(stage)
        needs(stage.transport.logins)
    async with staged(cls, kit) as stage:
        stage.transport.login_fault = lambda question, reply: kit.login_refused(question)
        try:
            await _ask(stage)
        except CarrierConfigError:
            return
    raise AssertionError("a refused login is no CarrierConfigError")


async def an_ended_token_is_renewed_once(cls: type[Adapter], kit: Kit) -> None:
    """A token that the carrier refuses is renewed, once; refused again it is a CarrierConfigError."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        await _ask(stage)
        needs(stage.transport.logins)
        stage.transport.calls = 0
        stage.transport.fault = lambda question, reply: kit.refused(question) if stage.transport.calls == 1 else reply
        answer = await _ask(stage)
        assert answer.outcome is AnswerOutcome.FOUND, f"after the renewal: {answer.outcome}"
        assert stage.transport.logins == 2, f"{stage.transport.logins} logins instead of two"
        await _raises(stage, CarrierConfigError, lambda question, reply: kit.refused(question))
        assert stage.transport.logins == 3, "a fresh token that is refused is renewed again and again"


async def too_many_calls_are_waited_for(cls: type[Adapter], kit: Kit) -> None:
    """429 is asked again a few times, seconds apart, and then left to the daemon."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        await _raises(stage, TransientCarrierError, _status(429))
        assert stage.transport.calls <= ATTEMPTS_THROTTLED, f"{stage.transport.calls} calls"


async def a_long_wish_is_handed_on(cls: type[Adapter], kit: Kit) -> None:
    """`Retry-After: 3600` is not slept through: it goes to the daemon."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        error = await _raises(stage, TransientCarrierError, _status(429, **{"Retry-After": "3600"}))
        assert isinstance(error, TransientCarrierError) and error.retry_after == timedelta(hours=1)
        assert stage.transport.calls == 1, f"{stage.transport.calls} calls"


async def a_failing_carrier_is_asked_again(cls: type[Adapter], kit: Kit) -> None:
    """5xx is asked again at once; if it stays, it is a TransientCarrierError."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        await _raises(stage, TransientCarrierError, _status(503))
        assert stage.transport.calls <= ATTEMPTS, f"{stage.transport.calls} calls"
    async with staged(cls, kit) as stage:
        stage.transport.fault = lambda question, reply: Reply(502) if stage.transport.calls == 1 else reply
        assert (await _ask(stage)).outcome is AnswerOutcome.FOUND, "the second call's answer is lost"


async def silence_is_transient(cls: type[Adapter], kit: Kit) -> None:
    """A time-out, a refused connection and a broken one are TransientCarrierErrors."""
    tracks(kit)
    for broken in (httpx.ReadTimeout("slow"), httpx.ConnectError("refused"), httpx.RemoteProtocolError("cut")):

        def fault(question: Question, reply: Reply, broken: Exception = broken) -> Reply:
            raise broken

        async with staged(cls, kit) as stage:
            await _raises(stage, TransientCarrierError, fault)


async def a_page_is_an_outage(cls: type[Adapter], kit: Kit) -> None:
    """A page of HTML with status 200, or no body, is an outage of what stands before the carrier."""
    tracks(kit)
    for body in (HTML, b""):
        async with staged(cls, kit) as stage:
            answer = Reply(200, body, {"Content-Type": "text/html" if body else "application/json"})
            await _raises(stage, TransientCarrierError, lambda question, reply, answer=answer: answer)  # type: ignore[misc]


async def a_truncated_answer_is_no_answer(cls: type[Adapter], kit: Kit) -> None:
    """An answer cut in the middle is a PermanentCarrierError, never an empty history."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        await _raises(
            stage,
            PermanentCarrierError,
            lambda question, reply: Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers),
        )


async def another_shape_is_no_history(cls: type[Adapter], kit: Kit) -> None:
    """An answer of another shape is an error, of the call or of the number; never found, never "not found"."""
    tracks(kit)
    for body in OTHER_SHAPES:
        async with staged(cls, kit) as stage:
            stage.transport.fault = lambda question, reply, body=body: Reply(reply.status, body)
            try:
                outcome = (await _ask(stage)).outcome
            except (CarrierError, CarrierConfigError):
                continue
            allowed = {AnswerOutcome.ERROR} | ({AnswerOutcome.NOT_FOUND} if body in kit.nothing else set())
            assert outcome in allowed, f"{body.decode()} is read as {outcome}"


async def an_enormous_answer_is_cut(cls: type[Adapter], kit: Kit) -> None:
    """A body beyond the limit is not read to its end."""
    tracks(kit)
    async with staged(cls, kit, max_body_bytes=20_000) as stage:
        await _raises(
            stage,
            PermanentCarrierError,
            lambda question, reply: Reply(reply.status, reply.body + b" " * 30_000, reply.headers),
        )


async def an_endless_answer_is_left(cls: type[Adapter], kit: Kit) -> None:
    """A carrier that does not end its answer holds nobody up."""
    tracks(kit)

    async def fault(question: Question, reply: Reply) -> Reply:
        await asyncio.sleep(60)
        return reply

    async with staged(cls, kit, call_limit_s=CALL_LIMIT_S) as stage:
        await _raises(stage, TransientCarrierError, fault)


async def secrets_stay_secret(cls: type[Adapter], kit: Kit) -> None:
    """No credential stands in an error or a log line, even where the carrier repeats the request in its refusal."""
    tracks(kit)
    secrets = secrets_of(cls.Settings.model_validate(dict(kit.settings)))
    needs(secrets)

    def echo(status: int) -> Fault:
        def fault(question: Question, reply: Reply) -> Reply:
            told = f"refused: {dict(question.headers)} {question.body.decode('utf-8', 'replace')} {question.query}"
            return Reply(status, f'{{"message": {_quoted(told)}, "detail": {_quoted(told)}}}'.encode())

        return fault

    with Overheard() as overheard:
        for status in (200, 400, 401, 403, 404, 500):
            async with staged(cls, kit) as stage:
                stage.transport.fault = echo(status)
                said = await _said(stage)
                _assert_silent([*said, *overheard.lines], secrets)
            async with staged(cls, kit) as stage:
                stage.transport.login_fault = echo(status)
                _assert_silent([*await _said(stage), *overheard.lines], secrets)


async def _said(stage: Stage) -> Sequence[str]:
    try:
        answer = await _ask(stage)
    except (CarrierError, CarrierConfigError) as exc:
        chain: list[str] = []
        error: BaseException | None = exc
        while error is not None:
            chain += [str(error), repr(error)]
            error = error.__cause__
        return chain
    return [answer.message or ""]


def _assert_silent(lines: Sequence[str], secrets: Sequence[str]) -> None:
    for line in lines:
        for secret in secrets:
            assert secret not in line, f"a credential is told: {line.replace(secret, '[it]')[:200]}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', "'")
    return f'"{"".join(c for c in escaped if c.isprintable())}"'


CHECKS = (
    a_refused_credential_stops,
    a_refused_login_stops,
    an_ended_token_is_renewed_once,
    too_many_calls_are_waited_for,
    a_long_wish_is_handed_on,
    a_failing_carrier_is_asked_again,
    silence_is_transient,
    a_page_is_an_outage,
    a_truncated_answer_is_no_answer,
    another_shape_is_no_history,
    an_enormous_answer_is_cut,
    an_endless_answer_is_left,
    secrets_stay_secret,
)

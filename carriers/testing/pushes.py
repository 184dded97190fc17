"""Checks of the kit: what a carrier pushes."""

from __future__ import annotations

from carriers.base import Adapter, HookOutcome, HookReceiver, HookRequest, PermanentCarrierError, hook_of
from carriers.testing.kit import Kit, Push, Told
from carriers.testing.stage import NOW, Stage, needs, staged


def _hook(stage: Stage) -> HookReceiver:
    found = hook_of(stage.adapter)
    needs(found is not None)
    assert found is not None
    return found


def _request(push: Push, method: str = "POST") -> HookRequest:
    headers = {name.lower(): value for name, value in push.headers.items()}
    return HookRequest(method, headers, push.body, push.query)


def _pushed(stage: Stage) -> Push:
    ref = stage.ref()
    return stage.kit.push(ref.value, [Told(NOW, stage.kit.codes.delivered)])


async def a_signed_push_is_taken(cls: type[Adapter], kit: Kit) -> None:
    """What the carrier signs is accepted, and tells of its number."""
    async with staged(cls, kit) as stage:
        hook, push = _hook(stage), _pushed(stage)
        verdict = hook.check(_request(push))
        assert verdict.outcome is HookOutcome.ACCEPTED, f"{verdict.outcome}: {verdict.reason}"
        assert 200 <= verdict.status < 300, f"answered with {verdict.status}"
        answers = hook.read(push.body).answers
        assert stage.ref() in answers, f"it tells of {[ref.value for ref in answers]}, not of {stage.ref().value}"
        events = answers[stage.ref()].events
        assert events and events[-1].status.value == "delivered", "the delivery is not told"
        assert not answers[stage.ref()].complete, "a push tells news, not the whole history: complete=False"


async def a_forged_push_is_refused(cls: type[Adapter], kit: Kit) -> None:
    """A changed body, a changed, an empty and a missing proof are refused."""
    async with staged(cls, kit) as stage:
        hook, push = _hook(stage), _pushed(stage)
        needs(not kit.proves_in_body)
        forged = {
            "no proof": Push(push.body, {}),
            "an empty proof": Push(push.body, dict.fromkeys(push.headers, "")),
            "another proof": Push(push.body, {name: value[::-1] + "x" for name, value in push.headers.items()}),
            "a proof that is no text": Push(push.body, dict.fromkeys(push.headers, "\udcff☃")),
        }
        for what, request in forged.items():
            verdict = hook.check(_request(request))
            assert verdict.outcome is not HookOutcome.ACCEPTED, f"{what} is accepted"
            assert verdict.outcome is HookOutcome.REFUSED or not request.body, f"{what} is taken for a probe"


async def a_changed_body_is_refused(cls: type[Adapter], kit: Kit) -> None:
    """Where the proof is made over the body, a changed body is refused."""
    async with staged(cls, kit) as stage:
        hook, push = _hook(stage), _pushed(stage)
        needs(kit.proves_in_body or _proves_the_body(hook, push))
        for body in (push.body + b" ", push.body[:-1], b"", push.body.replace(b"1", b"2")):
            verdict = hook.check(_request(Push(body, push.headers)))
            assert verdict.outcome is HookOutcome.REFUSED or body == push.body, "a changed body is accepted"


def _proves_the_body(hook: HookReceiver, push: Push) -> bool:
    """A static key or Basic proves the sender only, and holds for any body."""
    return hook.check(_request(Push(b'{"another": "body"}', push.headers))).outcome is not HookOutcome.ACCEPTED


async def a_probe_is_answered(cls: type[Adapter], kit: Kit) -> None:
    """The carrier's trial of the address is answered with 2xx, and nothing of it is kept."""
    async with staged(cls, kit) as stage:
        hook = _hook(stage)
        needs(kit.probes())
        for method, push in kit.probes():
            verdict = hook.check(_request(push, method))
            assert verdict.outcome is HookOutcome.PROBE, f"{method}: {verdict.outcome} ({verdict.reason})"
            assert 200 <= verdict.status < 300, f"{method} is answered with {verdict.status}"


async def an_unreadable_push_is_an_error(cls: type[Adapter], kit: Kit) -> None:
    """A body that cannot be read is a PermanentCarrierError, whatever it is."""
    async with staged(cls, kit) as stage:
        hook = _hook(stage)
        for body in (b"", b"null", b"[]", b"{", b"\xff\xfe", b'"x"', b"42", b'{"data": []}', b"[" * 5000):
            try:
                reading = hook.read(body)
            except PermanentCarrierError:
                continue
            assert not reading.answers, f"{body[:20]!r} is read as {dict(reading.answers)}"


async def secrets_of_a_hook_stay_secret(cls: type[Adapter], kit: Kit) -> None:
    """The reason of a refusal holds neither the secret nor what was sent in its place."""
    async with staged(cls, kit) as stage:
        hook, push = _hook(stage), _pushed(stage)
        wrong = Push(push.body, dict.fromkeys(push.headers, "given-instead-of-it"))
        verdict = hook.check(_request(wrong))
        assert "given-instead-of-it" not in verdict.reason + verdict.body.decode("utf-8", "replace")


CHECKS = (
    a_signed_push_is_taken,
    a_forged_push_is_refused,
    a_changed_body_is_refused,
    a_probe_is_answered,
    an_unreadable_push_is_an_error,
    secrets_of_a_hook_stay_secret,
)

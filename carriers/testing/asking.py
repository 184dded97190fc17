"""Checks of the kit: terms, settings, numbers, batches."""

from __future__ import annotations

from pydantic import ValidationError

from carriers.base import Adapter, AnswerOutcome, CodeWord, code_word, facts_of
from carriers.registry import fault_of
from carriers.testing.kit import Kit, Told
from carriers.testing.stage import NOW, needs, secrets_of, staged, tracks


async def fits_the_registry(cls: type[Adapter], kit: Kit) -> None:
    """The class has what the registry asks for, and says how sure its facts are."""
    assert (fault := fault_of(cls.NAME, cls)) is None, f"the registry would refuse it: it {fault}"
    facts = facts_of(cls)
    assert facts is not None, "FACTS is missing: confidence, source, auth"
    assert facts.confidence in ("A", "B", "C"), "FACTS.confidence is A, B or C"
    assert facts.source and facts.auth, "FACTS names source and auth"
    assert facts.experimental or facts.confidence != "C", "facts of one program only make an adapter experimental"


async def terms_are_whole(cls: type[Adapter], kit: Kit) -> None:
    """Its terms name kinds of number, batch, pace, zone, a default of presumed loss, a reading version and a source."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        terms = stage.tracking.tracking_terms
    assert terms.ref_kinds and terms.batch_size >= 1 and terms.requests_per_second > 0
    assert terms.timezone and terms.reading_version and terms.terms_source
    assert "" in terms.presumed_loss_business_days, "presumed_loss_business_days needs a default under the empty name"


async def settings_are_strict(cls: type[Adapter], kit: Kit) -> None:
    """Settings refuse unknown keys, and what is secret does not show in them."""
    settings = cls.Settings.model_validate(dict(kit.settings))
    for secret in secrets_of(settings):
        assert secret not in repr(settings), "a secret shows in repr(settings): type it SecretStr"
    try:
        cls.Settings.model_validate({**kit.settings, "no_such_key": 1})
    except ValidationError:
        return
    raise AssertionError("unknown keys pass: model_config = ConfigDict(extra='forbid')")


async def logs_in(cls: type[Adapter], kit: Kit) -> None:
    """`log_in` says in a sentence what the credentials allow."""
    async with staged(cls, kit) as stage:
        said = await stage.adapter.log_in()
    assert said and "\n" not in said, "log_in returns one sentence"


async def numbers_are_normalised(cls: type[Adapter], kit: Kit) -> None:
    """`normalise` takes what merchants write, leaves its own form as it is, and refuses what cannot be a number."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        normalise, kinds = stage.tracking.normalise, stage.tracking.tracking_terms.ref_kinds
        for number in kit.numbers:
            ref = normalise(number)
            assert ref is not None, f"{number!r} is refused"
            assert ref.kind in kinds, f"{ref.kind} is not among the terms' ref_kinds"
            assert normalise(ref.value) == ref, f"{ref.value!r} does not stay as it is"
            assert normalise(f"  {number} ") == ref, f"blanks around {number!r} change it"
        for stranger in kit.strangers:
            assert normalise(stranger) is None, f"{stranger!r} is taken for a number"


async def one_is_asked(cls: type[Adapter], kit: Kit) -> None:
    """A batch of one is answered."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        ref = stage.ref()
        stage.tell(ref, Told(NOW, kit.codes.moving))
        answer = (await stage.ask(ref))[ref]
    assert answer.outcome is AnswerOutcome.FOUND, f"{answer.outcome}: {answer.message}"
    assert answer.ref == ref and answer.events


async def a_full_batch_is_asked(cls: type[Adapter], kit: Kit) -> None:
    """A full batch is answered number by number, and never by position."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        size = stage.tracking.tracking_terms.batch_size
        needs(size > 1)
        assert len(kit.numbers) > size, f"the kit needs more numbers than a batch holds ({size})"
        refs = [stage.ref(at) for at in range(size)]
        for at, ref in enumerate(refs):
            if at % 2:
                stage.tell(ref, Told(NOW, kit.codes.delivered, text=f"Entregue {at}"))
        answers = await stage.ask(*refs)
    for at, ref in enumerate(refs):
        wanted = AnswerOutcome.FOUND if at % 2 else AnswerOutcome.NOT_FOUND
        assert answers[ref].outcome is wanted, f"number {at} of the batch: {answers[ref].outcome}, not {wanted}"


async def more_than_a_batch_is_refused(cls: type[Adapter], kit: Kit) -> None:
    """More numbers than a batch holds raise ValueError before anything is asked."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        size = stage.tracking.tracking_terms.batch_size
        assert len(kit.numbers) > size, f"the kit needs more numbers than a batch holds ({size})"
        refs = [stage.ref(at) for at in range(size + 1)]
        try:
            await stage.ask(*refs)
        except ValueError:
            assert not stage.transport.calls, "the carrier was asked before the batch was refused"
            return
    raise AssertionError("an over-full batch was asked for")


async def one_fault_stays_alone(cls: type[Adapter], kit: Kit) -> None:
    """A number whose part cannot be read, or is not in the answer, does no harm to the others of its batch."""
    tracks(kit)
    async with staged(cls, kit) as stage:
        needs(stage.tracking.tracking_terms.batch_size > 1)
        good, spoiled = stage.ref(0), stage.ref(1)
        stage.tell(good, Told(NOW, kit.codes.moving))
        entry = kit.entry(spoiled.value, [Told(NOW, kit.codes.moving)])
        needs(isinstance(entry, dict))
        stage.world[spoiled.value] = {
            key: "?" if isinstance(value, dict | list) else value for key, value in entry.items()
        }
        answers = await stage.ask(good, spoiled)
    assert answers[good].outcome is AnswerOutcome.FOUND, f"the good one: {answers[good].outcome}"
    assert answers[spoiled].outcome is not AnswerOutcome.FOUND or kit.milestones, "the spoiled one is told as found"


async def codes_can_be_asked_about(cls: type[Adapter], kit: Kit) -> None:
    """`code_word` knows what the adapter reads and does not know what it does not read."""
    needs(kit.has_codes and hasattr(cls, "code_word"))
    async with staged(cls, kit) as stage:
        ref = stage.ref()
        stage.tell(ref, Told(NOW, kit.codes.delivered))
        known = (await stage.ask(ref))[ref].events[-1].carrier_code
    assert code_word(cls, known) is CodeWord.KNOWN, f"{known!r} is read, and code_word does not know it"
    if kit.codes.unknown is not None:
        assert code_word(cls, kit.codes.unknown) is not CodeWord.KNOWN, f"{kit.codes.unknown!r} is not read"


CHECKS = (
    fits_the_registry,
    terms_are_whole,
    settings_are_strict,
    logs_in,
    numbers_are_normalised,
    one_is_asked,
    a_full_batch_is_asked,
    more_than_a_batch_is_refused,
    one_fault_stays_alone,
    codes_can_be_asked_about,
)

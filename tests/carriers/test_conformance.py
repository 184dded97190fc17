"""Every adapter of ours passes the whole kit; and the kit finds what it is there to find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import pytest

from carriers import ssw
from carriers.base import (
    Adapter,
    AdapterFacts,
    AnswerOutcome,
    Heard,
    PermanentCarrierError,
    TrackingAnswer,
    TrackingRef,
    TrackingStatus,
)
from carriers.ssw import Ssw, SswTracking
from carriers.ssw.kit import KIT as SSW_KIT
from carriers.testing import Kit, check, kit_of
from tests.carriers.ours import our_adapters


@pytest.mark.anyio
@pytest.mark.parametrize("adapter", [pytest.param(cls, id=name) for name, cls in our_adapters().items()])
async def test_an_adapter_passes_every_check(adapter: type[Adapter]) -> None:
    report = await check(adapter, kit_of(adapter))

    assert not report.failed, str(report)
    # One that only sends cannot be asked.
    is_asked = any(one.name == "one_is_asked" and one.applies for one in report.results)
    assert len(report.passed) >= (12 if is_asked else 7), report.score
    assert report.states_meanings and kit_of(adapter).document, "the kit says what codes mean, and by which document"


class Broken(Ssw):
    """Ssw, with a fault of each kind put over its tracking by the tests."""

    fault: Any = None

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        assert isinstance(self.tracking, SswTracking)
        inner = self.tracking
        plain = inner.track

        async def track(refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
            return await type(self).fault(plain, refs)  # type: ignore[no-any-return]

        inner.track = track  # type: ignore[method-assign]


async def _hides_faults(track: Any, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
    try:
        return await track(refs)  # type: ignore[no-any-return]
    except PermanentCarrierError:
        return {ref: TrackingAnswer(ref, AnswerOutcome.FOUND, b"x") for ref in refs}


async def _says_newest_first(track: Any, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
    answers = {ref: heard.read() for ref, heard in (await track(refs)).items()}
    return {ref: replace(answer, events=answer.events[::-1]) for ref, answer in answers.items()}


async def _tells_the_password(track: Any, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
    try:
        return await track(refs)  # type: ignore[no-any-return]
    except PermanentCarrierError as exc:
        raise PermanentCarrierError("ssw", f"{exc} with {SSW_KIT.settings['password']}") from exc


async def _forgets_a_number(track: Any, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
    return {}


async def _guesses(track: Any, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
    answers = {ref: heard.read() for ref, heard in (await track(refs)).items()}
    return {
        ref: replace(
            answer,
            events=tuple(
                replace(event, status=TrackingStatus.IN_TRANSIT) if event.status is TrackingStatus.UNKNOWN else event
                for event in answer.events
            ),
        )
        for ref, answer in answers.items()
    }


async def _is_clumsy(track: Any, refs: Sequence[TrackingRef]) -> Mapping[TrackingRef, Heard]:
    answers: Mapping[TrackingRef, Heard] = await track(refs)
    for heard in answers.values():
        for event in heard.read().events:
            event.location.upper()  # type: ignore[union-attr]  # there is none where the carrier names no place
    return answers


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "found_by"),
    [
        pytest.param(_hides_faults, "a_truncated_answer_is_no_answer", id="a fault read as an empty history"),
        pytest.param(_hides_faults, "another_shape_is_no_history", id="another shape read as found"),
        pytest.param(_says_newest_first, "a_history_is_ordered", id="newest first"),
        pytest.param(_tells_the_password, "secrets_stay_secret", id="a password in an error"),
        pytest.param(_forgets_a_number, "one_is_asked", id="a number without an answer"),
        pytest.param(_guesses, "an_unknown_code_stays_unknown", id="a guess"),
        pytest.param(_is_clumsy, "hostile_values_harm_one_number", id="an error of its own"),
    ],
)
async def test_the_kit_finds_a_fault(monkeypatch: pytest.MonkeyPatch, fault: Any, found_by: str) -> None:
    monkeypatch.setattr(Broken, "fault", fault)

    report = await check(Broken, SSW_KIT, only=[found_by])

    assert [one.name for one in report.failed] == [found_by], str(report)


MEANT = "codes_mean_what_the_document_says"


@pytest.mark.anyio
@pytest.mark.parametrize("adapter", [pytest.param(cls, id=name) for name, cls in our_adapters().items()])
async def test_each_code_that_a_kit_states_is_compared(adapter: type[Adapter]) -> None:
    kit = copy(kit_of(adapter))
    kit.meanings = tuple(replace(one, status=TrackingStatus.CUSTOMS) for one in kit.meanings)

    (result,) = (await check(adapter, kit, only=[MEANT])).failed

    assert all(f"{one.code!r} ({one.text}) is read as " in result.fault for one in kit.meanings), result.fault


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("code", "read", "means"),
    [
        pytest.param("01", TrackingStatus.RETURNED, "delivered", id="a delivery"),
        pytest.param("03", TrackingStatus.DELIVERED, "returned", id="a return"),
        pytest.param("17", TrackingStatus.DELIVERED, "in_transit", id="handed to a partner"),
        pytest.param("55", TrackingStatus.EXCEPTION, "stolen", id="a robbery"),
    ],
)
async def test_a_wrong_line_of_a_code_table_is_found(
    monkeypatch: pytest.MonkeyPatch, code: str, read: TrackingStatus, means: str
) -> None:
    table = ssw.TABLE
    wrong = replace(table, codes={**table.codes, code: replace(table.codes[code], status=read)})
    monkeypatch.setattr(ssw, "TABLE", wrong)

    (result,) = (await check(Ssw, SSW_KIT, only=[MEANT])).failed

    assert (
        result.fault.startswith(f"'{code}' (") and f"is read as {read.value} and means {means} (SSW's" in result.fault
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("left", "missing"),
    [
        pytest.param({"in_transit", "lost"}, "a delivery", id="no delivery"),
        pytest.param({"delivered", "lost"}, "the way", id="nothing on its way"),
        pytest.param({"delivered", "posted"}, "trouble", id="no trouble"),
    ],
)
async def test_a_kit_states_a_delivery_the_way_and_trouble(left: set[str], missing: str) -> None:
    kit = copy(SSW_KIT)
    kit.meanings = tuple(one for one in kit.meanings if one.status.value in left)

    (result,) = (await check(Ssw, kit, only=[MEANT])).failed

    assert f"the kit states no code of {missing}" in result.fault


@pytest.mark.anyio
async def test_a_kit_that_states_no_meanings_is_told_of_in_the_score() -> None:
    kit = copy(SSW_KIT)
    kit.meanings = ()

    report = await check(Ssw, kit, only=[MEANT, "one_is_asked"])

    assert not report.failed
    assert report.score == (
        "ssw: 1 of 1 checks passed, 1 do not apply; the kit states no meanings: a code that is read wrongly is not seen"
    )


@pytest.mark.anyio
async def test_the_kit_wants_thin_facts_called_experimental(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ssw, "FACTS", AdapterFacts("C", "one client", "none"))

    report = await check(Ssw, SSW_KIT, only=["fits_the_registry"])

    assert "experimental" in str(report)


@pytest.mark.anyio
async def test_a_check_that_does_not_apply_counts_neither_way() -> None:
    report = await check(Ssw, SSW_KIT, only=["a_signed_push_is_taken", "one_is_asked"])

    assert report.score == "ssw: 1 of 1 checks passed, 1 do not apply"
    assert isinstance(SSW_KIT, Kit)

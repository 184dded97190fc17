"""Runs the checks of the kit over an adapter and says what held."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from carriers.base import Adapter
from carriers.testing import asking, failures, feeds, meanings, pushes
from carriers.testing.kit import Kit
from carriers.testing.stage import NotApplicableError

Check = Callable[[type[Adapter], Kit], Awaitable[None]]
CHECKS: tuple[Check, ...] = (*asking.CHECKS, *meanings.CHECKS, *failures.CHECKS, *pushes.CHECKS, *feeds.CHECKS)


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found. `fault` is empty where it held; `applies` is false where the carrier has nothing of the kind."""

    name: str
    what: str
    fault: str = ""
    applies: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """What every check found, in order."""

    adapter: str
    results: Sequence[Result] = field(default_factory=tuple)
    states_meanings: bool = True
    """Whether the kit says what codes mean; without it none that is read wrongly is found."""

    @property
    def failed(self) -> Sequence[Result]:
        return [one for one in self.results if one.fault]

    @property
    def passed(self) -> Sequence[Result]:
        return [one for one in self.results if one.applies and not one.fault]

    @property
    def score(self) -> str:
        applying = [one for one in self.results if one.applies]
        beside = len(self.results) - len(applying)
        left_out = f", {beside} do not apply" if beside else ""
        blind = "" if self.states_meanings else "; the kit states no meanings: a code that is read wrongly is not seen"
        return f"{self.adapter}: {len(self.passed)} of {len(applying)} checks passed{left_out}{blind}"

    def __str__(self) -> str:
        lines = [f"  {one.name}: {one.what}\n      {one.fault}" for one in self.failed]
        return "\n".join([self.score, *lines])


async def check(adapter: type[Adapter], kit: Kit, only: Sequence[str] = ()) -> Report:
    """Run every check, or those named in *only*; none stops the others, whatever the adapter raises."""
    results = []
    for one in CHECKS:
        name = one.__name__
        if only and name not in only:
            continue
        what = " ".join((one.__doc__ or name).split())
        results.append(await _result(one, name, what, adapter, kit))
    return Report(adapter.NAME, tuple(results), states_meanings=bool(kit.meanings))


async def _result(one: Check, name: str, what: str, adapter: type[Adapter], kit: Kit) -> Result:
    try:
        await one(adapter, kit)
    except NotApplicableError:
        return Result(name, what, applies=False)
    except AssertionError as exc:
        return Result(name, what, str(exc) or "it does not hold")
    except Exception as exc:  # an adapter or a kit under trial may raise anything; that is what is told
        last = traceback.extract_tb(exc.__traceback__)[-1]
        return Result(name, what, f"{type(exc).__name__}: {exc} ({last.name}, line {last.lineno} of {last.filename})")
    return Result(name, what)

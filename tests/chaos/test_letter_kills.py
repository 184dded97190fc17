"""kill -9 at every point around a claim's letter: it leaves once, or a person knows that it may have; none is unexplained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.killer import Points, launched
from tests.chaos.play import KILLED, finish
from tests.claims.letters import LEAVES, TO, by_letter, letters
from tests.end_to_end.flecha import serving
from tests.end_to_end.support import Trial, at, day, start_trial
from tests.support.forked import enter, fork
from tracker.store.tables import Alert, Claim, Letter

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

AROUND = ("claim_steps=", "letters=", "claim_facts", "smtp.mail", TO, "objeto ")
"""Of the pass in which the letter leaves the points that have one of these in their names: decided on, queued, on the wire,
saved, and heard of by the claim."""


def test_a_letter_leaves_once_wherever_the_program_dies(tmp_path: Path) -> None:
    names = points(tmp_path / "calm")
    # Right before a commit stands what stood after the last point.
    passed = [(number, name) for number, name in enumerate(names, 1) if not name.startswith("commit.before")]
    around = [number for number, name in passed if any(part in name for part in AROUND)]
    ends = {number: killed(tmp_path / str(number), number) for number in around}
    # Only from the commit of `sending` to that of what the server said does nobody know.
    sending = next(n for n in around if names[n - 1].startswith("commit.after:") and "letters=sending" in names[n - 1])
    saved = next(n for n in around if names[n - 1].startswith("commit.after:letters=sent"))
    assert ends == {number: "unconfirmed" if sending <= number < saved else "sent" for number in around}
    assert len(around) >= 10


def points(folder: Path) -> list[str]:
    """The pass in which the letter leaves, undisturbed: the names of its points."""
    listing = folder / "points.txt"
    with ExitStack() as stack:
        trial = new_trial(folder, stack)
        assert one_pass(trial, Points(listing=listing)) == 0
        assert len(letters(trial)) == 1
    return listing.read_text(encoding="utf-8").splitlines()


def killed(folder: Path, point: int) -> str:
    """The same pass killed at this point, and what the next ones make of it."""
    with ExitStack() as stack:
        trial = new_trial(folder, stack)
        assert one_pass(trial, Points((str(point),))) == KILLED
        trial.pass_through([LEAVES, at(day(6), 12)])
        letter, claim = trial.one(Letter), trial.one(Claim)
        taken = [delivery.message_id for delivery in trial.world.mail.deliveries() if delivery.recipient == TO]
        assert len(taken) <= 1 and set(taken) <= {letter["message_id"]}, f"point {point}: doubled"
        if letter["state"] == "sent":
            assert (claim["state"], claim["hold_reason"], len(taken)) == ("open", None, 1)
            assert trial.rows(Alert, kind="claim_needs_person") == []
        else:
            assert (claim["state"], claim["hold_reason"]) == ("waiting_approval", "letter"), f"point {point}"
            assert trial.one(Alert, kind="claim_needs_person")["resolved_at"] is None
        return str(letter["state"])


def new_trial(folder: Path, stack: ExitStack) -> Trial:
    """A parcel whose letter leaves in the next pass."""
    folder.mkdir()
    trial = start_trial(folder)
    stack.enter_context(trial.world)
    stack.callback(trial.close)
    trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
    by_letter(trial, stack.enter_context(serving()))
    trial.pass_at(at(day(2), 12))
    trial.clock_at(LEAVES)
    return trial


def one_pass(trial: Trial, points: Points) -> int | None:
    """One pass by a real process, watched at every point."""
    return finish(fork(_watched, points.chosen, points.listing, trial.environment, trial.folder, trial.config))


def _watched(chosen: Sequence[str], listing: Path | None, env: Mapping[str, str], folder: Path, config: Path) -> None:
    enter(env, folder)
    launched(Points(chosen, listing), ["run", "--once", "-c", str(config)], folder / "clock", folder / "run.log")

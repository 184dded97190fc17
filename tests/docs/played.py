"""A shop that has been watched for a week, at whose keyboard every command of the documents can be typed.

Live, it is so since day 5: what began before waits for a person, what began later has left. One carrier has an API, the other
takes letters: of its two claims one is with it and one waits. The simulated carrier and mail server answer.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner, Result

from tests.claims.letters import by_letter
from tests.docs.typed import words_of
from tests.end_to_end.flecha import GOOD, LATE, serving
from tests.end_to_end.support import Trial, at, day, of_fate, start_trial
from tracker.cli.main import app
from tracker.sandbox.plan import Fate
from tracker.sandbox.world import orders_csv
from tracker.store.tables import Claim, Delivery, Problem, ShipmentRef

NOW: Final = at(day(9), 10)
LATE_ORDER: Final = of_fate(Fate.LATE_OPEN)
LOST: Final = of_fate(Fate.LOST_CODED)
DELIVERED: Final = of_fate(Fate.ON_TIME)
FREE_CODE: Final = "AA123456785BR"
"""Well formed, and no parcel's."""
_FATES: Final = (Fate.LATE_OPEN, Fate.LOST_CODED, Fate.DAMAGED, Fate.ON_TIME, Fate.UNKNOWN_CODE)
_WATCHED: Final = (2, 3, 5, 6, 7, 9)


@dataclass
class Played:
    """The shop as it stands at ten on day 9."""

    trial: Trial
    kept: Path
    here: dict[str, str] = field(default_factory=dict)
    """What stands as an example in the documents, and what there is of it in this shop."""
    here_for: dict[str, dict[str, str]] = field(default_factory=dict)
    """What a command needs otherwise than the rest, by its name."""

    def words(self, name: str, command: str) -> list[str]:
        """The words to type for a command of a document: its examples replaced by what there is here."""
        known: Mapping[str, str] = {**self.here, **self.here_for.get(name, {})}
        typed, head = words_of(command, known), len(name.split())
        return [*typed[:head], *(known.get(word, word) for word in typed[head:])]

    def types(self, words: Sequence[str]) -> Result:
        """Type it in the shop's folder, with nothing but what the document says."""
        environment = {**self.trial.environment, "SUDO_USER": "fulana", "TRACKER_CONFIG": "", "STATE_DIRECTORY": ""}
        return CliRunner().invoke(app, list(words), env=environment)

    def put_back(self) -> None:
        """As it was before anybody typed anything; its folder is where the next command is typed."""
        for place in self.trial.folder.iterdir():
            if place.name != "world":
                shutil.rmtree(place) if place.is_dir() else place.unlink()
        shutil.copytree(self.kept, self.trial.folder, dirs_exist_ok=True)
        self.trial.clock_at(NOW)
        os.chdir(self.trial.folder)


@contextmanager
def played(folder: Path, *, live: bool) -> Iterator[Played]:
    """The shop in this folder, live or still observing; its world stands open meanwhile."""
    shop = folder / "shop"
    shop.mkdir(parents=True)
    before = Path.cwd()
    with serving() as flecha, pytest.MonkeyPatch.context() as patch:
        trial = start_trial(shop, *(of_fate(fate) for fate in _FATES))
        first = trial.carrier
        by_letter(trial, flecha, numbers=(LATE, GOOD), mode="propose")
        trial.settings["carriers"].insert(0, first)
        trial.carrier["claims"]["mode"] = "propose"
        trial.shop["digest"] = {"to": ["dona@aurora.example"], "at": "07:00"}
        del trial.shop["live_from"]
        if live:
            trial.shop["live_from"] = day(5)
        # The second carrier's adapter is installed as any third party's is.
        patch.setattr(sys, "path", [*sys.path, *map(str, trial.plugins)])
        with trial.world:
            trial.settings["messages"]["email"]["port"] = trial.world.smtp_port
            trial.drop_orders()
            trial.pass_through(at(day(number), 9) for number in _WATCHED)
            made = Played(trial, folder / "kept")
            if live:
                _one_letter_is_sent(made)
            _name_what_there_is(made)
            (shop / "pedidos.csv").write_bytes(orders_csv(trial.world.plan, LATE_ORDER.order.shipped_on))
            (shop / "usb").mkdir()
            trial.close()
            shutil.copytree(shop, made.kept, ignore=shutil.ignore_patterns("world"))
            try:
                yield made
            finally:
                os.chdir(before)


def _one_letter_is_sent(made: Played) -> None:
    claim = made.trial.rows(Claim, carrier="flecha")[0]["id"]
    said = made.types(["approve", f"C{claim}", "-c", str(made.trial.config)])
    assert said.exit_code == 0, said.output
    made.trial.pass_at(at(day(9), 9, 30))


def _name_what_there_is(made: Played) -> None:
    trial = made.trial
    shipments = {row["value"]: row["shipment_id"] for row in trial.rows(ShipmentRef)}
    problems = {row["subject_id"]: f"P{row['id']}" for row in trial.rows(Problem)}
    claims = {row["shipment_id"]: f"C{row['id']}" for row in trial.rows(Claim)}
    late, lost = shipments[LATE_ORDER.code], shipments[LOST.code]
    held = f"M{trial.rows(Delivery, state='awaiting_person')[0]['id']}"
    made.here = {
        **dict.fromkeys(("10001", "ORDER", "N", "WHAT"), LATE_ORDER.order.number),
        **dict.fromkeys(("P12", "ID"), problems[late]),
        **dict.fromkeys(("C7", "C8"), claims[late]),
        **dict.fromkeys(("M3", "M26", "M48"), held),
        **dict.fromkeys(("CODE", FREE_CODE), LATE_ORDER.code),
        **dict.fromkeys(("TRIGGER", "T"), "delay_detected"),
        **dict.fromkeys(("DATE", "D"), f"{day(8):%Y-%m-%d}"),
        "S5": f"S{late}",
        "A2": "A1",
        "X": trial.shop["id"],
        "RIGHT": FREE_CODE,
        "(41) 99999-1234": LATE_ORDER.order.customer.phone,
        **dict.fromkeys(("ADDRESS", "EMAIL_OR_DOCUMENT"), LATE_ORDER.order.customer.email),
        "HOW": "found",
        "WHEN": "7d",
        "WHY": "o cliente ligou",
        "FILE...": "pedidos.csv",
        "/etc/shipment-tracker/config.yaml": "config.yaml",
    }
    letter_waits = claims[shipments[GOOD]]
    made.here_for = {
        "approve": {"ID": claims[late]},
        "reject": {"ID": claims[late]},
        "release": dict.fromkeys(("ID", "P12"), problems[lost]),
        "edit": {"...": "outra@example.com", FREE_CODE: FREE_CODE},
        "mute": {"ana@example.com": LATE_ORDER.order.customer.email, "DATE": f"{day(12):%Y-%m-%d}"},
        "claims letter": {"C7": letter_waits},
        "claims sent": {"C7": letter_waits},
        "claims answer": {"C7": claims[shipments[LATE]], "DATE": f"{day(9):%Y-%m-%d}"},
        "report-problem": dict.fromkeys(("CODE", FREE_CODE), DELIVERED.code),
        "suppress": {"ID": trial.shop["id"], "...": "pediu"},
        "alerts ack": {"...": "estamos vendo"},
        "db copy": dict.fromkeys(("URL", "postgresql://loja@db.example/loja"), f"sqlite:///{trial.folder / 'copy.db'}"),
        "db backup": {"N": "3", "FILE": "one.bak", "DIR": "usb", "/mnt/usb": "usb"},
    }

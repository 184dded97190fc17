"""A shop moves to PostgreSQL in the middle of its work and goes on there: nothing is filed or told twice, nothing is left out."""

from __future__ import annotations

from collections import Counter

from tests.end_to_end.support import Start, Trial, at, day, of_fate
from tests.support.schema import prepare
from tracker.sandbox.plan import Fate
from tracker.store.tables import Claim, Delivery

FATES = (Fate.LATE_DELIVERED, Fate.LATE_OPEN, Fate.LOST_CODED)
BEFORE, AFTER = (2, 4), (6, 8, 11)


def move(trial: Trial, url: str) -> None:
    """Copy the database by the command and let the configuration name the new one."""
    copied = trial.command("db", "copy", "--to", url)
    assert copied.returncode == 0, copied.stderr
    old = trial.command("run", "--once")
    assert old.returncode == 2 and "was copied to" in old.stderr
    trial.close()
    trial._opened.clear()
    trial.settings["database"]["url"] = url
    trial.write_config()


def test_a_shop_goes_on_in_its_new_database(start: Start, postgres_url: str) -> None:
    prepare(postgres_url)
    trial = start(*(of_fate(fate) for fate in FATES))
    trial.drop_orders()
    trial.pass_through(at(day(n), 10) for n in BEFORE)
    told, filed = len(trial.told()), len(trial.attempts())
    rows = {name: len(found) for name, found in trial.dump().items()}
    move(trial, postgres_url)
    assert {name: len(found) for name, found in trial.dump().items()} == rows
    # The same instant once more, in the new place: nothing of it is news there.
    once = trial.command("run", "--once")
    assert once.returncode == 0, once.stderr
    assert (len(trial.told()), len(trial.attempts())) == (told, filed)
    trial.pass_through(at(day(n), 10) for n in AFTER)
    assert told < len(trial.told()) and filed < len(trial.attempts())
    assert max(Counter(message_id for _, message_id in trial.told()).values()) == 1
    assert len(trial.told()) == len(trial.rows(Delivery, state="sent"))
    registered = trial.world.correios.desk.ledger()["registrations"]
    assert registered and all(len(numbers) == 1 for numbers in registered.values())
    assert {claim["protocol"] for claim in trial.rows(Claim)} >= {number for (number,) in registered.values()}

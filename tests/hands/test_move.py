"""`tracker edit --carrier`: a parcel goes to another account with all that is known of it."""

from __future__ import annotations

import pytest

from tests.claims.letters import LEAVES, by_letter
from tests.end_to_end.flecha import LATE, Flecha
from tests.end_to_end.flecha import flecha as flecha
from tests.end_to_end.support import Start, Trial, at, day
from tests.hands.support import one_line
from tracker.store.tables import Claim, Event, OperatorAct, Shipment, ShipmentPoll


def two_accounts(trial: Trial, flecha: Flecha) -> Trial:
    by_letter(trial, flecha)
    first = trial.settings["carriers"][0]
    other = {**first, "id": "flecha-sul", "adapter": "flecha"}
    other["base_url"] = first["base_url"].replace("127.0.0.1", "localhost")
    trial.settings["carriers"].append(other)
    return trial


def test_a_parcel_goes_to_another_account_with_its_history(start: Start, flecha: Flecha) -> None:
    trial = two_accounts(start(), flecha)
    trial.pass_through([at(day(2), 12), LEAVES])
    assert (trial.one(Claim)["carrier"], trial.one(Claim)["state"]) == ("flecha", "open")
    moved = trial.command("edit", LATE, "--carrier", "flecha-sul", "--reason", "conta errada")
    assert one_line(moved.stdout) == (
        "S1 (order F1): flecha -> flecha-sul; what is known of it stays, flecha-sul is asked now;"
        " C1 was filed with flecha: it stays there"
    )
    flecha.show(LATE, (9, at(day(6), 8), "D1"))  # the other account knows nothing of what was before
    trial.pass_at(at(day(6), 12))
    told = [(row["carrier_code"], row["told_by"], row["vanished_at"]) for row in trial.rows(Event)]
    assert told == [("B1", "flecha", None), ("C1", "flecha", None), ("D1", None, None)]
    assert (trial.one(Shipment)["carrier"], trial.one(ShipmentPoll)["carrier"]) == ("flecha-sul", "flecha-sul")
    assert trial.one(ShipmentPoll)["outcome"] == "found"
    assert trial.one(Claim)["carrier"] == "flecha"
    shown = trial.command("show", LATE).stdout
    assert shown.count("[de flecha]") == 2
    act = trial.one(OperatorAct)["facts"]
    assert (act["field"], act["was"], act["now"]) == ("carrier", "flecha", "flecha-sul")
    trial.drop("again.csv", (trial.folder / "inbox" / "done" / "flecha.csv").read_bytes())
    trial.pass_at(at(day(6), 13))
    assert len(trial.rows(Shipment)) == 1


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        pytest.param([LATE, "--carrier", "nada"], 2, "there is no such carrier", id="nobody's account"),
        pytest.param([LATE, "--carrier", "flecha"], 0, "has this code already: nothing to correct", id="where it is"),
        pytest.param(
            [LATE, "--carrier", "flecha-sul", "--email", "a@example.com"],
            2,
            "name what to correct",
            id="two things at once",
        ),
    ],
)
def test_what_cannot_be_moved(start: Start, flecha: Flecha, arguments: list[str], exit_code: int, says: str) -> None:
    trial = two_accounts(start(), flecha)
    trial.pass_at(at(day(2), 12))
    done = trial.command("edit", *arguments)
    assert done.returncode == exit_code
    assert says in done.stdout + done.stderr

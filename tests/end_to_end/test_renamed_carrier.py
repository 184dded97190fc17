"""A carrier's id is what its shipments are known by: renaming it leaves them behind, and that is said."""

from __future__ import annotations

from tests.end_to_end.support import Start, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import Alert, ShipmentPoll


def test_shipments_of_a_carrier_that_is_gone_from_the_configuration_raise_an_alert(
    start: Start, database_url: str
) -> None:
    trial = start(of_fate(Fate.ON_TIME), url=database_url)
    trial.drop_orders()
    trial.pass_at(at(day(2), 9))
    trial.carrier.update({"id": "ect", "adapter": "correios"})
    trial.pass_through([at(day(3), 9), at(day(3), 13)])
    trial.pass_at(at(day(4), 9))
    alert = trial.one(Alert, kind="carrier_unconfigured")
    assert (alert["severity"], alert["resolved_at"]) == ("critical", None)
    assert "1 open shipments belong to the carrier correios" in alert["summary"]
    trial.carrier.update({"id": "correios"})
    trial.pass_at(at(day(5), 9))
    assert trial.one(Alert, kind="carrier_unconfigured")["resolved_at"] is not None
    assert trial.one(ShipmentPoll)["last_answered_at"] == at(day(5), 9)

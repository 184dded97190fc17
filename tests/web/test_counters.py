"""What the stages count as they work: one shop's passes in process, against the simulated world."""

from __future__ import annotations

import pytest

from tests.end_to_end.support import Start, at, day, of_fate
from tracker.metrics import REGISTRY
from tracker.sandbox.plan import Fate
from tracker.store.tables import Claim, Delivery, Event


class Since:
    """Counters since this moment: the registry is the process's, and other tests count too."""

    def __init__(self) -> None:
        self._before = self._all()

    @staticmethod
    def _all() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }

    def of(self, name: str, **labels: str) -> float:
        key = (f"tracker_{name}_total", frozenset(labels.items()))
        return self._all().get(key, 0) - self._before.get(key, 0)


def test_looks_events_claims_and_messages_are_counted_as_they_stand_in_the_database(start: Start) -> None:
    late, unread = of_fate(Fate.LATE_OPEN), of_fate(Fate.UNKNOWN_CODE)
    trial = start(late, unread)
    trial.drop_orders()
    since = Since()
    trial.pass_through(at(day(number)) for number in range(2, 13))
    events = trial.rows(Event)
    assert since.of("looks", carrier="correios", outcome="found") > 2
    assert since.of("new_events", carrier="correios") == len(events)
    assert since.of("unknown_events", carrier="correios") == sum(row["status"] == "unknown" for row in events) > 0
    claim = trial.one(Claim)
    assert since.of("claim_moves", carrier="correios", state="planned") == 1
    assert since.of("claim_moves", carrier="correios", state=claim["state"]) >= 1
    sent = [row for row in trial.rows(Delivery) if row["state"] == "sent"]
    assert since.of("mails", outcome="accepted") == len(sent) == len(trial.told()) > 0
    assert since.of("messages", trigger="delay_detected", state="queued") == 1
    assert since.of("messages", trigger="delay_detected", state="sent") == 1
    assert since.of("alerts_told", sink="log", outcome="accepted") >= 1  # the unknown code


@pytest.mark.parametrize(
    ("fault", "reason"),
    [pytest.param("500", "no_answer", id="no answer"), pytest.param("429", "throttled", id="too many calls")],
)
def test_calls_without_an_answer_are_counted_by_why(start: Start, fault: str, reason: str) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.drop_orders()
    trial.world.faults.next(fault, count=100, path="/srorastro")
    since = Since()
    trial.pass_at(at(day(2)))
    assert since.of("carrier_call_failures", carrier="correios", family="tracking", reason=reason) == 1
    assert since.of("looks", carrier="correios", outcome="found") == 0


def test_refused_credentials_are_counted(start: Start) -> None:
    trial = start(of_fate(Fate.ON_TIME))
    trial.drop_orders()
    trial.world.faults.refuse_credentials = True
    since = Since()
    trial.pass_at(at(day(2)))
    assert since.of("carrier_call_failures", carrier="correios", family="tracking", reason="refused") == 1

"""What this process has done since it started, counted for `/metrics`. `docs/metrics.md` lists every name with its labels.

Counting is one line where the thing happens. Labels hold what the configuration or our own words name (a lane, a carrier
account, an outcome), never a parcel, a customer or a carrier's code: so their number stays small for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics

from tracker.domain.outcome import Result

# Each counter would come with a second series that says when it was made: the process's start says the same.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY: Final = CollectorRegistry(auto_describe=False)
"""Of the process, like its log."""


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"tracker_{name}", meaning, labels, registry=REGISTRY)


_LANE_RUNS = _counter("lane_runs", "Runs of a lane that ended, by how: done, failed, cut_off.", "lane", "outcome")
_LANE_SECONDS = _counter("lane_seconds", "Seconds spent in runs of a lane.", "lane")
_LANE_ROWS = _counter("lane_rows", "Rows that runs of a lane worked on.", "lane")
_LOOKS = _counter("looks", "Parcels looked at, by the carrier's answer.", "carrier", "outcome")
_NEW_EVENTS = _counter("new_events", "Tracking events recorded for the first time.", "carrier")
_UNKNOWN_EVENTS = _counter("unknown_events", "Recorded events whose code nobody reads.", "carrier")
_CALL_FAILURES = _counter(
    "carrier_call_failures",
    "Calls to a carrier that got no answer, by why: no_answer, throttled, unreadable, refused (the credentials).",
    "carrier",
    "family",
    "reason",
)
_HOOK_REQUESTS = _counter(
    "hook_requests",
    "Requests to a carrier's hook: accepted, repeated (kept already), probe, refused, unavailable (not kept; sent again).",
    "carrier",
    "outcome",
)
_HOOK_READINGS = _counter(
    "hook_readings",
    "Kept deliveries that were read: read, unmatched (numbers nobody knows), unreadable.",
    "carrier",
    "outcome",
)
_CLAIM_MOVES = _counter("claim_moves", "Claims that came into a state.", "carrier", "state")
_MESSAGES = _counter("messages", "Messages that came into a state.", "trigger", "state")
_MAILS = _counter("mails", "Tries to hand a mail to the server, by its answer.", "outcome")
_ALERTS_TOLD = _counter("alerts_told", "Tries to tell a sink of an alert, by its answer.", "sink", "outcome")
_RESCUED = _counter("lanes_rescued", "Lanes that this process took over from one that gave no sign of life.")
_RELOADS = _counter("reloads", "Configurations read again on SIGHUP: accepted or rejected.", "outcome")


def lane_ended(lane: str, outcome: str, seconds: float, rows: int = 0) -> None:
    """One run of a lane ended: `done`, `failed` or `cut_off`."""
    _LANE_RUNS.labels(lane, outcome).inc()
    _LANE_SECONDS.labels(lane).inc(max(seconds, 0.0))
    _LANE_ROWS.labels(lane).inc(rows)


def looked(carrier: str, outcomes: Mapping[str, int], events_added: int) -> None:
    """One batch of parcels was looked at."""
    for outcome, number in outcomes.items():
        _LOOKS.labels(carrier, outcome).inc(number)
    _NEW_EVENTS.labels(carrier).inc(events_added)


def unknown_events(carrier: str, number: int) -> None:
    """Events were recorded whose code nobody reads."""
    _UNKNOWN_EVENTS.labels(carrier).inc(number)


def call_failed(carrier: str, family: str, reason: str) -> None:
    """A call got no answer: `no_answer`, `throttled`, `refused`, or `unreadable` (a round of which nothing could be read)."""
    _CALL_FAILURES.labels(carrier, family, reason).inc()


HOOK_REQUESTS: Final = ("accepted", "repeated", "probe", "refused", "unavailable")
HOOK_READINGS: Final = ("read", "unmatched", "unreadable")


def hook_asked(carrier: str, outcome: str) -> None:
    """A request came to a hook: one of `HOOK_REQUESTS`."""
    _HOOK_REQUESTS.labels(carrier, outcome).inc()


def hook_read(carrier: str, outcome: str, events_added: int = 0) -> None:
    """A delivery was read: one of `HOOK_READINGS`."""
    _HOOK_READINGS.labels(carrier, outcome).inc()
    _NEW_EVENTS.labels(carrier).inc(events_added)


def begin_hooks(carriers: Iterable[str]) -> None:
    """As `begin`, for the accounts that have a hook."""
    for carrier in carriers:
        for outcome in HOOK_REQUESTS:
            _HOOK_REQUESTS.labels(carrier, outcome)
        for outcome in HOOK_READINGS:
            _HOOK_READINGS.labels(carrier, outcome)


def claim_moved(carrier: str, state: str) -> None:
    """A claim came into this state."""
    _CLAIM_MOVES.labels(carrier, state).inc()


def message_moved(trigger: str, state: str) -> None:
    """A message came into this state."""
    _MESSAGES.labels(trigger, state).inc()


def mail_answered(outcome: str) -> None:
    """The mail server answered a try."""
    _MAILS.labels(outcome).inc()


def alert_told(sink: str, outcome: str) -> None:
    """A sink took an alert, or did not. *sink* is its name; only its kind (`webhook`) becomes a label."""
    _ALERTS_TOLD.labels(sink.partition(":")[0], outcome).inc()


def lanes_rescued(number: int) -> None:
    """Lanes of a dead process were taken over."""
    _RESCUED.inc(number)


def reloaded(outcome: str) -> None:
    """The configuration was read again: `accepted` or `rejected`."""
    _RELOADS.labels(outcome).inc()


def begin(lanes: Iterable[str]) -> None:
    """Show what can be counted from the start: a counter that appears with its first fault hides that fault from `rate`."""
    for lane in lanes:
        for outcome in ("done", "failed", "cut_off"):
            _LANE_RUNS.labels(lane, outcome)
        _LANE_SECONDS.labels(lane)
        _LANE_ROWS.labels(lane)
    for outcome in ("accepted", "rejected"):
        _RELOADS.labels(outcome)
    for result in Result:
        _MAILS.labels(result.value)

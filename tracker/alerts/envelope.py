"""An alert, or several, as every sink is told of them: `{id, kind, severity, key, summary, details, raised_at, resolved_at}`.

One alert alone keeps its own id, key and details. Of several, `id` is the first one's, `key` says what they have in common,
and `details` has `count`, the first few as envelopes without details (`alerts`), and all ids (`ids`). What is not a first
telling says so in `details.again`: worsened, returned, reminder, summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tracker.domain.alerting import RANK, Tone
from tracker.store.alerts import AlertRow

FIRST_FEW: Final = 10
MAX_IDS: Final = 1_000
SUMMARY_CHARS: Final = 300
"""Of one alert among several."""
NAMED: Final = 3
"""So many alerts of a group are named in its summary."""
_PLAIN: Final = frozenset({Tone.RAISED, Tone.RESOLVED})
_SAID: Final[Mapping[Tone, str]] = {
    Tone.RAISED: "{count} alerts",
    Tone.WORSENED: "{count} alerts got worse",
    Tone.RETURNED: "{count} alerts still stand",
    Tone.REMINDER: "{count} alerts still stand",
    Tone.RESOLVED: "{count} alerts are over",
    Tone.SUMMARY: "{count} alerts were held back, {over} of them over by now",
}


def envelope(alert: AlertRow, tone: Tone = Tone.RAISED) -> dict[str, Any]:
    """One alert; the end of one carries `resolved_at`."""
    resolved = alert.resolved_at if tone is Tone.RESOLVED else None
    again = {} if tone in _PLAIN else {"again": tone.value}
    return {
        "id": f"A{alert.id}",
        "kind": alert.kind,
        "severity": alert.severity,
        "key": alert.key,
        "summary": alert.summary,
        "details": {**alert.details, **again},
        "raised_at": _utc(alert.raised_at),
        "resolved_at": _utc(resolved) if resolved else None,
    }


def envelope_of(alerts: Sequence[AlertRow], over: frozenset[int], kind: str, tone: Tone) -> dict[str, Any]:
    """What a notification says of these alerts, oldest first; *over* are the ids of those whose end it tells."""
    if len(alerts) == 1:
        (alert,) = alerts
        return envelope(alert, Tone.RESOLVED if alert.id in over else tone)
    said = _SAID[tone].format(count=len(alerts), over=len(over))
    named = "; ".join(_short(alert.summary) for alert in alerts[:NAMED])
    more = len(alerts) - NAMED
    again = {} if tone in _PLAIN else {"again": tone.value}
    ended = [alert.resolved_at for alert in alerts if alert.id in over and alert.resolved_at is not None]
    few = [_brief(alert, alert.id in over) for alert in alerts[:FIRST_FEW]]
    return {
        "id": f"A{alerts[0].id}",
        "kind": kind or "several",
        "severity": max((alert.severity for alert in alerts), key=RANK.__getitem__),
        "key": f"group:{kind or 'several'}",
        "summary": f"{said}{f' ({kind})' if kind else ''}: {named}" + (f"; and {more} more" if more > 0 else ""),
        "details": {
            "count": len(alerts),
            "alerts": few,
            "ids": [f"A{alert.id}" for alert in alerts[:MAX_IDS]],
            **again,
        },
        "raised_at": _utc(min(alert.raised_at for alert in alerts)),
        "resolved_at": _utc(max(ended)) if len(ended) == len(alerts) else None,
    }


def _brief(alert: AlertRow, is_over: bool) -> dict[str, Any]:
    whole = envelope(alert, Tone.RESOLVED if is_over else Tone.RAISED)
    del whole["details"]
    return {**whole, "summary": _short(alert.summary)}


def _short(text: str) -> str:
    return text if len(text) <= SUMMARY_CHARS else f"{text[: SUMMARY_CHARS - 1]}…"


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

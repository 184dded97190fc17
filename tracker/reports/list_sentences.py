"""What a list says in whole sentences: why a message stands as it does, what an alert tells. Pure.

The store keeps them in English, as the log does; in Portuguese they are said anew from the codes beside them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.suppression import REASON
from tracker.domain.words import DeliveryState
from tracker.reports import words_pt as pt
from tracker.reports.list_words import PORTUGUESE, ListLanguage
from tracker.reports.story_now_pt import ALERTS

Line = Mapping[str, Any]
_ENDED = {
    DeliveryState.EXPIRED.value: "já era velha demais para avisar",
    DeliveryState.UNCONFIRMED.value: "o servidor de e-mail não confirmou",
}
_SAID = {
    "superseded: it is no longer true of any parcel": "já não vale para nenhum pacote",
    "the order was cancelled": "o pedido foi cancelado",
    "no fresh news of the parcel: its next look is overdue by more than two hours": "espera notícia nova do pacote",
    "the order has another e-mail address now: it goes there": "vai para o novo e-mail do pedido",
    "the order has another e-mail address now": "foi para o novo e-mail do pedido",
    "the same parcel's delay is told first, and this some hours after it": "o atraso é contado antes",
}
"""What the messages' stages write down as a whole sentence."""


def sentences(kind: str, line: Line, language: ListLanguage) -> Line:
    """The line of a list with its sentence in the reader's language."""
    if language is not PORTUGUESE:
        return line
    if kind == "messages":
        return {**line, "reason": _why(line)}
    if kind == "alerts":
        return {**line, "summary": f"{means(line['kind'])} {line['summary']}"}
    return line


def counted(shown: Sequence[Line], language: ListLanguage) -> str:
    """What stands below a list of alerts: `4 alerts, 2 open (1 critical, 1 warning), 1 of them acknowledged`."""
    standing = [line for line in shown if line["resolved_at"] is None]
    by_severity = Counter(line["severity"] for line in standing)
    severities = ", ".join(
        f"{by_severity[name]} {language.word('alerts.severity', name)}"
        for name in ("critical", "warning", "info")
        if by_severity[name]
    )
    acked = sum(line["acked_at"] is not None for line in standing)
    if language is PORTUGUESE:
        total = f"{len(shown)} {'aviso' if len(shown) == 1 else 'avisos'}, {len(standing)} sem resolver"
        noted = f", {acked} com ciência" if acked else ""
    else:
        total = f"{len(shown)} {'alert' if len(shown) == 1 else 'alerts'}, {len(standing)} open"
        noted = f", {acked} of them acknowledged" if acked else ""
    return total + (f" ({severities})" if severities else "") + noted


def means(alert: str) -> str:
    """What a kind of alert says."""
    return ALERTS.get(f"alert.{alert}", ALERTS["alert.*"])


def _why(line: Line) -> str | None:
    """Why a message has not left, or did not come through; a server's own words stay as they are."""
    if line["hold_reason"]:
        return pt.say(pt.HOLD, line["hold_reason"])
    reason = line["reason"]
    if line["state"] in _ENDED:
        return _ENDED[line["state"]]
    if reason in _SAID:
        return _SAID[reason]
    if reason and reason.startswith(REASON):
        return f"o endereço não recebe mais e-mails: {pt.say(pt.SMTP, reason.removeprefix(REASON))}"
    token, _, words = (reason or "").partition(":")
    said = pt.SMTP.get(token)
    return f"{said}:{words}" if said and words else said or reason

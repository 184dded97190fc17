"""Every word that a list may show has a short Portuguese one, and each says one thing."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from carriers.base import Cause, ClaimKind, ProblemKind
from tracker.config.words import RELEASED_TRIGGERS
from tracker.domain.alert_kinds import ALERT_KINDS, Severity
from tracker.domain.detection import RESOLUTIONS
from tracker.domain.incidents import Scope
from tracker.domain.words import ClaimState, DeliveryState, Hold
from tracker.messages.compose import TOO_OLD, WAITS_FOR
from tracker.reports.list_sentences import means, sentences
from tracker.reports.list_words import ENGLISH, PORTUGUESE, coded
from tracker.reports.tables import COLUMNS


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("problems.kind", ProblemKind),
        ("problems.cause", Cause),
        ("problems.resolution", RESOLUTIONS),
        ("claims.state", ClaimState),
        ("claims.hold_reason", Hold),
        ("claims.kind", ClaimKind),
        ("messages.state", DeliveryState),
        ("messages.hold_reason", Hold),
        ("messages.trigger", RELEASED_TRIGGERS),
        ("alerts.severity", Severity),
        ("incidents.scope", [*Scope, "everywhere"]),
    ],
)
def test_no_word_is_missing(key: str, words: Iterable[str]) -> None:
    assert {str(word) for word in words} <= {str(word) for word in PORTUGUESE.words[key]}
    assert all(ENGLISH.word(key, word) == word for word in words)


def test_every_heading_is_said() -> None:
    headings = {column.heading for columns in COLUMNS.values() for column in columns}
    assert headings - set(PORTUGUESE.headings) == {"ID"}


@pytest.mark.parametrize(
    ("key", "words"),
    [("problems.kind", ProblemKind), ("claims.state", ClaimState), ("messages.state", DeliveryState)],
)
def test_a_filter_takes_the_word_that_is_shown(key: str, words: Iterable[str]) -> None:
    for word in words:
        assert coded(key, PORTUGUESE.words[key][word].upper()) == word
    assert coded(key, "teletransportado") is None


def test_sentences_of_messages() -> None:
    line = {"hold_reason": None, "state": "queued", "reason": None}
    for english in WAITS_FOR.values():
        assert sentences("messages", line | {"reason": english}, PORTUGUESE)["reason"] != english
    for changes, said in (
        ({"hold_reason": "muted", "state": "awaiting_person"}, "pedido silenciado à mão"),
        ({"state": "expired", "reason": TOO_OLD}, "já era velha demais para avisar"),
        (
            {"state": "suppressed", "reason": "the address is suppressed: mailbox_full"},
            "o endereço não recebe mais e-mails",
        ),
        ({"state": "bounced", "reason": "no_such_mailbox"}, "o endereço não existe"),
        ({"state": "bounced", "reason": "no_such_mailbox: 550 unknown"}, "o endereço não existe: 550 unknown"),
        ({"state": "failed", "reason": "451 strange"}, "451 strange"),
    ):
        assert str(sentences("messages", line | changes, PORTUGUESE)["reason"]).startswith(said)
        assert sentences("messages", line | changes, ENGLISH) == line | changes


def test_every_alert_says_what_it_is() -> None:
    assert all(means(kind) for kind in ALERT_KINDS)

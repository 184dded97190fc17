"""`python -m tests.docs.hostile`: writes docs/hostile-inputs.md anew from the tables of the tests that try them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.carriers.correios.test_tracking import test_a_poisoned_object_does_not_sink_the_others as objects
from tests.carriers.correios.test_tracking_calls import test_failures_are_typed as calls
from tests.carriers.test_http import test_every_outcome_has_its_error as answers
from tests.config import test_carrier_keys as carrier_keys
from tests.config import test_faults as config
from tests.config.test_yaml_file import test_what_cannot_be_read_is_located as yaml
from tests.docs.typed import ROOT
from tests.events.test_hostile_answers_store import HOSTILE as EVENTS
from tests.intake.test_hostile_files import HOSTILE as FILES
from tests.messages.test_email_message import test_addresses_no_mail_can_go_to as addresses
from tests.messages.test_email_message import test_what_could_smuggle_headers_in_is_refused as headers
from tests.messages.test_hostile_templates import test_a_hostile_text_has_one_sentence_with_its_line as texts
from tests.messages.test_smtp import test_a_hostile_reply_has_its_outcome_and_harmless_words as replies
from tests.messages.test_smtp import test_what_a_failure_at_each_point_means as failures

PAGE = ROOT / "docs" / "hostile-inputs.md"
HEAD = """# What harms nothing

Inputs that are broken or made to harm, and what is said of each: one sentence, or a part of it (`…`). Everything else goes on:
the other orders of a file, the other parcels of a batch, the other messages, the configuration that works. This page is written
from the tests that try every row (`python -m tests.docs.hostile`).
"""
Row = tuple[str, str]


def rows(test: Callable[..., Any], said: Callable[..., str]) -> Iterator[Row]:
    """Each row of a test's table: its name, and what is said of it."""
    # The one of the rows; another may only say under which conditions all of them are tried.
    marks = [mark for mark in test.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    table = max(marks, key=lambda mark: _names(mark).count(","))
    for row in table.args[1]:
        values = row.values if hasattr(row, "values") else row if isinstance(row, tuple) else (row,)
        name = row.id if hasattr(row, "id") else None
        yield str(name or values[0]), said(*values)


def _names(mark: Any) -> str:
    named = mark.args[0]
    return named if isinstance(named, str) else ",".join(named)


def of_config(*values: Any) -> str:
    said = values[-1]
    return "; ".join(said) if isinstance(said, list) else str(said)


def tables() -> dict[str, list[Row]]:
    """By class of input."""
    faults: Iterable[Callable[..., Any]] = (
        config.test_one_fault,
        config.test_one_fault_in_what_may_be_left_out,
        config.test_one_fault_of_a_shop,
        config.test_one_fault_of_a_carrier,
        carrier_keys.test_the_very_key_is_named,
        config.test_a_file_that_is_no_configuration,
        config.test_rules_between_keys,
    )
    return {
        "The configuration": [
            *(row for fault in faults for row in rows(fault, of_config)),
            *rows(yaml, lambda _text, line, what: f"{line}: {what}"),
        ],
        "Files of orders": [(name, one.says) for name, one in FILES.items()],
        "Texts of messages": list(rows(texts, lambda _name, _source, sentence: sentence)),
        "Headers of mails": list(rows(headers, lambda _changes, error: error)),
        "Addresses": list(rows(addresses, lambda _address, reason: reason)),
        "Replies of mail servers": [
            *rows(replies, lambda _answers, result, reply: f"{result.value}: {reply}"),
            *rows(failures, lambda _answers, result, _commits: result.value),
        ],
        "Answers of carriers": [
            *rows(calls, lambda _outcome, _error, says, _calls: says),
            *rows(answers, lambda _outcome, for_reads, _for_writes: for_reads.__name__),
            *rows(objects, lambda _poison: "object cannot be read: …"),
            *((name, "kept as far as it fits") for name in EVENTS),
        ],
    }


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for heading, found in tables().items():
        lines = [f"| {cell(name)} | {cell(said)} |" for name, said in found]
        parts.append("\n".join([f"## {heading}", "", "| input | what is said |", "| --- | --- |", *lines, ""]))
    return "\n".join(parts)


def cell(text: str) -> str:
    """A text as a table of Markdown takes it."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;") or "…"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

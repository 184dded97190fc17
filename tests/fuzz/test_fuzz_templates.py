"""Made-up templates and values: never anything but a fault with its line, or a whole and harmless message.

A few examples by default; `FUZZ_MINUTES=5` hammers each test for so long.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.messages.strict_mail import read
from tracker.messages.email_message import build_message
from tracker.messages.lint import file_faults
from tracker.messages.sandbox import MAX_TEMPLATE, TemplateFault
from tracker.messages.templates import Rendered, Templates
from tracker.messages.text_file import MAX_OUTPUT, checked_file, written
from tracker.messages.variables import TRIGGERS, Kind, prepared

pytestmark = pytest.mark.fuzz

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
FEW = settings(
    max_examples=300 if MINUTES else 40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not MINUTES,
    database=None,
)


def fuzzed(test: Callable[[], None]) -> Callable[[], None]:
    """A few examples, the same each time; with `FUZZ_MINUTES` fresh ones again and again until the time is over."""

    few = FEW(test)

    def run() -> None:
        until = time.monotonic() + 60 * MINUTES
        few()
        while time.monotonic() < until:
            few()

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


NAMES = sorted(
    {name for known in TRIGGERS.values() for name in known.by_name} | {"loop", "self", "cpf", "range", "none"}
)
PIECES = st.one_of(
    st.sampled_from(
        [
            *("{{", "}}", "{%", "%}", "{#", "#}", "{% if ", "{% endif %}", "{% for x in rastreios %}", "{% endfor %}"),
            *(
                "{% else %}",
                "{% elif ",
                " and ",
                " or ",
                " not ",
                "|",
                "|default('x')",
                "|join(', ')",
                "|upper",
                "(",
                ")",
                "[",
            ),
            *(
                "]",
                ".",
                "__class__",
                "'",
                '"',
                "*",
                "**",
                "~",
                "==",
                " is none",
                "{% raw %}",
                "{% endraw %}",
                "\r\n",
                "\n",
                "-%}",
            ),
            *(
                "<script>",
                "<a href='http://x'>",
                "<p>",
                "&",
                "\x00",
                "\u2028",
                "é",
                "🎁",
                "{% set x = 1 %}",
                "{% include 'x' %}",
            ),
        ]
    ),
    st.sampled_from(NAMES),
    st.text(max_size=8),
)
SOURCES = st.lists(PIECES, max_size=40).map("".join)
VALUES = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.text(min_size=900, max_size=1500),
    st.sampled_from(["\r\nBcc: x@y.z", "=?utf-8?q?x?="]),
)


def values_for(draw: Any, trigger: str) -> dict[str, Any]:
    """Hostile values for all that is text."""
    found: dict[str, Any] = {}
    for name, variable in TRIGGERS[trigger].by_name.items():
        if variable.kind is Kind.TEXT:
            found[name] = draw(VALUES)
        elif variable.kind is Kind.LIST:
            found[name] = draw(st.lists(st.text(max_size=30), max_size=120))
    return found


@fuzzed
@given(
    data=st.data(),
    source=SOURCES,
    part=st.sampled_from(["subject.txt", "txt", "html"]),
    trigger=st.sampled_from(list(TRIGGERS)),
)
def test_a_made_up_template_is_a_fault_or_a_bounded_text(data: Any, source: str, part: str, trigger: str) -> None:
    known = TRIGGERS[trigger]
    raw = source.encode("utf-8", "surrogatepass")
    stream, _, faults = checked_file(raw, file="f", stem=trigger, part=part, known=known)
    assert (stream is None) is bool(faults)
    for fault in faults:
        assert 1 <= fault.line <= source.count("\n") + source.count("\r") + 1 and fault.message
    if stream is None:
        return
    values = values_for(data.draw, trigger) | {"loja": "Loja", "pedido": "1"}
    try:
        text = written(stream, prepared(known, values), "f")
    except TemplateFault as fault:
        assert fault.file == "f"
        return
    assert len(text.encode("utf-8", "surrogatepass")) <= MAX_OUTPUT
    assert "object at 0x" not in text and "<class" not in text


@fuzzed
@given(
    raw=st.one_of(
        st.binary(max_size=300), st.binary(min_size=1, max_size=4).map(lambda one: one * (MAX_TEMPLATE // len(one) + 1))
    )
)
def test_any_bytes_are_a_text_or_a_fault(raw: bytes) -> None:
    for fault in file_faults(raw, name="posted.email.txt", file="f"):
        assert str(fault).startswith("f:") and "\n" not in str(fault)


@fuzzed
@given(data=st.data(), trigger=st.sampled_from(list(TRIGGERS)), language=st.sampled_from(["pt-BR", "en"]))
def test_packaged_texts_with_made_up_values_are_strict_messages(data: Any, trigger: str, language: str) -> None:
    values = values_for(data.draw, trigger)
    values |= {"loja": f"L{data.draw(st.text(max_size=60))}", "pedido": f"1{data.draw(st.text(max_size=60))}"}
    rendered = Templates(None).render(trigger, values, shop="exemplo", language=language)
    mail = read(_message(rendered, data.draw(VALUES)))
    assert mail.shown(b"subject") == rendered.subject
    assert mail.text.replace("\r\n", "\n") == rendered.text
    assert b"bcc" not in mail.headers


@fuzzed
@given(subject=st.text(max_size=150), name=VALUES)
def test_any_subject_and_name_are_a_strict_head_or_refused(subject: str, name: str | None) -> None:
    try:
        data = _message(Rendered(subject, "Oi\n", "<p>Oi</p>"), name)
    except ValueError:
        return  # a subject of several lines is our own fault, and fails closed
    mail = read(data)
    assert mail.shown(b"subject").split() == subject.split()


def _message(rendered: Rendered, name: str | None) -> bytes:
    return build_message(
        rendered,
        sender="Loja São João <pos-venda@loja.example>",
        reply_to=None,
        recipient="marina@cliente.example",
        recipient_name=name,
        message_id="<0123456789abcdef0123456789abcdef@loja.example>",
        date=datetime(2026, 11, 23, 13, 5, 57, tzinfo=UTC),
        trigger="posted",
        shop="aurora",
        entity_ref="0123456789abcdef",
    )

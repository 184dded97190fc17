from __future__ import annotations

import io
import json
import logging
import os
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from tracker.clock import FileClock, FrozenClock
from tracker.errors import ProgramError
from tracker.log import configure, get_logger

CLOCK = FrozenClock(datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure(CLOCK, stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def logged(stream: io.StringIO, **facts: Any) -> dict[str, Any]:
    get_logger().info("thing.done", **facts)
    return lines(stream)[-1]


def test_a_line_is_json_with_the_fixed_keys_first(stream: io.StringIO) -> None:
    get_logger("x", carrier="um").info("poll.done", events_added=3, carrier_code="BDE-01")
    assert list(json.loads(stream.getvalue()).items()) == [
        ("timestamp", "2026-11-24T12:00:00.123Z"),
        ("level", "info"),
        ("event", "poll.done"),
        ("carrier", "um"),
        ("events_added", 3),
        ("carrier_code", "BDE-01"),
    ]


def test_what_is_bound_to_the_task_stands_in_the_line(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(lane="alerts"):
        assert logged(stream)["lane"] == "alerts"
    assert "lane" not in logged(stream)


def test_a_logger_made_before_follows_a_new_configuration(stream: io.StringIO) -> None:
    log = get_logger()
    log.info("first.done")
    later = io.StringIO()
    configure(CLOCK, later, level=logging.WARNING)
    log.info("second.done")
    log.warning("third.done")
    assert [line["event"] for line in lines(stream) + lines(later)] == ["first.done", "third.done"]


@pytest.mark.parametrize(
    ("force_json", "no_color", "coloured"),
    [
        pytest.param(False, None, True, id="a terminal has colours"),
        pytest.param(False, "1", False, id="NO_COLOR is honoured"),
        pytest.param(True, None, False, id="JSON where it is asked for"),
    ],
)
def test_a_terminal(monkeypatch: pytest.MonkeyPatch, force_json: bool, no_color: str | None, coloured: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    stream = Terminal()
    configure(CLOCK, stream, force_json)
    get_logger().info("poll.done", email="ana@example.com")
    assert ("\x1b[" in stream.getvalue()) is coloured
    assert stream.getvalue().startswith("{") is force_json
    assert "ana@example.com" not in stream.getvalue()


SECRETS = {
    "e-mail": "ana.b+x@loja.com.br",
    "e-mail in an address": "ana%40loja.com.br",
    "CPF": "529.982.247-25",
    "CPF as digits": "52998224725",
    "CPF half written": "529982247-25",
    "CNPJ": "12.345.678/0001-95",
    "CNPJ as digits": "12345678000195",
    "CNPJ with letters": "12ABC34501DE35",
    "CNPJ with letters and signs": "12.ABC.345/01DE-35",
    "mobile": "(41) 99999-1234",
    "mobile with country": "+55 41 99999-1234",
    "landline": "41 3333-1234",
    "bearer": "Bearer abc.def-123",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "access key": "cws-ch1_AbC123xyz",
    "database password": "postgresql://tracker:hunter2@db/tracker",
    "password in a sentence": "password=hunter2, retry",
    "refresh token in a form": "grant_type=refresh_token&refresh_token=hunter2&client_id=1",
    "token in a query": "https://host/x?token=hunter2&y=1",
    "invoice key": "41260912345678000195550010000001231000001234",
}
PLANTED = (
    "ana",
    "loja.com.br",
    "529",
    "982247",
    "345678",
    "0195",
    "ABC",
    "99999",
    "3333",
    "abc.def",
    "eyJ",
    "ch1_",
    "hunter2",
    "123100",
)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("form", ["value", "inside a sentence", "nested", "key", "event"])
def test_planted_secrets_do_not_come_out(stream: io.StringIO, secret: str, form: str) -> None:
    forms: dict[str, dict[str, Any]] = {
        "value": {"reason": secret},
        "inside a sentence": {"reason": f"refused ({secret})."},
        "nested": {"reason": [{"inner": (secret,)}]},
        "key": {"reason": {secret: 1}},
        "event": {},
    }
    get_logger().warning(secret if form == "event" else "thing.refused", **forms[form])
    logging.getLogger("library").warning("refused: %s", secret)
    printed = stream.getvalue()
    assert len(lines(stream)) == 2
    assert [part for part in PLANTED if part in printed] == []


@pytest.mark.parametrize(
    "key",
    "password smtp_password access_token accessToken Authorization api_key access_code recipient customer_name to_address "
    "cpf email posting_card set-cookie phone secret_file".split(),
)
@pytest.mark.parametrize("value", ["hunter two", 1234, ["Rua das Flores, 1"]], ids=["text", "number", "list"])
def test_values_of_private_keys_are_hidden(stream: io.StringIO, key: str, value: Any) -> None:
    assert logged(stream, **{key: value})[key] == "[hidden]"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        pytest.param("tracking_code", "AN120000118BR", "AN120000118BR", id="a tracking code"),
        pytest.param("protocol", "210000001", "210000001", id="a protocol"),
        pytest.param("host", "192.168.100.12", "192.168.100.12", id="an IPv4 address"),
        pytest.param("shipment_id", 4_294_967_297, 4_294_967_297, id="an id beyond 32 bits"),
        pytest.param("elapsed_ms", 12.5, 12.5, id="a duration"),
        pytest.param("due_on", date(2026, 11, 24), "2026-11-24", id="a day"),
        pytest.param("at", datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC), "2026-11-24T01:02:03+00:00", id="an instant"),
        pytest.param("customer_since", "2026-11-24", "2026-11-24", id="a date about a customer"),
        pytest.param("lane", "detect#3", "detect#3", id="a lane"),
        pytest.param("path", Path("data/tracker.db"), "data/tracker.db", id="a path"),
        pytest.param("code", "ABCDEFGHIJKL99", "ABCDEFGHIJKL99", id="fourteen characters that are no CNPJ"),
        pytest.param("has_email", True, True, id="whether there is one"),
        pytest.param("document", 52998224725, "[hidden]", id="a CPF as a number under its name"),
        pytest.param("seen", 52998224725, "[digits]", id="a CPF as a number under any name"),
        pytest.param("error", TimeoutError("too slow"), "TimeoutError: too slow", id="an exception"),
    ],
)
def test_facts_stay_readable(stream: io.StringIO, key: str, value: Any, expected: Any) -> None:
    assert logged(stream, **{key: value})[key] == expected


@pytest.mark.parametrize("lane", ["messages:email", "poll:secret", "claims:token", "intake:phone#0", "detect#3"])
def test_rows_counted_by_lane_stay_readable(stream: io.StringIO, lane: str) -> None:
    """A lane is named by a channel, a carrier account or a folder; that name says nothing about a number under it."""
    assert logged(stream, worked={lane: 3})["worked"] == {lane: 3}
    assert logged(stream, worked={lane: 52998224725})["worked"] == {lane: "[digits]"}
    assert logged(stream, worked={lane: "ana@example.com"})["worked"][lane] in {"[e-mail]", "[hidden]"}


def failing(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as exc:
        return exc


@pytest.mark.parametrize(
    ("error", "last_line"),
    [
        pytest.param(ValueError("Maria da Silva"), "ValueError", id="a value it stumbled over"),
        pytest.param(KeyError("Maria da Silva"), "KeyError", id="a key"),
        pytest.param(
            ProgramError("write to ana@loja.com.br"), "ProgramError: write to [e-mail]", id="a sentence of ours"
        ),
        pytest.param(TypeError("int expected"), "TypeError: int expected", id="a fault of the program"),
        pytest.param(OSError(28, "No space left"), "OSError: [Errno 28] No space left", id="the machine's fault"),
    ],
)
def test_tracebacks_quote_no_values(stream: io.StringIO, error: Exception, last_line: str) -> None:
    get_logger().error("lane.failed", exc_info=failing(error, ValueError("Rua das Flores")))
    exception = lines(stream)[0]["exception"]
    assert exception.splitlines()[-1] == last_line
    assert "in failing" in exception
    assert "Maria" not in exception
    assert "Flores" not in exception
    assert exception.splitlines()[0] == "ValueError"


def test_every_error_of_a_group_is_told(stream: io.StringIO) -> None:
    group = ExceptionGroup("two", [TypeError("one"), failing(RuntimeError("other"))])
    get_logger().error("lane.failed", exc_info=failing(group))
    assert "TypeError: one" in lines(stream)[0]["exception"]
    assert "RuntimeError: other" in lines(stream)[0]["exception"]


def test_the_details_of_a_postgresql_error_stay_out(stream: io.StringIO, postgres_url: str) -> None:
    engine = create_engine(postgres_url, hide_parameters=True)
    with pytest.raises(IntegrityError) as caught, engine.begin() as connection:
        connection.execute(text("CREATE TABLE buyer (name text UNIQUE)"))
        for _ in range(2):
            connection.execute(text("INSERT INTO buyer VALUES (:name)"), {"name": "Maria da Silva"})
    engine.dispose()
    get_logger().error("lane.failed", exc_info=caught.value)
    assert "buyer_name_key" in stream.getvalue()
    assert "Maria" not in stream.getvalue()


def test_libraries_speak_from_warning_on(stream: io.StringIO) -> None:
    logging.getLogger("apscheduler.scheduler").info("looking for jobs")
    logging.getLogger("apscheduler.scheduler").warning("skipped %s", "job")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old call", DeprecationWarning, stacklevel=1)
    first, second = lines(stream)
    assert (first["event"], first["level"], first["logger"]) == ("library.logged", "warning", "apscheduler.scheduler")
    assert first["message"] == "skipped job"
    assert second["event"] == "python.warned"
    assert "old call" in second["message"]


@pytest.mark.parametrize(
    ("level", "name"),
    [(35, "warning"), (45, "error"), (99, "critical")],
    ids=["above warning", "above error", "beyond all"],
)
def test_levels_of_a_library_s_own_become_standard_ones(stream: io.StringIO, level: int, name: str) -> None:
    logging.getLogger("library").log(level, "hello")
    assert [line["level"] for line in lines(stream)] == [name]


def test_a_library_s_broken_sentence_still_comes_out() -> None:
    logging.getLogger().handlers.clear()  # the test runner's own handler refuses such a line
    stream = io.StringIO()
    configure(CLOCK, stream)
    logging.getLogger("library").warning("%d shipments", "many")
    assert [line["message"] for line in lines(stream)] == ["%d shipments"]


def test_configuring_twice_prints_a_library_s_line_once(stream: io.StringIO) -> None:
    configure(CLOCK, stream)
    logging.getLogger("library").error("down")
    assert len(lines(stream)) == 1


def test_a_broken_clock_file_does_not_silence_the_log(tmp_path: Path) -> None:
    stream = io.StringIO()
    configure(FileClock(tmp_path / "absent"), stream)
    get_logger().error("lane.failed")
    assert lines(stream)[0]["event"] == "lane.failed"
    assert datetime.fromisoformat(lines(stream)[0]["timestamp"]).year >= 2026


def test_a_lost_stream_does_not_stop_the_work(stream: io.StringIO) -> None:
    stream.close()
    get_logger().info("thing.done")
    assert stream.closed


def test_a_huge_value_is_cut(stream: io.StringIO) -> None:
    assert len(logged(stream, reason="palavra " * 100_000)["reason"]) <= 4_000


def test_lines_for_the_journal_carry_their_priority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal"
    with path.open("w", encoding="utf-8") as journal:
        stat = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{stat.st_dev}:{stat.st_ino}")
        configure(CLOCK, journal)
        get_logger().info("poll.done")
        get_logger().critical("engine.gave_up")
    marks = [line.partition("{")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    assert marks == ["<6>", "<2>"]


@pytest.mark.parametrize("journal", ["", "1:2", "nonsense"])
def test_lines_for_anything_else_are_json_alone(
    journal: str, stream: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service's standard error that was sent to a file keeps JOURNAL_STREAM in its environment."""
    monkeypatch.setenv("JOURNAL_STREAM", journal)
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as target:
        configure(CLOCK, target)
        get_logger().error("lane.failed")
    configure(CLOCK, stream)
    get_logger().error("lane.failed")
    assert path.read_text(encoding="utf-8") == stream.getvalue()
    assert json.loads(stream.getvalue())["event"] == "lane.failed"

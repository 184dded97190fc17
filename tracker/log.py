"""Log lines: one JSON object a line on standard error, or colours on a terminal.

Keys `timestamp`, `level`, `event` come first, then facts. Every line, also those of libraries, goes through
`tracker.redaction`. `docs/logs.md` lists the events.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from tracker.clock import Clock, ClockFileError, SystemClock
from tracker.redaction import exception_text, redact_value

_PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
FIRST_KEYS: Final = ("timestamp", "level", "event")


def configure(clock: Clock, stream: TextIO | None = None, force_json: bool = False, level: int = logging.INFO) -> None:
    """Set up logging for the whole process; may be called again.

    Args:
        clock: dates the lines: the machine's, or the trial's.
        stream: where they go (default: standard error).
        force_json: JSON also on a terminal.
        level: the lowest level of our own lines; libraries speak from WARNING on.
    """
    target = stream if stream is not None else sys.stderr
    terminal = target.isatty() and not force_json
    structlog.configure(
        processors=_processors(clock, _console() if terminal else _journal_line if _is_journal(target) else _json_line),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _Tolerant(target))),
        # Loggers are made at import; a cached one would keep the first configuration for ever.
        cache_logger_on_first_use=False,
    )
    _route_libraries()


def get_logger(name: str | None = None, **facts: Any) -> FilteringBoundLogger:
    """A logger whose lines carry *facts*. Safe to call before `configure`."""
    logger = structlog.get_logger(**facts) if name is None else structlog.get_logger(name, **facts)
    return cast(FilteringBoundLogger, logger)


def _processors(clock: Clock, renderer: Processor) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _Timestamp(clock),
        _render_exception,
        _redact,
        _order,
        renderer,
    ]


class _Timestamp:
    """Dates a line by the clock the program works by."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._machine = SystemClock()

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        try:
            now = self._clock.now()
        except ClockFileError:
            # Whoever works by this clock fails with the reason, and that very line must still get out.
            now = self._machine.now()
        event["timestamp"] = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event


def _render_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    elif given is True:
        given = sys.exc_info()[1]
    if isinstance(given, BaseException):
        event["exception"] = exception_text(given)
    return event


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {
        key: value if key in ("timestamp", "level") else redact_value(str(key), value) for key, value in event.items()
    }


def _order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    head = {key: event[key] for key in FIRST_KEYS if key in event}
    return head | {key: value for key, value in event.items() if key not in head}


def _json_line(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _journal_line(logger: WrappedLogger, method: str, event: MutableMapping[str, Any]) -> str:
    """The line with its priority before it, as sd-daemon(3) describes: the journal takes it off and files the line by it."""
    return f"<{_PRIORITIES.get(str(event.get('level')), 6)}>{_json_line(logger, method, event)}"


def _is_journal(target: TextIO) -> bool:
    """Whether this stream is the journal's own, as JOURNAL_STREAM says (systemd.exec(5)); one sent elsewhere is not."""
    try:
        stat = os.fstat(target.fileno())
    except (OSError, ValueError):  # io.UnsupportedOperation is both
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


def _console() -> Processor:
    # Exceptions arrive as text: the pretty renderer would print local variables, customers included.
    return structlog.dev.ConsoleRenderer(
        colors=not os.environ.get("NO_COLOR"), exception_formatter=structlog.dev.plain_traceback, sort_keys=False
    )


class _Tolerant:
    """A stream whose loss does not stop the work: when standard error is gone there is nowhere left to say so."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):  # broken pipe, full disk; ValueError: the stream is closed
            return 0

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


class _FromLibraries(logging.Handler):
    """Puts what libraries log through the standard library into our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        event = "python.warned" if record.name == "py.warnings" else "library.logged"
        # Libraries may have levels of their own; ours are the standard ones.
        level = min(max(record.levelno // 10 * 10, logging.WARNING), logging.CRITICAL)
        facts = {"logger": record.name, "message": _text_of(record), "exc_info": record.exc_info}
        structlog.get_logger().log(level, event, **facts)


def _text_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # the library's arguments do not fit its own sentence
        return str(record.msg)


def _route_libraries() -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _FromLibraries)]:
        root.removeHandler(handler)
    root.addHandler(_FromLibraries(logging.WARNING))
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)

"""Tells the service manager how the daemon is: one datagram a message, as sd_notify(3) describes. No dependency."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import Final

from tracker.clock import monotonic_usec
from tracker.log import get_logger

log = get_logger(__name__)

BEATS_PER_WATCHDOG: Final = 3
"""Half the time would do (sd_watchdog_enabled(3)); a third leaves room for one lost beat."""


class Notifier:
    """Sends to the address it is given; without one, every call does nothing."""

    def __init__(
        self,
        address: str | None,
        watchdog_s: float | None = None,
        monotonic_usec: Callable[[], int] = monotonic_usec,
    ) -> None:
        """
        Args:
            address: a path, or `@` and an abstract name. None: there is no service manager.
            watchdog_s: within how many seconds it wants a sign of life. None: it does not.
            monotonic_usec: CLOCK_MONOTONIC in microseconds.
        """
        self._address = _socket_address(address)
        self._watchdog_s = watchdog_s if self._address is not None else None
        self._monotonic_usec = monotonic_usec
        self._status = ""
        self._is_failing = False

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Notifier:
        """What systemd put into the environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID."""
        return cls(env.get("NOTIFY_SOCKET"), _watchdog_s(env))

    @property
    def beat_every_s(self) -> float | None:
        """How often `watchdog` wants to be called; None: never."""
        return None if self._watchdog_s is None else self._watchdog_s / BEATS_PER_WATCHDOG

    def ready(self, status: str) -> None:
        """The start, or a reload, is complete."""
        self._status = status
        self._send("READY=1", f"STATUS={status}")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; sent when it changes."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def watchdog(self) -> None:
        """A sign of life; only to be given when the work itself is alive."""
        if self._watchdog_s is not None:
            self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={self._monotonic_usec()}")

    def stopping(self, status: str) -> None:
        """The work is being put down."""
        self._status = status
        self._send("STOPPING=1", f"STATUS={status}")

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        message = "\n".join(line.replace("\n", " ") for line in lines).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                # A manager that does not read must not hold up the loop: a lost beat is better than a late one.
                channel.setblocking(False)
                channel.sendto(message, self._address)
        except OSError as exc:
            if not self._is_failing:
                log.warning("notify.failed", error=type(exc).__name__, reason=exc.strerror)
            self._is_failing = True
        else:
            self._is_failing = False


def _socket_address(address: str | None) -> bytes | None:
    if not address:
        return None
    if address.startswith("@"):
        return b"\0" + os.fsencode(address[1:])
    if address.startswith("/"):
        return os.fsencode(address)
    log.warning("notify.unsupported", scheme=address.partition(":")[0])
    return None


def _watchdog_s(env: Mapping[str, str]) -> float | None:
    wanted = env.get("WATCHDOG_USEC", "")
    if not wanted.isdecimal() or int(wanted) == 0:
        return None
    # Set for a parent that started us: not our watchdog.
    if env.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(wanted) / 1_000_000

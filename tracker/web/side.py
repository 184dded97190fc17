"""A listener, the operator's or the public one, while the daemon lives: taken at the start, moved on a reload, let go at last."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from typing import Final

from starlette.types import ASGIApp

from tracker.web.address import host_and_port
from tracker.web.server import USUAL, Limits, Listener

KEY: Final = "web.operator"


class ListenerSide:
    """At most one listener at a time, for the address that the configuration names."""

    def __init__(
        self,
        pages: Callable[[Collection[str]], ASGIApp],
        on_failure: Callable[[str], None],
        *,
        key: str = KEY,
        limits: Limits = USUAL,
    ) -> None:
        """
        Args:
            pages: makes the application for a listener that may be called by these names.
            on_failure: called where a listener ends by itself.
            key: the address's key in the configuration.
            limits: what the listener lends to its callers.
        """
        self._key = key
        self._limits = limits
        self._pages = pages
        self._on_failure = on_failure
        self._current: Listener | None = None

    def take(self, address: str | None) -> Listener | None:
        """The listener for this address: the present one where it stays, else a new one that answers nothing yet.

        None: no listener is wanted. Raises ListenerError; the present one then goes on.
        """
        if address is None:
            return None
        if self._current is not None and self._current.address == address:
            return self._current
        return Listener(self._key, address, self._limits)

    async def switch(self, to: Listener | None) -> None:
        """Answer on this one from now on, and let the present one go."""
        before, self._current = self._current, to
        if to is before:
            return
        if to is not None:
            names = {host_and_port(to.address)[0].lower(), socket.gethostname().lower()}
            to.serve(self._pages(names), self._on_failure)
        if before is not None:
            await before.close()

    async def drop(self, listener: Listener | None) -> None:
        """Let go of one that was taken and is not wanted after all; the present one goes on."""
        if listener is not None and listener is not self._current:
            await listener.close()

    async def close(self) -> None:
        """Let the address go."""
        await self.switch(None)

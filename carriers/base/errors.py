"""What went wrong between the daemon and a carrier.

Errors (all name the carrier and say what to do)::

    CarrierError                  this request, this time
        TransientCarrierError     time-out, refused connection, 408, 429, 5xx: ask again later
            AnswerLostError       the request may have arrived, its answer did not: look before asking again
        PermanentCarrierError     400, unreadable payload: a person looks, the round goes on
    CarrierConfigError            401, 403 after one renewal, contract ended: stop this API family, tell a person
"""

from __future__ import annotations

from datetime import timedelta


class CarrierError(Exception):
    """A carrier did not do what it was asked; says who, what, and the HTTP status where there was one."""

    def __init__(self, carrier: str, message: str, http_status: int | None = None) -> None:
        super().__init__(f"{carrier}: {message}")
        self.carrier = carrier
        self.message = message
        self.http_status = http_status


class TransientCarrierError(CarrierError):
    """Ask again later; `retry_after` is the carrier's own wish where it named one."""

    def __init__(
        self, carrier: str, message: str, http_status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(carrier, message, http_status)
        self.retry_after = retry_after


class AnswerLostError(TransientCarrierError):
    """The request left and no readable answer came: what was asked for may have happened."""


class PermanentCarrierError(CarrierError):
    """Asking again is of no use: a refused request or an answer that cannot be read."""


class CarrierConfigError(Exception):
    """Credentials or contract do not allow this; stands outside `CarrierError` so that no wide `except` swallows it."""

    def __init__(self, carrier: str, message: str, http_status: int | None = None) -> None:
        super().__init__(f"{carrier}: {message}")
        self.carrier = carrier
        self.message = message
        self.http_status = http_status

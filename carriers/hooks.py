"""What every carrier's push shares: only a POST with the right proof is taken, and a body that cannot be read is said so."""

from __future__ import annotations

from collections.abc import Callable

from carriers.base import FeedReading, HookOutcome, HookRequest, HookVerdict, PermanentCarrierError

Proof = Callable[[HookRequest], bool]
"""Whether a request is the carrier's: compared in constant time over the raw body (`carriers.signatures.same`)."""


class ProvenHook:
    """A `HookReceiver`. *reason* says of a refusal what did not fit; *read* may raise ValueError, KeyError, TypeError or
    AttributeError; *is_probe* tells the carrier's own trials of the address; *acknowledged* is what the carrier wants to hear.
    """

    def __init__(
        self,
        carrier: str,
        *,
        proof: Proof,
        reason: str,
        read: Callable[[bytes], FeedReading],
        is_probe: Proof | None = None,
        acknowledged: bytes = b"",
    ) -> None:
        self._carrier = carrier
        self._proof, self._reason = proof, reason
        self._read = read
        self._is_probe = is_probe
        self._acknowledged = acknowledged

    def check(self, request: HookRequest) -> HookVerdict:
        """See `HookReceiver`."""
        if self._is_probe is not None and self._is_probe(request):
            return HookVerdict(HookOutcome.PROBE)
        if request.method != "POST":
            return HookVerdict(HookOutcome.REFUSED, 405, reason="not a POST")
        if not self._proof(request):
            return HookVerdict(HookOutcome.REFUSED, 401, reason=self._reason)
        return HookVerdict(HookOutcome.ACCEPTED, body=self._acknowledged)

    def read(self, payload: bytes) -> FeedReading:
        """See `EventFeed`."""
        try:
            return self._read(payload)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise PermanentCarrierError(self._carrier, f"a push cannot be read ({type(exc).__name__})") from exc

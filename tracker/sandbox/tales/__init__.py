"""What happens to a parcel of each fate, by family; `write` tells it into a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tracker.sandbox.plan import Fate
from tracker.sandbox.script import Script
from tracker.sandbox.tales import dates, delivery, news, returns, trouble

Teller = Callable[[Script, int], None]
_TELLERS: Mapping[Fate, Teller] = {
    **delivery.TELLERS,
    **returns.TELLERS,
    **trouble.TELLERS,
    **dates.TELLERS,
    **news.TELLERS,
}


def write(fate: Fate, script: Script, variant: int) -> None:
    """Fill *script* with all that happens to a parcel of *fate*; *variant* picks among its forms."""
    teller = _TELLERS.get(fate)
    if teller is None:
        return  # never posted, of another contract, or a code that cannot exist: nothing is ever shown
    script.post()
    teller(script, variant)

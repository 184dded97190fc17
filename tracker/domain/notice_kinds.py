"""What each trigger is: how old its news may be, what it is counted as, and whether a second copy does harm. Pure data.

`docs/messages.md` shows this as one table with the reasons, and a test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tracker.domain.words import Trigger

MAX_AGE_HOURS: Final[Mapping[Trigger, int]] = MappingProxyType(
    {
        Trigger.ORDER_THANKED: 48,
        Trigger.POSTED: 24,
        Trigger.IN_TRANSIT: 24,
        Trigger.OUT_FOR_DELIVERY: 6,
        Trigger.DELIVERY_ATTEMPT_FAILED: 24,
        Trigger.PICKUP_WAITING: 72,
        Trigger.DELAY_DETECTED: 48,
        Trigger.DELAY_FOLLOWUP: 48,
        Trigger.INQUIRY_OPENED: 72,
        Trigger.LOSS_CONFIRMED: 168,
        Trigger.DAMAGE: 72,
        Trigger.RETURNED_TO_SENDER: 168,
        Trigger.ADDRESS_PROBLEM: 48,
        Trigger.DELIVERED: 72,
    }
)
"""The triggers that facts can fire, and for how many hours each is worth telling (docs/messages.md): good news ages
soon, what the customer must decide or collect does not."""
PROBLEM_TRIGGERS: Final = frozenset(
    {
        Trigger.DELAY_DETECTED,
        Trigger.DELAY_FOLLOWUP,
        Trigger.INQUIRY_OPENED,
        Trigger.LOSS_CONFIRMED,
        Trigger.DAMAGE,
        Trigger.RETURNED_TO_SENDER,
        Trigger.ADDRESS_PROBLEM,
    }
)
"""They tell of a problem: a delivery after one of them is news of its own, and no cap holds them back."""
JOURNEY: Final = (
    Trigger.ORDER_THANKED,
    Trigger.POSTED,
    Trigger.IN_TRANSIT,
    Trigger.OUT_FOR_DELIVERY,
    Trigger.DELIVERED,
)
"""The good way of a parcel, in its order. Only these are capped (docs/messages.md): whoever
must collect a parcel or mend an address is told however much was told before."""
IDLES_OTHERS: Final = frozenset({Trigger.LOSS_CONFIRMED, Trigger.RETURNED_TO_SENDER})
"""A parcel that does not come: whatever else became true of it at the same time is not worth telling."""
CAN_WAIT: Final = frozenset({Trigger.ORDER_THANKED, Trigger.POSTED, Trigger.IN_TRANSIT})
"""Not worth a second message to one order on one day: it waits for the next, or is no news any more by then."""
NEEDS_NEWS: Final = frozenset({Trigger.DELAY_DETECTED, Trigger.INQUIRY_OPENED})
"""They say that the parcel has not come: true only as long as we would know of its coming (see `freshness`). The follow-up
was promised for its day and says what is recorded so far: it does not wait."""
TOLERATES_DUPLICATE: Final = frozenset({Trigger.LOSS_CONFIRMED, Trigger.PICKUP_WAITING})
"""Worth sending once more, under the same Message-ID, where no answer came: silence would cost more than a second copy
(a loss, and a parcel that would go back)."""
URGENT: Final = frozenset(
    {
        Trigger.LOSS_CONFIRMED,
        Trigger.DAMAGE,
        Trigger.PICKUP_WAITING,
        Trigger.DELIVERY_ATTEMPT_FAILED,
        Trigger.ADDRESS_PROBLEM,
    }
)
"""The customer has something to do or to choose: leaves first where quotas do not let everything leave."""

"""Channels, and which triggers and channels this release acts on."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from tracker.domain.notice_kinds import MAX_AGE_HOURS
from tracker.domain.words import Trigger


class Channel(StrEnum):
    EMAIL = "email"
    WHATSAPP_LINK = "whatsapp_link"
    WHATSAPP = "whatsapp"
    SMS = "sms"
    VOICE = "voice"


PROBLEM_TRIGGERS: Final = (
    Trigger.DELAY_DETECTED,
    Trigger.INQUIRY_OPENED,
    Trigger.LOSS_CONFIRMED,
    Trigger.DAMAGE,
    Trigger.RETURNED_TO_SENDER,
    Trigger.DELIVERED,
)
"""The preset `problems`; there `delivered` goes out only after a problem that was told."""

RELEASED_TRIGGERS: Final = tuple(MAX_AGE_HOURS)
"""Those that facts can fire, in the order in which they are listed: the preset `all`."""
RELEASED_CHANNELS: Final = (Channel.EMAIL,)

"""The configuration: one YAML file, checked as a whole before anything starts."""

from __future__ import annotations

from tracker.config.accounts import carrier_digest
from tracker.config.load import LoadedConfig, find_config, load_config, trial_clock_faults
from tracker.config.mail import MailServer, MessageSettings
from tracker.config.model import (
    CarrierSettings,
    ClaimMode,
    ClaimPolicy,
    DatabaseSettings,
    IntakeSettings,
    Settings,
    ShopSettings,
)
from tracker.config.rules import PollingRules, Rules
from tracker.config.sinks import LogAlerts, WebhookAlerts
from tracker.config.words import Channel
from tracker.domain.words import Trigger

__all__ = [
    "CarrierSettings",
    "Channel",
    "ClaimMode",
    "ClaimPolicy",
    "DatabaseSettings",
    "IntakeSettings",
    "LoadedConfig",
    "LogAlerts",
    "MailServer",
    "MessageSettings",
    "PollingRules",
    "Rules",
    "Settings",
    "ShopSettings",
    "Trigger",
    "WebhookAlerts",
    "carrier_digest",
    "find_config",
    "load_config",
    "trial_clock_faults",
]

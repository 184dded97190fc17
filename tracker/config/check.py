"""What a configuration would do, for `tracker check-config`: no network, no database, no secrets."""

from __future__ import annotations

from typing import Any

from tracker.config.load import LoadedConfig
from tracker.config.model import CarrierSettings, ClaimMode, Settings, ShopSettings
from tracker.config.words import RELEASED_TRIGGERS
from tracker.errors import Fault


def describe(loaded: LoadedConfig) -> dict[str, Any]:
    """The effects of a configuration as one JSON document; money in centavos."""
    settings = loaded.settings
    mail = settings.messages.email
    return {
        "ok": True,
        "file": str(loaded.path),
        "state_dir": str(settings.state_dir),
        "database": settings.database.shown,
        "shops": [_shop(shop, settings) for shop in settings.shops],
        "carriers": [_carrier(carrier) for carrier in settings.carriers],
        "folders": [{"shop": source.shop, "path": str(source.path)} for source in settings.intake],
        "mail": {
            "server": f"{mail.host}:{mail.port}",
            "security": mail.security,
            "per_hour": mail.hourly_limit,
            "redirect_to": settings.messages.redirect_to,
        },
        "triggers": {str(name): [str(c) for c in settings.messages.channels(name)] for name in RELEASED_TRIGGERS},
        "delivered_only_after_problem": settings.messages.delivered_only_after_problem,
        "alerts": [alert.kind for alert in settings.alerts],
        "warnings": [as_json(fault) for fault in loaded.warnings],
        "notices": [as_json(fault) for fault in loaded.notices],
    }


def as_json(fault: Fault) -> dict[str, Any]:
    return {"file": fault.file, "line": fault.line, "key": fault.key, "what": fault.what, "advice": fault.advice}


def lines(loaded: LoadedConfig) -> list[str]:
    """The same for people."""
    report = describe(loaded)
    mail = report["mail"]
    text = [
        f"{report['file']}: no faults",
        f"state     {report['state_dir']}",
        f"database  {report['database']}",
        *(f"shop      {_shop_line(shop)}" for shop in report["shops"]),
        *(f"carrier   {_carrier_line(carrier)}" for carrier in report["carriers"]),
        *(f"folder    {folder['path']} (orders of {folder['shop']})" for folder in report["folders"]),
        f"mail      {mail['server']}, security {mail['security']}, {_limit(mail['per_hour'])}",
    ]
    if mail["redirect_to"]:
        text.append(f"mail      every message goes to {mail['redirect_to']} instead of the customer")
    text += [f"trigger   {_trigger_line(name, channels, report)}" for name, channels in report["triggers"].items()]
    text.append(f"alerts    {', '.join(report['alerts']) or 'none'}")
    text += [f"notice    {fault}" for fault in loaded.notices]
    text += [f"warning   {fault}" for fault in loaded.warnings]
    return text


def _shop(shop: ShopSettings, settings: Settings) -> dict[str, Any]:
    return {
        "id": shop.id,
        "name": shop.name,
        "mode": "observe" if shop.live_from is None else "live",
        "live_from": shop.live_from.isoformat() if shop.live_from else None,
        "carriers": [carrier.id for carrier in settings.carriers_of(shop.id)],
    }


def _carrier(carrier: CarrierSettings) -> dict[str, Any]:
    return {
        "id": carrier.id,
        "adapter": carrier.adapter,
        "base_url": carrier.base_url,
        "shops": list(carrier.shops) or None,
        "claims": str(carrier.claims.mode),
        "claims_max_value_cents": carrier.claims.max_value_cents,
        "claims_letter_to": carrier.claims.letter_to,
    }


def _shop_line(shop: dict[str, Any]) -> str:
    if shop["mode"] == "observe":
        when = "observes: everything is decided and shown, nothing leaves (set live_from)"
    else:
        when = f"live for what begins on {shop['live_from']} or later; the rest waits for tracker release"
    return f"{shop['id']} ({shop['name']}): {when}; carriers: {', '.join(shop['carriers']) or 'none'}"


def _carrier_line(carrier: dict[str, Any]) -> str:
    ceiling = carrier["claims_max_value_cents"]
    limit = f" up to R$ {ceiling // 100},{ceiling % 100:02}" if ceiling is not None else ""
    claims = {
        ClaimMode.OFF: "no claims",
        ClaimMode.PROPOSE: "claims wait for tracker approve",
        ClaimMode.AUTO: f"files claims by itself{limit}",
    }[ClaimMode(carrier["claims"])]
    shops = f"shops {', '.join(carrier['shops'])}" if carrier["shops"] else "every shop"
    letters = f", by letter to {carrier['claims_letter_to']}" if _writes(carrier) else ""
    return f"{carrier['id']} (adapter {carrier['adapter']}, {carrier['base_url']}): {shops}; {claims}{letters}"


def _writes(carrier: dict[str, Any]) -> bool:
    return carrier["claims_letter_to"] is not None and carrier["claims"] != ClaimMode.OFF


def _limit(per_hour: int | None) -> str:
    return "as many an hour as the server takes" if per_hour is None else f"at most {per_hour} an hour"


def _trigger_line(name: str, channels: list[str], report: dict[str, Any]) -> str:
    after = " (only after a problem that was told)"
    condition = after if name == "delivered" and channels and report["delivered_only_after_problem"] else ""
    return f"{name}: {', '.join(channels) or 'off'}{condition}"

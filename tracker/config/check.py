"""What a configuration would do, for `tracker check-config`: no network, no database, no secrets."""

from __future__ import annotations

from typing import Any, Final

from tracker.config.load import LoadedConfig
from tracker.config.mail import MailServer, ReturnedMail
from tracker.config.model import CarrierSettings, ClaimMode, Settings, ShopSettings
from tracker.config.words import RELEASED_TRIGGERS
from tracker.errors import Fault

_LIMITS: Final = {"per_hour": "an hour", "per_day": "a day", "per_second": "a second"}


def describe(loaded: LoadedConfig) -> dict[str, Any]:
    """The effects of a configuration as one JSON document; money in centavos."""
    settings = loaded.settings
    accounts = [_mail_account(account) for account in settings.messages.accounts]
    return {
        "ok": True,
        "file": str(loaded.path),
        "state_dir": str(settings.state_dir),
        "database": settings.database.shown,
        "backup": _backup(settings),
        "shops": [_shop(shop, settings) for shop in settings.shops],
        "carriers": [_carrier(carrier) for carrier in settings.carriers],
        "folders": [{"shop": source.shop, "path": str(source.path)} for source in settings.intake],
        "mail": {**accounts[0], "redirect_to": settings.messages.redirect_to},
        "mail_accounts": accounts,
        "bounces": _bounces(settings.messages.bounces),
        "triggers": {str(name): [str(c) for c in settings.messages.channels(name)] for name in RELEASED_TRIGGERS},
        "delivered_only_after_problem": settings.messages.delivered_only_after_problem,
        "alerts": [alert.kind for alert in settings.alerts],
        "ping_every_minutes": settings.ping.every_minutes if settings.ping else None,
        "web": {
            "operator": settings.web.operator,
            "public": settings.web.public,
            "public_url": settings.web.public_url,
        },
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
        f"backup    {_backup_line(report['backup'])}",
        *(f"shop      {_shop_line(shop)}" for shop in report["shops"]),
        *(f"carrier   {_carrier_line(carrier)}" for carrier in report["carriers"]),
        *(f"folder    {folder['path']} (orders of {folder['shop']})" for folder in report["folders"]),
        *(f"mail      {_mail_line(account)}" for account in report["mail_accounts"]),
        f"bounces   {_bounces_line(report['bounces'])}",
    ]
    if mail["redirect_to"]:
        text.append(f"mail      {_redirect_line(mail['redirect_to'])}")
    text += [f"trigger   {_trigger_line(name, channels, report)}" for name, channels in report["triggers"].items()]
    text.append(f"alerts    {', '.join(report['alerts']) or 'none'}")
    if report["ping_every_minutes"]:
        text.append(f"ping      every {report['ping_every_minutes']} minutes, while the lanes run")
    text += [f"digest    {shop['id']}: {_digest_line(shop['digest'])}" for shop in report["shops"] if shop["digest"]]
    operator = report["web"]["operator"]
    text.append(f"web       {f'/healthz, /readyz and /metrics at {operator}' if operator else 'no listener'}")
    public, url = report["web"]["public"], report["web"]["public_url"]
    if public:
        text.append(
            f"public    carriers' hooks at {public}, reached from outside by {url or '(web.public_url)'}/hooks/ACCOUNT"
        )
    text += [f"notice    {fault}" for fault in loaded.notices]
    text += [f"warning   {fault}" for fault in loaded.warnings]
    return text


def _redirect_line(address: str) -> str:
    return (
        f"every message goes to {address} instead of the customer, a claim's letter too; claims that a carrier takes otherwise "
        "are still really filed in mode auto"
    )


def _backup(settings: Settings) -> dict[str, Any] | None:
    backup = settings.database.backup
    return {"at": f"{backup.at:%H:%M}", "keep": backup.keep, "path": str(backup.path)} if backup else None


def _backup_line(backup: dict[str, Any] | None) -> str:
    if backup is None:
        return "none by itself (database.backup); tracker db backup makes one"
    return f"every day at {backup['at']} into {backup['path']}, the newest {backup['keep']} are kept"


def _shop(shop: ShopSettings, settings: Settings) -> dict[str, Any]:
    return {
        "id": shop.id,
        "name": shop.name,
        "mode": "observe" if shop.live_from is None else "live",
        "live_from": shop.live_from.isoformat() if shop.live_from else None,
        "carriers": [carrier.id for carrier in settings.carriers_of(shop.id)],
        "digest": {"to": list(shop.digest.to), "at": f"{shop.digest.at:%H:%M}", "skip_empty": shop.digest.skip_empty}
        if shop.digest
        else None,
    }


def _carrier(carrier: CarrierSettings) -> dict[str, Any]:
    return {
        "id": carrier.id,
        "adapter": carrier.adapter,
        "base_url": carrier.base_url,
        "files": [place.shown for place in carrier.files],
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
    where = ", ".join(filter(None, (carrier["base_url"], *carrier["files"])))
    return f"{carrier['id']} (adapter {carrier['adapter']}, {where}): {shops}; {claims}{letters}"


def _writes(carrier: dict[str, Any]) -> bool:
    return carrier["claims_letter_to"] is not None and carrier["claims"] != ClaimMode.OFF


def _digest_line(digest: dict[str, Any]) -> str:
    empty = ", none on a day without anything to tell" if digest["skip_empty"] else ""
    return f"daily at {digest['at']} to {', '.join(digest['to'])}{empty}"


def _mail_account(account: MailServer) -> dict[str, Any]:
    return {
        "id": account.name,
        "server": f"{account.host}:{account.port}",
        "security": account.security,
        "shops": list(account.shops) or None,
        "per_hour": account.hourly_limit,
        "per_day": account.per_day,
        "per_second": account.pace,
    }


def _mail_line(account: dict[str, Any]) -> str:
    limits = [f"at most {account[key]:g} {words}" for key, words in _LIMITS.items() if account[key] is not None]
    named = "" if account["server"].rpartition(":")[0] == account["id"] else f"{account['id']}: "
    shops = f"; shops {', '.join(account['shops'])}" if account["shops"] else ""
    limit = ", ".join(limits) or "as many an hour as the server takes"
    return f"{named}{account['server']}, security {account['security']}, {limit}{shops}"


def _bounces(mailbox: ReturnedMail | None) -> dict[str, Any] | None:
    if mailbox is None:
        return None
    return {
        "server": f"{mailbox.host}:{mailbox.port}",
        "security": mailbox.security,
        "folder": mailbox.folder,
        "done_folder": mailbox.done_folder,
        "return_path": mailbox.return_path,
        "verp": mailbox.verp,
    }


def _bounces_line(mailbox: dict[str, Any] | None) -> str:
    if mailbox is None:
        return "no mailbox is read: of mail that comes back later nothing is known"
    after = f"moved to {mailbox['done_folder']}" if mailbox["done_folder"] else "marked as seen"
    return f"{mailbox['folder']} at {mailbox['server']}, security {mailbox['security']}; what is read is {after}"


def _trigger_line(name: str, channels: list[str], report: dict[str, Any]) -> str:
    after = " (only after a problem that was told)"
    condition = after if name == "delivered" and channels and report["delivered_only_after_problem"] else ""
    return f"{name}: {', '.join(channels) or 'off'}{condition}"

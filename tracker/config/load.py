"""From a file to `Settings`, or to everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from carriers.base import Adapter
from tracker.config.accounts import Account, check_accounts, serves_outward
from tracker.config.cross import cross_faults, idle_parts
from tracker.config.exposed import exposed_secrets
from tracker.config.feeds import FolderFiles, MailFiles, SftpFiles
from tracker.config.fields import is_loopback
from tracker.config.model import DatabaseSettings, RetentionSettings, Settings, ShopSettings
from tracker.config.secrets import References, is_placeholder
from tracker.config.sinks import AlertmanagerAlerts, AlertSettings, AppriseAlerts, WebhookAlerts
from tracker.config.wording import findings
from tracker.config.yaml_file import Finding, Loc, YamlFile, read_yaml
from tracker.errors import ConfigFileError, Fault

SYSTEM_FOLDER: Final = Path("/etc/shipment-tracker")
SYSTEM_STATE: Final = Path("/var/lib/shipment-tracker")
MAX_BYTES: Final = 1_048_576
_CURLY: Final = frozenset("“”„‘’‚«»")
HIDEABLE_CHARS: Final = 6
"""Shorter values put in by a reference are no secrets, and hiding them would eat words of our sentences."""


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A usable configuration and what there is to say about it.

    `warnings` should be mended (a credential that is not here, claims that cannot be filed); `notices` tell of keys
    whose part is not in this release. Both have the form of a fault.
    """

    settings: Settings
    warnings: tuple[Fault, ...]
    notices: tuple[Fault, ...]
    path: Path
    located: Callable[[Iterable[Finding]], tuple[Fault, ...]] = field(repr=False, compare=False)
    """Gives what others find in these settings its line in the file."""


def find_config(named: Path | None, env: Mapping[str, str], folder: Path = Path()) -> Path:
    """The configuration to use: the one named, else `$TRACKER_CONFIG`, `./config.yaml`, the system's.

    Raises ConfigFileError where there is none.
    """
    chosen = named or (Path(env["TRACKER_CONFIG"]) if env.get("TRACKER_CONFIG") else None)
    if chosen is not None:
        return chosen
    places = (folder / "config.yaml", SYSTEM_FOLDER / "config.yaml")
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(map(str, places))
    advice = f"looked at {looked}; write one with tracker init, or name it with -c"
    raise ConfigFileError([Fault("config.yaml", 1, "(file)", "there is no configuration", advice)])


def load_config(
    path: Path,
    env: Mapping[str, str],
    *,
    strict_credentials: bool,
    talks: bool = True,
    adapters: Mapping[str, type[Adapter]] | None = None,
) -> LoadedConfig:
    """Read, check and complete a configuration.

    Args:
        path: the YAML file; relative references in it start at its folder.
        env: environment for `${NAME}`, `$CREDENTIALS_DIRECTORY`, `$STATE_DIRECTORY`.
        strict_credentials: a missing `${credential:NAME}` is a fault (`run`, `--online`) instead of a warning.
        talks: whether anything is said to carriers, mail servers and webhooks. If not, no reference of any form has to
            be there whose value only they would be told; what is read and shown still needs its own.
        adapters: classes by name; None: those that are installed.

    Raises ConfigFileError with every fault there is.
    """
    file = read_yaml(_text(path))

    def spared(loc: Loc, credential: bool) -> bool:
        return (credential and not strict_credentials) if talks else serves_outward(loc)

    references = References(path.absolute().parent, env, spared)
    data = references.put_in(file.data)
    faults = [*file.faults, *references.faults]
    if not isinstance(data, dict):
        # Without a mapping nothing else can be said, and what could not be read has been said already.
        _stop(faults or [Finding((), "holds no configuration", "write one with tracker init")], file, path, references)
    found = check_accounts(data, references.unresolved, adapters)
    settings = _settings(found.common, faults)
    # Where a placeholder cannot stand (a number, a date) what is missing is the fault, not the placeholder's form.
    missing = {one.loc: one for one in references.warnings}
    faults = [missing.get(one.loc, one) for one in (*faults, *found.faults, *cross_faults(data))]
    if faults or settings is None:
        _stop(_once(faults), file, path, references)
    settings = _complete(settings, found.accounts, path.absolute().parent, env)
    exposed = exposed_secrets(settings, file.data, path)
    warnings = [*references.warnings, *found.warnings, *_warnings(settings, data), *exposed]
    located = partial(_located, file=file, path=path, hidden=references.values)
    return LoadedConfig(settings, located(_once(warnings)), located(idle_parts(data)), path, located)


def _text(path: Path) -> str:
    problem, advice = "", ""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) <= MAX_BYTES:
            return raw.decode("utf-8-sig")
        problem, advice = "is larger than 1 MiB", "a configuration is a few pages"
    except FileNotFoundError:
        problem, advice = "does not exist", "write one with tracker init, or name another with -c"
    except OSError as exc:
        problem, advice = f"cannot be read: {exc.strerror}", "check its path and rights"
    except UnicodeDecodeError:
        problem, advice = "is not UTF-8 text", "save it as UTF-8"
    raise ConfigFileError([Fault(str(path), 1, "(file)", problem, advice)])


def _located(found: Iterable[Finding], file: YamlFile, path: Path, hidden: Iterable[str]) -> tuple[Fault, ...]:
    """Findings with their lines, in the order of the file, without any value that a reference put in."""
    secrets = sorted((value for value in hidden if len(value) >= HIDEABLE_CHARS), key=len, reverse=True)

    def safe(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    faults = []
    for one in found:
        loc = file.place(one.loc)
        key = safe(".".join(map(str, loc))) or "(file)"
        faults.append(Fault(str(path), one.line or file.line(loc), key, safe(one.what), safe(one.advice)))
    return tuple(sorted(faults, key=lambda fault: fault.line))


def _stop(found: Iterable[Finding], file: YamlFile, path: Path, references: References) -> NoReturn:
    raise ConfigFileError(_located(found, file, path, references.values))


def _once(found: Iterable[Finding]) -> list[Finding]:
    """One fault a place: what a rule between keys says of a value that is wrong in itself adds nothing."""
    kept: dict[tuple[Loc, int | None], Finding] = {}
    for one in found:
        kept.setdefault((one.loc, one.line), one)
    return list(kept.values())


def _settings(data: dict[str, Any], faults: list[Finding]) -> Settings | None:
    try:
        return Settings.model_validate(data)
    except ValidationError as exc:
        faults += findings(exc, Settings)
        return None


def state_folder(given: Path | None, folder: Path, env: Mapping[str, str]) -> Path:
    """Where state lies: as configured (from the file's folder), else as systemd says, else by where the file lies."""
    if given is not None:
        return folder / given
    if env.get("STATE_DIRECTORY"):
        # systemd joins several with colons; the unit names ours first.
        return Path(env["STATE_DIRECTORY"].split(":")[0])
    return SYSTEM_STATE if folder == SYSTEM_FOLDER or SYSTEM_FOLDER in folder.parents else folder


def _complete(settings: Settings, accounts: tuple[Account, ...], folder: Path, env: Mapping[str, str]) -> Settings:
    """The settings with absolute paths and with every default that rests on another key."""
    given = settings.state_dir if "state_dir" in settings.model_fields_set else None
    state = state_folder(given, folder, env)
    shops = [
        shop if shop.contact else shop.model_copy(update={"contact": shop.email.reply_to or shop.email.from_})
        for shop in settings.shops
    ]
    carriers = [
        carrier.model_copy(
            update={
                "base_url": carrier.base_url or account.default_url,
                "own": account.own,
                "files": tuple(_found(place, state, folder) for place in carrier.files),
            }
        )
        for carrier, account in zip(settings.carriers, accounts, strict=True)
    ]
    intake = [
        source.model_copy(update={"path": state / source.path, "shop": source.shop or settings.shops[0].id})
        for source in settings.intake
    ]
    messages = settings.messages.model_copy(update={"templates": folder / settings.messages.templates})
    return settings.model_copy(
        update={
            "state_dir": state,
            "database": _placed(settings.database, state),
            "retention": _kept(settings.retention, state),
            "shops": tuple(shops),
            "carriers": tuple(carriers),
            "intake": tuple(intake),
            "messages": messages,
        }
    )


def _placed(database: DatabaseSettings, state: Path) -> DatabaseSettings:
    changed: dict[str, Any] = {}
    text = database.url.get_secret_value()
    if text.startswith("sqlite:///"):
        changed["url"] = SecretStr(f"sqlite:///{state / text.removeprefix('sqlite:///')}")
    if database.backup is not None:
        changed["backup"] = database.backup.model_copy(update={"path": state / database.backup.path})
    return database.model_copy(update=changed)


def _found(
    place: FolderFiles | SftpFiles | MailFiles, state: Path, folder: Path
) -> FolderFiles | SftpFiles | MailFiles:
    if isinstance(place, FolderFiles):
        return place.model_copy(update={"path": state / place.path})
    if isinstance(place, SftpFiles) and place.known_hosts is not None:
        return place.model_copy(update={"known_hosts": folder / place.known_hosts})
    return place


def _kept(retention: RetentionSettings, state: Path) -> RetentionSettings:
    archive = state / retention.archive if retention.archive is not None else None
    return retention.model_copy(update={"archive": archive})


def _warnings(settings: Settings, data: Any) -> Iterable[Finding]:
    for place, shop in enumerate(settings.shops):
        if not settings.carriers_of(shop.id):
            yield Finding(("shops", place), "has no carrier: nothing of it is watched", "add one under carriers")
        yield from _typed_wrong(place, shop)
        if shop.live_from is not None and settings.messages.redirect_to is not None:
            what = "is live, but messages.redirect_to sends its customers' messages elsewhere"
            yield Finding(("shops", place, "live_from"), what, "take redirect_to away when the trial is over")
    if "templates" in (data.get("messages") or {}) and not settings.messages.templates.is_dir():
        yield Finding(("messages", "templates"), "is no folder: the packaged texts are used", "check the path")
    operator = settings.web.operator
    if operator is not None and not is_loopback(operator.rpartition(":")[0]):
        advice = "leave it on 127.0.0.1, or see that only your own network reaches it"
        yield Finding(("web", "operator"), "can be read from other machines, without a password", advice)
    public = settings.web.public
    if public is not None and not is_loopback(public.rpartition(":")[0]):
        what = "can be reached from other machines, and speaks no TLS: carriers' pushes and secrets would be read on the way"
        advice = "leave it on 127.0.0.1 behind the shop's own proxy (docs/operators.md), or see that only that proxy reaches it"
        yield Finding(("web", "public"), what, advice)


def _typed_wrong(place: int, shop: ShopSettings) -> Iterator[Finding]:
    """What may be meant so and hardly is."""
    if shop.name[:1] in _CURLY:
        what = "begins with the quotation mark of a word processor, which customers would read"
        yield Finding(("shops", place, "name"), what, 'write " instead, or no quotation marks at all')
    for key, text in (("from", shop.email.from_), ("reply_to", shop.email.reply_to)):
        domain = (text or "").rpartition("@")[2].strip("> ")
        if text and "." not in domain and domain != "localhost":
            what = f"{domain} has no dot: from outside no mail gets there"
            yield Finding(("shops", place, "email", key), what, "write the whole domain, such as loja.com.br")


def trial_clock_faults(settings: Settings) -> list[str]:
    """The hosts outside this machine that this configuration talks to, each with its key.

    A replaced clock (`TRACKER_CLOCK_FILE`) is refused unless there is none: claims and messages dated by it would be real.
    """
    hosts = [(f"carrier {carrier.id}", _host_of(carrier.base_url)) for carrier in settings.carriers if carrier.base_url]
    hosts += [
        (f"carrier {c.id} files", place.host) for c in settings.carriers for place in c.files if place.kind != "folder"
    ]
    hosts += [("messages.email", account.host) for account in settings.messages.accounts]
    if settings.messages.bounces is not None:
        hosts.append(("messages.bounces", settings.messages.bounces.host))
    hosts += [(f"alerts {alert.kind}", host) for alert in settings.alerts for host in _alert_hosts(alert)]
    if settings.ping is not None:
        hosts.append(("ping", _host_of(settings.ping.url.get_secret_value())))
    # Nobody can be talked to at an address that is not here.
    return [f"{what}: {host}" for what, host in hosts if not (is_loopback(host) or is_placeholder(host))]


def _alert_hosts(alert: AlertSettings) -> list[str]:
    """Whom an entry under alerts talks to; mail goes by the mail server, which is looked at by itself."""
    if isinstance(alert, WebhookAlerts):
        return [_host_of(alert.url)]
    if isinstance(alert, AlertmanagerAlerts):
        return [_host_of(url) for url in alert.urls]
    if isinstance(alert, AppriseAlerts):
        # Not written out: what stands where a host would may be a token.
        return [host if is_loopback(host) else "an address" for host in map(_apprise_host, alert.urls)]
    return []


def _apprise_host(url: SecretStr) -> str:
    try:
        return urlsplit(url.get_secret_value()).hostname or ""
    except ValueError:
        return ""


def _host_of(address: str) -> str:
    return urlsplit(address).hostname or address

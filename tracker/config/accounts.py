"""The entries under `carriers:`: which keys are the daemon's and which the adapter's, and the check of the latter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from carriers.base import Adapter, CodeWord, code_status, code_word, reads_files
from carriers.registry import discover
from carriers.settings import Remarking
from tracker.config.cross import dotted, entries
from tracker.config.model import CarrierSettings, ClaimMode
from tracker.config.wording import closest, findings, known_keys
from tracker.config.yaml_file import Finding, Loc
from tracker.domain.codes import code_key

CARRIER_KEYS: Final = frozenset(
    {
        "id",
        "adapter",
        "title",
        "aliases",
        "shops",
        "base_url",
        "requests_per_second",
        "claims",
        "codes",
        "files",
        "silent_days",
    }
)
"""The daemon's own keys of an entry; every other is the adapter's."""
LETTER_KEYS: Final = frozenset({"letter_to", "letter_cc", "letter_reply_to", "letter_contract", "counterparty"})
CLAIM_KEYS: Final = frozenset({"mode", "max_value", "presumed_loss_business_days"}) | LETTER_KEYS
"""The same within its `claims:`."""


def serves_outward(loc: Loc) -> bool:
    """Whether only who talks to a carrier, a mail server or a webhook looks at this place of the configuration."""
    match loc:
        case ("alerts", *_) | ("ping", *_) | ("messages", "email" | "bounces", *_):
            return True
        case ("carriers", int(), "claims", key, *_):
            return key not in CLAIM_KEYS
        case ("carriers", int(), key, *_):
            return key not in CARRIER_KEYS or key in {"base_url", "files"}
    return False


@dataclass(frozen=True, slots=True)
class Account:
    """One entry: its adapter's address and the adapter's checked settings (None where they could not be checked)."""

    loc: Loc
    adapter: str
    base_url: str
    default_url: str
    own: BaseModel | None
    files: Any = None
    """As written: two carriers that send files of one kind differ in nothing else."""


@dataclass(frozen=True, slots=True)
class CheckedAccounts:
    common: dict[str, Any]
    """The whole configuration without the adapters' keys, for `Settings`."""
    accounts: tuple[Account, ...]
    faults: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def check_accounts(
    data: dict[str, Any], unresolved: Iterable[Loc], adapters: Mapping[str, type[Adapter]] | None
) -> CheckedAccounts:
    """Split every entry and let its adapter check its part.

    Args:
        data: the plain configuration with its references put in.
        unresolved: places whose reference could not be followed; what rests on them is not complained about.
        adapters: classes by name; None: those that are installed.
    """
    broken: Mapping[str, str] = {}
    if adapters is None:
        found = discover()
        adapters, broken = found.adapters, found.broken
    accounts: list[Account] = []
    faults: list[Finding] = []
    warnings: list[Finding] = []
    for loc, entry in entries(data, "carriers"):
        name = str(entry.get("adapter") or entry.get("id") or "")
        adapter = adapters.get(name)
        if adapter is None:
            faults += _no_adapter(loc, entry, name, adapters, broken)
            continue
        places = {place[len(loc) :] for place in unresolved if place[: len(loc)] == loc}
        own, complaints = _own_settings(loc, _own_keys(entry, adapter.Settings), adapter.Settings, places)
        faults += [*complaints, *_unknown_of_claims(loc, entry, adapter.Settings)]
        warnings += _claims_without_keys(loc, entry, adapter.Settings)
        warnings += _idle_letters(loc, entry, adapter.Settings)
        warnings += _idle_codes(loc, entry, adapter)
        warnings += _files(loc, entry, adapter)
        warnings += _remarks(loc, own)
        accounts.append(
            Account(
                loc, name, str(entry.get("base_url") or adapter.BASE_URL), adapter.BASE_URL, own, entry.get("files")
            )
        )
    faults += _same_accounts(accounts)
    return CheckedAccounts(_without_own_keys(data), tuple(accounts), tuple(faults), tuple(warnings))


def carrier_digest(carrier: CarrierSettings) -> str:
    """SHA-256 over the settings in effect, secrets included: changes exactly when the account should be tried again.

    Raises MissingCredentialError.
    """
    effective = {
        **carrier.model_dump(
            mode="python", exclude={"own", "aliases", "shops", "codes", "files", "silent_days", "title"}
        ),
        "own": carrier.adapter_settings.model_dump(mode="python"),
    }
    if carrier.files:
        effective["files"] = [place.model_dump(mode="python") for place in carrier.files]
    return hashlib.sha256(json.dumps(effective, sort_keys=True, default=_revealed).encode()).hexdigest()


def _revealed(value: object) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, SecretBytes):
        return value.get_secret_value().hex()
    return str(value)


def _own_keys(entry: dict[str, Any], settings: type[BaseModel]) -> dict[str, Any]:
    own = {key: value for key, value in entry.items() if key not in CARRIER_KEYS and value is not None}
    if (of_adapter := _own_of_claims(entry)) and "claims" in settings.model_fields:
        own["claims"] = of_adapter
    return own


def _own_of_claims(entry: dict[str, Any]) -> dict[str, Any]:
    claims = entry.get("claims")
    return {k: v for k, v in claims.items() if k not in CLAIM_KEYS} if isinstance(claims, dict) else {}


def _at_its_place(one: Finding, loc: Loc, settings: type[BaseModel]) -> Finding:
    """With the place where an unknown key would be a known one: beside `claims` instead of in it, or the other way round."""
    *block, key = one.loc[len(loc) :] or ("",)
    if one.what != "unknown key":
        return one
    of_adapter = known_keys(settings, ("claims",)) if "claims" in settings.model_fields else set()
    if not block and key in CLAIM_KEYS | of_adapter:
        return replace(one, advice="it belongs under claims")
    if block == ["claims"] and key in CARRIER_KEYS | known_keys(settings, ()):
        return replace(one, advice="it belongs to the account, beside claims")
    return one


def _unknown_of_claims(loc: Loc, entry: dict[str, Any], settings: type[BaseModel]) -> Iterator[Finding]:
    """What stands there beside our own keys, where the adapter has none of its own to compare it with."""
    if "claims" not in settings.model_fields:
        for key in _own_of_claims(entry):
            unknown = Finding((*loc, "claims", key), "unknown key", closest(key, CLAIM_KEYS))
            yield _at_its_place(unknown, loc, settings)


def _without_own_keys(data: dict[str, Any]) -> dict[str, Any]:
    """Leaves a value of the wrong form as it is: `Settings` says what is wrong with it."""
    listed = data.get("carriers")
    if not isinstance(listed, list):
        return data
    return {**data, "carriers": [_common_keys(entry) if isinstance(entry, dict) else entry for entry in listed]}


def _common_keys(entry: dict[str, Any]) -> dict[str, Any]:
    common = {key: value for key, value in entry.items() if key in CARRIER_KEYS}
    if isinstance(claims := common.get("claims"), dict):
        common["claims"] = {key: value for key, value in claims.items() if key in CLAIM_KEYS}
    return common


def _no_adapter(
    loc: Loc, entry: dict[str, Any], name: str, adapters: Mapping[str, type[Adapter]], broken: Mapping[str, str]
) -> Iterator[Finding]:
    where = (*loc, "adapter") if entry.get("adapter") else (*loc, "id")
    if name in broken:
        yield Finding(where, broken[name], "repair or remove that package")
    elif name:
        yield Finding(where, "there is no such adapter", closest(name, adapters))


def _own_settings(
    loc: Loc, own: dict[str, Any], settings: type[BaseModel], unresolved: set[Loc]
) -> tuple[BaseModel | None, list[Finding]]:
    try:
        checked = settings.model_validate(own)
    except ValidationError as exc:
        complaints = list(findings(exc, settings, loc, {(): CARRIER_KEYS, ("claims",): CLAIM_KEYS}))
        complaints = [_at_its_place(one, loc, settings) for one in complaints]
        if unresolved:
            # A placeholder fails checks of form, alone or together with its neighbours.
            complaints = [one for one in complaints if one.loc[len(loc) :] not in {(), *unresolved}]
        return None, complaints
    # Nobody may log in with a placeholder.
    return (None if unresolved else checked), []


def _claims_without_keys(loc: Loc, entry: dict[str, Any], settings: type[BaseModel]) -> Iterator[Finding]:
    """A mode without what the carrier asks of a claimant files nothing, which would only be noticed when money is lost."""
    given = entry.get("claims")
    claims: dict[str, Any] = given if isinstance(given, dict) else {}
    if "claims" not in settings.model_fields or claims.get("mode") == ClaimMode.OFF or set(claims) - CLAIM_KEYS:
        return
    wanted = ", ".join(sorted(known_keys(settings, ("claims",))))
    yield Finding((*loc, "claims"), "no claim can be filed with this carrier", f"add {wanted}; or write mode: off")


def _idle_letters(loc: Loc, entry: dict[str, Any], settings: type[BaseModel]) -> Iterator[Finding]:
    """Letters are for carriers without an API for claims: one whose adapter asks what its API needs gets none."""
    given = entry.get("claims")
    if "claims" not in settings.model_fields or not isinstance(given, dict):
        return
    for key in given:
        if key in LETTER_KEYS:
            what = "does nothing: this carrier takes claims through its API"
            yield Finding((*loc, "claims", key), what, "take it away")


def _idle_codes(loc: Loc, entry: dict[str, Any], adapter: type[Adapter]) -> Iterator[Finding]:
    """Lines of a mapping that never apply, and those that stand in place of what the adapter itself reads."""
    codes = entry.get("codes")
    for code in codes if isinstance(codes, dict) else ():
        word = code_word(adapter, code_key(str(code)))
        if word is CodeWord.KNOWN:
            own = code_status(adapter, code_key(str(code)))
            what = f"stands in place of the adapter's own reading{f' ({own.value})' if own else ''}"
            yield Finding(
                (*loc, "codes", code), what, "right where the carrier means another thing by it; else take it away"
            )
        elif word is CodeWord.NO_CODE:
            what = "cannot be a code of this carrier: the line does nothing"
            yield Finding((*loc, "codes", code), what, "write it as tracker carriers unknown shows it")


def _files(loc: Loc, entry: dict[str, Any], adapter: type[Adapter]) -> Iterator[Finding]:
    """A carrier that sends files needs a place for them, and no other does."""
    if reads_files(adapter) and not entry.get("files"):
        advice = "name a folder, an SFTP server or a mailbox under files"
        yield Finding(
            loc, "sends files, and there is no place where they come to: nothing is known of its parcels", advice
        )
    elif entry.get("files") and not reads_files(adapter):
        yield Finding((*loc, "files"), "does nothing: this carrier sends no files", "take it away")


def _remarks(loc: Loc, own: BaseModel | None) -> Iterator[Finding]:
    """What the adapter's settings say of themselves."""
    if isinstance(own, Remarking):
        for remark in own.remarks():
            yield Finding((*loc, remark.field), remark.what, remark.advice)


def _same_accounts(accounts: Iterable[Account]) -> Iterator[Finding]:
    """Two entries for one account would each spend its whole rate limit."""
    first: dict[tuple[str, str, str], Loc] = {}
    for account in accounts:
        if account.own is None:
            continue
        key = (account.adapter, account.base_url.rstrip("/"), f"{_identity(account.own)}{account.files or ''}")
        if first.setdefault(key, account.loc) != account.loc:
            what = f"is the same account as {dotted(first[key])}"
            yield Finding(account.loc, what, "keep one entry and list all its shops there")


def _identity(own: BaseModel) -> str:
    """What tells accounts apart: the plain values of the settings, or the secrets where there are no plain ones."""
    values = {name: getattr(own, name) for name in sorted(type(own).model_fields)}
    plain = {k: v for k, v in values.items() if isinstance(v, str | int) and not isinstance(v, bool)}
    secret = {k: v.get_secret_value() for k, v in values.items() if isinstance(v, SecretStr)}
    return repr(plain or secret or values)

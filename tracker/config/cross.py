"""Rules between keys. They read the plain data, so that they speak up even where a value elsewhere has the wrong form."""

from __future__ import annotations

import os.path
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from tracker.config.names import fold
from tracker.config.wording import closest
from tracker.config.words import RELEASED_CHANNELS, RELEASED_TRIGGERS
from tracker.config.yaml_file import Finding, Loc

OPERATOR: Final = "127.0.0.1:8080"
"""Where the operator's listener is, unless the file says otherwise."""


def entries(data: Any, key: str) -> list[tuple[Loc, dict[str, Any]]]:
    """The blocks of the list `key`, with their places; whatever has another form is the models' to complain about."""
    listed = data.get(key) if isinstance(data, dict) else None
    if not isinstance(listed, list):
        return []
    return [((key, place), entry) for place, entry in enumerate(listed) if isinstance(entry, dict)]


def texts(value: Any) -> list[str]:
    return [str(item) for item in value if item is not None] if isinstance(value, list) else []


def cross_faults(data: Any) -> Iterator[Finding]:
    """What does not fit together although each value may be fine."""
    shops = [str(shop.get("id", "")) for _, shop in entries(data, "shops")]
    yield from _unique_ids(data, "shops")
    yield from _unique_ids(data, "carriers")
    yield from _shared_names(data)
    for loc, carrier in entries(data, "carriers"):
        for place, shop in enumerate(texts(carrier.get("shops"))):
            if shop not in shops:
                yield Finding((*loc, "shops", place), "no shop has this id", closest(shop, shops))
    for loc, folder in entries(data, "intake"):
        if folder.get("shop") is None and len(shops) > 1:
            yield Finding((*loc, "shop"), "is required where there are several shops", closest("", shops))
        elif folder.get("shop") is not None and str(folder["shop"]) not in shops:
            yield Finding((*loc, "shop"), "no shop has this id", closest(str(folder["shop"]), shops))
    yield from _folders(data)
    yield from _mail_accounts(data, shops)
    yield from _engine(data)
    yield from _listeners(data)


def _listeners(data: Any) -> Iterator[Finding]:
    """The operator's pages and the public ones are two listeners: what is behind one must not be had at the other."""
    web = data.get("web") if isinstance(data, dict) else None
    if isinstance(web, dict) and web.get("public") and web["public"] == web.get("operator", OPERATOR):
        yield Finding(("web", "public"), "is the operator's address", "give it another port")


def _engine(data: Any) -> Iterator[Finding]:
    """Several machines share the lanes through PostgreSQL alone."""
    if not isinstance(data, dict) or data.get("engine") != "procrastinate":
        return
    database = data.get("database")
    url = database.get("url") if isinstance(database, dict) else None
    if url is None or str(url).startswith("sqlite"):
        advice = "name one in database.url (postgresql://user@host/name), or write local"
        yield Finding(("engine",), "procrastinate needs a PostgreSQL database", advice)


def _unique_ids(data: Any, key: str) -> Iterator[Finding]:
    first: dict[str, Loc] = {}
    for loc, entry in entries(data, key):
        name = fold(str(entry.get("id") or ""))
        if name and first.setdefault(name, loc) != loc:
            yield Finding((*loc, "id"), f"is the id of {dotted(first[name])} already", "give each its own")


def _shared_names(data: Any) -> Iterator[Finding]:
    """An order's carrier must be clear: two carriers of one shop may not share a name."""
    named: dict[str, list[tuple[Loc, int, set[str]]]] = defaultdict(list)
    for place, (loc, carrier) in enumerate(entries(data, "carriers")):
        shops = set(texts(carrier.get("shops")))
        named[fold(str(carrier.get("id") or ""))].append(((*loc, "id"), place, shops))
        for number, alias in enumerate(texts(carrier.get("aliases"))):
            if not fold(alias):
                yield Finding((*loc, "aliases", number), "holds neither letter nor digit", "write a name")
            named[fold(alias)].append(((*loc, "aliases", number), place, shops))
    for name, uses in named.items():
        for (earlier, first, some), (later, second, others) in combinations(uses, 2):
            # Two equal ids are complained about already; shops that have nothing in common may use the same word.
            both_ids = earlier[-1] == "id" and later[-1] == "id"
            if name and first != second and not both_ids and (not some or not others or some & others):
                yield Finding(later, f"names another carrier too ({dotted(earlier)})", "keep it at one of them")


def _mail_accounts(data: Any, shops: list[str]) -> Iterator[Finding]:
    """Each account has a name of its own, and each shop an account."""
    messages = data.get("messages") if isinstance(data, dict) else None
    given = messages.get("email") if isinstance(messages, dict) else None
    listed = given if isinstance(given, list) else [given]
    places: list[Loc] = [
        ("messages", "email", n) if isinstance(given, list) else ("messages", "email") for n in range(len(listed))
    ]
    accounts = [(loc, entry) for loc, entry in zip(places, listed, strict=True) if isinstance(entry, dict)]
    first: dict[str, Loc] = {}
    for loc, entry in accounts:
        name = str(entry.get("id") or entry.get("host") or "127.0.0.1").lower()
        if first.setdefault(name, loc) != loc:
            yield Finding((*loc, "id"), f"has the name of {dotted(first[name])}", "give each account an id of its own")
        for place, shop in enumerate(texts(entry.get("shops"))):
            if shop not in shops:
                yield Finding((*loc, "shops", place), "no shop has this id", closest(shop, shops))
    if accounts and all(texts(entry.get("shops")) for _, entry in accounts):
        served = {shop for _, entry in accounts for shop in texts(entry.get("shops"))}
        silent = [shop for shop in shops if shop and shop not in served]
        if silent:
            what = f"leave{'s' if len(accounts) == 1 else ''} {', '.join(silent)} without a mail account"
            yield Finding(("messages", "email"), what, "name every shop at one of them, or leave shops out")


def _folders(data: Any) -> Iterator[Finding]:
    seen: list[tuple[str, Loc]] = []
    for loc, folder in [*entries(data, "intake"), *_file_places(data)]:
        if not isinstance(folder.get("path"), str):
            continue
        path = os.path.normpath(folder["path"])
        if path == "." or path.startswith(".."):
            yield Finding((*loc, "path"), "must be a folder of its own", "such as inbox, or an absolute path")
        for other, where in seen:
            if path == other or path.startswith(other + os.sep) or other.startswith(path + os.sep):
                yield Finding(
                    (*loc, "path"), f"lies in or around the folder of {dotted(where)}", "use separate folders"
                )
        seen.append((path, loc))


def _file_places(data: Any) -> Iterator[tuple[Loc, dict[str, Any]]]:
    """The folders that carriers' files come to."""
    for loc, carrier in entries(data, "carriers"):
        for (_, place), entry in entries(carrier, "files"):
            if entry.get("kind") == "folder":
                yield (*loc, "files", place), entry


def idle_parts(data: Any) -> Iterator[Finding]:
    """Keys that are accepted although their part is not in this release."""
    if not isinstance(data, dict):
        return
    messages = data.get("messages")
    triggers = messages.get("triggers") if isinstance(messages, dict) else None
    for trigger, channels in (triggers if isinstance(triggers, dict) else {}).items():
        loc = ("messages", "triggers", trigger)
        if trigger not in RELEASED_TRIGGERS and texts(channels):
            yield Finding(loc, "does nothing yet in this release")
        for place, channel in enumerate(texts(channels)):
            if channel not in RELEASED_CHANNELS:
                yield Finding((*loc, place), f"{channel} does nothing yet in this release")


def dotted(loc: Loc) -> str:
    return ".".join(map(str, loc))

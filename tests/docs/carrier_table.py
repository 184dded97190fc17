"""The README's table of carriers, as the adapters themselves say it: `python -m tests.docs.carrier_table` prints it."""

from __future__ import annotations

from carriers.base import (
    Adapter,
    AdapterContext,
    ClaimsByLetter,
    FileFeed,
    PulledFeed,
    RefKind,
    facts_of,
    feed_of,
    hook_of,
)
from carriers.http import CarrierHttp
from carriers.testing import kit_of
from carriers.testing.stage import NOW, Tokens
from tests.carriers.ours import our_adapters

HEAD = (
    "| carrier | `adapter:` | state | asks by | a call | calls/s | push | claims | needs | facts | source |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)
_BY = {RefKind.CODE: "code", RefKind.INVOICE_KEY: "NF-e key", RefKind.INVOICE: "invoice"}


def table() -> str:
    """Markdown, a row a carrier, by title."""
    rows = sorted((_row(cls) for cls in our_adapters().values()), key=str.casefold)
    return "\n".join([HEAD, *rows])


def _row(cls: type[Adapter]) -> str:
    facts = facts_of(cls)
    assert facts is not None, cls.NAME
    adapter = _built(cls)
    cells = [
        cls.TITLE,
        f"`{cls.NAME}`",
        "experimental" if facts.experimental else "stable",
        *_asking(adapter),
        "yes" if hook_of(adapter) is not None else "",
        "letter" if isinstance(adapter.claims, ClaimsByLetter) else "API" if adapter.claims is not None else "",
        facts.auth,
        facts.confidence,
        facts.source,
    ]
    return f"| {' | '.join(cells)} |"


def _built(cls: type[Adapter]) -> Adapter:
    """With every setting that the kit has: what a push or a claims API needs is among them."""
    settings = cls.Settings.model_validate({**kit_of(cls).settings, **kit_of(cls).everything})
    http = CarrierHttp("conta", cls.BASE_URL)
    return cls(settings, AdapterContext("conta", http, Tokens(), lambda: NOW))


def _asking(adapter: Adapter) -> tuple[str, str, str]:
    feed = feed_of(adapter)
    if isinstance(feed, FileFeed):
        return "files that come", "", ""
    if isinstance(feed, PulledFeed):
        return "a feed of each day", "a day", f"one in {feed.pull_every.total_seconds() / 60:.0f} min"
    assert adapter.tracking is not None
    terms = adapter.tracking.tracking_terms
    by = ", ".join(_BY[kind] for kind in terms.ref_kinds)
    return by, str(terms.batch_size), f"{terms.requests_per_second:g}"


if __name__ == "__main__":
    print(table())  # noqa: T201

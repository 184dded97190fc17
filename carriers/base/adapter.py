"""What an adapter is, what the daemon lends to it, and how it is asked what it can do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel

from carriers.base.claims import ClaimsAdapter, ClaimsByLetter
from carriers.base.deadlines import DeadlineAdapter
from carriers.base.feeds import FileFeed, HookReceiver, PulledFeed
from carriers.base.tracking import Followed, TrackingStatus

if TYPE_CHECKING:
    from carriers.http import CarrierHttp


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; `renew_at` is when a new one should be asked for (aware UTC)."""

    value: str = field(repr=False)
    expires_at: datetime
    renew_at: datetime
    missing: tuple[str, ...] = ()
    """APIs that this account needs and the carrier does not open to it, in words a person can ask for them with."""
    refresh: str | None = field(default=None, repr=False)
    """What the next token is asked for with, where the carrier gives a new one each time; outlives the token."""
    origin: str = field(default="", repr=False)
    """A digest of the configured credential that the first token of this chain came from."""


class TokenStore(Protocol):
    """Keeps one account's access token for all its API families, across restarts and processes."""

    async def get(self, mint: Callable[[], Awaitable[Token]]) -> Token:
        """The token in force; `mint` is called, by one caller at a time, where there is none or it is due for renewal."""

    async def discard(self, token: Token) -> None:
        """Forget this token (not a newer one that somebody put in its place); its `refresh` is kept."""

    async def refresh_of(self, origin: str) -> str | None:
        """The newest refresh token of this chain, of a discarded token too; None where this chain has none yet.

        To be asked, inside `mint`, before each use of a refresh token or a first one: a store that could not keep the next
        one raises here. `get` may return a token of another `origin`, which the configuration had before: discard it.
        """


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What the composition root hands to an adapter."""

    carrier: str
    """The carrier's id in the configuration, for error messages."""
    http: CarrierHttp
    tokens: TokenStore
    now: Callable[[], datetime]
    """The daemon's clock (aware UTC): for how long a token lives and when a signature was made, never for what an event means."""


class Adapter(Protocol):
    """What an entry point of the group `shipment_tracker.carriers` must name: a class of this shape.

    An adapter may have more; the daemon asks whether it does, so that an older one fits without a change::

        deadlines: DeadlineAdapter | None     due dates that tracking does not name (`deadlines_of`)
        feed: FileFeed | PulledFeed | None    what the carrier writes for many parcels at once (`feed_of`)
        READS_FILES: bool                     static: its feed is a `FileFeed` (`reads_files`)
        hook: HookReceiver | None             what the carrier pushes (`hook_of`)
        code_word(code: str) -> CodeWord      static: whether it reads an event code itself (`code_word`)
        code_status(code: str) -> TrackingStatus | None    static: as what it reads it (`code_status`)
        FACTS: AdapterFacts                   how sure its facts are, and where they come from (`facts_of`)
    """

    API_VERSION: ClassVar[int]
    NAME: ClassVar[str]
    """The adapter's name in the configuration."""
    TITLE: ClassVar[str]
    """The carrier's name as customers know it."""
    BASE_URL: ClassVar[str]
    """Production address, used where the configuration names none."""
    Settings: ClassVar[type[BaseModel]]
    """This carrier's own keys of its entry under `carriers:`, checked with unknown keys refused."""

    @property
    def tracking(self) -> Followed | None:
        """A `TrackingAdapter`; of a carrier that only sends (`feed`) what its parcels are known by, which cannot be asked."""

    claims: ClaimsAdapter | ClaimsByLetter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None: ...

    async def log_in(self) -> str:
        """Prove the credentials (for `check-config --online`); returns one sentence on what they allow.

        Raises CarrierConfigError or TransientCarrierError.
        """


class CodeWord(StrEnum):
    """What an adapter says of an event code (`carrier_code` of an event) before any event has it."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    """May be sent, and is left `TrackingStatus.UNKNOWN`."""
    NO_CODE = "no_code"
    """Cannot be a code of this carrier: another form."""


def code_word(adapter: type[Adapter], code: str) -> CodeWord:
    """What the adapter says of this code; one that cannot be asked leaves it unknown."""
    asked: Callable[[str], CodeWord] | None = getattr(adapter, "code_word", None)
    return asked(code) if asked is not None else CodeWord.UNKNOWN


def code_status(adapter: type[Adapter], code: str) -> TrackingStatus | None:
    """As what the adapter reads this code, where it can say so."""
    asked: Callable[[str], TrackingStatus | None] | None = getattr(adapter, "code_status", None)
    return asked(code) if asked is not None else None


def deadlines_of(adapter: Adapter) -> DeadlineAdapter | None:
    """The adapter's calculator of due dates, where it has one."""
    found = getattr(adapter, "deadlines", None)
    return found if isinstance(found, DeadlineAdapter) else None


def feed_of(adapter: Adapter) -> FileFeed | PulledFeed | None:
    """The adapter's feed, where it has one."""
    found = getattr(adapter, "feed", None)
    return found if isinstance(found, FileFeed | PulledFeed) else None


def reads_files(adapter: type[Adapter]) -> bool:
    """Whether its feed is one of files, so that its accounts name places where they come to (`files`)."""
    return bool(getattr(adapter, "READS_FILES", False))


def hook_of(adapter: Adapter) -> HookReceiver | None:
    """The adapter's push, where it has one and the account's settings hold what proves it."""
    found = getattr(adapter, "hook", None)
    return found if isinstance(found, HookReceiver) else None


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What a merchant should know of an adapter before relying on it; shown by `tracker carriers list` and at start-up."""

    confidence: str
    """`A` the carrier's own description, `B` several independent programs agree, `C` one program only."""
    source: str
    """Where the facts come from, and when they were read."""
    auth: str
    """What the account needs, in a few words."""
    experimental: bool = False
    """The facts are thin: watch it beside something else."""
    gaps: tuple[str, ...] = ()
    """What it does not show or what nobody could confirm, a sentence each."""


def facts_of(adapter: type[Adapter]) -> AdapterFacts | None:
    """What the adapter says of itself, where it says anything."""
    found = getattr(adapter, "FACTS", None)
    return found if isinstance(found, AdapterFacts) else None

"""Correios (Empresa Brasileira de Correios e Telégrafos): tracking, claims and delivery terms through its API gateway.

Each module names the documentation it was written from. Production is `https://api.correios.com.br`, homologation
`https://apihom.correios.com.br` (set `base_url`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel

from carriers.base import (
    AdapterContext,
    AdapterFacts,
    ClaimsAdapter,
    ClaimsByLetter,
    CodeWord,
    DeadlineAdapter,
    TrackingAdapter,
    TrackingStatus,
)
from carriers.correios import codes
from carriers.correios.auth import DEADLINES_API, TRACKING_API, Access, CardAccess, KeyAccess
from carriers.correios.claims import CorreiosClaims
from carriers.correios.deadlines import CorreiosDeadlines
from carriers.correios.settings import CorreiosSettings
from carriers.correios.tracking import API, LANGUAGE, PATH, CorreiosTracking
from carriers.correios.wire import explain

__all__ = ["Correios"]

_PROBE = "DG049186230BR"
"""An object that the manual offers for trials: asked for to prove an access key."""
_API_NAMES = {TRACKING_API: "tracking (87)", DEADLINES_API: "deadlines (35)"}


class Correios:
    """One contract's access to Correios; claims are filed where the `claims` block has phone and reply_email."""

    API_VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = "correios"
    TITLE: ClassVar[str] = "Correios"
    BASE_URL: ClassVar[str] = "https://api.correios.com.br"
    Settings: ClassVar[type[BaseModel]] = CorreiosSettings
    FACTS: ClassVar[AdapterFacts] = AdapterFacts(
        confidence="A",
        source="Manual de Integração v2.2 and the APIs' descriptions (tracking 3.5.38), read November 2026",
        auth="user, access code and posting card of a contract, or an access key",
        gaps=("only objects of the account's own contract are shown",),
    )

    tracking: TrackingAdapter | None
    claims: ClaimsAdapter | ClaimsByLetter | None
    deadlines: DeadlineAdapter | None

    def __init__(self, settings: BaseModel, context: AdapterContext) -> None:
        if not isinstance(settings, CorreiosSettings):
            raise TypeError(f"Correios needs CorreiosSettings, not {type(settings).__name__}")
        self._context = context
        self._access = _access(settings, context)
        self.tracking = CorreiosTracking(context.carrier, context.http, self._access)
        self.deadlines = CorreiosDeadlines(context.carrier, context.http, self._access, settings.services)
        self.claims = None
        # Settings see to it that whoever wants claims has named contract and card.
        if settings.claims.wanted and settings.contract and settings.posting_card:
            self.claims = CorreiosClaims(
                context.carrier, context.http, self._access, settings.contract, settings.posting_card, settings.claims
            )

    @staticmethod
    def code_word(code: str) -> CodeWord:
        """Whether `BDE-01` is read by `events.csv`; pairs that their text decides may need the merchant's own reading."""
        return codes.word(code)

    @staticmethod
    def code_status(code: str) -> TrackingStatus | None:
        """As what `events.csv` reads `BDE-01`."""
        return codes.status(code)

    async def log_in(self) -> str:
        """Prove the credentials, past any token that is kept; says which APIs they open and warns of missing ones."""
        if isinstance(self._access, CardAccess):
            apis = (await self._access.grant()).apis
            opened = [name for number, name in _API_NAMES.items() if number in apis]
            missing = [name for number, name in _API_NAMES.items() if number not in apis]
            sentence = f"logged in; the posting card opens {' and '.join(opened) or 'neither tracking nor deadlines'}"
            if missing:
                sentence += f"; WARNING: not {' nor '.join(missing)}: ask Correios to add it to the contract"
            return sentence

        async def send(headers: dict[str, str]) -> Any:
            params = [("codigosObjetos", _PROBE), ("resultado", "U")]
            return await self._context.http.request_json(
                "GET", PATH, idempotent=True, params=params, headers=LANGUAGE | headers, explain=explain
            )

        await self._access.call(API, send)
        return "the access key opens tracking; when it ends is shown in the portal only"


def _access(settings: CorreiosSettings, context: AdapterContext) -> Access:
    if settings.api_key is not None:
        return KeyAccess(settings.api_key)
    if settings.access_code is None or settings.user is None or settings.posting_card is None:
        raise ValueError("Correios settings without credentials")  # refused by CorreiosSettings already
    # Without service codes no delivery term is ever asked for.
    needed = {number: name for number, name in _API_NAMES.items() if number == TRACKING_API or settings.services}
    return CardAccess(context.http, context.tokens, settings.user, settings.access_code, settings.posting_card, needed)

"""What the configuration says of a shop: its calendars, and since when it is live."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from tracker.config import Settings
from tracker.config.model import Holidays, ShopSettings
from tracker.domain.calendar import Calendars, CalendarsBetween, calendars
from tracker.domain.live import LiveFrom


def calendars_of(settings: Settings) -> CalendarsBetween:
    """The calendars between a shop and a destination; both cities' holidays count where the configuration names them."""

    @lru_cache(maxsize=4096)
    def between(shop_id: str, state: str | None, city: str | None = None, /) -> Calendars:
        shop = shop_of(settings, shop_id)
        home = shop.holidays if shop else Holidays()
        states = frozenset(name for name in (home.state, state) if name)
        closed = {*home.extra, *settings.closings_of(home.city, home.state), *settings.closings_of(city, state)}
        return calendars(settings.timezone, states, frozenset(closed))

    return between


def shop_of(settings: Settings, shop_id: str) -> ShopSettings | None:
    """The shop of this id; None where it is not configured any more."""
    return next((shop for shop in settings.shops if shop.id == shop_id), None)


def live_from_of(settings: Settings) -> LiveFrom:
    """By shop, its first live day; None while it only observes."""

    def live_from(shop_id: str) -> date | None:
        shop = shop_of(settings, shop_id)
        return shop.live_from if shop else None

    return live_from

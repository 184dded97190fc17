"""A parcel's timeline under construction: dated tracking events, in the wording the carrier uses today.

Offsets count business days from the posting day; `term` is the delivery term, so `script.day(term)` is the due date.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from tracker.sandbox.people import ORIGIN, Place
from tracker.sandbox.plan import Event, Forecast, Unit
from tracker.sandbox.workdays import add_business_days, local, local_date

BRANCH, TREATMENT, DISTRIBUTION = "Agência dos Correios", "Unidade de Tratamento", "Unidade de Distribuição"
_MOVING = "Objeto em transferência - por favor aguarde"
RETURNING = "Objeto será devolvido ao remetente"
ABSENT = "Objeto não entregue - carteiro não atendido"
TRY_AGAIN = "Por favor, aguarde. Será realizada nova tentativa de entrega"
CONTACT = "Favor entrar em contato com os Correios."
_COUNTER = "Objeto aguardando retirada no endereço indicado"
_COUNTER_DETAIL = "Para retirá-lo, é preciso informar o código do objeto e apresentar documentação."
_HUB_EVERY = 3
_PICKUP_DAYS = 7  # calendar days at the counter, as tracking shows in dtLimiteRetirada


@dataclass(slots=True)
class Script:
    """A timeline under construction for one parcel on its way from the shop's city to *place*.

    `closed_in`: the state whose own holidays the carrier keeps on this route; empty where national ones alone count.
    """

    rng: Random
    place: Place
    posted_at: datetime
    term: int
    receiver: str
    after_cutoff: bool = False
    closed_in: str = ""
    labelled_at: datetime | None = None
    """When the label was made, where not some hours before the posting."""
    events: list[Event] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)

    def day(self, offset: int) -> date:
        """Return the business day *offset* after posting; after the cut-off counting starts a day later (PO 09)."""
        return add_business_days(local_date(self.posted_at), offset + (1 if self.after_cutoff else 0), self.closed_in)

    @property
    def due_on(self) -> date:
        return self.day(self.term)

    def add(
        self,
        code: str,
        kind: str,
        at: datetime,
        text: str,
        unit: Unit,
        detail: str | None = None,
        *,
        towards: Unit | None = None,
        pickup_by: date | None = None,
        receiver: str | None = None,
    ) -> None:
        self.events.append(Event(code, kind, at, text, unit, detail, towards, pickup_by, receiver))

    def show_last(self, *, after: datetime | None = None, until: datetime | None = None) -> None:
        """Let tracking show the newest entry only from *after* on, and only *until* then."""
        self.events[-1] = replace(self.events[-1], shown_at=after, hidden_at=until)

    def at(self, day: date, hour: int) -> datetime:
        """Return an instant somewhere in that hour of Brasilia time."""
        return local(day, hour, self.rng.randrange(60), self.rng.randrange(60))

    def post(self) -> None:
        """Label, posting, first forecast and departure from the shop's city."""
        country = Unit("País", None, "BR")
        branch = unit(BRANCH, ORIGIN)
        label_at = self.labelled_at or self.posted_at - timedelta(hours=3, minutes=self.rng.randrange(59))
        self.add("FC", "82", label_at, "Etiqueta emitida", country, "Aguardando postagem pelo remetente")
        if self.after_cutoff:
            text = "Objeto postado após o horário limite da unidade"
            self.add("PO", "09", self.posted_at, text, branch, "Sujeito a encaminhamento no próximo dia útil")
            leaves_at = self.at(self.day(0), 19)
        else:
            self.add("PO", "01", self.posted_at, "Objeto postado", branch)
            leaves_at = self.posted_at + timedelta(hours=3, minutes=self.rng.randrange(59))
        self.forecasts.append(Forecast(self.posted_at, self.due_on))
        self.move(leaves_at, ORIGIN, self.place)

    def move(self, at: datetime, start: Place, end: Place) -> None:
        self.add("RO", "01", at, _MOVING, unit(TREATMENT, start), towards=unit(TREATMENT, end))

    def arrive(self, day: date) -> None:
        """Reach the distribution unit in the small hours of *day*, over hubs on the way where that is long."""
        self._pass_hubs(day)
        local_unit = unit(DISTRIBUTION, self.place)
        self.add("DO", "01", self.at(day, 4), _MOVING, unit(TREATMENT, self.place), towards=local_unit)

    def _pass_hubs(self, day: date) -> None:
        """On a realistic route a parcel is scanned every three working days."""
        scanned = add_business_days(local_date(self.events[-1].at), _HUB_EVERY, self.closed_in)
        while self.closed_in and scanned < day:
            self.move(self.at(scanned, 20), ORIGIN, self.place)
            scanned = add_business_days(scanned, _HUB_EVERY, self.closed_in)

    def out(self, day: date) -> None:
        text, detail = "Objeto saiu para entrega ao destinatário", "É preciso ter alguém no endereço para receber"
        self.add("OEC", "01", self.at(day, 8), text, unit(DISTRIBUTION, self.place), f"{detail} o carteiro")

    def local_event(self, kind: str, day: date, hour: int, text: str, detail: str | None = None) -> None:
        """Add a BDE event at the distribution unit of the destination."""
        self.add("BDE", kind, self.at(day, hour), text, unit(DISTRIBUTION, self.place), detail)

    def absent(self, day: date, hour: int, kind: str = "20", detail: str = TRY_AGAIN) -> None:
        """Out for delivery, and nobody at home."""
        self.out(day)
        self.local_event(kind, day, hour, ABSENT, detail)

    def reverse(self, at: datetime) -> None:
        """Take the event before back (EST)."""
        text = "Favor desconsiderar a informação anterior"
        self.add("EST", "01", at, text, unit(DISTRIBUTION, self.place))

    def wrong_turn(self, at: datetime) -> None:
        detail = "Corrigimos um equívoco no encaminhamento do seu objeto. Por favor aguarde"
        hub = unit(TREATMENT, ORIGIN)
        self.add("FC", "03", at, "Objeto em correção de rota", hub, detail, towards=unit(TREATMENT, self.place))

    def lost(self, at: datetime) -> None:
        self.add("BDE", "80", at, "Objeto não localizado no fluxo postal", unit(TREATMENT, self.place), CONTACT)

    def damaged(self, at: datetime) -> None:
        self.add("BDE", "28", at, "Objeto e/ou conteúdo avariado", unit(TREATMENT, self.place), CONTACT)

    def delivered(self, day: date, hour: int = 14, *, counter: bool = False) -> None:
        where = unit(BRANCH if counter else DISTRIBUTION, self.place)
        text = "Objeto entregue ao destinatário"
        self.add("BDI" if counter else "BDE", "01", self.at(day, hour), text, where, receiver=self.receiver)

    def deliver(self, day: date) -> None:
        """A whole delivery day: arrival, out for delivery, delivered."""
        self.arrive(day)
        self.out(day)
        self.delivered(day, self.rng.randrange(10, 18))

    def at_counter(self, day: date) -> date:
        """Wait at the branch from noon of *day* on; return the last day."""
        last = day + timedelta(days=_PICKUP_DAYS)
        branch = unit(BRANCH, self.place)
        self.add("LDI", "01", self.at(day, 12), _COUNTER, branch, _COUNTER_DETAIL, pickup_by=last)
        return last

    def send_back(self, leaves: date, business_days: int) -> None:
        """The way home, ending with BDE 23 after *business_days*."""
        self.move(self.at(leaves, 18), self.place, ORIGIN)
        home, day = unit(DISTRIBUTION, ORIGIN), add_business_days(leaves, business_days)
        self.add("OEC", "09", self.at(day, 8), "Objeto saiu para entrega ao remetente", home)
        self.add("BDE", "23", self.at(day, 11), "Objeto entregue ao remetente", home)


def unit(kind: str, place: Place) -> Unit:
    """Return the postal unit of that kind in a city."""
    return Unit(kind, place.unit_city, place.state, f"{place.postal_prefix}970")

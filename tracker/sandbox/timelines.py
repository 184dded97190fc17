"""From a fate to dated tracking events, in the wording the carrier uses today.

Offsets count business days from the posting day; `term` is the delivery term, so `script.day(term)` is the due date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from tracker.sandbox.people import ORIGIN, Place
from tracker.sandbox.plan import Event, Fate, Forecast, Unit
from tracker.sandbox.workdays import add_business_days, is_business_day, local, local_date

BRANCH, TREATMENT, DISTRIBUTION = "Agência dos Correios", "Unidade de Tratamento", "Unidade de Distribuição"
_MOVING = "Objeto em transferência - por favor aguarde"
_RETURNING = "Objeto será devolvido ao remetente"
_ABSENT = "Objeto não entregue - carteiro não atendido"
_WRONG_ADDRESS = "Objeto não entregue - endereço incorreto"
_CONTACT = "Favor entrar em contato com os Correios."
_COUNTER = "Objeto aguardando retirada no endereço indicado"
_COUNTER_DETAIL = "Para retirá-lo, é preciso informar o código do objeto e apresentar documentação."
_PICKUP_DAYS = 7  # calendar days at the counter, as tracking shows in dtLimiteRetirada


@dataclass(slots=True)
class Script:
    """A timeline under construction for one parcel on its way from the shop's city to *place*."""

    rng: Random
    place: Place
    posted_at: datetime
    term: int
    receiver: str
    after_cutoff: bool = False
    events: list[Event] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)

    def day(self, offset: int) -> date:
        """Return the business day *offset* after posting; after the cut-off counting starts a day later (PO 09)."""
        return add_business_days(local_date(self.posted_at), offset + (1 if self.after_cutoff else 0))

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

    def at(self, day: date, hour: int) -> datetime:
        """Return an instant somewhere in that hour of Brasilia time."""
        return local(day, hour, self.rng.randrange(60), self.rng.randrange(60))

    def post(self) -> None:
        """Label, posting, first forecast and departure from the shop's city."""
        country = Unit("País", None, "BR")
        branch = unit(BRANCH, ORIGIN)
        label_at = self.posted_at - timedelta(hours=3, minutes=self.rng.randrange(59))
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
        """Reach the distribution unit in the small hours of *day*."""
        local_unit = unit(DISTRIBUTION, self.place)
        self.add("DO", "01", self.at(day, 4), _MOVING, unit(TREATMENT, self.place), towards=local_unit)

    def out(self, day: date) -> None:
        text, detail = "Objeto saiu para entrega ao destinatário", "É preciso ter alguém no endereço para receber"
        self.add("OEC", "01", self.at(day, 8), text, unit(DISTRIBUTION, self.place), f"{detail} o carteiro")

    def local_event(self, kind: str, day: date, hour: int, text: str, detail: str | None = None) -> None:
        """Add a BDE event at the distribution unit of the destination."""
        self.add("BDE", kind, self.at(day, hour), text, unit(DISTRIBUTION, self.place), detail)

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


def write(fate: Fate, script: Script, variant: int) -> None:
    """Fill *script* with all that happens to a parcel of *fate*; *variant* picks among its forms."""
    teller = _TELLERS.get(fate)
    if teller is None:
        return  # never posted, of another contract, or a code that cannot exist: nothing is ever shown
    script.post()
    teller(script, variant)


def _on_time(script: Script, variant: int) -> None:
    """Delivered by the due date; every eighth only at the second try, the first being in time."""
    if variant % 8 == 7 and script.term > 1:
        first = script.day(script.term - 1)
        script.arrive(first)
        script.out(first)
        script.local_event("20", first, 15, _ABSENT, "Por favor, aguarde. Será realizada nova tentativa de entrega")
        script.out(script.due_on)
        script.delivered(script.due_on)
    else:
        script.deliver(script.day(max(1, script.term - variant % 2)))


def _late_delivered(script: Script, variant: int) -> None:
    script.deliver(script.day(script.term + 2 + variant % 2))


def _late_open(script: Script, variant: int) -> None:
    """Goes astray after the due date, then turns up many days later; the forecast vanishes meanwhile."""
    place = script.place
    wrong_turn = script.at(script.day(script.term + 1), 4)
    detail = "Corrigimos um equívoco no encaminhamento do seu objeto. Por favor aguarde"
    hub = unit(TREATMENT, ORIGIN)
    script.add("FC", "03", wrong_turn, "Objeto em correção de rota", hub, detail, towards=unit(TREATMENT, place))
    script.forecasts.append(Forecast(wrong_turn, None))
    script.move(script.at(script.day(script.term + 4), 20), ORIGIN, place)
    script.deliver(script.day(script.term + 7 + variant % 2))


def _lost_coded(script: Script, variant: int) -> None:
    at = script.at(script.day(script.term + 1 + variant % 2), 17)
    where = unit(TREATMENT, script.place)
    script.add("BDE", "80", at, "Objeto não localizado no fluxo postal", where, _CONTACT)


def _lost_silent(script: Script, variant: int) -> None:
    """One more scan and nothing ever after; even the due date disappears."""
    script.move(script.at(script.day(1), 20), ORIGIN, script.place)
    script.forecasts.append(Forecast(script.at(script.day(script.term + 2 + variant % 2), 3), None))


def _stolen(script: Script, variant: int) -> None:
    day = script.day(max(1, script.term - variant % 2))
    script.arrive(day)
    script.out(day)
    script.local_event("50", day, 16, "Objeto roubado", _CONTACT)


def _damaged(script: Script, variant: int) -> None:
    at = script.at(script.day(max(1, script.term - 1)), 10)
    script.add("BDE", "28", at, "Objeto e/ou conteúdo avariado", unit(TREATMENT, script.place), _CONTACT)


def _returned_refused(script: Script, variant: int) -> None:
    script.arrive(script.due_on)
    script.out(script.due_on)
    text = "Objeto não entregue - cliente recusou-se a receber o objeto"
    script.local_event("04", script.due_on, 13, text, _RETURNING)
    script.send_back(script.day(script.term + 2), 4)


def _returned_absent(script: Script, variant: int) -> None:
    script.arrive(script.due_on)
    script.out(script.due_on)
    again = "Por favor, aguarde. Será realizada nova tentativa de entrega"
    script.local_event("20", script.due_on, 15, _ABSENT, again)
    last_try = script.day(script.term + 1)
    script.out(last_try)
    script.local_event("21", last_try, 11, _ABSENT, _RETURNING)
    script.send_back(script.day(script.term + 3), 4)


def _absent_then_counter(script: Script) -> date:
    script.arrive(script.due_on)
    script.out(script.due_on)
    detail = "Aguarde: objeto estará disponível para retirada na unidade a ser informada"
    script.local_event("02", script.due_on, 14, _ABSENT, detail)
    return script.at_counter(script.day(script.term + 1))


def _returned_unclaimed(script: Script, variant: int) -> None:
    last = _absent_then_counter(script)
    given_up = add_business_days(last, 1)
    text = "Objeto não entregue - prazo de retirada encerrado"
    script.add("BDI", "26", script.at(given_up, 9), text, unit(BRANCH, script.place), _RETURNING)
    script.send_back(add_business_days(given_up, 1), 3)


def _wrong_address(script: Script, variant: int) -> None:
    script.arrive(script.due_on)
    script.out(script.due_on)
    detail = "Objeto sujeito a atraso na entrega ou a devolução ao remetente"
    script.local_event("19", script.due_on, 16, _WRONG_ADDRESS, detail)
    script.local_event("08", script.day(script.term + 2), 10, _WRONG_ADDRESS, _RETURNING)
    script.send_back(script.day(script.term + 3), 4)


def _pickup(script: Script, variant: int) -> None:
    """Even: sent to the counter without a try at home, fetched soon. Odd: nobody at home, fetched on the last day."""
    if variant % 2:
        fetched = _absent_then_counter(script)
        while not is_business_day(fetched):
            fetched -= timedelta(days=1)
    else:
        script.arrive(script.due_on)
        script.at_counter(script.due_on)
        fetched = script.day(script.term + 2)
    script.delivered(fetched, 16, counter=True)


def _reversal(script: Script, variant: int) -> None:
    """Said to be delivered, taken back the next working morning, then really delivered."""
    said, really = script.day(max(1, script.term - 1)), script.day(max(2, script.term))
    script.deliver(said)
    where = unit(DISTRIBUTION, script.place)
    script.add("EST", "01", script.at(really, 7), "Favor desconsiderar a informação anterior", where)
    script.out(really)
    script.delivered(really)


def _replanned(script: Script, variant: int) -> None:
    """The due date moves two business days on the eve and the parcel keeps the new one."""
    new_due = script.day(script.term + 2)
    script.forecasts.append(Forecast(script.at(script.day(max(0, script.term - 1)), 22), new_due))
    script.deliver(new_due)


def _unknown_code(script: Script, variant: int) -> None:
    """An event pair that no published list explains (OFF 01), then a normal delivery."""
    text = "Sua entrega ou retirada nos Correios pode levar mais tempo do que o previsto"
    script.add("OFF", "01", script.at(script.day(0 if script.term < 2 else 1), 21), text, unit(TREATMENT, script.place))
    script.deliver(script.due_on)


_TELLERS: dict[Fate, Callable[[Script, int], None]] = {
    Fate.ON_TIME: _on_time,
    Fate.LATE_DELIVERED: _late_delivered,
    Fate.LATE_OPEN: _late_open,
    Fate.LOST_CODED: _lost_coded,
    Fate.LOST_SILENT: _lost_silent,
    Fate.STOLEN: _stolen,
    Fate.DAMAGED: _damaged,
    Fate.RETURNED_REFUSED: _returned_refused,
    Fate.RETURNED_ABSENT: _returned_absent,
    Fate.RETURNED_UNCLAIMED: _returned_unclaimed,
    Fate.WRONG_ADDRESS: _wrong_address,
    Fate.PICKUP: _pickup,
    Fate.REVERSAL: _reversal,
    Fate.REPLANNED: _replanned,
    Fate.UNKNOWN_CODE: _unknown_code,
}

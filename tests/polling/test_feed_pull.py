"""Which day of a feed is asked for when; and a carrier's days, fetched from a real server, becoming its parcels' history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from carriers.registry import adapters
from carriers.total_express import TotalExpress
from tests.carriers.total_express.test_total_express import answer, batch, parcel, status
from tests.end_to_end.support import Start, Trial, at, day
from tracker.polling.feed_pull import DAY, FARTHEST_BACK, Wanted, next_pull
from tracker.store.feeds import FeedState
from tracker.store.tables import Alert, CarrierFeed, CarrierOutage, Event, FeedFile, FeedWaiting, Shipment, ShipmentPoll

ZONE = ZoneInfo("America/Sao_Paulo")
EVERY = timedelta(minutes=5)
NOON = datetime(2026, 11, 20, 12, tzinfo=ZONE)
TODAY, YESTERDAY = date(2026, 11, 20), date(2026, 11, 19)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def state(**values: object) -> FeedState:
    return FeedState(**{"began_at": NOON - timedelta(days=90), "whole_until": YESTERDAY, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        pytest.param(state(), Wanted(TODAY, False), id="today, which was never asked for"),
        pytest.param(state(pulled_at=NOON, today_at=NOON), None, id="asked this very minute"),
        pytest.param(
            state(pulled_at=NOON - minutes(14), today_at=NOON - minutes(14)), None, id="today's turn has not come"
        ),
        pytest.param(
            state(pulled_at=NOON - minutes(15), today_at=NOON - minutes(15)), Wanted(TODAY, False), id="it has come"
        ),
        pytest.param(state(pulled_at=NOON - minutes(4)), None, id="a call that failed was heard all the same"),
        pytest.param(
            state(pulled_at=NOON - minutes(6), today_at=NOON - minutes(6), whole_until=YESTERDAY - DAY),
            Wanted(YESTERDAY, True),
            id="yesterday once more, between two looks at today",
        ),
        pytest.param(
            state(pulled_at=NOON - minutes(60), today_at=NOON - minutes(60), whole_until=YESTERDAY - 3 * DAY),
            Wanted(YESTERDAY - 2 * DAY, True),
            id="what was missed has its turn where the program looks in once an hour",
        ),
        pytest.param(
            state(pulled_at=NOON - minutes(60), today_at=NOON - minutes(120), whole_until=YESTERDAY - 3 * DAY),
            Wanted(TODAY, False),
            id="and so has today",
        ),
        pytest.param(
            state(pulled_at=NOON - minutes(6), today_at=NOON - minutes(6), whole_until=YESTERDAY - 200 * DAY),
            Wanted(TODAY - FARTHEST_BACK + DAY, True),
            id="after half a year only the last month",
        ),
        pytest.param(
            state(pulled_at=NOON - minutes(6), today_at=NOON - minutes(6), whole_until=None, began_at=NOON),
            Wanted(TODAY - 7 * DAY, True),
            id="at the first start a week back",
        ),
        pytest.param(
            state(pulled_at=NOON + timedelta(hours=5), today_at=NOON + timedelta(hours=5)),
            Wanted(TODAY, False),
            id="a clock that was set back stops nothing",
        ),
    ],
)
def test_which_day_is_next(known: FeedState, wanted: Wanted | None) -> None:
    assert next_pull(known, EVERY, ZONE, NOON) == wanted


def test_a_day_is_whole_half_an_hour_after_its_end() -> None:
    midnight = datetime(2026, 11, 20, tzinfo=ZONE)
    for late, wanted in ((29, None), (30, Wanted(YESTERDAY, True))):
        now = midnight + minutes(late)
        known = state(pulled_at=now - minutes(6), today_at=now - minutes(6), whole_until=YESTERDAY - DAY)
        assert next_pull(known, EVERY, ZONE, now.astimezone(UTC)) == wanted


# --- from the server to the parcels ---------------------------------------------------------------------


@dataclass
class Carrier:
    """What the server has of each day, and which days it was asked for."""

    url: str = ""
    days: dict[date, bytes] = field(default_factory=dict)
    asked: list[date] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    made = Carrier()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = date.fromisoformat(re.findall(r"<DataConsulta>(.*?)</DataConsulta>", sent)[0])
            made.asked.append(asked)
            body = made.days.get(asked, answer())
            self.send_response(made.status)
            self.send_header("Content-Type", "text/xml; charset=ISO-8859-1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def trial(start: Start, carrier: Carrier, sqlite_url: str) -> Trial:
    made = start(url=sqlite_url)
    made.adapters = {**adapters(), TotalExpress.NAME: TotalExpress}
    account = {"id": "total", "adapter": "total_express", "base_url": carrier.url, "user": "u", "password": "p"}
    made.settings["carriers"].append({**account, "cnpj": "11222333000181", "claims": {"mode": "off"}})
    rows = [
        "Pedido;Cliente;E-mail;Transportadora;Código de rastreio;Chave da NF-e;Valor",
        "T1;Bia;bia@example.com;Total;TXAA000000001TX;;100,00",
        "T2;Caio;caio@example.com;Total;;35261111222333000181550010000010021102030410;100,00",
        "",
    ]
    made.drop("pedidos.csv", "\r\n".join(rows).encode())
    return made


def stamp(number: int, hour: int) -> str:
    return f"{day(number).isoformat()}T{hour:02}:00:00"


def codes(trial: Trial) -> list[str]:
    return [row["carrier_code"] for row in sorted(trial.rows(Event), key=lambda row: row["occurred_at"])]


def test_a_day_becomes_the_parcels_history_by_awb_and_by_invoice(trial: Trial, carrier: Carrier) -> None:
    first = parcel(status("83", stamp(1, 8)), awb="TXAA000000001tx", invoice="1001")
    other = parcel(status("83", stamp(1, 9)), awb="TXZZ000000002tx", invoice="1002")
    stranger = parcel(status("83", stamp(1, 9)), awb="TXZZ000000003tx", invoice="9999")
    carrier.days[day(1)] = answer(batch(first, other, stranger))
    trial.pass_at(at(day(1), 12))
    assert carrier.asked == [day(1)]
    assert codes(trial) == ["83", "83"]
    assert {row["last_answered_at"] for row in trial.rows(ShipmentPoll)} == {at(day(1), 12)}
    assert {row["of_value"] for row in trial.rows(FeedWaiting)} == {"TXZZ000000003tx"}


def test_only_what_is_new_in_a_day_is_recorded_and_one_content_a_day_is_kept(trial: Trial, carrier: Carrier) -> None:
    stranger = batch(parcel(status("83", stamp(1, 9)), awb="TXZZ000000003tx", invoice="9999"))
    morning = batch(parcel(status("83", stamp(1, 8))))
    carrier.days[day(1)] = answer(morning, stranger)
    trial.pass_at(at(day(1), 12))
    carrier.days[day(1)] = answer(morning, stranger, batch(parcel(status("104", stamp(1, 12)))))
    trial.pass_through([at(day(1), 12, 20), at(day(1), 12, 40)])
    assert codes(trial) == ["83", "104"]
    first, second = trial.rows(FeedFile, name=day(1).isoformat())
    assert (first["body"], second["answers"], second["matched"]) == (None, 1, 1)
    assert [row["file_id"] for row in trial.rows(FeedWaiting)] == [second["id"]] * 2
    trial.drop("outros.csv", b"Pedido;Transportadora;C\xc3\xb3digo de rastreio\r\nT9;Total;TXZZ000000003TX\r\n")
    trial.pass_at(at(day(1), 13))
    assert codes(trial) == ["83", "83", "104"]


def test_days_that_were_missed_are_fetched_between_two_looks_at_today(trial: Trial, carrier: Carrier) -> None:
    trial.pass_at(at(day(10), 12))
    carrier.days[day(8)] = answer(batch(parcel(status("104", stamp(8, 9)))))
    trial.pass_through(at(day(10), 12) + minutes(6 * n) for n in range(1, 12))
    assert sorted(set(carrier.asked) - {day(10)}) == [day(n) for n in range(3, 10)]
    assert carrier.asked.count(day(10)) >= 3
    assert all(carrier.asked.count(day(n)) == 1 for n in range(3, 10))
    assert codes(trial) == ["104"]
    assert trial.one(CarrierFeed)["whole_until"] == day(9)


def test_a_carrier_that_does_not_answer_is_one_alert_and_no_silence_of_its_parcels(
    trial: Trial, carrier: Carrier
) -> None:
    trial.pass_at(at(day(2), 12))
    carrier.status = 500
    trial.pass_through(at(day(2), 13) + minutes(31 * n) for n in range(5))
    assert [row["kind"] for row in trial.rows(Alert) if row["resolved_at"] is None] == ["carrier_down"]
    carrier.status = 200
    trial.pass_at(at(day(2), 18))
    assert [row["kind"] for row in trial.rows(Alert) if row["resolved_at"] is None] == []
    assert trial.one(CarrierOutage)["ended_at"] == at(day(2), 18)
    assert len(trial.rows(Shipment)) == 2


def test_a_refused_login_stops_the_asking_until_a_person_acts(trial: Trial, carrier: Carrier) -> None:
    carrier.days = {day(2): answer(code="0")}
    trial.pass_through(at(day(2), 12) + minutes(10 * n) for n in range(4))
    assert carrier.asked == [day(2)]
    (alert,) = trial.rows(Alert)
    assert (alert["kind"], "not authorised" in alert["summary"]) == ("credentials_refused", True)

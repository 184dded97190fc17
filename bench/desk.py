"""The sandbox's carrier with its claims desk in a process of its own: every parcel is lost, every claim is taken.

`python -m bench.desk COUNT INSTANT` prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bench.parcels import START, code_of, due_on
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.correios import SimulatedCorreios
from tracker.sandbox.gate import Credentials
from tracker.sandbox.http import CorreiosServer
from tracker.sandbox.people import PLACES, make_customer
from tracker.sandbox.plan import Event, Fate, Forecast, Order, Plan, Service, Shipment, Unit

LOST_AT: Final = START + timedelta(days=4)
HELD: Final = Credentials()
_BRANCH: Final = Unit("Agência dos Correios", "CURITIBA", "PR", "80010970")
_ACCOUNT: Final = """\
  - id: correios
    base_url: http://127.0.0.1:{port}
    user: "{held.user}"
    access_code: {held.access_code}
    contract: "{held.contract}"
    posting_card: "{held.posting_card}"
    requests_per_second: 1000
    claims: {{mode: auto, phone: "4133330000", reply_email: pi@aurora.example, packaging: box}}
"""


def account(port: int) -> str:
    """The lines of the configuration for the account at this desk."""
    return _ACCOUNT.format(port=port, held=HELD)


def lost(count: int) -> Plan:
    """So many parcels, numbered from 1, that were posted and lost."""
    day = START.date()
    order = Order("1", day, day, make_customer(Random(1), 1, PLACES[0]), (), 18_990)
    events = (
        Event("PO", "01", START, "Objeto postado", _BRANCH),
        Event("BDE", "80", LOST_AT, "Objeto não localizado no fluxo postal", _BRANCH),
    )
    shipments = []
    for number in range(1, count + 1):
        due = due_on(number)
        shown = (Forecast(START, due),)
        shipments.append(
            Shipment(Fate.LOST_CODED, order, Service.PAC, code_of(number), due, due, events=events, forecasts=shown)
        )
    return Plan(1, day, tuple(shipments))


def main() -> None:
    """Serve."""
    count, instant = int(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    server = CorreiosServer(SimulatedCorreios(lost(count), SandboxClock(instant), credentials=HELD))
    server.start()
    sys.stdout.write(f"{server.url.rpartition(':')[2]}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()

"""The outside world as one thing: the simulated carrier, the mail sink, and the shop's order files."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.correios import SimulatedCorreios
from tracker.sandbox.faults import FaultPlan, Faults
from tracker.sandbox.gate import Credentials
from tracker.sandbox.http import CorreiosServer
from tracker.sandbox.mail import MailSettings, MailSink
from tracker.sandbox.plan import Plan, Shipment

CSV_COLUMNS = (
    "Pedido", "Data", "Data de envio", "Cliente", "E-mail", "Telefone", "CPF/CNPJ", "CEP", "Endereço", "Número",
    "Complemento", "Bairro", "Cidade", "UF", "Valor", "Transportadora", "Serviço", "Código de rastreio",
    "Previsão de entrega",
)  # fmt: skip


class World:
    """Starts carrier and mail sink on loopback ports inside `with`; `correios` and `mail` are open to tests.

    `folder` receives the messages (`folder/mail`) and, with `remember`, the claims (`folder/claims.jsonl`), so that a
    second world over the same folder knows what the first one registered.
    """

    def __init__(
        self,
        plan: Plan,
        clock: SandboxClock,
        *,
        folder: Path,
        port: int = 0,
        mail: MailSettings | None = None,
        remember: bool = True,
        tokens_per_second: int | None = None,
        fault_plan: FaultPlan | None = None,
    ) -> None:
        """Binds the carrier's port at once. Raises OSError: port taken; ValueError: foreign state file, TLS half given."""
        folder.mkdir(parents=True, exist_ok=True)
        self.plan = plan
        self.clock = clock
        self.mail = MailSink(folder / "mail", clock, mail)
        state_file = folder / "claims.jsonl" if remember else None
        self.correios = SimulatedCorreios(
            plan, clock, state_file=state_file, tokens_per_second=tokens_per_second, fault_plan=fault_plan
        )
        self._server = CorreiosServer(self.correios, port=port, mail=self.mail)

    @property
    def correios_url(self) -> str:
        return self._server.url

    @property
    def carrier_url(self) -> str:
        """The simulated carrier's address, for callers that need not know which carrier it is."""
        return self.correios_url

    @property
    def credentials(self) -> Credentials:
        """What the simulated carrier lets in."""
        return self.correios.credentials

    def registrations(self) -> dict[str, list[str]]:
        """The claims the simulated carrier has registered, by the parcel's code."""
        ledger = self.correios.desk.ledger()
        return {code: list(numbers) for code, numbers in ledger["registrations"].items()}

    @property
    def smtp_port(self) -> int:
        return self.mail.port

    @property
    def faults(self) -> Faults:
        return self.correios.faults

    def __enter__(self) -> Self:
        try:
            self.mail.start()
        except OSError:
            self._server.stop()
            raise
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self.mail.stop()

    def orders_csv(self, day: date) -> bytes:
        """Return the shop's file of orders shipped on *day*, header alone where there are none; see `orders_csv`."""
        return orders_csv(self.plan, day)


def orders_csv(plan: Plan, day: date) -> bytes:
    """Return what a Brazilian spreadsheet saves: UTF-8 with mark, semicolons, decimal comma, dd/mm/yyyy."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(_row(shipment) for shipment in plan.shipped_on(day))
    return text.getvalue().encode("utf-8-sig")


def _row(shipment: Shipment) -> list[str]:
    order, customer = shipment.order, shipment.order.customer
    document, postal = customer.document, customer.postal_code
    return [
        order.number,
        order.ordered_on.strftime("%d/%m/%Y"),
        order.shipped_on.strftime("%d/%m/%Y"),
        customer.name,
        customer.email,
        customer.phone,
        f"{document[:3]}.{document[3:6]}.{document[6:9]}-{document[9:]}",
        f"{postal[:5]}-{postal[5:]}",
        customer.street,
        customer.number,
        customer.complement,
        customer.district,
        customer.place.city,
        customer.place.state,
        _money(order.total_cents),
        "Correios",
        shipment.service.value,
        shipment.code,
        shipment.promised_on.strftime("%d/%m/%Y"),
    ]


def _money(cents: int) -> str:
    """Return 1234567 as 12.345,67."""
    whole = f"{cents // 100:,}".replace(",", ".")
    return f"{whole},{cents % 100:02d}"

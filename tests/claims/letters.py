"""A shop whose only carrier takes claims by letter, and what its mail server was given."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from carriers.registry import adapters
from tests.carriers.fictitious import Fictitious
from tests.end_to_end.flecha import DUE_ON, KEY, LATE, Flecha, install
from tests.end_to_end.support import ZONE, Trial, at, day
from tracker.store.tables import Letter

TO = "indenizacoes@flecha.example"
COLLECTED = datetime(2026, 8, 3, 14, tzinfo=ZONE)
LEAVES = at(day(5), 12)
"""The day after the due date, a Friday."""
REMINDS = at(day(15), 12)
"""The first business day after five: Monday."""
GIVES_UP = at(day(23), 12)
_STRICT = policy.default.clone(raise_on_defect=True)


def by_letter(
    trial: Trial,
    flecha: Flecha,
    *,
    numbers: tuple[str, ...] = (LATE,),
    due_on: date | None = DUE_ON,
    text: str | None = None,
    value: str = "100,00",
    column: str = "Valor",
    code: str | None = None,
    **claims: Any,
) -> Trial:
    """The carrier alone, with parcels that were collected and went on their way; `code` is a third event on day 5."""
    trial.adapters = {**adapters(), Fictitious.NAME: Fictitious}
    trial.plugins = (install(trial.folder / "plugins"),)
    trial.shop["cnpj"] = "12345678000195"
    entry = {"id": "flecha", "base_url": flecha.url, "requests_per_second": 1000, "key": KEY}
    trial.settings["carriers"] = [{**entry, "claims": {"mode": "auto", "letter_to": TO, **claims}}]
    lines = [f"Pedido;Cliente;E-mail;Código de rastreio;Previsão de entrega;{column};Cidade;UF;Nota fiscal"]
    for serial, number in enumerate(numbers, 1):
        lines.append(
            f"F{serial};Bia de Teste;bia@example.com;{number};06/08/2026;{value};Recife;PE;{1000 + serial if value else ''}"
        )
        events = [(1, COLLECTED, "B1"), (2, COLLECTED + timedelta(hours=9), "C1")]
        if code is not None:
            events.append((3, at(day(5), 8), code))
        flecha.show(number, *events, due_on=due_on, text=text)
    trial.drop("flecha.csv", ("\r\n".join(lines) + "\r\n").encode())
    return trial


def letters(trial: Trial) -> list[EmailMessage]:
    """What the mail server took for the carrier, read by a parser that lets no defect pass."""
    found = []
    for delivery in trial.world.mail.deliveries():
        if delivery.recipient == TO:
            raw = (trial.world.mail.folder / delivery.file).read_bytes()
            assert raw.isascii() and max(map(len, raw.splitlines())) <= 998
            message = BytesParser(policy=_STRICT).parsebytes(raw)
            assert isinstance(message, EmailMessage)
            found.append(message)
    return found


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def attached(message: EmailMessage) -> dict[str, bytes]:
    """Attachments by their names."""
    found = {}
    for part in message.iter_attachments():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found[str(part.get_filename())] = payload
    return found


def states(trial: Trial) -> list[tuple[str, str]]:
    """(part, state) of every letter."""
    return [(row["part"], row["state"]) for row in trial.rows(Letter)]

"""What the demonstration shows: a line a day, and at the end what was seen, claimed, told, and where to look next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from carriers.base import ProblemKind
from tracker.reports.words_pt import PROBLEM
from tracker.store.overview import Overview

_WEEKDAYS: Final = ("seg", "ter", "qua", "qui", "sex", "sáb", "dom")
_BAR: Final = 30
_PROBLEMS: Final[Mapping[str, str]] = {**PROBLEM, ProblemKind.DELAY: "atraso (visto antes do cliente)"}
_CLAIMS: Final = {
    "planned": "planejados para o primeiro dia permitido",
    "open": "abertos, aguardando resposta",
    "answered": "respondidos",
    "accepted": "aceitos",
    "rejected": "recusados na análise",
    "paid": "pagos",
    "refused": "não aceitos pela transportadora",
    "cancelled": "cancelados (o problema acabou antes)",
    "waiting_approval": "aguardando uma pessoa",
    "submitting": "em envio",
    "reopened": "reabertos",
    "expired": "fora do prazo",
}
_TRIGGERS: Final = {
    "order_thanked": "obrigado pela compra",
    "posted": "postado",
    "in_transit": "a caminho, dentro do prazo",
    "out_for_delivery": "saiu para entrega",
    "delivery_attempt_failed": "tentativa sem sucesso",
    "pickup_waiting": "aguardando retirada, e lembretes",
    "delay_detected": "atraso percebido",
    "delay_followup": "notícia prometida do atraso",
    "inquiry_opened": "pedido de informação aberto",
    "loss_confirmed": "extravio ou roubo, com escolha",
    "damage": "sinal de avaria",
    "returned_to_sender": "voltando para a loja",
    "address_problem": "endereço a conferir",
    "delivered": "entregue",
}


def day_line(number: int, days: int, day: date, seen: Overview) -> str:
    """One day, in one line."""
    delivered = seen.statuses.get("delivered", 0)
    filled = round(_BAR * delivered / max(seen.shipments, 1))
    bar = "█" * filled + "·" * (_BAR - filled)
    late = seen.open_problems.get("delay", 0)
    sent = sum(seen.sent_by_trigger.values())
    return (
        f"dia {number:2}/{days} {_WEEKDAYS[day.weekday()]} {day:%d/%m} {bar} {delivered:2}/{seen.shipments:2} entregues"
        f" · {late} atrasados · {seen.claims_opened} PIs · {sent} e-mails"
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """What the demonstration proves at its end: a sentence, and whether it holds."""

    sentence: str
    holds: bool


def summary(seen: Overview, findings: Sequence[Finding], elapsed_s: float, days: int) -> list[str]:
    """The closing screen."""
    lines = ["", f"{seen.shipments} encomendas em {days} dias simulados, {elapsed_s:.0f} segundos de verdade.", ""]
    lines += _section("Problemas vistos no rastreio", _PROBLEMS, seen.all_problems)
    lines += _section("Pedidos de informação e de indenização", _CLAIMS, seen.claims)
    lines += _section("E-mails que saíram por SMTP", _TRIGGERS, seen.sent_by_trigger)
    lines.append("Provas")
    lines += [f"  {'✔' if finding.holds else '✘'} {finding.sentence}" for finding in findings]
    return lines


def _section(title: str, names: Mapping[str, str], counts: Mapping[str, int]) -> list[str]:
    lines = [title]
    known = [key for key in names if counts.get(key)]
    lines += [f"  {counts[key]:4}  {names[key]}" for key in known]
    lines += [f"  {count:4}  {key}" for key, count in counts.items() if key not in names and count]
    return [*lines, ""]

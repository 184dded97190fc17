"""The merchant's daily digest in words: Brazilian Portuguese or English, as plain text and as a short HTML. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, tzinfo
from html import escape
from typing import Any, Final

from tracker.domain.alert_kinds import ALERT_KINDS
from tracker.domain.money import in_reais
from tracker.domain.text import clean
from tracker.reports import words_en, words_pt
from tracker.store.digests import DigestFacts, Held, Standing, WaitingClaim, WaitingMessage

Block = tuple[str, list[str]]
"""A heading and its lines; a line that begins with a blank belongs to the one before it."""


@dataclass(frozen=True, slots=True)
class DigestHead:
    """Whose digest it is, of which day, and what it covers."""

    shop_id: str
    shop_name: str
    language: str
    day: date
    since: datetime
    until: datetime
    zone: tzinfo
    live_from: date | None
    is_past: bool = False
    """A day that is over, read later: without how things stood."""


PT: Final[Mapping[str, str]] = {
    "subject": "{shop}: resumo de {day}",
    "subject_waits": "{shop}: resumo de {day}, {count} à espera de você",
    "covers": "De {since} até {until}.",
    "empty": "Nada aconteceu e nada espera por você.",
    "observing": "A loja só observa: nada é enviado a clientes nem à transportadora até que live_from seja preenchido.",
    "observing_until": "A loja só observa até {live_from}: nada é enviado a clientes nem à transportadora antes disso.",
    "happened": "O que aconteceu",
    "orders": "pedidos recebidos: {count}",
    "delivered": "entregas: {count}",
    "problems": "problemas novos: {items}",
    "ended": "problemas resolvidos: {count}; continuam abertos: {open}",
    "filed": "reclamações registradas: {count}",
    "answered": "reclamações respondidas: aceitas {accepted}, rejeitadas {rejected}",
    "sent": "mensagens enviadas: {items}",
    "diverted": "mensagens desviadas para {address}, não aos clientes: {count}",
    "money": "Dinheiro",
    "granted": "concedido pela transportadora: {amount}",
    "received": "recebido: {amount}",
    "expected": "esperado das reclamações em andamento: {amount}",
    "waits": "O que espera por você ({count})",
    "claim": "{id} pedido {order}, objeto {code}{value}{deadline}: {why}",
    "value": ", {amount}",
    "deadline": ", prazo {day}",
    "claim_do": "tracker approve {id}   ou   tracker reject {id} --reason '...'   (tracker explain {id} conta o porquê)",
    "message": "{id} pedido {order}, {trigger}: {why}",
    "message_do": "tracker explain {id}",
    "unconfirmed": "saiu, e o servidor não confirmou",
    "more": "e mais {count}: {command}",
    "observed": "O que teria sido feito se a loja estivesse no ar",
    "observed_messages": "mensagens: {items}",
    "observed_claims": "reclamações: {count}, {worth}",
    "worth": "valor esperado {amount}",
    "worth_unknown": "valor desconhecido: informe a coluna Valor declarado",
    "worth_partly": "valor esperado {amount}, {unknown} de valor desconhecido: informe a coluna Valor declarado",
    "past": "Dia passado: só o que aconteceu nele. O que espera por você, o guardado, o esperado e os avisos: tracker digest.",
    "before": "Guardado de antes de {live_from}",
    "before_held": "problemas {problems}, mensagens {messages}, reclamações {claims}{worth}",
    "before_do": "tracker release --all solta tudo; tracker release P12 solta um; o que não for solto vence sozinho",
    "quiet": "Nada de novo.",
    "stands": "Como está",
    "open": "problemas em aberto: {items} (tracker problems --open)",
    "stopped": "parado porque a loja observa: {items}",
    "stopped_claims": "reclamações {count} ({details})",
    "first": "a primeira vence em {day}; ",
    "stopped_messages": "mensagens {count}",
    "numberless": (
        "pedidos sem código de rastreio nem chave da NF-e há mais de uma semana, que nada acompanha: {count} ({first})"
    ),
    "open_alerts": "avisos em aberto: {count}, o mais antigo de {since} (tracker alerts --open)",
    "alerts": "Avisos graves em aberto",
    "alert": "{id} {summary}",
}
EN: Final[Mapping[str, str]] = {
    "subject": "{shop}: digest of {day}",
    "subject_waits": "{shop}: digest of {day}, {count} waiting for you",
    "covers": "From {since} to {until}.",
    "empty": "Nothing happened, and nothing waits for you.",
    "observing": "The shop only observes: nothing leaves to customers or the carrier until live_from is set.",
    "observing_until": "The shop only observes until {live_from}: nothing leaves to customers or the carrier before.",
    "happened": "What happened",
    "orders": "orders received: {count}",
    "delivered": "deliveries: {count}",
    "problems": "new problems: {items}",
    "ended": "problems that ended: {count}; still open: {open}",
    "filed": "claims filed: {count}",
    "answered": "claims answered: accepted {accepted}, rejected {rejected}",
    "sent": "messages sent: {items}",
    "diverted": "messages diverted to {address}, not to customers: {count}",
    "money": "Money",
    "granted": "granted by the carrier: {amount}",
    "received": "received: {amount}",
    "expected": "expected from claims under way: {amount}",
    "waits": "What waits for you ({count})",
    "claim": "{id} order {order}, parcel {code}{value}{deadline}: {why}",
    "value": ", {amount}",
    "deadline": ", deadline {day}",
    "claim_do": "tracker approve {id}   or   tracker reject {id} --reason '...'   (tracker explain {id} tells why)",
    "message": "{id} order {order}, {trigger}: {why}",
    "message_do": "tracker explain {id}",
    "unconfirmed": "it left, and the server did not confirm it",
    "more": "and {count} more: {command}",
    "observed": "What would have been done if the shop were live",
    "observed_messages": "messages: {items}",
    "observed_claims": "claims: {count}, {worth}",
    "worth": "expected value {amount}",
    "worth_unknown": "value unknown: fill in the column declared value",
    "worth_partly": "expected value {amount}, {unknown} of unknown value: fill in the column declared value",
    "past": "A past day: only what happened on it. What waits for you, what is held or expected, and alerts: tracker digest.",
    "before": "Held from before {live_from}",
    "before_held": "problems {problems}, messages {messages}, claims {claims}{worth}",
    "before_do": "tracker release --all lets all of it go; tracker release P12 one; what is not let go expires by itself",
    "quiet": "Nothing new.",
    "stands": "How it stands",
    "open": "open problems: {items} (tracker problems --open)",
    "stopped": "stopped because the shop observes: {items}",
    "stopped_claims": "claims {count} ({details})",
    "first": "the first expires on {day}; ",
    "stopped_messages": "messages {count}",
    "numberless": (
        "orders without a tracking code or an NF-e key for more than a week, which nothing follows: {count} ({first})"
    ),
    "open_alerts": "open alerts: {count}, the oldest of {since} (tracker alerts --open)",
    "alerts": "Open critical alerts",
    "alert": "{id} {summary}",
}


@dataclass(frozen=True, slots=True)
class DigestText:
    """A digest ready to be sent or printed."""

    subject: str
    text: str
    html: str


def digest_text(facts: DigestFacts, head: DigestHead) -> DigestText:
    """The digest in the shop's language."""
    said = _Words(head.language)
    waits = facts.waiting_claims_count + facts.waiting_messages_count
    shop, day = clean(head.shop_name), said.day(head.day)
    subject = said("subject_waits" if waits else "subject", shop=shop, day=day, count=waits)
    covers = said("covers", since=said.moment(head.since, head.zone), until=said.moment(head.until, head.zone))
    blocks = [("", [covers, *_mode(said, head)]), *_blocks(said, facts, head)]
    if facts.is_empty:
        # Above what stands already, where that is all there is.
        blocks.insert(1, ("", [said("empty" if facts.standing.is_empty else "quiet")]))
    return DigestText(subject, _plain(blocks), _html(subject, blocks, head.language))


def digest_document(facts: DigestFacts, head: DigestHead) -> dict[str, Any]:
    """The same as one JSON document; money in centavos."""
    values = asdict(facts)
    for claim in values["waiting_claims"]:
        claim["id"] = f"C{claim['id']}"
        claim["deadline_on"] = claim["deadline_on"].isoformat() if claim["deadline_on"] else None
    for message in values["waiting_messages"]:
        message["id"] = f"M{message['id']}"
    for held in (values["observed"], values["before_live"], values["standing"]["stopped"]):
        held["first_deadline_on"] = held["first_deadline_on"].isoformat() if held["first_deadline_on"] else None
    since = facts.standing.alerts_since
    values["standing"]["alerts_since"] = _utc(since) if since else None
    alerts = facts.critical_alerts
    values["critical_alerts"] = [{"id": f"A{number}", "kind": kind, "summary": text} for number, kind, text in alerts]
    return {
        "shop": head.shop_id,
        "day": head.day.isoformat(),
        "since": _utc(head.since),
        "until": _utc(head.until),
        "live_from": head.live_from.isoformat() if head.live_from else None,
        "empty": facts.is_empty,
        **values,
    }


class _Words:
    """One language's sentences, and the program's words in it."""

    def __init__(self, language: str) -> None:
        self.is_english = language == "en"
        self._said = EN if self.is_english else PT

    def __call__(self, key: str, **values: Any) -> str:
        return self._said[key].format(**values)

    def word(self, table: str, word: str | None) -> str:
        if self.is_english:
            return {**words_en.WORDS, "hold": words_en.HOLD}[table].get(word or "", word or "")
        tables = {"problem": words_pt.PROBLEM, "trigger": words_pt.TRIGGER, "hold": words_pt.HOLD}
        return words_pt.say(tables[table], word)

    def counted(self, table: str, counts: Mapping[str, int]) -> str:
        """`atraso 3, extravio 1`."""
        return ", ".join(f"{self.word(table, name)} {number}" for name, number in counts.items())

    def alert(self, kind: str, summary: str) -> str:
        """An alert's own sentence is English: in Portuguese the kind's stands before it."""
        entry = ALERT_KINDS.get(kind)
        return clean(summary) if self.is_english or entry is None else f"{entry.portuguese} ({clean(summary)})"

    def day(self, day: date) -> str:
        return day.isoformat() if self.is_english else f"{day:%d/%m/%Y}"

    def moment(self, instant: datetime, zone: tzinfo) -> str:
        local = instant.astimezone(zone)
        return f"{local:%Y-%m-%d %H:%M}" if self.is_english else f"{local:%d/%m/%Y %H:%M}"


def _mode(said: _Words, head: DigestHead) -> list[str]:
    if head.is_past:
        return [said("past")]
    if head.live_from is None:
        return [said("observing")]
    is_live = head.until.astimezone(head.zone).date() >= head.live_from
    return [] if is_live else [said("observing_until", live_from=said.day(head.live_from))]


def _blocks(said: _Words, facts: DigestFacts, head: DigestHead) -> Iterator[Block]:
    parts = (
        (said("happened"), list(_happened(said, facts))),
        (said("money"), list(_money(said, facts))),
        (
            said("waits", count=facts.waiting_claims_count + facts.waiting_messages_count),
            [*_claims(said, facts), *_messages(said, facts)],
        ),
        (said("stands"), list(_standing(said, facts.standing, head.zone))),
        (said("observed"), list(_observed(said, facts.observed))),
        (
            said("before", live_from=said.day(head.live_from) if head.live_from else ""),
            list(_before(said, facts.before_live)),
        ),
        (
            said("alerts"),
            [said("alert", id=f"A{number}", summary=said.alert(*words)) for number, *words in facts.critical_alerts],
        ),
    )
    yield from ((heading, lines) for heading, lines in parts if lines)


def _happened(said: _Words, facts: DigestFacts) -> Iterator[str]:
    if facts.orders:
        yield said("orders", count=facts.orders)
    if facts.delivered:
        yield said("delivered", count=facts.delivered)
    if facts.problems:
        yield said("problems", items=said.counted("problem", facts.problems))
    if facts.problems_ended:
        yield said("ended", count=facts.problems_ended, open=facts.problems_open)
    if facts.claims_filed:
        yield said("filed", count=facts.claims_filed)
    if facts.claims_accepted or facts.claims_rejected:
        yield said("answered", accepted=facts.claims_accepted, rejected=facts.claims_rejected)
    if facts.sent:
        yield said("sent", items=said.counted("trigger", facts.sent))
    for address, count in facts.diverted.items():
        yield said("diverted", address=address, count=count)


def _money(said: _Words, facts: DigestFacts) -> Iterator[str]:
    amounts = {"granted": facts.granted_cents, "received": facts.received_cents, "expected": facts.expected_cents}
    for key, cents in amounts.items():
        if cents:
            yield said(key, amount=in_reais(cents))


def _claims(said: _Words, facts: DigestFacts) -> Iterator[str]:
    for claim in facts.waiting_claims:
        yield _claim(said, claim)
        yield f"  {said('claim_do', id=f'C{claim.id}')}"
    more = facts.waiting_claims_count - len(facts.waiting_claims)
    if more > 0:
        yield said("more", count=more, command="tracker claims --state waiting_approval")


def _claim(said: _Words, claim: WaitingClaim) -> str:
    value = said("value", amount=in_reais(claim.expected_cents)) if claim.expected_cents else ""
    deadline = said("deadline", day=said.day(claim.deadline_on)) if claim.deadline_on else ""
    why = said.word("hold", claim.hold_reason)
    return said(
        "claim",
        id=f"C{claim.id}",
        order=clean(claim.order_number),
        code=claim.tracking_code,
        value=value,
        deadline=deadline,
        why=why,
    )


def _messages(said: _Words, facts: DigestFacts) -> Iterator[str]:
    for message in facts.waiting_messages:
        yield said(
            "message",
            id=f"M{message.id}",
            order=clean(message.order_number),
            trigger=said.word("trigger", message.trigger),
            why=_why(said, message),
        )
        yield f"  {said('message_do', id=f'M{message.id}')}"
    more = facts.waiting_messages_count - len(facts.waiting_messages)
    if more > 0:
        yield said("more", count=more, command="tracker messages --open")


def _why(said: _Words, message: WaitingMessage) -> str:
    if message.state == "unconfirmed":
        return said("unconfirmed")
    held, reason = said.word("hold", message.hold_reason), clean(message.reason or "")
    return f"{held} ({reason})" if held and reason else held or reason


def _standing(said: _Words, standing: Standing, zone: tzinfo) -> Iterator[str]:
    if standing.problems:
        yield said("open", items=said.counted("problem", standing.problems))
    stopped = ", ".join(_stopped(said, standing.stopped))
    if stopped:
        yield said("stopped", items=stopped)
    if standing.without_number:
        more = ["…"] if standing.without_number > len(standing.without_number_first) else []
        first = ", ".join([*map(clean, standing.without_number_first), *more])
        yield said("numberless", count=standing.without_number, first=first)
    if standing.alerts_since is not None:
        yield said("open_alerts", count=standing.alerts, since=said.moment(standing.alerts_since, zone))


def _stopped(said: _Words, held: Held) -> Iterator[str]:
    if held.claims:
        first = said("first", day=said.day(held.first_deadline_on)) if held.first_deadline_on else ""
        yield said("stopped_claims", count=held.claims, details=first + _worth(said, held))
    if held.messages:
        yield said("stopped_messages", count=sum(held.messages.values()))


def _observed(said: _Words, held: Held) -> Iterator[str]:
    if held.messages:
        yield said("observed_messages", items=said.counted("trigger", held.messages))
    if held.claims:
        yield said("observed_claims", count=held.claims, worth=_worth(said, held))


def _worth(said: _Words, held: Held) -> str:
    """What the claims are worth: never nothing where it is not known."""
    amount, unknown = in_reais(held.claims_cents), held.claims_of_unknown_worth
    key = "worth" if unknown == 0 else "worth_unknown" if unknown == held.claims else "worth_partly"
    return said(key, amount=amount, unknown=unknown)


def _before(said: _Words, held: Held) -> Iterator[str]:
    messages = sum(held.messages.values())
    if not (held.problems or held.claims or messages):
        return
    worth = f" ({_worth(said, held)})" if held.claims else ""
    yield said("before_held", problems=held.problems, messages=messages, claims=held.claims, worth=worth)
    yield f"  {said('before_do')}"


def _plain(blocks: list[Block]) -> str:
    parts = []
    for heading, lines in blocks:
        marked = [line if line.startswith(" ") or not heading else f"- {line}" for line in lines]
        parts.append("\n".join([*([heading] if heading else []), *marked]))
    return "\n\n".join(parts) + "\n"


def _html(title: str, blocks: list[Block], language: str) -> str:
    body = []
    for heading, lines in blocks:
        if not heading:
            body += [f"<p>{escape(line)}</p>" for line in lines]
            continue
        items: list[str] = []
        for line in lines:
            if line.startswith(" ") and items:
                items[-1] += f"<br><code>{escape(line.strip())}</code>"
            else:
                items.append(escape(line))
        body.append(f"<h3>{escape(heading)}</h3><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>")
    return f'<html lang="{language}"><head><title>{escape(title)}</title></head><body>{"".join(body)}</body></html>'


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")

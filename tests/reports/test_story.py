"""How single decisions are said: facts that are known, facts that are not, dates, holidays, the carrier's own words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tracker.reports.story import LANGUAGES
from tracker.reports.story_words import Scene

SCENE = Scene(ZoneInfo("America/Sao_Paulo"), frozenset({"PR", "SP"}))
LATE = {"since": "2026-11-21T03:00:00+00:00", "promised_on": "2026-11-20", "carrier_due_first_on": "2026-11-23"}
PLAN = {"kind": "information_request", "motive": "211", "claimable_from": "2026-11-24", "deadline_on": "2026-12-19"}
WORDS = "Objeto ainda no prazo."


def say(rule: str, outcome: str, language: str = "pt-BR", **facts: Any) -> str:
    return LANGUAGES[language].say(rule, outcome, {"reason": "as logged", **facts}, SCENE)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        pytest.param(
            {**LATE, "customer_since": "2026-11-21T03:00:00+00:00", "carrier_since": None},
            "Atraso: a encomenda não chegou e nenhuma tentativa de entrega foi feita no prazo. O prazo prometido ao"
            " cliente era 20/11/2026 (sex). A transportadora ainda está dentro do prazo dela, que é 23/11/2026 (seg).",
            id="late for the customer alone",
        ),
        pytest.param(
            {**LATE, "customer_since": None, "carrier_since": "2026-11-24T03:00:00+00:00"},
            "Atraso: a encomenda não chegou e nenhuma tentativa de entrega foi feita no prazo."
            " O prazo da transportadora era 23/11/2026 (seg).",
            id="late for the carrier alone",
        ),
        pytest.param(
            {
                **LATE,
                "customer_since": "2026-11-21T03:00:00+00:00",
                "carrier_since": None,
                "carrier_due_first_on": None,
            },
            "Atraso: a encomenda não chegou e nenhuma tentativa de entrega foi feita no prazo. O prazo prometido ao"
            " cliente era 20/11/2026 (sex). A transportadora não informou prazo.",
            id="the carrier named no date",
        ),
        pytest.param(
            {},
            "Atraso: a encomenda não chegou e nenhuma tentativa de entrega foi feita no prazo.",
            id="nothing is claimed of what the log does not hold",
        ),
    ],
)
def test_a_delay(facts: dict[str, Any], said: str) -> None:
    assert say("delay.past_promise", "opened", **facts) == said


@pytest.mark.parametrize(
    ("basis", "said"),
    [
        pytest.param(
            {"due_on": "2026-11-19", "margin_business_days": 1, "holidays_skipped": ["2026-11-20"]},
            "o prazo mais longo que a transportadora informou é 19/11/2026 (qui), mais 1 dia útil de margem."
            " Não contaram os feriados: 20/11/2026 (Dia Nacional de Zumbi e da Consciência Negra).",
            id="the latest date and a margin, over a holiday",
        ),
        pytest.param(
            {"due_on": "2026-11-06", "margin_business_days": 2, "holidays_skipped": ["2026-11-09"]},
            "mais 2 dias úteis de margem. Não contaram os feriados: 09/11/2026 (dia sem expediente).",
            id="over a day that the shop named",
        ),
        pytest.param(
            {"event_on": "2026-11-23", "days_after_event": 1},
            "1 dia depois do registro da transportadora em 23/11/2026 (seg).",
            id="counted from an event",
        ),
        pytest.param(
            {"event_on": "2026-11-24", "days_after_event": 0},
            "a transportadora registrou o problema em 24/11/2026 (ter).",
            id="on the event itself",
        ),
        pytest.param(
            {"due_on": "2026-12-18", "due_first_on": "2026-11-09", "cap_business_days": 10},
            "a transportadora adiou o prazo, e a espera vai até 10 dias úteis depois do primeiro, 09/11/2026 (seg).",
            id="a date that was moved on and on",
        ),
        pytest.param(
            {"first_on": "2026-11-24"},
            "foi quando o programa passou a acompanhar este envio.",
            id="not before the shipment was known",
        ),
        pytest.param(
            {"due_on": "2026-11-20", "delivered_on": "2026-11-24"},
            "é o dia da entrega, 24/11/2026, depois do prazo de 20/11/2026.",
            id="the day of a late delivery",
        ),
    ],
)
def test_why_a_claim_is_planned_for_its_day(basis: dict[str, Any], said: str) -> None:
    text = say("claim.plan", "planned", **PLAN, **basis)
    begin = "Reclamação planejada: pedido de informação, motivo 211. Pode ser registrada a partir de 24/11/2026 (ter): "
    assert text.startswith(begin)
    assert said in text
    assert text.endswith("O prazo para reclamar vai até 19/12/2026 (sáb).")


@pytest.mark.parametrize(
    ("rule", "outcome", "facts", "portuguese", "english"),
    [
        pytest.param(
            "loss.presumed",
            "opened",
            {
                "last_event_at": "2026-11-11T13:00:00+00:00",
                "counted_from": "2026-11-16",
                "business_days": 7,
                "holidays_skipped": ["2026-11-20"],
                "days_without_answer": 0,
            },
            "Extravio presumido: nenhuma movimentação por 7 dias úteis, contados a partir de 16/11/2026 (seg)."
            " A última movimentação foi em 11/11/2026 (qua)."
            " Não contaram os feriados: 20/11/2026 (Dia Nacional de Zumbi e da Consciência Negra).",
            "Presumed lost: nothing has been heard of it for 7 business days, counted from 16/11/2026 (Mon)."
            " The last event was on 11/11/2026 (Wed)."
            " Holidays that did not count: 20/11/2026 (National Day of Zumbi and Black Awareness).",
            id="a presumed loss",
        ),
        pytest.param(
            "late_delivery.past_promise",
            "opened",
            {**LATE, "customer_since": "2026-11-21T03:00:00+00:00", "carrier_since": None},
            "Primeira tentativa fora do prazo: a transportadora só veio em 21/11/2026 (sáb). O prazo prometido ao"
            " cliente era 20/11/2026 (sex). Para a transportadora o prazo era 23/11/2026 (seg), e ela o cumpriu.",
            "First attempt after the date: the carrier only came on 21/11/2026 (Sat). The customer was promised"
            " 20/11/2026 (Fri). The carrier's own date was 23/11/2026 (Mon), and it kept it.",
            id="a late attempt is no delivery",
        ),
        pytest.param(
            "pickup_expiring.last_day",
            "opened",
            {"since": "2026-11-23T03:00:00+00:00", "last_day": "2026-11-25", "place": "AC CENTRAL, CURITIBA/PR"},
            "Prazo de retirada no fim: a encomenda espera pelo cliente na agência; o último dia é 25/11/2026 (qua);"
            " conta como problema desde 23/11/2026 (seg). Último lugar registrado: AC CENTRAL, CURITIBA/PR.",
            "Pickup running out: the parcel waits for the customer at the counter; the last day is 25/11/2026 (Wed);"
            " it counts as a problem since 23/11/2026 (Mon). Last place on record: AC CENTRAL, CURITIBA/PR.",
            id="the counter's last day",
        ),
        pytest.param(
            "untrackable.closed",
            "opened",
            {"since": "2026-11-23T03:00:00+00:00", "closed_reason": "invalid_number"},
            "Sem rastreio: não é possível acompanhar a encomenda desde 23/11/2026 (seg):"
            " a transportadora não reconhece este código.",
            "Not trackable: the parcel cannot be followed since 23/11/2026 (Mon):"
            " the carrier does not know this number.",
            id="why it cannot be followed",
        ),
        pytest.param(
            "claim.refused",
            "refused",
            {"answer_code": "530", "answer_text": WORDS},
            "A transportadora recusou de vez: “Objeto ainda no prazo.” (código 530).",
            "The carrier refused it for good: “Objeto ainda no prazo.” (code 530).",
            id="a refusal in the carrier's words",
        ),
        pytest.param(
            "claim.later",
            "planned",
            {"answer_code": "544", "answer_text": WORDS, "next_step_at": "2026-11-25T03:00:00+00:00"},
            "A transportadora pediu para esperar: “Objeto ainda no prazo.” Nova tentativa em 25/11/2026 às 00:00.",
            "The carrier asked to wait: “Objeto ainda no prazo.” It is tried again on 25/11/2026, 00:00.",
            id="later, on a day",
        ),
        pytest.param(
            "claim.plan",
            "not_claimed",
            {"why": "inside_carrier_term", "due_on": "2026-11-27"},
            "Sem reclamação: atrasou para o cliente, não para a transportadora, cujo prazo vai até 27/11/2026 (sex).",
            "No claim: late for the customer, not for the carrier, whose own date is 27/11/2026 (Fri).",
            id="not claimed: inside the carrier's term",
        ),
        pytest.param(
            "hand.reject",
            "cancelled",
            {"who": "fulana", "note": "cliente recebeu"},
            "Barrada por fulana (cliente recebeu): não sai mais.",
            "Stopped by fulana (cliente recebeu): it does not leave any more.",
            id="a person's act",
        ),
        pytest.param(
            "deliver.email",
            "bounced",
            {"why": "no_such_mailbox", "reply": "550 5.1.1 unknown"},
            "O endereço não aceita a mensagem (o endereço não existe). O servidor disse: “550 5.1.1 unknown”",
            "The address does not take the message (the address does not exist). The server said: “550 5.1.1 unknown”",
            id="a bounce",
        ),
        pytest.param(
            "stalled.no_event",
            "opened",
            {"business_days": 1},
            "Parada: a encomenda está sem movimentação há 1 dia útil.",
            "Stuck: nothing has been heard of the parcel for 1 business day.",
            id="a rule of another release falls under its kind",
        ),
        pytest.param(
            "moon.phase", "full", {}, "Decisão registrada: as logged.", "Decided: as logged.", id="a rule nobody knows"
        ),
    ],
)
def test_in_both_languages(rule: str, outcome: str, facts: dict[str, Any], portuguese: str, english: str) -> None:
    assert say(rule, outcome, **facts) == portuguese
    assert say(rule, outcome, "en", **facts) == english


def test_nothing_breaks_a_line_or_a_terminal() -> None:
    text = say("claim.rejected", "rejected", text="não\n\x1b[31mprocede" + "x" * 300)
    assert text.startswith("A transportadora recusou a reclamação na análise: “não ")
    assert "\x1b" not in text and "\n" not in text and len(text) < 300


def test_instants_are_local() -> None:
    late = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
    assert LANGUAGES["pt-BR"].instant(late, "time", SCENE.zone) == "20/11/2026 às 22:30"

"""The merchant's digest: once a local day and address, against a real mail server, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update

from carriers.base import ProblemKind, TrackingStatus
from tests.alerts.test_mail_store import read, text_of
from tests.messages.smtp_servers import HOST, Answers, real_server
from tests.reports.support import (
    CODE,
    POSTED,
    add_a_claim,
    add_message,
    add_order,
    add_problem,
    at,
    event,
    order,
    track,
    waiting,
)
from tracker.alerts.digest import DigestShop, DigestSweep, due_day
from tracker.domain.words import Trigger
from tracker.messages.smtp import SmtpAccount, SmtpTransport
from tracker.store.database import Database
from tracker.store.digests import mailed_on
from tracker.store.leases import free_all
from tracker.store.tables import Alert, Digest, Problem, Signal, table

ZONE = ZoneInfo("America/Sao_Paulo")
TO = "dono@lojaexemplo.com.br"
MIN, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MORNING = datetime(2026, 11, 22, 11, tzinfo=UTC)
"""08:00 by the shop's clock."""


def shop(**changes: Any) -> DigestShop:
    values: dict[str, Any] = {
        "id": "exemplo",
        "name": "Loja Exemplo",
        "language": "pt-BR",
        "sender": "Loja Exemplo <pos-venda@lojaexemplo.com.br>",
        "to": (TO,),
        "at": time(8),
        "skip_empty": False,
        "live_from": date(2026, 11, 1),
    }
    return DigestShop(**{**values, **changes})


def sweep(database: Database, port: int, *shops: DigestShop) -> DigestSweep:
    transport = SmtpTransport(SmtpAccount(HOST, port, "none", dot_timeout_s=2.0))
    return DigestSweep(database, shops or (shop(),), ZONE, transport)


@asynccontextmanager
async def mailing(database: Database, *shops: DigestShop) -> AsyncIterator[tuple[Answers, DigestSweep]]:
    answers = Answers()
    async with real_server(answers) as port:
        yield answers, sweep(database, port, *shops)


def rows(database: Database) -> list[tuple[str, str, str]]:
    """(day, recipient, state)."""
    found = table(Digest)
    query = select(found.c.day, found.c.recipient, found.c.state).order_by(found.c.id)
    with database.begin_read() as connection:
        return [(day.isoformat(), to, state) for day, to, state in connection.execute(query)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(MORNING - MIN, None, id="a minute before its hour"),
        pytest.param(MORNING, date(2026, 11, 22), id="at its hour"),
        pytest.param(
            datetime(2026, 11, 23, 2, 59, tzinfo=UTC), date(2026, 11, 22), id="late at night it is still the 22nd"
        ),
        pytest.param(datetime(2026, 11, 23, 3, tzinfo=UTC), None, id="midnight in Sao Paulo"),
    ],
)
def test_the_day_of_a_digest(now: datetime, expected: date | None) -> None:
    assert due_day(time(8), ZONE, now) == expected


@pytest.mark.anyio
async def test_one_digest_a_day_and_address(database: Database) -> None:
    two = shop(to=(TO, "socia@lojaexemplo.com.br"))
    async with mailing(database, two) as (answers, lane):
        for minutes in (-1, 0, 1, 300):
            await lane.run(MORNING + minutes * MIN)
        assert [read(data)["To"] for data in answers.accepted] == list(two.to)
        await lane.run(MORNING + DAY)
    assert len(answers.accepted) == 4
    assert len({read(data)["Message-ID"] for data in answers.accepted}) == 4
    assert [state for _, _, state in rows(database)] == ["sent"] * 4
    with database.begin_read() as connection:
        of_today = mailed_on(connection, "exemplo", (MORNING + DAY).date(), TO)
        assert of_today == (MORNING, MORNING + DAY)
        assert mailed_on(connection, "exemplo", (MORNING + 2 * DAY).date(), TO) is None


@pytest.mark.anyio
async def test_two_machines_send_one(database: Database) -> None:
    answers = Answers()
    async with real_server(answers) as port:
        for lane in (sweep(database, port), sweep(database, port)):
            await lane.run(MORNING)
    assert len(answers.accepted) == 1


@pytest.mark.anyio
async def test_it_tells_what_happened_money_and_what_waits_with_the_commands(database: Database) -> None:
    with database.begin_write() as connection:
        late, lost, done = add_order(connection, order("1"), CODE, "AA987654325BR", "AA111111116BR")
        track(connection, late)
        delay, loss = add_problem(connection, late), add_problem(connection, lost, presumed=True)
        claim = waiting(connection, late, [delay])
        add_a_claim(connection, lost, [loss], state="open", opened_at=MORNING - HOUR, expected_cents=125_000)
        paid = {"closed_at": MORNING - HOUR, "answered_at": MORNING - 2 * HOUR, "opened_at": MORNING - 9 * DAY}
        money = {"granted_cents": 8_990, "received_cents": 8_990, "outcome": "accepted"}
        add_a_claim(connection, done, [], state="paid", **paid, **money)
        add_message(connection, late, state="sent", sent_at=MORNING - HOUR)
        stuck = add_message(
            connection, lost, Trigger.DAMAGE, state="awaiting_person", hold_reason="template", reason="linha 3"
        )
        alert = {"shop": "", "key": "k", "kind": "mail_down", "severity": "critical", "summary": "takes no mail"}
        connection.execute(insert(table(Alert)), {**alert, "details": {}, "raised_at": MORNING})
    async with mailing(database) as (answers, lane):
        await lane.run(MORNING)
    message = read(answers.accepted[0])
    assert message["Subject"] == "Loja Exemplo: resumo de 22/11/2026, 2 à espera de você"
    text = text_of(message)
    assert "De 21/11/2026 08:00 até 22/11/2026 08:00." in text
    assert "- reclamações registradas: 1" in text
    assert "- reclamações respondidas: aceitas 1, rejeitadas 0" in text
    assert "- mensagens enviadas: aviso de atraso 1" in text
    assert "- concedido pela transportadora: R$ 89,90" in text
    assert "- recebido: R$ 89,90" in text
    assert "- esperado das reclamações em andamento: R$ 1.250,00" in text
    assert f"- C{claim} pedido 1, objeto {CODE}, prazo 18/12/2026: espera aprovação" in text
    assert f"  tracker approve C{claim}   ou   tracker reject C{claim}" in text
    assert f"- M{stuck} pedido 1, avaria: o texto da mensagem tem um erro (linha 3)" in text
    assert (
        "- A1 Uma conta de e-mail não aceita mensagens; sem outra conta, elas esperam na fila. (takes no mail)" in text
    )
    assert "O que teria sido feito" not in text
    html = text_of(message, "html")
    assert f"<code>tracker explain M{stuck}</code>" in html and "<h3>Dinheiro</h3>" in html


@pytest.mark.anyio
async def test_an_observing_shop_reads_what_would_have_been_done(database: Database) -> None:
    with database.begin_write() as connection:
        parcel, other = add_order(connection, order("1"), CODE, "AA987654325BR")
        problem = add_problem(connection, parcel)
        since = MORNING - HOUR
        held = {"state": "waiting_approval", "hold_reason": "observe", "planned_at": since, "expected_cents": 9_900}
        add_a_claim(connection, parcel, [problem], **held)
        add_message(connection, parcel, state="awaiting_person", hold_reason="observe", queued_at=since)
        add_message(connection, other, state="expired", queued_at=since)
        add_message(connection, other, Trigger.POSTED, state="suppressed", queued_at=since)
    async with mailing(database, shop(live_from=None, language="en")) as (answers, lane):
        await lane.run(MORNING)
    text = text_of(read(answers.accepted[0]))
    assert "The shop only observes" in text
    assert "What would have been done if the shop were live\n- messages: late 2" in text
    assert "- claims: 1, expected value R$ 99,00" in text
    assert "waits for you" not in text


@pytest.mark.anyio
async def test_how_it_stands_is_told_every_day(database: Database) -> None:
    """Of an observing shop whose last day brought one delivery: what stands since before is in its digest all the same."""
    earlier, soon = MORNING - 9 * DAY, MORNING + HOUR
    stopped = {"hold_reason": "observe", "next_step_at": soon}
    with database.begin_write() as connection:
        late, other, lost = add_order(connection, order("1"), CODE, "AA987654325BR", "AA111111116BR")
        track(
            connection,
            late,
            [POSTED, event("BDE-01", at(21, 14), TrackingStatus.DELIVERED, "Objeto entregue", final=True)],
        )
        delays = [add_problem(connection, parcel) for parcel in (late, other)]
        loss = add_problem(connection, lost, ProblemKind.LOSS)
        held = {**stopped, "state": "waiting_approval", "planned_at": earlier}
        add_a_claim(connection, late, delays[:1], **held, expected_cents=9_900, deadline_on=date(2026, 12, 9))
        add_a_claim(connection, lost, [loss], **held, deadline_on=date(2026, 12, 20))
        for parcel in (late, other):
            add_message(connection, parcel, state="awaiting_person", queued_at=earlier, **stopped)
        alert = {"shop": "exemplo", "kind": "mail_down", "severity": "info", "summary": "s", "details": {}}
        for days in (3, 2):
            raised = {**alert, "key": f"k{days}", "raised_at": MORNING - days * DAY}
            connection.execute(insert(table(Alert)), raised)
        connection.execute(insert(table(Alert)), {**alert, "key": "o", "shop": "outra", "raised_at": earlier})
    async with mailing(database, shop(live_from=None)) as (answers, lane):
        await lane.run(MORNING)
    assert text_of(read(answers.accepted[0])).split("\n\n")[1:] == [
        "O que aconteceu\n- entregas: 1",
        "Como está\n"
        "- problemas em aberto: atraso 2, extravio 1 (tracker problems --open)\n"
        "- parado porque a loja observa: reclamações 2 (a primeira vence em 09/12/2026; valor esperado R$ 99,00, 1 de valor "
        "desconhecido: informe a coluna Valor declarado), mensagens 2\n"
        "- avisos em aberto: 2, o mais antigo de 19/11/2026 08:00 (tracker alerts --open)\n",
    ]


@pytest.mark.anyio
async def test_how_it_stands_makes_no_mail_on_a_day_of_nothing(database: Database) -> None:
    with database.begin_write() as connection:
        for of, code in (("exemplo", CODE), ("outra", "AA987654325BR")):
            (parcel,) = add_order(connection, order("1"), code, shop=of)
            add_problem(connection, parcel)
    async with mailing(database, shop(), shop(id="outra", skip_empty=True)) as (answers, lane):
        await lane.run(MORNING + 3 * DAY)
    assert "Nada de novo." in text_of(read(answers.accepted[0]))
    assert [state for _, _, state in rows(database)] == ["sent", "skipped"]


@pytest.mark.anyio
async def test_a_shop_that_went_live_reads_what_is_held_from_before(database: Database) -> None:
    with database.begin_write() as connection:
        (parcel,) = add_order(connection, order("1"), CODE)
        problem = add_problem(connection, parcel)
        settled = add_problem(connection, parcel, ProblemKind.LOSS)
        ended = update(table(Problem)).where(table(Problem).c.id == settled)
        connection.execute(ended.values(resolved_at=MORNING - HOUR, resolution="by_hand"))
        add_a_claim(connection, parcel, [problem, settled], state="waiting_approval", hold_reason="before_live")
        add_message(connection, parcel, problem_id=problem, state="awaiting_person", hold_reason="before_live")
    async with mailing(database, shop(live_from=date(2026, 11, 22))) as (answers, lane):
        await lane.run(MORNING)
    text = text_of(read(answers.accepted[0]))
    worth = "valor desconhecido: informe a coluna Valor declarado"
    assert f"Guardado de antes de 22/11/2026\n- problemas 1, mensagens 1, reclamações 1 ({worth})" in text
    assert "tracker release --all" in text


@pytest.mark.anyio
async def test_an_empty_day_is_a_short_line_or_nothing(database: Database) -> None:
    async with mailing(database, shop(), shop(id="outra", skip_empty=True)) as (answers, lane):
        await lane.run(MORNING)
    (data,) = answers.accepted
    assert "Nada aconteceu e nada espera por você." in text_of(read(data))
    assert [state for _, _, state in rows(database)] == ["sent", "skipped"]


@pytest.mark.anyio
async def test_a_missed_morning_is_made_up_for_the_same_day_and_never_for_past_ones(database: Database) -> None:
    async with mailing(database) as (answers, lane):
        await lane.run(MORNING)
        await lane.run(MORNING + 3 * DAY + 9 * HOUR)
    assert [day for day, _, _ in rows(database)] == ["2026-11-22", "2026-11-25"]
    assert "De 22/11/2026 08:00 até 25/11/2026 17:00." in text_of(read(answers.accepted[1]))


@pytest.mark.anyio
async def test_a_day_without_mail_is_told_by_the_next_digest_and_alerted(database: Database) -> None:
    answers = Answers(rcpt=["451 4.3.0 later"] * 30)
    async with real_server(answers) as port:
        lane = sweep(database, port)
        for hours in range(24):
            await lane.run(MORNING + hours * HOUR)
        answers.rcpt.clear()
        await lane.run(MORNING + DAY)
    assert [state for _, _, state in rows(database)] == ["expired", "sent"]
    assert "De 21/11/2026 08:00 até 23/11/2026 08:00." in text_of(read(answers.accepted[0]))
    with database.begin_read() as connection:
        said = connection.execute(table(Signal).select().order_by(table(Signal).c.id)).all()
    assert [(one.kind, one.raised) for one in said] == [("digest_not_sent", True), ("digest_not_sent", False)]


@pytest.mark.anyio
async def test_a_digest_that_may_have_left_is_not_sent_again(database: Database) -> None:
    async with mailing(database) as (answers, lane):
        answers.drop_after_dot = True
        for minutes in (0, 20, 60):
            await lane.run(MORNING + minutes * MIN)
    assert len(answers.accepted) == 1
    assert [state for _, _, state in rows(database)] == ["unconfirmed"]


@pytest.mark.anyio
async def test_a_death_while_sending_is_not_repeated_and_one_before_it_is(database: Database) -> None:
    async with mailing(database, shop(), shop(id="outra")) as (answers, lane):
        digests = table(Digest)
        lane_only = [one.id for one in lane.shops]
        assert lane_only == ["exemplo", "outra"]
        with database.begin_write() as connection:
            lane._plan(connection, MORNING)
            died = update(digests).values(lease_token="dead", lease_until=MORNING + HOUR)
            connection.execute(died)
            connection.execute(update(digests).where(digests.c.shop == "exemplo").values(state="sending"))
        await lane.run(MORNING + MIN)
        assert answers.accepted == []
        with database.begin_write() as connection:
            free_all(connection)
        await lane.run(MORNING + 2 * MIN)
    assert len(answers.accepted) == 1
    assert [state for _, _, state in rows(database)] == ["unconfirmed", "sent"]

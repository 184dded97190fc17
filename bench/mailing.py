"""E-mail from the due row to the server's word that it was taken, against rendering, building and sending alone."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from bench import bare
from bench.figures import Figure, Took, against_bare, timed
from bench.rows import fill, fill_deliveries
from bench.setting import Setting
from bench.world import NOW, World, lanes, run
from tracker.messages.variables import Value

VALUES: dict[str, Value] = {
    "loja": "Loja Aurora",
    "sac": "sac@aurora.example, seg. a sex., 9h às 18h",
    "nome": "Marina",
    "produto": "fone sem fio",
    "transportadora": "Correios",
    "data": "segunda-feira, 07/12",
}
DUE = "UPDATE deliveries SET state = 'queued', next_step_at = :at, sent_at = NULL, attempts = 0"


def mail(setting: Setting) -> list[Figure]:
    """Every message once each way a round."""
    count = setting.sizes.messages
    with setting.world() as world:
        pairs = asyncio.run(_rounds(world, count, setting.sizes.rounds))
    return [against_bare("mail", pairs, count, "messages/s", setting.database, 0.5)]


async def _rounds(world: World, count: int, rounds: int) -> list[tuple[Took, Took]]:
    numbers = range(1, count + 1)
    pairs = []
    with world.program() as app:
        fill(app.database, count, poll_at=lambda _: NOW, check_at=lambda _: NOW)
        fill_deliveries(app.database, count, lambda _: NOW)
        for _ in range(rounds):
            with app.database.begin_write() as connection:
                at = NOW.strftime("%Y-%m-%d %H:%M:%S.%f") if app.database.sqlite else NOW
                connection.execute(text(DUE), {"at": at})
                connection.execute(text("DELETE FROM decisions"))
            bare_took, _ = await timed(lambda: bare.mail(world.mail_port, numbers, VALUES, NOW))
            ours_took, rows = await timed(lambda: run(lanes(app, "messages:email"), NOW))
            with app.database.begin_read() as connection:
                sent = connection.execute(text("SELECT count(*) FROM deliveries WHERE state = 'sent'")).scalar_one()
            if (rows, sent) != (count, count):
                raise RuntimeError(f"{sent} of {count} messages were sent: the figure would mean nothing")
            pairs.append((bare_took, ours_took))
    return pairs

"""`tracker digest` prints and sends nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cli.conftest import Tracker
from tests.reports.support import CODE, add_order, add_problem, at, order, waiting
from tracker.domain.order import OrderStatus
from tracker.store.database import Database
from tracker.store.orders import save_order
from tracker.store.tables import Digest, table


@pytest.fixture
def late(database: Database, tracker: Tracker) -> Tracker:
    """A claim that waits, of a problem of 21 November."""
    with database.begin_write() as connection:
        (parcel,) = add_order(connection, order("10482"), CODE)
        waiting(connection, parcel, [add_problem(connection, parcel)])
    return tracker


def test_it_prints_every_shop_and_sends_nothing(late: Tracker, database: Database) -> None:
    said = late("digest").stdout
    assert said.startswith("Loja Exemplo: resumo de 24/11/2026, 1 à espera de você\n\nDe 23/11/2026 12:00 até")
    assert "tracker approve C1" in said
    assert "\nComo está\n- problemas em aberto: atraso 1 (tracker problems --open)\n" in said
    assert "\nOutra Loja: resumo de 24/11/2026\n" in said and "A loja só observa" in said
    with database.begin_read() as connection:
        assert connection.execute(table(Digest).select()).all() == []


@pytest.mark.parametrize("day", ["2026-11-21", "21/11/2026"])
def test_a_past_day_and_one_shop(late: Tracker, day: str) -> None:
    (told,) = late.json("digest", "--shop", "exemplo", "--date", day)
    assert (told["since"], told["until"]) == ("2026-11-20T11:00:00Z", "2026-11-21T11:00:00Z")
    assert (told["problems"], told["problems_open"]) == ({"delay": 1}, 1)


def test_a_past_day_tells_nothing_of_today(late: Tracker) -> None:
    (told,) = late.json("digest", "--shop", "exemplo", "--date", "2026-11-20")
    assert (told["problems_open"], told["waiting_claims"], told["waiting_claims_count"]) == (0, [], 0)
    said = late("digest", "--shop", "exemplo", "--date", "2026-11-20").stdout
    assert "Dia passado: só o que aconteceu nele." in said and "tracker approve" not in said
    assert "Como está" not in said


def test_how_it_stands_as_a_document(late: Tracker) -> None:
    (told,) = late.json("digest", "--shop", "exemplo")
    assert (told["standing"]["problems"], told["standing"]["alerts"]) == ({"delay": 1}, 0)
    assert told["standing"]["stopped"]["first_deadline_on"] is None


def test_orders_that_wait_for_a_number_for_more_than_a_week_are_named(tracker: Tracker, database: Database) -> None:
    assert "sem código de rastreio" not in tracker("digest", "--shop", "exemplo").stdout
    with database.begin_write() as connection:
        for number in range(1, 8):
            add_order(connection, order(f"N{number}", status=OrderStatus.PAID))
        add_order(connection, order("FORA", status=OrderStatus.CANCELLED))
        add_order(connection, order("ENTREGUE", status=OrderStatus.DELIVERED))
        add_order(connection, order("10482"), CODE)
        save_order(connection, "exemplo", order("NOVO"), [], at(20))
        save_order(connection, "exemplo", order("ANTIGO"), [], at(20) - timedelta(days=60))
    said = " ".join(tracker("digest", "--shop", "exemplo").stdout.split())
    sentence = (
        "pedidos sem código de rastreio nem chave da NF-e há mais de uma semana, que nada acompanha: 7 (N1, N2, N3, N4,"
    )
    assert f"Como está - {sentence} N5, …)" in said
    (told,) = tracker.json("digest", "--shop", "exemplo")
    assert told["standing"]["without_number"] == 7
    assert told["standing"]["without_number_first"] == ["N1", "N2", "N3", "N4", "N5"]
    (past,) = tracker.json("digest", "--shop", "exemplo", "--date", "2026-11-20")
    assert past["standing"]["without_number"] == 0


def test_html(late: Tracker) -> None:
    assert "<code>tracker approve C1" in late("digest", "--shop", "exemplo", "--html").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["--shop", "x"], "--shop x: there is no such shop (known: exemplo, outra)", id="no such shop"),
        pytest.param(["--date", "ontem"], "--date ontem: needs a day, as 2026-12-10 or 10/12/2026", id="no day"),
    ],
)
def test_one_sentence_for_bad_words(tracker: Tracker, words: list[str], sentence: str) -> None:
    refused = tracker("digest", *words)
    assert (refused.output.strip(), refused.exit_code) == (sentence, 2)

"""Rows read in one piece are the rows that the database holds, in the order that was asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Select, bindparam, insert, select

from tracker.store.at_once import AtOnce, Together
from tracker.store.database import Database
from tracker.store.kept import among
from tracker.store.tables import Decision, Order, table

NOW = datetime(2026, 11, 24, 12, 0, 0, 120, tzinfo=UTC)
_ORDERS, _DECISIONS = table(Order), table(Decision)
ALL = (
    select(_ORDERS.c.id, _ORDERS.c.number, _ORDERS.c.promised_on, _ORDERS.c.created_at, _ORDERS.c.ordered_at)
    .add_columns(_ORDERS.c.promised_on.is_(None).label("unknown"))
    .order_by(_ORDERS.c.created_at.desc(), _ORDERS.c.id)
)
QUERY = ALL.where(_ORDERS.c.id.in_(bindparam("ids", expanding=True)))
LISTED = ALL.where(among(_ORDERS.c.id, "ids"))


def fill(database: Database) -> None:
    common = {"shop": "exemplo", "source": "file", "status": "shipped", "updated_at": NOW}
    with database.begin_write() as connection:
        for number, words in enumerate(('Ação "1"\n', "\U0001f4e6\\u0000", "", "9007199254740993"), start=1):
            own = {"id": number, "number": words, "created_at": NOW + timedelta(days=number // 2)}
            promised = {"promised_on": date(2026, 12, number)} if number % 2 else {}
            connection.execute(insert(_ORDERS).values(**common, **own, **promised))


@pytest.mark.parametrize("query", [pytest.param(QUERY, id="in"), pytest.param(LISTED, id="among")])
def test_every_kind_of_value_comes_back_as_it_was_written_in_the_order_asked_for(
    database: Database, query: Select[Any]
) -> None:
    fill(database)
    with database.begin_read() as connection:
        whole = AtOnce(query).rows(connection, {"ids": [1, 2, 3, 4]})
        one_by_one = connection.execute(QUERY, {"ids": [1, 2, 3, 4]}).all()
    assert [tuple(row) for row in whole] == [tuple(row) for row in one_by_one]
    assert [row[0] for row in whole] == [4, 2, 3, 1]
    assert whole[1][3] == NOW + timedelta(days=1)
    assert whole[1][3].tzinfo is not None
    assert [row[2] for row in whole] == [None, None, date(2026, 12, 3), date(2026, 12, 1)]
    assert [row[5] for row in whole] == [True, True, False, False]


@pytest.mark.parametrize("query", [pytest.param(QUERY, id="in"), pytest.param(LISTED, id="among")])
def test_nothing_found_is_no_row(database: Database, query: Select[Any]) -> None:
    fill(database)
    with database.begin_read() as connection:
        assert list(AtOnce(query).rows(connection, {"ids": [7]})) == []
        assert list(AtOnce(query).rows(connection, {"ids": []})) == []


def test_several_questions_are_answered_together(database: Database) -> None:
    fill(database)
    numbers = AtOnce(select(_ORDERS.c.number).where(among(_ORDERS.c.id, "ids")).order_by(_ORDERS.c.id))
    with database.begin_read() as connection:
        ours, names = Together(AtOnce(LISTED), numbers).rows(connection, {"ids": [2, 3]})
        none = Together(AtOnce(LISTED), numbers).rows(connection, {"ids": []})
        assert [tuple(row) for row in ours] == [tuple(row) for row in connection.execute(LISTED, {"ids": [2, 3]})]
    assert [row[0] for row in names] == ["\U0001f4e6\\u0000", ""]
    assert [list(rows) for rows in none] == [[], []]


def test_values_and_constants_of_a_query_are_compared_as_they_are_kept(database: Database) -> None:
    fill(database)
    some = ALL.where(among(_ORDERS.c.id, "ids"), _ORDERS.c.created_at > bindparam("after"), _ORDERS.c.shop == "exemplo")
    paulista = NOW.astimezone(timezone(timedelta(hours=-3)))
    with database.begin_read() as connection:
        found = AtOnce(some.limit(1)).rows(connection, {"ids": [1, 2, 3, 4], "after": paulista})
    assert [row[0] for row in found] == [4]


def test_a_column_that_json_would_change_is_refused(database: Database) -> None:
    query = AtOnce(select(_DECISIONS.c.facts))
    with database.begin_read() as connection:
        if database.sqlite:
            with pytest.raises(TypeError, match="facts"):
                query.rows(connection, {})
        else:
            assert list(query.rows(connection, {})) == []

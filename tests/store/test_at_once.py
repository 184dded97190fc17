"""Rows read in one piece are the rows that the database holds, in the order that was asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import bindparam, insert, select

from tracker.store.at_once import AtOnce
from tracker.store.database import Database
from tracker.store.tables import Decision, Order, table

NOW = datetime(2026, 11, 24, 12, 0, 0, 120, tzinfo=UTC)
_ORDERS, _DECISIONS = table(Order), table(Decision)
QUERY = (
    select(_ORDERS.c.id, _ORDERS.c.number, _ORDERS.c.promised_on, _ORDERS.c.created_at, _ORDERS.c.ordered_at)
    .add_columns(_ORDERS.c.promised_on.is_(None).label("unknown"))
    .where(_ORDERS.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_ORDERS.c.created_at.desc(), _ORDERS.c.id)
)


def fill(database: Database) -> None:
    common = {"shop": "exemplo", "source": "file", "status": "shipped", "updated_at": NOW}
    with database.begin_write() as connection:
        for number, words in enumerate(('Ação "1"\n', "\U0001f4e6\\u0000", "", "9007199254740993"), start=1):
            own = {"id": number, "number": words, "created_at": NOW + timedelta(days=number // 2)}
            promised = {"promised_on": date(2026, 12, number)} if number % 2 else {}
            connection.execute(insert(_ORDERS).values(**common, **own, **promised))


def test_every_kind_of_value_comes_back_as_it_was_written_in_the_order_asked_for(database: Database) -> None:
    fill(database)
    with database.begin_read() as connection:
        whole = AtOnce(QUERY).rows(connection, {"ids": [1, 2, 3, 4]})
        one_by_one = connection.execute(QUERY, {"ids": [1, 2, 3, 4]}).all()
    assert [tuple(row) for row in whole] == [tuple(row) for row in one_by_one]
    assert [row[0] for row in whole] == [4, 2, 3, 1]
    assert whole[1][3] == NOW + timedelta(days=1)
    assert whole[1][3].tzinfo is not None
    assert [row[2] for row in whole] == [None, None, date(2026, 12, 3), date(2026, 12, 1)]
    assert [row[5] for row in whole] == [True, True, False, False]


def test_nothing_found_is_no_row(database: Database) -> None:
    with database.begin_read() as connection:
        assert list(AtOnce(QUERY).rows(connection, {"ids": [7]})) == []
        assert list(AtOnce(QUERY).rows(connection, {"ids": []})) == []


def test_a_column_that_json_would_change_is_refused(database: Database) -> None:
    query = AtOnce(select(_DECISIONS.c.facts))
    with database.begin_read() as connection:
        if database.sqlite:
            with pytest.raises(TypeError, match="facts"):
                query.rows(connection, {})
        else:
            assert list(query.rows(connection, {})) == []

"""News that a message promised: told on its day where the text that left promised it, and never else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.end_to_end.support import Start, at, day, of_fate
from tracker.sandbox.plan import Fate
from tracker.store.tables import Delivery, Notice

LATE = of_fate(Fate.LATE_OPEN)
"""Due on day 4, late from day 5, delivered on day 15."""
TEXTS = Path(__file__).parents[2] / "tracker" / "templates" / "pt-BR"
OWN_TEXT = "delay_detected.email.txt"


@pytest.mark.parametrize(
    ("preset", "own_text", "promised"),
    [
        pytest.param("all", False, True, id="promised"),
        pytest.param("problems", False, False, id="switched on only after the message left"),
        pytest.param("all", True, False, id="the merchant's own text names no day"),
    ],
)
def test_promised_news_come_only_where_they_were_promised(
    start: Start, database_url: str, preset: str, own_text: bool, promised: bool
) -> None:
    trial = start(LATE, url=database_url)
    trial.drop_orders()
    trial.settings["messages"]["preset"] = preset
    if own_text:
        folder = trial.folder / "textos" / "pt-BR"
        folder.mkdir(parents=True)
        text = (TEXTS / OWN_TEXT).read_text(encoding="utf-8").replace("{{ prox_contato }}", "breve")
        (folder / OWN_TEXT).write_text(text, encoding="utf-8")
        trial.settings["messages"]["templates"] = str(folder.parent)
    trial.pass_through(at(day(n), 9) for n in range(2, 7))
    told = trial.one(Delivery, notice_id=trial.one(Notice, trigger="delay_detected")["id"])
    assert (told["state"], told["promised_on"] is not None) == ("sent", promised)
    trial.settings["messages"]["preset"] = "all"
    trial.pass_through(at(day(n), 9) + timedelta(minutes=5) for n in range(7, 12))
    news = trial.rows(Notice, trigger="delay_followup")
    assert [bool(news), news[0]["since"].date() if news else None] == [promised, told["promised_on"]]

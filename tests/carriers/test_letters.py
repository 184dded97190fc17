"""Claims by letter as any carrier by road gets them: motives, words, law and terms that fit together."""

from __future__ import annotations

from datetime import date

from carriers.base import ClaimKind, CounterpartyKind, ProblemKind, WindowStart
from carriers.law import STATUTES
from carriers.letters import ASKS_FOR, LAW, OFFERS, WORDS, road_claims

ROAD = road_claims(source="read in a test", valid_since=date(2026, 11, 28))


def test_every_motive_that_has_words_is_offered() -> None:
    motives = {offer.motive for offer in OFFERS}
    assert set(WORDS) | set(LAW) | set(ASKS_FOR) <= motives
    # Damage has no words of its own: whether it is a carta-protesto depends on the day.
    assert motives - set(WORDS) == {"avaria", "violacao"}
    assert len({offer.priority for offer in OFFERS}) == len(OFFERS)


def test_damage_has_ten_days_from_delivery_and_loss_a_year() -> None:
    windows = {offer.problem: offer.window for offer in ROAD.claim_terms.offers if offer.kind is ClaimKind.REFUND}
    damage, loss = windows[ProblemKind.DAMAGE], windows[ProblemKind.LOSS]
    assert damage is not None and loss is not None
    assert (damage.counts_from, damage.days, damage.alert_days) == (WindowStart.DELIVERY, 10, (5, 8))
    assert (loss.counts_from, loss.days, loss.last_day) == (WindowStart.EVENT, 365, 365)


def test_no_address_is_made_up() -> None:
    assert ROAD.letter_to is None
    assert road_claims(source="x", valid_since=date(2026, 1, 1), letter_to="sac@carrier.example").letter_to


def test_a_carrier_may_differ() -> None:
    broker = road_claims(
        source="x",
        valid_since=date(2026, 1, 1),
        counterparty=CounterpartyKind.BROKER,
        words={"extravio": "Formulário 7"},
        without=[ProblemKind.STALLED],
    )
    assert broker.counterparty is CounterpartyKind.BROKER
    assert broker.words["extravio"] == "Formulário 7" and broker.words["roubo"] == WORDS["roubo"]
    assert ProblemKind.STALLED not in {offer.problem for offer in broker.claim_terms.offers}


def test_every_statute_says_where_it_stands() -> None:
    assert all(one.source and one.cited and not one.cited.endswith(".") for one in STATUTES)
    assert all(one.in_force_since < date(2026, 1, 1) for one in STATUTES)

"""Goods without a tracking code: which invoice a package is followed by, and what a person is told where there is none."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from carriers.base import AdapterContext, RefKind, TrackingRef
from carriers.http import CarrierHttp
from carriers.ocoren import Ocoren, OcorenSettings
from carriers.ssw import Ssw, SswSettings
from carriers.total_express import TotalExpress, TotalExpressSettings
from tests.carriers.support import context
from tracker.book import Account, CarrierBook
from tracker.config import Settings
from tracker.domain.order import Package
from tracker.intake.codes import Unfollowed
from tracker.intake.options import ReadOptions

KEY = "35261111222333000181550010000010011102030405"
FREIGHT_KEY = "35261144555666000161570010000070011556677887"
INVOICE = TrackingRef(RefKind.INVOICE, "11222333000181/1/1001")
AWB = TrackingRef(RefKind.CODE, "TXAA000000001tx")
ADAPTERS: dict[str, tuple[type, BaseModel]] = {
    "ocoren": (Ocoren, OcorenSettings()),
    "ssw": (Ssw, SswSettings()),
    "total": (TotalExpress, TotalExpressSettings(user="u", password="p", cnpj="11222333000181")),
}


def book(carrier: str) -> CarrierBook:
    kind, own = ADAPTERS[carrier]
    about: AdapterContext = context("https://carrier.example")
    settings = Settings.model_validate(
        {
            "shops": [
                {
                    "id": "aurora",
                    "name": "Loja",
                    "cnpj": "11222333000181",
                    "email": {"from": "Loja <sac@aurora.example>"},
                }
            ],
            "carriers": [{"id": carrier, "adapter": kind.NAME, "title": "Estrada"}],  # type: ignore[attr-defined]
        }
    )
    http: CarrierHttp = about.http
    return CarrierBook(settings, {carrier: Account(carrier, carrier, kind(own, about), http, "")})


@pytest.mark.parametrize(
    ("carrier", "package", "expected"),
    [
        pytest.param("ocoren", Package(invoice_key=KEY), INVOICE, id="by the invoice that a key names"),
        pytest.param("ocoren", Package(tracking_code=KEY), INVOICE, id="a key in the column of codes"),
        pytest.param(
            "ocoren", Package(tracking_code="MINUTA4711", invoice_key=KEY), INVOICE, id="beside another number"
        ),
        pytest.param("ocoren", Package(invoice_number="1/1001"), INVOICE, id="by the shop's own series and number"),
        pytest.param("ocoren", Package(invoice_number="001-000001001"), INVOICE, id="however they are written"),
        pytest.param("ocoren", Package(invoice_number="1001"), None, id="a number without its series is no invoice"),
        pytest.param("ocoren", Package(invoice_key=FREIGHT_KEY), None, id="the key of a freight document is none"),
        pytest.param("ocoren", Package(tracking_code="MINUTA4711"), None, id="a number of the shop's alone"),
        pytest.param("ssw", Package(invoice_key=KEY), TrackingRef(RefKind.INVOICE_KEY, KEY), id="by the key itself"),
        pytest.param(
            "total", Package(tracking_code="TXAA000000001TX", invoice_key=KEY), AWB, id="the code comes first"
        ),
        pytest.param("total", Package(invoice_key=KEY), INVOICE, id="an invoice where there is no code"),
        pytest.param(
            "total", Package(carrier_raw="TOTAL EXPRESS", invoice_key=KEY), INVOICE, id="named as its adapter is titled"
        ),
        pytest.param("total", Package(carrier_raw="Outra", invoice_key=KEY), None, id="named as nobody is"),
        pytest.param(
            "total", Package(tracking_code="TXAA", invoice_key=KEY), None, id="a wrong code is not passed over"
        ),
    ],
)
def test_what_a_package_is_followed_by(carrier: str, package: Package, expected: TrackingRef | None) -> None:
    found = book(carrier).parcel("aurora", package, ReadOptions())
    assert (None if isinstance(found, Unfollowed) else found.ref) == expected


def test_a_person_is_told_what_the_carrier_needs() -> None:
    found = book("ocoren").parcel("aurora", Package(tracking_code="MINUTA4711"), ReadOptions())
    assert isinstance(found, Unfollowed)
    assert found.reason.startswith("Estrada é acompanhada pela nota fiscal; informe a chave de acesso")
    assert found.wrong == "MINUTA4711"


def test_a_bad_check_digit_is_let_through_only_where_codes_are_what_counts() -> None:
    options = ReadOptions(accept_bad_check_digits=True)
    assert isinstance(book("ocoren").parcel("aurora", Package(tracking_code="MINUTA4711"), options), Unfollowed)

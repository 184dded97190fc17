"""Total Express: its day as it comes over the wire, what it refuses, and what becomes of the codes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from carriers.base import (
    AnswerLostError,
    CarrierConfigError,
    Cause,
    CodeWord,
    PermanentCarrierError,
    PulledFeed,
    RefKind,
    TrackingRef,
    TransientCarrierError,
)
from carriers.base import TrackingStatus as Status
from carriers.total_express import REQUEST, TotalExpress, TotalExpressFeed, TotalExpressNumbers, TotalExpressSettings
from tests.carriers.support import DATA, assert_feed_fits_contract, context

URL = "https://edi.totalexpress.example/webservice24.php"
DAY = date(2026, 11, 21)
KEY = "35261111222333000181550010000010011102030405"
HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>'
TAIL = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'


def sample(name: str) -> bytes:
    return (DATA / "total_express" / f"obtertracking.{name}.xml").read_bytes()


def settings(**more: Any) -> TotalExpressSettings:
    return TotalExpressSettings(user="loja-edi", password="senha inventada", **more)


def status(code: str = "104", at: str = "2026-11-21T08:10:00", text: str = "PROCESSO") -> str:
    return f"<item><CodStatus>{code}</CodStatus><DescStatus>{text}</DescStatus><DataStatus>{at}</DataStatus></item>"


def parcel(*statuses: str, awb: str = "TXAA000000001tx", invoice: str = "1001") -> str:
    named = f"<Awb>{awb}</Awb><NotaFiscal>{invoice}</NotaFiscal><SerieNotaFiscal>001</SerieNotaFiscal>"
    return f"<item>{named}<ArrayStatusTotal>{''.join(statuses)}</ArrayStatusTotal></item>"


def batch(*parcels: str) -> str:
    listed = f"<ArrayEncomendaRetorno>{''.join(parcels)}</ArrayEncomendaRetorno>"
    return f"<item><CodRetorno>6</CodRetorno>{listed}</item>"


def answer(*batches: str, code: str = "1") -> bytes:
    listed = f"<ArrayLoteRetorno>{''.join(batches)}</ArrayLoteRetorno>"
    return (HEAD + TAIL.format(f"<R><CodigoProc>{code}</CodigoProc>{listed}</R>")).encode("latin-1")


def awb(code: str = "TXAA000000001tx") -> TrackingRef:
    return TrackingRef(RefKind.CODE, code)


@pytest.fixture
def adapter() -> TotalExpress:
    return TotalExpress(settings(), context("https://edi.totalexpress.example"))


@pytest.fixture
def feed(adapter: TotalExpress) -> PulledFeed:
    assert isinstance(adapter.feed, PulledFeed)
    return adapter.feed


@pytest.fixture
def carrier() -> Iterator[respx.Route]:
    with respx.mock:
        yield respx.post(URL)


def read(payload: bytes, **more: Any) -> Any:
    return TotalExpressFeed(settings(**more), context("https://edi.totalexpress.example")).read(payload)


def test_a_day_tells_of_every_parcel_in_every_batch() -> None:
    found = read(sample("response")).answers
    assert [ref.value for ref in found] == ["TXAA000000001tx", "TXAA000000002tx", "TXAA000000003tx"]
    delivered, moving, lost = found.values()
    assert [(event.carrier_code, event.status) for event in delivered.events] == [
        ("104", Status.OUT_FOR_DELIVERY),
        ("1", Status.DELIVERED),
    ]
    assert delivered.events[1].occurred_at == datetime(2026, 11, 21, 18, 2, 11, tzinfo=UTC)
    assert moving.events[0].description == "TRANSFERENCIA PARA: CWB"
    assert (lost.events[0].status, lost.events[0].cause, lost.events[0].final) == (Status.LOST, Cause.LOSS, True)


@pytest.mark.parametrize("name", ["response", "empty"])
@pytest.mark.parametrize("more", [{}, {"cnpj": "11.222.333/0001-81"}], ids=["by AWB", "by invoice too"])
def test_what_is_read_fits_the_contract(name: str, more: dict[str, str]) -> None:
    feed = TotalExpressFeed(settings(**more), context("https://edi.totalexpress.example"))
    assert_feed_fits_contract(TotalExpressNumbers(settings(**more)), feed, sample(name))


def test_an_empty_day_is_no_fault() -> None:
    assert read(sample("empty")).answers == {}
    assert read(sample("empty")).faults == ()


def test_a_parcel_in_two_batches_is_one_with_each_status_once() -> None:
    first, second = status("101", "2026-11-21T01:00:00"), status("104", "2026-11-21T08:00:00")
    (one,) = read(answer(batch(parcel(first)), batch(parcel(second, first)))).answers.values()
    assert [event.carrier_code for event in one.events] == ["101", "104"]
    assert not one.complete


def test_the_same_event_has_the_same_key_whatever_stands_beside_it() -> None:
    late = status("1", "2026-11-21T15:00:00")
    short = read(answer(batch(parcel(status())))).answers[awb()]
    long = read(answer(batch(parcel(status(text="OUTRO TEXTO"), late)))).answers[awb()]
    assert {event.key for event in short.events} < {event.key for event in long.events}


def test_with_the_issuer_s_cnpj_goods_are_known_by_their_invoice_too() -> None:
    payload = answer(batch(parcel(status())))
    assert read(payload).answers[awb()].also == ()
    invoice = TrackingRef(RefKind.INVOICE, "11222333000181/1/1001")
    assert read(payload, cnpj="11222333000181").answers[awb()].also == (invoice,)
    assert TotalExpressNumbers(settings(cnpj="11222333000181")).normalise(KEY) == invoice
    assert TotalExpressNumbers(settings()).normalise(KEY) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("TXAA000000001tx", "TXAA000000001tx", id="as it is"),
        pytest.param(" TXAA000000001TX ", "TXAA000000001tx", id="as an import writes it: only the end is mended"),
        pytest.param("txaa000000001tx", "txaa000000001tx", id="other letters are kept"),
        pytest.param("AA123456785BR", None, id="another carrier's"),
        pytest.param("contexto tx", None, id="words"),
    ],
)
def test_an_awb_is_never_put_into_upper_case(written: str, expected: str | None) -> None:
    found = TotalExpressNumbers(settings()).normalise(written)
    assert (found.value if found else None) == expected


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(parcel(status(), awb=""), "no AWB", id="no AWB"),
        pytest.param(parcel(status(code="")), "no code", id="no code"),
        pytest.param(parcel(status(at="ontem")), "not a date", id="no time"),
        pytest.param(parcel(status(at="0001-01-01T00:00:00")), "plausible", id="an empty field's date"),
    ],
)
def test_a_parcel_that_cannot_be_read_costs_itself_alone(broken: str, reason: str) -> None:
    reading = read(answer(batch(parcel(status()), broken)))
    assert set(reading.answers) == {awb()}
    (fault,) = reading.faults
    assert "parcel 2 of the day" in fault.reason
    assert reason in fault.reason


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("10", (Status.LOST, Cause.LOSS, True), id="claim settled"),
        pytest.param("27", (Status.STOLEN, Cause.THEFT, False), id="robbery"),
        pytest.param("22", (Status.DAMAGED, Cause.DAMAGE, False), id="sent to salvage"),
        pytest.param("21", (Status.DELIVERY_FAILED, Cause.ABSENT, False), id="absent"),
        pytest.param("25", (Status.RETURNING, Cause.RETURN, False), id="returning"),
        pytest.param("29", (Status.AVAILABLE_FOR_PICKUP, None, False), id="at the counter"),
        pytest.param("777", (Status.UNKNOWN, None, False), id="never heard of"),
    ],
)
def test_codes(code: str, expected: tuple[Status, Cause | None, bool]) -> None:
    (event,) = read(answer(batch(parcel(status(code))))).answers[awb()].events
    assert (event.status, event.cause, event.indemnified) == expected
    assert event.carrier_code == code
    assert TotalExpress.code_word(code) is (CodeWord.UNKNOWN if code == "777" else CodeWord.KNOWN)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html><p>x</html>", id="a page"),
        pytest.param(sample("response")[:900], id="cut off"),
        pytest.param(sample("unauthorized"), id="a refusal"),
        pytest.param(sample("too-soon"), id="too soon"),
        pytest.param(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', id="entities"),
        pytest.param(b'<?xml version="1.0" encoding="nada"?><a/>', id="an encoding that is none"),
        pytest.param(b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>', id="another's document"),
    ],
)
def test_what_holds_no_day_is_an_error_and_never_an_empty_one(payload: bytes) -> None:
    with pytest.raises(PermanentCarrierError):
        read(payload)


@pytest.mark.anyio
async def test_a_day_is_asked_for_by_name_with_the_account_s_login(feed: PulledFeed, carrier: respx.Route) -> None:
    carrier.mock(return_value=httpx.Response(200, content=sample("response")))
    assert await feed.pull(DAY) == sample("response")
    sent = carrier.calls.last.request
    assert sent.content == REQUEST.format(day="2026-11-21").encode()
    assert base64.b64decode(sent.headers["authorization"].removeprefix("Basic ")) == b"loja-edi:senha inventada"
    assert sent.content.strip() == sample("request").strip()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(httpx.Response(200, content=sample("unauthorized")), CarrierConfigError, id="CodigoProc 0"),
        pytest.param(httpx.Response(200, content=answer(code="2")), TransientCarrierError, id="CodigoProc 2"),
        pytest.param(httpx.Response(200, content=answer(code="3")), PermanentCarrierError, id="CodigoProc 3"),
        pytest.param(httpx.Response(200, content=answer(code="4")), TransientCarrierError, id="CodigoProc 4"),
        pytest.param(httpx.Response(200, content=answer(code="8")), PermanentCarrierError, id="CodigoProc 8"),
        pytest.param(httpx.Response(200, content=sample("response")[:900]), TransientCarrierError, id="cut off"),
        pytest.param(httpx.Response(200, content=b"no xml"), PermanentCarrierError, id="no XML"),
        pytest.param(httpx.Response(200, html="<html>manutenção</html>"), TransientCarrierError, id="a page"),
        pytest.param(httpx.Response(401), CarrierConfigError, id="401"),
        pytest.param(httpx.Response(500), AnswerLostError, id="500"),
        pytest.param(httpx.ReadTimeout("slow"), AnswerLostError, id="no answer in time"),
    ],
)
async def test_failures_are_typed_and_asked_once(
    feed: PulledFeed, carrier: respx.Route, reply: httpx.Response | Exception, error: type[Exception]
) -> None:
    carrier.mock(side_effect=[reply])
    with pytest.raises(error) as caught:
        await feed.pull(DAY)
    # A second try within five minutes is refused in any case.
    assert carrier.call_count == 1
    assert "senha inventada" not in str(caught.value)


@pytest.mark.anyio
async def test_asked_again_too_soon_it_is_left_alone_for_five_minutes(feed: PulledFeed, carrier: respx.Route) -> None:
    carrier.mock(return_value=httpx.Response(200, content=sample("too-soon")))
    with pytest.raises(TransientCarrierError) as caught:
        await feed.pull(DAY)
    assert caught.value.retry_after == timedelta(minutes=5) == feed.pull_every


@pytest.mark.anyio
async def test_too_soon_proves_the_login_and_a_refusal_does_not(adapter: TotalExpress, carrier: respx.Route) -> None:
    carrier.mock(
        side_effect=[httpx.Response(200, content=sample(name)) for name in ("too-soon", "empty", "unauthorized")]
    )
    assert await adapter.log_in() == "the user opens the daily feed"
    assert await adapter.log_in() == "the user opens the daily feed"
    with pytest.raises(CarrierConfigError, match="not authorised"):
        await adapter.log_in()

"""OCOREN files as carriers really write them: each trap of the layout, the samples, and what becomes of the codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.base import (
    Cause,
    CodeWord,
    FeedFault,
    FileFeed,
    PermanentCarrierError,
    RefKind,
    TrackingEvent,
    TrackingRef,
)
from carriers.base import TrackingStatus as Status
from carriers.ocoren import MAX_BYTES, Ocoren, OcorenFeed, OcorenNumbers, OcorenSettings
from carriers.ocoren.records import MAX_FAULTS, ZONE, is_ocoren, read_file
from tests.carriers.support import DATA, assert_feed_fits_contract, context

ISSUER = "11222333000181"
HEAD_3 = ["000TRANSPORTADORA FICTICIA", "340OCORR211108150", "34144555666000161TRANSPORTADORA FICTICIA LTDA"]
HEAD_5 = ["000TRANSPORTADORA FICTICIA", "540OCORR502111001", "54144555666000161TRANSPORTADORA FICTICIA LTDA"]
SAMPLES = ("ocoren31.txt", "ocoren50.txt", "ocoren31-short-lines-lf.txt", "ocoren31-three-digit-codes.txt")


def sample(name: str) -> bytes:
    return (DATA / "ocoren" / name).read_bytes()


def line_3(
    number: int = 1001, code: str = "01", at: str = "201120261432", obs: str = "00", text: str = "", **kw: str
) -> str:
    return f"342{kw.get('issuer', ISSUER):<14}{kw.get('series', '1'):<3}{number:08}{code}{at}{obs}{text}"


def line_5(number: int = 1001, code: str = "001", at: str = "201120261432", obs: str = "00") -> str:
    return f"542{ISSUER:<14}{'1':<3}{number:09}{code}{at}{obs}"


def file(*lines: str, head: list[str] = HEAD_3, ends: str = "\r\n") -> bytes:
    return ends.join([*head, *lines, ""]).encode("latin-1")


def feed(**settings: str) -> OcorenFeed:
    return OcorenFeed("estrada", OcorenSettings(**settings))


def ref(number: int = 1001, series: str = "1", issuer: str = ISSUER) -> TrackingRef:
    return TrackingRef(RefKind.INVOICE, f"{issuer}/{series}/{number}")


def events(*lines: str, head: list[str] = HEAD_3) -> list[TrackingEvent]:
    return [event for answer in feed().read(file(*lines, head=head)).answers.values() for event in answer.events]


def event(*lines: str, head: list[str] = HEAD_3) -> TrackingEvent:
    (found,) = events(*lines, head=head)
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_says_what_it_should(name: str) -> None:
    expected = {one["invoice_number"]: one for one in json.loads(sample("expected-events.json"))}
    found = read_file(sample(name))
    assert found.faults == ()
    assert len(found.occurrences) == {"ocoren31-short-lines-lf.txt": 2, "ocoren31-three-digit-codes.txt": 3}.get(
        name, 5
    )
    for one in found.occurrences:
        issuer, series, number = one.ref.value.split("/")
        assert expected[int(number)] == {
            "invoice_issuer_cnpj": issuer,
            "invoice_series": series,
            "invoice_number": int(number),
            "code": one.code,
            "occurred_at": one.occurred_at.astimezone(ZONE).isoformat(),
            "observation_code": one.observation,
            "text": one.text,
        }


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_fits_the_contract(name: str) -> None:
    assert_feed_fits_contract(OcorenNumbers(), feed(), sample(name))


def test_an_occurrence_has_one_key_in_every_layout() -> None:
    """The same file in two layouts is the same news."""
    of = {name: feed().read(sample(name)).answers for name in SAMPLES}
    for answers in of.values():
        for key, answer in answers.items():
            assert {e.key for e in answer.events} <= {e.key for e in of["ocoren50.txt"][key].events}


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda raw: b"\xef\xbb\xbf" + raw, id="a BOM before it"),
        pytest.param(lambda raw: raw + b"\x1a", id="Ctrl-Z behind it"),
        pytest.param(lambda raw: raw.replace(b"\r\n", b"\n", 3), id="mixed line ends"),
        pytest.param(lambda raw: raw.replace(b"\r\n", b"\r"), id="line ends of an old Macintosh"),
        pytest.param(lambda raw: b"\r\n".join(line.rstrip() for line in raw.split(b"\r\n")), id="trimmed lines"),
        pytest.param(lambda raw: raw.decode("latin-1").encode(), id="UTF-8 instead of latin-1"),
        pytest.param(lambda raw: raw.replace(b"\r\n", b"\r\n\r\n"), id="empty lines between"),
    ],
)
@pytest.mark.parametrize("name", SAMPLES[:2])
def test_what_programs_on_the_way_do_to_a_file_changes_nothing(name: str, made: Any) -> None:
    assert feed().read(made(sample(name))).answers == feed().read(sample(name)).answers


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(line_3(at="201120262400"), "time 2400", id="a time that is none"),
        pytest.param(line_3(at="000000001432"), "no date", id="no date"),
        pytest.param(line_3(at="310220261432"), "no date", id="the 31st of February"),
        pytest.param(line_3(at="201100011432"), "no date", id="the year 1, of an empty field"),
        pytest.param(line_3(issuer="ABC"), "no invoice", id="an issuer too short for letters"),
        pytest.param(line_3(number=0), "no invoice", id="invoice number 0"),
        pytest.param(line_3(code="  "), "no occurrence code", id="no code"),
        pytest.param("342", "no invoice", id="a line cut off behind its record"),
        pytest.param("999WHAT IS THIS", "no record of an OCOREN file", id="another record"),
    ],
)
def test_a_line_that_cannot_be_read_costs_itself_alone(line: str, reason: str) -> None:
    reading = feed().read(file(line_3(1001), line, line_3(1002)))
    assert set(reading.answers) == {ref(1001), ref(1002)}
    (fault,) = reading.faults
    assert fault.line == 5
    assert reason in fault.reason


def test_a_time_written_off_its_place_is_unknown_and_the_day_stands() -> None:
    for clock in ("    ", "4320", "14:3", "9999"):
        one = read_file(file(line_3(at=f"20112026{clock}"))).occurrences[0]
        assert (one.has_time, one.occurred_at) == (False, datetime(2026, 11, 20, 3, tzinfo=UTC))


def test_before_the_end_of_daylight_saving_brasilia_was_two_hours_behind() -> None:
    assert event(line_3(at="150120191200")).occurred_at == datetime(2019, 1, 15, 14, tzinfo=UTC)


def test_a_code_of_a_carrier_s_own_keeps_its_three_digits_and_padding_goes() -> None:
    assert event(line_5(code="110"), head=HEAD_5).carrier_code == "110"
    assert event(line_5(code="080"), head=HEAD_5).carrier_code == "80"
    assert event(line_3(code="999")).carrier_code == "999"
    assert event(line_3(code=" 1")).carrier_code == "01"


@pytest.mark.parametrize(
    ("code", "status", "cause", "final"),
    [
        pytest.param("01", Status.DELIVERED, None, True, id="delivered"),
        pytest.param("02", Status.EXCEPTION, Cause.DELAY, False, id="outside the date: late or refused, nobody knows"),
        pytest.param("23", Status.LOST, Cause.LOSS, True, id="lost in transit"),
        pytest.param("27", Status.STOLEN, Cause.THEFT, True, id="robbery, not the loss of other tables"),
        pytest.param("25", Status.RETURNED, Cause.RETURN, True, id="returned, not the damage of other tables"),
        pytest.param("79", Status.DAMAGED, Cause.DAMAGE, False, id="partial damage"),
        pytest.param("18", Status.EXCEPTION, Cause.MISDELIVERY, False, id="swapped"),
        pytest.param("67", Status.UNKNOWN, None, False, id="for statistics: says nothing"),
        pytest.param("Z9", Status.UNKNOWN, None, False, id="a code nobody has heard of"),
    ],
)
def test_codes_mean_what_the_standard_says(code: str, status: Status, cause: Cause | None, final: bool) -> None:
    found = event(line_3(code=code))
    assert (found.status, found.cause, found.final, found.carrier_code) == (status, cause, final, code)


def test_codes_nobody_has_confirmed_open_no_claim_alone() -> None:
    assert [event(line_3(code=code)).by_words for code in ("23", "14", "15", "999")] == [False, True, True, True]


def test_delivered_with_indemnity_is_the_carrier_s_mark_that_it_has_paid() -> None:
    assert event(line_3(code="31")).indemnified


def test_delivered_and_wholly_refused_is_not_delivered() -> None:
    refused = event(line_3(code="01", obs="01"))
    assert (refused.status, refused.cause, refused.final, refused.attempt) == (
        Status.DELIVERY_FAILED,
        Cause.REFUSED,
        False,
        True,
    )
    assert event(line_3(code="01", obs="02")).status is Status.DELIVERED


def test_who_took_the_parcel_is_kept_nowhere() -> None:
    reading = feed().read(file(line_3(code="01", text="RECEBIDO POR FULANA DE TAL CPF 12345678909")))
    (answer,) = reading.answers.values()
    assert b"FULANA" not in answer.raw
    assert "FULANA" not in answer.events[0].description
    damaged = event(line_3(code="79", text="CAIXA ABERTA, CPF 12345678909"))
    assert damaged.description == "Avaria parcial; CAIXA ABERTA, CPF [digits]"


def test_what_follows_an_occurrence_belongs_to_it() -> None:
    text = "543" + "CAIXA".ljust(70) + "MOLHADA".ljust(70)
    item = "544" + "00000300" + "00000250" + "SKU-1".ljust(20) + "CANECA".ljust(50)
    found = events(line_5(code="079", number=1001), text, item, line_5(code="001", number=1002), head=HEAD_5)
    assert found[0].description == "Avaria parcial; 2,5 de 3 CANECA; CAIXA MOLHADA"
    assert found[1].description == "Entrega realizada normalmente"


def test_what_follows_a_line_that_was_left_out_is_left_out_with_it() -> None:
    reading = feed().read(file(line_5(at="201120262400"), "543X", "5449", head=HEAD_5))
    assert [fault.line for fault in reading.faults] == [4]
    stray = feed().read(file("543X", head=HEAD_5))
    assert stray.faults == (FeedFault(4, "record 543 stands behind no occurrence: it was left out"),)


def test_a_trailer_that_counts_more_tells_of_a_file_that_was_cut() -> None:
    assert feed().read(file(line_5(), "5490001", head=HEAD_5)).faults == ()
    (fault,) = feed().read(file(line_5(), "5490007", head=HEAD_5)).faults
    assert fault.line == 5
    assert "counts 7 occurrences, but the file holds 1" in fault.reason


@pytest.mark.parametrize("series", ["1", "001", " 1 ", "01"])
def test_a_series_is_compared_without_its_zeros(series: str) -> None:
    assert set(feed().read(file(line_3(series=series))).answers) == {ref()}


def test_issuers_may_have_letters_or_be_persons() -> None:
    assert set(feed().read(file(line_3(issuer="12abc34501de35"))).answers) == {ref(issuer="12ABC34501DE35")}
    assert set(feed().read(file(line_3(issuer="12345678909"))).answers) == {ref(issuer="00012345678909")}


def test_a_file_of_several_carriers_is_read_for_one() -> None:
    other = "34199888777000166OUTRA TRANSPORTADORA"
    whole = file(line_3(1001), other, line_3(1002))
    assert set(feed().read(whole).answers) == {ref(1001), ref(1002)}
    assert set(feed(carrier_cnpj="44.555.666/0001-61").read(whole).answers) == {ref(1001)}


@pytest.mark.parametrize(
    ("payload", "own"),
    [
        pytest.param(sample("ocoren50.txt"), True, id="5.0"),
        pytest.param(file(line_3(), head=[]), True, id="without its headers"),
        pytest.param(b"000A\r\n320CONHE\r\n321\r\n322", False, id="freight documents (CONEMB)"),
        pytest.param(b"000A\r\n350COBRA", False, id="freight bills (DOCCOB)"),
        pytest.param(b"Pedido;Cliente\r\n1;Ana", False, id="a spreadsheet"),
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"PK\x03\x04" + bytes(200), False, id="a zip"),
    ],
)
def test_other_files_are_none_of_ours(payload: bytes, own: bool) -> None:
    assert is_ocoren(payload) is own
    if not own:
        with pytest.raises(PermanentCarrierError, match="no OCOREN file"):
            feed().read(payload)


def test_a_file_beyond_reason_is_refused_unread() -> None:
    with pytest.raises(PermanentCarrierError, match="larger than 16 MiB"):
        feed().read(file(line_3()) + b" " * MAX_BYTES)


def test_faults_are_named_up_to_a_limit() -> None:
    faults = read_file(file(*["999"] * (MAX_FAULTS + 7))).faults
    assert (len(faults), faults[-1]) == (MAX_FAULTS + 1, FeedFault(None, "7 more lines could not be read"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("3526 1111 2223 3300 0181 5500 1000 0010 0111 0203 0405", ref(), id="an access key"),
        pytest.param(
            "35261112abc34501de35550010000010041102030432", ref(1004, issuer="12ABC34501DE35"), id="with letters"
        ),
        pytest.param("11.222.333/0001-81/001/000001001", ref(), id="issuer, series and number"),
        pytest.param("1001", None, id="a number alone"),
        pytest.param("AA123456785BR", None, id="a tracking code"),
    ],
)
def test_numbers(written: str, expected: TrackingRef | None) -> None:
    assert OcorenNumbers().normalise(written) == expected


@pytest.mark.anyio
async def test_the_adapter_tells_and_cannot_be_asked() -> None:
    adapter = Ocoren(OcorenSettings(), context("http://127.0.0.1:1"))
    assert isinstance(adapter.feed, FileFeed)
    assert adapter.tracking is not None
    assert "no access" in await adapter.log_in()
    words = [Ocoren.code_word(code) for code in ("01", "67", "A1", "BDE-01")]
    assert words == [CodeWord.KNOWN, CodeWord.UNKNOWN, CodeWord.UNKNOWN, CodeWord.NO_CODE]


def test_a_file_of_other_carriers_alone_is_refused_in_words() -> None:
    with pytest.raises(PermanentCarrierError, match="is of carrier_cnpj: compare it with the file"):
        feed(carrier_cnpj="44555666000162").read(sample("ocoren31.txt"))

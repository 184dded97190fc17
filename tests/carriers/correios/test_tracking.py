from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carriers.base import (
    AnswerOutcome,
    PermanentCarrierError,
    RefKind,
    TrackingAnswer,
    TrackingStatus,
)
from carriers.correios import codes
from carriers.correios.tracking import TERMS, hear, normalise, read_event, read_object
from carriers.payload import canonical
from carriers.redact import MAX_LENGTH
from tests.carriers.correios.support import adapter, ref
from tests.carriers.support import assert_fits_contract, sample_json

S, OUT = TrackingStatus, AnswerOutcome

RECORDED = [
    ("delivered", S.DELIVERED, "BDE-01"),
    ("in-transit", S.IN_TRANSIT, "RO-01"),
    ("out-for-delivery", S.OUT_FOR_DELIVERY, "OEC-01"),
    ("stolen", S.STOLEN, "BDE-50"),
    ("damaged", S.DAMAGED, "BDE-28"),
    ("lost", S.LOST, "BDE-80"),
    ("lost-indemnified", S.LOST, "IDC-01"),
    ("returned", S.RETURNED, "BDE-23"),
    ("awaiting-pickup", S.AVAILABLE_FOR_PICKUP, "LDI-01"),
    ("label-issued", S.PRE_TRANSIT, "FC-82"),
    ("failed-attempt", S.DELIVERY_FAILED, "BDE-20"),
    ("late-in-transit", S.IN_TRANSIT, "FC-03"),
    ("late-delivered", S.DELIVERED, "BDE-01"),
    ("correction-est", S.UNKNOWN, "EST-01"),
    ("posted-after-cutoff", S.POSTED, "PO-09"),
    ("refused", S.RETURNING, "BDE-04"),
    ("wrong-address", S.DELIVERY_FAILED, "BDE-19"),
    ("seized", S.SEIZED, "BDE-75"),
]


def one(name: str) -> TrackingAnswer:
    payload = sample_json(f"rastro-{name}.json")
    number = ref(payload["objetos"][0]["codObjeto"])
    return hear("exemplo", [number], payload)[number].read()


def event(codigo: str, tipo: Any, at: str = "2026-11-18T10:00:00", **more: Any) -> dict[str, Any]:
    return {"codigo": codigo, "tipo": tipo, "dtHrCriado": at, "descricao": "Texto"} | more


def parcel(*events: Any, **more: Any) -> TrackingAnswer:
    number = ref("AD100000017BR")
    return read_object(number, {"codObjeto": number.value, "eventos": list(events)} | more)


@pytest.mark.parametrize(("name", "status", "code"), RECORDED, ids=[row[0] for row in RECORDED])
def test_recorded_histories(name: str, status: TrackingStatus, code: str) -> None:
    answer = one(name)
    tracking = adapter().tracking
    assert tracking is not None

    assert_fits_contract(tracking, answer.ref, answer)
    assert answer.outcome is OUT.FOUND and answer.complete and answer.message is None
    assert (answer.events[-1].status, answer.events[-1].carrier_code) == (status, code)
    assert answer.contract == "9912000001"
    assert not [e for e in answer.events if e.status is S.UNKNOWN and not e.reversal], "every recorded code is known"


def test_a_delivery_in_full() -> None:
    answer = one("delivered")

    assert (answer.service, answer.due_on, answer.declared_value_cents) == ("SEDEX", date(2026, 11, 18), 0)
    assert [e.carrier_code for e in answer.events] == ["FC-82", "PO-01", "RO-01", "DO-01", "OEC-01", "BDE-01"]
    last = answer.events[-1]
    assert last.occurred_at == datetime(2026, 11, 18, 17, 22, 7, tzinfo=UTC)
    assert (last.location, last.description) == ("SAO PAULO/SP", "Objeto entregue ao destinatário")
    assert last.final and last.attempt and not last.reversal
    assert answer.events[0].location == "BR"


def test_the_marks_that_change_what_the_daemon_does() -> None:
    assert one("correction-est").events[-1].reversal
    assert one("lost-indemnified").events[-1].indemnified
    assert one("awaiting-pickup").events[-1].pickup_until == date(2026, 11, 26)
    assert one("stolen").declared_value_cents == 34990
    assert one("lost").service == "PAC"


def test_numbers_side_by_side_are_matched_by_code() -> None:
    wanted = ["AD800000081BR", "AD150000142BR", "AAAA", "AD140000134BR", "AD400000046BR", "RR473124829GB"]

    heard = hear("exemplo", [ref(code) for code in wanted], sample_json("rastro-multi-mixed-last-event.json"))
    answers = {number: one.read() for number, one in heard.items()}

    assert [answers[ref(code)].outcome for code in wanted] == [
        OUT.FOUND,
        OUT.OTHER_ACCOUNT,
        OUT.INVALID_NUMBER,
        OUT.NOT_FOUND,
        OUT.FOUND,
        OUT.ERROR,
    ]
    assert answers[ref("RR473124829GB")].message == "the answer does not mention this object"
    assert answers[ref("AD400000046BR")].events[0].status is S.STOLEN


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("not-found", OUT.NOT_FOUND),
        ("other-contract", OUT.OTHER_ACCOUNT),
        ("invalid-code", OUT.INVALID_NUMBER),
    ],
)
def test_messages_instead_of_events(name: str, outcome: AnswerOutcome) -> None:
    answer = one(name)

    assert answer.outcome is outcome
    assert answer.message is not None and answer.message.startswith("SRO-")


@pytest.mark.parametrize("message", ["SRO-031: Outra coisa", "Serviço indisponível"])
def test_messages_that_nobody_described_are_errors(message: str) -> None:
    answer = parcel(mensagem=message)

    assert (answer.outcome, answer.message) == (OUT.ERROR, message)


def test_an_empty_history_is_an_answer() -> None:
    answer = parcel()

    assert (answer.outcome, answer.events) == (OUT.FOUND, ())


def test_an_unknown_pair_is_kept_and_not_guessed() -> None:
    (found,) = parcel(event("xyz", "99")).events

    assert (found.carrier_code, found.status, found.cause) == ("XYZ-99", S.UNKNOWN, None)
    assert found.description == "Texto" and not (found.final or found.attempt)


@pytest.mark.parametrize(
    ("tipo", "code"),
    [("01", "BDE-01"), ("1", "BDE-01"), (1, "BDE-01"), (" 001 ", "BDE-01"), ("A1", "BDE-A1"), ("123", "BDE-123")],
)
def test_tipo_in_every_padding(tipo: Any, code: str) -> None:
    (found,) = parcel(event("BDE", tipo)).events

    assert found.carrier_code == code
    assert (found.status is S.DELIVERED) == (code == "BDE-01")


POISON: list[Any] = [
    pytest.param(event("BDE", "01", "2026-02-30T10:00:00"), id="a date that does not exist"),
    pytest.param(event("BDE", "01", "18.11.2026"), id="a date in another form"),
    pytest.param(event("BDE", "01", None), id="a date of null"),  # type: ignore[arg-type]
    pytest.param({"codigo": "BDE", "tipo": "01"}, id="no date"),
    pytest.param(event("", "01"), id="no code"),
    pytest.param(event("BDE", ""), id="no tipo"),
    pytest.param(event("BDE", True), id="a tipo of true"),
    pytest.param("BDE", id="an event that is a text"),
    pytest.param(event("LDI", "01", dtLimiteRetirada="amanhã"), id="an unreadable pickup limit"),
    pytest.param(event("BDE", "01", {"a": 1}), id="a date that is an object"),  # type: ignore[arg-type]
    pytest.param(event({"a": 1}, "01"), id="a code that is an object"),  # type: ignore[arg-type]
    pytest.param(event("BDE", "01", "9999-12-31T23:59:59"), id="a date at the end of time"),
    pytest.param(event("BDE", "01", "0000-00-00T00:00:00"), id="a date before time"),
]


@pytest.mark.parametrize("poison", POISON)
def test_a_poisoned_object_does_not_sink_the_others(poison: Any) -> None:
    payload = sample_json("rastro-multi-all-events.json")
    payload["objetos"][0]["eventos"].insert(1, poison)
    late, damaged = ref("AN120000118BR"), ref("AN500000052BR")

    answers = {number: heard.read() for number, heard in hear("exemplo", [late, damaged], payload).items()}

    assert answers[late].outcome is OUT.ERROR and answers[late].events == ()
    assert "object cannot be read: " in (answers[late].message or "")
    assert "object has no" not in (answers[late].message or ""), "a sentence, not Python's"
    assert answers[late].raw, "the evidence is kept"
    assert answers[damaged].outcome is OUT.FOUND


def test_what_was_read_before_is_never_read_into_other_words() -> None:
    """A pair whose text decides, a text too long to be remembered, another place: each is read as if it were the first."""
    texts = ["Evento RFB", "Objeto disponível", "", "Objeto disponível" + " x" * 200]
    expected = [S.CUSTOMS, S.AVAILABLE_FOR_PICKUP, S.UNKNOWN, S.AVAILABLE_FOR_PICKUP]

    for _ in range(2):
        read = [read_event(event("BDE", "77") | {"descricao": text}) for text in texts]
        assert [one.status for one in read] == expected
        assert [one.attempt for one in read] == [status is S.AVAILABLE_FOR_PICKUP for status in expected]
        assert len({one.key for one in read}) == 1, "a text is no part of what an event is known by"

    units = [{"endereco": {"cidade": city, "uf": "BA"}} | more for city in ("A", "B") for more in ({}, {"codSro": "4"})]
    for _ in range(2):
        read = [read_event(event("RO", tipo) | {"unidade": unit}) for unit in units for tipo in ("01", "1", 1)]
        assert [one.location for one in read] == ["A/BA"] * 6 + ["B/BA"] * 6
        assert len({one.key for one in read}) == 3, (
            "the unit is what tells one place from another, the city where there is none"
        )


def test_an_object_nested_to_death_is_an_error_of_its_own() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"x": deep}

    assert parcel(event("BDE", "01"), extra=deep).outcome is OUT.ERROR


@pytest.mark.parametrize("events", ["x", {"a": 1}, 7])
def test_events_that_are_no_list(events: Any) -> None:
    number = ref("AD100000017BR")

    assert read_object(number, {"codObjeto": number.value, "eventos": events}).outcome is OUT.ERROR


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"dtPrevista": "0001-01-01T00:00:00"}, "unreadable: dtPrevista", id="due date is a filler"),
        pytest.param({"valorDeclarado": "muito"}, "unreadable: valorDeclarado", id="value is a word"),
        pytest.param({"valorDeclarado": "NaN"}, "unreadable: valorDeclarado", id="value is not a number"),
        pytest.param({"valorDeclarado": 1e300}, "unreadable: valorDeclarado", id="value beyond all money"),
        pytest.param({"valorDeclarado": -3}, "unreadable: valorDeclarado", id="value is negative"),
        pytest.param({"dtPrevista": 5, "valorDeclarado": True}, "unreadable: dtPrevista, valorDeclarado", id="both"),
    ],
)
def test_an_unreadable_field_beside_the_history_is_said_and_costs_no_event(fields: dict[str, Any], says: str) -> None:
    answer = parcel(event("PO", "01"), **fields)

    assert (answer.outcome, len(answer.events), answer.message) == (OUT.FOUND, 1, says)


@pytest.mark.parametrize(
    ("value", "cents"),
    [(349.9, 34990), ("349.90", 34990), (0.1 + 0.2, 30), (1.005, 101), (10000, 1000000), (0, 0), (None, None)],
)
def test_declared_values_are_cents(value: Any, cents: int | None) -> None:
    assert parcel(valorDeclarado=value).declared_value_cents == cents


@pytest.mark.parametrize(
    ("due", "day"),
    [
        ("2026-11-19T23:59:59", date(2026, 11, 19)),
        ("2026-11-19T20:58:00", date(2026, 11, 19)),
        ("19/11/2026 23:59:59", date(2026, 11, 19)),
        ("2026-11-20T02:59:59Z", date(2026, 11, 19)),
        ("", None),
    ],
)
def test_due_dates_are_local_days(due: str, day: date | None) -> None:
    answer = parcel(dtPrevista=due)

    assert (answer.due_on, answer.message) == (day, None)


@pytest.mark.parametrize(
    ("category", "service"),
    [
        ("SEDEX", "SEDEX"),
        ("SEDEX 10", "SEDEX"),
        ("ENCOMENDA PAC", "PAC"),
        ("MINI ENVIOS", "MINI ENVIOS"),
        ("", None),
        (None, None),
    ],
)
def test_services_by_family(category: str | None, service: str | None) -> None:
    assert parcel(tipoPostal={"categoria": category}).service == service


@pytest.mark.parametrize(
    ("codigo", "tipo", "attempt"),
    [
        pytest.param("BDE", "01", True, id="delivered"),
        pytest.param("LDI", "01", True, id="laid out for pickup"),
        pytest.param("BDE", "20", True, id="nobody at home"),
        pytest.param("BDI", "19", True, id="address not found"),
        pytest.param("BDE", "33", True, id="no document"),
        pytest.param("BDE", "46", False, id="the carrier did not come"),
        pytest.param("BDR", "04", True, id="refused at the door"),
        pytest.param("BDE", "21", True, id="absent, goes back"),
        pytest.param("BDE", "26", False, id="not fetched in time"),
        pytest.param("OEC", "01", False, id="out for delivery"),
        pytest.param("LDI", "11", False, id="on its way to the pickup place"),
        pytest.param("BDE", "23", False, id="delivered to the sender"),
        pytest.param("OEC", "09", False, id="on its way to the sender"),
        pytest.param("EST", "01", False, id="reversal"),
    ],
)
def test_what_ends_the_delivery_term(codigo: str, tipo: str, attempt: bool) -> None:
    (found,) = parcel(event(codigo, tipo)).events

    assert found.attempt is attempt


UNIT = {"codSro": "01311970", "endereco": {"cidade": "SAO PAULO", "uf": "SP"}}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({"descricao": "Novo texto"}, True, id="another wording"),
        pytest.param({"tipo": 1}, True, id="another padding"),
        pytest.param({"codigo": "bde"}, True, id="another case"),
        pytest.param({"dtHrCriado": "2026-11-18T10:00:00.000-03:00"}, True, id="the same instant, spelled out"),
        pytest.param({"unidade": UNIT | {"nome": "CDD"}}, True, id="more about the unit"),
        pytest.param({"dtHrCriado": "2026-11-18T10:00:01"}, False, id="another second"),
        pytest.param({"tipo": "02"}, False, id="another code"),
        pytest.param({"unidade": {"codSro": "80010970"}}, False, id="another unit"),
        pytest.param({"unidade": {"endereco": {"cidade": "SAO PAULO", "uf": "SP"}}}, False, id="place instead of unit"),
    ],
)
def test_the_key_is_drawn_from_stable_fields(change: dict[str, Any], same: bool) -> None:
    before = read_event(event("BDE", "01", unidade=UNIT))

    assert (read_event(event("BDE", "01", unidade=UNIT) | change).key == before.key) is same
    assert len(before.key) == 32 and int(before.key, 16)


def test_repeated_events_count_once_and_ties_keep_the_carriers_order() -> None:
    at = "2026-11-18T10:00:00"
    newest_first = [
        event("OEC", "01", at),
        event("DO", "01", at),
        event("DO", "01", at),
        event("PO", "01", "2026-11-17T10:00:00"),
    ]

    assert [e.carrier_code for e in parcel(*newest_first).events] == ["PO-01", "DO-01", "OEC-01"]
    assert parcel(*newest_first).events == parcel(*newest_first[:3], newest_first[3]).events


def test_late_and_misplaced_events_are_sorted() -> None:
    shuffled = [event("PO", "01", "2026-11-01T10:00:00"), event("BDE", "01"), event("RO", "01", "2026-11-05T10:00:00")]

    assert [e.carrier_code for e in parcel(*shuffled).events] == ["PO-01", "RO-01", "BDE-01"]


def test_personal_data_is_not_kept() -> None:
    people: dict[str, Any] = {
        "recebedor": {"nome": "Maria Planta", "documento": "52998224725"},
        "Destinatario": "Maria Planta",
        "remetente": {"nome": "Joana Semente"},
        "entregadorExterno": {"nome": "Caio Ramo"},
        "usuario": "u1234",
        "carteiro": "Caio Ramo",
        "latitude": -23.5,
        "longitude": -46.6,
        "comentario": "entregue a Maria Planta",
    }

    answer = parcel(event("BDE", "01", **people), **people)

    kept = answer.raw.decode()
    assert answer.outcome is OUT.FOUND
    assert not [
        word for word in ("Planta", "Semente", "Ramo", "52998224725", "u1234", "-23.5", "recebedor") if word in kept
    ]
    assert "Planta" not in repr(answer)


def test_the_raw_answer_is_the_same_for_the_same_content() -> None:
    payload = sample_json("rastro-delivered.json")["objetos"][0]
    turned = dict(reversed(list(copy.deepcopy(payload).items())))
    number = ref(payload["codObjeto"])

    assert read_object(number, payload).raw == read_object(number, turned).raw
    assert orjson.loads(read_object(number, payload).raw) == payload


def test_an_answer_is_compared_by_what_came_and_kept_without_the_people_in_it() -> None:
    payload = sample_json("rastro-delivered.json")["objetos"][0]
    number = ref(payload["codObjeto"])
    turned = dict(reversed(list(copy.deepcopy(payload).items())))
    named = payload | {"recebedor": {"nome": "Planta"}}

    said, again, other = (hear("exemplo", [number], {"objetos": [item]})[number] for item in (payload, turned, named))

    assert said.said == again.said != other.said
    assert said.read().raw == other.read().raw
    assert "Planta" not in repr(other)


def test_an_object_nested_beyond_writing_is_an_error_of_its_own() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    number = ref("AD100000017BR")

    heard = hear("exemplo", [number], {"objetos": [{"codObjeto": number.value, "eventos": deep}]})[number]

    assert heard.said and heard.read().outcome is OUT.ERROR


@pytest.mark.parametrize("payload", [[], {}, {"objetos": None}, {"objetos": {}}, "texto", None])
def test_an_answer_without_objects_is_unreadable(payload: Any) -> None:
    with pytest.raises(PermanentCarrierError, match="no list of objects"):
        hear("exemplo", [ref("AD100000017BR")], payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["eventos", "mensagem", "tipoPostal", "dtPrevista", "contrato", "valorDeclarado"]
EVENT_FIELDS = ["codigo", "tipo", "dtHrCriado", "descricao", "unidade", "dtLimiteRetirada"]


# The first draw builds a table of characters, which is slow on a cold machine and says nothing of our code.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)),
    st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(EVENT_FIELDS, JSON)), max_size=3),
)
def test_no_json_makes_an_object_raise(fields: dict[str, Any], changes: list[dict[str, Any]]) -> None:
    number = ref("AD100000017BR")
    events = [event("BDE", "01") | change for change in changes]

    for item in (fields, fields | {"eventos": events}):
        answer = read_object(number, item)
        assert answer.outcome in (OUT.FOUND, OUT.ERROR)
        assert read_object(number, item, canonical(item)) == answer


def test_objects_that_are_none_leave_the_others() -> None:
    payload = sample_json("rastro-delivered.json")
    payload["objetos"] = [None, {"codObjeto": 5}, *payload["objetos"]]

    assert hear("exemplo", [ref("AD100000017BR")], payload)[ref("AD100000017BR")].read().outcome is OUT.FOUND


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("RR473124829GB", "RR473124829GB"),
        (" ad 100.000.017-br\n", "AD100000017BR"),
        ("AD100000018BR", None),
        ("AD10000001BR", None),
        ("AAAA", None),
        ("A1100000017BR", None),
        ("AD١00000017BR", None),
        ("", None),
    ],
)
def test_s10_codes(typed: str, code: str | None) -> None:
    assert normalise(typed) == (ref(code) if code else None)


@pytest.mark.parametrize(
    ("serial", "digit"),
    [("47312482", 9), ("10000001", 7), ("00000000", 5), ("00000008", 0)],
    ids=["the standard's example", "an ordinary one", "rest 11 is 5", "rest 10 is 0"],
)
def test_check_digits(serial: str, digit: int) -> None:
    assert [d for d in range(10) if normalise(f"AA{serial}{d}BR")] == [digit]


def test_messages_of_the_carrier_are_redacted() -> None:
    answer = parcel(mensagem="SRO-031: CPF 529.982.247-25 de ana@loja.com.br " + "x " * 400)

    assert answer.message is not None
    assert "529" not in answer.message and "ana@" not in answer.message and len(answer.message) <= MAX_LENGTH


def test_the_terms() -> None:
    assert (TERMS.batch_size, TERMS.ref_kinds, TERMS.timezone) == (50, (RefKind.CODE,), "America/Sao_Paulo")
    assert TERMS.presumed_loss_business_days == {"SEDEX": 7, "": 10}
    assert codes.TABLE_VERSION in TERMS.reading_version

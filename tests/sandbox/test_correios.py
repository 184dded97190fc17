from __future__ import annotations

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError

import pytest

from tests.sandbox.conftest import CARD, CLAIMS, OBJECTS, Client, at, first, item
from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.desk import ClaimDesk
from tracker.sandbox.faults import Fault
from tracker.sandbox.plan import Fate, Plan
from tracker.sandbox.workdays import local_date
from tracker.sandbox.world import World


def test_a_token_lives_a_day_by_the_sandbox_clock(world: World, clock: SandboxClock, plan: Plan) -> None:
    client = Client(world.correios_url)
    status, answer = client.log_in()
    assert status == 201
    assert (answer["emissao"], answer["expiraEm"]) == ("2026-11-09T08:00:00", "2026-11-10T08:00:00")
    assert answer["zoneOffset"] == "-03:00" and 87 in answer["cartaoPostagem"]["api"]
    clock.advance(timedelta(hours=23, minutes=59))
    assert client.track([plan.shipments[0].code])[0] == 200
    clock.advance(timedelta(minutes=1))
    status, refused = client.track([plan.shipments[0].code])
    assert (status, refused["msgs"]) == (401, ["Token expirado."])


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"user": "00000000000191"}, 401, id="unknown user"),
        pytest.param({"code": "wrong"}, 401, id="wrong access code"),
        pytest.param({"card": "0000000000"}, 400, id="unknown card"),
    ],
)
def test_wrong_credentials_get_no_token(world: World, changes: dict[str, str], status: int) -> None:
    refused, answer = Client(world.correios_url).log_in(**changes)
    assert refused == status
    assert answer["msgs"] and answer["path"].endswith("/cartaopostagem")


def test_the_token_call_can_be_limited(plan: Plan, clock: SandboxClock, tmp_path: Path) -> None:
    with World(plan, clock, folder=tmp_path, tokens_per_second=3) as world:
        client = Client(world.correios_url)
        assert [client.log_in()[0] for _ in range(3)] == [201, 201, 201]
        assert client.call("POST", "/token/v1/autentica/cartaopostagem", {"numero": CARD}) == (429, b"")
        clock.advance(timedelta(seconds=1))
        assert client.log_in()[0] == 201


@pytest.mark.parametrize("language", ["", "*", "pt-BR,pt;q=0.9"], ids=["none", "any", "weighted"])
def test_the_language_header_must_be_exact(client: Client, plan: Plan, language: str) -> None:
    status, answer = client.track([plan.shipments[0].code], language=language)
    assert status == 400
    assert answer["msgs"][0].startswith("SRO-018")


@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_has_one_to_fifty_codes(client: Client, plan: Plan, count: int) -> None:
    status, _ = client.track([shipment.code for shipment in plan.shipments[:count]])
    assert status == 400


def test_events_appear_with_the_clock_newest_first(client: Client, clock: SandboxClock, plan: Plan) -> None:
    parcel = next(each for each in plan.of_fate(Fate.LATE_DELIVERED) if each.order.shipped_on == plan.first_day)
    clock.set(at(1, 17))
    client.log_in()
    early = client.events(parcel.code)
    assert early[-2:] == ["PO01", "FC82"]
    clock.set(at(20))
    client.log_in()
    late = client.events(parcel.code)
    assert late[0] == "BDE01" and late[-len(early) :] == early
    _, answer = client.track([parcel.code])
    shown = answer["objetos"][0]
    stamps = [event["dtHrCriado"] for event in shown["eventos"]]
    assert stamps == sorted(stamps, reverse=True)
    assert shown["dtPrevista"].startswith(parcel.due_on.isoformat())


def test_a_batch_shows_the_last_event_unless_told_otherwise(client: Client, clock: SandboxClock, plan: Plan) -> None:
    clock.set(at(20))
    client.log_in()
    codes = [first(plan, fate).code for fate in (Fate.ON_TIME, Fate.NEVER_POSTED, Fate.OTHER_CONTRACT)]
    _, answer = client.track([*codes, "AAAA"], resultado=None)
    shown, unknown, foreign, invalid = answer["objetos"]
    assert [event["codigo"] for event in shown["eventos"]] == ["BDE"]
    messages = [each["mensagem"][:7] for each in (unknown, foreign, invalid)]
    assert messages == ["SRO-020", "SRO-009", "SRO-019"]
    assert answer["quantidade"] == 4
    _, single = client.json("GET", f"{OBJECTS}/{codes[0]}", headers=client.headers())
    assert len(single["objetos"][0]["eventos"]) > 1


def test_a_parcel_not_yet_posted_is_not_found(client: Client, plan: Plan) -> None:
    last = plan.shipments[-1]
    _, answer = client.track([last.code])
    assert answer["objetos"][0]["mensagem"].startswith("SRO-020")


@pytest.mark.parametrize(
    ("fault", "status", "body_starts"),
    [
        pytest.param("429", 429, b"", id="too many calls, empty body"),
        pytest.param("500", 500, b'{"msgs"', id="server fault"),
        pytest.param("403", 403, b'{"msgs"', id="restricted API"),
        pytest.param("html", 200, b"<!DOCTYPE html>", id="maintenance page with status 200"),
    ],
)
def test_ordered_faults_hit_the_next_calls_only(
    client: Client, plan: Plan, fault: str, status: int, body_starts: bytes
) -> None:
    path = f"{OBJECTS}?codigosObjetos={plan.shipments[0].code}"
    client.control("faults", {"kind": fault, "count": 2, "path": "srorastro"})
    assert client.log_in()[0] == 201  # another path is not hit
    for _ in range(2):
        answered, body = client.call("GET", path, headers=client.headers())
        assert answered == status
        assert body.startswith(body_starts) and bool(body) == bool(body_starts)
    answered, body = client.call("GET", path, headers=client.headers())
    assert answered == 200 and body.startswith(b'{"versao"')


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.HANG], ids=str)
def test_a_call_cut_before_the_work_leaves_nothing(
    world: World, client: Client, clock: SandboxClock, plan: Plan, fault: Fault
) -> None:
    parcel = first(plan, Fate.LATE_OPEN)
    clock.set(at(9))
    client.log_in()
    world.faults.next(fault, path="cadastra")
    with pytest.raises((OSError, http.client.HTTPException)):
        client.claim(item(parcel.code), timeout=0.3)
    assert client.control("claims")["registrations"] == {}


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.HANG_AFTER], ids=str)
def test_a_lost_answer_leaves_a_registration_that_shows_when_asked(
    world: World, client: Client, clock: SandboxClock, plan: Plan, fault: Fault
) -> None:
    parcel = first(plan, Fate.LATE_OPEN)
    clock.set(at(9))
    client.log_in()
    world.faults.next(fault, path="cadastra")
    with pytest.raises((OSError, http.client.HTTPException)):
        client.claim(item(parcel.code), timeout=0.3)
    number = client.follow(parcel.code)["numeroPi"]
    _, again = client.claim(item(parcel.code))
    assert (again["pi"][0]["codigo retorno"], again["pi"][0]["numero do pi"]) == ("900", number)
    assert client.control("claims")["registrations"] == {parcel.code: [number]}
    calls = [call for call in client.control("calls")["calls"] if call["path"].endswith("cadastra")]
    assert [call["answered"] for call in calls] == [False, True]
    assert [call["results"][0]["codigo retorno"] for call in calls] == ["0", "900"]


def test_many_callers_at_once_get_one_registration(client: Client, clock: SandboxClock, plan: Plan) -> None:
    parcel = first(plan, Fate.LOST_CODED)
    clock.set(at(9))
    client.log_in()
    together = threading.Barrier(8)

    def claim(_: int) -> str:
        together.wait()
        return client.claim(item(parcel.code, kind="I"))[1]["pi"][0]["codigo retorno"]

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(claim, range(8)))
    assert codes == ["0"] + ["900"] * 7
    assert len(client.control("claims")["registrations"][parcel.code]) == 1


def test_claim_calls_can_fail_as_a_whole_or_hide_their_numbers(client: Client, clock: SandboxClock, plan: Plan) -> None:
    parcel = first(plan, Fate.LOST_CODED)
    clock.set(at(9))
    client.log_in()
    client.control("faults", {"kind": "999", "path": "cadastra"})
    _, failed = client.claim(item(parcel.code))
    assert (failed["codigoRetorno"], failed["pi"]) == (999, [])
    client.control("faults", {"kind": "f", "path": "cadastra"})
    _, hidden = client.claim(item(parcel.code))
    assert hidden["pi"][0]["numero do pi"] == "f"
    assert client.follow(parcel.code)["numeroPi"] == "210000001"


def test_tokens_and_credentials_can_be_taken_away(client: Client, plan: Plan) -> None:
    client.control("tokens/expire", {})
    assert client.track([plan.shipments[0].code])[0] == 401
    client.control("switches", {"refuse_credentials": True})
    assert client.log_in()[0] == 401
    client.control("faults/clear", {})
    assert client.log_in()[0] == 201
    assert client.track([plan.shipments[0].code])[0] == 200


def test_a_strike_stops_every_parcel(client: Client, clock: SandboxClock, plan: Plan) -> None:
    parcels = [each for each in plan.of_fate(Fate.ON_TIME) if each.order.shipped_on == plan.day(2)]
    client.control("strikes", {"first": plan.day(2).isoformat(), "last": plan.day(8).isoformat()})
    clock.set(at(8, 23))
    client.log_in()
    assert {client.events(parcel.code)[0][:2] for parcel in parcels} == {"PO"}
    clock.set(at(20))
    client.log_in()
    assert {client.events(parcel.code)[0] for parcel in parcels} == {"BDE01"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("faults", {"kind": "earthquake"}, id="unknown fault"),
        pytest.param("faults", {"kind": "429", "count": 0}, id="count of none"),
        pytest.param("switches", {"typo": True}, id="unknown switch"),
        pytest.param("strikes", {"first": "soon", "last": "later"}, id="no dates"),
        pytest.param("clock", {"now": "2026-11-09T12:00:00"}, id="instant without offset"),
    ],
)
def test_the_side_door_refuses_with_a_reason(client: Client, path: str, body: dict[str, object]) -> None:
    status, answer = client.json("POST", f"/sandbox/{path}", body)
    assert status == 400
    assert answer["error"]


def test_the_side_door_moves_the_clock_and_lists_the_plan(client: Client, plan: Plan) -> None:
    client.control("clock", {"now": "2026-11-12T09:00:00-03:00"})
    assert client.control("clock") == {"now": "2026-11-12T12:00:00+00:00"}
    assert len(client.control("plan")["shipments"]) == 60
    assert client.call("GET", "/sandbox/nothing")[0] == 404


def test_unknown_paths_get_the_gateways_error(client: Client) -> None:
    status, answer = client.json("GET", f"{CLAIMS}/inventa", headers=client.headers())
    assert status == 404 and answer["msgs"]


def test_a_restarted_sandbox_remembers_its_claims(plan: Plan, clock: SandboxClock, tmp_path: Path) -> None:
    clock.set(at(9))
    lost, silent = first(plan, Fate.LOST_CODED).code, first(plan, Fate.LOST_SILENT).code
    with World(plan, clock, folder=tmp_path) as world:
        client = Client(world.correios_url)
        client.log_in()
        assert client.claim(item(lost))[1]["pi"][0]["numero do pi"] == "210000001"
        port = int(world.correios_url.rsplit(":", 1)[1])
        kept_alive = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        kept_alive.request("GET", "/sandbox/clock")
        kept_alive.getresponse().read()
    with pytest.raises((OSError, http.client.HTTPException)):  # the old process no longer answers, on no connection
        kept_alive.auto_open = False
        kept_alive.request("GET", "/sandbox/clock")
        kept_alive.getresponse()
    with World(plan, clock, folder=tmp_path, port=port) as world:
        client = Client(world.correios_url)
        client.log_in()
        _, answer = client.claim(item(lost), item(silent))
        assert [row["codigo retorno"] for row in answer["pi"]] == ["900", "0"]
        assert client.control("claims")["registrations"] == {lost: ["210000001"], silent: ["210000002"]}


def test_a_reactivation_survives_a_restart(plan: Plan, clock: SandboxClock, tmp_path: Path) -> None:
    clock.set(at(9))
    parcel = plan.of_fate(Fate.LOST_SILENT)[1]
    file = tmp_path / "claims.jsonl"
    desk = ClaimDesk(clock, file)
    _, number = desk.register(item(parcel.code), parcel, parcel.events_until(clock.now()))
    claim = desk.find(number)
    assert claim is not None
    clock.set(at(16))
    asked = {"protocolo": number, "tipoManifestacao": "R", "motivoReativacao": "211", "observacao": "Não entregue."}
    assert desk.reopen(asked, claim, parcel, parcel.events_until(clock.now())) == (0, None)
    again = ClaimDesk(clock, file)
    assert again.find(parcel.code) == claim
    assert again.ledger() == desk.ledger()


def test_a_foreign_state_file_is_refused(plan: Plan, clock: SandboxClock, tmp_path: Path) -> None:
    (tmp_path / "claims.jsonl").write_text(json.dumps({"other": 1}))
    with pytest.raises(ValueError, match="not a state file"):
        World(plan, clock, folder=tmp_path)


def test_a_stopped_world_is_gone(plan: Plan, clock: SandboxClock, tmp_path: Path) -> None:
    with World(plan, clock, folder=tmp_path) as world:
        url = world.correios_url
    with pytest.raises(URLError):
        Client(url).control("clock")
    assert local_date(clock.now()) == plan.first_day

"""Where the configuration is found, what is filled in, and what there is to say about a usable one."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from tests.config.support import ADAPTERS, VALID, load, write
from tracker.config import Trigger, carrier_digest, find_config, load_config, trial_clock_faults
from tracker.config.check import lines
from tracker.config.load import state_folder
from tracker.errors import ConfigFileError, Fault


def test_defaults_that_work(tmp_path: Path) -> None:
    settings = load(tmp_path).settings
    assert settings.state_dir == tmp_path
    assert settings.database.connection_url() == f"sqlite:///{tmp_path}/data/tracker.db"
    assert settings.messages.templates == tmp_path / "templates"
    assert settings.intake[0].path == tmp_path / "inbox"
    assert settings.intake[0].shop == "aurora"
    assert settings.shops[0].contact == "Loja Aurora <sac@aurora.example>"
    assert settings.shops[0].live_from is None
    assert settings.carriers[0].base_url == "https://api.veloz.example"
    assert settings.carriers[0].claims.mode == "propose"
    assert [alert.kind for alert in settings.alerts] == ["log"]
    assert settings.messages.email.hourly_limit is None
    assert str(settings.timezone) == "America/Sao_Paulo"


def test_values_are_read_into_their_types(tmp_path: Path) -> None:
    text = VALID.replace(
        "    name:",
        "    cnpj: 12.ABC.345/01DE-35\n    origin_postal_code: 80010-000\n    live_from: 2026-12-01\n    name:",
    ).replace("    aliases:", '    claims: {max_value: "1500,50"}\n    aliases:')
    text += 'rules: {delivered_between: [8:30, "19:00"], max_age_hours: {posted: 12}}\n'
    settings = load(tmp_path, text).settings
    assert settings.shops[0].cnpj == "12ABC34501DE35"
    assert settings.shops[0].origin_postal_code == "80010000"
    assert settings.shops[0].live_from == date(2026, 12, 1)
    assert settings.carriers[0].claims.max_value_cents == 150_050
    assert settings.rules.delivered_between == (time(8, 30), time(19))
    assert settings.rules.max_age_hours[Trigger.POSTED] == 12
    assert settings.rules.max_age_hours[Trigger.LOSS_CONFIRMED] == 168


@pytest.mark.parametrize(
    ("given", "folder", "env", "state"),
    [
        pytest.param(None, "/home/ana/loja", {}, "/home/ana/loja", id="beside the file"),
        pytest.param(None, "/etc/shipment-tracker", {}, "/var/lib/shipment-tracker", id="the system's"),
        pytest.param(None, "/etc/shipment-tracker/a", {}, "/var/lib/shipment-tracker", id="below the system's"),
        pytest.param(None, "/etc/shipment-tracker2", {}, "/etc/shipment-tracker2", id="only looks like the system's"),
        pytest.param(None, "/etc/shipment-tracker", {"STATE_DIRECTORY": "/s"}, "/s", id="as systemd says"),
        pytest.param(None, "/home/ana", {"STATE_DIRECTORY": "/s:/t"}, "/s", id="the first of several"),
        pytest.param(
            "data", "/home/ana", {"STATE_DIRECTORY": "/s"}, "/home/ana/data", id="as configured, beside the file"
        ),
        pytest.param("/d", "/home/ana", {}, "/d", id="as configured"),
    ],
)
def test_state_folder(given: str | None, folder: str, env: dict[str, str], state: str) -> None:
    assert state_folder(Path(given) if given else None, Path(folder), env) == Path(state)


def test_absolute_paths_stay(tmp_path: Path) -> None:
    text = VALID.replace("path: inbox", "path: /srv/inbox") + "state_dir: /srv/state\nmessages: {templates: /srv/t}\n"
    settings = load(tmp_path, text + "database: {url: 'sqlite:////srv/db/tracker.db'}\n").settings
    assert settings.intake[0].path == Path("/srv/inbox")
    assert settings.messages.templates == Path("/srv/t")
    assert settings.database.connection_url() == "sqlite:////srv/db/tracker.db"


def test_the_configuration_is_found_in_order(tmp_path: Path) -> None:
    env = {"TRACKER_CONFIG": "/from/env.yaml"}
    write(tmp_path, VALID)
    assert find_config(Path("named.yaml"), env, tmp_path) == Path("named.yaml")
    assert find_config(None, env, tmp_path) == Path("/from/env.yaml")
    assert find_config(None, {}, tmp_path) == tmp_path / "config.yaml"


def test_no_configuration_anywhere_says_where_we_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError) as caught:
        find_config(None, {}, tmp_path / "empty")
    assert "tracker init" in str(caught.value)
    assert str(tmp_path / "empty" / "config.yaml") in str(caught.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(None, "does not exist", id="missing"),
        pytest.param(b"\xff\xfe\x00", "is not UTF-8 text", id="not text"),
        pytest.param(b"#" * 1_100_000, "is larger than 1 MiB", id="huge"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigFileError) as caught:
        load_config(path, {}, strict_credentials=False, adapters=ADAPTERS)
    assert [fault.what for fault in caught.value.faults] == [what]


def test_a_mark_at_the_beginning_of_the_file_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xef\xbb\xbf" + VALID.encode())
    loaded = load_config(tmp_path / "config.yaml", {}, strict_credentials=True, adapters=ADAPTERS)
    assert loaded.settings.shops[0].id == "aurora"


def test_parts_that_do_nothing_yet_are_noticed(tmp_path: Path) -> None:
    text = VALID.replace("    name:", "    digest: {to: [a@b.example], at: 08:00}\n    name:")
    text += "web: {operator: '127.0.0.1:80', public: '127.0.0.1:81'}\n"
    text += "messages: {triggers: {posted: [email, sms], ack: [email], in_transit: [], delivered: [email]}}\n"
    assert [str(fault).split(": ", 1)[1] for fault in load(tmp_path, text).notices] == [
        "messages.triggers.posted.1: sms does nothing yet in this release",
        "messages.triggers.ack: does nothing yet in this release",
    ]


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("name: Loja Aurora", "name: “Loja Aurora”", "shops.0.name", "the quotation mark of a word processor"),
        (
            "sac@aurora.example>",
            "sac@aurora>",
            "shops.0.email.from",
            "aurora has no dot: from outside no mail gets there",
        ),
    ],
)
def test_what_is_hardly_meant_so(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    assert old in VALID
    (warning,) = [one for one in load(tmp_path, VALID.replace(old, new)).warnings if one.key == key]
    assert says in warning.what
    assert key not in {one.key for one in load(tmp_path, VALID).warnings}


def test_warnings_of_what_should_be_mended(tmp_path: Path) -> None:
    text = VALID.replace("    name:", "    live_from: 2026-12-01\n    name:")
    text = text.replace("    aliases:", "    shops: [boreal]\n    aliases:").replace(
        "path: inbox", "path: inbox, shop: aurora"
    )
    text = text.replace("carriers:", "  - {id: boreal, name: B, email: {from: a@b.example}}\ncarriers:")
    text += "messages: {redirect_to: a@b.example, templates: nowhere}\n"
    assert [(fault.line, fault.key) for fault in load(tmp_path, text).warnings] == [
        (2, "shops.0"),
        (3, "shops.0.live_from"),
        (8, "carriers.0.claims"),
        (15, "messages.templates"),
    ]


def test_what_redirect_to_does_not_divert_is_said(tmp_path: Path) -> None:
    (said,) = [one for one in lines(load(tmp_path, VALID + "messages: {redirect_to: a@b.example}\n")) if "a@b" in one]
    assert said.startswith("mail      every message goes to a@b.example instead of the customer")
    assert said.endswith("are still really filed in mode auto")


@pytest.mark.parametrize(
    ("operator", "warned"),
    [
        pytest.param("127.0.0.1:8080", False, id="this machine"),
        pytest.param("'[::1]:8080'", False, id="this machine by its address of six"),
        pytest.param("localhost:8080", False, id="this machine by its name"),
        pytest.param("null", False, id="no listener"),
        pytest.param("0.0.0.0:8080", True, id="every address"),
        pytest.param("10.0.0.5:8080", True, id="the shop's network"),
    ],
)
def test_a_listener_that_others_can_reach_is_warned_of(tmp_path: Path, operator: str, warned: bool) -> None:
    text = VALID.replace("    aliases:", '    claims: {mode: auto, phone: "1"}\n    aliases:')
    loaded = load(tmp_path, f"{text}web: {{operator: {operator}}}\n")
    assert [fault.key for fault in loaded.warnings] == (["web.operator"] if warned else [])
    shown = "no listener" if operator == "null" else f"/healthz, /readyz and /metrics at {operator.strip(chr(39))}"
    assert f"web       {shown}" in lines(loaded)


@pytest.mark.parametrize(
    ("claims", "warned"),
    [
        pytest.param("", True, id="nothing said"),
        pytest.param("claims: {mode: auto}", True, id="a mode alone"),
        pytest.param("claims: {mode: off}", False, id="switched off"),
        pytest.param('claims: {mode: auto, phone: "1"}', False, id="all that the carrier asks"),
    ],
)
def test_claims_that_cannot_be_filed_are_warned_of(tmp_path: Path, claims: str, warned: bool) -> None:
    text = VALID.replace("    aliases:", f"    {claims}\n    aliases:")
    assert [fault.what for fault in load(tmp_path, text).warnings] == (
        ["no claim can be filed with this carrier"] if warned else []
    )


def test_an_address_for_letters_does_nothing_where_claims_go_through_an_api(tmp_path: Path) -> None:
    claims = 'claims: {phone: "1", letter_to: sac@veloz.example}'
    text = VALID.replace("    aliases:", f"    {claims}\n    aliases:")
    (warning,) = load(tmp_path, text).warnings
    assert (warning.line, warning.key) == (7, "carriers.0.claims.letter_to")
    assert "takes claims through its API" in warning.what


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        pytest.param("segredo-muito-secreto", "segredo-novo", False, id="another secret"),
        pytest.param("user: conta-1", "user: conta-2", False, id="another user"),
        pytest.param(
            "    aliases:", "    base_url: https://hom.veloz.example\n    aliases:", False, id="another address"
        ),
        pytest.param("Expresso Veloz]", "Expresso]", True, id="another alias"),
        pytest.param("Loja Aurora", "Aurora", True, id="another shop name"),
    ],
)
def test_a_carrier_is_probed_again_when_its_settings_change(tmp_path: Path, old: str, new: str, same: bool) -> None:
    before = carrier_digest(load(tmp_path).settings.carriers[0])
    after = carrier_digest(load(tmp_path, VALID.replace(old, new)).settings.carriers[0])
    assert (before == after) is same


def test_a_replaced_clock_is_refused_for_every_address_abroad(tmp_path: Path) -> None:
    box = "{host: imap.example, user: u, password: p}"
    text = VALID + f"messages: {{email: [{{host: smtp.example}}, {{host: 127.0.0.1}}], bounces: {box}}}\n"
    text += "alerts: [{kind: webhook, url: 'https://hook.example/token', secret: abcdefghijklmnop}, {kind: log}]\n"
    assert trial_clock_faults(load(tmp_path, text).settings) == [
        "carrier veloz: api.veloz.example",
        "messages.email: smtp.example",
        "messages.bounces: imap.example",
        "alerts webhook: hook.example",
    ]


def test_every_shop_has_a_mail_account(tmp_path: Path) -> None:
    second = "shops:\n  - id: outra\n    name: Outra\n    email: {from: oi@outra.example}\n"
    text = VALID.replace("shops:\n", second, 1) + "messages: {email: [{host: smtp.example, shops: [outra]}]}\n"
    with pytest.raises(ConfigFileError) as caught:
        load(tmp_path, text)
    assert any("messages.email: leaves aurora without a mail account" in str(one) for one in caught.value.faults)


def test_a_replaced_clock_is_fine_on_loopback(tmp_path: Path) -> None:
    text = VALID.replace("    aliases:", "    base_url: http://127.0.0.1:9/x/\n    aliases:")
    text += "messages: {email: {host: localhost}}\n"
    text += "alerts: [{kind: webhook, url: 'http://[::1]:9000/hook', secret: abcdefghijklmnop}]\n"
    settings = load(tmp_path, text).settings
    assert trial_clock_faults(settings) == []
    assert settings.carriers[0].base_url == "http://127.0.0.1:9/x"


def test_a_fault_reads_as_one_line() -> None:
    assert str(Fault("config.yaml", 6, "a.b", "unknown key", "did you mean c?")) == (
        "config.yaml:6: a.b: unknown key (did you mean c?)"
    )
    assert str(Fault("config.yaml", 6, "a.b", "is wrong")) == "config.yaml:6: a.b: is wrong"


@pytest.mark.parametrize(
    ("written", "by_service"),
    [
        pytest.param("{}", {"": 5}, id="not named"),
        pytest.param("{business_days: 7}", {"": 7}, id="one number for every service"),
        pytest.param("{business_days: {sedex: 4}}", {"": 5, "SEDEX": 4}, id="a service's own beside the default"),
        pytest.param("{business_days: {default: 6, SEDEX: 4}}", {"": 6, "SEDEX": 4}, id="both"),
    ],
)
def test_a_standstill_by_service(tmp_path: Path, written: str, by_service: dict[str, int]) -> None:
    settings = load(tmp_path, VALID + f"rules: {{stalled: {written}}}\n").settings
    assert settings.rules.stalled.by_service() == by_service


def test_a_city_is_known_whatever_its_accents_and_case(tmp_path: Path) -> None:
    settings = load(tmp_path, VALID + 'city_holidays: {"são  paulo/sp": [2027-01-25]}\n').settings
    assert settings.closings_of("SAO PAULO", "SP") == (date(2027, 1, 25),)
    assert settings.closings_of("São Paulo", "PR") == settings.closings_of(None, "SP") == ()

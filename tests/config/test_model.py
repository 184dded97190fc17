"""What the program asks of its settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.config.support import VALID, load
from tracker.config import Channel, MailServer, MessageSettings, Settings
from tracker.config.fields import is_loopback
from tracker.config.mail import ReturnedMail
from tracker.config.names import fold

TWO_CARRIERS = VALID.replace(
    "intake:", "  - {id: lenta, aliases: [Via Lenta, expresso, Azul], user: b, token: segredo}\nintake:"
).replace("[Expresso Veloz]", "[Expresso Veloz, pac, Rápida]")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path, TWO_CARRIERS).settings


@pytest.mark.parametrize(
    ("raw", "carrier"),
    [
        pytest.param("veloz", "veloz", id="its id"),
        pytest.param("  VELOZ ", "veloz", id="its id in capitals"),
        pytest.param("via-lenta", "lenta", id="an alias with another mark"),
        pytest.param("RAPIDA", "veloz", id="an alias without its accent"),
        pytest.param("expresso", "lenta", id="an exact alias before a longer one"),
        pytest.param("Expresso Veloz S.A. (PAC)", "veloz", id="the longest alias in a text"),
        pytest.param("Contrato PAC 03298", "veloz", id="an alias within a text"),
        pytest.param("Pacote leve", None, id="part of a word is no name"),
        pytest.param("Azul ou PAC", "lenta", id="the longer of two"),
        pytest.param("Rápida, Veloz e Lenta", "veloz", id="the longest of three"),
        pytest.param("lenta ou veloz", None, id="two names of the same length"),
        pytest.param("Outra", None, id="somebody else"),
        pytest.param("", None, id="no name, two carriers"),
        pytest.param(None, None, id="absent, two carriers"),
        pytest.param("---", None, id="only marks"),
    ],
)
def test_carrier_of_an_order(settings: Settings, raw: str | None, carrier: str | None) -> None:
    assert settings.carrier_for(raw, "aurora") == carrier


@pytest.mark.parametrize(
    ("raw", "carrier"),
    [
        pytest.param(None, "veloz", id="absent"),
        pytest.param("  ", "veloz", id="blank"),
        pytest.param("Outra", None, id="somebody else is not the only carrier"),
    ],
)
def test_a_shop_with_one_carrier_needs_no_name(tmp_path: Path, raw: str | None, carrier: str | None) -> None:
    assert load(tmp_path).settings.carrier_for(raw, "aurora") == carrier


def test_shop_and_carrier_by_id(settings: Settings) -> None:
    assert settings.shop("aurora").name == "Loja Aurora"
    assert settings.carrier("lenta").id == "lenta"
    with pytest.raises(KeyError):
        settings.shop("nobody")
    with pytest.raises(KeyError):
        settings.carrier("nobody")


def test_settings_cannot_be_changed(settings: Settings) -> None:
    with pytest.raises(ValidationError):
        settings.engine = "local"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("messages", "trigger", "channels"),
    [
        pytest.param({}, "posted", (), id="problems: no posting"),
        pytest.param({}, "delay_detected", ("email",), id="problems: a delay"),
        pytest.param({}, "delivered", ("email",), id="problems: a delivery, after a problem"),
        pytest.param({"preset": "all"}, "posted", ("email",), id="all: a posting"),
        pytest.param({"preset": "all"}, "ack", (), id="all: what this release tells"),
        pytest.param({"preset": "none"}, "delay_detected", (), id="none"),
        pytest.param({"preset": "none", "triggers": {"damage": ["email"]}}, "damage", ("email",), id="none but one"),
        pytest.param({"triggers": {"damage": []}}, "damage", (), id="one switched off"),
        pytest.param({"triggers": {"damage": ["sms", "email"]}}, "damage", ("email",), id="only what is there yet"),
    ],
)
def test_channels_of_a_trigger(messages: dict[str, object], trigger: str, channels: tuple[str, ...]) -> None:
    assert MessageSettings.model_validate(messages).channels(trigger) == tuple(map(Channel, channels))


@pytest.mark.parametrize(
    ("messages", "only"),
    [
        pytest.param({}, True, id="preset problems"),
        pytest.param({"preset": "all"}, False, id="preset all"),
        pytest.param({"triggers": {"delivered": ["email"]}}, False, id="switched on by hand"),
    ],
)
def test_whether_delivered_needs_a_problem(messages: dict[str, object], only: bool) -> None:
    assert MessageSettings.model_validate(messages).delivered_only_after_problem is only


@pytest.mark.parametrize(
    ("given", "security", "port", "hourly_limit"),
    [
        pytest.param({}, "none", 25, None, id="this machine"),
        pytest.param({"host": "smtp.example"}, "starttls", 587, 100, id="another server"),
        pytest.param({"host": "smtp.example", "security": "tls"}, "tls", 465, 100, id="implicit TLS"),
        pytest.param({"host": "smtp.example", "port": 2525}, "starttls", 2525, 100, id="its own port"),
        pytest.param({"host": "smtp.example", "per_hour": 5000}, "starttls", 587, 5000, id="its own limit"),
        pytest.param({"per_hour": 10}, "none", 25, 10, id="a limit for this machine"),
    ],
)
def test_mail_server_defaults(given: dict[str, object], security: str, port: int, hourly_limit: int | None) -> None:
    server = MailServer.model_validate(given)
    assert (server.security, server.port, server.hourly_limit) == (security, port, hourly_limit)


@pytest.mark.parametrize(
    ("given", "pace"),
    [
        pytest.param({}, None, id="this machine"),
        pytest.param({"host": "smtp.example"}, 1.0, id="another server"),
        pytest.param({"host": "smtp.example", "per_hour": 7200}, 4.0, id="fast enough for its hour"),
        pytest.param({"host": "smtp.example", "per_second": 0.5}, 0.5, id="as written"),
        pytest.param({"per_second": 3}, 3.0, id="as written for this machine"),
    ],
)
def test_how_many_mails_a_second(given: dict[str, object], pace: float | None) -> None:
    assert MailServer.model_validate(given).pace == pace


def test_one_mail_account_or_several() -> None:
    assert [one.name for one in MessageSettings().accounts] == ["127.0.0.1"]
    one = MessageSettings.model_validate({"email": {"host": "smtp.example"}})
    assert (one.email.host, len(one.accounts)) == ("smtp.example", 1)
    listed = [{"host": "smtp.example"}, {"id": "reserva", "host": "smtp.example", "shops": ["outra"]}]
    several = MessageSettings.model_validate({"email": listed})
    assert [account.name for account in several.accounts] == ["smtp.example", "reserva"]
    assert several.email is several.accounts[0]
    assert [account.serves("exemplo") for account in several.accounts] == [True, False]


@pytest.mark.parametrize(
    ("given", "security", "port"),
    [
        pytest.param({}, "tls", 993, id="abroad"),
        pytest.param({"security": "starttls"}, "starttls", 143, id="STARTTLS"),
        pytest.param({"host": "127.0.0.1"}, "none", 143, id="this machine"),
    ],
)
def test_the_mailbox_of_returned_mail(given: dict[str, object], security: str, port: int) -> None:
    box = ReturnedMail.model_validate({"host": "imap.example", "user": "u", "password": "p"} | given)
    assert (box.security, box.port, box.folder, box.done_folder) == (security, port, "INBOX", None)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        pytest.param("127.0.0.1", True, id="IPv4"),
        pytest.param("127.8.8.8", True, id="the whole network 127"),
        pytest.param("[::1]", True, id="IPv6 in brackets"),
        pytest.param("LOCALHOST.", True, id="the name, fully qualified"),
        pytest.param("sandbox.localhost", True, id="below localhost"),
        pytest.param("localhost.example.com", False, id="only begins like it"),
        pytest.param("0.0.0.0", False, id="every address"),
        pytest.param("192.168.0.1", False, id="the house network"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_folding_a_name() -> None:
    assert fold("  Expressão-Ágil_2 (S.A.) ") == "expressao agil 2 s a"


def test_read_options_follow_the_folder(tmp_path: Path) -> None:
    text = VALID.replace(
        "path: inbox", r"path: inbox, columns: {Venda: number, Obs: ignore}, tracking_pattern: 'R:(\w+)'"
    )
    options = load(tmp_path, text).settings.intake[0].read_options()
    assert options.columns == {"Venda": "number", "Obs": "ignore"}
    assert options.tracking_pattern == r"R:(\w+)"
    assert options.accept_unauthorised is False

"""References to what does not stand in the file itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.config.support import ADAPTERS, VALID, faults, load, write
from tracker.config import carrier_digest, load_config, trial_clock_faults
from tracker.errors import MissingCredentialError

SECRET = "segredo-de-outro-lugar"


def with_token(value: str) -> str:
    return VALID.replace("segredo-muito-secreto", value)


def token(folder: Path, value: str, env: dict[str, str]) -> str:
    own = load(folder, with_token(value), env).settings.carriers[0].adapter_settings
    return str(own.model_dump()["token"].get_secret_value())


def test_environment_credential_and_file(tmp_path: Path) -> None:
    (tmp_path / "creds").mkdir()
    (tmp_path / "creds" / "veloz").write_text(SECRET + "\n")
    (tmp_path / "token.txt").write_bytes(SECRET.encode() + b"\r\n")
    env = {"TOKEN": SECRET, "CREDENTIALS_DIRECTORY": str(tmp_path / "creds")}
    assert token(tmp_path, "${TOKEN}", env) == SECRET
    assert token(tmp_path, '"${credential:veloz}"', env) == SECRET
    assert token(tmp_path, '"${file:token.txt}"', env) == SECRET


def test_references_within_a_text_and_a_plain_one(tmp_path: Path) -> None:
    env = {"A": "um", "B": "${C}", "C": "never searched again"}
    assert token(tmp_path, "segredo-${A}-${B}-$${A}", env) == "segredo-um-${C}-${A}"


def test_what_comes_in_is_never_read_as_yaml(tmp_path: Path) -> None:
    assert token(tmp_path, "${TOKEN}", {"TOKEN": "segredo: {a: [null]}"}) == "segredo: {a: [null]}"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        pytest.param("${TOKEN}", "the environment variable TOKEN is not set or empty", id="variable not set"),
        pytest.param("${EMPTY}", "the environment variable EMPTY is not set or empty", id="variable empty"),
        pytest.param('"${file:none.txt}"', "the file none.txt cannot be read: No such file", id="no such file"),
        pytest.param('"${file:}"', "names no file", id="no file name"),
        pytest.param('"${file:empty.txt}"', "the file empty.txt is empty or larger", id="empty file"),
        pytest.param('"${file:large.txt}"', "the file large.txt is empty or larger", id="a file that is no secret"),
        pytest.param('"${file:binary}"', "the file binary is not UTF-8 text", id="binary file"),
        pytest.param('"${credential:../x}"', "names no credential", id="credential with a path"),
        pytest.param('"${credential:veloz}"', "the credential veloz is not available here", id="no credential"),
        pytest.param('"${vault:x}"', "holds a reference that cannot be read", id="unknown kind"),
        pytest.param('"${A"', "holds a reference that cannot be read", id="not closed"),
        pytest.param('"${9}"', "holds a reference that cannot be read", id="no name"),
    ],
)
def test_a_reference_to_nothing_is_one_fault_at_its_line(tmp_path: Path, value: str, fault: str) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "large.txt").write_text("x" * 70_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    found = faults(tmp_path, with_token(value), {"EMPTY": ""})
    assert len(found) == 1
    assert found[0].startswith(f"config.yaml:9: carriers.0.token: {fault}")


def test_a_missing_credential_is_a_warning_outside_the_service(tmp_path: Path) -> None:
    loaded = load(tmp_path, with_token('"${credential:veloz}"'), strict=False)
    assert [fault.key for fault in loaded.warnings if "credential" in fault.what] == ["carriers.0.token"]
    carrier = loaded.settings.carriers[0]
    with pytest.raises(MissingCredentialError, match="carrier veloz"):
        _ = carrier.adapter_settings
    with pytest.raises(MissingCredentialError):
        carrier_digest(carrier)


REFERENCES = ("${NOT_SET}", "${file:not-there.txt}", "${credential:none}")


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("segredo-muito-secreto", '"{}"', id="the carrier's secret"),
        pytest.param("    aliases:", '    base_url: "{}"\n    aliases:', id="the carrier's address"),
        pytest.param("    aliases:", '    claims: {{phone: "{}"}}\n    aliases:', id="what a claim would say"),
        pytest.param(
            "carriers:", 'messages: {{email: {{user: u, password: "{}"}}}}\ncarriers:', id="the mail password"
        ),
        pytest.param("carriers:", 'messages: {{email: {{host: "{}"}}}}\ncarriers:', id="the mail server"),
        pytest.param(
            "carriers:", 'alerts: [{{kind: webhook, url: "{0}", secret: "{0}"}}]\ncarriers:', id="a whole webhook"
        ),
        pytest.param(
            "carriers:",
            'alerts: [{{kind: webhook, url: "https://a.example/{0}", secret: "{0}"}}]\ncarriers:',
            id="a webhook's token",
        ),
    ],
)
def test_who_talks_to_nobody_needs_no_secret_of_theirs(tmp_path: Path, old: str, new: str, reference: str) -> None:
    text = VALID.replace(old, new.format(reference))
    loaded = load(tmp_path, text, strict=False, talks=False)
    assert loaded.settings.carriers[0].id == "veloz"
    assert not [one for one in trial_clock_faults(loaded.settings) if "unresolved" in one]
    assert any("not" in fault.what for fault in loaded.warnings)
    assert len(faults(tmp_path, text, strict=True)) >= 1


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(VALID + 'database: {url: "REF"}\n', "12: database.url", id="the database"),
        pytest.param(VALID + 'database: {url: "postgresql://u:REF@h/d"}\n', "12: database.url", id="its password"),
        pytest.param(VALID.replace("Loja Aurora\n", '"REF"\n'), "3: shops.0.name", id="a name that is shown"),
        pytest.param(VALID + 'messages: {email: {port: "REF"}}\n', "12: messages.email.port", id="a number"),
    ],
)
def test_what_is_read_and_shown_has_to_be_there(tmp_path: Path, text: str, place: str, reference: str) -> None:
    (found,) = faults(tmp_path, text.replace("REF", reference), talks=False)
    assert found.startswith(f"config.yaml:{place}: the ")
    assert "is not set" in found or "cannot be read" in found or "is not available here" in found


def test_a_database_password_that_is_not_here_is_never_sent(tmp_path: Path) -> None:
    text = VALID + 'database: {url: "postgresql://u:${credential:db}@db.example/d"}\n'
    with pytest.raises(MissingCredentialError, match=r"database\.url"):
        load(tmp_path, text, strict=False).settings.database.connection_url()


def test_a_missing_credential_hides_no_other_fault(tmp_path: Path) -> None:
    text = with_token('"${credential:veloz}"').replace("user: conta-1", "usr: conta-1")
    found = faults(tmp_path, text, strict=False)
    assert [line.split(": ")[1] for line in found] == ["carriers.0.user", "carriers.0.usr"]


def test_a_database_from_a_credential_cannot_be_opened_without_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, VALID + 'database: {url: "${credential:db}"}\n', strict=False)
    assert loaded.settings.database.shown == "(from a credential)"
    with pytest.raises(MissingCredentialError, match=r"database\.url"):
        loaded.settings.database.connection_url()


def test_no_fault_repeats_a_secret(tmp_path: Path) -> None:
    env = {"TOKEN": "geheim-1234567", "PORT": "geheim-7654321", "KEY": "geheim-abcdefg"}
    text = with_token("${TOKEN}") + "messages: {email: {port: '${PORT}', security: '${KEY}'}}\nengine: ${KEY}\n"
    found = faults(tmp_path, text, env)
    assert len(found) == 4
    assert "geheim" not in "\n".join(found)


def test_secrets_do_not_show_in_the_settings(tmp_path: Path) -> None:
    text = VALID + "database: {url: 'postgresql://u:geheim@db.example/tracker'}\n"
    text += "messages: {email: {user: u, password: geheim}}\n"
    text += "alerts: [{kind: webhook, url: 'https://hook.example/x', secret: geheim-geheim-geheim}]\n"
    settings = load(tmp_path, text).settings
    assert "geheim" not in repr(settings)
    assert "segredo" not in repr(settings)
    assert settings.database.shown == "postgresql://db.example/tracker"
    assert settings.database.connection_url() == "postgresql://u:geheim@db.example/tracker"


def test_addresses_that_are_secrets_are_missed_where_everybody_reads_the_file(tmp_path: Path) -> None:
    text = (
        VALID + "alerts: [{kind: apprise, urls: ['json://127.0.0.1/token']}]\nping: {url: 'https://hc.example/uuid'}\n"
    )
    path = write(tmp_path, text)
    path.chmod(0o644)
    warned = [fault.key for fault in load_config(path, {}, strict_credentials=True, adapters=ADAPTERS).warnings]
    assert {"alerts.0.urls.0", "ping.url"} <= set(warned)
    assert not any(key.startswith("database") for key in warned)


def test_without_apprise_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (fault,) = faults(tmp_path, VALID + "alerts: [{kind: apprise, urls: ['tgram://geheim/1']}]\n")
    assert fault == (
        "config.yaml:12: alerts.0.urls.0: needs Apprise, which is not installed "
        '(pip install "shipment-tracker[apprise]")'
    )

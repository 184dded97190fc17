"""What the settings of single adapters refuse or remark on, as `check-config` says it; and the public listener."""

from __future__ import annotations

from pathlib import Path

import pytest

from carriers.registry import adapters
from carriers.ssw import SswSettings
from tests.config.support import write
from tracker.config import LoadedConfig, load_config
from tracker.errors import ConfigFileError

SHOP = """\
shops:
  - id: aurora
    name: Loja Aurora
    email: {from: "Loja Aurora <sac@aurora.example>"}
carriers:
"""
ME = "{id: melhor_envio, contact: ti@aurora.example, "
SSW = "{id: ssw, "
SHORT = "senha-de-15-let"


def load(folder: Path, account: str, more: str = "") -> LoadedConfig:
    text = f"{SHOP}  - {account}\n{more}"
    return load_config(write(folder, text), {}, strict_credentials=True, adapters=adapters())


@pytest.mark.parametrize(
    ("account", "says"),
    [
        pytest.param(SSW + "cnpj: '11222333000181'}", "cnpj and password belong together", id="SSW: cnpj alone"),
        pytest.param(SSW + "password: segredo}", "cnpj and password belong together", id="SSW: password alone"),
        pytest.param(SSW + "company: TFX}", "company says more of cnpj and password", id="SSW: company alone"),
        pytest.param(
            SSW + "company: TFX, role: payer}",
            "role and company say more of cnpj and password",
            id="SSW: company and role",
        ),
        pytest.param(
            ME + "token: segredo-bem-longo, client_id: '1000'}",
            "are two ways in",
            id="Melhor Envio: token and client_id",
        ),
        pytest.param(
            ME + "token: segredo-bem-longo, client_id: '1', client_secret: segredo-bem-longo, refresh_token: outro}",
            "are two ways in",
            id="Melhor Envio: token and an application",
        ),
        pytest.param(ME + "client_id: '1000'}", "set either token, or all of", id="Melhor Envio: half an application"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path: Path, account: str, says: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        load(tmp_path, account)
    (fault,) = caught.value.faults
    assert (fault.line, fault.key, says in fault.what) == (6, "carriers.0", True), fault


def test_a_cnpj_of_ssw_is_one_and_goes_out_bare(tmp_path: Path) -> None:
    account = SSW + "cnpj: '%s', password: segredo}"
    with pytest.raises(ConfigFileError) as caught:
        load(tmp_path, account % "1122233300018")
    (fault,) = caught.value.faults
    assert (fault.line, fault.key, fault.what) == (6, "carriers.0.cnpj", "is no CNPJ (14 characters)")
    own = load(tmp_path, account % "11.222.333/0001-81").settings.carriers[0].adapter_settings
    assert isinstance(own, SswSettings) and own.cnpj == "11222333000181"


@pytest.mark.parametrize(
    "account",
    [
        pytest.param(SSW + "}", id="SSW by key alone"),
        pytest.param(SSW + "cnpj: '11222333000181', password: segredo, company: TFX, role: payer}", id="SSW"),
        pytest.param(
            ME + "token: segredo-bem-longo, client_secret: segredo-bem-longo}", id="Melhor Envio: a token, and pushes"
        ),
    ],
)
def test_what_belongs_together_is_taken(tmp_path: Path, account: str) -> None:
    assert load(tmp_path, account).warnings == ()


@pytest.mark.parametrize(
    ("account", "key"),
    [
        pytest.param("{id: aftership, api_key: a, webhook_secret: '%s'}", "webhook_secret", id="AfterShip"),
        pytest.param("{id: intelipost, api_key: a, webhook_key: '%s'}", "webhook_key", id="Intelipost"),
        pytest.param(
            "{id: loggi, company_id: a, client_id: b, client_secret: c, webhook_user: u, webhook_password: '%s'}",
            "webhook_password",
            id="Loggi",
        ),
        pytest.param("{id: 17track, api_key: '%s', push: true}", "api_key", id="17TRACK"),
        pytest.param("{id: jt_express, api_account: a, private_key: '%s', push: true}", "private_key", id="J&T"),
        pytest.param(ME + "token: segredo-bem-longo, client_secret: '%s'}", "client_secret", id="Melhor Envio"),
    ],
)
def test_a_short_secret_of_a_hook_is_warned_of(tmp_path: Path, account: str, key: str) -> None:
    (warning,) = load(tmp_path, account % SHORT).warnings
    assert (warning.line, warning.key) == (6, f"carriers.0.{key}")
    assert warning.what.startswith("is too short to prove a push") and "at least 16 characters" in warning.advice
    assert SHORT not in str(warning)
    assert load(tmp_path, account % (SHORT + "r")).warnings == ()


@pytest.mark.parametrize(
    "account",
    [
        pytest.param("{id: 17track, api_key: curta}", id="17TRACK"),
        pytest.param("{id: jt_express, api_account: a, private_key: curta}", id="J&T"),
    ],
)
def test_a_key_that_proves_no_push_may_be_short(tmp_path: Path, account: str) -> None:
    assert load(tmp_path, account).warnings == ()


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        pytest.param("0.0.0.0:8081", True, id="every interface"),
        pytest.param("'[::]:8081'", True, id="every interface, IPv6"),
        pytest.param("192.168.0.7:8081", True, id="one of the network's"),
        pytest.param("127.0.0.1:8081", False, id="this machine alone"),
        pytest.param("localhost:8081", False, id="by its name"),
    ],
)
def test_a_public_listener_without_a_proxy_in_front_is_warned_of(tmp_path: Path, address: str, warned: bool) -> None:
    web = f"web: {{public: {address}, public_url: https://entregas.aurora.example}}\n"
    warnings = [str(warning) for warning in load(tmp_path, SSW + "}", web).warnings]
    assert [("web.public: can be reached" in one and "proxy" in one) for one in warnings] == [True] * warned

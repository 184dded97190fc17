from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from carriers.base import AdapterContext
from carriers.correios import Correios
from carriers.correios.settings import CorreiosSettings
from tests.carriers.correios.support import ACCOUNT, BASE, KEY_ACCOUNT, adapter
from tests.carriers.fictitious import FictitiousSettings
from tests.carriers.support import context

SECRET = ACCOUNT["access_code"]


def account(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (ACCOUNT | changes).items() if value is not ...}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        pytest.param(account(access_code=...), "either access_code", id="no credentials"),
        pytest.param(account(api_key="cws-ch1_x"), "either access_code", id="both credentials"),
        pytest.param(account(access_code="cws-ch1_x"), "move it to api_key", id="a key as access code"),
        pytest.param({"api_key": "abcdef"}, "must begin with cws-", id="an access code as key"),
        pytest.param(account(access_code=" "), "is empty: set the environment variable", id="empty secret"),
        pytest.param(account(access_code="código com acento"), "copy it again", id="secret with other characters"),
        pytest.param(account(user=...), "add user", id="no user"),
        pytest.param(account(posting_card=...), "posting_card", id="no card"),
        pytest.param(account(posting_card=67599079), "write it in quotes", id="card as a number"),
        pytest.param(account(contract="99-12"), "digits only", id="contract with other characters"),
        pytest.param(
            account(services={"PAC": "PAC"}), "PAC: a service code has five digits", id="service name as code"
        ),
        pytest.param(account(pasword="x"), "pasword", id="unknown key"),
        pytest.param(account(claims={"phone": "4133330000"}), "add reply_email", id="half a claims block"),
        pytest.param(account(claims={"packaging": "box"}), "add phone and reply_email", id="packaging alone"),
        pytest.param(account(claims=ACCOUNT["claims"] | {"phone": "123"}), "area code", id="short phone"),
        pytest.param(account(claims=ACCOUNT["claims"] | {"reply_email": "pi@loja"}), "plain e-mail", id="odd e-mail"),
        pytest.param(account(claims=ACCOUNT["claims"] | {"packaging": "tube"}), "packaging", id="unknown packaging"),
        pytest.param(
            account(claims=ACCOUNT["claims"] | {"kinds": {"lost": "refund"}}),
            "lost: Correios takes no claim for that; write one of damage",
            id="a kind for an unknown problem",
        ),
        pytest.param(
            account(claims=ACCOUNT["claims"] | {"kinds": {"loss": "R"}}),
            "'information_request' or 'refund'",
            id="a kind by the carrier's letter",
        ),
        pytest.param(account(contract=...), "add contract: a claim names both", id="claims without contract"),
        pytest.param(
            KEY_ACCOUNT | {"claims": ACCOUNT["claims"]}, "contract and posting_card", id="claims by key without card"
        ),
    ],
)
def test_faults_say_what_to_do(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CorreiosSettings.model_validate(entry)

    assert says in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_key_as_access_code_can_be_forced() -> None:
    settings = CorreiosSettings.model_validate(account(access_code="cws-ch1_x", allow_key_as_access_code=True))

    assert settings.access_code is not None


def test_secrets_are_not_shown() -> None:
    settings = CorreiosSettings.model_validate(ACCOUNT)

    assert SECRET not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("entry", "files"),
    [
        pytest.param(ACCOUNT, True, id="whole block"),
        pytest.param(account(claims={}), False, id="empty block, where the daemon took its own keys out"),
        pytest.param(account(claims=...), False, id="no block"),
    ],
)
def test_claims_are_filed_where_the_block_is_whole(entry: dict[str, Any], files: bool) -> None:
    assert (adapter(entry).claims is not None) is files


def test_another_adapters_settings_are_refused() -> None:
    ctx: AdapterContext = context(BASE)

    with pytest.raises(TypeError, match="FictitiousSettings"):
        Correios(FictitiousSettings(key="x"), ctx)

"""A misspelled key anywhere below `carriers:` is named with its line, its whole path and the nearest key that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from carriers.frenet import Frenet
from carriers.jadlog import Jadlog
from carriers.ocoren import Ocoren
from tests.config.support import ADAPTERS, write
from tracker.config import load_config
from tracker.errors import ConfigFileError

SHOP = """\
shops:
  - id: aurora
    name: Loja Aurora
    email: {from: "Loja Aurora <sac@aurora.example>"}
carriers:
"""
JADLOG = "  - id: jadlog\n    token: segredo-muito-secreto\n    claims:\n      mode: propose\n"
OCOREN = "  - id: ocoren\n    files: "
FRENET = "  - id: frenet\n    token: segredo-muito-secreto\n    services: "
VELOZ = "  - {id: veloz, user: a, token: segredo-muito-secreto}\n"


def faults(folder: Path, text: str) -> list[str]:
    adapters = {**ADAPTERS, "jadlog": Jadlog, "ocoren": Ocoren, "frenet": Frenet}
    with pytest.raises(ConfigFileError) as caught:
        load_config(write(folder, SHOP + text), {}, strict_credentials=True, adapters=adapters)
    return [str(fault).removeprefix(f"{folder}/config.yaml:") for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            JADLOG + "      letter_tp: sac@jadlog.example\n",
            ["10: carriers.0.claims.letter_tp: unknown key (did you mean letter_to?)"],
            id="claims of a carrier that has no keys of its own there",
        ),
        pytest.param(
            JADLOG + '      phone: "4133330000"\n',
            [
                "10: carriers.0.claims.phone: unknown key (known here: counterparty, letter_cc, letter_contract, "
                "letter_reply_to, letter_to, max_value, mode, presumed_loss_business_days)"
            ],
            id="another carrier's key",
        ),
        pytest.param(
            VELOZ + JADLOG + "      mdoe: off\n      counterparty: {knd: broker}\n",
            [
                "11: carriers.1.claims.mdoe: unknown key (did you mean mode?)",
                "12: carriers.1.claims.counterparty.knd: unknown key (did you mean kind?)",
            ],
            id="all of them at once",
        ),
        pytest.param(
            JADLOG + "      api_key: outro-segredo-longo\n    letter_to: sac@jadlog.example\n",
            [
                "10: carriers.0.claims.api_key: unknown key (it belongs to the account, beside claims)",
                "11: carriers.0.letter_to: unknown key (it belongs under claims)",
            ],
            id="keys that stand one level off",
        ),
        pytest.param(
            VELOZ.replace("user: a", "user: a, packaging: box, claims: {phone: '41', user: b}"),
            [
                "6: carriers.0.claims.user: unknown key (it belongs to the account, beside claims)",
                "6: carriers.0.packaging: unknown key (it belongs under claims)",
            ],
            id="the same of an adapter that has claims of its own",
        ),
        pytest.param(
            OCOREN + "[{kind: folder, path: edi, setle_seconds: 3}]\n",
            ["7: carriers.0.files.0.setle_seconds: unknown key (did you mean settle_seconds?)"],
            id="a place of files",
        ),
        pytest.param(
            OCOREN + "[{kind: folder, folder: edi}]\n",
            [
                "7: carriers.0.files.0.path: is required (add it)",
                "7: carriers.0.files.0.folder: unknown key (known here: kind, path, settle_seconds)",
            ],
            id="a key of another kind of place, by the name of this one",
        ),
        pytest.param(
            OCOREN + '[{kind: folder, path: edi}]\n    codes: {"01": {status: lost, cuase: loss}}\n',
            ["8: carriers.0.codes.01.cuase: unknown key (did you mean cause?)"],
            id="a code's meaning",
        ),
        pytest.param(
            FRENET + '[{code: "03220", numbers: "[A-Z]{2}[0-9]{9}BR", numbrs: x}]\n',
            ["8: carriers.0.services.0.numbrs: unknown key (did you mean numbers?)"],
            id="an adapter's own list, which is not called empty for it",
        ),
    ],
)
def test_the_very_key_is_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert faults(tmp_path, text) == expected


def test_an_empty_list_of_an_adapter_is_still_too_short(tmp_path: Path) -> None:
    assert faults(tmp_path, FRENET + "[]\n") == ["8: carriers.0.services: has too few entries (at least 1)"]

"""`carriers[].codes`: known words only, one code a line, and a word where a line would do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from carriers.base import Cause, CodeWord, TrackingStatus, code_word
from carriers.codes import normal
from carriers.correios import Correios
from tests.config.support import Veloz, write
from tracker.config import LoadedConfig, load_config
from tracker.config.accounts import carrier_digest
from tracker.errors import ConfigFileError

BASE = """\
shops:
  - id: aurora
    name: Loja Aurora
    email: {from: "Loja Aurora <sac@aurora.example>"}
carriers:
  - id: correios
    user: "12345678000195"
    access_code: segredo-muito-secreto
    posting_card: "0067599079"
    claims: {mode: "off"}
"""


def load(folder: Path, codes: str = "") -> LoadedConfig:
    text = BASE + (f"    codes: {codes}\n" if codes else "")
    return load_config(write(folder, text), {}, strict_credentials=True, adapters={"correios": Correios})


def test_a_word_or_a_block(tmp_path: Path) -> None:
    loaded = load(tmp_path, '{"off-01": in_transit, "BDE-77": {status: customs, cause: customs_hold}}')
    codes = loaded.settings.carriers[0].codes
    assert (codes["OFF-01"].status, codes["OFF-01"].cause) == (TrackingStatus.IN_TRANSIT, None)
    assert (codes["BDE-77"].status, codes["BDE-77"].cause) == (TrackingStatus.CUSTOMS, Cause.CUSTOMS_HOLD)
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        pytest.param('{"OFF-01": in_transito}', "is no status (did you mean in_transit?)", id="a word that is none"),
        pytest.param('{"OFF-01": unknown}', "is no status", id="unknown is what it is already"),
        pytest.param('{"OFF-01": {status: lost, cause: gone}}', "is no cause", id="a cause that is none"),
        pytest.param('{"OFF-01": {cause: loss}}', "status: is required", id="a cause alone"),
        pytest.param('{"OFF-01": {status: lost, why: x}}', "unknown key", id="another key"),
        pytest.param('{"BD*": delivered}', "must be one code, whole", id="a beginning may hide a loss"),
        pytest.param("[in_transit]", "must be a block of keys", id="a list"),
    ],
)
def test_faults(tmp_path: Path, codes: str, says: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        load(tmp_path, codes)
    assert says in str(caught.value.faults[0])


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("BDE-01", "stands in place of the adapter's own reading (delivered)", id="known already"),
        pytest.param("BDE-1", "cannot be a code of this carrier", id="events show two digits"),
        pytest.param("OFF", "cannot be a code of this carrier", id="half a code"),
        pytest.param("OFF-02", None, id="a code nobody knows"),
    ],
)
def test_lines_that_do_nothing_or_overrule_are_told_of(tmp_path: Path, code: str, says: str | None) -> None:
    warnings = [str(fault) for fault in load(tmp_path, f'{{"{code}": lost}}').warnings]
    if says is None:
        assert warnings == []
    else:
        assert says in warnings[0]


def test_a_code_that_is_a_text_is_written_as_people_write(tmp_path: Path) -> None:
    codes = (
        load(tmp_path, '{"  Mercadoria  extraviada na transferência": {status: lost, cause: loss}}')
        .settings.carriers[0]
        .codes
    )
    assert list(codes) == ["MERCADORIA EXTRAVIADA NA TRANSFERENCIA"]
    assert list(codes) == [normal("  Mercadoria  extraviada na transferência")]  # what adapters write


def test_an_adapter_that_cannot_be_asked_leaves_every_code_open() -> None:
    older: type = Veloz
    assert code_word(older, "X-1") is CodeWord.UNKNOWN


def test_a_mapping_makes_no_account_another(tmp_path: Path) -> None:
    """A refused credential is not tried again because a code was mapped."""
    plain, mapped = (load(tmp_path, codes).settings.carriers[0] for codes in ("", '{"OFF-01": lost}'))
    assert carrier_digest(plain) == carrier_digest(mapped)

"""`carriers[].files`: where a carrier's files come to, each fault in its sentence; and what customers call a carrier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from carriers.ocoren import Ocoren
from carriers.total_express import TotalExpress
from tests.config.support import write
from tracker.config import LoadedConfig, load_config
from tracker.config.accounts import carrier_digest
from tracker.config.feeds import FolderFiles, MailFiles, SftpFiles
from tracker.config.load import trial_clock_faults
from tracker.errors import ConfigFileError

BASE = """\
shops:
  - id: aurora
    name: Loja Aurora
    email: {from: "Loja Aurora <sac@aurora.example>"}
intake:
  - {kind: folder, path: inbox}
carriers:
"""
FOLDER = "{kind: folder, path: edi}"
SFTP = "{kind: sftp, host: sftp.estrada.example, user: loja, password: segredo-bem-longo, host_key: ssh-ed25519 AAAA}"
MAIL = "{kind: imap, host: imap.aurora.example, user: edi, password: segredo-bem-longo, from: '@estrada.example'}"
ADAPTERS: Any = {"ocoren": Ocoren, "total_express": TotalExpress}


def account(*files: str, name: str = "estrada", more: str = "") -> str:
    return f"  - {{id: {name}, adapter: ocoren, {more}files: [{', '.join(files)}]}}\n"


def load(folder: Path, *accounts: str) -> LoadedConfig:
    text = BASE + "".join(accounts)
    return load_config(write(folder, text), {}, strict_credentials=True, adapters=ADAPTERS)


def test_a_carrier_s_files_may_come_to_several_places(tmp_path: Path) -> None:
    known = SFTP.replace("host_key: ssh-ed25519 AAAA", "known_hosts: known_hosts, after: remove")
    folder, sftp, mail = load(tmp_path, account(FOLDER, known, MAIL)).settings.carriers[0].files
    assert isinstance(folder, FolderFiles)
    assert (folder.path, folder.settle_seconds) == (tmp_path / "edi", 5)
    assert isinstance(sftp, SftpFiles)
    assert (sftp.port, sftp.after, sftp.known_hosts) == (22, "remove", tmp_path / "known_hosts")
    assert isinstance(mail, MailFiles)
    assert (mail.security, mail.port, mail.folder, mail.from_) == ("tls", 993, "INBOX", "@estrada.example")
    assert "segredo" not in repr((sftp, mail)) + sftp.shown + mail.shown


@pytest.mark.parametrize(
    ("files", "key", "says"),
    [
        pytest.param("{kind: ftp, host: x}", "files.0", "ftp", id="a place of no kind we know"),
        pytest.param("{kind: folder}", "files.0.path", "is required", id="a folder without its path"),
        pytest.param("{kind: folder, path: edi, pasta: x}", "pasta", "unknown key", id="an unknown key"),
        pytest.param(
            SFTP.replace("password: segredo-bem-longo, ", ""), "files.0", "needs password or key", id="no way in"
        ),
        pytest.param(SFTP.replace(", host_key: ssh-ed25519 AAAA", ""), "files.0", "needs host_key or", id="no proof"),
        pytest.param(SFTP.replace("ssh-ed25519 AAAA", "AAAA"), "host_key", "is no public key", id="half a key"),
        pytest.param(SFTP.replace("}", ", after: delete}"), "after", "keep", id="another way to put away"),
        pytest.param(MAIL.replace("}", ", security: none}"), "security", "may be none only", id="clear text to others"),
        pytest.param("{kind: folder, path: inbox/edi}", "files.0.path", "lies in or around", id="the shop's own inbox"),
    ],
)
def test_each_fault_has_its_sentence(tmp_path: Path, files: str, key: str, says: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        load(tmp_path, account(files))
    fault = str(caught.value.faults[0])
    assert key in fault
    assert says in fault
    assert "segredo" not in fault


def test_a_carrier_of_files_without_a_place_is_warned_of_and_another_s_place_too(tmp_path: Path) -> None:
    total = "  - {id: total, adapter: total_express, user: a, password: b, files: [{kind: folder, path: x}]}\n"
    loaded = load(tmp_path, "  - {id: estrada, adapter: ocoren}\n", total)
    first, second = (str(warning) for warning in loaded.warnings)
    assert "sends files, and there is no place where they come to" in first
    assert "does nothing: this carrier sends no files" in second


def test_two_carriers_of_files_are_two_accounts_unless_they_share_their_place(tmp_path: Path) -> None:
    other = FOLDER.replace("edi", "edi-serra")
    assert len(load(tmp_path, account(FOLDER), account(other, name="serra")).settings.carriers) == 2
    with pytest.raises(ConfigFileError, match=r"lies in or around|is the same account"):
        load(tmp_path, account(FOLDER), account(FOLDER, name="serra"))


def test_a_new_password_is_tried_at_once(tmp_path: Path) -> None:
    before, after = (
        carrier_digest(load(tmp_path, account(SFTP.replace("segredo-bem-longo", word))).settings.carriers[0])
        for word in ("segredo-bem-longo", "outro-segredo-longo")
    )
    assert before != after


def test_a_trial_clock_is_refused_where_files_come_from_outside(tmp_path: Path) -> None:
    faults = trial_clock_faults(load(tmp_path, account(FOLDER, SFTP)).settings)
    assert faults == ["carrier estrada files: sftp.estrada.example"]


def test_customers_know_a_carrier_by_its_title(tmp_path: Path) -> None:
    named, unnamed = load(
        tmp_path, account(FOLDER, more="title: Transportadora Estrada, "), account(MAIL, name="serra")
    ).settings.carriers
    assert (named.known_as("x"), unnamed.known_as("x")) == ("Transportadora Estrada", "x")

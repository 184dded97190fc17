"""A real Dovecot on loopback, an ordinary process with a configuration of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.messages.smtp_servers import Certificate

USER, PASSWORD = "devolucoes@aurora.example", "senha da caixa"
PATIENCE_S = 15.0
_NUMBERS = count(1_000_000)
"""Arrivals in their order: Dovecot numbers new mails by the names of their files."""
CONFIG = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/certificate.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
mail_location = maildir:{root}/Maildir
mailbox_list_index = no
passdb {{
  driver = passwd-file
  args = {root}/passwd
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}
}}
first_valid_uid = 1
auth_failure_delay = 0
"""


@dataclass(frozen=True)
class ImapServer:
    """The server, its one mailbox, and how to put a mail there or look at it from the disk."""

    root: Path
    port: int
    tls_port: int
    certificate: Certificate

    def put(self, raw: bytes, *, folder: str = "", at: float | None = None) -> None:
        """A mail that has just arrived (or at that moment, in seconds since 1970)."""
        box = self.root / "Maildir" / (f".{folder}" if folder else "")
        path = box / "tmp" / f"{int(time.time())}.M{next(_NUMBERS)}P1.test"
        path.write_bytes(raw)
        if at is not None:
            os.utime(path, (at, at))
        path.chmod(0o644)
        path.rename(box / "new" / path.name)

    def mails(self, folder: str = "") -> list[tuple[str, bytes]]:
        """(flags, content) of every mail in a folder."""
        box = self.root / "Maildir" / (f".{folder}" if folder else "")
        found = [path for part in ("new", "cur") for path in (box / part).iterdir()]
        return sorted((path.name.partition(":2,")[2], path.read_bytes()) for path in found)


@contextmanager
def dovecot() -> Iterator[ImapServer]:
    """Start one, and end it. Skips the test where there is no Dovecot; with CI set that is a failure."""
    program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no dovecot for the tests: CI must not skip them (apt-get install dovecot-imapd)")
        pytest.skip("no dovecot on this machine (Debian: apt-get install dovecot-imapd)")
    # Not below pytest's own folder, which nobody but its owner may enter: as root the server runs as somebody else.
    root = Path(tempfile.mkdtemp(prefix="dovecot-"))
    process: subprocess.Popen[bytes] | None = None
    try:
        owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        server = _prepared(root, owner)
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        command = [program, "-F", "-c", str(root / "dovecot.conf")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **identity)  # type: ignore[call-overload]
        _wait_for(server.port, process, root)
        yield server
    finally:
        if process is not None:
            process.terminate()
            process.wait(PATIENCE_S)
        shutil.rmtree(root, ignore_errors=True)


def _prepared(root: Path, owner: pwd.struct_passwd) -> ImapServer:
    import grp

    certificate = Certificate.made_in(root)
    port, tls_port = _free_ports(2)
    values = {"root": root, "port": port, "tls_port": tls_port, "uid": owner.pw_uid, "gid": owner.pw_gid}
    names = {"user": owner.pw_name, "group": grp.getgrgid(owner.pw_gid).gr_name}
    (root / "dovecot.conf").write_text(CONFIG.format(**values, **names), encoding="utf-8")
    (root / "passwd").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n", encoding="utf-8")
    for folder in (
        "run",
        "state",
        *(f"Maildir/{box}{part}" for box in ("", ".Lidos/") for part in ("new", "cur", "tmp")),
    ):
        (root / folder).mkdir(parents=True)
    for path in (root, *root.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    root.chmod(0o755)
    return ImapServer(root, port, tls_port, certificate)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for(port: int, process: subprocess.Popen[bytes], root: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
        time.sleep(0.02)
    log = root / "log"
    pytest.fail(f"dovecot did not start: {log.read_text(encoding='utf-8') if log.exists() else 'it left no log'}")

"""Files on an SFTP server: a real one on loopback, over a real connection."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import pytest

from carriers.ocoren import MAX_BYTES
from tests.polling.feed_support import looked, ocoren, reader, taken, visit
from tracker.polling.feed_places import PlaceError
from tracker.polling.feed_sftp import FeedSftp, SftpAccount
from tracker.store.database import Database

USER, PASSWORD = "loja", "senha do sftp"
HOST_KEY, OTHER_KEY, USER_KEY = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


class _Door(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key.public_data == USER_KEY.public_data


@dataclass
class Server:
    """The server's folder, and how to get in."""

    folder: Path
    account: SftpAccount

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@asynccontextmanager
async def serving(root: Path) -> AsyncIterator[Server]:
    folder = root / "saida"
    folder.mkdir(parents=True)

    def files(channel: asyncssh.SSHServerChannel) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(root).encode())

    server = await asyncssh.create_server(_Door, "127.0.0.1", 0, server_host_keys=[HOST_KEY], sftp_factory=files)
    account = SftpAccount(
        "127.0.0.1", server.get_port(), USER, PASSWORD, host_key=public(HOST_KEY), path="saida", timeout_s=10
    )
    try:
        yield Server(folder, account)
    finally:
        server.close()
        await server.wait_closed()


def place(server: Server, database: Database, **changes: object) -> FeedSftp:
    async def at_once(_seconds: float) -> None:
        return None

    made = FeedSftp(server.account, looked(database), MAX_BYTES, sleep=at_once)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_files_are_taken_once_and_stay(database: Database, tmp_path: Path) -> None:
    async with serving(tmp_path / "sftp") as server:
        (server.folder / "a.txt").write_bytes(ocoren(1))
        (server.folder / "b.txt").write_bytes(ocoren(2))
        (server.folder / "nota.pdf").write_bytes(b"%PDF")
        (server.folder / "c.txt.filepart").write_bytes(ocoren(3))
        (server.folder / "pasta").mkdir()
        files, here = reader(database), place(server, database)
        assert await visit(here, files) == 2
        assert await visit(here, files) == 0
        (server.folder / "a.txt").write_bytes(ocoren(1) + ocoren(4))
        assert await visit(here, files) == 1
        assert taken(database) == [("a.txt", "read"), ("b.txt", "read"), ("a.txt", "read")]
        assert server.names() == {"a.txt", "b.txt", "nota.pdf", "c.txt.filepart", "pasta"}


@pytest.mark.anyio
async def test_a_name_in_an_old_encoding_is_no_obstacle(database: Database, tmp_path: Path) -> None:
    async with serving(tmp_path / "sftp") as server:
        (server.folder / os.fsdecode(b"ocorr\xeancia.txt")).write_bytes(ocoren(1))
        here = place(server, database, removes=True)
        assert await visit(here, reader(database)) == 1
        assert taken(database) == [("ocorr\ufffdncia.txt", "read")]
        assert server.names() == set()


@pytest.mark.anyio
async def test_files_are_removed_where_that_is_asked_for_and_never_unread(database: Database, tmp_path: Path) -> None:
    async with serving(tmp_path / "sftp") as server:
        (server.folder / "a.txt").write_bytes(ocoren(1))
        (server.folder / "copia.txt").write_bytes(ocoren(1))
        (server.folder / "grande.txt").write_bytes(ocoren(2) + b" " * 200)
        (server.folder / "nota.pdf").write_bytes(b"%PDF")
        here = place(server, database, removes=True, max_bytes=300)
        await visit(here, reader(database))
        assert server.names() <= {"grande.txt", "nota.pdf"}
        assert "nota.pdf" in server.names()
        assert ("a.txt", "read") in taken(database)


@pytest.mark.anyio
async def test_a_file_that_grows_is_left_for_the_next_visit(database: Database, tmp_path: Path) -> None:
    async with serving(tmp_path / "sftp") as server:
        path = server.folder / "a.txt"
        path.write_bytes(ocoren(1)[:60])

        async def meanwhile(_seconds: float) -> None:
            path.write_bytes(ocoren(1))

        assert await visit(place(server, database, sleep=meanwhile), reader(database)) == 0
        assert await visit(place(server, database), reader(database)) == 1


@pytest.mark.anyio
async def test_a_private_key_and_a_file_of_known_hosts_open_it_too(database: Database, tmp_path: Path) -> None:
    async with serving(tmp_path / "sftp") as server:
        (server.folder / "a.txt").write_bytes(ocoren(1))
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{server.account.port} {public(HOST_KEY)}\n")
        key = USER_KEY.export_private_key().decode().rstrip("\n")
        account = replace(server.account, password=None, key=key, host_key=None, known_hosts=known)
        assert await visit(place(server, database, account=account), reader(database)) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "reason", "is_refusal"),
    [
        pytest.param(
            {"host_key": public(OTHER_KEY)}, "host key is not the one that is known", True, id="another server"
        ),
        pytest.param({"password": "outra"}, "refused the login", True, id="a wrong password"),
        pytest.param({"path": "entrada"}, "there is no folder entrada", False, id="no such folder"),
        pytest.param({"host_key": "ssh-ed25519 nada"}, "cannot be read", True, id="a key that is none"),
        pytest.param({"port": 1}, "cannot be reached", False, id="nobody there"),
    ],
)
async def test_what_goes_wrong_is_said_in_a_sentence(
    sqlite_url: str, tmp_path: Path, change: dict[str, object], reason: str, is_refusal: bool
) -> None:
    from tests.support.schema import prepare

    prepare(sqlite_url)
    database = Database(sqlite_url)
    async with serving(tmp_path / "sftp") as server:
        here = place(server, database, account=replace(server.account, **change))  # type: ignore[arg-type]
        with pytest.raises(PlaceError, match=reason) as caught:
            await visit(here, reader(database))
        assert caught.value.is_refusal is is_refusal
        assert PASSWORD not in str(caught.value)
    database.close()


@pytest.mark.anyio
async def test_a_server_that_is_not_known_is_never_trusted(database: Database, tmp_path: Path) -> None:
    async with serving(tmp_path / "sftp") as server:
        nobody = tmp_path / "known_hosts"
        nobody.write_text("")
        account = replace(server.account, host_key=None, known_hosts=nobody)
        with pytest.raises(PlaceError, match="host key"):
            await visit(place(server, database, account=account), reader(database))

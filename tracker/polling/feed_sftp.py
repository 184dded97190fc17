"""A folder on an SFTP server that a carrier writes its files to, or from which it hands them out.

The server must prove itself by a key that is known beforehand: whoever stood in its place could send any news of any parcel.
Nothing of the user's own SSH configuration is read. A file is taken when it has not grown within the settle time; on the server
it stays (and is remembered), or is removed once it is kept here.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tracker.polling.feed_files import Fate
from tracker.polling.feed_places import Looked, PlaceError, Take, is_unfinished, readable

if TYPE_CHECKING:
    from asyncssh import SFTPClient

MAX_ENTRIES: Final = 100_000
FILE_LIMIT_S: Final = 600.0
"""For one file: a server that drips bytes must not hold the lane for ever."""


@dataclass(frozen=True, slots=True)
class SftpAccount:
    """Which server, how it proves itself, and how we do: one of `password` and `key`, one of `host_key` and `known_hosts`."""

    host: str
    port: int
    user: str
    password: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    host_key: str | None = None
    known_hosts: Path | None = None
    path: str = "."
    timeout_s: float = 30.0

    @property
    def shown(self) -> str:
        """For logs, alerts and rows."""
        return f"sftp {self.host}:{self.port}/{self.path}"


@dataclass(frozen=True)
class FeedSftp:
    """Such a folder."""

    account: SftpAccount
    looked: Looked
    max_bytes: int
    removes: bool = False
    settle_s: float = 5.0
    stopping: Callable[[], bool] = lambda: False
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @property
    def shown(self) -> str:
        """See `Place`."""
        return self.account.shown

    async def visit(self, take: Take, now: datetime) -> int:
        """See `Place`."""
        async with _connected(self.account) as sftp:
            return await self._visit(sftp, take, now)

    async def _visit(self, sftp: SFTPClient, take: Take, now: datetime) -> int:
        marks = await self.looked.marks()
        there = await _listed(sftp, self.account)
        await self.looked.forget(set(marks) - set(map(readable, there)))
        new = {name: mark for name, mark in there.items() if marks.get(readable(name)) != mark}
        if not new:
            return 0
        await self.sleep(self.settle_s)
        later = await _listed(sftp, self.account)
        count = 0
        for name in sorted(name for name, mark in new.items() if later.get(name) == mark):
            if self.stopping():
                break
            payload = await self._read(sftp, name)
            taken = await take(readable(name), payload)
            if taken.fate is Fate.PUT_DOWN:
                break
            if taken.fate is Fate.FOREIGN:
                self.looked.leave_alone(readable(name), taken)
            else:
                count += 1
            if self.removes and taken.fate in (Fate.READ, Fate.DUPLICATE):
                async with asyncio.timeout(self.account.timeout_s):
                    await sftp.remove(_within(self.account, name))
            else:
                # What could not be read is left to its sender, whatever was asked for.
                await self.looked.save(readable(name), new[name], now)
        return count

    async def _read(self, sftp: SFTPClient, name: str) -> bytes:
        async with (
            asyncio.timeout(self.account.timeout_s + FILE_LIMIT_S),
            sftp.open(_within(self.account, name), "rb") as file,
        ):
            payload: bytes = await file.read(self.max_bytes + 1)
        return payload


def _within(account: SftpAccount, name: str) -> bytes:
    """A file's path on the server, in the server's own bytes."""
    return posixpath.join(os.fsencode(account.path), os.fsencode(name))


async def count_files(account: SftpAccount) -> int:
    """Log in and look: how many files lie there. Raises PlaceError."""
    async with _connected(account) as sftp:
        return len(await _listed(sftp, account))


async def _listed(sftp: SFTPClient, account: SftpAccount) -> dict[str, str]:
    """Every file that may be one of ours, with what changes when it is another; names as `os.fsdecode` writes them."""
    found: dict[str, str] = {}
    async with asyncio.timeout(account.timeout_s):
        async for entry in sftp.scandir(os.fsencode(account.path)):
            # Asked for in bytes: names on old servers are in no encoding that anybody has written down.
            name, about = os.fsdecode(entry.filename), entry.attrs
            if is_unfinished(name) or not stat.S_ISREG(about.permissions or stat.S_IFREG):
                continue
            found[name] = f"{about.size}:{about.mtime}"
            if len(found) > MAX_ENTRIES:
                raise PlaceError(f"more than {MAX_ENTRIES} files lie there: have the old ones taken away")
    return found


@asynccontextmanager
async def _connected(account: SftpAccount) -> AsyncIterator[SFTPClient]:
    """An open session. Raises PlaceError for whatever goes wrong with the server, then or later."""
    import asyncssh  # costs a third of a second, and most shops have no such place

    try:
        async with asyncio.timeout(account.timeout_s):
            connection = await asyncssh.connect(account.host, account.port, **_proofs(account))
    except asyncssh.HostKeyNotVerifiable as exc:
        said = "its host key is not the one that is known: ask whoever runs it, somebody may stand in its place"
        raise PlaceError(said, is_refusal=True) from exc
    except asyncssh.PermissionDenied as exc:
        raise PlaceError("it refused the login: are user, and password or key, right?", is_refusal=True) from exc
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as exc:
        raise PlaceError(f"a key of the configuration cannot be read ({type(exc).__name__})", is_refusal=True) from exc
    except TimeoutError as exc:
        raise PlaceError("no answer in time: is the port right, is a firewall in between?") from exc
    except (asyncssh.Error, OSError) as exc:
        raise PlaceError(f"it cannot be reached ({_cause(exc)}): are host and port right?") from exc
    try:
        async with connection, connection.start_sftp_client() as sftp:
            yield sftp
    except asyncssh.SFTPNoSuchFile as exc:
        raise PlaceError(f"there is no folder {account.path}, or a file is gone") from exc
    except asyncssh.SFTPPermissionDenied as exc:
        raise PlaceError(f"{account.path} or a file in it may not be read or removed") from exc
    except (asyncssh.Error, OSError) as exc:
        raise PlaceError(f"the connection broke off ({_cause(exc)})") from exc


def _proofs(account: SftpAccount) -> dict[str, Any]:
    import asyncssh

    known: Any = str(account.known_hosts)
    if account.host_key is not None:
        known = ([asyncssh.import_public_key(account.host_key)], [], [])
    return {
        "username": account.user,
        "password": account.password,
        "client_keys": [asyncssh.import_private_key(account.key)] if account.key is not None else None,
        "known_hosts": known,
        # Nothing of the account that this program runs under.
        "config": None,
        "agent_path": None,
        "login_timeout": account.timeout_s,
        "keepalive_interval": account.timeout_s,
    }


def _cause(fault: Exception) -> str:
    reason = getattr(fault, "strerror", None) or getattr(fault, "reason", None)
    return f"{type(fault).__name__}{f': {reason}' if reason else ''}"

"""A process that wants an account's token: `python -m tests.polling.minter URL FOLDER NAME NOW`.

It prints the token it got, or `busy`. Where it has to mint one, it leaves `minted-NAME` and waits for the file `go`.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

from carriers.base import Token, TransientCarrierError
from tracker.clock import FrozenClock
from tracker.polling.tokens import StoredTokens
from tracker.store.database import Database


async def main(url: str, folder: Path, name: str, now: datetime) -> None:
    async def mint() -> Token:
        (folder / f"minted-{name}").touch()
        for _ in range(1000):
            if (folder / "go").exists():
                break
            await asyncio.sleep(0.02)
        return Token(f"token-{name}", now + timedelta(hours=24), now + timedelta(hours=23, minutes=30))

    database = Database(url)
    try:
        got = (await StoredTokens(database, "correios", FrozenClock(now)).get(mint)).value
    except TransientCarrierError:
        got = "busy"
    finally:
        database.close()
    sys.stdout.write(got)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], datetime.fromisoformat(sys.argv[4])))

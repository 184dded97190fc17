"""A program that keeps what comes to the account's hook and is killed before it answers: `... URL NOW`. Prints its port."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import datetime

from tests.polling.pushes import desk
from tracker.polling.hook_desk import HookReply
from tracker.store.database import Database
from tracker.web import public
from tracker.web.public import PublicPages
from tracker.web.server import Listener


async def main(url: str, now: datetime) -> None:
    at_the_door = desk(Database(url), now)

    async def receive(*request: object) -> HookReply | None:
        reply = await at_the_door.receive(*request)  # type: ignore[arg-type]
        if reply is not None and reply.status == 200 and request[1] == "POST":
            os.kill(os.getpid(), signal.SIGKILL)
        return reply

    listener = Listener(public.KEY, "127.0.0.1:0", public.LIMITS)
    listener.serve(PublicPages(has_hook=lambda _account: True, receive=receive), lambda _why: None)
    sys.stdout.write(f"{listener.port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2])))

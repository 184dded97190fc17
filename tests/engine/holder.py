"""A program that holds the engine's lock of the database in its first argument until its standard input ends."""

from __future__ import annotations

import sys

from tracker.engine.lock import EngineLock

if __name__ == "__main__":
    with EngineLock(sys.argv[1]):
        sys.stdout.write("locked\n")
        sys.stdout.flush()
        sys.stdin.read()

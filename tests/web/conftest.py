"""The trial of the whole program and its daemon, for the listener of a real process."""

from tests.end_to_end.daemon import run as run
from tests.end_to_end.support import start as start

"""The trial of the whole program and its daemon, for a Prometheus that scrapes it."""

from tests.end_to_end.daemon import run as run
from tests.end_to_end.support import start as start

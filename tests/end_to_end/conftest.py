"""The trial of the whole program, for tests of this stage on real databases."""

from tests.alerts.conftest import receiver as receiver
from tests.end_to_end.daemon import run as run
from tests.end_to_end.flecha import flecha as flecha
from tests.end_to_end.support import start as start

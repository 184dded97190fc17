"""The trial of the whole program, for tests of this stage on real databases, and a receiver."""

from collections.abc import Iterator

import pytest

from tests.alerts.support import Receiver, receiving
from tests.end_to_end.support import start as start


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made

from tests.end_to_end.support import start

__all__ = ["start"]

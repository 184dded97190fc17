"""Conformance kit: proves that an adapter keeps what `carriers.base` promises, without a network.

An adapter's author writes a `Kit`: how this carrier's answers look on the wire. The kit then plays the carrier, well and badly,
and checks what the adapter makes of it. From the command line `tracker carriers check NAME`, from a test::

    from carriers.testing import check
    report = await check(MyAdapter, MY_KIT)
    assert not report.failed, str(report)
"""

from carriers.testing.kit import Codes, Kit, Meaning, Push, Question, Reply, Told, json_reply, kit_of
from carriers.testing.report import Report, Result, check

__all__ = [
    "Codes",
    "Kit",
    "Meaning",
    "Push",
    "Question",
    "Reply",
    "Report",
    "Result",
    "Told",
    "check",
    "json_reply",
    "kit_of",
]

"""`tracker carriers check`: what it prints, and how it ends."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from carriers.base import CarrierConfigError, PermanentCarrierError
from carriers.correios.tracking import CorreiosTracking
from tests.cli.conftest import commands


def tracker(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(commands(), list(words))
    return result.exit_code, result.stdout, result.stderr


def test_a_whole_adapter_passes() -> None:
    code, told, _ = tracker("carriers", "check", "correios")

    assert code == 0
    assert told.splitlines()[-1] == "correios: 37 of 37 checks passed, 11 do not apply"
    assert "ok    A number that the carrier does not know is NOT_FOUND, not an error." in told


def test_a_fault_is_named_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = CorreiosTracking.track

    async def track(self: CorreiosTracking, refs: object) -> object:
        try:
            return await inner(self, refs)  # type: ignore[arg-type]
        except CarrierConfigError as exc:
            raise PermanentCarrierError("correios", "hidden") from exc

    monkeypatch.setattr(CorreiosTracking, "track", track)

    code, told, _ = tracker("carriers", "check", "correios", "--json")

    assert code == 1
    document = json.loads(told)
    failed = {one["name"]: one["fault"] for one in document["checks"] if one["state"] == "failed"}
    assert failed["a_refused_credential_stops"].startswith("PermanentCarrierError instead of CarrierConfigError")
    assert document["failed"] == len(failed)


def test_a_name_that_is_none_ends_with_2() -> None:
    code, _, said = tracker("carriers", "check", "correio")

    assert code == 2
    assert said.splitlines() == [said.strip()] and "there is no adapter 'correio'" in said

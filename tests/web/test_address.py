from __future__ import annotations

import pytest

from tracker.web.address import host_and_port, names_this_machine

HOSTS = {"loja", "tracker.interno"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:9", ("::1", 9)),
        ("localhost:8080", ("localhost", 8080)),
    ],
)
def test_a_listener_s_host_and_port(written: str, meant: tuple[str, int]) -> None:
    assert host_and_port(written) == meant


@pytest.mark.parametrize(
    ("header", "means_us"),
    [
        pytest.param("127.0.0.1:8080", True, id="an address"),
        pytest.param("[::1]:8080", True, id="an address of six"),
        pytest.param("10.0.0.7", True, id="an address without a port"),
        pytest.param("LOCALHOST:8080", True, id="localhost in capitals"),
        pytest.param("loja", True, id="the machine's name"),
        pytest.param("loja.exemplo.com.br:8080", True, id="the machine's full name"),
        pytest.param("tracker.interno", True, id="the name in the configuration"),
        pytest.param("rebind.example", False, id="somebody else's name"),
        pytest.param("lojas.example", False, id="a name that begins alike"),
        pytest.param("127.0.0.1.rebind.example", False, id="a name that looks like an address"),
        pytest.param("localhost.rebind.example", False, id="a name that begins with localhost"),
        pytest.param("", False, id="an empty one"),
        pytest.param(None, True, id="none, as probes over HTTP/1.0"),
    ],
)
def test_only_this_machine_s_names_are_taken(header: str | None, means_us: bool) -> None:
    assert names_this_machine(header, HOSTS) is means_us

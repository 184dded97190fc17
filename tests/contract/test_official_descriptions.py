"""Requests of the adapters whose carriers publish a description, held against it.

The short form reads the description itself: path, method, required and known parameters. `make contract` lets Prism, a mock
server driven by the description, judge the same requests and answer them with its examples (needs Node.js 18.20 and npm).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from carriers.base import Adapter, AdapterContext, CarrierConfigError, CarrierError, TrackingAdapter
from carriers.dhl import Dhl
from carriers.http import CarrierHttp
from carriers.testing.stage import NOW, Tokens
from carriers.ups import Ups

SPECS = Path(__file__).parents[1] / "data" / "specs"
PRISM = "@stoplight/prism-cli@5.14.2"
STARTS_WITHIN_S = 180
"""npm fetches Prism the first time."""

DHL = (Dhl, {"api_key": "chave", "service": "express"}, "7777777770")
UPS = (Ups, {"client_id": "id", "client_secret": "segredo"}, "1Z0000000000000001")

Described = tuple[str, str, str]
"""A description's file, the prefix of the paths that belong to it, and what of it the description leaves out."""
DHL_SPECS: tuple[Described, ...] = (("dhl.yaml", "/track", "/track"),)
UPS_SPECS: tuple[Described, ...] = (("ups-oauth.yaml", "/security", ""), ("ups.yaml", "/api/track", "/api"))


class Recording(httpx.AsyncBaseTransport):
    """Keeps every request; answers a token call with a token and everything else with 404."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        if "token" in request.url.path:
            return httpx.Response(200, json={"access_token": "ficha", "expires_in": "100"}, request=request)
        return httpx.Response(404, json={}, request=request)


class Routed(httpx.AsyncBaseTransport):
    """Sends each request to the mock server of its description."""

    def __init__(self, ports: Mapping[str, int], specs: tuple[Described, ...]) -> None:
        self._ports, self._specs = ports, specs
        self._inner = httpx.AsyncHTTPTransport()
        self.violations: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        spec, _, left_out = next(one for one in self._specs if request.url.path.startswith(one[1]))
        path = request.url.raw_path.decode().removeprefix(left_out)
        url = httpx.URL(f"http://127.0.0.1:{self._ports[spec]}{path}")
        headers = [(name, value) for name, value in request.headers.items() if name.lower() != "host"]
        answer = await self._inner.handle_async_request(
            httpx.Request(request.method, url, headers=headers, content=await request.aread())
        )
        body = await answer.aread()
        self.violations += [told for told in answer.headers.get_list("sl-violations") if '"request"' in told]
        return httpx.Response(answer.status_code, headers=answer.headers, content=body, request=request)


async def _ask(cls: type[Adapter], settings: dict[str, Any], number: str, transport: httpx.AsyncBaseTransport) -> None:
    """One look, whatever comes of it: what the description's examples say is not this parcel's."""

    async def sleep(seconds: float) -> None:
        """No trial waits."""

    http = CarrierHttp("conta", cls.BASE_URL, requests_per_second=1e6, sleep=sleep, transport=transport)
    adapter = cls(cls.Settings.model_validate(settings), AdapterContext("conta", http, Tokens(), lambda: NOW))
    assert isinstance(adapter.tracking, TrackingAdapter)
    ref = adapter.tracking.normalise(number)
    assert ref is not None
    try:
        await adapter.tracking.track([ref])
    except (CarrierError, CarrierConfigError):
        pass
    finally:
        await http.aclose()


# --- the short form -------------------------------------------------------------------------------


def _operation(request: httpx.Request, specs: tuple[Described, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The description that a request falls under, and its operation."""
    for name, prefix, left_out in specs:
        if not request.url.path.startswith(prefix):
            continue
        spec = yaml.safe_load((SPECS / name).read_text("utf-8"))
        path = request.url.path.removeprefix(left_out)
        for template, operations in spec["paths"].items():
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
                return spec, operations[request.method.lower()]
    raise AssertionError(f"no description has {request.method} {request.url.path}")


def _parameters(spec: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for parameter in operation.get("parameters", []):
        reference = parameter.get("$ref", "").rpartition("/")[2]
        yield spec["components"]["parameters"][reference] if reference else parameter


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("account", "specs"), [pytest.param(DHL, DHL_SPECS, id="dhl"), pytest.param(UPS, UPS_SPECS, id="ups")]
)
async def test_requests_are_as_described(account: Any, specs: tuple[Described, ...]) -> None:
    transport = Recording()

    await _ask(*account, transport)

    assert len(transport.requests) == len(specs)
    for request in transport.requests:
        spec, operation = _operation(request, specs)
        known = {(one["in"], one["name"].lower()): one for one in _parameters(spec, operation)}
        for (place, name), parameter in known.items():
            if parameter.get("required") and place != "path":
                sent = request.url.params if place == "query" else request.headers
                assert name in {key.lower() for key in sent}, f"{request.url.path} lacks {name}"
        strangers = {key for key in request.url.params if ("query", key.lower()) not in known}
        assert not strangers, f"{request.url.path} has {strangers}, which the description does not know"
        for key, value in request.url.params.items():
            allowed = known["query", key.lower()].get("schema", {}).get("enum")
            assert allowed is None or value in allowed, f"{key}={value} is none of {allowed}"


# --- the long form --------------------------------------------------------------------------------


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def prism(name: str) -> Iterator[int]:
    """A mock server driven by a description, on a port of its own."""
    npx = shutil.which("npx")
    assert npx, "make contract needs Node.js and npm"
    port = _free_port()
    command = [npx, "--yes", PRISM, "mock", str(SPECS / name), "-p", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"Prism did not start for {name}") from None
                # A real process is waited for: there is nothing to be told by.
                time.sleep(0.2)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()


@pytest.mark.contract
@pytest.mark.skipif("CONTRACT" not in os.environ, reason="the long form: make contract")
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("account", "specs"), [pytest.param(DHL, DHL_SPECS, id="dhl"), pytest.param(UPS, UPS_SPECS, id="ups")]
)
async def test_a_mock_of_the_description_takes_the_requests(account: Any, specs: tuple[Described, ...]) -> None:
    with prism(specs[0][0]) as first, prism(specs[-1][0]) as last:
        routed = Routed({specs[0][0]: first, specs[-1][0]: last}, specs)
        await _ask(*account, routed)
        judged = await _without_its_key(first if len(specs) == 1 else last, account)

    assert not routed.violations, routed.violations
    assert judged >= 400, "the mock server takes whatever it is sent: it proves nothing"


async def _without_its_key(port: int, account: Any) -> int:
    """The status of a request that the description does not allow."""
    path = "/shipments" if account is DHL else "/track/v1/details/1Z0000000000000001"
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}{path}")).status_code

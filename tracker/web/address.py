"""Where a listener stands, and which names may be used to call it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection


def host_and_port(listener: str) -> tuple[str, int]:
    """`127.0.0.1:8080` or `[::1]:8080`, as the configuration has checked it."""
    host, _, port = listener.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def names_this_machine(host_header: str | None, hosts: Collection[str]) -> bool:
    """Whether a request's Host means us: an address, `localhost`, or one of *hosts* (lower case, also with a domain after it).

    A name that somebody else's DNS leads here is none of these; an address cannot be led anywhere. None, as simple probes
    send it over HTTP/1.0, never comes from a browser.
    """
    if host_header is None:
        return True
    name = _without_port(host_header.strip().lower())
    if not name:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or any(name == host or name.startswith(f"{host}.") for host in hosts if host)
    return True


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]

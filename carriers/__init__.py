"""Carrier adapters: everything that knows one carrier's accent, and nothing that knows the daemon.

`API_VERSION` is the version of the contract in `carriers.base`; an adapter names the one it was written for.
"""

API_VERSION = 1

"""How carriers prove who sent a push, and how we prove ourselves by digest: each comparison takes the same time for any input."""

from __future__ import annotations

import base64
import hashlib
import hmac


def same(given: str | None, expected: str) -> bool:
    """Whether a header's value is the expected one, in constant time; never true for a missing or an empty one."""
    if not given or not expected:
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def hmac_sha256_base64(secret: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def sha256_hex(*parts: bytes) -> str:
    """SHA-256 of the parts one after the other, in lower-case hexadecimal."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


def md5_base64(*parts: str) -> str:
    """Base64 of the sixteen raw bytes of MD5: asked for by carriers that know nothing better, never for secrets of ours."""
    return base64.b64encode(hashlib.md5("".join(parts).encode(), usedforsecurity=False).digest()).decode()


def md5_hex(*parts: str) -> str:
    """MD5 in lower-case hexadecimal; see `md5_base64`."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def basic(user: str, password: str) -> str:
    """The value of an `Authorization` header by HTTP Basic."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"

"""What hides secrets leaves what happened to a request: whatever its path ends in, and whatever form a secret is written in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.redact import redact
from tracker.redaction import redact_text

WORDS = ("token", "access_token", "refresh_token", "api_key", "secret", "senha", "password")
SCHEMES = ("authorization", "bearer", "basic")
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE"])
FOLDERS = st.sampled_from(["", "/oauth", "/v2/oauth2", "https://api.carrier.example/auth"])
OUTCOMES = st.sampled_from(
    [
        ": HTTP 401",
        ": HTTP 500, but the body is no JSON",
        ": HTTP 403: sem contrato",
        ": not sent (ConnectError)",
        ": no answer (ReadTimeout)",
        ": sent, but no answer came (ReadError)",
        " HTTP/1.1",
        ' HTTP/1.1" 200 OK',
        " HTTP/2 200",
    ]
)
SECRETS = st.from_regex(r"[A-Za-z][A-Za-z0-9_.~+/-]{5,28}[0-9]", fullmatch=True).filter(
    lambda text: "//" not in text and not text.upper().startswith("HTTP")
)


@pytest.mark.parametrize("hide", [redact_text, redact], ids=["logs", "carriers' words"])
@given(METHODS, FOLDERS, st.sampled_from([*WORDS, *SCHEMES]), OUTCOMES)
def test_what_became_of_a_request_stays_readable(
    hide: Callable[[str], str], method: str, folder: str, word: str, outcome: str
) -> None:
    line = f"{method} {folder}/{word}{outcome}"
    assert hide(line) == line


@given(SECRETS, st.sampled_from(WORDS), st.booleans())
def test_a_secret_is_hidden_in_every_form_it_is_written_in(secret: str, word: str, upper: bool) -> None:
    name = word.upper() if upper else word
    for line in (
        f"{name}={secret}",
        f"{name}: {secret}",
        f"{name} = {secret}",
        f'{{"{name}": "{secret}"}}',
        f"{{'{name}': '{secret}'}}",
        f"grant_type=x&{name}={secret}&client_id=1",
        f"POST /oauth/token?{name}={secret} HTTP/1.1",
        f"POST /oauth/token HTTP/1.1 {name}={secret}",
        f"POST /oauth/{name}: {secret}",
        f"POST /oauth/token: HTTP 401: {name}: {secret}",
    ):
        assert secret not in redact_text(line), line


@pytest.mark.parametrize("hide", [redact_text, redact], ids=["logs", "carriers' words"])
@given(SECRETS, st.sampled_from(SCHEMES))
def test_a_credential_is_hidden_behind_its_scheme(hide: Callable[[str], str], secret: str, word: str) -> None:
    for line in (f"{word} {secret}", f"{word}: {secret}", f"Authorization: Bearer {secret}", f"GET /{word} {secret}"):
        assert secret not in hide(line), line


@given(st.text(alphabet="token:= \"'HTP/1.0&basic", max_size=30))
def test_hiding_twice_hides_no_more(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once

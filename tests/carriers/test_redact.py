from __future__ import annotations

import pytest

from carriers.redact import MAX_LENGTH, redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Authorization: Bearer abc.def-1", "Authorization [hidden]", id="header"),
        pytest.param("Basic dXNlcjpwYXNz refused", "Basic [hidden] refused", id="basic credentials"),
        pytest.param("token eyJhbGciOi.J9_x.y-z!", "token [hidden]!", id="bare JWT"),
        pytest.param("key cws-ch1_AbC123", "key [hidden]", id="access key"),
        pytest.param("GET /v1/x?cpf=1&k=2 failed", "GET /v1/x?[hidden] failed", id="query string"),
        pytest.param("write to ana.b@loja.com.br.", "write to [e-mail].", id="e-mail"),
        pytest.param("CPF 529.982.247-25", "CPF [digits]", id="CPF with punctuation"),
        pytest.param("CNPJ 12.345.678/0001-95", "CNPJ [digits]", id="CNPJ with punctuation"),
        pytest.param("doc 12345678000195", "doc [digits]", id="CNPJ as digits"),
        pytest.param(
            "objeto AN120000118BR, protocolo 210000001", "objeto AN120000118BR, protocolo 210000001", id="codes stay"
        ),
        pytest.param("Tem certeza? Sim.", "Tem certeza? Sim.", id="a question is no query"),
        pytest.param("a\r\n\x1b[31m b", "a [31m b", id="one line, no control characters"),
    ],
)
def test_what_is_hidden_and_what_stays(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_page_is_cut() -> None:
    assert len(redact("palavra " * 500)) <= MAX_LENGTH

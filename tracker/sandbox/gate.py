"""The gateway's door: access codes into bearer tokens, and tokens checked."""

from __future__ import annotations

import base64
import binascii
import json
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from tracker.sandbox.clock import SandboxClock
from tracker.sandbox.plan import Account
from tracker.sandbox.wire import Refusal, Request, Response, answer
from tracker.sandbox.workdays import local_text

_LIFE = timedelta(hours=24)
APIS = (34, 35, 36, 41, 76, 78, 87)
"""The numbers of the documented token answer; 87 is tracking, 35 deadlines."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the simulated contract holder logs in with; invented. `apis`: the numbers that its token opens."""

    user: str = "12345678000195"
    access_code: str = "sandbox-access-code"
    contract: str = "9912345678"
    posting_card: str = "0067599079"
    account: Account = Account.MAIN
    apis: tuple[int, ...] = APIS

    def is_foreign(self, account: Account) -> bool:
        """Whether objects of that account belong to another contract than this one."""
        return Account.SECOND_CONTRACT in (account, self.account) and account is not self.account


SECOND_CARD = Credentials(posting_card="0067599087", account=Account.SECOND_CARD)
SECOND_CONTRACT = Credentials(
    user="12345678000276",
    access_code="sandbox-second-access-code",
    contract="9987654321",
    posting_card="0075111222",
    account=Account.SECOND_CONTRACT,
)
"""The same holder's second card and second contract."""


class Gate:
    """Hands out tokens of 24 hours by the sandbox clock and forgets them on request.

    `tokens_per_second` limits the token call (the real one allows three); None leaves it open, for on a clock that
    stands still every call falls into the same second.
    """

    def __init__(self, clock: SandboxClock, credentials: Credentials, tokens_per_second: int | None = None) -> None:
        self._clock = clock
        self._known = (credentials, SECOND_CARD, SECOND_CONTRACT)
        self._limit = tokens_per_second
        self._lock = Lock()
        self._serial = 0
        self._living: dict[str, tuple[datetime, Credentials]] = {}
        self._recent: deque[datetime] = deque()

    def issue(self, request: Request, *, refuse: bool) -> Response:
        """Answer the token call by posting card. Raises Refusal: 401 wrong credentials, 400 wrong card, 429 too many."""
        self._check_rate()
        basic = self._basic(request)
        matching = [held for held in self._known if basic == (held.user, held.access_code)]
        if refuse or not matching:
            raise Refusal(401, "Usuário ou senha inválidos.")
        try:
            number = request.json_object().get("numero")
        except ValueError as exc:
            raise Refusal(400, "Corpo da requisição inválido.") from exc
        held = next((each for each in matching if each.posting_card == number), None)
        if held is None:
            raise Refusal(400, "Cartão de postagem não encontrado.")
        return answer(201, self._token(held))

    def check(self, request: Request) -> Credentials:
        """Return whose token the call carries. Raises Refusal 401 unless it is a living one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(401, "Token não informado.")
        with self._lock:
            living = self._living.get(token)
        if living is None or self._clock.now() >= living[0]:
            raise Refusal(401, "Token expirado.")
        return living[1]

    def expire_all(self) -> None:
        """Let every token be refused from now on."""
        with self._lock:
            self._living.clear()

    def _token(self, held: Credentials) -> dict[str, object]:
        now = self._clock.now()
        expires_at = now + _LIFE
        with self._lock:
            self._serial += 1
            token = _unsigned_jwt({"jti": self._serial, "iat": now.timestamp(), "exp": int(expires_at.timestamp())})
            self._living[token] = expires_at, held
        return {
            "ambiente": "HOMOLOGACAO",
            "id": held.user,
            "ip": "127.0.0.1",
            "perfil": "PJ",
            "cnpj": held.user,
            "cartaoPostagem": {"numero": held.posting_card, "contrato": held.contract, "dr": 72, "api": [*held.apis]},
            "api": [5, *held.apis],
            "emissao": local_text(now),
            "expiraEm": local_text(expires_at),
            "zoneOffset": "-03:00",
            "token": token,
        }

    def _check_rate(self) -> None:
        if self._limit is None:
            return
        now = self._clock.now()
        with self._lock:
            while self._recent and now - self._recent[0] >= timedelta(seconds=1):
                self._recent.popleft()
            if len(self._recent) >= self._limit:
                raise Refusal(429, "")
            self._recent.append(now)

    @staticmethod
    def _basic(request: Request) -> tuple[str, str] | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password


def _unsigned_jwt(claims: dict[str, object]) -> str:
    """Return something of a token's form whose signature is a plain word: nobody may take it for a real one."""
    parts = ({"alg": "RS512"}, claims)
    head = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*head, "c2FuZGJveA"])

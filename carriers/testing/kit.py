"""What an adapter's author tells the conformance kit: how the carrier's answers look on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl

import orjson

from carriers.base import Adapter, FeedReading, TrackingStatus


@dataclass(frozen=True, slots=True)
class Told:
    """One event that the played carrier tells. `at` is aware; how it is written is the `Kit`'s business."""

    at: datetime
    code: str
    text: str = "Movimentação"
    city: str = "CURITIBA"
    state: str = "PR"


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of this carrier that the kit composes histories of. None: the carrier has nothing of the kind."""

    moving: str
    delivered: str
    unknown: str | None
    """One that the adapter does not know; None where the carrier's words are a closed list."""
    posted: str | None = None
    lost: str | None = None
    damaged: str | None = None
    undelivered: str | None = None
    """After a delivery, takes it back; None: `moving` does."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code is, by the carrier's document: `text` is its wording there, told with the code."""

    code: str
    status: TrackingStatus
    text: str = "Movimentação"


@dataclass(frozen=True, slots=True)
class Question:
    """A request as the played carrier gets it. Header names are in lower case."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def param(self, name: str) -> str:
        """The query's value of this name, or an empty text."""
        return next((value for key, value in self.query if key == name), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the played carrier answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def json_reply(data: Any, status: int = 200) -> Reply:
    """*data* as a JSON answer."""
    return Reply(status, orjson.dumps(data))


@dataclass(frozen=True, slots=True)
class Push:
    """A request as this carrier pushes it: body, and the headers that prove it."""

    body: bytes
    headers: Mapping[str, str]
    query: str = ""


class Kit:
    """Plays one carrier. Subclass it, and name the instance `KIT` in the module `kit` of the adapter's package.

    A part of the carrier that there is not stays as it is here, and the checks of it are left out.
    """

    settings: Mapping[str, Any] = {}
    """A whole account, with invented credentials, each unlike any other text."""
    everything: Mapping[str, Any] = {}
    """Settings beside those, with which the adapter does all that it can; no check needs them."""
    codes: Codes
    numbers: Sequence[str] = ()
    """Numbers as a merchant writes them; at least one more than a batch holds."""
    strangers: Sequence[str] = ("não é um código", "", "42", "☃" * 20)
    """What `normalise` must refuse."""
    nothing: Sequence[bytes] = ()
    """Bodies of another shape with which the carrier says that it knows none of the numbers (`[]`)."""
    person: str = "MARIA FICTICIA DA SILVA"
    """A name that `entry` puts wherever this carrier names a person: it may not be kept."""
    document: str = ""
    """Which document `meanings` is written from: the carrier's own, or the best there is, said as what it is."""
    meanings: Sequence[Meaning] = ()
    """What the document says of a dozen codes: deliveries, the way, and every kind of trouble that it tells apart. Written from
    the document and never from `codes.csv`: a line that is wrong there is what this finds. Empty: the score says so."""
    has_codes: bool = True
    """False where the carrier sends words alone: all it tells is `by_words`."""
    milestones: bool = False
    """The carrier tells a date for each stage at most, and no list of events."""
    proves_in_body: bool = False
    """A push carries its proof in its body, and no header matters."""

    def entry(self, number: str, events: Sequence[Told]) -> Any:
        """This number's part of an answer (`number` as the adapter asks for it)."""
        raise NotImplementedError

    def asked(self, question: Question) -> Sequence[str]:
        """The numbers that a request asks about."""
        raise NotImplementedError

    def assemble(self, question: Question, entries: Mapping[str, Any]) -> Reply:
        """The answer to a request: *entries* by number; one that is not there is not known to the carrier."""
        raise NotImplementedError

    def is_login(self, question: Question) -> bool:
        """Whether a request asks for a token."""
        return False

    def login(self, question: Question, count: int) -> Reply:
        """The answer to the login of this *count* (from 1): a token unlike the ones before."""
        raise NotImplementedError

    def login_refused(self, question: Question) -> Reply:
        """How the carrier refuses credentials where a token is asked for."""
        return json_reply({"error": "invalid_client"}, 401)

    def refused(self, question: Question) -> Reply:
        """How the carrier refuses a business call's credential."""
        return json_reply({"message": "unauthorized"}, 401)

    def push(self, number: str, events: Sequence[Told]) -> Push:
        """What the carrier pushes; needed where the adapter has a hook."""
        raise NotImplementedError

    def probes(self) -> Sequence[tuple[str, Push]]:
        """Methods and requests with which the carrier tries the address of a hook."""
        return ()

    def payload(self, told: Mapping[str, Sequence[Told]]) -> bytes:
        """A payload of this carrier's feed; needed where the adapter has one."""
        raise NotImplementedError

    def found_in(self, reading: FeedReading, number: str) -> Any:
        """The answer of *number* (one of `numbers`) in what the feed's payload told, None where it is not there."""
        return next((answer for ref, answer in reading.answers.items() if ref.value == number), None)


class KitNotFoundError(LookupError):
    """The adapter has no kit; the message says where one is looked for."""


def kit_of(adapter: type[Adapter]) -> Kit:
    """The kit beside an adapter: `KIT` in the module `kit` of its package. Raises KitNotFoundError."""
    name = f"{adapter.__module__}.kit"
    try:
        found = import_module(name).KIT
    except ModuleNotFoundError as exc:
        # A module that the kit itself imports and does not find is its own fault, and is told as that.
        if exc.name is None or not name.startswith(exc.name):
            raise
        raise KitNotFoundError(
            f"{adapter.NAME} has no conformance kit: write {name} (a module beside the adapter) with a KIT"
        ) from exc
    if not isinstance(found, Kit):
        raise KitNotFoundError(f"{name}.KIT is no carriers.testing.Kit")
    return found

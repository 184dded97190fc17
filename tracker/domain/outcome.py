"""What became of one attempt to tell somebody something: the same nine answers for every channel.

Pure: a channel turns what it saw on the wire into an `Outcome`, the stage that owns the delivery decides what follows. The
rules for an SMTP server's replies are here because they are a table, not a conversation (RFC 5321 section 4.2, RFC 3463;
an enhanced status code says more than the basic one, so it is read first).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from tracker.domain.text import clean


class Result(StrEnum):
    """What the channel did with it; every attempt ends as exactly one of these."""

    ACCEPTED = "accepted"
    """The provider took responsibility."""
    RETRY = "retry"
    """Nothing was delivered and nothing is wrong for good: try again later."""
    THROTTLED = "throttled"
    """Our rate or quota is used up: pause the scope until `after`; costs no attempt."""
    BAD_ADDRESS = "bad_address"
    """This address can never work: suppress it."""
    BLOCKED = "blocked"
    """The recipient does not want this: suppress for the channel and purpose."""
    BAD_CONTENT = "bad_content"
    """The text was refused or our request was wrong: no retry, a person looks at the template."""
    ACCOUNT_DOWN = "account_down"
    """Credentials, set-up or billing: everything waits, the operator is told at once."""
    POLICY_CAP = "policy_cap"
    """The provider will not deliver this one: nothing more on this channel within a day."""
    UNKNOWN = "unknown"
    """It left and no answer came: never sent again blindly."""


class Scope(StrEnum):
    """Whom an outcome speaks about: this message, its recipient, one shop's sender, or all that goes through the account."""

    MESSAGE = "message"
    RECIPIENT = "recipient"
    SENDER = "sender"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's end.

    `reason` is a constant token, safe to log and to group by; `reply` the provider's words with addresses removed.
    `after` is the provider's or the table's wish for the next attempt, None for the ladder. A RETRY with `limit` becomes
    `then` once that many retries are used up (see `settled`).
    """

    result: Result
    reason: str = ""
    reply: str = ""
    code: int | None = None
    provider_id: str | None = None
    after: timedelta | None = None
    scope: Scope = Scope.MESSAGE
    limit: int | None = None
    then: Result | None = None


class SmtpStage(StrEnum):
    """Where in the dialogue a reply came; `CONNECT` covers greeting, EHLO and STARTTLS, `DOT` the reply to the whole text."""

    CONNECT = "connect"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


LADDER = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
JITTER = 0.2
"""Largest share added to a wait, so that what failed together does not come back together."""

_REPLY_LENGTH = 300
_RATE_WAIT = timedelta(seconds=10)
_ROLLING_QUOTA_WAIT = timedelta(hours=1)
"""Amazon SES counts the last 24 hours: room returns all the time, so an hourly look costs nothing and loses little."""
_DAILY_QUOTA_WAIT = timedelta(hours=24)
_HOST_THROTTLE_WAIT = timedelta(hours=1)
"""Shared hosts block a mailbox for about an hour once it is over its messages per hour."""
_MAILBOX_FULL_WAIT = timedelta(hours=8)
_DOMAIN_WAIT = timedelta(hours=2)

_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?!\d)")
_DIAGNOSTIC_TYPE = re.compile(r"^\s*[A-Za-z0-9-]+\s*;\s*")
_REPLY_CODE = re.compile(r"(?P<code>[45]\d\d)[\s-]+(?P<text>.*)", re.DOTALL)
_ADDRESS = re.compile(r"<?[^\s<>:;,\"]+@[^\s<>:;,\"]+>?")
_QUEUE_ID = re.compile(r"\bqueued as (\S+)|^ok:?\s+(?:id=)?(\S+)$", re.IGNORECASE)

_MAILBOX_FULL = Outcome(
    Result.RETRY,
    "mailbox_full",
    after=_MAILBOX_FULL_WAIT,
    scope=Scope.RECIPIENT,
    limit=3,
    then=Result.POLICY_CAP,
)
_DOMAIN_UNKNOWN = Outcome(
    # The relay's name server may have been at fault: one more look before the address is given up.
    Result.RETRY,
    "domain_unknown",
    after=_DOMAIN_WAIT,
    scope=Scope.RECIPIENT,
    limit=1,
    then=Result.BAD_ADDRESS,
)
_NO_SUCH_MAILBOX = Outcome(Result.BAD_ADDRESS, "no_such_mailbox", scope=Scope.RECIPIENT)
_SENDER_NOT_PROVEN = Outcome(Result.ACCOUNT_DOWN, "sender_unauthenticated", scope=Scope.SENDER)
_AUTH_REFUSED = Outcome(Result.ACCOUNT_DOWN, "auth_refused", scope=Scope.ACCOUNT)
_TOO_BIG = Outcome(Result.BAD_CONTENT, "too_big")
_TRY_AGAIN = Outcome(Result.RETRY, "temporary")
_HOST_LIMIT = Outcome(Result.THROTTLED, "host_limit", after=_HOST_THROTTLE_WAIT, scope=Scope.ACCOUNT)

_ABOUT_RECIPIENT: dict[str, Outcome] = {
    # The mailbox is closed for now, or takes too much at once: never our own limit, whatever the words.
    "4.2.1": replace(_TRY_AGAIN, scope=Scope.RECIPIENT),
    "4.2.2": _MAILBOX_FULL,
    "5.2.2": _MAILBOX_FULL,
    "5.1.1": _NO_SUCH_MAILBOX,
    "5.1.2": _DOMAIN_UNKNOWN,
    "5.1.3": Outcome(Result.BAD_ADDRESS, "bad_syntax", scope=Scope.RECIPIENT),
    "5.1.10": Outcome(Result.BAD_ADDRESS, "domain_takes_no_mail", scope=Scope.RECIPIENT),
}
_ABOUT_US: dict[str, Outcome] = {
    "5.4.5": Outcome(Result.THROTTLED, "daily_quota", after=_DAILY_QUOTA_WAIT, scope=Scope.ACCOUNT),
    "5.1.8": _SENDER_NOT_PROVEN,
    "5.7.23": _SENDER_NOT_PROVEN,
    "5.7.25": _SENDER_NOT_PROVEN,
    "5.7.26": _SENDER_NOT_PROVEN,
    "5.7.27": _SENDER_NOT_PROVEN,
    "5.7.8": _AUTH_REFUSED,
    "5.3.4": _TOO_BIG,
    "5.2.3": _TOO_BIG,
}

_QUOTA_WORDS = re.compile(
    r"max(?:imum)? (?:e-?mails|messages) per (?:hour|day)|submissionquotaexceeded"
    r"|exceeded (?:its|your|the) (?:hourly |daily )?(?:sending|message|e-?mail)s? (?:limit|quota)"
    r"|(?:hourly|daily|sending) (?:sending |e-?mail |message )?(?:limit|quota) (?:exceeded|reached)"
    r"|(?:limite|cota)(?: m[aá]xim[oa])?(?: de (?:envios?|e-?mails|mensagens))?(?: por (?:hora|dia)| di[aá]ri[oa])?"
    r" (?:foi )?(?:excedid[oa]|atingid[oa]|ultrapassad[oa])"
    r"|excedeu (?:o|a) (?:limite|cota)",
    re.IGNORECASE,
)
_HOST_LIMIT_WORDS = re.compile(
    r"throttl|rate limit|too many (?:e-?mails|messages)|too much mail|(?:hourly|sending) limit"
    r"|limite de (?:envio|mensagens|e-?mails)|muit[ao]s (?:e-?mails|mensagens)|" + _QUOTA_WORDS.pattern,
    re.IGNORECASE,
)
"""What shared hosts, Brazilian ones above all, write beside 421, 450 or 452 (as seen in their help pages and in public mail
logs; nobody publishes a list)."""

# (first digit, words, outcome): where the codes say little and the words say it all.
_BY_WORDS: tuple[tuple[int, re.Pattern[str], Outcome], ...] = (
    (
        4,
        re.compile(r"maximum sending rate exceeded", re.IGNORECASE),
        Outcome(Result.THROTTLED, "rate", after=_RATE_WAIT, scope=Scope.ACCOUNT),
    ),
    (
        4,
        re.compile(r"daily message quota exceeded", re.IGNORECASE),
        Outcome(Result.THROTTLED, "daily_quota", after=_ROLLING_QUOTA_WAIT, scope=Scope.ACCOUNT),
    ),
    (4, _HOST_LIMIT_WORDS, _HOST_LIMIT),
    # cPanel hosts and Microsoft 365 refuse for good what an hour later they would take.
    (5, _QUOTA_WORDS, _HOST_LIMIT),
    (
        5,
        re.compile(r"relay(?:ing)? (?:access )?(?:denied|not permitted)|unable to relay", re.IGNORECASE),
        Outcome(Result.ACCOUNT_DOWN, "relay_denied", scope=Scope.ACCOUNT),
    ),
    (
        5,
        # Amazon SES: an account still in its sandbox, or a sender that nobody proved.
        re.compile(r"address is not verified", re.IGNORECASE),
        Outcome(Result.ACCOUNT_DOWN, "sender_unverified", scope=Scope.SENDER),
    ),
)
_NOBODY_THERE = re.compile(
    r"user unknown|unknown user|no such (?:user|recipient|mailbox)"
    r"|(?:user|recipient|mailbox|account) (?:does not exist|not found)"
    r"|usu[aá]rio (?:inexistente|desconhecido|n[aã]o existe)",
    re.IGNORECASE,
)


def backoff(attempt: int, *, jitter: float = 0.0) -> timedelta:
    """How long to wait after the *attempt*-th failure (1 is the first); the last step repeats until the message expires.

    `jitter` is a random number in [0, 1) that the caller draws; it adds up to a fifth.
    """
    step = LADDER[min(max(attempt, 1), len(LADDER)) - 1]
    return step * (1 + JITTER * jitter)


def settled(outcome: Outcome, attempt: int) -> Outcome:
    """The outcome once it is known that this was the *attempt*-th try: a limited RETRY turns into what follows it."""
    if outcome.result is not Result.RETRY or outcome.limit is None or attempt <= outcome.limit:
        return outcome
    return replace(outcome, result=outcome.then or Result.POLICY_CAP, after=None, limit=None, then=None)


def smtp_outcome(stage: SmtpStage, code: int, text: str) -> Outcome:
    """What an SMTP server's reply means.

    *code* is the three-digit reply code (anything outside 200 to 599 is a reply that could not be read), *text* the lines
    after it. Never call it for a reply that lets the dialogue go on.
    """
    if stage is SmtpStage.DOT and 200 <= code < 300:
        return Outcome(Result.ACCEPTED, "accepted", scrubbed(f"{code} {text}"), code, _provider_id(text))
    if not 400 <= code < 600:
        # Before the text has left, an unreadable answer costs a retry; after it, nobody knows.
        result = Result.UNKNOWN if stage is SmtpStage.DOT else Result.RETRY
        return Outcome(result, "unreadable_reply", scrubbed(text), code)
    match = _ENHANCED.match(text)
    enhanced = ".".join(str(int(part)) for part in match.groups()) if match else ""
    severity = int(enhanced[0]) if enhanced and enhanced[0] != "2" else code // 100
    outcome = _rule(stage, code, enhanced, severity, text)
    return replace(outcome, reply=scrubbed(f"{code} {text}"), code=code)


def returned_outcome(status: str, diagnostic: str) -> Outcome:
    """What a mail that came back for good (`Action: failed`) means, from its status and the words of the last server.

    *status* is `x.y.z` or empty, *diagnostic* such as `smtp; 550 5.1.1 user unknown`. The relay has tried all it would, so
    nothing here is a wish to try again: a RETRY says that the address may work another day.
    """
    words = _DIAGNOSTIC_TYPE.sub("", diagnostic).strip()
    match = _REPLY_CODE.match(words)
    text = match["text"] if match else words
    enhanced = status if status[:1] in {"4", "5"} else ""
    if enhanced and not enhanced.endswith(".0.0") and not _ENHANCED.match(text):
        text = f"{enhanced} {text}"
    code = int(match["code"]) if match else 450 if enhanced.startswith("4") else 550
    found = _ENHANCED.match(text)
    # Where the text was refused is not told; what speaks of content or policy did not come at RCPT.
    stage = SmtpStage.DOT if found and found[2] in {"3", "6", "7"} else SmtpStage.RCPT
    return replace(smtp_outcome(stage, code, text), reply=scrubbed(words))


def scrubbed(text: str) -> str:
    """*text* on one line, bounded, without e-mail addresses and orders to a terminal: fit for a log and a decision's reason."""
    return _ADDRESS.sub("<...>", clean(text))[:_REPLY_LENGTH]


def _rule(stage: SmtpStage, code: int, enhanced: str, severity: int, text: str) -> Outcome:
    if enhanced in _ABOUT_US:
        return _ABOUT_US[enhanced]
    past_sender = stage in (SmtpStage.RCPT, SmtpStage.DATA, SmtpStage.DOT)
    # Before RCPT the server has not heard of the recipient: an address code there speaks about our own sender.
    if past_sender and enhanced in _ABOUT_RECIPIENT:
        return _ABOUT_RECIPIENT[enhanced]
    for digit, words, outcome in _BY_WORDS:
        if digit == severity and words.search(text):
            return outcome
    if severity == 4:
        return _TRY_AGAIN if past_sender else replace(_TRY_AGAIN, scope=Scope.ACCOUNT)
    if stage is SmtpStage.AUTH or code in (530, 534, 535, 538):
        return _AUTH_REFUSED
    if stage is SmtpStage.CONNECT:
        return Outcome(Result.ACCOUNT_DOWN, "server_refused", scope=Scope.ACCOUNT)
    if enhanced.startswith("5.5.") or 500 <= code <= 504 or code == 555:
        return Outcome(Result.BAD_CONTENT, "protocol")
    if stage is SmtpStage.MAIL:
        return Outcome(Result.ACCOUNT_DOWN, "sender_refused", scope=Scope.SENDER)
    return _refused(stage, code, enhanced, text)


def _refused(stage: SmtpStage, code: int, enhanced: str, text: str) -> Outcome:
    if enhanced.startswith("5.7."):
        # At RCPT nobody has read a line of the text: the template cannot be at fault and must not be parked.
        return Outcome(Result.POLICY_CAP if stage is SmtpStage.RCPT else Result.BAD_CONTENT, "policy")
    if code == 552:
        return _MAILBOX_FULL
    vague = not enhanced or enhanced in ("5.0.0", "5.1.0")
    if vague and code in (550, 551, 553) and stage is SmtpStage.RCPT and _NOBODY_THERE.search(text):
        return _NO_SUCH_MAILBOX
    if stage is SmtpStage.RCPT:
        return Outcome(Result.POLICY_CAP, "recipient_refused", scope=Scope.RECIPIENT)
    if enhanced.startswith(("5.1.", "5.2.", "5.4.")):
        return Outcome(Result.POLICY_CAP, "recipient_refused", scope=Scope.RECIPIENT)
    return Outcome(Result.BAD_CONTENT, "content_refused")


def _provider_id(text: str) -> str | None:
    """The queue's id in a positive reply: Postfix and Exim name it, Amazon SES answers `Ok` and the id; else the words."""
    words = _ENHANCED.sub("", text, count=1).strip()
    match = _QUEUE_ID.search(words)
    found = next((group for group in match.groups() if group), None) if match else words
    return found[:_REPLY_LENGTH] if found else None

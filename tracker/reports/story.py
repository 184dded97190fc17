"""`tracker explain` as a story: what was seen, when and why it counts, what was done or not done and why, what comes next.

Every sentence is one logged decision, or how a row stands now, in the words of a language. Pure.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from carriers.base import ProblemKind, TrackingStatus
from tracker.domain.claim_letter import FOLLOW_UP
from tracker.domain.claim_plan import offer_for
from tracker.domain.history import FINAL
from tracker.domain.text import clean
from tracker.domain.words import ClaimState, DeliveryState
from tracker.reports.exports import json_value
from tracker.reports.identity import public_id
from tracker.reports.picture import Desk, answer_by, history_of, shown_codes, unread_events, word_given
from tracker.reports.story_en import ENGLISH
from tracker.reports.story_pt import PORTUGUESE
from tracker.reports.story_words import Language, Scene
from tracker.store.claims import ClaimRow
from tracker.store.letters import LetterRow
from tracker.store.problems import ProblemRow
from tracker.store.tables import Decision
from tracker.store.views_show import MessageRow, Parcel
from tracker.store.views_story import AlertRow, Key, Whole

LANGUAGES: Final[Mapping[str, Language]] = {language.code: language for language in (PORTUGUESE, ENGLISH)}
WIDTH: Final = 100
_QUIET: Final = frozenset({"claim.ask", "claim.follow", "claim.letter_waits"})
"""Asking once more, that nothing has come yet, and that a letter leaves soon, is what a claim's present state says already."""
_HAND: Final = "hand."
_WITHOUT_MONEY: Final = frozenset({ClaimState.REJECTED, ClaimState.REFUSED, ClaimState.EXPIRED})
"""Closed with the trouble unpaid: whoever reads of the trouble must see where its claim ended."""
_REOPENED_AS: Final = re.compile(r"(?P<asked_motive>\S+) (?P<asked_kind>\S+) \((?P<asked_way>\w*)\)")
_WAITING: Final = frozenset(
    {DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNCONFIRMED, DeliveryState.AWAITING_PERSON}
)


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence about one thing; dated where it happened, without a date where it is so now."""

    about: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """What belongs together: a title, what happened (oldest first), how it stands and what comes next."""

    title: str
    past: tuple[Said, ...] = ()
    now: tuple[Said, ...] = ()


def story_of_subject(whole: Whole, subject: Key, desk: Desk, language: Language) -> list[Matter]:
    """The story of one problem, claim, message or shipment, or of a whole order."""
    kind, row_id = subject
    teller = _Teller(whole, desk, language)
    if kind in {"order", "shipment"}:
        ids = [p.context.shipment_id for p in whole.story.parcels]
        wanted = ids if kind == "order" else [row_id]
        found = [m for p in whole.story.parcels if p.context.shipment_id in wanted for m in teller.parcel(p)]
        return [*teller.by_hand(), *found, *(teller.order(subject) if kind == "order" else [])]
    found = [matter for parcel in whole.story.parcels for matter in teller.one(parcel, subject)][:1]
    return found or teller.order(subject)


def story_of_alert(alert: AlertRow, whole: Whole | None, desk: Desk, language: Language) -> list[Matter]:
    """What an alert says, and the story of what it is about."""
    scene = Scene(desk.promises.days("", None).zone)
    facts = {"summary": alert.summary, "code": _code(alert, whole)}
    name = public_id("alert", alert.id)
    means = language.say(f"alert.{alert.kind}", "", facts, scene)
    # Summaries are English: the story that follows says the same in the reader's language.
    told = whole is not None and alert.about is not None and f"alert.{alert.kind}" in language.sentences
    quote = "" if told and language is not ENGLISH else f" {language.say('now.alert', 'raised', facts, scene)}"
    said = [Said(name, f"{means}{quote}", alert.raised_at)]
    if alert.acked_at is not None:
        ack = {"who": alert.acked_by, "until": alert.acked_until, "note": alert.ack_reason}
        said.append(Said(name, language.say("now.alert", "acked", ack, scene), alert.acked_at))
    if alert.resolved_at is not None:
        said.append(Said(name, language.say("now.alert", "resolved", facts, scene), alert.resolved_at))
    matters = [Matter(name, tuple(said))]
    if whole is not None and alert.about is not None:
        matters += story_of_subject(whole, alert.about, desk, language)
    return matters


def as_lines(matters: Sequence[Matter], desk: Desk, language: Language) -> list[str]:
    """The story as lines of at most `WIDTH`."""
    scene = Scene(desk.promises.days("", None).zone)
    lines: list[str] = []
    for matter in matters:
        lines += [""] if lines else []
        lines += textwrap.wrap(clean(matter.title), WIDTH, subsequent_indent="  ")
        for said in matter.past:
            when = said.at.astimezone(scene.zone) if said.at else None
            head = f"  {when:%d/%m/%Y} {language.weekdays[when.weekday()]} {when:%H:%M}  " if when else "  "
            lines += textwrap.wrap(said.text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
        if matter.now:
            lines.append(f"  {language.labels['now']}")
        for said in matter.now:
            lines += textwrap.wrap(said.text, WIDTH, initial_indent="    ", subsequent_indent="      ")
    return lines


def as_list(matters: Sequence[Matter]) -> list[dict[str, Any]]:
    """The story as data; `at` is null for what is so now."""
    return [
        {"about": said.about, "at": json_value(said.at), "text": said.text}
        for matter in matters
        for said in (*matter.past, *matter.now)
    ]


class _Teller:
    """Tells of one order in one language."""

    def __init__(self, whole: Whole, desk: Desk, language: Language) -> None:
        self._whole, self._desk, self._language = whole, desk, language
        days = desk.days(whole.story)
        self._scene = Scene(days.zone, days.since.states)
        self._diverted = {message.id: message.diverted_to for message in whole.story.messages}
        self._wordings = {
            one.id: _wording(parcel, one, desk) for parcel in whole.story.parcels for one in parcel.problems
        }

    def one(self, parcel: Parcel, subject: Key) -> Iterator[Matter]:
        """The matter of one problem, claim or message of this parcel; nothing where it is another parcel's."""
        kind, row_id = subject
        problems, claims, messages = self._around(parcel, kind, row_id)
        about = {one.id for one in problems}
        # Whoever reads why a message was sent must see what became of its problem's claim, without all of its steps.
        rest_on = [c for c in parcel.claims if about & set(parcel.claim_problems.get(c.id, ()))]
        if not (problems or claims or messages):
            return
        keys: list[Key] = [("problem", one.id) for one in problems]
        keys += [*(("claim", one.id) for one in claims), *(("message", one.id) for one in messages)]
        title = f"{public_id(kind, row_id)} · {self._parcel_line(parcel)}"
        past = [*self._past(parcel, keys), *self._untold(parcel, about, kind)]
        known = rest_on if kind == "message" else claims
        yield Matter(title, _in_order(past), tuple(self._now(parcel, problems, known, messages, subject)))

    def by_hand(self) -> list[Matter]:
        """What people did to the order as a whole; nothing where nobody did anything."""
        key = ("order", self._whole.story.order.id)
        said = tuple(self._said(one) for one in self._decisions(key) if one.rule.startswith(_HAND))
        return [Matter(f"{public_id(*key)} · {self._language.labels['by_hand']}", said)] if said else []

    def parcel(self, parcel: Parcel) -> list[Matter]:
        """Everything about one parcel: first how it is looked at, then its matters, the newest first."""
        shipment = ("shipment", parcel.context.shipment_id)
        name = public_id(*shipment)
        none = [] if parcel.problems else [Said(name, self._language.labels["none"])]
        matters = []
        for problems, claims in _groups(parcel):
            matters.append(self._matter(parcel, problems, claims))
        matters.sort(key=lambda matter: matter.past[-1].at if matter.past else self._desk.now, reverse=True)  # type: ignore[arg-type, return-value]
        told = {one.id for one in parcel.problems}
        others = [m for m in self._messages(parcel) if not self._whole.message_problems[m.id] & told]
        keys: list[Key] = [("message", message.id) for message in others]
        past = [*self._past(parcel, keys), *(self._said(d) for d in self._decisions(shipment) if not _of_problem(d))]
        head = Matter(f"{name} · {self._parcel_line(parcel)}", (), (*none, *self._unread(parcel), self._looks(parcel)))
        waiting = [self._message(message) for message in others if message.state in _WAITING]
        rest = [Matter(self._language.labels["other"], _in_order(past), tuple(waiting))] if past else []
        return [head, *matters, *rest]

    def order(self, subject: Key) -> list[Matter]:
        """What was wrong with the order itself before it had a parcel, and what was or was not told of it; nothing where nothing
        was decided."""
        order = ("order", self._whole.story.order.id)
        problems = [one for one in self._whole.story.problems if subject in {order, ("problem", one.id)}]
        own = [m for m in self._whole.story.messages if not m.shipment_ids and subject in {order, ("message", m.id)}]
        keys = [*([order] if subject == order else []), *(("problem", one.id) for one in problems)]
        keys += [("message", message.id) for message in own]
        decided = [one for key in keys for one in self._decisions(key) if one.rule not in _QUIET]
        said = [self._said(one) for one in decided if not one.rule.startswith(_HAND)]
        title = f"{self._language.labels['order']} {self._whole.story.order.number}"
        now = [self._stands("problem", "open", one) for one in problems if one.resolved_at is None]
        now += [self._message(message) for message in own if message.state in _WAITING or subject != order]
        return [Matter(title, _in_order(said), tuple(now))] if said else []

    # --- what belongs to what -----------------------------------------------------------------------

    def _around(
        self, parcel: Parcel, kind: str, row_id: int
    ) -> tuple[list[ProblemRow], list[ClaimRow], list[MessageRow]]:
        claims, messages = list(parcel.claims), self._messages(parcel)
        if kind == "problem":
            problems = [one for one in parcel.problems if one.id == row_id]
            claims = [one for one in claims if problems and row_id in parcel.claim_problems.get(one.id, [])]
            messages = [one for one in messages if problems and row_id in self._whole.message_problems[one.id]]
        elif kind == "claim":
            claims, messages = [one for one in claims if one.id == row_id], []
            ids = parcel.claim_problems.get(row_id, [])
            problems = [one for one in parcel.problems if one.id in ids]
        else:
            claims, messages = [], [one for one in messages if one.id == row_id]
            about = self._whole.message_problems[row_id] if messages else frozenset()
            problems = [one for one in parcel.problems if one.id in about]
        return problems, claims, messages

    def _matter(self, parcel: Parcel, problems: Sequence[ProblemRow], claims: Sequence[ClaimRow]) -> Matter:
        ids = {problem.id for problem in problems}
        messages = [m for m in self._messages(parcel) if self._whole.message_problems[m.id] & ids]
        keys: list[Key] = [*(("problem", one.id) for one in problems), *(("claim", one.id) for one in claims)]
        keys += [("message", message.id) for message in messages]
        names = [f"{public_id('problem', p.id)} {self._word('problem', p.kind.value)}" for p in problems]
        names += [public_id("claim", claim.id) for claim in claims]
        past = _in_order([*self._past(parcel, keys), *self._untold(parcel, ids, "problem")])
        return Matter(" · ".join(names), past, tuple(self._now(parcel, problems, claims, messages, None)))

    def _messages(self, parcel: Parcel) -> list[MessageRow]:
        return [m for m in self._whole.story.messages if parcel.context.shipment_id in m.shipment_ids]

    def _decisions(self, key: Key) -> Sequence[Decision]:
        return self._whole.decisions.get(key, ())

    # --- sentences ----------------------------------------------------------------------------------

    def _past(self, parcel: Parcel, keys: Iterable[Key]) -> Iterator[Said]:
        claimed = {one for ids in parcel.claim_problems.values() for one in ids}
        for key in keys:
            last = ""
            for decision in self._decisions(key):
                # A problem that could not be claimed at first has its claim now.
                superseded = decision.outcome == "not_claimed" and key[0] == "problem" and key[1] in claimed
                said = self._said(decision)
                if decision.rule not in _QUIET and not superseded and said.text != last:
                    yield said
                    last = said.text

    def _untold(self, parcel: Parcel, problems: set[int], kind: str) -> Iterator[Said]:
        """What the customer was not told about these problems."""
        for decision in self._decisions(("shipment", parcel.context.shipment_id)) if kind == "problem" else ():
            if decision.facts.get("problem_id") in problems:
                yield self._said(decision)

    def _said(self, decision: Decision) -> Said:
        facts = {**decision.facts, **_asked(decision.facts), "reason": decision.reason}
        if facts.get("cause") not in self._language.words["cause"]:
            facts["cause"] = None
        facts["why"] = self._why(decision)
        if decision.subject_kind == "message":
            facts["diverted_to"] = self._diverted.get(decision.subject_id)
        text = self._language.say(decision.rule, decision.outcome, facts, self._scene)
        name = public_id(decision.subject_kind, decision.subject_id)
        return Said(name, f"{name}: {text}", decision.at)

    def _why(self, decision: Decision) -> str | None:
        """The code of the decision's reason, by the kind of its problem where that has a sentence of its own."""
        why = decision.facts.get("why")
        if decision.subject_kind != "problem":
            return why
        exact = f"{why}.{self._wordings.get(decision.subject_id)}"
        return exact if f"{decision.rule}/{decision.outcome}/{exact}" in self._language.sentences else why

    def _now(
        self,
        parcel: Parcel,
        problems: Sequence[ProblemRow],
        claims: Sequence[ClaimRow],
        messages: Sequence[MessageRow],
        subject: Key | None,
    ) -> Iterator[Said]:
        for problem in problems:
            if problem.resolved_at is None:
                yield self._stands("problem", "open", problem)
                if not claims and not any(d.outcome == "not_claimed" for d in self._decisions(("problem", problem.id))):
                    yield self._stands("problem", "unclaimed", problem)
        standing = any(problem.resolved_at is None for problem in problems)
        for claim in claims:
            lost = claim.state in _WITHOUT_MONEY and standing
            asked = subject == ("claim", claim.id) or (subject is not None and subject[0] == "message" and standing)
            if claim.closed_at is None or lost or asked:
                yield self._claim(claim, parcel.letters.get(claim.id, ()))
        for message in messages:
            if message.state in _WAITING or subject == ("message", message.id):
                yield self._message(message)
        for problem in problems if subject is None or subject[0] == "problem" else ():
            silent = not messages and not any(self._untold(parcel, {problem.id}, "problem"))
            if problem.resolved_at is None and silent:
                yield self._stands("problem", "untold", problem)

    def _claim(self, claim: ClaimRow, letters: Sequence[LetterRow]) -> Said:
        by = answer_by(claim, self._whole.story, self._desk)
        more: dict[str, Any] = {"answer_by": by, "why": claim.hold_reason}
        if claim.closed_at is not None:
            more["why"] = "closed"
        elif (given := word_given(claim, self._whole.story)) is not None:
            more["why"] = given
        elif letters:
            more |= {"why": claim.hold_reason or "letter", **_of_letters(letters)}
        return self._stands("claim", claim.state.value, claim, **more)

    def _message(self, message: MessageRow) -> Said:
        return self._stands("message", message.state.value, message, why=message.hold_reason)

    def _stands(self, kind: str, state: str, row: ProblemRow | ClaimRow | MessageRow, **more: Any) -> Said:
        name = public_id(kind, row.id)
        facts = {field.name: getattr(row, field.name) for field in fields(row)}
        facts = {**facts, "resolution": None, **more, "id": name}
        if facts.get("next_step_at") is not None and facts["next_step_at"] <= self._desk.now:
            facts["next_step_at"] = None
        return Said(name, self._language.say(f"now.{kind}", state, facts, self._scene))

    def _looks(self, parcel: Parcel) -> Said:
        name = public_id("shipment", parcel.context.shipment_id)
        looks = parcel.looks
        facts = {field.name: getattr(looks, field.name) for field in fields(looks)}
        state = "closed" if looks.closed_reason else "told" if parcel.context.carrier in self._desk.silent else "polled"
        return Said(name, self._language.say("now.shipment", state, {**facts, "id": name}, self._scene))

    def _unread(self, parcel: Parcel) -> Iterator[Said]:
        """Of each account that told some, the movements whose codes nobody reads."""
        name = public_id("shipment", parcel.context.shipment_id)
        by_carrier: dict[str, list[str]] = {}
        for event in reversed(unread_events(parcel)):
            by_carrier.setdefault(event.told_by or parcel.context.carrier, []).append(event.carrier_code)
        for carrier, codes in by_carrier.items():
            several = len(codes) if len(codes) > 1 else None
            facts = {
                "id": name,
                "several": several,
                "carrier": carrier,
                "codes": shown_codes(list(dict.fromkeys(codes))),
            }
            yield Said(name, self._language.say("now.shipment", "unread", facts, self._scene))

    def _parcel_line(self, parcel: Parcel) -> str:
        context, history = parcel.context, history_of(parcel)
        service = (parcel.history.service if parcel.history else None) or context.service
        carrier = f"{self._desk.title(context.carrier)} {service or ''}".strip()
        unread = history.status is TrackingStatus.UNKNOWN and unread_events(parcel)
        status = self._language.labels["unread"] if unread else self._word("status", history.status.value)
        if history.status_at is not None:
            since = self._language.instant(history.status_at, "day", self._scene.zone)
            status += f" {self._language.labels['on' if history.status in FINAL else 'since']} {since}"
        order = f"{self._language.labels['order']} {self._whole.story.order.number}"
        return " · ".join(part for part in (order, carrier, context.tracking_code, status) if part)

    def _word(self, words: str, word: str) -> str:
        return self._language.words[words].get(word, word)


def _of_letters(letters: Sequence[LetterRow]) -> dict[str, Any]:
    """Where a claim's letter went and when, when the carrier was reminded, what went with it, and what holds it up."""
    first, reminder = letters[0], next((one for one in letters if one.part == FOLLOW_UP), None)
    return {
        "letter_to": first.recipient,
        "letter_at": first.sent_at,
        "letter_reason": letters[-1].reason,
        "reminded_at": reminder.sent_at if reminder else None,
        "evidence": ", ".join(first.evidence),
    }


def _groups(parcel: Parcel) -> list[tuple[list[ProblemRow], list[ClaimRow]]]:
    """The parcel's problems, those that share a claim together, with their claims."""
    groups: list[tuple[set[int], set[int]]] = []
    for problem in parcel.problems:
        ids, claims = {problem.id}, {c for c, problems in parcel.claim_problems.items() if problem.id in problems}
        for group in [one for one in groups if one[1] & claims]:
            groups.remove(group)
            ids, claims = ids | group[0], claims | group[1]
        groups.append((ids, claims))
    return [
        ([p for p in parcel.problems if p.id in ids], [c for c in parcel.claims if c.id in claims])
        for ids, claims in groups
    ]


def _wording(parcel: Parcel, problem: ProblemRow, desk: Desk) -> str | None:
    """The kind that words the reasons about this problem; none for a return of which no claim can come."""
    terms = desk.terms.get(parcel.context.carrier)
    offer = offer_for(ProblemKind.RETURNED, False, terms) if terms else None
    if problem.kind is ProblemKind.RETURNING and (offer is None or problem.cause in offer.not_causes):
        return None
    return problem.kind.value


def _code(alert: AlertRow, whole: Whole | None) -> str | None:
    """The tracking code of the parcel that an alert is about."""
    contexts = [parcel.context for parcel in whole.story.parcels] if whole else []
    shipment = alert.details.get("shipment_id")
    return next((one.tracking_code for one in contexts if one.shipment_id == shipment), None)


def _asked(facts: Mapping[str, Any]) -> dict[str, str]:
    """What a reopening is asked as: the log holds it as `211 refund (contest)`."""
    found = _REOPENED_AS.fullmatch(str(facts.get("reopened_as") or ""))
    return found.groupdict() if found else {}


def _of_problem(decision: Decision) -> bool:
    return decision.facts.get("problem_id") is not None


def _in_order(said: Iterable[Said]) -> tuple[Said, ...]:
    return tuple(sorted(said, key=lambda one: one.at.timestamp() if one.at else 0.0))

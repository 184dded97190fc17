"""Every decision that the code can log has its sentence in both languages, and nobody logs a rule that is not listed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from carriers.base import ProblemKind
from tracker.claims.gates import WHY_HELD, WhyHeld
from tracker.domain import claim_moves, claim_plan, detection, hand, incidents, notices, restoring
from tracker.domain.claim_plan import WhyNot
from tracker.domain.notices import NOT_LIVE, WhyNotTold
from tracker.domain.words import CLOSED, CLOSED_REASONS, ClaimState, DeliveryState, Hold
from tracker.messages import bounce_sweep, compose, going_live, planning, text_watch
from tracker.messages.compose import WhyWithheld
from tracker.polling import deadlines
from tracker.reports import words_pt
from tracker.reports.story import LANGUAGES
from tracker.reports.story_words import Language, places
from tracker.reports.words_en import WORDS

ROOT = Path(__file__).parents[2]
FILES = {"pt-BR": "tracker/reports/story_pt.py", "en": "tracker/reports/story_en.py"}
WITHHELD = {
    WhyWithheld.TOO_OLD: DeliveryState.EXPIRED,
    WhyWithheld.NO_SHOP: DeliveryState.AWAITING_PERSON,
    WhyWithheld.NO_LONGER_TRUE: DeliveryState.SUPPRESSED,
    WhyWithheld.ORDER_SILENT: DeliveryState.SUPPRESSED,
    WhyWithheld.STALE_NEWS: DeliveryState.QUEUED,
    WhyWithheld.DELAY_FIRST: DeliveryState.QUEUED,
    WhyWithheld.MUTED: DeliveryState.AWAITING_PERSON,
    WhyWithheld.ADDRESS_CHANGED: DeliveryState.QUEUED,
    WhyWithheld.ADDRESS_SUPPRESSED: DeliveryState.SUPPRESSED,
    WhyWithheld.OBSERVE: DeliveryState.AWAITING_PERSON,
    WhyWithheld.BROKEN_TEXT: DeliveryState.AWAITING_PERSON,
    WhyWithheld.BAD_ADDRESS: DeliveryState.BOUNCED,
}
Name = tuple[str, str, str]
"""Rule, outcome, code of the reason."""


def file_of(language: Language, name: Name) -> str:
    """Where the sentence of this name belongs."""
    return FILES[language.code].replace("story_", "story_now_" if name[0].startswith(("now.", "alert.")) else "story_")


def detected() -> Iterator[Name]:
    for rule in detection.RULE_VERSIONS:
        yield from ((rule, outcome, "") for outcome in ("opened", "changed"))
    yield from ((detection.ENDED, "resolved", resolution) for resolution in detection.RESOLUTIONS)


def claimed() -> Iterator[Name]:
    yield from ((claim_plan.RULE, outcome, "") for outcome in ("planned", "replanned", "cancelled"))
    yield from ((claim_plan.RULE, "not_claimed", why.value) for why in WhyNot)
    yield from ((rule, "", "") for rule in claim_moves.RULE_VERSIONS)
    yield from ((f"claim.hold.{WHY_HELD[why][0].value}", "held", why.value) for why in WhyHeld)


def told() -> Iterator[Name]:
    for rule in notices.RULE_VERSIONS:
        yield rule, "queued", ""
        held = (Hold.OBSERVE, Hold.BEFORE_LIVE, Hold.MUTED, Hold.RESTORED)
        yield from ((rule, "held", hold.value) for hold in held)
        for why in WhyNotTold:
            yield rule, "postponed" if why in notices.POSTPONES else "not_told", why.value
    yield from ((compose.RULE, state.value, "") for state in DeliveryState if state is not DeliveryState.SENDING)
    yield from ((compose.RULE, WITHHELD[why].value, why.value) for why in WhyWithheld)


def elsewhere() -> Iterator[Name]:
    yield from ((rule, "", "") for rule in hand.RULE_VERSIONS)
    yield from ((CLOSED, "closed", reason) for reason in CLOSED_REASONS)
    yield text_watch.RULE, "", ""
    yield restoring.MESSAGE_RULE, "held", ""
    yield planning.READDRESSED, "", ""
    yield from ((bounce_sweep.RULE, outcome, "") for outcome in ("bounced", "delayed", "complained"))
    yield going_live.RULE, "queued", ""
    yield from ((going_live.RULE, "held", hold.value) for hold in NOT_LIVE)
    yield from ((deadlines.RULE, outcome, "") for outcome in ("named", "missing", "refused"))
    yield from ((rule, "joined", "") for rule in incidents.RULE_VERSIONS)


def standing() -> Iterator[Name]:
    yield from (("now.claim", state.value, "") for state in ClaimState)
    yield from (("now.claim", ClaimState.WAITING_APPROVAL.value, hold.value) for hold in Hold)
    yield from (("now.message", state.value, "") for state in DeliveryState)
    yield "now.message", DeliveryState.AWAITING_PERSON.value, Hold.RESTORED.value
    yield from (("now.problem", state, "") for state in ("open", "resolved", "unclaimed", "untold"))
    yield from (("now.shipment", state, "") for state in ("polled", "closed", "unread", "told"))


def expected() -> Iterator[Name]:
    """Families that rules of other releases fall under."""
    yield from ((f"{kind.value}.any_rule", "opened", "") for kind in ProblemKind)
    yield from ((f"claim.{rule}", "held", "") for rule in ("reopen", "reopened_late", "contract", "switch_motive"))
    yield "alert.of_any_kind", "", ""


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))
@pytest.mark.parametrize("names", [detected, claimed, told, elsewhere, standing, expected], ids=lambda f: f.__name__)
def test_every_decision_has_its_sentence(language: Language, names: object) -> None:
    missing = [
        f'{file_of(language, name)}: add "{"/".join(part for part in name if part)}"'
        for name in names()  # type: ignore[operator]
        if language.key(*name) is None
    ]
    assert missing == []


def test_reasons_have_their_own_sentence_and_not_only_their_rules() -> None:
    own = [*claimed(), *(name for name in told() if name[0] != compose.RULE), *elsewhere(), *detected()]
    codes = {*WhyNot, *WhyNotTold, *CLOSED_REASONS, *detection.RESOLUTIONS}
    for language in LANGUAGES.values():
        short = [name for name in own if name[2] in codes and not (language.key(*name) or "").endswith(f"/{name[2]}")]
        assert [f"{FILES[language.code]}: add {'/'.join(name)}" for name in short] == []


def test_both_languages_say_the_same_of_the_same_facts() -> None:
    portuguese, english = (language.sentences for language in LANGUAGES.values())
    assert set(portuguese) ^ set(english) == set()
    assert [key for key, text in portuguese.items() if places(text) != places(english[key])] == []
    assert {name: set(words) for name, words in LANGUAGES["pt-BR"].words.items()} == {
        name: {str(word) for word in words} for name, words in WORDS.items()
    }


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))
def test_every_sentence_can_be_read(language: Language) -> None:
    for key, text in language.sentences.items():
        rest = re.sub(r"\{[?!]?\w+(:\w+)?\}", "", text)
        assert not set("{}") & set(rest), f"{FILES[language.code]}: {key}: a place that cannot be read"
        assert rest.count("[") == rest.count("]") and not re.search(r"\[[^\]]*\[", rest), f"{key}: brackets"
        forms = {form for _, _, form in re.findall(r"\{([?!]?)(\w+):(\w+)\}", text)}
        assert forms <= {"day", "date", "time", "business_days", "days", "holidays", "quote", *language.words}, key


def test_what_is_not_done_has_its_short_form_on_the_screen() -> None:
    assert {str(why) for why in words_pt.WHY} == {*WhyNot, *WhyNotTold}


# --- nobody logs what is not listed -----------------------------------------------------------------

LISTED = {
    *detection.RULE_VERSIONS,
    detection.ENDED,
    claim_plan.RULE,
    *claim_moves.RULE_VERSIONS,
    *notices.RULE_VERSIONS,
    *incidents.RULE_VERSIONS,
    compose.RULE,
    text_watch.RULE,
    restoring.MESSAGE_RULE,
    planning.READDRESSED,
    bounce_sweep.RULE,
    going_live.RULE,
    deadlines.RULE,
    CLOSED,
    *hand.RULE_VERSIONS,
}
PLACE = {"Move": 1, "Finding": 1, "DecisionNote": 3}
"""Which argument of a call is the rule."""


def literals(node: ast.expr) -> Iterator[str]:
    """The rule names that this expression may be; one with parts to fill in as `begins*`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        first = node.values[0]
        yield f"{first.value}*" if isinstance(first, ast.Constant) else "*"
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))


def logged() -> Iterator[tuple[str, str]]:
    """Where (file and line) which rule is written out in a call that makes a decision."""
    for path in sorted((ROOT / "tracker").rglob("*.py")):
        if path.parent.name in {"config", "demo"}:
            continue  # their Finding is another
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PLACE):
                continue
            named = [keyword.value for keyword in node.keywords if keyword.arg == "rule"]
            place = PLACE[node.func.id]
            for rule in [*named, *node.args[place : place + 1]]:
                yield from ((f"{path.relative_to(ROOT)}:{node.lineno}", name) for name in literals(rule))


def test_every_rule_that_is_written_out_is_listed_in_its_room() -> None:
    found = list(logged())
    assert len(found) > 30
    unknown = [
        f"{where}: add {rule!r} to RULE_VERSIONS of its room"
        for where, rule in found
        if rule not in LISTED and not (rule.endswith("*") and any(one.startswith(rule[:-1]) for one in LISTED))
    ]
    assert unknown == []


def test_every_way_a_problem_ends_is_listed() -> None:
    room = [
        (ROOT / f"tracker/domain/detection/{name}.py").read_text(encoding="utf-8") for name in ("episodes", "orders")
    ]
    nodes = [node for text in room for node in ast.walk(ast.parse(text))]
    endings = [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name.startswith("_end")]
    said = {
        node.value
        for ending in endings
        for returned in ast.walk(ending)
        if isinstance(returned, ast.Return) and returned.value is not None
        for node in literals_of(returned.value.elts[1] if isinstance(returned.value, ast.Tuple) else returned.value)
    }
    assert said and said <= detection.RESOLUTIONS


def literals_of(node: ast.expr) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Constant):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from (*literals_of(node.body), *literals_of(node.orelse))


def test_every_reason_to_stop_asking_is_listed() -> None:
    tree = ast.parse((ROOT / "tracker/polling/schedule.py").read_text(encoding="utf-8"))
    said = {
        node.args[1].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Next"
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    }
    assert said and said <= set(CLOSED_REASONS)


def test_every_token_of_an_email_has_its_words() -> None:
    said = set()
    for path in ("tracker/domain/outcome.py", "tracker/messages/smtp.py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"Outcome": 1, "_set_up": 0, "_not_there": 0}.get(node.func.id)
                if place is not None:
                    said |= {token for arg in node.args[place : place + 1] for token in literals(arg)}
    assert said - {"accepted", "ready"} <= set(words_pt.SMTP)

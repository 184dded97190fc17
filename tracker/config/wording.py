"""Says in one sentence what pydantic found, and what to do: never with the value, which may be a secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tracker.config.yaml_file import Finding, Loc

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("is required", "add it"),
    "string_type": ("must be text", "write it in quotes"),
    "string_too_short": ("must not be empty", "write the text"),
    "string_too_long": ("is too long", "at most {max_length} characters"),
    "int_type": ("must be a whole number", "such as 5"),
    "int_parsing": ("must be a whole number", "such as 5"),
    "int_from_float": ("must be a whole number", "such as 5"),
    "float_type": ("must be a number", "such as 2.5"),
    "float_parsing": ("must be a number", "such as 2.5"),
    "bool_type": ("must be true or false", "write one of them without quotes"),
    "bool_parsing": ("must be true or false", "write one of them without quotes"),
    "greater_than": ("is too small", "more than {gt}"),
    "greater_than_equal": ("is too small", "at least {ge}"),
    "less_than": ("is too large", "less than {lt}"),
    "less_than_equal": ("is too large", "at most {le}"),
    "too_short": ("has too few entries", "at least {min_length}"),
    "too_long": ("has too many entries", "at most {max_length}"),
    "model_type": ("must be a block of keys", "key: value, indented below it"),
    "model_attributes_type": ("must be a block of keys", "key: value, indented below it"),
    "dict_type": ("must be a block of keys", "key: value, indented below it"),
    "tuple_type": ("must be a list", "[one, two], or lines that begin with -"),
    "list_type": ("must be a list", "[one, two], or lines that begin with -"),
    "union_tag_not_found": ("has no kind", "add kind: as config.example.yaml shows"),
    "path_type": ("must be a path", "write it in quotes"),
    "date_from_datetime_parsing": ("is not a day of the calendar", "write YYYY-MM-DD, such as 2026-12-01"),
    "zoneinfo_str": ("is not a time zone", "such as America/Sao_Paulo"),
}


ONE: Final = "(one)"
SEVERAL: Final = "(several)"
"""Tags of a value that may be one block or a list of them."""
_NOT_IN_THE_FILE: Final = {"[key]", ONE, SEVERAL}
"""Parts of pydantic's paths that no file has: a mapping's key itself, and which form of a value was written."""


def findings(
    error: ValidationError,
    model: type[BaseModel],
    prefix: Loc = (),
    extra_keys: Mapping[Loc, Iterable[str]] | None = None,
) -> Iterator[Finding]:
    """Every fault of a validation.

    Args:
        model: what was validated; its field names are what an unknown key is compared with.
        prefix: where in the file the validated block stands.
        extra_keys: keys that are known beside the model's, by place within the block.
    """
    details = error.errors(include_url=False, include_context=True)
    for detail in details:
        told = tuple(part for part in detail["loc"] if part not in _NOT_IN_THE_FILE)
        loc, _ = _followed(model, told)
        if detail["type"] == "default_factory_not_called":
            continue  # only says that another key, which has its own fault, was needed for this default
        if detail["type"] == "too_short" and any(_within(one["loc"], detail["loc"]) for one in details):
            continue  # entries with faults are not counted
        if detail["type"] == "union_tag_invalid":
            loc = (*loc, "kind")
        if detail["type"] == "extra_forbidden":
            allowed = {*known_keys(model, told[:-1]), *(extra_keys or {}).get(loc[:-1], ())}
            yield Finding((*prefix, *loc), "unknown key", closest(str(loc[-1]), allowed))
        else:
            yield Finding((*prefix, *loc), *_sentence(detail))


def _within(loc: Loc, block: Loc) -> bool:
    return len(loc) > len(block) and loc[: len(block)] == block


def closest(word: str, known: Iterable[str]) -> str:
    """Advice for a word that is not one of `known`."""
    among = sorted(known)
    near = get_close_matches(word.lower(), among, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(among) or 'nothing'}"


def _sentence(detail: ErrorDetails) -> tuple[str, str]:
    """(what is wrong, what to do)."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        # Our own checks end with their advice in brackets already; a stranger's adapter may not.
        return str(context["error"]).strip(), ""
    if kind in {"literal_error", "enum"}:
        return "must be " + str(context["expected"]).replace("'", ""), _near_choice(detail, str(context["expected"]))
    if kind == "union_tag_invalid":
        return "must be one of " + str(context["expected_tags"]).replace("'", ""), "write one of them"
    if kind in _KINDS:
        what, advice = _KINDS[kind]
        limits = {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in context.items()}
        return what, advice.format_map(limits)
    return detail["msg"][:1].lower() + detail["msg"][1:], "see config.example.yaml"


def _near_choice(detail: ErrorDetails, expected: str) -> str:
    choices = [choice.strip(" '") for choice in expected.replace(" or ", ",").split(",")]
    near = get_close_matches(str(detail["input"]).lower(), choices, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else "write one of them"


def known_keys(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that the block at `loc` of this model may have, by their names in the file."""
    _, models = _followed(model, loc)
    return {field.alias or name for m in models for name, field in m.model_fields.items()}


def _followed(model: type[BaseModel], loc: Iterable[str | int]) -> tuple[Loc, list[type[BaseModel]]]:
    """`loc` as the file has it, and the models of the block there.

    Of several kinds in one place pydantic names the one that the file chose, and such a name may be a key of another kind.
    """
    models = [model]
    kept: Loc = ()
    for part in loc:
        kinds = [m for m in models if "kind" in m.model_fields]
        if isinstance(part, str) and len(models) > 1 and len(kinds) == len(models):
            chosen = [m for m in kinds if part in get_args(m.model_fields["kind"].annotation)]
            if chosen:
                models = chosen
                continue
        kept = (*kept, part)
        fields = [field for m in models for name, field in m.model_fields.items() if part in (name, field.alias)]
        # A place in a list or a key of the user's own: the annotation around it already named the models.
        models = [m for field in fields for m in _models_in(field.annotation)] if fields else models
    return kept, models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]

"""`tracker templates check` and `vars`: what is wrong with the texts, and what they may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracker.cli.common import ConfigOption, JsonOption, echo_json, load_or_exit
from tracker.cli.opened import refuse

if TYPE_CHECKING:
    from tracker.messages.variables import Variable

templates = typer.Typer(no_args_is_help=True, help="The texts of the messages.")
FRAME = "layout"


@templates.command("check")
def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Lint every text: file, line, what is wrong, what to do; exit 1 where a text cannot be used."""
    from tracker.config.check import as_json as document
    from tracker.texts import text_count, text_faults, text_hints

    loaded = load_or_exit(config, strict=False, talks=False)
    faults, hints = text_faults(loaded), text_hints(loaded)
    if as_json:
        shown = {"faults": [document(fault) for fault in faults], "hints": [document(hint) for hint in hints]}
        echo_json({"ok": not faults, "texts": text_count(loaded), **shown})
    else:
        for fault in faults:
            typer.echo(str(fault), err=True)
        for hint in hints:
            typer.echo(f"hint      {hint}")
        if not faults:
            folder = loaded.settings.messages.templates
            typer.echo(
                f"{folder}: {text_count(loaded)} texts, no faults; what is not there comes from the packaged ones"
            )
    if faults:
        raise typer.Exit(1)


@templates.command("vars")
def variables(
    trigger: Annotated[str, typer.Argument(help="Whose text, such as delay_detected; layout is the frame around all.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what a trigger's text may use: required and optional, with an example and a meaning each."""
    from tracker.messages.variables import LAYOUT_ONLY, TRIGGERS

    if config is not None:
        # Nothing in it matters here; one that is named must be one.
        load_or_exit(config, strict=False, talks=False)
    name = trigger.strip().lower()
    if name == FRAME:
        # A frame stands around every text: it has what each of them has, and the text itself.
        known = list(TRIGGERS.values())
        common = set.intersection(*(set(one.by_name) for one in known))
        required = [*LAYOUT_ONLY, *known[0].required]
        optional = [variable for variable in known[0].optional if variable.name in common]
    else:
        described = TRIGGERS[trigger_with_text(trigger)]
        required, optional = list(described.required), list(described.optional)
    rows = [*(_row(one, True) for one in required), *(_row(one, False) for one in optional)]
    if as_json:
        echo_json({"trigger": name, "variables": rows})
        return
    from tracker.reports.tables import rows as lines

    cells = [
        [row["name"], "required" if row["required"] else "optional", row["example"], row["meaning"]] for row in rows
    ]
    for line in lines(["variable", "", "example", "meaning"], cells):
        typer.echo(line)


def _row(variable: Variable, is_required: bool) -> dict[str, Any]:
    from tracker.messages.variables import example_in

    return {
        "name": variable.name,
        "required": is_required,
        "kind": variable.kind.value,
        "example": example_in(variable, "pt-BR"),
        "meaning": variable.meaning,
    }


def trigger_with_text(given: str) -> str:
    """The trigger as the texts know it; ends the command where there is none."""
    from difflib import get_close_matches

    from tracker.domain.words import Trigger
    from tracker.messages.variables import TRIGGERS
    from tracker.reports.list_words import coded

    plain = given.strip().lower().replace("-", "_")
    word = coded("messages.trigger", given.strip()) or plain
    known = ", ".join(TRIGGERS)
    if word not in set(Trigger):
        near = get_close_matches(plain, TRIGGERS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        refuse(f"{given}: there is no such trigger ({hint}known: {known})")
    if word not in TRIGGERS:
        refuse(f"{given}: nothing fires it in this release, so it has no text (those with one: {known})")
    return word

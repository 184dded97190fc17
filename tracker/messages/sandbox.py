"""Merchants' templates made safe: a small part of Jinja2, checked before anything runs.

Jinja2's own sandbox stops escapes (str.format, attr, globals) but is no limit on work: `'a' * 50000000` or a loop in a loop
would run. So a template is parsed, walked against a list of what is allowed, and only then compiled: `{{ name }}`,
`{% if %}`, `{% for x in list %}` over a declared list, and a handful of filters. The walk also knows which variables may be
absent and refuses to print one outside an `{% if %}`, so that a gap is found when the template is saved and not in a crisis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tracker.messages.variables import TRIGGERS, Kind, TriggerVariables, Variable

MAX_TEMPLATE = 64 * 1024
MAX_DEPTH = 20
_LOOP_FACTS = frozenset({"first", "last", "index", "length"})
_FILTER_ARGUMENTS: Mapping[str, int] = {
    "upper": 0,
    "lower": 0,
    "capitalize": 0,
    "title": 0,
    "trim": 0,
    "escape": 0,
    "e": 0,
    "length": 0,
    "join": 1,
    "default": 1,
}
_WORDS_QUOTES = re.compile("[“”„‘’‚«»]")
"""What word processors make of quotation marks; inside `{{ }}` they are none at all."""
# A line of tags alone leaves no empty line behind. Jinja2's own trim_blocks also joins a line that merely ends in a tag to
# the next one, which nobody who edits a letter expects. The line break moves into a comment: faults keep their line.
_TAGS_ALONE = re.compile(r"^([ \t]*(?:\{%(?:(?!%\}).)*%\}[ \t]*)+)\r?\n", re.MULTILINE)
_LIST_FILTERS = frozenset({"join", "length"})


class TemplateFault(Exception):
    """A template that cannot be used: what is wrong (`message`) and what to do (`advice`), in the merchant's language."""

    def __init__(self, file: str, line: int, message: str, advice: str = "") -> None:
        super().__init__(f"{file}:{line}: {message}" + (f" ({advice})" if advice else ""))
        self.file = file
        self.line = line
        self.message = message
        self.advice = advice

    @property
    def place(self) -> tuple[str, int, str]:
        """What makes it another fault than the next one, and their order."""
        return self.file, self.line, self.message


class AbsentValue(Exception):
    """Something without a value was about to be printed."""


Stream = Callable[[Mapping[str, Any]], Any]
"""Takes a context and gives the rendered pieces one after another, so that the reader can stop at its limit."""


def _default(value: object, fallback: str) -> object:
    """Unlike Jinja2's own, also for what is absent (None) or empty."""
    return value if value else fallback


def _printable(value: object) -> object:
    if value is None or isinstance(value, bool):
        raise AbsentValue
    return value


def _environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=html, undefined=StrictUndefined, lstrip_blocks=True, finalize=_printable
    )
    environment.globals.clear()
    environment.filters = {name: FILTERS[name] for name in _FILTER_ARGUMENTS} | {"default": _default}
    environment.tests = {name: environment.tests[name] for name in ("none",)}
    return environment


_TEXT = _environment(html=False)
_HTML = _environment(html=True)


def compiled(
    source: str, *, file: str, html: bool, known: TriggerVariables, extra: tuple[Variable, ...] = ()
) -> Stream:
    """Check and compile one template for one trigger.

    *extra* are further variables that are always there. Raises TemplateFault at the first thing that is not allowed.
    """
    stream, faults = checked(source, file=file, html=html, known=known, extra=extra)
    if stream is None:
        raise faults[0]
    return stream


def checked(
    source: str, *, file: str, html: bool, known: TriggerVariables, extra: tuple[Variable, ...] = ()
) -> tuple[Stream | None, list[TemplateFault]]:
    """Like `compiled`, with everything that is not allowed; what Jinja2 cannot read ends at its first fault."""
    if len(source.encode()) > MAX_TEMPLATE:
        return None, [TemplateFault(file, 1, f"o modelo passa de {MAX_TEMPLATE // 1024} KiB", "encurte-o")]
    environment = _HTML if html else _TEXT
    try:
        tree = environment.parse(_TAGS_ALONE.sub(r"\1{#\n#}", source))
        checker = _Checker(file, known, extra)
        checker.statements(tree.body, frozenset(), 0)
        if checker.faults:
            return None, sorted(checker.faults, key=lambda fault: fault.line)
        # From the checked tree itself: nothing is read twice.
        return environment.from_string(tree).generate, []
    except TemplateSyntaxError as exc:
        advice = "confira se cada {{ e cada {% se fecha, e se cada if e for tem o seu fim"
        if _WORDS_QUOTES.search(exc.message or ""):
            advice = "aspas curvas, que os editores de texto põem sozinhos: troque-as por aspas retas, \" ou '"
        return None, [TemplateFault(file, exc.lineno, f"erro de sintaxe: {exc.message}", advice)]
    except (RecursionError, MemoryError, ValueError, SyntaxError):
        # Far too many brackets, a number of thousands of digits: nothing a text for a customer needs.
        return None, [TemplateFault(file, 1, "o modelo é complicado demais para ser lido", "simplifique-o")]


class _Checker:
    """Walks one template and gathers its faults. `sure` is the set of names known to have a value at that point."""

    def __init__(self, file: str, known: TriggerVariables, extra: tuple[Variable, ...]) -> None:
        self._file = file
        self._names = {**known.by_name, **{variable.name: variable for variable in extra}}
        self._always = known.required_names | {variable.name for variable in extra}
        self._item: str | None = None
        self.faults: list[TemplateFault] = []

    def statements(self, body: list[nodes.Node], sure: frozenset[str], depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TemplateFault(self._file, body[0].lineno if body else 1, "blocos demais um dentro do outro")
        for node in body:
            if isinstance(node, nodes.Output):
                for piece in node.nodes:
                    self._noted(self._output, piece, sure, depth)
            elif isinstance(node, nodes.If):
                self._noted(self._if, node, sure, depth)
            elif isinstance(node, nodes.For):
                self._noted(self._for, node, sure, depth)
            else:
                self.faults.append(self._refused(node))

    def _noted(self, check: Callable[..., None], *arguments: Any) -> None:
        """One fault ends its own piece of the text, not the look at the others."""
        try:
            check(*arguments)
        except TemplateFault as fault:
            self.faults.append(fault)

    def _output(self, piece: nodes.Expr, sure: frozenset[str], depth: int) -> None:
        if isinstance(piece, nodes.TemplateData):
            return
        self._expression(piece, depth)
        if isinstance(piece, nodes.Name) and self._is_list(piece):
            raise self._fault(piece, f"'{piece.name}' é uma lista", "use {% for %} ou o filtro join")
        absent = self._absent(piece, sure)
        if absent is not None:
            raise self._fault(piece, *absent)

    def _if(self, node: nodes.If, sure: frozenset[str], depth: int) -> None:
        self._noted(self._expression, node.test, depth)
        self.statements(node.body, sure | _sure_if(node.test, True), depth + 1)
        sure |= _sure_if(node.test, False)
        for other in node.elif_:
            self._noted(self._expression, other.test, depth)
            self.statements(other.body, sure | _sure_if(other.test, True), depth + 1)
            sure |= _sure_if(other.test, False)
        self.statements(node.else_, sure, depth + 1)

    def _for(self, node: nodes.For, sure: frozenset[str], depth: int) -> None:
        simple = node.test is None and not node.recursive and isinstance(node.target, nodes.Name)
        if not simple or not isinstance(node.iter, nodes.Name) or not self._is_list(node.iter):
            raise self._fault(
                node, "{% for %} só percorre uma variável de lista", "como em {% for codigo in rastreios %}"
            )
        if self._item is not None:
            raise self._fault(node, "um {% for %} não pode ficar dentro de outro")
        assert isinstance(node.target, nodes.Name)
        if node.target.name in self._names or node.target.name == "loop":
            raise self._fault(node, f"'{node.target.name}' já é o nome de uma variável", "use outro nome")
        self._item = node.target.name
        self.statements(node.body, sure | {node.target.name}, depth + 1)
        self._item = None
        self.statements(node.else_, sure, depth + 1)

    def _expression(self, node: nodes.Node, depth: int) -> None:
        """Everything in an expression is on the list, or it is refused."""
        if depth > MAX_DEPTH:
            raise self._fault(node, "expressões demais uma dentro da outra")
        if isinstance(node, nodes.Name):
            if node.name not in self._names and node.name != self._item:
                raise self._fault(node, f"variável desconhecida: '{node.name}'", self._near(node.name))
        elif isinstance(node, nodes.Getattr):
            self._loop_fact(node)
        elif isinstance(node, nodes.Filter):
            self._filter(node, depth)
        elif isinstance(node, nodes.Test):
            if node.name != "none" or node.args or node.kwargs:
                raise self._refused(node)
            self._expression(node.node, depth + 1)
        elif isinstance(node, nodes.Const | nodes.And | nodes.Or | nodes.Not | nodes.CondExpr | nodes.Compare):
            for child in node.iter_child_nodes():
                self._expression(child, depth + 1)
        elif isinstance(node, nodes.Operand) and node.op not in ("in", "notin"):
            self._expression(node.expr, depth + 1)
        else:
            raise self._refused(node)

    def _loop_fact(self, node: nodes.Getattr) -> None:
        inside = self._item is not None and isinstance(node.node, nodes.Name) and node.node.name == "loop"
        if not inside or node.attr not in _LOOP_FACTS:
            raise self._fault(node, f"'.{node.attr}' não é permitido", "as variáveis são textos prontos")

    def _filter(self, node: nodes.Filter, depth: int) -> None:
        allowed = _FILTER_ARGUMENTS.get(node.name)
        if allowed is None or node.node is None:
            names = ", ".join(sorted(_FILTER_ARGUMENTS))
            raise self._fault(node, f"filtro não permitido: '{node.name}'", f"há: {names}")
        plain = all(isinstance(argument, nodes.Const) and isinstance(argument.value, str) for argument in node.args)
        exact = len(node.args) == allowed or (node.name == "join" and not node.args)
        if node.kwargs or node.dyn_args or node.dyn_kwargs or not plain or not exact:
            raise self._fault(node, f"o filtro '{node.name}' não aceita esses argumentos")
        if (node.name in _LIST_FILTERS) != self._is_list(node.node):
            raise self._fault(node, f"o filtro '{node.name}' não serve para esta variável")
        self._expression(node.node, depth + 1)

    def _absent(self, node: nodes.Node, sure: frozenset[str]) -> tuple[str, str] | None:
        """Why printing *node* could print nothing sensible and what to do, or None where it always has a value."""
        if isinstance(node, nodes.Name):
            if node.name in self._always or node.name in sure:
                return None
            return f"'{node.name}' pode faltar", f"escreva dentro de {{% if {node.name} %}} ... {{% endif %}}"
        if isinstance(node, nodes.Filter):
            if node.name in ("default", "join", "length") or node.node is None:
                return None
            return self._absent(node.node, sure)
        if isinstance(node, nodes.Or):
            return self._absent(node.right, sure)
        if isinstance(node, nodes.CondExpr):
            if node.expr2 is None:
                return "falta o 'else' da expressão", "diga também o que escrever no outro caso"
            first = self._absent(node.expr1, sure | _sure_if(node.test, True))
            return first or self._absent(node.expr2, sure | _sure_if(node.test, False))
        if isinstance(node, nodes.Getattr) and node.attr in ("index", "length"):
            return None
        if isinstance(node, nodes.Const) and isinstance(node.value, str | int) and not isinstance(node.value, bool):
            return None
        return "isto é uma condição, não um texto", "use {% if %}"

    def _is_list(self, node: nodes.Node) -> bool:
        variable = self._names.get(node.name) if isinstance(node, nodes.Name) else None
        return variable is not None and variable.kind is Kind.LIST

    def _near(self, name: str) -> str:
        elsewhere = [trigger for trigger, known in TRIGGERS.items() if name in known.by_name]
        near = get_close_matches(name.lower(), self._names, n=1, cutoff=0.6)
        if near and not elsewhere:
            return f"talvez {near[0]}?"
        only = f"só existe em {', '.join(elsewhere)}; " if elsewhere else ""
        return f"{only}aqui há: {', '.join(sorted(self._names))}"

    def _fault(self, node: nodes.Node, message: str, advice: str = "") -> TemplateFault:
        return TemplateFault(self._file, node.lineno or 1, message, advice)

    def _refused(self, node: nodes.Node) -> TemplateFault:
        kind = type(node).__name__
        return self._fault(node, f"construção não permitida: {kind}", "use só {{ variavel }}, {% if %} e {% for %}")


def _sure_if(test: nodes.Node, truth: bool) -> frozenset[str]:
    """The names that certainly have a value when *test* turned out as *truth*."""
    if isinstance(test, nodes.Name):
        return frozenset({test.name}) if truth else frozenset()
    if isinstance(test, nodes.Not):
        return _sure_if(test.node, not truth)
    if isinstance(test, nodes.And | nodes.Or):
        left, right = _sure_if(test.left, truth), _sure_if(test.right, truth)
        # "a and b" being true vouches for both; "a or b" being true only for what both sides vouch for.
        return left | right if isinstance(test, nodes.And) is truth else left & right
    if isinstance(test, nodes.Test) and isinstance(test.node, nodes.Name):
        return frozenset() if truth else frozenset({test.node.name})
    return frozenset()

"""Make the command of a declared question: its options, its call, and the print of its view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from tariffs.client.cli import options, outputs
from tariffs.client.cli.commands import Output, UnderLaw, option_parameter, signed, taking
from tariffs.client.cli.help_pages import QUESTION
from tariffs.client.cli.render.notes import print_footer
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.client import Client
from tariffs.questions.index import INDEX
from tariffs.questions.question import LAW, REQUIRED, Asked, Kind, Question
from tariffs.questions.view import Bars, Entry, Gap, Grid, Named, OpenFacts, Part, Said, Width
from tariffs.run_spec.spec import OPTIONS

_OPENED = "Facts that would change the answer (--fact NAME=VALUE):"
_LISTS = {Kind.COUNTRIES, Kind.CLAIMS, Kind.FACTS}
_WIDE = "wide"


def asking(name: str) -> tuple[Callable[..., Output], str]:
    """Make the command of a question, and the examples of its help."""
    question = INDEX[name].question

    def run(client: Client, wide: bool = False, **given: Any) -> Output:
        asked = dict(_asked(question, given))
        named = {one.name for one in question.asked}
        law = {key: value for key, value in given.items() if key in LAW}
        answer = getattr(client, name)(**{key: value for key, value in asked.items() if key in named}, **law)
        document = outputs.document(name, answer.to_json_dict())
        width: Width = "wide" if wide else "narrow"
        return Output(document, lambda: _print(question.view(answer, answer.asked, width), answer))

    run.__doc__ = f"{question.summary}\n\n{question.about}"
    law = [OPTIONS[one] for one in question.law if one != "law_version"]
    own = [each for one in question.asked for each in _parameters(one)]
    wide = Parameter(_WIDE, Parameter.KEYWORD_ONLY, default=False, annotation=options.Wide)
    first = [Parameter("client", Parameter.POSITIONAL_OR_KEYWORD, annotation=UnderLaw), *own, wide]
    rest = Parameter("given", Parameter.VAR_KEYWORD)
    signed(run, [*first, rest], Output)
    return taking(run, law, [option_parameter(one) for one in law]), options.examples(*question.examples)


def _parameters(one: Asked) -> Iterator[Parameter]:
    """Make the parameters that Typer reads for one thing that is asked."""
    if one.kind is Kind.HTS:
        yield _parameter(
            one.name,
            Parameter.empty,
            str,
            typer.Argument(metavar=one.metavar, help=one.text, rich_help_panel=QUESTION),
        )
        return
    for fact in one.own_flags:
        yield from _parameters(fact)
    names = [one.option, *(["-s"] if one.kind is Kind.SCENARIOS else [])]
    kind: Any = list[str] | None if one.kind in {*_LISTS, Kind.SCENARIOS} else str | None
    default = "" if one.default is REQUIRED else None if one.default in (None, ()) else str(one.default)
    if one.kind is Kind.TABLE:
        kind = Path | None
    yield _parameter(
        one.name,
        default,
        kind,
        typer.Option(*names, metavar=one.metavar, help=one.text, rich_help_panel=QUESTION),
    )


def _parameter(name: str, default: Any, kind: Any, option: Any) -> Parameter:
    annotated: Any = Annotated
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotated[kind, option])


def _asked(question: Question[Any], given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Take what is asked from what is given, each value by its kind; what is not given is left to the client."""
    for one in question.asked:
        facts = {fact.name: given.pop(fact.name) for fact in one.own_flags}
        value = given.pop(one.name)
        if one.kind is Kind.FACTS:
            known = {name: text for name, text in facts.items() if text is not None}
            yield one.name, options.pairs(value, one.option, known)
        elif value in (None, []):
            continue
        elif one.kind is Kind.CLAIMS:
            yield one.name, options.pairs(value, one.option)
        elif one.kind is Kind.COUNTRIES:
            named = options.keys(value)
            yield one.name, () if named == ["all"] else named
        else:
            yield one.name, value


def _print(parts: Iterable[Part], answer: Any) -> None:
    out = console()
    for part in parts:
        _DRAW[type(part)](out, part)
    print_footer(out, answer.provenance)


def _said(out: Console, part: Said) -> None:
    head = f"[bold]{escape(part.scenario)}[/bold]: " if part.scenario else ""
    for place, text in enumerate(part.sentences):
        line = escape(text)
        out.print(f"[dim]{line}[/dim]" if part.is_dim else f"{'' if place else head}{line}")


def _grid(out: Console, part: Grid) -> None:
    heads = [right(head)[0] if place in part.numbers else head for place, head in enumerate(part.heads)]
    out.print(text_table(heads, ([str(cell) for cell in row] for row in part.rows)))


def _entry(out: Console, part: Entry) -> None:
    out.print(f"[bold]{escape(part.title)}[/bold]")
    for title, text in part.lines:
        out.print(f"  {title}: {escape(text)}")
    out.print(f"  [dim]{escape('; '.join(part.sources))}[/dim]")


def _open_facts(out: Console, part: OpenFacts) -> None:
    out.print(_OPENED)
    out.print(text_table(["fact", "meaning"], part.rows))
    out.print()


_DRAW: Mapping[type[Any], Callable[[Console, Any], None]] = {
    Said: _said,
    Grid: _grid,
    Bars: lambda out, part: None,
    Named: lambda out, part: out.print(escape(f"{part.title}: {'; '.join(part.names)}.")),
    Entry: _entry,
    OpenFacts: _open_facts,
    Gap: lambda out, part: out.print(),
}

"""Make the tools of declared questions: input from what is asked, output from the answer."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, fields, is_dataclass, make_dataclass
from decimal import Decimal
from inspect import Parameter, Signature
from typing import Any, Union, get_args, get_origin, get_type_hints

from tariffs.client.client import Client
from tariffs.client.mcp import tool_answers as answers
from tariffs.client.mcp.tool_documents import answer as tool_answer
from tariffs.client.mcp.tool_documents import table_of
from tariffs.client.scenario import Scenario
from tariffs.questions.answer import Failure, Provenance
from tariffs.questions.index import INDEX
from tariffs.questions.question import REQUIRED, Asked, Kind, Question

_MOST = 20
_ENTRY, _DATE = "entry", "date"
_TYPES: Mapping[Kind, Any] = {
    Kind.MONEY: str | int | float, Kind.COUNTRIES: list[str], Kind.SCENARIOS: list[str],
    Kind.CLAIMS: dict[str, str | float | bool], Kind.FACTS: dict[str, str | float | bool],
}  # fmt: skip


def tools(client: Client) -> Iterator[Callable[..., Any]]:
    """Make the tools of all questions that have one."""
    return (_tool(client, one.question) for one in INDEX.values() if one.tool)


def _tool(client: Client, question: Question[Any]) -> Callable[..., Any]:
    asked = {_name(one): one for one in question.asked if one.tool and one.kind is not Kind.TABLE}
    output = _type(question.answer, answers.ToolAnswer)

    def call(**given: Any) -> Any:
        values = {
            asked[name].name: _value(asked[name], value) for name, value in given.items() if value is not None
        }
        found = getattr(client, question.name)(**values)
        document = found.to_json_dict()
        document.pop("provenance", None)
        left_off = _shorten(document)
        cited = [*_citations(found)] or _quoted(client, question, values, document)
        return tool_answer(output, found.provenance, cited, **document, left_off=left_off)

    parameters = [_parameter(name, one) for name, one in asked.items()]
    facts: dict[str, Any] = vars(call)
    facts["__signature__"] = Signature(
        sorted(parameters, key=lambda one: one.default is not one.empty), return_annotation=output
    )
    call.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": output}
    call.__name__, call.__doc__ = (
        question.tool,
        "\n".join([question.summary, "", question.about, "", *_texts(asked)]),
    )
    return call


def _name(one: Asked) -> str:
    return _DATE if one.path[-1] == _ENTRY else one.name


def _parameter(name: str, one: Asked) -> Parameter:
    kind = _TYPES.get(one.kind, str)
    if one.default is REQUIRED or one.needed:
        return Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind | None)


def _texts(asked: Mapping[str, Asked]) -> list[str]:
    return [f"`{name}`: {one.text.replace('--', '')}" for name, one in asked.items()]


def _value(one: Asked, value: Any) -> Any:
    # Names of the library alone: no file is read.
    return [Scenario.named(name) for name in value] if one.kind is Kind.SCENARIOS else value


def _shorten(document: Any) -> int:
    """Cut long lists within a document; return how many rows the longest has more."""
    most = 0
    for value in list(document.values() if isinstance(document, dict) else document):
        if isinstance(value, list) and len(value) > _MOST and isinstance(value[0], dict):
            most = max(most, len(value) - _MOST)
            del value[_MOST:]
        if isinstance(value, dict | list):
            most = max(most, _shorten(value))
    return most


def _citations(found: Any) -> Iterator[str]:
    if isinstance(found, tuple):
        for one in found:
            yield from _citations(one)
    elif is_dataclass(found):
        for one in fields(found):
            value = getattr(found, one.name)
            yield from value if one.name == "citations" else _citations(value)


def _quoted(
    client: Client, question: Question[Any], values: Mapping[str, Any], document: Any
) -> Iterable[str]:
    """Cite what the answer does not cite itself by the duty on the line from each origin in it."""
    origins = dict.fromkeys(
        [*_found(document, "origin"), *([values["origin"]] if "origin" in values else [])]
    )
    rows = [
        {"hts": values["hts"], "origin": one, "customs_value": 1000, **values.get("claims", {})}
        for one in origins
    ]
    day = next((values.get(one.name) for one in question.asked if one.kind is Kind.DAY), None)
    quotes = client.duties(table_of(rows), on=day).quotes.values() if rows else ()
    return (text for quote in quotes for layer in quote.layers for text in layer.citations)


def _found(document: Any, name: str) -> Iterator[str]:
    if isinstance(document, dict):
        yield from [document[name]] if isinstance(document.get(name), str) else ()
    for value in (
        document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    ):
        yield from _found(value, name)


def _type(kind: Any, base: Any = None) -> Any:
    """Make the type of the output: the dataclass of the answer with decimals as text, without provenance."""
    hints = get_type_hints(kind)
    own = [(one.name, _plain(hints[one.name])) for one in fields(kind) if hints[one.name] != Provenance]
    more: list[Any] = [("left_off", int, field(default=0))] if base else []
    made: Any = make_dataclass(kind.__name__, [*own, *more], bases=(base,) if base else ())
    made.__doc__ = (kind.__doc__ or "").partition("\n")[0]
    return made


def _plain(hint: Any) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        return list[_plain(args[0])]  # type: ignore[misc] # a type that is made
    if origin in (Union, types.UnionType):
        return _plain(args[0]) | None
    if hint is Failure:
        return dict[str, str]
    return str if hint is Decimal else _type(hint) if is_dataclass(hint) else hint

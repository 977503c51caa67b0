"""Write the methods and messages of declared questions into the .proto files.

A message of a question is written whole from its declaration. A field keeps the number it has, a new one gets the next,
and one that is no longer declared goes. From the first release on `buf breaking` refuses what callers would notice.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from tariffs.questions.answer import Failure, Provenance, Words
from tariffs.questions.question import Kind, Question

_SCALARS = {str: "string", int: "int32", float: "double", bool: "bool", Decimal: "string"}
_WIRE = {
    Kind.COUNTRIES: "repeated string",
    Kind.FACTS: "map<string, string>",
    Kind.SCENARIOS: "repeated ScenarioRef",
}
_SCENARIOS = "Scenarios, by name or inline; with none the law as it is."
_FIELD = re.compile(r"^  (?P<type>[\w<>., ]+?) (?P<name>\w+) = (?P<number>\d+)[^;]*;$", re.MULTILINE)


class FieldText(NamedTuple):
    """Field of a message: its type with `repeated` or `optional`, its comment, and the number it has if it is new."""

    type: str
    comment: str
    number: int = 0


_LAW = {
    "known_on": FieldText(
        "string", 'Count only acts published by this day; "entry" is the day of entry.', 60
    ),
    "switches": FieldText("map<string, string>", "Doubtful facts set otherwise than by default.", 61),
    "min_confidence": FieldText(
        "string", "Least confidence an act must have to count: A, B, C or U. Empty is any.", 62
    ),
    "parameters": FieldText(
        "map<string, string>", "Values of parameters, each for every scenario that declares it.", 70
    ),
    "law_version": FieldText(
        "string", "Law to use: a version, `latest` or `VERSION@DIGEST`; empty is the server's default.", 96
    ),
}
"""Fields of the options of the law; those of new requests have the same numbers."""
_FIRST_SHARED = 60


def proto_texts(root: Path, protos: Mapping[Path, str], questions: list[Question[Any]]) -> dict[Path, str]:
    """Return the .proto files of the questions as they should be, from texts by path or else those on disk."""
    texts = dict(protos)
    for one in questions:
        service, method = one.method.split("/")
        path = root / "tariffs" / "v1" / f"{file_of(service)}.proto"
        text = _with_method(texts.get(path) or path.read_text(encoding="utf-8"), service, method, one)
        for each in one.asked:
            if each.kind is Kind.TABLE:
                columns = {column.name: FieldText("string", column.text) for column in each.columns}
                text = _with_message(text, each.row, f"Row of `{each.name}`.", columns)
        asks = f"Asks: {one.summary[0].lower()}{one.summary[1:]}"
        text = _with_message(text, one.request, asks, _request_fields(one))
        for name, kind in messages(one):
            for words in _words_of(kind):
                text = _with_enum(text, words)
            text = _with_message(text, name, summary_of(kind), answer_fields(kind))
        texts[path] = text
    return texts


def file_of(service: str) -> str:
    """Return the name of the .proto file of a service, without its end."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", service).lower()


def _with_method(text: str, service: str, method: str, one: Question[Any]) -> str:
    if f"rpc {method}(" in text:
        return text
    call = (
        f"  // {one.summary}\n  rpc {method}({one.request}) returns ({one.response}) {{\n"
        "    option idempotency_level = NO_SIDE_EFFECTS;\n  }\n"
    )
    start = text.index(f"service {service} {{")
    end = text.index("\n}\n", start) + 1
    return text[:end] + call + text[end:]


def _with_message(text: str, message: str, summary: str, wanted: Mapping[str, FieldText]) -> str:
    """Replace a message, or add it at the end."""
    known = re.search(
        rf"(?:^//.*\n)*^message {message} \{{\n(?P<body>(?:  .*\n|\n)*)\}}\n", text, re.MULTILINE
    )
    numbers = {one["name"]: int(one["number"]) for one in _FIELD.finditer(known["body"])} if known else {}
    taken = {numbers.get(name, 0) for name in wanted} | {one.number for one in wanted.values()}
    following = iter(number for number in range(1, _FIRST_SHARED) if number not in taken)
    lines = [f"// {summary}", f"message {message} {{"]
    for name, one in wanted.items():
        number = numbers.get(name) or one.number or next(following)
        lines += [f"  // {line}" for line in wrap(_on_the_wire(one.comment), 115)]
        lines.append(f"  {one.type} {name} = {number};")
    made = "\n".join([*lines, "}\n"])
    return text[: known.start()] + made + text[known.end() :] if known else f"{text}\n{made}"


def _with_enum(text: str, words: Words) -> str:
    """Replace the enum of a closed set of words, or add it at the end; values keep their numbers."""
    prefix = re.sub(r"(?<!^)([A-Z])", r"_\1", words.name).upper()
    known = re.search(
        rf"(?:^//.*\n)*^enum {words.name} \{{\n(?P<body>(?:  .*\n|\n)*)\}}\n", text, re.MULTILINE
    )
    numbers = dict(re.findall(r"^  (\w+) = (\d+);", known["body"], re.MULTILINE)) if known else {}
    names = {f"{prefix}_{word.upper()}": meaning for word, meaning in words.meanings.items()}
    taken = {int(numbers[name]) for name in names if name in numbers}
    following = iter(number for number in range(1, len(names) + len(taken) + 1) if number not in taken)
    lines = [f"// {words.text}", f"enum {words.name} {{", "  // Never sent.", f"  {prefix}_UNSPECIFIED = 0;"]
    for name, meaning in names.items():
        lines += [f"  // {line}" for line in wrap(meaning, 115)]
        lines.append(f"  {name} = {numbers.get(name) or next(following)};")
    made = "\n".join([*lines, "}\n"])
    return text[: known.start()] + made + text[known.end() :] if known else f"{text}\n{made}"


def _words_of(kind: Any) -> Iterator[Words]:
    for hint in get_type_hints(kind, include_extras=True).values():
        yield from (one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Words))


def _request_fields(one: Question[Any]) -> dict[str, FieldText]:
    found: dict[str, FieldText] = {}
    for asked in one.asked:
        if asked.path[0] == "line":
            found["line"] = FieldText("EntryLine", "The goods. Required.")
        elif asked.kind is Kind.TABLE:
            found[asked.path[0]] = FieldText(f"repeated {asked.row}", asked.text, asked.number)
        else:
            text = _SCENARIOS if asked.kind is Kind.SCENARIOS else asked.text
            found[asked.path[0]] = FieldText(_WIRE.get(asked.kind, "string"), text, asked.number)
    return found | {name: _LAW[name] for name in one.law}


def _on_the_wire(text: str) -> str:
    """Write a text without flags of the command line, and unset for None."""
    return re.sub(r"\bNone\b", "unset", re.sub(r"--(?=[a-z])", "", text))


def messages(one: Question[Any]) -> Iterator[tuple[str, Any]]:
    """List the messages of an answer with their classes, those within first."""
    seen: dict[str, Any] = {}

    def visit(kind: Any) -> None:
        for hint in get_type_hints(kind).values():
            for part in (hint, *get_args(hint)):
                if isinstance(part, type) and is_dataclass(part) and part.__name__ not in seen:
                    visit(part)
        seen[one.response if kind is one.answer else kind.__name__] = kind

    visit(one.answer)
    yield from seen.items()


def answer_fields(kind: Any) -> dict[str, FieldText]:
    """Return the fields of a class of an answer."""
    hints, texts = get_type_hints(kind, include_extras=True), documented(kind)
    found = {}
    for field in fields(kind):
        hint = hints[field.name]
        name = "failure" if Failure in (hint, *get_args(hint)) else field.name
        found[name] = FieldText(_wire_type(hint), texts[field.name])
    return found


def _wire_type(hint: Any) -> str:
    words = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Words)), None)
    if words is not None:
        return words.name
    if get_origin(hint) is Annotated:
        return _wire_type(get_args(hint)[0])
    origin, args = get_origin(hint), get_args(hint)
    if hint == Provenance:
        return "Provenance"
    if origin is tuple:
        return f"repeated {_wire_type(args[0])}"
    if origin in (Union, types.UnionType):
        inner = next(one for one in args if one is not type(None))
        whole = is_dataclass(inner) or inner is Failure
        return _wire_type(inner) if whole else f"optional {_wire_type(inner)}"
    if hint is Failure:
        return "google.rpc.Status"
    return _SCALARS.get(hint) or str(hint.__name__)


def documented(kind: Any) -> dict[str, str]:
    """Read the texts of the fields of a dataclass from its docstring, as sentences."""
    found: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(kind.__doc__).partition("Attributes:\n")[2].splitlines():
        if start := re.match(r"    (\w+): (.*)", line):
            name, found[start[1]] = start[1], start[2]
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return {one: f"{text[0].upper()}{text[1:]}" for one, text in found.items()}


def summary_of(kind: Any) -> str:
    """Return the first line of the docstring of a class."""
    return inspect.cleandoc(kind.__doc__).partition("\n")[0]

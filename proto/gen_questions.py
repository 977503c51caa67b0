"""Make what follows from the declared questions: messages, methods of the clients, the index, docs/questions.md."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from pkgutil import iter_modules
from textwrap import wrap
from typing import Any

import tariffs.questions
from question_messages import answer_fields, file_of, messages, proto_texts, summary_of
from tariffs.questions.question import REQUIRED, Asked, Kind, Question

_VERBS = "clients/python/tariffs/client/_verbs"
_PYTHON: Mapping[Kind, str] = {
    Kind.HTS: "str",
    Kind.COUNTRY: "str",
    Kind.COUNTRIES: "Sequence[str]",
    Kind.MONEY: "Money",
    Kind.DAY: "Day",
    Kind.TEXT: "str",
    Kind.MODE: "str",
    Kind.CLAIMS: "Mapping[str, ClaimValue]",
    Kind.FACTS: "Mapping[str, OptionFactValue]",
    Kind.SCENARIOS: "ScenarioLike | Sequence[ScenarioLike]",
    Kind.TABLE: "Table",
}
_MADE = "made from the declarations in `tariffs.questions` by `make gen`"
_WIDTH = 110


def questions() -> dict[str, tuple[str, Question[Any]]]:
    """Find the declared questions by name, each with its module, in their order."""
    found = {}
    for module in iter_modules(tariffs.questions.__path__):
        loaded = importlib.import_module(f"tariffs.questions.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, Question):
                found[value.name] = (module.name, value)
    return dict(sorted(found.items(), key=lambda item: (item[1][1].order, item[0])))


def index() -> str:
    """Write the module that lists the questions, which none of them need be loaded for."""
    lines = [f'"""List the questions: {_MADE}."""\n\nfrom __future__ import annotations\n']
    lines += ["from collections.abc import Mapping\n", "from tariffs.questions.entry import Entry\n"]
    lines += ["INDEX: Mapping[str, Entry] = {"]
    for name, (module, one) in questions().items():
        service, method = one.method.split("/")
        facts = (f"tariffs.questions.{module}:{_variable(module, one)}", service, method, f"{file_of(service)}_pb2",
                 one.lane, one.role, one.summary, one.page[0], one.tool)  # fmt: skip
        lines.append(f"    {name!r}: Entry(\n" + "".join(f"        {fact!r},\n" for fact in facts) + "    ),")
    return "\n".join(lines).replace("'", '"') + "\n}\n"


def _variable(module: str, one: Question[Any]) -> str:
    loaded = vars(importlib.import_module(f"tariffs.questions.{module}"))
    return next(name for name, value in loaded.items() if value is one)


def methods() -> str:
    """Write the module of the methods of `Client`."""
    head = f'''"""Methods of `Client` for the questions: {_MADE}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from tariffs.client._verbs.asking import OptionFactValue, asked
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire.frames import Table
from tariffs.client._wire.requests import ClaimValue, Money, ScenarioLike
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import LawOptions

if TYPE_CHECKING:
'''
    found = questions()
    for module, one in sorted(found.values(), key=lambda each: each[0]):
        head += f"    from tariffs.questions.{module} import {one.answer.__name__}\n"
    head += (
        '\n\nclass QuestionCalls(RemoteCalls):\n    """Questions that are no runs; mixed into `Client`."""\n'
    )
    return head + "".join(_method(module, one) for module, one in found.values())


def _method(module: str, one: Question[Any]) -> str:
    places = [_parameter(each) for each in one.asked if each.is_place]
    named = [_parameter(each) for each in one.asked if not each.is_place]
    given = ["self", *places, "*", *named, "timeout: float | None = None", "**options: Unpack[LawOptions]"]
    signature = "".join(f"        {each},\n" for each in given)
    doc = [one.summary, "", *wrap(one.about.replace("--", ""), _WIDTH), "", "Args:"]
    for each in one.asked:
        doc += _arg(each.name, _in_python(each))
    doc += _arg("timeout", "seconds; by default the config's deadline.")
    doc += _arg("**options", "options of the law, listed by `help(tariffs.client.LawOptions)`, of imports.")
    doc += ["", "Raises:", *(line for text in one.raises for line in _arg(*text.split(": ", 1)))]
    text = "\n".join(f"        {line}".rstrip() for line in doc).strip()
    asked = "".join(f'            "{each.name}": {each.name},\n' for each in one.asked)
    variable = _variable(module, one)
    return (
        f'\n    def {one.name}(\n{signature}    ) -> {one.answer.__name__}:\n        """{text}\n        """\n'
        f"        from tariffs.questions.{module} import {variable}\n\n"
        f"        given = {{\n{asked}        }}\n        return asked(self, {variable}, given, options, timeout)\n"
    )


def _in_python(one: Asked) -> str:
    text = one.text.replace("--", "")
    rows = f" Columns: {', '.join(column.name for column in one.columns)}." if one.columns else ""
    return text + rows


def _arg(name: str, text: str) -> list[str]:
    return wrap(
        f"{name}: {text}", _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False
    )


def _parameter(one: Asked) -> str:
    kind = _PYTHON[one.kind]
    if one.default is REQUIRED:
        return f"{one.name}: {kind}"
    return f"{one.name}: {kind}{' | None' if one.default is None else ''} = {one.default!r}".replace("'", '"')


def async_methods() -> str:
    """Write the module of the methods of `AsyncClient`."""
    lines = [
        f'"""Methods of `AsyncClient` for the questions: {_MADE}."""\n\nfrom __future__ import annotations\n'
    ]
    lines += ["from tariffs.client._verbs.awaited import Awaiting, awaited"]
    lines += ["from tariffs.client._verbs.question_calls import QuestionCalls\n\n"]
    lines += [
        'class AsyncQuestionCalls(Awaiting):\n    """Questions that are no runs; mixed into `AsyncClient`."""\n'
    ]
    lines += [f"    {name} = awaited(QuestionCalls.{name})" for name in questions()]
    return "\n".join(lines) + "\n"


def answer_names() -> str:
    """Write the module that says where the classes of answers are, which none of them need be loaded for."""
    places = {
        kind.__name__: f"tariffs.questions.{module}"
        for module, one in questions().values()
        for _, kind in messages(one)
    }
    lines = [f'"""Modules of the classes of answers: {_MADE}."""', ""]
    lines += [
        "from __future__ import annotations",
        "",
        "from typing import TYPE_CHECKING",
        "",
        "if TYPE_CHECKING:",
    ]
    for module in sorted({*places.values()}):
        names = sorted(name for name, place in places.items() if place == module)
        lines += [f"    from {module} import {name} as {name}" for name in names]
    lines += ["", "PLACES = {", *(f'    "{name}": "{places[name]}",' for name in sorted(places)), "}"]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Write the page of reference."""
    parts = ["# Questions\n", f"<!-- {_MADE} -->\n"]
    for name, (_, one) in questions().items():
        parts += [f"## {name}\n", f"{one.summary} {one.about}\n"]
        tool = f", tool `{one.tool}`" if one.tool else ""
        called = f"`Client.{name}`, `tariffs {name.replace('_', '-')}`, `{one.method}`, page `/{name}`"
        parts += [f"{called}{tool}; role `{one.role}`.\n"]
        parts += ["| argument | command line | default | field | meaning |\n|---|---|---|---|---|"]
        for each in one.asked:
            flag = (
                each.metavar or each.name.upper()
                if each.kind is Kind.HTS
                else f"{each.option} {each.metavar or ''}"
            )
            default = "required" if each.default is REQUIRED else each.default
            default = "" if default in (None, "", ()) else default
            flag = flag.replace("|", "\\|").strip()
            parts.append(f"| `{each.name}` | `{flag}` | {default} | `{'.'.join(each.path)}` | {each.text} |")
        for message, kind in messages(one):
            parts += [
                f"\n### {message}\n",
                summary_of(kind) + "\n",
                "| field | kind | meaning |\n|---|---|---|",
            ]
            parts += [
                f"| `{field}` | {kind_} | {text} |" for field, (kind_, text, _) in answer_fields(kind).items()
            ]
        parts += ["", "```", *one.examples, "```\n"]
    return "\n".join(parts)


def made(root: Path, protos: Mapping[Path, str]) -> dict[Path, str]:
    """Return every file that the declarations make, by path; `protos` are .proto files as other lists make them."""
    found = proto_texts(root / "proto", protos, [one for _, one in questions().values()])
    texts = {
        "proto/tariffs/questions/index.py": index(),
        f"{_VERBS}/question_calls.py": methods(),
        f"{_VERBS}/async_question_calls.py": async_methods(),
        "clients/python/tariffs/client/_answer_names.py": answer_names(),
        "docs/questions.md": page(),
    }
    return found | {root / path: text for path, text in texts.items()}

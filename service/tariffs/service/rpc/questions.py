"""Answer declared questions: read each value of a request by its kind, ask the engine's function, write its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache, partial
from importlib import import_module
from typing import Any, get_args, get_type_hints

from google.protobuf import message_factory

from tariffs.engine.errors import TariffsError
from tariffs.engine.line_duty.entry_dates import known_on_text
from tariffs.engine.schedule.country_names import read_country
from tariffs.firm.asking import LineAsked, Under
from tariffs.questions.answer import Failure
from tariffs.questions.index import INDEX
from tariffs.questions.question import Asked, Column, Kind, Question
from tariffs.service.rpc.checks import decimal, required, word, words
from tariffs.service.rpc.duty import read_line
from tariffs.service.rpc.importer_requests import base_law, laws_of, scenarios_of
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.shared import law_provenance, scenario_of
from tariffs.service.wire.status import Cancelled, check_cancelled, failure_of, request_invalid
from tariffs.v1 import common_pb2

_COUNTRY_FIX = "Use the ISO 3166-1 alpha-2 code of a country."
_LINE, _PROVENANCE = "line", "provenance"
_LINE_TEXTS = ("hts", "origin", "entry", "customs_value")


def _unit_usd(amount: Decimal) -> str:
    text = f"{amount:.4f}"
    return text[:-2] if text.endswith("00") else text


_DECIMALS: Mapping[str, Callable[[Decimal], str]] = {
    "unit_usd": _unit_usd,
    "exact": lambda number: f"{number:f}",
}
"""How decimals of a type are written; those of no type have cents."""


def answer(name: str, request: Any, cancelled: Cancelled) -> Any:
    """Answer the question of a name.

    Raises:
        TariffsError: a value, scenario or switch is invalid; as the function of the engine.
    """
    question = INDEX[name].question
    given = dict(_given(question, request))
    base, known_on = base_law(request)
    scenarios = scenarios_of(request, question.scenarios_most) if question.of_kind(Kind.SCENARIOS) else []
    plain = scenario_of(common_pb2.ScenarioRef(), "")
    under = Under(
        base, plain, scenarios or [plain], partial(laws_of, request), known_on, cancelled,
        partial(check_cancelled, cancelled),
    )  # fmt: skip
    found = _function(question)(under, **given)
    response = _message(INDEX[name].message("Response"), found)
    known = known_on_text(base, known_on)
    response.provenance.CopyFrom(law_provenance(base, request, scenarios, known_on=known, **found.provenance))
    return response


def _function(question: Question[Any]) -> Callable[..., Any]:
    module, name = question.computed_by.split(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


# -- what is asked -------------------------------------------------------------------------------------------------


def _given(question: Question[Any], request: Any) -> Iterator[tuple[str, Any]]:
    """Read what is asked by name; the facts of an entry line are one argument."""
    lines = [one for one in question.asked if one.path[0] == _LINE]
    if lines:
        message = request.line
        texts = {name: word(getattr(message, name), name) for name in _LINE_TEXTS}
        yield _LINE, LineAsked(**texts, read=partial(_completed, message))
    for one in question.asked:
        if one not in lines and one.kind is not Kind.SCENARIOS:
            yield one.name, _READ[one.kind](getattr(request, one.name), one)


def _completed(message: Any, **texts: str) -> Any:
    if texts:
        asked, message = message, type(message)()
        message.CopyFrom(asked)
        for name, text in texts.items():
            setattr(message, name, text)
    return read_line(message)


def _money(text: str, one: Asked | Column, field: str = "") -> Decimal | None:
    default = getattr(one, "default", None)
    if not text and not default:
        return None
    number = decimal(text, field or one.name, one.reason) if text else Decimal(str(default))
    above = getattr(one, "above", None)
    if above is not None and number <= Decimal(str(above)):
        raise request_invalid(f"{one.name} is {text}.", one.name, f"Give a number above {above:g}.")
    return number


def _country(text: str, field: str) -> str:
    return read_country(required(text, field, _COUNTRY_FIX))[0]


def _row(message: Any, one: Asked) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in one.columns:
        text, field = getattr(message, column.name), f"{one.name}.{column.name}"
        if column.kind is Kind.COUNTRY:
            found[column.name] = _country(text, field)
        else:
            text = required(text, field, column.needed) if column.needed else text
            found[column.name] = _money(text, column, field)
    return found


_READ: Mapping[Kind, Callable[[Any, Asked], Any]] = {
    Kind.HTS: lambda text, one: required(text, one.name, "Use an HTS code of 4 to 10 digits."),
    Kind.COUNTRY: lambda text, one: _country(text, one.name) if text else "",
    Kind.COUNTRIES: lambda texts, one: [_country(text, one.name) for text in texts],
    Kind.MONEY: _money,
    Kind.DAY: lambda text, one: word(text, one.name),
    Kind.TEXT: lambda text, one: word(text, one.name),
    Kind.FACTS: lambda texts, one: words(texts, one.name),
    Kind.TABLE: lambda rows, one: [_row(row, one) for row in rows],
}


# -- what is answered ----------------------------------------------------------------------------------------------


def _message(kind: Any, told: Any) -> Any:
    """Write an answer, or a part of one, as its message."""
    others = {}
    told_as: Any = type(told)
    for name, field, write in _plan(told_as, kind):
        value = getattr(told, name)
        if value is not None:
            others[field] = write(value)
    return message_of(kind, told, **others)


@cache
def _plan(told: Any, kind: Any) -> tuple[tuple[str, str, Callable[[Any], Any]], ...]:
    """List the fields that `message_of` does not write as their type says."""
    known, found = kind.DESCRIPTOR.fields_by_name, list[tuple[str, str, Callable[[Any], Any]]]()
    for name, hint in get_type_hints(told, include_extras=True).items():
        parts = (hint, *get_args(hint))
        kinds = [one.__metadata__[0] for one in parts if hasattr(one, "__metadata__")]
        field = known.get(name)
        if name == _PROVENANCE or name in ("rows", "shown"):
            found += [(name, name, lambda value: None)] if name == _PROVENANCE else []
        elif Failure in parts:
            found.append((name, "failure", _failure))
        elif kinds and kinds[0] in _DECIMALS:
            found.append((name, name, _DECIMALS[kinds[0]]))
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            inner = partial(_message, message_factory.GetMessageClass(field.message_type))
            found.append((name, name, partial(_all, inner) if field.is_repeated else inner))
    return tuple(found)


def _all(write: Callable[[Any], Any], values: Any) -> list[Any]:
    return [write(one) for one in values]


def _failure(error: Exception) -> Any:
    if not isinstance(error, TariffsError):
        raise error
    return failure_of(error)

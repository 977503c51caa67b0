"""Fields of the forms: what is asked, how it is checked, and what the address has of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from tariffs.client.desk.names import Choices, code_in, countries, country_in
from tariffs.client.desk.question import Question, is_day
from tariffs.client.errors import Violation
from tariffs.client.results.law import ClaimKind
from tariffs.run_spec.option import Kind, RunOption
from tariffs.run_spec.spec import OPTIONS, taken

_TRUTH: Choices = (("", "not declared"), ("0", "no"), ("1", "yes"))
_FIRST = ("on", "by", "response", "horizon")
_FOLDED_OUT = frozenset({"include_lines", "law_version"})
_GROUPS = ("origin", "authority", "hts2", "hts4", "hts6", "sector", "month")
_KINDS = {Kind.DAY: "date", Kind.FLAG: "checkbox"}


@dataclass(frozen=True, slots=True)
class Field:
    """Field of a form.

    Attributes:
        name: name in the address.
        label: words before it.
        kind: text, code, country, number, year, date, checkbox, select, single or several scenarios, each for one that
            comes again, or hidden.
        value: what it holds; of a field that is described, what it begins with, `{day}` being the day of the law.
        choices: values and words to choose from; of a text those to suggest.
        hint: help below it.
        needed: what to write where it is missing; empty if it may be.
    """

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    choices: Choices = ()
    hint: str = ""
    needed: str = ""

    def faults(self, question: Question) -> list[Violation]:
        """List what is wrong with its value in a question."""
        text = question.get(self.name)
        if not text:
            return [Violation(self.name, self.needed)] if self.needed else []
        is_right, words = _CHECKS.get(self.kind, (bool, ""))
        return [] if is_right(text) else [Violation(self.name, f"{text[:40]} {words}")]


def _is_number(text: str) -> bool:
    try:
        return Decimal(text.replace(",", "")).is_finite()
    except InvalidOperation:
        return False


_CHECKS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "code": (
        lambda text: len(code_in(text)) > 3,
        "is no product code. Give 4, 6, 8 or 10 digits, with or without dots.",
    ),
    "country": (country_in, "is no country; write its two letters, such as CN, or its name."),
    "date": (is_day, "is not a day; write it as 2026-11-24."),
    "number": (_is_number, "is not a number; write 12500.00."),
    "year": (re.compile(r"\d{4}").fullmatch, "is no year; write 2026."),
}
HTS = Field(
    "hts", "Product code", "code", hint="HTS, 4 to 10 digits", needed="Give the product code, such as 9503.00.0073."
)  # fmt: skip
ORIGIN = Field(
    "origin", "Country of origin", "country", hint="Two letters, or the name",
    needed="Give the country of origin, such as CN.",
)  # fmt: skip
VALUE = Field(
    "value", "Customs value, USD", "number", needed="Give the customs value in US dollars, such as 10000."
)
ON = Field("on", "Day of entry", "date", "{day}")
SCENARIOS = Field("s", "Laws and scenarios", "several", hint="The others are compared with the first")
LINE = (
    Field("quantity", "Quantity", "number", hint="Where a duty is charged by unit"),
    Field("unit", "Unit", hint="kg, no, L ..."),
    Field(
        "mode", "Transport", "select", choices=[("", "not stated"), *((one, one) for one in ("ocean", "air", "land"))]
    ),
)  # fmt: skip
"""Other facts of a line, before those that decide its duty."""


def filled(
    described: Iterable[Field], question: Question, starts: Mapping[str, str], scenarios: Choices
) -> list[Field]:
    """Fill in fields with the values of a question, or with days that they begin with, if it has not been asked.

    One that comes again has a field for each value, and one more.
    """
    found = []
    for one in described:
        start = one.value.format(**starts) if starts else ""
        more = (
            scenarios if one.kind in {"single", "several"} else countries() if one.kind == "country" else ()
        )
        choices = [*one.choices, *more]
        first = replace(one, value=question.get(one.name, start), choices=choices)
        values = [*question.all(one.name), ""] if one.kind == "each" else [first.value]
        others = [replace(first, value=value, needed="") for value in values[1:]]
        found += [replace(first, value=values[0]), *others]
    return found


def claim_field(claim: ClaimKind) -> Field:
    """Describe the field of a fact about the goods."""
    is_truth = claim.type == "bool"
    kind, choices = ("select", _TRUTH) if is_truth else ("text", ())
    return Field(f"claim.{claim.id}", claim.id.replace("_", " "), kind, choices=choices, hint=claim.text)


def run_fields(verb: str, starts: Mapping[str, str]) -> list[Field]:
    """Describe the first options of a verb, which are always seen, with the values that they begin with."""
    names = {one.name for one in taken(verb)}
    return [_option(OPTIONS[name], starts.get(name, "")) for name in _FIRST if name in names]


def more_run_fields(verb: str) -> list[Field]:
    """Describe the other options of a verb."""
    return [_option(one) for one in taken(verb) if one.name not in _FIRST and one.name not in _FOLDED_OUT]


def _option(one: RunOption, start: str = "") -> Field:
    if one.name == "by":
        return Field("by", one.title, value=start, choices=[(name, name) for name in _GROUPS])
    if one.kind in {Kind.CHOICE, Kind.PARAMETER_SET}:
        names = list(dict.fromkeys([one.default, *one.choices]))
        choices = [(name, name or "default") for name in names]
        return Field(one.name, one.title, "select", start or one.default, choices, one.text)
    suggested = [(name, name) for name in one.choices]
    # The value of an option is checked as the option is read.
    return Field(one.name, one.title, _KINDS.get(one.kind, "text"), start, suggested, one.text)

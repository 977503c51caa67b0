"""Fields of the forms, filled in with the question of the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tariffs.client.desk.question import Question
from tariffs.client.results.law import ClaimKind
from tariffs.run_spec.option import Kind, RunOption
from tariffs.run_spec.spec import OPTIONS, taken

Choices = Sequence[tuple[str, str]]
_MODES: Choices = (("", "not stated"), ("ocean", "ocean"), ("air", "air"), ("land", "land"))
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
        kind: text, date, checkbox, select or several.
        value: what it holds.
        choices: values and words to choose from; of a text those to suggest.
        hint: help below it.
        is_required: whether the form needs it.
    """

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    choices: Choices = ()
    hint: str = ""
    is_required: bool = False


def quote_fields(question: Question, day: str, scenarios: Choices, countries: Choices) -> list[Field]:
    """List the fields of a quote that are always seen."""
    value = question.get
    return [
        Field("hts", "Product code", value=value("hts"), hint="HTS, 4 to 10 digits", is_required=True),
        Field(
            "origin",
            "Country of origin",
            value=value("origin"),
            choices=countries,
            hint="Two letters, or the name",
            is_required=True,
        ),
        Field("value", "Customs value, USD", value=value("value"), is_required=True),
        Field("on", "Day of entry", "date", value("on", day)),
        Field(
            "s",
            "Law or scenario",
            "several",
            choices=scenarios,
            hint="A second one is compared with the first",
        ),
    ]


def more_quote_fields(question: Question, claims: Iterable[ClaimKind], asked: Sequence[str]) -> list[Field]:
    """List the other fields of a quote: quantity, transport, and facts other than those asked beside the answer."""
    value = question.get
    return [
        Field("quantity", "Quantity", value=value("quantity"), hint="Where a duty is charged by unit"),
        Field("unit", "Unit", value=value("unit"), hint="kg, no, L ..."),
        Field("mode", "Transport", "select", value("mode"), _MODES),
        *(claim_field(question, one) for one in claims if one.id not in asked),
    ]


def claim_field(question: Question, claim: ClaimKind) -> Field:
    """Make the field of a fact about the goods."""
    name = f"claim.{claim.id}"
    is_truth = claim.type == "bool"
    return Field(
        name,
        claim.id.replace("_", " "),
        "select" if is_truth else "text",
        question.get(name),
        _TRUTH if is_truth else (),
        claim.text,
    )


def run_fields(
    question: Question, verb: str, own: Sequence[Field], started: Mapping[str, str]
) -> list[Field]:
    """List the fields of a run that are always seen: those of its own, then the first options of its verb."""
    names = {one.name for one in taken(verb)}
    return [*own, *(_option(question, OPTIONS[name], started) for name in _FIRST if name in names)]


def more_run_fields(question: Question, verb: str) -> list[Field]:
    """List the other options of a verb."""
    return [
        _option(question, one, {})
        for one in taken(verb)
        if one.name not in _FIRST and one.name not in _FOLDED_OUT
    ]


def _option(question: Question, one: RunOption, started: Mapping[str, str]) -> Field:
    # A form begins with some values; beside an answer it shows those of its question alone.
    default = "" if question.pairs else started.get(one.name, "")
    value = ",".join(question.all(one.name)) or default
    if one.name == "by":
        return Field("by", one.title, value=value, choices=[(name, name) for name in _GROUPS])
    if one.kind in {Kind.CHOICE, Kind.PARAMETER_SET}:
        names = list(dict.fromkeys([one.default, *one.choices]))
        choices = [(name, name or "default") for name in names]
        return Field(one.name, one.title, "select", value or one.default, choices, one.text)
    suggested = [(name, name) for name in one.choices]
    return Field(one.name, one.title, _KINDS.get(one.kind, "text"), value, suggested, one.text)

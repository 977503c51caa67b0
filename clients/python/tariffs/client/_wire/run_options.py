"""Options of runs over a table: one list for all verbs, with their types, defaults and reading."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypedDict, cast

from google.protobuf.message import Message

from tariffs.client import _arguments as arguments
from tariffs.client.errors import InvalidRequest

Day = str | date | int
ParameterValue = str | float | bool | Decimal | date
# Values of the parameters of scenarios, by name.
Parameters = Mapping[str, ParameterValue]
_OTHER_NAMES = {"parameters": "scenario_parameters"}


class LawOptions(TypedDict, total=False):
    """Options of the goods and of the law; None is the default.

    Attributes:
        parameters: values of parameters of the scenarios, such as `{"cn": "20%", "start": "2027-01-01"}`; a number is a
            fraction, 0.2 for 20 %, True is on. A value fills every scenario that declares its parameter; the others
            have their defaults. Text and paths are read as `parameter_set`, as in earlier releases.
        known_on: use only acts published by this day; "entry" is each line's own day, in a timeline each day itself.
        switches: open points of the law set to other values than their defaults.
        min_confidence: use only acts with at least this confidence: A, B or C.
        law_version: law to use: a version, "latest" or `VERSION@DIGEST`; empty is the client's or the server's.
        direction: import, or export: purchases of the country that retaliates, in its local time.
        to: for exports, the ISO code of the destination; empty: the law's first, or `destination` of each row.
        date_format: format of date columns: "m/d/Y", "d/m/Y" or "excel" (day numbers); empty: ISO, or what fits.
    """

    parameters: Parameters | str | Path | None
    known_on: Day | None
    switches: Mapping[str, str] | None
    min_confidence: str
    law_version: str
    direction: str
    to: str
    date_format: str


class ResponseOptions(LawOptions, total=False):
    """Options of every run with a trade response: those of `LawOptions`, and of the response.

    Attributes:
        baseline: day that the values of the table belong to; required for a response on your own table.
        response: armington, passthrough, smart, gsim, exact_hat or none.
        horizon: path (every change of duty at its own age), impact, short or long.
        market: product, or sector for sectors of products and domestic goods.
        fx_offset: part of the rise of prices by duties that a dearer dollar takes off, such as 0.174; 0 is none.
        parameter_set: elasticities of the response: None for the central set (for `smart` that of WITS), "low", "high",
            "central", "wits", or the path of a CSV file.
    """

    baseline: Day | None
    response: str
    horizon: str
    market: str
    fx_offset: float
    parameter_set: str | Path | None


class TimelineOptions(ResponseOptions, total=False):
    """Options of timelines: those of `ResponseOptions`, and purchases ahead of duties.

    Attributes:
        ahead: day from which buyers expect the duties that come and buy ahead of them; None if they do not.
    """

    ahead: Day | None


class RunOptions(TimelineOptions, total=False):
    """Options of impacts: those of `TimelineOptions`, and what only an impact computes.

    Attributes:
        reaction: for exports, the slope of partners' answers to duties on their goods; 1 is reciprocity, 0 none.
        include_lines: add every line to the result.
        draws: draws of the elasticities for `ranges`: 0, or a power of two from 16 (256 is quick, 1024 the rule).
        seed: seed of the draws; the same seed gives the same ranges.
        attribute: split each scenario's difference from the first of its day by change and authority.
        consumer_prices: effect on consumer prices by one of "dollar", "percent" (margins constant in them), "yale",
            "dollar_2024", "percent_2024" (latest accounts), "dollar_offset", "percent_offset"; empty for none.
    """

    reaction: float
    include_lines: bool
    draws: int
    seed: int
    attribute: bool
    consumer_prices: str


# A TypedDict does not inherit from its parents at run time, so that `help` would show its own attributes alone.
for _options, _parent in (
    (ResponseOptions, LawOptions),
    (TimelineOptions, ResponseOptions),
    (RunOptions, TimelineOptions),
):
    _options.__doc__ = (
        f"{(_options.__doc__ or '').rstrip()}{(_parent.__doc__ or '').partition('Attributes:')[2]}"
    )


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Options of a run with their defaults; the fields are those of `RunOptions`, and the day and keys of a verb.

    Raises:
        InvalidRequest: REQUEST_INVALID for groups, switches or texts of the wrong type; PARAMETER_INVALID for a value
            of a parameter that cannot be sent.
    """

    on: Day = ""
    by: Sequence[str] = ("origin",)
    baseline: Day = ""
    response: str = "armington"
    horizon: str = "path"
    parameters: Parameters | str | Path | None = None
    parameter_set: str | Path | None = None
    known_on: Day = ""
    switches: Mapping[str, str] = field(default_factory=dict)
    min_confidence: str = ""
    law_version: str = ""
    include_lines: bool = False
    draws: int = 0
    seed: int = 0
    attribute: bool = False
    direction: str = "import"
    to: str = ""
    date_format: str = ""
    market: str = "product"
    consumer_prices: str = ""
    ahead: Day = ""
    fx_offset: float = 0.0
    reaction: float = 0.0

    def __post_init__(self) -> None:
        plain: dict[str, object] = {
            **self._parameters(),
            "by": tuple(arguments.names(self.by, "by")),
            "switches": arguments.texts_by_name(self.switches, "switches"),
            "min_confidence": arguments.text(self.min_confidence, "min_confidence"),
            "law_version": arguments.text(self.law_version, "law_version"),
            "date_format": arguments.text(self.date_format, "date_format"),
            "to": arguments.text(self.to, "to"),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, verb: str, message: type[Message], options: Mapping[str, Any], **own: object) -> RunSpec:
        """Read the options of a call; None is the default of an option.

        Args:
            verb: name of the method, for errors.
            message: request of the verb, whose fields are the options that it takes.
            options: options by name, as the caller gives them.
            **own: options that are arguments of the method.

        Raises:
            TypeError: there is no such option.
            InvalidRequest: PARAMETER_INVALID for an option that the verb does not take; as `RunSpec`.
        """
        given = {name: value for name, value in {**options, **own}.items() if value is not None}
        defaults = vars_of(cls())
        for name in given:
            if name not in defaults:
                meant = "".join(f". Did you mean {one!r}?" for one in get_close_matches(name, defaults, n=1))
                raise TypeError(f"{verb}() got an unexpected keyword argument {name!r}{meant}")
        spec = cls(**given)
        set_values = {
            name: value for name, value in vars_of(spec).items() if not _same(value, defaults[name])
        }
        for name in sorted(set_values.keys() - taken(message, set_values).keys() - own.keys()):
            raise InvalidRequest(
                "PARAMETER_INVALID",
                f"A {verb} takes no {name}.",
                field=name,
                fix="Leave it out, or use impact.",
            )
        return spec

    @property
    def scenario_values(self) -> Mapping[str, str]:
        """Values of the parameters of scenarios, as text."""
        return cast("Mapping[str, str]", self.parameters)

    def _parameters(self) -> dict[str, object]:
        """Separate values of scenarios from the parameter set of the response, both once given as `parameters`."""
        if not isinstance(self.parameters, str | Path):
            return {"parameters": arguments.parameters(self.parameters)}
        if self.parameter_set is not None:
            raise arguments.refusal(
                "parameters", self.parameters, 'Give the values of scenarios, such as {"cn": "20%"}.'
            )
        return {"parameters": {}, "parameter_set": self.parameters}


def _same(value: Any, default: object) -> bool:
    # Arrays and series, which are neither, compare member by member.
    return isinstance(value, Hashable | Mapping) and value == default


def vars_of(options: RunSpec) -> dict[str, object]:
    """List the options by name, without copying their values."""
    return {one.name: getattr(options, one.name) for one in fields(options)}


def option_values(options: RunSpec) -> dict[str, object]:
    """List the options by name, without copying their values.

    A call without what later releases added is recorded as in earlier ones, which can then run it again.
    """
    values = vars_of(options)
    later: dict[str, object] = dict.fromkeys(("consumer_prices", "to", "ahead", "law_version"), "")
    later |= {"market": "product", "fx_offset": 0.0, "reaction": 0.0}
    for name, default in later.items():
        if values[name] == default:
            del values[name]
    if not options.parameters:
        values["parameters"] = values.pop("parameter_set")
    return values


def taken(message: type[Message], values: Mapping[str, object]) -> dict[str, object]:
    """Select the options that a request has."""
    names = message.DESCRIPTOR.fields_by_name
    return {name: value for name, value in values.items() if name in names or _OTHER_NAMES.get(name) in names}

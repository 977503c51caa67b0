"""List the options that each verb takes, and the combinations of options that runs refuse.

Server, client, command line and docs/options.md follow these tables: a combination has the same reason and text from
every side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import EXPORT, IMPORT
from tariffs.engine.response.elasticities.parameters import PATH, SETS
from tariffs.engine.response.elasticities.thetas import LASTING
from tariffs.engine.response.households import DECILE
from tariffs.engine.response.sectors.sector_market import PRODUCT
from tariffs.engine.response.trade.trade_response import EXACT_HAT, WORLD
from tariffs.engine.response.world.retaliation import BY_LAW
from tariffs.run_spec import spec as run_spec
from tariffs.run_spec.option import IMPACT, SEEK, SWEEP, TIMELINE, VERBS

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "scenarios": (IMPACT, TIMELINE),
    "scenario": (SWEEP, SEEK),
    "vary": (SWEEP, SEEK),
    "points": (SWEEP,),
    "target": (SEEK,),
    "where": (SEEK,),
    "start": (TIMELINE,),
    "end": (TIMELINE,),
    "lines_to": (IMPACT,),
    "cluster": (IMPACT, TIMELINE, SWEEP),
}
"""Verbs that take each argument that is no option of runs."""
OPTIONS = {**ARGUMENTS, **{name: one.verbs for name, one in run_spec.OPTIONS.items()}}
"""Verbs that take each argument and option; the names are those of the Python client."""
LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "one table": VERBS,
    "several files": (IMPACT, TIMELINE, SWEEP),
    "long run": (IMPACT, TIMELINE, SWEEP),
}
"""Verbs that compute each layout of a table, and long runs."""


@dataclass(frozen=True)
class OptionValues:
    """Values of an option or fact for which a refusal holds, with their text for the docs."""

    text: str
    holds: Callable[[Any], bool]


def _one(value: str) -> OptionValues:
    return OptionValues(f"`{value}`", lambda found: found == value)


def _other(value: str) -> OptionValues:
    return OptionValues(f"other than `{value}`", lambda found: found != value)


_GIVEN = OptionValues("given", bool)
_MISSING = OptionValues("missing", lambda found: not found)
_NAMED_SET = OptionValues(" or ".join(f"`{name}`" for name in SETS), SETS.__contains__)
_BY_DECILE = OptionValues(f"with `{DECILE}`", lambda found: DECILE in found)
_HOLDS = OptionValues("yes", bool)
_STATIC, _BEHAVIOURAL = _one("none"), _other("none")
FACTS: Mapping[str, str] = {
    "verb": "verb",
    "files": "table of several files",
    "dates": "entry dates in the table",
    "mixture": "mixture of scenarios",
    "own_table": "table of your own",
}
"""Facts that refusals test besides options, in words."""


@dataclass(frozen=True)
class Refusal:
    """Combination of options and facts that a run refuses.

    Attributes:
        field: option that the error names.
        when: conditions that hold together, by option or fact.
        message, fix: text of the error; `{name}` stands for the value of an option.
        reason: reason of the error.
    """

    field: str
    when: Mapping[str, OptionValues]
    message: str
    fix: str
    reason: str = "PARAMETER_INVALID"

    def holds(self, asked: Mapping[str, object]) -> bool:
        """Return True if all conditions hold; a fact that is not known yet holds nothing."""
        return all(name in asked and one.holds(asked[name]) for name, one in self.when.items())

    def error(self, asked: Mapping[str, object]) -> InputError:
        """Make the error."""
        message = self.message.format(**{name: asked.get(name) for name in self.when})
        return InputError(self.reason, message, field=self.field, fix=self.fix)


def refuse(asked: Mapping[str, object]) -> None:
    """Raise the first refusal that holds, InputError PARAMETER_INVALID or BASELINE_REQUIRED.

    `asked` has the values of options and facts by name, as far as they are known.
    """
    for one in REFUSALS:
        if one.holds(asked):
            raise one.error(asked)


def refuse_untaken(verb: str, given: Iterable[str]) -> None:
    """Refuse options that a verb does not take; raises InputError PARAMETER_INVALID."""
    for name in given:
        if verb not in OPTIONS[name]:
            fix = f"Leave it out, or use {' or '.join(OPTIONS[name])}."
            raise InputError("PARAMETER_INVALID", f"A {verb} takes no {name}.", field=name, fix=fix)


_DOMESTIC = "Domestic goods, consumer prices and the dollar are of the United States, not of its customers."
_FORECASTS = ("trend", "rivals")
_WHOLE = "{} needs the whole table at once, and a partitioned table is computed by products."
_ONE_FILE = "Leave it out, or give the table as one file."
_EXPORT = _one(EXPORT)
_COLLECTED = _one("collected")

REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        "market",
        {"market": _other(PRODUCT), "response": _other("armington")},
        "Sectors need the model armington.",
        "Use --response armington, or --market product.",
    ),
    *(
        Refusal(name, {name: condition, "direction": _EXPORT}, _DOMESTIC, "Leave it out for exports.")
        for name, condition in (
            ("market", _other(PRODUCT)),
            ("consumer_prices", _GIVEN),
            ("fx_offset", _GIVEN),
            ("basis", _COLLECTED),
            ("response", _one(EXACT_HAT)),
            ("response", _one(WORLD)),
        )
    ),
    *(
        Refusal(
            "basis",
            {"basis": _COLLECTED, name: _GIVEN},
            f"Shares collected are of sums by origin and industry, and {name} needs the duty that the law states.",
            "Leave one of them out.",
        )
        for name in ("draws", "attribute", "consumer_prices", "include_lines", "trend", "rivals", "memory")
    ),
    Refusal(
        "by",
        {"by": _BY_DECILE, "consumer_prices": _MISSING},
        "Deciles of households are of the effect on consumer prices.",
        "Give an impact --consumer-prices METHOD too, or leave decile out.",
    ),
    *(
        Refusal(
            name,
            {name: _GIVEN, "score": _MISSING},
            "It is of a score, and the run has none.",
            "Give a score too.",
        )
        for name in ("tax_offset", "collected", "gdp")
    ),
    Refusal(
        "score",
        {"score": _GIVEN, "own_table": _HOLDS},
        "A score is of all imports of the United States.",
        "Leave the table out.",
    ),
    Refusal(
        "fx_offset",
        {"fx_offset": _GIVEN, "response": _STATIC},
        "A static run moves no prices.",
        "Choose a response, or leave the option out.",
    ),
    Refusal(
        "horizon",
        {"horizon": _other(LASTING), "response": _one(EXACT_HAT)},
        "Thetas are of duties that last, and have no horizon {horizon}.",
        f"Leave it out, or use {LASTING}.",
    ),
    Refusal(
        "parameter_set",
        {"parameter_set": _NAMED_SET, "response": _one(EXACT_HAT)},
        "The set {parameter_set} has no thetas.",
        "Leave it out for the published ones, or give a file with the columns hts and theta.",
    ),
    Refusal(
        "draws",
        {"draws": _GIVEN, "response": _one(EXACT_HAT)},
        "Thetas are not drawn: their published spreads are not embedded.",
        "Compare runs with thetas of your own (--set FILE), or sweep elasticity.theta.",
    ),
    Refusal(
        "retaliation",
        {"retaliation": _GIVEN, "response": _other(WORLD)},
        "Only the world has partners that answer with duties of their own.",
        "Use --response world, or leave it out.",
    ),
    Refusal(
        "retaliation",
        {"retaliation": _one(BY_LAW), "dates": _HOLDS, "verb": _other(TIMELINE)},
        "Partners answer by their law of one day, and the table has days of its own.",
        "Leave the column of days out, or use another answer.",
    ),
    *(
        Refusal(name, {name: condition, "response": _one(WORLD)}, message, fix)
        for name, condition, message, fix in (
            (
                "horizon",
                _other(LASTING),
                "The trade elasticity of the world is of duties that last, and has no horizon {horizon}.",
                f"Leave it out, or use {LASTING}.",
            ),
            (
                "parameter_set",
                _GIVEN,
                "The world has one trade elasticity for all goods.",
                "Leave it out, and sweep elasticity.theta.",
            ),
            (
                "draws",
                _GIVEN,
                "Draws of a run are of elasticities of products, and the world has one for all goods.",
                "Use tariffs world --draws for ranges by country, sweep elasticity.theta, or leave the draws out.",
            ),
            (
                "fx_offset",
                _GIVEN,
                "Wages and prices of all countries are solved for: no offset of the exchange rate is left.",
                "Leave it out.",
            ),
            (
                "files",
                _HOLDS,
                "The world takes the mean duty of all goods, and a partitioned table is computed by products.",
                "Give the table as one file.",
            ),
        )
    ),
    Refusal(
        "draws",
        {"draws": _GIVEN, "response": _STATIC},
        "Draws are of elasticities, and this run has none.",
        "Choose a response, or leave the draws out.",
    ),
    Refusal(
        "ahead",
        {"ahead": _GIVEN, "response": _STATIC},
        "A static run moves no purchases.",
        "Choose a response, or leave the option out.",
    ),
    *(
        Refusal(
            "memory",
            {"memory": _GIVEN, **other},
            "Duties that have ended are remembered on the path alone.",
            f"Leave it out, or use the horizon {PATH} and a response with a path.",
        )
        for other in ({"response": _STATIC}, {"horizon": _other(PATH)})
    ),
    *(
        Refusal(
            name,
            {name: _GIVEN, "response": _STATIC},
            "A forecast is of trade after a response.",
            "Choose a response, or leave the option out.",
        )
        for name in _FORECASTS
    ),
    *(
        Refusal(
            name,
            {name: _GIVEN, "direction": _EXPORT},
            "Growth before the duties, and rival origins, are of imports of the United States.",
            "Leave it out for exports.",
        )
        for name in _FORECASTS
    ),
    Refusal(
        "reaction",
        {"reaction": _GIVEN, "direction": _one(IMPORT)},
        "Partners answer with duties on exports of the United States.",
        "Give --direction export or --both, or leave the option out.",
    ),
    Refusal(
        "horizon",
        {"horizon": _one(PATH), "reaction": _GIVEN, "response": _BEHAVIOURAL},
        "An answer has no day on which it began, and the horizon path needs one.",
        "Choose impact, short or long, or --response none.",
    ),
    *(
        Refusal(name, {name: _GIVEN, "files": _HOLDS}, _WHOLE.format(name), fix)
        for name, fix in (
            ("fx_offset", _ONE_FILE),
            ("rivals", _ONE_FILE),
            (
                "include_lines",
                "Name a directory for them with lines_to (--lines DIR), or give the table as one file.",
            ),
        )
    ),
    Refusal(
        "table",
        {"files": _HOLDS, "verb": _one(SEEK)},
        "A seek needs the whole table at once, and a partitioned table is computed by products.",
        "Give the table as one file, or sweep the parameter.",
    ),
    Refusal(
        "horizon",
        {"horizon": _one(PATH), "market": _other(PRODUCT), "files": _HOLDS},
        "At the horizon path a market of sectors responds at the mean age of the changes of duty of the whole table, "
        "and a partitioned one is computed by sectors.",
        "Use the horizon impact, short or long, or give the table as one file.",
    ),
    Refusal(
        "attribute",
        {"attribute": _GIVEN, "mixture": _HOLDS},
        "A mixture of scenarios has no single law whose changes could be told apart.",
        "Attribute its components one by one.",
    ),
    *(
        Refusal(
            name,
            {name: _GIVEN, "dates": _HOLDS, "verb": _one(IMPACT)},
            f"{why}, so that lines cannot have days of their own.",
            "Leave the entry dates out of the table, or the option.",
        )
        for name, why in (
            ("ahead", "Purchases are moved between days"),
            ("memory", "Which duties have ended is asked of one day"),
            *((name, "A forecast is of one day") for name in _FORECASTS),
        )
    ),
    *(
        Refusal(
            "baseline",
            {"baseline": _MISSING, name: condition, "own_table": _HOLDS},
            f"{why} the day that the table's values belong to.",
            f"Give --baseline DAY, or {other}.",
            "BASELINE_REQUIRED",
        )
        for name, condition, why, other in (
            (
                "response",
                _BEHAVIOURAL,
                "A run with a response needs",
                "--response none for the static result",
            ),
            (
                "consumer_prices",
                _GIVEN,
                "Consumer prices follow from the duty added since",
                "leave consumer prices out",
            ),
        )
    ),
)
"""In the order in which they are looked at; the first that holds is the error."""

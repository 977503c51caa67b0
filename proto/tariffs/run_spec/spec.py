"""List the options of runs: the one place where an option is written.

`make gen` writes from it `typed.py` and missing fields of requests and docs/options.md; client, command line, desk,
service and engine read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tariffs.run_spec.option import (
    EVERY,
    IMPACT,
    SEEK,
    SWEEP,
    TIMELINE,
    Kind,
    RunOption,
    option,
    options_in,
)

_NOT_SEEK = (IMPACT, TIMELINE, SWEEP)


@dataclass(frozen=True)
class Question:
    """Day, parameters and law of the scenarios."""

    on: str = option(
        "",
        Kind.DAY,
        "Day",
        "Day of the law; a line's own entry date beats it. Default: the law's as-of day.",
        (IMPACT, SWEEP, SEEK),
    )
    parameters: Mapping[str, str] = option(
        {},
        Kind.VALUES,
        "Parameters, such as cn=20%",
        "Values of parameters of the scenarios, such as cn=20%, start=2027-01-01 or vietnam=on, each for every "
        "scenario that declares it; the others have their defaults, which `tariffs scenario show` lists. In "
        "Python a mapping, where 0.2 is 20 % and True is on.",
        EVERY,
        flag="--param",
        wire="scenario_parameters",
    )
    law_version: str = option(
        "",
        Kind.TEXT,
        "Version of the law",
        "Law to use: a version, `latest` or `VERSION@DIGEST`, see `tariffs law versions`; on the command line without "
        "a server also a law pack or a directory of law data. Default: TARIFFS_LAW_VERSION, else that of the server.",
        EVERY,
        metavar="VERSION|latest|PACK",
    )


@dataclass(frozen=True)
class Goods:
    """Goods of the table: their day, direction and dates."""

    baseline: str = option(
        "",
        Kind.DAY,
        "Day its values belong to (for a response)",
        "Day that the table's values belong to; needed to model a response on your own table.",
    )
    direction: str = option(
        "import",
        Kind.CHOICE,
        "Direction of the goods",
        "Imports into the United States, or its exports under the duties of the country they go to; days are those of "
        "the importing country.",
        EVERY,
        choices=("import", "export"),
        reason="REQUEST_INVALID",
    )
    to: str = option(
        "",
        Kind.TEXT,
        "Destination of exports",
        "For exports: ISO code of the country the goods go to. Default: China, or the table's destination column.",
        EVERY,
        choices=("CN", "CA", "JP"),
        side="export",
    )
    date_format: str = option(
        "",
        Kind.TEXT,
        "Format of its days",
        "Format of date columns; excel: day numbers. Default: ISO, or the only order of day and month that fits the "
        "column.",
        EVERY,
        choices=("m/d/Y", "d/m/Y", "excel"),
    )


@dataclass(frozen=True)
class LawChoice:
    """Acts of the law that count, and its open points."""

    known_on: str = option(
        "",
        Kind.DAY,
        "Known on",
        "Use only acts published by this day; `entry`: by the day of each line, in a timeline by each day itself.",
        EVERY,
    )
    switches: Mapping[str, str] = option(
        {},
        Kind.PAIRS,
        "Switches",
        "Open points of the law set to other values than their defaults; see `tariffs law switches`.",
        EVERY,
        flag="--switch",
    )
    min_confidence: str = option(
        "",
        Kind.TEXT,
        "Least confidence",
        "Use only acts with at least this confidence.",
        EVERY,
        flag="--min-conf",
        choices=("A", "B", "C"),
    )


@dataclass(frozen=True)
class Response:
    """Response of trade to duties."""

    response: str = option(
        "armington",
        Kind.CHOICE,
        "Response of trade",
        "Model of the trade response.",
        choices=("armington", "passthrough", "smart", "gsim", "exact_hat", "world", "none"),
        is_recorded=True,
    )
    horizon: str = option(
        "path",
        Kind.CHOICE,
        "Horizon",
        "Time since the change of duty, for the trade response; path: every change at its own age.",
        choices=("path", "impact", "short", "long"),
        is_recorded=True,
    )
    ahead: str = option(
        "",
        Kind.DAY,
        "Duties expected from",
        "Day from which buyers expect the duties that come: they buy ahead of them, and less afterwards.",
        (IMPACT, TIMELINE),
    )
    trend: str = option(
        "",
        Kind.TABLE,
        "Growth before the duties",
        "Growth of imports by origin and industry for `value_forecast` and `duty_forecast`: that of 2024, or the path "
        "of a CSV file with origin, industry and growth (0.05 is 5 % a year). Default: none.",
        (IMPACT, TIMELINE),
        choices=("none", "2024"),
        metavar="none|2024|FILE",
        side="import",
    )
    rivals: float = option(
        0.0,
        Kind.NUMBER,
        "Elasticity between rivals",
        "Elasticity at which rival origins, such as China and Vietnam, share by their duties what they sell of an "
        "industry, for `value_forecast` and `duty_forecast`; published: 1.53. At 0 each keeps its own.",
        (IMPACT, TIMELINE),
        low=0.0,
        high=10.0,
        metavar="ELASTICITY",
        side="import",
    )
    market: str = option(
        "product",
        Kind.CHOICE,
        "Market",
        "Demand: each product by itself, or sectors of products and domestic goods.",
        choices=("product", "sector"),
        side="import",
    )
    fx_offset: float = option(
        0.0,
        Kind.NUMBER,
        "Offset of the exchange rate",
        "Part of the mean rise of prices by duties that a dearer dollar takes off exporters' prices; published: 0.174. "
        "At 0 the exchange rate stays.",
        low=0.0,
        high=1.0,
        metavar="SHARE",
        side="import",
    )
    reaction: float = option(
        0.0,
        Kind.NUMBER,
        "Slope of reactions",
        "For exports: what partners add on goods of the United States for 1 that a scenario adds to the mean duty on "
        "theirs; reciprocity: 1. At 0 they answer nothing.",
        (IMPACT,),
        low=0.0,
        metavar="SLOPE",
        side="export",
    )
    retaliation: str = option(
        "",
        Kind.TEXT,
        "Answer of partners in the world",
        "With the response of the world: what partners charge on goods of the United States: none; law, what our data "
        "of their law say; reciprocal, the same rate back; optimal, the published formula. Default: none.",
        choices=("none", "law", "reciprocal", "optimal"),
        side="import",
    )
    parameter_set: str = option(
        "",
        Kind.PARAMETER_SET,
        "Elasticities",
        "Elasticities of the response: a named set, or the path of a CSV file. Default: central; of smart: wits; of "
        "exact_hat: published thetas; of world: one.",
        choices=("low", "high", "central", "wits"),
        flag="--set",
        metavar="low|high|central|wits|FILE",
    )


@dataclass(frozen=True)
class Results:
    """Groups of the results, and what is computed beside them."""

    by: tuple[str, ...] = option(
        ("origin",),
        Kind.KEYS,
        "Groups by",
        "Groups: origin, region, authority, hts2 to hts10, sector, month, decile, or a column. "
        "Default: origin.",
        _NOT_SEEK,
        metavar="KEYS",
        is_recorded=True,
    )
    basis: str = option(
        "assessed",
        Kind.CHOICE,
        "Basis of duty",
        "Duty in the results: assessed by the law, or the part that is collected, by the frozen shares of origins and "
        "industries. Prices and trade follow from the assessed rates; surplus and welfare are then null.",
        (IMPACT,),
        choices=("assessed", "collected"),
        side="import",
    )
    draws: int = option(
        0,
        Kind.WHOLE,
        "Draws",
        "Draws of the elasticities for ranges: a power of two from 16, such as 256 (quick) or 1024 (the rule).",
        (IMPACT,),
        metavar="N",
    )
    seed: int = option(
        0,
        Kind.WHOLE,
        "Seed of the draws",
        "Seed of the draws; the same seed gives the same ranges.",
        (IMPACT,),
        limit=2**63,
        metavar="S",
    )
    attribute: bool = option(
        False,
        Kind.FLAG,
        "Attribute to changes",
        "Split the difference of each scenario from the first one of its day by change and authority.",
        (IMPACT,),
    )
    memory: bool = option(
        False,
        Kind.FLAG,
        "Memory of duties",
        "Split buyers' surplus on the path: what quantities that have not adjusted cost (`unadjusted_surplus`), and of "
        "which duties that have ended (`ended_surplus`).",
        (IMPACT,),
    )
    consumer_prices: str = option(
        "",
        Kind.CHOICE,
        "Consumer prices",
        "Effect on consumer prices, with margins constant in dollars or percent, or by Yale's method; 2024: by the "
        "latest accounts; offset: less the 17.4 % that a rise of the dollar takes off.",
        (IMPACT,),
        choices=(
            "dollar",
            "percent",
            "yale",
            "dollar_2024",
            "percent_2024",
            "dollar_offset",
            "percent_offset",
        ),
        side="import",
    )
    include_lines: bool = option(
        False,
        Kind.FLAG,
        "Every line",
        "Add every line to the result; on the command line `--lines FILE` writes them.",
        (IMPACT,),
        flag="--lines",
    )


@dataclass(frozen=True)
class Budget:
    """Score of a period by fiscal year."""

    score: str = option(
        "",
        Kind.TEXT,
        "Projection of a score",
        "Score whole fiscal years on the imports of a projection of CBO: that of 2026-02, or of 2025-01, before the "
        "tariffs of 2025.",
        (TIMELINE,),
        choices=("2026-02", "2025-01"),
        flag="--projection",
        side="import",
    )
    tax_offset: str = option(
        "",
        Kind.TEXT,
        "Offset of taxes",
        "Part of added revenue that income and payroll taxes lose: yale (0.23, the default), cbo_low (0.21), cbo_high "
        "(0.25), jct_2017 or jct_2023 by year, none.",
        (TIMELINE,),
        choices=("yale", "cbo_low", "cbo_high", "jct_2017", "jct_2023", "none"),
        side="import",
    )
    collected: Mapping[str, str] = option(
        {},
        Kind.PAIRS,
        "Collected shares",
        "Share of added duty that is collected in a score, by origin or of `all` others, such as CN=0.85. On the "
        "command line also @FILE, a CSV file of origin and share. Default: all that is assessed.",
        (TIMELINE,),
        side="import",
        metavar="ORIGIN=SHARE",
    )
    gdp: Mapping[str, str] = option(
        {},
        Kind.PAIRS,
        "Change of GDP",
        "Change of real GDP from a fiscal year on, such as 2028=-0.2%: adds dynamic revenue to a score by the rules of "
        "thumb of CBO.",
        (TIMELINE,),
        side="import",
        metavar="YEAR=CHANGE",
    )


@dataclass(frozen=True)
class RunSpec(Budget, Results, Response, LawChoice, Goods, Question):
    """Options of a run with their defaults, as plain data."""


GROUPS = {
    "Question": Question,
    "Table": Goods,
    "Law": LawChoice,
    "Trade response": Response,
    "Results": Results,
    "Score": Budget,
}
"""Groups of options by title."""
OPTIONS: Mapping[str, RunOption] = {
    one.name: one for title, group in GROUPS.items() for one in options_in(group, title)
}
"""All options by name."""


def taken(verb: str) -> tuple[RunOption, ...]:
    """List the options that a verb takes."""
    return tuple(one for one in OPTIONS.values() if verb in one.verbs)

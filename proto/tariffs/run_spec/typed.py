"""Options of runs as keyword arguments, for type checkers and `help`: made from `spec.py` by `make gen`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from tariffs.run_spec.option import Day, Parameters


class LawOptions(TypedDict, total=False):
    """Options of the goods and the law: of rows, entries and lists of changes.

    Attributes:
        parameters: Values of parameters of the scenarios, such as cn=20%, start=2027-01-01 or vietnam=on, each for
            every scenario that declares it; the others have their defaults, which `tariffs scenario show` lists. In
            Python a mapping, where 0.2 is 20 % and True is on.
        law_version: Law to use: a version, `latest` or `VERSION@DIGEST`, see `tariffs law versions`; on the command
            line without a server also a law pack or a directory of law data. Default: TARIFFS_LAW_VERSION, else that of
            the server.
        direction: Imports into the United States, or its exports under the duties of the country they go to; days are
            those of the importing country. One of import, export.
        to: For exports: ISO code of the country the goods go to. Default: China, or the table's destination column.
        date_format: Format of date columns; excel: day numbers. Default: ISO, or the only order of day and month that
            fits the column.
        known_on: Use only acts published by this day; `entry`: by the day of each line, in a timeline by each day
            itself.
        switches: Open points of the law set to other values than their defaults; see `tariffs law switches`.
        min_confidence: Use only acts with at least this confidence.
    """

    parameters: Parameters | None
    law_version: str
    direction: str
    to: str
    date_format: str
    known_on: Day | None
    switches: Mapping[str, str] | None
    min_confidence: str


class ResponseOptions(TypedDict, total=False):
    """Options of sweeps and seeks.

    Attributes:
        parameters: Values of parameters of the scenarios, such as cn=20%, start=2027-01-01 or vietnam=on, each for
            every scenario that declares it; the others have their defaults, which `tariffs scenario show` lists. In
            Python a mapping, where 0.2 is 20 % and True is on.
        law_version: Law to use: a version, `latest` or `VERSION@DIGEST`, see `tariffs law versions`; on the command
            line without a server also a law pack or a directory of law data. Default: TARIFFS_LAW_VERSION, else that of
            the server.
        baseline: Day that the table's values belong to; needed to model a response on your own table.
        direction: Imports into the United States, or its exports under the duties of the country they go to; days are
            those of the importing country. One of import, export.
        to: For exports: ISO code of the country the goods go to. Default: China, or the table's destination column.
        date_format: Format of date columns; excel: day numbers. Default: ISO, or the only order of day and month that
            fits the column.
        known_on: Use only acts published by this day; `entry`: by the day of each line, in a timeline by each day
            itself.
        switches: Open points of the law set to other values than their defaults; see `tariffs law switches`.
        min_confidence: Use only acts with at least this confidence.
        response: Model of the trade response. One of armington, passthrough, smart, gsim, exact_hat, world, none.
        horizon: Time since the change of duty, for the trade response; path: every change at its own age. One of path,
            impact, short, long.
        market: Demand: each product by itself, or sectors of products and domestic goods. One of product, sector.
        fx_offset: Part of the mean rise of prices by duties that a dearer dollar takes off exporters' prices;
            published: 0.174. At 0 the exchange rate stays.
        retaliation: With the response of the world: what partners charge on goods of the United States: none; law, what
            our data of their law say; reciprocal, the same rate back; optimal, the published formula. Default: none.
        parameter_set: Elasticities of the response: a named set, or the path of a CSV file. Default: central; of smart:
            wits; of exact_hat: published thetas; of world: one.
    """

    parameters: Parameters | None
    law_version: str
    baseline: Day | None
    direction: str
    to: str
    date_format: str
    known_on: Day | None
    switches: Mapping[str, str] | None
    min_confidence: str
    response: str
    horizon: str
    market: str
    fx_offset: float
    retaliation: str
    parameter_set: str | Path | None


class TimelineOptions(TypedDict, total=False):
    """Options of timelines.

    Attributes:
        parameters: Values of parameters of the scenarios, such as cn=20%, start=2027-01-01 or vietnam=on, each for
            every scenario that declares it; the others have their defaults, which `tariffs scenario show` lists. In
            Python a mapping, where 0.2 is 20 % and True is on.
        law_version: Law to use: a version, `latest` or `VERSION@DIGEST`, see `tariffs law versions`; on the command
            line without a server also a law pack or a directory of law data. Default: TARIFFS_LAW_VERSION, else that of
            the server.
        baseline: Day that the table's values belong to; needed to model a response on your own table.
        direction: Imports into the United States, or its exports under the duties of the country they go to; days are
            those of the importing country. One of import, export.
        to: For exports: ISO code of the country the goods go to. Default: China, or the table's destination column.
        date_format: Format of date columns; excel: day numbers. Default: ISO, or the only order of day and month that
            fits the column.
        known_on: Use only acts published by this day; `entry`: by the day of each line, in a timeline by each day
            itself.
        switches: Open points of the law set to other values than their defaults; see `tariffs law switches`.
        min_confidence: Use only acts with at least this confidence.
        response: Model of the trade response. One of armington, passthrough, smart, gsim, exact_hat, world, none.
        horizon: Time since the change of duty, for the trade response; path: every change at its own age. One of path,
            impact, short, long.
        ahead: Day from which buyers expect the duties that come: they buy ahead of them, and less afterwards.
        trend: Growth of imports by origin and industry for `value_forecast` and `duty_forecast`: that of 2024, or the
            path of a CSV file with origin, industry and growth (0.05 is 5 % a year). Default: none.
        rivals: Elasticity at which rival origins, such as China and Vietnam, share by their duties what they sell of an
            industry, for `value_forecast` and `duty_forecast`; published: 1.53. At 0 each keeps its own.
        market: Demand: each product by itself, or sectors of products and domestic goods. One of product, sector.
        fx_offset: Part of the mean rise of prices by duties that a dearer dollar takes off exporters' prices;
            published: 0.174. At 0 the exchange rate stays.
        retaliation: With the response of the world: what partners charge on goods of the United States: none; law, what
            our data of their law say; reciprocal, the same rate back; optimal, the published formula. Default: none.
        parameter_set: Elasticities of the response: a named set, or the path of a CSV file. Default: central; of smart:
            wits; of exact_hat: published thetas; of world: one.
        score: Score whole fiscal years on the imports of a projection of CBO: that of 2026-02, or of 2025-01, before
            the tariffs of 2025.
        tax_offset: Part of added revenue that income and payroll taxes lose: yale (0.23, the default), cbo_low (0.21),
            cbo_high (0.25), jct_2017 or jct_2023 by year, none.
        collected: Share of added duty that is collected in a score, by origin or of `all` others, such as CN=0.85. On
            the command line also @FILE, a CSV file of origin and share. Default: all that is assessed.
        gdp: Change of real GDP from a fiscal year on, such as 2028=-0.2%: adds dynamic revenue to a score by the rules
            of thumb of CBO.
    """

    parameters: Parameters | None
    law_version: str
    baseline: Day | None
    direction: str
    to: str
    date_format: str
    known_on: Day | None
    switches: Mapping[str, str] | None
    min_confidence: str
    response: str
    horizon: str
    ahead: Day | None
    trend: str | Path | None
    rivals: float
    market: str
    fx_offset: float
    retaliation: str
    parameter_set: str | Path | None
    score: str
    tax_offset: str
    collected: Mapping[str, str] | None
    gdp: Mapping[str, str] | None


class RunOptions(TypedDict, total=False):
    """Options of impacts.

    Attributes:
        parameters: Values of parameters of the scenarios, such as cn=20%, start=2027-01-01 or vietnam=on, each for
            every scenario that declares it; the others have their defaults, which `tariffs scenario show` lists. In
            Python a mapping, where 0.2 is 20 % and True is on.
        law_version: Law to use: a version, `latest` or `VERSION@DIGEST`, see `tariffs law versions`; on the command
            line without a server also a law pack or a directory of law data. Default: TARIFFS_LAW_VERSION, else that of
            the server.
        baseline: Day that the table's values belong to; needed to model a response on your own table.
        direction: Imports into the United States, or its exports under the duties of the country they go to; days are
            those of the importing country. One of import, export.
        to: For exports: ISO code of the country the goods go to. Default: China, or the table's destination column.
        date_format: Format of date columns; excel: day numbers. Default: ISO, or the only order of day and month that
            fits the column.
        known_on: Use only acts published by this day; `entry`: by the day of each line, in a timeline by each day
            itself.
        switches: Open points of the law set to other values than their defaults; see `tariffs law switches`.
        min_confidence: Use only acts with at least this confidence.
        response: Model of the trade response. One of armington, passthrough, smart, gsim, exact_hat, world, none.
        horizon: Time since the change of duty, for the trade response; path: every change at its own age. One of path,
            impact, short, long.
        ahead: Day from which buyers expect the duties that come: they buy ahead of them, and less afterwards.
        trend: Growth of imports by origin and industry for `value_forecast` and `duty_forecast`: that of 2024, or the
            path of a CSV file with origin, industry and growth (0.05 is 5 % a year). Default: none.
        rivals: Elasticity at which rival origins, such as China and Vietnam, share by their duties what they sell of an
            industry, for `value_forecast` and `duty_forecast`; published: 1.53. At 0 each keeps its own.
        market: Demand: each product by itself, or sectors of products and domestic goods. One of product, sector.
        fx_offset: Part of the mean rise of prices by duties that a dearer dollar takes off exporters' prices;
            published: 0.174. At 0 the exchange rate stays.
        reaction: For exports: what partners add on goods of the United States for 1 that a scenario adds to the mean
            duty on theirs; reciprocity: 1. At 0 they answer nothing.
        retaliation: With the response of the world: what partners charge on goods of the United States: none; law, what
            our data of their law say; reciprocal, the same rate back; optimal, the published formula. Default: none.
        parameter_set: Elasticities of the response: a named set, or the path of a CSV file. Default: central; of smart:
            wits; of exact_hat: published thetas; of world: one.
        basis: Duty in the results: assessed by the law, or the part that is collected, by the frozen shares of origins
            and industries. Prices and trade follow from the assessed rates; surplus and welfare are then null. One of
            assessed, collected.
        draws: Draws of the elasticities for ranges: a power of two from 16, such as 256 (quick) or 1024 (the rule).
        seed: Seed of the draws; the same seed gives the same ranges.
        attribute: Split the difference of each scenario from the first one of its day by change and authority.
        memory: Split buyers' surplus on the path: what quantities that have not adjusted cost (`unadjusted_surplus`),
            and of which duties that have ended (`ended_surplus`).
        consumer_prices: Effect on consumer prices, with margins constant in dollars or percent, or by Yale's method;
            2024: by the latest accounts; offset: less the 17.4 % that a rise of the dollar takes off. One of dollar,
            percent, yale, dollar_2024, percent_2024, dollar_offset, percent_offset.
        include_lines: Add every line to the result; on the command line `--lines FILE` writes them.
    """

    parameters: Parameters | None
    law_version: str
    baseline: Day | None
    direction: str
    to: str
    date_format: str
    known_on: Day | None
    switches: Mapping[str, str] | None
    min_confidence: str
    response: str
    horizon: str
    ahead: Day | None
    trend: str | Path | None
    rivals: float
    market: str
    fx_offset: float
    reaction: float
    retaliation: str
    parameter_set: str | Path | None
    basis: str
    draws: int
    seed: int
    attribute: bool
    memory: bool
    consumer_prices: str
    include_lines: bool

"""Compare published figures of trade policy with runs of the engine, for `tariffs validate economics`.

Nothing is fitted to the figures: every run is the embedded table under default parameters. See docs/reproduction.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, Bools, ratio, sums_of
from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.law import load_law
from tariffs.engine.response.elasticities.adjustment_profile import PathParameters, path_parameters_for
from tariffs.engine.response.elasticities.parameters import BOUNDS, PATH, ProductParameters, parameters_for
from tariffs.engine.response.trade.trade_response import Response
from tariffs.engine.response.trade.varieties import VarietyRates, VarietyVolume
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import Cancelled, Progress, RunContext, TableRun
from tariffs.engine.runs.timeline import spans
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tariffs.engine.tables.default_shares import USMCA_CLAIM
from tariffs.engine.validation.figures import Comparison, PublishedFigure, read_figures
from tariffs.engine.validation.measures import MEASURES, TradeSample, weighted

_NEVER = "2025-01-02"


@dataclass(frozen=True)
class Reproduction:
    """Comparisons of all figures, and the inputs needed to reproduce them."""

    rows: tuple[Comparison, ...]
    provenance: Mapping[str, object]

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return {"rows": [_to_dict(row) for row in self.rows], "provenance": dict(self.provenance)}


@dataclass(frozen=True)
class _FigureRun:
    """Lines of one run: trade under the default, low and high parameters, the usable lines, codes and origins."""

    trades: tuple[TradeSample, ...]
    keep: Bools
    lines: pl.DataFrame
    digest: object

    def compare(self, figure: PublishedFigure) -> Comparison:
        """Measure a figure on the lines of its origins and products."""
        chosen = self.keep.copy()
        if figure.origins:
            chosen &= self.lines["origin"].is_in(figure.origins).to_numpy()
        if figure.products:
            heads = [pl.col("hts").str.starts_with(prefix) for prefix in figure.products]
            chosen &= self.lines.select(pl.any_horizontal(heads))["hts"].to_numpy()
        measure = MEASURES[figure.measure]
        return Comparison(figure, *(measure(trade, chosen, self.keep) for trade in self.trades))


def published_figures() -> tuple[PublishedFigure, ...]:
    """Read the published figures, in the order of the file."""
    return read_figures(MEASURES)


def reproduce(*, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Reproduction:
    """Run every published figure on the embedded table.

    Raises:
        ServiceError: CANCELLED.
    """
    context = RunContext(progress, cancelled)
    figures = published_figures()
    law = load_law()
    runs: dict[str, _FigureRun] = {}
    for index, figure in enumerate(figures):
        if run_name(figure) not in runs:
            context.step(f"{figure.who} on {figure.on}", index / len(figures))
            options = Options(
                known_on=figure.known_on,
                switches=figure.switches,
                horizon=figure.horizon if figure.years is None else "short",
                market=figure.market,
            )
            table_run = TableRun(None, law, options, RunContext(None, cancelled))
            runs[run_name(figure)] = _run(table_run, figure)
    context.step("done", 1.0)
    facts = {
        "law_version": law.version,
        "law_digest": law.digest,
        "runs": {name: run.digest for name, run in runs.items()},
    }
    rows = tuple(runs[run_name(figure)].compare(figure) for figure in figures)
    return Reproduction(rows, with_run_digest(facts))


def run_name(figure: PublishedFigure) -> str:
    """Name the run that a figure is measured on; figures of one run share the name."""
    switches = str(dict(figure.switches))
    market = "" if figure.market == "product" else figure.market
    without = ",".join(figure.without)
    age = "" if figure.years is None else f"{figure.years:g} years"
    parts = (
        figure.on,
        figure.until,
        figure.known_on,
        without,
        figure.on_full_value,
        switches,
        figure.horizon,
        age,
        market,
    )
    return " ".join(filter(None, parts))


def _to_dict(row: Comparison) -> dict[str, Any]:
    figure = row.figure
    return {
        "row": figure.id,
        "episode": figure.who,
        "figure": figure.measure,
        "origins": list(figure.origins),
        "products": list(figure.products),
        "published": figure.value,
        "tolerance": figure.tolerance,
        "on": figure.on,
        "until": figure.until,
        "known_on": figure.known_on,
        "without": " ".join(figure.without),
        "on_full_value": figure.on_full_value,
        "switches": dict(figure.switches),
        "horizon": figure.horizon,
        "years": figure.years,
        "market": figure.market,
        "source": "; ".join(figure.source),
        "reason": figure.reason,
        "ours": row.ours,
        "low": row.low,
        "high": row.high,
        "difference": row.difference,
        "within": row.within,
    }


def _scenario(figure: PublishedFigure) -> Scenario:
    changes = []
    for authority in figure.without:
        changes.append(f"{{op: terminate, measures: {{authority: {authority}}}, at: {_NEVER}}}")
    if figure.on_full_value:
        measures = f"measures: {{authority: {figure.on_full_value}}}, from: {figure.on}T00:00"
        changes.append(f"{{op: set_rate, {measures}, by: x1, base: {{full: 1}}}}")
    if not changes:
        return library()["base"]
    without = [f"without-{authority}" for authority in figure.without]
    name = "-".join(filter(None, (*without, figure.on_full_value)))
    head = (
        f"schema: tariffs.scenario/v1\nid: {name.replace('.', '-')}\ntitle: As published\nbasis: hypothesis\n"
    )
    text = "".join(f"  - {change}\n" for change in changes)
    return parse_scenario(f"{head}changes:\n{text}", "reproduction")


def _run(table_run: TableRun, figure: PublishedFigure) -> _FigureRun:
    """Run a figure under the default parameters, and under the sets low and high."""
    scenario = _scenario(figure)
    days = spans(table_run, scenario, figure.on, figure.until) if figure.until else [(figure.on, 1)]
    period = sum(count for _, count in days)

    def sample(name: str | None) -> TradeSample:
        parameters = _parameters(table_run.prepared.products, figure, name)
        return weighted(
            (count / period, _trade(table_run, table_run.outcomes(scenario, day)[0], parameters))
            for day, count in days
        )

    trades = tuple(sample(name) for name in (None, *BOUNDS))
    lines = table_run.prepared.frame.select("hts", "origin")
    digest = table_run.provenance([scenario])["run_digest"]
    kept = table_run.kept(table_run.outcomes(scenario, days[0][0]))
    return _FigureRun(trades, kept, lines, digest)


def _parameters(codes: Sequence[str], figure: PublishedFigure, name: str | None) -> ProductParameters:
    """Look up the parameters of a figure: of its horizon, or of an age on the path."""
    if figure.horizon != PATH:
        return parameters_for(codes, horizon=figure.horizon, set=name)
    path = path_parameters_for(codes, set=name)
    return path if figure.years is None else path.at(figure.years)


def _trade(table_run: TableRun, outcome: Outcome, parameters: ProductParameters) -> TradeSample:
    assert table_run.response is not None
    response = outcome.responding(replace(table_run.response, parameters=parameters))
    lines, duty = table_run.prepared.lines, outcome.duties.duty
    value, rates = lines.value, response.rates_under(outcome.duties)
    varieties = response.solver(rates)(response.parameters)
    volume = response.to_lines(varieties, rates)
    exporter_price, power = _price_changes(response, varieties, rates)
    # Goods that may not be imported are in the landed cost of the baseline alone.
    prohibited = (value + lines.freight + lines.insurance) * ratio(outcome.duties.prohibited, value, 0.0)
    base = duty - prohibited - outcome.columns["landed_change"]
    of_line, goods = volume.product_of_line, volume.domestic
    share = ratio(value, sums_of(of_line, value, len(volume.welfare))[of_line], 0.0)
    nothing = np.full(len(volume.welfare), np.nan)
    long_value, long_duty = _at_long(table_run, outcome, parameters)
    inverse = 1.0 / parameters.supply
    elasticity = -parameters.sigma * (1.0 + inverse) / (1.0 + parameters.sigma * inverse)
    shipments, price, output = (
        (nothing, nothing, nothing)
        if goods is None
        else (goods.shipments, goods.price_hat, goods.quantity_hat)
    )
    return TradeSample(
        value=value,
        base=ratio(base, value, 0.0),
        rate=ratio(duty, value, 0.0),
        value_after=volume.value,
        duty_after=volume.duty,
        quantity_hat=volume.quantity_hat,
        exporter_price=exporter_price,
        power=power,
        buyer_gain=share * volume.buyer_surplus[of_line],
        claimed=np.nan_to_num(outcome.lines.fact(USMCA_CLAIM)),
        product=of_line,
        elasticity=elasticity,
        long_value=long_value,
        long_duty=long_duty,
        shipments=share * shipments[of_line],
        domestic_price_hat=price[of_line],
        domestic_quantity_hat=output[of_line],
    )


def _price_changes(response: Response, volume: VarietyVolume, rates: VarietyRates) -> tuple[F64, F64]:
    """Log changes of exporters' prices and of powers of duty where duty rises, times value, by line."""
    v = response.varieties
    power = np.log((1.0 + rates.rate) / (1.0 + response.base_rate))
    hit = (power > 0.0) & (v.value > 0.0) & (volume.value > 0.0) & ~rates.prohibited
    price = np.log(ratio(volume.value, v.value * volume.quantity_hat, 1.0), where=hit, out=np.zeros(v.count))
    return v.to_lines(np.where(hit, v.value * price, 0.0)), v.to_lines(np.where(hit, v.value * power, 0.0))


def _at_long(table_run: TableRun, outcome: Outcome, parameters: ProductParameters) -> tuple[F64, F64]:
    """Compute value and duty after at the horizon `long` beside a run on the path."""
    if not isinstance(parameters, PathParameters):
        unknown = np.broadcast_to(np.nan, table_run.prepared.lines.count)
        return unknown, unknown
    assert table_run.response is not None
    response = replace(table_run.response, parameters=parameters.stages[-1])
    rates = response.rates_under(outcome.duties)
    volume = response.to_lines(response.solver(rates)(response.parameters), rates)
    return volume.value, volume.duty

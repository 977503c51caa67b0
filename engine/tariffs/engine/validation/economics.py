"""Compare published figures of trade policy with runs of the engine, for `tariffs validate economics`.

Nothing is fitted to the figures: every run is the embedded table under default parameters. See docs/reproduction.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.law import load_law
from tariffs.engine.response.adjustment_profile import PathParameters, path_parameters_for
from tariffs.engine.response.parameters import BOUNDS, PATH, ProductParameters, parameters_for
from tariffs.engine.response.trade_response import Response, VarietyVolume
from tariffs.engine.response.variety_rates import VarietyRates
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.table_run import Cancelled, Progress, RunContext, TableRun
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tariffs.engine.tables.default_shares import USMCA_CLAIM
from tariffs.engine.validation.figures import Comparison, PublishedFigure, read_figures

STEEP_RISE = 0.3
"""Rise of the rate, as a fraction, from which a line counts as hit hard."""
LEAST_FALL = 0.001
"""Fall of the rate, as a fraction, from which a line counts as freed of a duty."""
GDP_2024 = 29.185e12
"""Gross domestic product of 2024, USD: Bureau of Economic Analysis."""
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
class TradeSample:
    """Trade before and after, per line, under one set of parameters: the input of `MEASURES`.

    `value`, `value_after` and `duty_after` are in USD, `quantity_hat` is after / before, `base` and `rate` duty rates,
    `exporter_price` and `power` log changes of the price and of one plus the rate, times value, summed over goods of
    one rate whose duty rises, `buyer_gain` the gain of buyers in USD, `claimed` the share for which the USMCA is
    claimed. Of a market of sectors there are also `shipments` of domestic goods in USD, their price and output after /
    before. What belongs to a product is divided over its lines by value. `elasticity`, per product, is
    that of the value of one variety to its price with duty; `long_value` and `long_duty` are value and duty after at
    the horizon `long`, NaN but on the path.
    """

    value: F64
    base: F64
    rate: F64
    value_after: F64
    duty_after: F64
    quantity_hat: F64
    exporter_price: F64
    power: F64
    buyer_gain: F64
    claimed: F64
    product: I64
    elasticity: F64
    long_value: F64
    long_duty: F64
    shipments: F64
    domestic_price_hat: F64
    domestic_quantity_hat: F64


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
    parts = (figure.on, figure.known_on, without, figure.on_full_value, switches, figure.horizon, age, market)
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
    outcome = table_run.outcomes(scenario, figure.on)[0]
    trades = tuple(
        _trade(table_run, outcome, _parameters(table_run.prepared.products, figure, name))
        for name in (None, *BOUNDS)
    )
    lines = table_run.prepared.frame.select("hts", "origin")
    digest = table_run.provenance([scenario])["run_digest"]
    return _FigureRun(trades, table_run.kept([outcome]), lines, digest)


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
    hit = (power > 0.0) & (v.value > 0.0) & (volume.value > 0.0) & ~rates.closed
    price = np.log(ratio(volume.value, v.value * volume.quantity_hat, 1.0), where=hit, out=np.zeros(v.count))
    return v.to_lines(np.where(hit, v.value * price, 0.0)), v.to_lines(np.where(hit, v.value * power, 0.0))


def _at_long(table_run: TableRun, outcome: Outcome, parameters: ProductParameters) -> tuple[F64, F64]:
    """Compute value and duty after at the horizon `long` beside a run on the path."""
    if not isinstance(parameters, PathParameters):
        unknown = np.broadcast_to(np.nan, table_run.prepared.lines.count)
        return unknown, unknown
    assert table_run.response is not None
    volume = replace(table_run.response, parameters=parameters.stages[-1])(outcome.duties)
    return volume.value, volume.duty


def _mean(rate: F64, value: F64, chosen: Bools) -> float:
    return float((rate[chosen] * value[chosen]).sum() / value[chosen].sum())


def _static_rate(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.rate, trade.value, chosen)


def _static_rise(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.rate - trade.base, trade.value, chosen)


def _fall_by_response(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _static_rate(trade, chosen, keep) - _rate_after(trade, chosen, keep)


def _rate_after(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.duty_after[chosen].sum() / trade.value_after[chosen].sum())


def _pass_through(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    """Log change of the landed price over that of one plus the rate, of goods of one rate, where the rate rises."""
    return 1.0 + float(trade.exporter_price[chosen].sum() / trade.power[chosen].sum())


def _share_before(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value[chosen].sum() / trade.value[keep].sum())


def _share_after(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value_after[chosen].sum() / trade.value_after[keep].sum())


def _claim_share(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.claimed, trade.value, chosen)


def _value_change(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value_after[chosen].sum() / trade.value[chosen].sum() - 1.0)


def _quantity_change_where_steep(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    hit = chosen & (trade.rate - trade.base >= STEEP_RISE)
    return _mean(trade.quantity_hat, trade.value, hit) - 1.0


def _value_change_by_duty(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    free = chosen & (trade.base - trade.rate >= LEAST_FALL)
    return float(trade.value[free].sum() / trade.value_after[free].sum() - 1.0)


def _domestic_price_by_duty(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return 1.0 / _mean(trade.domestic_price_hat, trade.shipments, chosen) - 1.0


def _domestic_output_by_duty(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return 1.0 / _mean(trade.domestic_quantity_hat, trade.shipments, chosen) - 1.0


def _buyers_loss_by_duty(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.buyer_gain[chosen].sum() / GDP_2024)


def _trade_elasticity(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.elasticity[trade.product], trade.value, chosen)


def _falls(trade: TradeSample, chosen: Bools, value: F64, duty: F64) -> tuple[float, float]:
    """Fall of the mean rate by substitution within products, and by that between products."""
    product = trade.product[chosen]
    before, after, paid, owed = (
        sums_of(product, each[chosen], int(product.max()) + 1)
        for each in (trade.value, value, duty, trade.rate * trade.value)
    )
    share, rate = before / before.sum(), ratio(owed, before, 0.0)
    rate_after = np.where(after > 0.0, ratio(paid, after, 0.0), rate)
    return float((share * (rate - rate_after)).sum()), float(
        ((share - after / after.sum()) * rate_after).sum()
    )


def _adjusted_within(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _adjusted(trade, chosen)[0]


def _adjusted_between(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _adjusted(trade, chosen)[1]


def _adjusted(trade: TradeSample, chosen: Bools) -> tuple[float, float]:
    """Falls of the rate on the path over those at the horizon `long`, within and between products."""
    now = _falls(trade, chosen, trade.value_after, trade.duty_after)
    long = _falls(trade, chosen, trade.long_value, trade.long_duty)
    return now[0] / long[0], now[1] / long[1]


MEASURES: Mapping[str, Callable[[TradeSample, Bools, Bools], float]] = {
    "static_rate": _static_rate,
    "static_rise": _static_rise,
    "fall_by_response": _fall_by_response,
    "rate_after": _rate_after,
    "pass_through": _pass_through,
    "share_before": _share_before,
    "share_after": _share_after,
    "claim_share": _claim_share,
    "value_change": _value_change,
    "quantity_change_where_steep": _quantity_change_where_steep,
    "value_change_by_duty": _value_change_by_duty,
    "domestic_price_by_duty": _domestic_price_by_duty,
    "domestic_output_by_duty": _domestic_output_by_duty,
    "buyers_loss_by_duty": _buyers_loss_by_duty,
    "trade_elasticity": _trade_elasticity,
    "adjusted_within": _adjusted_within,
    "adjusted_between": _adjusted_between,
}
"""Measures of a figure: effective rates before the response and their rise over the baseline, their fall by the
response, an origin's share of imports before and after, the share for which the USMCA is claimed, and the change of the
value of imports and of their quantity on lines that were hit hard. Those `by_duty` are what duties do, from a run
without them: the change of imports that bear them, of price and output of domestic goods, and buyers' loss over gross
domestic product. `trade_elasticity` is that of the value of a variety to its price with duty; `adjusted_within` and
`adjusted_between` are the shares of the fall of the rate at the horizon `long`, within and between products."""

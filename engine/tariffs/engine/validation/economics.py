"""Published figures of trade policy beside what a run gives: the verb behind `tariffs validate economics`.

`response/data/published.csv` holds the figures, the law each belongs to, the tolerance, and the reason where ours is
farther off. Nothing is fitted to them: every run is the embedded table under default parameters. See
docs/reproduction.md.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tariffs.engine.base.array_utils import F64, Bools, ratio
from tariffs.engine.base.provenance import digest_of
from tariffs.engine.law import load_law
from tariffs.engine.response.parameters import BOUNDS, parameters_for
from tariffs.engine.response.trade_response import Response
from tariffs.engine.runs.table_run import Cancelled, Options, Outcome, Progress, RunContext, TableRun
from tariffs.engine.scenario import Scenario, library, parse_scenario

PUBLISHED = Path(__file__).parents[1] / "response" / "data" / "published.csv"
STEEP_RISE = 0.3
"""Rise of the rate, as a fraction, from which a line counts as hit hard."""
_NEVER = "2025-01-02"


@dataclass(frozen=True)
class EconomicFigure:
    """A published figure, a fraction, and the run it is compared with.

    Attributes:
        row: its number in docs/reproduction.md.
        episode: who published it, and when.
        figure: what it measures, a key of `MEASURED`.
        origins: the origins it is about; empty is all.
        published: the figure.
        tolerance: how far apart two faithful calculations may be.
        on: day of the law.
        known_on: acts published by this day count.
        without: authority whose duties are taken away; empty is none.
        on_full_value: authority whose duties fall on the full value instead of a part of it; empty is none.
        switches: doubtful facts set as the publisher had them.
        horizon: of the response.
        source: where it was published.
        reason: why ours differs by more than the tolerance, if it does.
    """

    row: str
    episode: str
    figure: str
    origins: tuple[str, ...]
    published: float
    tolerance: float
    on: str
    known_on: str
    without: str
    on_full_value: str
    switches: Mapping[str, str]
    horizon: str
    source: str
    reason: str

    @property
    def run(self) -> tuple[str, ...]:
        """What figures of the same run share."""
        return (
            self.on,
            self.known_on,
            self.without,
            self.on_full_value,
            str(dict(self.switches)),
            self.horizon,
        )


@dataclass(frozen=True)
class Reproduced:
    """A figure with ours: `ours` with the default parameters, `low` and `high` with the sets of these names."""

    published: EconomicFigure
    ours: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Ours less the published figure."""
        return self.ours - self.published.published

    @property
    def within(self) -> bool:
        """Whether the difference is inside the tolerance."""
        return abs(self.difference) <= self.published.tolerance


@dataclass(frozen=True)
class Reproduction:
    """All figures, and what it takes to get ours again."""

    rows: tuple[Reproduced, ...]
    provenance: Mapping[str, object]


@dataclass(frozen=True)
class TradeSample:
    """Trade before and after, per line, under one set of parameters: what figures are measured on.

    `value` and `value_after` are customs value in USD, `quantity_hat` after / before, `base` and `rate` duty rates.
    """

    value: F64
    base: F64
    rate: F64
    value_after: F64
    quantity_hat: F64


def published_figures() -> tuple[EconomicFigure, ...]:
    """The published figures, in the order of the file."""
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        return tuple(_figure(row) for row in csv.DictReader(file))


def reproduce(*, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Reproduction:
    """Run every published figure on the embedded table.

    Raises:
        ServiceError: CANCELLED.
    """
    run = RunContext(progress, cancelled)
    figures = published_figures()
    law = load_law()
    trades: dict[tuple[str, ...], tuple[TradeSample, ...]] = {}
    runs: dict[str, object] = {}
    kept: dict[tuple[str, ...], Bools] = {}
    for index, figure in enumerate(figures):
        if figure.run in trades:
            continue
        run.step(f"{figure.episode} on {figure.on}", index / len(figures))
        options = Options(known_on=figure.known_on, switches=figure.switches, horizon=figure.horizon)
        valuer = TableRun(None, law, options, RunContext(None, cancelled))
        scenario = _scenario(figure)
        outcome = valuer.outcomes(scenario, figure.on)[0]
        trades[figure.run] = _trades(valuer, outcome)
        kept[figure.run] = valuer.kept([outcome])
        runs[" ".join(filter(None, figure.run))] = valuer.provenance([scenario])["run_digest"]
    run.step("done", 1.0)
    origins = valuer.prepared.frame["origin"].to_numpy()
    rows = tuple(_reproduced(figure, trades[figure.run], origins, kept[figure.run]) for figure in figures)
    facts: dict[str, object] = {"law_version": law.version, "law_digest": law.digest, "runs": runs}
    return Reproduction(rows, facts | {"run_digest": digest_of(facts)})


def _figure(row: Mapping[str, str]) -> EconomicFigure:
    switches = dict(pair.split("=") for pair in row["switches"].split())
    return EconomicFigure(
        row["row"],
        row["episode"],
        row["figure"],
        tuple(row["origins"].split()),
        float(row["published"]),
        float(row["tolerance"]),
        row["on"],
        row["known_on"],
        row["without"],
        row["on_full_value"],
        switches,
        row["horizon"] or "long",
        row["source"],
        row["reason"],
    )


def _scenario(figure: EconomicFigure) -> Scenario:
    changes = []
    if figure.without:
        changes.append(f"{{op: terminate, measures: {{authority: {figure.without}}}, at: {_NEVER}}}")
    if figure.on_full_value:
        measures = f"measures: {{authority: {figure.on_full_value}}}, from: {figure.on}T00:00"
        changes.append(f"{{op: set_rate, {measures}, by: x1, base: {{full: 1}}}}")
    if not changes:
        return library()["base"]
    name = "-".join(filter(None, (figure.without and f"without-{figure.without}", figure.on_full_value)))
    head = (
        f"schema: tariffs.scenario/v1\nid: {name.replace('.', '-')}\ntitle: As published\nbasis: hypothesis\n"
    )
    text = "".join(f"  - {change}\n" for change in changes)
    return parse_scenario(f"{head}changes:\n{text}", "reproduction")


def _trades(valuer: TableRun, outcome: Outcome) -> tuple[TradeSample, ...]:
    """Trade under the default parameters, and under the sets low and high."""
    response = valuer.response
    assert response is not None
    codes = valuer.prepared.products
    sets = [parameters_for(codes, horizon=valuer.options.horizon, set=name) for name in BOUNDS]
    return tuple(
        _trade(valuer, outcome, replace(response, parameters=parameters))
        for parameters in (response.parameters, *sets)
    )


def _trade(valuer: TableRun, outcome: Outcome, response: Response) -> TradeSample:
    lines, duty = valuer.prepared.lines, outcome.duties.duty
    value = lines.value
    volume = response(outcome.duties)
    # Goods that may not be imported are in the landed cost of the baseline alone.
    prohibited = (value + lines.freight + lines.insurance) * ratio(outcome.duties.prohibited, value, 0.0)
    base = duty - prohibited - outcome.columns["landed_change"]
    return TradeSample(
        value, ratio(base, value, 0.0), ratio(duty, value, 0.0), volume.value, volume.quantity_hat
    )


def _reproduced(
    figure: EconomicFigure, trades: tuple[TradeSample, ...], origins: F64, keep: Bools
) -> Reproduced:
    chosen = np.isin(origins, figure.origins) if figure.origins else np.ones(len(origins), dtype=bool)
    ours, low, high = (MEASURED[figure.figure](trade, chosen & keep, keep) for trade in trades)
    return Reproduced(figure, ours, low, high)


def _mean(rate: F64, value: F64, chosen: Bools) -> float:
    return float((rate[chosen] * value[chosen]).sum() / value[chosen].sum())


def _static_rate(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.rate, trade.value, chosen)


def _static_rise(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _mean(trade.rate - trade.base, trade.value, chosen)


def _fall_by_response(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return _static_rate(trade, chosen, keep) - _mean(trade.rate, trade.value_after, chosen)


def _share_before(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value[chosen].sum() / trade.value[keep].sum())


def _share_after(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value_after[chosen].sum() / trade.value_after[keep].sum())


def _value_change(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    return float(trade.value_after[chosen].sum() / trade.value[chosen].sum() - 1.0)


def _quantity_change_where_steep(trade: TradeSample, chosen: Bools, keep: Bools) -> float:
    hit = chosen & (trade.rate - trade.base >= STEEP_RISE)
    return _mean(trade.quantity_hat, trade.value, hit) - 1.0


MEASURED: Mapping[str, Callable[[TradeSample, Bools, Bools], float]] = {
    "static_rate": _static_rate,
    "static_rise": _static_rise,
    "fall_by_response": _fall_by_response,
    "share_before": _share_before,
    "share_after": _share_after,
    "value_change": _value_change,
    "quantity_change_where_steep": _quantity_change_where_steep,
}
"""What a figure may measure: effective rates before the response and their rise over the baseline, what the response
takes off the rate, an origin's share of imports before and after, the change of imports' value, and of their quantity
on lines that were hit hard."""

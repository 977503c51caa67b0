"""Hold what the rows share: counts, law, table, scenarios with rates never used before, and verified rivals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from typing import Any, TypeVar

import polars as pl

from tariffs.bench.measure import Deadline, Sample
from tariffs.bench.rivals import CoefficientProduct, RatePanel
from tariffs.engine.law import load_law
from tariffs.engine.law.law import Law
from tariffs.engine.runs.impact import Impact, impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.sweeps.sweep import Sweep, sweep
from tariffs.engine.scenario import Scenario, parse_scenario
from tariffs.engine.schedule import reference_data

Made = TypeVar("Made")
BY_ORIGIN = ("origin",)
BY_BOTH = ("origin", "authority")


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes of the rows, `rounds` of all rows, and `seconds` for one row in all rounds but the first."""

    rounds: int = 5
    seconds: float = 120.0
    scenarios: int = 1_000
    patterns: int = 40
    draws: int = 20_000
    batch_lines: int = 1_000
    shipments: int = 20_000_000
    period: tuple[str, str] = ("2025-01-01", "2026-12-31")
    table_sizes: tuple[int, ...] = (1, 2, 4, 8)
    scenario_counts: tuple[int, ...] = (16, 64, 256, 1_000)


QUICK = Counts(rounds=3, seconds=5.0, draws=2_000)


class Workbench:
    """Shared parts of the rows, each made when a row first needs it.

    Args:
        counts: how much is measured.
        table: the trade table; the embedded one if None.
    """

    def __init__(self, counts: Counts, table: pl.DataFrame | None = None) -> None:
        self.counts = counts
        self.table = table
        self.frame = reference_data.reference_table() if table is None else table
        self._used = 0
        self._shared: dict[str, Any] = {}

    def shared(self, name: str, make: Callable[[], Made]) -> Made:
        """Give a part that rows share by name, and make it the first time."""
        if name not in self._shared:
            self._shared[name] = make()
        made: Made = self._shared[name]
        return made

    @cached_property
    def law(self) -> Law:
        """The law before any scenario."""
        return load_law()

    @cached_property
    def panel(self) -> RatePanel:
        """Rates by goods and origin as an analyst has them, verified; the first law of the process is computed here."""
        (block,) = self.impact(self.moved(), Options(include_lines=True, response="none")).scenarios
        if block.lines is None:
            raise AssertionError("lines were asked for")
        return RatePanel(self.frame, block.lines, block.groups)

    @cached_property
    def join(self) -> Callable[[], object]:
        """Polars join of the table with a ready rate panel, and sums by origin."""
        return self.panel.join

    @cached_property
    def coefficients(self) -> CoefficientProduct:
        """Duties by origin and authority as a matrix product on ready coefficients, verified on other points."""
        scenario, options = scenario_named("rates"), Options(response="none", by=BY_BOTH)
        product = CoefficientProduct.of(lambda points: self.sweep(scenario, points, options), scenario)
        product.verify(self.sweep(scenario, self.rate_points(scenario, 5), options))
        return product

    def impact(self, scenario: Scenario, options: Options) -> Impact:
        """Compute the table under a scenario on the law's as-of day."""
        return impact(self.table, [Point(scenario, "")], law=self.law, options=self.dated(options))

    def sweep(
        self,
        scenario: Scenario,
        points: list[Mapping[str, str]],
        options: Options,
        cancelled: Callable[[], bool] | None = None,
    ) -> Sweep:
        """Compute the table at points of a scenario on the law's as-of day."""
        return sweep(
            self.table, scenario, points, law=self.law, options=self.dated(options), cancelled=cancelled
        )

    def dated(self, options: Options) -> Options:
        """Give options the day that the values of the table belong to."""
        return replace(options, baseline=reference_data.baseline().isoformat())

    def moved(self) -> Scenario:
        """Make a scenario whose rates no earlier scenario of this process had."""
        return scenario_named("rates").with_parameters({"cn": self.new_rate()})

    def new_rate(self) -> str:
        """Give a rate between 5 and 45 percent that was not given before."""
        self._used += 1
        # Steps of the golden ratio fill the range evenly and repeat no value.
        return f"{5 + 40 * (self._used * 0.618033988749895 % 1):.9f}%"

    def rate_points(self, scenario: Scenario, count: int) -> list[Mapping[str, str]]:
        """Give points with new rates for every parameter of a scenario that is a rate."""
        names = [name for name, one in scenario.parameters.items() if one.default.endswith("%")]
        return [{name: self.new_rate() for name in names} for _ in range(count)]

    def one_country_points(self, count: int) -> list[Mapping[str, str]]:
        """Give points at which the rate of one country moves."""
        return [{"cn": self.new_rate()} for _ in range(count)]

    def step_points(self, count: int) -> list[Mapping[str, str]]:
        """Give points at which all rates are raised by the same new step."""
        return [{"step": f"+{self.new_rate().removesuffix('%')}pp"} for _ in range(count)]

    def pattern_points(self, count: int) -> list[Mapping[str, str]]:
        """Give points with new rates, in turn under each of the patterns of changes that are on."""
        scenario = scenario_named("patterns")
        names = [name for name, one in scenario.parameters.items() if not one.default.endswith("%")]
        return [
            {"cn": self.new_rate()}
            | {
                name: ("on" if index % self.counts.patterns >> bit & 1 else "off")
                for bit, name in enumerate(names)
            }
            for index in range(count)
        ]


Measure = Callable[[Workbench, Deadline], Sample]
"""Measurement of one round of a row."""


def scenario_named(name: str) -> Scenario:
    """Read a scenario of the measurements: `rates`, `all_rates` or `patterns`."""
    return parse_scenario(files("tariffs.bench").joinpath(f"data/{name}.yaml").read_text(encoding="utf-8"))

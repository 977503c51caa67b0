"""Rivals: the same results as an analyst gets them from ready rates, with Polars, DuckDB and NumPy, each verified."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from tariffs.bench.measure import RivalDiffersError, RowSkippedError
from tariffs.engine.base.array_utils import F64
from tariffs.engine.runs.sweeps.sweep import Sweep
from tariffs.engine.scenario import Scenario

EXACT = 1e-9
"""Largest difference of a rival from the engine, as a fraction of the largest result."""
_KEYS = ["hts", "origin"]
_DUTY = pl.col("customs_value") * pl.col("rate")


class RatePanel:
    """Duties by origin from a ready rate for every pair of goods and origin.

    Args:
        table: the trade table: `hts, origin, customs_value`.
        lines: lines of the engine, one for each line of the table, which give the rates.
        groups: duties by origin of the engine, which the rivals must give.

    Raises:
        RivalDiffersError: by the methods that verify a rival.
    """

    def __init__(self, table: pl.DataFrame, lines: pl.DataFrame, groups: pl.DataFrame) -> None:
        self.table = table.select(*_KEYS, "customs_value")
        # A few lines of the table are worth less than half a dollar, rounded to 0.
        self.rates = lines.select(*_KEYS, rate=(pl.col("duty") / pl.col("customs_value")).fill_nan(0.0))
        self._duties = groups.select("origin", expected="duty")

    @cached_property
    def join(self) -> Callable[[], pl.DataFrame]:
        """Polars join of table and rates, and sums by origin."""
        return self._verified(lambda: self.join_with(self.table))

    def join_with(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Join lines with the rates so that no line is lost, and sum by origin."""
        return lines.join(self.rates, on=_KEYS, how="left").group_by("origin").agg(_DUTY.sum().alias("duty"))

    @cached_property
    def expression(self) -> Callable[[], pl.DataFrame]:
        """Polars expression over a table that has its rates as a column already, and sums by origin."""
        joined = self.table.join(self.rates, on=_KEYS).rechunk()
        return self._verified(lambda: joined.group_by("origin").agg(_DUTY.sum().alias("duty")))

    @cached_property
    def duckdb(self) -> Callable[[], pl.DataFrame]:
        """DuckDB join of table and rates, both loaded, and sums by origin.

        Raises:
            RowSkippedError: DuckDB or pyarrow is not installed.
        """
        try:
            # By name: optional, and no dependency of an extra.
            duckdb: Any = importlib.import_module("duckdb")
            tables = {"line": self.table.to_arrow(), "panel": self.rates.to_arrow()}
        except ModuleNotFoundError as error:
            raise RowSkippedError(f"{error.name} is not installed", "pip install duckdb pyarrow") from error
        connection = duckdb.connect()
        for name, arrow in tables.items():
            connection.register(f"{name}_arrow", arrow)
            connection.execute(f"create table {name} as select * from {name}_arrow")
        query = (
            "select origin, sum(customs_value * rate) as duty "
            "from line join panel using (hts, origin) group by origin"
        )

        def sums() -> pl.DataFrame:
            rows = connection.execute(query).fetchall()
            return pl.DataFrame(rows, schema={"origin": pl.String, "duty": pl.Float64}, orient="row")

        return self._verified(sums)

    def _verified(self, rival: Callable[[], pl.DataFrame]) -> Callable[[], pl.DataFrame]:
        both = self._duties.join(rival(), on="origin", how="full", coalesce=True)
        check_equal("duties by origin", both["duty"].to_numpy(), both["expected"].to_numpy())
        return rival


@dataclass(frozen=True)
class CoefficientProduct:
    """Duties of a scenario whose duties are linear in its rates: a matrix product on ready coefficients.

    `keys` are the groups; `constant` their duties at rates of 0, `slopes` (group, parameter) what a rate of 1 adds.
    """

    parameters: tuple[str, ...]
    keys: pl.DataFrame
    constant: F64
    slopes: F64

    @classmethod
    def of(cls, sweep: Callable[[list[Mapping[str, str]]], Sweep], scenario: Scenario) -> CoefficientProduct:
        """Find the coefficients from one point more than there are parameters.

        Args:
            sweep: computes points of the scenario.
            scenario: the scenario; all its parameters are rates.
        """
        names = tuple(scenario.parameters)
        low, high = "10%", "30%"
        points = [dict.fromkeys(names, low)] + [dict.fromkeys(names, low) | {name: high} for name in names]
        found = sweep([*points])
        keys = found.groups.select("origin", "authority").unique().sort("origin", "authority")
        duties = duties_at(found, names, keys)
        slopes = (duties[1:] - duties[0]).T / 0.2
        return cls(names, keys, duties[0] - 0.1 * slopes.sum(axis=1), slopes)

    def frame(self, points: Sequence[Mapping[str, str]]) -> pl.DataFrame:
        """Compute the duties at points, with the parameters of each, as a sweep gives them."""
        rates = np.array([[float(point[name][:-1]) / 100 for name in self.parameters] for point in points])
        duties = self.constant + rates @ self.slopes.T
        columns = {
            name: np.repeat(rates[:, index], self.keys.height) for index, name in enumerate(self.parameters)
        }
        keys = pl.concat([self.keys] * len(points))
        return keys.with_columns(
            duty=pl.Series(duties.ravel()), **{n: pl.Series(c) for n, c in columns.items()}
        )

    def verify(self, found: Sweep) -> None:
        """Compare with a sweep of other points.

        Raises:
            RivalDiffersError: a duty differs.
        """
        rates = found.points.select(self.parameters).to_numpy()
        expected = duties_at(found, self.parameters, self.keys)
        check_equal("duties by origin and authority", self.constant + rates @ self.slopes.T, expected)


def duties_at(found: Sweep, names: Sequence[str], keys: pl.DataFrame) -> F64:
    """Duties of a sweep as an array (point, group), 0 where a group has none."""
    points = found.points.with_row_index("point").select("point", *names)
    grid = points.join(keys, how="cross", maintain_order="left_right")
    wanted = grid.join(
        found.groups.select(*names, *keys.columns, "duty"),
        on=[*names, *keys.columns],
        how="left",
        maintain_order="left",
    )
    return wanted["duty"].fill_null(0.0).to_numpy().reshape(points.height, keys.height)


def check_equal(what: str, rival: F64, engine: F64) -> None:
    """Compare a rival with the engine.

    Raises:
        RivalDiffersError: a number is missing or differs by more than EXACT of the largest.
    """
    allowed = EXACT * float(np.abs(engine).max(initial=0.0))
    if rival.shape != engine.shape or not bool((np.abs(rival - engine) <= allowed).all()):
        raise RivalDiffersError(f"The rival's {what} are not those of the engine.")

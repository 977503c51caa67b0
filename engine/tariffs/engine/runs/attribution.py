"""Attribute the difference between two scenarios exactly to their changes.

A unit is a change, the changes of one `group`, the assumptions, or a parent as a whole. Up to eight units the split is
the Shapley value (Shapley 1953): the mean, over all orders of the units, of the difference that a unit adds, so that it
depends on no order and sums to the difference. Beyond eight units it is the difference each adds in the order of the
file. In a coalition the units apply in the order of the file, and a change without its object has no effect.

Units in both scenarios are in every coalition. A unit of the first scenario alone counts as its removal, and its text
says that it is not made.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import factorial

import numpy as np
import polars as pl

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import Change
from tariffs.engine.law.assumptions import NONE, Assumptions
from tariffs.engine.law.law import Law
from tariffs.engine.runs.column_names import AUTHORITY
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import ChargedDuties, stacked_duties
from tariffs.engine.scenario import Scenario, apply_scenario, library, lineage
from tariffs.engine.scenario.apply import apply_change, assume
from tariffs.engine.scenario.describe import describe_assumptions, describe_change
from tariffs.engine.scenario.model import ASSUMPTIONS

UNITS_AT_MOST = 8
SHAPLEY, ORDERED = "shapley", "ordered"
_TEXTS = {"unit": pl.String, "text": pl.String}
Coalition = frozenset[int]


@dataclass(frozen=True)
class ChangeUnit:
    """Changes and assumptions attributed together. `removed`: the first scenario has them and the second lacks them."""

    id: str
    text: str
    changes: tuple[Change, ...]
    removed: bool
    assumptions: Assumptions = NONE


@dataclass(frozen=True)
class Attribution:
    """Difference between two scenarios at a date, by unit and authority.

    `rows` has `unit`, `text`, the keys of the run, `authority`, and differences in dollars: `duty` and
    `duty_owed` (static, on baseline values), `behavioural` (what the response adds) and `duty_after` (their sum with
    `duty`; null without a response). Summed over units they are the difference between the scenarios.
    """

    scenario: str
    reference: str
    on: str
    method: str
    rows: pl.DataFrame

    @property
    def frame(self) -> pl.DataFrame:
        """Rows preceded by the scenario compared with and the method of the split."""
        head = [pl.lit(self.reference).alias("reference"), pl.lit(self.method).alias("method")]
        return self.rows.select(*head, pl.all())


def attribute(table_run: TableRun, reference: Scenario, scenario: Scenario, on: str) -> Attribution:
    """Split the difference between two scenarios at a date by change and authority.

    Raises:
        ScenarioError: one of them cannot be applied, or is a mixture.
    """
    units, common = _units(reference, scenario)
    method = SHAPLEY if len(units) <= UNITS_AT_MOST else ORDERED
    game = _Coalitions(table_run, units, common, reference, scenario, on)
    pairs = _shapley(len(units)) if method == SHAPLEY else _ordered(len(units))
    lanes = [(unit, game.lane(coalition), weight) for unit, coalition, weight in pairs]
    return Attribution(scenario.id, reference.id, on, method, _rows(units, lanes, game))


def _rows(
    units: Sequence[ChangeUnit], lanes: Sequence[tuple[int, int, float]], game: _Coalitions
) -> pl.DataFrame:
    """Weight the duty of coalitions: a row for each unit, authority and group with duty in one of its coalitions."""
    duties, keys = game.duties(), game.keys
    weights, counts = np.zeros((2, len(units), duties.lanes))
    for of_unit, lane, weight in lanes:
        weights[of_unit, lane] += weight
        counts[of_unit, lane] += 1.0
    unit, place = np.nonzero(counts @ (duties.columns["duty"] != 0.0))
    shares = duties.weighted(weights.tolist()).columns
    numbers = {name: values[unit, place] for name, values in shares.items()}
    after = numbers.pop("duty_after", np.full(len(unit), np.nan))
    numbers |= {"behavioural": after - numbers["duty"], "duty_after": after}
    texts = pl.DataFrame({"unit": [each.id for each in units], "text": [each.text for each in units]}, _TEXTS)
    names = pl.Series(AUTHORITY, duties.names, dtype=pl.String).gather(duties.authority[place])
    blocks = [texts[unit], *([keys[duties.group[place]]] if keys.width else []), names.to_frame()]
    amounts = [pl.Series(name, values, nan_to_null=True) for name, values in numbers.items()]
    return pl.concat([*blocks, pl.DataFrame(amounts)], how="horizontal")


def _units(reference: Scenario, scenario: Scenario) -> tuple[list[ChangeUnit], list[ChangeUnit]]:
    """List the units that differ, those of the reference first, and all units in the order they apply."""
    theirs, ours = _units_of(reference), _units_of(scenario)
    their_content, our_content = [_content(unit) for unit in theirs], [_content(unit) for unit in ours]
    without = (unit for unit in theirs if _content(unit) not in our_content)
    removed = [replace(unit, text=f"not made: {unit.text}", removed=True) for unit in without]
    added = [unit for unit in ours if _content(unit) not in their_content]
    return [*removed, *added], [*removed, *ours]


def _units_of(scenario: Scenario) -> list[ChangeUnit]:
    *parents, own = lineage(scenario, library())
    units = [ChangeUnit(one.id, one.title, one.changes, False, one.assumptions) for one in parents]
    groups: dict[str, list[Change]] = {}
    for index, change in enumerate(own.changes):
        groups.setdefault(change.group or f"changes[{index}]", []).append(change)
    units += [
        ChangeUnit(name, "; ".join(map(describe_change, changes)), tuple(changes), False)
        for name, changes in groups.items()
    ]
    if own.assumptions.quantities:
        text = "; ".join(f"{name} {words}" for name, words in describe_assumptions(own.assumptions).items())
        units.append(ChangeUnit(ASSUMPTIONS, text, (), False, own.assumptions))
    return units


def _content(unit: ChangeUnit) -> tuple[list[Change], object]:
    """Strip a unit of its place in a file; contents are compared as values, since the text of a set has no order."""
    changes = [replace(change, path="", source="", group="", cite=()) for change in unit.changes]
    return changes, unit.assumptions.quantities


class _Coalitions:
    """Duty of the table under each coalition of units; coalitions with the same law are computed once."""

    def __init__(
        self, table_run: TableRun, units: Sequence[ChangeUnit], order: Sequence[ChangeUnit], reference: Scenario,
        scenario: Scenario, on: str,
    ) -> None:  # fmt: skip
        self._table_run, self._on = table_run, on
        self._units, self._order = list(units), order
        self._ends = {
            frozenset[int](): apply_scenario(table_run.law, reference),
            frozenset(range(len(units))): apply_scenario(table_run.law, scenario),
        }
        self._lanes: dict[Hashable, int] = {}
        self._duties: list[ChargedDuties] = []
        self.keys = table_run.grouping.keys

    def duties(self) -> ChargedDuties:
        """Duty by the run's keys and authority under the coalitions asked for, a lane each."""
        return stacked_duties(self._duties, self._table_run.grouping.count)

    def lane(self, coalition: Coalition) -> int:
        """Compute the duty under the units of a coalition; the lane that it has."""
        table_run = self._table_run
        law = self._ends[coalition] if coalition in self._ends else self._law(coalition)
        dated = table_run.dated(law, self._on)
        key = (table_run.steps.history if table_run.steps else table_run.law_fingerprint)(law, dated)
        if key not in self._lanes:
            self._lanes[key] = len(self._duties)
            self._duties.append(table_run.charged(table_run.outcome(law, dated)))
        return self._lanes[key]

    def _law(self, coalition: Coalition) -> Law:
        """Apply the units of a coalition to the law; a unit of the reference alone in the coalition is removed."""
        law = self._table_run.law
        place = {id(unit): index for index, unit in enumerate(self._units)}
        for unit in self._order:
            index = place.get(id(unit))
            if index is not None and (index in coalition) == unit.removed:
                continue
            for change in unit.changes:
                # Where it fails, the object of the change belongs to a unit outside the coalition.
                with suppress(ScenarioError):
                    law = apply_change(law, change)
            law = assume(law, unit.assumptions)
        return law


def _shapley(count: int) -> Iterator[tuple[int, Coalition, float]]:
    """Yield (unit, coalition, weight): a unit's share is the weighted sum of the coalitions' duty."""
    for unit in range(count):
        others = [index for index in range(count) if index != unit]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for chosen in itertools.combinations(others, size):
                yield unit, frozenset((*chosen, unit)), weight
                yield unit, frozenset(chosen), -weight


def _ordered(count: int) -> Iterator[tuple[int, Coalition, float]]:
    """Yield (unit, coalition, weight) of the split in the order of the units."""
    for unit in range(count):
        yield unit, frozenset(range(unit + 1)), 1.0
        yield unit, frozenset(range(unit)), -1.0

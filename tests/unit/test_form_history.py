"""Forms of rates of several days beside a dictionary of what each rate is at all points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffs.engine.table_duty.form_history import FormHistory
from tariffs.engine.table_duty.rate_classes import ClassFunctions

CLASSES, ROWS, DAYS = 40, 6, 12


def _day(rng: np.random.Generator) -> tuple[ClassFunctions, list[dict[int, float]]]:
    """Few distinct numbers, so that classes share forms; also the base of each moved row of every class."""
    still = rng.choice([0.0, 0.1, 0.25], CLASSES)
    moved = [
        {
            int(row): float(rng.choice([0.5, 1.0]))
            for row in np.sort(rng.permutation(ROWS)[: rng.integers(1, 3)])
        }
        for _ in range(CLASSES)
    ]
    terms = [(row, place, base) for place, each in enumerate(moved) for row, base in each.items()]
    slot, of_class, base = (np.array(column) for column in zip(*terms, strict=True))
    below = np.full(len(terms), -np.inf)
    parts = slot.astype(np.int32), of_class, below, base.astype(float)
    return ClassFunctions(still, np.zeros(CLASSES), parts), moved


def test_classes_with_one_rate_at_all_points_have_one_form_on_all_days() -> None:
    rng = np.random.default_rng(4)
    history, numbers, keys = FormHistory(), list[int](), list[tuple[object, ...]]()
    wanted: dict[int, tuple[float, dict[int, float]]] = {}
    days = [_day(rng) for _ in range(DAYS // 2)]
    for functions, moved in [*days, days[-1], *(_day(rng) for _ in range(DAYS // 2))]:
        # Every other row is the same function as the one before it.
        function = np.arange(ROWS) // 2 * 2
        found = history.add(functions, function)
        for place, number in enumerate(found.tolist()):
            terms = tuple((int(function[row]), base) for row, base in moved[place].items())
            numbers.append(number)
            keys.append((float(functions.still[place]), terms))
            sums: dict[int, float] = {}
            for row, base in terms:
                sums[row] = sums.get(row, 0.0) + base
            wanted[number] = float(functions.still[place]), sums
    assert len(set(numbers)) == len(set(keys)) == len(set(zip(numbers, keys, strict=True)))
    assert set(numbers) == set(range(history.count))
    values = rng.uniform(0.0, 1.0, (3, ROWS))
    expected: list[Any] = [
        wanted[number][0] + sum(base * values[:, row] for row, base in wanted[number][1].items())
        for number in range(history.count)
    ]
    assert history.at(values) == pytest.approx(np.array(expected), rel=1e-12)


def test_a_history_of_nothing_has_no_forms() -> None:
    history, nothing = FormHistory(), np.zeros(0)
    terms = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64), nothing, nothing
    assert history.add(ClassFunctions(nothing, nothing, terms), np.zeros(0, dtype=np.int64)).tolist() == []
    assert history.count == 0

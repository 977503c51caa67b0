"""Numbers of distinct values, also from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tariffs.engine.base.array_utils import factorize
from tariffs.engine.base.numbering import Numbering
from tariffs.engine.table_duty import rate_classes


def test_a_value_keeps_its_number_and_numbers_follow_each_other() -> None:
    numbers = Numbering("nothing")
    assert [numbers.of(text) for text in ("a", "b", "a", "nothing", "c")] == [1, 2, 1, 0, 3]
    assert numbers.values == ["nothing", "a", "b", "c"]


def test_threads_never_give_one_number_to_two_values() -> None:
    numbers: Numbering[int] = Numbering()
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda place: numbers.of(place % 500), range(20_000)))
    assert sorted(set(given)) == list(range(500))
    assert all(numbers.values[number] == place % 500 for place, number in enumerate(given))


@pytest.mark.parametrize(
    "values",
    [[], [7], [3, -4, 3, 0], [5, 6, 5, 7, 6, 8, 5], [-(2**63), 2**63 - 1, -(2**63)]],
    ids=["none", "one", "spread", "dense", "widest"],
)
def test_distinct_values_are_sorted_and_each_value_has_its_index(values: list[int]) -> None:
    distinct, index = factorize(np.array(values, dtype=np.int64))
    assert distinct.tolist() == sorted(set(values))
    assert distinct[index].tolist() == values


def test_many_values_are_numbered_in_parts_as_few_are() -> None:
    values = np.random.default_rng(3).integers(0, 10**12, 900_000)[
        np.random.default_rng(4).integers(0, 900_000, 1_300_000)
    ]
    distinct, index = factorize(values)
    assert np.array_equal(distinct, np.sort(np.array(list(set(values.tolist())))))
    assert np.array_equal(distinct[index], values)


def test_rows_are_numbered_by_all_their_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    columns = [rng.choice([0.0, 0.1, 0.25], 500) for _ in range(4)]
    # With 0 the mixture is that of the last column alone, and most rows have one in common.
    for multiplier in (np.uint64(0x9E3779B97F4A7C15), np.uint64(0)):
        monkeypatch.setattr(rate_classes, "_MULTIPLIER", multiplier)
        number, rows = rate_classes.numbered_rows(columns)
        assert np.array_equal(rows[number], np.column_stack(columns))
        assert len(rows) == len(set(zip(*columns, strict=True)))

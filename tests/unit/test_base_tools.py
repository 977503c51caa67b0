"""Shared tools: numbers of distinct values, and work over several threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tariffs.engine.base.array_utils import factorize
from tariffs.engine.base.chunks import over_threads
from tariffs.engine.base.numbering import Numbering
from tariffs.engine.table_duty import rate_classes


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


def test_results_come_in_the_order_of_items_from_several_threads() -> None:
    names = set()

    def work(item: int) -> int:
        names.add(threading.current_thread().name)
        time.sleep(0.002 * (item % 3))
        return item * item

    assert over_threads(work, range(40), 3) == [item * item for item in range(40)]
    assert len(names) > 1
    assert over_threads(work, [], 3) == []
    names.clear()
    assert over_threads(work, range(3), 1) == [0, 1, 4]
    assert names == {threading.current_thread().name}


def test_the_first_error_in_order_is_raised_and_the_rest_is_left_out() -> None:
    done = []

    def work(item: int) -> None:
        if item >= 2:
            time.sleep(0.01 / item)
            raise ValueError(str(item))
        done.append(item)

    with pytest.raises(ValueError, match=r"^2$"):
        over_threads(work, range(1000), 2)
    assert done == [0, 1]


def test_work_within_work_ends_though_no_thread_is_free() -> None:
    def inner(item: int) -> int:
        time.sleep(0.001)
        return item

    def outer(item: int) -> int:
        return sum(over_threads(inner, range(item), 4))

    assert over_threads(outer, [6] * 30, 8) == [15] * 30

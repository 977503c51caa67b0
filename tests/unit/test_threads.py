"""Work over several threads: results in order, the first error, work within work."""

from __future__ import annotations

import threading
import time

import pytest

from tariffs.engine.base.chunks import over_threads


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

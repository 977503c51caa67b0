"""Arrays whose memory the next of the same name has, in one thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

from tariffs.engine.base.workspace import Workspace, new_room


def test_an_array_has_the_memory_of_the_one_before_by_that_name() -> None:
    room = Workspace()
    first = room("hats", (4, 3))
    first[:] = np.arange(12.0).reshape(4, 3)
    smaller, other, larger = room("hats", (2, 5)), room("sums", (4, 3)), room("hats", (5, 3))
    assert (smaller.shape, larger.shape) == ((2, 5), (5, 3))
    assert smaller.ravel().tolist() == list(range(10))
    assert np.shares_memory(first, smaller)
    assert not np.shares_memory(first, other)
    assert not np.shares_memory(first, larger)
    assert room("hats", (0, 3)).shape == (0, 3)


def test_threads_share_no_memory() -> None:
    room, both = Workspace(), Barrier(2)

    def fill(number: float) -> bool:
        array = room("hats", (1000,))
        both.wait()
        array[:] = number
        both.wait()
        return bool((array == number).all())

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(fill, (1.0, 2.0))) == [True, True]


def test_a_new_room_never_gives_the_same_memory() -> None:
    assert not np.shares_memory(new_room("hats", (3,)), new_room("hats", (3,)))

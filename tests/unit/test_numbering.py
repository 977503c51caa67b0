"""Numbers of distinct values, also from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tariffs.engine.base.numbering import Numbering


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

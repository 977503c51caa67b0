"""Messages of a slow reader: in order, complete, bounded, and discarded when the reader leaves."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.service.workers.overflow_queue import IN_MEMORY, OverflowQueue

MESSAGES = st.lists(st.one_of(st.binary(max_size=40), st.none()), max_size=60)


def take(messages: OverflowQueue) -> bytes | None:
    found = messages.take()
    return messages.take_from_file() if found is None else found


@given(MESSAGES, st.integers(0, 60))
def test_messages_come_out_as_they_went_in_whatever_is_read_between(
    steps: list[bytes | None], limit: int
) -> None:
    """A step puts its message, or takes one where it is None; a plain queue is the measure."""
    plain = deque[bytes]()
    with closing(OverflowQueue(limit)) as messages:
        for step in steps:
            if step is None:
                assert take(messages) == (plain.popleft() if plain else None)
            elif messages.put(step):
                plain.append(step)
        while plain:
            assert take(messages) == plain.popleft()
        assert take(messages) is None
        assert not messages.has_file


def test_there_is_room_on_disk_up_to_the_limit_and_again_once_it_is_read_or_closed() -> None:
    messages = OverflowQueue(100)
    assert all(messages.put(b"x" * 50) for _ in range(IN_MEMORY + 2))
    assert not messages.put(b"x")
    while take(messages):
        pass
    # A message larger than the limit gets through alone.
    assert all(messages.put(b"y" * 101) for _ in range(IN_MEMORY + 1))
    assert not messages.put(b"y")
    messages.close()
    assert messages.put(b"z")
    assert take(messages) is None


@pytest.mark.parametrize("limit", [64, 1 << 20])
def test_a_writer_and_a_reader_at_the_same_time_lose_nothing(limit: int) -> None:
    count = 3000
    found: list[int] = []
    with closing(OverflowQueue(limit)) as messages:

        def write() -> None:
            for number in range(count):
                while not messages.put(number.to_bytes(4, "big")):
                    pass

        writer = threading.Thread(target=write)
        writer.start()
        while len(found) < count:
            message = take(messages)
            if message is not None:
                found.append(int.from_bytes(message, "big"))
        writer.join()
    assert found == list(range(count))

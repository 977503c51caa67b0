"""Compare answers of the public client with recorded digests; `python -m tests.compat.answers` compares all."""

from __future__ import annotations

import pytest

from tests.compat.answers.__main__ import COUNTS, KINDS, LINES_OF_A_BLOCK, differences, recorded

pytestmark = pytest.mark.slow
SAMPLED = {"quotes": 4, "impacts": 4, "timelines": 2}


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_recorded(kind: str, scale: int) -> None:
    count = min(SAMPLED[kind] * scale, COUNTS[kind])
    assert differences(kind, range(0, COUNTS[kind], COUNTS[kind] // count)) == []


def test_as_many_answers_are_recorded_as_promised() -> None:
    assert {kind: len(recorded(kind)) for kind in KINDS} == COUNTS
    assert COUNTS["quotes"] * LINES_OF_A_BLOCK == 20_000

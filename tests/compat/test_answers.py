"""Compare answers of the public client with recorded digests; `python -m tests.compat.answers` compares all."""

from __future__ import annotations

import pytest

from tests.compat.answers.__main__ import BLOCKS, differences

pytestmark = pytest.mark.slow
SAMPLED = 4


def test_answers_are_those_recorded(scale: int) -> None:
    assert differences(range(0, BLOCKS, BLOCKS // min(SAMPLED * scale, BLOCKS))) == []

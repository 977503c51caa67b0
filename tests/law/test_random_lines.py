"""A line alone, the same in a table, and the plain interpreter give one duty, on random lines of the embedded law."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.law import random_exports, random_lines

# The blocks of imports are divided among four tests; of exports each test has those of one market.
PARTS = [*((random_lines, part, 4) for part in range(4)), *((random_exports, part, 3) for part in range(3))]


@pytest.mark.parametrize(("goods", "part", "parts"), PARTS)
def test_line_table_and_interpreter_agree(
    goods: ModuleType, part: int, parts: int, scale: int, request: pytest.FixtureRequest
) -> None:
    wanted = request.config.getoption("--random-lines") or 2 * parts * goods.LINES_OF_A_BLOCK * scale
    blocks = range(part, max(parts, -(-wanted // goods.LINES_OF_A_BLOCK)), parts)
    compared = sum(goods.block_of_lines(block) for block in blocks)
    assert compared > 0.8 * len(blocks) * goods.LINES_OF_A_BLOCK

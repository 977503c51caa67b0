"""A line alone, the same in a table, and the plain interpreter give one duty, on random lines of the embedded law."""

from __future__ import annotations

import pytest

from tests.law.random_lines import LINES_OF_A_BLOCK, block_of_lines

BLOCKS = 4


@pytest.mark.parametrize("part", range(BLOCKS))
def test_line_table_and_interpreter_agree(part: int, scale: int, request: pytest.FixtureRequest) -> None:
    wanted = request.config.getoption("--random-lines") or BLOCKS * LINES_OF_A_BLOCK * scale
    blocks = range(part, max(BLOCKS, -(-wanted // LINES_OF_A_BLOCK)), BLOCKS)
    compared = sum(block_of_lines(block)["compared"] for block in blocks)
    assert compared > 0.8 * len(blocks) * LINES_OF_A_BLOCK

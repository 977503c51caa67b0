"""A line of exports alone, the same in a table, and the plain interpreter give one duty, in both markets."""

from __future__ import annotations

import pytest

from tests.law.random_exports import LINES_OF_A_BLOCK, MARKETS, block_of_lines


@pytest.mark.parametrize("market", range(len(MARKETS)), ids=MARKETS)
def test_line_table_and_interpreter_agree_on_exports(
    market: int, scale: int, request: pytest.FixtureRequest
) -> None:
    wanted = request.config.getoption("--random-lines") or 2 * len(MARKETS) * LINES_OF_A_BLOCK * scale
    blocks = range(market, -(-wanted // LINES_OF_A_BLOCK), len(MARKETS))
    compared = sum(block_of_lines(block)["compared"] for block in blocks)
    assert compared == len(blocks) * LINES_OF_A_BLOCK

"""A line alone, the same in a table, and the plain interpreter give one duty, on random lines of the embedded law."""

from __future__ import annotations

import pytest

from tests.law import random_exports, random_lines

PARTS = 4
"""Tests that the blocks of imports are divided among."""


@pytest.mark.parametrize("part", range(PARTS))
def test_line_table_and_interpreter_agree(part: int, scale: int, request: pytest.FixtureRequest) -> None:
    size = random_lines.LINES_OF_A_BLOCK
    wanted = request.config.getoption("--random-lines") or 2 * PARTS * size * scale
    blocks = range(part, max(PARTS, -(-wanted // size)), PARTS)
    compared = sum(random_lines.block_of_lines(block)["compared"] for block in blocks)
    assert compared > 0.8 * len(blocks) * size


@pytest.mark.parametrize("market", random_exports.MARKETS)
def test_line_table_and_interpreter_agree_on_exports(
    market: str, scale: int, request: pytest.FixtureRequest
) -> None:
    size, markets = random_exports.LINES_OF_A_BLOCK, random_exports.MARKETS
    wanted = request.config.getoption("--random-lines") or 2 * len(markets) * size * scale
    blocks = range(markets.index(market), -(-wanted // size), len(markets))
    compared = sum(random_exports.block_of_lines(block)["compared"] for block in blocks)
    assert compared == len(blocks) * size

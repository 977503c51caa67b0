"""Splitting of pieces by shares, compiled and as plain Python, against products of shares in fractions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tariffs.engine.tables.kernel import count_parts, split_piece, write_parts

KERNELS: list[Any] = [count_parts, split_piece, write_parts]
PARTITIONS = [2, 1, 1]
START = np.cumsum([0, *PARTITIONS])
SHARES = np.array(
    [
        [0.0, 0.25, 0.5, 0.0, 0.25],
        [0.0, 0.5, 0.5, 0.0, 0.25],
        [0.0, 0.0, 0.25, 1.0, 0.5],
        [0.0, 0.0, 0.0, 0.5, 0.5],
    ]
)
"""Share of four claims, of which the first two are a partition, on five lines."""
PIECE_LINE = np.array([0, 1, 1, 2, 3, 4])
PIECE_WEIGHT = np.array([1.0, 0.25, 0.75, 1.0, 1.0, 1.0])


def expected(piece: int) -> dict[int, Fraction]:
    """Part of the line by set of claims: one claim of each partition, or none of it for the rest."""
    shares = [Fraction(share) for share in SHARES[:, PIECE_LINE[piece]]]
    choices = []
    for first, last in itertools.pairwise(START.tolist()):
        rest = 1 - sum(shares[first:last])
        choices.append([*((1 << claim, shares[claim]) for claim in range(first, last)), (0, rest)])
    parts: dict[int, Fraction] = {}
    for chosen in itertools.product(*choices):
        weight = Fraction(PIECE_WEIGHT[piece])
        for _, share in chosen:
            weight *= share
        if weight:
            parts[sum(bit for bit, _ in chosen)] = weight
    return parts


def split(count: Callable[..., Any], write: Callable[..., Any], most: int) -> list[dict[int, float]]:
    """Parts of each piece by set of claims, in the ranges of pieces before and after the second line."""
    scratch = np.zeros((2, most)), np.zeros((2, most), dtype=np.int64)
    counts = np.zeros(len(PIECE_LINE), dtype=np.int32)
    ranges = [(0, 3, 0), (3, len(PIECE_LINE), 2)]
    for lo, hi, line in ranges:
        count(lo, hi, line, np.ascontiguousarray(SHARES[:, line:]), START, PIECE_LINE, *scratch, counts)
    weights, claimed = np.zeros(counts.sum()), np.zeros(counts.sum(), dtype=np.int64)
    ends = [0, int(counts[:3].sum()), int(counts.sum())]
    for (lo, hi, line), (first, last) in zip(ranges, itertools.pairwise(ends), strict=True):
        write(
            lo, hi, line, np.ascontiguousarray(SHARES[:, line:]), START, PIECE_LINE, *scratch, PIECE_WEIGHT, counts,
            weights[first:last], claimed[first:last],
        )  # fmt: skip
    places = itertools.pairwise(np.concatenate([[0], np.cumsum(counts)]).tolist())
    return [
        dict(zip(claimed[first:last].tolist(), weights[first:last].tolist(), strict=True))
        for first, last in places
    ]


def kernels(plain: bool) -> list[Any]:
    return [one.py_func if plain else one for one in (KERNELS[0], KERNELS[2])]


@pytest.mark.parametrize("plain", [False, True], ids=["compiled", "python"])
def test_parts_of_a_piece_are_the_products_of_its_shares(plain: bool) -> None:
    count, write = kernels(plain)
    assert split(count, write, 16) == [expected(piece) for piece in range(len(PIECE_LINE))]


@pytest.mark.parametrize("plain", [False, True], ids=["compiled", "python"])
def test_a_piece_with_more_parts_than_allowed_has_none(plain: bool) -> None:
    count, write = kernels(plain)
    whole = [expected(piece) for piece in range(len(PIECE_LINE))]
    most = max(len(parts) for parts in whole) - 1
    assert split(count, write, most) == [parts if len(parts) <= most else {} for parts in whole]


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_lets_go_of_the_interpreter_lock(kernel: Any) -> None:
    assert kernel.compiled.targetoptions["nogil"] is True

"""Colours of series are told apart with every form of colour blindness, and can be read as text on white."""

from __future__ import annotations

from itertools import combinations

import pytest

from tariffs.client.results.palette import PALETTE
from tests.client.test_legal_report import contrast

# Machado, Oliveira and Fernandes (2009), severity 1, on linear sRGB.
SEEN = {
    "all": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}  # fmt: skip
TO_XYZ = ((0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8729))
Triple = tuple[float, ...]


def times(matrix: tuple[Triple, ...], values: Triple) -> Triple:
    return tuple(sum(one * value for one, value in zip(row, values, strict=True)) for row in matrix)


def linear(colour: str) -> Triple:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def lab(values: Triple) -> Triple:
    white = times(TO_XYZ, tuple(min(max(value, 0.0), 1.0) for value in values))
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in white)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("eyes", SEEN)
def test_series_are_told_apart(eyes: str) -> None:
    seen = [lab(times(SEEN[eyes], linear(colour))) for colour in PALETTE]
    apart = (sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5 for pair in combinations(seen, 2))
    assert min(apart) > 20


@pytest.mark.parametrize("colour", PALETTE)
def test_a_colour_can_be_read_on_white(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 4.5

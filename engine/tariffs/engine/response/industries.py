"""Look up the industry of products, and domestic shipments that compete with imports, from BEA and Census tables.

Shipments of a product are an allocation: those of its industry divided over products by their imports. No source
observes them by product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from tariffs.engine.response.constants import longest_prefix, table
from tariffs.engine.response.inputs import Floats, Ints

SOURCE = (
    "BEA use table 2017 and gross output 2017-2023; Census Bureau imports 2024 and HTS10-NAICS concordance; "
    "domestic sales of 2024 are an estimate"
)
NO_INDUSTRY = -1
# The detailed accounts keep the first three digits of the NAICS where they have goods.
_NAICS_DIGITS = 3
_CODES_KEPT = 1 << 16
"""Codes whose industry is kept: three times those of the schedule."""


@dataclass(frozen=True, slots=True)
class Industries:
    """Industries of the BEA's detailed accounts, of which two pairs are pooled.

    Attributes:
        codes: BEA codes, sorted.
        domestic_sales: output less exports in 2024, an estimate, million USD; NaN where unknown.
        imports: customs value in 2024, million USD.
    """

    codes: tuple[str, ...]
    domestic_sales: Floats
    imports: Floats


@cache
def industries() -> Industries:
    """Read the embedded industries, pooled."""
    rows = table("industries.csv")
    codes = tuple(sorted({row["pooled"] for row in rows}))
    place = {code: index for index, code in enumerate(codes)}
    sums = np.zeros((2, len(codes)))
    for row in rows:
        sums[:, place[row["pooled"]]] += [
            float(row[name] or "nan") for name in ("domestic_sales_2024", "imports_2024")
        ]
    return Industries(codes, *sums)


@cache
def pools() -> Mapping[str, str]:
    """Look up the pooled industry of each industry."""
    return {row["industry"]: row["pooled"] for row in table("industries.csv")}


@cache
def summaries() -> Mapping[str, str]:
    """Look up the summary industry of each industry."""
    return {row["industry"]: row["summary"] for row in table("industries.csv")}


@cache
def _crosswalk() -> Mapping[str, int]:
    place = {code: index for index, code in enumerate(industries().codes)}
    return {row["hts"]: place.get(row["industry"], NO_INDUSTRY) for row in table("hts_industries.csv")}


def industry_of(codes: Sequence[str]) -> Ints:
    """Look up the industry of products by HTS code, as an index into `Industries.codes`.

    The longest prefix of a code in the table decides. Scrap, used goods and returns have no industry (-1). A code
    shorter than 10 digits has the industry of most of its codes.
    """
    return np.array([_industry_of_code(code) for code in codes], dtype=np.int64)


def sector_of(codes: Sequence[str]) -> list[str | None]:
    """Look up the industry of products in the BEA's summary accounts, such as 334; None without an industry."""
    return [summaries()[name] if name else None for name in _names_of(codes)]


def naics_of(codes: Sequence[str]) -> list[str]:
    """Look up the industry of products in the NAICS at three digits, such as 334; empty without an industry."""
    return [name[:_NAICS_DIGITS] for name in _names_of(codes)]


def _names_of(codes: Sequence[str]) -> list[str]:
    names = industries().codes
    return ["" if place == NO_INDUSTRY else names[place] for place in industry_of(codes).tolist()]


def industries_among(chosen: Callable[[str], bool]) -> frozenset[int]:
    """List the industries of all codes under the prefixes that a function chooses, as `industry_of` gives them."""
    return frozenset(industry for prefix, industry in _crosswalk().items() if chosen(prefix))


@lru_cache(maxsize=_CODES_KEPT)
def _industry_of_code(code: str) -> int:
    prefix = longest_prefix(code, _crosswalk())
    return NO_INDUSTRY if prefix is None else _crosswalk()[prefix]


def domestic_ratio(industry: Ints) -> Floats:
    """Compute domestic shipments per dollar of imports of each product's industry: (1 - m) / m.

    0 without an industry, imports or a known output.
    """
    table_of = industries()
    usable = (table_of.imports > 0.0) & (table_of.domestic_sales > 0.0)
    ratio = np.zeros(len(table_of.codes) + 1)
    ratio[:-1] = np.divide(table_of.domestic_sales, table_of.imports, out=ratio[:-1].copy(), where=usable)
    return ratio[industry]


def with_domestic_ratio(codes: Sequence[str], given: Floats) -> tuple[Ints, Floats]:
    """Look up the industry of products, and domestic shipments per dollar of imports that compete with each.

    `given` has a ratio for each, which comes before that of the industry, or 0.
    """
    industry = industry_of(codes)
    ratio = np.where(given > 0.0, given, domestic_ratio(industry))
    outside = tuple(row["hts"] for row in table("not_produced.csv"))
    ratio[[code.startswith(outside) for code in codes]] = 0.0
    return industry, ratio

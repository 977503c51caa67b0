"""Move trade after a response among rival origins of an industry. See docs/models/trend.md."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, ratio
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.response.constants import DATA
from tariffs.engine.response.industries import naics_of


@cache
def nest() -> dict[str, Any]:
    """Read the rival origins, and the elasticity between them that is published."""
    facts = load_yaml(DATA / "rivals.yaml")
    return {**facts, "elasticity": float(facts["elasticity"])}


def share_out(sold: F64, power: F64, industry: I64, elasticity: float) -> F64:
    """Compute the change of what each rival sells of an industry; what they sell together stays.

    A rival's share moves with the change of its power of duty (after / before) to minus the elasticity. Trade after the
    response, power and number of the industry are per rival and industry.
    """
    pull = power**-elasticity
    before, pulled = (np.bincount(industry, each).astype(np.float64) for each in (sold, sold * pull))
    return pull / ratio(pulled, before, 1.0)[industry]


class RivalCells:
    """Goods of a rival in an industry (NAICS of three digits) among the lines of a table.

    Args:
        lines: `hts` and `origin` of each line.
    """

    def __init__(self, lines: pl.DataFrame) -> None:
        codes = lines["hts"].unique().sort().to_list()
        industries = dict(zip(codes, naics_of(codes), strict=True))
        of_lines = lines.select("origin", industry=pl.col("hts").replace_strict(industries))
        cells = of_lines.filter(pl.col("origin").is_in(nest()["origins"])).unique().sort("industry", "origin")
        numbered = of_lines.join(
            cells.with_row_index("cell"), on=["origin", "industry"], how="left", maintain_order="left"
        )
        self._count = cells.height
        self._of_line: I64 = numbered["cell"].fill_null(cells.height).to_numpy().astype(np.int64)
        self._industry: I64 = (cells["industry"].rank("dense").to_numpy() - 1).astype(np.int64)

    def change(self, value: F64, before: F64, now: F64, after: F64, elasticity: float) -> F64:
        """Compute the change of the trade of each line, 1 for origins that are no rivals.

        Customs value, duty before, duty now on the same trade, and customs value after the response are in USD.
        """
        value, before, now, after = (self._sum(each) for each in (value, before, now, after))
        power = ratio(value + now, value + before, 1.0)
        return np.append(share_out(after, power, self._industry, elasticity), 1.0)[self._of_line]

    def _sum(self, amounts: F64) -> F64:
        return np.bincount(self._of_line, amounts, self._count + 1)[: self._count].astype(np.float64)

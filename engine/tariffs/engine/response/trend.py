"""Growth of imports before the duties, and rivals that share trade: inputs of forecasts. See docs/models/trend.md."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, ratio
from tariffs.engine.errors import InputError
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.response.constants import DATA
from tariffs.engine.response.elasticities.adjustment_profile import DAYS_A_YEAR
from tariffs.engine.response.industries import naics_of
from tariffs.engine.response.inputs import Floats

_FILE = "trend_2024.csv"
NAMED = {
    "2024": "Census Bureau, imports for consumption of 2023 and 2024, by industry and by partner in each half of 2024"
}
"""Embedded tables by name, with their sources."""
_COLUMNS = {"origin": pl.String, "industry": pl.String, "growth": pl.Float64}
_LEAST, _MOST = -0.99, 10.0
# The values of a table are those of the year before its baseline, which centre on its middle.
_MIDDLE_OF_YEAR = 0.5


@dataclass(frozen=True)
class Trend:
    """Annual growth as fractions by origin and industry (NAICS of three digits), and its facts for the provenance.

    An empty origin or industry stands for all others.
    """

    growth: Mapping[tuple[str, str], float]
    facts: Mapping[str, object]

    def of(self, codes: Sequence[str], origins: Sequence[str]) -> Floats:
        """Look up growth of goods: that of origin and industry, of the origin, of the industry, of all, else 0."""
        found = self.growth

        def look_up(origin: str, industry: str) -> float:
            keys = ((origin, industry), (origin, ""), ("", industry), ("", ""))
            return next((found[key] for key in keys if key in found), 0.0)

        pairs = zip(origins, naics_of(codes), strict=True)
        return np.array([look_up(*pair) for pair in pairs], dtype=np.float64)


def growth_before() -> pl.DataFrame:
    """Read embedded annual growth by `origin` (empty: all partners) and `industry`, as fractions."""
    return _read((DATA / _FILE).read_bytes())


def read_trend(text: str) -> Trend:
    """Read a trend: the name of an embedded table, or the text of a CSV file with `origin`, `industry` and `growth`.

    Raises:
        InputError: PARAMETER_INVALID for an unknown name, a column that is missing, or growth that is no number.
    """
    data = (DATA / _FILE).read_bytes() if text in NAMED else text.encode()
    frame = _read(data)
    is_sound = pl.col("growth").is_between(_LEAST, _MOST).fill_null(value=False)
    if not frame.select(is_sound.all()).item():
        raise _refusal(f"A growth is no number from {_LEAST:g} to {_MOST:g}, a year.")
    if frame.select("origin", "industry").is_duplicated().any():
        raise _refusal("An origin and industry stand twice.")
    rows: Iterable[tuple[str, str, float]] = frame.iter_rows()
    facts = {"source": NAMED.get(text, "table of the caller"), "digest": hashlib.sha256(data).hexdigest()}
    return Trend({(origin, industry): growth for origin, industry, growth in rows}, facts)


def years_between(baseline: date, on: date) -> float:
    """Years of growth from a table's values to a day: its values centre half a year before the baseline."""
    return (on - baseline).days / DAYS_A_YEAR + _MIDDLE_OF_YEAR


def _read(data: bytes) -> pl.DataFrame:
    try:
        frame = pl.read_csv(io.BytesIO(data), schema_overrides=_COLUMNS).select(list(_COLUMNS))
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise _refusal("The trend is no name of a table and no table with these columns.") from error
    return frame.with_columns(pl.col("origin", "industry").fill_null(""))


def _refusal(message: str) -> InputError:
    fix = f"Use none, {', '.join(NAMED)}, or a CSV file with the columns {', '.join(_COLUMNS)}; growth is 0.05 for 5 %."
    return InputError("PARAMETER_INVALID", message, field="trend", fix=fix)


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

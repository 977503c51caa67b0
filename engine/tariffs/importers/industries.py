"""Build the table of BEA industries and the crosswalk from HTS codes to them.

The crosswalk joins the Census Bureau's HTS10 to NAICS concordance with the BEA's NAICS to industry concordance. It
keeps a code only where its industry differs from that of the next shorter prefix. Output, exports and imports are
those of the BEA's use table of 2017 (producers' prices, before redefinitions); output by industry is the BEA's gross
output series. Domestic sales of 2024 are an estimate: see `domestic_sales_2024`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from tariffs.importers.output import read_csv_text, write_csv

CROSSWALK, INDUSTRIES = "hts_industries.csv", "industries.csv"
COLUMNS = (
    "industry", "pooled", "summary", "output_2017", "exports_2017", "imports_2017", "industry_output_2017",
    "industry_output_2023", "domestic_sales_2024", "imports_2024", "redefined_output_2017",
    "redefined_variable_cost_2017",
)  # fmt: skip
# The concordance puts sport utility vehicles with cars, the BEA with light trucks; it puts more drugs in preparations
# and fewer in their ingredients than the Census Bureau does. Their sums agree.
POOLED = {"336111": "336112", "325411": "325412"}
# Trade and output of primary smelting of aluminum include secondary smelting; the redefined table has it apart, without
# its output, which is taken in proportion.
_SMELTING = "331313"
_PREFIX_LENGTHS = (2, 4, 6, 8)
Row = Mapping[str, str]


def read_crosswalk(path: Path) -> dict[str, str]:
    """Read the industry of each 10-digit code; empty for scrap, used goods and returns, which have none."""
    frame = pl.read_parquet(path, columns=["hts10", "bea_detail"])
    return {code: POOLED.get(industry, industry or "") for code, industry in frame.iter_rows()}


def shortest_prefixes(industry_of: Mapping[str, str]) -> dict[str, str]:
    """Reduce codes to the prefixes from which longest-match look-up gives the same industries.

    The industry of a prefix is that of most of its codes, the first by name among equals.
    """
    below: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for code, industry in industry_of.items():
        for length in _PREFIX_LENGTHS:
            below[code[:length]][industry] += 1
    kept: dict[str, str] = {}
    for prefix in sorted(below, key=len):
        industry = min(below[prefix].items(), key=lambda item: (-item[1], item[0]))[0]
        if industry != _inherited(prefix, kept):
            kept[prefix] = industry
    kept |= {code: own for code, own in industry_of.items() if own != _inherited(code, kept)}
    return kept


def _inherited(code: str, kept: Mapping[str, str]) -> str | None:
    lengths = (length for length in reversed(_PREFIX_LENGTHS) if length < len(code))
    return next((kept[code[:length]] for length in lengths if code[:length] in kept), None)


def domestic_sales_2024(detail: Row, summary: Row) -> float:
    """Estimate the domestic sales of 2024, million USD: those of 2017 moved by output.

    Output of the industry moves them to 2023, output of its summary industry to 2024, so exports keep their share of
    2017. No detail of the BEA's accounts reaches 2024.
    """
    sales_2017 = float(detail["commodity_output_2017"]) - float(detail["exports_2017"])
    to_2023 = _quotient(detail["industry_output_2023"], detail["industry_output_2017"])
    to_2024 = _quotient(summary["industry_output_2024_basic"], summary["industry_output_2023"])
    return sales_2017 * to_2023 * to_2024


def _quotient(above: str, below: str) -> float:
    return float(above) / float(below) if above and below and float(below) else 1.0


def industry_rows(
    details: Sequence[Row], summaries: Sequence[Row], imports: Mapping[str, float]
) -> list[tuple[str, ...]]:
    """Build the rows of the table, in million USD.

    Args:
        details: output and trade by detailed industry.
        summaries: output by summary industry.
        imports: customs value of 2024 by detailed industry, USD.
    """
    summary_of = {row["bea_code"]: row for row in summaries}
    rows = []
    for row in details:
        summary = summary_of.get(row["summary_code"], {})
        known = summary.get("industry_output_2024_basic") and summary.get("industry_output_2023")
        moved = domestic_sales_2024(row, summary) if known else None
        amounts = (
            row["commodity_output_2017"], row["exports_2017"], row["imports_2017"], row["industry_output_2017"],
            row["industry_output_2023"], moved, imports.get(row["bea_code"], 0.0) / 1e6,
            *_redefined(row),
        )  # fmt: skip
        code = row["bea_code"]
        keys = (code, POOLED.get(code, code), row["summary_code"])
        rows.append((*keys, *(_whole(amount) for amount in amounts)))
    return rows


def _redefined(row: Row) -> tuple[str | float, str | float]:
    """Output and variable cost of an industry after redefinitions."""
    output, cost = row["industry_output_2017_afterredef"], row["industry_variable_cost_2017"]
    if row["bea_code"] != _SMELTING:
        return output, cost
    both = float(row["commodity_output_2017"])
    return both, float(cost) / float(output) * both


def _whole(amount: str | float | None) -> str:
    return "" if amount in (None, "") else str(round(float(amount)))


def imports_by_industry(trade: pl.DataFrame, industry_of: Mapping[str, str]) -> dict[str, float]:
    """Sum customs value (`hts`, `customs_value`) by industry."""
    industry = pl.col("hts").replace_strict(dict(industry_of), default="").alias("industry")
    sums = trade.group_by(industry).agg(pl.col("customs_value").sum()).sort("industry")
    return dict(sums.iter_rows())


def build(economics: Path, trade: pl.DataFrame, data: Path) -> tuple[int, int]:
    """Write both tables, giving their numbers of rows.

    Args:
        economics: folder of the sources `crosswalk` and `domestic`.
        trade: imports of 2024 by code.
        data: folder to write into.
    """
    industry_of = read_crosswalk(economics / "crosswalk" / "hts10_naics_bea.parquet")
    prefixes = shortest_prefixes(industry_of)
    write_csv(data / CROSSWALK, ("hts", "industry"), _items(prefixes))
    domestic = economics / "domestic"
    rows = industry_rows(
        read_csv_text(domestic / "bea_detail_output_trade.csv"),
        read_csv_text(domestic / "bea_summary_output_trade.csv"),
        imports_by_industry(trade, industry_of),
    )
    write_csv(data / INDUSTRIES, COLUMNS, rows)
    return len(prefixes), len(rows)


def _items(prefixes: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return ((prefix, industry) for prefix, industry in prefixes.items())

"""Build the tables of ten-year scores from projections of CBO, and what they are compared with.

Imports, output and customs duties by fiscal year: CBO, The Budget and Economic Outlook, January 2025 and February 2026.
Offsets of income and payroll taxes: JCT, CBO and the Budget Lab at Yale. Revenue for a change of output: CBO, rules of
thumb 2025. Payments of refunds: CBP's 166 billion dollars in the years of the Budget Lab at Yale. For
`tariffs validate score` the years that the Budget Lab published, with the numbers that its method gives them by.
"""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.output import read_csv_text, write_csv

YEARS, OFFSETS, RULES = "budget_years.csv", "tax_offsets.csv", "gdp_revenue.csv"
_TABLE_YEAR = "2024"
_YEARS_OF = {"FY": "fiscal", "CY": "calendar"}
_SOURCES = {
    ("CBO publication 58421/58549", "recent years low"): "cbo_low",
    ("CBO publication 58421/58549", "recent years high"): "cbo_high",
    ("Yale Tariff-Model global assumptions", "all"): "yale",
}
_BY_YEAR = {"JCT JCX-5-17": "jct_2017", "JCT JCX-2-23": "jct_2023"}
_PARAMETERS = {
    "response": "import_response_pct_derived",
    "rate_increase": "rate_increase_on_goods_and_services_pct_derived",
    "near_term": "alpha_ratio_derived",
    "year_2026": "fy2026_over_reference_derived",
    "year_2027": "fy2027_over_reference_derived",
}
"""Columns of the parameters of published years, with those of the source."""


def build(outcomes: Path, engine: Path) -> int:
    """Write the tables of scores under `engine`, giving their number of rows."""
    data, validation = engine / "response" / "data", engine / "validation"
    years = [
        (row["vintage"], _YEARS_OF[row["basis"]], row["year"], row["imports_goods_services_usd_bn"], row["gdp_usd_bn"],
         row["customs_duties_usd_bn"])
        for row in read_csv_text(outcomes / "cbo_baseline_2024_2036.csv")
        if row["basis"] == "FY" or row["year"] == _TABLE_YEAR
    ]  # fmt: skip
    offsets = []
    for row in read_csv_text(outcomes / "income_payroll_offset.csv"):
        if name := _BY_YEAR.get(row["source"]):
            offsets.append((name, row["year"], row["offset"]))
        elif name := _SOURCES.get((row["source"], row["year"])):
            offsets.append((name, "", row["offset"]))
    rules = [
        (row["fiscal_year"], row["cbo_revenue_change"], row["cbo_gdp_scenario"], row["cbo_gdp_baseline"])
        for row in read_csv_text(outcomes / "cbo_rules_of_thumb_2025.csv")
    ]
    parameters = [
        (row["vintage"], row["scenario"], *(row[name] for name in _PARAMETERS.values()))
        for row in read_csv_text(outcomes / "yale_revenue_parameters.csv")
        if row["import_response_pct_derived"]
    ]
    solved = {row[:2] for row in parameters}
    published = [
        (row["vintage"], row["scenario"], row["year"], row["conventional_usd_bn"])
        for row in read_csv_text(outcomes / "yale_revenue_by_year.csv")
        if (row["vintage"], row["scenario"]) in solved
    ]
    write_csv(data / YEARS, ("vintage", "basis", "year", "imports", "gdp", "customs"), years)
    write_csv(data / OFFSETS, ("name", "year", "offset"), offsets)
    write_csv(data / RULES, ("year", "revenue", "gdp", "gdp_before"), rules)
    write_csv(validation / "published_score_methods.csv", ("vintage", "scenario", *_PARAMETERS), parameters)
    write_csv(validation / "published_scores.csv", ("vintage", "scenario", "year", "net"), published)
    return len(years) + len(offsets) + len(rules) + len(parameters) + len(published)

"""Build the tables that divide consumer prices over households, from the BLS's Consumer Expenditure Surveys.

Shares of each item of spending by tenth of income before tax, and incomes: BLS, Table 1110 of 2023. The item of each
line of the BEA's bridge is this project's reading of both lists. For `tariffs validate households` the odd deciles that
the Budget Lab at Yale published on 2026-07-01, with the factors of its public model.
"""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.output import read_csv_text, write_csv

TENTHS = range(1, 11)
LINES, ITEMS, INCOMES = "household_lines.csv", "household_items.csv", "household_incomes.csv"
_SHARES = tuple(f"d{tenth}" for tenth in TENTHS)
_INCOMES = {
    "decile": "decile",
    "units": "ce_2023_consumer_units_thousand",
    "income_before_tax": "ce_2023_income_before_tax_usd",
    "income_after_tax": "ce_2023_income_after_tax_usd",
    "spending": "ce_2023_expenditure_usd",
}
"""Columns of the incomes, with those of the source: thousands of consumer units, then USD a unit."""
_FACTORS = ("cbo_2027_income_after_transfers_tax_usd2025", "yale_scaling_factor", "yale_pce_variation")
_PAID = ("presub_usd_2025", "presub_pct_after_tax_income")
"""Costs before substitution, which the source has with a minus."""


def build(outcomes: Path, engine: Path) -> int:
    """Write the tables of households under `engine`, giving their number of rows."""
    data = engine / "response" / "data"
    lines = [
        (row["accounts"], row["line"], row["major_category"], row["ce_item"], row["fit"])
        for row in read_csv_text(outcomes / "crosswalk_pce_to_ce.csv")
    ]
    used = {item for _, _, _, item, _ in lines}
    items = [
        (row["item"], *(row[f"{name}_share_pct"] for name in _SHARES))
        for row in read_csv_text(outcomes / "ce_2023_deciles_shares.csv")
        if row["item"] in used
    ]
    tenths = read_csv_text(outcomes / "household_income_deciles.csv")
    incomes = [
        (f"{int(row['decile']):02d}", *(row[name] for name in list(_INCOMES.values())[1:])) for row in tenths
    ]
    paid = {row["decile"]: row for row in read_csv_text(outcomes / "yale_deciles_odd_2026_07_01.csv")}
    published = [
        (row["decile"], *(row[name] for name in _FACTORS), *(paid[row["decile"]][name][1:] for name in _PAID))
        for row in tenths
        if row["decile"] in paid
    ]
    write_csv(data / LINES, ("accounts", "line", "category", "item", "fit"), lines)
    write_csv(data / ITEMS, ("item", *_SHARES), items)
    write_csv(data / INCOMES, tuple(_INCOMES), incomes)
    write_csv(
        engine / "validation" / "published_deciles.csv",
        ("decile", "income", "scaling", "variation", "usd", "percent"),
        published,
    )
    return len(lines) + len(items) + len(incomes) + len(published)

"""Build all embedded tables, each from its source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tariffs.engine.schedule.equivalents import CALCULATED_VINTAGE
from tariffs.engine.schedule.usitc_export import ScheduleTables, tables_of
from tariffs.importers import (
    ave,
    budget,
    countries,
    exports,
    households,
    importer_sigmas,
    industries,
    input_output,
    listing,
    lists_232,
    lists_301,
    lists_broad,
    lists_canada_surtax,
    lists_cn,
    lists_column2,
    lists_metals,
    lists_notes,
    lists_update,
    markets,
    schedule,
    seasons,
    shares,
    trade,
    world,
)
from tariffs.importers.citing import by_key
from tariffs.importers.codes import Universe, universe
from tariffs.importers.output import write_csv

# The vintages kept, the day each begins to hold, and the source file's name.
VINTAGES = (
    ("2025-basic", "2025-01-01", "hts_2025_basic"),
    ("2026-rev-10", "2026-01-01", "hts_2026_rev_10"),
)
# Traded in 2024 and in no schedule kept: its ordinary rate is what was calculated in 2024.
_CODE_WITHOUT_LINE = "2918000000"


def build(source: Path, engine: Path) -> Iterator[tuple[str, int]]:
    """Write every embedded table under `engine`, yielding each one's name and row count."""
    data = engine / "schedule" / "data"
    census = countries.read(source / "country" / "country_reference.csv")
    countries.write(census, data)
    yield "countries", len({row["iso2"] for row in census})
    imports = trade.read_parquet(source / "trade" / "us_imports_2024_hts10_country.parquet")
    table = trade.to_origins(imports, census)
    trade.write(table, data)
    yield "trade_2024", len(table)
    sent = source / "other_direction" / "exports"
    subheadings, chapters = exports.by_subheading(sent), exports.by_chapter(sent, census)
    exports.write(subheadings, chapters, data)
    yield "exports_2024", len(subheadings) + len(chapters)
    tables = read_schedules(source, imports)
    schedule.write(tables, data)
    starts = [(name, day) for name, day, _ in VINTAGES]
    write_csv(data / "schedule_vintages.csv", ("vintage", "from"), [*starts, (CALCULATED_VINTAGE, "")])
    yield "schedule_lines", sum(len(t.lines) for t in tables)
    parts_of_the_year = seasons.read(source / "hts" / f"{file}.parquet" for _, _, file in VINTAGES)
    seasons.write(parts_of_the_year, data)
    yield "seasons", len(parts_of_the_year)
    lines = pl.concat([t.lines for t in tables[:1]])
    equivalents = ave.read(source / "trade" / "specific_rate_ave_2024.parquet", lines)
    ave.write(equivalents, data)
    yield "ave_2024", len(equivalents)
    usmca = shares.usmca(source / "trade" / "usmca_shares_annual.parquet", census)
    preferences = shares.preference(source / "ch99" / "mfn_exemption_shares.csv", imports, census)
    trade_2024 = source / "trade" / "us_imports_2024_hts10_country.parquet"
    ordinary_paid = shares.paid(trade_2024, lines, census)
    metals = shares.metal(source / "crosswalk" / "metal_content_shares_bea_hs10.parquet")
    exclusions = shares.exclusion(source / "ch99" / "s301_exclusion_line_coverage.csv")
    shares.write(usmca, preferences, ordinary_paid, metals, exclusions, data)
    yield "shares", len(usmca) + len(preferences) + len(metals) + len(exclusions)
    codes = universe_of(source, tables, table)
    replaced = shares.successors(codes, frozenset(table["hts"]))
    shares.write_successors(replaced, data)
    yield "successors", len(replaced)
    prefixes, rows = industries.build(source / "economics", table, engine / "response" / "data")
    yield "hts_industries", prefixes
    yield "industries", rows
    yield (
        "importer_sigmas",
        importer_sigmas.build(
            source / "elasticities" / "default_parameters_hs_section.csv",
            source / "other_direction" / "elasticities" / "bw_import_sigma_73_countries_hs3.parquet",
            census,
            engine / "response" / "data",
        ),
    )
    yield "input_output", input_output.build(source / "economics", engine / "response" / "data")
    yield "budget", budget.build(source / "outcomes", engine)
    yield "households", households.build(source / "outcomes", engine)
    yield "world_trade_2023", world.build(source / "world" / "ignatenko", engine / "response" / "data")
    lists = read_lists(source / "ch99", codes)
    listing.write(lists, engine / "law" / "data" / "lists")
    yield from markets.write(source / "other_direction", engine / "law" / "data" / "markets")
    yield from ((name, len(rows)) for name, rows in sorted(lists.items()))


def universe_of(source: Path, tables: list[ScheduleTables], table: pl.DataFrame) -> Universe:
    """Collect all codes of the kept vintages and of trade; lists use the codes of the latest dated vintage."""
    codes = {str(t.codes["vintage"][0]): t.codes["code"].to_list() for t in tables}
    return universe(codes, VINTAGES[-1][0], table["hts"].to_list(), source / "ch99" / "hts_concordance.csv")


def read_lists(ch99: Path, codes: Universe) -> listing.Lists:
    """Build every product list, by name."""
    families = (
        lists_broad, lists_update, lists_301, lists_232, lists_metals, lists_notes, lists_cn, lists_canada_surtax,
        lists_column2,
    )  # fmt: skip
    read = ((name, rows) for family in families for name, rows in family.read(ch99, codes).items())
    return {name: [row._replace(cite=by_key(row.cite)) for row in rows] for name, rows in read}


def read_schedules(source: Path, imports: pl.DataFrame) -> list[ScheduleTables]:
    """Read the kept vintages, and the code of 2024 that none of them has."""
    folder = source / "hts"
    tables = [
        schedule.read_parquet(folder / f"{file}.parquet", folder / f"{file}_special_programs.parquet", name)
        for name, _, file in VINTAGES
    ]
    rate = f"{ave.calculated_rate(imports, _CODE_WITHOUT_LINE):.4%}"
    row = {
        "code": _CODE_WITHOUT_LINE,
        "general": rate,
        "other": rate,
        "special": "",
        "unit_1": "kg",
        "unit_2": "",
    }
    return [*tables, tables_of([row], CALCULATED_VINTAGE)]

"""Product lists: normal form, row counts and 2024 values, and the build from the public sources."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.schedule import reference_data
from tariffs.importers import build, countries, trade
from tests.law.plain_rows import plain_rows
from tests.law.real_law import raw_law

LISTS = Path(__file__).parents[2] / "engine" / "tariffs" / "engine" / "law" / "data" / "lists"
TOTALS = Path(__file__).parent / "list_totals.csv"
SOURCE = Path(__file__).parents[2].parent / "shared" / "data"
NAMES = sorted(path.stem.upper() for path in LISTS.glob("*.csv"))
needs_source = pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")


def rows_of(name: str) -> list[dict[str, str]]:
    with (LISTS / f"{name.lower()}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes_on(name: str, day: str = "") -> set[str]:
    rows = rows_of(name)
    if not day:
        return {row["code"] for row in rows}
    return {r["code"] for r in rows if r["from"] <= day and (not r["to"] or day < r["to"])}


def reaches(codes: set[str], code: str) -> bool:
    return any(code[:length] in codes for length in (4, 6, 8, 10))


def value_of(name: str, origin: str = "") -> float:
    codes = codes_on(name)
    return sum(value for code, value in values(origin) if reaches(codes, code))


@cache
def values(origin: str = "") -> list[tuple[str, float]]:
    table = reference_data.reference_table()
    if origin:
        table = table.filter(pl.col("origin") == origin)
    return list(table.group_by("hts").agg(pl.col("customs_value").sum()).iter_rows())


@pytest.mark.parametrize("name", NAMES)
def test_normal_form(name: str) -> None:
    rows = rows_of(name)
    assert rows
    assert list(rows[0]) == ["code", "from", "to", "scope", "cite"]
    for row in rows:
        assert row["code"].isdigit()
        assert len(row["code"]) in (4, 6, 8, 10)
        assert not row["code"].startswith("99"), "a heading of chapter 99 is no good"
        assert row["cite"]
        assert date.fromisoformat(row["from"] or "0001-01-01") < date.fromisoformat(row["to"] or "9999-12-31")
    periods = [(row["code"], row["from"]) for row in rows]
    assert len(periods) == len(set(periods))


def test_row_counts_and_values_are_those_recorded() -> None:
    with TOTALS.open(encoding="utf-8", newline="") as file:
        recorded = {row["list"]: (int(row["rows"]), int(row["value_2024"])) for row in csv.DictReader(file)}
    assert {name: (len(rows_of(name)), int(value_of(name))) for name in NAMES} == recorded


# Lists, their rows (0 where none are published), and value in billions of dollars by origin ("" is all), as published
# with the sources and not computed from these lists.
PUBLISHED: dict[str, tuple[int, dict[str, str]]] = {
    "S301_L1": (0, {"CN": "26.7"}),
    "S301_L2": (0, {"CN": "7.8"}),
    "S301_L3": (0, {"CN": "127.1"}),
    "S301_L4A": (0, {"CN": "96.8"}),
    "S122_CIVIL_AIRCRAFT": (0, {"": "350.7", "CN": "61.0"}),
    "FL301_52B": (
        863,
        {"": "1031.9", "CN": "108.3", "CA": "160.8", "MX": "98.1", "TW": "74.6", "VN": "46.3"},
    ),
    "FL301_52C": (16, {"": "15.9", "CN": "0.7"}),
    "FL301_52D": (541, {"": "350.0", "CN": "61.0"}),
    "FL301_52E FL301_52E_30": (700, {"": "39.4", "CN": "6.9", "IN": "2.8"}),
    "FL301_52E_30": (7, {"": "0.1"}),
    "S338_ALCOHOL": (63, {"CA": "1.001"}),
    "S338_ALCOHOL_2026_09_15": (101, {"CA": "1.310"}),
    "S338_DAIRY": (52, {"CA": "0.097"}),
    "S338_VEHICLES": (439, {"CA": "19.359"}),
    "S338_VEHICLES_2026_09_15": (513, {"CA": "19.762"}),
    "S338_ALCOHOL_BAN": (25, {"CA": "0.509"}),
    "S338_ALCOHOL_BAN_PACKAGED": (28, {"CA": "0.327"}),
    "S338_DAIRY_BAN": (14, {"CA": "0.031"}),
    "S338_VEHICLES_BAN": (1, {"CA": "0.125"}),
}
# Goods agreed with each partner: rows, and the value of the partner's goods.
PARTNERS = {
    "GB": (49, "2.244"), "CH": (134, "0.315"), "MY": (101, "0.387"), "MY_PARTICULAR": (3, "0.000"),
    "KH": (154, "0.049"), "KH_PARTICULAR": (3, "0.000"), "GT": (109, "0.030"), "GT_PARTICULAR": (3, "0.002"),
    "GT_CAFTA_DR": (1737, "1.625"), "SV": (98, "0.003"), "SV_PARTICULAR": (1, "0.000"), "SV_CAFTA_DR": (1707, "1.396"),
    "AR": (90, "0.014"), "AR_PARTICULAR": (3, "0.004"), "BD": (85, "0.000"), "BD_PARTICULAR": (2, "0.000"),
    "TW": (114, "0.077"), "TW_PARTICULAR": (4, "0.004"), "ID": (147, "2.582"), "ID_PARTICULAR": (1, "0.007"),
    "EC": (150, "0.680"), "EC_PARTICULAR": (1, "0.000"), "JO": (1887, "1.900"), "JO_PARTICULAR": (2, "0.000"),
    "EU": (43, "2.123"),
}  # fmt: skip
PUBLISHED |= {f"FL301_52J_{name}": (rows, {name[:2]: value}) for name, (rows, value) in PARTNERS.items()}


def origins_of(name: str) -> list[str]:
    """An origin, or the member countries of the European Union, without those that only follow it."""
    law = load_law()
    (followers,) = (note.scope.names for note in law.line_notes if note.id == "eu_territories")
    return sorted(law.groups["EU"][-1].members - followers) if name == "EU" else [name]


@pytest.mark.parametrize("names", PUBLISHED)
def test_lists_have_the_published_rows_and_value(names: str) -> None:
    lists, (rows, by_origin) = names.split(), PUBLISHED[names]
    assert not rows or sum(len(rows_of(name)) for name in lists) == rows
    for origin, billions in by_origin.items():
        value = sum(value_of(name, one) for name in lists for one in origins_of(origin)) / 1e9
        assert value == pytest.approx(float(billions), abs=0.51 * 10 ** -len(billions.split(".")[1])), origin


def test_each_act_on_annex_ii_is_a_list_and_removed_goods_carry_an_end() -> None:
    base = rows_of("ANNEX_II_2025_04_05")
    assert {row["to"] for row in base} == {"", "2025-08-01", "2025-09-08", "2025-10-14"}
    assert {row["from"] for row in base} == {""}
    added = ("ANNEX_II_ELECTRONICS", "ANNEX_II_2025_09_08", "ANNEX_II_AG_2025_11_13")
    starts = [{row["from"] for row in rows_of(name)} for name in added]
    assert starts == [{"2025-04-05"}, {"2025-09-08"}, {"2025-11-13"}]
    lists = ("ANNEX_II_2025_04_05", *added)
    assert not any(codes_on(name) & codes_on("ANNEX_II_PARTICULAR") for name in lists)
    # The source lists the 2026 codes of these lines; trade of 2024 used others.
    assert {len(row["code"]) for row in base} == {8}


def test_one_annex_per_code_and_metal() -> None:
    for metal in ("STEEL", "ALU", "COPPER"):
        names = [n for n in NAMES if n.startswith("S232_I") and n.endswith(metal)]
        for day in ("2026-04-06", "2026-06-07", "2026-06-08"):
            held = [codes_on(name, day) for name in names]
            for code, _ in values():
                assert sum(reaches(codes, code) for codes in held) <= 1


@pytest.mark.parametrize(
    ("code", "name", "day", "listed"),
    [
        # Lists that public copies get wrong: codes lost in scanning, four for pharmaceutical use alone, ten digits.
        *((code, "FL301_52B", "", True) for code in
          ("02012030", "27082000", "28469080", "30045040", "74040060", "84713001", "84717010", "84719000", "85249190")),
        *((code, name, "", name == "FL301_52E") for code in ("29144090", "29183030", "29339911", "38249955")
          for name in ("FL301_52B", "FL301_52E")),
        ("85076000", "S301_L4A", "", True),
        ("85171300", "S301_L4B", "", True),
        ("85076000", "S122_CIVIL_AIRCRAFT", "", True),
        ("22030000", "ALU_19K", "2025-04-04", True),
        ("22030000", "ALU_19K", "2025-04-03", False),
        # An old code is listed if all codes in its place are; the record does not count across subheadings.
        ("3004200075", "S232_PHARMA", "", True),
        ("3004390050", "S232_PHARMA", "", True),
        ("8412909081", "STEEL_DERIV", "2025-08-18", True),
        ("8412909081", "STEEL_DERIV", "2025-08-17", False),
        ("8541290095", "ALU_19K", "", False),
        ("87046000", "S232_LIGHT_TRUCKS", "", True),
        ("8471", "S232_AUTO_PARTS_DUAL", "", True),
    ],
)  # fmt: skip
def test_a_list_reaches_a_code(code: str, name: str, day: str, listed: bool) -> None:
    assert reaches(codes_on(name, day), code) == listed


def test_lists_have_the_parts_that_their_acts_name() -> None:
    # One number of face masks came with the second step of the four-year review, the others with the first.
    masks = codes_on("S301_N31_2026_50")
    assert codes_on("S301_N31_MASKS") == {"6307909870"}
    assert {code for code in codes_on("S301_N31B", "2025-12-31") if code in masks} == masks - {"6307909870"}
    assert not codes_on("S301_N31B", "2026-01-01") & masks
    # Numbers are taken out of lines that the list has, or the exception would say nothing.
    for name in ("S301_L3_04", "S301_L4A"):
        assert {code[:8] for code in codes_on(f"{name}_EXCEPT")} <= codes_on(name)
    for metal in ("STEEL", "ALU"):
        both = codes_on(f"S232_IA_{metal}") | codes_on(f"S232_IB_{metal}")
        assert all(reaches(both, code) for code in codes_on("S232_STEEL_AND_ALU"))
    for name in ("S232_AUTO_PARTS", "S232_MHDV_PARTS"):
        assert codes_on(f"{name}_DUAL") < codes_on(name)
    assert not any(code.startswith("870334") for code in codes_on("S232_CARS"))
    # The lines that the schedule marks.
    assert (len(codes_on("RU_35")), len(codes_on("RU_70"))) == (553, 127)
    assert codes_on("RU_35").isdisjoint(codes_on("RU_70"))


def test_goods_listed_as_civil_aircraft_are_relieved_on_the_claim_alone() -> None:
    names = {name for name in NAMES if {row["scope"] for row in rows_of(name)} == {"civil_aircraft"}}
    measures = [one for one in raw_law()["measures"] if one.get("direction", "import") == "import"]
    periods = [(period.get("rows", []), one) for one in measures for period in one.get("periods", [])]
    rows = [row for written, measure in periods for row in plain_rows(written, raw_law(), measure)]
    events = [event for measure in measures for event in measure.get("events", [])]
    acts = [{**one["measures"], **one, "rate": "0%"} for one in events if one["op"] == "exempt"]
    reliefs = [one for one in rows + acts if one.get("rate") == "0%" and names & set(one.get("products", []))]
    assert {name for one in reliefs for name in one["products"]} >= {"BR_EO_AIRCRAFT", "FLOOR_EU_AIRCRAFT"}
    assert [one for one in reliefs if "civil_aircraft_share" not in one.get("if", [])] == []


@needs_source
def test_lists_are_what_the_sources_give() -> None:
    census = countries.read(SOURCE / "country" / "country_reference.csv")
    imports = trade.read_parquet(SOURCE / "trade" / "us_imports_2024_hts10_country.parquet")
    schedules, table = build.read_schedules(SOURCE, imports), trade.to_origins(imports, census)
    built = build.read_lists(SOURCE / "ch99", build.universe_of(SOURCE, schedules, table))
    assert sorted(built) == NAMES
    with (SOURCE / "ch99" / "update_2026_10" / "s201_quartz_exempt_origins.csv").open(
        encoding="utf-8"
    ) as file:
        assert load_law().groups["QUARTZ_FREE"][0].members == {row["origin"] for row in csv.DictReader(file)}
    for name, rows in built.items():
        assert sorted(tuple(row) for row in rows) == [tuple(row.values()) for row in rows_of(name)], name


@needs_source
@pytest.mark.parametrize(
    ("names", "file", "column", "count"),
    [
        ("S122_UNCOND S122_PARTICULAR S122_CIVIL_AIRCRAFT", "s122_scope_split.csv", "code", 1655),
        ("ENERGY_CA POTASH_CA POTASH_MX", "fentanyl_carveout_products.csv", "hts8", 308),
        ("BR_EO", "tradewartracker/brazil-non-airplane-exemptions.csv", "HTSUS", 129),
        ("BR_EO_AIRCRAFT", "tradewartracker/brazil-airplane-exemptions.csv", "HTSUS", 565),
        ("COPPER", "s232_copper_products.csv", "hts10", 80),
        ("FL301_52B", "update_2026_10/fl301_52b.csv", "code", 863),
        ("FL301_52C", "update_2026_10/fl301_52c.csv", "code", 16),
        ("FL301_52D", "update_2026_10/fl301_52d.csv", "code", 541),
        ("FL301_52E FL301_52E_30", "update_2026_10/fl301_52e.csv", "code", 700),
        (" ".join(name for name in NAMES if "FL301_52J_" in name), "update_2026_10/fl301_52j.csv", "code", 6628),
        ("S338_DAIRY", "update_2026_10/s338_dairy.csv", "code", 52),
        ("BR301_FLAT BR301_NAMED BR301_AIRCRAFT BR301_PHARMA",
         "tradewartracker/brazil-301-exemptions.csv", "HTSUS", 2126),
    ],
)  # fmt: skip
def test_no_code_of_the_source_is_lost(names: str, file: str, column: str, count: int) -> None:
    with (SOURCE / "ch99" / file).open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(line for line in opened if not line.startswith("#")))
    source = {r[column].replace(".", "") for r in rows if r.get("s122_note_2aa_scope") != "not_in_note_2aa"}
    listed = [row["code"] for name in names.split() for row in rows_of(name)]
    assert set(listed) == source
    assert len(listed) == count


def test_successors_have_weights_of_one_and_stay_in_their_subheading() -> None:
    replaced = reference_data.successors()
    totals = replaced.group_by("hts").agg(pl.col("weight").sum())
    assert totals["weight"].to_list() == pytest.approx([1.0] * len(totals))
    assert (replaced["hts"].str.slice(0, 6) == replaced["code"].str.slice(0, 6)).all()


@needs_source
def test_lists_of_china_are_the_subheadings_where_its_whole_duty_stepped() -> None:
    """The WTO's mean rates by subheading rose on the days of the notices of February and March 2025."""
    path = SOURCE / "other_direction" / "rates" / "china_on_us_hs6_wto_2025_2026.parquet"
    wto = pl.read_parquet(path)
    for before, after, names in (
        ("pct_2025_01_01", "pct_2025_02_10", ("CN_ENERGY15", "CN_MACHINERY10")),
        ("pct_2025_02_10", "pct_2025_03_10", ("CN_AG15", "CN_AG10")),
    ):
        stepped = set(wto.filter(pl.col(after) > pl.col(before) + 1e-9)["hs6"])
        assert stepped == {code[:6] for name in names for code in codes_on(name)}

"""Lists of section 301 on China, and of section 201."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import ListRow, Lists, column, digits, named, plain, with_renamed
from tariffs.importers.output import read_csv_text

# By the heading the source gives a code: list name and citation.
_BY_HEADING = named("301")
# The same crane line is named again by the maritime action.
_CRANES_AGAIN = "9903.91.14"
# Statistical numbers that the notes take out of the 8-digit lines of their lists.
_EXCEPTED = {
    "S301_L3_04_EXCEPT": (
        "HTS U.S. note 20(g)",
        "2931909051 8517620090 9401614001 9401696001 9401710001 9401710005 9401710006 9401710007 "
        "9401790001 9401790002 9401790003 9401790004 9401802001 9401804001 9401806021 9401806023 "
        "9403704003 9403708003",
    ),
    "S301_L4A_EXCEPT": (
        "HTS U.S. note 20(s)",
        "4901990040 8517620010 8517620020 9401696011 9401696031 9401710001 9401710005 9401710006 "
        "9401710008 9401710011 9401710031",
    ),
}
# The days between which the four-year review names a good under one heading, where the source has other or none.
_REVIEW = "HTS U.S. note 31({}); 89 FR 76581"
_MASKS_2024 = ("6307909842", "6307909844", "6307909850", "6307909875")
_MASK_2025 = "6307909870"
_GLOVES = "40151210"
_VEHICLE_BATTERIES = "8507600010"
_SECOND_STEP, _THIRD_STEP = "2025-01-01", "2026-01-01"
# On list 4B and missing from the source.
_MISSING_4B = "85171300"
# Exclusions by heading and by whether the item is a whole statistical number or a described part of one.
_WHOLE = "whole number"
_EXCLUSIONS = {
    ("9903.88.69", True): "S301_EXCL_69_WHOLE",
    ("9903.88.69", False): "S301_EXCL_69",
    ("9903.88.70", False): "S301_EXCL_70",
}
_EXCLUSION_CITE = {
    "9903.88.69": "HTS U.S. note 20(vvv); 90 FR 55232",
    "9903.88.70": "HTS U.S. note 20(www); 90 FR 55232",
}
# The day from which amendments gave excluded goods other numbers; other items hold as long as the exclusion does.
_RENUMBERED = "2026-07-01"
_RENUMBERED_CITE = "; 91 FR 56538; 91 FR 64211"


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family."""
    lists: Lists = {name: [] for name, _ in _BY_HEADING.values()}
    for row in read_csv_text(ch99 / "s301_product_lists.csv"):
        if row["ch99_code"] != _CRANES_AGAIN:
            name, cite = _BY_HEADING[row["ch99_code"]]
            lists[name] += plain([digits(row["hts8"])], cite)
    lists["S301_L4B"] += plain([_MISSING_4B], _BY_HEADING["9903.88.16"][1])
    lists |= {name: plain(codes.split(), cite) for name, (cite, codes) in _EXCEPTED.items()}
    _review_by_steps(lists)
    lists |= _exclusions(ch99 / "update_2026_10" / "s301_exclusions_69_70.csv")
    solar = column(ch99 / "s201_solar_products.csv", "hts10")
    quartz = column(ch99 / "update_2026_10" / "s201_quartz.csv", "code")
    lists["S201_QUARTZ"] = plain(quartz, "HTS U.S. note 41(a) to chapter 99 subchapter III; Proc 11051")
    lists["S201_SOLAR"] = plain(solar, "HTS U.S. note 18 to chapter 99 subchapter III; Proc 9693")
    return {name: with_renamed(sorted(set(rows)), universe) for name, rows in lists.items()}


def _review_by_steps(lists: Lists) -> None:
    """Give masks, medical gloves and vehicle batteries the heading of the four-year review on each day."""
    first = _REVIEW.format("b")
    lists["S301_N31B"] = [row for row in lists["S301_N31B"] if row.code != _VEHICLE_BATTERIES]
    lists["S301_N31B"] += plain([*_MASKS_2024, _VEHICLE_BATTERIES], first, end=_THIRD_STEP)
    lists["S301_N31_MASKS"] = plain([_MASK_2025], _REVIEW.format("e"), _SECOND_STEP, _THIRD_STEP)
    lists["S301_N31_2025"] += plain([_GLOVES], _REVIEW.format("f"), _SECOND_STEP, _THIRD_STEP)


def _exclusions(path: Path) -> Lists:
    lists: Lists = {name: [] for name in _EXCLUSIONS.values()}
    for row in read_csv_text(path):
        whole = row["scope"].startswith(_WHOLE)
        start = row["from"] if row["from"] == _RENUMBERED else ""
        cite = _EXCLUSION_CITE[row["heading"]] + (_RENUMBERED_CITE if start else "")
        scope = _WHOLE if whole else "part of the code"
        lists[_EXCLUSIONS[row["heading"], whole]].append(ListRow(row["code"], start, "", scope, cite))
    return lists

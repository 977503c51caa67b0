"""Lists of section 232 other than metals: vehicles, parts, wood, chips, drugs, aircraft."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import RENAMED, ListRow, Lists, column, digits, named, plain, with_renamed
from tariffs.importers.output import read_csv_text

_FAMILIES = named("232")
# Named by note 33(b) and missing from the source.
_ELECTRIC_TRUCKS = "87046000"
_AUTO_PARTS = "HTS U.S. note 33(g); Proc 10908 (90 FR 14705)"
_MHDV_PARTS = "HTS U.S. note 38(i); Proc 10984 (90 FR 48451)"
# Provisions of the parts lists that mostly carry goods other than vehicle parts: charged only on a claim of use.
_DUAL_USE = (
    "8471", "850710", "850760", "853710", "853720", "850132", "850133", "850134", "850140", "850151", "850152", "8482",
    "84133090", "852721",
)  # fmt: skip
# Note 33(j), from HTS 2026 Rev 12, and the numbers that came in the place of listed ones; no source file holds it.
_GB_FILE = Path(__file__).with_name("s232_auto_parts_gb.csv")
_AUTO_PARTS_GB = "HTS U.S. note 33(j); 90 FR 27851"
# Unmanned aircraft by what the rate of a code depends on, from the wording of the source.
_UAS = {
    "unmanned aircraft, always": "S232_UAS_ALWAYS",
    "unmanned aircraft with thermal imaging": "S232_UAS_BY_IMAGING",
    "docking station or part, only for use with unmanned aircraft": "S232_UAS_PARTS",
    "part for systems over 25 kg, only for use with unmanned aircraft": "S232_UAS_PARTS",
}
_PHARMA = "HTS U.S. note 40(c); Proc 11020 (91 FR 18183)"
_UAS_CITE = "HTS U.S. note 43(c); Proc 11055"


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family."""
    families = read_csv_text(ch99 / "s232_heading_prefixes.csv")
    codes_of = {
        family: [digits(r["hts_prefix"]) for r in families if r["family"] == family] for family in _FAMILIES
    }
    codes_of["autos_light_trucks"].append(_ELECTRIC_TRUCKS)
    lists: Lists = {
        name: plain((code for code in codes_of[family] if universe.under(code)), cite)
        for family, (name, cite) in _FAMILIES.items()
    }
    for name, file, cite in (
        ("S232_AUTO_PARTS", "s232_auto_parts.txt", _AUTO_PARTS),
        ("S232_MHDV_PARTS", "s232_mhd_parts.txt", _MHDV_PARTS),
    ):
        codes = [digits(line) for line in (ch99 / file).read_text(encoding="utf-8").split()]
        lists[name] = plain(codes, cite)
        lists[f"{name}_DUAL"] = plain(_dual_use(codes), cite, scope="dual use")
    listed = [
        ListRow(row["code"], scope=row["scope"], cite=_AUTO_PARTS_GB) for row in read_csv_text(_GB_FILE)
    ]
    lists["S232_AUTO_PARTS_GB"] = listed
    dual = _dual_use([row.code for row in listed])
    lists["S232_AUTO_PARTS_GB_DUAL"] = plain(dual, _AUTO_PARTS_GB, scope="dual use")
    lists["S232_SEMIS"] = plain(
        column(ch99 / "s232_semi_products.csv", "hts10"), "HTS U.S. note 39; Proc 11002"
    )
    lists["AIRCRAFT_TW"] = plain(
        column(ch99 / "s232_aircraft_exempt_taiwan.csv", "hts8"),
        "HTS U.S. note 35(c); 9903.96.03",
        scope="civil_aircraft",
    )
    lists |= _unmanned_aircraft(ch99 / "update_2026_10" / "s232_uas_43c.csv")
    renamed = {name: with_renamed(rows, universe) for name, rows in lists.items()}
    return renamed | _pharmaceuticals(ch99 / "update_2026_10" / "s232_pharma_40c.csv", universe)


def _unmanned_aircraft(path: Path) -> Lists:
    lists: Lists = {}
    for row in read_csv_text(path):
        # A code whose rate depends on thermal imaging is in the source once for each case.
        if row["scope"] in _UAS:
            lists.setdefault(_UAS[row["scope"]], []).extend(plain([row["code"]], _UAS_CITE, row["from"]))
    return lists


def _pharmaceuticals(path: Path, universe: Universe) -> Lists:
    """Build the list of note 40(c), and separately the codes that newer ones replaced.

    Tables are in numbers of 2024, so that goods under a replaced number must stay within reach.
    """
    rows = read_csv_text(path)
    first = min(row["from"] for row in rows)
    # The first day is the duty's own, which the measure states.
    listed = [ListRow(r["code"], "" if r["from"] == first else r["from"], r["to"], "", _PHARMA) for r in rows]
    at_first = plain((row.code for row in listed if not row.start), _PHARMA)
    renamed = [row for row in with_renamed(at_first, universe) if row.scope == RENAMED]
    replaced = [row._replace(start=row.end, end="", scope=RENAMED) for row in listed if row.end]
    return {"S232_PHARMA": listed + renamed, "S232_PHARMA_REPLACED": replaced}


def _dual_use(codes: list[str]) -> list[str]:
    return [code for code in codes if code.startswith(_DUAL_USE)]

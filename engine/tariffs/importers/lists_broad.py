"""Lists of duties on all goods: IEEPA exemptions, section 122, Brazil."""

from __future__ import annotations

from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import ListRow, Lists, at_line_level, column, digits, named, plain
from tariffs.importers.output import read_csv_text

# Publication days in the source, by list, and the acts that made each change. The source's ends are inclusive.
_ANNEX_II = {
    "NA": ("ANNEX_II_2025_04_05", "", "EO 14257 Annex II (90 FR 15041)"),
    "2025-04-05": ("ANNEX_II_ELECTRONICS", "electronics", "Memorandum of 2025-04-11; CSMS 64724565"),
    "2025-09-08": ("ANNEX_II_2025_09_08", "", "EO 14346"),
    "2025-11-13": ("ANNEX_II_AG_2025_11_13", "ag", "EO 14360; CSMS 66814923"),
}
_ANNEX_II_ENDS = {
    "NA": ("", ""),
    "2025-07-31": ("2025-08-01", "Proc 10962: copper removed"),
    "2025-09-07": ("2025-09-08", "EO 14346: removed"),
    "2025-10-13": ("2025-10-14", "Proc 10976: timber and lumber removed"),
}
_PARTICULAR = ("ANNEX_II_PARTICULAR", "2025-11-13", "EO 14360; CSMS 66814923")
_INFORMATIONAL = "INFORMATIONAL"
# Printed matter and art: in the source among the goods of Annex II, outside the duty by statute.
_INFORMATIONAL_CHAPTERS = ("49", "97")
_LAST_CHAPTER = "97"
_CARVE_OUTS = named("fentanyl carve-outs")
# U.S. note 2(x): (iii) is free as it is, (iv) as civil aircraft only; by scope, the file that holds it and its list.
_BRAZIL_EO = {
    "": ("brazil-non-airplane-exemptions.csv", "BR_EO", "(iii)"),
    "civil_aircraft": ("brazil-airplane-exemptions.csv", "BR_EO_AIRCRAFT", "(iv)"),
}
_BRAZIL_EO_START = "2025-08-06"
_BRAZIL_AG = ("BR_EO_AG_2025_11_13", "2025-11-13", "EO 14361")
_BRAZIL_301 = {
    "flat": "BR301_FLAT",
    "named": "BR301_NAMED",
    "aircraft": "BR301_AIRCRAFT",
    "pharma": "BR301_PHARMA",
}
# Legal days of the floor deals' lists; the source carries the days on which the schedule printed them.
_FLOORS = {
    "eu": ("FLOOR_EU", "2025-09-01", "CSMS 66336270"),
    "korea": ("FLOOR_KR", "2025-11-14", "CSMS 66987366"),
    "swiss": ("FLOOR_CH", "2025-11-14", "FR 2025-23316; CSMS 67133044"),
}
_FLOOR_SCOPES = {
    "ptaap": "PTAAP",
    "particular": "PARTICULAR",
    "civil_aircraft": "AIRCRAFT",
    "pharma": "PHARMA",
}
_NOTE_2AA = "HTS U.S. note 2(aa){} to chapter 99 subchapter III; Proc 11012 (91 FR 9339)"


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family."""
    return {
        **annex_ii(ch99 / "ieepa_exempt_products.csv", universe, _particular(ch99 / "s122_scope_split.csv")),
        **_carve_outs(ch99 / "fentanyl_carveout_products.csv"),
        **_brazil_eo(ch99 / "tradewartracker"),
        **_brazil_ag(ch99 / "country_eo_exempt_products.csv"),
        **section_122(ch99 / "s122_scope_split.csv"),
        **_brazil_301(ch99 / "tradewartracker" / "brazil-301-exemptions.csv"),
        **_floors(ch99 / "floor_exempt_products.csv"),
    }


def annex_ii(path: Path, universe: Universe, particular: frozenset[str]) -> Lists:
    """Build the goods outside the reciprocal duty, one list per act that added them; removed goods have an end.

    Lines of which only a particular article is outside, and printed matter and art, are lists of their own; the
    latter stay on the first list too.
    """
    lists: Lists = {name: [] for name, _, _ in _ANNEX_II.values()}
    groups: dict[tuple[str, str], set[str]] = {}
    for row in read_csv_text(path):
        # A 12-digit code of the source is a 10-digit one with the padding of an 8-digit one.
        code = row["hts10"][:10]
        if code[:2] <= _LAST_CHAPTER:
            groups.setdefault((row["effective_date_start"], row["effective_date_end"]), set()).add(code)
    for (start, end), codes in groups.items():
        name, scope, cite = _ANNEX_II[start]
        day, act = _ANNEX_II_ENDS[end]
        source = "; ".join(part for part in (cite, act) if part)
        lines = set(at_line_level(_unpadded(codes, universe), universe)) - particular
        lists[name] += plain(lines, source, "" if start == "NA" else start, day, scope)
    informational = [
        row.code for rows in lists.values() for row in rows if row.code.startswith(_INFORMATIONAL_CHAPTERS)
    ]
    lists[_INFORMATIONAL] = plain(
        informational, "50 USC 1702(b)(3); EO 14257 sec. 3(b)", scope="informational"
    )
    name, start, cite = _PARTICULAR
    lists[name] = plain(particular, cite, start, scope="particular article")
    return lists


def section_122(path: Path) -> Lists:
    """Build note 2(aa) by its three scopes."""
    rows = [row for row in read_csv_text(path) if row["code"] != "code"]

    def of(scope: str) -> list[str]:
        return [row["code"] for row in rows if row["s122_note_2aa_scope"] == scope]

    return {
        "S122_UNCOND": plain(of("unconditional"), _NOTE_2AA.format("(ii)")),
        "S122_PARTICULAR": plain(
            of("particular_article_only"), _NOTE_2AA.format("(iii)"), scope="particular article"
        ),
        "S122_CIVIL_AIRCRAFT": plain(
            of("civil_aircraft_only"), _NOTE_2AA.format("(iv)"), scope="civil_aircraft"
        ),
    }


def _particular(path: Path) -> frozenset[str]:
    rows = read_csv_text(path)
    return frozenset(row["code"] for row in rows if row["s122_note_2aa_scope"] == "particular_article_only")


def _unpadded(codes: set[str], universe: Universe) -> set[str]:
    """Drop an 8-digit line padded with 00 that is not a code itself; its codes are listed separately."""
    return {code for code in codes if code in universe.all} | {
        code[:8]
        for code in codes
        if code not in universe.all and code.endswith("00") and not universe.under(code[:8])
    }


def _carve_outs(path: Path) -> Lists:
    rows = read_csv_text(path)
    return {
        name: plain((digits(r["hts8"]) for r in rows if r["category"] == category), cite)
        for category, (name, cite) in _CARVE_OUTS.items()
    }


def _brazil_eo(folder: Path) -> Lists:
    return {
        name: plain(
            column(folder / file, "HTSUS"),
            f"HTS U.S. note 2(x){note} to chapter 99 subchapter III; EO 14323 Annex I (90 FR 37739)",
            _BRAZIL_EO_START,
            scope=scope,
        )
        for scope, (file, name, note) in _BRAZIL_EO.items()
    }


def _brazil_ag(path: Path) -> Lists:
    name, start, cite = _BRAZIL_AG
    codes = (digits(row["hts10"]) for row in read_csv_text(path) if row["effective_date_start"] == start)
    # The source took the headings that the act amends for goods.
    return {name: plain((code for code in codes if code[:2] <= _LAST_CHAPTER), cite, start)}


def _brazil_301(path: Path) -> Lists:
    rows = read_csv_text(path)
    cite = "HTS U.S. note 50(a) to chapter 99 subchapter III; 91 FR 45516"
    return {
        name: plain((digits(r["HTSUS"]) for r in rows if r["category"] == category), cite, scope=category)
        for category, name in _BRAZIL_301.items()
    }


def _floors(path: Path) -> Lists:
    lists: Lists = {}
    for row in read_csv_text(path):
        name, start, cite = _FLOORS[row["country_group"]]
        scope = row["category"]
        source = f"{row['ch99_code']}; {cite}"
        entry = ListRow(digits(row["hts8"]), start, "", scope, source)
        for target in (name, f"{name}_{_FLOOR_SCOPES[scope]}"):
            lists.setdefault(target, []).append(entry)
    return {name: sorted(set(rows)) for name, rows in lists.items()}

"""Lists of section 232 metals: mill products, derivatives by note, and the annexes of 2026."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tariffs.importers.codes import Universe
from tariffs.importers.listing import ListRow, Lists, column, digits, merged, named, plain, with_renamed
from tariffs.importers.output import read_csv_text

_METAL = {"steel": "STEEL", "aluminum": "ALU", "copper": "COPPER"}
_REGIME_2025 = "2025-03-12"
_INCLUSIONS = "2025-08-18"
# The day of the notice that added beer and empty cans; the source dates the cans by the printing of the schedule.
_CANS = "2025-04-04"
_PRINTED = {"2025-04-03": _CANS}
_NOTES = named("metal notes")
_DERIVATIVES = named("metal derivatives")
# Steel derivatives outside chapter 73 that the source lacks, by the day they were added.
_STEEL_MISSING = {
    _REGIME_2025: (
        "84313100", "84314200", "84314910", "84314990", "84321000", "84329000", "85479000", "94059920", "94059940",
        "94062000", "94069001",
    ),
    "2025-06-23": (
        "84181000", "84183000", "84184000", "84221100", "84501100", "84502000", "84512100", "84512900", "85166040",
        "85098020", "9403999020",
    ),
}  # fmt: skip
_STEEL_ADDED = {
    _REGIME_2025: "Proc 10896 (90 FR 9817)",
    "2025-06-23": "90 FR 25208",
    _INCLUSIONS: "FR 2025-15819",
}
# Stampings of Proc 9980 by metal: the source lacks those of steel, has the aluminum ones of 8708.29.21 with all others,
# and in place of those of 8708.10.30 the number of bumpers that are no stampings.
_STAMPINGS = {
    "STEEL_16A2": (("8708103020", "8708292120"), "HTS U.S. note 16(a)(ii); Proc 9980"),
    "ALU_19A3": (("8708103030", "8708292130"), "HTS U.S. note 19(a)(iii); Proc 9980"),
}
_ALL_STAMPINGS = ("ALU_19A3", "87082921")
_NOT_STAMPED = ("ALU_19A3", "8708103050")
_ANNEX_STARTS = ("2026-04-06", "2026-06-08")
_ANNEXES = named("metal annexes")
# Annexes whose treatment does not depend on the metal make one list.
_ONE_LIST = frozenset({"1c", "2"})
# Codes of note 16(c) that are listed for steel and for aluminum; the source has them for steel alone. Of 8708.29.21 the
# aluminum goods have a number of their own.
_ALSO_ALUMINUM = {
    ("1a", _ANNEX_STARTS[0]): ("76141010",),
    ("1b", _ANNEX_STARTS[0]): (
        "83021060", "83024130", "83024230", "83024960", "84148016", "84181000", "84431600", "84501100", "84512100",
        "84799085", "85023100", "85043300", "87081030", "8708292130", "87161000", "87163900", "87169050",
    ),
    ("3", _ANNEX_STARTS[0]): ("84248990",),
}  # fmt: skip
# Parts of the second annex that may be made for motorcycles or equipment.
_EQUIPMENT_PARTS = "S232_IB_PARTS"
_EQUIPMENT_CITE = "Proc 11021 Annex I-B; HTS U.S. note 16(g) and (k)"
_EQUIPMENT_CHAPTERS = ("84", "85", "87")


def read(ch99: Path, universe: Universe) -> Lists:
    """Build every list of this family."""
    lists = _content_regime(ch99)
    lists |= _lists_of_2018(ch99 / "s232_metal_chapter_products.csv")
    lists["COPPER"] = plain(
        column(ch99 / "s232_copper_products.csv", "hts10"), "HTS U.S. note 36; Proc 10962", "2025-08-01"
    )
    lists = {name: with_renamed(merged(rows), universe) for name, rows in lists.items()}
    lists |= annexes(ch99 / "s232_annex_products.csv", universe)
    both = [code for (annex, _), codes in _ALSO_ALUMINUM.items() if annex != "3" for code in codes]
    lists["S232_STEEL_AND_ALU"] = plain(both, "HTS U.S. note 16(c)", _ANNEX_STARTS[0])
    return lists | {_EQUIPMENT_PARTS: _equipment_parts(lists)}


def _equipment_parts(lists: Lists) -> list[ListRow]:
    """Build the goods of Annex I-B, of any metal, in the chapters of machinery and vehicles."""
    rows = [row for metal in _METAL.values() for row in lists[f"S232_IB_{metal}"]]
    own = {row._replace(cite=_EQUIPMENT_CITE) for row in rows if row.code.startswith(_EQUIPMENT_CHAPTERS)}
    return sorted(own)


def annexes(path: Path, universe: Universe) -> Lists:
    """Build the annexes of 2026 by metal, disjoint so that prefix membership gives the right annex.

    For a metal the latest row of a code prefix replaces earlier ones, and the longest prefix that reaches a code
    decides. Prefixes with exceptions are therefore written out as the codes that remain.
    """
    rows = [
        (digits(r["hts_prefix"]), r["annex"], r["metal_type"], r["effective_date"])
        for r in read_csv_text(path)
    ]
    rows += [
        (code, annex, "aluminum", start) for (annex, start), codes in _ALSO_ALUMINUM.items() for code in codes
    ]
    held: dict[tuple[str, str], list[dict[str, set[str]]]] = {}
    for period, start in enumerate(_ANNEX_STARTS):
        known = sorted((row for row in rows if row[3] <= start), key=lambda row: row[3])
        by_metal: dict[str, dict[str, str]] = {}
        for prefix, annex, metal, _ in known:
            by_metal.setdefault(metal, {})[prefix] = annex
        for metal, by_prefix in by_metal.items():
            for annex, codes in assign(by_prefix, universe).items():
                name = _ANNEXES[annex][0] if annex in _ONE_LIST else f"{_ANNEXES[annex][0]}_{_METAL[metal]}"
                held.setdefault((name, annex), [{}, {}])[period].setdefault(metal, set()).update(codes)
    lists: Lists = {}
    for (name, annex), periods in held.items():
        prefixes = sorted({row[0] for row in rows if row[1] == annex}, key=lambda p: (len(p), p))
        before, after = (set().union(*period.values()) for period in periods)
        cite = _ANNEXES[annex][1]
        lists[name] = [
            *plain(_written(before & after, prefixes, universe), cite, _ANNEX_STARTS[0]),
            *plain(_written(before - after, prefixes, universe), cite, _ANNEX_STARTS[0], _ANNEX_STARTS[1]),
            *plain(_written(after - before, prefixes, universe), cite, _ANNEX_STARTS[1]),
        ]
    return lists


def assign(by_prefix: Mapping[str, str], universe: Universe) -> dict[str, set[str]]:
    """Assign codes to annexes: a code takes the annex of its longest listed prefix."""
    found: dict[str, str] = {}
    for prefix in sorted(by_prefix, key=len):
        for code in universe.under(prefix) or {prefix}:
            found[code] = by_prefix[prefix]
    codes: dict[str, set[str]] = {}
    for code, annex in found.items():
        codes.setdefault(annex, set()).add(code)
    return {annex: universe.resolve(own) - (found.keys() - own) for annex, own in codes.items()}


def _written(codes: Iterable[str], prefixes: list[str], universe: Universe) -> list[str]:
    """Write codes as the source's prefixes where those are complete, else as the shortest prefixes."""
    left, found = set(codes), []
    for prefix in prefixes:
        under = universe.under(prefix) or {prefix}
        if under <= left:
            found.append(prefix)
            left -= under
    return found + universe.shortest(left)


def _content_regime(ch99: Path) -> Lists:
    lists: Lists = {}
    for row in read_csv_text(ch99 / "s232_metal_chapter_products.csv"):
        name, cite = _NOTES[row["source"].split(";")[0]]
        start = _PRINTED.get(row["effective_date"], row["effective_date"])
        lists.setdefault(name, []).append(ListRow(digits(row["hts_prefix"]), start, "", row["kind"], cite))
    for row in read_csv_text(ch99 / "s232_derivative_products.csv"):
        name, note = _DERIVATIVES[row["ch99_code"]]
        code = digits(row["hts_prefix"])
        if (name, code) == _ALL_STAMPINGS:
            continue
        of_2020 = name == "ALU_19A3" and (name, code) != _NOT_STAMPED
        start = row["effective_date"] or ("" if of_2020 else _REGIME_2025)
        act = {
            _REGIME_2025: "Proc 10895 (90 FR 9807)",
            _CANS: "90 FR 14786",
            _INCLUSIONS: "FR 2025-15819",
        }.get(start, "")
        cite = note if act in note else f"{note}; {act}"
        lists.setdefault(name, []).append(ListRow(code, start, "", "derivative", cite))
    for name, (stampings, cite) in _STAMPINGS.items():
        lists[name] += plain(stampings, cite, scope="derivative")
    for start, codes in _STEEL_MISSING.items():
        lists["STEEL_DERIV"] += plain(
            codes, f"HTS U.S. note 16(n); {_STEEL_ADDED[start]}", start, scope="derivative"
        )
    return lists


def _lists_of_2018(path: Path) -> Lists:
    """Select the goods of the duties of 2018 and of the derivatives of 2020: rows without a date."""
    rows = [row for row in read_csv_text(path) if not row["effective_date"]]
    return {
        f"{_METAL[metal]}_2018": plain(
            (digits(r["hts_prefix"]) for r in rows if r["metal_type"] == metal), cite
        )
        for metal, cite in (("steel", "Proc 9705; Proc 9980"), ("aluminum", "Proc 9704; Proc 9980"))
    }

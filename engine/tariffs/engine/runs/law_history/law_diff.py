"""Compare two laws, given as packs or directories: what differs in words, and the lines of a table that move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.base.provenance import law_facts
from tariffs.engine.law.files import HERE, raw_of, read_raw
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.loader import law_from_raw
from tariffs.engine.law.pack.read import open_pack
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.scenario import Difference, difference
from tariffs.engine.table_duty.duties import Dated, duties_of
from tariffs.engine.tables.export_lines import prepared_for

BUILTIN = "builtin"
_HALF_CENT = 0.005
# Parts beside measures and stacking rules, which are compared by what they do.
_PARTS = (
    *("groups", "programs", "claims", "terms", "switches", "references", "fees", "refunds", "authorities"),
    *("port_fees", "port_calls", "constraints", "markets", "retired", "list_changes", "sources"),
)
_NAMED = 12


@dataclass(frozen=True)
class LawComparison:
    """Differences between two laws.

    Attributes:
        first, second: version, digest and days of each law.
        differences: measures, rules and settings that differ, with the days and words.
        other: further parts that differ, a sentence each.
        on: day on which the lines were computed; empty without a table.
        rows: number of lines that both laws compute.
        lines: lines whose duty differs, the largest first: `row, hts, origin, customs_value, duty_before, duty_after,
            change`; None without a table.
    """

    first: Mapping[str, Any]
    second: Mapping[str, Any]
    differences: tuple[Difference, ...]
    other: tuple[str, ...]
    on: str = ""
    rows: int = 0
    lines: pl.DataFrame | None = None

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON has it."""
        lines = self.lines
        names = ("version", "digest", "read_to")
        first, second = (
            {name: str(facts[f"law_{name}"]) for name in names} for facts in (self.first, self.second)
        )
        return {
            "first": first,
            "second": second,
            "differences": [
                {
                    "kind": one.kind,
                    "id": one.id,
                    "start": one.start.isoformat(timespec="minutes") if one.start else "",
                    "end": one.end.isoformat(timespec="minutes") if one.end else "",
                    "first": one.first,
                    "second": one.second,
                    "text": one.words,
                }
                for one in self.differences
            ],
            "other": list(self.other),
            "on": self.on,
            "rows": self.rows,
            "moved": 0 if lines is None else lines.height,
            "change": 0.0 if lines is None else float(lines["change"].sum()),
            "lines": None if lines is None else lines.to_dicts(),
        }


def compare_laws(first: str, second: str, table: str | None = None, on: str = "") -> LawComparison:
    """Compare two laws.

    Args:
        first, second: path of a pack or directory, or BUILTIN.
        table: path of a trade table; its lines are computed as if all entered on one day.
        on: the day; empty is the as-of day of the second law.

    Raises:
        LawError: LAW_PACK_INVALID or LAW_INVALID.
        InputError: a fault of the table or the day.
    """
    raws = _raw(first), _raw(second)
    laws = law_from_raw(raws[0]), law_from_raw(raws[1])
    facts = law_facts(laws[0]), law_facts(laws[1])
    found = LawComparison(*facts, tuple(difference(*laws)), (*_lists(*raws), *_others(*raws)))
    if table is None:
        return found
    day = on or laws[1].as_of.isoformat()
    before, after = (_duties(law, table, day) for law in laws)
    joined = before.rename({"duty": "duty_before"}).join(
        after.select("row", duty_after="duty"), on="row", how="inner", maintain_order="left"
    )
    size, change = pl.col("change").abs(), pl.col("duty_after") - pl.col("duty_before")
    moved = joined.with_columns(change=change).filter(size >= _HALF_CENT)
    moved = moved.sort(size, descending=True, maintain_order=True)
    return replace(found, on=day, rows=joined.height, lines=moved)


def _raw(name: str) -> dict[str, Any]:
    if name == BUILTIN:
        return read_raw(HERE)
    path = Path(name)
    return raw_of(open_pack(path).files) if path.is_file() else read_raw(path)


def _duties(law: Law, table: str, on: str) -> pl.DataFrame:
    prepared = prepared_for((IMPORT,), table, law)
    dated = Dated([entry_instant(law, on)], [law.as_of], None, [IMPORT])
    duties, _ = duties_of(law, prepared.lines, dated, lambda: None).by_measure()
    return (
        prepared.frame.select("hts", "origin", "customs_value")
        .insert_column(0, prepared.checked.rows.alias("row"))
        .with_columns(pl.Series("duty", duties.sum(axis=1)))
    )


def _lists(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(first["lists"].keys() | second["lists"].keys()):
        before, after = (set(map(tuple, raw["lists"].get(name, ()))) for raw in (first, second))
        if before != after:
            yield f"list {name}: {len(after - before):,} rows added, {len(before - after):,} removed"


def _others(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    for part in _PARTS:
        before, after = _items(first.get(part)), _items(second.get(part))
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        if changed:
            rest = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
            yield f"{part}: {', '.join(changed[:_NAMED])}{rest} differ"


def _items(content: Any) -> Mapping[str, Any]:
    """Items of a part by name; those of a list by their id or place."""
    if isinstance(content, Mapping):
        return content

    def name(place: int, item: Any) -> str:
        return str(item.get("id", place)) if isinstance(item, Mapping) else str(place)

    return {name(place, item): item for place, item in enumerate(content or ())}

"""Compute effects of law changes on a table: lines whose duty changes at each step, by measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.runs.law_history.law_changes import ChangeStep, Notice, TableGoods
from tariffs.engine.table_duty.duties import Dated, duties_of
from tariffs.engine.tables.export_lines import prepared_for
from tariffs.engine.tables.prepare import PreparedTable, Table

_HALF_CENT = 0.005
_KEYS = {"step": pl.Int64, "at": pl.String, "known_on": pl.String, "measure": pl.String}
_LINE = {"row": pl.Int64, "hts": pl.String, "origin": pl.String}
_MONEY = dict.fromkeys(("customs_value", "duty_before", "duty_after", "change"), pl.Float64)


@dataclass(frozen=True)
class TableChanges:
    """Effects of notices on a table.

    `lines`: one row per step, measure and line whose duty changes: `step, at, known_on, measure, row, hts, origin,
    customs_value, duty_before, duty_after, change`. `measures`: the same summed over lines, with `lines`, how many.
    Steps do not add up: a retroactive act has one in `known_on` and one in time. `refused` are the rows that could not
    be read.
    """

    lines: pl.DataFrame
    measures: pl.DataFrame
    refused: pl.DataFrame


def steps_of(notices: Iterable[Notice]) -> list[ChangeStep]:
    """List the distinct steps of notices, in order."""
    return list(dict.fromkeys(notice.step for notice in notices if notice.step))


def changes_on_table(
    law: Law,
    notices: Sequence[Notice],
    table: Table,
    *,
    check: Callable[[], None] = lambda: None,
    market: str = IMPORT,
) -> TableChanges:
    """Compute the change of duty of a table at each step of a law's notices, as if all lines entered at that instant.

    Args:
        table: a trade table; None is the embedded one.
        check: called between chunks; may raise to stop.
        market: that of the notices and of the table.

    Raises:
        InputError: a fault of the table as a whole.
    """
    prepared = prepared_for((market,), table, law)
    changed = []
    for number, step in enumerate(steps_of(notices)):
        (before, before_ids), (after, after_ids) = (
            duties_of(law, prepared.lines, Dated([at], [known_on], None, [market]), check).by_measure()
            for at, known_on in (step.before, step.after)
        )
        at = step.after[0].astimezone(law.zones[market]).isoformat(timespec="minutes")
        for measure in sorted({*before_ids, *after_ids}):
            old, new = _column(before, before_ids, measure), _column(after, after_ids, measure)
            rows = np.flatnonzero(np.abs(new - old) >= _HALF_CENT)
            if len(rows):
                keys = zip(_KEYS, (number, at, step.after[1].isoformat(), measure), strict=True)
                duties = {"duty_before": old[rows], "duty_after": new[rows], "change": (new - old)[rows]}
                lines = prepared.frame[rows].select(
                    *(pl.lit(value, _KEYS[name]).alias(name) for name, value in keys),
                    prepared.checked.rows.gather(rows).alias("row"),
                    *("hts", "origin", "customs_value"),
                    *(pl.Series(name, values) for name, values in duties.items()),
                )
                changed.append(lines)
    lines = pl.concat(changed) if changed else pl.DataFrame(schema={**_KEYS, **_LINE, **_MONEY})
    sums = lines.group_by(list(_KEYS), maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("lines"), *(pl.col(name).sum() for name in _MONEY)
    )
    return TableChanges(lines, sums, prepared.checked.refused)


def goods_of(law: Law, prepared: PreparedTable, market: str) -> TableGoods:
    """List codes and origins of the lines of a table, with the lines of a foreign schedule under each code."""
    pairs = prepared.frame.select("hts", "origin").unique().iter_rows()
    abroad = law.markets.get(market)
    if abroad is None:
        return TableGoods.of(pairs)
    return TableGoods.of((code, origin) for hts, origin in pairs for code, _ in abroad.parts_of(hts))


def _column(duties: F64, ids: Sequence[str], measure: str) -> F64:
    return duties[:, ids.index(measure)] if measure in ids else np.zeros(len(duties))

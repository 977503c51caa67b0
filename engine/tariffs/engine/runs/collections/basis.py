"""Put the duty of an impact on the basis of collections: times the frozen shares of its origin and industry.

Prices, quantities and who bears the duty follow from the rates that the law states; surplus and welfare, which would
mix the two, are unknown on this basis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.runs.collections.frozen import frozen
from tariffs.engine.runs.column_names import (
    BASE_DUTY,
    BASELINE_DUTY,
    OWED_AFTER,
    PRODUCT_SUMS,
    PROHIBITED_SURPLUS,
)
from tariffs.engine.runs.grouping import SECTOR
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import ChargedDuties, Sums, rows_of

COLLECTED = "collected"
_ORIGIN = "origin"
_REVENUE = ("duty", "duty_owed", "duty_after", OWED_AFTER, BASELINE_DUTY, BASE_DUTY)
_LANDED = {"landed": "duty", "landed_after": "duty_after"}
_UNKNOWN = (*PRODUCT_SUMS, PROHIBITED_SURPLUS)


def collected_sums(run: TableRun, outcomes: Sequence[Outcome], sums: Sums) -> Sums:
    """Replace the duty in the sums of one lane by what is collected of it, USD, and landed cost with it."""
    fine = run.grouped_by((*run.grouping.id, _ORIGIN, SECTOR))
    parts, groups = fine.sums(outcomes), dict(sums.groups)
    share, place = collected_share(parts.keys), np.zeros(parts.count, dtype=np.int64)
    if sums.keys.width:
        place = rows_of(parts.keys.select(sums.keys.columns), sums.keys)
    collected: dict[str, F64] = {
        name: np.bincount(place, values[0] * share, sums.count).astype(np.float64)[None]
        for name, values in parts.groups.items()
        if name in _REVENUE
    }
    saved = {name: groups[name] - values for name, values in collected.items()}
    groups |= collected
    for name, duty in _LANDED.items():
        if duty in saved:
            groups[name] = groups[name] - saved[duty]
    if "landed_change" in groups and fine.base is not None:
        before = fine.baseline_duty
        kept = np.bincount(place, before * (1 - share), sums.count)
        groups["landed_change"] = groups["landed_change"] - saved["duty"] + kept
    total = {**sums.total, **{name: groups[name].sum(axis=1) for name in _moved(groups)}}
    unknown = {name: np.full_like(values, np.nan) for name, values in groups.items() if name in _UNKNOWN}
    nowhere = {name: np.full_like(values, np.nan) for name, values in total.items() if name in _UNKNOWN}
    charged = None
    if sums.charged is not None and parts.charged is not None:
        charged = _charged(parts.charged, share, place, sums.count)
    return replace(sums, groups={**groups, **unknown}, total={**total, **nowhere}, charged=charged)


def _moved(groups: Mapping[str, F64]) -> list[str]:
    return [name for name in (*_REVENUE, *_LANDED, "landed_change") if name in groups]


def collected_share(keys: pl.DataFrame) -> F64:
    """Look up the collected part of the duty of groups by origin and industry."""
    parameters = frozen()
    of_industry = [parameters.industries.get(sector or "", 1.0) for sector in keys[SECTOR].to_list()]
    of_origin = [parameters.share_of(origin) for origin in keys[_ORIGIN].to_list()]
    shares: F64 = np.array(of_industry) * np.array(of_origin)
    return shares


def _charged(parts: ChargedDuties, share: F64, place: I64, count: int) -> ChargedDuties:
    columns = {}
    for name, values in parts.columns.items():
        columns[name] = np.zeros((count, len(parts.names)))
        np.add.at(columns[name], (place[parts.group], parts.authority), values[0] * share[parts.group])
    return ChargedDuties.of_table(parts.names, columns)

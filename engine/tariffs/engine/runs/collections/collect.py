"""Follow duty from the law to the treasury by month, authority and origin: the verb behind `tariffs collections`."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any, Unpack

import polars as pl

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.errors import InputError
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.collections.frozen import claiming_origins, first_month, frozen, refunded_by
from tariffs.engine.runs.collections.ladder import RUNGS, days_of, monthly, rungs, scales
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.stepwise_run import RunArguments
from tariffs.engine.runs.timeline import Timeline, timeline
from tariffs.engine.scenario import Scenario
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.engine.tables.prepare import PreparedTable, Table, prepare_table

KEYS = ("month", "authority", "origin")
"""Keys of the rows, each of which may be left out."""
AMOUNTS = ("assessed", *RUNGS, "collected", "refunds")
COLUMNS = ("imports", *AMOUNTS, "collected_rate")
_MOST_MONTHS = 60
_BEFORE_ALL = "2024-12-31"
_BY_DAY = "entry"
_ROW = ["month", "origin", "authority"]
_PREPARED: BoundedCache[Hashable, PreparedTable] = BoundedCache(2)
"""Forms of the embedded table, some 70 MB together."""
_DETAILS: BoundedCache[Hashable, tuple[pl.DataFrame, Mapping[str, object]]] = BoundedCache(8)
"""Sums by month, origin and authority, some 3 MB each: the keys of an answer are chosen after them."""


@dataclass(frozen=True, kw_only=True)
class CollectionsResult:
    """Rows by the keys asked for, with COLUMNS; `collected` is `assessed` and the rungs, to the cent.

    `total` is one row over all months. `imports` is the customs value of the keys but authority: it does not add over
    authorities. `refunds` are in the month in which they are paid.
    """

    rows: pl.DataFrame
    total: pl.DataFrame
    frozen: Mapping[str, Any]
    notes: tuple[Note, ...]
    provenance: Mapping[str, object]


def collections(
    scenario: Scenario,
    start: str,
    end: str,
    *,
    by: Sequence[str] = KEYS,
    without: Sequence[str] = (),
    **how: Unpack[RunArguments],
) -> CollectionsResult:
    """Compute duty assessed and collected, and the steps between, for months of US imports.

    Args:
        scenario: edits to the law.
        start, end: first and last month, such as 2025-01.
        by, without: keys among KEYS, and rungs among RUNGS to leave out.
        how: law, options of the law, progress and cancellation; without `known_on` acts published by each day count.

    Raises:
        InputError: ENTRY_DATE_INVALID, GROUP_UNKNOWN or PARAMETER_INVALID.
        ServiceError: CANCELLED.
    """
    months = months_between(start, end)
    _check(by, KEYS, "GROUP_UNKNOWN", "by")
    _check(without, RUNGS, "PARAMETER_INVALID", "without")
    options = how.get("options") or Options()
    law, settings = how["law"], (options.switches, options.min_confidence, options.known_on)
    key = (law.digest, str(law.settings), scenario.digest, months, tuple(sorted(without)), str(settings))
    detail, facts = _DETAILS.get(key, lambda: _detail(scenario, months, without, how))
    asked = pl.col("month") >= start
    traded = (
        scales(months)
        .group_by("month", "origin")
        .agg(pl.col("value").round(2).sum().round(2).alias("imports"))
    )
    rows, total = _grouped(detail.filter(asked), traded.filter(asked), list(dict.fromkeys(by)))
    known_on = options.known_on or _BY_DAY
    asked_for = {"start": start, "end": end, "by": list(by), "without": sorted(without), "known_on": known_on}
    provenance = {**facts, **asked_for}
    del provenance["run_digest"]
    return CollectionsResult(
        rows=rows,
        total=total,
        frozen=frozen().facts,
        notes=_notes(months),
        provenance=with_run_digest(provenance),
    )


def collected_cells(
    scenario: Scenario, months: Sequence[str], without: Sequence[str] = (), **how: Unpack[RunArguments]
) -> pl.DataFrame:
    """Compute the rungs by month, origin, industry and authority, unrounded USD, with `void`, the void part of each."""
    segments, loaded, claimed = (
        _timeline(table, scenario, months, how)
        .scenarios[0]
        .segments.with_columns(pl.col("sector").fill_null(""))
        for table in (None, _prepared(_loaded_before, how), _prepared(_all_claimed, how))
    )
    return rungs(segments, loaded, claimed, months, without)


def _detail(
    scenario: Scenario, months: tuple[str, ...], without: Sequence[str], how: RunArguments
) -> tuple[pl.DataFrame, Mapping[str, object]]:
    """Sum the rungs by month, origin and authority, to the cent, and add the refunds."""
    cells = collected_cells(scenario, months, without, **how)
    steps = ["assessed", *RUNGS]
    detail = (
        cells.group_by(_ROW)
        .agg(pl.col(steps).round(4).sum().round(4).round(2))
        .with_columns(collected=pl.sum_horizontal(steps).round(2))
    )
    known = _timeline(None, scenario, months, how, by=("origin", "authority"), known_on="")
    void = void_shares(known.scenarios[0].segments, months)
    refunds = _refunds(detail.join(void, on=_ROW, how="left"), months)
    joined = detail.join(refunds, on=_ROW, how="full", coalesce=True).with_columns(
        pl.col([*steps, "collected", "refunds"]).fill_null(0.0)
    )
    return joined, known.provenance


def void_shares(known: pl.DataFrame, months: Sequence[str]) -> pl.DataFrame:
    """Compute the part of the duty of each month, origin and authority that was void from the beginning."""
    duty, owed = (monthly(known, months, column) for column in ("duty", "duty_owed"))
    joined = duty.join(owed, on=_ROW).filter(pl.col("duty") > 0)
    return joined.select(*_ROW, void=1 - pl.col("duty_owed") / pl.col("duty"))


def _refunds(detail: pl.DataFrame, months: Sequence[str]) -> pl.DataFrame:
    """Spread what is refunded in each month over origins and authorities, by the void duty that they paid, negative."""
    paid = (
        detail.sort(_ROW)
        .group_by("origin", "authority", maintain_order=True)
        .agg((pl.col("collected") * pl.col("void").fill_null(0.0)).sum().alias("paid"))
        .filter(pl.col("paid") > 1.0)
    )
    per_dollar = 1 / frozen().void_collected
    shares = pl.DataFrame(
        [
            (month, (refunded_by(after) - refunded_by(first)) * per_dollar)
            for month in months
            for first, after in [days_of(month)]
        ],
        schema={"month": pl.String, "part": pl.Float64},
        orient="row",
    ).filter(pl.col("part") > 0)
    return paid.join(shares, how="cross").select(*_ROW, refunds=(-pl.col("paid") * pl.col("part")).round(2))


def _grouped(detail: pl.DataFrame, traded: pl.DataFrame, by: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    total = _with_rate(
        detail.select(pl.col(list(AMOUNTS)).sum().round(2)).with_columns(imports=traded["imports"].sum())
    )
    if not by:
        return total, total
    sums = detail.group_by(by).agg(pl.col(list(AMOUNTS)).sum().round(2))
    keys = [name for name in by if name != "authority"]
    if keys:
        values = traded.group_by(keys).agg(pl.col("imports").sum())
        sums = sums.join(values, on=keys, how="left" if "authority" in by else "full", coalesce=True)
        sums = sums.with_columns(pl.col(list(AMOUNTS)).fill_null(0.0))
    else:
        sums = sums.with_columns(imports=traded["imports"].sum())
    return _with_rate(sums).select(*by, *COLUMNS).sort(by), total


def _with_rate(sums: pl.DataFrame) -> pl.DataFrame:
    rate = pl.when(pl.col("imports") > 0).then(pl.col("collected") / pl.col("imports"))
    rated = sums.with_columns(pl.col("imports").round(2)).with_columns(collected_rate=rate)
    return rated.select(*[name for name in sums.columns if name not in COLUMNS], *COLUMNS)


def _timeline(
    table: Table,
    scenario: Scenario,
    months: Sequence[str],
    how: RunArguments,
    by: tuple[str, ...] = ("origin", "sector", "authority"),
    known_on: str | None = None,
) -> Timeline:
    options = how.get("options") or Options()
    known_on = options.known_on or _BY_DAY if known_on is None else known_on
    first, last = days_of(months[0])[0], days_of(months[-1])[1] - timedelta(days=1)
    run = RunArguments(**{**how, "options": replace(options, response="none", known_on=known_on, by=by)})
    return timeline(table, [scenario], first.isoformat(), last.isoformat(), **run)


def _prepared(make: Callable[[], pl.DataFrame], how: RunArguments) -> PreparedTable:
    """Prepare a form of the embedded table, once for a law and its switches."""
    options = how.get("options") or Options()
    law = how["law"].with_switches(options.switches)
    key = (make, law.digest, str(sorted(law.settings.items())))
    return _PREPARED.get(key, lambda: prepare_table(make(), law))


@cache
def _loaded_before() -> pl.DataFrame:
    """Embedded table with goods that were loaded before the first relief for goods in transit."""
    return reference_table().with_columns(loading_date=pl.lit(_BEFORE_ALL))


@cache
def _all_claimed() -> pl.DataFrame:
    """Embedded lines of the members of the USMCA, all claimed."""
    members = pl.col("origin").is_in(claiming_origins())
    return reference_table().filter(members).with_columns(usmca_share=pl.lit(1.0))


def months_between(start: str, end: str) -> tuple[str, ...]:
    """List the months from the first with figures to the last one asked for.

    Raises:
        InputError: ENTRY_DATE_INVALID.
    """
    for name, text in (("from", start), ("to", end)):
        if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text):
            fix = "Write it as 2025-01."
            raise InputError("ENTRY_DATE_INVALID", f"{text!r} is not a month.", field=name, fix=fix)
    first = first_month()
    months = [first]
    while months[-1] < end and len(months) <= _MOST_MONTHS:
        months.append(days_of(months[-1])[1].isoformat()[:7])
    if not first <= start <= end or len(months) > _MOST_MONTHS:
        message = f"The months {start} to {end} cannot be computed."
        fix = f"Give months from {first} on, at most {_MOST_MONTHS} after it, the first one first."
        raise InputError("ENTRY_DATE_INVALID", message, field="from", fix=fix)
    return tuple(months)


def _check(given: Sequence[str], known: Sequence[str], reason: str, field: str) -> None:
    for name in given:
        if name not in known:
            message = f"{name!r} is not among {', '.join(known)}."
            raise InputError(reason, message, field=field, fix=f"Use {', '.join(known)}.")


def _notes(months: Sequence[str]) -> tuple[Note, ...]:
    last = str(frozen().facts["last_month"])
    text = f"Shares are estimated on {frozen().facts['fitted_on']} and frozen; the rest is unexplained, and no finding."
    notes = [Note("COLLECTIONS_ESTIMATED", text)]
    if months[-1] > last:
        text = f"Imports after {last} are the mean of its last months; no figure of collections after it was used."
        notes.append(Note("COLLECTIONS_FORECAST", text))
    return tuple(notes)

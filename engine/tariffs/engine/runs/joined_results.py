"""Join the results of the buckets of a partitioned table into those of the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tariffs.engine.base.array_utils import F64, sum_of
from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.grouping import AUTHORITY
from tariffs.engine.runs.impact import Impact, ScenarioImpact
from tariffs.engine.runs.joined_draws import joined_draws
from tariffs.engine.runs.joined_frames import joined_authorities, joined_frames
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.price_effect import price_effect
from tariffs.engine.runs.ranges import DrawnPoint, DrawnPointSums
from tariffs.engine.runs.sweep import Sweep, shortened
from tariffs.engine.runs.timeline import SPAN, ScenarioTimeline, Timeline, average_of_days

PLACE = "file"
_OF_LIMITS = frozenset({"QUANTITY_FLOOR", "QUANTITY_LIMIT", "QUANTITY_SHOCK"})
"""Reasons whose notes have the same text in all buckets, or are about goods of one bucket."""
_POINT = "__point"


@dataclass(frozen=True)
class BucketResults:
    """Results of one bucket: those asked for without ranges, and by authority those of the static run without this key.

    `refused` has the file of each row beside its number in that file; `drawn` the draws of each
    point, if there are any.
    """

    result: Any
    static: Any
    refused: pl.DataFrame
    drawn: tuple[DrawnPoint, ...] = ()


def static_options(options: Options) -> Options | None:
    """Options of the static run that gives customs value by the keys beside authority; None without that key."""
    if AUTHORITY not in options.by:
        return None
    return options.static([name for name in options.by if name != AUTHORITY])


def joined_impact(buckets: Sequence[BucketResults], options: Options) -> Impact:
    """Join the impacts of buckets, in their order."""
    first = buckets[0].result

    def block(index: int) -> ScenarioImpact:
        blocks: list[ScenarioImpact] = [bucket.result.scenarios[index] for bucket in buckets]
        attributions = [one.attribution for one in blocks if one.attribution is not None]
        static = [bucket.static.scenarios[index].groups for bucket in buckets if bucket.static]
        return replace(
            blocks[0],
            groups=_groups([one.groups for one in blocks], static, options),
            total=_total([one.total for one in blocks]),
            notes=joined_notes(one.notes for one in blocks),
            attribution=_by_unit(attributions) if attributions else None,
            consumer_prices=_prices([one.industry_duties for one in blocks], options),
            industry_duties=None,
        )

    blocks = _with_ranges([block(index) for index in range(len(first.scenarios))], buckets)
    notes = joined_notes(bucket.result.notes for bucket in buckets)
    return Impact(blocks, notes, joined_refused(buckets), joined_provenance(buckets))


def _prices(duties: Sequence[F64 | None], options: Options) -> pl.DataFrame | None:
    """Compute the effect of the added duty of all buckets on consumer prices; None if it is not asked for."""
    known = [(1.0, each) for each in duties if each is not None]
    return price_effect(sum_of(known), options.consumer_prices) if known else None


def _with_ranges(
    blocks: Sequence[ScenarioImpact], buckets: Sequence[BucketResults]
) -> tuple[ScenarioImpact, ...]:
    """Add the ranges of the draws, if there are any; differences are from the first point of a day."""
    if not buckets[0].drawn:
        return tuple(blocks)
    first: dict[str, DrawnPointSums] = {}
    ranged = []
    for place, block in enumerate(blocks):
        drawn = joined_draws([bucket.drawn[place] for bucket in buckets])
        ranges = drawn.ranges(first.setdefault(block.on, drawn.sums), block.groups, block.total)
        ranged.append(replace(block, ranges=ranges))
    return tuple(ranged)


def joined_timeline(buckets: Sequence[BucketResults], options: Options) -> Timeline:
    """Join the timelines of buckets, in their order; segments of a bucket are those of the whole."""

    def scenario(index: int) -> ScenarioTimeline:
        parts = [bucket.result.scenarios[index] for bucket in buckets]
        static = [bucket.static.scenarios[index] for bucket in buckets if bucket.static]
        segments = _groups([one.segments for one in parts], [one.segments for one in static], options, SPAN)
        totals = joined_frames([one.totals for one in parts], SPAN)
        # Means over the days of quotients, such as premiums, are no quotients of the buckets' means.
        averages = average_of_days(segments, totals, options.by)
        return ScenarioTimeline(parts[0].id, segments, totals, averages, average_of_days(totals, totals, ()))

    first = buckets[0].result
    return Timeline(
        tuple(scenario(index) for index in range(len(first.scenarios))),
        joined_notes(bucket.result.notes for bucket in buckets),
        joined_refused(buckets),
        max(bucket.result.valued for bucket in buckets),
        joined_provenance(buckets),
    )


def joined_sweep(buckets: Sequence[BucketResults], options: Options) -> Sweep:
    """Join the sweeps of buckets, in their order."""
    points = buckets[0].result.points
    named = list(points.columns)

    def numbered(sweep: Sweep) -> pl.DataFrame:
        """Replace the parameters of rows by the number of their point, as points may be equal."""
        return sweep.groups.drop(named).insert_column(0, pl.Series(_POINT, sweep.point_of_row))

    static = [numbered(bucket.static) for bucket in buckets if bucket.static]
    groups = _groups([numbered(bucket.result) for bucket in buckets], static, options, (_POINT,))
    place = groups[_POINT].to_numpy()
    totals = joined_frames(
        [bucket.result.totals.drop(named).with_row_index(_POINT) for bucket in buckets], (_POINT,)
    )
    return Sweep(
        points,
        pl.concat([points[place], groups.drop(_POINT)], how="horizontal"),
        pl.concat([points, totals.drop(_POINT)], how="horizontal"),
        shortened(joined_notes(bucket.result.notes for bucket in buckets)),
        joined_refused(buckets),
        joined_provenance(buckets),
        place,
    )


def _groups(
    frames: Sequence[pl.DataFrame],
    static: Sequence[pl.DataFrame],
    options: Options,
    before: Sequence[str] = (),
) -> pl.DataFrame:
    keys = [*before, *options.by]
    if not static:
        return joined_frames(frames, keys)
    others = [name for name in keys if name != AUTHORITY]
    return joined_authorities(frames, joined_frames(static, others), others)


def _total(totals: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    frames = [pl.DataFrame([dict(total)], schema=dict.fromkeys(total, pl.Float64)) for total in totals]
    return joined_frames(frames, ()).row(0, named=True)


def _by_unit(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    keys = [name for name, kind in frames[0].schema.items() if not kind.is_float()]
    return joined_frames(frames, keys)


def joined_notes(notes: Iterable[Sequence[Note]]) -> tuple[Note, ...]:
    """Join the notes of buckets: each once, and of one reason with texts that differ the first with their number."""
    parts = list(notes)
    found: dict[str, dict[Note, None]] = {}
    for part in parts:
        for note in part:
            found.setdefault(note.reason, {})[note] = None
    shared = frozenset[Note](parts[0]).intersection(*parts[1:])
    joined = []
    for reason, texts in found.items():
        joined += [note for note in texts if note in shared]
        differing = [note for note in texts if note not in shared]
        if reason in _OF_LIMITS:
            joined += differing
            continue
        if differing:
            many = f" ({len(differing):,} such notes on parts of the table)" if len(differing) > 1 else ""
            joined.append(Note(reason, differing[0].message + many))
    return tuple(joined)


def joined_refused(buckets: Sequence[BucketResults]) -> pl.DataFrame:
    """List the refused rows of all buckets by file and row."""
    rows = pl.concat([bucket.refused for bucket in buckets])
    return rows.sort(PLACE, "row", maintain_order=True)


def joined_provenance(buckets: Sequence[BucketResults]) -> dict[str, object]:
    """Inputs needed to reproduce the run: those of a bucket, with the digest of all tables."""
    facts = {name: value for name, value in buckets[0].result.provenance.items() if name != "run_digest"}
    digests = [str(bucket.result.provenance["table_digest"]) for bucket in buckets]
    table = hashlib.sha256(" ".join(digests).encode()).hexdigest()
    switches: dict[str, str] = {}
    for bucket in buckets:
        switches |= bucket.result.provenance["switches"]
    return with_run_digest(
        {
            **facts,
            **_line_dates([bucket.result.provenance for bucket in buckets]),
            "table_digest": table,
            "switches": dict(sorted(switches.items())),
            "buckets": len(buckets),
        }
    )


def _line_dates(provenances: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Join the numbers and the period of the lines with an entry date."""
    facts: list[Any] = [one["line_dates"] for one in provenances if "line_dates" in one]
    if not facts:
        return {}
    numbers = {name: sum(one[name] for one in facts) for name in ("lines", "of")}
    days = {"first": min(one["first"] for one in facts), "last": max(one["last"] for one in facts)}
    return {"line_dates": {**numbers, **days}}

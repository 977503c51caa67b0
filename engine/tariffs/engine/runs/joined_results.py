"""Join the results of the buckets of a partitioned table into those of the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import sum_of
from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.grouping import AUTHORITY
from tariffs.engine.runs.impact import ScenarioImpact, with_ranges
from tariffs.engine.runs.joined_draws import joined_draws
from tariffs.engine.runs.joined_frames import joined_authorities, joined_frames
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.price_effect import price_effect
from tariffs.engine.runs.ranges import DrawnPointSums
from tariffs.engine.runs.stepwise_run import RunEnd
from tariffs.engine.runs.sweep import SweepBlock
from tariffs.engine.runs.timeline import SPAN, ScenarioTimeline, average_of_days

PLACE = "file"
_OF_LIMITS = frozenset({"QUANTITY_FLOOR", "QUANTITY_LIMIT", "QUANTITY_SHOCK"})
"""Reasons whose notes have the same text in all buckets, or are about goods of one bucket."""
_POINT = "__point"

Block = ScenarioImpact | ScenarioTimeline | SweepBlock


@dataclass(frozen=True)
class BucketResults:
    """Results of one bucket: its blocks, and by authority those of the static run without this key.

    The refused rows of `end` have the file of each row beside its number in that file.
    """

    blocks: Sequence[Block]
    static: Sequence[Block]
    end: RunEnd


def static_options(options: Options) -> Options | None:
    """Options of the static run that gives customs value by the keys beside authority; None without that key."""
    if AUTHORITY not in options.by:
        return None
    return options.static([name for name in options.by if name != AUTHORITY])


def joined_blocks(buckets: Sequence[BucketResults], options: Options) -> list[Block]:
    """Join the blocks of buckets, in their order; ranges have differences from the first point of a day."""
    first: dict[str, DrawnPointSums] = {}
    joined = list[Block]()
    for place, block in enumerate(buckets[0].blocks):
        blocks = [bucket.blocks[place] for bucket in buckets]
        static = [bucket.static[place] for bucket in buckets if bucket.static]
        found = _JOINS[type(block)](blocks, static, options)
        joined.append(with_ranges(found, first) if isinstance(found, ScenarioImpact) else found)
    return joined


def joined_end(buckets: Sequence[BucketResults]) -> RunEnd:
    """Join what ends the runs of buckets: each note once, and the refused rows by file and row."""
    refused = pl.concat([bucket.end.refused for bucket in buckets])
    return RunEnd(
        joined_notes(bucket.end.notes for bucket in buckets),
        refused.sort(PLACE, "row", maintain_order=True),
        joined_provenance([bucket.end.provenance for bucket in buckets]),
    )


def _joined_point(
    blocks: Sequence[ScenarioImpact], static: Sequence[ScenarioImpact], options: Options
) -> ScenarioImpact:
    attributions = [one.attribution for one in blocks if one.attribution is not None]
    duties = [(1.0, one.industry_duties) for one in blocks if one.industry_duties is not None]
    draws = [one.drawn for one in blocks if one.drawn is not None]
    return replace(
        blocks[0],
        groups=_groups([one.groups for one in blocks], [one.groups for one in static], options),
        total=_total([one.total for one in blocks]),
        notes=joined_notes(one.notes for one in blocks),
        attribution=_by_unit(attributions) if attributions else None,
        consumer_prices=price_effect(sum_of(duties), options.consumer_prices) if duties else None,
        industry_duties=None,
        drawn=joined_draws(draws) if draws else None,
    )


def _joined_scenario(
    blocks: Sequence[ScenarioTimeline], static: Sequence[ScenarioTimeline], options: Options
) -> ScenarioTimeline:
    """Join a scenario of timelines; segments of a bucket are those of the whole."""
    segments = _groups([one.segments for one in blocks], [one.segments for one in static], options, SPAN)
    totals = joined_frames([one.totals for one in blocks], SPAN)
    # Means over the days of quotients, such as premiums, are no quotients of the buckets' means.
    averages = average_of_days(segments, totals, options.by)
    return ScenarioTimeline(blocks[0].id, segments, totals, averages, average_of_days(totals, totals, ()))


def _joined_block(blocks: Sequence[SweepBlock], static: Sequence[SweepBlock], options: Options) -> SweepBlock:
    """Join a block of sweeps; its notes are among those of the end."""
    points = blocks[0].points

    def numbered(block: SweepBlock) -> pl.DataFrame:
        """Replace the parameters of rows by the number of their point, as points may be equal."""
        number = np.repeat(np.arange(points.height), block.rows)
        return block.groups.drop(points.columns).insert_column(0, pl.Series(_POINT, number))

    groups = _groups([numbered(one) for one in blocks], [numbered(one) for one in static], options, (_POINT,))
    totals = joined_frames(
        [one.totals.drop(points.columns).with_row_index(_POINT) for one in blocks], (_POINT,)
    )
    return SweepBlock(
        points,
        pl.concat([points[groups[_POINT].to_numpy()], groups.drop(_POINT)], how="horizontal"),
        pl.concat([points, totals.drop(_POINT)], how="horizontal"),
        (),
    )


_JOINS: Mapping[type[Block], Callable[..., Block]] = {
    ScenarioImpact: _joined_point,
    ScenarioTimeline: _joined_scenario,
    SweepBlock: _joined_block,
}


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


def joined_provenance(provenances: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Inputs needed to reproduce the run: those of a bucket, with the digest of all tables."""
    facts = {name: value for name, value in provenances[0].items() if name != "run_digest"}
    digests = [one["table_digest"] for one in provenances]
    switches = {name: value for one in provenances for name, value in one["switches"].items()}
    return with_run_digest(
        {
            **facts,
            **_line_dates(provenances),
            "table_digest": hashlib.sha256(" ".join(digests).encode()).hexdigest(),
            "switches": dict(sorted(switches.items())),
            "buckets": len(provenances),
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

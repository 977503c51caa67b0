"""Choose the goods of a table of several files that are computed together, and join the results of such buckets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tariffs.engine.base.array_utils import sum_of
from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import Scope
from tariffs.engine.law.notes import Note
from tariffs.engine.law.quantity_rules import FLOOR
from tariffs.engine.response.elasticities.parameters import SETS
from tariffs.engine.response.industries import NO_INDUSTRY, industries_among, industry_of
from tariffs.engine.response.sectors.sector_market import PRODUCT
from tariffs.engine.response.trade.trade_response import EXACT_HAT
from tariffs.engine.runs.draws.ranges import joined_draws
from tariffs.engine.runs.impact import FirstPoints, PointPart, ScenarioImpact
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.responding_table import SHOCK
from tariffs.engine.runs.stepwise_run import RunEnd
from tariffs.engine.runs.sums import joined
from tariffs.engine.runs.sweeps.sweep import SweepBlock, SweepPart
from tariffs.engine.runs.timeline import ScenarioTimeline, TimelinePart
from tariffs.engine.scenario import Scenario, components, library, lineage
from tariffs.engine.tables.partitions import PRODUCT_DIGITS

PLACE = "file"
_LIMITED = "limited"
Prefixes = tuple[str, ...]
_OF_LIMITS = frozenset({"QUANTITY_FLOOR", "QUANTITY_LIMIT", "QUANTITY_SHOCK"})
"""Reasons whose notes have the same text in all buckets, or are about goods of one bucket."""

Part = PointPart | TimelinePart | SweepPart
Block = ScenarioImpact | ScenarioTimeline | SweepBlock


@dataclass(frozen=True)
class BucketResults:
    """Sums of one bucket by block.

    The refused rows of `end` have the file of each row beside its number in that file.
    """

    parts: Sequence[Part]
    end: RunEnd


def joined_blocks(buckets: Sequence[BucketResults], options: Options) -> list[Block]:
    """Join the parts of buckets, in their order, and make results of them."""
    first: FirstPoints = {}
    parts = [_joined_part(each) for each in zip(*(bucket.parts for bucket in buckets), strict=True)]
    return [
        part.finished(options, first) if isinstance(part, PointPart) else part.finished() for part in parts
    ]


def _joined_part(parts: Sequence[Any]) -> Part:
    """Join the parts of one block; notes on the points of a sweep are among those of the end."""
    whole: Part = replace(parts[0], sums=joined([part.sums for part in parts]))
    if isinstance(whole, SweepPart):
        return replace(whole, notes=())
    if isinstance(whole, TimelinePart):
        return whole
    attributions = [part.attribution for part in parts if part.attribution is not None]
    duties = [(1.0, part.industry_duties) for part in parts if part.industry_duties is not None]
    draws = [part.drawn for part in parts if part.drawn is not None]
    return replace(
        whole,
        notes=joined_notes(part.notes for part in parts),
        attribution=_by_unit(attributions) if attributions else None,
        industry_duties=sum_of(duties) if duties else None,
        drawn=joined_draws(draws) if draws else None,
    )


def joined_end(buckets: Sequence[BucketResults]) -> RunEnd:
    """Join what ends the runs of buckets: each note once, and the refused rows by file and row."""
    refused = pl.concat([bucket.end.refused for bucket in buckets])
    return RunEnd(
        notes=joined_notes(bucket.end.notes for bucket in buckets),
        refused=refused.sort(PLACE, "row", maintain_order=True),
        provenance=joined_provenance([bucket.end.provenance for bucket in buckets]),
    )


def _by_unit(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add the amounts of attributions; one that some part does not know is unknown."""
    keys = [name for name, kind in frames[0].schema.items() if not kind.is_float()]
    amounts = pl.when(pl.col(pl.Float64).null_count() == 0).then(pl.col(pl.Float64).sum())
    return pl.concat(frames).group_by(keys).agg(amounts).sort(keys, nulls_last=True)


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
    digests = " ".join(one["table_digest"] for one in provenances)
    switches = {name: value for one in provenances for name, value in one["switches"].items()}
    facts |= _line_dates(provenances)
    facts |= {"table_digest": hashlib.sha256(digests.encode()).hexdigest()}
    facts |= {"switches": dict(sorted(switches.items())), "buckets": len(provenances)}
    return with_run_digest(facts)


def _line_dates(provenances: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Join the numbers and the period of the lines with an entry date."""
    facts: list[Any] = [one["line_dates"] for one in provenances if "line_dates" in one]
    if not facts:
        return {}
    numbers = {name: sum(one[name] for one in facts) for name in ("lines", "of")}
    days = {"first": min(one["first"] for one in facts), "last": max(one["last"] for one in facts)}
    return {"line_dates": {**numbers, **days}}


def goods_keys(law: Law, scenarios: Sequence[Scenario], options: Options) -> Callable[[str], str]:
    """Make the function from a code to its key: goods of one key respond together, so they must be in one bucket.

    A product is by itself, but where sectors respond: then goods of one industry are together, since a nest or sector
    is of one industry, and goods without an industry are by themselves, unless a user's parameters may put them into a
    nest. All goods that limits or floors hold together have one key, since two limits may have goods in common; so have
    the industries of such goods. The key depends on the code alone, so that it is the same for every file.

    The law is that before the scenarios, whose parameters are filled in.
    """
    scopes: Iterable[Scope] = ()
    if options.response != "none":
        scopes = dict.fromkeys(_joint_scopes(law, scenarios, options.goods_markets(law)))
    limits = [_prefixes(scope, law) for scope in scopes]

    def has_limit_on(prefix: str) -> bool:
        """Test whether a limit may hold goods under a prefix together with others."""
        return any(_is_within(prefix, codes) for codes in limits)

    def of_product(code: str) -> str:
        product = code[:PRODUCT_DIGITS]
        return _LIMITED if has_limit_on(product) else product

    if options.market == PRODUCT and options.response != EXACT_HAT:
        return of_product
    limited = industries_among(has_limit_on) if limits else frozenset()
    has_nest_outside = options.parameter_set not in {"", *SETS}
    if limits and has_nest_outside:
        limited |= {NO_INDUSTRY}

    def of_industry(code: str) -> str:
        industry, own = int(industry_of([code])[0]), of_product(code)
        if own == _LIMITED or industry in limited:
            return _LIMITED
        return own if industry == NO_INDUSTRY and not has_nest_outside else f"industry {industry}"

    return of_industry


def _joint_scopes(law: Law, scenarios: Sequence[Scenario], markets: Sequence[str]) -> Iterator[Scope]:
    """List the goods of each limit, floor and commitment on goods together."""
    yield from (one.scope for one in law.constraints if one.share is None)
    yield from (rule.scope for rule in law.limits if rule.kind == FLOOR and rule.market in markets)
    for scenario in scenarios:
        for _, part in components(scenario):
            for step in lineage(part, library()):
                yield from (one.goods for one in step.changes if one.op == SHOCK and one.share is None)


def _prefixes(scope: Scope, law: Law) -> tuple[Prefixes, ...]:
    """Codes of the products of a scope, those that lists have on any day included."""

    def codes(name: str) -> Iterable[str]:
        return law.lists[name].codes if name in law.lists else (name,)

    return tuple(tuple(code for name in sorted(names) for code in codes(name)) for names in scope.products)


def _is_within(product: str, codes: tuple[Prefixes, ...]) -> bool:
    def meets(prefix: str) -> bool:
        return product.startswith(prefix) or prefix.startswith(product)

    return all(any(map(meets, prefixes)) for prefixes in codes)

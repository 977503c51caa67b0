"""Find the goods on which the rows and rules of a law read a claim."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tariffs.engine.base.array_utils import Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import Active, InForce
from tariffs.engine.law.model import METALS, REST, US, US_ABOVE, Weights
from tariffs.engine.rating.families import Family
from tariffs.engine.rating.fits import CONTENT_CLAIMS, US_CLAIM

CONTENT = frozenset(CONTENT_CLAIMS.values())
_MEASURES_KEPT = 512


def classes_reading(family: Family, in_force: InForce, claims: Sequence[str]) -> Bools:
    """Mark the classes on which a row or a rule of a law reads each claim (classes x claims).

    A row reads on the goods that it reaches before a row without conditions does; a rule on those of its measures.
    """
    reached = family.combinations.reached
    reads = np.zeros((len(reached), len(claims)), dtype=bool)
    present: dict[int, Bools] = {}
    kept: BoundedCache[Hashable, _MeasureReads]
    kept = family.cache.setdefault("claims read", BoundedCache(_MEASURES_KEPT))
    for active, places in zip(in_force.actives, family.places(in_force), strict=True):
        # The places tell the goods and conditions of the rows.
        key = (places, tuple(row.base for row in active.rows), tuple(claims))
        found = kept.get(key, partial(_reads_of, active, places, claims, reached))
        for column, on_classes in found.reads.items():
            reads[:, column] |= on_classes
        present[active.index] = found.present
    for rule in in_force.rules:
        conditions = (*rule.rule.conditions, *rule.rule.unless)
        named = {condition.claim for condition in conditions}
        base = rule.rule.base if rule.rule.replaces_base else None
        if read := _with_content(named, base).intersection(claims):
            touched = [present[i] for i in rule.on.union(*rule.members) if i in present]
            for on_measure in touched:
                _mark(reads, claims, read, on_measure)
    return reads


@dataclass(frozen=True)
class _MeasureReads:
    """Classes that some row of a measure reaches, and by column of the claims those on which a row reads it."""

    present: Bools
    reads: dict[int, Bools]


def _reads_of(active: Active, places: Sequence[int], claims: Sequence[str], reached: Bools) -> _MeasureReads:
    reads = np.zeros((len(reached), len(claims)), dtype=bool)
    still_open = np.ones(len(reached), dtype=bool)
    present = np.zeros(len(reached), dtype=bool)
    for row, place in zip(active.rows, places, strict=True):
        on_row = still_open & reached[:, place]
        present |= on_row
        named = {condition.claim for condition in row.conditions}
        _mark(reads, claims, _with_content(named, row.base), on_row)
        if US_CLAIM in claims and _leaves_us(row.base):
            reads[:, claims.index(US_CLAIM)] |= reached[:, place]
        if not row.conditions:
            still_open &= ~reached[:, place]
    columns = np.flatnonzero(reads.any(axis=0)).tolist()
    return _MeasureReads(present, {column: reads[:, column].copy() for column in columns})


def _mark(reads: Bools, claims: Sequence[str], read: frozenset[str], where: Bools) -> None:
    for column, claim in enumerate(claims):
        if claim in read:
            reads[:, column] |= where


def _with_content(named: set[str], base: Weights | None) -> frozenset[str]:
    """Claims read: those named, and all contents where one is or where the base weighs a metal differently."""
    weighs = base is not None and any(base[metal] != base[REST] for metal in METALS)
    return frozenset(named) | CONTENT if weighs or named & CONTENT else frozenset(named)


def _leaves_us(base: Weights) -> bool:
    """Test whether a base weighs content of the United States differently from the rest of the value."""
    return base[US] != base[REST] or base[US_ABOVE] != base[REST]

"""Find the goods on which the rows and rules of a law read a claim."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffs.engine.base.array_utils import Bools
from tariffs.engine.law.law import InForce
from tariffs.engine.law.model import METALS, REST, US, US_ABOVE, Weights
from tariffs.engine.rating.families import Family
from tariffs.engine.rating.fits import CONTENT_CLAIMS, US_CLAIM

CONTENT = frozenset(CONTENT_CLAIMS.values())


def classes_reading(family: Family, in_force: InForce, claims: Sequence[str]) -> Bools:
    """Mark the classes on which a row or a rule of a law reads each claim (classes x claims).

    A row reads on the goods that it reaches before a row without conditions does; a rule on those of its measures.
    """
    reached = family.combinations.reached
    reads = np.zeros((len(reached), len(claims)), dtype=bool)
    present: dict[int, Bools] = {}
    for active, places in zip(in_force.actives, family.places(in_force), strict=True):
        still_open = np.ones(len(reached), dtype=bool)
        candidate = np.zeros(len(reached), dtype=bool)
        for row, place in zip(active.rows, places, strict=True):
            on_row = still_open & reached[:, place]
            candidate |= on_row
            named = {condition.claim for condition in row.conditions}
            _mark(reads, claims, _with_content(named, row.base), on_row)
            if US_CLAIM in claims and _leaves_us(row.base):
                reads[:, claims.index(US_CLAIM)] |= reached[:, place]
            if not row.conditions:
                still_open &= ~reached[:, place]
        present[active.index] = candidate
    for rule in in_force.rules:
        conditions = (*rule.rule.conditions, *rule.rule.unless)
        named = {condition.claim for condition in conditions}
        base = rule.rule.base if rule.rule.take == "base" else None
        if read := _with_content(named, base).intersection(claims):
            touched = [present[i] for i in rule.on.union(*rule.members) if i in present]
            for on_measure in touched:
                _mark(reads, claims, read, on_measure)
    return reads


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

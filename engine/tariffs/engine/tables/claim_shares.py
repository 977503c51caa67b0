"""Apply the claim shares that a scenario sets, in place of declared and default shares."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.conditions import Fact
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.law_edits import SetClaim
from tariffs.engine.law.model import Scope
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import names_key, scope_mask

# Some 30 MB each for the embedded table.
_SETTINGS_KEPT = 4


def settings_at(law: Law, instant: datetime) -> tuple[SetClaim, ...]:
    """Claim settings in force at an instant, in the order of the scenario."""
    return tuple(setting for setting in law.set_claims if setting.holds(instant))


def lines_with_claim_shares(law: Law, in_force: InForce, instant: datetime, lines: LineArrays) -> LineArrays:
    """Apply the shares that the scenario of the law sets to lines; the same lines if it sets none.

    Other shares of the same partition are reduced in proportion where the sum would exceed 1.
    """
    settings = settings_at(law, instant)
    if not settings:
        return lines
    kept: BoundedCache[Hashable, tuple[LineArrays, InForce]]
    kept = lines.cache.setdefault("claim shares", BoundedCache(_SETTINGS_KEPT))
    # The value refers to the law, whose lists the key tells apart by identity.
    key = (settings, names_key(in_force))
    return kept.get(key, lambda: (_with_shares(law, in_force, settings, lines), in_force))[0]


def _with_shares(
    law: Law, in_force: InForce, settings: tuple[SetClaim, ...], lines: LineArrays
) -> LineArrays:
    facts: dict[str, NDArray[Any]] = dict(lines.facts)
    for setting in settings:
        mask = scope_mask(setting.scope, lines, in_force)
        facts[setting.claim] = np.where(mask, float(setting.share), _share(facts, setting.claim, lines.count))
        others = [name for name in _partition(law, setting.claim) if name in facts]
        total = sum((np.nan_to_num(facts[name]) for name in others), np.zeros(lines.count))
        room = 1.0 - float(setting.share)
        factor = np.where(mask & (total > room), room / np.where(total > 0, total, 1.0), 1.0)
        for name in others:
            facts[name] = facts[name] * factor
    return replace(lines, facts=facts, cache={})


def facts_with_claim_shares(
    law: Law, instant: datetime, reaches: Callable[[Scope], bool], facts: Mapping[str, Fact]
) -> dict[str, Fact]:
    """Apply the shares that the scenario of the law sets to the facts of lines that `reaches` tests the scopes of."""
    result = dict(facts)
    for setting in settings_at(law, instant):
        if not reaches(setting.scope):
            continue
        result[setting.claim] = setting.share
        others = {
            name: share
            for name in _partition(law, setting.claim)
            if isinstance(share := result.get(name), Decimal)
        }
        total, room = sum(others.values(), Decimal(0)), 1 - setting.share
        if total > room:
            result |= {name: share * room / total for name, share in others.items()}
    return result


def _share(facts: Mapping[str, NDArray[Any]], claim: str, count: int) -> NDArray[Any]:
    return facts[claim] if claim in facts else np.full(count, np.nan)


def _partition(law: Law, claim: str) -> list[str]:
    """Other claims of the same partition, whose shares sum with that of the claim to at most 1."""
    partition = law.claims[claim].partition
    return [
        name
        for name, other in law.claims.items()
        if partition and other.partition == partition and name != claim
    ]

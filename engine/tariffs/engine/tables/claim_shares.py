"""Apply the claim shares that a scenario sets to the lines of a table, in place of declared and default shares."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import InputError
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.law_edits import SetClaim
from tariffs.engine.law.set_shares import partition_of, settings_at
from tariffs.engine.tables.atoms import SPECIAL, atoms_of, ordinary_rates_of
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.scope_masks import names_key, scope_mask

# Some 30 MB each for the embedded table.
_SETTINGS_KEPT = 4


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
        others = [name for name in partition_of(law, setting.claim) if name in facts]
        total = sum((np.nan_to_num(facts[name]) for name in others), np.zeros(lines.count))
        room = 1.0 - float(setting.share)
        factor = np.where(mask & (total > room), room / np.where(total > 0, total, 1.0), 1.0)
        for name in others:
            facts[name] = facts[name] * factor
    changed = lines.with_facts(facts)
    if np.isnan(ordinary_rates_of(changed, atoms_of(law.claims, changed)).distinct[:, SPECIAL]).any():
        raise _no_rate(settings)
    return changed


def _no_rate(settings: tuple[SetClaim, ...]) -> InputError:
    claims = ", ".join(dict.fromkeys(setting.claim for setting in settings))
    return InputError(
        "RATE_NOT_COMPUTABLE",
        f"With {claims} as the scenario sets it, goods pay an ordinary rate that is no percentage of their value.",
        field="ordinary_rate",
        fix="Give the ordinary rate of these goods, such as 3% or 0.03.",
    )


def _share(facts: Mapping[str, NDArray[Any]], claim: str, count: int) -> NDArray[Any]:
    return facts[claim] if claim in facts else np.full(count, np.nan)

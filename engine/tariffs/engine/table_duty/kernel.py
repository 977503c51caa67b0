"""Compute the duty of a range of lines from their atoms and profiles, serially and without the GIL."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I8, I32, I64
from tariffs.engine.base.compiled_kernels import jit

ORDINARY, AD_VALOREM, TOP_UP, SPECIFIC, MINIMUM_PRICE = range(5)


@jit
def assess_lines(
    lo: int,
    hi: int,
    atom_start: I64,
    atom_profile: I32,
    atom_weight: F64,
    atom_ordinary: F64,
    layer_start: I32,
    layer_kind: I8,
    layer_rate: F64,
    layer_weights: F64,
    layer_assessed: F64,
    layer_owed: F64,
    layer_authority: I32,
    layer_unit: I32,
    tier_start: I32,
    tier_up_to: F64,
    tier_usd: F64,
    value: F64,
    parts: F64,
    quantity: F64,
    duty: F64,
    owed: F64,
    duty_by_authority: F64,
    owed_by_authority: F64,
) -> None:
    """Write the duty of lines lo..hi, in dollars.

    Args:
        lo, hi: the range of lines.
        atom_start: index of the first atom of each line (one more than lines).
        atom_profile, atom_weight, atom_ordinary: per atom: profile, weight, ordinary rate.
        layer_start: index of the first layer of each profile (one more than profiles).
        layer_kind, layer_rate, layer_authority: per layer.
        layer_assessed, layer_owed: per layer, 1 if it is assessed or owed, else 0.
        layer_weights: per layer, the weight of each part of the value.
        layer_unit: per layer, the row of `quantity` for its specific rate or minimum price.
        tier_start, tier_up_to, tier_usd: per layer its tiers (a minimum price is one tier).
        value, parts: per line the customs value, and its parts.
        quantity: per unit and line; NaN where unknown, which charges nothing (the caller adds a note).
        duty, owed, duty_by_authority, owed_by_authority: outputs per line (and authority).
    """
    for line in range(lo, hi):
        for atom in range(atom_start[line], atom_start[line + 1]):
            profile = atom_profile[atom]
            weight = atom_weight[atom]
            ordinary = atom_ordinary[atom]
            for layer in range(layer_start[profile], layer_start[profile + 1]):
                base = 0.0
                for part in range(parts.shape[1]):
                    base += layer_weights[layer, part] * parts[line, part]
                kind = layer_kind[layer]
                if kind == ORDINARY:
                    amount = base * ordinary
                elif kind == AD_VALOREM:
                    amount = base * layer_rate[layer]
                elif kind == TOP_UP:
                    amount = base * max(0.0, layer_rate[layer] - ordinary)
                else:
                    whole = _whole(
                        kind,
                        layer,
                        quantity[layer_unit[layer], line],
                        value[line],
                        tier_start,
                        tier_up_to,
                        tier_usd,
                    )
                    amount = whole * base / value[line] if value[line] > 0.0 else 0.0
                amount *= weight
                authority = layer_authority[layer]
                assessed = amount * layer_assessed[layer]
                duty[line] += assessed
                owed[line] += amount * layer_owed[layer]
                duty_by_authority[line, authority] += assessed
                owed_by_authority[line, authority] += amount * layer_owed[layer]


@jit
def _whole(
    kind: int, layer: int, quantity: float, value: float, tier_start: I32, tier_up_to: F64, tier_usd: F64
) -> float:
    """Specific duty, or shortfall to a minimum price, on the whole line."""
    if np.isnan(quantity):
        return 0.0
    if kind == MINIMUM_PRICE:
        return float(max(0.0, tier_usd[tier_start[layer]] * quantity - value))
    total = 0.0
    below = 0.0
    for tier in range(tier_start[layer], tier_start[layer + 1]):
        top = min(quantity, tier_up_to[tier])
        if top > below:
            total += tier_usd[tier] * (top - below)
            below = top
    return float(total)

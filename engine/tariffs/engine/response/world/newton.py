"""Solve a system of equations by Newton's method, with the residual of every equation as certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.errors import InputError

CERTIFIED = 1e-10
"""Largest residual of a solution: a share of the income of the country whose equation it is."""
_EXACT, _ROUNDED = 2e-15, 1e-13
"""Residuals at which no step is taken any more, and at which a slow step is the last."""
_SLOW = 0.5
"""Part of a residual left by a step, above which the Jacobian is computed again."""
State = TypeVar("State")
_STEPS, _SHORTEST, _LONGEST = 300, 1e-7, 1.0
_LEAST_PART = 1e-3
"""Steps at most, the shortest part of a step, and the largest change of an unknown in one."""


@dataclass(frozen=True)
class System(Generic[State]):
    """Equations in unknowns, which are logs of changes.

    Attributes:
        state: what the unknowns imply.
        equations: residuals by equation, from a state.
        jacobian: derivatives of the residuals by the unknowns, from a state.
    """

    state: Callable[[F64], State]
    equations: Callable[[State], F64]
    jacobian: Callable[[State], F64]


@dataclass(frozen=True)
class Solution(Generic[State]):
    """Solution of a system: unknowns, state, largest residual, steps, and the last inverse of the Jacobian."""

    unknowns: F64
    state: State
    residual: float
    iterations: int
    inverse: F64 | None


def solve(system: System[State], start: F64, inverse: F64 | None = None) -> Solution[State]:
    """Solve a system from a start until its residuals are at the rounding error.

    Args:
        start: unknowns to begin from.
        inverse: inverse of the Jacobian near the start, where that of a neighbour is known.

    Raises:
        InputError: NO_EQUILIBRIUM if a residual stays above 1e-10 of income.
    """
    with np.errstate(all="ignore"):
        point, steps = _at(system, start), 0
        while point.size > _EXACT and steps < _STEPS:
            checkpoint()
            steps += 1
            fresh = inverse is None
            if inverse is None:
                inverse = inverse_of(system.jacobian(point.state))
            moved = _shorter(system, point, inverse @ -point.residuals)
            if moved is None and fresh:
                break
            if moved is None or moved.size > _SLOW * point.size:
                inverse = None
            point = moved or point
            if moved and inverse is None and point.size < _ROUNDED:
                break
    if point.size > CERTIFIED:
        raise InputError(
            "NO_EQUILIBRIUM",
            f"No equilibrium was found: an equation is open by {point.size:.1e} of income after {steps} steps.",
            fix="Use smaller changes of duty or other elasticities.",
        )
    return Solution(point.unknowns, point.state, point.size, steps, inverse)


def solve_along(
    system: Callable[[float], System[State]], start: F64, inverse: F64 | None = None
) -> Solution[State]:
    """Solve a system at part 1 of a change, at once or by way of smaller parts.

    Args:
        system: the system at a part of the change, from 0 to 1.
        start: unknowns to begin from.
        inverse: as in `solve`.

    Raises:
        InputError: NO_EQUILIBRIUM.
    """
    reached, step = 0.0, 1.0
    while True:
        part = min(1.0, reached + step)
        try:
            root = solve(system(part), start, inverse)
        except InputError:
            step /= 4.0
            if step < _LEAST_PART:
                raise
            continue
        if part == 1.0:
            return root
        reached, start, inverse = part, root.unknowns, root.inverse


@dataclass(frozen=True)
class _Iterate(Generic[State]):
    unknowns: F64
    state: State
    residuals: F64
    size: float


def _at(system: System[State], unknowns: F64) -> _Iterate[State]:
    state = system.state(unknowns)
    residuals = system.equations(state)
    size = float(np.abs(residuals).max(initial=0.0))
    return _Iterate(unknowns, state, residuals, size if np.isfinite(size) else np.inf)


def _shorter(system: System[State], point: _Iterate[State], move: F64) -> _Iterate[State] | None:
    """Go along a move, by half as far until the residual falls; None if it never does."""
    largest = float(np.abs(move).max(initial=0.0))
    part = min(1.0, _LONGEST / largest) if largest > 0.0 else 0.0
    while part > _SHORTEST:
        tried = _at(system, point.unknowns + part * move)
        if tried.size < point.size:
            return tried
        part /= 2.0
    return None


def inverse_of(jacobian: F64) -> F64:
    """Invert a Jacobian; the nearest to an inverse where it has none."""
    try:
        return np.linalg.inv(jacobian).astype(np.float64)
    except np.linalg.LinAlgError:
        return np.linalg.pinv(jacobian).astype(np.float64)

"""Kernels, compiled and as plain Python, against plain sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.table_duty.kernel import (
    AD_VALOREM,
    MINIMUM_PRICE,
    ORDINARY,
    SPECIFIC,
    TOP_UP,
    _whole,
    assess_lines,
)

Kernel = Callable[..., Any]
LINES, PARTS, PROFILES = 40, 7, 5


def both(kernel: Any) -> list[Any]:
    return [pytest.param(kernel, id="compiled"), pytest.param(kernel.py_func, id="python")]


def problem() -> dict[str, Any]:
    """Random lines, atoms and profiles with every kind of layer."""
    rng = np.random.default_rng(5)
    kinds = np.array([ORDINARY, AD_VALOREM, TOP_UP, SPECIFIC, MINIMUM_PRICE] * PROFILES, dtype=np.int8)
    layers = len(kinds)
    atoms = rng.integers(1, 4, LINES)
    return {
        "atom_start": np.concatenate([[0], np.cumsum(atoms)]).astype(np.int64),
        "atom_profile": rng.integers(0, PROFILES, atoms.sum()).astype(np.int32),
        "atom_weight": rng.random(atoms.sum()),
        "atom_ordinary": rng.random(atoms.sum()) * 0.2,
        "layer_start": np.arange(0, layers + 1, 5, dtype=np.int32),
        "layer_kind": kinds,
        "layer_rate": rng.random(layers) * 0.5,
        "layer_weights": rng.integers(0, 2, (layers, PARTS)).astype(float),
        "layer_assessed": rng.integers(0, 2, layers).astype(float),
        "layer_owed": rng.integers(0, 2, layers).astype(float),
        "layer_authority": rng.integers(0, 3, layers).astype(np.int32),
        "layer_unit": rng.integers(0, 2, layers).astype(np.int32),
        "tier_start": np.arange(0, 2 * layers + 1, 2, dtype=np.int32),
        "tier_up_to": np.tile([10.0, np.inf], layers),
        "tier_usd": rng.random(2 * layers) * 3,
        "value": rng.random(LINES) * 1000,
        "parts": rng.random((LINES, PARTS)) * 100,
        "quantity": np.where(rng.random((2, LINES)) < 0.2, np.nan, rng.random((2, LINES)) * 30),
    }


def plain_amount(p: dict[str, Any], line: int, atom: int, layer: int) -> Any:
    base = float(p["layer_weights"][layer] @ p["parts"][line])
    ordinary, kind = p["atom_ordinary"][atom], p["layer_kind"][layer]
    if kind == ORDINARY:
        return base * ordinary
    if kind == AD_VALOREM:
        return base * p["layer_rate"][layer]
    if kind == TOP_UP:
        return base * max(0.0, p["layer_rate"][layer] - ordinary)
    quantity, value = p["quantity"][p["layer_unit"][layer], line], p["value"][line]
    first, second = p["tier_usd"][2 * layer : 2 * layer + 2]
    if np.isnan(quantity):
        return 0.0
    if kind == MINIMUM_PRICE:
        return max(0.0, first * quantity - value) * base / value
    return (first * min(quantity, 10.0) + second * max(0.0, quantity - 10.0)) * base / value


@pytest.mark.parametrize("kernel", both(assess_lines))
def test_duty_is_the_sum_over_atoms_and_layers(kernel: Kernel) -> None:
    p = problem()
    duty, owed = np.zeros(LINES), np.zeros(LINES)
    by, owed_by = np.zeros((LINES, 3)), np.zeros((LINES, 3))
    for lo, hi in ((0, 17), (17, LINES)):
        kernel(lo, hi, *p.values(), duty, owed, by, owed_by)
    wanted, wanted_owed = np.zeros((LINES, 3)), np.zeros((LINES, 3))
    for line in range(LINES):
        for atom in range(p["atom_start"][line], p["atom_start"][line + 1]):
            profile = p["atom_profile"][atom]
            for layer in range(p["layer_start"][profile], p["layer_start"][profile + 1]):
                amount = p["atom_weight"][atom] * plain_amount(p, line, atom, layer)
                wanted[line, p["layer_authority"][layer]] += amount * p["layer_assessed"][layer]
                wanted_owed[line, p["layer_authority"][layer]] += amount * p["layer_owed"][layer]
    np.testing.assert_allclose(by, wanted, rtol=1e-12)
    np.testing.assert_allclose(owed_by, wanted_owed, rtol=1e-12)
    np.testing.assert_allclose(duty, wanted.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(owed, wanted_owed.sum(axis=1), rtol=1e-12)


def test_compiled_and_python_agree() -> None:
    outs = []
    compiled: Any = assess_lines
    for kernel in (compiled, compiled.py_func):
        out = [np.zeros(LINES), np.zeros(LINES), np.zeros((LINES, 3)), np.zeros((LINES, 3))]
        kernel(0, LINES, *problem().values(), *out)
        outs.append(out)
    for fast, plain in zip(*outs, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-14)


@pytest.mark.parametrize("kernel", both(sum_by_group))
def test_sums_keep_what_plain_addition_loses(kernel: Kernel) -> None:
    columns = np.array([[1e16, 1.0], [1.0, 2.0], [-1e16, 3.0], [5.0, 4.0]])
    out = np.zeros((2, 2))
    kernel(np.array([0, 0, 0, 1]), columns, out)
    assert out.tolist() == [[1.0, 6.0], [5.0, 4.0]]


@pytest.mark.parametrize("kernel", both(_whole))
def test_an_unknown_quantity_charges_nothing(kernel: Kernel) -> None:
    tiers = np.array([0, 1], dtype=np.int32), np.array([np.inf]), np.array([2.0])
    assert kernel(SPECIFIC, 0, np.nan, 100.0, *tiers) == 0.0
    assert kernel(SPECIFIC, 0, 7.0, 100.0, *tiers) == 14.0


@pytest.mark.parametrize("kernel", [assess_lines, sum_by_group, _whole])
def test_every_kernel_lets_go_of_the_interpreter_lock(kernel: Any) -> None:
    assert kernel.targetoptions["nogil"] is True

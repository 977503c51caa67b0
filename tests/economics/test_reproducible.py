"""The same answer from compiled and plain kernels, on any number of threads (numerical tests 27 and 28)."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from tariffs.engine.response import passthrough, smart
from tariffs.engine.response.kernels import armington, direct
from tests.economics.markets import SUPPLIES, Market, markets, random_market

MODULES = (armington, direct)


def kernels(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if hasattr(value, "py_func")}


def answers(market: Market) -> list[Any]:
    tier = {"kappa": 1.3, "domestic": 1e4, "supply_domestic": 2.0}
    rates = (market.v0, market.t0, market.t1)
    supply: dict[str, Any] = {"supply": market.supply}
    return [
        market.solve(),
        market.solve(**tier),
        passthrough(*rates, 2.5, **supply, freight=market.freight),
        *[passthrough(*rates, 0.5, form=form) for form in ("linear", "logpoint", "midpoint")],
        smart(market.product, *rates, -market.eta, market.sigma, **supply),
    ]


@pytest.mark.parametrize("freight", [False, True])
@pytest.mark.parametrize("supply", SUPPLIES)
@pytest.mark.parametrize("wide", [False, True])
def test_kernels_agree_with_their_plain_python(
    supply: str, freight: bool, wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = random_market(23, supply=supply, freight=freight)
    if wide:
        market = market.with_(t1=np.where(market.t1 > market.t0, 1e6, market.t0), sigma=12.0)
    compiled = answers(market)
    for module in MODULES:
        for name, kernel in kernels(module).items():
            monkeypatch.setattr(module, name, kernel.py_func)
    with np.errstate(over="ignore", divide="ignore"):
        plain = answers(market)
    for one, other in zip(compiled, plain, strict=True):
        for name in one.__dataclass_fields__:
            column = getattr(one, name)
            if isinstance(column, np.ndarray):
                scale = np.abs(column).max(initial=1.0)
                np.testing.assert_allclose(column, getattr(other, name), rtol=1e-11, atol=1e-13 * scale)


def test_kernels_release_the_interpreter() -> None:
    found = {**kernels(armington), **kernels(direct)}
    assert found
    assert all(kernel.compiled.targetoptions["nogil"] for kernel in found.values())


@given(markets())
def test_threads_change_no_bit(market: Market) -> None:
    one = market.solve(threads=1)
    for threads in (2, 3, 64):
        many = market.solve(threads=threads)
        for name in one.__dataclass_fields__:
            assert np.array_equal(getattr(one, name), getattr(many, name)), name


@given(markets())
def test_part_of_the_products_gives_the_same_bits(market: Market) -> None:
    whole = market.solve()
    ids = np.unique(market.product)
    lines = market.product == ids[-1]
    part = Market(
        market.product[lines],
        market.v0[lines],
        market.t0[lines],
        market.t1[lines],
        market.sigma[-1:],
        market.eta[-1:],
        market.supply[lines],
        market.freight[lines],
    ).solve()
    assert np.array_equal(part.quantity_hat, whole.quantity_hat[lines])
    assert part.welfare[0] == whole.welfare[-1]


def test_readonly_and_strided_inputs_are_taken() -> None:
    market = random_market(4)
    wide = np.repeat(market.v0, 2)[::2]
    wide.flags.writeable = False
    np.testing.assert_array_equal(market.with_(v0=wide).solve().value, market.solve().value)


def test_importing_the_models_loads_no_compiler() -> None:
    code = "import sys, tariffs.engine.response; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

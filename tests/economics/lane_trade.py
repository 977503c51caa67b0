"""Trade of varieties under lanes and sweeps from drawn trade, sums by name, and kernels as plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.response import armington
from tariffs.engine.response.lanes.adjustment import DutyPath, HorizonElasticities, LawDuty, PathTrade
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import LaneSums
from tariffs.engine.response.lanes.lane_sweep import LaneSweep
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable, SweptTrade
from tariffs.engine.response.lanes.law_lanes import LawLanes
from tariffs.engine.response.sectors.lane_market import Nests
from tariffs.engine.response.sectors.market import market

Sums = dict[str, Any]
LINES = ("value", "duty", "charges", "creation", "quantity", "base_duty", "tax")
POSITIVE = ("value", "quantity", "charges", "tax", "values")
GROUPS, OWNERS, VALUE_GROUPS = 5, 3, 9


def as_plain_python(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Replace every kernel of some modules by its Python source."""
    for module in modules:
        for name, kernel in vars(module).copy().items():
            if hasattr(kernel, "py_func"):
                monkeypatch.setattr(module, name, kernel.py_func)


def at_one_horizon(sigma: Any, eta: Any, supply: Any, products: int = 1) -> Any:
    """Elasticities of a lane that are the same at all ages."""
    rows = (sigma, eta, 1.0 / np.asarray(supply, dtype=np.float64))
    return SimpleNamespace(columns=np.array([[np.broadcast_to(row, products) for row in rows]]))


def lane_volumes(
    trade: PathTrade,
    path: DutyPath,
    rate: Any,
    lanes: Sequence[HorizonElasticities],
    *,
    kappa: Any = np.nan,
    domestic: Any = 0.0,
    threads: int = 1,
) -> list[dict[str, Any]]:
    """Columns of `armington` for each lane."""
    products = trade.products
    kappa, domestic = (np.broadcast_to(each, products).astype(float) for each in (kappa, domestic))
    groups = LaneGroups(np.arange(trade.v0.size), np.arange(products), trade.v0.size, products)
    table = LaneTable(trade, groups, 0.0 * trade.v0, None, domestic, kappa)
    solve = LawLanes(table, LawDuty(path, rate, rate), threads=threads)
    hats = np.empty((solve.parts, 2, len(lanes))), np.empty((products, len(lanes)))
    sums, found = solve(lanes, hats=hats), []
    for lane in range(len(lanes)):
        value, quantity = trade.v0 * hats[0][solve.part_of, :, lane].T
        # Sums by variety are the varieties themselves.
        np.testing.assert_allclose(sums.lines[:, 0, lane], value, rtol=1e-13, atol=1e-300)
        creation = trade.v0 * (hats[1][trade.product, lane] - 1.0)
        found.append(
            {
                "value": value,
                "quantity_hat": hats[0][solve.part_of, 1, lane],
                "creation": creation,
                "diversion": quantity - trade.v0 - creation,
                "buyer_surplus": sums.owned[:, 0, lane],
                "welfare": sums.owned[:, 1, lane],
            }
        )
    return found


@dataclass(frozen=True, slots=True)
class SweepElasticities:
    """Elasticities as in `armington`, each a scalar, (kinds,) or (kinds, lanes); a kappa of NaN is the eta."""

    sigma: ArrayLike
    eta: ArrayLike
    supply: ArrayLike = np.inf
    kappa: ArrayLike = np.nan

    def stacked(self, kinds: int, lanes: int) -> Any:
        """Sigma, eta, kappa and inverse supply (4, kinds, lanes)."""
        columns = (np.asarray(each, dtype=float) for each in (self.sigma, self.eta, self.kappa, self.supply))
        sigma, eta, kappa, supply = (
            np.broadcast_to(each[:, None] if each.ndim == 1 else each, (kinds, lanes)) for each in columns
        )
        return np.stack([sigma, eta, np.where(np.isnan(kappa), eta, kappa), 1.0 / supply])


Held = tuple[Any, Any, SweepElasticities]
"""Rate of each class, marks of the classes that move, whose rates are not read, and elasticities of all lanes."""


@dataclass(frozen=True, slots=True)
class SweepTrade:
    """Trade as of `SweptTrade`: varieties sorted by product, scalars or arrays; a rate class is a path."""

    product: Any
    v0: Any
    t0: Any
    rate_class: Any
    group: Any
    kind: Any
    product_group: Any
    charges: Any = 0.0
    kept: Any = 1.0
    domestic: Any = 0.0
    value_group: Any = None
    market: Nests | None = None
    vat: Any = None

    @property
    def place(self) -> Any:
        """Place of the product of each variety."""
        return np.unique(np.asarray(self.product), return_inverse=True)[1]

    def swept(self, kappa: ArrayLike = np.nan) -> SweptTrade:
        """Arrange the trade, given the substitution for domestic goods of each kind."""
        product = self.place
        size, kind = product.size, np.asarray(self.kind)
        group, owner = np.asarray(self.group), np.asarray(self.product_group)

        def of(values: Any, count: int = size) -> Any:
            return np.broadcast_to(np.asarray(values, dtype=float), count).copy()

        table = LaneTable(
            PathTrade.of(product, of(self.v0), of(self.t0), kind.size),
            LaneGroups(group, owner, int(group.max(initial=-1)) + 1, int(owner.max(initial=-1)) + 1),
            of(self.charges),
            None if self.vat is None else of(self.vat),
            of(self.domestic, kind.size),
            of(kappa, int(kind.max(initial=-1)) + 1)[kind],
        )
        values = None if self.value_group is None else np.asarray(self.value_group)
        return SweptTrade(table, np.asarray(self.rate_class), kind, of(self.kept), values, self.market)

    def sums_after(self, rate: Any, value: Any, hat: Any, surplus: Any, gain: Any = 0.0) -> Sums:
        """Sum what becomes of each variety of a drawn trade, and what its buyers and home suppliers gain."""
        duty, quantity = value * rate * self.kept, self.v0 * hat * self.kept
        before = np.bincount(self.place, self.v0)
        growth = np.divide(
            np.bincount(self.place, self.v0 * hat), before, out=np.ones(before.size), where=before > 0
        )
        columns: Sums = {
            "value": value * self.kept,
            "duty": duty,
            "charges": self.charges * hat * self.kept,
            "creation": self.v0 * (growth[self.place] - 1.0),
            "quantity": quantity,
            "base_duty": quantity * self.t0,
            "tax": (0.0 if self.vat is None else self.vat) * (value * self.kept + duty),
            # Creation is of all trade, diversion of what is kept besides.
            "diversion": quantity - self.v0 * growth[self.place],
        }
        found = {name: sums_of(self.group, column, GROUPS) for name, column in columns.items()}
        # Nobody pays duty on what is not kept.
        welfare = surplus + gain + np.bincount(self.place, duty - self.v0 * self.t0)
        for name, column in (("buyer_surplus", surplus), ("welfare", welfare)):
            found[name] = sums_of(self.product_group, column, OWNERS)
        return found | {"values": sums_of(self.value_group, columns["value"], VALUE_GROUPS)}

    def sums_alone(self, rates: Any, given: SweepElasticities) -> Sums:
        """Sums at the rates of one scenario by the models themselves: Armington, and the market above it."""
        place, kind, above = self.place, self.kind, self.market
        sigma, eta, kappa, inverse = given.stacked(kind.max() + 1, 1)[:, kind, 0]
        with np.errstate(divide="ignore"):
            supply = 1.0 / inverse
        rate = rates[self.rate_class]
        alone = armington(
            self.product, self.v0, self.t0, rate, sigma, eta, supply=supply[place], kappa=kappa, domestic=self.domestic
        )  # fmt: skip
        if above is None:
            return self.sums_after(rate, alone.value, alone.quantity_hat, alone.buyer_surplus)
        inside = above.nest >= 0
        landed = np.bincount(place, self.v0 * (1.0 + self.t0))[inside]
        firsts = [np.flatnonzero(above.nest == nest)[0] for nest in (0, 1)]
        found = market(
            above.nest[inside], landed, alone.import_price_hat[inside], eta[inside], domestic=above.goods[inside],
            kappa=kappa[firsts], top=above.top, supply=supply[inside], supply_domestic=above.supply_domestic,
        )  # fmt: skip
        quantity, price, gain = np.ones(kind.size), np.ones(kind.size), np.zeros(kind.size)
        quantity[inside], price[inside] = found.quantity_hat, found.exporter_price_hat
        surplus = alone.buyer_surplus.copy()
        surplus[inside], gain[inside] = found.buyer_surplus, found.domestic_supplier_surplus
        value, hat = alone.value * (quantity * price)[place], alone.quantity_hat * quantity[place]
        home = np.stack([found.domestic_price_hat, found.domestic_quantity_hat], axis=1)
        of_nest = [np.flatnonzero(above.nest[inside] == nest)[0] for nest in (0, 1)]
        return self.sums_after(rate, value, hat, surplus, gain) | {"nests": home[of_nest]}


def drawn_trade(rng: np.random.Generator, size: int, products: int, classes: int, kinds: int) -> SweepTrade:
    """Draw trade with zero values, a product without trade, and at least one variety of the last of everything."""

    def ends(count: int, drawn: int) -> Any:
        return np.r_[count - 1, rng.integers(0, count, drawn - 1)]

    product = np.sort(rng.integers(0, products, size) * 7)
    place = np.unique(product, return_inverse=True)[1]
    v0 = np.exp(rng.normal(8.0, 2.5, size)) * (rng.random(size) > 0.1) * (place != 1)
    count = int(place.max()) + 1
    return SweepTrade(
        product, v0, rng.choice([0.0, 0.025, 0.16, 2.0], size), ends(classes, size), ends(GROUPS, size),
        ends(kinds, count), ends(OWNERS, count), charges=v0 * 0.05 + rng.random(size),
        value_group=ends(VALUE_GROUPS, size),
    )  # fmt: skip


def assert_sums(
    trade: SweepTrade, found: Sums, lane: int, expected: Sums, *, rtol: float = 1e-12, atol: float = 1e-12
) -> None:
    """Compare what is a sum of positive terms by itself, and differences by what they are differences of."""
    moved = trade.v0.sum() + np.abs(expected["creation"]).max()
    surplus = np.abs(expected["buyer_surplus"]).max() + 1.0
    scale = {
        "duty": expected["value"].max() + np.abs(expected["duty"]).max(), "base_duty": expected["value"].max(),
        "creation": moved, "diversion": moved, "buyer_surplus": surplus, "welfare": surplus, "nests": 0.0,
    } | dict.fromkeys(POSITIVE, 0.0)  # fmt: skip
    for name, values in expected.items():
        ours = found[name][:, : values.shape[1], lane] if values.ndim > 1 else found[name][:, lane]
        np.testing.assert_allclose(ours, values, rtol=rtol, atol=atol * scale[name], err_msg=name)


def named(sums: LaneSums, trade: SweepTrade, groups: int = GROUPS) -> Sums:
    """Name sums of lanes."""
    found: Sums = dict(zip(LINES, np.moveaxis(sums.lines, 1, 0), strict=True))
    before = sums_of(np.asarray(trade.group), np.asarray(trade.v0, dtype=float), groups)
    found["diversion"] = found["quantity"] - before[:, None] - found["creation"]
    found["buyer_surplus"], found["welfare"] = sums.owned[:, 0], sums.owned[:, 1]
    nests = np.zeros((0, 5, sums.lines.shape[2])) if sums.nests is None else sums.nests
    return found | {"values": sums.values, "nests": nests}


class NamedSweep:
    """A sweep whose sums have names."""

    def __init__(self, trade: SweepTrade, swept: SweptTrade, paths: RatePaths, held: Any = None) -> None:
        self._kinds = int(swept.kind.max(initial=-1)) + 1
        self._trade, self._groups = trade, swept.table.groups.varieties
        self._sweep = LaneSweep(swept, paths, held)
        self.forms = self._sweep.forms

    def __call__(self, rates: Any, given: SweepElasticities | None = None, *, threads: int = 1) -> Sums:
        block = np.asarray(rates, dtype=float)
        stacked = None if given is None else given.stacked(self._kinds, block.shape[1])
        return named(self._sweep(block, stacked, threads=threads), self._trade, self._groups)


def sweep_at_once(trade: SweepTrade, given: Held | None = None) -> NamedSweep:
    """Make the solver of one change of duty, whose forms begin with the rate classes of the trade.

    `given` is what no lane moves; without it every rate and elasticity may move.
    """
    swept = trade.swept(np.nan if given is None else given[2].kappa)
    count = int(swept.path.max(initial=-1)) + 1
    moved, rates, held = np.ones(count, dtype=bool), np.zeros(count), None
    if given is not None:
        moved, rates = np.asarray(given[1]), np.where(given[1], 0.0, given[0])
        held = given[2].stacked(int(swept.kind.max(initial=-1)) + 1, 1)
    paths, path = RatePaths.at_once(swept.table.trade.t0, swept.path, rates, moved)
    return NamedSweep(trade, replace(swept, path=path), paths, held)

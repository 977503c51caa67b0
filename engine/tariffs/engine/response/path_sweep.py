"""Response to steps of duty in many scenarios that differ in rates. See docs/models/adjustment.md."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.response.adjustment import SAME, DutyStep, PathDraws, PathTrade, RateMoves
from tariffs.engine.response.adjustment_profile import AdjustmentProfile
from tariffs.engine.response.inputs import RATE, invalid
from tariffs.engine.response.path_pack import (
    FixedPaths,
    elasticity_terms_at,
    pack_steps,
)
from tariffs.engine.response.sweep_inputs import SweepTrade, checked_trade
from tariffs.engine.response.sweep_pack import Section, Unmoved, pack_products
from tariffs.engine.response.sweep_sums import SCENARIOS, BlockSums, SweepSums, padded

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.path_products import PathPack
    from tariffs.engine.response.kernels.sweep_products import SweepPack


@dataclass(frozen=True)
class PathForms:
    """Rates of paths of duty: a path is the form of its rate at the baseline and from each day on.

    Attributes:
        years: age of a change on each day, in years, the oldest first.
        form: form of each path (paths x 1 + days), the first at the baseline, where none is moved.
        rates: rate of each form; those of moved forms are not read.
        moved: marks the forms whose rate some scenario moves.
    """

    years: Sequence[float]
    form: I64
    rates: F64
    moved: Bools


@dataclass(frozen=True)
class StageElasticities:
    """Sigma, eta, inverse supply of kinds of products by horizon (3 horizons x 3 x kinds), and weights by age."""

    columns: F64
    profile: AdjustmentProfile

    def of(self, kind: I64) -> StageElasticities:
        """Select those of some products, given their kinds."""
        return StageElasticities(np.ascontiguousarray(self.columns[:, :, kind]), self.profile)


class PathSweep:
    """Solver of many scenarios of the same trade on the adjustment path, whose sums agree with those of `PathDraws`.

    What happened before the first step that some scenario moves is composed once; from then on products with a variety
    that moves are composed in every scenario, and the others are summed once. A scenario has the same bits in any block
    and on any number of threads.

    Args:
        trade: the varieties and products, without freight and domestic goods; the rate class of a variety is its path.
        forms: rates of the paths.
        elasticities: of the kinds of products.
        threads: threads to use.

    Attributes:
        forms: forms that calls give rates for, ascending: the moved ones.
    """

    def __init__(
        self, trade: SweepTrade, forms: PathForms, elasticities: StageElasticities, *, threads: int = 1
    ) -> None:
        self._varieties = v = checked_trade(trade)
        self._elasticities, self._threads, self._years = elasticities, threads, forms.years
        self.forms: I64 = np.flatnonzero(forms.moved)
        self._known, self._form = np.where(forms.moved, 0.0, forms.rates), forms.form
        days = len(forms.years)
        changes = forms.form[:, 1:] != forms.form[:, :-1]
        moves = changes & (forms.moved[forms.form[:, 1:]] | forms.moved[forms.form[:, :-1]])
        traded = v.landed > 0.0
        fixed = ~moves.any(axis=1)[v.rate_class] | ~traded[v.product]
        used = np.zeros(len(forms.form), dtype=bool)
        used[v.rate_class[~fixed]] = True
        on_days = moves[used].any(axis=0)
        self._first = int(np.argmax(on_days)) if on_days.any() else days
        touched = np.zeros(v.kind.size, dtype=bool)
        touched[v.product[~fixed]] = True
        self._before = sums_of(v.group, v.v0, int(v.group.max(initial=-1)) + 1)
        self._constant = self._untouched(~touched)
        self._pack, self._path, self._sections = self._touched(touched, fixed)

    def _composed(self, chosen: Bools, days: int) -> tuple[I64, F64, F64]:
        """Compose the first days for the chosen products, whose paths move in no scenario by then.

        Returns their varieties, quantity and price hats (2 x varieties), and surplus and welfare (2 x products).
        """
        v = self._varieties
        lines, count = np.flatnonzero(chosen[v.product]), int(chosen.sum())
        product = (np.cumsum(chosen) - 1)[v.product[lines]]
        offsets = np.searchsorted(product, np.arange(count + 1)).astype(np.int64)
        path = v.rate_class[lines]
        rate = self._known[self._form[:, days]][path]
        solve = PathDraws(
            PathTrade(offsets, product, v.v0[lines], v.base[lines]), self._steps(path, days), rate,
            kappa=np.full(count, np.nan), domestic=np.zeros(count), threads=self._threads,
        )  # fmt: skip
        volume = solve([self._elasticities.of(v.kind[chosen])])
        return lines, volume.hats[solve.cell_of, :, 0].T, volume.owned[:, :, 0]

    def _steps(self, path: I64, days: int) -> list[DutyStep]:
        """List the steps of the first days, given the path of each variety; no scenario moves their rates by then."""
        steps, rates = [], self._known[self._form]
        for years, before, after in zip(self._years[:days], rates.T[:days], rates.T[1:], strict=False):
            change = after - before
            variety = np.flatnonzero((np.abs(change) > SAME * (1.0 + before))[path])
            power, own = np.log1p(change / (1.0 + before)), path[variety]
            moves = RateMoves(variety.astype(np.int32), before[own], after[own], power[own])
            steps.append(DutyStep(years, moves))
        return steps

    def _untouched(self, chosen: Bools) -> BlockSums:
        """Sum the products without a variety that moves."""
        v, days = self._varieties, len(self._years)
        lines, (quantity_hat, price_hat), owned = self._composed(chosen, days)
        rate = self._known[self._form[:, days]][v.rate_class[lines]]
        quantity, kept = v.v0[lines] * quantity_hat, v.kept[lines]
        value = quantity * price_hat * kept
        # Nothing is paid on what is not kept.
        unpaid = sums_of(v.product[lines], (quantity * price_hat - value) * rate, v.kind.size)[chosen]
        before, after = (sums_of(v.product[lines], each, v.kind.size) for each in (v.v0[lines], quantity))
        growth = np.divide(after, before, out=np.ones_like(before), where=before > 0.0)
        columns = (
            value,
            value * rate,
            v.charges[lines] * quantity_hat * kept,
            v.v0[lines] * (growth[v.product[lines]] - 1.0),
            quantity * kept,
            quantity * kept * v.base[lines],
        )
        sums = BlockSums.empty(self._varieties, self._before.size, 1)
        sums.add_varieties(v, lines, columns, 0)
        sums.add_products(v, chosen, (owned[0], owned[1] - unpaid), 0)
        return sums

    def _touched(self, chosen: Bools, fixed: Bools) -> tuple[SweepPack, PathPack, list[Section]]:
        """Arrange the products with a variety that moves, from the first such step on."""
        v, first = self._varieties, self._first
        lines, (quantity, price), owned = self._composed(chosen, first)
        rates = self._known[self._form]
        hats = np.zeros((3, v.v0.size))
        hats[1, lines], hats[2, lines] = quantity * price, quantity
        landed = hats[1] * v.v0 * (1.0 + rates[v.rate_class, first])
        of_product = sums_of(v.product, landed, v.kind.size)
        share = np.divide(landed, of_product[v.product], out=np.zeros_like(landed), where=landed > 0.0)
        years = self._years[first:]
        self._terms = elasticity_terms_at(self._elasticities.columns, self._elasticities.profile, years)
        paths = FixedPaths(self._form[:, first:], rates[:, first:], SAME)
        fixed_lines = np.flatnonzero(chosen[v.product] & fixed)
        grown = paths.compose(v, fixed_lines, share, self._terms)
        hats[1:, fixed_lines] *= grown.hats
        moved = np.unique(v.rate_class[chosen[v.product] & ~fixed])
        row = np.full(len(self._form), -1)
        row[moved] = np.arange(moved.size)
        unmoved = Unmoved(fixed | ~chosen[v.product], rates[v.rate_class, -1], row, hats)
        packed = pack_products(v, chosen, unmoved)
        path, self._changes, self._used = pack_steps(
            v, chosen, fixed, packed, share, paths, grown, moved, of_product[chosen], owned[0]
        )
        return packed.pack, path, packed.sections

    def __call__(self, rates: ArrayLike, *, threads: int = 1) -> SweepSums:
        """Solve a block of scenarios.

        Args:
            rates: (forms, scenarios) rate of each of `forms` in at most `SCENARIOS` scenarios.
            threads: threads to use.

        Raises:
            InputError: PARAMETER_INVALID: a rate out of range, or a scenario without finite answer.
        """
        block = np.asarray(rates, dtype=np.float64)
        if block.ndim != 2 or len(block) != self.forms.size or not 1 <= block.shape[1] <= SCENARIOS:
            fix = f"Give ({self.forms.size}, 1 to {SCENARIOS})."
            raise invalid("rates", f"rates have shape {block.shape}.", fix=fix)
        broken = RATE.broken(block)
        if broken.any():
            row, scenario = np.argwhere(broken)[0]
            text = f"form {self.forms[row]}, scenario {scenario}: the rate is {block[row, scenario]:g}."
            raise invalid("rates", text, fix=f"It must be {RATE}.", scenario=scenario)
        sums = self._moving(padded(block), threads)
        sums.add(self._constant)
        return sums.answer(self._before, block.shape[1])

    def _moving(self, rates: F64, threads: int) -> BlockSums:
        """Sum the products with a variety that moves."""
        from tariffs.engine.response.kernels.path_products import change_rows, path_bundles

        every = np.repeat(self._known[:, None], SCENARIOS, axis=1)
        every[self.forms] = rates
        every = every[self._used]
        powers = np.empty((len(self._changes), SCENARIOS))
        before, after = self._changes.T.copy()
        change_rows(before, after, every, SAME, powers)

        def solve(section: Section, sums: F64, owned: F64, values: F64) -> None:
            path_bundles(
                section.first,
                section.last,
                self._pack,
                self._path,
                powers,
                every,
                self._terms,
                sums,
                owned,
                values,
            )

        total = BlockSums.empty(self._varieties, self._before.size, SCENARIOS)
        with ThreadPoolExecutor(threads) as pool:
            total.add_sections(self._sections, solve, map if threads == 1 else pool.map)
        return total

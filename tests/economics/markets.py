"""Random markets for the tests of the response models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tariffs.engine.response import ArmingtonResponse, armington
from tariffs.engine.response.constants import table
from tariffs.engine.response.inputs import Floats, Ints

SUPPLIES = ("flat", "common", "mixed")


@dataclass(frozen=True)
class Market:
    """Lines of several products with their elasticities."""

    product: Ints
    v0: Floats
    t0: Floats
    t1: Floats
    sigma: Floats
    eta: Floats
    supply: Floats
    freight: Floats

    def solve(self, **extra: Any) -> ArmingtonResponse:
        lines = (self.product, self.v0, self.t0, self.t1, self.sigma, self.eta)
        return armington(*lines, supply=self.supply, freight=self.freight, **extra)

    def with_(self, **changes: Any) -> Market:
        """Change columns, each given as a number or as a column."""
        old = {name: getattr(self, name) for name in changes}
        given = {name: np.asarray(value, dtype=old[name].dtype) for name, value in changes.items()}
        return replace(self, **{name: np.broadcast_to(given[name], old[name].shape).copy() for name in old})

    def rebased(self, after: ArmingtonResponse, t1: Floats) -> Market:
        """The market as it is after a response, facing the next rates."""
        freight = self.freight / after.exporter_price_hat
        return self.with_(v0=after.value, t0=self.t1, t1=t1, freight=freight)

    @cached_property
    def place(self) -> Ints:
        """Place of each line's product among the sorted ids."""
        place: Ints = np.unique(self.product, return_inverse=True)[1]
        return place

    def sums(self, values: Floats) -> Floats:
        """Sums of a column by product."""
        return np.bincount(self.place, weights=values, minlength=self.sigma.size).astype(np.float64)

    def spread(self, values: Floats) -> Floats:
        """A column per product, laid out per line."""
        spread: Floats = values[self.place]
        return spread

    def shares(self, values: Floats) -> Floats:
        """Share of each line in its product; 0 in a product of which there is nothing."""
        shares: Floats = values / np.maximum(self.spread(self.sums(values)), 1e-300)
        return shares

    def taken(self, lines: Any, products: Any) -> Market:
        """Some lines, in the order that is given, with the elasticities of their products."""
        columns = ("product", "v0", "t0", "t1", "supply", "freight")
        kept = {name: getattr(self, name)[lines] for name in columns}
        return Market(**kept, sigma=self.sigma[products], eta=self.eta[products])


def random_market(
    seed: int, *, products: int = 5, most: int = 12, supply: str = "flat", freight: bool = False
) -> Market:
    """A market from a seed, with lines in no order and ids that are not consecutive."""
    rng = np.random.default_rng(seed)
    ids = rng.choice(10_000, products, replace=False) - 5_000
    product = np.concatenate([np.full(rng.integers(1, most + 1), each) for each in ids]).astype(np.int64)
    rng.shuffle(product)
    size = product.size
    v0 = np.exp(rng.normal(8.0, 2.5, size))
    v0[rng.random(size) < 0.1] = 0.0
    t0 = rng.choice([0.0, 0.025, 0.16], size)
    t1 = t0 + rng.choice([0.0, 0.1, 0.25, 1.45], size)
    kinds = {
        "flat": np.full(size, np.inf),
        "common": np.full(size, rng.uniform(0.3, 30.0)),
        "mixed": rng.choice([0.5, 3.0, 10.0, np.inf], size),
    }
    sigma, eta = rng.uniform(0.1, 12.0, products), rng.uniform(0.0, 4.0, products)
    charges = rng.uniform(0.0, 0.3, size) if freight else np.zeros(size)
    return Market(product, v0, t0, t1, sigma, eta, kinds[supply], charges)


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Random markets; shrinks towards few products, few origins and flat supply."""
    return random_market(
        draw(st.integers(0, 2**32 - 1)),
        products=draw(st.integers(1, 6)),
        most=draw(st.integers(1, 15)),
        supply=draw(st.sampled_from(SUPPLIES)),
        freight=draw(st.booleans()),
    )


def import_share(industry: str, year: int) -> float:
    """Share of imports in domestic use of a pooled industry in 2017 or 2024, from the embedded table."""
    rows = [row for row in table("industries.csv") if row["pooled"] == industry]
    total = {
        name: sum(float(row[name] or "nan") for row in rows) for name in rows[0] if name.endswith(str(year))
    }
    sales = total["domestic_sales_2024"] if year == 2024 else total["output_2017"] - total["exports_2017"]
    imports = total[f"imports_{year}"]
    return imports / (imports + sales)

"""Check inputs of the response models: in range, and one per line or product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tariffs.engine.base.chunks import CHUNK_LINES, checkpoint_here, over_threads
from tariffs.engine.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = float(np.finfo(np.float64).max)
LEAST_SUPPLY = 1e-15
"""Least supply elasticity: below it quantity is fixed to every digit, and the inverse would overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResponse:
    """Response of lines to a change of duty. Amounts are in the unit of v0, hats are after / before.

    Attributes:
        price_hat, exporter_price_hat, quantity_hat: per line, landed price, exporter's price, quantity.
        value: customs value after (exporter's price times quantity), per line.
        revenue_base, revenue: duty before and after, per line.
        landed_base, landed: value + duty + freight before and after, per line.
        creation, diversion: change of quantity at base prices, in its two parts; diversion sums to 0.
        price_effect: value less quantity at base prices, per line.
        supplier_surplus: change of exporters' surplus, per line.
    """

    price_hat: Floats
    exporter_price_hat: Floats
    quantity_hat: Floats
    value: Floats
    revenue_base: Floats
    revenue: Floats
    landed_base: Floats
    landed: Floats
    creation: Floats
    diversion: Floats
    price_effect: Floats
    supplier_surplus: Floats


LINE_FIELDS = tuple(one.name for one in fields(LineResponse))
"""Rows that every kernel writes per line, in this order: three hats, then amounts."""


@dataclass(frozen=True, slots=True)
class Range:
    """Allowed range of a parameter: from low (or above it, if `above`) to high; infinite only if high is."""

    low: float
    high: float = MOST
    above: bool = False

    def broken(self, values: Floats) -> NDArray[np.bool_]:
        """Mark values outside the range; NaN is always outside."""
        return ~((values > self.low if self.above else values >= self.low) & (values <= self.high))

    def __str__(self) -> str:
        """Describe the range, to follow "it must be"."""
        words = []
        if self.low > -MOST:
            words.append(f"{'>' if self.above else '>='} {self.low:g}")
        if self.high < MOST:
            words.append(f"<= {self.high:g}")
        return f"a {'' if self.high == np.inf else 'finite '}number {' and '.join(words)}"


VALUE = Range(0.0)
RATE = Range(-1.0, above=True)
ELASTICITY = Range(0.0)
SUPPLY = Range(LEAST_SUPPLY, np.inf)
SHARE = Range(0.0, 1.0)
NEGATIVE = Range(-MOST, 0.0)


def named(names: Sequence[str], rows: Floats) -> dict[str, Any]:
    """Map the names of result fields to the rows of a kernel's output."""
    return dict(zip(names, rows, strict=True))


def invalid(name: str, message: str, fix: str = "", **metadata: object) -> InputError:
    """Make the error of an invalid argument."""
    facts = {key: str(value) for key, value in metadata.items()}
    return InputError("PARAMETER_INVALID", message, field=name, fix=fix, metadata=facts)


def _spread(name: str, values: Any, size: int, per: str) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise invalid(name, f"{name} cannot be read as numbers: {error}") from error
    if array.ndim == 0:
        array = np.full(size, float(array))
    if array.shape != (size,):
        raise invalid(
            name, f"{name} has shape {array.shape}; it must be one number or one per {per} ({size})."
        )
    return array


def frozen(array: Any) -> Any:
    """Make an array contiguous and read-only, the only form that kernels are compiled for."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def per_line(name: str, values: Any, size: int, allowed: Range, per: str = "line") -> Floats:
    """Broadcast an argument to one float64 per line, or another unit, and check its range.

    Raises:
        InputError: PARAMETER_INVALID with the first line (from 0) whose value is out of range.
    """
    array = _spread(name, values, size, per)
    broken = allowed.broken(array)
    if broken.any():
        place = int(np.argmax(broken))
        message = f"{per} {place}: {name} is {array[place]:g}."
        raise invalid(name, message, fix=f"It must be {allowed}.", **{per: place})
    checked: Floats = frozen(array)
    return checked


def read_trade(v0: Any, t0: Any, t1: Any) -> tuple[Floats, Floats]:
    """Check the value of lines, and their rates before and after (2 x lines); errors as `per_line`."""
    size = np.size(v0)
    value = per_line("v0", v0, size, VALUE)
    return value, frozen(np.stack([per_line("t0", t0, size, RATE), per_line("t1", t1, size, RATE)]))


def bounded(hats: Floats) -> None:
    """Refuse hats (rows) of lines (columns) that are not finite.

    Raises:
        InputError: PARAMETER_INVALID with the first line whose change of duty has no finite answer.
    """
    broken = ~np.isfinite(hats).all(axis=0)
    if broken.any():
        line = int(np.argmax(broken))
        fix = "Lower the elasticity, or use the ces form of demand."
        raise invalid(
            "t1", f"line {line}: the response to its change of duty is not finite.", fix=fix, line=line
        )


@dataclass(frozen=True, slots=True)
class Groups:
    """Lines by product: `order[offsets[k]:offsets[k + 1]]` are the lines of the k-th of `products` (sorted)."""

    products: Ints
    order: Ints
    offsets: Ints

    def per_product(self, name: str, values: Any, allowed: Range) -> Floats:
        """Broadcast an argument to one float64 per product, in the order of `products`, and check its range.

        Raises:
            InputError: PARAMETER_INVALID with the first product out of range and its first line.
        """
        array = _spread(name, values, self.products.size, "product")
        broken = allowed.broken(array)
        if broken.any():
            k = int(np.argmax(broken))
            line, product = int(self.order[self.offsets[k] : self.offsets[k + 1]].min()), self.products[k]
            why = f"product {product} (line {line}): {name} is {array[k]:g}."
            raise invalid(name, why, fix=f"It must be {allowed}.", product=product, line=line)
        return array


def group_lines(product: ArrayLike, size: int, *keys: Floats) -> Groups:
    """Group lines by product, and within a product by the keys.

    Ordering by all values of a line gives every sum of a product the same bits for any order of the caller's lines.
    """
    ids = np.asarray(product)
    if ids.ndim != 1 or ids.shape != (size,) or ids.dtype.kind not in "iu":
        why = f"product has shape {ids.shape} and type {ids.dtype}; it must be one integer per line."
        raise invalid("product", why)
    ids = ids.astype(np.int64)
    order = np.lexsort((*reversed(keys), ids)).astype(np.int64)
    ordered = ids[order]
    starts = np.flatnonzero(np.diff(ordered)) + 1
    offsets = np.concatenate(([0], starts, [size])) if size else np.zeros(1)
    products = ordered[offsets[:-1].astype(np.int64)] if size else ordered
    return Groups(products, frozen(order), frozen(offsets.astype(np.int64)))


def _cuts(offsets: Ints, parts: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of products with about the same number of lines."""
    targets = np.linspace(0, offsets[-1], parts + 1)[1:-1]
    edges: Sequence[int] = [0, *np.searchsorted(offsets, targets).tolist(), offsets.size - 1]
    for first, last in pairwise(edges):
        if last > first:
            yield first, last


def over_blocks(offsets: Ints, lines: int) -> list[tuple[int, int]]:
    """Split the products into ranges with about `lines` lines each."""
    return list(_cuts(offsets, max(1, int(offsets[-1]) // lines)))


def over_products(work: Callable[[int, int], None], offsets: Ints, threads: int) -> None:
    """Call `work(first, last)` over all products on several threads, a chunk of lines at a time."""
    check = checkpoint_here()

    def one(bounds: tuple[int, int]) -> None:
        check()
        work(*bounds)

    over_threads(one, _cuts(offsets, max(threads, int(offsets[-1]) // CHUNK_LINES, 1)), threads)

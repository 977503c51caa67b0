"""Find the atoms of a table that bear one rate under every law of a family, and price each class of them once.

Goods in one combination with the same ordinary rates bear the same duty per dollar, unless the law weighs parts of the
value that a line declares or charges by its quantity: such a line has classes of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, factorize, first_of, ratio, sum_of
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.chunks import checkpoint, run_ranges
from tariffs.engine.law.law import Law
from tariffs.engine.law.model import PROCESSING, REST
from tariffs.engine.rating.fits import CONTENT_CLAIMS, PROCESSING_CLAIM, US_CLAIM
from tariffs.engine.rating.layers import LawLayers
from tariffs.engine.table_duty.kernel import SPECIFIC, TOP_UP, assess_lines, price_points
from tariffs.engine.table_duty.rated_lines import RatedLines, parts_of, quantities_of
from tariffs.engine.tables.line_arrays import LineArrays

_CLASSES_KEPT = 4
NO_COLUMN = -1
_NO_ROWS = np.zeros(0, dtype=np.int32)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
WHOLE = 0
"""Content of goods of which no part is declared."""


@dataclass(frozen=True)
class RateClasses:
    """Classes of the atoms of a family of laws.

    Attributes:
        of_atom: class of each atom.
        combination, rates: per class its combination, and its row of the family's ordinary rates.
        source: per class its content; beyond the number of contents, the line that is charged by quantity.
    """

    of_atom: I32
    combination: I32
    rates: I32
    source: I64

    @property
    def count(self) -> int:
        """Number of classes."""
        return len(self.source)


def rate_classes(rated: RatedLines) -> RateClasses:
    """Find the classes of the atoms of rated lines; kept with their family."""
    return common_classes(rated, [rated.layers])


def common_classes(rated: RatedLines, laws: Sequence[LawLayers]) -> RateClasses:
    """Find the classes of atoms that bear one rate under each of several laws; kept with their family.

    Args:
        rated: the lines under any law of the family.
        laws: layers of laws of the family.
    """
    marks = [_marks(layers) for layers in laws]
    weighs = np.logical_or.reduce([each for each, _ in marks])
    by_quantity = np.logical_or.reduce([each for _, each in marks])
    kept: BoundedCache[Hashable, RateClasses]
    kept = rated.family.cache.setdefault("rate classes", BoundedCache(_CLASSES_KEPT))
    return kept.get((weighs.tobytes(), by_quantity.tobytes()), lambda: _found(rated, weighs, by_quantity))


def _marks(layers: LawLayers) -> tuple[Bools, Bools]:
    """Mark the combinations with a layer that weighs parts of the value, and those with a duty by quantity."""
    weighs = _combinations_with(layers, _weighs_parts(layers.bases)[layers.weights])
    return weighs, _combinations_with(layers, layers.slots.kind[layers.slot] >= SPECIFIC)


def _combinations_with(layers: LawLayers, marked: Bools) -> Bools:
    """Mark the combinations that have a marked layer."""
    marks = np.zeros(len(layers.column), dtype=bool)
    marks[np.repeat(np.arange(len(marks)), np.diff(layers.start))[marked]] = True
    return marks


def _weighs_parts(bases: F64) -> Bools:
    """Mark the bases that weigh parts of the value differently; all other bases are the same for any content."""
    weighs: Bools = (bases[:, :PROCESSING] != bases[:, [REST]]).any(axis=1)
    weighs |= (bases[:, PROCESSING:] != 0.0).any(axis=1)
    return weighs


def _found(rated: RatedLines, weighs: Bools, by_quantity: Bools) -> RateClasses:
    family, contents = rated.family, _contents_of(rated.lines)
    atoms, combination = family.atoms, family.combinations.of_atom.astype(np.int64)
    width = max(1, len(family.rates.distinct))
    span = width * max(1, family.combinations.count)
    content = np.where(weighs[combination], contents.of_line[atoms.line], WHOLE)
    source = np.where(by_quantity[combination], contents.lines.count + atoms.line, content)
    checkpoint()
    keys, of_atom = factorize(source * span + combination * width + family.rates.of_atom)
    rest = keys % span
    return RateClasses(
        of_atom.astype(np.int32),
        (rest // width).astype(np.int32),
        (rest % width).astype(np.int32),
        keys // span,
    )


@dataclass(frozen=True)
class _Contents:
    """Distinct contents of lines, after that of undeclared parts: that of each line, and one dollar with each."""

    of_line: I64
    lines: LineArrays


def _contents_of(lines: LineArrays) -> _Contents:
    """Find the distinct contents of lines; kept with the lines."""
    if "contents" not in lines.cache:
        facts = {claim: lines.fact(claim) for claim in (*CONTENT_CLAIMS.values(), US_CLAIM)}
        facts[PROCESSING_CLAIM] = ratio(lines.fact(PROCESSING_CLAIM), lines.value)
        of_line = numbered(*(bits(values) for values in facts.values()))
        first = first_of(of_line)
        distinct = {claim: np.append(np.nan, values[first]) for claim, values in facts.items()}
        one_dollar = replace(lines, value=np.ones(len(first) + 1), facts=distinct, cache={})
        lines.cache["contents"] = _Contents(of_line + 1, one_dollar)
    contents: _Contents = lines.cache["contents"]
    return contents


def class_rates(
    law: Law, rated: RatedLines, classes: RateClasses, column_of_slot: I32, columns: int
) -> tuple[F64, F64, F64]:
    """Compute duty assessed and owed per dollar of value of each class (classes x columns), and the share prohibited.

    Args:
        classes: classes of their atoms, each with one rate under the law.
        column_of_slot: per row of the law, the column it adds to; negative for none.
    """
    layers, slots = rated.layers, rated.layers.slots
    (duty, owed), prohibited_value = np.zeros((2, classes.count, columns)), np.zeros(classes.count)
    goods = goods_of(law, rated, classes)
    each = np.arange(classes.count + 1)
    assess_lines(
        0, classes.count, each[:-1].astype(np.int32), each, classes.combination, np.ones(classes.count),
        classes.rates, rated.family.rates.distinct, layers.column, layers.prohibited, layers.start, layers.slot,
        layers.weights, layers.assessed, layers.owed, slots.kind, slots.rate, slots.unit, column_of_slot,
        slots.tier_start, slots.tier_up_to, slots.tier_usd, layers.bases, goods.of_class, goods.value, goods.parts,
        goods.quantity, duty, owed, prohibited_value,
    )  # fmt: skip
    if not goods.by_line:
        return duty, owed, prohibited_value
    value = goods.value[goods.of_class]
    each_column = np.broadcast_to(value[:, None], duty.shape)
    return ratio(duty, each_column, 0.0), ratio(owed, each_column, 0.0), ratio(prohibited_value, value, 0.0)


@dataclass(frozen=True)
class ClassGoods:
    """Goods by which classes are priced: one dollar with each content, then the lines charged by quantity.

    Attributes:
        of_class: goods of each class.
        value, parts: per goods, in dollars.
        quantity: per unit of the law and goods; NaN where unknown.
        by_line: whether some class is charged by quantity.
    """

    of_class: I32
    value: F64
    parts: F64
    quantity: F64
    by_line: bool


def goods_of(law: Law, rated: RatedLines, classes: RateClasses) -> ClassGoods:
    """Find the goods by which classes are priced under a law."""
    lines, contents = rated.lines, _contents_of(rated.lines).lines
    own, of_class = classes.source >= contents.count, classes.source.astype(np.int32)
    value, parts = contents.value, parts_of(law, contents)
    quantity = np.full((max(1, len(rated.layers.slots.units)), contents.count), np.nan)
    if not own.any():
        return ClassGoods(of_class, value, parts, quantity, False)
    line, place = np.unique(classes.source[own] - contents.count, return_inverse=True)
    of_class[own] = contents.count + place
    return ClassGoods(
        of_class,
        np.concatenate([value, lines.value[line]]),
        np.concatenate([parts, parts_of(law, lines)[line]]),
        np.concatenate([quantity, quantities_of(lines, rated.layers.slots.units)[:, line]], axis=1),
        True,
    )


@dataclass(frozen=True)
class ClassForms:
    """Rates of classes as functions of the rates of rows; classes with one function share a form.

    Attributes:
        of_class: form of each class.
        moves: marks the forms whose rate differs between points.
        still: per form the part of its rate that is the same at all points.
        prohibited_share: per form the share of its value that is prohibited.
        terms: per moved term its row of the law, form, ordinary rate that is below it, or -inf, and base.
    """

    of_class: I64
    moves: Bools
    still: F64
    prohibited_share: F64
    terms: tuple[I32, I64, F64, F64]

    def at(self, rates: F64) -> F64:
        """Rate of each form at points (forms x points), by the rate of each row (points x rows)."""
        slot, form, ordinary, base = self.terms
        by_row = np.ascontiguousarray(rates.T)
        out: F64 = np.repeat(self.still[:, None], len(rates), axis=1)
        start = np.arange(len(slot) + 1)
        excess = np.where(np.isinf(ordinary), 0.0, base * ordinary)

        def price(first: int, last: int) -> None:
            price_points(first, last, by_row, slot, form, start, ordinary, base, excess, out)

        run_ranges(len(rates), len(rates) * len(slot), price)
        return out


@dataclass(frozen=True)
class ClassFunctions:
    """Rates of classes as functions of the rates of rows.

    Attributes:
        still, prohibited_share: per class as of `ClassForms`.
        terms: per moved term its row of the law, class, ascending, ordinary rate and base, as of `ClassForms`.
    """

    still: F64
    prohibited_share: F64
    terms: tuple[I32, I64, F64, F64]

    def prohibited_at(self, rate: float) -> F64:
        """Rate of each class without its moved terms, and that of what is prohibited."""
        return np.where(self.prohibited_share > 0.0, rate, self.still)

    @property
    def lengths(self) -> I64:
        """Number of moved terms of each class."""
        return np.bincount(self.terms[1], minlength=len(self.still))

    def of(self, classes: I64) -> ClassFunctions:
        """Select some classes, ascending."""
        place = np.full(len(self.still), -1)
        place[classes] = np.arange(len(classes))
        slot, of_class, ordinary, base = self.terms
        chosen = place[of_class] >= 0
        terms = slot[chosen], place[of_class[chosen]], ordinary[chosen], base[chosen]
        return ClassFunctions(self.still[classes], self.prohibited_share[classes], terms)

    def forms(self) -> ClassForms:
        """Number the distinct functions."""
        slot, of_class, ordinary, base = self.terms
        term = numbered(slot.astype(np.int64), bits(ordinary), bits(base))
        start = np.searchsorted(of_class, np.arange(len(self.still) + 1))
        lengths = np.diff(start)
        form = numbered(bits(self.still), bits(self.prohibited_share), lengths)
        for place in range(int(lengths.max(initial=0))):
            has = lengths > place
            at = np.full(len(self.still), -1, dtype=np.int64)
            at[has] = term[start[:-1][has] + place]
            form = numbered(form, at + 1)
        first = first_of(form)
        terms = np.repeat(start[first] - (np.cumsum(lengths[first]) - lengths[first]), lengths[first])
        terms = terms + np.arange(len(terms))
        return ClassForms(
            form,
            lengths[first] > 0,
            self.still[first],
            self.prohibited_share[first],
            (slot[terms], np.repeat(np.arange(len(first)), lengths[first]), ordinary[terms], base[terms]),
        )


def class_functions(law: Law, rated: RatedLines, moved: Bools, classes: RateClasses) -> ClassFunctions:
    """Find how the rates of classes follow those of the rows whose rate differs between points.

    Args:
        moved: marks the rows of the law whose rate differs between points.
        classes: classes of the atoms, each with one rate under the law.
    """
    layers, slots = rated.layers, rated.layers.slots
    still, _, prohibited_share = class_rates(
        law, rated, classes, np.where(moved, NO_COLUMN, 0).astype(np.int32), 1
    )
    if not moved.any():
        nothing = np.zeros(0)
        return ClassFunctions(
            still[:, 0], prohibited_share, (_NO_ROWS, _NO_ROWS.astype(np.int64), nothing, nothing)
        )
    counts = np.diff(layers.start)[classes.combination]
    of_class = np.repeat(np.arange(classes.count), counts)
    layer = np.repeat(layers.start[classes.combination] - (np.cumsum(counts) - counts), counts)
    layer += np.arange(len(layer))
    charged = moved[layers.slot[layer]] & layers.assessed[layer] & (prohibited_share[of_class] == 0.0)
    of_class, layer = of_class[charged], layer[charged]
    goods = goods_of(law, rated, classes)
    priced = goods.of_class[of_class]
    weights = layers.bases[layers.weights[layer]].T
    # A matrix product would leave the order of terms to the library.
    base = sum_of([(1.0, weight * part) for weight, part in zip(weights, goods.parts[priced].T, strict=True)])
    base = ratio(base, goods.value[priced], 0.0)
    column = layers.column[classes.combination[of_class]]
    is_top_up = slots.kind[layers.slot[layer]] == TOP_UP
    ordinary = np.where(is_top_up, rated.family.rates.distinct[classes.rates[of_class], column], -np.inf)
    return ClassFunctions(still[:, 0], prohibited_share, (layers.slot[layer], of_class, ordinary, base))


def numbered(*keys: I64) -> I64:
    """Number rows of keys by their distinct values, ascending."""
    number = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        values, index = factorize(np.ascontiguousarray(key))
        _, number = factorize(number * max(1, len(values)) + index)
    return number


def numbered_rows(columns: Sequence[F64]) -> tuple[I64, F64]:
    """Number the rows of columns by their distinct values; return also the distinct rows."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MULTIPLIER + bits(column).view(np.uint64)
    number = np.unique(mixed, return_inverse=True)[1].astype(np.int64)
    first = first_of(number)
    if any((column != column[first][number]).any() for column in columns):
        # Two rows with one mixture of their bits.
        number = numbered(*map(bits, columns))
        first = first_of(number)
    return number, np.column_stack([column[first] for column in columns])


def bits(values: F64) -> I64:
    """Bits of numbers as integers that are equal where the numbers are; 0 has one sign."""
    return np.ascontiguousarray(values + 0.0).view(np.int64)

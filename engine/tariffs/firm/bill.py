"""Read the structure of a bill of materials: units of each part that the finished goods need. See docs/bom.md.

Units are fractions, so that a yield of 0.9 is exact at any depth. A row that cannot be used is refused alone.
"""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tariffs.engine.base.amounts import LARGEST
from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.line_duty.entry_line import EntryLine

ONE = Decimal(1)
_BITS, _PARTS = 4096, 10**60
_HINTS = 10
"""Unknown parents that are compared with the names of parts."""


class Limits(NamedTuple):
    """Limits on what is bought by a row: most and least units of an order, and shares of the need of its part."""

    capacity: Decimal | None = None
    min_order: Decimal | None = None
    min_share: Decimal | None = None
    max_share: Decimal | None = None


class BillRow(NamedTuple):
    """Row of a bill of materials.

    `quantity` is units of the part in one unit of the parent, `good_share` the part of them that can be used; None is
    that of the first row of the same part and parent, else 1. `goods` is one unit as an entry line, or why it cannot be
    one, which counts only if the part is bought. `problem` refuses the row itself.
    """

    part: str
    parent: str = ""
    supplier: str = ""
    quantity: Decimal | None = None
    good_share: Decimal | None = None
    goods: EntryLine | TariffsError | None = None
    limits: Limits = Limits()
    problem: TariffsError | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """Use of a part in a parent, or as finished goods (an empty parent).

    Attributes:
        level: 0 for finished goods, else one more than the deepest use of the parent.
        units: units of the part as listed first.
        listed: its first row, which is what is bought today; it may be refused.
        rows: rows that buy it; empty for a part that is made of others.
        made: whether other rows name the part as their parent.
    """

    part: str
    parent: str
    level: int
    units: Fraction
    listed: int
    rows: tuple[int, ...]
    made: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """Uses of parts, parents before their parts; units bought by each row that can be; refused rows."""

    uses: tuple[Use, ...]
    units: Mapping[int, Fraction]
    refused: Mapping[int, TariffsError]


def read_bill(rows: Sequence[BillRow], units: Decimal = ONE) -> Bill:
    """Compute the units of each part for some units of the finished goods, and refuse rows that cannot be used."""
    refused: dict[int, TariffsError] = {}
    names = {row.part for row in rows if row.part}
    lost = sorted({row.parent for row in rows if row.parent} - names)
    # Comparing names takes time, and many wrong ones have one cause.
    alike = {name: difflib.get_close_matches(name, names, n=1) for name in lost[:_HINTS]}
    for place, row in enumerate(rows):
        problem = row.problem or _problem(row, names, alike)
        if problem is not None:
            refused[place] = problem
    edges = {p: (row.part, row.parent) for p, row in enumerate(rows) if row.parent and p not in refused}
    for place in _on_cycles(edges):
        part, parent = edges[place]
        refused[place] = InputError(
            "BOM_CYCLE",
            f"{part} is in {parent}, which is made of {part} itself.",
            field="parent",
            fix="Correct the parent.",
        )
    return _Explosion(rows, refused, units).bill()


def _problem(row: BillRow, names: set[str], alike: Mapping[str, Sequence[str]]) -> InputError | None:
    if not row.part:
        return InputError("BOM_PART_MISSING", "The row names no part.", field="part", fix="Name the part.")
    if row.quantity is not None and row.quantity <= 0:
        fix = "Give the units of the part in one unit of its parent."
        return InputError("QUANTITY_INVALID", f"quantity is {row.quantity}.", field="quantity", fix=fix)
    if row.good_share is not None and not 0 < row.good_share <= 1:
        fix = "Give a share above 0 and up to 1, such as 0.95 or 95%."
        return InputError("BOM_YIELD_INVALID", f"yield is {row.good_share}.", field="yield", fix=fix)
    if row.parent and row.parent not in names:
        close = alike.get(row.parent)
        hint = f"correct the name (is it {close[0]}?)" if close else "correct the name"
        return InputError(
            "BOM_PARENT_UNKNOWN",
            f"No row is of the parent {row.parent}.",
            field="parent",
            fix=f"Add a row of {row.parent}, for finished goods without a parent, or {hint}.",
        )
    return None


def _on_cycles(edges: Mapping[int, tuple[str, str]]) -> Iterable[int]:
    """Rows between parts that contain each other: those that are left when the ends of the tree are taken off."""
    left = dict(edges)
    for side in (0, 1):
        counts: dict[str, int] = dict.fromkeys((name for ends in left.values() for name in ends), 0)
        other: dict[str, list[int]] = {}
        for place, ends in left.items():
            counts[ends[side]] += 1
            other.setdefault(ends[1 - side], []).append(place)
        ready = deque(name for name, count in counts.items() if not count)
        while ready:
            for place in other.pop(ready.popleft(), ()):
                name = left.pop(place)[side]
                counts[name] -= 1
                if not counts[name]:
                    ready.append(name)
    return left


class _Explosion:
    """Works out the uses of parts from the finished goods down."""

    def __init__(self, rows: Sequence[BillRow], refused: dict[int, TariffsError], units: Decimal) -> None:
        self._rows, self._refused = rows, refused
        self._made = {row.parent for row in rows if row.parent}
        # Units and level of each part that is made; None for one whose rows are all refused.
        self._needed: dict[str, tuple[Fraction, int] | None] = {"": (Fraction(units), -1)}
        self._units: dict[int, Fraction] = {}
        self._uses: list[Use] = []

    def bill(self) -> Bill:
        of_part: dict[str, list[int]] = {}
        pending: dict[str, int] = {}
        below: dict[str, list[str]] = {}
        for place, row in enumerate(self._rows):
            of_part.setdefault(row.part, []).append(place)
            pending.setdefault(row.part, 0)
            if row.parent and place not in self._refused:
                pending[row.part] += 1
                below.setdefault(row.parent, []).append(row.part)
        ready = deque(part for part, count in pending.items() if not count)
        while ready:
            part = ready.popleft()
            self._use(part, of_part[part])
            for child in below.get(part, ()):
                pending[child] -= 1
                if not pending[child]:
                    ready.append(child)
        return Bill(tuple(self._uses), self._units, self._refused)

    def _use(self, part: str, places: Sequence[int]) -> None:
        by_parent: dict[str, list[int]] = {}
        for place in places:
            if place not in self._refused:
                by_parent.setdefault(self._rows[place].parent, []).append(place)
        uses = [use for parent, own in by_parent.items() if (use := self._use_in(part, parent, own))]
        self._uses += uses
        if part in self._made:
            total = sum((use.units for use in uses), Fraction(0))
            self._needed[part] = (total, max(use.level for use in uses)) if uses else None

    def _use_in(self, part: str, parent: str, places: Sequence[int]) -> Use | None:
        needed = self._needed[parent]
        if needed is None:
            problem = InputError(
                "BOM_PARENT_REFUSED",
                f"The rows of its parent {parent} are refused.",
                field="parent",
                fix=f"Correct the row of {parent}.",
            )
            self._refused |= dict.fromkeys(places, problem)
            return None
        made, units, usable = part in self._made, dict[int, Fraction](), list[int]()
        quantity = _first(self._rows[place].quantity for place in places)
        good_share = _first(self._rows[place].good_share for place in places)
        seen: set[tuple[str, str]] = set()
        for place in places:
            row = self._rows[place]
            own = Fraction(quantity if row.quantity is None else row.quantity)
            share = Fraction(good_share if row.good_share is None else row.good_share)
            units[place] = _bounded(needed[0] * own / share)
            source = source_of(row) if not made else ("", "")
            if units[place] >= LARGEST:
                self._refused[place] = _too_many(row, units[place])
            elif source in seen:
                self._refused[place] = _repeated(part, parent)
            elif isinstance(row.goods, TariffsError):
                if not made:
                    self._refused[place] = row.goods
            elif not made and row.goods is not None:
                self._units[place] = units[place]
                usable.append(place)
            seen.add(source)
        if made and places[0] in self._refused:
            return None
        return Use(part, parent, needed[1] + 1, units[places[0]], places[0], tuple(usable), made)


def _bounded(units: Fraction) -> Fraction:
    """Round units where yields at hundreds of levels leave no other way to hold them."""
    return units if units.denominator.bit_length() < _BITS else units.limit_denominator(_PARTS)


def _too_many(row: BillRow, units: Fraction) -> InputError:
    fix = "Correct the quantities down to the part: they multiply."
    found = f"{row.part} is needed {float(units):.3g} times."
    return InputError("QUANTITY_INVALID", found, field="quantity", fix=fix)


def _first(values: Iterable[Decimal | None]) -> Decimal:
    """First value that is given, else 1."""
    return next((value for value in values if value is not None), ONE)


def source_of(row: BillRow) -> tuple[str, str]:
    """Supplier and origin of a row, which tell substitutes apart."""
    return row.supplier, row.goods.origin if isinstance(row.goods, EntryLine) else ""


def _repeated(part: str, parent: str) -> InputError:
    where = f"in {parent}" if parent else "as finished goods"
    return InputError(
        "BOM_ROW_REPEATED",
        f"{part} has an earlier row {where} of the same supplier and origin.",
        field="part",
        fix="Add the quantities up in one row; substitutes differ in supplier or origin.",
    )

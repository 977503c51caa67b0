"""Match codes and origins with all scopes of a law in force at once, as bit sets.

A code has at most five leading parts; each is looked up once for all product lists. What is worked out from the lists
that contain a code is cached by these lists, so that a code never seen before costs microseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import count
from operator import or_
from typing import ClassVar

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import InForce
from tariffs.engine.law.model import Scope

_SETS_AT_MOST = 4_096
"""Product lists and codes that scopes name, of all laws and days together; those of two years are some 900."""
_PRODUCTS_KEPT = 32_768
"""Combinations of lists that contain a code; one takes some 300 bytes."""
_CODES_KEPT = 32_768
"""Codes, by index; one takes some 300 bytes."""
_PARENT_AT_LEAST, _STEP = 4, 2


class CodeSets:
    """Bit sets of the lists and codes that contain a code, or a sibling of it: a code with the same parent.

    Laws and days have most lists in common, so that one object serves all.
    """

    _shared: ClassVar[CodeSets | None] = None

    def __init__(self) -> None:
        self._sets: dict[int | str, tuple[int, tuple[str, ...]]] = {}
        self._containing: dict[str, int] = {}
        self._families: dict[str, int] = {}
        self._of_families = 0
        self._lengths: Sequence[int] = ()
        self._adding = threading.Lock()

    @classmethod
    def shared(cls) -> CodeSets:
        """Find the sets of all laws and days; too many are dropped."""
        sets = cls._shared
        if sets is None or len(sets._sets) > _SETS_AT_MOST:
            sets = cls._shared = cls()
        return sets

    def bits(self, names: Iterable[str], lists: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
        """Bit of each name: that of the list with this name, compared by identity, else of the code."""
        with self._adding:
            return {
                name: self._bit(id(lists[name]), lists[name]) if name in lists else self._bit(name, (name,))
                for name in names
            }

    def _bit(self, key: int | str, codes: tuple[str, ...]) -> int:
        if key not in self._sets:
            bit = 1 << len(self._sets)
            for code in codes:
                self._containing[code] = self._containing.get(code, 0) | bit
            self._lengths = sorted({*self._lengths, *map(len, codes)})
            # The value refers to the list, so that its id is not reused.
            self._sets[key] = bit, codes
        return self._sets[key][0]

    def containing(self, code: str) -> int:
        """Sets with a leading part of the code."""
        found = 0
        for length in self._lengths:
            found |= self._containing.get(code[:length], 0)
        return found

    def with_sibling(self, code: str) -> int:
        """Sets with a code whose parent is a parent of this one."""
        self._read_families()
        found = 0
        for length in range(_PARENT_AT_LEAST, len(code) - _STEP + 1, _STEP):
            found |= self._families.get(code[:length], 0)
        return found

    def _read_families(self) -> None:
        """Read the parents of the sets added since; only reasons why a measure does not apply ask for them."""
        if self._of_families == len(self._sets):
            return
        with self._adding:
            for bit, codes in list(self._sets.values())[self._of_families :]:
                for code in codes:
                    parent = code[:-_STEP]
                    self._families[parent] = self._families.get(parent, 0) | bit
            self._of_families = len(self._sets)


_PRODUCTS: BoundedCache[tuple[int, ...], int] = BoundedCache(_PRODUCTS_KEPT, "products")
_CODES: BoundedCache[tuple[int, str], int] = BoundedCache(_CODES_KEPT, "codes")
_NUMBERS = count()


class ScopeIndex:
    """Scopes of a law in force, each with a bit.

    Args:
        in_force: the law in force; it gives the lists and groups that scopes name.
        scopes: the scopes, in any order.
    """

    def __init__(self, in_force: InForce, scopes: Iterable[Scope]) -> None:
        self.bits = {scope: 1 << place for place, scope in enumerate(dict.fromkeys(scopes))}
        self._sets = CodeSets.shared()
        named = frozenset(name for scope in self.bits for names in _products(scope) for name in names)
        bits = self._sets.bits(named, in_force.lists)
        self._masks = [
            (bit, tuple(_union(names, bits) for names in scope.products), _union(scope.not_products, bits))
            for scope, bit in self.bits.items()
        ]
        self._used = _union(bits, bits)
        self._origins: dict[str, int] = {}
        self._members = [
            (
                bit,
                tuple(in_force.members(names) for names in scope.origins),
                in_force.members(scope.not_origins),
            )
            for scope, bit in self.bits.items()
        ]
        self._number = next(_NUMBERS)

    def reach(self, code: str, origin: str) -> int:
        """Scopes that a line of this code and origin is in."""
        return self.of_code(code) & self.of_origin(origin)

    def of_code(self, code: str) -> int:
        """Scopes whose products contain the code."""
        return _CODES.get((self._number, code), lambda: self._of_code(code))

    def of_codes(self, codes: Iterable[str]) -> dict[str, int]:
        """Scopes by code, for more codes than caches keep: computed once for all codes in the same lists."""
        found: dict[int, int] = {}
        scopes = {}
        for code in codes:
            named = self._named(code)
            if named not in found:
                found[named] = self._of_named(named)
            scopes[code] = found[named]
        return scopes

    def _of_code(self, code: str) -> int:
        named = self._named(code)
        return _PRODUCTS.get((self._number, named), lambda: self._of_named(named))

    def of_origin(self, origin: str) -> int:
        """Scopes whose origins contain the origin."""
        found = self._origins.get(origin)
        if found is None:
            found = self._origins[origin] = sum(
                bit
                for bit, wanted, without in self._members
                if origin not in without and all(origin in names for names in wanted)
            )
        return found

    def near_code(self, code: str) -> int:
        """Scopes that exclude the code from their lists, or whose lists contain siblings in its place."""
        named = self._named(code)
        beside = self._sets.with_sibling(code) & self._used
        return _PRODUCTS.get((self._number, named, beside), lambda: self._near_named(named, beside))

    def _named(self, code: str) -> int:
        """Lists and codes with a leading part of the code, as far as scopes name them."""
        return self._sets.containing(code) & self._used

    def _of_named(self, named: int) -> int:
        found = 0
        for bit, wanted, without in self._masks:
            if not without & named and _meets_all(named, wanted):
                found |= bit
        return found

    def _near_named(self, named: int, beside: int) -> int:
        found, either = 0, named | beside
        for bit, wanted, _ in self._masks:
            if _meets_all(either, wanted):
                found |= bit
        return found & ~self._of_named(named)


def _meets_all(named: int, wanted: Iterable[int]) -> bool:
    """Test whether a bit set meets all others; a plain loop takes half the time of a generator."""
    for names in wanted:  # noqa: SIM110
        if not named & names:
            return False
    return True


def _products(scope: Scope) -> tuple[frozenset[str], ...]:
    return (*scope.products, scope.not_products)


def _union(names: Iterable[str], bits: dict[str, int]) -> int:
    # Lists that are empty are one object, and have one bit.
    return reduce(or_, (bits[name] for name in names), 0)

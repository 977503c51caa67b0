"""Arrays of the lines of a trade table, read by compile and the kernels.

A line is one or more *pieces*: a code of 10 digits is one, a shorter code one per 10-digit code under it, weighted by
2024 value. Facts are arrays per line with NaN where undeclared.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I32, I64, Bools
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.base.kept import kept

CODE_DIGITS = 10
PIECE_STARTS = "piece starts"
"""Key in the cache of lines."""
# The law needs some 200; scenarios may name any code. A mask of the embedded table takes 19 kB.
MASKS_KEPT = 1024
_MASKS: KeptWith[Bools] = KeptWith(MASKS_KEPT)
_OF_GOODS = (PIECE_STARTS, "piece origins", "origins", "sorted", _MASKS)
"""Keys in the cache of lines whose values depend on codes and origins alone."""


@dataclass(frozen=True)
class LineArrays:
    """Arrays of lines (n lines, m pieces).

    `codes` and `origins` are the distinct codes and origins, `origin` an index per line. `piece_line`, `piece_code` and
    `piece_weight` are per piece, ordered by line. `facts` has float arrays (shares, contents, numbers, 0 or 1, seconds
    since 1970 for dates) and object arrays of text for codes. `general`, `other` and `special` (by claim) are ordinary
    rates per piece. `quantities` has a quantity per unit where known. `vat` is the rate of value added tax per line, on
    value and duty; None where there is none. `sourced` has, by claim, the lines whose fact is a default share; None is
    all lines.
    """

    codes: Sequence[str]
    origins: Sequence[str]
    origin: I32
    value: F64
    freight: F64
    insurance: F64
    piece_line: I64
    piece_code: I32
    piece_weight: F64
    facts: Mapping[str, NDArray[Any]]
    general: F64
    other: F64
    special: Mapping[str, F64]
    quantities: Mapping[str, F64] = field(default_factory=dict)
    vat: F64 | None = None
    sourced: Mapping[str, Bools | None] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def count(self) -> int:
        """Number of lines."""
        return len(self.value)

    def with_facts(self, facts: Mapping[str, NDArray[Any]]) -> LineArrays:
        """Give the same goods some other facts."""
        known = {name: self.cache[name] for name in _OF_GOODS if name in self.cache}
        return replace(self, facts={**self.facts, **facts}, cache=known)

    @property
    def piece_starts(self) -> I64:
        """Index of the first piece of each line (one more than lines)."""
        return kept(
            self.cache, PIECE_STARTS, lambda: np.searchsorted(self.piece_line, np.arange(self.count + 1))
        )

    @property
    def piece_origin(self) -> I32:
        """Index of the origin of each piece."""
        return kept(self.cache, "piece origins", lambda: self.origin[self.piece_line])

    def fact(self, claim: str, lines: I32 | I64 | slice = slice(None)) -> F64:
        """Numeric fact of lines, of all if none are named; NaN where undeclared."""
        values = self.facts.get(claim)
        return np.full(self.value[lines].shape, np.nan) if values is None else values[lines]

    @property
    def origin_places(self) -> dict[str, int]:
        """Index of each origin."""
        return kept(self.cache, "origins", lambda: {origin: at for at, origin in enumerate(self.origins)})

    def code_mask(self, prefixes: tuple[str, ...]) -> Bools:
        """Mark the codes that begin with one of the prefixes; cached by the identity of the tuple."""
        return self.mask("codes", prefixes, lambda: self._match(prefixes))

    def one_code_mask(self, prefix: str) -> Bools:
        """Mark the codes that begin with a prefix; cached by the prefix."""
        return self.mask(prefix, None, lambda: self._match((prefix,)))

    def mask(self, key: Hashable, of: object, make: Callable[[], Bools]) -> Bools:
        """Find a mask by its key and the identity of what it depends on besides, or make it."""
        return _MASKS.get(self.cache, (of,), key, make)

    def _match(self, prefixes: tuple[str, ...]) -> Bools:
        order, numbers, short = kept(self.cache, "sorted", self._sorted_codes)
        bounds = np.zeros(len(numbers) + 1, dtype=np.int64)
        if prefixes:
            low = _as_numbers(prefixes)
            lengths_of = np.fromiter(map(len, prefixes), dtype=np.int64, count=len(prefixes))
            width = 10 ** (CODE_DIGITS - lengths_of)
            np.add.at(bounds, np.searchsorted(numbers, low), 1)
            np.add.at(bounds, np.searchsorted(numbers, low + width), -1)
        mask = np.zeros(len(self.codes), dtype=bool)
        mask[order] = np.cumsum(bounds[:-1]) > 0
        # A short code is in the range of a longer prefix that ends in zeros, and does not begin with it.
        known, lengths = (set(prefixes), {len(p) for p in prefixes}) if short else (set(), set())
        for index in short:
            code = self.codes[index]
            mask[index] = mask[index] and any(code[:length] in known for length in lengths)
        return mask

    def _sorted_codes(self) -> tuple[I64, I64, list[int]]:
        numbers = _as_numbers(self.codes)
        order = np.argsort(numbers, kind="stable")
        return order, numbers[order], [i for i, code in enumerate(self.codes) if len(code) < CODE_DIGITS]


def _as_numbers(codes: Sequence[str]) -> I64:
    """Codes of digits, zeros appended to the digits of a full one, as numbers."""
    text = "".join([code.ljust(CODE_DIGITS, "0") for code in codes]).encode("ascii")
    digits = np.frombuffer(text, dtype=np.uint8).reshape(len(codes), CODE_DIGITS) - ord("0")
    return digits @ 10 ** np.arange(CODE_DIGITS - 1, -1, -1)

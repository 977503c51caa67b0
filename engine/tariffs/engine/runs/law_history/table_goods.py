"""Goods of a table: the codes of its lines by origin, to test which scopes of the law reach one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tariffs.engine.law.matching import Reach


@dataclass(frozen=True, slots=True)
class TableGoods:
    """Codes of the lines of a table by origin."""

    codes: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, goods: Iterable[tuple[str, str]]) -> TableGoods:
        """Group pairs of code and origin."""
        codes: dict[str, set[str]] = {}
        for code, origin in goods:
            codes.setdefault(origin, set()).add(code)
        return cls({origin: frozenset(found) for origin, found in codes.items()})

    def meets(self, reach: Reach) -> bool:
        """Test whether a scope reaches a line."""
        return any(
            reach.fits_origin(origin) and any(map(reach.fits_code, codes))
            for origin, codes in self.codes.items()
        )

"""Match rows with a product and an origin: prefixes of codes and lists, members of groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tariffs.engine.base.kept import kept
from tariffs.engine.law.law import Active, InForce
from tariffs.engine.law.model import Row, Scope

Candidates = tuple[tuple[Active, tuple[Row, ...]], ...]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """A set of HTS prefixes; a code is in it if one of its leading parts is."""

    codes: frozenset[str]
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, codes: Iterable[str]) -> Prefixes:
        """Make the set of these codes."""
        prefixes = frozenset(codes)
        return cls(prefixes, tuple(sorted({len(code) for code in prefixes})))

    def __contains__(self, code: str) -> bool:
        return any(code[:length] in self.codes for length in self.lengths if length <= len(code))


@dataclass(frozen=True, slots=True)
class Reach:
    """A scope with its names spelled out for one instant."""

    origins: tuple[frozenset[str], ...]
    not_origins: frozenset[str]
    products: tuple[Prefixes, ...]
    not_products: Prefixes

    @classmethod
    def of(cls, scope: Scope, in_force: InForce) -> Reach:
        """Spell out a scope; cached with what is in force."""
        return kept(
            in_force.cache,
            ("reach", scope),
            lambda: cls(
                tuple(in_force.members(names) for names in scope.origins),
                in_force.members(scope.not_origins),
                tuple(prefixes_of(names, in_force) for names in scope.products),
                prefixes_of(scope.not_products, in_force),
            ),
        )

    def fits(self, code: str, origin: str) -> bool:
        """Test whether a line of this code and origin is reached."""
        return self.fits_origin(origin) and self.fits_code(code)

    def fits_origin(self, origin: str) -> bool:
        """Test whether goods of this origin are reached, whatever their code."""
        return origin not in self.not_origins and all(origin in names for names in self.origins)

    def fits_code(self, code: str) -> bool:
        """Test whether goods of this code are reached, whatever their origin."""
        return all(code in prefixes for prefixes in self.products) and code not in self.not_products


def prefixes_of(names: frozenset[str], in_force: InForce) -> Prefixes:
    """Spell out product names as prefixes; cached with what is in force."""
    return kept(in_force.cache, ("prefixes", names), lambda: Prefixes.of(in_force.codes(names)))

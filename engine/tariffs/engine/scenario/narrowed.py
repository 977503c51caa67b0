"""Part of a measure's goods on which two laws differ: the rows of each law that reach that part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tariffs.engine.law.model import ANYWHERE, Row, Scope

Groups = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class GoodsPart:
    """A scope, and the rows that hold in it: under the first law and under the second."""

    scope: Scope
    first: tuple[Row, ...]
    second: tuple[Row, ...]


def parts_that_differ(first: Sequence[Row], second: Sequence[Row], groups: Groups) -> list[GoodsPart]:
    """The parts of the goods to which one law narrows rows of the other.

    Args:
        first: the rows of a measure under the first law, without what made them so.
        second: those under the second.
        groups: members of each group of countries.

    Returns:
        One part per scope, in order; empty if each law has rows that the other lacks, so that all goods may differ.
    """
    only_first = [row for row in first if row not in second]
    only_second = [row for row in second if row not in first]
    if only_first and only_second:
        return []
    if only_second:
        return [GoodsPart(scope, old, new) for scope, old, new in _parts(first, only_second, groups)]
    return [GoodsPart(scope, new, old) for scope, old, new in _parts(second, only_first, groups)]


def _parts(
    wide: Sequence[Row], narrow: Sequence[Row], groups: Groups
) -> list[tuple[Scope, tuple[Row, ...], tuple[Row, ...]]]:
    """Per scope of the narrow rows: the wide rows that reach into it, and the narrow ones that reach anything."""
    by_scope: dict[Scope, list[Row]] = {}
    for row in narrow:
        by_scope.setdefault(_beyond(row, wide), []).append(row)
    return [
        (
            scope,
            tuple(row for row in wide if _reaches(row.scope.narrowed(scope), groups)),
            tuple(row for row in rows if _reaches(row.scope, groups)),
        )
        for scope, rows in by_scope.items()
    ]


def _beyond(row: Row, wide: Iterable[Row]) -> Scope:
    """Subtract from a row's scope that of the row it narrows; all of it is left if it narrows none."""
    form = row.conditions, row.relief, row.absent
    same = [one.scope for one in wide if (one.conditions, one.relief, one.absent) == form]
    narrowed = [scope for scope in same if _is_part(row.scope, scope)]
    whole = max(narrowed, key=lambda scope: len(scope.origins) + len(scope.products), default=ANYWHERE)
    return Scope(
        row.scope.origins[len(whole.origins) :],
        row.scope.not_origins - whole.not_origins,
        row.scope.products[len(whole.products) :],
        row.scope.not_products - whole.not_products,
    )


def _is_part(scope: Scope, whole: Scope) -> bool:
    """Test whether a scope is another one narrowed further."""
    return (
        scope.origins[: len(whole.origins)] == whole.origins
        and scope.products[: len(whole.products)] == whole.products
        and scope.not_origins >= whole.not_origins
        and scope.not_products >= whole.not_products
    )


def _reaches(scope: Scope, groups: Groups) -> bool:
    """Test whether some country is of all origins that a scope names."""
    if not scope.origins:
        return True
    members = [_members(names, groups) for names in scope.origins]
    return bool(frozenset.intersection(*members) - _members(scope.not_origins, groups))


def _members(names: Iterable[str], groups: Groups) -> frozenset[str]:
    return frozenset[str]().union(*(groups.get(name, frozenset({name})) for name in names))

"""Check the product codes of measures on imports against the schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import Scope
from tariffs.engine.schedule.lines import load_schedule

Names = Iterator[tuple[str, str]]
"""Names at fault, each with its path."""
# Provisions of chapter 98 are no lines of the schedule's other chapters; lists of civil aircraft name some.
_PROVISIONS = "98"
_HEADINGS = "99"


def headings_as_products(law: Law) -> Names:
    """Find headings of chapter 99 where products belong."""
    return ((name, path) for name, path, code in _codes(law) if code.startswith(_HEADINGS))


def unknown_codes(law: Law) -> Names:
    """Find codes that no vintage of the schedule has, and that are not among the retired ones."""
    schedule = load_schedule()
    for name, path, code in _codes(law):
        known = schedule.accepts(code) or code.startswith((_PROVISIONS, _HEADINGS))
        if not known and code not in law.retired_codes:
            yield name, path


def idle_retired_codes(law: Law) -> Names:
    """Find retired codes that the schedule has, or that nothing names."""
    schedule = load_schedule()
    named = {code for _, _, code in _codes(law)}
    for code in sorted(law.retired_codes):
        if schedule.accepts(code) or code not in named:
            yield code, f"retired.codes.{code}"


def _codes(law: Law) -> Iterator[tuple[str, str, str]]:
    """Yield the codes that measures on imports name, directly or by a list, with a name and the path of each."""
    for name, path in _names(law).items():
        if name in law.lists:
            yield from ((f"{code} of {name}", f"lists.{name}", code) for code in law.lists[name].codes)
        else:
            yield name, path, name


def _names(law: Law) -> Mapping[str, str]:
    """List codes and lists that measures on imports name, with the path of the first."""
    found: dict[str, str] = {}
    for measure in law.measures.values():
        if measure.market != IMPORT:
            continue
        scopes: list[Scope] = [row.scope for period in measure.periods for row in period.rows]
        scopes += [measure.touches, *(act.scope for act in law.acts[measure.id])]
        for scope in scopes:
            for name in frozenset().union(*scope.products, scope.not_products):
                found.setdefault(name, f"measures.{measure.id}")
    return found
